"""Each order with its documents as the system's own table has them: `.run/orders.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment_charge import charged_text
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.ports.state import StateStore
from operations.order_books import load_order_books


def load_orders(store: StateStore, order_ids: Iterable[str]) -> Mapping[str, OrderRecord]:
    """Return the records of those orders that were noticed, by order id."""
    return store.load(OrderRecord, order_ids)


def load_confirmations(store: StateStore, order_ids: Iterable[str]) -> Mapping[str, SaleConfirmation]:
    """Return the confirmations of those orders that have a sale or a charge, by order id."""
    return store.load(SaleConfirmation, order_ids)


def order_report(
    store: StateStore,
    order_ids: Iterable[str],
    orders: Mapping[str, OrderRecord],
    confirmations: Mapping[str, SaleConfirmation],
) -> list[dict[str, Any]]:
    """Return one object per order of the seller, in the order of `order_ids`.

    An order that the system has not noticed has neither status nor state. `status` is Amazon's and `xero_status` is
    Xero's, as last read; the rest is what the system decided: see OrderRecord and Document. `total` of a payment or
    refund is its amount. A document that should not exist and never did is left out. The documents of an order's
    refunds follow its own. `confirmation` is None for an order that has neither an approved sale nor a charge.
    """
    books = load_order_books(store, orders)
    documents = {order_id: list(each.documents.values()) for order_id, each in books.items()}
    return [
        _order(order_id, orders.get(order_id), documents.get(order_id, ()))
        | {"confirmation": _confirmation(confirmations.get(order_id))}
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


def _confirmation(row: SaleConfirmation | None) -> dict[str, Any] | None:
    if row is None:
        return None
    charges = tuple(row.charges.values())
    return {
        "state": row.state,
        "reason": row.reason,
        "remedy": row.remedy,
        "charged": charged_text(charges),
        "stated": f"{row.sale.total} {row.sale.currency}" if row.sale else "",
        "charges": list(row.charges),
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
        **({"closed_in": document.closed_in} if document.closed_in else {}),
    }
