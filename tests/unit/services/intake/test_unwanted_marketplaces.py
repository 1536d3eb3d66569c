"""Orders of marketplaces that are not booked: Amazon notifies of them, too, and of each of their versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import Json
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.state import NOON
from unit.services.amazon_orders import MINUTE, amazon_order
from unit.services.interruptions import before_save

FRANCE = "A13V1IB3VIYZZH"
IGNORING = replace(POLICY, ignored_marketplaces=frozenset({FRANCE}))


def french_order(version: int, status: str = "UNSHIPPED") -> Json:
    return amazon_order("A", f"1{version}.00", NOON - 60 * MINUTE + version * MINUTE, status, marketplace=FRANCE)


def read_versions(connection: FakeConnection, *versions: Json) -> None:
    for version in versions:
        connection.amazon.hold(version)
        connection.read(connection.notice(["A"]))
        connection.plan_drafts()
        connection.plan_shipments()
        connection.clock.advance(60)


def test_orders_of_an_ignored_marketplace_are_not_invoiced_and_need_no_person() -> None:
    connection = FakeConnection(policy=IGNORING)

    read_versions(connection, *(french_order(1, "PENDING"), french_order(2), french_order(3, "SHIPPED")))

    assert (connection.record().state, connection.record().reason) == (OrderState.NOT_INVOICED, "IGNORED_MARKETPLACE")
    assert connection.record().next_attempt_at is None
    assert connection.dead_letters[ORDERS].letters == []
    assert connection.store.writes("DOCUMENT#") == 0


def test_cancelled_order_of_an_ignored_marketplace_is_not_invoiced() -> None:
    connection = FakeConnection(policy=IGNORING)

    read_versions(connection, french_order(1), french_order(2, "CANCELLED"))

    assert (connection.record().state, connection.record().reason) == (OrderState.NOT_INVOICED, "ORDER_CANCELLED")
    assert connection.dead_letters[ORDERS].letters == []


def test_order_of_an_unknown_marketplace_has_one_dead_letter_for_all_its_versions() -> None:
    connection = FakeConnection()

    read_versions(connection, *(french_order(version) for version in (1, 2, 3)), french_order(4, "SHIPPED"))

    assert connection.dead_letters[ORDERS].reasons == [("A", "UNKNOWN_MARKETPLACE")]
    assert "amazon.ignored_marketplaces" in connection.dead_letters[ORDERS].letters[0].remedy
    record = connection.record()
    assert (record.state, record.reason) == (OrderState.FAILED, "UNKNOWN_MARKETPLACE")
    assert record.version == NOON - 56 * MINUTE


def reprocess(connection: FakeConnection) -> None:
    """Redrive the order's dead letter and read the order."""
    notice = ChangeNotice("A", connection=connection.name, reprocess=True)
    connection.read(connection.connection.services.notices.record([notice]))


@pytest.mark.parametrize("is_changed", [False, True])
def test_reprocessed_order_of_an_unknown_marketplace_has_another_dead_letter(is_changed: bool) -> None:
    connection = FakeConnection()
    read_versions(connection, french_order(1), french_order(2))
    if is_changed:
        connection.amazon.hold(french_order(3))

    reprocess(connection)

    assert connection.dead_letters[ORDERS].reasons == [("A", "UNKNOWN_MARKETPLACE")] * 2


def test_repeated_notice_of_an_unchanged_order_has_no_further_dead_letter() -> None:
    connection = FakeConnection()

    read_versions(connection, french_order(1), french_order(1), french_order(1))

    assert len(connection.dead_letters[ORDERS].letters) == 1
    assert connection.record().next_attempt_at is None


def test_order_whose_marketplace_was_added_to_the_settings_is_entered() -> None:
    connection = FakeConnection()
    read_versions(connection, french_order(1), french_order(2))
    connection.policy = replace(POLICY, marketplaces=POLICY.marketplaces | {FRANCE})
    connection.restart()

    reprocess(connection)

    assert connection.record().state is OrderState.RECORDED


def test_unknown_marketplace_after_another_failure_has_its_own_dead_letter() -> None:
    connection = FakeConnection()
    read_versions(connection, french_order(1) | {"fulfillment": {"fulfillmentStatus": "TELEPORTED"}}, french_order(2))

    assert [reason for _, reason in connection.dead_letters[ORDERS].reasons] == [
        "UNKNOWN_STATUS",
        "UNKNOWN_MARKETPLACE",
    ]


def test_reprocessed_order_has_another_dead_letter_where_it_was_read_while_the_message_was_received(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = FakeConnection()
    read_versions(connection, french_order(1))
    connection.amazon.hold(french_order(2))

    # Given a worker that receives the redriven message, and another that reads a newer version before it stores that
    def read_by_another_worker() -> None:
        connection.clock.advance(10)
        connection.read(connection.notice(["A"]))
        connection.clock.advance(10)

    before_save(monkeypatch, connection.store, OrderRecord, read_by_another_worker)
    reprocess(connection)

    assert connection.dead_letters[ORDERS].reasons == [("A", "UNKNOWN_MARKETPLACE")] * 2
