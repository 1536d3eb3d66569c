"""Does what was decided about a failure, after it has written down who asked for it, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from amazon_to_xero.domain.replay.decision import Decision
from amazon_to_xero.domain.replay.failure import OpenFailure
from amazon_to_xero.domain.replay.record import ReplayAction, ReplayAttempt
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.replay import WorkQueue
from amazon_to_xero.services.replay.evidence import record_attempt
from amazon_to_xero.services.replay.failures import ReplayedConnection

_LOGGED = {
    ReplayAction.SEND: "REPLAYED",
    ReplayAction.DELETE: "DEAD_LETTER_DELETED",
    ReplayAction.STOP: "REPLAY_STOPPED",
    ReplayAction.CLOSE: "FAILURE_CLOSED",
    ReplayAction.RESYNC: "RESYNCED",
}


class ReplayActs:
    """Sends messages to the queues of their capabilities. There is no second path: their functions process them."""

    def __init__(
        self,
        queues: Mapping[str, WorkQueue],
        connections: Mapping[str, ReplayedConnection],
        clock: Clock,
        decisions: Callable[[str], DecisionLog],
    ) -> None:
        """`queues` are those of the capabilities, by capability; `decisions` makes the decision log of a connection."""
        self._queues = queues
        self._connections = connections
        self._clock = clock
        self._decisions = decisions

    def act(self, failure: OpenFailure, decision: Decision, by: str) -> None:
        """Record the act, send the message where that was decided, and log it. The dead letter is left to the caller.

        A crash before the letter is deleted leaves it, and the next replay decides again: at least once. Raises
        QueueFailed and Conflict.
        """
        self.write_down(failure, decision, by)
        if decision.action in (ReplayAction.SEND, ReplayAction.RESYNC):
            self._queues[failure.capability].send(failure.body)
        self.log(failure, decision, by)

    def write_down(self, failure: OpenFailure, decision: Decision, by: str) -> None:
        """Store who has what done, and why: before it is done. Raises Conflict."""
        connection = self._connections.get(failure.connection)
        if connection is not None:
            at, action = self._clock.now(), decision.action
            attempt = ReplayAttempt(at, by, action, failure.capability, failure.reason, why=decision.why)
            record_attempt(connection.store, failure.source, attempt)

    def log(self, failure: OpenFailure, decision: Decision, by: str) -> None:
        """Log what was done."""
        self._decisions(failure.connection).record(
            _LOGGED[decision.action],
            order_id=failure.order_id or None,
            reason=failure.reason or None,
            source=failure.source,
            queue=failure.capability or None,
            by=by,
            why=decision.why or None,
        )
