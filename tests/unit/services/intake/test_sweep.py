"""The sweep: where it begins, how it continues after an interruption, and when the watermark moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.ports.amazon import AmazonUnavailable, Json, OrderPage
from amazon_to_xero.services.intake.sweep_cursor import CURSOR
from amazon_to_xero.services.work_report import StepReport
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.state import NOON
from unit.services.amazon_orders import HOUR, MINUTE, amazon_order

START = NOON - timedelta(days=30)


def connection_from_start(*orders: Json) -> FakeConnection:
    """Return a connection whose first sweep begins a month ago."""
    return FakeConnection(*orders, policy=replace(POLICY, start=START))


def watermark(connection: FakeConnection) -> str | None:
    return connection.store.cursor(CURSOR).data.get("watermark")


def swept_orders(connection: FakeConnection) -> int:
    return len({row.sk for row in connection.store.table.written if row.sk.startswith("ORDER#")})


def test_first_sweep_begins_at_the_start_setting_and_ends_at_the_limit_that_amazon_returns() -> None:
    connection = connection_from_start(amazon_order())

    report = connection.sweep()

    assert connection.amazon.asked_after == [START]
    assert watermark(connection) == (NOON - 2 * MINUTE).isoformat()
    assert report.records == 1


def test_next_sweep_overlaps_the_one_before() -> None:
    connection = connection_from_start()
    connection.sweep()
    connection.clock.advance(900)

    connection.sweep()

    assert connection.amazon.asked_after[1] == NOON - 12 * MINUTE
    assert watermark(connection) == (NOON + 13 * MINUTE).isoformat()


def test_watermark_does_not_move_while_amazon_is_unavailable() -> None:
    connection = connection_from_start()
    connection.sweep()
    before = watermark(connection)
    connection.clock.advance(900)
    connection.amazon.faults = [AmazonUnavailable("searchOrders", 200, "EmptyAnswer")]

    assert connection.sweep().stopped == "AMAZON_UNAVAILABLE"
    assert watermark(connection) == before


def test_watermark_moves_after_the_last_page_to_the_limit_of_the_first() -> None:
    connection = connection_from_start(*(amazon_order(f"A{n}") for n in range(5)))
    connection.amazon.page_size = 2
    connection.amazon.faults = [None, AmazonUnavailable("searchOrders", 503, "HTML")]

    assert connection.sweep().stopped == "AMAZON_UNAVAILABLE"
    assert watermark(connection) is None

    # When another sandbox continues a quarter of an hour later, it requests the second page of the same sweep
    connection.clock.advance(900)
    connection.restart()
    report = connection.sweep()

    assert connection.amazon.calls[2][1].endswith("|2")
    assert connection.amazon.asked_after[2] == connection.amazon.asked_after[0]
    assert report.records == 3
    assert watermark(connection) == (NOON - 2 * MINUTE).isoformat()


def test_sweep_that_runs_out_of_time_continues_with_the_next_page() -> None:
    connection = connection_from_start(*(amazon_order(f"A{n}") for n in range(4)))
    connection.amazon.page_size = 2
    connection.amazon.after_page = lambda: connection.clock.advance(61)

    assert connection.sweep().stopped == "OUT_OF_TIME"
    assert watermark(connection) is None
    connection.amazon.after_page = None
    assert connection.sweep().records == 2
    assert watermark(connection) is not None


def test_expired_page_token_is_not_used_again() -> None:
    connection = connection_from_start(*(amazon_order(f"A{n}") for n in range(3)))
    connection.amazon.page_size = 2
    connection.amazon.faults = [None, AmazonUnavailable("searchOrders", 503, "HTML")]
    connection.sweep()

    connection.clock.advance(21 * 3600)
    report = connection.sweep()

    assert connection.amazon.calls[2] == ("searchOrders", "")
    assert report.records == 3
    assert watermark(connection) == (NOON + 21 * HOUR - 2 * MINUTE).isoformat()


def test_page_token_that_amazon_refuses_three_times_starts_the_sweep_again_from_its_watermark() -> None:
    connection = connection_from_start()
    connection.sweep()
    before = watermark(connection)
    connection.amazon.hold(*(amazon_order(f"A{n}", updated=NOON) for n in range(3)))
    connection.amazon.page_size = 2
    refusal = AmazonUnavailable("searchOrders", 400, "InvalidInput")
    connection.amazon.faults = [None, refusal, refusal, refusal]
    for _ in range(3):
        connection.clock.advance(900)
        assert connection.sweep().stopped == "AMAZON_UNAVAILABLE"
        assert watermark(connection) == before

    (restarted,) = connection.decisions.of("SWEEP_RESTARTED")
    assert restarted == {"refusals": 3, "watermark": before}
    connection.clock.advance(900)
    assert connection.sweep().records == 3
    assert connection.amazon.calls[-2] == ("searchOrders", "")
    assert connection.amazon.asked_after[-2] == NOON - 12 * MINUTE
    assert watermark(connection) != before


def test_page_that_names_itself_as_the_next_one_ends_the_sweep_and_starts_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = connection_from_start(*(amazon_order(f"A{n}") for n in range(3)))
    connection.amazon.page_size = 1
    search = connection.amazon.search_orders

    def names_itself(**query: Any) -> OrderPage:
        page = search(**query)
        return replace(page, next_token=query["page_token"] or page.next_token)

    monkeypatch.setattr(connection.amazon, "search_orders", names_itself)
    for _ in range(3):
        assert connection.sweep().stopped == "AMAZON_UNAVAILABLE"
        connection.clock.advance(900)
    assert connection.amazon.count("searchOrders") == 1 + 3
    assert len(connection.decisions.of("SWEEP_RESTARTED")) == 1

    monkeypatch.setattr(connection.amazon, "search_orders", search)
    assert connection.sweep().records == 3
    assert watermark(connection) is not None


def test_page_token_that_amazon_refuses_twice_is_used_again() -> None:
    connection = connection_from_start(*(amazon_order(f"A{n}") for n in range(5)))
    connection.amazon.page_size = 2
    refusal = AmazonUnavailable("searchOrders", 400, "InvalidInput")
    connection.amazon.faults = [None, refusal, refusal, None, refusal]
    stops = []
    for _ in range(4):
        stops.append(connection.sweep().stopped)
        connection.clock.advance(60)

    assert stops == ["AMAZON_UNAVAILABLE"] * 3 + [""]
    assert connection.decisions.of("SWEEP_RESTARTED") == []


def test_history_longer_than_a_page_token_lives_is_swept_in_parts_and_the_watermark_advances() -> None:
    first = NOON - timedelta(days=29)
    connection = connection_from_start(*(amazon_order(f"A{n:03}", updated=first + n * HOUR) for n in range(600)))
    connection.amazon.page_size = 1
    watermarks = []
    for _ in range(90):
        connection.sweep()
        watermarks.append(watermark(connection) or "")
        connection.clock.advance(5 * 3600)
        if swept_orders(connection) == 600:
            break

    assert swept_orders(connection) == 600
    assert watermarks == sorted(watermarks)
    assert len(set(watermarks)) > 2


def test_two_sweeps_at_once_record_every_order_and_one_stops() -> None:
    connection = connection_from_start(*(amazon_order(f"A{n}") for n in range(3)))
    reports: list[StepReport] = []

    def sweep_in_another_worker() -> None:
        connection.amazon.after_page = None
        reports.append(connection.sweep())

    connection.amazon.after_page = sweep_in_another_worker

    assert connection.sweep().stopped == "SWEEP_TAKEN_OVER"
    assert reports[0].stopped == ""
    assert watermark(connection) == (NOON - 2 * MINUTE).isoformat()
    assert {connection.record(f"A{n}").state for n in range(3)} == {OrderState.RECORDED}
    connection.plan_drafts()
    assert {connection.record(f"A{n}").state for n in range(3)} == {OrderState.PLANNED}


def test_sweep_stops_when_amazon_s_quota_is_used_up_and_continues_later() -> None:
    connection = connection_from_start(*(amazon_order(f"A{n:02}") for n in range(50)))
    connection.amazon.page_size = 2

    report = connection.sweep()

    assert (report.stopped, report.records) == ("AMAZON_QUOTA", 38)  # 19 of 20 calls: one is held back
    connection.clock.advance(1300)
    assert connection.sweep().records == 12
