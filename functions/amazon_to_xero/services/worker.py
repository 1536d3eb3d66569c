"""The work itself: while something is due, read from Amazon, plan what was read, post to Xero. Every trigger ends here.

The three steps share only rows: reading records and marks, planning requests documents, posting brings them to Xero.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import DOCUMENTS, Lease, StateStore
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.poster import DocumentPoster
from amazon_to_xero.services.stop_log import StopLog
from amazon_to_xero.services.work_report import PostReport, StepReport

_LEASE = "worker"
SWEEP_LEASE = "sweep#"  # and the capability: sweeps of different operations do not keep each other waiting
_MAX_WAIT = timedelta(seconds=61)  # a run that waits for the lease starts every minute
_LEASE_RETRY = timedelta(seconds=1)

type WorkStep = Callable[[Sequence[str], datetime], StepReport]  # keys of records just named, deadline


@dataclass(frozen=True)
class CapabilityWork:
    """What the worker does for one capability, besides posting.

    read: reads the capability's due records from Amazon; None where it reads nothing.
    plan: plans its due records; None where it plans nothing.
    sweep: reads what no notification reported, until the deadline.
    """

    read: WorkStep | None = None
    plan: WorkStep | None = None
    sweep: Callable[[datetime], StepReport] | None = None


@dataclass(frozen=True)
class WorkReport:
    """What one run did; `busy` when another worker held the lease."""

    read: StepReport = field(default_factory=StepReport)
    planned: StepReport = field(default_factory=StepReport)
    posted: PostReport = field(default_factory=PostReport)
    busy: bool = False

    @property
    def stopped(self) -> str:
        return self.read.stopped or self.planned.stopped or self.posted.stopped


class SyncWorker:
    """One worker at a time per connection, so that pages and batches are full.

    The lease saves calls; it does not keep the books right. The rows' generations do, even against a worker that
    continues after its lease has passed to another. A worker that finds the lease taken leaves its due rows to the
    holder or to the next minute.
    """

    def __init__(
        self,
        work: Mapping[str, CapabilityWork],
        poster: DocumentPoster,
        store: StateStore,
        pauses: Pauses,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`work` is what each capability does, by its name."""
        self._work_of = work
        self._poster = poster
        self._store = store
        self._pauses = pauses
        self._clock = clock
        self._decisions = decisions
        self._stops = StopLog(store, clock, decisions)

    def run(
        self,
        owner: str,
        deadline: datetime,
        named: Sequence[str] = (),
        *,
        capabilities: Collection[str] | None = None,
        wait_for_lease: bool = False,
    ) -> WorkReport:
        """Work until nothing is due, something stops it, or `deadline`.

        named: keys of records that were just named and are due although the index may not show them yet.
        capabilities: whose reading and planning is done, besides posting; None for all.
        wait_for_lease: wait for the worker before this one, and for limits that open up before the deadline. With one
            such run a minute, a backlog is processed without gaps.
        """
        names = list(self._work_of) if capabilities is None else list(capabilities)
        report = self._run(owner, deadline, named, names, wait_for_lease, WorkReport(busy=True))
        self._log_stop(report)
        return report

    def sweep(self, capability: str, owner: str, deadline: datetime) -> WorkReport:
        """Read what no notification reported, beside any other worker; then run, or leave it to the lease's holder."""
        sweep = self._work_of[capability].sweep
        if sweep is None:
            raise ValueError(f"the capability {capability} has no sweep")
        lease = self._store.acquire(f"{SWEEP_LEASE}{capability}", owner, self._clock.now(), deadline)
        if lease is None:
            self._decisions.record("LEASE_HELD_BY_ANOTHER_WORKER", sweep=capability)
            return WorkReport(busy=True)
        try:
            read = sweep(deadline)
        finally:
            self._store.release(lease)
        report = self._run(owner, deadline, read.due, [capability], False, WorkReport(read=read, busy=True))
        # What stopped the sweep itself is not in the report of the rounds that followed.
        self._log_stop(replace(report, read=replace(report.read, stopped=report.read.stopped or read.stopped)))
        return report

    def _log_stop(self, report: WorkReport) -> None:
        """Log what ended a run before everything due was done, with the reason of each step that it ended."""
        if report.stopped:
            stops = {
                "read_stopped": report.read.stopped,
                "planned_stopped": report.planned.stopped,
                "posted_stopped": report.posted.stopped,
            }
            self._stops.record(report.stopped, {name: str(reason) for name, reason in stops.items() if reason})

    def _run(
        self,
        owner: str,
        deadline: datetime,
        named: Sequence[str],
        names: Sequence[str],
        wait_for_lease: bool,
        report: WorkReport,
    ) -> WorkReport:
        is_something_due = True
        while is_something_due and self._clock.now() < deadline:
            lease = self._acquire(owner, deadline, wait_for_lease)
            if lease is None:
                self._decisions.record("LEASE_HELD_BY_ANOTHER_WORKER", records=len(named))
                break
            try:
                report = self._work(deadline, named, names, report)
                while wait_for_lease and self._limit_opens(deadline, names):
                    report = self._work(deadline, (), names, report)
            finally:
                self._store.release(lease)
            # Another worker may have been turned away just before the release: what it left is due now.
            named = ()
            is_something_due = not report.stopped and self._anything_due(self._clock.now(), names)
        return report

    def _acquire(self, owner: str, deadline: datetime, wait_for_lease: bool) -> Lease | None:
        give_up = min(deadline, self._clock.now() + _MAX_WAIT)
        while True:
            lease = self._store.acquire(_LEASE, owner, self._clock.now(), deadline)
            if lease is not None or not wait_for_lease or self._clock.now() + _LEASE_RETRY > give_up:
                return lease
            self._clock.sleep(_LEASE_RETRY.total_seconds())

    def _limit_opens(self, deadline: datetime, names: Collection[str]) -> bool:
        """Wait for Xero's pause to end, if that is soon enough and something is due then."""
        until = self._pauses.until("xero")
        now = self._clock.now()
        if until is None or until >= deadline or until > now + _MAX_WAIT or not self._anything_due(until, names):
            return False
        self._clock.sleep((until - now).total_seconds())
        return self._clock.now() < deadline

    def _work(self, deadline: datetime, named: Sequence[str], names: Collection[str], so_far: WorkReport) -> WorkReport:
        work = [self._work_of[name] for name in names]
        # What stopped an earlier round does not stop this one.
        read, planned = so_far.read.without_stop(), so_far.planned.without_stop()
        posted = so_far.posted.without_stop()
        while self._clock.now() < deadline:
            just_read = _all([each.read for each in work], named, deadline)
            just_planned = _all([each.plan for each in work], [*named, *just_read.due], deadline)
            read, planned, named = read.plus(just_read), planned.plus(just_planned), ()
            just_posted = self._poster.post_due([*read.documents, *planned.documents], deadline)
            posted = posted.plus(just_posted)
            progress = just_read.records + just_planned.records + just_posted.applied + just_posted.failed
            if just_read.stopped or just_planned.stopped or just_posted.stopped or not progress:
                break
        return WorkReport(read, planned, posted)

    def _anything_due(self, at: datetime, names: Collection[str]) -> bool:
        return any(self._store.due(queue, at, 1) for queue in (*names, DOCUMENTS))


def _all(steps: Sequence[WorkStep | None], named: Sequence[str], deadline: datetime) -> StepReport:
    report = StepReport()
    for step in steps:
        if step is not None:
            report = report.plus(step(named, deadline))
    return report
