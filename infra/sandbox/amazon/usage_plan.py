"""Usage plans: a token bucket per operation, with the default rates and bursts that Amazon documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class UsagePlan:
    """A bucket holds `burst` requests and is refilled with `rate` requests per second."""

    rate: float
    burst: int


# The tables "Usage Plan" in the descriptions of the Swagger models.
USAGE_PLANS: Mapping[str, UsagePlan] = {
    "searchOrders": UsagePlan(0.0056, 20),
    "getOrder": UsagePlan(0.5, 30),
    "listTransactions": UsagePlan(0.5, 10),
    "getInventorySummaries": UsagePlan(2, 2),
    "getMarketplaceParticipations": UsagePlan(0.016, 15),
    **{
        operation: UsagePlan(1, 5)
        for operation in (
            "createDestination",
            "getDestinations",
            "getDestination",
            "deleteDestination",
            "createSubscription",
            "getSubscriptions",
            "getSubscription",
            "getSubscriptionById",
            "deleteSubscriptionById",
        )
    },
}


class TokenBucket:
    """A bucket of requests, full at first."""

    def __init__(self, plan: UsagePlan) -> None:
        self._plan = plan
        self._tokens = float(plan.burst)
        self._filled_at: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Take one request out of the bucket; return False if it is empty."""
        if self._filled_at is not None:
            elapsed = (now - self._filled_at).total_seconds()
            self._tokens = min(float(self._plan.burst), self._tokens + elapsed * self._plan.rate)
        self._filled_at = now
        # Tolerate the rounding error of many small refills.
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True
