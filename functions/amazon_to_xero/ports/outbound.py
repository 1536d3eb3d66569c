"""What the services need of the outside world. Adapters implement these; tests and the simulation have their own.

Delivery semantics are part of each promise: which errors mean "nothing happened", and which mean "nobody knows".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class OrderEvent:
    """`kind` is `Order Shipped` or `Order Cancelled`; `updated` the version of the order (UTC) that says so."""

    kind: str
    order_id: str
    updated: datetime
    marketplace_id: str = ""


class Events(Protocol):
    """The own event bus. Events are hints: the order's row says what there is to do, a lost event loses nothing."""

    def publish(self, connection: str, events: Sequence[OrderEvent]) -> int:
        """At least once, in any order; returns how many could not be published. Never raises for a busy bus."""
        ...


class DeadLetters(Protocol):
    """The function's dead-letter queue, for what a person has to mend."""

    def send(self, body: str, *, reason: str, hint: str, order_id: str | None = None) -> None:
        """Queues `body` (re-triggerable as it is) with reason attributes. At least once; raises when it cannot."""
        ...


class Journal(Protocol):
    """One structured line per decision, for the person reading the log at night, and a count of each in the metrics.

    Never given buyer data: only ids, reason codes, hints, numbers.
    """

    def note(
        self,
        decision: str,
        *,
        order_id: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        hint: str | None = None,
        **numbers: object,
    ) -> None: ...
