"""How fast stock sells, from the orders that are recorded anyway."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.state import NOON
from fakes.stock import DE, FR, UK, availability_change

POLICY = StockPolicy(marketplaces=(UK,), pools={DE: "eu", FR: "eu"}, low_days=Thresholds(14))
TEA = f"fba#{UK}#TEA-50"


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection(stock_policy=POLICY)


def sold(order_id: str, units: int, days_ago: int, **given: Any) -> dict[str, Any]:
    """Return an order of the tea that Amazon sends."""
    made = order(item("5.00", quantity=units), grand_total="5.00", order_id=order_id, status="UNSHIPPED", **given)
    made["createdTime"] = (NOON - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made["fulfillment"]["fulfilledBy"] = "AMAZON"
    made["orderItems"][0]["product"]["sellerSku"] = "TEA-50"
    return made


def record(connection: FakeConnection, *orders: dict[str, Any]) -> None:
    connection.amazon.hold(*orders)
    connection.notice([each["orderId"] for each in orders])
    connection.read()


def rate(connection: FakeConnection, key: str = TEA) -> Decimal | None:
    return connection.connection.services.stock.sales.rate(key)


def test_rate_is_the_units_of_recorded_orders_a_day(connection: FakeConnection) -> None:
    record(connection, sold("A", 10, 10), sold("B", 20, 5), sold("C", 5, 0))

    assert rate(connection) == Decimal("3.50")


def test_order_counts_once_however_often_it_is_read(connection: FakeConnection) -> None:
    record(connection, sold("A", 10, 10))
    connection.clock.advance(3600)
    record(connection, sold("A", 10, 10, updated="2026-11-23T12:30:00Z"))
    connection.sweep()

    assert rate(connection) == Decimal("1.00")


def test_rate_is_not_known_before_sales_were_counted_for_a_week(connection: FakeConnection) -> None:
    record(connection, sold("A", 10, 6))

    assert rate(connection) is None


def test_sales_of_more_than_thirty_days_ago_do_not_count(connection: FakeConnection) -> None:
    record(connection, sold("OLD", 900, 31), sold("A", 30, 29))
    assert rate(connection) == Decimal("1.03")

    connection.clock.advance(10 * 24 * 3600)
    assert rate(connection) == Decimal("0.00")


def test_merchant_sells_from_a_stock_of_its_own(connection: FakeConnection) -> None:
    by_merchant = sold("A", 10, 10)
    by_merchant["fulfillment"]["fulfilledBy"] = "MERCHANT"
    record(connection, by_merchant)

    assert rate(connection) is None
    assert rate(connection, "merchant#DEFAULT#TEA-50") == Decimal("1.00")


def test_person_hears_for_how_many_days_the_stock_lasts(connection: FakeConnection) -> None:
    record(connection, sold("A", 20, 10))
    connection.notice_stock(availability_change({UK: 60}, NOON, sku="TEA-50"))
    connection.clock.advance(600)
    connection.send_alerts()
    assert connection.inventory_topic.messages == []

    connection.notice_stock(availability_change({UK: 27}, connection.clock.now(), sku="TEA-50"))
    connection.clock.advance(600)
    connection.send_alerts()

    ((subject, text),) = connection.inventory_topic.messages
    assert subject == "Low stock: TEA-50, Amazon.co.uk (main)"
    assert "The threshold is 28 units. About 2 are sold a day: enough for about 13 days." in text


def test_person_hears_how_fast_it_sells_where_the_threshold_is_in_units() -> None:
    connection = FakeConnection(stock_policy=StockPolicy(low=Thresholds(10)))
    record(connection, sold("A", 20, 10))
    connection.notice_stock(availability_change({UK: 8}, NOON, sku="TEA-50"))
    connection.clock.advance(600)
    connection.send_alerts()

    ((_, text),) = connection.inventory_topic.messages
    assert "The threshold is 10 units. About 2 are sold a day: enough for about 4 days." in text


def test_nothing_is_counted_without_alerts_of_stock() -> None:
    connection = FakeConnection()
    record(connection, sold("A", 10, 10))

    assert not any("sold" in row.sk for row in connection.store.table.written)


@pytest.mark.parametrize(
    "changed",
    [
        {"createdTime": "?"},
        {"orderItems": []},
        {"fulfillment": {}},
        {"salesChannel": {"channelName": "NON_AMAZON"}},
        {"fulfillment": {"fulfilledBy": "AMAZON", "fulfillmentStatus": "CANCELLED"}},
    ],
)
def test_order_that_cannot_be_counted_is_recorded_nevertheless(
    connection: FakeConnection, changed: dict[str, Any]
) -> None:
    connection.connection.services.stock.sales.count([sold("A", 10, 10) | changed])

    assert rate(connection) is None
