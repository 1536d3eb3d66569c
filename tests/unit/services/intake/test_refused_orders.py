"""Orders that Amazon refuses: whether the order or the operation getOrder is to blame, and what each costs in calls."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, AmazonUnavailable
from amazon_to_xero.services.intake.readable_orders import MAX_READABLE
from amazon_to_xero.services.intake.reader import MAX_UNANSWERED
from amazon_to_xero.services.intake.refused_orders import MAX_REFUSALS, REFUSED_IN_A_ROW
from fakes.connection import FakeConnection
from unit.services.amazon_orders import HOUR, amazon_order

FORBIDDEN = AmazonForbidden("getOrder", 403, "Unauthorized")
BAD_REQUEST = AmazonUnavailable("getOrder", 400, "InvalidInput")
KNOWN = ["K0", "K1", "K2"]
REFUSED = ["R0", "R1", "R2"]


def connection_with_known_orders() -> FakeConnection:
    """A connection that has read three orders; three more are noticed."""
    connection = FakeConnection(*(amazon_order(name) for name in [*KNOWN, *REFUSED]))
    assert connection.read(connection.notice(KNOWN)).records == 3
    connection.clock.advance(60)
    connection.amazon.calls.clear()
    connection.notice(REFUSED)
    return connection


def read_every_minute(connection: FakeConnection, duration: timedelta) -> None:
    until = connection.clock.now() + duration
    while connection.clock.now() < until:
        connection.read()
        connection.clock.advance(60)


@pytest.mark.parametrize("refusal", [FORBIDDEN, BAD_REQUEST])
def test_no_order_fails_while_amazon_refuses_the_operation_for_two_days(refusal: AmazonError) -> None:
    connection = connection_with_known_orders()
    connection.amazon.refused = dict.fromkeys([*KNOWN, *REFUSED], refusal)

    read_every_minute(connection, 48 * HOUR)

    assert connection.dead_letters[ORDERS].letters == []
    assert {connection.record(name).attempts for name in REFUSED} == {0}
    paused = connection.decisions.of("PAUSED")
    assert {(line["service"], line["reason"]) for line in paused} == {("amazon#getOrder", "AMAZON_OPERATION_REFUSED")}
    quarters = 48 * 4
    assert connection.amazon.count("getOrder") <= quarters * (REFUSED_IN_A_ROW + MAX_READABLE)

    connection.amazon.refused = {}
    connection.clock.advance(15 * 60)
    assert connection.read().records == 3


def test_refused_orders_that_are_due_alone_fail_and_pause_nothing() -> None:
    connection = connection_with_known_orders()
    connection.amazon.refused = dict.fromkeys(REFUSED, FORBIDDEN)

    read_every_minute(connection, 24 * HOUR)

    assert {connection.record(name).reason for name in REFUSED} == {"ORDER_REFUSED"}
    assert {connection.record(name).state for name in REFUSED} == {OrderState.FAILED}
    assert len(connection.dead_letters[ORDERS].letters) == 3
    assert connection.decisions.of("PAUSED") == []
    # Each time the three orders, and one order that Amazon is known to return
    assert connection.amazon.count("getOrder") == MAX_REFUSALS * (3 + 1)


def test_order_that_amazon_never_answers_fails_within_a_day_and_the_others_are_read() -> None:
    connection = connection_with_known_orders()
    connection.amazon.refused = {"R1": AmazonUnavailable("getOrder", 500, "InternalFailure")}

    read_every_minute(connection, 24 * HOUR)

    assert connection.dead_letters[ORDERS].reasons == [("R1", "ORDER_REFUSED")]
    assert {connection.record(name).state for name in ("R0", "R2")} == {OrderState.RECORDED}
    assert connection.decisions.of("PAUSED") == []
    assert connection.amazon.count("getOrder") <= 2 + 2 * (MAX_UNANSWERED + MAX_REFUSALS)


def test_outage_of_amazon_for_two_days_fails_no_order() -> None:
    connection = connection_with_known_orders()
    outage = AmazonUnavailable("getOrder", 503, "ServiceUnavailable")
    connection.amazon.refused = dict.fromkeys([*KNOWN, *REFUSED], outage)

    read_every_minute(connection, 48 * HOUR)

    assert connection.dead_letters[ORDERS].letters == []
    connection.amazon.refused = {}
    connection.clock.advance(15 * 60)
    assert connection.read().records == 3


def test_known_order_that_is_refused_by_now_does_not_put_the_blame_on_the_operation() -> None:
    connection = connection_with_known_orders()
    connection.amazon.refused = {"R0": FORBIDDEN, "K0": FORBIDDEN, "K2": FORBIDDEN}

    connection.amazon.refused |= dict.fromkeys(REFUSED, FORBIDDEN)
    assert connection.read().stopped == ""

    assert {connection.record(name).attempts for name in REFUSED} == {1}
    assert connection.decisions.of("PAUSED") == []


def test_operation_that_returns_another_order_in_the_same_run_is_not_tested() -> None:
    connection = connection_with_known_orders()
    connection.amazon.refused = {"R0": FORBIDDEN}

    assert connection.read().records == 2

    assert connection.amazon.count("getOrder") == 3
    assert (connection.record("R0").reason, connection.record("R0").attempts) == ("ORDER_REFUSED", 1)


def test_refusal_is_not_counted_while_it_cannot_be_tested_whether_the_operation_works() -> None:
    connection = connection_with_known_orders()
    unavailable = AmazonUnavailable("getOrder", 503, "HTML")
    connection.amazon.refused = dict.fromkeys(REFUSED, FORBIDDEN) | dict.fromkeys(KNOWN, unavailable)

    assert connection.read().stopped == "AMAZON_UNAVAILABLE"

    assert {connection.record(name).attempts for name in REFUSED} == {0}
    # Each refused order once, and the three that are known; then the orders wait
    assert connection.amazon.count("getOrder") == 6
    connection.clock.advance(60)
    connection.read()
    assert connection.amazon.count("getOrder") == 6
    assert connection.decisions.of("PAUSED") == []


def test_order_that_getorder_returned_is_tested_before_one_of_a_page_that_it_refuses() -> None:
    # Given a page that shows two orders which getOrder never answers, after another order was read
    connection = FakeConnection(amazon_order("K0"), amazon_order("R0"), amazon_order("R1"), amazon_order("R2"))
    connection.read(connection.notice(["K0"]))
    connection.clock.advance(900)
    connection.sweep()
    connection.amazon.refused = dict.fromkeys(["R1", "R2"], AmazonUnavailable("getOrder", 500, "InternalFailure"))
    connection.amazon.refused["R0"] = FORBIDDEN
    connection.clock.advance(60)
    connection.notice(["R0"])

    read_every_minute(connection, 24 * HOUR)

    assert connection.dead_letters[ORDERS].reasons == [("R0", "ORDER_REFUSED")]
    assert connection.decisions.of("PAUSED") == []


def test_operation_is_to_blame_where_it_never_returned_an_order() -> None:
    connection = FakeConnection(amazon_order("A"), amazon_order("B"))
    connection.amazon.refused = {"A": FORBIDDEN}

    assert connection.read(connection.notice(["A"])).stopped == "AMAZON_OPERATION_REFUSED"
    assert connection.record("A").attempts == 0

    connection.clock.advance(15 * 60)
    assert connection.read(connection.notice(["B"])).records == 1
    assert (connection.record("A").reason, connection.record("A").attempts) == ("ORDER_REFUSED", 1)


def test_another_sandbox_knows_the_orders_that_amazon_returned() -> None:
    connection = connection_with_known_orders()
    connection.amazon.refused = dict.fromkeys(REFUSED, FORBIDDEN)
    connection.restart()

    assert connection.read().stopped == ""
    assert connection.decisions.of("PAUSED") == []


def test_order_whose_last_refusal_could_not_be_reported_fails_a_minute_later() -> None:
    connection = connection_with_known_orders()
    connection.amazon.refused = dict.fromkeys(REFUSED, FORBIDDEN)
    connection.dead_letters[ORDERS].broken = True
    read_every_minute(connection, 20 * HOUR)
    assert connection.record("R0").state is OrderState.NOTICED

    connection.dead_letters[ORDERS].broken = False
    read_every_minute(connection, timedelta(minutes=2))

    assert {connection.record(name).state for name in REFUSED} == {OrderState.FAILED}


def test_reading_many_orders_stores_the_known_ones_once_an_hour() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n}") for n in range(15)))
    for n in range(15):
        connection.read(connection.notice([f"A{n}"]))

    assert connection.store.writes("CURSOR#readable-orders") <= MAX_READABLE
