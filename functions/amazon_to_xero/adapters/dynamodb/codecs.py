"""The row of each type of record. Every field has a default, so that rows of older versions are decoded.

Whoever changes a shape raises the codec's schema; `decode` keeps accepting the older shapes, of which the tests hold
rows. Amounts are stored as decimal strings with exactly their digits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from amazon_to_xero.adapters.dynamodb.backfill_codec import BackfillCodec
from amazon_to_xero.adapters.dynamodb.closed_day_codec import ClosedDayCodec
from amazon_to_xero.adapters.dynamodb.confirmation_codec import ConfirmationCodec
from amazon_to_xero.adapters.dynamodb.corrections_codec import CorrectionsCodec
from amazon_to_xero.adapters.dynamodb.reconciliation_codec import MovementsCodec, WorklistCodec
from amazon_to_xero.adapters.dynamodb.replay_codec import ReplayCodec
from amazon_to_xero.adapters.dynamodb.rows import Row, RowCodec, text_of_time, time_of_text, timestamp
from amazon_to_xero.adapters.dynamodb.stock_codec import StockCodec
from amazon_to_xero.adapters.dynamodb.xero_change_codec import XeroChangeCodec
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.backfill.backfill import Backfills
from amazon_to_xero.domain.books.day_entry import DayEntry
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.planning.closed_day import ClosedDay
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.domain.replay.record import ReplayRecord
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.domain.stock.movements import DayMovements
from amazon_to_xero.domain.stock.record import StockRecord
from amazon_to_xero.domain.stock.worklist import WorklistEntry
from amazon_to_xero.ports.state import DOCUMENTS, FAILED_DOCUMENTS, FAILED_SOURCES, UNKNOWN_DOCUMENTS, Cursor

_WATCHED_STATES: Mapping[DocumentState, str] = {
    DocumentState.FAILED: FAILED_DOCUMENTS,
    DocumentState.UNKNOWN: UNKNOWN_DOCUMENTS,
}


class OrderCodec:
    """Converts OrderRecord."""

    prefix = "ORDER"
    schema = 4

    def encode(self, record: OrderRecord) -> Row:
        data = {
            "noticed_at": text_of_time(record.noticed_at),
            "next_step": record.next_step,
            "capability": record.capability,
            "attempts": record.attempts,
            "read_at": text_of_time(record.read_at),
            "version": text_of_time(record.version),
            "documents_version": text_of_time(record.documents_version),
            "older_reads": record.older_reads,
            "older_since": text_of_time(record.older_since),
            "digest": record.digest,
            "status": record.status,
            "content": record.content,
            "contact_number": record.contact_number,
            "invoice_number": record.invoice_number,
            "shipments": [_encoded_shipment(shipment) for shipment in record.shipments],
            "documents": list(record.documents),
            "corrections": record.corrections,
            "awaits_charge_since": text_of_time(record.awaits_charge_since),
        }
        return Row(
            f"{self.prefix}#{record.order_id}",
            record.generation,
            canonical_json(data),
            record.state,
            record.reason,
            record.remedy,
            record.capability,
            text_of_time(record.next_attempt_at) or "",
            watched=FAILED_SOURCES if record.state is OrderState.FAILED else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> OrderRecord:
        return OrderRecord(
            order_id=key,
            generation=row.generation,
            noticed_at=time_of_text(data.get("noticed_at")),
            next_attempt_at=time_of_text(row.next_attempt_at),
            next_step=NextStep(data.get("next_step", NextStep.READ)),
            capability=data.get("capability", ORDERS),
            attempts=data.get("attempts", 0),
            read_at=time_of_text(data.get("read_at")),
            version=time_of_text(data.get("version")),
            documents_version=time_of_text(data.get("documents_version")),
            older_reads=data.get("older_reads", 0),
            older_since=time_of_text(data.get("older_since")),
            digest=data.get("digest", ""),
            status=data.get("status", ""),
            content=data.get("content"),
            contact_number=data.get("contact_number", ""),
            invoice_number=data.get("invoice_number", ""),
            shipments=tuple(_decoded_shipment(each) for each in data.get("shipments", ())),
            state=OrderState(row.state or OrderState.NOTICED),
            reason=row.reason,
            remedy=row.remedy,
            documents=tuple(data.get("documents", ())),
            corrections=data.get("corrections", 0),
            awaits_charge_since=time_of_text(data.get("awaits_charge_since")),
        )


class TransactionCodec:
    """Converts TransactionRecord."""

    prefix = "TRANSACTION"
    schema = 2

    def encode(self, record: TransactionRecord) -> Row:
        data = {
            "order_id": record.order_id,
            "posted_at": text_of_time(record.posted_at),
            "status": record.status,
            "content": record.content,
            "first_read_at": text_of_time(record.first_read_at),
            "credit_note_number": record.credit_note_number,
            "next_step": record.next_step,
            "capability": record.capability,
            "attempts": record.attempts,
            "documents": list(record.documents),
            "corrections": record.corrections,
        }
        return Row(
            f"{self.prefix}#{record.transaction_id}",
            record.generation,
            canonical_json(data),
            record.state,
            record.reason,
            record.remedy,
            record.capability,
            text_of_time(record.next_attempt_at) or "",
            watched=FAILED_SOURCES if record.state is TransactionState.FAILED else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> TransactionRecord:
        return TransactionRecord(
            transaction_id=key,
            generation=row.generation,
            order_id=data.get("order_id", ""),
            posted_at=time_of_text(data.get("posted_at")),
            status=data.get("status", ""),
            content=_with_amounts(data.get("content")),
            first_read_at=time_of_text(data.get("first_read_at")),
            credit_note_number=data.get("credit_note_number", ""),
            next_step=NextStep(data.get("next_step", NextStep.PLAN)),
            next_attempt_at=time_of_text(row.next_attempt_at),
            capability=data.get("capability", REFUNDS),
            attempts=data.get("attempts", 0),
            state=TransactionState(row.state or TransactionState.RECORDED),
            reason=row.reason,
            remedy=row.remedy,
            documents=tuple(data.get("documents", ())),
            corrections=data.get("corrections", 0),
        )


class DocumentCodec:
    """Converts Document.

    Since schema 5, it may be an entry of its day; since 6, what Xero took last may be kept; since 7, it states where
    its order was going.
    """

    prefix = "DOCUMENT"
    schema = 7

    def encode(self, record: Document) -> Row:
        desired = record.desired
        data = {
            **_encoded_request(desired),
            "claim": record.claim,
            "applied_digest": record.applied_digest,
            "xero_id": record.xero_id,
            "xero_status": record.xero_status,
            "attempts": record.attempts,
            "unknown_outcomes": record.unknown_outcomes,
            "unknown_since": text_of_time(record.unknown_since),
            "reference_waits": record.reference_waits,
            "buyer_requests": record.buyer_requests,
            "name_is_taken": record.name_is_taken,
            "is_merged": record.is_merged,
            "replacements": record.replacements,
            "contact_refusals": record.contact_refusals,
            "period_refusals": record.period_refusals,
            "approved_by_person": record.approved_by_person,
            "closed_in": record.closed_in,
        }
        if record.last_applied is not None:  # what most rows lack is not stored: each kilobyte is a unit of its own
            data["last_applied"] = _encoded_request(record.last_applied)
        return Row(
            f"{self.prefix}#{record.key}",
            record.generation,
            canonical_json(data),
            record.state,
            record.reason,
            record.remedy,
            SHIPMENTS if desired.is_entry else DOCUMENTS,
            text_of_time(record.next_attempt_at) or "",
            watched=_watched(record),
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> Document:
        kind, _, number = key.partition("#")
        last_applied = data.get("last_applied")
        return Document(
            desired=_decoded_request({"kind": kind, "number": number, **data}),
            state=DocumentState(row.state or DocumentState.PENDING),
            generation=row.generation,
            next_attempt_at=time_of_text(row.next_attempt_at),
            claim=data.get("claim", 0),
            applied_digest=data.get("applied_digest", ""),
            last_applied=None if last_applied is None else _decoded_request(last_applied),
            xero_id=data.get("xero_id", ""),
            xero_status=data.get("xero_status", ""),
            attempts=data.get("attempts", 0),
            unknown_outcomes=data.get("unknown_outcomes", 0),
            unknown_since=time_of_text(data.get("unknown_since")),
            reference_waits=data.get("reference_waits", 0),
            buyer_requests=data.get("buyer_requests", 0),
            name_is_taken=data.get("name_is_taken", False),
            is_merged=data.get("is_merged", False),
            replacements=data.get("replacements", 0),
            contact_refusals=data.get("contact_refusals", 0),
            period_refusals=data.get("period_refusals", 0),
            approved_by_person=data.get("approved_by_person", False),
            closed_in=data.get("closed_in", ""),
            reason=row.reason,
            remedy=row.remedy,
        )


class CursorCodec:
    """Converts Cursor, whose data is stored as it is. Since schema 2, Xero's tokens are encrypted in it."""

    prefix = "CURSOR"
    schema = 2

    def encode(self, record: Cursor) -> Row:
        return Row(f"{self.prefix}#{record.name}", record.generation, json.dumps(record.data, sort_keys=True))

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> Cursor:
        return Cursor(key, data, row.generation)


CODECS: Mapping[type[Any], RowCodec[Any]] = {
    OrderRecord: OrderCodec(),
    TransactionRecord: TransactionCodec(),
    SaleConfirmation: ConfirmationCodec(),
    StockRecord: StockCodec(),
    DayMovements: MovementsCodec(),
    WorklistEntry: WorklistCodec(),
    Corrections: CorrectionsCodec(),
    Document: DocumentCodec(),
    XeroChange: XeroChangeCodec(),
    ClosedDay: ClosedDayCodec(),
    ReplayRecord: ReplayCodec(),
    Backfills: BackfillCodec(),
    Cursor: CursorCodec(),
}


def _watched(document: Document) -> str:
    """Return the group of the index `watched` that shows the document; empty where nobody should see it."""
    # What needs a contact that a person has chosen fails with it. Once that is withdrawn, nobody needs it.
    # Before a change is sent, no outcome is unknown.
    is_hidden = document.desired.is_chosen_contact or document.is_checked_before_change
    return "" if is_hidden else _WATCHED_STATES.get(document.state, "")


def _encoded_request(desired: DesiredDocument) -> dict[str, Any]:
    return {
        "kind": desired.kind,
        "number": desired.number,
        "body": desired.body,
        "source": desired.source,
        "source_version": text_of_time(desired.source_version),
        "total": desired.total,
        "references": desired.references,
        "capability": desired.capability,
        "order_id": desired.order_id,
        "tombstone": desired.tombstone,
        "line_origins": list(desired.line_origins),
        "entry": None if desired.entry is None else _encoded_entry(desired.entry),
        **({"ship_to": desired.ship_to} if desired.ship_to else {}),
    }


def _decoded_request(data: Mapping[str, Any]) -> DesiredDocument:
    total = data.get("total")
    return DesiredDocument(
        kind=DocumentKind(data["kind"]),
        number=data["number"],
        body=_with_amounts(data.get("body", {})),
        source=data.get("source", ""),
        source_version=time_of_text(data.get("source_version")),
        total=None if total is None else Decimal(total),
        references=data.get("references", {}),
        capability=data.get("capability", ""),
        order_id=data.get("order_id", ""),
        tombstone=data.get("tombstone", False),
        line_origins=tuple(data.get("line_origins", ())),
        entry=_decoded_entry(data.get("entry")),
        ship_to=data.get("ship_to", ""),
    )


def _encoded_entry(entry: DayEntry) -> dict[str, str]:
    return {"marketplace_id": entry.marketplace_id, "closes_at": timestamp(entry.closes_at)}


def _decoded_entry(data: Mapping[str, str] | None) -> DayEntry | None:
    return DayEntry(data["marketplace_id"], datetime.fromisoformat(data["closes_at"])) if data else None


def _encoded_shipment(shipment: Shipment) -> dict[str, Any]:
    encoded = {
        "reference": shipment.reference,
        "shipped_at": timestamp(shipment.shipped_at),
        "quantities": shipment.quantities,
    }
    return encoded if shipment.not_before is None else {**encoded, "not_before": timestamp(shipment.not_before)}


def _decoded_shipment(data: Mapping[str, Any]) -> Shipment:
    shipped_at = datetime.fromisoformat(data["shipped_at"])
    return Shipment(data["reference"], shipped_at, data.get("quantities", {}), time_of_text(data.get("not_before")))


def _with_amounts(value: Any) -> Any:
    """Return stored content with Decimals in the fields whose names end in Amount."""
    if isinstance(value, list):
        return [_with_amounts(element) for element in value]
    if isinstance(value, dict):
        return {
            name: _amount(part) if name.endswith("Amount") and isinstance(part, str) else _with_amounts(part)
            for name, part in value.items()
        }
    return value


def _amount(text: str) -> Decimal | str:
    """Return the Decimal in a text. Amazon's content may hold another text, which its plan rejects."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
