"""All records of a group of the sparse index `watched`, page by page: no operation scans the table."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_to_xero.ports.state import StateStore, Watched

_PAGE = 1000  # rows of the index that are read at once


def all_watched(store: StateStore, group: str) -> Iterator[Watched]:
    """Yield every record of a group, by reason. The index is moments late: the rows state how they are now."""
    page = store.watched(group, _PAGE)
    while page:
        yield from page
        page = store.watched(group, _PAGE, page[-1]) if len(page) == _PAGE else []


def watched_keys(store: StateStore, group: str) -> list[str]:
    """Return the keys, without their type, of all records of a group that has one type."""
    return [each.key.partition("#")[2] for each in all_watched(store, group)]
