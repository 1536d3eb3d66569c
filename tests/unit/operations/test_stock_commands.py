"""`operate stock …`: the worklist of stock, and what an operator does about an entry."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from amazon_to_xero.runtime import reconciliation_handler
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, as_text, operate
from fakes.reconciliation import RECONCILED, tracked
from fakes.state import NOON
from fakes.stock import UK, summary
from inventory_reconciliation.handler import handler
from operations.command_line.stock import worklist
from unit.runtime.lambda_context import FakeLambdaContext

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decision logs of fakes count nothing


class Functions:
    """boto3's `lambda` client over the handler in this process. `error` is what the function ends with."""

    def __init__(self) -> None:
        self.error = ""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # boto3's names
        assert FunctionName == "InventoryReconciliationFunctionName"
        if self.error:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps({"errorType": self.error}).encode())}
        answer = handler(json.loads(Payload), FakeLambdaContext(remaining=900_000))
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


class App:
    """runtime.composition.Application with one connection."""

    def __init__(self, connection: FakeConnection) -> None:
        self.clock = connection.clock
        self._connection = connection

    def connections(self) -> dict[str, Any]:
        return {self._connection.name: self._connection.connection}


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> FakeConnection:
    connection = FakeConnection(reconciliation_policy=RECONCILED)
    connection.inventory.stock = {UK: [[summary("MUG-RED", 98), summary("LAMP", 1)]]}
    connection.xero.price_list = [tracked(), tracked("LAMP", 11)]
    monkeypatch.setattr(reconciliation_handler, "application", lambda: App(connection))
    return connection


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def session(connection: FakeConnection, functions: Functions) -> OperatorSession:
    return OperatorSession(connection, **{"lambda": functions})


def test_open_items_are_listed_with_the_largest_difference_first_and_what_to_do(
    session: OperatorSession, connection: FakeConnection
) -> None:
    connection.reconcile_stock()

    shown = worklist(session)

    assert shown.has_problem
    assert [each["code"] for each in shown.data["open"]] == ["LAMP", "MUG-RED"]
    text = as_text(shown)
    assert "2 open" in text
    assert "s3://ReportBucketName/main/2026-11-23T120001Z/stock.html" in text


def test_worklist_before_the_first_reconciliation_says_how_to_begin(session: OperatorSession) -> None:
    assert "Set inventory.reconcile in the settings" in as_text(worklist(session))


def test_stock_is_reconciled_at_once_and_the_worklist_listed(
    monkeypatch: pytest.MonkeyPatch, session: OperatorSession, connection: FakeConnection
) -> None:
    answer = operate(monkeypatch, session, "stock", "reconcile", "--json")

    assert answer.exit_code == 1
    assert len(json.loads(answer.stdout)["open"]) == 2
    connection.inventory.stock = {UK: [[summary("MUG-RED", 100), summary("LAMP", 11)]]}
    agreed = operate(monkeypatch, session, "stock", "reconcile")
    assert agreed.exit_code == 0
    assert "No item needs a person." in agreed.stdout


def test_entry_is_closed_with_a_word(
    monkeypatch: pytest.MonkeyPatch, session: OperatorSession, connection: FakeConnection
) -> None:
    connection.reconcile_stock()

    answer = operate(monkeypatch, session, "stock", "close", "MUG-RED", "--word", "Claimed from Amazon")

    assert (answer.exit_code, answer.stdout) == (0, "MUG-RED is closed (FEWER_AT_AMAZON): Claimed from Amazon\n")
    assert connection.store.load(WorklistEntry, ["mug-red"])["mug-red"].state is EntryState.CLOSED
    assert [each["code"] for each in worklist(session).data["open"]] == ["LAMP"]


@pytest.mark.parametrize(
    ("item", "word", "problem"),
    [("KETTLE", "counted", "The worklist has no item KETTLE"), ("MUG-RED", " ", "The word is empty")],
)
def test_what_cannot_be_closed_says_why(
    monkeypatch: pytest.MonkeyPatch,
    session: OperatorSession,
    connection: FakeConnection,
    item: str,
    word: str,
    problem: str,
) -> None:
    connection.reconcile_stock()

    answer = operate(monkeypatch, session, "stock", "close", item, "--word", word)

    assert answer.exit_code == 1
    assert problem in answer.stdout


def test_reconciliation_that_was_not_possible_says_where_the_reason_is(
    monkeypatch: pytest.MonkeyPatch, session: OperatorSession, connection: FakeConnection, functions: Functions
) -> None:
    connection.inventory.stock = {}
    command = 'make operate DO="logs --function inventory_reconciliation"'
    assert command in operate(monkeypatch, session, "stock", "reconcile").stdout

    connection.store.acquire("inventory_reconciliation", "other", NOON, NOON + timedelta(minutes=15))
    assert "by another run" in operate(monkeypatch, session, "stock", "reconcile").stdout

    functions.error = "WorkFailed"
    failed = operate(monkeypatch, session, "stock", "reconcile")
    assert (failed.exit_code, "WorkFailed" in failed.stdout) == (1, True)
