"""`operate replay`: what an operator sees before they agree, and what the function is asked for then."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, operate

ADA = "arn:aws:iam::123456789012:user/ada"
ORDER = "204-0000001-0000001"
FUNCTION_TIMEOUT = 60  # seconds; see template.yaml
FAILURE = {
    "connection": "main",
    "function": "orders",
    "source": "order#A",
    "order": "A",
    "reason": "TAX_UNMAPPED",
    "remedy": "Add a rule.",
    "age_minutes": 10,
    "has_letter": True,
    "sent_before": 0,
    "action": "SEND",
    "why": "",
}
PREVIEW = {
    "state": "PLANNED",
    "reason": "",
    "remedy": "",
    "note": "Planned as it was last read. What goes to the orders queue is read from Amazon again first.",
    "documents": [
        {
            "document": "invoice#A",
            "action": "update",
            "differences": [{"field": "LineItems[0].TaxType", "in_xero": "NONE", "to_write": "OUTPUT2"}],
        }
    ],
}


class ScriptedFunction:
    """boto3's `lambda` client that answers with the given steps, and `sts`."""

    def __init__(self, *answers: dict[str, Any], error: str = "") -> None:
        self.answers = list(answers)
        self.error = error
        self.events: list[dict[str, Any]] = []

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": ADA}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # boto3's names
        assert FunctionName == "ReplayFunctionName"
        self.events.append(json.loads(Payload))
        answer = {"errorType": self.error} if self.error else self.answers.pop(0)
        found: dict[str, Any] = {"Payload": BytesIO(json.dumps(answer).encode())}
        return found | ({"FunctionError": "Unhandled"} if self.error else {})


def step(*failures: dict[str, Any], cursor: str = "", **left: Any) -> dict[str, Any]:
    return {"failures": list(failures), "cursor": cursor, "without_age": 0, "is_complete": True} | left


def session(function: ScriptedFunction) -> OperatorSession:
    clients: dict[str, Any] = {"lambda": function, "sts": function}
    return OperatorSession(FakeConnection(), **clients)


def test_preview_shows_each_field_in_xero_and_as_it_would_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(FAILURE | {"preview": PREVIEW}))

    answer = operate(monkeypatch, session(function), "replay", "preview", "--code", "TAX_UNMAPPED")

    text = " ".join(answer.stdout.split())
    assert answer.exit_code == 0
    assert "invoice#A update LineItems[0].TaxType NONE OUTPUT2" in text
    (event,) = function.events
    assert event["replay"]["preview"] is True
    assert (event["replay"]["reason"], event["replay"]["by"], event["replay"]["connection"]) == (
        "TAX_UNMAPPED",
        ADA,
        "",  # rejected messages, which belong to no connection, are selected, too
    )


def test_run_shows_what_it_will_do_and_does_it_once_the_operator_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(FAILURE), step(FAILURE))

    answer = operate(monkeypatch, session(function), "replay", "run", "--order", "A", answer="yes\n")

    assert answer.exit_code == 0
    assert "1 failures: 1 SEND" in answer.stderr
    assert [event["replay"]["preview"] for event in function.events] == [True, False]


def test_run_changes_nothing_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(FAILURE))

    answer = operate(monkeypatch, session(function), "replay", "run", answer="no\n")

    assert "Nothing was changed." in answer.stdout
    assert [event["replay"]["preview"] for event in function.events] == [True]


def test_run_takes_step_after_step_until_there_is_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(FAILURE, cursor="c1"), step(FAILURE | {"order": "B"}))

    answer = operate(monkeypatch, session(function), "replay", "run", "--yes", "--json")

    assert [each["order"] for each in json.loads(answer.stdout)["failures"]] == ["A", "B"]
    assert [event["replay"]["cursor"] for event in function.events] == ["", "c1"]


def test_no_more_failures_are_replayed_than_the_limit_says(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(*[FAILURE] * 25, cursor="c1"), step(*[FAILURE] * 5, cursor="c2"))

    answer = operate(monkeypatch, session(function), "replay", "run", "--yes", "--limit", "30", "--json")

    assert [event["replay"]["limit"] for event in function.events] == [25, 5]
    assert json.loads(answer.stdout)["has_more"] is True


def test_stopped_failure_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = FAILURE | {"action": "STOP", "why": "was sent 5 times in 14 days and failed each time", "sent_before": 5}

    answer = operate(monkeypatch, session(ScriptedFunction(step(stopped))), "replay", "run", "--yes")

    assert answer.exit_code == 1
    assert "was sent 5 times in 14 days" in " ".join(answer.stdout.split())


def test_ages_are_given_in_days_and_what_has_none_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(without_age=2))

    answer = operate(monkeypatch, session(function), "replay", "preview", "--older-than", "1.5")

    assert function.events[0]["replay"]["older_than_minutes"] == 2160
    assert "2 failures without a dead letter have no age and were left out." in answer.stdout


def test_request_that_the_function_refuses_is_a_usage_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction({"refused": "replay.reason: TAX is no failure code"})

    answer = operate(monkeypatch, session(function), "replay", "preview", "--code", "TAX")

    assert answer.exit_code == 2
    assert "TAX is no failure code" in answer.stderr


@pytest.mark.parametrize("command", [("replay", "preview"), ("replay", "history", "A"), ("resync", ORDER, "--yes")])
def test_function_has_its_whole_time_and_is_invoked_once(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    made = session(ScriptedFunction(step() | {"source": "order#A", "attempts": [], "sent": [ORDER], "waiting": 0}))

    operate(monkeypatch, made, *command)

    config: Any = made.configs["lambda"]
    assert config.read_timeout > FUNCTION_TIMEOUT
    assert config.retries["total_max_attempts"] == 1


def test_run_that_gets_nowhere_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(cursor="c1"), step(cursor="c1"))

    answer = operate(monkeypatch, session(function), "replay", "run", "--yes")

    assert answer.exit_code == 1
    assert "found no time for one failure. Run the command again later." in " ".join(answer.stdout.split())


def test_function_that_fails_is_a_problem_that_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(monkeypatch, session(ScriptedFunction(error="QueueFailed")), "replay", "run", "--yes")

    assert answer.exit_code == 1
    assert "run the command again to continue" in answer.stdout


def test_history_of_an_order_says_who_replayed_it_and_what_came_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = {
        "at": "2026-11-27T12:00:00Z",
        "by": ADA,
        "action": "SEND",
        "function": "orders",
        "reason": "TAX_UNMAPPED",
        "outcome": "DONE",
        "outcome_at": "2026-11-27T12:10:00Z",
    }
    function = ScriptedFunction({"source": "order#A", "attempts": [attempt]})

    answer = operate(monkeypatch, session(function), "replay", "history", "A")

    assert "SEND - orders TAX_UNMAPPED DONE" in " ".join(answer.stdout.split())
    assert function.events == [{"history": {"connection": "main", "source": "order#A", "by": ADA}}]


# --- closing ----------------------------------------------------------------------------------------------------------

CLOSED = FAILURE | {"action": "CLOSE", "why": "as agreed"}
OF_A = ("--order", "A", "--reason", "as agreed")


def test_close_shows_code_remedy_and_what_failed_and_closes_what_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    left = CLOSED | {"source": "order#B", "action": "LEAVE", "why": "is being processed"}
    function = ScriptedFunction(step(CLOSED, left), step(CLOSED))

    answer = operate(monkeypatch, session(function), "replay", "close", *OF_A, answer="yes\n")

    text = " ".join(answer.stderr.split())
    assert answer.exit_code == 0
    assert "2 failures: 1 CLOSE, 1 LEAVE" in text
    assert all(part in text for part in ("TAX_UNMAPPED", "order#A", "Add a rule.", "is being processed"))
    asked, closed = (event["replay"] for event in function.events)
    assert (asked["preview"], closed["preview"]) == (True, False)
    assert (closed["closed_because"], closed["order"]) == ("as agreed", "A")
    assert closed["shown"] == [{"connection": "main", "source": "order#A", "code": "TAX_UNMAPPED"}]


def test_close_changes_nothing_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(CLOSED))

    answer = operate(monkeypatch, session(function), "replay", "close", *OF_A, answer="no\n")

    assert "Nothing was changed." in answer.stdout
    assert [event["replay"]["preview"] for event in function.events] == [True]


def test_close_says_why_nothing_of_it_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ScriptedFunction(step(CLOSED | {"action": "LEAVE", "why": "is being processed"}))

    answer = operate(monkeypatch, session(function), "replay", "close", *OF_A, "--yes")

    assert answer.exit_code == 1
    assert "is being processed" in answer.stdout
    assert len(function.events) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(("--order", "A", "--reason", " "), "Say with --reason"), (("--reason", "as agreed"), "Say which failures")],
)
def test_close_is_refused_without_a_reason_or_a_selection(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    function = ScriptedFunction()

    answer = operate(monkeypatch, session(function), "replay", "close", *arguments, "--yes")

    assert answer.exit_code == 2
    assert problem in answer.output
    assert function.events == []
