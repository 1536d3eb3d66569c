"""A connection's choices about alerts of stock, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.stock import Channel, StockStatement


class ThresholdUnit(StrEnum):
    UNITS = "units"
    DAYS = "days"  # of cover: how long the units last at the rate at which the SKU sells


@dataclass(frozen=True)
class Threshold:
    """From how few units on a level is low; 0 for never."""

    amount: int = 0
    unit: ThresholdUnit = ThresholdUnit.UNITS

    def units(self, sold_a_day: Decimal | None) -> int:
        """Return it in units. Days of cover of a SKU whose sales are not known are 0 units: nothing is guessed."""
        if self.unit is ThresholdUnit.UNITS:
            return self.amount
        return int((self.amount * (sold_a_day or Decimal(0))).to_integral_value(ROUND_CEILING))


@dataclass(frozen=True)
class StockPolicy:
    """When a person hears of a stock level.

    marketplaces: the ones whose stock is swept.
    ignored_marketplaces: the ones whose notifications are left out.
    pools: marketplace -> name of its pool: those of one pool sell the same units, which each of them states.
    low, low_by_place, low_by_sku: thresholds; the one of the SKU counts before the one of the marketplace or pool.
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
    low: Threshold = field(default_factory=Threshold)
    low_by_place: Mapping[str, Threshold] = field(default_factory=dict)
    low_by_sku: Mapping[str, Threshold] = field(default_factory=dict)
    rise_percent: int = 20
    back_units: int = 2
    drop_percent: int = 50
    drop_units: int = 20
    unfulfillable_units: int = 5
    collect: timedelta = timedelta(minutes=5)
    digest_from: int = 5

    def pool_of(self, statement: StockStatement) -> str:
        """Return the pool that a statement is about: a marketplace without one is a pool of its own."""
        return self.pools.get(statement.place, statement.place)

    def covers(self, statement: StockStatement) -> bool:
        return statement.place not in self.ignored_marketplaces

    def low_threshold(self, sku: str, pool: str) -> Threshold:
        places = [pool, *(each for each, name in self.pools.items() if name == pool)]
        by_place = next((self.low_by_place[each] for each in places if each in self.low_by_place), self.low)
        return self.low_by_sku.get(sku, by_place)

    def rises_to(self, low_units: int) -> int:
        """Return how many units a low level must reach until it can become low again: at least one more than low."""
        return low_units + max(1, -(-low_units * self.rise_percent // 100))

    def place_name(self, channel: Channel, pool: str) -> str:
        """Return what a person calls the place of a level."""
        if channel is Channel.MERCHANT:
            return "your own warehouse" if pool == "DEFAULT" else f"your own channel {pool}"
        members = [marketplace for marketplace, name in self.pools.items() if name == pool] or [pool]
        named = ", ".join(MARKETPLACES[each].name if each in MARKETPLACES else each for each in members)
        return f"{named} (pool {pool})" if pool in self.pools.values() else named
