"""The row of a stock level. Every field has a default, so that rows of older versions are decoded; see codecs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, text_of_time, time_of_text, timestamp
from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities, StockStatement
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS
from amazon_to_xero.domain.stock.alert import AlertKind, StockAlert
from amazon_to_xero.domain.stock.record import CollectedStatement, StockRecord, StockState, level_of
from amazon_to_xero.ports.state import OWN_STOCK

_QUANTITIES = tuple(each.name for each in fields(StockQuantities))


class StockCodec:
    """Converts StockRecord. Channel, pool and SKU are in the key.

    Levels of own stock are in a group of the index of watched rows: no sweep of Amazon's states which there are.
    """

    prefix = "STOCK"
    schema = 2  # 1: in no group

    def encode(self, record: StockRecord) -> Row:
        data = {
            "latest": None if record.latest is None else _statement_data(record.latest),
            "since": text_of_time(record.since),
            "unfulfillable_before": record.unfulfillable_before,
            "dropped_at": text_of_time(record.dropped_at),
            "collected": [
                {**_statement_data(each.statement), "received_at": timestamp(each.received_at)}
                for each in record.collected
            ],
            "unsent": [_alert_data(alert) for alert in record.unsent],
        }
        return Row(
            f"{self.prefix}#{record.key}",
            record.generation,
            canonical_json(data),
            record.state,
            reason=record.channel if record.channel is Channel.MERCHANT else "",  # only rows with one are in the index
            due=INVENTORY_ALERTS,
            next_attempt_at=text_of_time(record.next_attempt_at) or "",
            watched=OWN_STOCK if record.channel is Channel.MERCHANT else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> StockRecord:
        channel, pool, sku = level_of(key)
        record = StockRecord(Channel(channel), pool, sku)
        latest = data.get("latest")
        return StockRecord(
            record.channel,
            pool,
            sku,
            generation=row.generation,
            latest=None if latest is None else _statement(record, latest),
            state=StockState(row.state or StockState.UNKNOWN),
            since=time_of_text(data.get("since")),
            unfulfillable_before=data.get("unfulfillable_before"),
            dropped_at=time_of_text(data.get("dropped_at")),
            collected=tuple(
                CollectedStatement(_statement(record, each), datetime.fromisoformat(each["received_at"]))
                for each in data.get("collected", ())
            ),
            unsent=tuple(_alert(record, each) for each in data.get("unsent", ())),
            next_attempt_at=time_of_text(row.next_attempt_at),
        )


def _statement_data(statement: StockStatement) -> dict[str, Any]:
    """Return what a statement has beside the key of its level."""
    return {
        "place": statement.place,
        "quantities": _quantities_data(statement.quantities),
        "observed_at": timestamp(statement.observed_at),
        "read_at": timestamp(statement.read_at),
        "asin": statement.asin,
        "product_name": statement.product_name,
    }


def _statement(record: StockRecord, data: Mapping[str, Any]) -> StockStatement:
    return StockStatement(
        record.channel,
        data["place"],
        record.sku,
        _quantities(data["quantities"]),
        datetime.fromisoformat(data["observed_at"]),
        datetime.fromisoformat(data["read_at"]),
        data["asin"],
        data["product_name"],
    )


def _quantities_data(quantities: StockQuantities) -> dict[str, Any]:
    """Return the kinds of units that Amazon states."""
    return {name: units for name, units in asdict(quantities).items() if units not in (None, {})}


def _quantities(data: Mapping[str, Any]) -> StockQuantities:
    return StockQuantities(**{name: units for name, units in data.items() if name in _QUANTITIES})


def _alert_data(alert: StockAlert) -> dict[str, Any]:
    return {
        "kind": alert.kind,
        "at": timestamp(alert.at),
        "quantities": _quantities_data(alert.quantities),
        "fulfillable_before": alert.fulfillable_before,
        "before_at": text_of_time(alert.before_at),
        "since": text_of_time(alert.since),
        "low_units": alert.low_units,
        "sold_a_day": alert.sold_a_day,
        "asin": alert.asin,
        "product_name": alert.product_name,
    }


def _alert(record: StockRecord, data: Mapping[str, Any]) -> StockAlert:
    sold_a_day = data.get("sold_a_day")
    return StockAlert(
        AlertKind(data["kind"]),
        record.key,
        record.channel,
        record.pool,
        record.sku,
        datetime.fromisoformat(data["at"]),
        _quantities(data["quantities"]),
        data.get("fulfillable_before"),
        time_of_text(data.get("before_at")),
        time_of_text(data.get("since")),
        data.get("low_units", 0),
        None if sold_a_day is None else Decimal(sold_a_day),
        data.get("asin", ""),
        data.get("product_name", ""),
    )
