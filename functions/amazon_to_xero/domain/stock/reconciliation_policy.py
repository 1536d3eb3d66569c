"""A connection's choices about reconciling stock, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from amazon_to_xero.domain.stock.items import ItemPart


@dataclass(frozen=True)
class ReconciliationPolicy:
    """How Amazon's quantities are compared with Xero's.

    pools: name of each pool -> its marketplaces. Each marketplace states all units of its pool, so one of them is read.
    items: SKU -> what one unit of it is made of, where that is not one unit of the item whose code is the SKU.
    tolerance_units, tolerance_percent: up to which difference, in units or in percent of Xero's quantity, whichever is
        more, a person need not hear of it.
    every: how often it is done.
    counts_own_stock: whether Xero's items count the seller's own stock, too, by the quantity of a merchant's offer.
    """

    pools: Mapping[str, tuple[str, ...]]
    items: Mapping[str, tuple[ItemPart, ...]] = field(default_factory=dict)
    tolerance_units: int = 0
    tolerance_percent: int = 0
    every: timedelta = timedelta(days=7)
    counts_own_stock: bool = False

    def parts_of(self, sku: str) -> tuple[ItemPart, ...]:
        return self.items.get(sku) or (ItemPart(sku),)

    def tolerates(self, difference: Decimal, xero_units: Decimal) -> bool:
        percent = abs(xero_units) * self.tolerance_percent / 100
        return abs(difference) <= max(Decimal(self.tolerance_units), percent)
