"""Deliver notifications as Amazon does: to SQS the body without message attributes, to EventBridge as a partner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

MAX_BATCH_MESSAGES = 10
MAX_BATCH_BYTES = 256 * 1024


class QueueSender:
    """Send messages to queues given by ARN. Each queue's URL is looked up once."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs
        self._urls: dict[str, str] = {}

    def send(self, queue_arn: str, body: str) -> None:
        self.send_many([(queue_arn, body)])

    def send_many(self, messages: Sequence[tuple[str, str]]) -> None:
        """Send (queue ARN, body) pairs in batches. Raise RuntimeError for messages that SQS rejects."""
        by_queue: dict[str, list[str]] = {}
        for queue_arn, body in messages:
            by_queue.setdefault(queue_arn, []).append(body)
        for queue_arn, bodies in by_queue.items():
            for batch in _batches(bodies):
                answer = self._sqs.send_message_batch(
                    QueueUrl=self._url_of(queue_arn),
                    Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)],
                )
                if failed := answer.get("Failed"):
                    reasons = ", ".join(sorted({entry.get("Code", "no code") for entry in failed}))
                    raise RuntimeError(f"{queue_arn} rejected {len(failed)} of {len(batch)} messages: {reasons}")

    def _url_of(self, queue_arn: str) -> str:
        if queue_arn not in self._urls:
            _, _, _, _, account, name = queue_arn.split(":")
            answer = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            self._urls[queue_arn] = answer["QueueUrl"]
        return self._urls[queue_arn]


class EventSender:
    """Put events on the bus of a partner event source, as only a partner may."""

    def __init__(self, events: Any) -> None:
        self._events = events

    def send(self, source: str, kind: str, detail: str) -> None:
        """Put one event. Raise RuntimeError where EventBridge rejects it."""
        answer = self._events.put_partner_events(Entries=[{"Source": source, "DetailType": kind, "Detail": detail}])
        if answer.get("FailedEntryCount"):
            reason = answer["Entries"][0].get("ErrorCode", "no code")
            raise RuntimeError(f"{source} rejected an event of {kind}: {reason}")


def _batches(bodies: list[str]) -> Iterator[list[str]]:
    """Split into batches of at most ten messages and 256 KiB, the limits of SendMessageBatch."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == MAX_BATCH_MESSAGES or size + length > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
