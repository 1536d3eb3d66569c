"""Refunds in the shape of Amazon's Finances API v2024-06-19, made up: `refund("T1", item_refund(...))`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from fakes.state import NOON

_FEES = ("Commission", "RefundCommission", "ShippingChargeback", "DigitalServicesFee", "FBA")


def money(value: Decimal | str, currency: str = "GBP") -> dict[str, Any]:
    return {"currencyAmount": Decimal(value), "currencyCode": currency}


def item_refund(sku: str = "TEA-50", currency: str = "GBP", **leaves: str) -> dict[str, Any]:
    """Return one item's amounts, by breakdown type; two underscores stand for a hyphen."""
    whole = sum((Decimal(value) for value in leaves.values()), Decimal(0))
    return {
        "description": "Item",
        "totalAmount": money(whole, currency),
        "relatedIdentifiers": None,
        "breakdowns": breakdowns(currency, **leaves),
        "contexts": [{"contextType": "ProductContext", "sku": sku, "quantityShipped": 1}] if sku else None,
    }


def refund(
    transaction_id: str,
    *items: dict[str, Any],
    order_id: str = "A",
    posted: datetime = NOON,
    kind: str = "Refund",
    currency: str = "GBP",
    without_items: bool = False,
    **related: str,
) -> dict[str, Any]:
    """Return a refund with these items; without_items: Amazon states their amounts for the transaction only."""
    whole = sum((each["totalAmount"]["currencyAmount"] for each in items), Decimal(0))
    identifiers = {"ORDER_ID": order_id, **related}
    return {
        "transactionId": transaction_id,
        "transactionType": kind,
        "transactionStatus": None,
        "postedDate": posted.isoformat().replace("+00:00", "Z"),
        "totalAmount": money(whole, currency),
        "marketplaceDetails": None,
        "relatedIdentifiers": [
            {"relatedIdentifierName": name, "relatedIdentifierValue": value}
            for name, value in identifiers.items()
            if value
        ],
        "items": None if without_items else list(items),
        "breakdowns": [part for each in items for part in each["breakdowns"]],
        "contexts": None,
    }


def breakdowns(currency: str = "GBP", **leaves: str) -> list[dict[str, Any]]:
    """Return Amazon's tree, in which each parent states the sum of its parts."""
    named = {name.replace("__", "-"): Decimal(value) for name, value in leaves.items()}
    fees = {name: value for name, value in named.items() if name.startswith(_FEES)}
    sales = {name: value for name, value in named.items() if name not in fees}
    tree = [_parent("Refunded Sales", [_parent("ProductCharges", _parts(sales, currency), currency)], currency)]
    if fees:
        tree.append(_parent("Refunded Expenses", [_parent("AmazonFees", _parts(fees, currency), currency)], currency))
    return tree


def _parts(values: dict[str, Decimal], currency: str) -> list[dict[str, Any]]:
    return [
        {"breakdownType": name, "breakdownAmount": money(value, currency), "breakdowns": None}
        for name, value in values.items()
    ]


def _parent(name: str, parts: list[dict[str, Any]], currency: str) -> dict[str, Any]:
    whole = sum((part["breakdownAmount"]["currencyAmount"] for part in parts), Decimal(0))
    return {"breakdownType": name, "breakdownAmount": money(whole, currency), "breakdowns": parts}
