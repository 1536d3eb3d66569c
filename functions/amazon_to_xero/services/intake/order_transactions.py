"""Reads the transactions of single orders because a person asks: by order, however old they are.

Notices and sweeps read by time. An order that Amazon does not return keeps no other waiting, and pauses nothing: the
sweeps find out whether Amazon refuses the operation. In the end it is taken off, with a dead letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FAILURES, FailureCode, WaitReason
from amazon_to_xero.domain.source import SourceKind, source_key
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, AmazonNotAuthorised, AmazonThrottled
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.intake.asked_orders import AskedOrder, AskedOrders
from amazon_to_xero.services.intake.refused_orders import REFUSED_IN_A_ROW
from amazon_to_xero.services.intake.transaction_notices import TransactionNotices
from amazon_to_xero.services.intake.transaction_pages import TransactionPages
from amazon_to_xero.services.work_report import StepReport

MAX_FAILED_READS = 24  # of one order, where Amazon returns another order in the same run
MAX_READS_ALONE = 240  # of one order, about four hours, where it may be Amazon that is to blame
_MAX_PAGES = 20  # of one order, each of up to 500 transactions


@dataclass
class _Run:
    """What one run has read. `failed`: the orders that Amazon did not return, with the last error of each."""

    report: StepReport = field(default_factory=StepReport)
    failed: list[tuple[AskedOrder, AmazonError]] = field(default_factory=list)
    has_read: bool = False

    def stop(self, reason: str) -> None:
        self.report = self.report.plus(StepReport(stopped=reason))

    def is_given_up(self, asked: AskedOrder) -> bool:
        """Whether an order that was not returned is read no more."""
        failed_reads = asked.failed_reads + 1
        return failed_reads >= (MAX_FAILED_READS if self.has_read else MAX_READS_ALONE)


class OrderTransactions:
    """Reads what is asked for, for one connection."""

    def __init__(
        self,
        pages: TransactionPages,
        notices: TransactionNotices,
        asked: AskedOrders,
        dead_letters: DeadLetters,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        self._pages = pages
        self._notices = notices
        self._asked = asked
        self._dead_letters = dead_letters
        self._clock = clock
        self._decisions = decisions

    def ask(self, order_ids: Sequence[str]) -> None:
        """Ask for the transactions of orders. Raises TooManyOrders and Conflict."""
        self._asked.add(order_ids)

    def read_due(self, named: Sequence[str], deadline: datetime) -> StepReport:
        """Read the transactions of the orders that are asked for, and have those that are known planned again.

        What Amazon does not answer stays asked for, within a limit. Raises Conflict.
        """
        run = _Run()
        for asked in self._asked.in_turn():
            if self._clock.now() >= deadline:
                run.stop(WaitReason.OUT_OF_TIME)
            if run.report.stopped or self._pages.is_refused:
                break
            self._read_into(run, asked)
        if run.failed:
            self._judge(run)
        return run.report

    def _read_into(self, run: _Run, asked: AskedOrder) -> None:
        try:
            run.report = run.report.plus(self._read(asked.order_id))
        except AmazonError as problem:
            if _is_of_connection(problem):
                run.report = run.report.plus(self._pages.failed(problem))
                return
            self._pages.log(problem, asked.order_id)
            run.failed.append((asked, problem))
            if not run.has_read and len(run.failed) >= REFUSED_IN_A_ROW:
                run.stop(WaitReason.AMAZON_UNAVAILABLE)
            return
        if not run.report.stopped:
            run.has_read = True
            self._asked.remove([asked.order_id])

    def _read(self, order_id: str) -> StepReport:
        """Read all pages of an order. Raises an AmazonError."""
        report, token = StepReport(), None
        for _ in range(_MAX_PAGES):
            if stopped := self._pages.stop_reason():
                return report.plus(StepReport(stopped=stopped))
            page, known, token = self._pages.read_order(order_id, token)
            again = self._notices.record([ChangeNotice(each, reprocess=True) for each in known])
            report = report.plus(page).plus(StepReport(due=tuple(again)))
            if token is None:
                break
        return report

    def _judge(self, run: _Run) -> None:
        """Give up the orders that are not returned for good, and read the others again after those that wait."""
        given_up = {
            asked.order_id
            for asked, problem in run.failed
            if run.is_given_up(asked) and self._fail(asked.order_id, problem)
        }
        if given_up:
            self._asked.remove(given_up)
        if left := {asked.order_id for asked, _ in run.failed} - given_up:
            self._asked.count_failed(left)
            run.stop(run.report.stopped or WaitReason.AMAZON_UNAVAILABLE)

    def _fail(self, order_id: str, problem: AmazonError) -> bool:
        """Send the dead letter of an order; return whether its queue took it."""
        code = FailureCode.ORDER_TRANSACTIONS_REFUSED
        remedy = f"Amazon answers {problem.operation} of order {order_id} with {problem.code}. {FAILURES[code].remedy}"
        source = source_key(SourceKind.ORDER, order_id)
        if not self._dead_letters.send(REFUNDS, source, code, remedy, order_id):
            return False
        self._decisions.record(code, order_id=order_id, reason=code, remedy=remedy)
        return True


def _is_of_connection(problem: AmazonError) -> bool:
    """Whether no order would be returned now: the quota is used up, or the authorisation is refused."""
    is_unauthorised = isinstance(problem, AmazonNotAuthorised) and not isinstance(problem, AmazonForbidden)
    return is_unauthorised or isinstance(problem, AmazonThrottled)
