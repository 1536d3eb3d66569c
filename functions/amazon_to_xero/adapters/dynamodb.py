"""The sync state in one DynamoDB table, through pynamodb. The only module that knows the table.

    pk = CONNECTION#<id>    sk = ORDER#<order id> | DOCUMENT#<key> | CURSOR#<name> | LEASE#<name>
    index `due` (sparse): due = <connection>#ORDER | <connection>#DOCUMENT, due_at = UTC timestamp

Amounts are kept inside JSON texts as decimal strings: pynamodb's own number attribute is a float. No operation scans.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import batched
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from amazon_to_xero.domain.documents import Desired, Document, Kind, State
from amazon_to_xero.domain.order_facts import OrderFact, Standing, canonical_json
from amazon_to_xero.ports import Conflict, Cursor, Lease

_ROWS_AT_ONCE = 100  # DynamoDB: BatchGetItem
_WRITERS = 8
_TEXT = "%Y-%m-%dT%H:%M:%S.%fZ"  # fixed width: the index orders timestamps as text


class _Due(GlobalSecondaryIndex):  # type: ignore[misc]
    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due = UnicodeAttribute(hash_key=True)
    due_at = UnicodeAttribute(range_key=True)


def _row_class(table: str, aws_region: str, endpoint: str | None) -> type[Any]:
    """The row for one table: pynamodb ties a class to its table, and two tables may be used in one process."""

    class Row(Model):  # type: ignore[misc]
        class Meta:
            table_name = table
            region = aws_region
            host = endpoint
            # Bounds that fit into the function's time-out together with the retries.
            connect_timeout_seconds = 1
            read_timeout_seconds = 3
            max_retry_attempts = 3
            max_pool_connections = _WRITERS + 2

        pk = UnicodeAttribute(hash_key=True)
        sk = UnicodeAttribute(range_key=True)
        index_due = _Due()
        due = UnicodeAttribute(null=True)
        due_at = UnicodeAttribute(null=True)
        generation = NumberAttribute(default=0)
        state = UnicodeAttribute(null=True)
        reason = UnicodeAttribute(null=True)
        hint = UnicodeAttribute(null=True)
        data = UnicodeAttribute(default="{}")

    return Row


class DynamoStateStore:
    """ports.StateStore for one connection. Reads by key are strongly consistent; the due index may lag."""

    def __init__(self, table: str, connection: str, region: str, endpoint: str | None = None) -> None:
        self._row = _row_class(table, region, endpoint)
        self._pk = f"CONNECTION#{connection}"
        self._connection = connection
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="dynamodb")

    # --- orders and documents --------------------------------------------------------------------------------------

    def orders(self, order_ids: Iterable[str]) -> dict[str, OrderFact]:
        rows = self._get(f"ORDER#{order_id}" for order_id in order_ids)
        return {fact.order_id: fact for fact in (_order_fact(row) for row in rows)}

    def documents(self, keys: Iterable[str]) -> dict[str, Document]:
        rows = self._get(f"DOCUMENT#{key}" for key in keys)
        return {document.key: document for document in (_document(row) for row in rows)}

    def save_orders(self, facts: Sequence[OrderFact]) -> dict[str, OrderFact]:
        saved = self._writers.map(
            lambda fact: self._put(
                f"ORDER#{fact.order_id}",
                fact.generation,
                _order_data(fact),
                self._due("ORDER", fact.due_at) | {"state": fact.standing, "reason": fact.reason, "hint": fact.hint},
            ),
            facts,
        )
        return {
            fact.order_id: replace(fact, generation=fact.generation + 1)
            for fact, ok in zip(facts, saved, strict=True)
            if ok
        }

    def save_documents(self, documents: Sequence[Document]) -> dict[str, Document]:
        saved = self._writers.map(
            lambda d: self._put(
                f"DOCUMENT#{d.key}",
                d.generation,
                _document_data(d),
                self._due("DOCUMENT", d.due_at) | {"state": d.state, "reason": d.reason, "hint": d.hint},
            ),
            documents,
        )
        return {
            document.key: replace(document, generation=document.generation + 1)
            for document, ok in zip(documents, saved, strict=True)
            if ok
        }

    def due_orders(self, now: datetime, limit: int) -> list[str]:
        return self._query_due("ORDER", now, limit)

    def due_documents(self, now: datetime, limit: int) -> list[str]:
        return self._query_due("DOCUMENT", now, limit)

    # --- cursors and leases ----------------------------------------------------------------------------------------

    def cursor(self, name: str) -> Cursor:
        rows = self._get([f"CURSOR#{name}"])
        return Cursor(name, json.loads(rows[0].data), rows[0].generation) if rows else Cursor(name)

    def save_cursor(self, cursor: Cursor) -> Cursor:
        if not self._put(f"CURSOR#{cursor.name}", cursor.generation, json.dumps(cursor.data, sort_keys=True), {}):
            raise Conflict(f"cursor {cursor.name} was written by another worker")
        return replace(cursor, generation=cursor.generation + 1)

    def acquire(self, name: str, owner: str, now: datetime, until: datetime) -> Lease | None:
        rows = self._get([f"LEASE#{name}"])
        held = json.loads(rows[0].data) if rows else {}
        if held.get("until", "") > _text(now):
            return None
        generation = rows[0].generation if rows else 0
        data = json.dumps({"owner": owner, "until": _text(until)})
        if not self._put(f"LEASE#{name}", generation, data, {}):
            return None
        return Lease(name, owner, until, generation + 1)

    def release(self, lease: Lease) -> None:
        self._put(f"LEASE#{lease.name}", lease.generation, "{}", {})

    # --- the table -------------------------------------------------------------------------------------------------

    def _due(self, kind: str, at: datetime | None) -> dict[str, str]:
        return {"due": f"{self._connection}#{kind}", "due_at": _text(at)} if at else {}

    def _get(self, sort_keys: Iterable[str]) -> list[Any]:
        keys = [(self._pk, sk) for sk in dict.fromkeys(sort_keys)]
        chunks = batched(keys, _ROWS_AT_ONCE, strict=False)
        rows = self._writers.map(lambda chunk: list(self._row.batch_get(list(chunk), consistent_read=True)), chunks)
        return [row for chunk in rows for row in chunk]

    def _put(self, sk: str, generation: int, data: str, attributes: Mapping[str, str]) -> bool:
        """Writes the row if its stored generation is still `generation` (0: not there); False when it is not."""
        named = {name: value for name, value in attributes.items() if value}
        row = self._row(self._pk, sk, generation=generation + 1, data=data, **named)
        unchanged = self._row.generation == generation if generation else self._row.sk.does_not_exist()
        try:
            row.save(condition=unchanged)
        except PutError as problem:
            if problem.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _query_due(self, kind: str, now: datetime, limit: int) -> list[str]:
        rows = self._row.index_due.query(
            f"{self._connection}#{kind}", self._row.due_at <= _text(now), limit=limit, scan_index_forward=True
        )
        return [row.sk.partition("#")[2] for row in rows]


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_TEXT)


def _time(text: str | None) -> datetime | None:
    return datetime.strptime(text, _TEXT).replace(tzinfo=UTC) if text else None


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
            "shipped_at": fact.shipped_at and _text(fact.shipped_at),
            "documents": list(fact.documents),
        }
    )


def _order_fact(row: Any) -> OrderFact:
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
        shipped_at=_time(data["shipped_at"]),
        standing=Standing(row.state),
        reason=row.reason or "",
        hint=row.hint or "",
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
            "claim": document.claim,
            "applied_digest": document.applied_digest,
            "xero_id": document.xero_id,
            "xero_status": document.xero_status,
            "attempts": document.attempts,
        }
    )


def _document(row: Any) -> Document:
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
        ),
        state=State(row.state),
        generation=row.generation,
        due_at=_time(row.due_at),
        claim=data["claim"],
        applied_digest=data["applied_digest"],
        xero_id=data["xero_id"],
        xero_status=data["xero_status"],
        attempts=data["attempts"],
        reason=row.reason or "",
        hint=row.hint or "",
    )
