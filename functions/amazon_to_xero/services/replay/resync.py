"""Has named orders and their transactions read from Amazon and planned again, whether they failed or not.

Nothing is written that stands: the queues' functions compare what they read with what is recorded, and what they plan
with what was requested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS
from amazon_to_xero.domain.replay.decision import Decision
from amazon_to_xero.domain.replay.failure import OpenFailure, reprocess_body
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.domain.source import SourceKind, source_key
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.intake.asked_orders import ASKED
from amazon_to_xero.services.replay.acts import ReplayActs

#: While so many orders wait for their transactions, no more are sent: Amazon answers for one every two seconds.
_MOST_WAITING = 500
_WHY = "a person asked for it"


@dataclass(frozen=True)
class ResyncStep:
    """What one step sent.

    sent: ids of the orders; the rest of those that were given are still to be sent.
    waiting: how many orders wait for their transactions to be read.
    """

    sent: tuple[str, ...]
    waiting: int


class Resync:
    """Resyncs the orders of one connection."""

    def __init__(self, connection: str, store: StateStore, acts: ReplayActs, clock: Clock) -> None:
        self._connection = connection
        self._store = store
        self._acts = acts
        self._clock = clock

    def step(self, order_ids: Sequence[str], by: str, deadline: datetime) -> ResyncStep:
        """Send the orders to the orders queue and to the refunds queue, until the deadline or until many wait.

        An order that is sent twice is read twice, and nothing else. Raises QueueFailed and Conflict.
        """
        waiting = len(self._store.cursor(ASKED).data)
        sent: list[str] = []
        for order_id in dict.fromkeys(order_ids):
            if self._clock.now() >= deadline or waiting + len(sent) >= _MOST_WAITING:
                break
            source = source_key(SourceKind.ORDER, order_id)
            for capability in (ORDERS, REFUNDS):
                body = reprocess_body(self._connection, source)
                message = OpenFailure(capability, body, self._connection, source, order_id)
                self._acts.act(message, Decision(ReplayAction.RESYNC, _WHY), by)
            sent.append(order_id)
        return ResyncStep(tuple(sent), waiting)
