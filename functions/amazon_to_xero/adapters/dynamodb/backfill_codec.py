"""The row of a connection's backfills: one row, which is neither due nor in a list. The orders sweep reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, timestamp
from amazon_to_xero.domain.backfill.backfill import Backfill, Backfills, BackfillState, Counts, Share
from amazon_to_xero.domain.backfill.period import Period
from amazon_to_xero.domain.canonical import canonical_json

_TIMES = ("changed_at", "read_until", "charges_until", "all_read_at")
_COUNTS = ("read", "unchanged", "in_xero", "not_invoiced", "failed")


class BackfillCodec:
    """Converts Backfills. The number of a backfill is its place in the list."""

    prefix = "BACKFILL"
    schema = 1

    def encode(self, record: Backfills) -> Row:
        data = {"entries": [_encoded(each) for each in record.entries]}
        return Row(f"{self.prefix}#{record.key}", record.generation, canonical_json(data))

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> Backfills:
        entries = enumerate(data.get("entries", ()), 1)
        return Backfills(key, row.generation, tuple(_decoded(entry, number) for number, entry in entries))


def _encoded(backfill: Backfill) -> dict[str, Any]:
    period, share = backfill.period, backfill.share
    times = {name: getattr(backfill, name) for name in _TIMES}
    return {
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "after": timestamp(period.after),
        "before": timestamp(period.before),
        "author": backfill.author,
        "reason": backfill.reason,
        "created_at": timestamp(backfill.created_at),
        "percent": share.percent,
        "calls": share.calls,
        "state": backfill.state,
        "changed_by": backfill.changed_by,
        "counts": {name: getattr(backfill.counts, name) for name in _COUNTS},
        "open": list(backfill.open),
        "waits_for": backfill.waits_for,
        "left_out": list(backfill.left_out),
        **{name: timestamp(at) for name, at in times.items() if at is not None},
    }


def _decoded(data: Mapping[str, Any], number: int) -> Backfill:
    first, last = (date.fromisoformat(data[name]) for name in ("first", "last"))
    after, before = (datetime.fromisoformat(data[name]) for name in ("after", "before"))
    times = {name: datetime.fromisoformat(data[name]) for name in _TIMES if name in data}
    return Backfill(
        number=number,
        period=Period(first, last, after, before),
        author=data["author"],
        reason=data["reason"],
        created_at=datetime.fromisoformat(data["created_at"]),
        share=Share(data["percent"], data["calls"]),
        state=BackfillState(data["state"]),
        changed_by=data["changed_by"],
        counts=Counts(**{name: data["counts"].get(name, 0) for name in _COUNTS}),
        open=tuple(data["open"]),
        waits_for=data["waits_for"],
        left_out=tuple(data["left_out"]),
        **times,
    )
