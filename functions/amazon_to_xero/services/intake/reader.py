"""Reads the orders that are due from Amazon, singly or in pages. The one reading path for orders of a connection.

Pages cost less than single orders: one searchOrders call returns 100 orders, one getOrder call one. Few orders are read
singly and at once. Many are read in pages from the earliest notice on; searchOrders shows an order two minutes after
its change. Reading may be repeated at any time: an order's row stays due until what was read is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.failures import FAILURES, FailureCode, WaitReason
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, AmazonNotFound, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import GET_ORDER, SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.intake.recorder import OrderRecorder
from amazon_to_xero.services.intake.search_limit import SEARCH_DELAY, limit_of
from amazon_to_xero.services.work_report import StepReport

PAGES_FROM = 20  # fewer orders are read singly: at once, and the scarce pages are left to bursts and sweeps
PAGES_FOR_SWEEPS = 3  # pages that bursts leave to sweeps; the seller's other software has its own quota
STRAGGLER = timedelta(hours=1)  # a few notices that much older than the rest of a burst are read singly
BURST_STARTS_AT = 3  # this many orders at once may be the beginning of a burst
MAX_DUE = 2000
_BURST_WAIT = timedelta(seconds=3)
_BURST_WAITS = 4
NOTICE_MARGIN = timedelta(seconds=15)  # an order's lastUpdatedTime may be a little before the notification's time
NOT_FOUND_GRACE = timedelta(minutes=15)  # getOrder may not know an order yet whose notice is that recent
_MAX_RETRY_WAIT = timedelta(minutes=15)
_MAX_REFUSED_WAIT = timedelta(hours=1)
MAX_REFUSALS = 24  # of one order, 18 hours with their waits; Amazon has answered valid queries with 400 for hours
REFUSED_IN_A_ROW = 3  # this many orders refused in one run, and none returned: it is the operation
_REFUSED = (400, 401, 403)


class OrderReader:
    """Reads what is due, and hands it to the recorder."""

    def __init__(
        self,
        amazon: SellerApi,
        store: StateStore,
        recorder: OrderRecorder,
        quota: AmazonQuota,
        faults: AmazonFaults,
        failed_sources: FailedSources,
        clock: Clock,
    ) -> None:
        self._amazon = amazon
        self._store = store
        self._recorder = recorder
        self._quota = quota
        self._faults = faults
        self._failed_sources = failed_sources
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
        for _ in range(len(left) // PAGES_FROM + 2):
            if self._clock.now() >= deadline or not self._quota.take(SEARCH_ORDERS, reserve=PAGES_FOR_SWEEPS):
                break
            asked_at = self._clock.now()
            try:
                page = self._amazon.search_orders(updated_after=start - NOTICE_MARGIN, page_token=page_token)
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
        refused, is_any_returned = 0, False
        for record in sorted(wanted.values(), key=lambda each: each.next_attempt_at or now):
            if self._clock.now() >= deadline:
                return report.plus(StepReport(stopped=WaitReason.OUT_OF_TIME))
            if not self._quota.take(GET_ORDER):
                return report.plus(StepReport(stopped=WaitReason.AMAZON_QUOTA))
            try:
                one = self._read_one(record)
                is_any_returned = is_any_returned or bool(one.records)
            except AmazonForbidden as problem:
                # The order is suspected first, then the operation, then the connection.
                self._faults.log(problem, record.order_id)
                self._refuse(record)
                refused += 1
                is_operation = refused >= REFUSED_IN_A_ROW and not is_any_returned
                one = self._faults.report(problem) if is_operation else StepReport()
            report = report.plus(one)
            if one.stopped and one.stopped != WaitReason.AMAZON_UNAVAILABLE:
                break
        return report

    def _read_one(self, record: OrderRecord) -> StepReport:
        """Read one order. Raises AmazonForbidden, whose meaning depends on the other orders."""
        asked_at = self._clock.now()
        try:
            order = self._amazon.get_order(record.order_id)
        except AmazonNotFound as problem:
            if record.noticed_at and record.noticed_at > asked_at - NOT_FOUND_GRACE:
                self._retry_later(record, problem.code)
            else:
                self._fail(record, FailureCode.ORDER_NOT_FOUND)
            return StepReport()
        except AmazonForbidden:
            raise
        except AmazonError as problem:
            report = self._faults.report(problem, record.order_id)
            if problem.status in _REFUSED and report.stopped == WaitReason.AMAZON_UNAVAILABLE:
                self._refuse(record)
            elif report.stopped == WaitReason.AMAZON_UNAVAILABLE:
                # Perhaps only this order cannot be had: it waits, longer each time, and the others go on.
                self._retry_later(record, problem.code)
            return report
        # Every notice that was in the row before Amazon was asked is answered, whatever Amazon's clock says.
        return self._recorder.record([order], max(asked_at, record.noticed_at or asked_at), is_page=False)

    def _fail(self, record: OrderRecord, code: FailureCode) -> None:
        open_record = replace(record, next_attempt_at=None)
        failed = self._failed_sources.fail(open_record, code, FAILURES[code].remedy, ORDERS)
        if failed is None:
            self._retry_later(record, WaitReason.DEAD_LETTER_NOT_SENT)
            return
        self._store.save([failed])
        self._failed_sources.log(failed)

    def _refuse(self, record: OrderRecord) -> None:
        """Retry after one minute, then twice as long each time, at most an hour; in the end fail the order.

        It does not fail while Amazon refuses the whole connection.
        """
        code = FailureCode.ORDER_REFUSED
        refusals = 1 + (record.attempts if record.reason == code else 0)
        if refusals >= MAX_REFUSALS and not self._faults.is_connection_suspect():
            self._fail(replace(record, attempts=0), code)
            return
        wait = min(_MAX_REFUSED_WAIT, timedelta(minutes=2 ** min(refusals - 1, 6)))
        self._store.save([record.read_again_at(self._clock.now() + wait, attempts=refusals, reason=code)])

    def _retry_later(self, record: OrderRecord, reason: str) -> None:
        """Retry after one minute, then twice as long each time, at most a quarter of an hour."""
        wait = min(_MAX_RETRY_WAIT, timedelta(minutes=2 ** min(record.attempts, 4)))
        later = record.read_again_at(self._clock.now() + wait, attempts=record.attempts + 1, reason=reason)
        # If another writer was faster, nothing is lost: the row is still due, or was read by the other one.
        self._store.save([later])
