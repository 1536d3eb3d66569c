"""Which rule an item takes, what matching finds without one, and where Xero's tax is not Amazon's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order import Order, parse_order
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation, TaxRate
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.tax.countries import COUNTRIES, EU, countries_named_in
from amazon_to_xero.domain.tax.liability import AmazonTax, Party
from amazon_to_xero.domain.tax.rules import TaxMode, TaxPolicy, TaxRule, TaxTreatment, tax_treatment
from amazon_to_xero.domain.tax.variance import TaxVariance, tax_variances
from fakes.books import ORGANISATION
from fakes.orders import CA, UK, breakdown, item, order


def an_order(*items: dict[str, Any], region: str = "", **more: Any) -> Order:
    total = sum(Decimal(i["proceeds"]["proceedsTotal"]["amount"]) for i in items)
    raw = order(*items, grand_total=str(total), **more)
    raw["recipient"]["deliveryAddress"]["stateOrRegion"] = region
    return parse_order(raw)


def inside(gross: str, tax: str, **parts: str) -> dict[str, Any]:
    return item(gross, breakdown("ITEM", gross), breakdown("TAX", tax, **parts))


def on_top(net: str, tax: str, **more: Any) -> dict[str, Any]:
    total = str(Decimal(net) + Decimal(tax))
    return item(total, breakdown("ITEM", net), breakdown("TAX", tax), **more)


def scheme(name: str) -> dict[str, Any]:
    return item("9.00") | {"tax": {"taxCalculationBreakdowns": [{"reportingScheme": name}]}}


def books(*rates: tuple[str, str, str], country: str = "GB") -> Organisation:
    """Rates by (tax type, name, percent), active and usable on revenue."""
    made = {t: TaxRate(t, name, Decimal(percent), True, True) for t, name, percent in rates}
    return replace(ORGANISATION, country=country, tax_rates=made)


# --- rules ------------------------------------------------------------------------------------------------------------

RULE = TaxRule("NONE", LineAmountTypes.NO_TAX)
PLAIN = item("9.00")


@pytest.mark.parametrize(
    ("rule", "sold", "matches"),
    [
        (RULE, an_order(PLAIN), True),
        (replace(RULE, marketplaces=frozenset({UK})), an_order(PLAIN), True),
        (replace(RULE, marketplaces=frozenset({CA})), an_order(PLAIN), False),
        (replace(RULE, ship_to=frozenset({"GB", "FR"})), an_order(PLAIN), True),
        (replace(RULE, ship_to=frozenset({"FR"})), an_order(PLAIN), False),
        (replace(RULE, regions=frozenset({"ON", "Québec"})), an_order(PLAIN, region=" QUÉBEC "), True),
        (replace(RULE, regions=frozenset({" on"})), an_order(PLAIN, region="ON"), True),
        (replace(RULE, regions=frozenset({"ON"})), an_order(PLAIN, region="Ontario"), False),
        (replace(RULE, regions=frozenset({"ON"})), an_order(PLAIN), False),
        (replace(RULE, responsible=Party.SELLER), an_order(PLAIN), True),
        (replace(RULE, responsible=Party.MARKETPLACE), an_order(PLAIN), False),
        (replace(RULE, responsible=Party.MARKETPLACE), an_order(item("9.00", facilitator=True)), True),
        (replace(RULE, amazon_tax=AmazonTax.ZERO), an_order(PLAIN), True),
        (replace(RULE, amazon_tax=AmazonTax.CHARGED), an_order(PLAIN), False),
        (replace(RULE, scheme="UOSS"), an_order(scheme("UOSS")), True),
        (replace(RULE, scheme="UOSS"), an_order(scheme("IOSS")), False),
        (replace(RULE, scheme="UOSS"), an_order(PLAIN), False),
        (replace(RULE, business=True), an_order(PLAIN, programs=["PRIME", "AMAZON_BUSINESS"]), True),
        (replace(RULE, business=True), an_order(PLAIN, programs=["PRIME"]), False),
        (replace(RULE, business=False), an_order(PLAIN, programs=["AMAZON_BUSINESS"]), False),
        (replace(RULE, business=False), an_order(PLAIN), True),
        (replace(RULE, category="books"), an_order(item("9.00", sku="BOOK-7")), True),
        (replace(RULE, category="books"), an_order(item("9.00", sku="SKU-17")), True),
        (replace(RULE, category="books"), an_order(item("9.00", sku="book-7")), False),
        (replace(RULE, category="books"), an_order(item("9.00", sku="SKU-170")), False),
        (replace(RULE, category="food"), an_order(item("9.00", sku="BOOK-7")), False),
    ],
)
def test_a_rule_matches_where_each_of_its_conditions_does(rule: TaxRule, sold: Order, matches: bool) -> None:
    policy = TaxPolicy((rule,), categories={"books": ("BOOK-*", "SKU-17")})

    assert (policy.rule_for(sold, sold.items[0]) is rule) == matches


def test_the_first_rule_that_matches_wins() -> None:
    first, second = replace(RULE, ship_to=frozenset({"FR"})), RULE
    sold = an_order(PLAIN)

    assert TaxPolicy((first, second)).rule_for(sold, sold.items[0]) is second
    assert TaxPolicy((second, first)).rule_for(sold, sold.items[0]) is second


# --- matching ---------------------------------------------------------------------------------------------------------

MATCHING = TaxPolicy((), TaxMode.MATCHING)
EUROPEAN = books(
    ("OUTPUT2", "20% (VAT on Income)", "20"),
    ("RROUTPUT", "5% (VAT on Income)", "5"),
    ("ZERORATEDOUTPUT", "Zero Rated Income", "0"),
    ("TAX001", "France 20%", "20"),
    ("TAX002", "DE VAT 19%", "19"),
    ("TAX003", "German VAT reduced 7%", "7"),
    ("TAX004", "Irish VAT 23%", "23"),
    ("TAX005", "VAT Northern Ireland 23%", "23"),
    ("TAX006", "Spain 21% peninsula", "21"),
    ("TAX007", "Spain 21% islands", "21"),
)


@pytest.mark.parametrize(
    ("sold", "ship_to", "tax_type", "amounts"),
    [
        (inside("12.00", "2.00"), "GB", "OUTPUT2", LineAmountTypes.INCLUSIVE),
        (on_top("10.00", "2.00"), "GB", "OUTPUT2", LineAmountTypes.EXCLUSIVE),
        (inside("10.50", "0.50"), "GB", "RROUTPUT", LineAmountTypes.INCLUSIVE),
        (inside("12.00", "2.00"), "FR", "TAX001", LineAmountTypes.INCLUSIVE),
        (inside("9.99", "1.60"), "DE", "TAX002", LineAmountTypes.INCLUSIVE),  # 1.595…
        (inside("10.70", "0.70"), "DE", "TAX003", LineAmountTypes.INCLUSIVE),
        (inside("12.30", "2.30"), "IE", "TAX004", LineAmountTypes.INCLUSIVE),
    ],
)
def test_matching_takes_the_one_rate_of_the_destination_that_explains_the_tax(
    sold: dict[str, Any], ship_to: str, tax_type: str, amounts: LineAmountTypes
) -> None:
    found = tax_treatment(an_order(sold, ship_to=ship_to), MATCHING, EUROPEAN)

    assert (found.tax_types, found.amounts) == ({"10000000000001": tax_type}, amounts)


@pytest.mark.parametrize(
    ("sold", "ship_to", "says"),
    [
        (inside("12.10", "2.10"), "ES", "TAX006, TAX007 fit"),
        (inside("12.00", "2.01"), "FR", "no rate of the organisation fits"),
        (inside("12.00", "2.00"), "IT", "no rate of the organisation fits"),
        (inside("12.00", "2.00"), "", "to an unknown country"),
        (inside("12.00", "2.00"), "CH", "to CH"),
        (inside("0.10", "0.02"), "ES", "TAX006, TAX007 fit"),
    ],
)
def test_matching_never_chooses_between_rates_and_says_which_rule_to_write(
    sold: dict[str, Any], ship_to: str, says: str
) -> None:
    with pytest.raises(Failure) as caught:
        tax_treatment(an_order(sold, ship_to=ship_to), MATCHING, EUROPEAN)

    assert caught.value.reason == "TAX_UNMATCHED"
    assert says in caught.value.remedy
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
def test_what_a_rate_explains_is_bounded_by_half_a_cent_for_each_part_of_the_tax(
    tax: str, parts: dict[str, str], fits: bool
) -> None:
    sold = an_order(on_top("10.00", tax) if not parts else _in_parts(tax, parts))
    try:
        tax_treatment(sold, MATCHING, EUROPEAN)
    except Failure as refused:
        assert (refused.reason, fits) == ("TAX_UNMATCHED", False)
    else:
        assert fits


def _in_parts(tax: str, parts: dict[str, str]) -> dict[str, Any]:
    total = str(Decimal("10.00") + Decimal(tax))
    return item(total, breakdown("ITEM", "5.00"), breakdown("SHIPPING", "5.00"), breakdown("TAX", tax, **parts))


def test_of_yen_the_smallest_amount_is_one() -> None:
    japanese = books(("CT", "Consumption tax", "10"), country="JP")
    sold = item("1986", breakdown("ITEM", "1986", "JPY"), breakdown("TAX", "181", "JPY"), currency="JPY")

    found = tax_treatment(an_order(sold, currency="JPY", ship_to="JP"), MATCHING, japanese)

    assert list(found.tax_types.values()) == ["CT"]  # 180.54…


@pytest.mark.parametrize("unusable", [{"active": False}, {"on_revenue": False}])
def test_matching_looks_only_at_rates_that_sales_can_take(unusable: dict[str, bool]) -> None:
    rates = {**EUROPEAN.tax_rates, "TAX001": replace(EUROPEAN.tax_rates["TAX001"], **unusable)}
    with pytest.raises(Failure, match="TAX_UNMATCHED"):
        tax_treatment(an_order(inside("12.00", "2.00"), ship_to="FR"), MATCHING, replace(EUROPEAN, tax_rates=rates))


@pytest.mark.parametrize("sold", [item("12.00"), item("12.00", facilitator=True)])
def test_where_amazon_says_no_tax_or_keeps_it_there_is_nothing_to_match(sold: dict[str, Any]) -> None:
    with pytest.raises(Failure, match="TAX_UNMAPPED"):
        tax_treatment(an_order(sold), MATCHING, EUROPEAN)


def test_rules_go_before_matching() -> None:
    policy = TaxPolicy((TaxRule("RROUTPUT", LineAmountTypes.INCLUSIVE),), TaxMode.MATCHING)

    assert list(tax_treatment(an_order(inside("12.00", "2.00")), policy, EUROPEAN).tax_types.values()) == ["RROUTPUT"]


def test_without_matching_nothing_is_matched() -> None:
    with pytest.raises(Failure, match="TAX_UNMAPPED"):
        tax_treatment(an_order(inside("12.00", "2.00")), TaxPolicy(()), EUROPEAN)


# --- countries in names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "countries"),
    [
        ("20% (VAT on Income)", set()),
        ("Zero rated income, it may be at or in use", set()),
        ("DE VAT 19%", {"DE"}),
        ("germany 19%", {"DE"}),
        ("German VAT (OSS) 19%", {"DE"}),
        ("VAT IE 23%", {"IE"}),
        ("Northern Ireland", set()),
        ("New Mexico 5%", set()),
        ("GST New Zealand", {"NZ"}),
        ("UK to Germany", {"GB", "DE"}),
        ("EL 24%", {"GR"}),
        ("Indiana, Romania", {"RO"}),
        ("Japanese 10%", {"JP"}),
    ],
)
def test_a_rate_names_a_country_by_code_or_in_english(name: str, countries: set[str]) -> None:
    assert countries_named_in(name) == countries


def test_every_marketplace_and_every_member_of_the_eu_has_a_name() -> None:
    assert {m.country for m in MARKETPLACES.values()} | EU <= COUNTRIES
    assert len(EU) == 27


# --- drift ------------------------------------------------------------------------------------------------------------


def drift(sold: Order, tax_type: str, amounts: LineAmountTypes) -> tuple[TaxVariance, ...]:
    return tax_variances(sold, TaxTreatment(amounts, {i.item_id: tax_type for i in sold.items}), EUROPEAN)


def test_a_rate_that_is_not_amazon_s_shows_although_the_total_is_right() -> None:
    sold = an_order(inside("11.90", "1.90"))

    assert drift(sold, "OUTPUT2", LineAmountTypes.INCLUSIVE) == (
        TaxVariance("10000000000001", "OUTPUT2", Decimal(20), Decimal("19.00"), Decimal("1.98"), Decimal("1.90")),
    )
    assert drift(sold, "TAX002", LineAmountTypes.INCLUSIVE) == ()


def test_tax_that_is_booked_without_tax_is_drift_too() -> None:
    (found,) = drift(an_order(inside("12.00", "2.00")), "NONE", LineAmountTypes.NO_TAX)

    assert (found.rate, found.tax_in_xero, found.tax_at_amazon) == (0, 0, Decimal("2.00"))


@pytest.mark.parametrize(
    ("sold", "differs"),
    [
        (on_top("10.00", "2.01"), False),  # a cent on one line
        (on_top("10.00", "2.02"), True),
        (_in_parts("2.02", {"ITEM": "1.01", "SHIPPING": "1.01"}), False),  # a cent on each of two lines
        (_in_parts("2.03", {"ITEM": "1.02", "SHIPPING": "1.01"}), True),
        (item("12.00"), False),  # Amazon says nothing of tax
        (on_top("10.00", "9.00", facilitator=True), False),  # not the seller's
    ],
)
def test_cents_of_rounding_are_no_drift(sold: dict[str, Any], differs: bool) -> None:
    assert bool(drift(an_order(sold), "OUTPUT2", LineAmountTypes.EXCLUSIVE)) == differs
