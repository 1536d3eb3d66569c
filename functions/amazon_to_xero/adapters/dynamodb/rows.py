"""The sync state as rows, and the condition on which a row is written. It knows no database and no type of record.

    sk = ORDER#<order id> | TRANSACTION#<transaction id> | CONFIRMATION#<order id> | STOCK#<key> | MOVEMENTS#<day>#<SKU>
        | WORKLIST#<item> | CORRECTION#<source> | DAY#<number> | DOCUMENT#<key> | CHANGED#<key of a document>
        | REPLAY#<source> | CURSOR#<name> | LEASE#<name>
    index `due` (sparse): due = <connection>#<queue> (a capability's name, or documents), next_attempt_at = UTC
    index `watched` (sparse): watched = <connection>#<group> (failed-sources and so on), reason

`codecs` defines the row of each type of record, `table` stores rows in DynamoDB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from amazon_to_xero.ports.state import Cursor, Lease, Record, Watched


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one connection. An empty text stands for an attribute that the item does not have.

    sk: sort key: type of record and its key.
    generation: how often the row was stored.
    data: the record's other fields as JSON text.
    state, reason, remedy: of the record, as attributes of their own for people who read the table.
    due: hash key of the index `due`; empty where nothing is due.
    next_attempt_at: when the record is due, as text of fixed width (UTC).
    watched: hash key of the index `watched`; empty where a person need not see the record.
    schema: version of the shape of `data`, per type of record.
    """

    sk: str
    generation: int
    data: str = "{}"
    state: str = ""
    reason: str = ""
    remedy: str = ""
    due: str = ""
    next_attempt_at: str = ""
    schema: int = 1
    watched: str = ""


class Table(Protocol):
    """The rows of one connection.

    Every method may raise the database's own errors; then it is unknown which writes took effect.
    """

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        """Return the rows that exist, by strongly consistent reads."""
        ...

    def put(self, rows: Sequence[Row]) -> list[bool]:
        """Write each row whose stored generation is one less than its own; return for each whether it was written.

        A row that is not stored has generation 0.
        """
        ...

    def due(self, due: str, until: str, limit: int) -> list[str]:
        """Return sort keys of rows with this `due` that are due by `until`, earliest first; the index may lag."""
        ...

    def first_due(self, due: str) -> str:
        """Return the earliest `next_attempt_at` of the rows with this `due`; empty where there is none."""
        ...

    def watched(
        self, watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
    ) -> list[tuple[str, str]]:
        """Return sort key and reason of rows with this `watched`, by reason, from the row after `after` on.

        reason: only those that have this one; all of them where it is empty.
        """
        ...


class RowCodec[R: Record](Protocol):
    """Converts one type of record to rows and back.

    prefix: first part of the sort key.
    schema: the version that `encode` writes. `decode` accepts it and every older one, with defaults for missing fields.
    """

    @property
    def prefix(self) -> str: ...

    @property
    def schema(self) -> int: ...

    def encode(self, record: R) -> Row:
        """Return the row without generation, schema and connection: `due` names a queue, `watched` a group."""
        ...

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> R: ...


class NewerSchema(Exception):
    """A row was written by a newer version of this application, which has to be deployed again."""


class RowStateStore:
    """ports.StateStore for one connection over its rows."""

    def __init__(self, connection: str, table: Table, codecs: Mapping[type[Any], RowCodec[Any]]) -> None:
        self._connection = connection
        self._table = table
        self._codecs = codecs

    def load[R: Record](self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        codec: RowCodec[R] = self._codecs[kind]
        rows = self._get(f"{codec.prefix}#{key}" for key in keys)
        return {record.key: record for record in (self._decoded(codec, row) for row in rows)}

    def save[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        return self._put(records, [self._encoded(record) for record in records])

    def unwatch[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        return self._put(records, [replace(self._encoded(record), watched="") for record in records])

    def _put[R: Record](self, records: Sequence[R], rows: Sequence[Row]) -> dict[str, R]:
        if not rows:
            return {}
        saved = self._table.put(rows)
        return {
            # A Record is a dataclass, which the protocol cannot express.
            record.key: replace(record, generation=record.generation + 1)  # type: ignore[type-var]
            for record, is_saved in zip(records, saved, strict=True)
            if is_saved
        }

    def cursor(self, name: str) -> Cursor:
        return self.load(Cursor, [name]).get(name) or Cursor(name)

    def due(self, queue: str, now: datetime, limit: int) -> list[str]:
        keys = self._table.due(f"{self._connection}#{queue}", timestamp(now), limit)
        return [key.partition("#")[2] for key in keys]

    def first_due(self, queue: str) -> datetime | None:
        text = self._table.first_due(f"{self._connection}#{queue}")
        return time_of_text(text)

    def watched(self, group: str, limit: int, after: Watched | None = None, reason: str = "") -> list[Watched]:
        position = None if after is None else (after.key, after.reason)
        rows = self._table.watched(f"{self._connection}#{group}", limit, position, reason)
        return [Watched(key, reason) for key, reason in rows]

    def acquire(self, name: str, owner: str, now: datetime, until: datetime) -> Lease | None:
        rows = self._get([f"LEASE#{name}"])
        held = json.loads(rows[0].data) if rows else {}
        if held.get("until", "") > timestamp(now):
            return None
        generation = (rows[0].generation if rows else 0) + 1
        data = json.dumps({"owner": owner, "until": timestamp(until)})
        if not self._table.put([Row(f"LEASE#{name}", generation, data)])[0]:
            return None
        return Lease(name, owner, until, generation)

    def release(self, lease: Lease) -> None:
        self._table.put([Row(f"LEASE#{lease.name}", lease.generation + 1)])

    def _get(self, sort_keys: Iterable[str]) -> list[Row]:
        keys = list(dict.fromkeys(sort_keys))
        return self._table.get(keys) if keys else []

    def _decoded[R: Record](self, codec: RowCodec[R], row: Row) -> R:
        if row.schema > codec.schema:
            raise NewerSchema(
                f"{row.sk} has schema {row.schema}, this version of the application knows {codec.schema}. "
                "Deploy the newer version again."
            )
        return codec.decode(row.sk.partition("#")[2], row, json.loads(row.data))

    def _encoded(self, record: Record) -> Row:
        codec = self._codecs[type(record)]
        row = codec.encode(record)
        return Row(
            row.sk,
            record.generation + 1,
            row.data,
            row.state,
            row.reason,
            row.remedy,
            due=f"{self._connection}#{row.due}" if row.next_attempt_at else "",
            next_attempt_at=row.next_attempt_at,
            schema=codec.schema,
            # An index key must not be empty; every failure has a reason.
            watched=f"{self._connection}#{row.watched}" if row.watched and row.reason else "",
        )


def timestamp(at: datetime) -> str:
    """Return a time as text of fixed width in UTC: the index sorts times as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def text_of_time(at: datetime | None) -> str | None:
    """Return a time as `timestamp` does; None for none."""
    return None if at is None else timestamp(at)


def time_of_text(text: str | None) -> datetime | None:
    """Return the time that a text states; None where there is none, or it is empty."""
    return datetime.fromisoformat(text) if text else None
