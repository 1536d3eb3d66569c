"""Orders that never have amounts: they are not invoiced at once, and not read for a day."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import Json
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.state import NOON
from unit.services.amazon_orders import HOUR, amazon_time, order_without_amounts

EXCHANGE = [{"orderId": "026-1", "associationType": "EXCHANGE_ORIGINAL_ID"}]


def vine_order(status: str) -> Json:
    """An order of which Amazon states 0 for each item and no total."""
    return order(item("0.00"), order_id="A", updated=amazon_time(NOON - HOUR), status=status)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (order_without_amounts() | {"associatedOrders": EXCHANGE}, "REPLACEMENT"),
        (vine_order("UNSHIPPED"), "ZERO_VALUE"),
        (vine_order("SHIPPED"), "ZERO_VALUE"),
    ],
)
def test_order_that_never_has_amounts_is_read_once_and_not_invoiced(raw: Json, reason: str) -> None:
    connection = FakeConnection(raw)
    connection.notice(["A"])
    for _ in range(30):
        connection.read()
        connection.plan_drafts()
        connection.plan_shipments()
        connection.clock.advance(3600)

    assert (connection.record().state, connection.record().reason) == (OrderState.NOT_INVOICED, reason)
    assert connection.amazon.count("getOrder") == 1
    assert connection.dead_letters[ORDERS].letters == []
