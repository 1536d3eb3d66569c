"""A reconciliation of stock from both sides to the reports, the events, the message, and the worklist."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from amazon_to_xero.ports.amazon import AmazonThrottled, AmazonUnavailable, SummaryPage
from amazon_to_xero.ports.xero import XeroNotAuthorised
from amazon_to_xero.services.reconciliation.worklist import open_entries
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.reconciliation import BUNDLES, LONG_SKU, RECONCILED, tracked
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from fakes.stock import DE, FR, UK, summary

WEEK = timedelta(days=7).total_seconds()
REQUIRED = "Inventory Reconciliation Required"


def connection_of(
    stock: dict[str, list[dict[str, Any]]],
    *items: XeroItem,
    policy: ReconciliationPolicy | None = RECONCILED,
) -> FakeConnection:
    connection = FakeConnection(reconciliation_policy=policy)
    connection.inventory.stock = {marketplace: [summaries] for marketplace, summaries in stock.items()}
    connection.xero.price_list = list(items)
    return connection


def restock(connection: FakeConnection, **units: int) -> None:
    """Replace the stock of the UK: SKU with _ for - → fulfillable units."""
    connection.inventory.stock[UK] = [[summary(sku.replace("_", "-"), each) for sku, each in units.items()]]


def lines(connection: FakeConnection) -> dict[str, dict[str, str]]:
    report = json.loads(connection.reports.named("stock.json"))
    return {line["item"]: line for line in report["lines"]}


def entry(connection: FakeConnection, key: str = "mug-red") -> WorklistEntry:
    return connection.store.load(WorklistEntry, [key])[key]


def events(connection: FakeConnection) -> list[dict[str, Any]]:
    return [dict(event.detail) for _, event in connection.events.published if event.kind == REQUIRED]


def shipped(order_id: str, sku: str, units: int) -> dict[str, Any]:
    """Return an order that Amazon has shipped from its stock today."""
    made = order(item("5.00", quantity=units, sku=sku), grand_total="5.00", order_id=order_id)
    made["createdTime"] = made["lastUpdatedTime"] = NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
    made["fulfillment"]["fulfilledBy"] = "AMAZON"
    made["packages"] = []
    return made


def record(connection: FakeConnection, *orders: dict[str, Any]) -> None:
    connection.amazon.hold(*orders)
    connection.notice([each["orderId"] for each in orders])
    connection.read()


def test_pools_that_seem_to_be_one_are_named_before_anything_is_corrected() -> None:
    five = [summary(f"SKU-{number}", 10 + number) for number in range(5)]
    connection = connection_of(
        {DE: five, FR: five},
        *(tracked(f"SKU-{number}", 10 + number) for number in range(5)),
        policy=ReconciliationPolicy({DE: (DE,), FR: (FR,)}),
    )

    connection.reconcile_stock()

    line = f'Write "eu": ["{FR}", "{DE}"] under inventory.pools of the settings'
    ((_, message),) = connection.inventory_topic.messages
    assert line in message
    assert message.index(line) < message.index("SKU-4: MORE_AT_AMAZON, difference 14")
    assert line.replace('"', "&quot;") in connection.reports.named("stock.html")
    (logged,) = connection.decisions.of(FailureCode.STOCK_POOL_PROPOSED)
    assert line in str(logged["remedy"])


# --- what is compared -------------------------------------------------------------------------------------------------


def test_units_of_all_pools_are_compared_with_the_item_of_the_same_code() -> None:
    connection = connection_of(
        {UK: [summary("MUG-RED", 60)], DE: [summary("MUG-RED", 30)], FR: [summary("MUG-RED", 30)]},
        tracked("Mug-Red", 92),
    )

    connection.reconcile_stock()

    line = lines(connection)["Mug-Red"]
    assert (line["amazon"], line["xero"], line["difference"], line["pools"]) == ("90", "92", "-2", "eu: 30, uk: 60")
    assert (line["reason"], line["state"], line["value"]) == ("FEWER_AT_AMAZON", "OPEN", "-8.00")
    # Each marketplace of a pool states all its units, so one of them is read.
    assert {marketplace for marketplace, _ in connection.inventory.calls} == {UK, DE}


def test_every_kind_of_unit_is_in_the_report() -> None:
    details: dict[str, Any] = {
        "inboundShippedQuantity": 20,
        "reservedQuantity": {
            "pendingCustomerOrderQuantity": 2,
            "pendingTransshipmentQuantity": 1,
            "fcProcessingQuantity": 0,
        },
        "researchingQuantity": {"totalResearchingQuantity": 4},
        "unfulfillableQuantity": {"totalUnfulfillableQuantity": 5, "customerDamagedQuantity": 3},
    }
    connection = connection_of({UK: [summary("MUG-RED", 60, **details)]}, tracked(quantity=92))

    connection.reconcile_stock()

    line = lines(connection)["MUG-RED"]
    names = ("fulfillable", "inbound", "reserved", "researching", "unsellable", "customer_damaged", "amazon")
    assert [line[name] for name in names] == ["60", "20", "3", "4", "5", "3", "92"]
    assert line["reason"] == "AGREES"


def test_sold_and_refunded_units_explain_what_changed_in_the_week() -> None:
    connection = connection_of({UK: [summary("TEA-50", 100)]}, tracked("TEA-50", 100))
    connection.reconcile_stock()
    connection.clock.advance(3600)
    record(connection, shipped("204-1", "TEA-50", 12), shipped("204-2", "TEA-50", 3))
    returned = refund("R1", item_refund("TEA-50", OurPricePrincipal="-5.00"), order_id="204-1")
    returned["items"][0]["contexts"] = [
        {"contextType": "ProductContext", "sku": "TEA-50", "quantityShipped": 2, "fulfillmentNetwork": "AFN"}
    ]
    connection.amazon.transactions = [returned]
    connection.sweep_transactions(connection.clock.now() + timedelta(minutes=10))
    restock(connection, TEA_50=86)
    connection.clock.advance(WEEK)

    connection.reconcile_stock()

    line = lines(connection)["TEA-50"]
    assert (line["sold"], line["refunded"], line["pending"], line["difference"]) == ("15", "2", "-13", "-1")
    assert entry(connection, "tea-50").state is EntryState.OPEN


def test_nothing_that_is_reported_about_stock_has_data_of_a_buyer() -> None:
    connection = connection_of({UK: [summary("TEA-50", 100)]}, tracked("TEA-50", 100))
    connection.reconcile_stock()
    connection.clock.advance(3600)
    record(connection, shipped("204-1", "TEA-50", 12))  # Canary Buyer's
    restock(connection, TEA_50=80)
    connection.clock.advance(WEEK)

    connection.reconcile_stock()

    texts = [content.decode() for content in connection.reports.stored.values()]
    texts += [f"{subject} {message}" for subject, message in connection.inventory_topic.messages]
    texts += [str(each.detail) for _, each in connection.events.published if each.kind == REQUIRED]
    texts += [row.data for sk, row in connection.store.table.rows.items() if sk.startswith(("MOVEMENTS", "WORKLIST"))]
    assert lines(connection)["TEA-50"]["sold"] == "12"
    assert len(texts) >= 10
    assert not [text for text in texts if "canary" in text.lower()]


def test_order_that_is_read_again_is_sold_once() -> None:
    connection = connection_of({UK: [summary("TEA-50", 100)]}, tracked("TEA-50", 100))
    connection.reconcile_stock()
    connection.clock.advance(3600)
    for minutes in range(3):
        read = shipped("204-1", "TEA-50", 12)
        read["lastUpdatedTime"] = f"2026-11-23T12:0{minutes}:00Z"
        record(connection, read)
        connection.clock.advance(60)
    restock(connection, TEA_50=88)

    connection.reconcile_stock()

    assert lines(connection)["TEA-50"]["sold"] == "12"
    assert lines(connection)["TEA-50"]["reason"] == "EXPLAINED"


@pytest.mark.parametrize(("in_xero", "before"), [(100, "AGREES"), (103, "FEWER_AT_AMAZON")])
def test_units_sold_while_further_pages_are_read_count_once_in_the_next_reconciliation(
    in_xero: int, before: str
) -> None:
    connection = connection_of({UK: [summary("TEA-50", 100)], DE: [summary("LAMP", 4)]}, tracked("LAMP", 4))
    connection.xero.price_list.append(tracked("TEA-50", in_xero))
    connection.reconcile_stock()
    connection.clock.advance(3600)
    answered = connection.inventory.inventory_summaries

    def sell_before_the_second_pool(marketplace: str, **parameters: Any) -> SummaryPage:
        if marketplace == DE:
            connection.clock.advance(60)
            record(connection, shipped("204-1", "TEA-50", 5))
            connection.inventory.inventory_summaries = answered  # type: ignore[method-assign]
        return answered(marketplace, **parameters)

    connection.inventory.inventory_summaries = sell_before_the_second_pool  # type: ignore[method-assign]
    connection.reconcile_stock()
    line = lines(connection)["TEA-50"]
    assert (line["sold"], line["reason"]) == ("0", before)
    restock(connection, TEA_50=95)
    connection.clock.advance(3600)

    connection.reconcile_stock()

    line = lines(connection)["TEA-50"]
    assert (line["sold"], line["pending"], line["difference"]) == ("5", "-5", str(100 - in_xero))


def test_bundles_and_long_skus_are_units_of_their_items() -> None:
    stock = {UK: [summary("MUG-RED", 10), summary("MUG-SET", 5), summary(LONG_SKU, 7)]}
    connection = connection_of(
        stock, tracked("MUG-RED", 20), tracked("GIFT-BOX", 5), tracked("KETTLE", 7), policy=BUNDLES
    )

    connection.reconcile_stock()

    found = lines(connection)
    assert {code: line["amazon"] for code, line in found.items()} == {"MUG-RED": "20", "GIFT-BOX": "5", "KETTLE": "7"}
    assert {line["reason"] for line in found.values()} == {"AGREES"}
    assert found["MUG-RED"]["skus"] == "MUG-RED, MUG-SET"


def test_what_one_side_does_not_know_is_listed_and_not_dropped() -> None:
    stock = {UK: [summary("NEW", 5), summary(LONG_SKU, 1), summary("SERVICE", 2), summary("UNSTATED", None)]}
    connection = connection_of(stock, tracked("OLD", 3), XeroItem("SERVICE"), XeroItem("POSTAGE"), tracked("UNSTATED"))

    connection.reconcile_stock()

    assert {code: line["reason"] for code, line in lines(connection).items()} == {
        "NEW": "UNKNOWN_TO_XERO",
        LONG_SKU: "CODE_TOO_LONG",
        "SERVICE": "NOT_TRACKED_IN_XERO",
        "OLD": "UNKNOWN_TO_AMAZON",
        "UNSTATED": "NOT_STATED_BY_AMAZON",
    }


# --- who hears of it --------------------------------------------------------------------------------------------------


def test_each_open_item_is_an_event_with_reason_and_suggested_correction() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90), summary("LAMP", 4)]}, tracked(), tracked("LAMP", 4))

    connection.reconcile_stock()

    (event,) = events(connection)
    assert (event["item"], event["skus"], event["reason"]) == ("MUG-RED", ["MUG-RED"], "FEWER_AT_AMAZON")
    assert event["correction"] | {"text": ""} == {"text": "", "units": "-10", "value": "-40.00", "currency": "GBP"}
    assert "by 10, from 100 to 90" in event["correction"]["text"]
    ((subject, text),) = connection.inventory_topic.messages
    assert subject == "Stock reconciled (main): 1 of 2 items open"
    assert "MUG-RED: FEWER_AT_AMAZON, difference -10." in text
    assert "All gaps together are worth -40.00 GBP" in text


def test_difference_that_stays_is_no_second_event() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90)]}, tracked())
    connection.reconcile_stock()
    connection.clock.advance(WEEK)

    connection.reconcile_stock()

    assert len(events(connection)) == 1
    assert len(connection.inventory_topic.messages) == 2


def test_closed_entry_does_not_come_back_for_the_same_difference() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90)]}, tracked())
    connection.reconcile_stock()
    connection.connection.reconciliation.worklist.close("MUG-RED", "Claimed from Amazon")
    connection.clock.advance(WEEK)

    connection.reconcile_stock()

    assert lines(connection)["MUG-RED"]["state"] == "CLOSED"
    assert lines(connection)["MUG-RED"]["word"] == "Claimed from Amazon"
    assert len(events(connection)) == 1
    restock(connection, MUG_RED=89)
    connection.reconcile_stock()
    assert entry(connection).state is EntryState.OPEN


def test_entry_that_is_closed_while_stock_is_read_stays_closed() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90)]}, tracked())
    connection.reconcile_stock()
    publish = connection.inventory_topic.publish

    def close_meanwhile(subject: str, text: str) -> None:
        connection.connection.reconciliation.worklist.close("MUG-RED", "Claimed from Amazon")
        publish(subject, text)

    connection.inventory_topic.publish = close_meanwhile  # type: ignore[method-assign]
    connection.reconcile_stock()

    assert entry(connection).state is EntryState.CLOSED


def test_entry_of_a_sku_that_the_settings_now_map_is_done() -> None:
    connection = connection_of({UK: [summary(LONG_SKU, 7)]}, tracked("KETTLE", 7))
    connection.reconcile_stock()
    assert entry(connection, LONG_SKU.casefold()).state is EntryState.OPEN
    connection.reconciliation_policy = BUNDLES
    connection.restart()

    connection.reconcile_stock()

    assert entry(connection, LONG_SKU.casefold()).state is EntryState.AGREED
    assert entry(connection, "kettle").state is EntryState.AGREED
    assert open_entries(connection.store) == []


def test_unknown_item_cannot_be_closed() -> None:
    connection = connection_of({UK: []})

    with pytest.raises(Failure, match="no item MUG-RED"):
        connection.connection.reconciliation.worklist.close("MUG-RED", "counted")


# --- when it is done, and what stops it -------------------------------------------------------------------------------


def test_stock_is_reconciled_weekly_and_when_a_person_asks() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 100)]}, tracked())
    runs = []
    for _ in range(3):
        runs.append(connection.reconcile_stock(is_asked=False).records)
        connection.clock.advance(WEEK / 2)

    assert runs == [1, 0, 1]
    assert connection.reconcile_stock(is_asked=True).records == 1


def test_nothing_is_read_where_stock_is_not_to_be_reconciled() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 100)]}, tracked(), policy=None)
    record(connection, shipped("204-1", "TEA-50", 1))

    connection.reconcile_stock()

    assert connection.inventory.calls == []
    assert connection.store.writes("MOVEMENTS#") == 0


@pytest.mark.parametrize("fault", ["xero", "amazon", "no stock", "bucket", "bus", "topic"])
def test_reconciliation_that_cannot_be_finished_changes_no_entry_and_is_tried_again(fault: str) -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90)]}, tracked())
    stock = connection.inventory.stock
    if fault == "xero":
        connection.xero.before = [None, XeroNotAuthorised("read Items", 403, "AuthorizationUnsuccessful")]
    if fault == "amazon":
        connection.inventory.faults = [AmazonUnavailable("getInventorySummaries", 500, "InternalFailure")]
    if fault == "no stock":
        connection.inventory.stock = {}
    connection.reports.broken = fault == "bucket"
    connection.events.broken = fault == "bus"
    connection.inventory_topic.broken = fault == "topic"

    report = connection.reconcile_stock(is_asked=False)

    assert report.stopped == FailureCode.RECONCILIATION_INCOMPLETE
    assert connection.decisions.of(FailureCode.RECONCILIATION_INCOMPLETE)
    assert connection.store.load(WorklistEntry, ["mug-red"]) == {}
    assert connection.connection.poster.post_due((), connection.clock.now() + timedelta(minutes=1)).stopped == ""
    connection.reports.broken = connection.events.broken = connection.inventory_topic.broken = False
    connection.inventory.stock = stock
    connection.clock.advance(3600)
    assert connection.reconcile_stock(is_asked=False).records == 1


def test_stock_that_amazon_refuses_half_way_is_not_compared_as_if_it_were_all() -> None:
    connection = connection_of({}, tracked(), tracked("LAMP", 4))
    connection.inventory.stock = {UK: [[summary("MUG-RED", 100)], [summary("LAMP", 4)]]}
    refused = AmazonUnavailable("getInventorySummaries", 400, "InvalidInput")
    connection.inventory.faults = [None, refused, refused]

    assert connection.reconcile_stock().stopped == FailureCode.RECONCILIATION_INCOMPLETE
    assert events(connection) == []


def test_refused_pool_that_had_units_is_not_a_loss_of_all_of_them() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 60)], FR: [summary("MUG-RED", 40)]}, tracked())
    connection.reconcile_stock()
    in_france = connection.inventory.stock.pop(FR)
    connection.clock.advance(WEEK)

    assert connection.reconcile_stock(is_asked=False).stopped == FailureCode.RECONCILIATION_INCOMPLETE

    (problem,) = connection.decisions.of(FailureCode.RECONCILIATION_INCOMPLETE)
    assert "no stock of eu, which had units last time" in str(problem["remedy"])
    assert entry(connection).state is EntryState.AGREED
    connection.inventory.stock[FR] = in_france
    connection.clock.advance(3600)
    assert connection.reconcile_stock(is_asked=False).records == 1


@pytest.mark.parametrize("emptied", ["stated as 0", "renamed"])
def test_pool_without_goods_any_more_is_compared_again(emptied: str) -> None:
    connection = connection_of({UK: [summary("MUG-RED", 60)], DE: [summary("MUG-RED", 40)]}, tracked())
    connection.reconcile_stock()
    if emptied == "stated as 0":
        connection.inventory.stock[DE] = [[summary("MUG-RED", 0)]]
        connection.reconcile_stock()
    else:
        connection.reconciliation_policy = ReconciliationPolicy({"uk": (UK,), "no-longer-eu": (DE, FR)})
        connection.restart()
    del connection.inventory.stock[DE]

    connection.reconcile_stock()

    assert lines(connection)["MUG-RED"]["pools"] == "uk: 60"


def test_throttled_pages_are_read_again_and_compared_once() -> None:
    connection = connection_of({}, tracked(), tracked("LAMP", 4))
    connection.inventory.stock = {UK: [[summary("MUG-RED", 100)], [summary("LAMP", 4)]]}
    connection.inventory.faults = [None, AmazonThrottled("getInventorySummaries", 429, "QuotaExceeded")]

    connection.reconcile_stock()

    assert {line["reason"] for line in lines(connection).values()} == {"AGREES"}


def test_two_runs_at_once_reconcile_once() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90)]}, tracked())
    lease = connection.store.acquire(
        "inventory_reconciliation", "other", connection.clock.now(), NOON + timedelta(minutes=15)
    )
    assert lease is not None

    assert connection.reconcile_stock().stopped == "LEASE_HELD_BY_ANOTHER_WORKER"
    assert connection.inventory.calls == []


def test_rows_and_leases_of_other_functions_are_not_written() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90)]}, tracked())
    connection.connection.services.organisation.current()
    before = len(connection.store.table.written)

    connection.reconcile_stock()

    written = {row.sk for row in connection.store.table.written[before:]}
    assert written == {
        "LEASE#inventory_reconciliation",
        "WORKLIST#mug-red",
        "CURSOR#reconciliation",
        "CURSOR#quota#getInventorySummaries",
        "CURSOR#xero-budget",
    }


def test_nothing_is_written_to_xero() -> None:
    connection = connection_of({UK: [summary("MUG-RED", 90)]}, tracked())

    connection.reconcile_stock()

    assert connection.xero.writes() == []
    assert replace(connection.xero.price_list[0]) == tracked()
