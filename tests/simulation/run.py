"""Plays worlds: `make sim SEEDS=500` (seeds never played before), `make sim FIRST=7000 SEEDS=500`, `make sim SEED=17`.

A range that was played until it was clean proves nothing, so without FIRST the range is drawn at random and printed.
"""

# ruff: noqa: T201 - a command line program

from __future__ import annotations

import argparse
import contextlib
import gc
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from simulation.world import Layers, Result, World

KEPT = Path(__file__).with_name("seeds.txt")
_LINES = 120
_IN_A_CHUNK = 20
_HIGHEST_FIRST_SEED = 10**9


def kept_seeds() -> list[str]:
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def run(seed: str, layers: Layers | None = None) -> Result:
    """Play one world. In every 50th even httpx is the real one, and the functions' own log is written."""
    with _collecting_afterwards():
        return World(seed, layers, everything_real=seed.isdigit() and int(seed) % 50 == 49).run()


@contextlib.contextmanager
def _collecting_afterwards() -> Iterator[None]:
    """Look for unused cycles once, when the world is over: meanwhile nearly all that it makes stays in use.

    What was imported before is never part of them. A tenth of a world's time went into looking for them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def run_chunk(seeds: list[str]) -> list[Result]:
    """Play several worlds; keep only their violations and counts."""
    results = []
    for seed in seeds:
        result = run(seed)
        if not result.violations:
            result.trace = []
        results.append(result)
    return results


def report(result: Result) -> str:
    """Describe what was violated, the events that led to it, and how to play the world again."""
    keys = set(re.findall(r"\d{3}-\d{7}-\d{7}", " ".join(result.violations)))
    relevant = [line for line in result.trace if any(key in line for key in keys)] if keys else result.trace
    shown = relevant[-_LINES:]
    return "\n".join(
        [
            f"seed {result.seed}: {len(result.violations)} violations",
            *(f"  - {violation}" for violation in result.violations),
            f"  what happened ({len(shown)} of {len(result.trace)} events, seconds since the beginning):",
            *(f"  {line[:240]}" for line in shown),
            f"  again: make sim SEED={result.seed}",
        ]
    )


def _chunks(seeds: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for seed in seeds:
        chunk.append(seed)
        if len(chunk) == _IN_A_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="number of worlds (default %(default)s)")
    parser.add_argument("--first", type=int, help="the first seed (default: drawn at random, and printed)")
    parser.add_argument("--seed", default="", help="only this one, with its whole trace")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.seed:
        result, again = run(arguments.seed), run(arguments.seed)
        print("\n".join(result.trace))
        if result.digest != again.digest:
            print("The same seed gave two histories: something reads a clock, a hash or the system's randomness.")
            return 1
        print(report(result) if result.violations else f"seed {result.seed}: nothing violated; {result.stats}")
        return 1 if result.violations else 0
    first = secrets.randbelow(_HIGHEST_FIRST_SEED) if arguments.first is None else arguments.first
    print(f"to play these worlds again: make sim FIRST={first} SEEDS={arguments.seeds}", flush=True)
    began = time.perf_counter()
    seeds = dict.fromkeys([*kept_seeds(), *(str(n) for n in range(first, first + arguments.seeds))])
    totals: Counter[str] = Counter()
    worlds = bad = 0
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for results in pool.map(run_chunk, _chunks(seeds)):
            for result in results:
                worlds += 1
                totals.update(result.stats)
                if result.violations:
                    bad += 1
                    print(report(result), flush=True)
    took = time.perf_counter() - began
    summary = ", ".join(f"{count} {name}" for name, count in totals.items())
    print(f"{worlds} worlds in {took:.0f} s, {bad} with violations: {summary}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
