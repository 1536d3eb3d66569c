"""Dead letters of SQS as a replay receives, hides and deletes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from amazon_to_xero.adapters.aws.replay_queues import SqsDeadLetterSource, SqsStoppedLetters, SqsWorkQueue
from amazon_to_xero.ports.replay import DeadLetter, QueueFailed

URL = "https://sqs.example/orders-dlq"
SENT_AT = datetime(2026, 11, 27, 12, 0, 0, 250_000, tzinfo=UTC)
MINUTES = timedelta(minutes=3)


class ScriptedSqs:
    """A boto3 `sqs` client with the given pages of messages; `problem` is what every call raises."""

    def __init__(self, *pages: list[dict[str, Any]], problem: Exception | None = None) -> None:
        self.pages = list(pages)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.problem = problem

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self._called("receive", request)
        page = self.pages.pop(0) if self.pages else []
        return {"Messages": page} if page else {}

    def change_message_visibility_batch(self, **request: Any) -> None:
        self._called("hide", request)

    def delete_message(self, **request: Any) -> None:
        self._called("delete", request)

    def send_message(self, **request: Any) -> None:
        self._called("send", request)

    def _called(self, operation: str, request: dict[str, Any]) -> None:
        if self.problem:
            raise self.problem
        self.calls.append((operation, request))


def message(number: int, **attributes: str) -> dict[str, Any]:
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"r{number}",
        "Body": f"body {number}",
        "Attributes": {"SentTimestamp": str(int(SENT_AT.timestamp() * 1000))},
        "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
    }


def letter(number: int) -> DeadLetter:
    return DeadLetter("orders", f"m{number}", f"r{number}", f"body {number}", SENT_AT)


def test_letters_are_received_until_the_queue_has_no_more_and_hidden_meanwhile() -> None:
    sqs = ScriptedSqs([message(1, reason="TAX_UNMAPPED", remedy="Add a rule.", order_id="A")], [message(2)])

    received = SqsDeadLetterSource(sqs, URL, "orders").receive(MINUTES, 100)

    assert received == [
        DeadLetter("orders", "m1", "r1", "body 1", SENT_AT, "TAX_UNMAPPED", "Add a rule.", "A"),
        letter(2),
    ]
    assert {request["VisibilityTimeout"] for _, request in sqs.calls} == {180}


def test_no_more_letters_are_received_than_asked_for_but_for_the_last_call() -> None:
    sqs = ScriptedSqs(*([message(number)] for number in range(9)))

    assert len(SqsDeadLetterSource(sqs, URL, "orders").receive(MINUTES, 3)) == 3
    assert len(sqs.calls) == 3


def test_stopped_letter_belongs_to_the_capability_that_it_names() -> None:
    kept = ScriptedSqs()
    SqsStoppedLetters(kept, URL).keep(letter(1), "was sent 3 times in 14 days and failed each time")
    ((_, sent),) = kept.calls
    attributes = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
    assert attributes == {"capability": "orders", "why": "was sent 3 times in 14 days and failed each time"}
    assert sent["MessageBody"] == "body 1"

    (received,) = SqsDeadLetterSource(ScriptedSqs([message(1, **attributes)]), URL).receive(MINUTES, 10)

    assert received == letter(1)


def test_letters_become_visible_again_ten_in_a_call() -> None:
    sqs = ScriptedSqs()

    SqsDeadLetterSource(sqs, URL, "orders").hide([letter(number) for number in range(12)], timedelta())

    assert [len(request["Entries"]) for _, request in sqs.calls] == [10, 2]
    assert sqs.calls[1][1]["Entries"][0] == {"Id": "0", "ReceiptHandle": "r10", "VisibilityTimeout": 0}


def test_deleted_letter_is_named_by_its_receipt() -> None:
    sqs = ScriptedSqs()

    SqsDeadLetterSource(sqs, URL, "orders").delete(letter(7))

    assert sqs.calls == [("delete", {"QueueUrl": URL, "ReceiptHandle": "r7"})]


@pytest.mark.parametrize(
    "call",
    [
        lambda sqs: SqsDeadLetterSource(sqs, URL, "orders").receive(MINUTES, 10),
        lambda sqs: SqsDeadLetterSource(sqs, URL, "orders").hide([letter(1)], MINUTES),
        lambda sqs: SqsDeadLetterSource(sqs, URL, "orders").delete(letter(1)),
        lambda sqs: SqsWorkQueue(sqs, URL).send("body"),
        lambda sqs: SqsStoppedLetters(sqs, URL).keep(letter(1), "why"),
    ],
)
@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "order A"}}, "Any"), "AccessDenied"),
        (ConnectTimeoutError(endpoint_url=URL), "ConnectTimeoutError"),
    ],
)
def test_error_names_aws_code_and_no_message(
    call: Callable[[ScriptedSqs], object], problem: Exception, code: str
) -> None:
    with pytest.raises(QueueFailed, match=rf"^{code}$"):
        call(ScriptedSqs(problem=problem))
