"""Tax mode `matching`: the one rate of the organisation that explains Amazon's tax, where no rule matches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import TaxRate
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.tax.rules import TaxMode, TaxPolicy, TaxRule, tax_treatment
from fakes.orders import UK, breakdown, item
from unit.domain.parsed_orders import parsed_order
from unit.domain.tax.taxed_items import (
    EUROPEAN,
    item_with_shipping,
    organisation_with_rates,
    tax_exclusive_item,
    tax_inclusive_item,
)

BY_AMAZON = {"tax": {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]}}
MATCHING = TaxPolicy((), TaxMode.MATCHING)


@pytest.mark.parametrize(
    ("sold", "ship_to", "tax_type", "amounts"),
    [
        (tax_inclusive_item("12.00", "2.00"), "GB", "OUTPUT2", LineAmountTypes.INCLUSIVE),
        (tax_exclusive_item("10.00", "2.00"), "GB", "OUTPUT2", LineAmountTypes.EXCLUSIVE),
        (tax_inclusive_item("10.50", "0.50"), "GB", "RROUTPUT", LineAmountTypes.INCLUSIVE),
        (tax_inclusive_item("12.00", "2.00"), "FR", "TAX001", LineAmountTypes.INCLUSIVE),
        (tax_inclusive_item("9.99", "1.60"), "DE", "TAX002", LineAmountTypes.INCLUSIVE),  # 1.595…
        (tax_inclusive_item("10.70", "0.70"), "DE", "TAX003", LineAmountTypes.INCLUSIVE),
        (tax_inclusive_item("12.30", "2.30"), "IE", "TAX004", LineAmountTypes.INCLUSIVE),
    ],
)
def test_item_takes_the_one_rate_of_the_destination_that_explains_the_tax(
    sold: dict[str, Any], ship_to: str, tax_type: str, amounts: LineAmountTypes
) -> None:
    found = tax_treatment(parsed_order(sold, ship_to=ship_to), MATCHING, EUROPEAN)

    assert (found.tax_types, found.amounts) == ({"10000000000001": tax_type}, amounts)


@pytest.mark.parametrize(
    ("sold", "ship_to", "stated"),
    [
        (tax_inclusive_item("12.10", "2.10"), "ES", "TAX006, TAX007 fit"),
        (tax_inclusive_item("12.00", "2.01"), "FR", "no rate of the organisation fits"),
        (tax_inclusive_item("12.00", "2.00"), "IT", "no rate of the organisation fits"),
        (tax_inclusive_item("12.00", "2.00"), "", "to an unknown country"),
        (tax_inclusive_item("12.00", "2.00"), "CH", "to CH"),
        (tax_inclusive_item("0.10", "0.02"), "ES", "TAX006, TAX007 fit"),
    ],
)
def test_order_fails_with_the_rule_to_write_where_several_rates_or_none_fit(
    sold: dict[str, Any], ship_to: str, stated: str
) -> None:
    with pytest.raises(Failure) as caught:
        tax_treatment(parsed_order(sold, ship_to=ship_to), MATCHING, EUROPEAN)

    assert caught.value.code is FailureCode.TAX_UNMATCHED
    assert stated in caught.value.remedy
    assert f'"marketplaces": ["{UK}"]' in caught.value.remedy
    assert '"amounts": "inclusive"' in caught.value.remedy
    assert (f'"ship_to": ["{ship_to}"]' in caught.value.remedy) == bool(ship_to)


@pytest.mark.parametrize(
    ("tax", "parts", "fits"),
    [
        ("2.00", {}, True),
        ("2.01", {}, False),  # half a cent is 0.005
        ("2.01", {"ITEM": "2.01"}, False),
        ("2.01", {"ITEM": "1.01", "SHIPPING": "1.00"}, True),  # two parts, each rounded by up to half a cent
        ("1.99", {"ITEM": "0.99", "SHIPPING": "1.00"}, True),
        ("2.02", {"ITEM": "1.02", "SHIPPING": "1.00"}, False),
    ],
)
def test_rate_explains_the_tax_within_half_a_cent_for_each_part_of_it(
    tax: str, parts: dict[str, str], fits: bool
) -> None:
    sold = item_with_shipping(tax, parts) if parts else tax_exclusive_item("10.00", tax)
    try:
        tax_treatment(parsed_order(sold), MATCHING, EUROPEAN)
    except Failure as failure:
        assert (failure.code, fits) == (FailureCode.TAX_UNMATCHED, False)
    else:
        assert fits


def test_smallest_unit_of_yen_is_one() -> None:
    japanese = organisation_with_rates(("CT", "Consumption tax", "10"), country="JP")
    sold = item("1986", breakdown("ITEM", "1986", "JPY"), breakdown("TAX", "181", "JPY"), currency="JPY")

    found = tax_treatment(parsed_order(sold, currency="JPY", ship_to="JP"), MATCHING, japanese)

    assert list(found.tax_types.values()) == ["CT"]  # 180.54…


FRENCH = EUROPEAN.tax_rates["TAX001"]


@pytest.mark.parametrize("unusable", [replace(FRENCH, active=False), replace(FRENCH, on_revenue=False)])
def test_rates_that_sales_cannot_take_are_not_matched(unusable: TaxRate) -> None:
    rates = {**EUROPEAN.tax_rates, "TAX001": unusable}
    order = parsed_order(tax_inclusive_item("12.00", "2.00"), ship_to="FR")

    with pytest.raises(Failure, match="TAX_UNMATCHED"):
        tax_treatment(order, MATCHING, replace(EUROPEAN, tax_rates=rates))


@pytest.mark.parametrize("sold", [item("12.00"), tax_inclusive_item("12.00", "2.00") | BY_AMAZON])
def test_item_without_tax_of_the_seller_is_not_matched(sold: dict[str, Any]) -> None:
    with pytest.raises(Failure, match="TAX_UNMAPPED"):
        tax_treatment(parsed_order(sold), MATCHING, EUROPEAN)


def test_rules_decide_before_matching() -> None:
    policy = TaxPolicy((TaxRule("RROUTPUT", LineAmountTypes.INCLUSIVE),), TaxMode.MATCHING)
    found = tax_treatment(parsed_order(tax_inclusive_item("12.00", "2.00")), policy, EUROPEAN)

    assert list(found.tax_types.values()) == ["RROUTPUT"]


def test_nothing_is_matched_unless_the_settings_ask_for_it() -> None:
    with pytest.raises(Failure, match="TAX_UNMAPPED"):
        tax_treatment(parsed_order(tax_inclusive_item("12.00", "2.00")), TaxPolicy(()), EUROPEAN)
