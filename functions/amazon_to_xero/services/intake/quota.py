"""Amazon's quota of each operation, shared by all workers of a connection and counted before a call is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.domain.token_bucket import TokenBucket
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.services.state_updates import update_cursor


@dataclass(frozen=True)
class UsagePlan:
    """Amazon's usage plan of one operation: calls per second, and calls at once."""

    operation: str
    rate: Decimal
    burst: int


# Amazon: usage plans of the Orders API v2026-01-01.
SEARCH_ORDERS = UsagePlan("searchOrders", Decimal("0.0056"), 20)
GET_ORDER = UsagePlan("getOrder", Decimal("0.5"), 30)
# Amazon: usage plan of the Finances API v2024-06-19.
LIST_TRANSACTIONS = UsagePlan("listTransactions", Decimal("0.5"), 10)
USAGE_PLANS = {plan.operation: plan for plan in (SEARCH_ORDERS, GET_ORDER, LIST_TRANSACTIONS)}


class AmazonQuota:
    """The token buckets of one connection."""

    def __init__(self, store: StateStore, clock: Clock, decisions: DecisionLog) -> None:
        self._store = store
        self._clock = clock
        self._decisions = decisions

    def take(self, plan: UsagePlan, reserve: int = 1) -> bool:
        """Take one call's worth of the quota that leaves `reserve` calls to others; False where it cannot."""
        now = self._clock.now()
        is_taken = self._change(plan, lambda bucket: bucket.spent(now) if bucket.allows(now, reserve) else None)
        if not is_taken:
            self._decisions.record("WAITING", reason=WaitReason.AMAZON_QUOTA, operation=plan.operation)
        return is_taken

    def wait(self, plan: UsagePlan, longest: timedelta) -> bool:
        """Take one call's worth as `take` does; wait for it where it will be there within `longest`."""
        needed = self._bucket(self._store.cursor(_cursor_name(plan)), plan).wait(self._clock.now())
        if timedelta() < needed <= longest:
            self._clock.sleep(needed.total_seconds())
        return self.take(plan)

    def exhaust(self, plan: UsagePlan) -> None:
        """Amazon answered 429: it counts differently than we do, and its count is the right one."""
        now = self._clock.now()
        self._change(plan, lambda bucket: bucket.emptied(now))

    def _change(self, plan: UsagePlan, change: Callable[[TokenBucket], TokenBucket | None]) -> bool:
        def changed(cursor: Cursor) -> Mapping[str, str] | None:
            after = change(self._bucket(cursor, plan))
            return None if after is None else {"tokens": str(after.tokens), "at": after.at.isoformat()}

        with suppress(Conflict):
            return update_cursor(self._store, _cursor_name(plan), changed) is not None
        return False

    def _bucket(self, cursor: Cursor, plan: UsagePlan) -> TokenBucket:
        data = cursor.data
        if not data:
            return TokenBucket.full(plan.rate, plan.burst, self._clock.now())
        return TokenBucket(plan.rate, plan.burst, Decimal(data["tokens"]), parse_timestamp(data["at"], "quota.at"))


def _cursor_name(plan: UsagePlan) -> str:
    return f"quota#{plan.operation}"
