"""Reads the orders of a backfill, by the time at which they were placed, and records them as any others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.backfill.backfill import Backfill, Backfills, BackfillState, Counts
from amazon_to_xero.domain.backfill.forecast import ORDERS_A_PAGE
from amazon_to_xero.domain.backfill.period import CHARGED_WITHIN
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.domain.planning.cut_over import is_left_out
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, OrderPage, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.backfill.pace import PAGES_A_STEP, BackfillPace
from amazon_to_xero.services.backfill.rows import load_backfills, update_backfills
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.asked_orders import ASKED, MAX_ASKED, AskedOrders
from amazon_to_xero.services.intake.paged_sweep import PagedSweep, SweepPlace, SweepSpan, SweptPage
from amazon_to_xero.services.intake.quota import SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.intake.recorder import OrderRecorder
from amazon_to_xero.services.intake.search_limit import SEARCH_DELAY
from amazon_to_xero.services.intake.search_scope import CURSOR as SCOPE
from amazon_to_xero.services.intake.search_scope import SearchScope, marketplaces_left_out
from amazon_to_xero.services.intake.sweep_cursor import restarted, watermark
from amazon_to_xero.services.state_updates import update_cursor
from amazon_to_xero.services.work_report import StepReport

PAGES_FOR_OTHERS = 8  # searches that a backfill leaves to sweeps and to bursts of notices
MAX_OPEN = 1000  # orders that are not finished; no more are read until some are
_SPAN = SweepSpan(overlap=timedelta(seconds=1))


class BackfilledOrders:
    """What reading the orders of any backfill of a connection needs."""

    def __init__(
        self,
        amazon: SellerApi,
        store: StateStore,
        recorder: OrderRecorder,
        scope: SearchScope,
        quota: AmazonQuota,
        faults: AmazonFaults,
        pace: BackfillPace,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        self.amazon = amazon
        self.store = store
        self.recorder = recorder
        self.scope = scope
        self.quota = quota
        self.faults = faults
        self.pace = pace
        self.clock = clock
        self.decisions = decisions
        self.asked = AskedOrders(store, clock)

    def of(self, backfill: Backfill) -> PlacedOrders:
        """Return the reading of the orders of one backfill."""
        return PlacedOrders(self, backfill)


class PlacedOrders(PagedSweep):
    """One step of reading the orders of one backfill: a few pages.

    No order is read before what Amazon charged until two weeks after it is known.
    """

    def __init__(self, services: BackfilledOrders, backfill: Backfill) -> None:
        self._cursor = f"backfill#{backfill.number}#orders"
        super().__init__(self._cursor, "orders", _SPAN, services.store, services.clock, services.decisions)
        self._services = services
        self._backfill = backfill
        self._pages = 0

    @property
    def read_until(self) -> datetime | None:
        """Until when (UTC) all orders that were placed were read; None before the first part was."""
        return watermark(self._store.cursor(self._cursor))

    @property
    def is_next_known(self) -> bool:
        """Whether there are orders to read whose charges are known."""
        end = self._end()
        return end > (self.read_until or self._first())

    def _first(self) -> datetime:
        return self._backfill.period.after

    def _end(self) -> datetime:
        period, known = self._backfill.period, self._backfill.charges_until
        if known is None:
            return period.after
        needed = min(period.charged_until, self._backfill.created_at - SEARCH_DELAY)
        return period.before if known >= needed else min(period.before, known - CHARGED_WITHIN)

    def _completed(self, watermark: str, records: int) -> None:
        """Log nothing: the backfill logs what it does."""

    def _marketplaces(self) -> tuple[str, ...]:
        return self._services.scope.marketplaces()

    def _stop(self) -> str:
        services = self._services
        current = load_backfills(services.store).latest
        if current is None or current.state is not BackfillState.RUNNING or self._pages >= PAGES_A_STEP:
            return WaitReason.BACKFILL_STEP_DONE
        waiting = len(services.store.cursor(ASKED).data)
        if len(current.open) >= MAX_OPEN or waiting > MAX_ASKED - ORDERS_A_PAGE:
            return WaitReason.CURRENT_ORDERS_FIRST
        stopped = services.pace.share_reason(current.share, self._pages + 1) or services.faults.stop_reason(
            SEARCH_ORDERS
        )
        if not stopped and not services.quota.take(SEARCH_ORDERS, reserve=PAGES_FOR_OTHERS):
            stopped = WaitReason.AMAZON_QUOTA
        return stopped

    def _page(self, place: SweepPlace) -> SweptPage:
        self._pages += 1
        asked_at = self._clock.now()
        end = place.before or self._end()
        page = self._services.amazon.search_placed(
            placed_after=place.after,
            placed_before=end,
            page_token=place.page_token,
            marketplaces=place.marketplaces,
        )
        return SweptPage(self._recorded(page, asked_at - SEARCH_DELAY), page.next_token, end)

    def _recorded(self, page: OrderPage, as_of: datetime) -> StepReport:
        """Record a page, and count it in the row of the backfills before the place of the next page is stored."""
        services = self._services
        order_ids = [str(order["orderId"]) for order in page.orders]
        before = services.store.load(OrderRecord, order_ids)
        # They are entered now, and so are their refunds, which were not while they were left out. After a crash nobody
        # would know of which orders; and where they were asked for too early, they are asked for once more.
        left_out = [key for key, row in before.items() if is_left_out(row)]
        services.asked.add(left_out)
        report = services.recorder.record(page.orders, as_of)
        services.asked.add(left_out)
        after = services.store.load(OrderRecord, order_ids)
        changed = [key for key, row in after.items() if key not in before or row.generation != before[key].generation]
        counts = Counts(read=len(after), unchanged=len(after) - len(changed))

        def counted(row: Backfills) -> Backfills | None:
            latest = row.latest
            if latest is None or latest.number != self._backfill.number:
                return None
            left_out = (*latest.left_out, *marketplaces_left_out(services.store.cursor(SCOPE)))
            still_open = tuple(dict.fromkeys((*latest.open, *changed)))
            return row.with_latest(
                replace(
                    latest,
                    counts=latest.counts.plus(counts),
                    open=still_open,
                    left_out=tuple(dict.fromkeys(left_out)),
                )
            )

        update_backfills(services.store, counted)
        return report

    def _failed(self, problem: AmazonError) -> str:
        if not isinstance(problem, AmazonForbidden):
            return self._services.faults.report(problem).stopped
        stopped = self._services.scope.narrow(problem)
        # A page token is valid for the same marketplaces only.
        update_cursor(self._store, self._cursor, lambda cursor: restarted(cursor.data))
        return stopped
