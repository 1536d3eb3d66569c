"""The sweep: reads everything that Amazon changed since the last one, for what no notification reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, OrderPage, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.intake.recorder import OrderRecorder
from amazon_to_xero.services.intake.search_limit import limit_of
from amazon_to_xero.services.intake.search_scope import SearchScope
from amazon_to_xero.services.intake.sweep_cursor import ANSWERED_AT, CURSOR, restarted
from amazon_to_xero.services.work_report import StepReport

_TOKEN_LIFETIME = timedelta(hours=20)  # Amazon: a page token is valid for 24 hours
MAX_TOKEN_REFUSALS = 3  # in a row; one 400 may pass, as Amazon answers valid queries with it at times
_BAD_REQUEST = 400
_OVERLAP = timedelta(minutes=10)  # a sweep starts this much before its watermark


class OrderSweep:
    """Sweeps the orders of one connection."""

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
        self._amazon = amazon
        self._store = store
        self._recorder = recorder
        self._scope = scope
        self._quota = quota
        self._faults = faults
        self._start = start
        self._clock = clock
        self._decisions = decisions

    def sweep(self, deadline: datetime) -> StepReport:
        """Record every order that changed since the last sweep.

        The watermark moves only after the last page was recorded, to the limit that Amazon returned with the first. A
        sweep that is interrupted continues where it stopped. One that takes longer than a page token lives (a long
        history at 20 pages an hour) is repeated in halves, so that the watermark advances.
        """
        report = StepReport()
        while True:
            stopped = self._stop(deadline)
            if stopped:
                return report.plus(StepReport(stopped=stopped))
            cursor = self._store.cursor(CURSOR)
            place = _SweepPlace.of(cursor.data, self._start, self._clock.now(), self._scope.marketplaces())
            asked_at = self._clock.now()
            try:
                page = self._page(place)
            except AmazonError as problem:
                stopped = self._failed(problem, cursor, place)
                if stopped:
                    return report.plus(StepReport(stopped=stopped))
                continue
            limit = limit_of(page, asked_at, place.before)
            report = report.plus(self._recorder.record(page.orders, limit))
            if page.next_token and page.next_token == place.page_token:
                # The next page is this one again: Amazon's token leads nowhere, as if it were refused.
                self._count_refused_token(cursor)
                return report.plus(StepReport(stopped=WaitReason.AMAZON_UNAVAILABLE))
            data = place.next_data(page.next_token, limit) | {ANSWERED_AT: self._clock.now().isoformat()}
            saved = self._store.save([replace(cursor, data=data)])
            if not saved:
                return report.plus(StepReport(stopped=WaitReason.SWEEP_TAKEN_OVER))
            if page.next_token is None and place.before is None:
                watermark = saved[CURSOR].data["watermark"]
                self._decisions.record("SWEEP_COMPLETE", orders=report.records, watermark=watermark)
                return report

    def _stop(self, deadline: datetime) -> str:
        """Return why no page is requested now; empty where one is. It then counts against the quota."""
        if self._clock.now() >= deadline:
            return WaitReason.OUT_OF_TIME
        stopped = self._faults.unavailable_reason()
        if not stopped and self._faults.is_refused(SEARCH_ORDERS):
            stopped = WaitReason.AMAZON_PAUSED
        stopped = stopped or self._scope.update()
        if not stopped and not self._quota.take(SEARCH_ORDERS):
            stopped = WaitReason.AMAZON_QUOTA
        return stopped

    def _page(self, place: _SweepPlace) -> OrderPage:
        return self._amazon.search_orders(
            updated_after=place.after,
            updated_before=place.before,
            page_token=place.page_token,
            marketplaces=place.marketplaces,
        )

    def _failed(self, problem: AmazonError, cursor: Cursor, place: _SweepPlace) -> str:
        """Return what a failed page stops; empty where the sweep goes on with fewer marketplaces."""
        if isinstance(problem, AmazonForbidden):
            return self._scope.narrow(problem)
        if problem.status == _BAD_REQUEST and place.page_token:
            self._count_refused_token(cursor)
        return self._faults.report(problem).stopped

    def _count_refused_token(self, cursor: Cursor) -> None:
        """Count a 400 for a page token in the cursor; after the third, forget the token and begin at the watermark."""
        refusals = 1 + int(cursor.data.get("token_refusals", "0"))
        data = {**cursor.data, "token_refusals": str(refusals)}
        is_given_up = refusals >= MAX_TOKEN_REFUSALS
        if is_given_up:
            data = restarted(cursor.data)
        # If another worker was faster, its place is the right one.
        if self._store.save([replace(cursor, data=data)]) and is_given_up:
            self._decisions.record("SWEEP_RESTARTED", refusals=refusals, watermark=data.get("watermark"))


@dataclass(frozen=True)
class _SweepPlace:
    """The next page of a sweep.

    after, before: Amazon's update times that this part covers; before is None up to what Amazon shows.
    page_token: Amazon's; None for the first page.
    marketplaces: ids of those that are searched; none for all.
    data: what the cursor holds of it.
    """

    after: datetime
    before: datetime | None
    page_token: str | None
    marketplaces: tuple[str, ...]
    data: Mapping[str, str]

    @classmethod
    def of(cls, data: Mapping[str, str], start: datetime, now: datetime, marketplaces: tuple[str, ...]) -> _SweepPlace:
        """Return the place that the cursor holds: a sweep under way, else the beginning of a new sweep or part.

        marketplaces: ids of those that a new sweep searches.
        """
        if "page_token" in data and datetime.fromisoformat(data["started"]) > now - _TOKEN_LIFETIME:
            before = datetime.fromisoformat(data["before"]) if "before" in data else None
            searched = tuple(filter(None, data.get("marketplaces", "").split(",")))
            return cls(datetime.fromisoformat(data["after"]), before, data["page_token"], searched, data)
        after = datetime.fromisoformat(data["watermark"]) - _OVERLAP if "watermark" in data else start
        span = timedelta(seconds=int(data["span"])) if "span" in data else None
        if "page_token" in data:
            span = (span or now - after) / 2
        before = after + span if span and after + span < now - _OVERLAP else None
        begun = {"started": now.isoformat(), "after": after.isoformat()}
        begun |= {name: data[name] for name in ("watermark",) if name in data}
        begun |= {"before": before.isoformat(), "span": str(int(span.total_seconds()))} if before and span else {}
        begun |= {"marketplaces": ",".join(marketplaces)} if marketplaces else {}
        return cls(after, before, None, marketplaces, begun)

    def next_data(self, next_token: str | None, limit: datetime) -> dict[str, str]:
        """Return what the cursor should hold after a page: the place of the next one, or the new watermark."""
        data = {name: value for name, value in self.data.items() if name != "token_refusals"}
        data.setdefault("limit", limit.isoformat())
        if next_token:
            return data | {"page_token": next_token}
        return {"watermark": data["limit"]} | ({"span": data["span"]} if "span" in data else {})
