"""Dead-letter queues in SQS."""

from __future__ import annotations

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports.outbound import DeadLetterNotSent

_ATTRIBUTE_LIMIT = 500  # characters: SQS allows more, a person who reads the queue needs no more


class SqsClient(Protocol):
    """What is used of boto3's SQS client."""

    def send_message(self, **request: Any) -> Any: ...


class SqsDeadLetterQueue:
    """ports.DeadLetterQueue over one queue. Sends at least once; raises DeadLetterNotSent."""

    def __init__(self, sqs: SqsClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        texts = {"reason": reason, "remedy": remedy, "order_id": order_id}
        attributes = {
            name: {"DataType": "String", "StringValue": text[:_ATTRIBUTE_LIMIT]} for name, text in texts.items() if text
        }
        try:
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body, MessageAttributes=attributes)
        except ClientError as problem:
            raise DeadLetterNotSent(problem.response["Error"]["Code"]) from None
        except BotoCoreError as problem:
            raise DeadLetterNotSent(type(problem).__name__) from None
