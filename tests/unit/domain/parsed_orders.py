"""Orders for tests of the domain, already parsed, with packages and quantities shipped."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order import Order, parse_order
from fakes.orders import item, order


def parsed_order(*items: dict[str, Any], region: str = "", updated: int = 5, **more: Any) -> Order:
    """Return the order of these items, whose grand total is their sum, last updated on that day of November 2026."""
    grand_total = sum((Decimal(each["proceeds"]["proceedsTotal"]["amount"]) for each in items), Decimal(0))
    raw = order(*items, grand_total=str(grand_total), updated=_text(on_day(updated)), **more)
    raw["recipient"]["deliveryAddress"]["stateOrRegion"] = region
    return parse_order(raw)


def on_day(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def sold(item_id: str = "a", quantity: int = 1, shipped: int | None = None, price: str = "10.00") -> dict[str, Any]:
    """Return an item with how many of it have shipped, where Amazon states it."""
    made = item(price, quantity=quantity, item_id=item_id)
    if shipped is not None:
        made["fulfillment"] = {"quantityFulfilled": shipped, "quantityUnfulfilled": quantity - shipped}
    return made


def package(reference: str, day: int = 2, tracking: str = "", status: str = "SHIPPED", **items: int) -> dict[str, Any]:
    """Return a package that left on that day with quantities by item id."""
    made: dict[str, Any] = {
        "packageReferenceId": reference,
        "packageStatus": {"status": status},
        "shipTime": _text(on_day(day)),
        "packageItems": [{"orderItemId": item_id, "quantity": quantity} for item_id, quantity in items.items()],
    }
    return made | ({"carrier": "Royal Mail", "trackingNumber": tracking} if tracking else {})


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
