"""A person takes a failure off the list by command: nothing asks for it any more, and it is on record who did it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.services.reminder import needs_reminder
from fakes.charges import charge
from fakes.orders import item
from unit.ways_of_failing.operated_stack import ADA, DAY, HOUR, OperatedStack
from unit.ways_of_failing.way import ORDER, PAID, sale

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")
_C = FailureCode
WHY = "a pound off, agreed by phone"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> OperatedStack:
    """Return a stack whose order was charged a pound less than its invoice states."""
    stack = OperatedStack(monkeypatch)
    stack.charge(ORDER, "9.00")
    stack.notify_orders(sale())
    stack.pass_time(5 * DAY, every=12 * HOUR)
    return stack


def asked_for(stack: OperatedStack, folder: Path) -> list[bool]:
    """Return whether `failed`, `status`, the status page, the alarm's metric and the reminder ask for the failure."""
    page = folder / "page.html"
    stack.operate("status-page", "--out", str(page))
    status = stack.main.connection.status.read()
    return [
        _C.CHARGE_DIFFERS in str(dict(stack.operate("failed"))),
        _C.CHARGE_DIFFERS in str(dict(stack.operate("status"))),
        ORDER in page.read_text(encoding="utf-8").partition("<h2")[2],
        bool(status.failed_sources),
        needs_reminder(status),
    ]


def test_closed_failure_is_asked_for_nowhere_and_its_history_says_who_closed_it_and_why(
    stack: OperatedStack, tmp_path: Path
) -> None:
    assert asked_for(stack, tmp_path) == [True] * 5

    (closed,) = stack.operate("replay", "close", "--code", _C.CHARGE_DIFFERS, "--reason", WHY, "--yes")["failures"]

    assert (closed["source"], closed["action"], closed["why"]) == (f"confirmation#{ORDER}", "CLOSE", WHY)
    assert closed["remedy"]
    assert asked_for(stack, tmp_path) == [False] * 5
    assert stack.dead_letter_queues[REFUNDS].kept == []
    (attempt,) = stack.operate("replay", "history", f"confirmation#{ORDER}")["attempts"]
    assert (attempt["by"], attempt["action"], attempt["why"]) == (ADA, "CLOSE", WHY)
    assert WHY in stack.shown("replay", "history", f"confirmation#{ORDER}")
    assert stack.in_books(ORDER) == PAID


def test_closing_a_confirmation_does_not_close_its_order(stack: OperatedStack) -> None:
    stack.notify_orders(sale("10.00", item("8.00"), updated=stack.now))  # a total that its item does not have
    assert {each["key"] for each in stack.operate("failed")["failed"]} == {f"CONFIRMATION#{ORDER}", f"ORDER#{ORDER}"}

    stack.operate("replay", "close", "--source", f"confirmation#{ORDER}", "--reason", WHY, "--yes")

    assert {each["key"] for each in stack.operate("failed")["failed"]} == {f"ORDER#{ORDER}"}


def test_failure_that_was_closed_is_asked_for_again_when_it_fails_again(stack: OperatedStack, tmp_path: Path) -> None:
    stack.operate("replay", "close", "--order", ORDER, "--reason", WHY, "--yes")

    stack.amazon.put_transaction(charge("C2", ORDER, stack.clock.now(), OurPricePrincipal="0.50"))
    stack.pass_time(5 * DAY, every=12 * HOUR)

    assert asked_for(stack, tmp_path) == [True] * 5


def test_letter_about_transactions_that_amazon_refuses_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = OperatedStack(monkeypatch)
    stack.notify_orders(sale())
    body = json.dumps({"reprocess": {"connection": "main", "source": f"order#{ORDER}"}})
    letters = stack.dead_letter_queues[REFUNDS]
    letters.send(body, reason=_C.ORDER_TRANSACTIONS_REFUSED, remedy="Resync the order.", order_id=ORDER)

    asked = ("--code", _C.ORDER_TRANSACTIONS_REFUSED, "--reason", "its refund is entered")
    (closed,) = stack.operate("replay", "close", *asked, "--yes")["failures"]

    assert (closed["order"], closed["reason"], closed["action"]) == (ORDER, _C.ORDER_TRANSACTIONS_REFUSED, "CLOSE")
    assert letters.kept == []
    assert stack.operate("replay", "close", *asked, "--yes")["failures"] == []
