"""Orders in the shape of Amazon's Orders API v2026-01-01, fictitious, for tests: `order(item(...), ...)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UK = "A1F83G8C2ARO7P"
US = "ATVPDKIKX0DER"
CA = "A2EUQ1WTGCTBG2"
JP = "A1VC38T7YXB528"


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def breakdown(kind: str, amount: str, currency: str = "GBP", **parts: str) -> dict[str, Any]:
    detail = [{"subtype": name, "value": money(value, currency)} for name, value in parts.items()]
    return {"type": kind, "subtotal": money(amount, currency)} | ({"detailedBreakdowns": detail} if detail else {})


def item(
    total: str,
    *breakdowns: dict[str, Any],
    quantity: int = 1,
    currency: str = "GBP",
    facilitator: bool = False,
    sku: str = "TEA-50",
    item_id: str = "10000000000001",
) -> dict[str, Any]:
    """One item; without breakdowns its whole total is the price of the goods."""
    made: dict[str, Any] = {
        "orderItemId": item_id,
        "quantityOrdered": quantity,
        "product": {"asin": "B000000001", "sellerSku": sku, "title": "Breakfast tea, 50 bags"},
        "proceeds": {
            "proceedsTotal": money(total, currency),
            "breakdowns": list(breakdowns) or [breakdown("ITEM", total, currency)],
        },
    }
    if facilitator:
        made["tax"] = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon"}]}
    return made


def order(
    *items: dict[str, Any],
    grand_total: str | None = None,
    status: str = "SHIPPED",
    order_id: str = "026-0000001-0000001",
    marketplace: str = UK,
    currency: str = "GBP",
    created: str = "2026-11-01T10:00:00Z",
    updated: str = "2026-11-02T10:00:00Z",
    ship_to: str = "GB",
    **more: Any,
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "orderId": order_id,
        "createdTime": created,
        "lastUpdatedTime": updated,
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": marketplace},
        "buyer": {"buyerName": "Canary Buyer", "buyerEmail": "canary@marketplace.example"},
        "recipient": {
            "deliveryAddress": {
                "name": "Canary Buyer",
                "addressLine1": "1 Canary Street",
                "city": "Canarytown",
                "postalCode": "CN1 1NC",
                "phone": "+44 0000 000000",
                "countryCode": ship_to,
                "stateOrRegion": "Region",
            }
        },
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "AMAZON"},
        "orderItems": list(items),
    }
    if grand_total is not None:
        made["proceeds"] = {"grandTotal": money(grand_total, currency), "breakdowns": []}
    return _merged(made, more)


def _merged(made: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in more.items():
        held = made.get(name)
        made[name] = {**held, **value} if isinstance(held, dict) and isinstance(value, dict) else value
    return made
