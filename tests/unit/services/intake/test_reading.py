"""Reading single orders: which are read, when they are read again, and which notices a reading answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.services.intake.reader import NOT_FOUND_GRACE, PAGES_FROM
from amazon_to_xero.services.work_report import StepReport
from fakes.connection import FakeConnection
from fakes.state import NOON
from unit.services.amazon_orders import MINUTE, amazon_order, order_without_amounts
from unit.services.interruptions import before_save


def test_few_orders_are_read_singly_and_at_once() -> None:
    few = PAGES_FROM - 1
    connection = FakeConnection(*(amazon_order(f"A{n}") for n in range(few)))

    read = connection.read(connection.notice(connection.amazon.orders))

    assert [operation for operation, _ in connection.amazon.calls] == ["getOrder"] * few
    assert (read.records, read.stopped) == (few, "")
    assert {connection.record(f"A{n}").state for n in range(few)} == {OrderState.RECORDED}
    assert len(read.documents) == 1  # the marketplace's customer
    planned = connection.plan_drafts(*read.due)
    assert {connection.record(f"A{n}").state for n in range(few)} == {OrderState.PLANNED}
    assert len(planned.documents) == few


def test_named_order_is_read_before_the_index_shows_it() -> None:
    connection = FakeConnection(amazon_order(), lag=timedelta(seconds=20))
    due = connection.notice(["A"])

    assert connection.read().records == 0
    assert connection.read(due).records == 1


def test_no_call_begins_after_the_deadline() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n}") for n in range(3)))
    connection.notice(connection.amazon.orders)

    report = connection.read(deadline=connection.clock.now())

    assert (connection.amazon.calls, report.stopped) == ([], "OUT_OF_TIME")
    assert connection.read().records == 3


def test_order_that_is_not_due_is_not_read_again() -> None:
    connection = FakeConnection(amazon_order())
    connection.read(connection.notice(["A"]))
    calls = len(connection.amazon.calls)

    assert connection.read(["A"]) == StepReport()
    assert len(connection.amazon.calls) == calls


# --- orders that Amazon cannot show yet -------------------------------------------------------------------------------


def test_order_that_amazon_does_not_know_fails_with_a_remedy() -> None:
    connection = FakeConnection()

    connection.read(connection.notice(["typo"], NOON - NOT_FOUND_GRACE))

    record = connection.record("typo")
    assert (record.state, record.next_attempt_at) == (OrderState.FAILED, None)
    assert connection.dead_letters[ORDERS].reasons == [("typo", "ORDER_NOT_FOUND")]
    assert "Check the order id" in record.remedy


def test_order_that_amazon_does_not_know_yet_is_read_again() -> None:
    connection = FakeConnection()
    connection.read(connection.notice(["A"]))
    assert (connection.record().state, connection.dead_letters[ORDERS].letters) == (OrderState.NOTICED, [])

    connection.amazon.hold(amazon_order(updated=NOON))
    connection.clock.advance(60)
    connection.read()
    connection.plan_drafts()

    assert connection.record().state is OrderState.PLANNED


def test_order_without_amounts_is_read_every_fifteen_minutes_and_fails_after_a_day() -> None:
    connection = FakeConnection(order_without_amounts())
    connection.read(connection.notice(["A"]))
    connection.plan_drafts()

    record = connection.record()
    assert (record.state, record.next_attempt_at) == (OrderState.NOTICED, NOON + 15 * MINUTE)
    assert (record.next_step, record.reason) == (NextStep.READ, "PROCEEDS_MISSING")
    connection.clock.advance(15 * 60)
    assert connection.read().records == 1
    connection.plan_drafts()
    assert connection.dead_letters[ORDERS].letters == []

    connection.clock.advance(24 * 3600)
    connection.read()
    connection.plan_drafts()
    assert connection.dead_letters[ORDERS].reasons == [("A", "PROCEEDS_MISSING")]
    assert connection.record().state is OrderState.FAILED


def test_order_is_planned_once_amazon_states_its_amounts() -> None:
    connection = FakeConnection(order_without_amounts())
    connection.read(connection.notice(["A"]))
    connection.plan_drafts()
    connection.amazon.hold(amazon_order(updated=NOON + MINUTE))
    connection.clock.advance(15 * 60)

    connection.read()
    connection.plan_drafts()

    assert connection.record().state is OrderState.PLANNED


def test_many_orders_without_amounts_are_read_without_a_notice_and_delay_no_other() -> None:
    # Given more orders without amounts than are read singly, all of them first read by the sweep
    ids = [f"U{n:02}" for n in range(PAGES_FROM + 3)]
    connection = FakeConnection(*(order_without_amounts(order_id) for order_id in ids))
    connection.sweep()
    connection.plan_drafts()
    connection.clock.advance(15 * 60)
    connection.amazon.hold(amazon_order("A", updated=NOON + 14 * MINUTE))
    connection.amazon.hold(*(amazon_order(order_id, updated=NOON - 9 * MINUTE) for order_id in ids))

    read = connection.read(connection.notice(["A"]))
    connection.plan_drafts(*read.due)

    assert {connection.record(order_id).state for order_id in ids} == {OrderState.PLANNED}
    assert connection.record("A").state is OrderState.PLANNED


# --- which notices a reading answers ----------------------------------------------------------------------------------


def test_notice_that_arrives_during_the_reading_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection(amazon_order())
    due = connection.notice(["A"], NOON - MINUTE)
    before_save(monkeypatch, connection.store, OrderRecord, lambda: connection.notice(["A"], NOON + MINUTE))

    assert connection.read(due).records == 1

    record = connection.record()
    assert (record.noticed_at, record.next_step, record.next_attempt_at) == (NOON + MINUTE, NextStep.READ, NOON)
    connection.read()
    connection.plan_drafts()
    assert (connection.record().state, connection.record().next_attempt_at) == (OrderState.PLANNED, None)


def test_notice_from_a_clock_ahead_of_ours_is_answered_by_one_reading() -> None:
    connection = FakeConnection(amazon_order())
    due = connection.notice(["A"], NOON + timedelta(seconds=3))

    connection.read(due)
    connection.plan_drafts()

    assert connection.record().next_attempt_at is None
    assert connection.notice(["A"], NOON + timedelta(seconds=3)) == []


def test_notice_of_a_change_that_a_page_could_not_show_yet_is_not_answered_by_it() -> None:
    # Given a page of 12:00 that shows what Amazon's search knew at 11:58
    connection = FakeConnection(amazon_order(updated=NOON - 30 * MINUTE))
    connection.sweep()
    connection.plan_drafts()
    # When a notice of a change at 11:59 arrives after the page
    connection.amazon.hold(amazon_order(price="12.00", updated=NOON - MINUTE))
    connection.clock.advance(5)
    due = connection.notice(["A"], NOON - MINUTE)

    connection.plan_drafts(*connection.read(due).due)

    assert str(connection.document().desired.total) == "12.00"


def test_draft_with_an_open_notice_is_read_again_before_it_is_planned() -> None:
    connection = FakeConnection(amazon_order(updated=NOON - 20 * MINUTE))
    connection.notice(["A"], NOON - timedelta(seconds=30))

    assert connection.sweep().records == 1

    record = connection.record()
    assert (record.state, record.next_step, record.next_attempt_at) == (OrderState.RECORDED, NextStep.READ, NOON)
    assert connection.plan_drafts("A").records == 0
    connection.plan_drafts(*connection.read().due)
    assert (connection.record().state, connection.record().next_attempt_at) == (OrderState.PLANNED, None)
