"""Each order with its documents as the system's own table has them: `.run/orders.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore


def load_orders(store: StateStore, order_ids: Iterable[str]) -> Mapping[str, OrderRecord]:
    """Return the records of those orders that were noticed, by order id."""
    return store.load(OrderRecord, order_ids)


def order_report(
    store: StateStore, order_ids: Iterable[str], orders: Mapping[str, OrderRecord]
) -> list[dict[str, Any]]:
    """Return one object per order of the seller, in the order of `order_ids`.

    An order that the system has not noticed has neither status nor state. `status` is Amazon's and `xero_status` is
    Xero's, as last read; the rest is what the system decided: see OrderRecord and Document. `total` of a payment or
    refund is its amount. A document that should not exist and never did is left out. The documents of an order's
    refunds follow its own.
    """
    decided = DecidedRefundsStore(store)
    refunds = {order_id: list(decided.load(order_id).by_transaction) for order_id in orders}
    transactions = store.load(TransactionRecord, [each for of_order in refunds.values() for each in of_order])
    keys = {
        order_id: [*order.documents, *(key for each in refunds[order_id] for key in transactions[each].documents)]
        for order_id, order in orders.items()
    }
    documents = store.load(Document, [key for of_order in keys.values() for key in of_order])
    return [
        _order(order_id, orders.get(order_id), [documents[key] for key in keys.get(order_id, ()) if key in documents])
        for order_id in order_ids
    ]


def _order(order_id: str, order: OrderRecord | None, held: Sequence[Document]) -> dict[str, Any]:
    if order is None:
        return {"order_id": order_id, "status": "", "state": "", "reason": "", "remedy": "", "documents": []}
    return {
        "order_id": order_id,
        "status": order.status,
        "state": order.state,
        "reason": order.reason,
        "remedy": order.remedy,
        "documents": [_document(each) for each in held if each.exists_in_xero or not each.desired.tombstone],
    }


def _document(document: Document) -> dict[str, Any]:
    desired = document.desired
    return {
        "kind": document.kind,
        "number": desired.number,
        "state": document.state,
        "reason": document.reason,
        "remedy": document.remedy,
        "xero_id": document.xero_id,
        "xero_status": document.xero_status,
        "total": desired.total if desired.total is not None else desired.body.get("Amount"),
    }
