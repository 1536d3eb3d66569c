"""Dead letters for failed sources and documents: each names the source to reprocess, and why a person has to act."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.outbound import DeadLetterNotSent, DeadLetterQueue, DecisionLog

#: How long a source or document waits whose dead letter was not sent. Then its failure is found and sent again.
RETRY_SEND = timedelta(minutes=1)


class DeadLetters:
    """The dead-letter queues of one connection, by capability."""

    def __init__(self, connection: str, queues: Mapping[str, DeadLetterQueue], decisions: DecisionLog) -> None:
        self._connection = connection
        self._queues = queues
        self._decisions = decisions

    def send(self, capability: str, source: str, reason: str, remedy: str, order_id: str | None) -> bool:
        """Send before the failed row is saved: a crash in between sends it twice (at least once), never zero times.

        Return whether the queue took it. If not, that is logged, and the caller saves no failure but tries again after
        RETRY_SEND: nothing else of its batch is held back.
        """
        body = json.dumps({"reprocess": {"connection": self._connection, "source": source}})
        try:
            self._queues[capability].send(body, reason=reason, remedy=remedy, order_id=order_id)
        except DeadLetterNotSent as problem:
            self._decisions.record(
                WaitReason.DEAD_LETTER_NOT_SENT,
                order_id=order_id,
                reason=reason,
                remedy=remedy,
                source=source,
                queue=capability,
                problem=str(problem),
            )
            return False
        return True
