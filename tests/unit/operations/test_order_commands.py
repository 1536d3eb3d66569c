"""`operate failed`, `show` and `logs`: how an operator finds out what became of an order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.ports.state import FAILED_SOURCES
from amazon_to_xero.services.watched import all_watched
from fakes.books import POLICY
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, as_text, operate
from fakes.orders import item, order
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from operations.command_line.failed import failed
from operations.command_line.logs import logs
from operations.command_line.show import show

NOWHERE = "NOWHERE"


def connected(*orders: dict[str, Any]) -> FakeConnection:
    """Return a connection whose orders were read and planned, and whose documents were posted."""
    connection = FakeConnection(*orders, policy=replace(POLICY, start=NOON - timedelta(days=30)))
    connection.read(connection.notice([each["orderId"] for each in orders]))
    connection.plan_shipments()
    for _ in range(3):
        connection.post()
    return connection


def test_each_failure_is_listed_with_its_order_and_what_to_do() -> None:
    connection = connected(
        order(item("10.00"), grand_total="10.00", order_id="A"),
        order(item("9.00"), grand_total="9.00", order_id="B", marketplace=NOWHERE),
    )

    shown = failed(OperatorSession(connection))

    (row,) = shown.data["failed"]
    assert shown.has_problem
    assert (row["key"], row["order_id"], row["reason"]) == ("ORDER#B", "B", "UNKNOWN_MARKETPLACE")
    assert row["remedy"] in " ".join(as_text(shown).split())


def test_nothing_that_failed_is_fine() -> None:
    shown = failed(OperatorSession(connected(order(item("10.00"), grand_total="10.00", order_id="A"))))

    assert not shown.has_problem
    assert as_text(shown) == "Nothing has failed."


@pytest.mark.parametrize(
    ("option", "listed"),
    [
        (("--code", "UNKNOWN_MARKETPLACE"), 1),
        (("--code", "PERIOD_LOCKED"), 0),
        (("--capability", "orders"), 1),
        (("--capability", "refunds"), 0),
        (("--older-than", "20"), 1),
        (("--older-than", "30"), 0),
    ],
)
def test_failures_are_filtered_by_code_work_and_age(
    monkeypatch: pytest.MonkeyPatch, option: tuple[str, str], listed: int
) -> None:
    connection = connected(
        order(item("9.00"), grand_total="9.00", order_id="B", marketplace=NOWHERE, updated="2026-11-02T10:00:00Z")
    )

    answer = operate(monkeypatch, OperatorSession(connection), "failed", *option, "--json")

    assert len(json.loads(answer.stdout)["failed"]) == listed
    assert answer.exit_code == bool(listed)


def test_failure_that_the_index_shows_too_long_is_not_listed() -> None:
    connection = connected(order(item("9.00"), grand_total="9.00", order_id="B", marketplace=NOWHERE))
    stale = [each.key for each in all_watched(connection.store, FAILED_SOURCES)]
    record = connection.record("B")
    connection.store.save([record.plan_at(NOON)])
    connection.store.watched = lambda *given: []  # type: ignore[method-assign]  # the index itself

    assert stale == ["ORDER#B"]
    assert not failed(OperatorSession(connection)).has_problem


def test_order_is_shown_from_amazon_to_xero() -> None:
    connection = connected(order(item("24.00"), grand_total="24.00", order_id="A"))
    invoice = connection.document("A")

    text = as_text(show(OperatorSession(connection), "A"))

    assert "sellercentral.amazon.co.uk/orders-v3/order/A" in text
    assert "invoice A 24.00 GBP AUTHORISED APPLIED" in text
    assert f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={invoice.xero_id}" in text
    line = invoice.desired.body["LineItems"][0]
    assert f"24.00 {line['AccountCode']} {line['TaxType']}" in text
    assert "2026-11-01 10:00:00 the buyer ordered" in text


def test_order_is_shown_with_its_charge_and_its_refund() -> None:
    connection = connected(order(item("24.00"), grand_total="24.00", order_id="A"))
    given_back = refund("R1", item_refund(ItemPrice="-24.00"), order_id="A", posted=NOON - timedelta(days=1))
    connection.amazon.transactions += [charge("C1", "A", NOON - timedelta(days=2), ItemPrice="24.00"), given_back]
    connection.sweep_transactions()
    connection.plan_refunds()

    shown = show(OperatorSession(connection), "A").data

    assert [each["transaction_id"] for each in shown["refunds"]] == ["R1"]
    assert shown["confirmation"]["charged"] == "24.00 GBP"
    assert any("Amazon posted the refund R1" in each["what"] for each in shown["history"])


def test_failed_document_makes_the_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connected(order(item("9.00"), grand_total="9.00", order_id="B", marketplace=NOWHERE))

    assert operate(monkeypatch, OperatorSession(connection), "show", "B").exit_code == 1


def test_unknown_order_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = operate(monkeypatch, OperatorSession(FakeConnection()), "show", "204-0000001-0000001")

    assert answer.exit_code == 1
    assert "No order 204-0000001-0000001 is known to the connection main. Check the id" in answer.stdout


def test_no_data_of_the_buyer_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connected(order(item("24.00"), grand_total="24.00", order_id="A"))

    for options in ((), ("--json",)):
        assert "anary" not in operate(monkeypatch, OperatorSession(connection), "show", "A", *options).stdout


class StubLogs:
    """boto3's `logs` client of a stack with one function, over its lines."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines
        self.requests: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> StubLogs:
        assert operation == "filter_log_events"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.requests.append(request)
        at = int(NOON.timestamp() * 1000)
        yield {"events": [{"timestamp": at, "message": line} for line in self._lines]}


class SessionWithLogs(OperatorSession):
    @property
    def outputs(self) -> dict[str, str]:
        return {"OrdersFunctionName": "stack-orders"}


def test_log_of_one_order_has_its_lines_of_two_weeks() -> None:
    lines = [json.dumps({"message": "PLANNED", "order_id": each}) for each in ("A-1", "A-2")]
    stub = StubLogs(*lines)

    shown = logs(SessionWithLogs(FakeConnection(), logs=stub), "A-2")

    assert [each["order_id"] for each in shown.data["lines"]] == ["A-2"]
    assert stub.requests[0]["filterPattern"] == '"A-2"'
    assert stub.requests[0]["startTime"] == int((NOON - timedelta(days=14)).timestamp() * 1000)


def test_unknown_function_is_a_usage_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SessionWithLogs(FakeConnection(), logs=StubLogs())

    answer = operate(monkeypatch, session, "logs", "--function", "order")

    assert answer.exit_code == 2
    assert "there is no function order; the functions are orders" in answer.stderr
