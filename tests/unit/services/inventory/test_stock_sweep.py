"""The daily sweep of stock: what it finds, and what it makes of Amazon's answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from amazon_to_xero.domain.stock.record import StockState
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonThrottled, AmazonUnavailable
from amazon_to_xero.services.pauses import Pauses
from fakes.connection import FakeConnection
from fakes.stock import DE, UK, US, availability_change, minute, summary

POLICY = StockPolicy(marketplaces=(UK, DE, US), low=Thresholds(10))
COLLECT = POLICY.collect.total_seconds()


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection(stock_policy=POLICY)


def found(connection: FakeConnection) -> dict[str, Any]:
    """Conclude what was recorded; return the fulfillable units of each level."""
    connection.clock.advance(COLLECT)
    connection.send_alerts()
    keys = [sk.removeprefix("STOCK#") for sk in connection.store.table.rows if sk.startswith("STOCK#")]
    latest = {key: connection.stock(key).latest for key in keys}
    return {key: each.quantities.fulfillable for key, each in latest.items() if each}


def marketplaces_asked(connection: FakeConnection) -> list[str]:
    return list(dict.fromkeys(marketplace for marketplace, _ in connection.inventory.calls))


def test_every_page_of_every_marketplace_is_recorded(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A", 30)], [summary("B", 4)]], DE: [[summary("A", 5)]], US: [[]]}

    report = connection.sweep_stock()

    assert (report.records, report.stopped) == (3, "")
    assert found(connection) == {f"fba#{UK}#A": 30, f"fba#{UK}#B": 4, f"fba#{DE}#A": 5}
    assert len(connection.inventory_topic.messages) == 2


def test_sweep_runs_once_a_day(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary()]], DE: [[]], US: [[]]}
    connection.sweep_stock()
    calls = len(connection.inventory.calls)

    connection.clock.advance(3600)
    connection.sweep_stock()
    assert len(connection.inventory.calls) == calls
    connection.clock.advance(23 * 3600)
    connection.sweep_stock()
    assert len(connection.inventory.calls) == 2 * calls


def test_unchanged_stock_writes_no_row(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary()]], DE: [[]], US: [[]]}
    connection.sweep_stock()
    found(connection)
    writes = connection.store.writes("STOCK#")

    connection.clock.advance(24 * 3600)
    connection.sweep_stock()

    assert connection.store.writes("STOCK#") == writes


def test_sku_that_no_page_has_is_unknown_and_not_out_of_stock(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A", 30), summary("B", 30)]], DE: [[]], US: [[]]}
    connection.sweep_stock()
    found(connection)
    connection.inventory.stock[UK] = [[summary("A", 30)]]
    connection.clock.advance(24 * 3600)
    connection.sweep_stock()

    assert found(connection)[f"fba#{UK}#B"] == 30
    assert connection.inventory_topic.messages == []


def test_older_answer_does_not_replace_a_notification(connection: FakeConnection) -> None:
    connection.notice_stock(availability_change({UK: 25}, minute(0)))
    connection.clock.advance(60)
    connection.inventory.stock = {UK: [[summary(fulfillable=90, at="2026-11-23T11:00:00Z")]], DE: [[]], US: [[]]}
    connection.sweep_stock()

    assert found(connection) == {f"fba#{UK}#MUG-RED": 25}


def test_marketplace_without_goods_at_amazon_is_no_outage(connection: FakeConnection) -> None:
    connection.inventory.stock = {US: [[summary("A", 30)]]}

    assert connection.sweep_stock().stopped == ""
    assert found(connection) == {f"fba#{US}#A": 30}
    assert [each["marketplace"] for each in connection.decisions.of("NO_STOCK_AT_AMAZON")] == [UK, DE]
    assert connection.connection.status.read().refusals == {}


def test_page_token_that_never_changes_ends_the_marketplace_with_a_word(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A", 30)]], DE: [[summary("B", 30)]], US: [[]]}
    connection.inventory.constant_token = "always-this-one"

    assert connection.sweep_stock().stopped == ""

    assert len(connection.inventory.calls) == 6
    first, *_ = connection.decisions.of(FailureCode.STOCK_SWEEP_INCOMPLETE)
    assert "page token leads back to the same page" in str(first["remedy"])
    assert UK in str(first["remedy"])
    assert found(connection) == {f"fba#{UK}#A": 30, f"fba#{DE}#B": 30}


def test_expired_page_token_begins_the_marketplace_again(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A")], [summary("B")]], DE: [[]], US: [[]]}
    connection.inventory.faults = [None, AmazonUnavailable("getInventorySummaries", 400, "InvalidInput")]

    assert connection.sweep_stock().stopped == ""

    assert [token for marketplace, token in connection.inventory.calls if marketplace == UK] == [None, "1", None, "1"]
    assert set(found(connection)) == {f"fba#{UK}#A", f"fba#{UK}#B"}


def test_page_token_that_is_always_refused_ends_the_marketplace_with_a_word(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A")], [summary("B")]], DE: [[]], US: [[]]}
    connection.inventory.faults = [None, AmazonUnavailable("getInventorySummaries", 400, "InvalidInput")] * 9

    connection.sweep_stock(connection.clock.now() + timedelta(minutes=5))

    assert "refuses its own page tokens" in str(connection.decisions.of(FailureCode.STOCK_SWEEP_INCOMPLETE))


def test_first_page_that_is_refused_after_it_was_answered_is_no_marketplace_without_goods(
    connection: FakeConnection,
) -> None:
    connection.inventory.stock = {UK: [[summary("A")], [summary("B")]], DE: [[]], US: [[]]}
    refused = AmazonUnavailable("getInventorySummaries", 400, "InvalidInput")
    connection.inventory.faults = [None, refused, refused]

    assert connection.sweep_stock().stopped == ""

    assert connection.decisions.of("NO_STOCK_AT_AMAZON") == []
    assert "refuses the first page" in str(connection.decisions.of(FailureCode.STOCK_SWEEP_INCOMPLETE))


def test_throttled_page_is_asked_for_again_within_the_life_of_its_token(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A")], [summary("B")]], DE: [[]], US: [[]]}
    connection.inventory.faults = [None, AmazonThrottled("getInventorySummaries", 429, "QuotaExceeded")]
    began = connection.clock.now()

    assert connection.sweep_stock().stopped == ""

    assert set(found(connection)) == {f"fba#{UK}#A", f"fba#{UK}#B"}
    assert connection.clock.now() - began < timedelta(seconds=30 + COLLECT)


def test_pages_follow_one_another_faster_than_a_token_expires_and_no_faster_than_allowed(
    connection: FakeConnection,
) -> None:
    connection.inventory.stock = {UK: [[summary(f"SKU-{number}")] for number in range(40)], DE: [[]], US: [[]]}

    assert connection.sweep_stock().stopped == ""

    assert set(connection.clock.slept) == {0.5}
    assert len(connection.inventory.calls) == 42


def test_outage_is_continued_an_hour_later_with_the_marketplace_that_it_interrupted(
    connection: FakeConnection,
) -> None:
    connection.inventory.stock = {UK: [[summary("A")]], DE: [[summary("B")]], US: [[summary("C")]]}
    connection.inventory.faults = [None, AmazonUnavailable("getInventorySummaries", 503, "ServiceUnavailable")]

    assert connection.sweep_stock().stopped == WaitReason.AMAZON_UNAVAILABLE
    connection.inventory.calls.clear()
    connection.clock.advance(3600)

    assert connection.sweep_stock().stopped == ""
    assert marketplaces_asked(connection) == [DE, US]


def test_refused_operation_is_shown_until_amazon_answers_and_stops_nothing_else(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A")]], DE: [[]], US: [[]]}
    connection.inventory.faults = [AmazonForbidden("getInventorySummaries", 403, "Unauthorized")]

    assert connection.sweep_stock().stopped == FailureCode.AMAZON_OPERATION_REFUSED

    status = connection.connection.status
    assert status.read().refusals == {"amazon#getInventorySummaries": "AMAZON_OPERATION_REFUSED"}
    assert "for stock Amazon Fulfillment" in str(connection.decisions.of("PAUSED"))
    assert connection.sweep().stopped == ""  # orders are read nevertheless
    connection.clock.advance(3600)
    connection.sweep_stock()
    assert status.read().refusals == {}


def test_marketplace_that_no_run_can_read_does_not_keep_the_others_from_being_read(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary(f"SKU-{n}")] for n in range(400)], DE: [[summary("B")]], US: [[]]}

    runs = [connection.sweep_stock().stopped for _ in range(3)]

    assert runs == [WaitReason.OUT_OF_TIME, WaitReason.OUT_OF_TIME, ""]
    assert "more stock levels than one run can read" in str(connection.decisions.of(FailureCode.STOCK_SWEEP_INCOMPLETE))
    assert f"fba#{DE}#B" in found(connection)


def test_entry_that_cannot_be_read_is_named_and_the_others_are_recorded(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A", -1), summary("B", 30), {}]], DE: [[]], US: [[]]}

    connection.sweep_stock()

    assert found(connection) == {f"fba#{UK}#B": 30}
    named, nameless = connection.decisions.of(FailureCode.STOCK_MALFORMED)
    assert "fulfillableQuantity of A should be a whole number of units" in str(named["remedy"])
    assert "sellerSku is missing" in str(nameless["remedy"])


def test_stock_is_read_while_xero_cannot_be_used(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary("A", 4)]], DE: [[]], US: [[]]}
    until = connection.clock.now() + timedelta(hours=1)
    Pauses(connection.store, connection.clock, connection.decisions).pause("xero", until, WaitReason.XERO_UNAVAILABLE)

    assert connection.sweep().stopped == WaitReason.XERO_PAUSED
    assert connection.sweep_stock().stopped == ""
    found(connection)
    assert len(connection.inventory_topic.messages) == 1


def test_amazon_is_not_asked_for_a_connection_without_alerts() -> None:
    connection = FakeConnection()

    assert connection.sweep_stock().records == 0
    assert connection.inventory.calls == []


def test_low_stock_that_the_first_sweep_finds_is_alerted_but_not_what_has_long_been_out(
    connection: FakeConnection,
) -> None:
    connection.inventory.stock = {UK: [[summary("LOW", 4), summary("OUT", 0)]], DE: [[]], US: [[]]}
    connection.sweep_stock()
    found(connection)

    assert [subject for subject, _ in connection.inventory_topic.messages] == ["Low stock: LOW, Amazon.co.uk (main)"]
    assert connection.stock(f"fba#{UK}#OUT").state is StockState.OUT


# --- pools ------------------------------------------------------------------------------------------------------------


def five(*units: int) -> list[list[dict[str, Any]]]:
    return [[summary(f"SKU-{number}", each) for number, each in enumerate(units)]]


def test_marketplaces_with_identical_stock_are_proposed_as_a_pool_once_a_day(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: five(20, 30, 40, 50, 60), DE: five(20, 30, 40, 50, 60), US: five(1, 2, 3, 4, 5)}
    for _ in range(3):
        connection.sweep_stock()
        connection.clock.advance(3600)

    (proposed,) = connection.decisions.of(FailureCode.STOCK_POOL_PROPOSED)
    assert f'Write "eu": ["{UK}", "{DE}"] under inventory.pools' in str(proposed["remedy"])
    assert connection.decisions.of(FailureCode.STOCK_POOL_DOUBTED) == []
    assert found(connection)[f"fba#{DE}#SKU-0"] == 20  # nothing changes by itself


def test_pool_whose_marketplaces_state_different_stock_is_doubted() -> None:
    connection = FakeConnection(stock_policy=StockPolicy(marketplaces=(UK, DE), pools={UK: "eu", DE: "eu"}))
    connection.inventory.stock = {UK: five(20, 30, 40, 50, 60), DE: five(21, 31, 41, 51, 61)}

    connection.sweep_stock()

    (doubted,) = connection.decisions.of(FailureCode.STOCK_POOL_DOUBTED)
    assert "Amazon.co.uk, Amazon.de are in the pool eu" in str(doubted["remedy"])


def test_marketplaces_that_two_runs_read_are_compared_too(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: five(20, 30, 40, 50, 60), DE: five(20, 30, 40, 50, 60), US: [[]]}
    connection.inventory.faults = [None, AmazonThrottled("getInventorySummaries", 429, "QuotaExceeded")] * 4
    connection.sweep_stock(connection.clock.now() + timedelta(seconds=2))
    assert connection.decisions.of(FailureCode.STOCK_POOL_PROPOSED) == []

    connection.clock.advance(3600)
    connection.inventory.faults = []
    connection.sweep_stock()

    assert len(connection.decisions.of(FailureCode.STOCK_POOL_PROPOSED)) == 1


def test_marketplace_that_was_not_read_to_its_end_is_not_compared() -> None:
    connection = FakeConnection(stock_policy=StockPolicy(marketplaces=(UK, DE)))
    connection.inventory.stock = {UK: five(20, 30, 40, 50, 60), DE: five(20, 30, 40, 50, 60)}
    connection.inventory.constant_token = "always-this-one"

    connection.sweep_stock()

    assert connection.decisions.of(FailureCode.STOCK_POOL_PROPOSED) == []


def test_marketplaces_that_were_read_on_different_days_are_not_compared(connection: FakeConnection) -> None:
    two_pages = [*five(20, 30, 40, 50, 60), [summary("OTHER")]]
    connection.inventory.stock = {UK: two_pages, DE: five(1, 2, 3, 4, 5), US: [[]]}
    connection.sweep_stock()
    connection.clock.advance(24 * 3600)
    connection.inventory.stock[DE] = five(20, 30, 40, 50, 60)
    connection.inventory.faults = [None, AmazonUnavailable("getInventorySummaries", 400, "InvalidInput")] * 4  # UK's

    connection.sweep_stock(connection.clock.now() + timedelta(minutes=5))

    assert len(connection.decisions.of(FailureCode.STOCK_SWEEP_INCOMPLETE)) == 1
    assert connection.decisions.of(FailureCode.STOCK_POOL_PROPOSED) == []


def test_sweep_writes_levels_and_cursors_of_its_own_only(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: five(20, 30, 40, 50, 60), DE: five(20, 30, 40, 50, 60), US: [[]]}

    connection.sweep_stock()

    rows = {row.sk for row in connection.store.table.written if not row.sk.startswith("STOCK#")}
    samples = {f"CURSOR#stock-sample#{each}" for each in (UK, DE, US)}
    assert rows == {"CURSOR#sweep#inventory", "CURSOR#quota#getInventorySummaries", *samples}
