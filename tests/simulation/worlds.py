"""What the test files share: a share of the seeds each, so that both cores have work."""

from __future__ import annotations

from simulation.run import kept_seeds, report, run

WORLDS = 500
IN_A_TEST = 25


def chunks(share: int, shares: int) -> list[list[str]]:
    """This file's seeds in lists, one test each; the first file starts with the seeds that once found something."""
    seeds = [str(number) for number in range(WORLDS)][share::shares]
    if share == 0:
        seeds = list(dict.fromkeys([*kept_seeds(), *seeds]))
    return [seeds[start : start + IN_A_TEST] for start in range(0, len(seeds), IN_A_TEST)]


def check(seeds: list[str]) -> None:
    for result in map(run, seeds):
        assert not result.violations, report(result)
