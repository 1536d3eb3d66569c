"""Which of the organisation's tax rates an item takes: the rules in the settings, and how an order is taxed by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.amazon.order import Charge, Order, OrderItem
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import tax_type_for
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.tax.countries import COUNTRIES, country_name
from amazon_to_xero.domain.tax.liability import AmazonTax, amazon_tax, responsible_party, unclear_liability
from amazon_to_xero.domain.tax.liability_words import Party, folded_word
from amazon_to_xero.domain.tax.order_conditions import are_met
from amazon_to_xero.domain.tax.rate_matching import effective_rate, matching_rates

_TAX_RULES = "tax.rules of the connection's settings"


class WhenDifferent(StrEnum):
    """What happens to an order whose tax Xero computes otherwise than Amazon charged it, by more than rounding."""

    HOLD = "hold"  # it fails, and nothing new is entered
    DRAFT = "draft"  # its invoice stays a draft
    BOOK = "book"  # it is entered, and the difference is logged


class TaxMode(StrEnum):
    """What decides the tax rate of an item that no rule matches."""

    RULES = "rules"  # nothing: the order fails
    MATCHING = "matching"  # the one rate of the organisation that explains Amazon's tax at the destination


@dataclass(frozen=True)
class TaxRule:
    """Which of the organisation's tax rates an item takes. A condition that is empty or None matches every item.

    tax_type: Xero's TaxType.
    amounts: whether Amazon's prices include the tax.
    marketplaces: condition: ids of marketplaces.
    ship_to: condition: ISO codes of the destination's country.
    regions: condition: states or provinces, by code or name; see `tax.regions`.
    responsible: condition: who owes the tax.
    amazon_tax: condition: whether Amazon charged tax on the item.
    scheme: condition: scheme that the item is reported under, in Amazon's words: UOSS, IOSS, GB_VOEC …
    business: condition: whether it is an order of Amazon Business.
    category: condition: the item's SKU is of this category, a name in TaxPolicy.categories.
    charges: condition: what the buyer was charged for: the item itself, shipping …
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
    charges: frozenset[Charge] = frozenset()


@dataclass(frozen=True)
class TaxPolicy:
    """The tax settings of a connection.

    rules: the first rule that matches an item decides.
    mode: what decides where no rule matches.
    categories: the seller's categories of SKUs.
    rounding_tax_type: Xero's TaxType of rounding lines; its rate is zero.
    rounding_limit: the largest amount per document, in its currency, that goes to the rounding account.
    liabilities: who owes a tax that Amazon describes with this word, by `folded_word`; where Amazon's word is unknown.
    when_different: what happens where Xero computes another tax than Amazon charged.
    state_amounts: a line states Amazon's tax where Xero would round it otherwise.
    chosen: line -> Xero's TaxType that a person has chosen for it in this order; see `corrections.tax_type_for`.
    is_unclear_tax_sellers: a person has accepted for this order that a tax of which it is unclear who owes it is booked
        as the seller's.
    """

    rules: tuple[TaxRule, ...]
    mode: TaxMode = TaxMode.RULES
    categories: SkuCategories = field(default_factory=SkuCategories)
    rounding_tax_type: str = "NONE"
    rounding_limit: Decimal = Decimal("0.05")
    liabilities: Mapping[str, Party] = field(default_factory=dict)
    when_different: WhenDifferent = WhenDifferent.HOLD
    state_amounts: bool = True
    chosen: Mapping[str, str] = field(default_factory=dict)
    is_unclear_tax_sellers: bool = False

    def responsible_party(self, order: Order, item: OrderItem) -> Party:
        """Return who owes the tax on an item."""
        party = responsible_party(order, item, self.liabilities)
        return Party.SELLER if party is Party.UNCLEAR and self.is_unclear_tax_sellers else party

    def rule_for(self, order: Order, item: OrderItem, charge: Charge = Charge.ITEM) -> TaxRule | None:
        """Return the first rule that matches a charge of the item."""
        return next((rule for rule in self.rules if self._matches(rule, order, item, charge)), None)

    def _matches(self, rule: TaxRule, order: Order, item: OrderItem, charge: Charge) -> bool:
        return (
            are_met(rule, order, item.sku, self.categories)
            and (rule.responsible is None or rule.responsible is self.responsible_party(order, item))
            and (rule.amazon_tax is None or rule.amazon_tax in amazon_tax(item, charge))
            and (not rule.scheme or folded_word(rule.scheme) in {folded_word(scheme) for scheme in item.schemes})
            and (not rule.charges or charge in rule.charges)
        )


@dataclass(frozen=True)
class TaxTreatment:
    """How an order is taxed.

    amounts: whether the line amounts of its documents include tax.
    tax_types: order item id -> Xero's TaxType of the item itself.
    collected: order item ids of the items on which the marketplace owes the tax.
    of_charges: (order item id, charge) -> Xero's TaxType, where it is another one than the item's.
    """

    amounts: LineAmountTypes
    tax_types: Mapping[str, str]
    collected: frozenset[str] = frozenset()
    of_charges: Mapping[tuple[str, Charge], str] = field(default_factory=dict)

    def tax_type(self, item: OrderItem, charge: Charge) -> str:
        """Return Xero's TaxType of a charge of an item, and of its discount."""
        return self.of_charges.get((item.item_id, charge), self.tax_types[item.item_id])


def tax_treatment(order: Order, policy: TaxPolicy, organisation: Organisation) -> TaxTreatment:
    """Return how an order is taxed.

    Raises Failure where no rule matches an item, or where the rules, the order and the organisation contradict each
    other: an order never takes a default rate.
    """
    parties = {item.item_id: policy.responsible_party(order, item) for item in order.items}
    for item in order.items:
        if parties[item.item_id] is Party.UNCLEAR and not item.is_free:
            raise unclear_liability(order, item, policy.liabilities)
    rules = {
        (item.item_id, charge): _rule(order, item, charge, policy, organisation)
        for item in order.items
        for charge in _charges(item)
    }
    collected = frozenset(item_id for item_id, party in parties.items() if party is Party.MARKETPLACE)
    amounts = _line_amount_types(order, rules, collected)
    for (item_id, _), rule in rules.items():
        rate = usable_rate(rule, organisation)
        if rate and item_id in collected:
            raise _owed_by_marketplace(rule.tax_type, rate)
    types = {key: rule.tax_type for key, rule in rules.items()}
    of_items = {item.item_id: types[item.item_id, _charges(item)[0]] for item in order.items}
    of_charges = {key: tax_type for key, tax_type in types.items() if tax_type != of_items[key[0]]}
    return TaxTreatment(amounts, of_items, collected, of_charges)


def _charges(item: OrderItem) -> list[Charge]:
    """Return what of an item needs a tax type, at least one: the item itself comes first where it has a price."""
    priced = [
        charge for charge in (*item.charges, *item.discounts) if item.charges.get(charge) or item.discounts.get(charge)
    ]
    return sorted(dict.fromkeys(priced), key=list(Charge).index) or [Charge.ITEM]


def usable_rate(rule: TaxRule, organisation: Organisation) -> Decimal:
    """Return the percentage of a rule's tax type. Raises Failure where no order can use the rule."""
    if rule.amounts is LineAmountTypes.NO_TAX and rule.tax_type == "NONE":
        return ZERO  # Xero's own NONE exists in every organisation, whether or not its list of tax rates shows it
    rate = organisation.usable_rate(rule.tax_type)
    if rate and rule.amounts is LineAmountTypes.NO_TAX:
        raise Failure(
            FailureCode.TAX_MODE_CONFLICT,
            f"A tax rule has amounts: none with {rule.tax_type}, whose rate is {rate} %. "
            f"Set amounts to inclusive or exclusive in {_TAX_RULES}, then reprocess the order.",
        )
    if rate and rule.responsible is Party.MARKETPLACE:
        raise _owed_by_marketplace(rule.tax_type, rate)
    return rate


def _rule(order: Order, item: OrderItem, charge: Charge, policy: TaxPolicy, organisation: Organisation) -> TaxRule:
    """Return the rule for a charge of an item; an item without amounts needs none.

    Raises Failure with TAX_UNMAPPED or TAX_UNMATCHED.
    """
    untaxed = TaxRule(policy.rounding_tax_type, LineAmountTypes.NO_TAX)
    if not item.has_amounts:
        return untaxed
    rule = policy.rule_for(order, item, charge)
    chosen = tax_type_for(f"{item.item_id}:{charge}", policy.chosen)
    if chosen:
        return _chosen_rule(chosen, order, rule)
    if rule is not None:
        return rule
    if item.is_free:
        return untaxed
    party = policy.responsible_party(order, item)
    if policy.mode is TaxMode.MATCHING and item.tax and party is Party.SELLER:
        return _rule_by_matching(order, item, organisation)
    raise Failure(
        FailureCode.TAX_UNMAPPED,
        f"No tax rule matches marketplace {order.marketplace_id}, "
        f"ship-to country {order.ship_to_country or 'unknown'}, "
        f"tax owed by the {party}, Amazon tax {AmazonTax.CHARGED if item.tax else AmazonTax.ZERO}, "
        f"scheme {' '.join(sorted(item.schemes)) or 'none'}, {'a' if order.business else 'no'} business order, "
        f"SKU {item.sku or 'none'}. Add a rule to {_TAX_RULES}, then reprocess the order.",
    )


def _chosen_rule(tax_type: str, order: Order, rule: TaxRule | None) -> TaxRule:
    """Return the rule for a tax type that a person has chosen; amounts are as Amazon states the order's prices."""
    if rule is not None and rule.tax_type == tax_type:
        return rule
    if tax_type == "NONE":
        return TaxRule(tax_type, LineAmountTypes.NO_TAX)
    is_exclusive = any(item.tax_exclusive for item in order.items)
    if rule is not None and rule.amounts is not LineAmountTypes.NO_TAX:
        is_exclusive = rule.amounts is LineAmountTypes.EXCLUSIVE
    return TaxRule(tax_type, LineAmountTypes.EXCLUSIVE if is_exclusive else LineAmountTypes.INCLUSIVE)


def _rule_by_matching(order: Order, item: OrderItem, organisation: Organisation) -> TaxRule:
    """Return the rule that Amazon's amounts leave as the only choice. Raises Failure with TAX_UNMATCHED."""
    amounts = LineAmountTypes.EXCLUSIVE if item.tax_exclusive else LineAmountTypes.INCLUSIVE
    rates = matching_rates(order, item, organisation)
    if len(rates) == 1:
        return TaxRule(rates[0].tax_type, amounts)
    country = order.ship_to_country
    destination = country_name(country) if country in COUNTRIES else country or "an unknown country"
    tax_types = ", ".join(sorted(rate.tax_type for rate in rates))
    finding = f"the tax types {tax_types} fit" if rates else "no rate of the organisation fits"
    condition = f'"ship_to": ["{country}"], ' if country else ""
    raise Failure(
        FailureCode.TAX_UNMATCHED,
        f"Item {item.item_id}: Amazon charged {item.tax} {order.currency} tax, about {effective_rate(item)} %, on a "
        f"sale to {destination}, and {finding}. "
        f'Add a rule {{"marketplaces": ["{order.marketplace_id}"], {condition}"amounts": "{amounts.name.lower()}", '
        f'"tax_type": "…"}} with the right tax type to {_TAX_RULES}, then reprocess the order.',
    )


def _line_amount_types(
    order: Order, rules: Mapping[tuple[str, Charge], TaxRule], collected: frozenset[str]
) -> LineAmountTypes:
    """Return whether line amounts include tax: all of a document do, or none; lines without tax agree with both."""
    amounts = {rule.amounts for rule in rules.values()} - {LineAmountTypes.NO_TAX}
    if len(amounts) > 1:
        raise Failure(
            FailureCode.TAX_MODE_CONFLICT,
            "The order's items match tax rules with inclusive and with exclusive amounts. "
            f"Set the same amounts in {_TAX_RULES}, then reprocess the order.",
        )
    for item in order.items:
        is_sellers = item.item_id not in collected
        of_item = [rules[item.item_id, charge] for charge in _charges(item)]
        rule = next((rule for rule in of_item if rule.amounts is LineAmountTypes.EXCLUSIVE), of_item[0])
        if is_sellers and item.tax_exclusive and rule.amounts is not LineAmountTypes.EXCLUSIVE:
            raise Failure(
                FailureCode.TAX_MODE_MISMATCH,
                f"Item {item.item_id}: Amazon adds {item.tax} {order.currency} tax to the prices, and the tax rule's "
                f"amounts are {rule.amounts}. Set amounts to exclusive in {_TAX_RULES}, then reprocess the order.",
            )
    return amounts.pop() if amounts else LineAmountTypes.NO_TAX


def _owed_by_marketplace(tax_type: str, rate: Decimal) -> Failure:
    return Failure(
        FailureCode.TAX_OWED_BY_MARKETPLACE,
        f"The marketplace owes the tax, and the tax rule books {tax_type} with {rate} % as the seller's. "
        f"Add a rule with responsible: marketplace before it in {_TAX_RULES}, then reprocess the order.",
    )
