"""What every handler does around the work: one correlation id, one deadline, no buyer data in any trace."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.runtime.composition import Connection
from amazon_to_xero.runtime.observability import LogJournal, logger

# Two calls of Xero with the same key, each given up after 23 s, and the rows after them still fit behind the deadline.
_RESERVE = timedelta(seconds=60)


class LambdaContext(Protocol):
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def begin(context: LambdaContext, **keys: Any) -> None:
    """Every line of this invocation carries its request id; keys of the one before are forgotten."""
    logger.clear_state()
    logger.append_keys(correlation_id=context.aws_request_id, **keys)


class WorkFailed(Exception):
    """Something nobody foresaw, at least in one connection. Names kinds and places, never values."""


def each(connections: Iterable[Connection], work: Callable[[Connection], object]) -> list[str]:
    """Works for each connection; one that fails does not stop the others. Returns what failed, for WorkFailed."""
    failures = []
    for connection in connections:
        try:
            work(connection)
        except Exception as problem:
            # The text of an unforeseen error may hold anything, a buyer's name too: only its kind and place are said.
            place = traceback.extract_tb(problem.__traceback__)[-1]
            where = f"{type(problem).__name__} in {Path(place.filename).name}:{place.lineno}"
            LogJournal(connection.name).note("FAILED", reason="UNFORESEEN", hint=where)
            failures.append(f"{connection.name}: {where}")
    return failures


def deadline(context: LambdaContext, clock: Clock) -> datetime:
    """No new call is begun after this."""
    return clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - _RESERVE
