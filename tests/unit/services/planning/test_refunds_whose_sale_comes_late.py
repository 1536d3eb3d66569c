"""Refunds that failed for want of their sale: entered by themselves within the hour in which the sale is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.notification import parse_transaction_update
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason
from amazon_to_xero.ports.amazon import Json
from fakes.order_life import DRAFT, PAYING, SHIPPED, cancelled, tea, version
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOWHERE = replace(PAYING, marketplaces=frozenset())
WITHOUT_SALE = (TransactionState.FAILED, FailureCode.REFUND_WITHOUT_SALE)
ENTERED = (TransactionState.PLANNED, "")
PARTLY = version(1, tea(), tea(item_id="2", sku="MUG"), status="PARTIALLY_SHIPPED")


def money_back(transaction_id: str = "T1", order_id: str = "A") -> Json:
    return refund(transaction_id, item_refund(OurPricePrincipal="-4.00"), order_id=order_id)


def outcome(record: TransactionRecord) -> tuple[TransactionState, str]:
    return record.state, record.reason


def hours_pass(connection: RefundingConnection, hours: int = 1) -> None:
    """Run the hourly sweep of the refunds function so many times, and what the resume function does after it."""
    worker = connection.connection.worker
    for _ in range(hours):
        connection.clock.advance(HOUR.total_seconds())
        worker.sweep(REFUNDS, "sweep", connection.clock.now() + timedelta(minutes=1))
        worker.run("resume", connection.clock.now() + timedelta(minutes=1))


def told(connection: RefundingConnection) -> list[str]:
    """Return the reasons of the dead letters of T1."""
    return [letter.reason for letter in connection.dead_letters[REFUNDS].letters if "#T1" in letter.body]


def failed_refund(connection: RefundingConnection, raw: Json | None = None) -> RefundingConnection:
    """Let a refund wait for its sale until it fails."""
    raw = raw or money_back()
    connection.refund(raw)
    connection.clock.advance(3 * DAY.total_seconds())
    assert outcome(connection.plan_refund(raw["transactionId"])) == WITHOUT_SALE
    return connection


def refund_of_a_failed_order() -> RefundingConnection:
    connection = RefundingConnection(policy=NOWHERE)
    connection.update(SHIPPED)
    return failed_refund(connection)


def test_refund_is_credited_within_the_hour_after_its_failed_order_was_corrected() -> None:
    connection = refund_of_a_failed_order()
    connection.change_policy(PAYING)
    connection.update(version(2, tea()))

    hours_pass(connection)

    assert outcome(connection.transaction("T1")) == ENTERED
    assert connection.xero.credit_note("A-RFT1")["Total"] == Decimal("4.00")
    assert connection.balance() == Decimal("6.00")


def test_dead_letter_that_is_left_behind_writes_nothing_when_it_is_sent_again() -> None:
    connection = refund_of_a_failed_order()
    connection.change_policy(PAYING)
    connection.update(version(2, tea()))
    hours_pass(connection)
    (letter,) = connection.dead_letters[REFUNDS].letters
    written = len(connection.xero.writes())

    connection.connection.services.transaction_notices.record([parse_transaction_update(letter.body)])
    hours_pass(connection)

    assert outcome(connection.transaction("T1")) == ENTERED
    assert len(connection.xero.writes()) == written
    assert told(connection) == ["REFUND_WITHOUT_SALE"]


def test_refund_of_an_order_that_ships_after_days_is_credited() -> None:
    connection = failed_refund(RefundingConnection(DRAFT))
    hours_pass(connection)
    assert outcome(connection.transaction("T1")) == WITHOUT_SALE

    connection.update(SHIPPED)
    hours_pass(connection)

    assert outcome(connection.transaction("T1")) == ENTERED


def test_refund_is_credited_once_xero_accepts_the_invoice_that_it_had_refused() -> None:
    connection = RefundingConnection()
    connection.xero.refusals["A"] = ("Account code '200' has been archived, or has been deleted",)
    connection.update(SHIPPED)
    failed_refund(connection)
    hours_pass(connection)
    assert outcome(connection.transaction("T1")) == WITHOUT_SALE

    connection.xero.refusals.clear()
    connection.update(version(2, tea()))
    hours_pass(connection)

    assert outcome(connection.transaction("T1")) == ENTERED


def test_refund_of_an_order_that_turns_out_cancelled_is_explained() -> None:
    connection = failed_refund(RefundingConnection())
    connection.update(cancelled(1))

    hours_pass(connection)

    assert outcome(connection.transaction("T1")) == (TransactionState.NOT_BOOKED, NotBookedReason.SALE_NOT_INVOICED)


def test_refund_whose_sale_does_not_come_is_neither_written_nor_told_again() -> None:
    connection = refund_of_a_failed_order()
    rows, logged = connection.store.writes("TRANSACTION#"), len(connection.decisions.of("FAILED"))

    hours_pass(connection, 7 * 24)

    assert outcome(connection.transaction("T1")) == WITHOUT_SALE
    assert connection.store.writes("TRANSACTION#") == rows
    assert len(connection.decisions.of("FAILED")) == logged
    assert told(connection) == ["REFUND_WITHOUT_SALE"]


@pytest.mark.parametrize("sold", [PARTLY, SHIPPED])
def test_refund_that_would_wait_again_stays_with_the_person(sold: Json) -> None:
    connection = failed_refund(RefundingConnection())
    if sold is SHIPPED:
        connection.update(SHIPPED)
        connection.correct(CorrectionKind.SKIP)
        connection.plan_shipments("A")
    else:
        connection.update(PARTLY)

    hours_pass(connection, 4 * 24)

    assert outcome(connection.transaction("T1")) == WITHOUT_SALE
    assert told(connection) == ["REFUND_WITHOUT_SALE"]


def test_each_of_many_is_found_and_refunds_that_failed_otherwise_are_left() -> None:
    connection = RefundingConnection(policy=NOWHERE)
    orders = [f"A{n:03}" for n in range(103)]
    for order_id in orders:
        connection.transact(money_back(f"T{order_id}", order_id), posts=False)
    connection.transact(refund("OTHER", item_refund("NOT-SOLD", OurPricePrincipal="-4.00"), order_id="A000"))
    connection.clock.advance(3 * DAY.total_seconds())
    connection.plan_refunds()
    assert {outcome(each) for each in connection.transactions.values()} == {WITHOUT_SALE}
    connection.change_policy(PAYING)
    connection.update(*(version(1, tea()) | {"orderId": order_id} for order_id in orders))

    hours_pass(connection, 5)

    assert {outcome(connection.transaction(f"T{order_id}")) for order_id in orders} == {ENTERED}
    assert outcome(connection.transaction("OTHER")) == (TransactionState.FAILED, FailureCode.REFUND_ITEM_UNKNOWN)


def test_sweep_without_such_refunds_costs_one_query_and_no_row() -> None:
    connection = RefundingConnection(SHIPPED)
    failed_refunds = connection.connection.services.failed_refunds
    reads, rows = connection.store.table.reads, connection.store.writes()

    assert failed_refunds.plan_again(connection.clock.now() + HOUR).records == 0

    assert (connection.store.table.reads, connection.store.writes()) == (reads, rows)
