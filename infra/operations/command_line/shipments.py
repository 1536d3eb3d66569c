"""The shipments of an order, as `show` lists them and as `correct --shipment` names them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import shipment_invoice_number
from amazon_to_xero.domain.corrections import shipment_line
from amazon_to_xero.domain.planning.entries import shaped_like
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.state import RecordStore
from operations.command_line.result import table
from operations.command_line.session import UsageProblem

ALL = "all"


def listed_shipments(record: OrderRecord, documents: Collection[str]) -> list[dict[str, Any]]:
    """Return the shipments in the order in which they became known; documents: keys of the order's documents."""
    numbers = [shipment_invoice_number(record.invoice_number, place) for place in range(len(record.shipments))]
    return [
        {
            "number": place,
            "invoice": number if document_key(DocumentKind.INVOICE, number) in documents else "",
            "shipped_at": each.shipped_at,
            "not_before": each.not_before,
            "package": each.reference,
            "quantities": dict(each.quantities),
        }
        for place, (each, number) in enumerate(zip(record.shipments, numbers, strict=True), 1)
    ]


def shipments_table(listed: Sequence[Mapping[str, Any]]) -> RenderableType:
    rows = [
        [
            each["number"],
            each["invoice"],
            _time_text(each),
            each["package"],
            ", ".join(f"{quantity} of {item}" for item, quantity in each["quantities"].items()),
        ]
        for each in listed
    ]
    return table("", ("Shipment", "invoice", "shipped (UTC)", "package", "items"), rows)


def days_of(record: OrderRecord, stated: str, policy: PostingPolicy, store: RecordStore) -> list[str]:
    """Return what a stated day is of: lines of corrections, one for each shipment, or one that is empty for the order.

    stated: the number of a shipment, `all`, or empty. Raises UsageProblem where that leaves it open.
    """
    documents = store.load(Document, record.documents).values() if record.documents else ()
    is_by_shipment = shaped_like(policy, documents).invoice_per.is_by_shipment
    numbers = [str(place) for place in range(1, len(record.shipments) + 1)]
    if not is_by_shipment and stated:
        raise UsageProblem("--shipment is for orders with an invoice for each shipment. This one has one invoice.")
    if not is_by_shipment or (not numbers and not stated):
        return [""]
    if not stated and len(numbers) > 1:
        raise UsageProblem(
            f"The order has {len(numbers)} shipments, and each has an invoice and a day of its own. Add --shipment "
            f"with a number that show lists ({', '.join(numbers)}), or --shipment {ALL}."
        )
    if stated and stated not in (*numbers, ALL):
        raise UsageProblem(f"The order has no shipment {stated}; show lists {', '.join(numbers) or 'none'}.")
    return [shipment_line(int(number)) for number in numbers if stated in ("", ALL, number)]


def _time_text(shipment: Mapping[str, Any]) -> str:
    shipped, begin = shipment["shipped_at"], shipment["not_before"]
    return f"{shipped:%Y-%m-%d %H:%M}" if begin is None else f"{begin:%Y-%m-%d %H:%M} to {shipped:%Y-%m-%d %H:%M}"
