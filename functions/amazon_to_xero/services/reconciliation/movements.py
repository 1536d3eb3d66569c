"""Records what was sold and refunded of Amazon's stock, and states what that was in a time. Nothing else is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.domain.stock.movements import LATE_BY, DayMovements, Movement, movements_key, refunded_by, sold_by
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Conflict, StateStore
from amazon_to_xero.services.state_updates import update_records

_ROWS_AT_ONCE = 5000  # read at once: their content is in memory only until it is added up
_MAX_DAYS = 60  # of movements that one comparison reads


class StockMovements:
    """The movements of one connection's stock. Where it is not reconciled, nothing is recorded.

    It is given orders and transactions before their own rows are saved: what is given twice counts once, so no crash
    loses a movement.
    """

    def __init__(self, store: StateStore, is_recorded: bool, clock: Clock, decisions: DecisionLog) -> None:
        self._store = store
        self._is_recorded = is_recorded
        self._clock = clock
        self._decisions = decisions

    def record_shipped(self, orders: Iterable[OrderRecord]) -> None:
        """Record what these orders have shipped out of Amazon's fulfilment centres."""
        if self._is_recorded:
            self._record([movement for order in orders for movement in sold_by(order)])

    def record_refunded(self, transactions: Iterable[Mapping[str, Any]]) -> None:
        """Record the units of the refunds among these transactions."""
        if self._is_recorded:
            self._record([movement for each in transactions for movement in refunded_by(each)])

    def moved(self, skus: Iterable[str], since: datetime, until: datetime) -> dict[str, tuple[int, int]]:
        """Return the units sold and refunded that became known in that time: SKU -> sold, refunded."""
        moved: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        keys = (key for sku in skus for key in _keys(sku, since, until))
        for some in batched(keys, _ROWS_AT_ONCE, strict=False):
            for row in self._store.load(DayMovements, some).values():
                sold, refunded = row.totals(since, until)
                before = moved[row.sku]
                moved[row.sku] = before[0] + sold, before[1] + refunded
        return dict(moved)

    def _record(self, movements: Sequence[Movement]) -> None:
        now = self._clock.now()
        recent = [each for each in movements if each.day >= (now - LATE_BY).date()]
        by_key: dict[str, list[Movement]] = defaultdict(list)
        for each in recent:
            by_key[movements_key(each.sku, each.day)].append(each)

        def recorded(stored: Mapping[str, DayMovements | None]) -> Iterator[DayMovements]:
            for key, known in stored.items():
                first = by_key[key][0]
                row = (known or DayMovements(first.sku, first.day)).with_movements(by_key[key], now)
                if row is not None and row.is_full:
                    self._log(first.sku, len(by_key[key]))
                elif row is not None:
                    yield row

        try:
            update_records(self._store, DayMovements, by_key, recorded)
        except Conflict:  # nothing of it may stop orders and refunds
            self._log("several SKUs", len(recent))

    def _log(self, sku: str, movements: int) -> None:
        code = FailureCode.MOVEMENTS_NOT_COUNTED
        self._decisions.record(code, reason=code, remedy=FAILURES[code].remedy, sku=sku, movements=movements)


def _keys(sku: str, since: datetime, until: datetime) -> Iterator[str]:
    """Yield the keys of the rows that may hold what became known in that time."""
    first = max(since - LATE_BY, until - timedelta(days=_MAX_DAYS)).date()
    for number in range((until.date() - first).days + 1):
        yield movements_key(sku, first + timedelta(days=number))
