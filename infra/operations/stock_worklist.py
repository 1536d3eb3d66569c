"""The open entries of the worklist of stock, from the sparse index `watched`: no operation scans the table."""

from __future__ import annotations

from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from amazon_to_xero.ports.state import OPEN_DIFFERENCES, StateStore
from operations.watched_rows import all_watched


def open_entries(store: StateStore) -> list[WorklistEntry]:
    """Return the open entries, the largest differences first. Only the index of watched rows is read, and they."""
    keys = [each.key.partition("#")[2] for each in all_watched(store, OPEN_DIFFERENCES)]
    entries = [each for each in store.load(WorklistEntry, keys).values() if each.state is EntryState.OPEN]
    return sorted(entries, key=lambda each: (-abs(each.difference), each.key))
