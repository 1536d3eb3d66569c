"""Which of the organisation's tax rates an order's items take, and what Xero will compute from it.

Tax that the marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
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
    """Whether Amazon's order carries a tax amount for the item."""

    ZERO = "zero"
    CHARGED = "charged"


def responsible_party(item: OrderItem) -> Party:
    """Amazon names itself (or a company of its own) where it collects and remits; else the seller owes the tax."""
    return Party.MARKETPLACE if item.collected_by_marketplace else Party.SELLER


def amazon_tax(item: OrderItem) -> AmazonTax:
    return AmazonTax.ZERO if item.tax == 0 else AmazonTax.CHARGED


def seller_total(order: Order) -> Decimal:
    """What the seller sold: Amazon's grand total less the tax that the marketplace keeps for the state."""
    withheld = total(i.tax for i in order.items if responsible_party(i) is Party.MARKETPLACE)
    return (order.grand_total or ZERO) - withheld


def marketplace_collected_tax(item: OrderItem) -> Mapping[str, Decimal]:
    """Tax inside the prices that the marketplace keeps: it is taken out of each price (deemed supplier)."""
    inside = responsible_party(item) is Party.MARKETPLACE and not item.tax_exclusive
    return item.taxes if inside else {}
