"""The stack's own event bus through EventBridge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from itertools import batched
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports.outbound import OrderEvent

EVENT_SOURCE = "amazon-to-xero"  # what the rules of template.yaml select by


_ENTRIES = 10  # EventBridge: PutEvents takes as many


class EventsClient(Protocol):
    def put_events(self, **request: Any) -> Any: ...


class EventBridgeBus:
    """ports.EventBus on the own bus.

    A call that raises ends the attempt, its events and those after it count as not published: botocore has tried
    again by then, and to wait for an absent bus call after call would cost the function its time.
    """

    def __init__(self, events: EventsClient, bus_name: str) -> None:
        self._events = events
        self._bus_name = bus_name

    def publish(self, connection: str, events: Sequence[OrderEvent]) -> int:
        published = 0
        for batch in batched(events, _ENTRIES, strict=False):
            try:
                answer = self._events.put_events(Entries=[self._entry(connection, event) for event in batch])
            except (BotoCoreError, ClientError):
                break
            # Accepted entries have an EventId, refused ones an ErrorCode; the call itself succeeds either way.
            published += sum("ErrorCode" not in entry for entry in answer["Entries"])
        return len(events) - published

    def _entry(self, connection: str, event: OrderEvent) -> dict[str, str]:
        detail = {
            "connection": connection,
            "order_id": event.order_id,
            "updated": event.version.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "marketplace_id": event.marketplace_id,
        }
        return {
            "EventBusName": self._bus_name,
            "Source": EVENT_SOURCE,
            "DetailType": event.kind,
            "Detail": json.dumps(detail),
        }
