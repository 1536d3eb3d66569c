"""The rows of stock movements and of the stock worklist. Every field has a default, so that older rows are decoded."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, text_of_time, time_of_text, timestamp
from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.stock.comparison import Baseline
from amazon_to_xero.domain.stock.movements import DayMovements
from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from amazon_to_xero.ports.state import OPEN_DIFFERENCES


class MovementsCodec:
    """Converts DayMovements. Day, part and SKU are in the key."""

    prefix = "MOVEMENTS"
    schema = 2  # 1: all of Amazon's stock, which is still stated by no channel

    def encode(self, record: DayMovements) -> Row:
        movements = {
            cause: [units, timestamp(at), *([] if channel is Channel.FBA else [channel])]
            for cause, (units, at, channel) in record.movements.items()
        }
        return Row(
            f"{self.prefix}#{record.key}",
            record.generation,
            canonical_json({"parts": record.parts, "movements": movements}),
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> DayMovements:
        place, _, sku = key.partition("#")
        day, _, part = place.partition("/")
        movements = {
            cause: (units, datetime.fromisoformat(at), Channel(*channel) if channel else Channel.FBA)
            for cause, (units, at, *channel) in data.get("movements", {}).items()
        }
        return DayMovements(
            sku, date.fromisoformat(day), int(part or 0), data.get("parts", 1), row.generation, movements
        )


class WorklistCodec:
    """Converts WorklistEntry. Open entries are watched."""

    prefix = "WORKLIST"
    schema = 2  # 1: without own stock

    def encode(self, record: WorklistEntry) -> Row:
        baseline = record.baseline
        data = {
            "code": record.code,
            "baseline": baseline
            and {"at": timestamp(baseline.at), "xero": str(baseline.xero), "pending": str(baseline.pending)},
            "skus": list(record.skus),
            "amazon": record.amazon,
            "own": record.own,
            "xero": _text(record.xero),
            "sold": record.sold,
            "refunded": record.refunded,
            "gap": _text(record.gap),
            "difference": str(record.difference),
            "compared_at": text_of_time(record.compared_at),
            "opened_at": text_of_time(record.opened_at),
            "closed_at": text_of_time(record.closed_at),
            "word": record.word,
        }
        return Row(
            f"{self.prefix}#{record.key}",
            record.generation,
            canonical_json(data),
            record.state,
            record.finding,
            record.correction,
            watched=OPEN_DIFFERENCES if record.state is EntryState.OPEN else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> WorklistEntry:
        baseline = data.get("baseline")
        return WorklistEntry(
            code=data.get("code", key),
            generation=row.generation,
            baseline=baseline
            and Baseline(
                datetime.fromisoformat(baseline["at"]), Decimal(baseline["xero"]), Decimal(baseline.get("pending", "0"))
            ),
            state=EntryState(row.state or EntryState.AGREED),
            finding=row.reason,
            skus=tuple(data.get("skus", ())),
            amazon=data.get("amazon"),
            own=data.get("own"),
            xero=_number(data.get("xero")),
            sold=data.get("sold", 0),
            refunded=data.get("refunded", 0),
            gap=_number(data.get("gap")),
            difference=Decimal(data.get("difference", "0")),
            correction=row.remedy,
            compared_at=time_of_text(data.get("compared_at")),
            opened_at=time_of_text(data.get("opened_at")),
            closed_at=time_of_text(data.get("closed_at")),
            word=data.get("word", ""),
        )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
