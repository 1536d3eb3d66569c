"""The rows of one connection in memory, and the units that DynamoDB would charge for each request.

AWS: a strongly consistent read costs one unit per 4 KB of an item, an eventually consistent query half a unit per 4 KB
of what it reads, a write one unit per KB, and one more for each entry of an index that it adds or removes. What finds
nothing, and a write whose condition fails, costs the smallest unit. The index shows a row at once.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from amazon_to_xero.adapters.dynamodb.rows import Row

_READ_BYTES, _WRITE_BYTES = 4096, 1024
_ROWS_AT_ONCE = 100  # BatchGetItem
_PK = len("pk" + "CONNECTION#main")
_NUMBERS = len("generation") + len("schema") + 4


@dataclass(frozen=True)
class Units:
    """What requests to DynamoDB cost.

    read, written: read and write units.
    requests: BatchGetItem, PutItem and Query.
    """

    read: float = 0
    written: float = 0
    requests: int = 0

    def plus(self, other: Units) -> Units:
        return Units(self.read + other.read, self.written + other.written, self.requests + other.requests)

    def minus(self, other: Units) -> Units:
        return Units(self.read - other.read, self.written - other.written, self.requests - other.requests)


class CountedTable:
    """rows.Table with sorted indexes; `units` is what all requests so far have cost."""

    def __init__(self) -> None:
        self.units = Units()
        self._rows: dict[str, Row] = {}
        self._due: dict[str, list[tuple[str, str]]] = {}  # index key -> (next_attempt_at, sk), sorted
        self._watched: dict[str, list[tuple[str, str]]] = {}  # index key -> (reason, sk), sorted

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        found = [self._rows[sk] for sk in sort_keys if sk in self._rows]
        read = sum(_units(_size(row), _READ_BYTES) for row in found) + len(sort_keys) - len(found)
        self._count(read=read, requests=math.ceil(len(sort_keys) / _ROWS_AT_ONCE))
        return found

    def put(self, rows: Sequence[Row]) -> list[bool]:
        return [self._put(row) for row in rows]

    def due(self, due: str, until: str, limit: int) -> list[str]:
        index = self._due.get(due, [])
        found = index[: min(limit, bisect_left(index, (until, "\uffff")))]
        self._count_query(found)
        return [sk for _, sk in found]

    def first_due(self, due: str) -> str:
        found = self._due.get(due, [])[:1]
        self._count_query(found)
        return found[0][0] if found else ""

    def watched(
        self, watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
    ) -> list[tuple[str, str]]:
        index = [each for each in self._watched.get(watched, []) if reason in ("", each[0])]
        begin = 0 if after is None else bisect_left(index, (after[1], f"{after[0]}\0"))
        found = list(islice(index, begin, begin + limit))
        self._count_query(found)
        return [(sk, reason) for reason, sk in found]

    def waiting(self) -> str:
        """Return when the next row is due, of whatever queue; empty where none is."""
        return min((index[0][0] for index in self._due.values() if index), default="")

    def _put(self, row: Row) -> bool:
        held = self._rows.get(row.sk)
        written = max(_units(_size(each), _WRITE_BYTES) for each in (row, held) if each is not None)
        self._count(written=written, requests=1)
        if (held.generation if held else 0) != row.generation - 1:
            return False
        self._rows[row.sk] = row
        for index, was, becomes in (
            (self._due, _due_entry(held), _due_entry(row)),
            (self._watched, _watched_entry(held), _watched_entry(row)),
        ):
            if was != becomes:
                self._move(index, was, becomes)
        return True

    def _move(
        self,
        index: dict[str, list[tuple[str, str]]],
        was: tuple[str, str, str] | None,
        becomes: tuple[str, str, str] | None,
    ) -> None:
        if was is not None:
            entries = index[was[0]]
            del entries[bisect_left(entries, was[1:])]
        if becomes is not None:
            insort(index.setdefault(becomes[0], []), becomes[1:])
        self._count(written=(was is not None) + (becomes is not None))

    def _count_query(self, found: Sequence[tuple[str, str]]) -> None:
        size = sum(_PK + len(key) + len(sk) + len("nextattemptatduesk") for key, sk in found)
        self._count(read=_units(size, _READ_BYTES) / 2, requests=1)

    def _count(self, read: float = 0, written: float = 0, requests: int = 0) -> None:
        self.units = self.units.plus(Units(read, written, requests))


def _due_entry(row: Row | None) -> tuple[str, str, str] | None:
    return (row.due, row.next_attempt_at, row.sk) if row is not None and row.due and row.next_attempt_at else None


def _watched_entry(row: Row | None) -> tuple[str, str, str] | None:
    return (row.watched, row.reason, row.sk) if row is not None and row.watched else None


def _units(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))


def _size(row: Row) -> int:
    """Return the size of the item: the names and values of its attributes; an empty text has none."""
    texts = {"state": row.state, "reason": row.reason, "remedy": row.remedy, "due": row.due, "watched": row.watched}
    named = sum(len(name) + len(text.encode()) for name, text in texts.items() if text)
    due = len("next_attempt_at") + len(row.next_attempt_at) if row.next_attempt_at else 0
    return _PK + len("sk") + len(row.sk) + _NUMBERS + len("data") + len(row.data.encode()) + named + due
