"""Items in Xero's answers: all that reconciling stock needs, or only what account rules need."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.books.organisation_lists import Item
from amazon_to_xero.domain.money import InvalidAmount, amount
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroUnavailable


def named_items(elements: Iterable[Json], codes: Collection[str]) -> dict[str, Item]:
    """Return the items with these codes, by code.

    Nothing else of them is read, and nothing of other items: what Xero leaves out there stops no order.
    """
    return {
        code: Item(code, _is_tracked(element)) for element in elements if (code := _text(element.get("Code"))) in codes
    }


def item_from(element: Json) -> XeroItem:
    """Return the item in an element of GET Items. Raises XeroUnavailable that names an undocumented field."""
    code = element.get("Code")
    if not isinstance(code, str) or not code:
        raise XeroUnavailable("read Items", 200, f"Items.Code should be text and is {type(code).__name__}")
    purchase = element.get("PurchaseDetails")
    cost_account = purchase.get("COGSAccountCode") if isinstance(purchase, dict) else ""
    is_tracked = _is_tracked(element)
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


def _is_tracked(element: Json) -> bool:
    return element.get("IsTrackedAsInventory") is True


def _number(element: Json, field: str) -> Decimal:
    """Return a number of a tracked item. Without it nothing could be compared, so it is never taken for 0."""
    try:
        return amount(element.get(field), field)
    except InvalidAmount:
        kind = type(element.get(field)).__name__
        raise XeroUnavailable("read Items", 200, f"Items.{field} should be a number and is {kind}") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
