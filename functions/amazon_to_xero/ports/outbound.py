"""What leaves the system other than to Amazon and Xero: events, dead letters, log lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol


class OutboundEvent(Protocol):
    """An event of the stack's own bus.

    kind: its detail-type.
    detail: what it says, as JSON values; the connection is added to it.
    """

    @property
    def kind(self) -> str: ...

    @property
    def detail(self) -> Mapping[str, Any]: ...


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

    @property
    def detail(self) -> Mapping[str, Any]:
        return {"order_id": self.order_id, "updated": utc_text(self.version), "marketplace_id": self.marketplace_id}


@dataclass(frozen=True)
class InventoryAlertEvent:
    """An event about an alert of stock.

    detail: as in OutboundEvent. Its `alert_id` is the same where the event is published twice.
    """

    detail: Mapping[str, Any]
    kind: str = "Inventory Alert"


@dataclass(frozen=True)
class ReconciliationRequiredEvent:
    """An event about an item whose units at Amazon and in Xero differ by more than is tolerated.

    detail: as in OutboundEvent. Its `entry_id` is the same where the event is published twice.
    """

    detail: Mapping[str, Any]
    kind: str = "Inventory Reconciliation Required"


class EventBus(Protocol):
    """The stack's own event bus. Events are notices: the rows hold the work, so a lost event loses nothing."""

    def publish(self, connection: str, events: Sequence[OutboundEvent]) -> int:
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
    """A topic did not take a message. Its text is AWS's error code, or the type of the error."""


class MessageTopic(Protocol):
    """A topic whose subscribers, who are people, receive messages: the stack's alarms, or its inventory alerts."""

    def publish(self, subject: str, text: str) -> None:
        """Publish a message without buyer data. Raises MessageNotSent when it cannot."""
        ...


class ReportNotStored(Exception):
    """A report could not be stored. Its text is AWS's error code, or the type of the error."""


class ReportStore(Protocol):
    """Where reports for people are kept. A report never holds buyer data."""

    def put(self, name: str, content: bytes, content_type: str) -> None:
        """Store a report under a name such as `main/2026-11-27T101500Z/stock.csv`. Raises ReportNotStored."""
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


def utc_text(at: datetime) -> str:
    """Return a time as events state it: ISO 8601, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
