"""Amazon's statements about SKUs as units of items: pools are added up, bundles taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from amazon_to_xero.domain.amazon.stock import StockStatement
from amazon_to_xero.domain.stock.comparison import AmazonItem, AmazonUnits, units_of
from amazon_to_xero.domain.stock.items import item_key
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy


def amazon_items(
    statements: Iterable[tuple[str, StockStatement]],
    policy: ReconciliationPolicy,
    own_stock: Iterable[StockStatement] = (),
    now: datetime | None = None,
) -> dict[str, AmazonItem]:
    """Return the items, by item_key, of what was stated in each pool (pool, statement); each SKU of a pool once.

    own_stock: the latest quantity of each merchant's offer, which holds until Amazon states the next: it is `now`'s.
    """
    items: dict[str, AmazonItem] = {}
    for pool, statement in statements:
        units = units_of(statement.quantities)
        for part in policy.parts_of(statement.sku):
            key = item_key(part.code)
            item = items.get(key) or AmazonItem(part.code, statement.product_name, read_at=statement.read_at)
            items[key] = _with(item, pool, statement, units, part.units)
    if policy.counts_own_stock:
        items = {key: replace(item, own={}) for key, item in items.items()}
        for statement in own_stock:
            _add_own(items, statement, policy, now)
    return items


def _add_own(
    items: dict[str, AmazonItem], statement: StockStatement, policy: ReconciliationPolicy, now: datetime | None
) -> None:
    """Add what the seller keeps of a SKU to the items that it is made of. What is not stated is unknown, not zero."""
    sku, units = statement.sku, statement.quantities.fulfillable
    for part in policy.parts_of(sku) if units is not None else ():
        key = item_key(part.code)
        item = items.get(key) or AmazonItem(part.code, statement.product_name, own={}, read_at=now or statement.read_at)
        skus = item.skus if sku in item.skus else (*item.skus, sku)
        own = item.own or {}
        items[key] = replace(item, skus=skus, own={**own, sku: own.get(sku, 0) + (units or 0) * part.units})


def with_movements(
    item: AmazonItem, moved: Iterable[tuple[str, tuple[int, int]]], policy: ReconciliationPolicy
) -> AmazonItem:
    """Return an item with the units that were sold and refunded of its SKUs: SKU with sold and refunded."""
    key, sold, refunded = item_key(item.code), 0, 0
    for sku, of_sku in moved:
        units = sum(part.units for part in policy.parts_of(sku) if item_key(part.code) == key)
        sold += of_sku[0] * units
        refunded += of_sku[1] * units
    return replace(item, sold=sold, refunded=refunded)


def _with(item: AmazonItem, pool: str, statement: StockStatement, units: AmazonUnits | None, times: int) -> AmazonItem:
    sku = statement.sku
    skus = item.skus if sku in item.skus else (*item.skus, sku)
    item = replace(item, skus=skus, read_at=min(item.read_at, statement.read_at))
    if units is None:
        return replace(item, unstated=(*item.unstated, sku))
    held = item.pools.get(pool, AmazonUnits())
    return replace(item, pools={**item.pools, pool: held.plus(units, times)})
