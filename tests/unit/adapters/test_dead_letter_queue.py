"""Dead letters to SQS."""

from __future__ import annotations

from typing import Any

from amazon_to_xero.adapters.aws.dead_letters import SqsDeadLetterQueue


class RecordingQueue:
    """A boto3 `sqs` client that records what is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


def texts(request: dict[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in request["MessageAttributes"].items()}


def test_dead_letter_keeps_the_body_and_has_reason_and_remedy_as_attributes() -> None:
    queue = RecordingQueue()

    SqsDeadLetterQueue(queue, "https://sqs.example/dlq").send("{not JSON", reason="MALFORMED_MESSAGE", remedy="r" * 501)

    (sent,) = queue.sent
    assert (sent["QueueUrl"], sent["MessageBody"]) == ("https://sqs.example/dlq", "{not JSON")
    assert texts(sent) == {"reason": "MALFORMED_MESSAGE", "remedy": "r" * 500}


def test_dead_letter_about_an_order_has_its_id_as_an_attribute() -> None:
    queue = RecordingQueue()

    SqsDeadLetterQueue(queue, "https://sqs.example/dlq").send("{}", reason="X", remedy="do y", order_id="026-1")

    assert texts(queue.sent[0]) == {"reason": "X", "remedy": "do y", "order_id": "026-1"}
