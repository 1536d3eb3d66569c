"""A connection's choices about alerts of stock, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.stock import Channel, StockStatement


@dataclass(frozen=True)
class Thresholds:
    """From how few of something on a level is low; 0 for never. That of the SKU counts before that of its place.

    default, by_sku: the thresholds.
    by_place: by marketplace, pool, or code of the merchant's channel.
    """

    default: int = 0
    by_place: Mapping[str, int] = field(default_factory=dict)
    by_sku: Mapping[str, int] = field(default_factory=dict)

    def of(self, sku: str, places: Iterable[str]) -> int:
        by_place = next((self.by_place[each] for each in places if each in self.by_place), self.default)
        return self.by_sku.get(sku, by_place)


@dataclass(frozen=True)
class StockPolicy:
    """When a person hears of a stock level.

    marketplaces: the ones whose stock is swept.
    ignored_marketplaces: the ones whose notifications are left out.
    pools: marketplace -> name of its pool: those of one pool sell the same units, which each of them states.
    low: thresholds in units.
    low_days: thresholds in days of cover: how long the units last at the rate at which the SKU sells there.
    rise_percent: how far above its threshold a level must rise until it can become low again.
    back_units: from how many units on a level that was out is in stock again.
    drop_percent, drop_units: both at once, within a day: the level dropped suddenly.
    unfulfillable_units: how many more than before make an alert.
    collect: how long statements are collected before they are concluded, in Amazon's order, whatever the order of
        their delivery.
    digest_from: from how many alerts at once on there is one message for all of them.
    """

    marketplaces: tuple[str, ...] = ()
    ignored_marketplaces: frozenset[str] = frozenset()
    pools: Mapping[str, str] = field(default_factory=dict)
    low: Thresholds = field(default_factory=Thresholds)
    low_days: Thresholds = field(default_factory=Thresholds)
    rise_percent: int = 20
    back_units: int = 2
    drop_percent: int = 50
    drop_units: int = 20
    unfulfillable_units: int = 5
    collect: timedelta = timedelta(minutes=5)
    digest_from: int = 5

    def pool_of(self, place: str) -> str:
        """Return the pool of a place: a marketplace without one is a pool of its own."""
        return self.pools.get(place, place)

    def marketplaces_of(self, pool: str) -> list[str]:
        """Return the marketplaces of a pool; a pool without a name is a marketplace."""
        return [marketplace for marketplace, name in self.pools.items() if name == pool] or [pool]

    def covers(self, statement: StockStatement) -> bool:
        return statement.place not in self.ignored_marketplaces

    def low_units(self, sku: str, pool: str, sold_a_day: Decimal | None) -> int:
        """Return the higher of the two thresholds of a level, in units.

        Days of cover of a level whose sales are not known are 0 units: nothing is guessed.
        """
        places = [pool, *self.marketplaces_of(pool)]
        cover = self.low_days.of(sku, places) * (sold_a_day or Decimal(0))
        return max(self.low.of(sku, places), int(cover.to_integral_value(ROUND_CEILING)))

    def rises_to(self, low_units: int) -> int:
        """Return how many units a low level must reach until it can become low again: at least one more than low."""
        return low_units + max(1, -(-low_units * self.rise_percent // 100))

    def place_name(self, channel: Channel, pool: str) -> str:
        """Return what a person calls the place of a level."""
        if channel is Channel.MERCHANT:
            return "your own warehouse" if pool == "DEFAULT" else f"your own channel {pool}"
        members = self.marketplaces_of(pool)
        named = ", ".join(MARKETPLACES[each].name if each in MARKETPLACES else each for each in members)
        return f"{named} (pool {pool})" if pool in self.pools.values() else named
