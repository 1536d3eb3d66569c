"""The sweep for transactions that no notice reported, by the time at which Amazon posted them."""

from __future__ import annotations

from datetime import datetime, timedelta

from amazon_to_xero.ports.amazon import AmazonError
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.intake.paged_sweep import PagedSweep, SweepPlace, SweepSpan, SweptPage
from amazon_to_xero.services.intake.search_limit import shown_until
from amazon_to_xero.services.intake.sweep_cursor import watermark
from amazon_to_xero.services.intake.transaction_pages import TransactionPages

CURSOR = "sweep#transactions"
# Amazon: listTransactions shows a transaction at most 48 hours late, and answers for at most 180 days at once.
_SPAN = SweepSpan(overlap=timedelta(hours=72), longest=timedelta(days=170))
# The first sweep reaches so far back: of a deferred transaction that is older, only the copy that is ignored is seen.
FIRST_SWEEP = timedelta(days=45)
# Amazon adds a call every two seconds. A sweep that stopped for that would go on with its next page an hour later.
_QUOTA_WAIT = timedelta(seconds=5)


def read_until(store: StateStore) -> datetime | None:
    """Return until when transactions have been read (UTC); None where no sweep has ended yet."""
    return watermark(store.cursor(CURSOR))


class TransactionSweep(PagedSweep):
    """Sweeps the transactions of one connection.

    Each sweep reads three days again: Amazon may show a transaction two days after it posted it.
    """

    def __init__(
        self, pages: TransactionPages, store: StateStore, start: datetime, clock: Clock, decisions: DecisionLog
    ) -> None:
        """The very first sweep begins at `start` (UTC), and at least FIRST_SWEEP ago."""
        super().__init__(CURSOR, "transactions", _SPAN, store, clock, decisions)
        self._pages = pages
        self._start = start

    def _first(self) -> datetime:
        return min(self._start, self._clock.now() - FIRST_SWEEP)

    def _stop(self) -> str:
        return self._pages.stop_reason(_QUOTA_WAIT)

    def _page(self, place: SweepPlace) -> SweptPage:
        asked_at = self._clock.now()
        report, next_token = self._pages.read(place.after, place.before, place.page_token)
        return SweptPage(report, next_token, shown_until(asked_at, place.before))

    def _failed(self, problem: AmazonError) -> str:
        return self._pages.failed(problem).stopped
