"""`operate status`: what an operator sees of a stack, and what a program does."""

from __future__ import annotations

import json

import pytest

from amazon_to_xero.domain.failures import remedy_of
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, as_text, operate
from fakes.orders import item, order
from operations.command_line.status import status


@pytest.fixture
def failed() -> FakeConnection:
    """A connection whose one order failed, because its marketplace is not in the settings."""
    connection = FakeConnection(order(item("10.00"), order_id="A", marketplace="NOWHERE"))
    connection.read(connection.notice(["A"]))
    connection.plan_drafts()
    return connection


def test_idle_connection_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(monkeypatch, OperatorSession(FakeConnection()), "status")

    assert answer.exit_code == 0
    assert "Connection main: fine" in answer.stdout


def test_failures_are_counted_by_code_with_what_to_do(failed: FakeConnection) -> None:
    shown = status(OperatorSession(failed))

    assert shown.has_problem
    assert f"UNKNOWN_MARKETPLACE 1 0 {remedy_of('UNKNOWN_MARKETPLACE')}" in as_text(shown)


def test_program_reads_json_and_learns_from_the_exit_code_that_a_person_is_needed(
    monkeypatch: pytest.MonkeyPatch, failed: FakeConnection
) -> None:
    answer = operate(monkeypatch, OperatorSession(failed), "status", "--json")

    (connection,) = json.loads(answer.stdout)["connections"]
    assert answer.exit_code == 1
    assert connection["failed_sources"] == {"UNKNOWN_MARKETPLACE": 1}
    assert connection["needs_a_person"] is True


def test_messages_and_dead_letters_of_each_queue_are_counted() -> None:
    session = OperatorSession(FakeConnection())
    session.queues.messages |= {"OrdersQueueUrl": 3, "RefundsDlqUrl": 2}

    text = as_text(status(session))

    assert "orders 3 0 0" in text
    assert "refunds 0 0 2" in text


def test_settings_that_cannot_be_used_are_a_problem() -> None:
    session = OperatorSession(FakeConnection())
    session.stored["main"] = "{}"

    shown = status(session)

    assert shown.has_problem
    assert "SETTINGS_UNUSABLE (settings)" in as_text(shown)


def test_unknown_command_is_a_usage_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert operate(monkeypatch, OperatorSession(FakeConnection()), "stauts").exit_code == 2


def test_one_of_several_connections_must_be_named() -> None:
    session = OperatorSession(FakeConnection())
    session.stored["second"] = session.stored["main"]

    with pytest.raises(Exception, match="Name one of the connections main, second with --connection"):
        _ = session.connection
