"""A service that does not answer, or whose limit is reached, is not called until a stated time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_to_xero.domain.failures import CONNECTION_FAILURES, FAILURES, FailureCode, WaitReason
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.ports.xero import (
    XeroError,
    XeroNotAuthorised,
    XeroRateLimited,
    XeroTenantChanged,
    XeroTokensUnreadable,
)
from amazon_to_xero.services.state_updates import update_cursor

UNAUTHORISED_PAUSE = timedelta(minutes=15)  # then it is tried once more: somebody may have connected again
_OUTAGE_PAUSE = timedelta(minutes=1)
_CALLED_WITHIN = timedelta(minutes=20)  # longer than two sweeps are apart, each of which calls Amazon
ATTACHMENT = "attachment"  # pauses like a kind of document: it has a share of the day's calls, too
_CURSOR = "pause#"
# Xero's name of a limit, or our share of a day's calls -> why work waits.
_LIMITS: Mapping[str, WaitReason] = {
    "minute": WaitReason.XERO_MINUTE_LIMIT,
    "appminute": WaitReason.XERO_APPMINUTE_LIMIT,
    "day": WaitReason.XERO_DAY_LIMIT,
    "share": WaitReason.XERO_SHARE_LIMIT,
    "concurrent": WaitReason.XERO_CONCURRENT_LIMIT,
}


@dataclass(frozen=True)
class Pause:
    """The last pause of a service, in force or over.

    service: see Pauses.
    at, until: when it began and when it ends (UTC).
    reason: a WaitReason or a FailureCode.
    """

    service: str
    at: datetime
    until: datetime
    reason: str

    def is_refusal(self, answered_at: datetime | None, now: datetime) -> bool:
        """Whether the service refuses the connection until a person acts.

        answered_at: when it last answered as it should (UTC); None where that is not known.

        It lasts until the service has answered, and not only until the pause ends: only another call shows whether it
        still refuses. If nothing has called it 20 minutes after the pause, nothing waits for it.
        """
        is_answered = answered_at is not None and answered_at > self.at
        return self.reason in CONNECTION_FAILURES and now < self.until + _CALLED_WITHIN and not is_answered


class Pauses:
    """One pause per service of a connection, seen by every worker.

    Services: `amazon`, `amazon#<operation>`, `amazon#searchOrders#<marketplace>`, `xero`, `xero#<kind>`.
    """

    def __init__(self, store: StateStore, clock: Clock, decisions: DecisionLog) -> None:
        self._store = store
        self._clock = clock
        self._decisions = decisions

    def until(self, service: str) -> datetime | None:
        """Return when the service may be called again; None when it may be called now."""
        until = self._latest(service)
        return until if until and until > self._clock.now() else None

    def was_paused(self, service: str, within: timedelta) -> bool:
        """Whether the service is paused, or its last pause ended that recently."""
        until = self._latest(service)
        return until is not None and until > self._clock.now() - within

    def _latest(self, service: str) -> datetime | None:
        until = self._store.cursor(cursor_of(service)).data.get("until")
        return datetime.fromisoformat(until) if until else None

    def pause_xero(self, problem: XeroError, kind: str = "") -> tuple[datetime, str]:
        """Pause Xero for as long as the problem asks for; return until when, and the reason.

        kind: the kind of document that was posted, or ATTACHMENT. Where only its share of the day's calls is used up,
        only that kind pauses (`xero#<kind>`).
        """
        now, remedy = self._clock.now(), problem.message
        reason: str
        if isinstance(problem, XeroRateLimited):
            until, reason = now + problem.retry_after, _LIMITS.get(problem.problem, WaitReason.XERO_MINUTE_LIMIT)
        elif isinstance(problem, XeroNotAuthorised):
            until, reason = now + UNAUTHORISED_PAUSE, FailureCode.XERO_NOT_AUTHORISED
            remedy = f"The connection's authorisation for Xero cannot be used ({problem.message}). Run connect xero."
        elif isinstance(problem, XeroTokensUnreadable):
            until, reason = now + UNAUTHORISED_PAUSE, FailureCode.XERO_TOKENS_UNREADABLE
            remedy = FAILURES[reason].remedy
        elif isinstance(problem, XeroTenantChanged):
            until, reason = now + UNAUTHORISED_PAUSE, FailureCode.XERO_TENANT_CHANGED
        else:
            until, reason = now + _OUTAGE_PAUSE, WaitReason.XERO_UNAVAILABLE
        is_share = reason == WaitReason.XERO_SHARE_LIMIT and kind
        self.pause(f"xero#{kind}" if is_share else "xero", until, reason, remedy)
        return until, reason

    def pause(self, service: str, until: datetime, reason: str, remedy: str = "") -> None:
        """Pause a service; a longer pause by another worker stays in force."""

        def extended(cursor: Cursor) -> Mapping[str, str] | None:
            if cursor.data.get("until", "") >= until.isoformat():
                return None
            return {"at": self._clock.now().isoformat(), "until": until.isoformat(), "reason": str(reason)}

        with suppress(Conflict):  # other workers pause it at the same moment, for the same cause
            update_cursor(self._store, cursor_of(service), extended)
        self._decisions.record("PAUSED", reason=reason, remedy=remedy, service=service, until=until.isoformat())


def cursor_of(service: str) -> str:
    """Return the name of the cursor that holds a service's last pause."""
    return f"{_CURSOR}{service}"


def pause_of(cursor: Cursor) -> Pause | None:
    """Return the pause that a cursor holds; None where the service was never paused."""
    if "until" not in cursor.data:
        return None
    until = datetime.fromisoformat(cursor.data["until"])
    # Older versions did not store when a pause began; every refusal paused for that long.
    at = datetime.fromisoformat(cursor.data["at"]) if "at" in cursor.data else until - UNAUTHORISED_PAUSE
    return Pause(cursor.name.removeprefix(_CURSOR), at, until, cursor.data.get("reason", ""))
