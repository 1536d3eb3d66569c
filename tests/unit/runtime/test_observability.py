"""One JSON line and one count for each decision; what needs a person is logged as an error."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from amazon_to_xero.runtime import handlers, observability
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.handlers import resume_handler
from amazon_to_xero.runtime.observability import ERRORS, WARNINGS, PowertoolsDecisionLog
from amazon_to_xero.services.connection_status import StatusReader
from fakes.state import ManualClock
from unit.runtime.lambda_context import FakeLambdaContext


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the logger writes."""
    handler: Any = observability.logger.registered_handler
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    yield stream
    observability.logger.clear_state()


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


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
        ("TAX_VARIANCE", "WARNING"),
        ("CONTACT_MERGED", "WARNING"),
        ("PREFLIGHT_FINDING", "WARNING"),
        ("APPLIED", "INFO"),
        ("PLANNED", "INFO"),
        ("SWEEP_COMPLETE", "INFO"),
    ],
)
def test_level_is_error_where_a_person_has_to_act_and_warning_where_work_waits(
    output: io.StringIO, decision: str, level: str
) -> None:
    PowertoolsDecisionLog("main").record(decision)

    assert [line["level"] for line in lines(output)] == [level]


def test_no_decision_is_both_an_error_and_a_warning() -> None:
    assert set() == ERRORS & WARNINGS


def test_line_holds_the_given_fields_and_no_empty_ones(output: io.StringIO) -> None:
    PowertoolsDecisionLog("main").record(
        "FAILED", order_id="026-1", reason="TAX_UNMAPPED", remedy="Add a rule.", total="12.50"
    )

    (line,) = lines(output)
    assert {name: line[name] for name in ("message", "connection", "order_id", "reason", "remedy", "total")} == {
        "message": "FAILED",
        "connection": "main",
        "order_id": "026-1",
        "reason": "TAX_UNMAPPED",
        "remedy": "Add a rule.",
        "total": "12.50",
    }
    assert "document" not in line
    assert None not in line.values()


def test_every_decision_is_counted(output: io.StringIO) -> None:
    decisions = PowertoolsDecisionLog("main")
    for decision in ("APPLIED", "APPLIED", "FAILED"):
        decisions.record(decision)

    metrics: Any = observability.metrics.serialize_metric_set()
    assert (metrics["APPLIED"], metrics["FAILED"]) == ([1.0, 1.0], [1.0])


class LoggingApplication:
    """An application without connections that logs a decision in each invocation, in the first one with a key."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.stack_name = "amazon-to-xero"
        self._invocations = 0

    def statuses(self) -> list[StatusReader]:
        return []

    def connections(self) -> Mapping[str, Connection]:
        self._invocations += 1
        if self._invocations == 1:
            observability.logger.append_keys(step="first")
        PowertoolsDecisionLog("main").record("PLANNED")
        return {}


def test_every_line_of_an_invocation_carries_its_request_id_and_no_key_of_the_invocation_before(
    output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = LoggingApplication()
    monkeypatch.setattr(handlers, "application", lambda: application)
    handler = resume_handler()

    handler({}, FakeLambdaContext("request-1"))
    handler({}, FakeLambdaContext("request-2"))

    first, second = lines(output)
    assert (first["correlation_id"], first["function_request_id"], first["step"]) == ("request-1", "request-1", "first")
    assert (second["correlation_id"], second["function_request_id"]) == ("request-2", "request-2")
    assert "step" not in second
