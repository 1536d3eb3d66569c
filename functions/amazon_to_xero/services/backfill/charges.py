"""Reads what Amazon charged and refunded for the orders of a backfill, ahead of them, in pages by time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_header import transaction_header
from amazon_to_xero.domain.backfill.backfill import Backfill, BackfillState
from amazon_to_xero.domain.failures import Failure, WaitReason
from amazon_to_xero.ports.amazon import AmazonError, Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import RecordStore, StateStore
from amazon_to_xero.services.backfill.pace import BackfillPace
from amazon_to_xero.services.backfill.rows import load_backfills
from amazon_to_xero.services.intake.paged_sweep import PagedSweep, SweepPlace, SweepSpan, SweptPage
from amazon_to_xero.services.intake.search_limit import SEARCH_DELAY
from amazon_to_xero.services.intake.sweep_cursor import watermark
from amazon_to_xero.services.intake.transaction_pages import TransactionPages

PAGES_A_STEP = 8  # of 500 transactions; of ten that Amazon answers at once, two are left to others
#: Charges are read so far ahead of their orders, and no further: what is charged and not read yet is kept waiting.
_AHEAD = timedelta(days=45)
_SPAN = SweepSpan(overlap=timedelta(seconds=1), longest=timedelta(days=170))  # Amazon: at most 180 days at once


class BackfilledCharges(PagedSweep):
    """One step of reading the transactions of one backfill.

    Until two weeks after the period everything is recorded: its orders are not known yet. What Amazon posted later is
    recorded where its order is known. Of an order that is not, it would have that read, too.
    """

    def __init__(
        self,
        pages: TransactionPages,
        store: StateStore,
        pace: BackfillPace,
        clock: Clock,
        decisions: DecisionLog,
        backfill: Backfill,
    ) -> None:
        self._cursor = f"backfill#{backfill.number}#transactions"
        super().__init__(self._cursor, "transactions", _SPAN, store, clock, decisions)
        self._pages = pages
        self._pace = pace
        self._backfill = backfill
        self._read = 0

    @property
    def charges_until(self) -> datetime | None:
        """Until when (UTC) all transactions were read; None before the first part was."""
        return watermark(self._store.cursor(self._cursor))

    @property
    def is_read(self) -> bool:
        """Whether all transactions until the backfill began were read, those after the period's orders, too."""
        until = self.charges_until
        return self._backfill.is_read and until is not None and until >= self._last

    @property
    def has_more(self) -> bool:
        """Whether there are transactions to read now."""
        until = self.charges_until
        return until is None or until < self._end()

    @property
    def _last(self) -> datetime:
        return max(self._backfill.period.after, self._backfill.created_at - SEARCH_DELAY)

    @property
    def _all_recorded_until(self) -> datetime:
        return min(self._backfill.period.charged_until, self._last)

    def _first(self) -> datetime:
        return self._backfill.period.after

    def _end(self) -> datetime:
        if self._backfill.is_read:
            return self._last
        return min(self._all_recorded_until, (self._backfill.read_until or self._first()) + _AHEAD)

    def _completed(self, watermark: str, records: int) -> None:
        """Log nothing: the backfill logs what it does."""

    def _stop(self) -> str:
        current = load_backfills(self._store).latest
        if current is None or current.state is not BackfillState.RUNNING or self._read >= PAGES_A_STEP:
            return WaitReason.BACKFILL_STEP_DONE
        return self._pace.share_reason(current.share) or self._pages.stop_reason()

    def _page(self, place: SweepPlace) -> SweptPage:
        self._read += 1
        end = place.before or self._end()
        is_late = end > self._all_recorded_until
        report, next_token = self._pages.read(place.after, end, place.page_token, self._of_known if is_late else None)
        return SweptPage(report, next_token, end)

    def _failed(self, problem: AmazonError) -> str:
        return self._pages.failed(problem).stopped

    def _of_known(self, transactions: Sequence[Json]) -> Sequence[Json]:
        return of_known_orders(self._store, transactions)


def of_known_orders(store: RecordStore, transactions: Sequence[Json]) -> list[Json]:
    """Return the transactions whose orders are recorded, and those that cannot be read, which a person has to see."""
    by_order: dict[str, list[Json]] = {}
    unreadable: list[Json] = []
    for raw in transactions:
        try:
            by_order.setdefault(transaction_header(raw).order_id, []).append(raw)
        except Failure:
            unreadable.append(raw)
    by_order.pop("", None)
    known = store.load(OrderRecord, by_order) if by_order else {}
    return [*unreadable, *(raw for order_id in known for raw in by_order[order_id])]
