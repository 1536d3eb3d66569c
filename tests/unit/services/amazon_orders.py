"""Amazon orders for the services' tests, in the versions that an order goes through."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from amazon_to_xero.ports.amazon import Json
from fakes.orders import breakdown, item, order
from fakes.state import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FIRST_VERSION = NOON - 10 * MINUTE
SECOND_VERSION = NOON - 9 * MINUTE
PLACED = NOON - 26 * HOUR


def amazon_order(
    order_id: str = "A",
    price: str = "10.00",
    updated: datetime = FIRST_VERSION,
    status: str = "UNSHIPPED",
    **more: Any,
) -> Json:
    """An order of one item at that price; unshipped, so that its invoice is a draft."""
    return order(
        item(price),
        grand_total=price,
        order_id=order_id,
        created=amazon_time(PLACED),
        updated=amazon_time(updated),
        status=status,
        **more,
    )


def shipped_order(order_id: str = "A", price: str = "10.00", updated: datetime = FIRST_VERSION, **more: Any) -> Json:
    return amazon_order(order_id, price, updated, "SHIPPED", **more)


def order_without_amounts(order_id: str = "A", updated: datetime = FIRST_VERSION) -> Json:
    """An order whose amounts Amazon has not stated yet."""
    raw = order(item("10.00"), order_id=order_id, status="UNSHIPPED", updated=amazon_time(updated))
    for sold in raw["orderItems"]:
        del sold["proceeds"]
    return raw


def order_with_wrong_total(order_id: str = "A", updated: datetime = FIRST_VERSION) -> Json:
    """An order whose item states another total than its parts have: reading it fails with ITEM_TOTAL_DIFFERS."""
    wrong = item("9.00", breakdown("ITEM", "10.00"))
    return order(
        wrong, grand_total="9.00", order_id=order_id, created=amazon_time(PLACED), updated=amazon_time(updated)
    )


def order_with_unmapped_charge(order_id: str = "A") -> Json:
    """A shipped order with a charge that has no account: planning it fails with ACCOUNT_UNMAPPED."""
    charged = item("10.00", breakdown("OTHER_FEE", "10.00"))
    return order(
        charged, grand_total="10.00", order_id=order_id, created=amazon_time(PLACED), updated=amazon_time(FIRST_VERSION)
    )


def _order(sold: Json, total: str, order_id: str, updated: datetime = FIRST_VERSION, **more: Any) -> Json:
    """Return an order that was placed the day before, so that the day of its shipment is certain."""
    times = {"created": amazon_time(PLACED), "updated": amazon_time(updated)}
    return order(sold, grand_total=total, order_id=order_id, **times, **more)


def amazon_time(at: datetime) -> str:
    """Return a time as Amazon writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
