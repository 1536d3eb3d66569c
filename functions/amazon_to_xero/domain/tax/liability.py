"""Who owes the tax on an item, the seller or the marketplace, and which amounts are therefore the seller's.

Tax that the marketplace collects and remits is neither the seller's income nor the seller's liability.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.amazon.order import Order, OrderItem
from amazon_to_xero.domain.money import ZERO, total


class Party(StrEnum):
    """Who owes the tax to the state."""

    SELLER = "seller"
    MARKETPLACE = "marketplace"


class AmazonTax(StrEnum):
    """Whether Amazon's order states a tax amount for an item."""

    ZERO = "zero"
    CHARGED = "charged"


def responsible_party(item: OrderItem) -> Party:
    """Return who owes the tax on an item: the marketplace where Amazon says that it collects it, else the seller."""
    return Party.MARKETPLACE if item.collected_by_marketplace else Party.SELLER


def amazon_tax(item: OrderItem) -> AmazonTax:
    """Return whether Amazon charged tax on an item."""
    return AmazonTax.ZERO if item.tax == 0 else AmazonTax.CHARGED


def seller_total(order: Order) -> Decimal:
    """Return what the seller sold: Amazon's grand total less the tax that the marketplace collected."""
    collected = total(item.tax for item in order.items if responsible_party(item) is Party.MARKETPLACE)
    return (order.grand_total or ZERO) - collected


def marketplace_collected_tax(item: OrderItem) -> Mapping[str, Decimal]:
    """Return the tax by Amazon's names that the prices include and the marketplace collected (deemed supplier).

    It has to be taken out of each price. Empty where the seller owes the tax or the prices exclude it.
    """
    is_included = responsible_party(item) is Party.MARKETPLACE and not item.tax_exclusive
    return item.taxes if is_included else {}
