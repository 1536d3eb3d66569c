"""An earlier version was deployed, and meets rows that a newer one has written in a shape that it cannot read."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.adapters.dynamodb.rows import Row
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.runtime import handlers, observability
from amazon_to_xero.runtime.handlers import WorkFailed
from fakes.connection import FakeConnection
from orders.handler import handler as orders_handler
from resume.handler import handler as resume_handler
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import (
    IDS,
    TwoConnections,
    invoice_numbers,
    lambda_event,
    order_change,
    set_status,
    sqs_event,
)

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decision logs of fakes count nothing

INVOICE = f"DOCUMENT#invoice#{IDS[0]}"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> TwoConnections:
    application = TwoConnections()
    monkeypatch.setattr(handlers, "application", lambda: application)
    return application


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the logger writes."""
    handler: Any = observability.logger.registered_handler
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    return stream


def enter_draft(app: TwoConnections) -> None:
    orders_handler(sqs_event(order_change(IDS[0])), FakeLambdaContext("draft"))
    assert invoice_numbers(app.main) == [IDS[0]]
    app.clock.advance(60)  # what is noticed from now on was not read yet


def store_with_schema(connection: FakeConnection, sk: str, added: int) -> Row:
    """Store a row as the version writes it whose schema is by so much newer; return it."""
    rows = connection.store.table.rows
    rows[sk] = replace(rows[sk], schema=rows[sk].schema + added)
    return rows[sk]


def failed(output: io.StringIO) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    return [(each["connection"], each["reason"], each["remedy"]) for each in lines if each["message"] == "FAILED"]


def test_rolled_back_version_ends_the_run_and_names_the_row_and_what_to_do(
    app: TwoConnections, output: io.StringIO
) -> None:
    enter_draft(app)
    newer = store_with_schema(app.main, INVOICE, 1)
    set_status(app.main, "SHIPPED", IDS[0])
    app.main.notice([IDS[0]])
    app.second.notice([IDS[1]])

    with pytest.raises(WorkFailed):
        resume_handler(lambda_event("resume_tick.json"), FakeLambdaContext("rolled back"))

    connection, reason, remedy = failed(output)[0]
    assert (connection, reason) == ("main", "ROW_OF_NEWER_VERSION")
    assert remedy.startswith(f"{INVOICE} has schema {newer.schema}")
    assert remedy.endswith("Deploy the newer version again.")
    assert app.main.store.table.rows[INVOICE] == newer
    assert invoice_numbers(app.second) == [IDS[1]]


def test_orders_that_have_not_shipped_are_entered_while_shipped_ones_wait_with_the_row(app: TwoConnections) -> None:
    enter_draft(app)
    store_with_schema(app.main, INVOICE, 1)
    set_status(app.main, "SHIPPED", IDS[0], IDS[1])
    app.main.notice([IDS[0], IDS[1]])
    with pytest.raises(WorkFailed):
        resume_handler(lambda_event("resume_tick.json"), FakeLambdaContext("rolled back"))

    orders_handler(sqs_event(order_change(IDS[2], at=app.clock.now())), FakeLambdaContext("not shipped"))

    assert invoice_numbers(app.main) == [IDS[0], IDS[2]]
    assert app.main.xero.invoice(IDS[0])["Status"] == "DRAFT"


def test_work_goes_on_by_itself_once_the_newer_version_is_deployed_again(app: TwoConnections) -> None:
    enter_draft(app)
    store_with_schema(app.main, INVOICE, 1)
    set_status(app.main, "SHIPPED", IDS[0])
    app.main.notice([IDS[0]])
    with pytest.raises(WorkFailed):
        resume_handler(lambda_event("resume_tick.json"), FakeLambdaContext("rolled back"))

    store_with_schema(app.main, INVOICE, -1)
    resume_handler(lambda_event("resume_tick.json"), FakeLambdaContext("deployed again"))

    assert app.main.xero.invoice(IDS[0])["Status"] == "AUTHORISED"


def test_message_about_a_newer_row_is_delivered_again_and_not_rejected(app: TwoConnections) -> None:
    enter_draft(app)
    newer = store_with_schema(app.main, f"ORDER#{IDS[0]}", 1)
    event = sqs_event(order_change(IDS[0], at=app.clock.now()))

    answer = orders_handler(event, FakeLambdaContext("rolled back"))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert app.dead_letters[ORDERS].letters == []
    assert app.main.store.table.rows[newer.sk] == newer
