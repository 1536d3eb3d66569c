"""`show ORDER`: one order from Amazon to Xero: what was stated, what was decided, which documents it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment_charge import charged_text
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.line import line_from_xero, tracking_text
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.failures import remedy_of
from amazon_to_xero.domain.money import cents
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.domain.source import SourceKind, source_key
from operations.command_line.corrections_view import corrections_table, listed_corrections
from operations.command_line.result import Result, print_warning, table
from operations.command_line.session import Session
from operations.command_line.shipments import listed_shipments, shipments_table
from operations.links import seller_central_link, xero_link
from operations.order_books import OrderBooks, load_order_books
from operations.order_timeline import timeline

_FAILED = "FAILED"
_LINE_FIELDS = {
    "books": "books",
    "amount": "amount",
    "account": "account",
    "tax_type": "tax type",
    "tax": "stated tax",
    "tracking": "tracking",
    "item_code": "item",
    "description": "description",
}
OrderId = Annotated[str, typer.Argument(metavar="ORDER", help="Amazon's id of the order.")]


def show(session: Session, order: OrderId) -> Result:
    """Show one order: its state, refunds, charges, documents with their lines and Xero ids, and its history."""
    if warning := session.accept_disconnected():
        print_warning(warning)
    books = load_order_books(session.store(), [order], undecided=True)[order]
    if not books.is_known:
        remedy = (
            f"No order {order} is known to the connection {session.connection}. Check the id and --connection. What to "
            "check where no notice and no sweep has read it: docs/operating.md, An order is not in Xero."
        )
        return Result({"order_id": order, "error": remedy}, [remedy], has_problem=True)
    row = _corrections(session, books)
    data = order_data(books) | {"corrections": listed_corrections(row)}
    states = [data["order"], data["confirmation"], *data["refunds"], *data["documents"]]
    view = [*_view(data), "", corrections_table(row)] if row.entries else _view(data)
    return Result(data, view, has_problem=any(each and each["state"] == _FAILED for each in states))


def _corrections(session: Session, books: OrderBooks) -> Corrections:
    """Return what a person has stated about the order."""
    source = source_key(SourceKind.ORDER, books.order_id)
    return session.store().load(Corrections, [source]).get(source, Corrections(source))


def order_data(books: OrderBooks) -> dict[str, Any]:
    """Return the order as `--json` prints it. It has no data of the buyer, because the rows have none."""
    return {
        "order_id": books.order_id,
        "seller_central": seller_central_link(books.order_id, books.marketplace_id),
        "order": _order(books.record) if books.record else None,
        "shipments": listed_shipments(books.record, books.documents) if books.record else [],
        "refunds": [_refund(each) for each in books.refunds],
        "confirmation": _confirmation(books.confirmation) if books.confirmation else None,
        "documents": [_document(each) for each in books.documents.values()],
        "history": [asdict(moment) for moment in timeline(books)],
    }


def _decided(record: OrderRecord | TransactionRecord | SaleConfirmation | Document) -> dict[str, Any]:
    due = record.next_attempt_at
    return {"state": record.state.value, "reason": record.reason, "remedy": record.remedy, "next_attempt_at": due}


def _order(record: OrderRecord) -> dict[str, Any]:
    return _decided(record) | {
        "status": record.status,
        "version": record.version,
        "read_at": record.read_at,
        "next_step": record.next_step if record.next_attempt_at else "",
        "attempts": record.attempts,
    }


def _refund(record: TransactionRecord) -> dict[str, Any]:
    named = {"transaction_id": record.transaction_id, "posted_at": record.posted_at, "status": record.status}
    return named | _decided(record) | {"credit_note": record.credit_note_number}


def _confirmation(record: SaleConfirmation) -> dict[str, Any]:
    sale = record.sale
    stated = f"{sale.total} {sale.currency}" if sale else ""
    return _decided(record) | {"charged": charged_text(tuple(record.charges.values())), "stated": stated}


def _document(document: Document) -> dict[str, Any]:
    desired = document.desired
    body = desired.body
    amount = desired.total if desired.total is not None else body.get("Amount")
    return {
        "kind": document.kind.value,
        "number": document.number_in_xero,
        "source": desired.source,
        "is_removed": desired.tombstone,
        **_decided(document),
        "amount": None if amount is None else cents(Decimal(amount)),
        "currency": body.get("CurrencyCode", ""),
        "date": body.get("Date", ""),
        "xero_id": document.xero_id,
        "xero_status": document.xero_status,
        "closed_in": document.closed_in,
        "link": xero_link(document),
        "lines": [_line(each, origin) for each, origin in _lines_of(document)],
    }


def _day(document: Mapping[str, Any]) -> str:
    """Return the documents that state an entry of a day; empty for a document of its own."""
    return f"in {document['closed_in']}" if document["closed_in"] else ""


def _lines_of(document: Document) -> list[tuple[Mapping[str, Any], str]]:
    lines = document.desired.body.get("LineItems", ())
    origins = document.desired.line_origins
    return [(line, origins[n] if n < len(origins) else "") for n, line in enumerate(lines)]


def _line(line: Mapping[str, Any], origin: str) -> dict[str, Any]:
    return {
        "books": origin,
        "amount": cents(line["Quantity"] * Decimal(line["UnitAmount"])),
        "account": line["AccountCode"],
        "tax_type": line["TaxType"],
        "tax": line.get("TaxAmount"),
        "tracking": tracking_text(line_from_xero(line, origin).tracking),
        "item_code": line.get("ItemCode") or "",
        "description": line["Description"],
    }


def _view(data: Mapping[str, Any]) -> list[RenderableType]:
    title = f"Order {data['order_id']}  {data['seller_central']}"
    parts: list[RenderableType] = [title, table("", ("", ""), _facts(data))]
    if data["shipments"]:
        parts += ["", shipments_table(data["shipments"])]
    documents = [
        [each["kind"], each["number"], each["amount"], each["currency"], each["xero_status"], _why(each)]
        for each in data["documents"]
    ]
    if documents:
        parts += ["", table("", ("Document", "number", "amount", "currency", "in Xero", "state"), documents)]
    lines = [
        [each["number"], *(line[name] for name in _LINE_FIELDS)] for each in data["documents"] for line in each["lines"]
    ]
    if lines:
        parts += ["", table("", ("Line of", *_LINE_FIELDS.values()), lines)]
    in_xero = [
        [each["kind"], each["number"], each["link"] or each["xero_id"] or _day(each)] for each in data["documents"]
    ]
    if in_xero:
        parts += ["", table("", ("In Xero", "number", "page or id"), in_xero)]
    history = [(f"{each['at']:%Y-%m-%d %H:%M:%S}", each["what"]) for each in data["history"]]
    return [*parts, "", table("History (UTC); every decision: logs ORDER", ("Time", "what"), history)]


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    order, confirmation = data["order"], data["confirmation"]
    facts = [("Amazon's status", order["status"]), ("state", _why(order))] if order else [("state", "not read")]
    if confirmation:
        compared = f"{confirmation['charged'] or 'nothing'} charged, {confirmation['stated'] or 'nothing'} stated"
        facts.append(("charges", f"{_why(confirmation)} ({compared})"))
    return facts + [(f"refund {each['transaction_id']}", _why(each)) for each in data["refunds"]]


def _why(decided: Mapping[str, Any]) -> str:
    """Return a state with its reason and what to do; what the tables say where the row has no words of its own."""
    reason = decided["reason"]
    remedy = decided["remedy"] or remedy_of(reason)
    return " ".join(filter(None, (decided["state"], f"{reason}:" if reason and remedy else reason, remedy)))
