"""Orders that have shipped or were cancelled: marked for the shipments capability, and announced on the event bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.outbound import OrderEvent
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.orders import UK, item, order
from fakes.state import NOON
from unit.services.amazon_orders import (
    FIRST_VERSION,
    MINUTE,
    SECOND_VERSION,
    amazon_order,
    amazon_time,
    shipped_order,
)
from unit.services.interruptions import before_save


@pytest.mark.parametrize(
    ("status", "kind"),
    [("SHIPPED", "Order Shipped"), ("PARTIALLY_SHIPPED", "Order Shipped"), ("CANCELLED", "Order Cancelled")],
)
def test_shipped_or_cancelled_order_is_announced_and_planned_by_the_shipments_capability(
    status: str, kind: str
) -> None:
    connection = FakeConnection(amazon_order(status=status))

    report = connection.read(connection.notice(["A"]))

    record = connection.record()
    assert (record.state, record.next_step, record.next_attempt_at) == (OrderState.RECORDED, NextStep.PLAN, NOON)
    assert (report.records, report.due) == (1, ("A",))
    assert not any(key.startswith("invoice") for key in report.documents)
    assert connection.events.published == [("main", OrderEvent(kind, "A", FIRST_VERSION, UK))]
    assert (connection.store.due(SHIPMENTS, NOON, 9), connection.store.due(ORDERS, NOON, 9)) == (["A"], [])
    assert connection.plan_drafts("A").records == 0
    assert (connection.plan_shipments().records, connection.record().next_attempt_at) == (1, None)


def test_event_is_published_after_the_record_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection(shipped_order())
    stored: list[OrderRecord] = []
    publish = connection.events.publish

    def publish_and_load(name: str, events: Sequence[OrderEvent]) -> int:
        stored.append(connection.record())
        return publish(name, events)

    monkeypatch.setattr(connection.events, "publish", publish_and_load)
    connection.read(connection.notice(["A"]))

    assert [record.next_step for record in stored] == [NextStep.PLAN]


def test_order_whose_record_got_a_newer_notice_in_between_is_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection(shipped_order())
    due = connection.notice(["A"], NOON - MINUTE)
    before_save(monkeypatch, connection.store, OrderRecord, lambda: connection.notice(["A"], NOON + MINUTE))

    connection.read(due)
    assert (connection.record().next_step, connection.events.published) == (NextStep.READ, [])

    connection.read()
    assert connection.events.kinds_and_orders == [("Order Shipped", "A")]


def test_sweep_records_a_newer_version_although_the_older_one_is_planned_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = FakeConnection(shipped_order())
    connection.read(connection.notice(["A"]))
    connection.amazon.hold(amazon_order(status="CANCELLED", updated=NOON - 5 * MINUTE))
    before_save(monkeypatch, connection.store, OrderRecord, connection.plan_shipments)

    connection.sweep()

    assert (connection.record().status, connection.record().next_step) == ("CANCELLED", NextStep.PLAN)


def test_lost_events_are_logged_and_lose_no_order() -> None:
    connection = FakeConnection(shipped_order("A"), amazon_order("B", status="CANCELLED"))
    connection.events.broken = True

    connection.read(connection.notice(["A", "B"]))

    assert [line["events"] for line in connection.decisions.of("EVENTS_NOT_PUBLISHED")] == [1, 1]
    assert connection.store.due(SHIPMENTS, NOON, 9) == ["A", "B"]


def test_unchanged_planned_order_is_not_announced_again() -> None:
    connection = FakeConnection(shipped_order())
    connection.read(connection.notice(["A"]))
    connection.plan_shipments()
    connection.clock.advance(60)

    connection.read(connection.notice(["A"]))

    assert (len(connection.events.published), connection.record().next_attempt_at) == (1, None)


def test_unchanged_order_that_is_not_planned_yet_stays_due_for_planning() -> None:
    connection = FakeConnection(shipped_order())
    connection.read(connection.notice(["A"]))
    connection.clock.advance(60)

    connection.read(connection.notice(["A"]))

    assert connection.record().next_step is NextStep.PLAN
    assert connection.store.due(SHIPMENTS, connection.clock.now(), 9) == ["A"]


def test_sweep_leaves_an_unchanged_order_due_for_planning() -> None:
    connection = FakeConnection(shipped_order())
    connection.read(connection.notice(["A"]))
    connection.clock.advance(60)

    connection.sweep()

    assert connection.store.due(SHIPMENTS, connection.clock.now(), 9) == ["A"]


def test_shipped_order_with_an_open_notice_is_read_again_before_it_is_announced() -> None:
    connection = FakeConnection(shipped_order(updated=NOON - 20 * MINUTE))
    connection.notice(["A"], NOON - timedelta(seconds=30))

    connection.sweep()
    record = connection.record()
    assert (record.next_step, record.next_attempt_at, connection.events.published) == (NextStep.READ, NOON, [])

    connection.read()
    assert connection.events.kinds_and_orders == [("Order Shipped", "A")]


def test_earlier_shipments_are_kept_when_more_of_an_order_ships() -> None:
    sold = item("30.00", quantity=3)
    sold["fulfillment"] = {"quantityFulfilled": 1, "quantityUnfulfilled": 2}
    partly = order(
        sold, grand_total="30.00", order_id="A", status="PARTIALLY_SHIPPED", updated=amazon_time(SECOND_VERSION)
    )
    connection = FakeConnection(partly)
    connection.read(connection.notice(["A"]))
    fulfilled = {"fulfillment": {"fulfillmentStatus": "SHIPPED"}, "lastUpdatedTime": amazon_time(NOON)}
    connection.amazon.hold({**partly, **fulfilled})
    connection.clock.advance(60)

    connection.read(connection.notice(["A"]))

    shipments = connection.record().shipments
    assert [dict(shipment.quantities) for shipment in shipments] == [{"10000000000001": 1}, {"10000000000001": 2}]
    assert [shipment.shipped_at for shipment in shipments] == [SECOND_VERSION, NOON]


def test_shipped_order_of_an_unknown_marketplace_fails_in_the_queue_of_orders() -> None:
    connection = FakeConnection(shipped_order(marketplace="A_NEW_ONE"))

    connection.read(connection.notice(["A"]))

    assert connection.dead_letters[ORDERS].reasons == [("A", "UNKNOWN_MARKETPLACE")]
    assert (connection.dead_letters[SHIPMENTS].letters, connection.events.published) == ([], [])


def test_shipped_order_placed_before_the_start_is_neither_planned_nor_announced() -> None:
    connection = FakeConnection(shipped_order(), policy=replace(POLICY, start=NOON))

    report = connection.read(connection.notice(["A"]))

    assert (connection.record().state, connection.record().reason) == (OrderState.NOT_INVOICED, "BEFORE_START")
    assert (report.documents, connection.events.published) == ((), [])


def test_cancelled_order_requests_no_customer() -> None:
    connection = FakeConnection(amazon_order(status="CANCELLED"))

    assert connection.read(connection.notice(["A"])).documents == ()
    connection.plan_shipments()

    assert connection.store.writes("DOCUMENT#contact") == 0
