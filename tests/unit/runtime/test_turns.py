"""Connections take turns: one with an endless backlog leaves each of the others its share of every run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.xero import XeroNotAuthorised
from amazon_to_xero.runtime import handlers
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.turns import take_turns
from fakes.connection import FakeConnection
from fakes.state import ManualClock
from orders.handler import handler as orders_handler
from resume.handler import handler as resume_handler
from shipments.handler import handler as shipments_handler
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import (
    IDS,
    SECOND_SELLER,
    TwoConnections,
    invoice_numbers,
    lambda_event,
    order_change,
    order_event,
    set_status,
    sqs_event,
)

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decision logs of fakes count nothing

RUNS = [f"run {n}" for n in range(6)]  # the first of a run is main for some of them, second for the others
WORKING_TIME = timedelta(seconds=60)  # of a function that has two minutes


class EndlessBacklog:
    """services.worker.SyncWorker that always has more to do: it works until its deadline.

    worked: for how long.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.worked = timedelta()

    def run(self, owner: str, deadline: datetime, *_: Any, **__: Any) -> None:
        self._work(deadline)

    def sweep(self, capability: str, owner: str, deadline: datetime) -> None:
        self._work(deadline)

    def _work(self, deadline: datetime) -> None:
        left = max(timedelta(), deadline - self._clock.now())
        self.worked += left
        self._clock.sleep(left.total_seconds())


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> TwoConnections:
    application = TwoConnections()
    monkeypatch.setattr(handlers, "application", lambda: application)
    return application


@pytest.fixture
def backlog(app: TwoConnections) -> EndlessBacklog:
    """Give main an endless backlog."""
    worker: Any = EndlessBacklog(app.clock)
    app.main.connection = replace(app.main.connection, worker=worker)
    endless: EndlessBacklog = worker
    return endless


every_run = pytest.mark.parametrize("run_id", RUNS)


@every_run
def test_resume_continues_the_work_of_a_connection_beside_one_with_an_endless_backlog(
    app: TwoConnections, backlog: EndlessBacklog, run_id: str
) -> None:
    app.second.notice([IDS[0]])

    resume_handler(lambda_event("resume_tick.json"), FakeLambdaContext(run_id))

    assert invoice_numbers(app.second) == [IDS[0]]
    assert backlog.worked == WORKING_TIME  # nobody else needed the rest


@every_run
def test_idle_connection_that_was_disconnected_is_found_beside_one_with_an_endless_backlog(
    app: TwoConnections, backlog: EndlessBacklog, run_id: str
) -> None:
    app.second.sweep()
    app.clock.advance(31 * 60)
    app.second.xero.before = [XeroNotAuthorised("getContacts", 403, "AuthenticationUnsuccessful")] * 2

    resume_handler(lambda_event("resume_tick.json"), FakeLambdaContext(run_id))

    assert app.second.connection.status.read().refusals == {"xero": "XERO_NOT_AUTHORISED"}


@every_run
def test_sweep_reads_the_orders_of_a_connection_beside_one_with_an_endless_backlog(
    app: TwoConnections, backlog: EndlessBacklog, run_id: str
) -> None:
    orders_handler(lambda_event("orders_sweep.json"), FakeLambdaContext(run_id))

    assert invoice_numbers(app.second) == IDS
    assert backlog.worked == WORKING_TIME


@every_run
def test_messages_of_a_connection_are_processed_beside_those_of_one_with_an_endless_backlog(
    app: TwoConnections, backlog: EndlessBacklog, run_id: str
) -> None:
    bodies = [order_change(IDS[0]), order_change(IDS[1], SECOND_SELLER)]

    orders_handler(sqs_event(*bodies), FakeLambdaContext(run_id))

    assert invoice_numbers(app.second) == [IDS[1]]
    assert backlog.worked == WORKING_TIME


@every_run
def test_shipments_of_a_connection_are_approved_beside_those_of_one_with_an_endless_backlog(
    app: TwoConnections, backlog: EndlessBacklog, run_id: str
) -> None:
    for connection in (app.main, app.second):
        set_status(connection, "SHIPPED", IDS[0])
        connection.notice([IDS[0]])
        connection.read()

    shipments_handler(
        sqs_event(*(order_event(IDS[0], connection) for connection in ("main", "second"))), FakeLambdaContext(run_id)
    )

    assert app.second.xero.invoice(IDS[0])["Status"] == "AUTHORISED"
    assert backlog.worked == WORKING_TIME


# --- the turns themselves ---------------------------------------------------------------------------------------------


def _note(begun: list[Connection], connection: Connection, _: datetime) -> None:
    begun.append(connection)


def connections(clock: ManualClock, *names: str) -> list[Connection]:
    return [FakeConnection(name=name, clock=clock).connection for name in names]


def test_connections_with_endless_backlogs_get_equal_shares() -> None:
    clock = ManualClock()
    worked: dict[str, timedelta] = {}

    def work(connection: Connection, until: datetime) -> None:
        worked[connection.name] = until - clock.now()
        clock.advance(worked[connection.name].total_seconds())

    take_turns(connections(clock, "a", "b", "c"), "run", clock.now() + timedelta(seconds=60), clock, work)

    assert worked == dict.fromkeys(("a", "b", "c"), timedelta(seconds=20))


def test_each_connection_is_the_first_one_of_some_runs() -> None:
    clock = ManualClock()
    firsts = set()
    for number in range(40):
        begun: list[Connection] = []
        everyone = connections(clock, "a", "b", "c")
        take_turns(everyone, f"run {number}", clock.now() + timedelta(seconds=60), clock, partial(_note, begun))
        firsts.add(begun[0].name)

    assert firsts == {"a", "b", "c"}


def test_connection_that_fails_has_no_second_turn() -> None:
    clock = ManualClock()
    begun: list[str] = []

    def work(connection: Connection, until: datetime) -> None:
        begun.append(connection.name)
        clock.advance((until - clock.now()).total_seconds())
        if connection.name == "b":
            raise RuntimeError("a defect")

    deadline = clock.now() + timedelta(seconds=60)
    failures = take_turns(connections(clock, "a", "b"), "run", deadline, clock, work)

    assert (sorted(begun), len(failures)) == (["a", "b"], 1)
    assert failures[0].startswith("b: ")


def test_no_connection_begins_after_the_deadline() -> None:
    clock = ManualClock()
    begun: list[str] = []

    def slow_call(connection: Connection, _: datetime) -> None:
        begun.append(connection.name)
        clock.advance(23)

    take_turns(connections(clock, "a", "b", "c"), "run", clock.now() + timedelta(seconds=20), clock, slow_call)

    assert len(begun) == 1


def test_run_without_connections_does_nothing() -> None:
    clock = ManualClock()
    assert take_turns([], "run", clock.now(), clock, lambda each, until: None) == []
