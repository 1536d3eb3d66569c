"""The documents that belong together because one order, refund or closed day has asked for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.planning.closed_day import ClosedDay
from amazon_to_xero.domain.source import SourceKind, SourceRecord, identity_of
from amazon_to_xero.ports.state import StateStore

_RECORD_TYPES: Mapping[SourceKind, type[SourceRecord]] = {
    SourceKind.ORDER: OrderRecord,
    SourceKind.TRANSACTION: TransactionRecord,
    SourceKind.DAY: ClosedDay,
}


def documents_of_sources(store: StateStore, sources: Collection[str]) -> set[str]:
    """Return the keys of all documents that these sources have asked for, by the keys of the sources."""
    keys: set[str] = set()
    for kind, record_type in _RECORD_TYPES.items():
        ids = [found for source in sources if (found := identity_of(source, kind))]
        records = store.load(record_type, ids).values() if ids else ()
        keys |= {key for record in records for key in record.documents}
    return keys
