"""What was taken off an order and given back is in the books once: of open invoices, and after a reinstatement."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import NotBookedReason
from amazon_to_xero.ports.amazon import Json
from fakes.order_life import PAYING, SHIPPED, cancelled, tea, version
from fakes.orders import breakdown, item
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection, without_clearing

REDUCED = version(2, tea("6.00"))


def money_back(amount: str, transaction_id: str = "T1") -> Json:
    return refund(transaction_id, item_refund(OurPricePrincipal=f"-{amount}"))


def open_invoice() -> RefundingConnection:
    """Return a connection with an invoice of 10.00 that nothing pays."""
    return RefundingConnection(SHIPPED, policy=without_clearing())


def failed(connection: RefundingConnection) -> list[str]:
    return [letter.reason for letters in connection.dead_letters.values() for letter in letters.letters]


# --- an open invoice --------------------------------------------------------------------------------------------------


def test_open_invoice_is_reduced_and_its_refund_then_credits_nothing() -> None:
    connection = open_invoice()
    connection.update(REDUCED)
    assert connection.xero.invoice("A")["Total"] == Decimal(6)

    record = connection.refund(money_back("4.00"))

    assert (record.state, record.reason) == (TransactionState.NOT_BOOKED, NotBookedReason.ALREADY_CREDITED)
    assert connection.balance() == Decimal(6)


def test_open_invoice_is_refunded_and_its_reduction_then_changes_nothing() -> None:
    connection = open_invoice()
    connection.refund(money_back("4.00"))

    connection.update(REDUCED)

    assert connection.xero.invoice("A")["Total"] == Decimal(10)
    assert connection.xero.invoice("A")["AmountDue"] == Decimal(6)
    assert (connection.balance(), failed(connection)) == (Decimal(6), [])


def test_refund_of_more_than_the_reduction_credits_the_rest() -> None:
    connection = open_invoice()
    connection.update(REDUCED)

    connection.refund(money_back("5.00"))
    connection.refund(money_back("2.00", "T2"))

    assert connection.note("A-RFT1").desired.total == Decimal(1)
    assert connection.note("A-RFT2").desired.total == Decimal(2)
    assert connection.balance() == Decimal(3)


def test_reduction_of_more_than_the_refund_is_credited_by_an_adjustment() -> None:
    connection = open_invoice()
    connection.refund(money_back("3.00"))

    connection.update(REDUCED)

    assert connection.note("A-A1").desired.total == Decimal(1)
    assert (connection.balance(), failed(connection)) == (Decimal(6), [])


def test_open_invoice_that_is_reduced_and_rises_again_is_credited_by_its_next_refund() -> None:
    connection = open_invoice()
    connection.update(REDUCED)
    connection.update(version(3, tea("10.00")))

    connection.refund(money_back("4.00"))

    assert connection.balance() == Decimal(6)


def test_open_invoice_that_was_refunded_is_credited_when_its_order_is_cancelled() -> None:
    connection = open_invoice()
    connection.refund(money_back("4.00"))

    connection.update(cancelled(2))

    assert (connection.balance(), failed(connection)) == (Decimal(0), [])


def test_reduction_is_counted_once_although_the_plan_is_interrupted_and_made_again() -> None:
    connection = open_invoice()
    before = connection.document()
    connection.update(REDUCED, posts=False)
    # What the reduction means for refunds was stored, and the request for the invoice was not.
    connection.store.save([replace(before, generation=connection.document().generation)])
    connection.store.save([connection.record().plan_at(connection.clock.now())])
    connection.plan_drafts("A")
    connection.post()
    assert connection.xero.invoice("A")["Total"] == Decimal(6)

    record = connection.refund(money_back("5.00"))

    assert record.state is TransactionState.PLANNED
    assert connection.note("A-RFT1").desired.total == Decimal(1)


def test_later_payment_is_of_what_an_allocation_has_left() -> None:
    connection = open_invoice()
    connection.refund(money_back("4.00"))

    connection.change_policy(PAYING)
    connection.update(version(2, tea("10.00"), programs=["PRIME"]))

    payment = connection.document("A", DocumentKind.PAYMENT)
    assert (payment.desired.body["Amount"], payment.state) == (Decimal(6), DocumentState.APPLIED)
    assert connection.xero.invoice("A")["AmountDue"] == 0
    assert failed(connection) == []


def test_invoice_that_an_allocation_pays_in_full_has_no_payment() -> None:
    connection = open_invoice()
    connection.refund(money_back("10.00"))

    connection.change_policy(PAYING)
    connection.update(version(2, tea("10.00"), programs=["PRIME"]))

    assert connection.held(DocumentKind.PAYMENT, "A") is None
    assert failed(connection) == []


# --- a reinstated order -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_back", ["4.00", "10.00"])
def test_refund_after_a_reinstatement_is_credited(given_back: str) -> None:
    connection = RefundingConnection(SHIPPED)
    connection.update(cancelled(2))
    connection.update(version(3, tea()))
    assert connection.balance() == Decimal(10)

    record = connection.refund(money_back(given_back))

    assert record.state is TransactionState.PLANNED
    assert connection.balance() == Decimal(10) - Decimal(given_back)


def test_refund_of_the_cancellation_that_comes_before_the_reinstatement_credits_nothing() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.update(cancelled(2))
    connection.refund(money_back("10.00"))
    connection.update(version(3, tea()))
    assert connection.balance() == Decimal(10)

    connection.refund(money_back("4.00", "T2"))
    connection.update(version(4, tea("6.00")))

    assert connection.balance() == Decimal(6)


def test_what_is_added_elsewhere_brings_nothing_back() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.update(REDUCED)
    connection.update(version(3, tea("6.00"), tip="2.00"))

    record = connection.refund(money_back("4.00"))

    assert record.reason == NotBookedReason.ALREADY_CREDITED
    assert connection.balance() == Decimal(8)


def test_discount_that_a_refund_had_credited_comes_back_on_the_line_of_its_item() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.refund(money_back("3.00"))
    discounted = item("7.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-3.00"))
    connection.update(version(2, discounted))
    assert connection.balance() == Decimal(7)

    connection.update(version(3, tea()))

    assert (connection.balance(), failed(connection)) == (Decimal(10), [])
    (line,) = connection.xero.invoice("A-A1")["LineItems"]
    assert (line["AccountCode"], line["Quantity"] * line["UnitAmount"]) == ("200", Decimal(3))
