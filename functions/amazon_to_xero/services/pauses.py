"""A service that does not answer, or whose limit is reached, is left alone until a stated time."""

from __future__ import annotations

from datetime import datetime, timedelta

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import Journal
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.ports.xero import XeroError, XeroNotAuthorised, XeroRateLimited

NOT_AUTHORISED_FOR = timedelta(minutes=15)  # then it is tried once more: somebody may have connected again


class Pauses:
    """One pause per service (`amazon`, `xero`, `xero#<kind>`) of a connection, seen by every worker."""

    def __init__(self, store: StateStore, clock: Clock, journal: Journal) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal

    def until(self, service: str) -> datetime | None:
        """When the service may be called again; None: now."""
        text = self._store.cursor(f"pause#{service}").data.get("until")
        moment = datetime.fromisoformat(text) if text else None
        return moment if moment and moment > self._clock.now() else None

    def pause_xero(self, problem: XeroError, work: str = "") -> tuple[datetime, str]:
        """Leaves Xero alone for as long as the problem asks for; until when, and the reason code.

        `work` names a kind of work: one that has used its share of the day's calls waits alone (pause `xero#<work>`).
        """
        now, hint = self._clock.now(), problem.message
        if isinstance(problem, XeroRateLimited):
            until, reason = now + problem.retry_after, f"XERO_{problem.problem.upper()}_LIMIT"
        elif isinstance(problem, XeroNotAuthorised):
            until, reason = now + NOT_AUTHORISED_FOR, "XERO_NOT_AUTHORISED"
            hint = f"Xero refuses the connection's authorisation ({problem.message}); connect Xero again"
        else:
            until, reason = now + timedelta(minutes=1), "XERO_UNAVAILABLE"
        self.pause(f"xero#{work}" if reason == "XERO_SHARE_LIMIT" and work else "xero", until, reason, hint)
        return until, reason

    def pause(self, service: str, until: datetime, reason: str, hint: str = "") -> None:
        """Pauses; a longer pause of another worker stands."""
        held = self._store.cursor(f"pause#{service}")
        if held.data.get("until", "") < until.isoformat():
            try:
                self._store.save_cursor(
                    Cursor(held.name, {"until": until.isoformat(), "reason": reason}, held.generation)
                )
            except Conflict:
                return  # another worker has just paused it; both have seen the same service
        self._journal.note("PAUSED", reason=reason, hint=hint, service=service, until=until.isoformat())
