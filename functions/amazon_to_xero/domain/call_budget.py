"""How many calls Xero allows one connection, counted before they are made (Xero: API limits).

60 in any minute, 5,000 in any day (1,000 on the free tier), 5 at once. We stay a little below each: a call that is slow
to arrive counts for Xero in a later minute than for us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MINUTE = timedelta(seconds=60)
SLOT_FOR = timedelta(seconds=45)  # longer than a call may take; a slot of a worker that died comes back after this
APP_RESERVE = 500  # of the 10,000 calls a minute that all organisations of one app share


@dataclass(frozen=True)
class Limits:
    """What one connection may use. `per_day` is the organisation's tier."""

    per_minute: int = 57
    per_day: int = 5000
    at_once: int = 4


@dataclass(frozen=True)
class NotNow:
    """No call now; there may be room `until`. `problem` is Xero's name of the limit, or our `share` of the day's."""

    problem: str
    until: datetime


@dataclass(frozen=True)
class CallBudget:
    """Calls of the last minute one by one, of the last day by the hour, and those under way (slot -> lapses at)."""

    minute: tuple[datetime, ...] = ()
    hours: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, datetime] = field(default_factory=dict)

    def take(self, slot: str, limits: Limits, now: datetime, percent: int = 100) -> CallBudget | NotNow:
        """The budget with this call in it, or why not. `percent` of the day's calls is open to this kind of work."""
        current = self._pruned(now)
        if len(current.slots) >= limits.at_once:
            return NotNow("concurrent", min(current.slots.values()))
        if len(current.minute) >= limits.per_minute:
            return NotNow("minute", current.minute[-limits.per_minute] + MINUTE)
        used = sum(current.hours.values())
        if used >= limits.per_day * percent // 100:
            problem = "day" if used >= limits.per_day else "share"
            return NotNow(problem, _hour_start(min(current.hours)) + timedelta(hours=25))
        hour = _hour(now)
        return replace(
            current,
            minute=(*current.minute, now),
            hours={**current.hours, hour: current.hours.get(hour, 0) + 1},
            slots={**current.slots, slot: now + SLOT_FOR},
        )

    def done(
        self, slot: str, limits: Limits, now: datetime, minute_left: int | None, day_left: int | None
    ) -> CallBudget:
        """The budget after the call, corrected by what Xero's headers said is left: others may use the same limits."""
        current = self._pruned(now)
        unseen = 0 if minute_left is None else (60 - minute_left) - len(current.minute)
        used_today = sum(current.hours.values())
        unseen_today = 0 if day_left is None else (limits.per_day - day_left) - used_today
        hour = _hour(now)
        return CallBudget(
            minute=(*current.minute, *([now] * max(0, unseen))),
            hours={**current.hours, hour: current.hours.get(hour, 0) + max(0, unseen_today)},
            slots={name: until for name, until in current.slots.items() if name != slot},
        )

    def _pruned(self, now: datetime) -> CallBudget:
        oldest_hour = _hour(now - timedelta(hours=24))
        return CallBudget(
            minute=tuple(at for at in self.minute if at > now - MINUTE),
            hours={hour: count for hour, count in self.hours.items() if hour >= oldest_hour},
            slots={name: until for name, until in self.slots.items() if until > now},
        )


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:00:00+00:00")


def _hour_start(hour: str) -> datetime:
    return datetime.fromisoformat(hour)
