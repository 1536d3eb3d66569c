"""Searches that Amazon refuses for some marketplaces: the others are searched, and those again later."""

from __future__ import annotations

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonUnavailable
from amazon_to_xero.services.intake.search_scope import UNLISTED
from amazon_to_xero.services.intake.sweep_cursor import CURSOR
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.orders import JP, UK, US
from fakes.state import NOON
from unit.services.amazon_orders import HOUR, MINUTE, amazon_order

FRANCE = "A13V1IB3VIYZZH"  # not in the settings
SEARCH = AmazonForbidden("searchOrders", 403, "Unauthorized")


def connection_with_orders() -> FakeConnection:
    """A connection that swept once; since then one order changed in each of three marketplaces."""
    connection = FakeConnection()
    connection.sweep()
    connection.clock.advance(900)
    connection.amazon.hold(
        amazon_order("UK1", updated=NOON + MINUTE),
        amazon_order("US1", updated=NOON + MINUTE, marketplace=US),
        amazon_order("JP1", updated=NOON + MINUTE, marketplace=JP),
    )
    connection.amazon.calls.clear()
    return connection


def recorded(connection: FakeConnection) -> set[str]:
    return set(connection.store.load(OrderRecord, ["UK1", "US1", "JP1", "UK2", "US2", "JP2"]))


def paused(connection: FakeConnection) -> dict[str, str]:
    return {str(line["service"]): str(line["remedy"]) for line in connection.decisions.of("PAUSED")}


def test_orders_of_other_marketplaces_are_swept_where_amazon_refuses_the_search_for_one() -> None:
    connection = connection_with_orders()
    connection.amazon.refused_marketplaces = {JP}

    assert connection.sweep().stopped == ""

    assert recorded(connection) == {"UK1", "US1"}
    # One search for all, one for each marketplace of the settings, one for those that work
    assert connection.amazon.count("searchOrders") == 1 + len(POLICY.marketplaces) + 1
    ((service, remedy),) = paused(connection).items()
    assert service == f"amazon#searchOrders#{JP}"
    assert "Amazon refuses searchOrders for Amazon.co.jp" in remedy
    assert "role Inventory and Order Tracking" in remedy


def test_refused_marketplace_costs_one_search_an_hour() -> None:
    connection = connection_with_orders()
    connection.amazon.refused_marketplaces = {JP}
    connection.sweep()
    connection.amazon.calls.clear()

    for _ in range(8):
        connection.clock.advance(900)
        connection.sweep()

    assert connection.amazon.count("searchOrders") == 8 + 2
    assert [line["reason"] for line in connection.decisions.of("PAUSED")] == ["AMAZON_OPERATION_REFUSED"] * 3


def test_orders_that_a_refused_marketplace_missed_are_swept_once_amazon_answers_for_it() -> None:
    connection = connection_with_orders()
    connection.amazon.refused_marketplaces = {JP}
    for _ in range(8):
        connection.sweep()
        connection.clock.advance(900)
    connection.amazon.hold(amazon_order("UK2", updated=connection.clock.now() - 5 * MINUTE))
    assert recorded(connection) == {"UK1", "US1"}

    connection.amazon.refused_marketplaces = set()
    connection.clock.advance(HOUR.total_seconds())
    connection.sweep()

    assert recorded(connection) == {"UK1", "US1", "JP1", "UK2"}
    assert connection.store.cursor(CURSOR).data["watermark"] > (NOON + 2 * HOUR).isoformat()
    connection.clock.advance(900)
    connection.amazon.calls.clear()
    connection.sweep()
    assert connection.amazon.count("searchOrders") == 1


def test_marketplace_that_is_not_in_the_settings_and_refused_does_not_stop_the_sweep() -> None:
    connection = connection_with_orders()
    connection.amazon.refused_marketplaces = {FRANCE}

    assert connection.sweep().stopped == ""

    assert recorded(connection) == {"UK1", "US1", "JP1"}
    ((service, remedy),) = paused(connection).items()
    assert service == f"amazon#searchOrders#{UNLISTED}"
    assert "a marketplace that is not in amazon.marketplaces" in remedy


def test_refusal_that_has_passed_by_the_next_search_leaves_nothing_out_and_raises_no_alarm() -> None:
    connection = connection_with_orders()
    connection.amazon.faults = [SEARCH]

    assert connection.sweep().stopped == ""

    assert recorded(connection) == {"UK1", "US1", "JP1"}
    assert paused(connection) == {}
    assert connection.amazon.count("searchOrders") == 1 + len(POLICY.marketplaces) + 2


def test_second_marketplace_that_is_refused_later_is_left_out_too() -> None:
    connection = connection_with_orders()
    connection.amazon.refused_marketplaces = {JP}
    connection.sweep()
    connection.clock.advance(900)
    connection.amazon.refused_marketplaces = {JP, US}
    connection.amazon.hold(amazon_order("UK2", updated=NOON + 20 * MINUTE))

    assert connection.sweep().stopped == ""
    assert recorded(connection) == {"UK1", "US1", "UK2"}

    connection.amazon.refused_marketplaces = set()
    connection.amazon.hold(amazon_order("US2", updated=NOON + 25 * MINUTE, marketplace=US))
    connection.clock.advance(2 * HOUR.total_seconds())
    connection.sweep()
    assert recorded(connection) == {"UK1", "US1", "JP1", "UK2", "US2"}


def test_test_of_the_marketplaces_that_is_interrupted_is_continued_by_the_next_sweep() -> None:
    connection = connection_with_orders()
    connection.amazon.refused_marketplaces = {JP}
    connection.amazon.faults = [None, None, AmazonUnavailable("searchOrders", 503, "HTML")]

    assert connection.sweep().stopped == "AMAZON_UNAVAILABLE"
    assert recorded(connection) == set()
    connection.clock.advance(900)
    assert connection.sweep().stopped == ""

    assert recorded(connection) == {"UK1", "US1"}
    # No marketplace was tested twice, and all were searched together only once
    assert connection.amazon.count("searchOrders") == 1 + (len(POLICY.marketplaces) + 1) + 1


def test_sweep_under_way_starts_again_with_fewer_marketplaces() -> None:
    connection = connection_with_orders()
    connection.amazon.page_size = 1
    connection.amazon.faults = [None, SEARCH]
    connection.amazon.after_page = lambda: connection.amazon.refused_marketplaces.add(JP)

    assert connection.sweep().stopped == ""

    assert recorded(connection) >= {"UK1", "US1"}


def test_burst_is_read_in_pages_of_the_marketplaces_that_work() -> None:
    burst = [f"A{n:02}" for n in range(40)]
    changed = amazon_order("J", updated=NOON + MINUTE, marketplace=JP)
    connection = FakeConnection(*(amazon_order(order_id) for order_id in burst), changed)
    connection.amazon.refused_marketplaces = {JP}
    connection.sweep()
    assert connection.amazon.count("getOrder") == 0
    for order_id in burst:
        connection.amazon.hold(amazon_order(order_id, "12.00", updated=NOON + MINUTE))
    connection.clock.advance(600)
    connection.amazon.calls.clear()
    connection.notice([*burst, "J"], NOON + MINUTE)

    connection.read()

    assert (connection.amazon.count("searchOrders"), connection.amazon.count("getOrder")) == (1, 1)
    assert connection.record("J").version is not None


def test_burst_whose_pages_are_refused_is_read_singly_and_the_next_one_in_pages() -> None:
    burst = [f"A{n:02}" for n in range(25)]
    connection = FakeConnection(*(amazon_order(order_id) for order_id in burst), amazon_order("J", marketplace=JP))
    connection.amazon.refused_marketplaces = {JP}
    connection.notice(burst, NOON - 10 * MINUTE)

    assert connection.read().records == 25

    assert connection.amazon.count("getOrder") == 25
    ((service, _),) = paused(connection).items()
    assert service == f"amazon#searchOrders#{JP}"


def test_whole_connection_is_paused_at_once_where_single_orders_are_refused_too() -> None:
    names = ["A", "B", "C"]
    connection = FakeConnection(*(amazon_order(name) for name in names))
    connection.amazon.refused = dict.fromkeys(names, AmazonForbidden("getOrder", 403, "Unauthorized"))
    connection.read(connection.notice(names))
    connection.amazon.refused_marketplaces = {UK}

    assert connection.sweep().stopped == "AMAZON_NOT_AUTHORISED"
    assert connection.amazon.count("searchOrders") == 1


def test_quota_ends_a_test_of_the_marketplaces_and_the_next_sweeps_continue_it() -> None:
    connection = connection_with_orders()
    for _ in range(17):  # of the 20 searches that Amazon allows at once
        connection.sweep()
    connection.amazon.hold(amazon_order("UK2", updated=NOON + 14 * MINUTE))
    connection.amazon.refused_marketplaces = {JP}
    connection.amazon.calls.clear()

    stops = [connection.sweep().stopped]
    while stops[-1] and len(stops) < 9:
        connection.clock.advance(900)
        stops.append(connection.sweep().stopped)

    assert stops == ["AMAZON_QUOTA", ""]
    assert "UK2" in recorded(connection)
    assert connection.amazon.count("searchOrders") == 1 + len(POLICY.marketplaces) + 1


def test_nothing_is_missed_where_amazon_refuses_the_search_for_all_after_one() -> None:
    connection = connection_with_orders()
    connection.amazon.refused_marketplaces = {JP}
    for _ in range(3):
        connection.sweep()
        connection.clock.advance(900)
    connection.amazon.refused_marketplaces = set(POLICY.marketplaces)
    assert connection.sweep().stopped == "AMAZON_OPERATION_REFUSED"

    connection.amazon.refused_marketplaces = set()
    connection.clock.advance(900)
    assert connection.sweep().stopped == ""

    assert recorded(connection) == {"UK1", "US1", "JP1"}


def connection_that_reads_an_older_version() -> FakeConnection:
    """A connection whose order of a refused marketplace has just changed; getOrder still shows the version before."""
    connection = FakeConnection(amazon_order("J", "10.00", updated=NOON - HOUR, marketplace=JP))
    connection.amazon.refused_marketplaces = {JP}
    connection.sweep()
    connection.read(connection.notice(["J"], NOON - HOUR))
    connection.clock.advance(60)
    connection.read(connection.notice(["J"], NOON + MINUTE))
    return connection


def test_announced_change_that_amazon_does_not_show_yet_is_read_again_where_no_sweep_would_find_it() -> None:
    connection = connection_that_reads_an_older_version()
    connection.amazon.hold(amazon_order("J", "12.00", updated=NOON + MINUTE, marketplace=JP))

    connection.clock.advance(60)
    connection.read()

    record = connection.record("J")
    assert (record.version, record.reason) == (NOON + MINUTE, "")


def test_answer_from_before_its_notice_counts_after_three_more_reads() -> None:
    connection = connection_that_reads_an_older_version()
    calls = connection.amazon.count("getOrder")

    for _ in range(20):
        connection.clock.advance(60)
        connection.read()

    record = connection.record("J")
    assert connection.amazon.count("getOrder") - calls == 3
    assert (record.version, record.reason, record.older_reads) == (NOON - HOUR, "", 0)


def test_answer_from_before_its_notice_counts_at_once_where_the_sweep_reads_the_marketplace() -> None:
    connection = FakeConnection(amazon_order("A", updated=NOON - HOUR))
    connection.sweep()
    calls = connection.amazon.count("getOrder")

    connection.read(connection.notice(["A"], NOON + MINUTE))
    connection.clock.advance(600)
    connection.read()

    assert connection.amazon.count("getOrder") - calls == 1
