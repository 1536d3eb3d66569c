"""The work itself: as long as something is due, read Amazon, then post to Xero. Every trigger ends up here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amazon_to_xero.ports import Clock, Journal, Lease, StateStore
from amazon_to_xero.services.ledger import Ledger, PostReport
from amazon_to_xero.services.order_reading import OrderReading, ReadReport
from amazon_to_xero.services.pauses import Pauses

_LEASE = "reconciliation"
_SWEEP_LEASE = "sweep"
_PATIENCE = timedelta(seconds=61)  # a patient run comes every minute
_LOOK_EVERY = timedelta(seconds=1)


@dataclass(frozen=True)
class WorkReport:
    """What one run did; `busy` when another worker was at it."""

    read: ReadReport
    posted: PostReport
    busy: bool = False


class Reconciliation:
    """One worker at a time per connection, so that pages and batches are full.

    The lease saves calls; it does not keep the books right: the rows' generations do, also against a worker that
    wakes up after its lease has passed to another. Who finds it taken leaves its due rows to the holder or to the next
    minute.
    """

    def __init__(
        self,
        reading: OrderReading,
        ledger: Ledger,
        store: StateStore,
        pauses: Pauses,
        clock: Clock,
        journal: Journal,
        start: datetime,
    ) -> None:
        self._reading = reading
        self._ledger = ledger
        self._store = store
        self._pauses = pauses
        self._clock = clock
        self._journal = journal
        self._start = start

    def run(
        self,
        owner: str,
        deadline: datetime,
        orders: Sequence[str] = (),
        *,
        patient: bool = False,
    ) -> WorkReport:
        """Works until nothing is due, something stops it, or `deadline`. `orders` were hinted just now.

        A patient run waits for the worker before it and for limits that open up before its deadline: with one patient
        run a minute, a backlog is worked off without gaps.
        """
        report = WorkReport(ReadReport(), PostReport(), busy=True)
        again = True
        while again and self._clock.now() < deadline:
            lease = self._acquire(owner, deadline, patient)
            if lease is None:
                self._journal.note("LEFT_TO_THE_WORKER_AT_IT", orders=len(orders))
                break
            try:
                report = self._work(deadline, orders, report)
                while patient and self._limit_opens(deadline):
                    report = self._work(deadline, (), report)
            finally:
                self._store.release(lease)
            # Somebody may have been turned away just before the release: what they left is due now.
            orders = ()
            again = not (report.read.stopped or report.posted.stopped) and self._anything_due()
        return report

    def sweep(self, owner: str, deadline: datetime) -> WorkReport:
        """Looks for what no notification told, beside whoever works; then posts, or leaves that to the worker at it."""
        lease = self._store.acquire(_SWEEP_LEASE, owner, self._clock.now(), deadline)
        if lease is None:
            self._journal.note("LEFT_TO_THE_WORKER_AT_IT", sweep="orders")
            return WorkReport(ReadReport(), PostReport(), busy=True)
        try:
            read = self._reading.sweep(deadline, self._start)
        finally:
            self._store.release(lease)
        done = self.run(owner, deadline)
        return WorkReport(read.plus(done.read), done.posted, done.busy)

    def _acquire(self, owner: str, deadline: datetime, patient: bool) -> Lease | None:
        give_up = min(deadline, self._clock.now() + _PATIENCE)
        while True:
            lease = self._store.acquire(_LEASE, owner, self._clock.now(), deadline)
            if lease is not None or not patient or self._clock.now() + _LOOK_EVERY > give_up:
                return lease
            self._clock.sleep(_LOOK_EVERY.total_seconds())

    def _limit_opens(self, deadline: datetime) -> bool:
        """Waits for Xero's pause to end, if that is soon enough and there is something to post then."""
        until = self._pauses.until("xero")
        now = self._clock.now()
        if until is None or until >= deadline or until > now + _PATIENCE or not self._anything_due_by(until):
            return False
        self._clock.sleep((until - now).total_seconds())
        return self._clock.now() < deadline

    def _work(self, deadline: datetime, orders: Sequence[str], so_far: WorkReport) -> WorkReport:
        # What stopped an earlier round does not speak for this one.
        read, posted = replace(so_far.read, stopped=""), replace(so_far.posted, stopped="")
        while self._clock.now() < deadline:
            just_read = self._reading.read_due(orders, deadline)
            just_posted = self._ledger.post_due([*read.documents, *just_read.documents], deadline)
            read, posted, orders = read.plus(just_read), posted.plus(just_posted), ()
            moved = just_read.orders + just_posted.applied + just_posted.failed
            if just_read.stopped or just_posted.stopped or not moved:
                break
        return WorkReport(read, posted)

    def _anything_due(self) -> bool:
        return self._anything_due_by(self._clock.now())

    def _anything_due_by(self, moment: datetime) -> bool:
        return bool(self._store.due_orders(moment, 1) or self._store.due_documents(moment, 1))
