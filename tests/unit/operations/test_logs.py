"""`make logs`: one decision per line, newest last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.log_format import decision_line
from operations.logs import UnknownFunction, functions_of, log_lines, print_log

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
FUNCTIONS = {"orders": "stack-orders", "resume": "stack-resume"}


class StubLogs:
    """boto3's `logs` client over events by log group, each event (seconds after noon, text)."""

    def __init__(self, **events: list[tuple[float, str]]) -> None:
        self._events = {f"/aws/lambda/stack-{name}": of_function for name, of_function in events.items()}
        self.requests: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> StubLogs:
        assert operation == "filter_log_events"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.requests.append(request)
        for seconds, text in self._events[request["logGroupName"]]:
            at = NOON + timedelta(seconds=seconds)
            yield {"events": [{"timestamp": int(at.timestamp() * 1000), "message": text}]}


def record(**fields: Any) -> str:
    return json.dumps({"level": "INFO", "service": "orders", **fields})


def test_line_has_time_message_order_document_reason_and_remedy() -> None:
    text = record(
        message="FAILED",
        order_id="204-0000001-0000001",
        document="invoice#204-0000001-0000001",
        reason="PERIOD_LOCKED",
        remedy="Move Xero's lock date.",
        connection="main",
    )

    cells = [cell.strip() for cell in decision_line(NOON, text).split("  ") if cell.strip()]
    assert cells == [
        "2026-11-27 12:00:00.000Z",
        "FAILED",
        "204-0000001-0000001",
        "invoice#204-0000001-0000001",
        "PERIOD_LOCKED: Move Xero's lock date.",
    ]


def test_missing_fields_are_dashes() -> None:
    assert decision_line(NOON, record(message="XERO_TOKEN_RENEWED")).split()[2:] == ["XERO_TOKEN_RENEWED", "-", "-"]


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 1 Version: $LATEST",
        "REPORT RequestId: 1 Duration: 3 ms",
        json.dumps({"type": "platform.start", "record": {"requestId": "1"}}),
        json.dumps({"type": "platform.report", "record": {"status": "success"}}),
        json.dumps({"_aws": {"Timestamp": 1}, "APPLIED": [1.0]}),
        "",
    ],
)
def test_lines_that_hold_no_decision_are_not_printed(text: str) -> None:
    assert decision_line(NOON, text) == ""


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ("[1, 2]", "[1, 2]"),
        (json.dumps({"type": "platform.report", "record": {"status": "timeout"}}), "platform.report timeout"),
    ],
)
def test_other_lines_are_printed_as_they_are(text: str, printed: str) -> None:
    assert decision_line(NOON, text) == f"2026-11-27 12:00:00.000Z  {printed}"


def test_lines_of_several_functions_are_merged_by_their_own_time() -> None:
    # CloudWatch receives lines later than they were written, and often several at once.
    first, second, third = (
        record(message=name, timestamp=(NOON + timedelta(seconds=n)).isoformat()) for n, name in enumerate("ABC")
    )
    logs = StubLogs(orders=[(9, third), (9, first)], resume=[(8, second), (1.5, "not JSON")])

    lines = log_lines(logs, FUNCTIONS.values())

    assert [line.split()[2] for line in lines] == ["A", "B", "not", "C"]


def test_only_the_selected_function_is_read_and_only_since_the_given_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs = StubLogs(orders=[(0, record(message="RECORDED"))], resume=[(0, record(message="APPLIED"))])

    print_log(logs, FUNCTIONS, "orders", NOON - timedelta(hours=1))

    assert [request["logGroupName"] for request in logs.requests] == ["/aws/lambda/stack-orders"]
    assert logs.requests[0]["startTime"] == int((NOON - timedelta(hours=1)).timestamp() * 1000)
    assert "RECORDED" in capsys.readouterr().out


def test_unknown_function_is_reported_with_the_known_ones() -> None:
    with pytest.raises(UnknownFunction, match="no function refunds; the functions are orders, resume"):
        print_log(StubLogs(), FUNCTIONS, "refunds")


def test_functions_are_found_in_the_outputs_of_the_stack() -> None:
    outputs = {
        "OrdersFunctionName": "stack-orders",
        "InventoryAlertsFunctionName": "stack-inventory-alerts",
        "OrdersQueueUrl": "https://…",
    }

    assert functions_of(outputs) == {"inventory_alerts": "stack-inventory-alerts", "orders": "stack-orders"}
