"""Records what was sold and refunded of Amazon's stock and of own stock, and states what that was in a time.

Nothing else is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.domain.stock.movements import (
    LATE_BY,
    DayMovements,
    Movement,
    SkuPeriod,
    movements_key,
    refunded_by,
    sold_by,
)
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Conflict, StateStore
from amazon_to_xero.services.state_updates import update_records

_ROWS_AT_ONCE = 5000  # read at once: their content is in memory only until it is added up
_MAX_DAYS = 60  # of movements that one comparison reads

type _ByDay = Mapping[tuple[str, date], Sequence[Movement]]  # SKU and day -> movements


class StockMovements:
    """The movements of one connection's stock. Where it is not reconciled, nothing is recorded.

    It is given orders and transactions before their own rows are saved: what is given twice counts once, so no crash
    loses a movement.
    """

    def __init__(self, store: StateStore, channels: frozenset[Channel], clock: Clock, decisions: DecisionLog) -> None:
        """`channels`: whose stock is reconciled, so that its movements are recorded."""
        self._store = store
        self._channels = channels
        self._clock = clock
        self._decisions = decisions

    def record_shipped(self, orders: Iterable[OrderRecord]) -> None:
        """Record what these orders have taken out of stock."""
        if self._channels:
            self._record([movement for order in orders for movement in sold_by(order)])

    def record_refunded(self, transactions: Iterable[Mapping[str, Any]]) -> None:
        """Record the units of the refunds among these transactions."""
        if self._channels:
            self._record([movement for each in transactions for movement in refunded_by(each)])

    def moved(self, periods: Iterable[SkuPeriod]) -> dict[SkuPeriod, tuple[int, int]]:
        """Return the units sold and refunded in each period."""
        moved = dict.fromkeys(periods, (0, 0))
        of_sku: dict[str, list[SkuPeriod]] = defaultdict(list)
        for period in moved:
            of_sku[period.sku].append(period)
        keys = (movements_key(sku, day) for sku, of_it in of_sku.items() for day in _days(of_it))
        for some in batched(keys, _ROWS_AT_ONCE, strict=False):
            first = self._store.load(DayMovements, some)
            further = [movements_key(row.sku, row.day, part) for row in first.values() for part in range(1, row.parts)]
            for row in (*first.values(), *self._store.load(DayMovements, further).values()):
                for period in of_sku[row.sku]:
                    sold, refunded = row.totals(period)
                    moved[period] = moved[period][0] + sold, moved[period][1] + refunded
        return moved

    def _record(self, movements: Sequence[Movement]) -> None:
        now = self._clock.now()
        by_day: dict[tuple[str, date], list[Movement]] = defaultdict(list)
        for each in movements:
            if each.channel in self._channels and each.day >= (now - LATE_BY).date():
                by_day[each.sku, each.day].append(each)
        if not by_day:
            return
        try:
            self._add(by_day, now)
        except Conflict:  # nothing of it may stop orders and refunds
            code = FailureCode.MOVEMENTS_NOT_COUNTED
            self._decisions.record(code, reason=code, remedy=FAILURES[code].remedy, movements=len(movements))

    def _add(self, by_day: _ByDay, now: datetime) -> None:
        """Add movements to the last part of their day, and begin another part where that is full. Raises Conflict."""
        targets = self._targets(by_day)

        def added(stored: Mapping[str, DayMovements | None]) -> Iterator[DayMovements]:
            for key, row in stored.items():
                empty, movements = targets[key]
                if (changed := (row or empty).with_movements(movements, now)) is not None:
                    yield changed

        saved = update_records(self._store, DayMovements, targets, added)
        parts = {movements_key(row.sku, row.day): row.part + 2 for row in saved.values() if row.is_full}

        def with_another_part(stored: Mapping[str, DayMovements | None]) -> Iterator[DayMovements]:
            for key, row in stored.items():
                if row is not None and row.parts < parts[key]:
                    yield replace(row, parts=parts[key])

        update_records(self._store, DayMovements, parts, with_another_part)

    def _targets(self, by_day: _ByDay) -> dict[str, tuple[DayMovements, list[Movement]]]:
        """Return the row of each day to add to, by key: as a new row, and with what it does not have yet.

        What the first and the last two parts have is not added again: what is recorded again is so within minutes.
        """
        first = self._store.load(DayMovements, [movements_key(*day) for day in by_day])
        last = {day: row.parts - 1 if (row := first.get(movements_key(*day))) else 0 for day in by_day}
        earlier_keys = [movements_key(*day, part - 1) for day, part in last.items() if part > 1]
        earlier = self._store.load(DayMovements, earlier_keys)
        known = {cause for row in (*first.values(), *earlier.values()) for cause in row.movements}
        return {
            movements_key(*day, last[day]): (
                DayMovements(*day, last[day]),
                [each for each in movements if each.cause not in known],
            )
            for day, movements in by_day.items()
        }


def _days(periods: Sequence[SkuPeriod]) -> Iterator[date]:
    """Yield the days whose movements may have become known in one of these periods."""
    since, until = min(each.since for each in periods), max(each.until for each in periods)
    first = max(since - LATE_BY, until - timedelta(days=_MAX_DAYS)).date()
    for number in range((until.date() - first).days + 1):
        yield first + timedelta(days=number)
