"""Dead letters for failed sources and documents: each names the source to reprocess, and why a person has to act."""

from __future__ import annotations

import json
from collections.abc import Mapping

from amazon_to_xero.ports.outbound import DeadLetterQueue


class DeadLetters:
    """The dead-letter queues of one connection, by capability."""

    def __init__(self, connection: str, queues: Mapping[str, DeadLetterQueue]) -> None:
        self._connection = connection
        self._queues = queues

    def send(self, capability: str, source: str, reason: str, remedy: str, order_id: str | None) -> None:
        """Send before the failed row is saved: a crash in between sends it twice (at least once), never zero times."""
        body = json.dumps({"reprocess": {"connection": self._connection, "source": source}})
        self._queues[capability].send(body, reason=reason, remedy=remedy, order_id=order_id)
