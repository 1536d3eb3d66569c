"""What a backfill will take: orders, calls to Amazon and to Xero, and days. Ranges, where nothing can be counted.

Amazon states no number of orders: they are counted by their pages, or estimated from some days of the period.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil

ORDERS_A_PAGE = 100  # Amazon: searchOrders
_TRANSACTIONS_A_PAGE = 500  # Amazon: listTransactions
_DOCUMENTS_A_CALL = 50  # Xero: recommended number
_TRANSACTIONS_AN_ORDER = (1, 3)  # charges, refunds, and what belongs to settlements only
#: The high number: batches that are not full, and a fifth of the orders refunded, each with two documents.
_NOT_FULL_PERCENT = 120
_REFUNDED_PERCENT = 20
_DOCUMENTS_A_REFUND = 2
_DAYS_OF_A_PART = 31


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included; `high` is None where nothing bounds it."""

    low: int
    high: int | None


@dataclass(frozen=True)
class SampledDay:
    """The orders of one day of the period; `has_more` where it has more than were counted."""

    orders: int
    has_more: bool = False


@dataclass(frozen=True)
class Counted:
    """What was read of the period to forecast the rest.

    orders: the first orders of the period, each once.
    is_complete: whether they are all.
    recorded: of these, those that are recorded already.
    days: days of the rest that were counted.
    """

    orders: int = 0
    is_complete: bool = False
    recorded: int = 0
    days: Sequence[SampledDay] = ()


@dataclass(frozen=True)
class Documents:
    """How many kinds of documents an order has: its invoice; by the settings also a payment, and a contact."""

    kinds: int = 2


@dataclass(frozen=True)
class Locked:
    """What would be booked in a period that is locked in Xero.

    until: the last locked day; None where none of the period is locked.
    is_held: whether such orders fail and wait for a person; otherwise they are dated on the first open day.
    orders: ids of the orders among those counted.
    """

    until: date | None = None
    is_held: bool = True
    orders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forecast:
    """The forecast of a backfill.

    to_enter: the orders that are not recorded yet, as far as is known.
    days: at the share of the day's calls that is left by what the connection used in the last day; None where it used
        as much as the share, so that the backfill would wait.
    """

    orders: Range
    to_enter: Range
    amazon_calls: Range
    xero_calls: Range
    days: Range | None
    locked: Locked = field(default_factory=Locked)


def orders_of(counted: Counted, days: int) -> Range:
    """Return how many orders a period of so many days has.

    Where not all could be counted: the days that were counted, the quietest and the busiest of them, stand for all.
    """
    if counted.is_complete:
        return Range(counted.orders, counted.orders)
    if not counted.days:
        return Range(counted.orders, None)
    low = max(counted.orders + 1, days * min(day.orders for day in counted.days))
    busiest = days * max(day.orders for day in counted.days)
    return Range(low, None if any(day.has_more for day in counted.days) else max(low, busiest))


def calls_to_xero(orders: Range, documents: Documents, days: int = 1) -> Range:
    """Return the calls that the orders of so many days cost: full batches at best; at worst not, and with refunds.

    The period is read in parts of a month, each with a last batch of its own.
    """
    low = documents.kinds * _batches(orders.low)
    if orders.high is None:
        return Range(low, None)
    refunded = orders.high * _REFUNDED_PERCENT // 100
    high = documents.kinds * _batches(orders.high) + _DOCUMENTS_A_REFUND * _batches(refunded)
    last_batches = documents.kinds * ceil(days / _DAYS_OF_A_PART) if orders.high else 0
    return Range(low, max(low, ceil(high * _NOT_FULL_PERCENT / 100) + last_batches))


def calls_to_amazon(orders: Range, days: int, days_of_charges: int) -> Range:
    """Return the calls that reading costs: pages of orders, and pages of transactions from the first day to today.

    Both are read in parts of a month at most, whose last pages are not full.
    """
    low, high = _TRANSACTIONS_AN_ORDER
    least = _pages(orders.low, days, days_of_charges, low)
    if orders.high is None:
        return Range(least, None)
    parts = ceil(days / _DAYS_OF_A_PART) + ceil(max(days, days_of_charges) / _DAYS_OF_A_PART)
    return Range(least, _pages(orders.high, days, days_of_charges, high) + parts)


def days_of(xero_calls: Range, orders: Range, calls_a_day: int, pages_a_day: int) -> Range | None:
    """Return how many days a backfill takes; None where no calls are left for it.

    calls_a_day: to Xero that it may use.
    pages_a_day: of orders that it reads.
    """
    if calls_a_day <= 0:
        return None

    def needed(calls: int, count: int) -> int:
        return max(1, ceil(calls / calls_a_day), ceil(count / ORDERS_A_PAGE / pages_a_day))

    is_open = xero_calls.high is None or orders.high is None
    high = None if is_open else needed(xero_calls.high or 0, orders.high or 0)
    return Range(needed(xero_calls.low, orders.low), high)


def forecast(
    counted: Counted,
    days: int,
    days_of_charges: int,
    documents: Documents,
    calls_a_day: int,
    pages_a_day: int,
    locked: Locked,
) -> Forecast:
    """Return the forecast for a period of so many days. See the functions above."""
    orders = orders_of(counted, days)
    least = counted.orders - counted.recorded  # whether the rest is recorded, nobody knows
    to_enter = Range(least, least if counted.is_complete else orders.high)
    calls = calls_to_xero(to_enter, documents, days)
    return Forecast(
        orders,
        to_enter,
        calls_to_amazon(orders, days, days_of_charges),
        calls,
        days_of(calls, orders, calls_a_day, pages_a_day),
        locked,
    )


def _batches(count: int) -> int:
    return ceil(count / _DOCUMENTS_A_CALL)


def _pages(orders: int, days: int, days_of_charges: int, transactions_an_order: int) -> int:
    transactions = orders * transactions_an_order * max(days, days_of_charges) / days
    return max(1, ceil(orders / ORDERS_A_PAGE)) + max(1, ceil(transactions / _TRANSACTIONS_A_PAGE))
