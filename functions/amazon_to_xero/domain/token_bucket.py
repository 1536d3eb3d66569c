"""Amazon's quota of one operation as a token bucket (Amazon: usage plans)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True)
class TokenBucket:
    """How many calls an operation allows. Immutable; each method returns a new bucket.

    rate: tokens that are added per second.
    burst: most tokens that the bucket holds.
    tokens: tokens in it at the time `at`; a call takes one.
    at: when `tokens` was computed (UTC).
    """

    rate: Decimal
    burst: int
    tokens: Decimal
    at: datetime

    @classmethod
    def full(cls, rate: Decimal, burst: int, now: datetime) -> TokenBucket:
        """Return a bucket from which nothing has been taken."""
        return cls(rate, burst, Decimal(burst), now)

    def refilled(self, now: datetime) -> TokenBucket:
        """Return the bucket with the tokens that were added until now."""
        gained = self.rate * Decimal(str(max(0.0, (now - self.at).total_seconds())))
        return replace(self, tokens=min(Decimal(self.burst), self.tokens + gained), at=max(now, self.at))

    def allows(self, now: datetime, reserve: int = 1) -> bool:
        """Whether a call can be made that leaves `reserve` tokens for other callers."""
        return self.refilled(now).tokens >= 1 + reserve

    def wait(self, now: datetime, reserve: int = 1) -> timedelta:
        """Return how long it takes until `allows` holds if nobody calls meanwhile, rounded up to milliseconds."""
        missing = max(Decimal(0), 1 + reserve - self.refilled(now).tokens)
        return timedelta(milliseconds=math.ceil(1000 * missing / self.rate))

    def spent(self, now: datetime) -> TokenBucket:
        """Return the bucket after a call."""
        refilled = self.refilled(now)
        return replace(refilled, tokens=max(Decimal(0), refilled.tokens - 1))

    def emptied(self, now: datetime) -> TokenBucket:
        """Return the bucket after a 429: Amazon's own count is the one that applies."""
        return replace(self.refilled(now), tokens=Decimal(0))
