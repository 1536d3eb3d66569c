"""Reads the orders that are due from Amazon, singly or in pages. The one reading path for orders of a connection.

Pages cost less than single orders: one searchOrders call returns 100 orders, one getOrder call one. Few orders are read
singly and at once. Many are read in pages from the earliest notice on; searchOrders shows an order two minutes after
its change. Reading may be repeated at any time: an order's row stays due until what was read is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, AmazonNotFound, AmazonUnavailable, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import GET_ORDER, SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.intake.recorder import NOTICE_MARGIN, OrderRecorder
from amazon_to_xero.services.intake.refused_orders import RefusalsOfRun, RefusedOrders, is_refusal
from amazon_to_xero.services.intake.search_limit import SEARCH_DELAY, limit_of
from amazon_to_xero.services.intake.search_scope import SearchScope
from amazon_to_xero.services.work_report import StepReport

PAGES_FROM = 20  # fewer orders are read singly: at once, and the scarce pages are left to bursts and sweeps
PAGES_FOR_SWEEPS = 3  # pages that bursts leave to sweeps; the seller's other software has its own quota
STRAGGLER = timedelta(hours=1)  # a few notices that much older than the rest of a burst are read singly
BURST_STARTS_AT = 3  # this many orders at once may be the beginning of a burst
MAX_DUE = 2000
_BURST_WAIT = timedelta(seconds=3)
_BURST_WAITS = 4
NOT_FOUND_GRACE = timedelta(minutes=15)  # getOrder may not know an order yet whose notice is that recent
MAX_UNANSWERED = 8  # reads of one order in a row, in an hour and a quarter; then it is judged as if it were refused
_MAX_RETRY_WAIT = timedelta(minutes=15)


class OrderReader:
    """Reads what is due, and hands it to the recorder."""

    def __init__(
        self,
        amazon: SellerApi,
        store: StateStore,
        recorder: OrderRecorder,
        scope: SearchScope,
        quota: AmazonQuota,
        faults: AmazonFaults,
        refused_orders: RefusedOrders,
        clock: Clock,
    ) -> None:
        self._amazon = amazon
        self._store = store
        self._recorder = recorder
        self._scope = scope
        self._quota = quota
        self._faults = faults
        self._refused_orders = refused_orders
        self._clock = clock

    def read_due(self, named: Sequence[str], deadline: datetime) -> StepReport:
        """Read what is due, and of `named` what is due although the index may not show it yet.

        Amazon's faults end in the report and in the orders' rows, never in an exception.
        """
        stopped = self._faults.unavailable_reason()
        if stopped:
            return StepReport(stopped=stopped)
        wanted = self._wait_for_burst(named)
        report = self._read_pages(wanted, deadline)
        if report.stopped == FailureCode.AMAZON_NOT_AUTHORISED:
            return report
        # Whatever else stopped the pages (their quota, an outage of the search alone): getOrder may still work.
        return report.plus(self._read_singly(wanted, deadline))

    # --- what is due ------------------------------------------------------------------------------------------------

    def _wait_for_burst(self, named: Sequence[str]) -> dict[str, OrderRecord]:
        """Return the due orders. While a burst is still arriving, a few seconds more fill the pages."""
        wanted = self._due(named)
        for _ in range(_BURST_WAITS):
            arrived = max((each.next_attempt_at for each in wanted.values() if each.next_attempt_at), default=None)
            if len(wanted) < BURST_STARTS_AT or arrived is None or arrived <= self._clock.now() - _BURST_WAIT:
                break
            self._clock.sleep(_BURST_WAIT.total_seconds())
            wanted = self._due(list(wanted))
        return wanted

    def _due(self, named: Sequence[str]) -> dict[str, OrderRecord]:
        now = self._clock.now()
        order_ids = dict.fromkeys([*named, *self._store.due(ORDERS, now, MAX_DUE)])
        records = self._store.load(OrderRecord, order_ids)
        return {order_id: record for order_id, record in records.items() if record.is_due(NextStep.READ, now)}

    # --- pages ------------------------------------------------------------------------------------------------------

    def _read_pages(self, wanted: dict[str, OrderRecord], deadline: datetime) -> StepReport:
        """Read pages from the earliest notice of a burst on, and take from `wanted` what they return.

        Stops when single reads would cost less. What was tried before, or is far older than the rest, is left to those.
        """
        start = self._burst_start(wanted)
        if start is None or self._faults.is_refused(SEARCH_ORDERS):
            return StepReport()
        shown_until = self._clock.now() - SEARCH_DELAY
        left = {
            order_id
            for order_id, record in wanted.items()
            if record.noticed_at and start <= record.noticed_at <= shown_until
        }
        report = StepReport()
        page_token: str | None = None
        marketplaces = self._scope.marketplaces()
        for _ in range(len(left) // PAGES_FROM + 2):
            if self._clock.now() >= deadline or not self._quota.take(SEARCH_ORDERS, reserve=PAGES_FOR_SWEEPS):
                break
            asked_at = self._clock.now()
            try:
                page = self._amazon.search_orders(
                    updated_after=start - NOTICE_MARGIN, page_token=page_token, marketplaces=marketplaces
                )
            except AmazonForbidden as problem:
                return report.plus(StepReport(stopped=self._scope.narrow(problem)))
            except AmazonError as problem:
                return report.plus(self._faults.report(problem))
            limit = limit_of(page, asked_at)
            report = report.plus(self._recorder.record(page.orders, limit))
            for order in page.orders:
                order_id = str(order.get("orderId"))
                noticed_at = wanted[order_id].noticed_at if order_id in wanted else None
                if noticed_at is None or noticed_at <= limit:
                    wanted.pop(order_id, None)
                    left.discard(order_id)
            page_token = page.next_token
            if page_token is None or not left:
                break
        return report

    def _burst_start(self, wanted: Mapping[str, OrderRecord]) -> datetime | None:
        """Return the earliest notice that pages should reach back to; None when single reads cost less."""
        shown_until = self._clock.now() - SEARCH_DELAY
        noticed = sorted(
            record.noticed_at
            for record in wanted.values()
            if record.noticed_at and record.noticed_at <= shown_until and not record.attempts
        )
        if len(noticed) < PAGES_FROM:
            return None
        first = 0
        while first < len(noticed) // PAGES_FROM and noticed[first + 1] - noticed[first] > STRAGGLER:
            first += 1
        return noticed[first]

    # --- single orders ----------------------------------------------------------------------------------------------

    def _read_singly(self, wanted: Mapping[str, OrderRecord], deadline: datetime) -> StepReport:
        report = StepReport()
        if self._faults.is_refused(GET_ORDER):
            return StepReport(stopped=WaitReason.AMAZON_PAUSED if wanted else "")
        now = self._clock.now()
        fresh = {
            order_id
            for order_id, record in wanted.items()
            if record.noticed_at and record.noticed_at > now - SEARCH_DELAY
        }
        if len(fresh) >= PAGES_FROM and not self._faults.is_refused(SEARCH_ORDERS):
            # A burst too new for the pages waits two minutes for them instead of costing a call each.
            report = StepReport(stopped=WaitReason.WAITING_FOR_PAGES)
            wanted = {order_id: record for order_id, record in wanted.items() if order_id not in fresh}
        refusals = self._refused_orders.begin_run()
        for record in sorted(wanted.values(), key=lambda each: each.next_attempt_at or now):
            if self._clock.now() >= deadline:
                return report.plus(StepReport(stopped=WaitReason.OUT_OF_TIME))
            if not self._quota.take(GET_ORDER):
                return report.plus(StepReport(stopped=WaitReason.AMAZON_QUOTA))
            one = self._read_one(record, refusals)
            report = report.plus(one)
            if one.stopped and one.stopped != WaitReason.AMAZON_UNAVAILABLE:
                return report
        return report.plus(refusals.judge())

    def _read_one(self, record: OrderRecord, refusals: RefusalsOfRun) -> StepReport:
        """Read one order. What a refusal means depends on the other orders of the run."""
        asked_at = self._clock.now()
        try:
            order = self._amazon.get_order(record.order_id)
        except AmazonNotFound as problem:
            if record.noticed_at and record.noticed_at > asked_at - NOT_FOUND_GRACE:
                self._retry_later(record, problem.code)
            elif not self._refused_orders.fail(record, FailureCode.ORDER_NOT_FOUND):
                self._retry_later(record, WaitReason.DEAD_LETTER_NOT_SENT)
            return StepReport()
        except AmazonError as problem:
            if is_refusal(problem):
                return refusals.add(record, problem)
            if _is_never_answered(record, problem):
                report = refusals.add(record, problem)
                if report.stopped:
                    self._retry_later(record, problem.code)
                return report
            report = self._faults.report(problem, record.order_id)
            if report.stopped == WaitReason.AMAZON_UNAVAILABLE:
                # Perhaps only this order cannot be had: it waits, longer each time, and the others go on.
                self._retry_later(record, problem.code)
            return report
        refusals.has_worked = True
        # Every notice that was in the row before Amazon was asked is answered, whatever Amazon's clock says.
        return self._recorder.record([order], max(asked_at, record.noticed_at or asked_at), is_page=False)

    def _retry_later(self, record: OrderRecord, reason: str) -> None:
        """Retry after one minute, then twice as long each time, at most a quarter of an hour."""
        wait = min(_MAX_RETRY_WAIT, timedelta(minutes=2 ** min(record.attempts, 4)))
        later = record.read_again_at(self._clock.now() + wait, attempts=record.attempts + 1, reason=reason)
        # If another writer was faster, nothing is lost: the row is still due, or was read by the other one.
        self._store.save([later])


def _is_never_answered(record: OrderRecord, problem: AmazonError) -> bool:
    """Whether Amazon has failed to return this order for so long that the order may be the cause."""
    is_judged = record.reason == FailureCode.ORDER_REFUSED
    return isinstance(problem, AmazonUnavailable) and (is_judged or record.attempts >= MAX_UNANSWERED)
