"""The second half of the simulated worlds."""

from __future__ import annotations

import pytest

from simulation.worlds import check, chunks

SEEDS = chunks(1, 2)


@pytest.mark.parametrize("seeds", SEEDS, ids=[f"from-{seeds[0]}" for seeds in SEEDS])
def test_nothing_is_lost_doubled_or_beyond_a_limit(seeds: list[str]) -> None:
    check(seeds)
