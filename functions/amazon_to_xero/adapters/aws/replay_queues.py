"""The queues of a replay in SQS. AWS's errors become QueueFailed with AWS's code, and never with a message's text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports.replay import DeadLetter, QueueFailed

_MESSAGES_AT_ONCE = 10  # SQS: in one call
_POLL_SECONDS = 1  # a poll that waits asks all of SQS's servers; one that does not may miss messages
_ATTRIBUTE_LIMIT = 500  # characters, as in dead letters of the functions
_CAPABILITY, _WHY = "capability", "why"  # attributes of a stopped letter


class SqsClient(Protocol):
    """What is used of boto3's SQS client."""

    def receive_message(self, **request: Any) -> Any: ...

    def change_message_visibility_batch(self, **request: Any) -> Any: ...

    def delete_message(self, **request: Any) -> Any: ...

    def send_message(self, **request: Any) -> Any: ...


class SqsDeadLetterSource:
    """ports.DeadLetterSource over one queue."""

    def __init__(self, sqs: SqsClient, queue_url: str, capability: str = "") -> None:
        """`capability` is that of the queue; empty for the queue of stopped letters, each of which names its own."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._capability = capability

    def receive(self, hide_for: timedelta, limit: int) -> list[DeadLetter]:
        letters: list[DeadLetter] = []
        with _as_queue_failed():
            while len(letters) < limit:
                answer = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=_MESSAGES_AT_ONCE,
                    VisibilityTimeout=int(hide_for.total_seconds()),
                    WaitTimeSeconds=_POLL_SECONDS,
                    AttributeNames=["SentTimestamp"],
                    MessageAttributeNames=["All"],
                )
                messages = answer.get("Messages", [])
                letters += [self._letter(message) for message in messages]
                if not messages:
                    break
        return letters

    def hide(self, letters: Sequence[DeadLetter], hide_for: timedelta) -> None:
        seconds = int(hide_for.total_seconds())
        with _as_queue_failed():
            for chunk in batched(letters, _MESSAGES_AT_ONCE, strict=False):
                # One that is refused was deleted or has become visible meanwhile: nothing is to be done about it.
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": seconds}
                        for number, letter in enumerate(chunk)
                    ],
                )

    def delete(self, letter: DeadLetter) -> None:
        with _as_queue_failed():
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=letter.receipt)

    def _letter(self, message: Mapping[str, Any]) -> DeadLetter:
        texts = {name: each.get("StringValue", "") for name, each in message.get("MessageAttributes", {}).items()}
        return dead_letter(
            self._capability or texts.get(_CAPABILITY, ""),
            message["MessageId"],
            message["ReceiptHandle"],
            message["Body"],
            message["Attributes"]["SentTimestamp"],
            texts,
        )


class SqsWorkQueue:
    """ports.WorkQueue over one queue."""

    def __init__(self, sqs: SqsClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, body: str) -> None:
        with _as_queue_failed():
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body)


class SqsStoppedLetters:
    """ports.StoppedLetters over one queue."""

    def __init__(self, sqs: SqsClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def keep(self, letter: DeadLetter, why: str) -> None:
        texts = {
            "reason": letter.reason,
            "remedy": letter.remedy,
            "order_id": letter.order_id,
            _CAPABILITY: letter.capability,
            _WHY: why,
        }
        attributes = {
            name: {"DataType": "String", "StringValue": text[:_ATTRIBUTE_LIMIT]} for name, text in texts.items() if text
        }
        with _as_queue_failed():
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=letter.body, MessageAttributes=attributes)


def dead_letter(
    capability: str, message_id: str, receipt: str, body: str, sent_timestamp: str, attributes: Mapping[str, str]
) -> DeadLetter:
    """Return a letter from the parts that SQS and Lambda give it in; `sent_timestamp` is in milliseconds."""
    sent_at = datetime.fromtimestamp(int(sent_timestamp) / 1000, UTC)
    texts = [attributes.get(name, "") for name in ("reason", "remedy", "order_id")]
    return DeadLetter(capability, message_id, receipt, body, sent_at, *texts)


@contextmanager
def _as_queue_failed() -> Iterator[None]:
    try:
        yield
    except ClientError as problem:
        raise QueueFailed(problem.response["Error"]["Code"]) from None
    except BotoCoreError as problem:
        raise QueueFailed(type(problem).__name__) from None
