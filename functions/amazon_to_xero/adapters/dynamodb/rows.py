"""The sync state as rows: what stands in them and on what condition they are written. Knows no database.

    sk = ORDER#<order id> | DOCUMENT#<key> | CURSOR#<name> | LEASE#<name>
    index `due` (sparse): due = <connection>#ORDER (wants reading) | #SHIPMENT (wants booking) | #DOCUMENT,
                          due_at = UTC timestamp

LineAmountTypes are kept inside JSON texts as decimal strings, exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from amazon_to_xero.domain.amazon.order_record import OrderFact, Standing, Wants
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.books.document import Desired, Document, State
from amazon_to_xero.domain.books.document_types import Kind
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.ports.state import Conflict, Cursor, Lease

_DUE = {Wants.READING: "ORDER", Wants.BOOKING: "SHIPMENT"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one connection; an empty text is an attribute that is not there."""

    sk: str
    generation: int
    data: str = "{}"
    state: str = ""
    reason: str = ""
    hint: str = ""
    due: str = ""
    due_at: str = ""


class Table(Protocol):
    """The rows of one connection. May raise the database's own errors: then nobody knows which writes took effect."""

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        """Those that exist, strongly consistent."""
        ...

    def put(self, rows: Sequence[Row]) -> list[bool]:
        """Writes each whose stored generation is its own less one (0: not there yet); False where it is not."""
        ...

    def due(self, due: str, until: str, limit: int) -> list[str]:
        """Sort keys with this `due` and `due_at` up to `until`, earliest first; may lag behind the rows."""
        ...


class RowStateStore:
    """ports.StateStore for one connection over its rows."""

    def __init__(self, connection: str, table: Table) -> None:
        self._connection = connection
        self._table = table

    # --- orders and documents --------------------------------------------------------------------------------------

    def orders(self, order_ids: Iterable[str]) -> dict[str, OrderFact]:
        rows = self._get(f"ORDER#{order_id}" for order_id in order_ids)
        return {fact.order_id: fact for fact in (_order_fact(row) for row in rows)}

    def documents(self, keys: Iterable[str]) -> dict[str, Document]:
        rows = self._get(f"DOCUMENT#{key}" for key in keys)
        return {document.key: document for document in (_document(row) for row in rows)}

    def save_orders(self, facts: Sequence[OrderFact]) -> dict[str, OrderFact]:
        saved = self._table.put([self._order_row(fact) for fact in facts])
        return {
            fact.order_id: replace(fact, generation=fact.generation + 1)
            for fact, ok in zip(facts, saved, strict=True)
            if ok
        }

    def save_documents(self, documents: Sequence[Document]) -> dict[str, Document]:
        saved = self._table.put([self._document_row(document) for document in documents])
        return {
            document.key: replace(document, generation=document.generation + 1)
            for document, ok in zip(documents, saved, strict=True)
            if ok
        }

    def due_orders(self, now: datetime, limit: int) -> list[str]:
        return self._due_keys("ORDER", now, limit)

    def due_shipments(self, now: datetime, limit: int) -> list[str]:
        return self._due_keys("SHIPMENT", now, limit)

    def due_documents(self, now: datetime, limit: int) -> list[str]:
        return self._due_keys("DOCUMENT", now, limit)

    # --- cursors and leases ----------------------------------------------------------------------------------------

    def cursor(self, name: str) -> Cursor:
        rows = self._get([f"CURSOR#{name}"])
        return Cursor(name, json.loads(rows[0].data), rows[0].generation) if rows else Cursor(name)

    def save_cursor(self, cursor: Cursor) -> Cursor:
        row = Row(f"CURSOR#{cursor.name}", cursor.generation + 1, json.dumps(cursor.data, sort_keys=True))
        if not self._put(row):
            raise Conflict(f"cursor {cursor.name} was written by another worker")
        return replace(cursor, generation=row.generation)

    def acquire(self, name: str, owner: str, now: datetime, until: datetime) -> Lease | None:
        rows = self._get([f"LEASE#{name}"])
        held = json.loads(rows[0].data) if rows else {}
        if held.get("until", "") > _text(now):
            return None
        generation = (rows[0].generation if rows else 0) + 1
        data = json.dumps({"owner": owner, "until": _text(until)})
        if not self._put(Row(f"LEASE#{name}", generation, data)):
            return None
        return Lease(name, owner, until, generation)

    def release(self, lease: Lease) -> None:
        self._put(Row(f"LEASE#{lease.name}", lease.generation + 1))

    # --- rows ------------------------------------------------------------------------------------------------------

    def _get(self, sort_keys: Iterable[str]) -> list[Row]:
        keys = list(dict.fromkeys(sort_keys))
        return self._table.get(keys) if keys else []

    def _put(self, row: Row) -> bool:
        return self._table.put([row])[0]

    def _due_keys(self, kind: str, now: datetime, limit: int) -> list[str]:
        keys = self._table.due(f"{self._connection}#{kind}", _text(now), limit)
        return [key.partition("#")[2] for key in keys]

    def _order_row(self, fact: OrderFact) -> Row:
        return Row(
            f"ORDER#{fact.order_id}",
            fact.generation + 1,
            _order_data(fact),
            fact.standing.value,
            fact.reason,
            fact.hint,
            f"{self._connection}#{_DUE[fact.wants]}" if fact.due_at else "",
            _text(fact.due_at) if fact.due_at else "",
        )

    def _document_row(self, document: Document) -> Row:
        return Row(
            f"DOCUMENT#{document.key}",
            document.generation + 1,
            _document_data(document),
            document.state.value,
            document.reason,
            document.hint,
            f"{self._connection}#DOCUMENT" if document.due_at else "",
            _text(document.due_at) if document.due_at else "",
        )


def _text(moment: datetime) -> str:
    """Of fixed width: the index orders timestamps as text."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _with_amounts(value: Any) -> Any:
    """The stored body with its amounts as Decimals again; they are the fields that Xero calls amounts."""
    if isinstance(value, list):
        return [_with_amounts(element) for element in value]
    if isinstance(value, dict):
        return {
            name: Decimal(part) if name.endswith("Amount") and isinstance(part, str) else _with_amounts(part)
            for name, part in value.items()
        }
    return value


def _order_data(fact: OrderFact) -> str:
    return canonical_json(
        {
            "hinted_at": fact.hinted_at and _text(fact.hinted_at),
            "attempts": fact.attempts,
            "read_at": fact.read_at and _text(fact.read_at),
            "updated": fact.updated and _text(fact.updated),
            "digest": fact.digest,
            "status": fact.status,
            "content": fact.content,
            "wants": fact.wants,
            "customer": fact.customer,
            "number": fact.number,
            "shipments": [
                {"reference": each.reference, "shipped_at": _text(each.shipped_at), "quantities": each.quantities}
                for each in fact.shipments
            ],
            "documents": list(fact.documents),
        }
    )


def _order_fact(row: Row) -> OrderFact:
    data = json.loads(row.data)
    return OrderFact(
        order_id=row.sk.partition("#")[2],
        generation=row.generation,
        hinted_at=_time(data["hinted_at"]),
        due_at=_time(row.due_at),
        attempts=data["attempts"],
        read_at=_time(data["read_at"]),
        updated=_time(data["updated"]),
        digest=data["digest"],
        status=data["status"],
        content=data["content"],
        wants=Wants(data["wants"]),
        customer=data["customer"],
        number=data["number"],
        shipments=tuple(
            Shipment(each["reference"], datetime.fromisoformat(each["shipped_at"]), each["quantities"])
            for each in data["shipments"]
        ),
        standing=Standing(row.state),
        reason=row.reason,
        hint=row.hint,
        documents=tuple(data["documents"]),
    )


def _document_data(document: Document) -> str:
    desired = document.desired
    return canonical_json(
        {
            "kind": desired.kind,
            "number": desired.number,
            "body": desired.body,
            "version": desired.version and _text(desired.version),
            "total": desired.total,
            "refers": desired.refers,
            "order_id": desired.order_id,
            "removed": desired.removed,
            "sources": list(desired.sources),
            "claim": document.claim,
            "applied_digest": document.applied_digest,
            "xero_id": document.xero_id,
            "xero_status": document.xero_status,
            "attempts": document.attempts,
            "asked": document.asked,
            "name_taken": document.name_taken,
        }
    )


def _document(row: Row) -> Document:
    data = json.loads(row.data)
    return Document(
        desired=Desired(
            kind=Kind(data["kind"]),
            number=data["number"],
            body=_with_amounts(data["body"]),
            version=_time(data["version"]),
            total=None if data["total"] is None else Decimal(data["total"]),
            refers=data["refers"],
            order_id=data["order_id"],
            removed=data["removed"],
            sources=tuple(data["sources"]),
        ),
        state=State(row.state),
        generation=row.generation,
        due_at=_time(row.due_at),
        claim=data["claim"],
        applied_digest=data["applied_digest"],
        xero_id=data["xero_id"],
        xero_status=data["xero_status"],
        attempts=data["attempts"],
        asked=data["asked"],
        name_taken=data["name_taken"],
        reason=row.reason,
        hint=row.hint,
    )
