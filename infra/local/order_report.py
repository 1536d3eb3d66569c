"""Each order with its documents as the system's own table has them: `.run/orders.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.ports.state import StateStore


def load_orders(store: StateStore, order_ids: Iterable[str]) -> Mapping[str, OrderRecord]:
    """Return the records of those orders that were noticed, by order id."""
    return store.load(OrderRecord, order_ids)


def order_report(
    store: StateStore, order_ids: Iterable[str], orders: Mapping[str, OrderRecord]
) -> list[dict[str, Any]]:
    """Return one object per order of the seller, in the order of `order_ids`.

    An order that the system has not noticed has neither status nor state. `status` is Amazon's, the rest of an order
    and its documents is what the system decided; see OrderRecord and Document.
    """
    documents = store.load(Document, [key for order in orders.values() for key in order.documents])
    return [_order(order_id, orders.get(order_id), documents) for order_id in order_ids]


def _order(order_id: str, order: OrderRecord | None, documents: Mapping[str, Document]) -> dict[str, Any]:
    if order is None:
        return {"order_id": order_id, "status": "", "state": "", "reason": "", "remedy": "", "documents": []}
    return {
        "order_id": order_id,
        "status": order.status,
        "state": order.state,
        "reason": order.reason,
        "remedy": order.remedy,
        "documents": [_document(documents[key]) for key in order.documents if key in documents],
    }


def _document(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "number": document.desired.number,
        "state": document.state,
        "reason": document.reason,
        "remedy": document.remedy,
        "xero_id": document.xero_id,
        "xero_status": document.xero_status,
        "total": document.desired.total,
    }
