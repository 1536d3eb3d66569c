"""Everything that the rows hold of an order: its record, its refunds, its charges, and the documents of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.ports.state import FAILED_SOURCES, StateStore
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.watched import all_watched

_MAX_WAITING = 1000
_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class OrderBooks:
    """What is stored of one order.

    record: None where only charges or refunds of it are known.
    refunds: the refunds that were decided, in the order of their decision; then those that wait or failed.
    confirmation: None where it has neither an approved sale nor a charge.
    documents: those of the order, then those of its refunds, by their keys.
    """

    order_id: str
    record: OrderRecord | None
    refunds: tuple[TransactionRecord, ...]
    confirmation: SaleConfirmation | None
    documents: Mapping[str, Document]

    @property
    def is_known(self) -> bool:
        return bool(self.record or self.refunds or self.confirmation)

    @property
    def marketplace_id(self) -> str:
        content = (self.record.content if self.record else None) or {}
        return str(content.get("salesChannel", {}).get("marketplaceId", ""))


def load_order_books(store: StateStore, order_ids: Iterable[str], *, undecided: bool = False) -> dict[str, OrderBooks]:
    """Return what is stored of each order.

    undecided: also find refunds that wait or failed. No index has them by order, so all that wait or failed are read.
    """
    ids = list(order_ids)
    records, confirmations = store.load(OrderRecord, ids), store.load(SaleConfirmation, ids)
    decisions = DecidedRefundsStore(store)
    of_order = {order_id: list(decisions.load(order_id).by_transaction) for order_id in ids}
    for transaction in _undecided(store) if undecided else ():
        if transaction.order_id in of_order and transaction.key not in of_order[transaction.order_id]:
            of_order[transaction.order_id].append(transaction.key)
    refunds = store.load(TransactionRecord, [key for keys in of_order.values() for key in keys])
    found = {
        order_id: (records.get(order_id), tuple(refunds[key] for key in keys if key in refunds))
        for order_id, keys in of_order.items()
    }
    documents = store.load(Document, [key for each in found.values() for key in _document_keys(*each)])
    return {
        order_id: OrderBooks(
            order_id,
            record,
            of_it,
            confirmations.get(order_id),
            {key: documents[key] for key in _document_keys(record, of_it) if key in documents},
        )
        for order_id, (record, of_it) in found.items()
    }


def _document_keys(record: OrderRecord | None, refunds: Iterable[TransactionRecord]) -> list[str]:
    own = record.documents if record else ()
    return list(dict.fromkeys([*own, *(key for refund in refunds for key in refund.documents)]))


def _undecided(store: StateStore) -> list[TransactionRecord]:
    waiting = store.due(REFUNDS, _END, _MAX_WAITING)
    rows = [each.key.partition("#") for each in all_watched(store, FAILED_SOURCES)]
    failed = [key for prefix, _, key in rows if prefix == CODECS[TransactionRecord].prefix]
    return list(store.load(TransactionRecord, [*waiting, *failed]).values())
