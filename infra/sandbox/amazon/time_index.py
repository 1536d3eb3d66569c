"""An index of keys by time, partitioned by the values that a list operation can filter on."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

Position = tuple[datetime, str]  # time and key
Partition = tuple[str | None, ...]  # the values one can filter on
DISTANT_PAST = datetime.min.replace(tzinfo=UTC)


class TimeIndex:
    """Keys sorted by time within each partition, so that a query never visits keys that it filters out."""

    def __init__(self) -> None:
        self._partitions: dict[Partition, list[Position]] = {}

    def add(self, partition: Partition, at: datetime, key: str) -> None:
        insort(self._partitions.setdefault(partition, []), (at, key))

    def remove(self, partition: Partition, at: datetime, key: str) -> None:
        positions = self._partitions[partition]
        del positions[bisect_left(positions, (at, key))]

    def scan(self, matches: Callable[[Partition], bool], start: datetime, after: Position | None) -> Iterator[Position]:
        """Yield the positions of matching partitions by time: those after `after`, or from `start` if it is None."""
        runs = []
        for partition, positions in self._partitions.items():
            if matches(partition):
                first = bisect_left(positions, (start, "")) if after is None else bisect_right(positions, after)
                if first < len(positions):
                    runs.append(_run(positions, first))
        return runs[0] if len(runs) == 1 else heapq.merge(*runs)


def _run(positions: list[Position], first: int) -> Iterator[Position]:
    for index in range(first, len(positions)):
        yield positions[index]
