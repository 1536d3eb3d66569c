"""Rate limits and Idempotency-Key, which stand before every call of the accounting API, in that order.

Limits are per organisation (60 a minute, 5,000 a day, 5 at the same time) and per app (10,000 a minute), counted in
sliding windows; a refused call does not count (Xero: API limits).
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sandbox.wire import Request, Response

KEY_LIFE = timedelta(minutes=6)
LONGEST_KEY = 128

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


@dataclass
class Limits:
    minute: int = 60
    day: int = 5000
    app_minute: int = 10_000
    concurrent: int = 5

    def change(self, wanted: dict[str, int]) -> None:
        """Raises ValueError for a limit that does not exist or is not a positive whole number."""
        for name, value in wanted.items():
            if name not in {one.name for one in fields(self)}:
                raise ValueError(f"unknown limit {name!r}: send {', '.join(one.name for one in fields(self))}")
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"limit {name} must be a whole number from 1, not {type(value).__name__} {value!r}")
        for name, value in wanted.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class RateLimiter:
    """The calls of one organisation and its app."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._minute: deque[datetime] = deque()
        self._day: deque[datetime] = deque()

    def take(self, now: datetime, running: int) -> Response | None:
        """Count a call, or the 429 that refuses it. `running` is how many are being answered, this one included."""
        self._forget(now)
        limits = self.limits
        if running > limits.concurrent:
            return self._refusal("concurrent", None, now)
        if len(self._day) >= limits.day:
            return self._refusal("day", self._day[len(self._day) - limits.day] + _DAY, now)
        if len(self._minute) >= limits.minute:
            return self._refusal("minute", self._minute[len(self._minute) - limits.minute] + _MINUTE, now)
        if len(self._minute) >= limits.app_minute:
            return self._refusal("appminute", self._minute[len(self._minute) - limits.app_minute] + _MINUTE, now)
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

    def reset(self) -> None:
        self._minute.clear()
        self._day.clear()

    def _forget(self, now: datetime) -> None:
        while self._minute and self._minute[0] <= now - _MINUTE:
            self._minute.popleft()
        while self._day and self._day[0] <= now - _DAY:
            self._day.popleft()

    def _refusal(self, problem: str, free_at: datetime | None, now: datetime) -> Response:
        headers = {"x-rate-limit-problem": problem}
        if free_at is not None:
            headers["retry-after"] = str(max(1, math.ceil((free_at - now).total_seconds())))
        return Response(429, headers=headers)


@dataclass
class _Remembered:
    fingerprint: bytes
    since: datetime
    response: Response


class IdempotencyKeys:
    """Answers kept under the key of a PUT or POST for six minutes from the first call; errors are kept as well."""

    def __init__(self) -> None:
        self._kept: dict[str, _Remembered] = {}

    def recall(self, request: Request, now: datetime) -> Response | None:
        """The answer this request already had; a 400 for a key that is too long or was used for another request."""
        key = _key(request)
        if key is None:
            return None
        if len(key) > LONGEST_KEY:
            return _bad_request(f"Idempotency Key: must not be longer than {LONGEST_KEY} characters.")
        self._forget(now)
        known = self._kept.get(key)
        if known is None:
            return None
        if known.fingerprint != _fingerprint(request):
            return _bad_request(f"Idempotency Key: {key} is used with a different request.")
        return known.response

    def keep(self, request: Request, response: Response, now: datetime) -> None:
        """Remember the answer of a call that was carried out."""
        key = _key(request)
        if key is not None:
            self._kept[key] = _Remembered(_fingerprint(request), now, response)

    def replace(self, request: Request, response: Response) -> None:
        """Another answer took the place of the true one on its way; the key's six minutes go on."""
        known = self._kept.get(_key(request) or "")
        if known is not None and known.fingerprint == _fingerprint(request):
            known.response = response

    def reset(self) -> None:
        self._kept.clear()

    def _forget(self, now: datetime) -> None:
        while self._kept:
            oldest = next(iter(self._kept))
            if self._kept[oldest].since > now - KEY_LIFE:
                return
            del self._kept[oldest]


def _key(request: Request) -> str | None:
    return request.headers.get("idempotency-key") or None if request.method in {"PUT", "POST"} else None


def _fingerprint(request: Request) -> bytes:
    query = "&".join(f"{name}={value}" for name, value in request.query)
    digest = hashlib.blake2b(f"{request.method} {request.path}?{query}\n".encode(), digest_size=16)
    digest.update(request.body)
    return digest.digest()


def _bad_request(message: str) -> Response:
    return Response.of_json({"Title": "Bad Request", "Status": 400, "Detail": message, "Message": message}, 400)
