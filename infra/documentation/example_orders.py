"""Orders for the examples, in the shape of Amazon's Orders API v2026-01-01."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

UK = "A1F83G8C2ARO7P"
US = "ATVPDKIKX0DER"
CANADA = "A2EUQ1WTGCTBG2"
ORDER_ID = "204-0000100-0000100"
_ITEM_ID = "10000000000001"


def breakdown(kind: str, amount: str, currency: str = "GBP", **parts: str) -> dict[str, Any]:
    """Return one of an item's proceeds; `parts` by subtype, where Amazon states them."""
    details = [{"subtype": name, "value": _money(value, currency)} for name, value in parts.items()]
    stated: dict[str, Any] = {"type": kind, "subtotal": _money(amount, currency)}
    return {**stated, "detailedBreakdowns": details} if details else stated


def item(
    sku: str,
    title: str,
    total: str,
    *breakdowns: Mapping[str, Any],
    quantity: int = 1,
    currency: str = "GBP",
    facilitator: bool = False,
) -> dict[str, Any]:
    """Return one item; `facilitator` says that Amazon collects its tax."""
    collections = [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon"}] if facilitator else []
    return {
        "orderItemId": _ITEM_ID,
        "quantityOrdered": quantity,
        "product": {"sellerSku": sku, "title": title},
        "proceeds": {"proceedsTotal": _money(total, currency), "breakdowns": list(breakdowns)},
        "tax": {"taxCollections": collections},
    }


def package(reference: str, shipped_at: str, quantity: int) -> dict[str, Any]:
    return {
        "packageReferenceId": reference,
        "shipTime": shipped_at,
        "carrier": "Royal Mail",
        "trackingNumber": f"RM00000000{reference}GB",
        "packageItems": [{"orderItemId": _ITEM_ID, "quantity": quantity}],
    }


def order(
    goods: Mapping[str, Any],
    *,
    status: str = "UNSHIPPED",
    created: str = "2026-11-02T10:00:00Z",
    updated: str = "2026-11-02T10:00:00Z",
    marketplace: str = UK,
    currency: str = "GBP",
    ship_to: str = "GB",
    grand_total: str = "",
    tip: str = "",
    packages: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return an order of one item; its grand total is the item's unless a tip comes on top."""
    shipped = sum(part["quantity"] for each in packages for part in each["packageItems"])
    total = grand_total or goods["proceeds"]["proceedsTotal"]["amount"]
    return {
        "orderId": ORDER_ID,
        "createdTime": created,
        "lastUpdatedTime": updated,
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": marketplace},
        "buyer": {"buyerName": "Ada Example", "buyerEmail": "abc123@marketplace.amazon.example"},
        "recipient": {
            "deliveryAddress": {
                "name": "Ada Example",
                "addressLine1": "1 Example Street",
                "city": "London",
                "postalCode": "N1 1AA",
                "countryCode": ship_to,
                "phone": "+44 20 7946 0000",
            }
        },
        "proceeds": {
            "grandTotal": _money(total, currency),
            "breakdowns": [breakdown("DELIVERY_TIP", tip, currency)] if tip else [],
        },
        "fulfillment": {"fulfillmentStatus": status},
        "packages": list(packages),
        "orderItems": [{**goods, "fulfillment": {"quantityFulfilled": shipped}}],
    }


def _money(amount: str, currency: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def refund(posted: str, sku: str, total: str, **amounts: str) -> dict[str, Any]:
    """Return a refund of the order in the shape of Amazon's Finances API; amounts by Amazon's breakdown type."""
    breakdowns = [{"breakdownType": name, "breakdownAmount": _paid(value)} for name, value in amounts.items()]
    return {
        "transactionId": "34358aeeed297598",
        "transactionType": "Refund",
        "postedDate": posted,
        "totalAmount": _paid(total),
        "relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": ORDER_ID}],
        "items": [{"contexts": [{"sku": sku}], "totalAmount": _paid(total), "breakdowns": breakdowns}],
    }


def _paid(amount: str) -> dict[str, str]:
    return {"currencyAmount": amount, "currencyCode": "GBP"}
