"""Advances a backfill in bounded steps, each after a sweep of the orders: charges first, then orders.

Everything it reads is recorded as if a sweep had read it. It keeps its place in rows, so that any crash, pause or fault
costs at most a page that is read twice, and nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from amazon_to_xero.domain.backfill.backfill import Backfill, Backfills, BackfillState
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.backfill.charges import BackfilledCharges
from amazon_to_xero.services.backfill.orders import BackfilledOrders
from amazon_to_xero.services.backfill.pace import BackfillPace
from amazon_to_xero.services.backfill.rows import load_backfills, tallied, update_backfills
from amazon_to_xero.services.work_report import StepReport


class Backfilling:
    """Advances the backfills of one connection."""

    def __init__(
        self,
        store: StateStore,
        orders: BackfilledOrders,
        charges_of: Callable[[Backfill], BackfilledCharges],
        pace: BackfillPace,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`charges_of` returns the reading of the charges of a backfill."""
        self._store = store
        self._orders = orders
        self._charges_of = charges_of
        self._pace = pace
        self._clock = clock
        self._decisions = decisions

    def advance(self, deadline: datetime) -> StepReport:
        """Do one step of the backfill that is running, if any; half of the time is left to what it read.

        The report names no stop: a backfill that waits keeps nothing else from being done. Raises Conflict.
        """
        backfill = load_backfills(self._store).unfinished
        if backfill is None or backfill.state is not BackfillState.RUNNING:
            return StepReport()
        now = self._clock.now()
        report = StepReport()
        stopped = self._pace.reason_to_wait()
        if not stopped and backfill.all_read_at is None:
            report = self._step(backfill, now + (deadline - now) / 2)
            stopped = report.stopped
        self._conclude(backfill, stopped)
        return replace(report, stopped="")

    def _step(self, backfill: Backfill, deadline: datetime) -> StepReport:
        report = StepReport()
        charges = self._charges_of(backfill)
        if charges.has_more:
            report = report.plus(charges.sweep(deadline))
        backfill = replace(backfill, charges_until=charges.charges_until)
        orders = self._orders.of(backfill)
        if orders.is_next_known:
            report = report.plus(orders.sweep(deadline))
        return report

    def _conclude(self, backfill: Backfill, stopped: str) -> None:
        """Store how far the backfill is, and that it is done where it is."""
        read_until = self._orders.of(backfill).read_until
        charges_until = self._charges_of(backfill).charges_until

        def concluded(row: Backfills) -> Backfills | None:
            latest = row.latest
            if latest is None or latest.number != backfill.number:
                return None
            after = tallied(self._store, latest)
            after = replace(after, read_until=read_until, charges_until=charges_until, waits_for=str(stopped))
            if after.all_read_at is None and self._charges_of(after).is_read:
                after = replace(after, all_read_at=self._clock.now(), waits_for="")
            after = after.finished(self._clock.now())
            return row.with_latest(after) if after != latest else None

        saved = update_backfills(self._store, concluded)
        if saved is not None and saved.latest is not None and saved.latest.state is BackfillState.DONE:
            log_backfill(self._decisions, saved.latest)


def log_backfill(decisions: DecisionLog, backfill: Backfill) -> None:
    """Log what a person did to a backfill, or that it is done."""
    counts = backfill.counts
    decisions.record(
        "BACKFILL",
        backfill=f"{backfill.period.first}..{backfill.period.last}",
        state=backfill.state,
        by=backfill.changed_by or backfill.author,
        why=backfill.reason,
        read=counts.read,
        unchanged=counts.unchanged,
        in_xero=counts.in_xero,
        not_invoiced=counts.not_invoiced,
        failed=counts.failed,
    )
