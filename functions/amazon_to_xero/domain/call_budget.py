"""How many calls Xero allows one connection, counted before they are made (Xero: API limits).

Xero allows 60 calls in any minute, 5,000 in any day (1,000 on the free tier) and 5 at the same time. The limits here
are a little lower: a call that arrives late counts in a later minute for Xero than it was counted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MINUTE = timedelta(seconds=60)
SLOT_LIFETIME = timedelta(seconds=45)  # longer than a call may take; the slot of a worker that died expires after it
APP_RESERVE = 500  # calls kept free of the 10,000 a minute that all organisations of one app share


@dataclass(frozen=True)
class Limits:
    """The limits of one connection.

    per_minute: calls in any 60 seconds.
    per_day: calls in any 24 hours, by the organisation's API tier.
    at_once: concurrent calls.
    """

    per_minute: int = 57
    per_day: int = 5000
    at_once: int = 4


@dataclass(frozen=True)
class LimitReached:
    """No call is allowed now.

    problem: Xero's name of the limit (minute, day, concurrent), or share: the part of the day's calls that this kind
        of work may use is used up.
    until: when a call may be allowed again (UTC).
    """

    problem: str
    until: datetime


@dataclass(frozen=True)
class CallBudget:
    """The calls of one connection.

    minute: times of the calls of the last minute (UTC).
    hours: start of an hour (ISO text, UTC) -> calls in it, for the last day.
    slots: name of a call that is under way -> when its slot expires (UTC).
    answered_at: when Xero last executed a call (UTC); None where that is not known.
    """

    minute: tuple[datetime, ...] = ()
    hours: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, datetime] = field(default_factory=dict)
    answered_at: datetime | None = None

    def take(self, slot: str, limits: Limits, now: datetime, percent: int = 100) -> CallBudget | LimitReached:
        """Return the budget with one more call in it, or why there can be none.

        `percent`: how much of the day's calls this kind of work may use.
        """
        current = self._pruned(now)
        if len(current.slots) >= limits.at_once:
            return LimitReached("concurrent", min(current.slots.values()))
        if len(current.minute) >= limits.per_minute:
            return LimitReached("minute", current.minute[-limits.per_minute] + MINUTE)
        used = sum(current.hours.values())
        if used >= limits.per_day * percent // 100:
            problem = "day" if used >= limits.per_day else "share"
            return LimitReached(problem, datetime.fromisoformat(min(current.hours)) + timedelta(hours=25))
        hour = _hour(now)
        return replace(
            current,
            minute=(*current.minute, now),
            hours={**current.hours, hour: current.hours.get(hour, 0) + 1},
            slots={**current.slots, slot: now + SLOT_LIFETIME},
        )

    def done(
        self,
        slot: str,
        limits: Limits,
        now: datetime,
        minute_left: int | None,
        day_left: int | None,
        is_executed: bool = False,
    ) -> CallBudget:
        """Return the budget after a call, corrected by what Xero's headers say is left: others use the same limits."""
        current = self._pruned(now)
        uncounted = 0 if minute_left is None else (60 - minute_left) - len(current.minute)
        used_today = sum(current.hours.values())
        uncounted_today = 0 if day_left is None else (limits.per_day - day_left) - used_today
        hour = _hour(now)
        return CallBudget(
            minute=(*current.minute, *([now] * max(0, uncounted))),
            hours={**current.hours, hour: current.hours.get(hour, 0) + max(0, uncounted_today)},
            slots={name: until for name, until in current.slots.items() if name != slot},
            answered_at=now if is_executed else self.answered_at,
        )

    def left_today(self, limits: Limits, now: datetime) -> int:
        """Return how many of the day's calls are left."""
        return max(0, limits.per_day - sum(self._pruned(now).hours.values()))

    def _pruned(self, now: datetime) -> CallBudget:
        oldest_hour = _hour(now - timedelta(hours=24))
        return CallBudget(
            minute=tuple(at for at in self.minute if at > now - MINUTE),
            hours={hour: count for hour, count in self.hours.items() if hour >= oldest_hour},
            slots={name: until for name, until in self.slots.items() if until > now},
            answered_at=self.answered_at,
        )


def _hour(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='hours')[:13]}:00:00+00:00"
