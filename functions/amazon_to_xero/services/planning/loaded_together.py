"""Records that the plans of many sources need one by one, loaded in few calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from amazon_to_xero.ports.state import Cursor, Record, RecordStore


class LoadedTogether:
    """ports.RecordStore over another.

    The planner names the records of all sources of a chunk before it plans the first: the first of them that is loaded
    is loaded together with all others, and they are kept until the next chunk. A record that another writer changed
    meanwhile is kept as it was; then its save fails, and it is loaded anew. What nobody expected is not kept.
    """

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._expected: dict[type[Record], dict[str, None]] = {}
        self._loaded: dict[type[Record], dict[str, Record | None]] = {}  # None: there is none

    def expect(self, kind: type[Record], key: str) -> None:
        """Load the record together with the others that are expected. The first one of a chunk forgets the last."""
        if self._loaded:
            self._expected, self._loaded = {}, {}
        self._expected.setdefault(kind, {})[key] = None

    def load[R: Record](self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        wanted = dict.fromkeys(keys)
        if kind not in self._loaded and wanted.keys() & self._expected.get(kind, {}).keys():
            found = self._store.load(kind, self._expected[kind])
            self._loaded[kind] = {key: found.get(key) for key in self._expected[kind]}
        kept = self._loaded.get(kind, {})
        known = {key: kept[key] for key in wanted if key in kept}
        others = [key for key in wanted if key not in known]
        loaded = self._store.load(kind, others) if others else {}
        return {**{key: record for key, record in known.items() if isinstance(record, kind)}, **loaded}

    def save[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        saved = self._store.save(records)
        for record in records:
            kept = self._loaded.get(type(record), {})
            if record.key in saved and record.key in kept:
                kept[record.key] = saved[record.key]
            else:
                kept.pop(record.key, None)
        return saved

    def cursor(self, name: str) -> Cursor:
        return self.load(Cursor, [name]).get(name, Cursor(name))
