"""The part `inventory` of a connection's settings: when people hear of stock, and how it is reconciled with Xero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.stock.items import MAX_CODE, ItemPart
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.runtime.settings.base import Settings

type Places = Annotated[tuple[str, ...], Field(min_length=1)]
type PoolName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9-]{0,29}$")]
type Units = Annotated[int, Field(ge=0, le=1_000_000)]
type ItemCode = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CODE, strip_whitespace=True)]
type ItemUnits = Annotated[int, Field(ge=1, le=100_000)]
type Bundle = Annotated[dict[ItemCode, ItemUnits], Field(min_length=1)]


class InventorySettings(Settings):
    alerts: bool = Field(
        default=False,
        description="Whether to watch the stock at Amazon and to send alerts. The application needs the role Amazon "
        "Fulfillment. Run `make connect` after a change: it subscribes to Amazon's notifications of stock.",
    )
    merchant_quantities: bool = Field(
        default=False,
        description="Whether to watch your own stock, too, which you ship yourself; only with `inventory.alerts`. "
        "Amazon states it on EventBridge only: `make connect` subscribes, and prints the value of the stack's "
        "parameter `PartnerEventSource`.",
    )
    low: Units = Field(
        default=0, description="From how few units on a stock level is low; 0 for never. It is out at 0 in any case."
    )
    low_by_place: dict[str, Units] = Field(
        default_factory=dict,
        description="Marketplace id, pool or `DEFAULT` (the merchant's own stock) → the same for its stock levels.",
    )
    low_by_sku: dict[str, Units] = Field(
        default_factory=dict, description="SKU → the same for its stock levels, before that of its place."
    )
    low_days: Units = Field(
        default=0,
        description="From how few days of cover on a level is low, too; 0 for never. Cover is how long its units last "
        "at the rate at which the SKU sold there in the last 30 days, counted from the recorded orders. A rate is "
        "known once they have been counted for 7 days.",
    )
    low_days_by_place: dict[str, Units] = Field(default_factory=dict, description="The same, as in `low_by_place`.")
    low_days_by_sku: dict[str, Units] = Field(default_factory=dict, description="The same, as in `low_by_sku`.")
    rise_percent: Annotated[int, Field(ge=0, le=500)] = Field(
        default=20,
        description="How many percent above its threshold, and at least one unit, a level must rise before it can be "
        "low again.",
    )
    back_in_stock: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=2,
        description="From how many units on a level that was out is in stock again: a returned unit alone is not.",
    )
    drop_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=50, description="Percent of a level that are gone within a day in a sudden drop."
    )
    drop_units: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=20, description="And the fewest units that are gone in a sudden drop."
    )
    unfulfillable: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=5, description="By how many units the unfulfillable ones must grow for an alert."
    )
    pools: dict[PoolName, Places] = Field(
        default_factory=dict,
        description="Name → ids of marketplaces that sell the same units, as with Pan-European FBA. Each of them "
        "states all units: a pool has one alert, and they are never added up. "
        'E.g. `{"eu": ["A1PA6795UKMFR9", "A13V1IB3VIYZZH"]}`.',
    )
    collect_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        default=300,
        description="How long notifications are collected before they are concluded in Amazon's order: the most that "
        "one may be late without being left out.",
    )
    digest_from: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=5, description="From how many alerts at once on one message has all of them."
    )
    reconcile: bool = Field(
        default=False,
        description="Whether to compare the stock at Amazon with the tracked items in Xero. From then on, units that "
        "are sold and refunded are recorded. The application needs the role Amazon Fulfillment.",
    )
    reconcile_days: Annotated[int, Field(ge=1, le=50)] = Field(
        default=7, description="Every how many days stock is reconciled."
    )
    tolerance_units: Units = Field(
        default=0, description="Up to how many units an item may differ without an entry in the worklist."
    )
    tolerance_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0, description="And up to how many percent of its quantity in Xero; the larger of the two counts."
    )
    reconcile_own_stock: bool = Field(
        default=True,
        description="With `inventory.merchant_quantities`: whether Xero's tracked items count your own stock, too. "
        "Set it to false if you keep that under other item codes, or not in Xero.",
    )
    items: dict[str, Bundle] = Field(
        default_factory=dict,
        description="SKU → the items in Xero that one unit of it is, by code, with units: for SKUs that are longer "
        "than Xero's 30 characters, and for bundles. Any other SKU is the item whose code it is. E.g. "
        '`{"MUG-SET": {"MUG-RED": 2, "GIFT-BOX": 1}}`.',
    )

    @model_validator(mode="after")
    def _own_stock_has_alerts(self) -> Self:
        if self.merchant_quantities and not self.alerts:
            raise ValueError("merchant_quantities is set without alerts; set alerts to true, or leave both out")
        return self

    @model_validator(mode="after")
    def _pools_are_distinct(self) -> Self:
        members = [marketplace for pool in self.pools.values() for marketplace in pool]
        unknown = sorted({each for each in members if each not in MARKETPLACES})
        if unknown:
            raise ValueError(f"pools name {', '.join(unknown)}, which are not Amazon's marketplace ids; correct them")
        twice = sorted({each for each in members if members.count(each) > 1})
        if twice:
            raise ValueError(f"pools list {', '.join(twice)} twice; leave each marketplace in one pool")
        places = {*self.pools, *MARKETPLACES, "DEFAULT"}
        if missing := sorted({*self.low_by_place, *self.low_days_by_place} - places):
            raise ValueError(
                f"low_by_place or low_days_by_place name {', '.join(missing)}; "
                "write a marketplace id, the name of a pool, or DEFAULT"
            )
        return self

    def policy(self, marketplaces: Sequence[str], ignored: Sequence[str]) -> StockPolicy | None:
        """Return the policy for a seller's marketplaces; None where there are no alerts."""
        if not self.alerts:
            return None
        return StockPolicy(
            marketplaces=tuple(marketplaces),
            ignored_marketplaces=frozenset(ignored),
            pools={marketplace: pool for pool, members in self.pools.items() for marketplace in members},
            low=Thresholds(self.low, self.low_by_place, self.low_by_sku),
            low_days=Thresholds(self.low_days, self.low_days_by_place, self.low_days_by_sku),
            rise_percent=self.rise_percent,
            back_units=self.back_in_stock,
            drop_percent=self.drop_percent,
            drop_units=self.drop_units,
            unfulfillable_units=self.unfulfillable,
            collect=timedelta(seconds=self.collect_seconds),
            digest_from=self.digest_from,
        )

    def reconciliation_policy(self, marketplaces: Sequence[str]) -> ReconciliationPolicy | None:
        """Return the policy for a seller's marketplaces; None where stock is not reconciled."""
        if not self.reconcile:
            return None
        in_pools = {marketplace for members in self.pools.values() for marketplace in members}
        pools = {name: tuple(each for each in members if each in marketplaces) for name, members in self.pools.items()}
        alone = {each: (each,) for each in marketplaces if each not in in_pools}
        return ReconciliationPolicy(
            {name: members for name, members in {**pools, **alone}.items() if members},
            {sku: tuple(ItemPart(code, units) for code, units in bundle.items()) for sku, bundle in self.items.items()},
            self.tolerance_units,
            self.tolerance_percent,
            timedelta(days=self.reconcile_days),
            counts_own_stock=self.merchant_quantities and self.reconcile_own_stock,
        )
