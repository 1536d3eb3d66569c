"""A tax that two parties owe in one amount: the seller's GST, and the PST of a Canadian province that Amazon remits.

Amazon's order states one tax of the item and names both collections, but neither amount. What the charge withholds is
the marketplace's part. The rest is the seller's where the rate of the seller's rule explains it; otherwise nothing is
decided, and a person sees both numbers. Only a tax that is added to the price is split: VAT in a price is one tax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Charge, Order, OrderItem
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.money import ZERO, cents, smallest_unit, total
from amazon_to_xero.domain.planning.charged_tax import DISCOUNT, charged_on_unclear
from amazon_to_xero.domain.planning.proportions import shared
from amazon_to_xero.domain.tax.liability import unclear_items
from amazon_to_xero.domain.tax.liability_words import STANDARD
from amazon_to_xero.domain.tax.rounding import line_tax, percentage
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxTreatment, tax_treatment
from amazon_to_xero.domain.tax.stated_tax import is_rounding, taxed_prices


def with_split_tax(
    order: Order, charges: Sequence[ShipmentCharge], policy: TaxPolicy, organisation: Organisation
) -> Order | None:
    """Return the order without the part of its tax that charges in full withhold: what is left is the seller's.

    None where nothing is withheld in part, or the seller's rates do not explain the rest.
    """
    unclear = unclear_items(order, policy.liabilities)
    taxes, withheld = charged_on_unclear(order, unclear, charges, policy.liabilities)
    tax = total(taxes.values())
    is_added = all(item.tax_stated and (item.tax_exclusive or not item.tax) for item in unclear)
    if not ZERO < withheld < tax or not is_added or total(item.tax for item in unclear) != tax:
        return None
    sellers = {item.item_id: replace(item, charged_collection=STANDARD) for item in unclear}
    as_sellers = _with_items(order, sellers)
    with suppress(Failure):  # no rule of the seller explains anything
        treatment = tax_treatment(as_sellers, policy, organisation)
        split = _split(as_sellers, sellers, tax - withheld, treatment, organisation)
        return replace(_with_items(order, split), grand_total=(order.grand_total or ZERO) - withheld) if split else None
    return None


def _with_items(order: Order, items: Mapping[str, OrderItem]) -> Order:
    return replace(order, items=tuple(items.get(item.item_id, item) for item in order.items))


def _split(
    order: Order, items: Mapping[str, OrderItem], tax: Decimal, treatment: TaxTreatment, organisation: Organisation
) -> Mapping[str, OrderItem]:
    """Return the items with their shares of the seller's tax, by id; none where the rates do not explain it."""
    currency = order.currency or ""
    unit = smallest_unit(currency)
    by_rule = {item_id: _taxes_by_rule(item, treatment, organisation) for item_id, item in items.items()}
    prices = {item_id: taxed_prices(item, treatment, organisation) for item_id, item in items.items()}
    taxes = {item_id: total(each.values()) for item_id, each in by_rule.items()}
    if treatment.amounts is not LineAmountTypes.EXCLUSIVE or not total(taxes.values()):
        return {}

    def is_explained(item_id: str, share: Decimal) -> bool:
        return is_rounding(share, prices[item_id], treatment.amounts, currency, is_share=False)

    shares = _with_total(taxes, tax, unit, is_explained)
    made = {
        item_id: _with_seller_tax(items[item_id], share, by_rule[item_id], unit) for item_id, share in shares.items()
    }
    return made if all(_is_part(each, items[item_id], unit) for item_id, each in made.items()) else {}


def _with_total(
    taxes: Mapping[str, Decimal], tax: Decimal, unit: Decimal, is_explained: Callable[[str, Decimal], bool]
) -> Mapping[str, Decimal]:
    """Return the taxes so that they add up to `tax`, each still explained by rounding; none where they cannot."""
    shares, rest = dict(taxes), tax - total(taxes.values())
    step, is_changed = unit if rest > 0 else -unit, True
    while abs(rest) >= unit and is_changed:
        is_changed = False
        for item_id in taxes:
            if abs(rest) >= unit and is_explained(item_id, shares[item_id] + step):
                shares[item_id] += step
                rest -= step
                is_changed = True
    return {} if rest else shares


def _taxes_by_rule(item: OrderItem, treatment: TaxTreatment, organisation: Organisation) -> Mapping[str, Decimal]:
    """Return the tax at the rates of the seller's rules, by Amazon's names; all on the item where it has no details."""
    taxes: dict[str, Decimal] = {}
    for name, charge, amount in _priced(item):
        rate = percentage(treatment.tax_type(item, charge), organisation)
        key = name if item.tax_detailed else Charge.ITEM.value
        taxes[key] = taxes.get(key, ZERO) + line_tax(cents(amount), rate, LineAmountTypes.EXCLUSIVE)
    return taxes


def _priced(item: OrderItem) -> Iterable[tuple[str, Charge, Decimal]]:
    yield from ((charge.value, charge, amount) for charge, amount in item.charges.items())
    yield from ((DISCOUNT, charge, amount) for charge, amount in item.discounts.items())


def _with_seller_tax(item: OrderItem, tax: Decimal, by_rule: Mapping[str, Decimal], unit: Decimal) -> OrderItem:
    shares = shared(tax, list(by_rule.values()), unit) if total(by_rule.values()) else [ZERO] * len(by_rule)
    withheld = item.tax - tax
    return replace(
        item,
        taxes=dict(zip(by_rule, shares, strict=True)),
        tax=tax,
        total=item.total - withheld,
        withheld=withheld,
    )


def _is_part(made: OrderItem, item: OrderItem, unit: Decimal) -> bool:
    """Whether the seller's part of each tax is no more than Amazon states of it; taxes on discounts are below zero.

    Amazon may have rounded to nothing what is half a cent by the rule.
    """
    names = {*made.taxes, *item.taxes}
    both = ((made.taxes.get(name, ZERO), item.taxes.get(name, ZERO)) for name in names)
    return all(min(ZERO, whole) - unit <= part <= max(ZERO, whole) + unit for part, whole in both)
