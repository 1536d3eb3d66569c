"""Which of the organisation's tax rates an order's items take, and what Xero will compute from it.

Tax that the marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.lines import Line
from amazon_to_xero.domain.money import ZERO, cents, one_spelling, total
from amazon_to_xero.domain.orders import Order, OrderItem
from amazon_to_xero.domain.organisation import Organisation
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


@dataclass(frozen=True)
class TaxPolicy:
    """`rounding_limit` is the largest difference per document that may go to the rounding account, in its currency."""

    rules: tuple[TaxRule, ...]
    rounding_tax_type: str = "NONE"
    rounding_limit: Decimal = Decimal("0.05")


@dataclass(frozen=True)
class Treatment:
    """How an order is taxed: what the line amounts of its documents include, and each item's tax type by item id."""

    amounts: Amounts
    tax_types: Mapping[str, str]


def responsible_party(item: OrderItem) -> Party:
    """Amazon names itself (or a company of its own) where it collects and remits; else the seller owes the tax."""
    return Party.MARKETPLACE if item.collected_by_marketplace else Party.SELLER


def amazon_tax(item: OrderItem) -> AmazonTax:
    return AmazonTax.ZERO if item.tax == 0 else AmazonTax.CHARGED


def treatment(order: Order, policy: TaxPolicy, organisation: Organisation) -> Treatment:
    """Raises Refused where no rule speaks of an item, or where rules, order and organisation contradict each other."""
    rules = {item.item_id: _rule(order, item, policy) for item in order.items}
    amounts = _line_amount_types(order, rules)
    for item in order.items:
        _check_rate(rules[item.item_id], item, organisation)
    return Treatment(amounts, {item_id: rule.tax_type for item_id, rule in rules.items()})


def sellers_total(order: Order) -> Decimal:
    """What the seller sold: Amazon's grand total less the tax that the marketplace keeps for the state."""
    withheld = total(i.tax for i in order.items if responsible_party(i) is Party.MARKETPLACE)
    return (order.grand_total or ZERO) - withheld


def withheld_inside(item: OrderItem) -> Mapping[str, Decimal]:
    """Tax inside the prices that the marketplace keeps: it is taken out of each price (deemed supplier)."""
    inside = responsible_party(item) is Party.MARKETPLACE and not item.tax_on_top
    return item.taxes if inside else {}


def xero_total(lines: Iterable[Line], amounts: Amounts, organisation: Organisation) -> Decimal:
    """The total Xero will arrive at: each line and each line's tax rounded half up to cents (Xero: rounding guide)."""
    if amounts is not Amounts.EXCLUSIVE:
        return total(line.amount for line in lines)
    return total(line.amount + cents(line.amount * _rate(line.tax_type, organisation) / 100) for line in lines)


def rounded_to(
    expected: Decimal, lines: Sequence[Line], amounts: Amounts, policy: TaxPolicy, organisation: Organisation
) -> list[Line]:
    """The lines, and one to the rounding account where Xero would arrive at another total than Amazon by cents.

    Raises Refused with TAX_DIFFERS where it is more than the limit.
    """
    difference = expected - xero_total(lines, amounts, organisation)
    return [*lines, _rounding_line(difference, expected, policy, organisation)] if difference else list(lines)


def _rule(order: Order, item: OrderItem, policy: TaxPolicy) -> TaxRule:
    """Raises Refused with TAX_UNMAPPED: an order no rule speaks of is never given a default rate."""
    for rule in policy.rules:
        if rule.matches(order, item):
            return rule
    raise Refused(
        "TAX_UNMAPPED",
        f"no tax rule for marketplace {order.marketplace_id}, "
        f"ship-to country {order.ship_to_country or 'unknown'}, "
        f"tax owed by the {responsible_party(item)}, Amazon tax {amazon_tax(item)}; "
        "add one to tax.rules in the connection's settings, then redrive",
    )


def _line_amount_types(order: Order, rules: Mapping[str, TaxRule]) -> Amounts:
    """One invoice is either tax-inclusive or tax-exclusive; lines without tax go with both."""
    modes = {rule.amounts for rule in rules.values()} - {Amounts.NO_TAX}
    if len(modes) > 1:
        raise Refused(
            "TAX_MODE_CONFLICT",
            "the order's items match tax rules with inclusive and with exclusive amounts; "
            "make the rules agree in tax.rules of the connection's settings, then redrive",
        )
    for item in order.items:
        ours = responsible_party(item) is Party.SELLER
        if ours and item.tax_on_top and rules[item.item_id].amounts is not Amounts.EXCLUSIVE:
            raise Refused(
                "TAX_MODE_MISMATCH",
                f"item {item.item_id}: Amazon adds {item.tax} tax on top of the prices, the tax rule says "
                f"{rules[item.item_id].amounts.value}; correct tax.rules in the connection's settings, then redrive",
            )
    return modes.pop() if modes else Amounts.NO_TAX


def _check_rate(rule: TaxRule, item: OrderItem, organisation: Organisation) -> None:
    if rule.amounts is Amounts.NO_TAX and rule.tax_type == "NONE":
        return  # Xero's own "no tax" exists in every organisation, whether or not its list shows it
    rate = _usable_rate(rule.tax_type, organisation)
    if rate and responsible_party(item) is Party.MARKETPLACE:
        raise Refused(
            "TAX_NOT_THE_SELLERS",
            f"item {item.item_id}: the marketplace owes the tax, the tax rule books {rule.tax_type} with {rate} %; "
            "add a rule with responsible: marketplace before it in tax.rules, then redrive",
        )
    if rate and rule.amounts is Amounts.NO_TAX:
        raise Refused(
            "TAX_MODE_CONFLICT",
            f"a tax rule says amounts: none with {rule.tax_type}, which has {rate} %; "
            "say inclusive or exclusive in tax.rules of the connection's settings, then redrive",
        )


def _usable_rate(tax_type: str, organisation: Organisation) -> Decimal:
    rate = organisation.tax_rates.get(tax_type)
    if rate is None or not rate.active or not rate.on_revenue:
        raise Refused(
            "TAX_RATE_UNUSABLE",
            f"the organisation has no active tax rate {tax_type} usable on revenue; "
            "correct the tax settings of the connection or the rate in Xero, then redrive",
        )
    return rate.rate


def _rate(tax_type: str, organisation: Organisation) -> Decimal:
    rate = organisation.tax_rates.get(tax_type)
    return rate.rate if rate else ZERO


def _rounding_line(difference: Decimal, expected: Decimal, policy: TaxPolicy, organisation: Organisation) -> Line:
    account = organisation.rounding_account()
    if abs(difference) > policy.rounding_limit or account is None:
        raise Refused(
            "TAX_DIFFERS",
            f"Amazon's total is {expected}, Xero would arrive at {expected - difference}; "
            "check the rate of the tax type in tax.rules of the connection's settings, then redrive",
        )
    if policy.rounding_tax_type != "NONE" and _usable_rate(policy.rounding_tax_type, organisation):
        raise Refused(
            "ROUNDING_TAXED",
            f"tax.rounding_tax_type {policy.rounding_tax_type} has a rate above zero; "
            "name one without tax in the connection's settings, then redrive",
        )
    return Line("Rounding", 1, one_spelling(difference), account.code, policy.rounding_tax_type)
