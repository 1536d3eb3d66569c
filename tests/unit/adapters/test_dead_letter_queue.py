"""Dead letters to SQS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError

from amazon_to_xero.adapters.aws.dead_letters import SqsDeadLetterQueue
from amazon_to_xero.ports.outbound import DeadLetterNotSent


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


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "{}"}}, "SendMessage"), "AccessDenied"),
        (ConnectTimeoutError(endpoint_url="https://sqs.example"), "ConnectTimeoutError"),
    ],
)
def test_refused_dead_letter_names_the_error_and_not_the_message(
    problem: ClientError | BotoCoreError, code: str
) -> None:
    class RefusingQueue:
        def send_message(self, **request: Any) -> None:
            raise problem

    with pytest.raises(DeadLetterNotSent, match=rf"^{code}$"):
        SqsDeadLetterQueue(RefusingQueue(), "https://sqs.example/dlq").send("{}", reason="X", remedy="do y")
