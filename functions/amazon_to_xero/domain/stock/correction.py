"""What a person may do about a comparison: the adjustment in Xero with its amounts, and what to check before.

Nothing is corrected by the system. Xero's API adjusts no quantities, and which side is right is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from amazon_to_xero.domain.stock.comparison import Comparison, StockFinding
from amazon_to_xero.domain.stock.items import MAX_CODE, XeroItem

_F = StockFinding
_CHECKS: Mapping[StockFinding, str] = {
    _F.FEWER_AT_AMAZON: "Check first in Seller Central (Reports > Fulfilment) whether Amazon lost or disposed of the "
    "units, and claim them if it did.",
    _F.RETURN_AWAITED: "Check first in Seller Central (Returns) whether the buyers have sent the refunded units back; "
    "adjust Xero only for those that stay away.",
    _F.MORE_AT_AMAZON: "Check first whether a purchase or a return is missing in Xero.",
    _F.INBOUND_NOT_IN_XERO: "Check first whether the purchase of the units on their way to Amazon is entered in Xero.",
    _F.UNSELLABLE_NOT_IN_XERO: "Check first whether the unsellable or missing units were written off in Xero; if so, "
    "close the entry.",
    _F.OWN_STOCK_NOT_IN_XERO: "Check first whether the units that you keep yourself are entered in Xero, maybe under "
    "another item code, and whether their quantity in Seller Central is right.",
}
_ONE_SIDED: Mapping[StockFinding, str] = {
    _F.UNKNOWN_TO_XERO: "Create the item in Xero as a tracked item with the SKU as its code, or name the item's code "
    "under inventory.items in the settings.",
    _F.CODE_TOO_LONG: f"The SKU is longer than the {MAX_CODE} characters that an item code may have. Name the item's "
    "code under inventory.items in the settings.",
    _F.NOT_TRACKED_IN_XERO: "Xero does not track this item. Create a tracked item under another code and name it under "
    "inventory.items in the settings, or close the entry.",
    _F.UNKNOWN_TO_AMAZON: "Amazon states no SKU that is this item. If the item is not sold there, close the entry; "
    "if it is, check the SKU in Seller Central, or name the item's code under inventory.items in the settings.",
    _F.NOT_STATED_BY_AMAZON: "Amazon does not state all quantities of a SKU of this item. Check it in Seller Central; "
    "it is compared again in the next reconciliation.",
}


@dataclass(frozen=True)
class Correction:
    """A suggested adjustment of the quantity of an item in Xero.

    units: by how many, negative for a decrease; None where there is no adjustment to suggest.
    value: what they cost, in the organisation's currency, at Xero's average cost; None where Xero has none.
    text: what to do, for a person; empty where there is nothing to do.
    """

    units: Decimal | None = None
    value: Decimal | None = None
    text: str = ""


def correction_of(comparison: Comparison, currency: str) -> Correction:
    """Return what may be done about a comparison; `currency` is the organisation's."""
    finding, gap, item = comparison.finding, comparison.gap, comparison.xero
    if finding in _ONE_SIDED:
        return Correction(text=_ONE_SIDED[finding])
    if not gap or item is None:
        return Correction()
    value = item.value_of(gap)
    checks = [_CHECKS.get(finding, ""), _own_stock(comparison)]
    sentences = [*checks, _adjustment(item, gap, value, currency), _reasons(comparison)]
    return Correction(gap, value, " ".join(filter(None, sentences)))


def _adjustment(item: XeroItem, gap: Decimal, value: Decimal | None, currency: str) -> str:
    verb = "Decrease" if gap < 0 else "Increase"
    cost = f"{abs(value)} {currency} at the average cost" if value is not None else "enter the cost of a unit manually"
    accounts = f", accounts {item.asset_account} and {item.cost_account}" if item.asset_account else ""
    return (
        f"{verb} the quantity of {item.code} in Xero (inventory adjustment) by {plain(abs(gap))}, from "
        f"{plain(item.quantity)} to {plain(item.quantity + gap)} ({cost}{accounts})."
    )


def _own_stock(comparison: Comparison) -> str:
    """Return what to check of own stock where units are missing; nothing where it is not counted."""
    amazon = comparison.amazon
    if comparison.difference >= 0 or amazon is None or amazon.own is None:
        return ""
    if amazon.own_units is None:
        return "Count what you keep yourself: Amazon has not stated your own stock of it yet, so it is not counted."
    return f"Count what you keep yourself, too: {amazon.own_units} by the quantity in Seller Central."


def _reasons(comparison: Comparison) -> str:
    parts = []
    if comparison.pending:
        kind = "sold" if comparison.pending < 0 else "refunded"
        parts.append(f"{plain(abs(comparison.pending))} {kind} and not entered in Xero")
    if comparison.difference:
        parts.append(f"{plain(abs(comparison.difference))} not explained")
    return f"Of these units: {', '.join(parts)}."


def plain(units: Decimal) -> str:
    """Return units without zeros at their end, which Xero writes."""
    return f"{units.normalize():f}"
