"""The sweep: reads everything that Amazon changed since the last one, for what no notification reported."""

from __future__ import annotations

from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.paged_sweep import PagedSweep, SweepPlace, SweepSpan, SweptPage
from amazon_to_xero.services.intake.quota import SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.intake.recorder import OrderRecorder
from amazon_to_xero.services.intake.search_limit import limit_of
from amazon_to_xero.services.intake.search_scope import SearchScope
from amazon_to_xero.services.intake.sweep_cursor import CURSOR

_SPAN = SweepSpan(overlap=timedelta(minutes=10))


class OrderSweep(PagedSweep):
    """Sweeps the orders of one connection, by the time at which Amazon updated them."""

    def __init__(
        self,
        amazon: SellerApi,
        store: StateStore,
        recorder: OrderRecorder,
        scope: SearchScope,
        quota: AmazonQuota,
        faults: AmazonFaults,
        start: datetime,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`start` is where the very first sweep begins (UTC)."""
        super().__init__(CURSOR, "orders", _SPAN, store, clock, decisions)
        self._amazon = amazon
        self._recorder = recorder
        self._scope = scope
        self._quota = quota
        self._faults = faults
        self._start = start

    def _first(self) -> datetime:
        return self._start

    def _marketplaces(self) -> tuple[str, ...]:
        return self._scope.marketplaces()

    def _stop(self) -> str:
        stopped = self._faults.stop_reason(SEARCH_ORDERS) or self._scope.update()
        if not stopped and not self._quota.take(SEARCH_ORDERS):
            stopped = WaitReason.AMAZON_QUOTA
        return stopped

    def _page(self, place: SweepPlace) -> SweptPage:
        asked_at = self._clock.now()
        page = self._amazon.search_orders(
            updated_after=place.after,
            updated_before=place.before,
            page_token=place.page_token,
            marketplaces=place.marketplaces,
        )
        limit = limit_of(page, asked_at, place.before)
        return SweptPage(self._recorder.record(page.orders, limit), page.next_token, limit)

    def _failed(self, problem: AmazonError) -> str:
        if isinstance(problem, AmazonForbidden):
            return self._scope.narrow(problem)
        return self._faults.report(problem).stopped
