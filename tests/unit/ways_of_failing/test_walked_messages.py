"""Messages that a queue does not take: a person finds them in the dead-letter queue, and what becomes of each."""

from __future__ import annotations

import json

import pytest

from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from unit.runtime.two_connections import order_change
from unit.ways_of_failing.operated_stack import OperatedStack
from unit.ways_of_failing.way import ORDER, PAID, sale

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")
_C = FailureCode


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (_C.MALFORMED_MESSAGE, "not JSON"),
        (_C.UNEXPECTED_NOTIFICATION, json.dumps({"NotificationType": "PRICING_HEALTH"})),
    ],
)
def test_message_that_no_queue_takes_is_found_left_to_a_person_and_discarded(
    monkeypatch: pytest.MonkeyPatch, code: FailureCode, body: str
) -> None:
    stack = OperatedStack(monkeypatch)
    stack.queues[ORDERS].send(body)
    stack.notify_orders(sale())

    assert {each["queue"]: each["dead_letters"] for each in stack.operate("status")["queues"]}[ORDERS] == 1
    (failure,) = stack.operate("replay", "run", "--yes")["failures"]
    assert (failure["reason"], failure["action"]) == (code, "LEAVE")
    assert failure["remedy"]
    assert failure["why"] == "the queue does not take the message"
    assert stack.in_books(ORDER) == PAID

    (discarded,) = stack.operate("replay", "discard", "--reason", "it is a test", "--yes")["failures"]
    assert (discarded["reason"], discarded["action"], discarded["why"]) == (code, "DELETE", "it is a test")
    assert stack.dead_letter_queues[ORDERS].kept == []


def test_message_of_an_unknown_seller_is_redriven_once_the_seller_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = OperatedStack(monkeypatch, {"amazon": {"seller_id": "A2OTHERSELLER"}})
    stack.amazon.put_order(sale())
    stack.queues[ORDERS].send(order_change(ORDER, "A1SELLER", stack.clock.now()))
    stack.work()
    (failure,) = stack.operate("replay", "preview")["failures"]
    assert (failure["reason"], failure["action"]) == (_C.UNKNOWN_SELLER, "LEAVE")

    stack.correct_settings({"amazon": {"seller_id": "A1SELLER"}})
    assert stack.operate("redrive", "orders", "--yes")["state"] == "COMPLETED"
    stack.work()

    assert stack.in_books(ORDER) == PAID
    assert stack.dead_letter_queues[ORDERS].kept == []


def test_letters_that_sqs_moves_back_by_itself_are_processed_like_those_of_a_replay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = OperatedStack(monkeypatch)
    stack.set_organisation(Organisation={"PeriodLockDate": "2026-11-23"})
    stack.notify_orders(sale())
    assert [each["reason"] for each in stack.operate("failed")["failed"]] == [_C.PERIOD_LOCKED]
    assert stack.operate("replay", "discard", "--reason", "none of these", "--yes")["failures"] == []

    stack.set_organisation(Organisation={"PeriodLockDate": None})
    assert stack.operate("redrive", "shipments", "--yes")["state"] == "COMPLETED"
    stack.work()

    assert stack.in_books(ORDER) == PAID
    assert stack.operate("failed")["failed"] == []
    assert stack.dead_letter_queues[SHIPMENTS].kept == []
