"""SQS's own redrive: a message-move task takes the messages of a dead-letter queue to a queue, at a given rate.

SQS allows one task a dead-letter queue at a time, and 500 messages a second. A message that a function sent to the
dead-letter queue has no source queue that SQS knows, so the destination is always named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

RUNNING, FAILED = "RUNNING", "FAILED"  # SQS: states of a task; also COMPLETED, CANCELLING, CANCELLED
FASTEST = 500  # SQS: messages a second


class SqsClient(Protocol):
    """What is used of boto3's SQS client."""

    def start_message_move_task(self, **request: Any) -> Any: ...

    def list_message_move_tasks(self, **request: Any) -> Any: ...


@dataclass(frozen=True)
class MessageMove:
    """How far a task is.

    state: SQS's.
    moved: messages that were moved so far.
    to_move: how many there were when the task began.
    problem: why it failed; empty unless it did.
    """

    state: str
    moved: int
    to_move: int
    problem: str = ""

    @property
    def is_over(self) -> bool:
        return self.state not in (RUNNING, "CANCELLING")


def start_move(sqs: SqsClient, source_arn: str, destination_arn: str, per_second: int) -> None:
    """Start moving all messages. Raises ClientError, also where a task of the queue is running already."""
    sqs.start_message_move_task(
        SourceArn=source_arn, DestinationArn=destination_arn, MaxNumberOfMessagesPerSecond=per_second
    )


def latest_move(sqs: SqsClient, source_arn: str) -> MessageMove:
    """Return how far the latest task of a dead-letter queue is. Raises ClientError."""
    (task, *_) = sqs.list_message_move_tasks(SourceArn=source_arn, MaxResults=1)["Results"]
    return MessageMove(
        task["Status"],
        task.get("ApproximateNumberOfMessagesMoved", 0),
        task.get("ApproximateNumberOfMessagesToMove", 0),
        task.get("FailureReason", ""),
    )
