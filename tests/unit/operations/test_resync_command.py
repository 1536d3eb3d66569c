"""`operate resync`: orders from the command line or a file, in bounded calls."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, operate

ORDERS = [f"204-{number:07}-0000001" for number in range(250)]


class ResyncingFunction:
    """boto3's `lambda` client that sends at most `at_once` of the orders it is given, and `sts`."""

    def __init__(self, at_once: int = 100, error: str = "") -> None:
        self.at_once = at_once
        self.error = error
        self.asked: list[list[str]] = []

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/ada"}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # boto3's names
        assert FunctionName == "ReplayFunctionName"
        event = json.loads(Payload)["resync"]
        assert (event["connection"], event["by"]) == ("main", "arn:aws:iam::123456789012:user/ada")
        self.asked.append(event["orders"])
        if self.error:
            return {"Payload": BytesIO(json.dumps({"errorType": self.error}).encode()), "FunctionError": "Unhandled"}
        return {"Payload": BytesIO(json.dumps({"sent": event["orders"][: self.at_once], "waiting": 0}).encode())}


def session(function: ResyncingFunction) -> OperatorSession:
    clients: dict[str, Any] = {"lambda": function, "sts": function}
    return OperatorSession(FakeConnection(), **clients)


def test_orders_of_a_file_are_sent_a_hundred_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order id;total\n" + "\n".join(f"{order_id};1.00" for order_id in ORDERS), encoding="utf-8")
    function = ResyncingFunction()

    answer = operate(monkeypatch, session(function), "resync", "--file", str(file), "--yes", "--json")

    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["sent"] == ORDERS
    assert [len(asked) for asked in function.asked] == [100, 100, 50]


def test_orders_that_could_not_be_sent_yet_are_sent_later(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ResyncingFunction(at_once=2)

    answer = operate(monkeypatch, session(function), "resync", *ORDERS[:5], "--yes")

    assert "5 orders were sent." in answer.stdout
    assert [len(asked) for asked in function.asked] == [5, 3, 1]


def test_operator_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ResyncingFunction()

    answer = operate(monkeypatch, session(function), "resync", ORDERS[0], answer="no\n")

    assert "1 orders of connection main are read from Amazon again." in answer.stderr
    assert function.asked == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("204-1",), "204-1 is no Amazon order id"),
        ((), "Name orders, or a --file"),
        (("--file", "/nowhere/orders.csv"), "cannot be read"),
    ],
)
def test_call_that_names_no_order_is_a_usage_problem(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    answer = operate(monkeypatch, session(ResyncingFunction()), "resync", *arguments, "--yes")

    assert answer.exit_code == 2
    assert problem in answer.stderr


def test_function_that_fails_is_a_problem_and_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(
        monkeypatch, session(ResyncingFunction(error="QueueFailed")), "resync", ORDERS[0], "--yes", "--json"
    )

    assert (answer.exit_code, json.loads(answer.stdout)["left"]) == (1, [ORDERS[0]])
