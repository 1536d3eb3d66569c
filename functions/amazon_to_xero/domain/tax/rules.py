"""Which of the organisation's tax rates an order's items take, and what Xero will compute from it.

Tax that the marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase

from amazon_to_xero.domain.amazon.order import Order, OrderItem
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation, TaxRate
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, cents, smallest_unit, total
from amazon_to_xero.domain.tax.countries import COUNTRIES, countries_named_in, country_name
from amazon_to_xero.domain.tax.liability import AmazonTax, Party, amazon_tax, responsible_party


class TaxMode(StrEnum):
    """How an item that no rule speaks of finds its tax rate."""

    RULES = "rules"  # not at all
    MATCHING = "matching"  # by destination and effective rate, where only one of the organisation's rates fits


@dataclass(frozen=True)
class TaxRule:
    """Which of the organisation's tax rates an item takes. Empty conditions match everything; the first rule wins.

    `marketplaces` holds marketplace ids, `ship_to` country codes, `regions` states or provinces in Amazon's spelling
    but for capitals, `scheme` UOSS or IOSS. `category` is a name of TaxPolicy.categories.
    """

    tax_type: str
    amounts: LineAmountTypes
    marketplaces: frozenset[str] = frozenset()
    ship_to: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    responsible: Party | None = None
    amazon_tax: AmazonTax | None = None
    scheme: str = ""
    business: bool | None = None
    category: str = ""


@dataclass(frozen=True)
class TaxPolicy:
    """`categories` are patterns of SKUs by the category's name, `BOOK-*`.

    `rounding_limit` is the largest difference per document that may go to the rounding account, in its currency.
    """

    rules: tuple[TaxRule, ...]
    mode: TaxMode = TaxMode.RULES
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rounding_tax_type: str = "NONE"
    rounding_limit: Decimal = Decimal("0.05")

    def rule_for(self, order: Order, item: OrderItem) -> TaxRule | None:
        return next((rule for rule in self.rules if self._matches(rule, order, item)), None)

    def _matches(self, rule: TaxRule, order: Order, item: OrderItem) -> bool:
        region = _folded(order.ship_to_region)
        patterns = self.categories.get(rule.category, ())
        return (
            (not rule.marketplaces or order.marketplace_id in rule.marketplaces)
            and (not rule.ship_to or order.ship_to_country in rule.ship_to)
            and (not rule.regions or region in {_folded(name) for name in rule.regions})
            and (rule.responsible is None or rule.responsible is responsible_party(item))
            and (rule.amazon_tax is None or rule.amazon_tax is amazon_tax(item))
            and (not rule.scheme or rule.scheme in item.schemes)
            and (rule.business is None or rule.business is order.business)
            and (not rule.category or any(fnmatchcase(item.sku, pattern) for pattern in patterns))
        )


@dataclass(frozen=True)
class TaxTreatment:
    """How an order is taxed: what the line amounts of its documents include, and each item's tax type by item id."""

    amounts: LineAmountTypes
    tax_types: Mapping[str, str]


def tax_treatment(order: Order, policy: TaxPolicy, organisation: Organisation) -> TaxTreatment:
    """Raises Failure where no rule speaks of an item, or where rules, order and organisation contradict each other."""
    rules = {item.item_id: _rule(order, item, policy, organisation) for item in order.items}
    amounts = _line_amount_types(order, rules)
    for item in order.items:
        _check_responsibility(item, rules[item.item_id], usable_rate(rules[item.item_id], organisation))
    return TaxTreatment(amounts, {item_id: rule.tax_type for item_id, rule in rules.items()})


def effective_rate(item: OrderItem) -> Decimal | None:
    """Amazon's tax on the item in percent of its net price, to two decimals."""
    net = _net(item)
    return cents(item.tax * 100 / net) if net else None


def rates_for(country: str, organisation: Organisation) -> list[TaxRate]:
    """The organisation's rates for sales to a country, by their names: at home those that name no other country."""
    usable = [rate for rate in organisation.tax_rates.values() if rate.active and rate.on_revenue]
    if country == organisation.country:
        return [rate for rate in usable if countries_named_in(rate.name) <= {country}]
    return [rate for rate in usable if country in countries_named_in(rate.name)]


def usable_rate(rule: TaxRule, organisation: Organisation) -> Decimal:
    """The percentage a rule books with. Raises Failure where Xero cannot use it, whatever the order."""
    if rule.amounts is LineAmountTypes.NO_TAX and rule.tax_type == "NONE":
        return ZERO  # Xero's own "no tax" exists in every organisation, whether or not its list shows it
    rate = organisation.usable_rate(rule.tax_type)
    if rate and rule.amounts is LineAmountTypes.NO_TAX:
        raise Failure(
            FailureCode.TAX_MODE_CONFLICT,
            f"a tax rule says amounts: none with {rule.tax_type}, which has {rate} %; "
            "say inclusive or exclusive in tax.rules of the connection's settings, then redrive",
        )
    if rate and rule.responsible is Party.MARKETPLACE:
        raise _not_the_sellers(rule.tax_type, rate)
    return rate


def _rule(order: Order, item: OrderItem, policy: TaxPolicy, organisation: Organisation) -> TaxRule:
    """Raises Failure with TAX_UNMAPPED or TAX_UNMATCHED: an order no rule speaks of is never given a default rate."""
    rule = policy.rule_for(order, item)
    if rule is not None:
        return rule
    if policy.mode is TaxMode.MATCHING and item.tax and responsible_party(item) is Party.SELLER:
        return _matched(order, item, organisation)
    raise Failure(
        FailureCode.TAX_UNMAPPED,
        f"no tax rule for marketplace {order.marketplace_id}, "
        f"ship-to country {order.ship_to_country or 'unknown'}, "
        f"tax owed by the {responsible_party(item)}, Amazon tax {amazon_tax(item)}, "
        f"scheme {' '.join(sorted(item.schemes)) or 'none'}, {'a' if order.business else 'no'} business order, "
        f"SKU {item.sku or 'none'}; add one to tax.rules in the connection's settings, then redrive",
    )


def _matched(order: Order, item: OrderItem, organisation: Organisation) -> TaxRule:
    """The rule that somebody would write who sees Amazon's amounts, where they leave no choice."""
    amounts = LineAmountTypes.EXCLUSIVE if item.tax_exclusive else LineAmountTypes.INCLUSIVE
    country = order.ship_to_country
    fitting = [rate for rate in rates_for(country, organisation) if _explains(rate.rate, item, order.currency or "")]
    if len(fitting) == 1:
        return TaxRule(fitting[0].tax_type, amounts)
    where = country_name(country) if country in COUNTRIES else country or "an unknown country"
    found = ", ".join(sorted(rate.tax_type for rate in fitting))
    condition = f'"ship_to": ["{country}"], ' if country else ""
    raise Failure(
        FailureCode.TAX_UNMATCHED,
        f"item {item.item_id}: {item.tax} tax, about {effective_rate(item)} %, to {where}: "
        f"{f'the tax types {found} fit' if fitting else 'no rate of the organisation fits'}; write into tax.rules "
        f'{{"marketplaces": ["{order.marketplace_id}"], {condition}"amounts": "{amounts.name.lower()}", '
        '"tax_type": the one that is right}, then redrive',
    )


def _explains(rate: Decimal, item: OrderItem, currency: str) -> bool:
    """Whether Amazon's tax is what a rate gives: each of its parts was rounded by up to half the smallest amount."""
    if not rate:
        return False
    net = _net(item)
    exact = net * rate / 100 if item.tax_exclusive else (net + item.tax) * rate / (100 + rate)
    return abs(item.tax - exact) <= smallest_unit(currency) / 2 * max(len(item.taxes), 1)


def _net(item: OrderItem) -> Decimal:
    prices = total(item.charges.values()) + total(item.discounts.values())
    return prices if item.tax_exclusive else prices - item.tax


def _line_amount_types(order: Order, rules: Mapping[str, TaxRule]) -> LineAmountTypes:
    """One invoice is either tax-inclusive or tax-exclusive; lines without tax go with both."""
    modes = {rule.amounts for rule in rules.values()} - {LineAmountTypes.NO_TAX}
    if len(modes) > 1:
        raise Failure(
            FailureCode.TAX_MODE_CONFLICT,
            "the order's items match tax rules with inclusive and with exclusive amounts; "
            "make the rules agree in tax.rules of the connection's settings, then redrive",
        )
    for item in order.items:
        ours = responsible_party(item) is Party.SELLER
        if ours and item.tax_exclusive and rules[item.item_id].amounts is not LineAmountTypes.EXCLUSIVE:
            raise Failure(
                FailureCode.TAX_MODE_MISMATCH,
                f"item {item.item_id}: Amazon adds {item.tax} tax on top of the prices, the tax rule says "
                f"{rules[item.item_id].amounts.value}; correct tax.rules in the connection's settings, then redrive",
            )
    return modes.pop() if modes else LineAmountTypes.NO_TAX


def _check_responsibility(item: OrderItem, rule: TaxRule, rate: Decimal) -> None:
    if rate and responsible_party(item) is Party.MARKETPLACE:
        raise _not_the_sellers(rule.tax_type, rate)


def _not_the_sellers(tax_type: str, rate: Decimal) -> Failure:
    return Failure(
        FailureCode.TAX_OWED_BY_MARKETPLACE,
        f"the marketplace owes the tax, the tax rule books {tax_type} with {rate} %; add one with "
        "responsible: marketplace before it in tax.rules of the connection's settings, then redrive",
    )


def _folded(text: str) -> str:
    return text.strip().casefold()
