"""The row of a ClosedDay."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, timestamp
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.planning.closed_day import ClosedDay, DayState, DayTerms
from amazon_to_xero.ports.state import FAILED_SOURCES


class ClosedDayCodec:
    """Converts ClosedDay. 2,000 entries with keys of 40 characters are 100 kB."""

    prefix = "DAY"
    schema = 1

    def encode(self, record: ClosedDay) -> Row:
        terms = record.terms
        data = {
            "marketplace_id": terms.marketplace_id,
            "contact": terms.contact,
            "day": terms.day.isoformat(),
            "currency": terms.currency,
            "amounts": terms.amounts,
            "closed_at": timestamp(record.closed_at),
            "candidates": record.candidates,
            "entries": list(record.entries),
            "documents": list(record.documents),
            "attached": list(record.attached),
            "attempts": record.attempts,
        }
        return Row(
            f"{self.prefix}#{record.number}",
            record.generation,
            canonical_json(data),
            record.state,
            record.reason,
            record.remedy,
            record.capability,
            timestamp(record.next_attempt_at) if record.next_attempt_at else "",
            watched=FAILED_SOURCES if record.state is DayState.FAILED else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> ClosedDay:
        terms = DayTerms(
            data.get("marketplace_id", ""),
            data.get("contact", ""),
            date.fromisoformat(data.get("day", "0001-01-01")),
            data.get("currency", ""),
            LineAmountTypes(data.get("amounts", LineAmountTypes.NO_TAX)),
        )
        return ClosedDay(
            key,
            terms,
            datetime.fromisoformat(data.get("closed_at", "0001-01-01T00:00:00+00:00")),
            candidates=data.get("candidates", {}),
            entries=tuple(data.get("entries", ())),
            documents=tuple(data.get("documents", ())),
            attached=tuple(data.get("attached", ())),
            attempts=data.get("attempts", 0),
            generation=row.generation,
            next_attempt_at=datetime.fromisoformat(row.next_attempt_at) if row.next_attempt_at else None,
            state=DayState(row.state or DayState.CLOSING),
            reason=row.reason,
            remedy=row.remedy,
        )
