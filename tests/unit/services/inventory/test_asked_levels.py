"""A person has one stock level read again, whatever characters its SKU has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.stock_statements import parse_stock_notification
from amazon_to_xero.domain.failures import Failure, FailureCode, WaitReason
from amazon_to_xero.domain.stock.policy import StockPolicy, Thresholds
from amazon_to_xero.ports.amazon import AmazonUnavailable
from fakes.connection import FakeConnection
from fakes.stock import DE, FR, UK, summary

POLICY = StockPolicy(marketplaces=(UK, DE), pools={DE: "eu", FR: "eu"}, low=Thresholds(10))
SKU = "KID'S MUG, red #1"


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection(stock_policy=POLICY)


def asks(source: str) -> dict[str, Any]:
    return {"reprocess": {"connection": "main", "source": source}}


def ask(connection: FakeConnection, source: str) -> None:
    """Send the message, and do what the function does with it."""
    named = connection.notice_stock(asks(source))
    worker = connection.connection.alert_workers["inventory_alerts"]
    worker.run("a run", connection.clock.now().replace(hour=13), named)


def test_level_is_read_at_once_by_its_sku(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary(SKU, 30)]]}

    ask(connection, f"stock#fba#{UK}#{SKU}")

    assert connection.inventory.skus == [SKU]
    connection.clock.advance(POLICY.collect.total_seconds())
    connection.send_alerts()
    latest = connection.stock(f"fba#{UK}#{SKU}").latest
    assert latest is not None
    assert latest.quantities.fulfillable == 30


def test_level_of_a_pool_is_read_where_amazon_has_it(connection: FakeConnection) -> None:
    connection.inventory.stock = {FR: [[summary(SKU, 30)]]}

    ask(connection, f"stock#fba#eu#{SKU}")

    assert [marketplace for marketplace, _ in connection.inventory.calls] == [DE, FR]
    assert connection.stock(f"fba#eu#{SKU}").collected


def test_level_that_amazon_does_not_state_is_reported_and_not_asked_for_again(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[]]}

    ask(connection, f"stock#fba#{UK}#{SKU}")
    connection.sweep_stock()

    (reported,) = connection.decisions.of(FailureCode.STOCK_NOT_STATED)
    assert f"states no stock of fba#{UK}#{SKU}" in str(reported["remedy"])
    assert connection.inventory.skus == [SKU]


def test_merchants_own_stock_cannot_be_read(connection: FakeConnection) -> None:
    ask(connection, f"stock#merchant#DEFAULT#{SKU}")

    assert "asked: no marketplace" in str(connection.decisions.of(FailureCode.STOCK_NOT_STATED))
    assert connection.inventory.calls == []


def test_level_that_amazon_does_not_answer_for_is_read_with_the_next_sweep(connection: FakeConnection) -> None:
    connection.inventory.stock = {UK: [[summary(SKU, 30)]], DE: [[]]}
    connection.inventory.faults = [AmazonUnavailable("getInventorySummaries", 503, "ServiceUnavailable")]
    ask(connection, f"stock#fba#{UK}#{SKU}")
    assert connection.decisions.of("WORK_STOPPED")[0]["reason"] == WaitReason.AMAZON_UNAVAILABLE

    worker = connection.connection.alert_workers["inventory_alerts"]
    worker.sweep("a run", connection.clock.now().replace(hour=13))

    assert connection.inventory.skus == [SKU, SKU]
    assert connection.store.cursor("asked#stock").data == {}


@pytest.mark.parametrize("source", ["order#1", "stock#fba#MUG", "stock#warehouse#x#MUG", "stock#fba#x#\ud800", 7])
def test_message_that_names_no_level_is_refused_with_what_it_should_be(source: Any) -> None:
    with pytest.raises(Failure, match="stock#fba#<marketplace or pool>#<SKU>"):
        parse_stock_notification(json.dumps(asks(source)))
