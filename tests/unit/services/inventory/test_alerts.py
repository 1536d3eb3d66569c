"""Notifications of stock become messages to people and events for other workflows, each once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.domain.stock.conclusion import concluded
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from amazon_to_xero.domain.stock.record import StockState
from amazon_to_xero.ports.outbound import InventoryAlertEvent
from amazon_to_xero.services.work_report import StepReport
from fakes.connection import FakeConnection
from fakes.stock import DE, FR, UK, availability_change, merchant_change, minute

POLICY = StockPolicy(
    marketplaces=(UK, DE),
    pools={DE: "eu", FR: "eu"},
    low=Thresholds(10, {"DEFAULT": 20}),
)
MUG = f"fba#{UK}#MUG-RED"
COLLECT = POLICY.collect.total_seconds()


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection(stock_policy=POLICY)


def hear(connection: FakeConnection, *notifications: dict[str, Any]) -> list[str]:
    """Notify, wait until it is concluded, and return the subjects of the messages that were sent."""
    before = len(connection.inventory_topic.messages)
    connection.notice_stock(*notifications)
    connection.clock.advance(COLLECT)
    connection.send_alerts()
    return [subject for subject, _ in connection.inventory_topic.messages[before:]]


def events(connection: FakeConnection) -> list[InventoryAlertEvent]:
    return [event for _, event in connection.events.published if isinstance(event, InventoryAlertEvent)]


def test_person_hears_what_where_how_many_since_when_and_what_to_do(connection: FakeConnection) -> None:
    hear(connection, availability_change({UK: 30}, minute(0)))

    assert hear(connection, availability_change({UK: 7}, minute(4))) == ["Low stock: MUG-RED, Amazon.co.uk (main)"]

    ((_, text),) = connection.inventory_topic.messages
    assert "LOW STOCK: MUG-RED (Red mug), Amazon.co.uk." in text
    assert "7 units can be sold since 2026-11-23 12:04 UTC." in text
    assert "Before: 30, as of 2026-11-23 12:00 UTC." in text
    assert "The threshold is 10 units." in text
    assert "Besides: 42 on the way to Amazon, 7 reserved, 1 unfulfillable." in text
    assert "Send units to Amazon if the SKU should stay in stock." in text
    assert "This system never changes stock." in text


def test_other_workflows_receive_an_event_with_every_quantity_that_amazon_states(connection: FakeConnection) -> None:
    hear(connection, availability_change({UK: 30}, minute(0)))
    hear(connection, availability_change({UK: 7}, minute(4)))

    (event,) = events(connection)
    assert event.kind == "Inventory Alert"
    assert {name: event.detail[name] for name in ("alert", "sku", "pool", "places", "observed", "low_units")} == {
        "alert": "LOW",
        "sku": "MUG-RED",
        "pool": UK,
        "places": [UK],
        "observed": "2026-11-23T12:04:00Z",
        "low_units": 10,
    }
    assert event.detail["quantities"]["fulfillable"] == 7
    assert "total" not in event.detail["quantities"]  # not stated, which is not zero


def test_shuffled_repeated_and_late_notifications_make_the_same_alerts(connection: FakeConnection) -> None:
    connection.clock.advance(600)
    made = [availability_change({UK: units}, minute(at)) for at, units in enumerate((30, 7, 0, 25))]

    subjects = hear(connection, made[3], made[1], made[0], made[3], made[2], made[1])

    assert [each.partition(":")[0] for each in subjects] == ["Low stock", "Out of stock", "In stock again"]
    assert hear(connection, *made) == []


def test_pool_has_one_alert_and_its_marketplaces_are_not_added_up(connection: FakeConnection) -> None:
    hear(connection, availability_change({DE: 30, FR: 30}, minute(0)))

    subjects = hear(connection, availability_change({DE: 6, FR: 6}, minute(6)), availability_change({FR: 6}, minute(7)))

    assert subjects == ["Low stock: MUG-RED, Amazon.de, Amazon.fr (pool eu) (main)"]
    assert connection.stock("fba#eu#MUG-RED").state is StockState.LOW


def test_merchants_stock_and_stock_at_amazon_of_one_sku_are_two_levels(connection: FakeConnection) -> None:
    hear(connection, availability_change({UK: 30}, minute(0)), merchant_change(40, minute(0)))

    assert hear(connection, merchant_change(17, minute(6))) == ["Low stock: MUG-RED, your own warehouse (main)"]
    assert connection.stock(MUG).state is StockState.IN_STOCK


def test_many_alerts_at_once_are_one_message(connection: FakeConnection) -> None:
    skus = [f"SKU-{number}" for number in range(5)]
    hear(connection, *(availability_change({UK: 30}, minute(0), sku=sku) for sku in skus))

    subjects = hear(connection, *(availability_change({UK: n}, minute(6), sku=sku) for n, sku in enumerate(skus)))

    assert subjects == ["Inventory alerts (main): 1 out of stock, 4 low stock"]
    ((_, text),) = connection.inventory_topic.messages
    assert text.index("OUT OF STOCK: SKU-0") < text.index("LOW STOCK: SKU-1")
    assert len(events(connection)) == 5


def test_digest_says_how_many_alerts_it_does_not_list(connection: FakeConnection) -> None:
    skus = [f"SKU-{number}" for number in range(210)]
    hear(connection, *(availability_change({UK: 30}, minute(0), sku=sku) for sku in skus))
    hear(connection, *(availability_change({UK: 2}, minute(6), sku=sku) for sku in skus))

    ((_, text),) = connection.inventory_topic.messages
    assert text.count("LOW STOCK:") == 200
    assert "And 10 further alerts." in text


def test_notifications_of_ignored_marketplaces_are_left_out() -> None:
    connection = FakeConnection(stock_policy=replace(POLICY, ignored_marketplaces=frozenset({UK})))

    assert hear(connection, availability_change({UK: 7, DE: 7}, minute(0))) == [
        "Low stock: MUG-RED, Amazon.de, Amazon.fr (pool eu) (main)"
    ]


def test_connection_without_alerts_records_nothing_and_says_so() -> None:
    connection = FakeConnection()

    assert hear(connection, availability_change({UK: 7}, minute(0))) == []
    assert connection.decisions.of("STOCK_NOT_WATCHED") == [{"statements": 1}]
    assert connection.store.writes("STOCK#") == 0


def test_what_was_due_when_alerts_were_turned_off_is_not_late_and_is_sent_once_they_are_on_again(
    connection: FakeConnection,
) -> None:
    connection.notice_stock(availability_change({UK: 7}, minute(0)))
    connection.stock_policy = None
    connection.restart()
    connection.clock.advance(7200)
    connection.send_alerts()
    assert connection.connection.status.read().oldest_due_seconds == 0
    assert connection.inventory_topic.messages == []

    connection.stock_policy = POLICY
    connection.restart()

    assert hear(connection, availability_change({UK: 6}, minute(119))) == ["Low stock: MUG-RED, Amazon.co.uk (main)"]


def test_names_of_products_are_cut_so_that_the_topic_takes_a_digest(connection: FakeConnection) -> None:
    skus = [f"SKU-{number}" for number in range(300)]
    changes = [availability_change({UK: 2}, minute(0), sku=sku) for sku in skus]
    for change in changes:
        change["Payload"]["FulfillmentInventoryByMarketplace"][0]["ItemName"] = "ü" * 2000

    hear(connection, *changes)

    ((_, text),) = connection.inventory_topic.messages
    assert len(text.encode()) < 256_000  # SNS: bytes of a message


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_alert_that_the_topic_does_not_take_is_sent_a_minute_later(connection: FakeConnection) -> None:
    connection.inventory_topic.broken = True

    assert hear(connection, availability_change({UK: 7}, minute(0))) == []
    assert connection.decisions.of(WaitReason.ALERTS_NOT_SENT) == [{"problem": "AuthorizationError", "alerts": 1}]
    connection.inventory_topic.broken = False
    assert connection.send_alerts() == StepReport()
    connection.clock.advance(60)
    connection.send_alerts()

    assert [subject for subject, _ in connection.inventory_topic.messages] == [
        "Low stock: MUG-RED, Amazon.co.uk (main)"
    ]
    connection.clock.advance(600)
    assert connection.send_alerts() == StepReport()


def test_person_hears_nothing_before_the_event_bus_took_the_events(connection: FakeConnection) -> None:
    connection.events.broken = True

    assert hear(connection, availability_change({UK: 7}, minute(0))) == []
    connection.events.broken = False
    connection.clock.advance(60)
    connection.send_alerts()

    assert len(connection.inventory_topic.messages) == len(events(connection)) == 1


def test_alert_is_stored_before_it_is_sent_and_a_crash_in_between_sends_it_again_under_its_id(
    connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.notice_stock(availability_change({UK: 7}, minute(0)))
    connection.clock.advance(COLLECT)
    alerts = connection.connection.services.stock.alerts
    with monkeypatch.context() as patch:

        def crash(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(alerts, "_store_sent", crash)
        with pytest.raises(KeyboardInterrupt):
            connection.send_alerts()
    assert [alert.kind for alert in connection.stock(MUG).unsent] == ["LOW"]

    connection.restart()
    connection.send_alerts()

    assert len(connection.inventory_topic.messages) == 2
    first, second = (event.detail["alert_id"] for event in events(connection))
    assert first == second


def test_two_workers_that_conclude_the_same_level_store_its_alert_once(connection: FakeConnection) -> None:
    connection.notice_stock(availability_change({UK: 7}, minute(0)))
    connection.clock.advance(COLLECT)
    connection.store.meanwhile(connection.send_alerts)

    connection.send_alerts()

    assert len(connection.inventory_topic.messages) == 1


def test_notification_that_arrives_while_an_alert_is_sent_is_kept(connection: FakeConnection) -> None:
    connection.notice_stock(availability_change({UK: 7}, minute(0)))
    connection.clock.advance(COLLECT)
    publish = connection.inventory_topic.publish

    def and_another(subject: str, text: str) -> None:
        connection.inventory_topic.publish = publish  # type: ignore[method-assign]
        publish(subject, text)
        connection.notice_stock(availability_change({UK: 0}, minute(3)))

    connection.inventory_topic.publish = and_another  # type: ignore[method-assign]
    connection.send_alerts()

    assert hear(connection) == ["Out of stock: MUG-RED, Amazon.co.uk (main)"]


def test_level_that_nobody_foresaw_does_not_stop_the_others(
    connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_mugs(record: Any, *given: Any) -> Any:
        if record.sku == "MUG-RED":
            raise ValueError("unforeseen")
        return concluded(record, *given)

    monkeypatch.setattr("amazon_to_xero.services.inventory.alerts.concluded", fails_for_mugs)

    changes = [availability_change({UK: 7}, minute(0), sku=sku) for sku in ("MUG-RED", "KETTLE")]
    assert hear(connection, *changes) == ["Low stock: KETTLE, Amazon.co.uk (main)"]
    (failed,) = connection.decisions.of("FAILED")
    assert (failed["reason"], failed["stock"]) == ("UNFORESEEN", MUG)
    assert connection.send_alerts() == StepReport()


def test_time_to_come_does_not_make_every_later_notification_an_older_one(connection: FakeConnection) -> None:
    hear(connection, availability_change({UK: 30}, minute(500_000)))

    connection.clock.advance(3600)
    assert hear(connection, availability_change({UK: 7}, connection.clock.now())) != []


@pytest.mark.parametrize("sku", ["KID'S MUG, red", "MUG#1", "TASSE-GRÜN"])
def test_sku_may_have_any_character(connection: FakeConnection, sku: str) -> None:
    (subject,) = hear(connection, availability_change({UK: 7}, minute(0), sku=sku))

    assert subject.isascii()
    assert sku in connection.inventory_topic.messages[0][1]
    assert events(connection)[0].detail["sku"] == sku
