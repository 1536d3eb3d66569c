"""Both sides of a reconciliation of stock, made up: Amazon's items, Xero's items, and settings."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.stock.comparison import AmazonItem, AmazonUnits
from amazon_to_xero.domain.stock.items import ItemPart, XeroItem
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from fakes.state import NOON
from fakes.stock import DE, FR, UK

RECONCILED = ReconciliationPolicy({"uk": (UK,), "eu": (DE, FR)})
LONG_SKU = "AMZ-2026-KETTLE-BLUE-1.7L-WITH-LID-BOXED"
BUNDLES = ReconciliationPolicy(
    {"uk": (UK,)}, {"MUG-SET": (ItemPart("MUG-RED", 2), ItemPart("GIFT-BOX")), LONG_SKU: (ItemPart("KETTLE"),)}
)


def tracked(code: str = "MUG-RED", quantity: int | str = 100, cost_pool: int | str | None = None) -> XeroItem:
    """Return a tracked item; without a cost pool its units cost 4.00 each."""
    units = Decimal(quantity)
    pool = units * 4 if cost_pool is None else Decimal(cost_pool)
    return XeroItem(code, f"Name of {code}", True, units, pool, "630", "310")


def at_amazon(
    fulfillable: int = 100,
    *,
    code: str = "MUG-RED",
    sold: int = 0,
    refunded: int = 0,
    pool: str = "uk",
    **kinds: int,
) -> AmazonItem:
    """Return what Amazon states of an item: kinds of units that are not named are 0."""
    pools = {pool: AmazonUnits(fulfillable, **kinds)}
    return AmazonItem(code, "Red mug", (code,), pools, sold=sold, refunded=refunded, read_at=NOON)
