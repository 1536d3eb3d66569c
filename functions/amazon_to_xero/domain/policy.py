"""How one seller wants Amazon booked: accounts, numbers, tax rules. Settings, read once, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.orders import Charge, Order, OrderItem
from amazon_to_xero.domain.reasons import Refused


class Amounts(StrEnum):
    """Xero's LineAmountTypes: what the line amounts of a document include."""

    INCLUSIVE = "Inclusive"
    EXCLUSIVE = "Exclusive"
    NO_TAX = "NoTax"


class Party(StrEnum):
    """Who owes the tax to the state."""

    SELLER = "seller"
    MARKETPLACE = "marketplace"


class AmazonTax(StrEnum):
    """Whether Amazon's order carries a tax amount for the item."""

    ZERO = "zero"
    CHARGED = "charged"


@dataclass(frozen=True)
class TaxRule:
    """Which of the organisation's tax rates an item takes. Empty conditions match everything; the first rule wins.

    `marketplaces` holds marketplace ids, `ship_to` country codes.
    """

    tax_type: str
    amounts: Amounts
    marketplaces: frozenset[str] = frozenset()
    ship_to: frozenset[str] = frozenset()
    responsible: Party | None = None
    amazon_tax: AmazonTax | None = None

    def matches(self, order: Order, item: OrderItem) -> bool:
        return (
            (not self.marketplaces or order.marketplace_id in self.marketplaces)
            and (not self.ship_to or order.ship_to_country in self.ship_to)
            and (self.responsible is None or self.responsible is responsible_party(item))
            and (self.amazon_tax is None or self.amazon_tax is amazon_tax(item))
        )


def responsible_party(item: OrderItem) -> Party:
    """Amazon names itself (or a company of its own) where it collects and remits; else the seller owes the tax."""
    return Party.MARKETPLACE if item.collected_by_marketplace else Party.SELLER


def amazon_tax(item: OrderItem) -> AmazonTax:
    return AmazonTax.ZERO if item.tax == 0 else AmazonTax.CHARGED


@dataclass(frozen=True)
class AccountCodes:
    """Account codes of the organisation. `charges` says where each charge is income.

    `clearing` is what Amazon owes, per currency; without one an invoice of that currency stays unpaid in Xero.
    """

    charges: Mapping[Charge, str]
    discounts: str
    clearing: Mapping[str, str] = field(default_factory=dict)  # by currency


class ContactPolicy(StrEnum):
    """Which orders are invoiced to a contact of the buyer's own; all others go to their marketplace's customer."""

    MARKETPLACE = "marketplace"  # none
    BUSINESS_BUYERS = "business_buyers"  # those of Amazon Business
    BUYERS = "buyers"  # all whose buyer Amazon names


@dataclass(frozen=True)
class PostingPolicy:
    """`marketplaces` are the ids that are booked; `contact_names` the customer of a marketplace id, if not the default.

    `rounding_limit` is the largest difference per document that may go to the rounding account, in the document's
    currency.
    """

    marketplaces: frozenset[str]
    accounts: AccountCodes
    tax_rules: tuple[TaxRule, ...]
    invoice_prefix: str = ""
    contacts: ContactPolicy = ContactPolicy.MARKETPLACE
    contact_names: Mapping[str, str] = field(default_factory=dict)
    rounding_tax_type: str = "NONE"
    rounding_limit: Decimal = Decimal("0.05")
    start: datetime = datetime(2000, 1, 1, tzinfo=UTC)  # orders placed before are somebody else's books

    def tax_rule(self, order: Order, item: OrderItem) -> TaxRule:
        """Raises Refused with TAX_UNMAPPED: an order no rule speaks of is never given a default rate."""
        for rule in self.tax_rules:
            if rule.matches(order, item):
                return rule
        raise Refused(
            "TAX_UNMAPPED",
            f"no tax rule for marketplace {order.marketplace_id}, "
            f"ship-to country {order.ship_to_country or 'unknown'}, "
            f"tax owed by the {responsible_party(item)}, Amazon tax {amazon_tax(item)}; "
            "add one to tax.rules in the connection's settings, then redrive",
        )
