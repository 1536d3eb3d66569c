"""Faults of Amazon: what waits, for how long, and what is not affected."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonForbidden,
    AmazonNotAuthorised,
    AmazonThrottled,
    AmazonUnavailable,
)
from amazon_to_xero.ports.xero import XeroError, XeroNotAuthorised, XeroUnavailable
from amazon_to_xero.services.intake.refused_orders import MAX_REFUSALS
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.state import NOON
from unit.services.amazon_orders import HOUR, MINUTE, amazon_order


def test_throttled_call_empties_the_quota_for_every_worker() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n}") for n in range(3)))
    connection.amazon.faults = [AmazonThrottled("getOrder", 429, "QuotaExceeded")]

    assert connection.read(connection.notice(["A0", "A1", "A2"])).stopped == "AMAZON_QUOTA"
    connection.restart()
    assert connection.read().stopped == "AMAZON_QUOTA"
    assert connection.amazon.count("getOrder") == 1

    connection.clock.advance(10)
    assert connection.read().records == 3


def test_throttled_operation_does_not_stop_the_other() -> None:
    connection = FakeConnection(amazon_order())
    connection.amazon.faults = [AmazonThrottled("searchOrders", 429, "QuotaExceeded")]

    assert connection.sweep().stopped == "AMAZON_QUOTA"
    assert connection.read(connection.notice(["A"])).records == 1
    assert connection.sweep().stopped == "AMAZON_QUOTA"
    assert connection.amazon.count("searchOrders") == 1


def test_quota_is_counted_before_amazon_throttles() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:02}") for n in range(60)))
    for start in range(0, 60, 6):
        connection.read(connection.notice([f"A{n:02}" for n in range(start, start + 6)]))

    # Thirty calls at once, then one every two seconds, while the reader waits a few seconds for a burst to arrive
    assert connection.amazon.count("getOrder") <= 30 + sum(connection.clock.slept) / 2
    assert connection.decisions.of("WAITING")[0]["reason"] == "AMAZON_QUOTA"


def test_order_that_cannot_be_read_is_retried_less_often_each_time_and_delays_no_other() -> None:
    connection = FakeConnection(amazon_order("A"), amazon_order("B"))
    connection.amazon.refused = {"A": AmazonUnavailable("getOrder", 503, "HTML")}

    report = connection.read(connection.notice(["A", "B"]))

    assert (report.records, report.stopped) == (1, "AMAZON_UNAVAILABLE")
    connection.plan_drafts(*report.due)
    assert connection.record("B").state is OrderState.PLANNED
    waits = []
    for _ in range(7):
        due = connection.record("A").next_attempt_at
        assert due is not None
        waits.append((due - connection.clock.now()) / MINUTE)
        connection.clock.advance((due - connection.clock.now()).total_seconds())
        connection.read()
    assert waits == [1, 2, 4, 8, 15, 15, 15]
    assert connection.record("A").reason == "HTML"

    connection.amazon.refused = {}
    connection.clock.advance(900)
    assert connection.read().records == 1
    assert (connection.record("A").reason, connection.record("A").attempts) == ("", 0)


def test_refused_refresh_token_pauses_amazon_for_every_worker_and_names_the_remedy() -> None:
    connection = FakeConnection(amazon_order("A"), amazon_order("B"))
    connection.amazon.faults = [AmazonNotAuthorised("getOrder", 400, "invalid_grant")]

    assert connection.read(connection.notice(["A", "B"])).stopped == "AMAZON_NOT_AUTHORISED"
    (paused,) = connection.decisions.of("PAUSED")
    assert "Authorise the application again in Seller Central" in str(paused["remedy"])
    connection.restart()
    assert (connection.read().stopped, connection.sweep().stopped) == ("AMAZON_PAUSED", "AMAZON_PAUSED")
    assert len(connection.amazon.calls) == 1

    connection.clock.advance(15 * 60)
    assert connection.read().records == 2
    assert connection.dead_letters[ORDERS].letters == []


FORBIDDEN = AmazonForbidden("getOrder", 403, "Unauthorized")


@pytest.mark.parametrize(
    "refusal", [FORBIDDEN, AmazonForbidden("getOrder", 401, "Unauthorized"), AmazonUnavailable("getOrder", 400, "Bad")]
)
def test_order_that_amazon_refuses_fails_within_a_day_and_the_others_are_read_meanwhile(refusal: AmazonError) -> None:
    connection = FakeConnection(amazon_order("A"), amazon_order("B"))
    connection.amazon.refused = {"A": refusal}

    connection.notice(["A"], NOON - MINUTE)
    assert connection.read(connection.notice(["B"])).records == 1
    assert connection.record("A").reason == "ORDER_REFUSED"

    began = connection.clock.now()
    for _ in range(MAX_REFUSALS - 1):
        due = connection.record("A").next_attempt_at
        assert due is not None
        connection.clock.advance((due - connection.clock.now()).total_seconds())
        connection.read()
    assert connection.clock.now() - began < 24 * HOUR
    assert ("getOrder", "A") in connection.amazon.calls
    assert connection.amazon.calls.count(("getOrder", "A")) == MAX_REFUSALS
    assert connection.record("A").state is OrderState.FAILED
    logged = connection.decisions.of("AMAZON_UNAVAILABLE")
    assert [(line["order_id"], line["status"]) for line in logged] == [("A", refusal.status)] * MAX_REFUSALS
    assert "role that getOrder needs" in connection.record("A").remedy
    assert connection.dead_letters[ORDERS].reasons == [("A", "ORDER_REFUSED")]
    assert connection.decisions.of("PAUSED") == []


def test_refused_orders_that_are_due_first_do_not_keep_the_others_waiting() -> None:
    names = ["A", "B", "C"]
    connection = FakeConnection(*(amazon_order(name) for name in [*names, "D", "E"]))
    connection.amazon.refused = dict.fromkeys(names, FORBIDDEN)
    for name in ["D", *names]:
        connection.notice([name], NOON - MINUTE)
        connection.clock.advance(1)

    assert connection.read(connection.notice(["E"])).records == 2
    assert connection.decisions.of("PAUSED") == []


def test_refused_search_pauses_alone_and_orders_are_read_singly() -> None:
    connection = FakeConnection(*(amazon_order(f"A{n:02}") for n in range(25)))
    connection.amazon.refused_marketplaces = set(POLICY.marketplaces)

    assert connection.sweep().stopped == "AMAZON_OPERATION_REFUSED"
    (paused,) = connection.decisions.of("PAUSED")
    assert paused["service"] == "amazon#searchOrders"
    assert "Amazon refuses searchOrders" in str(paused["remedy"])
    assert "role Inventory and Order Tracking" in str(paused["remedy"])

    assert connection.read(connection.notice(connection.amazon.orders)).records == 25
    assert connection.sweep().stopped == "AMAZON_PAUSED"
    assert connection.amazon.count("searchOrders") == 1 + len(POLICY.marketplaces)
    connection.amazon.refused_marketplaces = set()
    connection.clock.advance(15 * 60)
    assert connection.sweep().stopped == ""


def test_connection_pauses_when_amazon_refuses_both_operations() -> None:
    names = ["A", "B", "C", "D"]
    connection = FakeConnection(*(amazon_order(name) for name in names))
    connection.amazon.refused = dict.fromkeys(names, FORBIDDEN)

    assert connection.read(connection.notice(names)).stopped == "AMAZON_OPERATION_REFUSED"
    assert connection.amazon.count("getOrder") == 3
    assert connection.read().stopped == "AMAZON_PAUSED"
    connection.amazon.faults = [AmazonForbidden("searchOrders", 403, "Unauthorized")]
    assert connection.sweep().stopped == "AMAZON_NOT_AUTHORISED"
    assert "Authorise the application again" in str(connection.decisions.of("PAUSED")[-1]["remedy"])

    connection.amazon.refused = {}
    connection.clock.advance(15 * 60)
    assert connection.read().records == 4


@pytest.mark.parametrize(
    "fault", [XeroUnavailable("getOrganisation", 503, "HTTP 503"), XeroNotAuthorised("getOrganisation", 403, "")]
)
def test_nothing_is_read_and_nothing_is_lost_while_the_organisation_is_unavailable(fault: XeroError) -> None:
    connection = FakeConnection(amazon_order())
    connection.xero.before = [fault]

    report = connection.read(connection.notice(["A"]))

    assert report.stopped.startswith("XERO_")
    assert connection.amazon.calls == []
    connection.clock.advance(16 * 60)
    assert connection.read().records == 1
