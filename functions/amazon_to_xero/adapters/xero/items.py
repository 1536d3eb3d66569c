"""Items in Xero's answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.money import InvalidAmount, amount
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroUnavailable


def item_from(element: Json) -> XeroItem:
    """Return the item in an element of GET Items. Raises XeroUnavailable that names an undocumented field."""
    code = element.get("Code")
    if not isinstance(code, str) or not code:
        raise XeroUnavailable("read Items", 200, f"Items.Code should be text and is {type(code).__name__}")
    purchase = element.get("PurchaseDetails")
    cost_account = purchase.get("COGSAccountCode") if isinstance(purchase, dict) else ""
    is_tracked = element.get("IsTrackedAsInventory") is True
    return XeroItem(
        code,
        _text(element.get("Name")),
        is_tracked,
        # Xero states quantities only of what it tracks.
        _number(element, "QuantityOnHand") if is_tracked else Decimal(0),
        _number(element, "TotalCostPool") if is_tracked else Decimal(0),
        _text(element.get("InventoryAssetAccountCode")),
        _text(cost_account),
    )


def _number(element: Json, field: str) -> Decimal:
    """Return a number of a tracked item. Without it nothing could be compared, so it is never taken for 0."""
    try:
        return amount(element.get(field), field)
    except InvalidAmount:
        kind = type(element.get(field)).__name__
        raise XeroUnavailable("read Items", 200, f"Items.{field} should be a number and is {kind}") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
