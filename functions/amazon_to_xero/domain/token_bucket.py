"""Amazon's quota of one operation: so many calls at once, refilled at so many a second (Amazon: usage plans)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class TokenBucket:
    """`tokens` were left at `at` (UTC)."""

    rate: Decimal  # per second
    burst: int
    tokens: Decimal
    at: datetime

    @classmethod
    def full(cls, rate: Decimal, burst: int, now: datetime) -> TokenBucket:
        return cls(rate, burst, Decimal(burst), now)

    def refilled(self, now: datetime) -> TokenBucket:
        gained = self.rate * Decimal(str(max(0.0, (now - self.at).total_seconds())))
        return replace(self, tokens=min(Decimal(self.burst), self.tokens + gained), at=max(now, self.at))

    def allows(self, now: datetime, reserve: int = 1) -> bool:
        """Whether a call may be made that leaves `reserve` tokens to others."""
        return self.refilled(now).tokens >= 1 + reserve

    def spent(self, now: datetime) -> TokenBucket:
        refilled = self.refilled(now)
        return replace(refilled, tokens=max(Decimal(0), refilled.tokens - 1))

    def emptied(self, now: datetime) -> TokenBucket:
        """After a 429: Amazon counts differently than we do, and Amazon is right."""
        return replace(self.refilled(now), tokens=Decimal(0))
