"""The inventory_alerts function, and the resume function that sends what it recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from amazon_to_xero.runtime import handlers
from amazon_to_xero.runtime.handlers import Handler
from fakes.stock import UK, availability_change, summary
from inventory_alerts.handler import handler as inventory_handler
from resume.handler import handler as resume_handler
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import (
    SECOND_SELLER,
    TwoConnections,
    break_table,
    lambda_event,
    order_change,
    sqs_event,
)

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decision logs of fakes count nothing

POLICY = StockPolicy(marketplaces=(UK,), low=Thresholds(10, {"DEFAULT": 20}))


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> TwoConnections:
    application = TwoConnections()
    for connection in (application.main, application.second):
        connection.stock_policy = POLICY
        connection.restart()
    monkeypatch.setattr(handlers, "application", lambda: application)
    return application


def invoke(handler: Handler, event: dict[str, Any]) -> dict[str, Any]:
    return handler(event, FakeLambdaContext(remaining=120_000))


def messages(app: TwoConnections) -> list[str]:
    """Let the resume function run once everything is concluded; return the subjects of all messages."""
    app.clock.advance(POLICY.collect.total_seconds())
    invoke(resume_handler, {"resume": "due"})
    return [subject for each in (app.main, app.second) for subject, _ in each.inventory_topic.messages]


@pytest.mark.parametrize(
    ("event", "subjects"),
    [
        (
            "inventory_alerts_sqs_availability_change.json",
            ["Low stock: MUG-RED, Amazon.co.uk (main)", "Low stock: MUG-RED, Amazon.de (main)"],
        ),
        (
            "inventory_alerts_sqs_merchant_quantity_change.json",
            ["Low stock: MUG-RED, your own warehouse (main)"],
        ),
    ],
)
def test_amazon_s_notifications_become_messages(app: TwoConnections, event: str, subjects: list[str]) -> None:
    assert invoke(inventory_handler, lambda_event(event)) == {"batchItemFailures": []}

    assert sorted(messages(app)) == subjects
    assert app.dead_letters[INVENTORY_ALERTS].letters == []


def test_sweep_reads_the_stock_of_every_connection(app: TwoConnections) -> None:
    app.main.inventory.stock = {UK: [[summary("MUG-RED", 4)]]}
    app.second.inventory.stock = {UK: [[summary("KETTLE", 3)]]}

    assert invoke(inventory_handler, lambda_event("inventory_alerts_sweep.json")) == {}

    assert messages(app) == ["Low stock: MUG-RED, Amazon.co.uk (main)", "Low stock: KETTLE, Amazon.co.uk (second)"]


def test_notification_that_cannot_be_read_is_a_dead_letter_and_does_not_stop_the_others(app: TwoConnections) -> None:
    good = json.dumps(availability_change({UK: 7}, app.clock.now(), seller_id=SECOND_SELLER))
    wrong = json.dumps(availability_change({UK: -7}, app.clock.now()))

    assert invoke(inventory_handler, sqs_event(wrong, order_change("A"), good)) == {"batchItemFailures": []}

    letters = app.dead_letters[INVENTORY_ALERTS].letters
    assert [letter.reason for letter in letters] == ["MALFORMED_MESSAGE", "UNEXPECTED_NOTIFICATION"]
    assert "Fulfillable of MUG-RED" in letters[0].remedy
    assert messages(app) == ["Low stock: MUG-RED, Amazon.co.uk (second)"]


def test_notifications_that_could_not_be_stored_are_delivered_again(app: TwoConnections) -> None:
    break_table(app.main)

    event = lambda_event("inventory_alerts_sqs_availability_change.json")

    assert invoke(inventory_handler, event) == {
        "batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event["Records"]]
    }


def test_alerts_do_not_wait_for_the_posting_of_documents(app: TwoConnections) -> None:
    """The worker's lease is held by a run that posts a backlog."""
    until = app.clock.now().replace(hour=23)
    assert app.main.store.acquire("worker", "another run", app.clock.now(), until) is not None
    invoke(inventory_handler, lambda_event("inventory_alerts_sqs_merchant_quantity_change.json"))

    assert messages(app) == ["Low stock: MUG-RED, your own warehouse (main)"]


def test_one_worker_at_a_time_sends_alerts(app: TwoConnections) -> None:
    until = app.clock.now().replace(hour=23)
    assert app.main.store.acquire(INVENTORY_ALERTS, "another run", app.clock.now(), until) is not None
    invoke(inventory_handler, lambda_event("inventory_alerts_sqs_merchant_quantity_change.json"))

    assert messages(app) == []
    assert app.main.decisions.of("LEASE_HELD_BY_ANOTHER_WORKER") == [{"lease": INVENTORY_ALERTS}]


def test_alerts_take_neither_the_lease_nor_a_row_of_orders(app: TwoConnections) -> None:
    invoke(inventory_handler, lambda_event("inventory_alerts_sqs_availability_change.json"))
    app.clock.advance(POLICY.collect.total_seconds())
    app.main.connection.alert_workers[INVENTORY_ALERTS].run("a run", app.clock.now().replace(hour=23))

    written = {row.sk.partition("#")[0] for row in app.main.store.table.written}
    assert written == {"STOCK", "LEASE"}
    assert {row.sk for row in app.main.store.table.written if row.sk.startswith("LEASE")} == {"LEASE#inventory_alerts"}


def test_connection_without_due_alerts_costs_no_write(app: TwoConnections) -> None:
    app.main.stock_policy = replace(POLICY, marketplaces=())
    invoke(resume_handler, {"resume": "due"})

    assert not any("inventory" in row.sk for row in app.main.store.table.written)
