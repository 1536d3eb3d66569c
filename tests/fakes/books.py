"""An organisation and a posting policy for tests, small enough to check by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Account, Organisation, TaxRate
from amazon_to_xero.domain.planning.policy import AccountCodes, PostingPolicy
from amazon_to_xero.domain.tax.liability import AmazonTax
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule
from fakes.orders import CA, JP, UK, US


def rate(tax_type: str, percent: str, active: bool = True, on_revenue: bool = True) -> tuple[str, TaxRate]:
    return tax_type, TaxRate(tax_type, tax_type, Decimal(percent), active, on_revenue)


INCOME = ("200", "205", "206", "207", "208", "210")

ORGANISATION = Organisation(
    organisation_id="org",
    name="Tea Traders Ltd",
    base_currency="GBP",
    country="GB",
    time_zone="Europe/London",
    read_at=datetime(2026, 11, 1, tzinfo=UTC),
    accounts={
        "498": Account("a-498", "498", "Rounding", "EXPENSE", None, True, False, "ROUNDING"),
        **{code: Account(f"a-{code}", code, "Income", "REVENUE", None, True, False) for code in INCOME},
    },
    tax_rates=dict(
        [
            rate("OUTPUT2", "20"),
            rate("ZERORATEDOUTPUT", "0"),
            rate("TAX001", "5"),
            rate("INPUT2", "20", on_revenue=False),
            rate("OLD", "17.5", active=False),
        ]
    ),
    currencies=frozenset({"GBP", "USD", "CAD", "JPY"}),
)

POLICY = PostingPolicy(
    marketplaces=frozenset({UK, US, CA, JP}),
    accounts=AccountCodes(
        {
            Charge.ITEM: "200",
            Charge.SHIPPING: "205",
            Charge.GIFT_WRAP: "206",
            Charge.COD_FEE: "207",
            Charge.DELIVERY_TIP: "208",
        },
        "210",
    ),
    tax=TaxPolicy(
        (
            TaxRule("ZERORATEDOUTPUT", LineAmountTypes.INCLUSIVE, frozenset({UK}), responsible=Party.MARKETPLACE),
            TaxRule("ZERORATEDOUTPUT", LineAmountTypes.INCLUSIVE, frozenset({UK}), ship_to=frozenset({"FR"})),
            TaxRule("OUTPUT2", LineAmountTypes.INCLUSIVE, frozenset({UK})),
            TaxRule("NONE", LineAmountTypes.NO_TAX, frozenset({US}), responsible=Party.MARKETPLACE),
            TaxRule("NONE", LineAmountTypes.NO_TAX, frozenset({US, CA}), amazon_tax=AmazonTax.ZERO),
            TaxRule("TAX001", LineAmountTypes.EXCLUSIVE, frozenset({CA}), amazon_tax=AmazonTax.CHARGED),
            TaxRule("NONE", LineAmountTypes.NO_TAX, frozenset({JP})),
        )
    ),
)
