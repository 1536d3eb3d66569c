"""Rows in memory over the stored ones: what a preview saves is read by the preview only, and never stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from amazon_to_xero.ports.state import Cursor, Lease, Record, RecordStore, Watched


class PreviewStore:
    """ports.StateStore for planning in memory. Nothing is due in it, and no lease can be had."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._saved: dict[tuple[type[Any], str], Any] = {}

    def load[R: Record](self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        wanted = list(keys)
        saved: dict[str, R] = {key: self._saved[kind, key] for key in wanted if (kind, key) in self._saved}
        missing = [key for key in wanted if key not in saved]
        return (self._store.load(kind, missing) if missing else {}) | saved

    def save[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        # A Record is a dataclass, which the protocol cannot express.
        saved = {each.key: replace(each, generation=each.generation + 1) for each in records}  # type: ignore[type-var]
        self._saved |= {(type(each), each.key): each for each in saved.values()}
        return saved

    def cursor(self, name: str) -> Cursor:
        return self.load(Cursor, [name]).get(name, Cursor(name))

    def saved[R: Record](self, kind: type[R]) -> list[R]:
        """Return the records of a type that were saved here."""
        return [record for (saved_kind, _), record in self._saved.items() if saved_kind is kind]

    def due(self, queue: str, now: datetime, limit: int) -> list[str]:
        return []

    def first_due(self, queue: str) -> datetime | None:
        return None

    def watched(self, group: str, limit: int, after: Watched | None = None, reason: str = "") -> list[Watched]:
        return []

    def unwatch[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        return self.save(records)

    def acquire(self, name: str, owner: str, now: datetime, until: datetime) -> Lease | None:
        return None

    def release(self, lease: Lease) -> None:
        return None
