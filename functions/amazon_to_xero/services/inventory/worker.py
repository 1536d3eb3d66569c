"""The worker of a capability that posts nothing. It has leases of its own.

Under the lease of the SyncWorker an alert would wait for the posting of a backlog, and the sweep of stock would keep
documents waiting. Neither needs the other's rows: stock is no source of documents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.stop_log import StopLog
from amazon_to_xero.services.work_report import StepReport
from amazon_to_xero.services.worker import SWEEP_LEASE, CapabilityWork


class AlertWorker:
    """One worker at a time for one capability of a connection. The leases save calls; the rows' generations decide."""

    def __init__(
        self, capability: str, work: CapabilityWork, store: StateStore, clock: Clock, decisions: DecisionLog
    ) -> None:
        """`capability` is also the name of the lease."""
        self._capability = capability
        self._work = work
        self._store = store
        self._clock = clock
        self._decisions = decisions
        self._stops = StopLog(store, clock, decisions)

    def run(self, owner: str, deadline: datetime, named: Sequence[str] = ()) -> StepReport:
        """Do what is due, or leave it to the worker that holds the lease.

        named: keys of records that are due although the index may not show them yet.
        """
        if not named and not self._store.due(self._capability, self._clock.now(), 1):
            return StepReport()
        return self._under_lease(self._capability, owner, deadline, partial(self._steps, named))

    def sweep(self, owner: str, deadline: datetime) -> StepReport:
        """Read what no notification reported, then do what is due."""
        swept = self._under_lease(f"{SWEEP_LEASE}{self._capability}", owner, deadline, self._work.sweep)
        return swept.plus(self._under_lease(self._capability, owner, deadline, partial(self._steps, ())))

    def _steps(self, named: Sequence[str], deadline: datetime) -> StepReport:
        report = StepReport()
        for step in filter(None, (self._work.read, self._work.plan)):
            report = report.plus(step(named, deadline))
        return report

    def _under_lease(
        self, name: str, owner: str, deadline: datetime, step: Callable[[datetime], StepReport] | None
    ) -> StepReport:
        if step is None or self._clock.now() >= deadline:
            return StepReport()
        lease = self._store.acquire(name, owner, self._clock.now(), deadline)
        if lease is None:
            self._decisions.record("LEASE_HELD_BY_ANOTHER_WORKER", lease=name)
            return StepReport()
        try:
            report = step(deadline)
        finally:
            self._store.release(lease)
        if report.stopped:
            self._stops.record(report.stopped, {f"{self._capability}_stopped": report.stopped})
        return report
