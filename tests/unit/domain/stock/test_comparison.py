"""What a reconciliation of stock finds about one item, and what it suggests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.stock import StockQuantities
from amazon_to_xero.domain.stock.amazon_items import amazon_items
from amazon_to_xero.domain.stock.comparison import (
    AmazonItem,
    AmazonUnits,
    Baseline,
    Comparison,
    StockFinding,
    compare,
    pending_units,
    units_of,
)
from amazon_to_xero.domain.stock.correction import correction_of
from amazon_to_xero.domain.stock.items import XeroItem
from fakes.reconciliation import BUNDLES, LONG_SKU, RECONCILED, at_amazon, tracked
from fakes.stock import minute, stated

F = StockFinding


def compared(
    amazon: AmazonItem | None, xero: XeroItem | None, baseline: int | None = None, pending: int = 0
) -> Comparison:
    """Compare with Xero's quantity at the last reconciliation."""
    before = None if baseline is None else Baseline(minute(0), Decimal(baseline), Decimal(pending))
    return compare(amazon, xero, before, RECONCILED)


def of(result: Comparison, *names: str) -> list[object]:
    return [getattr(result, name) for name in names]


def test_every_kind_of_unit_at_amazon_belongs_to_the_seller() -> None:
    amazon = at_amazon(70, reserved=5, inbound=10, researching=2, unsellable=13, customer_damaged=4)

    result = compared(amazon, tracked(quantity=100))

    assert of(result, "finding", "gap", "difference") == [F.AGREES, 0, 0]


def test_units_sold_since_the_last_reconciliation_explain_the_gap() -> None:
    result = compared(at_amazon(88, sold=12), tracked(quantity=100), baseline=100)

    assert of(result, "finding", "gap", "pending", "difference") == [F.EXPLAINED, -12, -12, 0]
    assert not result.is_open


def test_lost_units_are_the_difference_that_sales_do_not_explain() -> None:
    result = compared(at_amazon(86, sold=12), tracked(quantity=100), baseline=100)

    assert of(result, "finding", "difference") == [F.FEWER_AT_AMAZON, -2]
    assert result.is_open


def test_sales_that_xero_holds_already_do_not_explain_a_gap_again() -> None:
    # All 12 were entered in Xero, and two units are lost.
    result = compared(at_amazon(86, sold=12), tracked(quantity=88), baseline=100)

    assert of(result, "pending", "difference") == [0, -2]


def test_sales_that_were_entered_in_part_explain_the_rest() -> None:
    result = compared(at_amazon(83, sold=17), tracked(quantity=88), baseline=100)

    assert of(result, "finding", "pending", "difference") == [F.EXPLAINED, -5, 0]


def test_sales_of_earlier_weeks_that_are_still_not_entered_explain_a_gap() -> None:
    result = compared(at_amazon(80, sold=8), tracked(quantity=100), baseline=100, pending=-12)

    assert of(result, "finding", "pending") == [F.EXPLAINED, -20]


def test_agreement_is_never_a_difference_whatever_moved() -> None:
    result = compared(at_amazon(138, sold=12), tracked(quantity=138), baseline=100, pending=-3)

    assert of(result, "finding", "pending") == [F.AGREES, 0]


def test_purchase_and_sales_entered_together_leave_only_what_is_lost() -> None:
    # 50 bought and sent to Amazon, 12 sold, both entered; 2 lost.
    result = compared(at_amazon(136, sold=12), tracked(quantity=138), baseline=100)

    assert result.difference == -2


@pytest.mark.parametrize(
    ("amazon", "finding"),
    [
        (at_amazon(100, inbound=40), F.INBOUND_NOT_IN_XERO),
        (at_amazon(100, unsellable=3, researching=1), F.UNSELLABLE_NOT_IN_XERO),
        (at_amazon(104), F.MORE_AT_AMAZON),
        (at_amazon(96), F.FEWER_AT_AMAZON),
    ],
)
def test_reason_is_the_kind_of_units_that_the_difference_may_be(amazon: AmazonItem, finding: StockFinding) -> None:
    assert compared(amazon, tracked(quantity=100)).finding is finding


def test_refunded_units_that_did_not_come_back_are_awaited() -> None:
    # Two were refunded and entered in Xero as returned; Amazon has not received them.
    result = compared(at_amazon(98, refunded=2), tracked(quantity=100), baseline=98)

    assert of(result, "finding", "difference") == [F.RETURN_AWAITED, -2]


def test_difference_within_the_tolerance_needs_nobody() -> None:
    policy = replace(RECONCILED, tolerance_units=1, tolerance_percent=2)

    findings = [compare(at_amazon(units), tracked(quantity=100), None, policy).finding for units in (98, 97, 103)]

    assert findings == [F.WITHIN_TOLERANCE, F.FEWER_AT_AMAZON, F.MORE_AT_AMAZON]


@pytest.mark.parametrize(
    ("amazon", "xero", "finding", "is_open"),
    [
        (at_amazon(5), None, F.UNKNOWN_TO_XERO, True),
        (at_amazon(0), None, F.UNKNOWN_TO_XERO, False),
        (at_amazon(5, code=LONG_SKU), None, F.CODE_TOO_LONG, True),
        (at_amazon(5), XeroItem("MUG-RED"), F.NOT_TRACKED_IN_XERO, True),
        (None, tracked(quantity=7), F.UNKNOWN_TO_AMAZON, True),
        (None, tracked(quantity=0), F.UNKNOWN_TO_AMAZON, False),
    ],
)
def test_item_that_one_side_does_not_know_is_listed_and_open_if_there_are_units(
    amazon: AmazonItem | None, xero: XeroItem | None, finding: StockFinding, is_open: bool
) -> None:
    result = compared(amazon, xero)

    assert of(result, "finding", "is_open", "gap") == [finding, is_open, None]
    assert correction_of(result, "GBP").text


def test_units_that_amazon_does_not_state_are_not_taken_for_zero() -> None:
    assert units_of(StockQuantities(fulfillable=5)) is None
    assert units_of(StockQuantities(fulfillable=5, total=6)) is None
    assert units_of(StockQuantities(fulfillable=5, total=5)) == AmazonUnits(5)

    result = compared(replace(at_amazon(), pools={}, unstated=("MUG-RED",)), tracked(quantity=100))

    assert of(result, "finding", "gap", "is_open") == [F.NOT_STATED_BY_AMAZON, None, False]


def test_item_is_read_when_the_first_of_its_skus_is() -> None:
    skus = [stated(5, minute(3), sku="MUG-SET"), stated(7, minute(1), sku="MUG-RED"), stated(None, sku="GIFT-BOX")]

    items = amazon_items([("uk", each) for each in skus], BUNDLES)

    assert {key: item.read_at for key, item in items.items()} == {"mug-red": minute(1), "gift-box": minute(0)}


# --- what is suggested ------------------------------------------------------------------------------------------------


def test_correction_names_units_amount_accounts_and_what_they_are() -> None:
    correction = correction_of(compared(at_amazon(86, sold=12), tracked(quantity=100), baseline=100), "GBP")

    assert (correction.units, correction.value) == (Decimal(-14), Decimal("-56.00"))
    assert "Decrease the quantity of MUG-RED in Xero (inventory adjustment) by 14, from 100 to 86" in correction.text
    assert "(56.00 GBP at the average cost, accounts 630 and 310)" in correction.text
    assert "12 sold and not entered in Xero, 2 not explained" in correction.text


def test_correction_of_an_item_without_cost_asks_for_it() -> None:
    correction = correction_of(compared(at_amazon(5), tracked(quantity=0)), "GBP")

    assert correction.value is None
    assert "enter the cost of a unit manually" in correction.text


def test_value_of_a_gap_is_rounded_once() -> None:
    correction = correction_of(compared(at_amazon(1), tracked(quantity=3, cost_pool="10.00")), "GBP")

    assert correction.value == Decimal("-6.67")


def test_nothing_is_suggested_for_an_item_that_agrees() -> None:
    assert correction_of(compared(at_amazon(100), tracked(quantity=100)), "GBP").text == ""


# --- properties -------------------------------------------------------------------------------------------------------

UNITS = st.integers(-500, 500).map(Decimal)
BASELINES = st.none() | st.builds(Baseline, st.just(minute(0)), UNITS, UNITS)


@given(UNITS, UNITS, UNITS, BASELINES)
def test_movements_never_make_a_gap_look_larger(
    gap: Decimal, moved: Decimal, xero: Decimal, baseline: Baseline | None
) -> None:
    pending = pending_units(gap, moved, xero, baseline)

    assert abs(gap - pending) <= abs(gap)
    assert gap or pending == 0


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 100), st.integers(0, 100))
def test_books_that_enter_any_part_of_the_sales_leave_nothing_unexplained(
    stock: int, sold: int, refunded: int, entered_percent: int
) -> None:
    """Whatever part of the movements a person has entered in Xero, the rest explains the gap."""
    moved = refunded - sold
    entered = moved * entered_percent // 100 if moved > 0 else -(-moved * entered_percent // 100)
    amazon = at_amazon(stock + 300 + moved, sold=sold, refunded=refunded)

    result = compared(amazon, tracked(quantity=stock + 300 + entered), baseline=stock + 300)

    assert result.difference == 0


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 50))
def test_units_lost_while_nothing_was_entered_are_found_to_the_unit(stock: int, sold: int, lost: int) -> None:
    amazon = at_amazon(stock + 50 - lost, sold=sold)

    result = compared(amazon, tracked(quantity=stock + 50 + sold), baseline=stock + 50 + sold)

    assert result.difference == -lost
