"""Cases of sales by country and tax, from Amazon's amounts to Xero's lines and total."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation, TaxRate
from amazon_to_xero.domain.failures import Failure, NotInvoicedReason
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale, sales
from amazon_to_xero.domain.tax.liability import AmazonTax
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule
from fakes.books import ORGANISATION, POLICY
from fakes.orders import CA, JP, UK, US, breakdown, item, order

DE = "A1PA6795UKMFR9"
AU = "A39IBJ37TRP1C6"


def organisation(country: str, time_zone: str, **percents: str) -> Organisation:
    rates = {t: TaxRate(t, t.replace("_", " "), Decimal(p), active=True, on_revenue=True) for t, p in percents.items()}
    currencies = frozenset({"GBP", "EUR", "USD", "CAD", "AUD", "JPY"})
    return replace(ORGANISATION, country=country, time_zone=time_zone, tax_rates=rates, currencies=currencies)


BRITISH = organisation("GB", "Europe/London", OUTPUT2="20", ZERORATEDOUTPUT="0", US_10="10", GST_5="5", HST_13="13")
GERMAN = organisation("DE", "Europe/Berlin", OUTPUT="19", REDUCED="7", FR_20="20", INTRA="0", EXPORT="0", IOSS="0")
AUSTRALIAN = organisation("AU", "Australia/Sydney", OUTPUT="10", EXEMPTOUTPUT="0", EXEMPTEXPORT="0")
NEW_ZEALAND = organisation("NZ", "Pacific/Auckland", OUTPUT2="15", ZERORATED="0")
JAPANESE = organisation("JP", "Asia/Tokyo", CT_10="10")

EUROPEANS = frozenset({"FR", "IT", "ES"})
MARKETPLACE, SELLER = Party.MARKETPLACE, Party.SELLER
INCLUSIVE, EXCLUSIVE, NO_TAX = LineAmountTypes.INCLUSIVE, LineAmountTypes.EXCLUSIVE, LineAmountTypes.NO_TAX

UK_RULES = (
    TaxRule("ZERORATEDOUTPUT", INCLUSIVE, responsible=MARKETPLACE),
    TaxRule("OUTPUT2", INCLUSIVE, ship_to=frozenset({"GB"})),
    TaxRule("ZERORATEDOUTPUT", INCLUSIVE, ship_to=frozenset({"FR", "US"})),
)
US_RULES = (
    TaxRule("NONE", NO_TAX, responsible=MARKETPLACE),
    TaxRule("NONE", NO_TAX, amazon_tax=AmazonTax.ZERO),
    TaxRule("US_10", EXCLUSIVE, ship_to=frozenset({"US"}), regions=frozenset({"washington", "WA"})),
)
EU_RULES = (
    TaxRule("NONE", NO_TAX, responsible=MARKETPLACE),
    TaxRule("FR_20", INCLUSIVE, ship_to=frozenset({"FR"}), scheme="UOSS"),
    TaxRule("INTRA", INCLUSIVE, ship_to=EUROPEANS, business=True),
    TaxRule("REDUCED", INCLUSIVE, ship_to=frozenset({"DE"}), category="books"),
    TaxRule("OUTPUT", INCLUSIVE, ship_to=frozenset({"DE"})),
    TaxRule("EXPORT", INCLUSIVE, ship_to=frozenset({"GB", "US"})),
)
AU_RULES = (
    TaxRule("EXEMPTOUTPUT", INCLUSIVE, responsible=MARKETPLACE),
    TaxRule("OUTPUT", INCLUSIVE, ship_to=frozenset({"AU"})),
    TaxRule("EXEMPTEXPORT", INCLUSIVE, ship_to=frozenset({"NZ"})),
)
AU_EXCLUSIVE_RULES = (TaxRule("EXEMPTOUTPUT", EXCLUSIVE, responsible=MARKETPLACE), TaxRule("OUTPUT", EXCLUSIVE))
NZ_RULES = (
    TaxRule("ZERORATED", INCLUSIVE, responsible=MARKETPLACE),
    TaxRule("OUTPUT2", INCLUSIVE, ship_to=frozenset({"NZ"})),
)
CA_RULES = (
    TaxRule("NONE", NO_TAX, responsible=MARKETPLACE),
    TaxRule("HST_13", EXCLUSIVE, regions=frozenset({"ON"}), amazon_tax=AmazonTax.CHARGED),
    TaxRule("GST_5", EXCLUSIVE, amazon_tax=AmazonTax.CHARGED),
    TaxRule("NONE", NO_TAX),
)
JP_RULES = (TaxRule("CT_10", INCLUSIVE),)


def sold(
    amounts: str,
    *,
    tax_by: str = "",
    scheme: str = "",
    currency: str = "GBP",
    **more: Any,
) -> dict[str, Any]:
    """Return an item from "ITEM 12.00, DISCOUNT -3.00 (ITEM -2.00 SHIPPING -1.00) = 9.00".

    tax_by: "marketplace" where Amazon collects the tax.
    """
    parts, _, stated = amounts.partition(" = ")
    breakdowns = []
    for part in parts.split(", "):
        head, _, detail = part.partition(" (")
        kind, value = head.split()
        words = detail.rstrip(")").split()
        breakdowns.append(breakdown(kind, value, currency, **dict(zip(words[::2], words[1::2], strict=True))))
    made = item(stated, *breakdowns, currency=currency, facilitator=tax_by == "marketplace", **more)
    if scheme:
        made["tax"] = made.get("tax", {}) | {"taxCalculationBreakdowns": [{"reportingScheme": scheme}]}
    return made


@dataclass(frozen=True)
class Case:
    """One case.

    books: the organisation.
    lines: each as "quantity × unit account tax type", with its tax where it states Amazon's.
    reason: why there are none: a FailureCode or a NotInvoicedReason.
    """

    name: str
    books: Organisation
    rules: tuple[TaxRule, ...]
    items: list[dict[str, Any]]
    grand_total: str | None
    lines: list[str] = field(default_factory=list)
    amounts: LineAmountTypes = INCLUSIVE
    total: str = ""
    reason: str = ""
    marketplace: str = UK
    currency: str = "GBP"
    ship_to: str = "GB"
    region: str = ""
    status: str = "SHIPPED"
    more: dict[str, Any] = field(default_factory=dict)


TO_US: dict[str, Any] = {"marketplace": US, "currency": "USD", "ship_to": "US"}
TO_DE: dict[str, Any] = {"marketplace": DE, "currency": "EUR", "ship_to": "DE"}
TO_FR: dict[str, Any] = TO_DE | {"ship_to": "FR"}
TO_AU: dict[str, Any] = {"marketplace": AU, "currency": "AUD", "ship_to": "AU"}
TO_CA: dict[str, Any] = {"marketplace": CA, "currency": "CAD", "ship_to": "CA"}
TO_JP: dict[str, Any] = {"marketplace": JP, "currency": "JPY", "ship_to": "JP"}
BUSINESS = {"programs": ["AMAZON_BUSINESS"]}

# fmt: off
CASES = [
    # --- US: Amazon collects and remits; few sellers collect themselves
    Case("US: tax remitted by Amazon is not booked", BRITISH, US_RULES,
         [sold("ITEM 39.99, TAX 10.00 = 49.99", tax_by="marketplace", currency="USD")], "49.99",
         ["1 × 39.99 200 NONE"], NO_TAX, "39.99", **TO_US),
    Case("US: tax remitted by Amazon, with shipping and promotions", BRITISH, US_RULES,
         [sold("ITEM 40.00, SHIPPING 5.00, DISCOUNT -6.00 (ITEM -1.00 SHIPPING -5.00), TAX 3.90 = 42.90",
               tax_by="marketplace", currency="USD")], "42.90",
         ["1 × 40 200 NONE", "1 × 5 205 NONE", "1 × -1 210 NONE", "1 × -5 210 NONE"], NO_TAX, "39.00", **TO_US),
    Case("US: no tax at all", BRITISH, US_RULES, [sold("ITEM 20.00 = 20.00", currency="USD")], "20.00",
         ["1 × 20 200 NONE"], NO_TAX, "20.00", **TO_US),
    Case("US: tax the seller collects, by state", BRITISH, US_RULES,
         [sold("ITEM 20.00, TAX 2.00 = 22.00", currency="USD")], "22.00",
         ["1 × 20 200 US_10"], EXCLUSIVE, "22.00", region=" Washington", **TO_US),
    Case("US: tax the seller collects, in a state without a rule", BRITISH, US_RULES,
         [sold("ITEM 20.00, TAX 2.00 = 22.00", currency="USD")], "22.00",
         reason="TAX_UNMAPPED", region="OR", **TO_US),
    # --- UK: prices include VAT
    Case("UK: the seller owes 20 %", BRITISH, UK_RULES, [sold("ITEM 12.00 = 12.00")], "12.00",
         ["1 × 12 200 OUTPUT2"], INCLUSIVE, "12.00"),
    Case("UK: quantity, shipping, gift wrap, promotions", BRITISH, UK_RULES,
         [sold("ITEM 36.00, SHIPPING 4.00, GIFT_WRAP 2.00, DISCOUNT 7.00 (ITEM 3.00 SHIPPING 4.00) = 35.00",
               quantity=3)], "35.00",
         ["3 × 12 200 OUTPUT2", "1 × 4 205 OUTPUT2", "1 × 2 206 OUTPUT2", "1 × -3 210 OUTPUT2", "1 × -4 210 OUTPUT2"],
         INCLUSIVE, "35.00"),
    Case("UK: deemed supplier, VAT inside the price", BRITISH, UK_RULES,
         [sold("ITEM 24.00, SHIPPING 6.00, TAX 5.00 (ITEM 4.00 SHIPPING 1.00) = 30.00", tax_by="marketplace")], "30.00",
         ["1 × 20 200 ZERORATEDOUTPUT", "1 × 5 205 ZERORATEDOUTPUT"], INCLUSIVE, "25.00"),
    Case("UK: deemed supplier, VAT inside, a promotion and its tax", BRITISH, UK_RULES,
         [sold("ITEM 24.00, DISCOUNT -6.00, TAX 3.00 (ITEM 4.00 DISCOUNT -1.00) = 18.00", tax_by="marketplace")],
         "18.00",
         ["1 × 20 200 ZERORATEDOUTPUT", "1 × -5 210 ZERORATEDOUTPUT"], INCLUSIVE, "15.00"),
    Case("UK: deemed supplier, VAT in addition", BRITISH, UK_RULES,
         [sold("ITEM 20.00, TAX 4.00 = 24.00", tax_by="marketplace")], "24.00",
         ["1 × 20 200 ZERORATEDOUTPUT"], INCLUSIVE, "20.00"),
    Case("UK: deemed supplier under a rule with VAT", BRITISH, (TaxRule("OUTPUT2", INCLUSIVE),),
         [sold("ITEM 24.00, TAX 4.00 = 24.00", tax_by="marketplace")], "24.00", reason="TAX_OWED_BY_MARKETPLACE"),
    Case("UK: export", BRITISH, UK_RULES, [sold("ITEM 10.00 = 10.00")], "10.00",
         ["1 × 10 200 ZERORATEDOUTPUT"], INCLUSIVE, "10.00", ship_to="FR"),
    Case("UK: destination unknown", BRITISH, UK_RULES, [sold("ITEM 10.00 = 10.00")], "10.00",
         reason="TAX_UNMAPPED", ship_to=""),
    # --- EU
    Case("EU: domestic", GERMAN, EU_RULES, [sold("ITEM 11.90 = 11.90", currency="EUR")], "11.90",
         ["1 × 11.9 200 OUTPUT"], INCLUSIVE, "11.90", **TO_DE),
    Case("EU: VAT stated inside the price", GERMAN, EU_RULES,
         [sold("ITEM 11.90, TAX 1.90 = 11.90", currency="EUR")], "11.90",
         ["1 × 11.9 200 OUTPUT"], INCLUSIVE, "11.90", **TO_DE),
    Case("EU: a category at the reduced rate beside the standard one", GERMAN, EU_RULES,
         [sold("ITEM 10.70 = 10.70", currency="EUR", sku="BOOK-1", item_id="1"),
          sold("ITEM 11.90 = 11.90", currency="EUR", item_id="2")], "22.60",
         ["1 × 10.7 200 REDUCED", "1 × 11.9 200 OUTPUT"], INCLUSIVE, "22.60", **TO_DE),
    Case("EU: one-stop shop, the destination's rate", GERMAN, EU_RULES,
         [sold("ITEM 12.00 = 12.00", currency="EUR", scheme="UOSS")], "12.00",
         ["1 × 12 200 FR_20"], INCLUSIVE, "12.00", **TO_FR),
    Case("EU: to a business in another country", GERMAN, EU_RULES, [sold("ITEM 10.00 = 10.00", currency="EUR")],
         "10.00", ["1 × 10 200 INTRA"], INCLUSIVE, "10.00", more=BUSINESS, **TO_FR),
    Case("EU: to a business without a VAT number, under the one-stop shop", GERMAN, EU_RULES,
         [sold("ITEM 12.00 = 12.00", currency="EUR", scheme="UOSS")], "12.00",
         ["1 × 12 200 FR_20"], INCLUSIVE, "12.00", more=BUSINESS, **TO_FR),
    Case("EU: to a business at home", GERMAN, EU_RULES,
         [sold("ITEM 11.90 = 11.90", currency="EUR")], "11.90",
         ["1 × 11.9 200 OUTPUT"], INCLUSIVE, "11.90", more=BUSINESS, **TO_DE),
    Case("EU: distance sale outside the one-stop shop has no rule", GERMAN, EU_RULES,
         [sold("ITEM 12.00 = 12.00", currency="EUR")], "12.00", reason="TAX_UNMAPPED", **TO_FR),
    Case("EU: export", GERMAN, EU_RULES, [sold("ITEM 10.00 = 10.00", currency="EUR")], "10.00",
         ["1 × 10 200 EXPORT"], INCLUSIVE, "10.00", **TO_DE | {"ship_to": "GB"}),
    Case("EU: IOSS, Amazon's VAT inside the price", GERMAN, EU_RULES,
         [sold("ITEM 12.00, TAX 2.00 = 12.00", tax_by="marketplace", scheme="IOSS", currency="EUR")], "12.00",
         ["1 × 10 200 NONE"], NO_TAX, "10.00", **TO_FR),
    Case("EU: invoiced by Amazon for the seller", GERMAN, EU_RULES,
         [sold("ITEM 11.90 = 11.90", currency="EUR")], "11.90",
         ["1 × 11.9 200 OUTPUT"], INCLUSIVE, "11.90", more={"programs": ["INVOICE_BY_AMAZON"]}, **TO_DE),
    # --- AU, NZ
    Case("AU: the seller owes GST, inside the price", AUSTRALIAN, AU_RULES,
         [sold("ITEM 11.00, TAX 1.00 = 11.00", currency="AUD")], "11.00",
         ["1 × 11 200 OUTPUT"], INCLUSIVE, "11.00", **TO_AU),
    Case("AU: GST in addition to principal and shipping, less that of a promotion", AUSTRALIAN, AU_EXCLUSIVE_RULES,
         [sold("ITEM 20.00, SHIPPING 5.00, DISCOUNT -5.00 (SHIPPING -5.00), "
               "TAX 2.00 (ITEM 2.00 SHIPPING 0.50 DISCOUNT -0.50) = 22.00", currency="AUD")], "22.00",
         ["1 × 20 200 OUTPUT", "1 × 5 205 OUTPUT", "1 × -5 210 OUTPUT"], EXCLUSIVE, "22.00", **TO_AU),
    Case("AU: low-value imported goods, Amazon's GST", AUSTRALIAN, AU_RULES,
         [sold("ITEM 20.00, SHIPPING 5.00, TAX 2.50 (ITEM 2.00 SHIPPING 0.50) = 27.50", tax_by="marketplace",
               currency="AUD")], "27.50",
         ["1 × 20 200 EXEMPTOUTPUT", "1 × 5 205 EXEMPTOUTPUT"], INCLUSIVE, "25.00", **TO_AU),
    Case("AU: an item with the seller's GST beside one with Amazon's", AUSTRALIAN, AU_EXCLUSIVE_RULES,
         [sold("ITEM 20.00, TAX 2.00 = 22.00", currency="AUD", item_id="1"),
          sold("ITEM 30.00, TAX 3.00 = 33.00", tax_by="marketplace", currency="AUD", item_id="2")], "55.00",
         ["1 × 20 200 OUTPUT", "1 × 30 200 EXEMPTOUTPUT"], EXCLUSIVE, "52.00", **TO_AU),
    Case("AU: export", AUSTRALIAN, AU_RULES, [sold("ITEM 20.00 = 20.00", currency="AUD")], "20.00",
         ["1 × 20 200 EXEMPTEXPORT"], INCLUSIVE, "20.00", **TO_AU | {"ship_to": "NZ"}),
    Case("NZ: the seller owes GST of 15 %", NEW_ZEALAND, NZ_RULES, [sold("ITEM 11.50 = 11.50", currency="AUD")],
         "11.50", ["1 × 11.5 200 OUTPUT2"], INCLUSIVE, "11.50", **TO_AU | {"ship_to": "NZ"}),
    Case("NZ: GST collected by Amazon", NEW_ZEALAND, NZ_RULES,
         [sold("ITEM 11.50, TAX 1.50 = 11.50", tax_by="marketplace", currency="AUD")], "11.50",
         ["1 × 10 200 ZERORATED"], INCLUSIVE, "10.00", **TO_AU | {"ship_to": "NZ"}),
    # --- CA
    Case("CA: the seller remits HST in Ontario", BRITISH, CA_RULES,
         [sold("ITEM 100.00, TAX 13.00 = 113.00", currency="CAD")], "113.00",
         ["1 × 100 200 HST_13"], EXCLUSIVE, "113.00", region="on", **TO_CA),
    Case("CA: the seller remits GST elsewhere", BRITISH, CA_RULES,
         [sold("ITEM 100.00, TAX 5.00 = 105.00", currency="CAD")], "105.00",
         ["1 × 100 200 GST_5"], EXCLUSIVE, "105.00", region="AB", **TO_CA),
    Case("CA: Amazon remits", BRITISH, CA_RULES,
         [sold("ITEM 100.00, TAX 12.00 = 112.00", tax_by="marketplace", currency="CAD")], "112.00",
         ["1 × 100 200 NONE"], NO_TAX, "100.00", region="BC", **TO_CA),
    Case("CA: a rate that is not Amazon's", BRITISH, CA_RULES,
         [sold("ITEM 100.00, TAX 15.00 = 115.00", currency="CAD")], "115.00",
         reason="TAX_DIFFERS", region="ON", **TO_CA),
    # --- JP and others
    Case("JP: yen, cash on delivery", JAPANESE, JP_RULES,
         [sold("ITEM 1980, COD_FEE 330 = 2310", currency="JPY")], "2310",
         ["1 × 1980 200 CT_10", "1 × 330 207 CT_10"], INCLUSIVE, "2310", **TO_JP),
    # --- other cases
    Case("a currency the organisation does not use", replace(BRITISH, currencies=frozenset({"GBP"})), US_RULES,
         [sold("ITEM 20.00 = 20.00", currency="USD")], "20.00", reason="CURRENCY_NOT_SUBSCRIBED", **TO_US),
    Case("pending: no price yet", BRITISH, UK_RULES, [sold("ITEM 0.00 = 0.00")], None,
         reason="ORDER_PENDING", status="PENDING"),
    Case("cancelled", BRITISH, UK_RULES, [sold("ITEM 12.00 = 12.00")], "12.00",
         reason="ORDER_CANCELLED", status="CANCELLED"),
    Case("replacement", BRITISH, UK_RULES, [sold("ITEM 0.00 = 0.00")], "0.00", reason="REPLACEMENT",
         more={"associatedOrders": [{"orderId": "026-1", "associationType": "REPLACEMENT_ORIGINAL_ID"}]}),
    Case("multi-channel", BRITISH, UK_RULES, [sold("ITEM 0.00 = 0.00")], None, reason="MULTI_CHANNEL",
         more={"salesChannel": {"channelName": "NON_AMAZON"}, "orderId": "S01-0000001-0000001"}),
    Case("zero total (Vine)", BRITISH, UK_RULES, [sold("ITEM 9.00, DISCOUNT -9.00 = 0.00")], "0.00",
         reason="ZERO_VALUE"),
    Case("partly shipped, invoiced as a whole", BRITISH, UK_RULES, [sold("ITEM 24.00 = 24.00", quantity=2)], "24.00",
         ["2 × 12 200 OUTPUT2"], INCLUSIVE, "24.00", status="PARTIALLY_SHIPPED"),
    Case("business, paid by invoice later", BRITISH, UK_RULES, [sold("ITEM 12.00 = 12.00")], "12.00",
         ["1 × 12 200 OUTPUT2"], INCLUSIVE, "12.00", more=BUSINESS),
    Case("rounding: a unit price that is not exact in four decimals", BRITISH, UK_RULES,
         [sold("ITEM 10.00 = 10.00", quantity=3)], "10.00", ["1 × 10 200 OUTPUT2"], INCLUSIVE, "10.00"),
    Case("rounding: a cent that Amazon rounds otherwise than Xero", BRITISH, CA_RULES,
         [sold("ITEM 10.10, TAX 0.50 = 10.60", currency="CAD")], "10.60",
         ["1 × 10.1 200 GST_5 tax 0.5"], EXCLUSIVE, "10.60", region="AB", **TO_CA),
    Case("rounding: thousandths that make whole cents", BRITISH, UK_RULES,
         [sold("ITEM 1.005, SHIPPING 1.005 = 2.010")], "2.010",
         ["1 × 1.01 200 OUTPUT2", "1 × 1.01 205 OUTPUT2", "1 × -0.01 498 NONE"], INCLUSIVE, "2.01"),
    Case("rounding: a total of thousandths", BRITISH, UK_RULES, [sold("ITEM 1.005 = 1.005")], "1.005",
         reason="TOO_MANY_DECIMALS"),
]
# fmt: on


def outcome_of(case: Case) -> list[Sale] | NotInvoiced | NotPriced:
    policy = replace(
        POLICY,
        marketplaces=frozenset({UK, US, CA, JP, DE, AU}),
        tax=TaxPolicy(case.rules, categories=SkuCategories({"books": ("BOOK-*",)})),
    )
    raw = order(
        *case.items,
        grand_total=case.grand_total,
        status=case.status,
        marketplace=case.marketplace,
        currency=case.currency,
        ship_to=case.ship_to,
        **case.more,
    )
    raw["recipient"]["deliveryAddress"]["stateOrRegion"] = case.region
    return sales(parse_order(raw), (), policy, case.books)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sale_has_the_expected_lines_or_the_order_has_none_for_the_expected_reason(case: Case) -> None:
    if case.reason:
        try:
            outcome = outcome_of(case)
        except Failure as failure:
            assert failure.code == case.reason
        else:
            assert outcome == NotInvoiced(NotInvoicedReason(case.reason))
        return

    outcome = outcome_of(case)

    assert isinstance(outcome, list)
    (sale,) = outcome
    stated = ["" if line.tax is None else f" tax {line.tax}" for line in sale.lines]
    lines = [f"{line.quantity} × {line.unit} {line.account} {line.tax_type}" for line in sale.lines]
    assert [f"{line}{tax}" for line, tax in zip(lines, stated, strict=True)] == case.lines
    assert (sale.amounts, sale.currency) == (case.amounts, case.currency)
    assert sale.total == Decimal(case.total)
