"""Reading a burst of orders in pages: when pages cost less than single calls, and which notices a page answers."""

from __future__ import annotations

from datetime import timedelta

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import AmazonUnavailable
from amazon_to_xero.services.intake.reader import PAGES_FROM
from amazon_to_xero.services.intake.recorder import NOTICE_MARGIN
from fakes.connection import FakeConnection
from fakes.state import NOON
from unit.services.amazon_orders import FIRST_VERSION, HOUR, MINUTE, amazon_order


def test_many_orders_are_read_in_pages() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:03}") for n in range(150)))
    connection.notice(connection.amazon.orders, FIRST_VERSION)

    report = connection.read()

    assert connection.amazon.calls[0] == ("searchOrders", "")
    assert [operation for operation, _ in connection.amazon.calls] == ["searchOrders", "searchOrders"]
    assert (report.records, len(report.due), report.stopped) == (150, 150, "")
    connection.plan_drafts()
    assert connection.store.due(ORDERS, connection.clock.now(), 999) == []


def test_pages_begin_shortly_before_the_earliest_notice() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n}") for n in range(PAGES_FROM)))
    connection.notice(["A0"], NOON - 30 * MINUTE)
    connection.notice([f"A{n}" for n in range(1, PAGES_FROM)], NOON - 10 * MINUTE)

    connection.read()

    assert connection.amazon.asked_after[0] == NOON - 30 * MINUTE - NOTICE_MARGIN


def test_new_burst_waits_for_the_pages_instead_of_costing_a_call_each() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:02}", updated=NOON - timedelta(seconds=5)) for n in range(40)))

    report = connection.read(connection.notice(connection.amazon.orders))

    assert (connection.amazon.calls, report.records, report.stopped) == ([], 0, "WAITING_FOR_PAGES")
    connection.clock.advance(140)
    assert connection.read().records == 40
    assert connection.amazon.count("getOrder") == 0


def test_reading_waits_a_few_seconds_while_a_burst_arrives() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:02}") for n in range(20)))
    connection.notice([f"A{n:02}" for n in range(10)], NOON - 10 * MINUTE)

    connection.read()

    assert 0 < sum(connection.clock.slept) <= 15


def test_notice_long_before_a_burst_does_not_lengthen_its_pages() -> None:
    burst = [f"A{n:02}" for n in range(40)]
    connection = FakeConnection(
        *(amazon_order(order_id) for order_id in burst), amazon_order("OLD", updated=NOON - 2 * HOUR), amazon_order("X")
    )
    connection.notice(burst, NOON - 10 * MINUTE)
    connection.notice(["OLD"], NOON - 8 * HOUR)

    assert connection.read().stopped == ""

    assert connection.amazon.asked_after == [NOON - 10 * MINUTE - NOTICE_MARGIN]
    assert [call for call in connection.amazon.calls if call[0] == "getOrder"] == [("getOrder", "OLD")]


def test_orders_are_read_singly_while_only_the_search_is_unavailable() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:02}") for n in range(PAGES_FROM)))
    connection.notice(connection.amazon.orders, NOON - 10 * MINUTE)
    connection.amazon.faults = [AmazonUnavailable("searchOrders", 503, "HTML")]

    report = connection.read()

    assert (report.records, connection.amazon.count("getOrder")) == (PAGES_FROM, PAGES_FROM)


def test_bursts_leave_pages_to_the_sweep() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:04}", updated=NOON - HOUR) for n in range(400)))
    connection.amazon.page_size = 5
    connection.notice(connection.amazon.orders, NOON - HOUR)
    connection.read()
    assert connection.amazon.count("searchOrders") < 19

    before = connection.amazon.count("searchOrders")
    connection.sweep()

    assert connection.amazon.count("searchOrders") - before >= 2


def test_orders_that_a_page_does_not_return_are_read_singly() -> None:
    # Given orders whose notices are much newer than their last update: pages from the notices on do not return them
    connection = FakeConnection(*(amazon_order(f"A{n}", updated=NOON - timedelta(days=2)) for n in range(PAGES_FROM)))
    connection.notice(connection.amazon.orders, NOON - 5 * MINUTE)

    report = connection.read()

    assert (connection.amazon.count("searchOrders"), connection.amazon.count("getOrder")) == (1, PAGES_FROM)
    assert report.records == PAGES_FROM


def test_order_in_a_page_without_a_notice_is_recorded_and_planned() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n}") for n in range(PAGES_FROM)), amazon_order("never noticed"))
    connection.notice([f"A{n}" for n in range(PAGES_FROM)], NOON - 10 * MINUTE)

    connection.plan_drafts(*connection.read().due)

    assert connection.record("never noticed").state is OrderState.PLANNED
    assert connection.document("never noticed").state is DocumentState.PENDING


# --- which notices a page answers -------------------------------------------------------------------------------------


def test_page_does_not_answer_a_notice_that_is_newer_than_what_it_shows() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n}", updated=NOON - 20 * MINUTE) for n in range(PAGES_FROM + 1)))
    connection.notice(connection.amazon.orders, NOON - 20 * MINUTE)
    connection.notice(["A0"], NOON - timedelta(seconds=30))

    connection.plan_drafts(*connection.read().due)

    assert connection.amazon.calls == [("searchOrders", ""), ("getOrder", "A0")]
    assert connection.store.due(ORDERS, connection.clock.now(), 9) == []


def test_page_does_not_answer_notices_of_the_two_minutes_that_it_cannot_show() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:02}") for n in range(PAGES_FROM)))
    connection.notice(connection.amazon.orders, NOON - 10 * MINUTE)
    connection.plan_drafts(*connection.read().due)
    assert connection.amazon.count("getOrder") == 0

    assert connection.notice(["A00", "A01"], NOON - MINUTE) == ["A00", "A01"]
    assert connection.notice(["A02"], NOON - 9 * MINUTE) == []
