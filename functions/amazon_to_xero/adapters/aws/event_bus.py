"""The stack's own event bus in EventBridge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import batched
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports.outbound import OutboundEvent

EVENT_SOURCE = "amazon-to-xero"  # the rules in template.yaml select events by it

_MAX_ENTRIES = 10  # EventBridge: entries of one PutEvents


class EventsClient(Protocol):
    """What is used of boto3's EventBridge client."""

    def put_events(self, **request: Any) -> Any: ...


class EventBridgeBus:
    """ports.EventBus over one bus.

    A call that raises ends the attempt; its events and the following ones count as not published. botocore has retried
    by then, and further calls to an unreachable bus would use up the function's time.
    """

    def __init__(self, events: EventsClient, bus_name: str) -> None:
        self._events = events
        self._bus_name = bus_name

    def publish(self, connection: str, events: Sequence[OutboundEvent]) -> int:
        published = 0
        for batch in batched(events, _MAX_ENTRIES, strict=False):
            try:
                answer = self._events.put_events(Entries=[self._entry(connection, event) for event in batch])
            except (BotoCoreError, ClientError):
                break
            # The call succeeds also where entries are refused; those have an ErrorCode.
            published += sum("ErrorCode" not in entry for entry in answer["Entries"])
        return len(events) - published

    def _entry(self, connection: str, event: OutboundEvent) -> dict[str, str]:
        return {
            "EventBusName": self._bus_name,
            "Source": EVENT_SOURCE,
            "DetailType": event.kind,
            "Detail": json.dumps({"connection": connection, **event.detail}),
        }
