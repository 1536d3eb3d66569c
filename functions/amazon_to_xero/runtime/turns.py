"""The connections of a run take turns, so that one with a backlog does not keep the others waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from zlib import crc32

from amazon_to_xero.adapters.dynamodb.rows import NewerSchema
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog
from amazon_to_xero.services.unforeseen import place_of


def take_turns(
    connections: Collection[Connection],
    run_id: str,
    deadline: datetime,
    clock: Clock,
    work: Callable[[Connection, datetime], object],
) -> list[str]:
    """Work for each connection until its share of the time is used up, and again while there is time.

    Each gets an equal share of what is left; what one does not use is left to the others. None begins after the
    deadline. Which one is first depends on the run, so that with many connections, too, none is always the last. One
    that fails does not stop the others. Return what failed.
    """
    failures: list[str] = []
    pending = _rotated(list(connections), run_id)
    while pending:
        unfinished = []
        for number, connection in enumerate(pending):
            if clock.now() >= deadline:
                return failures
            share = (deadline - clock.now()) / (len(pending) - number)
            until = min(deadline, clock.now() + share)
            if failed := failure_of(connection.name, partial(work, connection, until)):
                failures.append(failed)
            elif clock.now() >= until:
                unfinished.append(connection)
        pending = unfinished
    return failures


def _rotated(connections: list[Connection], run_id: str) -> list[Connection]:
    """Return the connections in a rotation that the id of the run determines."""
    start = crc32(run_id.encode()) % len(connections) if connections else 0
    return connections[start:] + connections[:start]


def failure_of(connection: str, work: Callable[[], object]) -> str:
    """Work for a connection; return its name and the place of an exception, empty if there was none."""
    try:
        work()
    except NewerSchema as problem:
        # Its text names a row, which an operator needs to know, and no content of it.
        return _logged(connection, problem, FailureCode.ROW_OF_NEWER_VERSION, str(problem))
    except Exception as problem:
        return _logged(connection, problem, FailureCode.UNFORESEEN, place_of(problem))
    return ""


def _logged(connection: str, problem: Exception, code: FailureCode, remedy: str) -> str:
    PowertoolsDecisionLog(connection).record("FAILED", reason=code, remedy=remedy)
    return f"{connection}: {place_of(problem)}"
