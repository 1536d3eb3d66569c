"""What collected statements mean: the new state of a stock level, and the alerts that its changes ask for.

Statements are concluded in Amazon's order, and only once those that were made before them had time to arrive. So the
same statements give the same alerts, in whatever order and how often they were delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from amazon_to_xero.domain.amazon.stock import StockStatement
from amazon_to_xero.domain.stock.alert import AlertKind, StockAlert
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.record import MAX_COLLECTED, StockRecord, StockState

_ONE_DROP = timedelta(days=1)  # two statements further apart show no sudden drop, and one day has one drop


def concluded(
    record: StockRecord, policy: StockPolicy, now: datetime, sold_a_day: Decimal | None = None
) -> StockRecord:
    """Return the record after every statement that has been collected for long enough; its alerts are unsent.

    A statement that has been is concluded together with all that Amazon made before it.
    """
    collected = record.collected
    ripe = [number for number, each in enumerate(collected) if each.received_at + policy.collect <= now]
    number_concluded = max([number + 1 for number in ripe] + [len(collected) - MAX_COLLECTED, 0])
    if not number_concluded:
        return record.waiting(policy.collect)
    change = _Change(policy, policy.low_units(record.sku, record.pool, sold_a_day), sold_a_day)
    for statement in _one_for_each_time([each.statement for each in collected[:number_concluded]]):
        record = change.applied(record, statement)
    return replace(record, collected=collected[number_concluded:]).waiting(policy.collect)


def _one_for_each_time(statements: list[StockStatement]) -> Iterator[StockStatement]:
    """Yield the last one of each time: marketplaces of a pool state the same units at once, which are not added up."""
    for _, of_one_time in groupby(statements, key=lambda each: each.time):
        *_, last = of_one_time
        yield last


@dataclass(frozen=True)
class _Change:
    """Applies statements to a record. low_units: its threshold in units."""

    policy: StockPolicy
    low_units: int
    sold_a_day: Decimal | None

    def applied(self, record: StockRecord, statement: StockStatement) -> StockRecord:
        if record.latest is not None and statement.time <= record.latest.time:
            return record
        state = self._state(record, statement)
        kind = self._kind(record, state)
        kinds = [kind] if kind else []
        dropped_at = record.dropped_at
        if not kinds and self._has_dropped(record, statement):
            kinds, dropped_at = [AlertKind.SUDDEN_DROP], statement.observed_at
        before, has_grown = self._unfulfillable(record, statement)
        if has_grown:
            kinds.append(AlertKind.MORE_UNFULFILLABLE)
        alerts = tuple(self._alert(each, record, statement) for each in kinds)
        return replace(
            record,
            latest=_with_known_names(statement, record.latest),
            state=state,
            since=record.since if state is record.state else statement.observed_at,
            unfulfillable_before=before,
            dropped_at=dropped_at,
            unsent=(*record.unsent, *alerts),
        )

    def _state(self, record: StockRecord, statement: StockStatement) -> StockState:
        """Return the state after a statement.

        A state that ended an alert's condition only just does not end: a level that is out is in stock again from
        back_units on, and one that is low is so until it has clearly risen. So no alert is repeated by a unit or two.
        """
        units, state = statement.quantities.fulfillable, record.state
        if units is None:
            return state
        if units == 0:
            is_stranded = state is StockState.STRANDED or statement.quantities.is_stranded
            return StockState.STRANDED if is_stranded else StockState.OUT
        if state in (StockState.OUT, StockState.STRANDED) and units < self.policy.back_units:
            return state
        stays_low = state is StockState.LOW and units < self.policy.rises_to(self.low_units)
        return StockState.LOW if units <= self.low_units or stays_low else StockState.IN_STOCK

    def _kind(self, record: StockRecord, state: StockState) -> AlertKind | None:
        """Return the alert of a change of state.

        Of a level that was not known before, only that it is low is one: what has long been out is no news.
        """
        was = record.state
        if state is was:
            return None
        match state:
            case StockState.LOW if was in (StockState.IN_STOCK, StockState.UNKNOWN):
                return AlertKind.LOW
            case StockState.OUT | StockState.STRANDED if was is not StockState.UNKNOWN:
                return AlertKind(state)
            case StockState.LOW | StockState.IN_STOCK if was in (StockState.OUT, StockState.STRANDED):
                return AlertKind.BACK
        return None

    def _has_dropped(self, record: StockRecord, statement: StockStatement) -> bool:
        """Return whether many units are gone at once. Units between fulfilment centres are not."""
        latest, policy = record.latest, self.policy
        if latest is None or statement.observed_at - latest.observed_at > _ONE_DROP:
            return False
        if record.dropped_at is not None and statement.observed_at - record.dropped_at < _ONE_DROP:
            return False
        before, after = latest.quantities.fulfillable, statement.quantities.fulfillable
        if before is None or after is None:
            return False
        moved = (statement.quantities.reserved_for_transfer or 0) - (latest.quantities.reserved_for_transfer or 0)
        gone = before - after - max(0, moved)
        return gone >= max(1, policy.drop_units) and gone * 100 >= before * policy.drop_percent

    def _unfulfillable(self, record: StockRecord, statement: StockStatement) -> tuple[int | None, bool]:
        """Return what further growth is counted from, and whether it has grown enough for an alert.

        It is counted from the lowest number since the last alert.
        """
        before, units = record.unfulfillable_before, statement.quantities.unfulfillable
        if units is None or before is None:
            return (before if units is None else units), False
        if units - before >= self.policy.unfulfillable_units:
            return units, True
        return min(before, units), False

    def _alert(self, kind: AlertKind, record: StockRecord, statement: StockStatement) -> StockAlert:
        latest = record.latest
        named = _with_known_names(statement, latest)
        return StockAlert(
            kind,
            record.key,
            record.channel,
            record.pool,
            record.sku,
            statement.observed_at,
            statement.quantities,
            fulfillable_before=latest.quantities.fulfillable if latest else None,
            before_at=latest.observed_at if latest else None,
            since=record.since,
            low_units=self.low_units,
            sold_a_day=self.sold_a_day,
            asin=named.asin,
            product_name=named.product_name,
        )


def _with_known_names(statement: StockStatement, latest: StockStatement | None) -> StockStatement:
    """Return a statement with the names of an earlier one where it has none."""
    if latest is None:
        return statement
    return replace(
        statement, asin=statement.asin or latest.asin, product_name=statement.product_name or latest.product_name
    )
