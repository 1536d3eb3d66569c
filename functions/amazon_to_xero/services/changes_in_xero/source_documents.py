"""The documents that belong together because one order, refund or closed day has asked for them."""

from __future__ import annotations

from collections.abc import Collection

from amazon_to_xero.domain.source import identity_of
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.replay.source_states import RECORD_TYPES


def documents_of_sources(store: StateStore, sources: Collection[str]) -> set[str]:
    """Return the keys of all documents that these sources have asked for, by the keys of the sources."""
    keys: set[str] = set()
    for kind, record_type in RECORD_TYPES.items():
        ids = [found for source in sources if (found := identity_of(source, kind))]
        records = store.load(record_type, ids).values() if ids else ()
        keys |= {key for record in records for key in record.documents}
    return keys
