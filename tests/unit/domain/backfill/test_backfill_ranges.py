"""What a backfill will take, from what was counted."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.backfill.backfill import Share
from amazon_to_xero.domain.backfill.forecast import (
    Counted,
    Documents,
    Locked,
    Range,
    SampledDay,
    calls_to_amazon,
    calls_to_xero,
    days_of,
    forecast,
    orders_of,
)


@pytest.mark.parametrize(
    ("counted", "days", "orders"),
    [
        pytest.param(Counted(0, True), 31, Range(0, 0), id="none"),
        pytest.param(Counted(240, True), 31, Range(240, 240), id="all are counted"),
        pytest.param(Counted(300), 31, Range(300, None), id="more than are counted"),
        pytest.param(
            Counted(300, days=[SampledDay(10), SampledDay(20)]), 31, Range(310, 620), id="quietest and busiest day"
        ),
        pytest.param(Counted(300, days=[SampledDay(0), SampledDay(2)]), 31, Range(301, 301), id="quiet days"),
        pytest.param(
            Counted(300, days=[SampledDay(50), SampledDay(200, True)]), 31, Range(1550, None), id="too busy to count"
        ),
    ],
)
def test_orders_are_counted_or_estimated_by_days(counted: Counted, days: int, orders: Range) -> None:
    assert orders_of(counted, days) == orders


@pytest.mark.parametrize(
    ("orders", "kinds", "calls"),
    [
        pytest.param(Range(0, 0), 2, Range(0, 0), id="nothing to enter"),
        pytest.param(Range(1, 1), 2, Range(2, 5), id="one order"),
        # 1,000 paid orders were counted at 44 calls, 1,000 refunds at 44: make bench.
        pytest.param(Range(1000, 1000), 2, Range(40, 60), id="a thousand paid orders"),
        pytest.param(Range(1000, 1000), 1, Range(20, 35), id="without payments"),
        pytest.param(Range(1000, 2000), 3, Range(60, 167), id="with a contact for each buyer"),
        pytest.param(Range(1000, None), 2, Range(40, None), id="nobody knows how many"),
    ],
)
def test_calls_to_xero_follow_from_full_batches(orders: Range, kinds: int, calls: Range) -> None:
    assert calls_to_xero(orders, Documents(kinds)) == calls


@pytest.mark.parametrize(
    ("orders", "days", "days_of_charges", "calls"),
    [
        pytest.param(Range(0, 0), 31, 31, Range(2, 4), id="one page of each, empty"),
        pytest.param(Range(1000, 1000), 31, 31, Range(12, 18), id="its own charges"),
        pytest.param(Range(1000, 1000), 31, 310, Range(30, 81), id="a month of long ago"),
        pytest.param(Range(1000, None), 31, 31, Range(12, None), id="nobody knows how many"),
    ],
)
def test_calls_to_amazon_are_pages_of_orders_and_of_transactions(
    orders: Range, days: int, days_of_charges: int, calls: Range
) -> None:
    assert calls_to_amazon(orders, days, days_of_charges) == calls


@pytest.mark.parametrize(
    ("calls", "orders", "calls_a_day", "days"),
    [
        pytest.param(Range(40, 58), Range(1000, 1000), 2500, Range(1, 1), id="within a day"),
        pytest.param(Range(4000, 5800), Range(100_000, 100_000), 2000, Range(3, 3), id="Xero is the limit"),
        pytest.param(Range(100, 100), Range(100_000, 100_000), 2000, Range(3, 3), id="Amazon is the limit"),
        pytest.param(Range(40, None), Range(1000, None), 2500, Range(1, None), id="nobody knows"),
        pytest.param(Range(40, 58), Range(1000, 1000), 0, None, id="nothing is left"),
    ],
)
def test_days_follow_from_the_slower_of_the_two(
    calls: Range, orders: Range, calls_a_day: int, days: Range | None
) -> None:
    assert days_of(calls, orders, calls_a_day, pages_a_day=384) == days


def test_each_month_may_have_batches_that_are_not_full() -> None:
    assert calls_to_xero(Range(12, 12), Documents(), days=365) == Range(2, 29)


def test_what_is_recorded_already_costs_no_call_to_xero() -> None:
    found = forecast(Counted(200, True, recorded=150), 31, 31, Documents(), 2500, 384, Locked())

    assert (found.orders, found.to_enter) == (Range(200, 200), Range(50, 50))
    assert found.xero_calls == calls_to_xero(Range(50, 50), Documents(), days=31)


def test_orders_that_were_not_counted_may_be_recorded_already() -> None:
    counted = Counted(300, recorded=100, days=[SampledDay(10), SampledDay(20)])

    assert forecast(counted, 31, 31, Documents(), 2500, 384, Locked()).to_enter == Range(200, 620)


@pytest.mark.parametrize(
    ("share", "calls"),
    [(Share(), 2500), (Share(percent=20), 1000), (Share(calls=300), 300), (Share(percent=10, calls=3000), 500)],
)
def test_share_is_the_smaller_of_percent_and_calls(share: Share, calls: int) -> None:
    assert share.of_day(5000) == calls
