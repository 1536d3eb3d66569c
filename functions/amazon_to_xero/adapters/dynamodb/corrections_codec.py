"""The row of the corrections of one source. It is not due by itself: the record of the source is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, timestamp
from amazon_to_xero.domain.amazon.correction_message import terms_as_data
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, Corrections, LineTerms


class CorrectionsCodec:
    """Converts Corrections. The number of an entry is its place in the list."""

    prefix = "CORRECTION"
    schema = 3  # 2: the terms of lines that are booked again; 3: contacts, days of shipments, more of lines

    def encode(self, record: Corrections) -> Row:
        data = {"entries": [_encoded(entry) for entry in record.entries]}
        return Row(f"{self.prefix}#{record.source}", record.generation, canonical_json(data))

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> Corrections:
        entries = enumerate(data.get("entries", ()), 1)
        return Corrections(key, row.generation, tuple(_decoded(entry, number) for number, entry in entries))


def _encoded(entry: Correction) -> dict[str, Any]:
    return {
        "id": entry.correction_id,
        "kind": entry.kind,
        "value": entry.value,
        "line": entry.line,
        "author": entry.author,
        "reason": entry.reason,
        "made_at": timestamp(entry.made_at),
        "terms": [terms_as_data(terms) for terms in entry.terms],
    }


def _decoded(data: Mapping[str, Any], number: int) -> Correction:
    return Correction(
        correction_id=data["id"],
        kind=CorrectionKind(data["kind"]),
        value=data["value"],
        author=data["author"],
        reason=data["reason"],
        made_at=datetime.fromisoformat(data["made_at"]),
        line=data["line"],
        number=number,
        terms=tuple(_terms(terms) for terms in data.get("terms", ())),
    )


def _terms(data: Mapping[str, Any]) -> LineTerms:
    tracking = tuple((category, option) for category, option in data["tracking"])
    return LineTerms(data["line"], data["account"], data["tax_type"], tracking, data["item_code"])
