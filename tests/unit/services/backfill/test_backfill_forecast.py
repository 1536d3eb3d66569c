"""The forecast of a backfill against what is then counted, and what it says where nothing can be counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from amazon_to_xero.domain.backfill.backfill import Share
from amazon_to_xero.domain.backfill.forecast import Range
from amazon_to_xero.domain.backfill.period import Period
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.ports.amazon import AmazonUnavailable
from amazon_to_xero.services.backfill.forecast import NotedForecast, sampled_days
from amazon_to_xero.services.intake.quota import SEARCH_ORDERS, AmazonQuota
from fakes.order_life import PAYING
from fakes.state import NOON, RecordingDecisionLog
from unit.services.backfill.moving_over import FIRST, LAST, MovingOver, moved_over, sold


def forecast(books: MovingOver, share: Share | None = None) -> NotedForecast:
    return books.connection.backfills.forecast(FIRST, LAST, share or Share())


def test_few_orders_are_counted_exactly() -> None:
    books = moved_over(sold("A"), sold("B", day=40), sold("LATER", day=120))

    found = forecast(books)

    assert (found.forecast.orders, found.forecast.to_enter, found.note) == (Range(2, 2), Range(2, 2), "")


@pytest.mark.parametrize("count", [3, 250])
def test_forecast_holds_what_is_then_counted(count: int) -> None:
    books = moved_over(*(sold(f"A{n}", day=n * 88 // count) for n in range(count)))
    found = forecast(books).forecast
    books.xero.calls.clear()
    books.amazon.calls.clear()
    books.amazon.asked_placed.clear()

    books.begin()
    books.quarters(8)

    spent = len(books.xero.calls)
    read = books.amazon.count("listTransactions") + len(books.amazon.asked_placed)
    assert found.orders == Range(count, count)
    assert (books.backfill.counts.read, books.backfill.counts.in_xero) == (count, count)
    assert found.xero_calls.low <= spent <= (found.xero_calls.high or 0)
    assert found.amazon_calls.low <= read <= (found.amazon_calls.high or 0)
    assert found.days == Range(1, 1)


def test_many_orders_are_estimated_from_some_days_and_the_range_holds_the_true_number() -> None:
    orders = [sold(f"A{n}", day=n % 88) for n in range(88 * 5)]
    books = moved_over(*orders)

    found = forecast(books).forecast

    assert found.orders.high is not None
    assert found.orders.low <= len(orders) <= found.orders.high
    assert found.orders.low < found.orders.high


def test_orders_that_are_entered_already_are_counted_apart() -> None:
    books = moved_over(sold("A"), sold("B", day=40))
    books.begin()
    books.quarters(8)

    found = forecast(books).forecast

    assert (found.orders, found.to_enter, found.xero_calls) == (Range(2, 2), Range(0, 0), Range(0, 0))


def test_forecast_changes_nothing_but_the_count_of_amazons_calls() -> None:
    books = moved_over(sold("A"))
    before = dict(books.store.table.rows)

    forecast(books)

    changed = {key for key, row in books.store.table.rows.items() if before.get(key) != row}
    assert changed == {"CURSOR#quota#searchOrders"}


@pytest.mark.parametrize("is_throttled", [True, False])
def test_forecast_says_so_where_amazon_answers_no_more(is_throttled: bool) -> None:
    books = moved_over(sold("A"))
    if is_throttled:
        AmazonQuota(books.store, books.clock, RecordingDecisionLog()).exhaust(SEARCH_ORDERS)
    else:
        books.amazon.faults = [AmazonUnavailable("searchOrders", 503, "Unavailable")]

    found = forecast(books)

    assert found.forecast.orders == Range(0, None)
    assert "Ask again in an hour" in found.note


@pytest.mark.parametrize(("lock_dates", "is_held"), [(LockDates.HOLD, True), (LockDates.NEXT_OPEN_DAY, False)])
def test_orders_of_a_locked_period_are_named(lock_dates: LockDates, is_held: bool) -> None:
    books = moved_over(sold("A"), sold("B", day=40), policy=replace(PAYING, lock_dates=lock_dates))
    books.xero.settings = replace(books.xero.settings, period_lock=date(2026, 1, 31))
    books.clock.advance(timedelta(hours=13).total_seconds())  # the organisation is read again

    locked = forecast(books).forecast.locked

    assert (locked.until, locked.orders, locked.is_held) == (date(2026, 1, 31), ("A",), is_held)


def test_share_that_current_orders_use_up_leaves_no_days() -> None:
    books = moved_over(sold("A"))

    assert forecast(books, Share(calls=1)).forecast.days is None


def test_sampled_days_lie_in_the_period() -> None:
    period = Period(FIRST, LAST, NOON - timedelta(days=90), NOON)

    days = sampled_days(period)

    assert (len(days), days[0], days[-1]) == (4, period.after, period.before - timedelta(days=1))
    assert sampled_days(replace(period, last=FIRST)) == [period.after]
