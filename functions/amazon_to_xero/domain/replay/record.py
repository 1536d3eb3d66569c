"""The evidence of replays: for each source who had it processed again, when, why, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from amazon_to_xero.domain.replay.failure import is_for_transactions

#: A dead letter lives as long in SQS; what was sent earlier was another failure.
COUNTED = timedelta(days=14)
_KEPT = 30  # attempts of one source; the oldest are dropped


class ReplayAction(StrEnum):
    """What becomes of an open failure."""

    SEND = "SEND"  # its message goes to its queue again
    DELETE = "DELETE"  # its source needs nothing any more: the dead letter is deleted
    STOP = "STOP"  # it was sent as often as allowed: only a person has it sent again
    LEAVE = "LEAVE"  # nothing is done now; the dead letter stays
    CLOSE = "CLOSE"  # a person has dealt with it otherwise: its rows leave the list of failures
    RESYNC = "RESYNC"  # a person has had it read again, whether it has failed or not; it counts for no cap


DONE = "DONE"  # what came of an attempt: the source needs nothing any more


@dataclass(frozen=True)
class ReplayAttempt:
    """One act of a replay on a source.

    at: when (UTC).
    by: ARN of the caller who asked for it, as the caller stated it; or `automatic`.
    action: SEND, DELETE, STOP, CLOSE or RESYNC.
    capability: whose queue the message was sent to, or whose dead-letter queue it was in.
    reason: the failure code that the source had.
    why: why it was done, in the words of the person who asked for it where those are known.
    outcome, outcome_at: what had come of it when a replay next read the source: DONE or the new failure code. Empty
        before.
    """

    at: datetime
    by: str
    action: ReplayAction
    capability: str
    reason: str = ""
    outcome: str = ""
    outcome_at: datetime | None = None
    why: str = ""


@dataclass(frozen=True)
class ReplayRecord:
    """The stored row of the replays of one source. Nothing is ever planned or posted from it.

    source: key of the source, or of a message that names none.
    generation: how often the row was stored; two writers never both succeed.
    attempts: the latest ones, oldest first.
    """

    source: str
    generation: int = 0
    attempts: tuple[ReplayAttempt, ...] = ()

    @property
    def key(self) -> str:
        return self.source

    @property
    def last_sent(self) -> ReplayAttempt | None:
        return next((each for each in reversed(self.attempts) if each.action is ReplayAction.SEND), None)

    def last_sent_like(self, capability: str) -> ReplayAttempt | None:
        """Return the last sending for the same purpose as one to that capability's queue."""
        return self.last_like(ReplayAction.SEND, capability)

    def last_like(self, action: ReplayAction, capability: str) -> ReplayAttempt | None:
        """Return the last such act for the same purpose as one on that capability's queue.

        An order is in the refunds queue for its transactions, in any other queue for itself.
        """
        purpose = is_for_transactions(capability, self.source)
        done = (each for each in reversed(self.attempts) if each.action is action)
        return next((each for each in done if is_for_transactions(each.capability, self.source) is purpose), None)

    def sent_lately(self, now: datetime) -> int:
        """Return how often it was sent in the last 14 days without being done, or closed by a person, since."""
        sent = 0
        for attempt in reversed(self.attempts):
            is_over = attempt.outcome == DONE or attempt.action in (ReplayAction.DELETE, ReplayAction.CLOSE)
            if is_over or attempt.at < now - COUNTED:
                break
            sent += attempt.action is ReplayAction.SEND
        return sent

    def with_attempt(self, attempt: ReplayAttempt) -> ReplayRecord:
        return replace(self, attempts=(*self.attempts, attempt)[-_KEPT:])

    def with_outcome(self, outcome: str, at: datetime) -> ReplayRecord:
        """Return the record with what came of its last sending, where that is not recorded yet."""
        attempts = tuple(
            replace(each, outcome=outcome, outcome_at=at) if each is self.last_sent and not each.outcome else each
            for each in self.attempts
        )
        return replace(self, attempts=attempts)
