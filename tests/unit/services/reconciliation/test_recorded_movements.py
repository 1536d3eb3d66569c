"""Movements of stock as they are recorded: each counts once, also of a SKU that sells all day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.stock.movements import SkuPeriod
from amazon_to_xero.services.reconciliation.movements import StockMovements
from amazon_to_xero.services.state_updates import ATTEMPTS
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog

WEEK_AGO = NOON - timedelta(days=7)


class Recorded:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.decisions = RecordingDecisionLog()
        self.movements = StockMovements(self.store, frozenset({Channel.FBA}), self.clock, self.decisions)

    def ship(self, *numbers: int, days_ago: int = 0) -> None:
        """Record orders of two mugs each."""
        self.movements.record_shipped([an_order(number, days_ago) for number in numbers])

    def sold(self) -> int:
        return self.moved(WEEK_AGO)[0]

    def moved(self, since: datetime) -> tuple[int, int]:
        period = SkuPeriod("MUG", since, self.clock.now())
        return self.movements.moved([period])[period]

    def largest_row(self) -> int:
        return max(len(row.data) for row in self.store.table.written)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def an_order(number: int, days_ago: int = 0) -> OrderRecord:
    content = {
        "fulfillment": {"fulfilledBy": "AMAZON"},
        "orderItems": [{"orderItemId": "1", "product": {"sellerSku": "MUG"}}],
    }
    shipped_at = NOON - timedelta(days=days_ago)
    return OrderRecord(f"204-{number:07}-0000000", content=content, shipments=(Shipment("", shipped_at, {"1": 2}),))


def test_day_of_thousands_of_orders_is_counted_in_rows_that_stay_small(recorded: Recorded) -> None:
    for first in range(0, 2000, 100):
        recorded.ship(*range(first, first + 100))

    assert recorded.sold() == 4000
    assert recorded.largest_row() < 30_000


def test_orders_that_are_recorded_again_count_once(recorded: Recorded) -> None:
    for first in range(0, 1000, 100):
        recorded.ship(*range(first, first + 100))
        recorded.ship(*range(first, first + 100))

    assert recorded.sold() == 2000


def test_order_that_becomes_known_days_later_is_counted_and_one_of_long_ago_is_not(recorded: Recorded) -> None:
    recorded.ship(1, days_ago=2)
    recorded.ship(2, days_ago=30)

    assert recorded.sold() == 2


def test_movements_count_in_the_period_in_which_they_became_known(recorded: Recorded) -> None:
    recorded.ship(1, days_ago=2)
    recorded.clock.advance(60)

    assert recorded.moved(since=NOON) == (0, 0)


def test_each_period_of_a_sku_has_the_movements_that_became_known_in_it(recorded: Recorded) -> None:
    recorded.ship(1)
    recorded.clock.advance(60)
    recorded.ship(2, 3)
    now = recorded.clock.now()
    whole, later = SkuPeriod("MUG", WEEK_AGO, now), SkuPeriod("MUG", NOON, now)

    assert recorded.movements.moved([whole, later]) == {whole: (6, 0), later: (4, 0)}


def test_rows_that_keep_changing_stop_no_order_and_are_reported(recorded: Recorded) -> None:
    others = StockMovements(recorded.store, frozenset({Channel.FBA}), recorded.clock, recorded.decisions)
    recorded.store.meanwhile(
        *(lambda number=number: others.record_shipped([an_order(number)]) for number in range(ATTEMPTS))
    )

    recorded.ship(99)

    assert recorded.decisions.of(FailureCode.MOVEMENTS_NOT_COUNTED)
    assert recorded.sold() == 2 * ATTEMPTS
