"""Orders that Amazon refuses to return (400, 401, 403): whether they, or the operation getOrder, are to blame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.failures import FAILURES, FailureCode, WaitReason
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonForbidden,
    AmazonNotFound,
    AmazonUnavailable,
    SellerApi,
)
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.dead_letters import RETRY_SEND
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import GET_ORDER, AmazonQuota
from amazon_to_xero.services.intake.readable_orders import ReadableOrders
from amazon_to_xero.services.pauses import UNAUTHORISED_PAUSE
from amazon_to_xero.services.work_report import StepReport

MAX_REFUSALS = 24  # of one order, 18 hours with their waits; Amazon has answered valid queries with 400 for hours
REFUSED_IN_A_ROW = 3  # after so many refused orders in one run, none returned, it is tested whether getOrder works
_MAX_WAIT = timedelta(hours=1)
_BAD_REQUEST = 400


def is_refusal(problem: AmazonError) -> bool:
    """Whether Amazon refused to return the order, and not the connection's authorisation."""
    is_bad_request = isinstance(problem, AmazonUnavailable) and problem.status == _BAD_REQUEST
    return isinstance(problem, AmazonForbidden) or is_bad_request


class RefusedOrders:
    """Judges the refused orders of one connection.

    An order counts a refusal only where getOrder is known to work: because it returned another order in the same run,
    or returns one that it returned before. Otherwise the operation is to blame: it is paused, and the orders wait
    without being counted.
    """

    def __init__(
        self,
        amazon: SellerApi,
        store: StateStore,
        quota: AmazonQuota,
        faults: AmazonFaults,
        readable: ReadableOrders,
        failed_sources: FailedSources,
        clock: Clock,
    ) -> None:
        self._amazon = amazon
        self._store = store
        self._quota = quota
        self._faults = faults
        self._readable = readable
        self._failed_sources = failed_sources
        self._clock = clock

    def begin_run(self) -> RefusalsOfRun:
        return RefusalsOfRun(self)

    def log(self, record: OrderRecord, problem: AmazonError) -> None:
        self._faults.log(problem, record.order_id)

    def fail(self, record: OrderRecord, code: FailureCode) -> bool:
        """Fail an order that Amazon does not return; return False where its dead letter could not be sent."""
        open_record = replace(record, next_attempt_at=None)
        failed = self._failed_sources.fail(open_record, code, FAILURES[code].remedy, ORDERS)
        if failed is None:
            return False
        self._store.save([failed])
        self._failed_sources.log(failed)
        return True

    def test_operation(self, refused: set[str], problem: AmazonError) -> StepReport:
        """Read orders that Amazon returned before, until it returns one; return what stops reading otherwise.

        refused: the ids of the orders that are refused, the last of them with `problem`.
        At most three are read. Where none is known, getOrder has not been seen to work, and counts as refused.
        """
        unanswered: AmazonError | None = None
        for order_id in self._readable.known(besides=refused):
            if not self._quota.take(GET_ORDER):
                return StepReport(stopped=WaitReason.AMAZON_QUOTA)
            try:
                self._amazon.get_order(order_id)
            except AmazonNotFound:
                return StepReport()  # Amazon answers: it no longer shows an order that is two years old
            except AmazonError as error:
                if not is_refusal(error) and not isinstance(error, AmazonUnavailable):
                    return self._faults.report(error, order_id)
                self._faults.log(error, order_id)
                unanswered = unanswered if is_refusal(error) else error
            else:
                return StepReport()
        if unanswered is not None:
            return StepReport(stopped=WaitReason.AMAZON_UNAVAILABLE)
        return self._faults.pause_refused(problem)

    def wait(self, record: OrderRecord) -> None:
        """Read an order again in a quarter of an hour; its refusal is not counted."""
        self._store.save([record.read_again_at(self._clock.now() + UNAUTHORISED_PAUSE)])

    def count(self, record: OrderRecord) -> None:
        """Retry after one minute, then twice as long each time, at most an hour; in the end fail the order.

        It does not fail while Amazon refuses the whole connection.
        """
        code = FailureCode.ORDER_REFUSED
        refusals = 1 + (record.attempts if record.reason == code else 0)
        wait = min(_MAX_WAIT, timedelta(minutes=2 ** min(refusals - 1, 6)))
        if refusals >= MAX_REFUSALS and not self._faults.is_connection_suspect():
            if self.fail(replace(record, attempts=0), code):
                return
            wait = RETRY_SEND
        self._store.save([record.read_again_at(self._clock.now() + wait, attempts=refusals, reason=code)])


@dataclass
class RefusalsOfRun:
    """The orders that Amazon refused in one run of the reader and that are not judged yet.

    has_worked: getOrder is known to work in this run.
    """

    _orders: RefusedOrders
    has_worked: bool = False
    _records: list[OrderRecord] = field(default_factory=list)
    _problem: AmazonError | None = None
    _stopped: str = ""

    def add(self, record: OrderRecord, problem: AmazonError) -> StepReport:
        """Judge the refused orders once that can be done; return what stops reading."""
        self._orders.log(record, problem)
        self._records.append(record)
        self._problem = problem
        can_be_judged = self.has_worked or len(self._records) >= REFUSED_IN_A_ROW
        return self.judge() if can_be_judged else StepReport()

    def judge(self) -> StepReport:
        """Count the refusals of orders, or pause the operation; return what stops reading.

        Where the operation does not work, or that could not be tested, the orders wait.
        """
        if not self._records or self._problem is None:
            return StepReport()
        if not self.has_worked and not self._stopped:
            refused = {record.order_id for record in self._records}
            self._stopped = self._orders.test_operation(refused, self._problem).stopped
            self.has_worked = not self._stopped
        if not self.has_worked:
            for record in self._records:
                self._orders.wait(record)
            self._records = []
            return StepReport(stopped=self._stopped)
        for record in self._records:
            self._orders.count(record)
        self._records = []
        return StepReport()
