"""One JSON line and one count per decision, loud where a person is needed, and silent about what nobody said."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from amazon_to_xero.runtime import invocation, observability
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 1000


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    handler: Any = observability.logger.registered_handler
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    observability.metrics.clear_metrics()
    yield stream
    observability.logger.clear_state()
    observability.metrics.clear_metrics()


def said(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("decision", "level"),
    [
        ("FAILED", "ERROR"),
        ("XERO_GRANT_REFUSED", "ERROR"),
        ("SETTINGS_UNUSABLE", "ERROR"),
        ("MESSAGE_REJECTED", "ERROR"),
        ("DEFERRED", "WARNING"),
        ("UNKNOWN", "WARNING"),
        ("PAUSED", "WARNING"),
        ("APPLIED", "INFO"),
        ("BOOKED", "INFO"),
    ],
)
def test_what_needs_a_person_is_louder_than_what_waits_and_that_than_the_rest(
    lines: io.StringIO, decision: str, level: str
) -> None:
    PowertoolsDecisionLog("main").record(decision)

    assert [line["level"] for line in said(lines)] == [level]


def test_a_line_says_what_was_said_and_nothing_else(lines: io.StringIO) -> None:
    PowertoolsDecisionLog("main").record(
        "FAILED", order_id="026-1", reason="TAX_UNMAPPED", remedy="add a rule", total="12.50"
    )

    (line,) = said(lines)
    assert {name: line[name] for name in ("message", "connection", "order_id", "reason", "remedy", "total")} == {
        "message": "FAILED",
        "connection": "main",
        "order_id": "026-1",
        "reason": "TAX_UNMAPPED",
        "remedy": "add a rule",
        "total": "12.50",
    }
    assert "document" not in line
    assert None not in line.values()


def test_every_decision_is_counted(lines: io.StringIO) -> None:
    decisions = PowertoolsDecisionLog("main")
    for decision in ("APPLIED", "APPLIED", "FAILED"):
        decisions.record(decision)

    metrics: Any = observability.metrics.serialize_metric_set()
    assert (metrics["APPLIED"], metrics["FAILED"]) == ([1.0, 1.0], [1.0])


def test_every_line_of_an_invocation_carries_its_request_and_nothing_of_the_one_before(lines: io.StringIO) -> None:
    invocation.begin(Context(), step="first")
    PowertoolsDecisionLog("main").record("BOOKED")
    second = Context()
    second.aws_request_id = "request-2"
    invocation.begin(second)
    PowertoolsDecisionLog("main").record("BOOKED")

    first, other = said(lines)
    assert (first["correlation_id"], first["step"]) == ("request-1", "first")
    assert other["correlation_id"] == "request-2"
    assert "step" not in other
