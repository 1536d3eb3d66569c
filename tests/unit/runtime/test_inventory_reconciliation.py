"""The inventory_reconciliation function: its schedule, its requests, and closing an entry of the worklist."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from amazon_to_xero.runtime import reconciliation_handler
from amazon_to_xero.runtime.handlers import WorkFailed
from amazon_to_xero.runtime.reconciliation_handler import REQUESTED
from amazon_to_xero.services.state_updates import ATTEMPTS
from fakes.connection import FakeConnection
from fakes.reconciliation import RECONCILED, tracked
from fakes.stock import UK, summary
from inventory_reconciliation.handler import handler
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import TwoConnections

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decision logs of fakes count nothing


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> TwoConnections:
    application = TwoConnections()
    for connection in (application.main, application.second):
        connection.reconciliation_policy = RECONCILED
        connection.inventory.stock = {UK: [[summary("MUG-RED", 90)]]}
        connection.xero.price_list = [tracked()]
        connection.restart()
    monkeypatch.setattr(reconciliation_handler, "application", lambda: application)
    return application


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    return handler(event, FakeLambdaContext(remaining=900_000))


def reports(*connections: FakeConnection) -> list[int]:
    return [len(connection.inventory_topic.messages) for connection in connections]


def entry(connection: FakeConnection) -> WorklistEntry:
    return connection.store.load(WorklistEntry, ["mug-red"])["mug-red"]


def test_schedule_reconciles_every_connection_once_a_week(app: TwoConnections) -> None:
    assert invoke({"reconcile": "due"}) == {}
    app.clock.advance(3600)
    invoke({"reconcile": "due"})

    assert reports(app.main, app.second) == [1, 1]


def test_person_has_one_connection_reconciled_at_once(app: TwoConnections) -> None:
    invoke({"reconcile": "due"})

    assert invoke({"reconcile": "now", "connection": "main"}) == {}

    assert reports(app.main, app.second) == [2, 1]


@pytest.mark.parametrize(("detail", "expected"), [({"connection": "main"}, [1, 0]), ({}, [1, 1])])
def test_event_on_the_bus_asks_for_a_reconciliation(
    app: TwoConnections, detail: dict[str, str], expected: list[int]
) -> None:
    invoke({"detail-type": REQUESTED, "source": "warehouse", "detail": detail})

    assert reports(app.main, app.second) == expected


def test_entry_is_closed_by_code_with_a_word(app: TwoConnections) -> None:
    invoke({"reconcile": "due"})

    answer = invoke({"close": {"connection": "main", "item": "mug-red", "word": "Claimed from Amazon"}})

    assert answer == {
        "item": "MUG-RED",
        "state": "CLOSED",
        "reason": "FEWER_AT_AMAZON",
        "word": "Claimed from Amazon",
    }
    assert (entry(app.main).state, entry(app.second).state) == (EntryState.CLOSED, EntryState.OPEN)


def test_entry_that_keeps_changing_while_it_is_closed_is_answered_with_what_to_do(app: TwoConnections) -> None:
    invoke({"reconcile": "due"})
    store = app.main.store

    def correct_meanwhile(number: int) -> None:
        store.save([replace(entry(app.main), correction=f"text {number}")])

    store.meanwhile(*(lambda number=number: correct_meanwhile(number) for number in range(ATTEMPTS)))

    answer = invoke({"close": {"connection": "main", "item": "mug-red", "word": "Claimed from Amazon"}})

    assert answer == {"problem": "The entry was changed at this moment. Try again."}
    assert entry(app.main).state is EntryState.OPEN


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({}, "This function takes"),
        ({"reconcile": "never"}, "This function takes"),
        ({"detail-type": REQUESTED, "detail": "main"}, "This function takes"),
        ({"reconcile": "now", "connection": 7}, "connection should be a text"),
        ({"reconcile": "now", "connection": "other"}, "The connections are: main, second"),
        ({"close": "MUG-RED"}, "This function takes"),
        ({"close": {"connection": "main", "item": "MUG-RED"}}, "word should be a text"),
        ({"close": {"connection": "main", "item": "LAMP", "word": "counted"}}, "no item LAMP"),
    ],
)
def test_request_that_cannot_be_answered_says_what_to_correct(
    app: TwoConnections, event: dict[str, Any], problem: str
) -> None:
    assert problem in invoke(event)["problem"]
    assert reports(app.main, app.second) == [0, 0]


def test_reconciliation_that_was_not_possible_is_answered(app: TwoConnections) -> None:
    app.main.inventory.stock = {}

    assert invoke({"reconcile": "now"}) == {"stopped": {"main": "RECONCILIATION_INCOMPLETE"}}


def test_defect_of_one_connection_does_not_stop_the_other_and_is_an_error(app: TwoConnections) -> None:
    app.main.xero.items = lambda: 1 / 0  # type: ignore[assignment,method-assign,return-value]

    with pytest.raises(WorkFailed, match="main: ZeroDivisionError"):
        invoke({"reconcile": "now"})

    assert reports(app.main, app.second) == [0, 1]
