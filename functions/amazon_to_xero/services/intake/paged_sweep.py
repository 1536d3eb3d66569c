"""How a sweep proceeds through Amazon's pages and keeps its place across runs, whatever it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonUnavailable
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.sweep_cursor import ANSWERED_AT, restarted, watermark
from amazon_to_xero.services.work_report import StepReport

MAX_UNANSWERED = 12  # tries of one page in a row; then the page, or what it is among, may be what is not answered
MAX_TOKEN_REFUSALS = 3  # in a row; one 400 may pass, as Amazon answers valid queries with it at times
_TOKEN_LIFETIME = timedelta(hours=20)  # Amazon: a page token of searchOrders is valid for 24 hours
_BAD_REQUEST = 400
_COUNTS = ("token_refusals", "unanswered")  # of the page that is next; the page after it begins at nothing


@dataclass(frozen=True)
class SweepSpan:
    """How the times of one sweep follow those of the one before.

    overlap: a sweep starts this much before its watermark.
    longest: the longest time that Amazon answers for at once; None where there is no limit.
    """

    overlap: timedelta
    longest: timedelta | None = None


@dataclass(frozen=True)
class SweptPage:
    """What a page was.

    report: of recording it.
    next_token: Amazon's; None on the last page.
    limit: until when (UTC) the pages show everything.
    """

    report: StepReport
    next_token: str | None
    limit: datetime


class PagedSweep(ABC):
    """Sweeps one connection.

    The watermark moves only after the last page was recorded, to the limit that was known with the first. A sweep that
    is interrupted continues where it stopped. One that takes longer than a page token lives (a long history at 20 pages
    an hour) is repeated in halves, so that the watermark advances.
    """

    def __init__(
        self, cursor: str, records: str, span: SweepSpan, store: StateStore, clock: Clock, decisions: DecisionLog
    ) -> None:
        """`cursor` holds the place of the sweep, `records` is what the log calls what it reads."""
        self._cursor_name = cursor
        self._records = records
        self._span = span
        self._store = store
        self._clock = clock
        self._decisions = decisions

    @abstractmethod
    def _stop(self) -> str:
        """Return why no page is requested now; empty where one is. It then counts against the quota."""

    @abstractmethod
    def _first(self) -> datetime:
        """Return where the very first sweep begins (UTC)."""

    def _end(self) -> datetime | None:
        """Return where the sweep ends (UTC); None for all that Amazon shows."""
        return None

    def _completed(self, watermark: str, records: int) -> None:
        """Log that everything up to the watermark was read, the last part of it just now, with so many records."""
        counted: dict[str, Any] = {self._records: records}
        self._decisions.record("SWEEP_COMPLETE", watermark=watermark, **counted)

    def _marketplaces(self) -> tuple[str, ...]:
        """Return the marketplaces that a new sweep covers; none for all."""
        return ()

    @abstractmethod
    def _page(self, place: SweepPlace) -> SweptPage:
        """Read a page and record what is in it. Raises an AmazonError."""

    @abstractmethod
    def _failed(self, problem: AmazonError) -> str:
        """Return what a failed page stops; empty where the sweep goes on."""

    def is_behind(self, by: timedelta) -> bool:
        """Return whether something of more than so long ago may not have been read: no sweep was complete since."""
        read_until = watermark(self._store.cursor(self._cursor_name))
        return read_until is None or self._clock.now() - read_until > by

    def sweep(self, deadline: datetime) -> StepReport:
        """Record everything that is new or changed since the last sweep, until the deadline."""
        report = StepReport()
        while True:
            stopped = WaitReason.OUT_OF_TIME if self._clock.now() >= deadline else self._stop()
            if stopped:
                return report.plus(StepReport(stopped=stopped))
            cursor = self._store.cursor(self._cursor_name)
            end = self._end()
            place = SweepPlace.of(cursor.data, self._first(), self._clock.now(), self._span, self._marketplaces(), end)
            try:
                page = self._page(place)
            except AmazonError as problem:
                if isinstance(problem, AmazonUnavailable) and place.page_token:
                    self._count_failed_page(cursor, place, problem)
                stopped = self._failed(problem)
                if stopped:
                    return report.plus(StepReport(stopped=stopped))
                continue
            report = report.plus(page.report)
            if page.next_token and page.next_token == place.page_token:
                # The next page is this one again: Amazon's token leads nowhere, as if it were refused.
                self._count(cursor, "token_refusals", MAX_TOKEN_REFUSALS, restarted(cursor.data))
                return report.plus(StepReport(stopped=WaitReason.AMAZON_UNAVAILABLE))
            data = place.next_data(page.next_token, page.limit) | {ANSWERED_AT: self._clock.now().isoformat()}
            saved = self._store.save([replace(cursor, data=data)])
            if not saved:
                return report.plus(StepReport(stopped=WaitReason.SWEEP_TAKEN_OVER))
            if page.next_token is None and place.before == end:
                self._completed(saved[self._cursor_name].data["watermark"], report.records)
                return report

    def _count_failed_page(self, cursor: Cursor, place: SweepPlace, problem: AmazonError) -> None:
        """Count a failed page; begin again at the watermark after the third 400, or after many tries without an answer.

        A page that is never answered is looked for in a part of half the length.
        """
        again = restarted(cursor.data)
        if problem.status == _BAD_REQUEST:
            self._count(cursor, "token_refusals", MAX_TOKEN_REFUSALS, again)
            return
        half = max(((place.before or self._clock.now()) - place.after) / 2, 2 * self._span.overlap)
        self._count(cursor, "unanswered", MAX_UNANSWERED, again | {"span": str(int(half.total_seconds()))})

    def _count(self, cursor: Cursor, what: str, limit: int, restart: Mapping[str, str]) -> None:
        """Count what happened to a page; at the limit, forget its token and continue with `restart`."""
        count = 1 + int(cursor.data.get(what, "0"))
        is_given_up = count >= limit
        data = restart if is_given_up else {**cursor.data, what: str(count)}
        # If another worker was faster, its place is the right one.
        if self._store.save([replace(cursor, data=data)]) and is_given_up:
            counted: dict[str, Any] = {"refusals" if what == "token_refusals" else what: count}
            self._decisions.record("SWEEP_RESTARTED", watermark=data.get("watermark"), **counted)


@dataclass(frozen=True)
class SweepPlace:
    """The next page of a sweep.

    after, before: Amazon's times that this part covers; before is None up to what Amazon shows.
    page_token: Amazon's; None for the first page.
    marketplaces: the ones that are searched; none for all.
    data: what the cursor holds of it.
    """

    after: datetime
    before: datetime | None
    page_token: str | None
    marketplaces: tuple[str, ...]
    data: Mapping[str, str]

    @classmethod
    def of(
        cls,
        data: Mapping[str, str],
        first: datetime,
        now: datetime,
        span_of_sweep: SweepSpan,
        marketplaces: tuple[str, ...],
        end: datetime | None = None,
    ) -> SweepPlace:
        """Return the place that the cursor holds: a sweep under way, else the beginning of a new sweep or part.

        first: where the very first sweep begins.
        marketplaces: the ones that a new sweep searches.
        end: where the sweep ends; None for all that Amazon shows.
        """
        if "page_token" in data and datetime.fromisoformat(data["started"]) > now - _TOKEN_LIFETIME:
            before = datetime.fromisoformat(data["before"]) if "before" in data else None
            searched = tuple(filter(None, data.get("marketplaces", "").split(",")))
            return cls(datetime.fromisoformat(data["after"]), before, data["page_token"], searched, data)
        overlap, longest = span_of_sweep.overlap, span_of_sweep.longest
        after = datetime.fromisoformat(data["watermark"]) - overlap if "watermark" in data else first
        span = timedelta(seconds=int(data["span"])) if "span" in data else longest
        if "page_token" in data:
            # A part that is no longer than the overlap would not move the watermark.
            span = max((span or (end or now) - after) / 2, 2 * overlap)
        before = after + span if span and after + span < (end or now) - overlap else end
        begun = {"started": now.isoformat(), "after": after.isoformat()}
        begun |= {name: data[name] for name in ("watermark",) if name in data}
        begun |= {"before": before.isoformat(), "span": str(int(span.total_seconds()))} if before and span else {}
        begun |= {"marketplaces": ",".join(marketplaces)} if marketplaces else {}
        return cls(after, before, None, marketplaces, begun)

    def next_data(self, next_token: str | None, limit: datetime) -> dict[str, str]:
        """Return what the cursor should hold after a page: the place of the next one, or the new watermark."""
        data = {name: value for name, value in self.data.items() if name not in _COUNTS}
        data.setdefault("limit", limit.isoformat())
        if next_token:
            return data | {"page_token": next_token}
        return {"watermark": data["limit"]} | ({"span": data["span"]} if "span" in data else {})
