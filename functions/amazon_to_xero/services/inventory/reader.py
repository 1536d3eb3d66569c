"""Reads single stock levels because a person asks, by the one parameter of Amazon's that takes any SKU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.record import level_of
from amazon_to_xero.ports.amazon import InventoryApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import AmazonQuota
from amazon_to_xero.services.inventory.recorder import ASKED, StockRecorder
from amazon_to_xero.services.inventory.summary_pages import SummaryPages
from amazon_to_xero.services.state_updates import update_cursor
from amazon_to_xero.services.work_report import StepReport


class StockReader:
    """Reads the levels that are asked for, for one connection. `policy` is None where it has no alerts."""

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
        self._amazon = amazon
        self._store = store
        self._policy = policy
        self._recorder = recorder
        self._quota = quota
        self._faults = faults
        self._clock = clock
        self._decisions = decisions

    def read_due(self, named: Sequence[str], deadline: datetime) -> StepReport:
        """Read what is asked for, until the deadline. What Amazon does not answer stays asked for."""
        report = StepReport()
        if self._policy is None:
            return report
        for key in list(self._store.cursor(ASKED).data):
            report = report.plus(self._read(key, self._policy, deadline))
            if report.stopped:
                break
            self._done(key)
        return report

    def _read(self, key: str, policy: StockPolicy, deadline: datetime) -> StepReport:
        """Read one level, of the first marketplace of its pool that has it."""
        channel, pool, sku = level_of(key)
        marketplaces = policy.marketplaces_of(pool) if channel == Channel.FBA else ()
        for marketplace in marketplaces:
            pages = SummaryPages(
                self._amazon, marketplace, deadline, self._quota, self._faults, self._clock, self._decisions, sku
            )
            records = 0
            for page, read_at in pages:
                self._recorder.record_page(page, marketplace, read_at)
                records += len(page.summaries)
            if records or pages.stopped:
                return StepReport(records, stopped=pages.stopped)
        code = FailureCode.STOCK_NOT_STATED
        asked = ", ".join(marketplaces) or "no marketplace"
        remedy = f"Amazon states no stock of {key} (asked: {asked}). Check the key and the SKU in Seller Central."
        self._decisions.record(code, reason=code, remedy=remedy, stock=key)
        return StepReport()

    def _done(self, key: str) -> None:
        def without(cursor: Cursor) -> Mapping[str, str]:
            return {name: at for name, at in cursor.data.items() if name != key}

        update_cursor(self._store, ASKED, without)
