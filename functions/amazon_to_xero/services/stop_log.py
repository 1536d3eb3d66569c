"""Logs why runs were stopped: when a stop is new, then every quarter of an hour while it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import remedy_of
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.services.state_updates import update_cursor

_CURSOR = "work-stopped"
_EVERY = timedelta(minutes=15)


class StopLog:
    """The stopped runs of one connection. While it is paused every run is stopped, and there are two a minute."""

    def __init__(self, store: StateStore, clock: Clock, decisions: DecisionLog) -> None:
        self._store = store
        self._clock = clock
        self._decisions = decisions

    def record(self, reason: str, stops: Mapping[str, str]) -> None:
        """Log a stop, unless one with the same reasons was logged in the last quarter of an hour, by whichever worker.

        stops: field of the log line -> why its step was stopped.
        """
        if self._claim_line("|".join(f"{name}={why}" for name, why in stops.items())):
            self._decisions.record("WORK_STOPPED", reason=reason, remedy=remedy_of(reason) or None, **stops)

    def _claim_line(self, stop: str) -> bool:
        """Return whether this worker is to log the stop, and store that it is logged now."""
        now = self._clock.now()

        def logged(cursor: Cursor) -> Mapping[str, str] | None:
            recent = {each: at for each, at in cursor.data.items() if datetime.fromisoformat(at) > now - _EVERY}
            return None if stop in recent else {**recent, stop: now.isoformat()}

        with suppress(Conflict):  # other workers log their stops at the same moment
            return update_cursor(self._store, _CURSOR, logged) is not None
        return True
