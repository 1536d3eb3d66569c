"""The work itself: while something is due, read Amazon, book what was read, post to Xero. Every trigger ends here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.books.document import Work
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import Journal
from amazon_to_xero.ports.state import Lease, StateStore
from amazon_to_xero.services.intake.reader import OrderReading, ReadReport
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.planner import BookReport, OrderBooking
from amazon_to_xero.services.posting.poster import Ledger, PostReport

_LEASE = "reconciliation"
_SWEEP_LEASE = "sweep"
_PATIENCE = timedelta(seconds=61)  # a patient run comes every minute
_LOOK_EVERY = timedelta(seconds=1)
EVERYTHING = frozenset(Work)


@dataclass(frozen=True)
class WorkReport:
    """What one run did; `busy` when another worker was at it."""

    read: ReadReport = field(default_factory=ReadReport)
    booked: BookReport = field(default_factory=BookReport)
    posted: PostReport = field(default_factory=PostReport)
    busy: bool = False

    @property
    def stopped(self) -> str:
        return self.read.stopped or self.booked.stopped or self.posted.stopped


class Reconciliation:
    """One worker at a time per connection, so that pages and batches are full.

    The lease saves calls; it does not keep the books right: the rows' generations do, also against a worker that
    wakes up after its lease has passed to another. Who finds it taken leaves its due rows to the holder or to the next
    minute.
    """

    def __init__(
        self,
        reading: OrderReading,
        booking: OrderBooking,
        ledger: Ledger,
        store: StateStore,
        pauses: Pauses,
        clock: Clock,
        journal: Journal,
        start: datetime,
    ) -> None:
        self._reading = reading
        self._booking = booking
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
        work: Collection[Work] = EVERYTHING,
        patient: bool = False,
    ) -> WorkReport:
        """Works until nothing is due, something stops it, or `deadline`. `orders` were spoken of just now.

        `work` is what this function does beside posting: reading orders, booking what has been shipped or cancelled. A
        patient run waits for the worker before it and for limits that open up before its deadline: with one patient
        run a minute, a backlog is worked off without gaps.
        """
        report = WorkReport(busy=True)
        again = True
        while again and self._clock.now() < deadline:
            lease = self._acquire(owner, deadline, patient)
            if lease is None:
                self._journal.note("LEFT_TO_THE_WORKER_AT_IT", orders=len(orders))
                break
            try:
                report = self._work(deadline, orders, work, report)
                while patient and self._limit_opens(deadline, work):
                    report = self._work(deadline, (), work, report)
            finally:
                self._store.release(lease)
            # Somebody may have been turned away just before the release: what they left is due now.
            orders = ()
            again = not report.stopped and self._anything_due(self._clock.now(), work)
        return report

    def sweep(self, owner: str, deadline: datetime) -> WorkReport:
        """Looks for what no notification told, beside whoever works; then posts, or leaves that to the worker at it."""
        lease = self._store.acquire(_SWEEP_LEASE, owner, self._clock.now(), deadline)
        if lease is None:
            self._journal.note("LEFT_TO_THE_WORKER_AT_IT", sweep="orders")
            return WorkReport(busy=True)
        try:
            read = self._reading.sweep(deadline, self._start)
        finally:
            self._store.release(lease)
        done = self.run(owner, deadline, work={Work.ORDERS})
        return replace(done, read=read.plus(done.read))

    def _acquire(self, owner: str, deadline: datetime, patient: bool) -> Lease | None:
        give_up = min(deadline, self._clock.now() + _PATIENCE)
        while True:
            lease = self._store.acquire(_LEASE, owner, self._clock.now(), deadline)
            if lease is not None or not patient or self._clock.now() + _LOOK_EVERY > give_up:
                return lease
            self._clock.sleep(_LOOK_EVERY.total_seconds())

    def _limit_opens(self, deadline: datetime, work: Collection[Work]) -> bool:
        """Waits for Xero's pause to end, if that is soon enough and there is something to post then."""
        until = self._pauses.until("xero")
        now = self._clock.now()
        if until is None or until >= deadline or until > now + _PATIENCE or not self._anything_due(until, work):
            return False
        self._clock.sleep((until - now).total_seconds())
        return self._clock.now() < deadline

    def _work(
        self, deadline: datetime, orders: Sequence[str], work: Collection[Work], so_far: WorkReport
    ) -> WorkReport:
        # What stopped an earlier round does not speak for this one.
        read, booked = replace(so_far.read, stopped=""), replace(so_far.booked, stopped="")
        posted = replace(so_far.posted, stopped="")
        while self._clock.now() < deadline:
            just_read = self._reading.read_due(orders, deadline) if Work.ORDERS in work else ReadReport()
            just_booked = self._booking.book_due(orders, deadline) if Work.SHIPMENTS in work else BookReport()
            read, booked, orders = read.plus(just_read), booked.plus(just_booked), ()
            just_posted = self._ledger.post_due([*read.documents, *booked.documents], deadline)
            posted = posted.plus(just_posted)
            moved = just_read.orders + just_booked.orders + just_posted.applied + just_posted.failed
            if just_read.stopped or just_booked.stopped or just_posted.stopped or not moved:
                break
        return WorkReport(read, booked, posted)

    def _anything_due(self, moment: datetime, work: Collection[Work]) -> bool:
        return bool(
            (Work.ORDERS in work and self._store.due_orders(moment, 1))
            or (Work.SHIPMENTS in work and self._store.due_shipments(moment, 1))
            or self._store.due_documents(moment, 1)
        )
