"""The optimistic update of stored records: load, change, save, and again for those that another writer changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from amazon_to_xero.ports.state import Conflict, Cursor, Record, StateStore

ATTEMPTS = 5


def update_records[R: Record](
    store: StateStore,
    kind: type[R],
    keys: Iterable[str],
    change: Callable[[Mapping[str, R | None]], Iterable[R]],
    attempts: int = ATTEMPTS,
) -> dict[str, R]:
    """Load the records of `keys`, save what `change` returns, and repeat for those that lost to another writer.

    `change` is given the record of each key, None where none is stored, and returns the records to save; what it does
    beside that happens before the save, and again when the save is repeated. Returns the saved records by key. Raises
    Conflict when records still lost after `attempts`.
    """
    pending = list(dict.fromkeys(keys))
    saved: dict[str, R] = {}
    for _ in range(attempts):
        if not pending:
            return saved
        stored = store.load(kind, pending)
        changed = list(change({key: stored.get(key) for key in pending}))
        newly_saved = store.save(changed) if changed else {}
        saved |= newly_saved
        pending = [record.key for record in changed if record.key not in newly_saved]
    if pending:
        raise Conflict(f"{len(pending)} {kind.__name__} rows kept changing while they were updated")
    return saved


def update_cursor(
    store: StateStore,
    name: str,
    change: Callable[[Cursor], Mapping[str, str] | None],
    attempts: int = ATTEMPTS,
) -> Cursor | None:
    """Update the data of one cursor; `change` returns the new data, or None to leave it as it is.

    Returns the saved cursor, None when nothing was saved. Raises Conflict when it lost `attempts` times.
    """

    def changed(stored: Mapping[str, Cursor | None]) -> Iterable[Cursor]:
        cursor = stored[name] or Cursor(name)
        data = change(cursor)
        return [] if data is None else [Cursor(name, data, cursor.generation)]

    return update_records(store, Cursor, [name], changed, attempts).get(name)
