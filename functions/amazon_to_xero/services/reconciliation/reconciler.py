"""Reconciles one connection's stock: reads both sides, compares them, reports, and keeps the worklist.

Nothing is compared unless both sides were read to their end. Reports, events and the message go out before the rows are
saved, so a crash in between repeats them, and loses none: an event has the same entry_id then, or a later one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.stock.amazon_items import amazon_items, with_movements
from amazon_to_xero.domain.stock.comparison import AmazonItem, compare
from amazon_to_xero.domain.stock.correction import correction_of
from amazon_to_xero.domain.stock.items import XeroItem, item_key
from amazon_to_xero.domain.stock.movements import SkuPeriod
from amazon_to_xero.domain.stock.pools import PoolFinding
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.domain.stock.reconciliation_report import ReconciliationReport, ReportLine, in_order
from amazon_to_xero.domain.stock.worklist import WorklistEntry
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import (
    DecisionLog,
    EventBus,
    MessageNotSent,
    MessageTopic,
    ReportNotStored,
    ReportStore,
)
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroError
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.reconciliation.amazon_stock import AmazonStock
from amazon_to_xero.services.reconciliation.csv_report import csv_report
from amazon_to_xero.services.reconciliation.events import reconciliation_event
from amazon_to_xero.services.reconciliation.html_report import html_report
from amazon_to_xero.services.reconciliation.movements import StockMovements
from amazon_to_xero.services.reconciliation.own_stock import own_stock
from amazon_to_xero.services.reconciliation.summary import message_of, subject_of
from amazon_to_xero.services.reconciliation.worklist import StockWorklist, open_entries
from amazon_to_xero.services.state_updates import update_cursor, update_records
from amazon_to_xero.services.work_report import StepReport

LEASE = "inventory_reconciliation"
CURSOR = "reconciliation"
# In the cursor: when it was last done (UTC), where its reports are, and which pools had units.
COMPLETED_AT, FOLDER, STOCKED_POOLS = "completed_at", "folder", "stocked_pools"
LEASE_HELD = "LEASE_HELD_BY_ANOTHER_WORKER"  # why a run did nothing: another one is under way
_EARLY = timedelta(hours=1)  # the schedule runs hourly: a reconciliation is not an hour later each time


class _Incomplete(Exception):
    """Something could not be read, or not be passed on. Its text says what."""


@dataclass(frozen=True)
class _Sides:
    """What both sides state, by item_key; `read_at` is when the last of it was read (UTC).

    pool_findings: see ReconciliationReport.
    """

    read_at: datetime
    amazon: Mapping[str, AmazonItem]
    xero: Mapping[str, XeroItem]
    currency: str
    pool_findings: tuple[PoolFinding, ...] = ()

    @property
    def keys(self) -> list[str]:
        """Items that Amazon knows, and those that Xero tracks units of."""
        return sorted({*self.amazon, *(key for key, item in self.xero.items() if item.is_tracked)})


class StockReconciler:
    """Reconciles the stock of one connection, one run at a time."""

    def __init__(
        self,
        connection: str,
        policy: ReconciliationPolicy | None,
        stock: AmazonStock,
        xero: XeroApi,
        organisation: OrganisationCache,
        movements: StockMovements,
        worklist: StockWorklist,
        reports: ReportStore | None,
        topic: MessageTopic,
        events: EventBus,
        store: StateStore,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`policy` is None where stock is not reconciled, `reports` in a function that does not do it."""
        self._connection = connection
        self._policy = policy
        self._stock = stock
        self._xero = xero
        self._organisation = organisation
        self._movements = movements
        self._worklist = worklist
        self._reports = reports
        self._topic = topic
        self._events = events
        self._store = store
        self._clock = clock
        self._decisions = decisions

    def reconcile(self, owner: str, deadline: datetime, *, is_asked: bool = False) -> StepReport:
        """Reconcile if it is due, or a person asks for it. What could not be read is tried again by the next run."""
        policy, reports = self._policy, self._reports
        if policy is None or reports is None or not (is_asked or self._is_due(policy)):
            return StepReport()
        lease = self._store.acquire(LEASE, owner, self._clock.now(), deadline)
        if lease is None:
            self._decisions.record(LEASE_HELD, lease=LEASE)
            return StepReport(stopped=LEASE_HELD)
        try:
            report = self._reconciled(policy, deadline)
            folder = self._put(report, reports)
            self._publish(report, folder)
            self._save(report, folder)
        except _Incomplete as problem:
            code = FailureCode.RECONCILIATION_INCOMPLETE
            remedy = f"Stock was not reconciled: {problem}. It is tried again within an hour."
            self._decisions.record(code, reason=code, remedy=remedy)
            return StepReport(stopped=code)
        finally:
            self._store.release(lease)
        for finding in report.pool_findings:
            self._decisions.record(finding.code, reason=finding.code, remedy=finding.remedy)
        self._decisions.record("STOCK_RECONCILED", items=len(report.lines), open=len(report.open_lines), folder=folder)
        return StepReport(len(report.lines))

    def _is_due(self, policy: ReconciliationPolicy) -> bool:
        completed_at = self._store.cursor(CURSOR).data.get(COMPLETED_AT)
        return not completed_at or self._clock.now() >= datetime.fromisoformat(completed_at) + policy.every - _EARLY

    def _reconciled(self, policy: ReconciliationPolicy, deadline: datetime) -> ReconciliationReport:
        """Return what both sides state, compared. Nothing is stored yet."""
        sides = self._sides(policy, deadline)
        before = self._worklist.entries(sides.keys)
        amazon = self._with_movements(sides, before, policy)
        lines = []
        for key in sides.keys:
            entry = before.get(key)
            comparison = compare(amazon.get(key), sides.xero.get(key), entry.baseline if entry else None, policy)
            correction = correction_of(comparison, sides.currency)
            known = entry or WorklistEntry(comparison.code)
            after = known.compared(comparison, correction, sides.read_at)
            lines.append(ReportLine(comparison, correction, after, after.is_news_after(known)))
        known_keys = frozenset(sides.keys)
        gone = [each.gone(sides.read_at) for each in open_entries(self._store) if each.key not in known_keys]
        return ReconciliationReport(
            self._connection, sides.read_at, sides.currency, in_order(lines), tuple(gone), sides.pool_findings
        )

    def _sides(self, policy: ReconciliationPolicy, deadline: datetime) -> _Sides:
        """Read both sides. Xero first: it takes one call, and Amazon minutes."""
        try:
            currency = self._organisation.current().base_currency
            items = self._xero.items()
        except XeroError as problem:  # other work finds out by itself whether Xero is to be paused
            raise _Incomplete(f"Xero's items could not be read ({problem})") from None
        stocked = self._store.cursor(CURSOR).data.get(STOCKED_POOLS, "").split(",")
        own = own_stock(self._store) if policy.counts_own_stock else []
        read = self._stock.read(policy, deadline, stocked, is_required=not own)
        if read.problem:
            raise _Incomplete(read.problem)
        statements = ((pool, statement) for (pool, _), statement in read.statements.items())
        xero = {item_key(item.code): item for item in items}
        findings = tuple(read.pool_findings(policy))
        now = self._clock.now()
        return _Sides(now, amazon_items(statements, policy, own, now), xero, currency, findings)

    def _with_movements(
        self, sides: _Sides, before: Mapping[str, WorklistEntry], policy: ReconciliationPolicy
    ) -> dict[str, AmazonItem]:
        """Return Amazon's items with what was sold and refunded of them since they were last compared."""
        periods: dict[str, list[SkuPeriod]] = {}
        for key, item in sides.amazon.items():
            entry = before.get(key)
            if entry is not None and entry.baseline is not None:
                since, until = entry.baseline.at, item.read_at
                periods[key] = [
                    *(SkuPeriod(sku, since, until) for sku in item.skus),
                    *(SkuPeriod(sku, since, until, Channel.MERCHANT) for sku in item.own or ()),
                ]
        moved = self._movements.moved(period for of_item in periods.values() for period in of_item)
        counted = {
            key: with_movements(sides.amazon[key], ((each.sku, moved[each]) for each in of_item), policy)
            for key, of_item in periods.items()
        }
        return {**sides.amazon, **counted}

    def _put(self, report: ReconciliationReport, reports: ReportStore) -> str:
        """Store the three forms of the report; return the folder that they are in."""
        folder = f"{self._connection}/{report.at:%Y-%m-%dT%H%M%SZ}"
        text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
        try:
            reports.put(f"{folder}/stock.csv", csv_report(report), "text/csv; charset=utf-8")
            reports.put(f"{folder}/stock.json", text.encode(), "application/json")
            reports.put(f"{folder}/stock.html", html_report(report), "text/html; charset=utf-8")
        except ReportNotStored as problem:
            raise _Incomplete(f"the report could not be stored ({problem})") from None
        return folder

    def _publish(self, report: ReconciliationReport, folder: str) -> None:
        """Publish an event for each entry that was opened or changed, and the message about all of them."""
        new = [
            reconciliation_event(line.entry, line.correction, report.currency) for line in report.lines if line.is_news
        ]
        lost = self._events.publish(self._connection, new) if new else 0
        if lost:
            raise _Incomplete(f"the event bus did not take {lost} events")
        try:
            self._topic.publish(subject_of(report), message_of(report, folder))
        except MessageNotSent as problem:
            raise _Incomplete(f"the topic did not take the message ({problem})") from None

    def _save(self, report: ReconciliationReport, folder: str) -> None:
        """Save the worklist. An entry that a person closed meanwhile is derived from the closed one."""
        lines = {line.entry.key: line for line in report.lines}
        gone = {entry.key: entry for entry in report.gone}

        def saved(stored: Mapping[str, WorklistEntry | None]) -> Iterator[WorklistEntry]:
            for key, known in stored.items():
                if key in gone:
                    yield (known or gone[key]).gone(report.at)
                    continue
                line = lines[key]
                entry = known or WorklistEntry(line.comparison.code)
                after = entry.compared(line.comparison, line.correction, report.at)
                if after != entry:
                    yield after

        update_records(self._store, WorklistEntry, [*lines, *gone], saved)
        done = {
            COMPLETED_AT: self._clock.now().isoformat(),
            FOLDER: folder,
            STOCKED_POOLS: ",".join(report.stocked_pools),
        }
        update_cursor(self._store, CURSOR, lambda _: done)
