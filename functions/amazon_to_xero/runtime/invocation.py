"""What every handler does around the work: one correlation id, one deadline, no buyer data in any trace."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from amazon_to_xero.ports import Clock
from amazon_to_xero.runtime.observability import logger

# Two calls of Xero with the same key, each given up after 23 s, and the rows after them still fit behind the deadline.
_RESERVE = timedelta(seconds=60)


class LambdaContext(Protocol):
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def begin(context: LambdaContext, **keys: Any) -> None:
    """Every line of this invocation carries its request id; keys of the one before are forgotten."""
    logger.clear_state()
    logger.append_keys(correlation_id=context.aws_request_id, **keys)


def deadline(context: LambdaContext, clock: Clock) -> datetime:
    """No new call is begun after this."""
    return clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - _RESERVE
