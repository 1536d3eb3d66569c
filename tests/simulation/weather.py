"""What goes wrong in a world, and how often: drawn from its seed, some worlds calm."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True)
class Weather:
    """Probabilities per operation, unless said otherwise; times in seconds."""

    # Calls to Xero
    xero_not_sent: float = 0.0  # no connection
    xero_lost: float = 0.0  # no effect, no answer
    xero_dropped: float = 0.0  # full effect, no answer
    xero_refused: float = 0.0  # 500, 503 or HTML before any effect
    xero_failed: float = 0.0  # full effect, then 500 or 503
    xero_throttled: float = 0.0  # 429 although nothing was used up
    xero_slow: float = 0.0  # executed at once, answered after the client has given up
    xero_late: float = 0.0  # executed after the client has given up
    xero_unauthorised: float = 0.0  # 401 or 403 for a good token
    xero_token_dropped: float = 0.0  # a token endpoint's full effect, no answer; only where it is aimed at
    # Calls to Amazon
    amazon_lost: float = 0.0
    amazon_refused: float = 0.0  # 5xx, HTML, empty
    amazon_throttled: float = 0.0
    amazon_slow: float = 0.0
    amazon_stale: float = 0.0  # getOrder answers with the version before
    amazon_unauthorised: float = 0.0
    amazon_token_refused: float = 0.0  # 400 to a page token of searchOrders or listTransactions
    # Lambda
    crash: float = 0.0  # at each point where a worker touches the outside
    crash_around_writes: float = 0.0  # before or after a call that writes to Xero
    freeze: float = 0.0
    freeze_around_calls: float = 0.0  # before or after a call to Xero that writes, or after Amazon's answer
    freeze_for: float = 150.0  # at most
    cold: float = 0.05  # an invocation gets a new sandbox although a warm one is idle
    # The table
    throttled: float = 0.0  # an error of the database; some writes of the call may have taken effect
    ambiguous: float = 0.0  # the write took effect, the SDK's own retry then met its own generation
    index_lag: float = 0.5  # at most
    # Queue and schedules
    duplicate: float = 0.0
    delete_lost: float = 0.0
    notification_lost: float = 0.0
    notification_late: float = 0.0
    event_lost: float = 0.0  # half of them with a word of the bus
    event_late: float = 0.0
    schedule_missed: float = 0.0
    schedule_twice: float = 0.0
    idle_runs: float = 0.05  # share of the scheduled runs with nothing to do that take place

    @classmethod
    def drawn(cls, rng: random.Random) -> Self:
        if rng.random() < 0.1:
            return cls()
        chosen: dict[str, float] = {}
        severity = rng.choice((0.3, 1.0, 1.0, 2.5))
        for field in fields(cls):
            if field.name in _LARGEST and rng.random() < 0.5:
                chosen[field.name] = rng.random() * _LARGEST[field.name] * severity
        chosen["index_lag"] = rng.choice((0.0, 0.5, 2.0, 20.0))
        chosen["freeze_for"] = rng.choice((40.0, 110.0, 110.0, 300.0))
        return cls(**chosen)

    def calm(self) -> Self:
        """Everything works from now on; only the index may lag."""
        return replace(type(self)(), index_lag=min(self.index_lag, 2.0), idle_runs=0.01)


_LARGEST = {
    "xero_not_sent": 0.05,
    "xero_lost": 0.1,
    "xero_dropped": 0.2,
    "xero_refused": 0.1,
    "xero_failed": 0.1,
    "xero_throttled": 0.05,
    "xero_slow": 0.08,
    "xero_late": 0.15,
    "xero_unauthorised": 0.01,
    "amazon_lost": 0.05,
    "amazon_refused": 0.05,
    "amazon_throttled": 0.05,
    "amazon_slow": 0.05,
    "amazon_stale": 0.2,
    "amazon_unauthorised": 0.01,
    "amazon_token_refused": 0.3,
    "crash": 0.006,
    "crash_around_writes": 0.15,
    "freeze": 0.004,
    "freeze_around_calls": 0.08,
    "cold": 0.3,
    "throttled": 0.01,
    "ambiguous": 0.01,
    "duplicate": 0.2,
    "delete_lost": 0.1,
    "notification_lost": 0.3,
    "notification_late": 0.3,
    "event_lost": 0.3,
    "event_late": 0.3,
    "schedule_missed": 0.1,
    "schedule_twice": 0.1,
}
