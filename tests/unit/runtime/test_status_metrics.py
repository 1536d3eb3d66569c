"""Every minute the resume function states how each connection is, whether it works or not."""

from __future__ import annotations

import json
import warnings
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS
from amazon_to_xero.ports.xero import XeroNotAuthorised
from amazon_to_xero.runtime import handlers
from amazon_to_xero.runtime.handlers import WorkFailed
from amazon_to_xero.runtime.status_metrics import STATUS_METRICS
from amazon_to_xero.services.connection_status import StatusReader
from fakes.connection import FakeConnection
from resume.handler import handler as resume_handler
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import IDS, TwoConnections, break_table, lambda_event, set_status

DISCONNECTED = XeroNotAuthorised("createInvoices", 403, "AuthenticationUnsuccessful")


class Minutes:
    """The resume function, minute by minute, and the metrics that it prints."""

    def __init__(self, app: TwoConnections, capsys: pytest.CaptureFixture[str]) -> None:
        self.app = app
        self._capsys = capsys

    def next(self) -> dict[str, dict[str, Any]]:
        """Run the function once; return the metrics of each connection."""
        self.app.clock.advance(60)
        self._capsys.readouterr()
        resume_handler(lambda_event("resume_tick.json"), FakeLambdaContext())
        return self.printed()

    def printed(self) -> dict[str, dict[str, Any]]:
        lines = [json.loads(line) for line in self._capsys.readouterr().out.splitlines() if '"_aws"' in line]
        return {line["connection"]: line for line in lines if "connection" in line}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> TwoConnections:
    application = TwoConnections()
    monkeypatch.setattr(handlers, "application", lambda: application)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "AmazonToXero")
    return application


@pytest.fixture
def minutes(app: TwoConnections, capsys: pytest.CaptureFixture[str]) -> Minutes:
    return Minutes(app, capsys)


def values(line: dict[str, Any]) -> dict[str, float]:
    return {name: line[name][0] for name in STATUS_METRICS if name in line}


def sweep(connection: FakeConnection, capability: str = ORDERS) -> None:
    connection.connection.worker.sweep(capability, "w", connection.clock.now() + timedelta(seconds=60))


def test_idle_connection_states_each_minute_that_nothing_waits_and_nothing_failed(minutes: Minutes) -> None:
    for each in (minutes.app.main, minutes.app.second):
        sweep(each)
        sweep(each, REFUNDS)

    for minute in (1, 2):
        printed = minutes.next()
        assert printed.keys() == {"main", "second"}
        assert values(printed["main"]) == {
            "OldestDueSeconds": 0,
            "Paused": 0,
            "XeroPaused": 0,
            "AmazonPaused": 0,
            "AmazonOperationPaused": 0,
            "ConnectionRefused": 0,
            "UnknownOutcomes": 0,
            "FailedSources": 0,
            "ChargesMissing": 0,
            "ChargesDiffering": 0,
            "FailedDocuments": 0,
            "ChangedInXero": 0,
            "XeroDayCallsLeft": values(printed["main"])["XeroDayCallsLeft"],
            "MinutesSinceAmazonAnswered": minute,
            "MinutesSinceTransactions": minute,
            "MinutesSinceXeroAnswered": minute,
        }


def test_fact_that_is_not_known_is_not_stated(minutes: Minutes) -> None:
    stated = values(minutes.next()["main"])

    assert STATUS_METRICS.keys() - stated.keys() == {
        "XeroDayCallsLeft",
        "MinutesSinceAmazonAnswered",
        "MinutesSinceTransactions",
        "MinutesSinceXeroAnswered",
    }


def test_metrics_are_of_the_connection_and_of_the_stack_and_of_no_function(minutes: Minutes) -> None:
    line = minutes.next()["second"]

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "AmazonToXero"
    assert sorted(sorted(each) for each in directive["Dimensions"]) == [["connection", "stack"], ["stack"]]
    assert (line["stack"], line["connection"]) == ("amazon-to-xero", "second")
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        name: STATUS_METRICS[name].unit.value for name in values(line)
    }


def test_disconnected_organisation_raises_its_metric_within_two_minutes_and_keeps_it(minutes: Minutes) -> None:
    main = minutes.app.main
    sweep(main)
    set_status(main, "SHIPPED", IDS[0])
    main.notice([IDS[0]])
    main.xero.before = [DISCONNECTED] * 9

    stated = [minutes.next()["main"] for _ in range(45)]

    assert [values(line)["ConnectionRefused"] for line in stated] == [0] + [1] * 44
    assert stated[1]["refused"] == {"xero": "XERO_NOT_AUTHORISED"}
    assert stated[1]["paused"] == {"xero": "XERO_NOT_AUTHORISED"}


def test_organisation_that_is_connected_again_is_found_although_nothing_is_due(minutes: Minutes) -> None:
    main = minutes.app.main
    sweep(main)
    main.xero.before = [DISCONNECTED] * 2
    main.clock.advance(60)
    main.connection.xero_check.call()

    refused = [values(minutes.next()["main"])["ConnectionRefused"] for _ in range(18)]

    assert refused == [1] * 15 + [0] * 3


def test_idle_connection_that_was_disconnected_is_found_within_half_an_hour(minutes: Minutes) -> None:
    main = minutes.app.main
    sweep(main)
    main.xero.before = [DISCONNECTED] * 9

    refused = [values(minutes.next()["main"])["ConnectionRefused"] for _ in range(60)]

    assert refused == [0] * 31 + [1] * 29
    assert main.amazon.count("searchOrders") == 1  # nothing was due


def test_idle_connection_calls_xero_twice_an_hour(minutes: Minutes) -> None:
    main = minutes.app.main
    sweep(main)
    calls = len(main.xero.calls)

    answered = [values(minutes.next()["main"])["MinutesSinceXeroAnswered"] for _ in range(180)]

    assert max(answered) == 31
    assert len(main.xero.calls) - calls == 5


def test_connection_with_unusable_settings_is_stated_as_refused(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, main = minutes.app, minutes.app.main
    main.notice([IDS[0]])
    unusable = StatusReader("main", main.store, app.clock, [ORDERS], None, "SETTINGS_UNUSABLE")
    monkeypatch.setattr(app, "connections", lambda: {"second": app.second.connection})
    monkeypatch.setattr(app, "statuses", lambda: [app.second.connection.status, unusable])

    printed = minutes.next()

    assert (values(printed["main"])["ConnectionRefused"], values(printed["main"])["OldestDueSeconds"]) == (1, 60)
    assert printed["main"]["refused"] == {"settings": "SETTINGS_UNUSABLE"}
    assert values(printed["second"])["ConnectionRefused"] == 0


def test_status_is_stated_before_the_work_so_that_a_run_that_is_cut_off_has_stated_it(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: Any, **__: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(minutes.app.main.connection.worker, "run", cut_off)

    with pytest.raises(SystemExit):
        minutes.next()

    assert minutes.printed().keys() == {"main", "second"}


def test_connection_whose_table_cannot_be_read_states_nothing_and_does_not_stop_the_others(minutes: Minutes) -> None:
    break_table(minutes.app.main)

    with pytest.raises(WorkFailed):
        minutes.next()

    assert minutes.printed().keys() == {"second"}


def test_idle_run_prints_no_warning_that_there_are_no_metrics(minutes: Minutes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minutes.next()


# --- reminders --------------------------------------------------------------------------------------------------------


def test_failed_order_is_reminded_of_every_day_until_it_is_reprocessed(minutes: Minutes) -> None:
    app = minutes.app
    main = app.main
    main.xero.refusals[IDS[0]] = ("The document date cannot be before the period lock date",)
    main.notice([IDS[0]])
    for _ in range(3):
        minutes.next()
    assert values(minutes.next()["main"])["FailedDocuments"] == 1
    assert len(app.topic.messages) == 1

    # Long after its dead letter has expired
    app.clock.advance(30 * 24 * 3600)
    minutes.next()
    (_, (subject, text)) = app.topic.messages
    assert subject == "Amazon to Xero, connection main: a person is needed"
    assert "1 x PERIOD_LOCKED" in text

    main.xero.refusals.clear()
    main.notice([IDS[0]])
    minutes.next()
    assert values(minutes.next()["main"])["FailedDocuments"] == 0
    app.clock.advance(24 * 3600)
    minutes.next()
    assert len(app.topic.messages) == 2


def test_reminder_names_no_order(minutes: Minutes) -> None:
    main = minutes.app.main
    main.xero.refusals[IDS[0]] = ("The document date cannot be before the period lock date",)
    main.notice([IDS[0]])
    for _ in range(3):
        minutes.next()

    assert not [text for each in minutes.app.topic.messages for text in each if IDS[0] in text]
