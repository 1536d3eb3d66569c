"""The open changes of documents in Xero, from the sparse index `watched`: no operation scans the table."""

from __future__ import annotations

from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.ports.state import CHANGED_IN_XERO, StateStore
from amazon_to_xero.services.watched import watched_keys


def open_changes(store: StateStore) -> list[XeroChange]:
    """Return the changes that nobody has decided about, the oldest first."""
    changes = [each for each in store.load(XeroChange, watched_keys(store, CHANGED_IN_XERO)).values() if each.is_open]
    return sorted(changes, key=lambda each: (str(each.found_at), each.key))
