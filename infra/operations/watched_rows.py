"""The rows that failed, from the sparse index `watched`: no operation scans the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.planning.closed_day import ClosedDay
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.ports.state import FAILED_DOCUMENTS, FAILED_SOURCES, StateStore, Watched
from amazon_to_xero.services.watched import all_watched

_FAILED = "FAILED"
type FailedRecord = OrderRecord | TransactionRecord | SaleConfirmation | ClosedDay | Document
_KINDS: tuple[type[FailedRecord], ...] = (OrderRecord, TransactionRecord, SaleConfirmation, ClosedDay, Document)


@dataclass(frozen=True)
class FailedRow:
    """Something that failed and that nobody has dealt with.

    key: type and key of the row, e.g. ORDER#204-0000100-0000100.
    order_id: the Amazon order that it concerns; empty where there is none.
    source: what to reprocess, e.g. order#204-0000100-0000100.
    capability: whose queue reprocesses it.
    reason, remedy: the failure code, and what to do.
    stated_at: when Amazon stated what failed (UTC): the version of the order, the day of the refund or shipment; None
        where that is not known. When it failed is in the log alone.
    """

    key: str
    order_id: str
    source: str
    capability: str
    reason: str
    remedy: str
    stated_at: datetime | None


def failed_rows(store: StateStore) -> list[FailedRow]:
    """Return everything that has failed, by reason: sources first, then documents."""
    watched = [each for group in (FAILED_SOURCES, FAILED_DOCUMENTS) for each in all_watched(store, group)]
    records = _load(store, watched)
    # The index lags by moments: the row itself says whether it is failed now.
    held = [(each.key, records[each.key]) for each in watched if each.key in records]
    return [_row(key, record) for key, record in held if record.state == _FAILED]


def _load(store: StateStore, watched: Iterable[Watched]) -> dict[str, FailedRecord]:
    """Return the records by type and key, loaded in one go for each type."""
    keys: dict[str, list[str]] = defaultdict(list)
    for each in watched:
        prefix, _, key = each.key.partition("#")
        keys[prefix].append(key)
    found: dict[str, FailedRecord] = {}
    for kind in _KINDS:
        prefix = CODECS[kind].prefix
        found |= {f"{prefix}#{key}": record for key, record in store.load(kind, keys[prefix]).items()}
    return found


def _row(key: str, record: FailedRecord) -> FailedRow:
    if isinstance(record, Document):
        asked = record.desired
        source, capability, stated_at = asked.source, asked.capability, asked.source_version
        return FailedRow(key, asked.order_id, source, capability, record.reason, record.remedy, stated_at)
    stated_at, order_id = _stated_at(record), "" if isinstance(record, ClosedDay) else record.order_id
    return FailedRow(key, order_id, record.source, record.capability, record.reason, record.remedy, stated_at)


def _stated_at(record: OrderRecord | TransactionRecord | SaleConfirmation | ClosedDay) -> datetime | None:
    match record:
        case OrderRecord():
            return record.version or record.noticed_at
        case TransactionRecord():
            return record.posted_at or record.first_read_at
        case SaleConfirmation():
            return record.sale.shipped_at if record.sale else record.awaited_since
        case ClosedDay():
            return record.closed_at
