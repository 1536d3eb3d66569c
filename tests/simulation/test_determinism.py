"""One seed is one history: without this no violation could be looked at a second time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.run import run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", ["7", "49", "118"])
def test_the_same_seed_gives_the_same_history(seed: str) -> None:
    first = run(seed)
    run("3")  # what another world leaves behind in the process must not matter
    assert run(seed).trace == first.trace


def test_another_process_with_another_hash_seed_gives_the_same_history() -> None:
    # In the second one, a page of Amazon's lists refunds of several orders.
    command = "from simulation.run import run; print(run('11').digest + run('1234514').digest)"
    path = os.pathsep.join(str(ROOT / folder) for folder in ("functions", "infra", "tests"))
    digests = {
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", command],
            env={"PYTHONPATH": path, "PYTHONHASHSEED": hash_seed, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for hash_seed in ("1", "2")
    }
    assert digests == {run("11").digest + run("1234514").digest}


def test_two_seeds_give_two_histories() -> None:
    assert run("7").digest != run("8").digest
