"""The pages of one marketplace's stock, as getInventorySummaries answers them, one within seconds of the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonThrottled, InventoryApi, SummaryPage
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import GET_INVENTORY_SUMMARIES, AmazonQuota

_BETWEEN_PAGES = 0.5  # seconds: two calls a second are allowed
_AFTER_THROTTLING = 2.0  # seconds; a page token lives for 30
_ATTEMPTS = 4  # of each page, and of each marketplace where Amazon refuses its page token
_BAD_REQUEST = 400


class SummaryPages:
    """Iterates over the pages of one marketplace.

    stopped: afterwards, why the rest is left to a later run, a WaitReason or a FailureCode; empty if it is not.
    incomplete: afterwards, why the rest cannot be read; empty if there is no rest.
    """

    def __init__(
        self,
        amazon: InventoryApi,
        marketplace: str,
        deadline: datetime,
        quota: AmazonQuota,
        faults: AmazonFaults,
        clock: Clock,
        decisions: DecisionLog,
        sku: str | None = None,
    ) -> None:
        """`sku` is the only one to read."""
        self._sku = sku
        self.stopped = ""
        self.incomplete = ""
        self._amazon = amazon
        self._marketplace = marketplace
        self._deadline = deadline
        self._quota = quota
        self._faults = faults
        self._clock = clock
        self._decisions = decisions

    def __iter__(self) -> Iterator[tuple[SummaryPage, datetime]]:
        """Yield each page with the time at which it was asked for (UTC)."""
        page_token, refusals = None, 0
        while True:
            asked_at = self._clock.now()
            page = self._page(page_token)
            if isinstance(page, AmazonError):
                refusals += 1
                if page_token is None and refusals == 1:
                    # Amazon answers so where the seller has no goods in its fulfilment centres.
                    self._decisions.record("NO_STOCK_AT_AMAZON", marketplace=self._marketplace, code=page.code)
                    return
                if page_token is None:
                    self.incomplete = "Amazon refuses the first page, which it has answered before"
                    return
                if refusals == _ATTEMPTS:
                    self.incomplete = "Amazon refuses its own page tokens"
                    return
                page_token = None
                continue
            if page is None:
                return
            yield page, asked_at
            if page.next_token is None:
                return
            if page.next_token == page_token:
                self.incomplete = "Amazon's page token leads back to the same page"
                return
            page_token = page.next_token
            self._clock.sleep(_BETWEEN_PAGES)

    def _page(self, page_token: str | None) -> SummaryPage | AmazonError | None:
        """Return a page, or the 400 that Amazon answers; None where `stopped` says why there is none."""
        for _ in range(_ATTEMPTS):
            self.stopped = self._stop()
            if self.stopped:
                return None
            try:
                return self._amazon.inventory_summaries(self._marketplace, page_token=page_token, sku=self._sku)
            except AmazonError as problem:
                if problem.status == _BAD_REQUEST:
                    return problem
                self.stopped = self._faults.report(problem).stopped
                if not isinstance(problem, AmazonThrottled):
                    return None
            self._clock.sleep(_AFTER_THROTTLING)
        return None

    def _stop(self) -> str:
        """Return why no page is requested now; empty where one is. It then counts against the quota."""
        for _ in range(_ATTEMPTS):
            if self._clock.now() >= self._deadline:
                return WaitReason.OUT_OF_TIME
            stopped = self._faults.amazon_stop_reason(GET_INVENTORY_SUMMARIES)
            if stopped:
                return stopped
            if self._quota.take(GET_INVENTORY_SUMMARIES):
                return ""
            self._clock.sleep(_BETWEEN_PAGES)
        return WaitReason.AMAZON_QUOTA
