"""What leaves the system other than to Amazon and Xero: events, dead letters, log lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class OrderEvent:
    """An event about an order.

    kind: `Order Shipped` or `Order Cancelled`.
    version: the version of the order (UTC) that says so.
    """

    kind: str
    order_id: str
    version: datetime
    marketplace_id: str = ""


class EventBus(Protocol):
    """The stack's own event bus. Events are notices: the order's row holds the work, so a lost event loses nothing."""

    def publish(self, connection: str, events: Sequence[OrderEvent]) -> int:
        """Publish at least once, in any order; return how many could not be published. Never raises for a busy bus."""
        ...


class DeadLetterNotSent(Exception):
    """A dead-letter queue did not take a message. Its text is AWS's error code, or the type of the error."""


class DeadLetterQueue(Protocol):
    """A capability's dead-letter queue, for what needs a person."""

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        """Send a message whose body can be redriven as it is, with the rest as attributes.

        At least once. Raises DeadLetterNotSent when it cannot.
        """
        ...


class MessageNotSent(Exception):
    """The topic of the alarms did not take a message. Its text is AWS's error code, or the type of the error."""


class AlarmTopic(Protocol):
    """The topic whose subscribers receive the stack's alarms."""

    def publish(self, subject: str, text: str) -> None:
        """Publish a message without buyer data. Raises MessageNotSent when it cannot."""
        ...


class DecisionLog(Protocol):
    """One structured line per decision, for the person who reads the log at night, and a metric that counts each.

    Never given buyer data: only ids, codes, remedies and numbers.
    """

    def record(
        self,
        decision: str,
        *,
        order_id: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        remedy: str | None = None,
        **numbers: object,
    ) -> None: ...
