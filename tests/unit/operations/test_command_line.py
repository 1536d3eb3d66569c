"""What every operator's command has in common: where it works, how it fails, and how it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from pynamodb.exceptions import QueryError
from typer.testing import CliRunner

from amazon_to_xero.runtime.settings import SettingsError
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, operate
from fakes.orders import item, order
from operations.command_line import session as sessions
from operations.command_line.app import app
from operations.command_line.asking import agreed
from operations.command_line.progress import shown
from operations.command_line.session import Session, UsageProblem


class FailingSession(OperatorSession):
    """A session in which every call of AWS fails."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(FakeConnection())
        self._problem = problem

    def client(self, service: str, config: object = None) -> Any:
        raise self._problem


def test_without_a_stack_and_a_local_cloud_the_operator_learns_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "find_running", lambda: None)
    monkeypatch.delenv("AMAZON_TO_XERO_STACK", raising=False)

    answer = CliRunner().invoke(app, ["status"])

    assert answer.exit_code == 2
    assert "Name a deployed stack with --stack, or start a local one with make run KEEP=1" in answer.stderr


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (NoCredentialsError(), "there are no usable AWS credentials. Sign in"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetQueueAttributes"), "allow it"),
        (QueryError("denied", NoCredentialsError()), "there are no usable AWS credentials. Sign in"),
        (SettingsError("the stack x has no output y. Run make deploy first."), "Run make deploy first"),
    ],
)
def test_what_aws_refuses_is_explained_and_has_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, said: str
) -> None:
    as_text = operate(monkeypatch, FailingSession(problem), "status")
    as_json = operate(monkeypatch, FailingSession(problem), "status", "--json")

    assert (as_text.exit_code, as_json.exit_code) == (1, 1)
    assert said in as_text.stderr
    assert said in json.loads(as_json.stdout)["error"]


class StubCaller:
    """boto3's `sts` client."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/maria"}


class StubParameters:
    """boto3's `ssm` client with two pages of parameters."""

    def get_paginator(self, operation: str) -> StubParameters:
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, *, Path: str) -> Iterator[dict[str, Any]]:  # boto3's name
        for name in ("second", "main"):
            yield {"Parameters": [{"Name": f"{Path}/{name}", "Value": name}]}


def test_connections_are_those_whose_settings_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boto3.client", lambda service: StubParameters())
    monkeypatch.setattr(sessions, "stack_outputs", lambda stack: {"SettingsPath": "/stack/connections"})

    assert Session("stack").connections == ["main", "second"]
    assert Session("stack", "second").connection == "second"


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("doctor",),
        ("failed",),
        ("show", "A"),
        ("stock", "worklist"),
        ("correct", "A", "--skip", "--reason", "x"),
    ],
)
def test_mistyped_connection_is_no_all_clear(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    answer = operate(monkeypatch, OperatorSession(FakeConnection(), sts=StubCaller()).naming("mian"), *arguments)

    assert answer.exit_code == 2
    assert "The stack stack has no connection mian; it has: main. Correct --connection" in " ".join(
        answer.stderr.split()
    )


@pytest.mark.parametrize("arguments", [("failed",), ("show", "A")])
def test_rows_of_a_disconnected_connection_are_shown_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    connection = FakeConnection(order(item("24.00"), grand_total="24.00", order_id="A"))
    connection.read(connection.notice(["A"]))
    session = OperatorSession(connection).naming("earlier")

    answer = operate(monkeypatch, session, *arguments, "--json")

    assert answer.exit_code == 0
    assert "The connection earlier is disconnected" in answer.stderr
    assert json.loads(answer.stdout)


def test_stack_of_an_earlier_version_says_to_deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "stack_outputs", lambda stack: {})

    with pytest.raises(SettingsError, match=r"the stack stack has no output TableName. Run make deploy first"):
        Session("stack").output("TableName")


@pytest.mark.parametrize(("typed", "is_agreed"), [("yes", True), ("y", False), ("", False)])
def test_only_yes_is_a_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, *, is_agreed: bool
) -> None:
    monkeypatch.setattr("builtins.input", lambda *prompt: typed)

    assert agreed(["2 orders [A, B] are read again."], "Go on?", yes=False) is is_agreed

    printed = capsys.readouterr()
    assert "2 orders [A, B] are read again." in printed.err  # brackets are text
    assert printed.out == ""


def test_yes_on_the_command_line_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *prompt: pytest.fail("nothing is asked"))

    assert agreed(["preview"], "Go on?", yes=True)


def test_nobody_who_could_answer_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)

    with pytest.raises(UsageProblem, match=r"Nothing was changed.*--yes"):
        agreed(["preview"], "Go on?", yes=False)


def test_progress_never_mixes_with_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(shown(range(3), "Reading", 3)) == [0, 1, 2]

    assert capsys.readouterr().out == ""
