"""The daily sweep of stock at Amazon, for what no notification reported.

A page token lives for 30 seconds, so that a marketplace is read in one go; a sweep that is interrupted continues with
the marketplace that it was reading. A SKU that no page has is unknown, and its record stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.stock import StockStatement
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.ports.amazon import InventoryApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import AmazonQuota
from amazon_to_xero.services.intake.sweep_cursor import ANSWERED_AT
from amazon_to_xero.services.inventory.pool_check import store_sample, stored_pool_findings
from amazon_to_xero.services.inventory.recorder import StockRecorder
from amazon_to_xero.services.inventory.summary_pages import SummaryPages
from amazon_to_xero.services.state_updates import update_cursor
from amazon_to_xero.services.work_report import StepReport

CURSOR = "sweep#inventory"
# What the cursor holds beside ANSWERED_AT: when the last sweep was complete (UTC), the marketplaces that the one under
# way has read, and the one that it was interrupted in.
_COMPLETED_AT, _READ, _INTERRUPTED = "completed_at", "read", "interrupted"
_EVERY = timedelta(hours=23)  # the schedule runs hourly, so that a sweep that was interrupted continues soon


class StockSweep:
    """Sweeps the stock of one connection, marketplace by marketplace."""

    def __init__(
        self,
        amazon: InventoryApi,
        store: StateStore,
        policy: StockPolicy | None,
        recorder: StockRecorder,
        quota: AmazonQuota,
        faults: AmazonFaults,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`policy` is None where a connection has no alerts: then Amazon is not called."""
        self._amazon = amazon
        self._store = store
        self._policy = policy
        self._recorder = recorder
        self._quota = quota
        self._faults = faults
        self._clock = clock
        self._decisions = decisions

    def sweep(self, deadline: datetime) -> StepReport:
        """Record the stock of every marketplace, once a day, until the deadline."""
        report, cursor = StepReport(), self._store.cursor(CURSOR)
        if self._policy is None or not self._is_due(cursor):
            return report
        read = [each for each in cursor.data.get(_READ, "").split(",") if each]
        for marketplace in self._policy.marketplaces:
            if marketplace in read:
                continue
            report = report.plus(self._marketplace(marketplace, deadline, cursor))
            if report.stopped:
                self._store_place({_INTERRUPTED: marketplace})
                return report
            read.append(marketplace)
            self._store_place({_READ: ",".join(read), _INTERRUPTED: "", ANSWERED_AT: self._clock.now().isoformat()})
        self._store_place({_COMPLETED_AT: self._clock.now().isoformat(), _READ: ""})
        self._decisions.record("SWEEP_COMPLETE", stock_levels=report.records)
        for finding in stored_pool_findings(self._store, self._policy):
            self._decisions.record(finding.code, reason=finding.code, remedy=finding.remedy)
        return report

    def _is_due(self, cursor: Cursor) -> bool:
        completed_at = cursor.data.get(_COMPLETED_AT)
        is_under_way = bool(cursor.data.get(_READ) or cursor.data.get(_INTERRUPTED))
        return is_under_way or not completed_at or self._clock.now() >= datetime.fromisoformat(completed_at) + _EVERY

    def _marketplace(self, marketplace: str, deadline: datetime, cursor: Cursor) -> StepReport:
        """Record the stock of one marketplace. The report says why it stopped, if it is to be continued.

        A marketplace that a run cannot read although it began with it is not: the sweep goes on with the next one.
        """
        pages = SummaryPages(
            self._amazon, marketplace, deadline, self._quota, self._faults, self._clock, self._decisions
        )
        records, began_at, read = 0, self._clock.now(), list[StockStatement]()
        for page, read_at in pages:
            read += self._recorder.record_page(page, marketplace, read_at)
            records += len(page.summaries)
        stopped, incomplete = pages.stopped, pages.incomplete
        if not stopped and not incomplete:
            store_sample(self._store, marketplace, read, began_at)
        if stopped == WaitReason.OUT_OF_TIME and cursor.data.get(_INTERRUPTED) == marketplace:
            stopped, incomplete = "", "it has more stock levels than one run can read"
        if incomplete:
            code = FailureCode.STOCK_SWEEP_INCOMPLETE
            remedy = (
                f"The sweep of stock in {marketplace} ended early: {incomplete}. SKUs that it missed stay as known."
            )
            self._decisions.record(code, reason=code, remedy=remedy)
        return StepReport(records, stopped=stopped)

    def _store_place(self, place: Mapping[str, str]) -> None:
        update_cursor(self._store, CURSOR, lambda cursor: {**cursor.data, **place})
