"""On which account, with which tracking and item code a line is booked: the rules `accounts.rules` in the settings.

For each of the three the first rule that matches the line and names one decides. The rules are only asked for new
lines: what corrects a booked line takes its account, tracking and item code, whatever the rules say by now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories, matches_any
from amazon_to_xero.domain.books.line import Tracking
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.tax.order_conditions import are_met


class Channel(StrEnum):
    """Who ships the goods."""

    AMAZON = "amazon"  # from Amazon's warehouses (FBA)
    MERCHANT = "merchant"  # the seller (FBM)


class LineType(StrEnum):
    """What a line of a document books."""

    ITEM = "item"
    SHIPPING = "shipping"
    GIFT_WRAP = "gift_wrap"
    COD_FEE = "cod_fee"
    DELIVERY_TIP = "delivery_tip"
    OTHER = "other"
    DISCOUNT = "discount"  # of any charge
    REFUND = "refund"  # a refund that takes back any of the above


@dataclass(frozen=True)
class AccountRule:
    """How lines are booked that meet all conditions. A condition that is empty or None is met by every line.

    account: code of the account; empty where another rule or the account of the charge decides.
    tracking: at most two tracking categories of Xero, each with one of its options; empty where another rule decides.
    item_code: code of an item of the organisation; empty where another rule decides.
    marketplaces: condition: ids of marketplaces.
    ship_to: condition: ISO codes of the destination's country.
    regions: condition: states or provinces, by code or name; see `tax.regions`.
    skus: condition: patterns of the item's SKU, in which * stands for any text.
    category: condition: the item's SKU is of this category; see SkuCategories.
    channel: condition: who ships the goods.
    business: condition: whether it is an order of Amazon Business.
    charges: condition: what the line books.
    """

    account: str = ""
    tracking: Tracking = ()
    item_code: str = ""
    marketplaces: frozenset[str] = frozenset()
    ship_to: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    skus: tuple[str, ...] = ()
    category: str = ""
    channel: Channel | None = None
    business: bool | None = None
    charges: frozenset[LineType] = frozenset()

    def matches(self, order: Order, sku: str, line_type: LineType, categories: SkuCategories) -> bool:
        """Whether a line of the order meets all conditions; the SKU is empty for a line that belongs to no item."""
        return (
            are_met(self, order, sku, categories)
            and (not self.skus or matches_any(sku, self.skus))
            and (self.channel is None or self.channel is channel_of(order))
            and self._is_of(line_type)
        )

    def _is_of(self, line_type: LineType) -> bool:
        """Whether the rule is for such lines; for what a refund takes back only where it names refunds."""
        return line_type in self.charges or (not self.charges and line_type is not LineType.REFUND)


@dataclass(frozen=True)
class LineBooking:
    """How one line is booked; account is empty where neither a rule nor the settings name one."""

    account: str
    tracking: Tracking = ()
    item_code: str = ""


@dataclass(frozen=True)
class AccountRules:
    """The rules in their order."""

    rules: tuple[AccountRule, ...] = ()

    def booking(
        self, order: Order, sku: str, line_type: LineType, categories: SkuCategories, default_account: str
    ) -> LineBooking:
        """Return how a line of the order is booked; on the default account where no rule names one."""
        matching = [rule for rule in self.rules if rule.matches(order, sku, line_type, categories)]
        return LineBooking(
            account=next((rule.account for rule in matching if rule.account), default_account),
            tracking=next((rule.tracking for rule in matching if rule.tracking), ()),
            item_code=next((rule.item_code for rule in matching if rule.item_code), ""),
        )

    @property
    def accounts(self) -> frozenset[str]:
        """The codes of the accounts that rules name."""
        return frozenset(rule.account for rule in self.rules if rule.account)

    def trackings(self) -> Iterator[tuple[str, str]]:
        """Return each tracking category with an option that rules name."""
        for rule in self.rules:
            yield from rule.tracking

    @property
    def item_codes(self) -> frozenset[str]:
        """The codes of the items that rules name."""
        return frozenset(rule.item_code for rule in self.rules if rule.item_code)

    @property
    def lists_to_read(self) -> ListsToRead:
        """What of the organisation has to be read so that the rules can be checked."""
        return ListsToRead(tracking=any(self.trackings()), item_codes=self.item_codes)


def channel_of(order: Order) -> Channel | None:
    """Return who ships the order; None where Amazon does not state it."""
    return {"AMAZON": Channel.AMAZON, "MERCHANT": Channel.MERCHANT}.get(order.fulfilled_by)
