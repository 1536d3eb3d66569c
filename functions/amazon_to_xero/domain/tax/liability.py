"""Who owes the tax on an item: the seller, the marketplace, or nobody can say; and which amounts are the seller's.

Tax that the marketplace collects and remits is neither the seller's income nor the seller's liability. What is unclear
is never booked: the order fails and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.amazon.marketplaces import prices_exclude_tax
from amazon_to_xero.domain.amazon.order import Charge, Order, OrderItem, TaxCollection
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.tax.liability_words import (
    MARKETPLACE_FACILITATOR,
    STANDARD,
    Party,
    party_of_collection,
    party_of_scheme,
    unknown_words,
)

#: What a person can do about an order whose tax is unclear; for what is no order, another remedy takes their place.
OF_KNOWN_WORDS = (
    "If the seller owes it, correct the order with --as-it-is; otherwise enter the order in Xero manually, then take "
    "it off the list with correct --skip."
)
OR_AS_IT_IS = "or, if the seller owes it, correct the order with --as-it-is."


class AmazonTax(StrEnum):
    """Whether Amazon's order states a tax amount for an item. A rule may ask for any of them; several can be true."""

    ZERO = "zero"  # 0.00, or none is stated
    STATED_ZERO = "stated_zero"
    CHARGED = "charged"


def responsible_party(order: Order, item: OrderItem, liabilities: Mapping[str, Party]) -> Party:
    """Return who owes the tax on an item.

    What Amazon says about the collection decides; a reporting scheme only where it says nothing, or contradicts it.
    Without either, the seller owes the tax. What was charged decides only where these leave it unclear.

    liabilities: what further words of Amazon's mean, by `folded_word`: a person has stated it in the settings.
    """
    stated = {party_of_collection(each, liabilities) for each in item.collections}
    if stated != {Party.MARKETPLACE}:
        schemes = (party_of_scheme(scheme, liabilities) for scheme in item.schemes)
        stated |= {party for party in schemes if party is not None}
    if not stated:
        return Party.SELLER
    party = stated.pop() if len(stated) == 1 else Party.UNCLEAR
    if party is Party.UNCLEAR and item.charged_collection:
        party = party_of_collection(TaxCollection(item.charged_collection, ""), {})
    if party is Party.MARKETPLACE and not item.tax_stated and not prices_exclude_tax(order.marketplace_id):
        return Party.UNCLEAR  # the price includes a tax that is not the seller's, and nobody knows how much
    return party


def unclear_items(order: Order, liabilities: Mapping[str, Party]) -> tuple[OrderItem, ...]:
    """Return the items that cost something and of which nobody can say who owes the tax."""
    return tuple(
        item
        for item in order.items
        if not item.is_free and responsible_party(order, item, liabilities) is Party.UNCLEAR
    )


def collection_by_charge(tax: Decimal, withheld: Decimal) -> str:
    """Return the collection model that a charge shows; empty where it shows none.

    tax, withheld: the tax that the buyer was charged, and what of it the marketplace withholds, both positive. What is
    withheld in part is owed by both, and what has no tax shows nothing.
    """
    if tax <= 0 or withheld not in (ZERO, tax):
        return ""
    return MARKETPLACE_FACILITATOR if withheld else STANDARD


def amazon_tax(item: OrderItem, charge: Charge) -> frozenset[AmazonTax]:
    """Return what can be said about Amazon's tax: on the charge where Amazon states that, else on its item."""
    if item.taxes.get(charge) if item.tax_detailed else item.tax:
        return frozenset({AmazonTax.CHARGED})
    return frozenset({AmazonTax.ZERO, AmazonTax.STATED_ZERO} if item.tax_stated else {AmazonTax.ZERO})


def seller_total(order: Order, collected_by_marketplace: Iterable[OrderItem]) -> Decimal:
    """Return what the seller sold: Amazon's grand total less the tax in it that the marketplace collected."""
    collected = total(
        item.tax if item.tax_exclusive else total(tax_in_prices(order, item).values())
        for item in collected_by_marketplace
    )
    return (order.grand_total or ZERO) - collected


def tax_in_prices(order: Order, item: OrderItem) -> Mapping[str, Decimal]:
    """Return the tax by Amazon's names that an item's prices include; empty where they exclude it.

    Where prices never contain tax, a tax that is not part of the total was left out of it, not included in the price.
    """
    return {} if item.tax_exclusive or prices_exclude_tax(order.marketplace_id) else item.taxes


def unclear_liability(order: Order, item: OrderItem, liabilities: Mapping[str, Party], as_charged: str = "") -> Failure:
    """Return the failure of an order with an item whose tax may be the seller's or the marketplace's.

    as_charged: what the order's charges show of it, as a sentence; empty where no charge is known.
    """
    statements = (
        *(
            f"model {each.model or 'none'} with responsible party {each.responsible_party or 'none'}"
            for each in item.collections
        ),
        *(f"scheme {scheme}" for scheme in sorted(item.schemes)),
    )
    found = f"Item {item.item_id}: Amazon states {', '.join(statements)}"
    return Failure(
        FailureCode.TAX_LIABILITY_UNCLEAR,
        " ".join(filter(None, [f"{found}.", as_charged, _both_amounts(order, item), _remedy(item, liabilities)])),
    )


def _both_amounts(order: Order, item: OrderItem) -> str:
    currency = order.currency or ""
    if not item.tax_stated:
        return (
            f"It states no tax. If the seller owes it, the sale is {item.total} {currency}; if the marketplace owes "
            f"it, {item.total} {currency} less the tax in it."
        )
    in_total = item.tax if item.tax_exclusive else total(tax_in_prices(order, item).values())
    return (
        f"If the seller owes the tax of {item.tax} {currency}, the sale is {item.total} {currency}; if the marketplace "
        f"owes it, {item.total - in_total} {currency}."
    )


def _remedy(item: OrderItem, liabilities: Mapping[str, Party]) -> str:
    unknown = unknown_words(item.collections, item.schemes, liabilities)
    if not unknown:
        return f"Find out in Seller Central who remits which tax. {OF_KNOWN_WORDS}"
    return (
        f"Find out in Seller Central who remits the tax, add {' and '.join(unknown)} to tax.liabilities in the "
        f"connection's settings and reprocess the order; {OR_AS_IT_IS}"
    )
