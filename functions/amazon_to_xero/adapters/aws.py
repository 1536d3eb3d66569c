"""SQS, EventBridge, SSM and Secrets Manager through boto3."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from itertools import batched
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports import OrderEvent

EVENT_SOURCE = "amazon-to-xero"  # what the rules of template.yaml select by
_ENTRIES = 10  # EventBridge: PutEvents takes as many
_ATTRIBUTE_LIMIT = 500  # an SQS attribute may be longer; a person reading a queue does not want it to be


class SqsClient(Protocol):
    def send_message(self, **request: Any) -> Any: ...


class SqsDeadLetters:
    """ports.DeadLetters on one function's dead-letter queue. At least once; raises botocore's errors when it cannot."""

    def __init__(self, sqs: SqsClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, body: str, *, reason: str, hint: str, order_id: str | None = None) -> None:
        texts = {"reason": reason, "hint": hint, "order_id": order_id}
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text[:_ATTRIBUTE_LIMIT]}
                for name, text in texts.items()
                if text
            },
        )


class EventsClient(Protocol):
    def put_events(self, **request: Any) -> Any: ...


class EventBridgeEvents:
    """ports.Events on the own bus.

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
            "updated": event.updated.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "marketplace_id": event.marketplace_id,
        }
        return {
            "EventBusName": self._bus_name,
            "Source": EVENT_SOURCE,
            "DetailType": event.kind,
            "Detail": json.dumps(detail),
        }


class ParameterStore:
    """The settings documents of all connections, by connection id."""

    def __init__(self, ssm: Any, path: str) -> None:
        self._ssm = ssm
        self._path = path.rstrip("/")

    def documents(self) -> dict[str, str]:
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=self._path, WithDecryption=True)
        return {
            parameter["Name"].removeprefix(f"{self._path}/"): parameter["Value"]
            for page in pages
            for parameter in page["Parameters"]
        }


class Secrets:
    """One secret per connection, a JSON text."""

    def __init__(self, secrets_manager: Any, prefix: str) -> None:
        self._secrets_manager = secrets_manager
        self._prefix = prefix.rstrip("/")

    def document(self, connection: str) -> str:
        answer = self._secrets_manager.get_secret_value(SecretId=f"{self._prefix}/{connection}")
        return str(answer["SecretString"])
