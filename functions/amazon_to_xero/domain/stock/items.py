"""Xero's tracked items, and which of them the units of a SKU are.

A SKU is the item whose code it is, unless the settings name others: Xero's codes have at most 30 characters, Amazon's
SKUs 40, and a bundle is units of several items. Codes are compared without regard to case, as Xero does.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

MAX_CODE = 30  # Xero: Items, Code

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class ItemPart:
    """What one unit of a SKU is made of: so many units of the item with that code."""

    code: str
    units: int = 1


@dataclass(frozen=True)
class XeroItem:
    """An item as Xero states it.

    is_tracked: whether Xero counts its units.
    quantity: units on hand; 0 for an item that is not tracked.
    cost_pool: what they cost, in the organisation's currency, by average cost.
    asset_account, cost_account: codes of the accounts that an adjustment changes; empty where Xero states none.
    """

    code: str
    name: str = ""
    is_tracked: bool = False
    quantity: Decimal = Decimal(0)
    cost_pool: Decimal = Decimal(0)
    asset_account: str = ""
    cost_account: str = ""

    @property
    def unit_cost(self) -> Decimal | None:
        """Average cost of a unit; None where Xero has no units to average over."""
        return self.cost_pool / self.quantity if self.quantity > 0 and self.cost_pool > 0 else None

    def value_of(self, units: Decimal) -> Decimal | None:
        """Return what so many units cost, in cents of the organisation's currency; None where that is not known."""
        cost = self.unit_cost
        return None if cost is None else (units * cost).quantize(_CENT, ROUND_HALF_UP)


def item_key(code: str) -> str:
    """Return what the code of an item, or a SKU without one, is found by."""
    return code.strip().casefold()
