"""The table in memory with a count of what DynamoDB would charge, for small rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row


class CountingTable:
    """rows.Table that counts units: one a row that is read or written, half a unit for a query that finds little."""

    def __init__(self, table: Any) -> None:
        self.read = 0.0
        self.written = 0
        self._table = table

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        self.read += len(sort_keys)
        return list(self._table.get(sort_keys))

    def put(self, rows: Sequence[Row]) -> list[bool]:
        self.written += len(rows)
        return list(self._table.put(rows))

    def due(self, *given: Any) -> list[str]:
        self.read += 0.5
        return list(self._table.due(*given))

    def first_due(self, due: str) -> str:
        self.read += 0.5
        return str(self._table.first_due(due))

    def watched(self, *given: Any) -> list[tuple[str, str]]:
        self.read += 0.5
        return list(self._table.watched(*given))
