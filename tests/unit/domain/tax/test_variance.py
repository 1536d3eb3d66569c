"""Where Xero computes another tax on an item than Amazon charged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.tax.rules import TaxTreatment
from amazon_to_xero.domain.tax.variance import TaxVariance, tax_variances
from fakes.orders import item
from unit.domain.parsed_orders import parsed_order
from unit.domain.tax.taxed_items import EUROPEAN, item_with_shipping, tax_exclusive_item, tax_inclusive_item


def variances(sold: dict[str, Any], tax_type: str, amounts: LineAmountTypes) -> tuple[TaxVariance, ...]:
    order = parsed_order(sold)
    by_marketplace = frozenset(each.item_id for each in order.items if each.collections)
    taxes = TaxTreatment(amounts, {each.item_id: tax_type for each in order.items}, by_marketplace)
    return tax_variances(order, taxes, EUROPEAN)


def test_wrong_rate_is_a_variance_although_the_totals_agree() -> None:
    sold = tax_inclusive_item("11.90", "1.90")

    assert variances(sold, "OUTPUT2", LineAmountTypes.INCLUSIVE) == (
        TaxVariance(
            "10000000000001", "OUTPUT2", Decimal(20), Decimal("19.00"), Decimal("1.98"), Decimal("1.90"), "GBP"
        ),
    )
    assert variances(sold, "TAX002", LineAmountTypes.INCLUSIVE) == ()


def test_tax_of_amazon_on_an_item_without_tax_in_xero_is_a_variance() -> None:
    (found,) = variances(tax_inclusive_item("12.00", "2.00"), "NONE", LineAmountTypes.NO_TAX)

    assert (found.rate, found.tax_in_xero, found.tax_at_amazon) == (Decimal(0), Decimal(0), Decimal("2.00"))


@pytest.mark.parametrize(
    ("sold", "is_variance"),
    [
        (tax_exclusive_item("10.00", "2.01"), False),  # a cent on one line
        (tax_exclusive_item("10.00", "2.02"), True),
        (item_with_shipping("2.02", {"ITEM": "1.01", "SHIPPING": "1.01"}), False),  # a cent on each of two lines
        (item_with_shipping("2.03", {"ITEM": "1.02", "SHIPPING": "1.01"}), True),
        (item("12.00"), False),  # Amazon states no tax
        (tax_exclusive_item("10.00", "9.00", facilitator=True), False),  # the marketplace owes it
    ],
)
def test_cent_of_rounding_per_line_is_no_variance(sold: dict[str, Any], is_variance: bool) -> None:
    assert bool(variances(sold, "OUTPUT2", LineAmountTypes.EXCLUSIVE)) == is_variance
