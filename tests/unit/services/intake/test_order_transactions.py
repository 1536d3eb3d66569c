"""The transactions of one order, read because a person asks: however old, and without writing what is known."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.notification import parse_transaction_update
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.ports.amazon import AmazonThrottled
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.services.intake.order_transactions import ASKED, MAX_ASKED, TooManyOrders
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.services.amazon_orders import MINUTE, shipped_order
from unit.services.planning.refunding_connection import RefundingConnection

LONG_AGO = NOON - timedelta(days=300)


def connection_with(*transactions: dict[str, object]) -> RefundingConnection:
    connection = RefundingConnection(shipped_order("A"))
    connection.amazon.transactions = list(transactions)
    return connection


def ask(connection: RefundingConnection, *order_ids: str) -> None:
    """Send what `resync` sends to the refunds queue."""
    bodies = [json.dumps({"reprocess": {"connection": "main", "source": f"order#{each}"}}) for each in order_ids]
    CAPABILITIES[REFUNDS].record(connection.connection.services, list(map(parse_transaction_update, bodies)))


def work(connection: RefundingConnection) -> None:
    for _ in range(3):
        connection.clock.advance(60)
        connection.connection.worker.run("worker", connection.clock.now() + MINUTE)


def test_old_refund_that_no_sweep_has_read_is_found_by_its_order() -> None:
    connection = connection_with(refund("R1", item_refund(Tax="-1.00", OurPricePrincipal="-5.00"), posted=LONG_AGO))

    ask(connection, "A")
    work(connection)

    assert connection.transaction("R1").order_id == "A"
    assert connection.store.cursor(ASKED).data == {}


def test_transactions_of_other_orders_are_not_read() -> None:
    connection = connection_with(refund("R2", item_refund(OurPricePrincipal="-5.00"), order_id="B", posted=LONG_AGO))

    ask(connection, "A")
    work(connection)

    assert connection.store.load(TransactionRecord, ["R2"]) == {}


def test_refund_that_stands_is_planned_again_and_nothing_is_written_to_xero() -> None:
    raw = refund("R1", item_refund(OurPricePrincipal="-5.00"), posted=NOON - timedelta(hours=1))
    connection = connection_with(raw)
    ask(connection, "A")
    work(connection)
    assert connection.transaction("R1").state is TransactionState.PLANNED
    writes, planned = len(connection.xero.writes()), connection.transaction("R1").generation

    ask(connection, "A")
    work(connection)

    assert len(connection.xero.writes()) == writes
    assert connection.transaction("R1").generation > planned


def test_read_that_amazon_throttles_continues_later() -> None:
    connection = connection_with(refund("R1", item_refund(OurPricePrincipal="-5.00"), posted=LONG_AGO))
    ask(connection, "A")
    connection.amazon.faults = [AmazonThrottled("listTransactions", 429, "QuotaExceeded")]

    connection.connection.services.order_transactions.read_due((), connection.clock.now() + MINUTE)
    assert list(connection.store.cursor(ASKED).data) == ["A"]
    work(connection)

    assert connection.store.cursor(ASKED).data == {}
    assert connection.transaction("R1").order_id == "A"


def test_no_more_orders_are_asked_for_than_one_row_holds() -> None:
    connection = connection_with()
    ask(connection, *(f"{number:03}-0000001-0000001" for number in range(MAX_ASKED)))

    with pytest.raises(TooManyOrders):
        ask(connection, "A")
