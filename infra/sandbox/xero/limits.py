"""Xero's rate limits.

Limits apply per organisation (60 calls a minute, 5,000 a day, 5 concurrent) and per app (10,000 a minute), in sliding
windows. A rejected call does not count (Xero: API limits).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sandbox.wire import Response

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


@dataclass
class Limits:
    """Numbers of calls: per minute and day, per minute over all organisations of the app, and concurrent."""

    minute: int = 60
    day: int = 5000
    app_minute: int = 10_000
    concurrent: int = 5

    def change(self, changes: dict[str, int]) -> None:
        """Set the limits given. Raise ValueError for an unknown limit or a value that is not a positive integer."""
        names = [limit.name for limit in fields(self)]
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"unknown limit {name!r}: send {', '.join(names)}")
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"limit {name} must be a whole number from 1, not {type(value).__name__} {value!r}")
        for name, value in changes.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class RateLimiter:
    """Count the calls of one organisation and reject those above a limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._minute: deque[datetime] = deque()
        self._day: deque[datetime] = deque()

    def take(self, now: datetime, running: int) -> Response | None:
        """Count a call and return None, or return the 429 that rejects it.

        running: number of calls in progress, this one included.
        """
        self._remove_expired(now)
        limits = self.limits
        if running > limits.concurrent:
            return self._rejection("concurrent", None, now)
        if len(self._day) >= limits.day:
            return self._rejection("day", self._day[len(self._day) - limits.day] + _DAY, now)
        if len(self._minute) >= limits.minute:
            return self._rejection("minute", self._minute[len(self._minute) - limits.minute] + _MINUTE, now)
        if len(self._minute) >= limits.app_minute:
            return self._rejection("appminute", self._minute[len(self._minute) - limits.app_minute] + _MINUTE, now)
        self._minute.append(now)
        self._day.append(now)
        return None

    def headers(self) -> dict[str, str]:
        used = len(self._minute)
        return {
            "x-daylimit-remaining": str(max(0, self.limits.day - len(self._day))),
            "x-minlimit-remaining": str(max(0, self.limits.minute - used)),
            "x-appminlimit-remaining": str(max(0, self.limits.app_minute - used)),
        }

    def _remove_expired(self, now: datetime) -> None:
        while self._minute and self._minute[0] <= now - _MINUTE:
            self._minute.popleft()
        while self._day and self._day[0] <= now - _DAY:
            self._day.popleft()

    def _rejection(self, problem: str, available_at: datetime | None, now: datetime) -> Response:
        headers = {"x-rate-limit-problem": problem}
        if available_at is not None:
            headers["retry-after"] = str(max(1, math.ceil((available_at - now).total_seconds())))
        return Response(429, headers=headers)
