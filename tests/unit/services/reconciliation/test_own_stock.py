"""Own stock in a reconciliation: Xero counts all units that a seller owns, at Amazon and in the own warehouse."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.domain.stock.worklist import WorklistEntry
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.reconciliation import BUNDLES, RECONCILED, tracked
from fakes.state import NOON
from fakes.stock import UK, merchant_change, minute, summary

WEEK = timedelta(days=7).total_seconds()
COUNTED = replace(RECONCILED, counts_own_stock=True)


def connection_of(
    *items: XeroItem, amazon: int | None = 60, own: int | None = None, policy: ReconciliationPolicy = COUNTED
) -> FakeConnection:
    """Return a connection with so many red mugs at Amazon, and as Amazon stated the merchant's quantity of them."""
    connection = FakeConnection(stock_policy=StockPolicy((UK,)), reconciliation_policy=policy)
    connection.inventory.stock = {} if amazon is None else {UK: [[summary("MUG-RED", amazon)]]}
    connection.xero.price_list = list(items)
    if own is not None:
        connection.notice_stock(merchant_change(own))
    return connection


def line(connection: FakeConnection, code: str = "MUG-RED") -> dict[str, str]:
    connection.reconcile_stock()
    lines = json.loads(connection.reports.named("stock.json"))["lines"]
    return next(each for each in lines if each["item"] == code)


def stated(of: dict[str, str]) -> tuple[str, ...]:
    return tuple(of[name] for name in ("amazon", "own", "xero", "gap", "difference", "reason", "state"))


def ordered(order_id: str, units: int) -> dict[str, Any]:
    """Return an order of red mugs that the seller ships, not shipped yet."""
    made = order(item("5.00", quantity=units, sku="MUG-RED"), grand_total="5.00", order_id=order_id)
    made["createdTime"] = made["lastUpdatedTime"] = NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
    made["fulfillment"] |= {"fulfilledBy": "MERCHANT", "fulfillmentStatus": "UNSHIPPED"}
    made["packages"] = []
    return made


def test_own_stock_explains_what_xero_has_more_than_amazon() -> None:
    connection = connection_of(tracked(quantity=100), own=40)

    assert stated(line(connection)) == ("60", "40", "100", "0", "0", "AGREES", "AGREED")


def test_what_own_stock_does_not_explain_is_the_difference() -> None:
    found = line(connection_of(tracked(quantity=103), own=40))

    assert stated(found) == ("60", "40", "103", "-3", "-3", "FEWER_AT_AMAZON", "OPEN")
    assert "Count what you keep yourself, too: 40 by the quantity in Seller Central." in found["correction"]
    assert "by 3, from 103 to 100 (12.00 GBP" in found["correction"]


def test_own_stock_that_was_never_stated_is_unknown_and_not_zero() -> None:
    found = line(connection_of(tracked(quantity=100)))

    assert stated(found) == ("60", "", "100", "-40", "-40", "FEWER_AT_AMAZON", "OPEN")
    assert "Amazon has not stated your own stock of it yet, so it is not counted" in found["correction"]


def test_own_stock_of_zero_is_stated() -> None:
    found = line(connection_of(tracked(quantity=100), own=0))

    assert stated(found)[:2] == ("60", "0")
    assert "Count what you keep yourself, too: 0 by the quantity" in found["correction"]


def test_own_stock_that_xero_does_not_have_has_a_reason_of_its_own() -> None:
    found = line(connection_of(tracked(quantity=60), own=40))

    assert stated(found) == ("60", "40", "60", "40", "40", "OWN_STOCK_NOT_IN_XERO", "OPEN")
    assert "entered in Xero, maybe under another item code" in found["correction"]


def test_sku_that_only_the_seller_ships_is_compared_and_not_unknown_to_amazon() -> None:
    connection = connection_of(tracked(quantity=60), tracked("LAMP-DESK", 9))
    connection.notice_stock(merchant_change(7, sku="LAMP-DESK"))

    assert stated(line(connection, "LAMP-DESK")) == ("0", "7", "9", "-2", "-2", "FEWER_AT_AMAZON", "OPEN")


def test_sku_that_only_the_seller_ships_and_xero_does_not_know_is_listed() -> None:
    connection = connection_of(tracked(quantity=60))
    connection.notice_stock(merchant_change(7, sku="TEA, loose"))

    found = line(connection, "TEA, loose")
    assert (found["own"], found["reason"], found["state"]) == ("7", "UNKNOWN_TO_XERO", "OPEN")


def test_seller_without_goods_at_amazon_has_own_stock_compared() -> None:
    assert stated(line(connection_of(tracked(quantity=40), amazon=None, own=40)))[-2:] == ("AGREES", "AGREED")


def test_the_latest_quantity_counts_also_before_alerts_have_concluded_it() -> None:
    connection = connection_of(tracked(quantity=95), own=40)
    connection.clock.advance(600)
    connection.send_alerts()
    connection.notice_stock(merchant_change(35, minute(9)), merchant_change(38, minute(8)))

    assert stated(line(connection))[:2] == ("60", "35")


def test_bundle_in_own_stock_is_units_of_its_items() -> None:
    policy = replace(BUNDLES, counts_own_stock=True)
    connection = connection_of(tracked(quantity=66), tracked("GIFT-BOX", 3), policy=policy)
    connection.notice_stock(merchant_change(3, sku="MUG-SET"))

    assert stated(line(connection))[:4] == ("60", "6", "66", "0")
    assert stated(line(connection, "GIFT-BOX"))[:4] == ("0", "3", "3", "0")


def test_units_that_were_ordered_of_own_stock_explain_what_it_lost() -> None:
    connection = connection_of(tracked(quantity=100), own=40)
    connection.reconcile_stock()
    connection.clock.advance(3600)
    connection.amazon.hold(ordered("204-1", 3))
    connection.notice(["204-1"])
    connection.read()
    connection.notice_stock(merchant_change(37, minute(61)))
    connection.clock.advance(WEEK)

    found = line(connection)
    assert stated(found) == ("60", "37", "100", "-3", "0", "EXPLAINED", "AGREED")
    assert (found["sold"], found["pending"]) == ("3", "-3")


@pytest.mark.parametrize("own", [40, None])
def test_own_stock_that_is_not_to_be_counted_changes_nothing(own: int | None) -> None:
    connection = connection_of(tracked(quantity=60), own=own, policy=RECONCILED)
    connection.amazon.hold(ordered("204-1", 3))
    connection.notice(["204-1"])
    connection.read()

    assert stated(line(connection)) == ("60", "", "60", "0", "0", "AGREES", "AGREED")
    assert not [sk for sk in connection.store.table.rows if sk.startswith("MOVEMENTS#")]


def test_worklist_and_event_say_how_many_units_are_own() -> None:
    connection = connection_of(tracked(quantity=103), own=40)
    connection.reconcile_stock()

    entry = connection.store.load(WorklistEntry, ["mug-red"])["mug-red"]
    (event,) = [dict(each.detail) for _, each in connection.events.published if "Required" in each.kind]
    assert (entry.amazon, entry.own) == (60, 40)
    assert (event["amazon"], event["own"]) == (60, 40)


def test_many_levels_of_own_stock_are_all_found() -> None:
    connection = connection_of(tracked(quantity=60))
    connection.notice_stock(*(merchant_change(1, sku=f"SKU-{number:04}") for number in range(1201)))
    connection.reconcile_stock()

    report = json.loads(connection.reports.named("stock.json"))
    assert sum(each["own"] == "1" for each in report["lines"]) == 1201


def test_levels_of_own_stock_are_read_and_not_written() -> None:
    connection = connection_of(tracked(quantity=100), own=40)
    before = len(connection.store.table.written)

    connection.reconcile_stock()

    written = {row.sk.partition("#")[0] for row in connection.store.table.written[before:]}
    assert written == {"LEASE", "WORKLIST", "CURSOR"}
