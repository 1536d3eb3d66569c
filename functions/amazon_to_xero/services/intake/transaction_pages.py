"""Reads pages of listTransactions and records what is in them: in one way for notices and for sweeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, FinancesApi, Json
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import LIST_TRANSACTIONS, AmazonQuota
from amazon_to_xero.services.intake.transactions import TransactionRecorder
from amazon_to_xero.services.work_report import StepReport


class TransactionPages:
    """The pages of one connection. It keeps no place among them."""

    def __init__(
        self, amazon: FinancesApi, recorder: TransactionRecorder, quota: AmazonQuota, faults: AmazonFaults
    ) -> None:
        self._amazon = amazon
        self._recorder = recorder
        self._quota = quota
        self._faults = faults

    @property
    def is_refused(self) -> bool:
        """Whether Amazon refuses the operation at the moment."""
        return self._faults.is_refused(LIST_TRANSACTIONS)

    def stop_reason(self, longest_wait: timedelta = timedelta()) -> str:
        """Return why no page is requested now; empty where one is. It then counts against the quota.

        longest_wait: for the quota.
        """
        stopped = self._faults.stop_reason(LIST_TRANSACTIONS)
        if not stopped and not self._quota.wait(LIST_TRANSACTIONS, longest_wait):
            stopped = WaitReason.AMAZON_QUOTA
        return stopped

    def read(
        self,
        posted_after: datetime,
        posted_before: datetime | None,
        page_token: str | None,
        selected: Callable[[Sequence[Json]], Sequence[Json]] | None = None,
    ) -> tuple[StepReport, str | None]:
        """Record a page; return the report and the token of the next one. Raises an AmazonError.

        selected: returns those of its transactions that are recorded; all by default.
        """
        page = self._amazon.list_transactions(
            posted_after=posted_after, posted_before=posted_before, page_token=page_token
        )
        transactions = page.transactions if selected is None else selected(page.transactions)
        return self._recorder.record(transactions), page.next_token

    def read_order(self, order_id: str, page_token: str | None) -> tuple[StepReport, list[str], str | None]:
        """Record a page of one order's transactions, as `read` does.

        Return the report, the ids of those that were recorded before, and the token of the next page.
        """
        page = self._amazon.list_transactions(order_id=order_id, page_token=page_token)
        known = self._recorder.known(page.transactions)
        return self._recorder.record(page.transactions), known, page.next_token

    def log(self, problem: AmazonError, order_id: str) -> None:
        """Log that the transactions of an order are read again."""
        self._faults.log(problem, order_id)

    def failed(self, problem: AmazonError) -> StepReport:
        """Log a page that failed, and return what it stops."""
        return self._faults.report(problem)
