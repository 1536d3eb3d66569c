"""The open changes of documents in Xero, from the sparse index `watched`: no operation scans the table."""

from __future__ import annotations

from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.ports.state import CHANGED_IN_XERO, StateStore
from operations.watched_rows import all_watched


def open_changes(store: StateStore) -> list[XeroChange]:
    """Return the changes that nobody has decided about, the oldest first."""
    keys = [each.key.partition("#")[2] for each in all_watched(store, CHANGED_IN_XERO)]
    changes = [each for each in store.load(XeroChange, keys).values() if each.is_open]
    return sorted(changes, key=lambda each: (str(each.found_at), each.key))
