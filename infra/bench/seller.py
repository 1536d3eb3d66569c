"""Orders of one item, their charges and their refunds, as Amazon states them: what the measurements are made with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.amazon.charges import charges_of, refund_of, sale_of
from sandbox.amazon.times import format_time, parse_time

UK = "A1F83G8C2ARO7P"

Json = dict[str, Any]


def order(number: int, at: datetime, status: str = "SHIPPED") -> Json:
    """Return an order with one item, whose amount is ten pounds and its number in pence."""
    shipped = 1 if status == "SHIPPED" else 0
    price = {"amount": f"{10 + number // 100 % 90}.{number % 100:02}", "currencyCode": "GBP"}
    return {
        "orderId": f"206-{number:07}-{number:07}",
        # So shortly before that the day of its shipment is certain on every day of a month.
        "createdTime": format_time(at - timedelta(hours=5)),
        "lastUpdatedTime": format_time(at),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": UK, "marketplaceName": "Amazon.co.uk"},
        "recipient": {"deliveryAddress": {"countryCode": "GB"}},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "AMAZON"},
        "proceeds": {"grandTotal": price, "breakdowns": [{"type": "ITEM", "subtotal": price}]},
        "orderItems": [
            {
                "orderItemId": f"{number:014}",
                "quantityOrdered": 1,
                "product": {"asin": "B000000001", "sellerSku": "MUG", "title": "Mug"},
                "fulfillment": {"quantityFulfilled": shipped, "quantityUnfulfilled": 1 - shipped},
                "proceeds": {"proceedsTotal": price, "breakdowns": [{"type": "ITEM", "subtotal": price}]},
            }
        ],
    }


def touched(order: Mapping[str, Any], later: timedelta) -> Json:
    """Return the order in a version that Amazon made so much later, of which nothing else is new."""
    return {**order, "lastUpdatedTime": format_time(parse_time(order["lastUpdatedTime"]) + later)}


def charge(of: Mapping[str, Any], seller_id: str) -> Json:
    """Return what Amazon posts for a shipped order, some minutes later."""
    return next(charges_of([of], seller_id))


def refund(of: Mapping[str, Any], posted_at: datetime, seller_id: str) -> Json:
    """Return the refund of all of an order."""
    items = [(item, 1, {path: -amount for path, amount in sale_of(of, item).items()}) for item in of["orderItems"]]
    return refund_of(of, items, posted_at, seller_id)
