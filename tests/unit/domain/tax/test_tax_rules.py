"""Which tax rule an item takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.tax.liability import AmazonTax
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule
from fakes.orders import CA, UK, breakdown, item
from unit.domain.parsed_orders import parsed_order

RULE = TaxRule("NONE", LineAmountTypes.NO_TAX)
ITEM = item("9.00")
ZERO_ITEM = item("9.00", breakdown("ITEM", "9.00"), breakdown("TAX", "0.00"))
DEEMED = item("9.00", breakdown("ITEM", "9.00"), breakdown("TAX", "1.50"), facilitator=True)
UOSS_ITEM, IOSS_ITEM = (
    item("9.00") | {"tax": {"taxCalculationBreakdowns": [{"reportingScheme": scheme}]}} for scheme in ("UOSS", "IOSS")
)


@pytest.mark.parametrize(
    ("rule", "order", "matches"),
    [
        (RULE, parsed_order(ITEM), True),
        (replace(RULE, marketplaces=frozenset({UK})), parsed_order(ITEM), True),
        (replace(RULE, marketplaces=frozenset({CA})), parsed_order(ITEM), False),
        (replace(RULE, ship_to=frozenset({"GB", "FR"})), parsed_order(ITEM), True),
        (replace(RULE, ship_to=frozenset({"FR"})), parsed_order(ITEM), False),
        (replace(RULE, regions=frozenset({"ON", "Québec"})), parsed_order(ITEM, region=" QUÉBEC "), True),
        (replace(RULE, regions=frozenset({" on"})), parsed_order(ITEM, region="ON"), True),
        (replace(RULE, regions=frozenset({"ON"})), parsed_order(ITEM, region="Ontario"), False),  # not in Canada
        (replace(RULE, regions=frozenset({"ON"})), parsed_order(ITEM, region="Ontario", ship_to="CA"), True),
        (replace(RULE, regions=frozenset({"Quebec"})), parsed_order(ITEM, region="QC", ship_to="CA"), True),
        (replace(RULE, regions=frozenset({"BC"})), parsed_order(ITEM, region="B.C.", ship_to="CA"), True),
        (replace(RULE, regions=frozenset({"PE"})), parsed_order(ITEM, region="P.E.I.", ship_to="CA"), True),
        (replace(RULE, regions=frozenset({"WA"})), parsed_order(ITEM, region="Washington", ship_to="US"), True),
        (replace(RULE, regions=frozenset({"WA"})), parsed_order(ITEM, region="Washington", ship_to="AU"), False),
        (
            replace(RULE, regions=frozenset({"Virginia"})),
            parsed_order(ITEM, region="West Virginia", ship_to="US"),
            False,
        ),
        (replace(RULE, regions=frozenset({"ON"})), parsed_order(ITEM), False),
        (replace(RULE, responsible=Party.SELLER), parsed_order(ITEM), True),
        (replace(RULE, responsible=Party.MARKETPLACE), parsed_order(ITEM), False),
        (replace(RULE, responsible=Party.MARKETPLACE), parsed_order(DEEMED), True),
        (replace(RULE, amazon_tax=AmazonTax.ZERO), parsed_order(ITEM), True),
        (replace(RULE, amazon_tax=AmazonTax.CHARGED), parsed_order(ITEM), False),
        (replace(RULE, amazon_tax=AmazonTax.STATED_ZERO), parsed_order(ITEM), False),
        (replace(RULE, amazon_tax=AmazonTax.STATED_ZERO), parsed_order(ZERO_ITEM), True),
        (replace(RULE, amazon_tax=AmazonTax.ZERO), parsed_order(ZERO_ITEM), True),
        (replace(RULE, scheme="UOSS"), parsed_order(UOSS_ITEM), True),
        (replace(RULE, scheme="u-oss"), parsed_order(UOSS_ITEM), True),
        (replace(RULE, scheme="UOSS"), parsed_order(IOSS_ITEM), False),
        (replace(RULE, scheme="UOSS"), parsed_order(ITEM), False),
        (replace(RULE, business=True), parsed_order(ITEM, programs=["PRIME", "AMAZON_BUSINESS"]), True),
        (replace(RULE, business=True), parsed_order(ITEM, programs=["PRIME"]), False),
        (replace(RULE, business=False), parsed_order(ITEM, programs=["AMAZON_BUSINESS"]), False),
        (replace(RULE, business=False), parsed_order(ITEM), True),
        (replace(RULE, category="books"), parsed_order(item("9.00", sku="BOOK-7")), True),
        (replace(RULE, category="books"), parsed_order(item("9.00", sku="SKU-17")), True),
        (replace(RULE, category="books"), parsed_order(item("9.00", sku="book-7")), False),
        (replace(RULE, category="books"), parsed_order(item("9.00", sku="SKU-170")), False),
        (replace(RULE, category="food"), parsed_order(item("9.00", sku="BOOK-7")), False),
    ],
)
def test_rule_matches_where_each_of_its_conditions_does(rule: TaxRule, order: Order, matches: bool) -> None:
    policy = TaxPolicy((rule,), categories=SkuCategories({"books": ("BOOK-*", "SKU-17")}))

    assert (policy.rule_for(order, order.items[0]) is rule) == matches


def test_first_rule_that_matches_decides() -> None:
    french, any_destination = replace(RULE, ship_to=frozenset({"FR"})), RULE
    order = parsed_order(ITEM)

    assert TaxPolicy((french, any_destination)).rule_for(order, order.items[0]) is any_destination
    assert TaxPolicy((any_destination, french)).rule_for(order, order.items[0]) is any_destination
