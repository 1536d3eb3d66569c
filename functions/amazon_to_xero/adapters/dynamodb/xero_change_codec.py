"""The row of what somebody changed in Xero. Open changes are watched, by their kind."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, text_of_time, time_of_text
from amazon_to_xero.domain.books.differences import FieldDifference
from amazon_to_xero.domain.books.xero_change import ChangeState, XeroChange
from amazon_to_xero.domain.books.xero_comparison import ChangeKind
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.ports.state import CHANGED_IN_XERO


class XeroChangeCodec:
    """Converts XeroChange. What Xero holds has its amounts in fields whose names begin or end with Amount."""

    prefix = "CHANGED"
    schema = 1

    def encode(self, record: XeroChange) -> Row:
        data = {
            "source": record.source,
            "order_id": record.order_id,
            "differences": [[each.field, each.in_xero, each.to_write] for each in record.differences],
            "held": record.held,
            "found_at": text_of_time(record.found_at),
            "decided_at": text_of_time(record.decided_at),
            "author": record.author,
            "why": record.reason,
        }
        return Row(
            f"{self.prefix}#{record.document}",
            record.generation,
            canonical_json(data),
            record.state,
            record.kind,
            watched=CHANGED_IN_XERO if record.is_open else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> XeroChange:
        return XeroChange(
            document=key,
            kind=ChangeKind(row.reason),
            source=data.get("source", ""),
            order_id=data.get("order_id", ""),
            differences=tuple(FieldDifference(*each) for each in data.get("differences", ())),
            held=_held(data.get("held", {})),
            state=ChangeState(row.state),
            generation=row.generation,
            found_at=time_of_text(data.get("found_at")),
            decided_at=time_of_text(data.get("decided_at")),
            author=data.get("author", ""),
            reason=data.get("why", ""),
        )


def _held(stored: Mapping[str, Any]) -> dict[str, Any]:
    lines = [_with_amounts(line) for line in stored.get("LineItems", ())]
    return _with_amounts(stored) | ({"LineItems": lines} if "LineItems" in stored else {})


def _with_amounts(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if "Amount" in name else value for name, value in stored.items()}
