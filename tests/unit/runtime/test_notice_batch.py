"""An SQS batch of notices: what is stored, which messages are delivered again, and which are dead-lettered."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.composition import Application
from amazon_to_xero.runtime.notice_batch import record_batch
from fakes.state import RecordingDecisionLog
from unit.runtime.two_connections import (
    IDS,
    SECOND_SELLER,
    TwoConnections,
    break_table,
    order_change,
    order_event,
    reprocess,
    set_status,
    sqs_event,
    transaction_update,
)


@pytest.fixture
def app() -> TwoConnections:
    return TwoConnections()


def record(app: TwoConnections, *bodies: str, capability: str = ORDERS) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """Record a batch; return the ids of the messages to deliver again, and the orders that are due by connection."""
    records = SQSEvent(sqs_event(*bodies)).records
    batch = record_batch(
        records, cast(Application, app), app.connections(), RecordingDecisionLog(), CAPABILITIES[capability]
    )
    return batch.failed, {name: sorted(due) for name, due in batch.due.items()}


# --- the orders queue -------------------------------------------------------------------------------------------------


def test_each_notice_is_stored_by_the_connection_of_its_seller(app: TwoConnections) -> None:
    failed, due = record(
        app,
        order_change(IDS[0]),
        order_change(IDS[1], SECOND_SELLER),
        reprocess(IDS[2], "second"),
        order_change(IDS[0]),
    )

    assert (failed, due) == ((), {"main": [IDS[0]], "second": [IDS[1], IDS[2]]})
    assert set(app.main.store.load(OrderRecord, IDS)) == {IDS[0]}
    assert set(app.second.store.load(OrderRecord, IDS)) == {IDS[1], IDS[2]}


def test_unreadable_message_is_dead_lettered_with_its_reason_and_done(app: TwoConnections) -> None:
    failed, due = record(app, "not JSON", order_change(IDS[0]))

    assert (failed, due) == ((), {"main": [IDS[0]]})
    (letter,) = app.dead_letters[ORDERS].letters
    assert (letter.body, letter.reason) == ("not JSON", "MALFORMED_MESSAGE")
    assert "correct the body" in letter.remedy.lower()


def test_rejected_message_is_logged(app: TwoConnections) -> None:
    decisions = RecordingDecisionLog()
    records = SQSEvent(sqs_event("not JSON")).records

    record_batch(records, cast(Application, app), app.connections(), decisions, CAPABILITIES[ORDERS])

    (line,) = decisions.of("MESSAGE_REJECTED")
    assert (line["reason"], line["message_id"], bool(line["remedy"])) == ("MALFORMED_MESSAGE", "m0", True)


def test_message_of_an_unknown_seller_is_dead_lettered_as_it_came(app: TwoConnections) -> None:
    body = order_change(IDS[0], "A9UNKNOWN")

    assert record(app, body) == ((), {})
    (letter,) = app.dead_letters[ORDERS].letters
    assert (letter.body, letter.reason) == (body, "UNKNOWN_SELLER")
    assert "A9UNKNOWN" in letter.remedy


def test_message_that_may_belong_to_an_unusable_connection_is_delivered_again(app: TwoConnections) -> None:
    app.unusable = frozenset({"third"})

    assert record(app, order_change(IDS[0], "A9UNKNOWN"), order_change(IDS[1])) == (("m0",), {"main": [IDS[1]]})
    assert app.dead_letters[ORDERS].letters == []


def test_message_that_cannot_be_dead_lettered_is_delivered_again_alone(app: TwoConnections) -> None:
    app.dead_letters[ORDERS].broken = True

    assert record(app, "not JSON", order_change(IDS[0])) == (("m0",), {"main": [IDS[0]]})


def test_only_messages_whose_notices_could_not_be_stored_are_delivered_again(app: TwoConnections) -> None:
    break_table(app.main)

    failed, due = record(app, order_change(IDS[0]), order_change(IDS[1], SECOND_SELLER), order_change(IDS[2]))

    assert (failed, due) == (("m0", "m2"), {"second": [IDS[1]]})


# --- the shipments queue ----------------------------------------------------------------------------------------------


def test_event_of_an_order_that_was_not_read_yet_makes_it_due_for_reading(app: TwoConnections) -> None:
    assert record(app, order_event(IDS[0]), capability=SHIPMENTS) == ((), {"main": []})

    assert app.main.store.due(ORDERS, app.clock.now(), 9) == [IDS[0]]


def test_each_event_belongs_to_the_connection_that_it_names_and_events_of_one_order_count_once(
    app: TwoConnections,
) -> None:
    for connection in (app.main, app.second):
        set_status(connection, "SHIPPED", *IDS)
    record(app, order_change(IDS[0]), order_change(IDS[1], SECOND_SELLER))
    for connection in (app.main, app.second):
        deadline = app.clock.now() + timedelta(minutes=1)
        connection.connection.worker.run("worker", deadline, capabilities=[ORDERS])

    failed, due = record(
        app,
        order_event(IDS[0]),
        order_event(IDS[0]),
        order_event(IDS[1], "second"),
        order_event(IDS[1]),
        capability=SHIPMENTS,
    )

    assert (failed, due) == ((), {"main": [IDS[0]], "second": [IDS[1]]})


def test_unusable_messages_are_dead_lettered_in_the_queue_that_they_came_from(app: TwoConnections) -> None:
    bodies = (
        "not JSON",
        order_change(IDS[0]),
        order_event(IDS[0], "nobody"),
        order_event(IDS[0], kind="Order Eaten"),
    )

    assert record(app, *bodies, capability=SHIPMENTS) == ((), {})

    letters = app.dead_letters[SHIPMENTS].letters
    assert [letter.body for letter in letters] == list(bodies)
    reasons = ["MALFORMED_MESSAGE", "MALFORMED_MESSAGE", "UNKNOWN_SELLER", "UNEXPECTED_NOTIFICATION"]
    assert [letter.reason for letter in letters] == reasons
    assert app.dead_letters[ORDERS].letters == []


def test_only_events_whose_records_cannot_be_loaded_are_delivered_again(app: TwoConnections) -> None:
    break_table(app.main)

    failed, due = record(app, order_event(IDS[0]), order_event(IDS[1], "second"), capability=SHIPMENTS)

    assert (failed, due) == (("m0",), {"second": []})


# --- the refunds queue ------------------------------------------------------------------------------------------------


def test_notices_of_transactions_make_one_read_due_in_each_connection(app: TwoConnections) -> None:
    bodies = [transaction_update(), transaction_update(), transaction_update(SECOND_SELLER)]

    assert record(app, *bodies, capability=REFUNDS) == ((), {"main": [], "second": []})

    for connection in (app.main, app.second):
        assert "next_attempt_at" in connection.store.cursor("noticed#transactions").data
