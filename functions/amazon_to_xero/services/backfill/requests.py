"""What a person asks of backfills: a forecast, a new one, and to pause, resume or cancel it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from amazon_to_xero.domain.backfill.backfill import Backfill, Backfills, BackfillState, Share
from amazon_to_xero.domain.backfill.period import BackfillRefused, Period, period_of
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroError
from amazon_to_xero.services.backfill.backfilling import log_backfill
from amazon_to_xero.services.backfill.forecast import Forecaster, NotedForecast
from amazon_to_xero.services.backfill.rows import update_backfills
from amazon_to_xero.services.intake.search_limit import SEARCH_DELAY
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache


class BackfillRequests:
    """The requests of persons, for one connection. Every method raises BackfillRefused and Conflict."""

    def __init__(
        self,
        store: StateStore,
        forecaster: Forecaster,
        organisation: OrganisationCache,
        policy: PostingPolicy,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        self._store = store
        self._forecaster = forecaster
        self._organisation = organisation
        self._policy = policy
        self._clock = clock
        self._decisions = decisions

    def forecast(self, first: date, last: date, share: Share) -> NotedForecast:
        """Return what a backfill of these days would take. Nothing is changed."""
        return self._forecaster.of(self._period(first, last), share)

    def begin(self, first: date, last: date, share: Share, by: str, reason: str) -> Backfill:
        """Begin a backfill; the sweep of the orders advances it."""
        period, now = self._period(first, last), self._clock.now()
        return self._saved(lambda row: row.with_new(period, share, by, reason, now))

    def change(self, state: BackfillState, by: str) -> Backfill:
        """Pause, resume or cancel the latest backfill."""

        def changed(row: Backfills) -> Backfills:
            if row.latest is None:
                raise BackfillRefused("There is no backfill. Begin one with backfill --from DAY --to DAY.")
            return row.with_latest(row.latest.changed(state, by, self._clock.now()))

        return self._saved(changed)

    def _period(self, first: date, last: date) -> Period:
        try:
            time_zone = self._organisation.current().time_zone
        except XeroError as problem:
            raise BackfillRefused(
                f"Days are those of the organisation's time zone, and Xero does not state it ({problem}). Ask again "
                "later; doctor says what is wrong."
            ) from None
        return period_of(first, last, time_zone, self._policy.start, self._clock.now() - SEARCH_DELAY)

    def _saved(self, change: Callable[[Backfills], Backfills]) -> Backfill:
        saved = update_backfills(self._store, change)
        if saved is None or saved.latest is None:
            raise BackfillRefused("Nothing was changed. Ask again.")  # not reached: every change is saved
        log_backfill(self._decisions, saved.latest)
        return saved.latest
