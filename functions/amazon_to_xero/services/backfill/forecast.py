"""Reads a little of a period to forecast the rest: its first pages, and some days where those are not all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.backfill.backfill import Share
from amazon_to_xero.domain.backfill.forecast import Counted, Documents, Forecast, Locked, SampledDay, forecast
from amazon_to_xero.domain.backfill.period import Period
from amazon_to_xero.domain.books.organisation import LockDates, Organisation
from amazon_to_xero.domain.failures import Failure, WaitReason
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.amazon import AmazonError, Json, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.backfill.pace import PAGES_A_STEP, STEPS_A_DAY, BackfillPace
from amazon_to_xero.services.intake.quota import SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.intake.search_scope import SearchScope
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.unforeseen import UNFORESEEN

COUNTED_PAGES = 3  # of the whole period; up to 300 orders are counted
SAMPLED_DAYS = 4
PAGES_OF_A_DAY = 2  # up to 200 orders of a day are counted
_PAGES_FOR_OTHERS = 3  # searches that a forecast leaves to sweeps
_DAY = timedelta(days=1)
_LONGEST = timedelta(seconds=25)  # of the 60 that the function has, with a call that is given up after 23


class _NotCounted(Exception):
    """Amazon does not answer now. The message says why."""


@dataclass(frozen=True)
class NotedForecast:
    """A forecast, and why it is less than it could be; empty where it is not."""

    forecast: Forecast
    note: str = ""


class Forecaster:
    """Forecasts backfills of one connection. It changes nothing; its calls count towards Amazon's limit."""

    def __init__(
        self,
        amazon: SellerApi,
        store: StateStore,
        scope: SearchScope,
        quota: AmazonQuota,
        organisation: OrganisationCache,
        policy: PostingPolicy,
        pace: BackfillPace,
        documents: Documents,
        clock: Clock,
    ) -> None:
        self._amazon = amazon
        self._store = store
        self._scope = scope
        self._quota = quota
        self._organisation = organisation
        self._policy = policy
        self._pace = pace
        self._documents = documents
        self._clock = clock

    def of(self, period: Period, share: Share) -> NotedForecast:
        """Return the forecast of a period; where Amazon does not answer, of what it answered before."""
        counted, note, orders = Counted(), "", list[Json]()
        deadline = self._clock.now() + _LONGEST
        try:
            orders, is_complete = self._orders(period.after, period.before, COUNTED_PAGES, deadline)
            counted = self._counted(orders, is_complete=is_complete)
            for after in () if is_complete else sampled_days(period):
                of_day, is_whole = self._orders(after, after + _DAY, PAGES_OF_A_DAY, deadline)
                counted = replace(counted, days=(*counted.days, SampledDay(len(of_day), not is_whole)))
        except (AmazonError, _NotCounted) as problem:
            note = f"Not all that is usually counted was counted: {problem}. Ask again in an hour."
        days_of_charges = (self._clock.now() - period.after).days + 1
        calls_a_day = self._pace.calls_left(share)
        locked = self._locked(period, orders)
        pages_a_day = PAGES_A_STEP * STEPS_A_DAY
        found = forecast(counted, period.days, days_of_charges, self._documents, calls_a_day, pages_a_day, locked)
        return NotedForecast(found, note)

    def _orders(
        self, after: datetime, before: datetime, most_pages: int, deadline: datetime
    ) -> tuple[list[Json], bool]:
        """Return the orders on the first pages, and whether they are all. Raises an AmazonError and _NotCounted."""
        found: dict[str, Json] = {}
        token: str | None = None
        for _ in range(most_pages):
            if self._clock.now() >= deadline:
                raise _NotCounted(WaitReason.OUT_OF_TIME)
            if not self._quota.take(SEARCH_ORDERS, reserve=_PAGES_FOR_OTHERS):
                raise _NotCounted(WaitReason.AMAZON_QUOTA)
            page = self._amazon.search_placed(
                placed_after=after, placed_before=before, page_token=token, marketplaces=self._scope.marketplaces()
            )
            found |= {str(order["orderId"]): order for order in page.orders}
            token = page.next_token
            if token is None:
                break
        return list(found.values()), token is None

    def _counted(self, orders: Sequence[Json], *, is_complete: bool) -> Counted:
        recorded = self._store.load(OrderRecord, [str(order["orderId"]) for order in orders]) if orders else {}
        entered = [row for row in recorded.values() if row.documents]
        return Counted(len(orders), is_complete, len(entered))

    def _locked(self, period: Period, orders: Sequence[Json]) -> Locked:
        organisation = self._organisation.current()
        until = organisation.locked_until
        if until is None or until < period.first:
            return Locked()
        is_held = self._policy.lock_dates is LockDates.HOLD
        ids = tuple(str(order["orderId"]) for order in orders if _is_locked(order, organisation))
        return Locked(until, is_held, ids)


def sampled_days(period: Period) -> list[datetime]:
    """Return the beginnings (UTC) of the days that are counted, evenly over the period: some, or all it has."""
    count = min(SAMPLED_DAYS, max(1, period.days - 1))
    length = (period.before - period.after - _DAY) / max(1, count - 1) if count > 1 else timedelta()
    return [period.after + n * length for n in range(count)]


def _is_locked(raw: Json, organisation: Organisation) -> bool:
    """Whether an order would be booked on a locked day, by its first shipment, or else its own day."""
    try:
        order = parse_order(raw)
    except (Failure, *UNFORESEEN):
        return False
    shipped = [package.shipped_at for package in order.packages if package.shipped_at is not None]
    until = organisation.locked_until
    return until is not None and organisation.local_date(min(shipped, default=order.created)) <= until
