"""The sync state as rows: how records become rows, and on what condition rows are written. Knows no database.

    sk = ORDER#<order id> | DOCUMENT#<key> | CURSOR#<name> | LEASE#<name>
    index `due` (sparse): due = <connection>#<queue> (a capability's name, or documents), next_attempt_at = UTC

What a type of record looks like in its row is its codec's matter; see `codecs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from amazon_to_xero.ports.state import Cursor, Lease, Record


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one connection; an empty text is an attribute that is not there.

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


class Table(Protocol):
    """The rows of one connection. May raise the database's own errors: then nobody knows which writes took effect."""

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        """Return those that exist, strongly consistent."""
        ...

    def put(self, rows: Sequence[Row]) -> list[bool]:
        """Write each whose stored generation is its own less one (0: not there yet); False where it is not."""
        ...

    def due(self, due: str, until: str, limit: int) -> list[str]:
        """Return sort keys with this `due` and next_attempt_at up to `until`, earliest first; may lag behind the rows."""
        ...


class RowCodec[R: Record](Protocol):
    """One type of record as rows.

    prefix: first part of the sort key.
    schema: the version that `encode` writes. `decode` accepts this and every older one, whose missing fields have
        defaults.
    """

    @property
    def prefix(self) -> str: ...

    @property
    def schema(self) -> int: ...

    def encode(self, record: R) -> Row:
        """Return the row without generation, schema and connection; `due` is the queue's name."""
        ...

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> R: ...


class NewerSchema(Exception):
    """A row was written by a newer version of this application. Deploy that version again."""


class RowStateStore:
    """ports.StateStore for one connection over its rows."""

    def __init__(self, connection: str, table: Table, codecs: Mapping[type[Any], RowCodec[Any]]) -> None:
        self._connection = connection
        self._table = table
        self._codecs = codecs

    def load[R: Record](self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        codec: RowCodec[R] = self._codecs[kind]
        rows = self._get(f"{codec.prefix}#{key}" for key in keys)
        return {record.key: record for record in (_decoded(codec, row) for row in rows)}

    def save[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        if not records:
            return {}
        saved = self._table.put([self._encoded(record) for record in records])
        return {
            # A Record is a dataclass; the protocol cannot say so.
            record.key: replace(record, generation=record.generation + 1)  # type: ignore[type-var]
            for record, is_saved in zip(records, saved, strict=True)
            if is_saved
        }

    def cursor(self, name: str) -> Cursor:
        return self.load(Cursor, [name]).get(name, Cursor(name))

    def due(self, queue: str, now: datetime, limit: int) -> list[str]:
        keys = self._table.due(f"{self._connection}#{queue}", timestamp(now), limit)
        return [key.partition("#")[2] for key in keys]

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

    def _encoded(self, record: Record) -> Row:
        codec = self._codecs[type(record)]
        row = codec.encode(record)
        return replace(
            row,
            generation=record.generation + 1,
            schema=codec.schema,
            due=f"{self._connection}#{row.due}" if row.next_attempt_at else "",
        )


def timestamp(at: datetime) -> str:
    """Return a UTC time as text of fixed width: the index orders timestamps as text."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _decoded[R: Record](codec: RowCodec[R], row: Row) -> R:
    if row.schema > codec.schema:
        raise NewerSchema(
            f"{row.sk} has schema {row.schema}, this version of the application knows {codec.schema}: deploy the newer "
            "version again"
        )
    return codec.decode(row.sk.partition("#")[2], row, json.loads(row.data))
