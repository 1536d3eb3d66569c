"""`operate redrive`: SQS's own message-move task, as an operator starts it. It was never run against AWS here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, StubQueues, operate


class MovingQueues(StubQueues):
    """SQS as its documentation describes the task: one a queue at a time, a source that is a dead-letter queue.

    refused: the error code of starting a task.
    failure: why a task fails.
    """

    def __init__(self, refused: str = "", failure: str = "") -> None:
        super().__init__()
        self.started: list[dict[str, Any]] = []
        self.refused = refused
        self.failure = failure
        self._polls = 0

    def start_message_move_task(self, **request: Any) -> dict[str, str]:
        if self.refused:
            raise ClientError({"Error": {"Code": self.refused, "Message": "no"}}, "StartMessageMoveTask")
        assert request["SourceArn"].endswith("DlqArn")
        self.started.append(request)
        return {"TaskHandle": "t1"}

    def list_message_move_tasks(self, *, SourceArn: str, MaxResults: int) -> dict[str, Any]:  # boto3's names
        self._polls += 1
        task: dict[str, Any] = {"Status": "RUNNING", "ApproximateNumberOfMessagesToMove": 3}
        if self._polls > 2:
            done = {"Status": "FAILED", "FailureReason": self.failure} if self.failure else {"Status": "COMPLETED"}
            task |= {**done, "ApproximateNumberOfMessagesMoved": 1 if self.failure else 3}
        return {"Results": [task]}


def session(queues: MovingQueues, waiting: int = 3) -> OperatorSession:
    queues.messages["OrdersDlqUrl"] = waiting
    return OperatorSession(FakeConnection(), sqs=queues)


def test_dead_letters_go_back_to_their_queue_once_the_operator_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = MovingQueues()

    answer = operate(monkeypatch, session(queues), "redrive", "orders", answer="yes\n")

    assert answer.exit_code == 0
    assert "3 dead letters of orders go to the queue orders, 5 a second." in answer.stderr
    assert "completed: 3 of 3 moved." in answer.stdout
    assert queues.started == [
        {"SourceArn": "OrdersDlqArn", "DestinationArn": "OrdersQueueArn", "MaxNumberOfMessagesPerSecond": 5}
    ]


def test_another_queue_and_rate_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = MovingQueues()

    operate(monkeypatch, session(queues), "redrive", "orders", "--to", "shipments", "--rate", "50", "--yes")

    (started,) = queues.started
    assert (started["DestinationArn"], started["MaxNumberOfMessagesPerSecond"]) == ("ShipmentsQueueArn", 50)


def test_nothing_is_moved_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = MovingQueues()

    answer = operate(monkeypatch, session(queues), "redrive", "orders", answer="no\n")

    assert (queues.started, answer.exit_code) == ([], 0)
    assert "Nothing was changed." in answer.stdout


def test_empty_queue_needs_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = MovingQueues()

    answer = operate(monkeypatch, session(queues, waiting=0), "redrive", "orders", "--yes", "--json")

    assert (queues.started, json.loads(answer.stdout)["state"]) == ([], "EMPTY")


def test_failed_task_is_a_problem_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = MovingQueues(failure="AccessDenied")

    answer = operate(monkeypatch, session(queues), "redrive", "orders", "--yes")

    assert answer.exit_code == 1
    assert "failed: 1 of 3 moved. AccessDenied" in answer.stdout


def test_local_cloud_without_the_task_names_the_command_that_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(monkeypatch, session(MovingQueues(refused="InvalidAction")), "redrive", "orders", "--yes")

    assert answer.exit_code == 2
    assert "Run replay run instead" in answer.stderr


def test_unknown_queue_is_a_usage_problem_that_names_the_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(monkeypatch, session(MovingQueues()), "redrive", "order", "--yes")

    assert answer.exit_code == 2
    assert "orders, shipments, refunds" in answer.stderr
