"""The conditions that rules of tax and rules of accounts share: where an order was sold and goes, and to whom."""

from __future__ import annotations

from typing import Protocol

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.tax.regions import compared_region


class OrderConditions(Protocol):
    """A rule with these conditions. One that is empty or None is met by every order.

    marketplaces: ids of marketplaces.
    ship_to: ISO codes of the destination's country.
    regions: states or provinces, by code or name; see `tax.regions`.
    business: whether it is an order of Amazon Business.
    category: the item's SKU is of this category; see SkuCategories.
    """

    @property
    def marketplaces(self) -> frozenset[str]: ...
    @property
    def ship_to(self) -> frozenset[str]: ...
    @property
    def regions(self) -> frozenset[str]: ...
    @property
    def business(self) -> bool | None: ...
    @property
    def category(self) -> str: ...


def are_met(conditions: OrderConditions, order: Order, sku: str, categories: SkuCategories) -> bool:
    """Whether an item of the order meets all conditions; the SKU is empty for what belongs to no item."""
    country = order.ship_to_country
    region = compared_region(order.ship_to_region, country)
    return (
        (not conditions.marketplaces or order.marketplace_id in conditions.marketplaces)
        and (not conditions.ship_to or country in conditions.ship_to)
        and (not conditions.regions or region in {compared_region(name, country) for name in conditions.regions})
        and (conditions.business is None or conditions.business is order.business)
        and (not conditions.category or categories.has(conditions.category, sku))
    )
