"""The functions' handlers: from an event to documents in Xero, what is answered to SQS, and what a failure stops."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.state import Record
from amazon_to_xero.runtime import handlers
from amazon_to_xero.runtime.handlers import Handler, WorkFailed
from deployable.transform import ROOT
from fakes.connection import FakeConnection
from fakes.counting_table import CountingTable
from orders.handler import handler as orders_handler
from resume.handler import handler as resume_handler
from shipments.handler import handler as shipments_handler
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import (
    IDS,
    TwoConnections,
    break_table,
    invoice_numbers,
    lambda_event,
    order_change,
    order_event,
    set_status,
    sqs_event,
)

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decision logs of fakes count nothing

NO_FAILURES: dict[str, Any] = {"batchItemFailures": []}
PERIOD_LOCKED = ("The document date cannot be before the period lock date",)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> TwoConnections:
    application = TwoConnections()
    monkeypatch.setattr(handlers, "application", lambda: application)
    return application


def invoke(handler: Handler, event: dict[str, Any], remaining: int = 120_000) -> dict[str, Any]:
    return handler(event, FakeLambdaContext(remaining=remaining))


def status(connection: FakeConnection, order_id: str) -> str:
    """Return the status of an order's invoice in Xero."""
    return str(connection.xero.invoice(order_id)["Status"])


def written_rows(connection: FakeConnection) -> int:
    return connection.store.writes("ORDER#") + connection.store.writes("DOCUMENT#")


def read_orders(app: TwoConnections, status: str, *order_ids: str) -> None:
    """Have the orders function read these orders with that status."""
    set_status(app.main, status, *order_ids)
    bodies = [order_change(order_id, at=app.clock.now()) for order_id in order_ids]
    assert invoke(orders_handler, sqs_event(*bodies)) == NO_FAILURES


# --- the orders function ----------------------------------------------------------------------------------------------


def test_amazon_s_notifications_become_draft_invoices(app: TwoConnections) -> None:
    assert invoke(orders_handler, lambda_event("orders_sqs_order_change.json")) == NO_FAILURES

    assert invoice_numbers(app.main) == IDS[:2]
    assert {status(app.main, order_id) for order_id in IDS[:2]} == {"DRAFT"}
    assert (invoice_numbers(app.second), app.dead_letters[ORDERS].letters) == ([], [])


def test_redriven_dead_letter_has_its_order_processed(app: TwoConnections) -> None:
    assert invoke(orders_handler, lambda_event("orders_sqs_reprocess.json")) == NO_FAILURES

    assert invoice_numbers(app.main) == [IDS[2]]


def test_repeated_notifications_write_nothing_to_xero(app: TwoConnections) -> None:
    invoke(orders_handler, lambda_event("orders_sqs_order_change.json"))
    writes = len(app.main.xero.writes())

    invoke(orders_handler, lambda_event("orders_sqs_order_change.json"))

    assert len(app.main.xero.writes()) == writes


def test_sweep_finds_orders_without_a_notification_for_every_connection(app: TwoConnections) -> None:
    assert invoke(orders_handler, lambda_event("orders_sweep.json")) == {}

    assert invoice_numbers(app.main) == invoice_numbers(app.second) == IDS


def test_messages_that_could_not_be_stored_are_answered_as_partial_failures(app: TwoConnections) -> None:
    break_table(app.main)
    event = lambda_event("orders_sqs_order_change.json")

    answer = invoke(orders_handler, event)

    assert answer == {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event["Records"]]}


def test_work_that_fails_after_the_notices_are_stored_delivers_no_message_again(
    app: TwoConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(order_id: str) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(app.main.amazon, "get_order", defect)

    assert invoke(orders_handler, lambda_event("orders_sqs_order_change.json")) == NO_FAILURES

    assert all(app.main.record(order_id).next_attempt_at for order_id in IDS[:2])


def test_no_work_begins_when_the_function_has_no_time_left_for_it(app: TwoConnections) -> None:
    event = lambda_event("orders_sqs_order_change.json")

    assert invoke(orders_handler, event, remaining=59_000) == NO_FAILURES

    assert app.main.amazon.calls == []
    assert app.main.store.due(ORDERS, app.clock.now(), 9) == IDS[:2]
    invoke(resume_handler, lambda_event("resume_tick.json"))
    assert invoice_numbers(app.main) == IDS[:2]


def test_dead_letter_of_a_refused_document_can_be_sent_to_the_queue_as_it_is(app: TwoConnections) -> None:
    app.main.xero.refusals[IDS[0]] = PERIOD_LOCKED
    invoke(orders_handler, lambda_event("orders_sqs_order_change.json"))
    (letter,) = app.dead_letters[ORDERS].letters
    assert invoice_numbers(app.main) == [IDS[1]]

    app.main.xero.refusals.clear()
    app.clock.advance(60)
    invoke(orders_handler, sqs_event(letter.body))

    assert invoice_numbers(app.main) == IDS[:2]
    assert app.main.document(IDS[0]).state is DocumentState.APPLIED


# --- the shipments function -------------------------------------------------------------------------------------------


def test_shipped_order_is_announced_and_left_to_the_shipments_function(app: TwoConnections) -> None:
    read_orders(app, "SHIPPED", IDS[0])

    assert (invoice_numbers(app.main), app.main.events.kinds_and_orders) == ([], [("Order Shipped", IDS[0])])
    assert app.main.store.due(SHIPMENTS, app.clock.now(), 9) == [IDS[0]]


def test_events_of_shipped_orders_approve_their_drafts(app: TwoConnections) -> None:
    read_orders(app, "UNSHIPPED", *IDS)
    app.clock.advance(60)
    read_orders(app, "SHIPPED", *IDS[:2])
    assert {status(app.main, order_id) for order_id in IDS} == {"DRAFT"}

    assert invoke(shipments_handler, lambda_event("shipments_sqs_order_shipped.json")) == NO_FAILURES

    assert [status(app.main, order_id) for order_id in IDS] == ["AUTHORISED", "AUTHORISED", "DRAFT"]
    assert app.main.store.due(SHIPMENTS, app.clock.now(), 9) == []


def test_event_of_a_cancelled_order_deletes_its_draft(app: TwoConnections) -> None:
    event = lambda_event("shipments_sqs_order_cancelled.json")
    (cancelled,) = (json.loads(each["body"])["detail"]["order_id"] for each in event["Records"])
    read_orders(app, "UNSHIPPED", cancelled)
    app.clock.advance(60)
    read_orders(app, "CANCELLED", cancelled)
    assert app.main.events.kinds_and_orders == [("Order Cancelled", cancelled)]

    invoke(shipments_handler, event)

    assert status(app.main, cancelled) == "DELETED"
    assert app.main.record(cancelled).state is OrderState.NOT_INVOICED


def test_repeated_events_write_nothing(app: TwoConnections) -> None:
    read_orders(app, "SHIPPED", *IDS[:2])
    event = lambda_event("shipments_sqs_order_shipped.json")
    invoke(shipments_handler, event)
    rows, calls = written_rows(app.main), len(app.main.xero.calls)

    assert invoke(shipments_handler, event) == NO_FAILURES

    assert written_rows(app.main) == rows
    assert len(app.main.xero.calls) == calls


def test_dead_letter_of_a_refused_approval_can_be_sent_to_the_shipments_queue(app: TwoConnections) -> None:
    read_orders(app, "SHIPPED", IDS[0])
    app.main.xero.refusals[IDS[0]] = PERIOD_LOCKED
    invoke(shipments_handler, sqs_event(order_event(IDS[0])))
    (letter,) = app.dead_letters[SHIPMENTS].letters
    assert (letter.reason, app.dead_letters[ORDERS].letters, invoice_numbers(app.main)) == ("PERIOD_LOCKED", [], [])

    app.main.xero.refusals.clear()
    app.clock.advance(60)
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "source": f"order#{IDS[0]}"}}
    invoke(shipments_handler, sqs_event(letter.body))

    assert status(app.main, IDS[0]) == "AUTHORISED"


def test_redriven_dead_letter_has_a_planned_order_planned_again(app: TwoConnections) -> None:
    read_orders(app, "SHIPPED", IDS[0])
    invoke(shipments_handler, sqs_event(order_event(IDS[0])))
    assert app.main.record(IDS[0]).next_attempt_at is None
    event = lambda_event("shipments_sqs_reprocess.json")

    assert invoke(shipments_handler, event, remaining=59_000) == NO_FAILURES

    assert app.main.record(IDS[0]).next_step is NextStep.PLAN
    assert app.main.store.due(SHIPMENTS, app.clock.now(), 9) == [IDS[0]]


def test_shipments_function_reads_no_orders_from_amazon(app: TwoConnections) -> None:
    read_orders(app, "SHIPPED", IDS[0])
    calls = len(app.main.amazon.calls)
    set_status(app.main, "SHIPPED", IDS[2])
    app.main.notice(IDS[1:])

    invoke(shipments_handler, sqs_event(order_event(IDS[0])))

    assert status(app.main, IDS[0]) == "AUTHORISED"
    assert len(app.main.amazon.calls) == calls


def test_shipments_function_waits_for_the_worker_before_it(app: TwoConnections) -> None:
    read_orders(app, "SHIPPED", IDS[0])
    now = app.clock.now()
    assert app.main.store.acquire("worker", "other", now, now + timedelta(seconds=20))

    invoke(shipments_handler, sqs_event(order_event(IDS[0])))

    assert status(app.main, IDS[0]) == "AUTHORISED"
    assert sum(app.clock.slept) >= 20


def test_planning_that_fails_unforeseen_delivers_no_event_again_and_leaves_its_order_due(
    app: TwoConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_orders(app, "SHIPPED", IDS[0])

    load = app.main.store.load

    def defect[R: Record](kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        if issubclass(kind, Document):
            raise RuntimeError("a defect")
        return load(kind, keys)

    monkeypatch.setattr(app.main.store, "load", defect)

    assert invoke(shipments_handler, sqs_event(order_event(IDS[0]))) == NO_FAILURES
    assert app.main.store.due(SHIPMENTS, app.clock.now(), 9) == [IDS[0]]


# --- the resume function ----------------------------------------------------------------------------------------------


def test_resume_continues_what_is_due_for_every_connection(app: TwoConnections) -> None:
    app.main.notice([IDS[0]])
    app.second.notice([IDS[1]])

    assert invoke(resume_handler, lambda_event("resume_tick.json")) == {}

    assert (invoice_numbers(app.main), invoice_numbers(app.second)) == ([IDS[0]], [IDS[1]])


def test_resume_plans_a_shipped_order_whose_event_was_lost(app: TwoConnections) -> None:
    app.main.events.broken = True
    read_orders(app, "SHIPPED", IDS[0])
    assert app.main.decisions.of("EVENTS_NOT_PUBLISHED")[0]["events"] == 1

    invoke(resume_handler, lambda_event("resume_tick.json"))

    assert status(app.main, IDS[0]) == "AUTHORISED"


def test_minute_without_work_costs_what_the_deployment_guide_says(
    app: TwoConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke(orders_handler, lambda_event("orders_sweep.json"))
    invoke(resume_handler, lambda_event("resume_tick.json"))
    app.clock.advance(60)
    counting = CountingTable(app.main.store.table)
    monkeypatch.setattr(app.main.store, "_table", counting)

    invoke(resume_handler, lambda_event("resume_tick.json"))

    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert f"| DynamoDB read units, {math.ceil(counting.read)} a minute |" in guide
    assert f"| DynamoDB write units, {counting.written} a minute |" in guide


@pytest.mark.parametrize(
    ("handler", "event"), [(orders_handler, "orders_sweep.json"), (resume_handler, "resume_tick.json")]
)
def test_connection_that_fails_does_not_stop_the_others_and_the_invocation_fails(
    app: TwoConnections, handler: Handler, event: str
) -> None:
    app.main.notice([IDS[0]])
    app.second.notice([IDS[1]])
    break_table(app.main)

    with pytest.raises(WorkFailed) as caught:
        invoke(handler, lambda_event(event))

    assert IDS[1] in invoice_numbers(app.second)
    assert "ConnectionError" in str(caught.value)
    assert "the table cannot be reached" not in str(caught.value)
