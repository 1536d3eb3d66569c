"""What was taken off an order and given back is in the books once: of open invoices, and after a reinstatement."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import NotBookedReason
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.domain.planning.reversals import DecidedRefunds
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from fakes.order_life import PAYING, SHIPPED, cancelled, tea, version
from fakes.orders import breakdown, item
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.desired_documents import MINUTE, desired_invoice
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


def test_refund_that_a_frozen_worker_decides_after_the_open_invoice_was_voided_is_not_credited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection, in_time = open_invoice(), DecidedRefundsStore.replace

    def too_late(decisions: DecidedRefundsStore, *decision: Any) -> bool:
        monkeypatch.setattr(DecidedRefundsStore, "replace", in_time)
        connection.update(cancelled(2))
        return in_time(decisions, *decision)

    monkeypatch.setattr(DecidedRefundsStore, "replace", too_late)
    connection.refund(money_back("10.00"))
    connection.clock.advance(3600)
    record = connection.plan_refund("T1")

    assert connection.xero.invoice("A")["Status"] == "VOIDED"
    assert connection.xero.books["CreditNotes"] == {}
    assert (record.state, record.reason) == (TransactionState.NOT_BOOKED, NotBookedReason.SALE_NOT_INVOICED)


def test_refund_is_not_decided_from_invoices_that_the_order_s_plan_is_about_to_void() -> None:
    decided = DecidedRefunds().without_invoice("A", NOON + MINUTE)

    assert decided.is_voided_since([desired_invoice("A")])
    assert not decided.is_voided_since([desired_invoice("A", minutes=1)])


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


# --- invoices of several shipments ------------------------------------------------------------------------------------


def two_items(one: str, two: str, day: int, *shipped: str) -> Json:
    """Return a version of an order of ONE and TWO at these prices, of which so much has shipped, each by itself."""
    items = [tea(one, item_id="ONE", sku="ONE"), tea(two, item_id="TWO", sku="TWO")]
    packages = [
        {
            "packageReferenceId": item_id,
            "shipTime": f"2026-11-0{place}T10:00:00Z",
            "packageItems": [{"orderItemId": item_id, "quantity": 1}],
        }
        for place, item_id in enumerate(shipped, 1)
    ]
    status = "SHIPPED" if len(shipped) == len(items) else "PARTIALLY_SHIPPED"
    return version(day, *items, status=status, packages=packages)


def invoiced_by_shipment(first: Json) -> RefundingConnection:
    """Return a connection with an open invoice for each shipment of an order."""
    return RefundingConnection(first, policy=replace(without_clearing(), invoice_per=InvoicePer.SHIPMENT))


def refund_of_one(amount: str) -> Json:
    return refund("T1", item_refund("ONE", OurPricePrincipal=f"-{amount}"))


def test_what_moves_to_another_shipment_is_not_taken_off_the_order() -> None:
    connection = invoiced_by_shipment(two_items("10.00", "6.00", 3, "ONE", "TWO"))
    connection.update(two_items("6.00", "10.00", 4, "ONE", "TWO"))
    assert [connection.xero.invoice(number)["Total"] for number in ("A", "A-S2")] == [Decimal(6), Decimal(10)]

    connection.refund(refund_of_one("4.00"))

    assert connection.note("A-RFT1").desired.total == Decimal(4)
    assert connection.balance() == Decimal(12)


def test_what_moves_to_a_shipment_that_is_new_is_not_taken_off_the_order() -> None:
    connection = invoiced_by_shipment(two_items("10.00", "6.00", 3, "ONE"))
    connection.update(two_items("6.00", "10.00", 4, "ONE", "TWO"))

    connection.refund(refund_of_one("4.00"))

    assert connection.note("A-RFT1").desired.total == Decimal(4)
    assert connection.balance() == Decimal(12)


def test_what_falls_while_the_rest_ships_is_taken_off_the_order() -> None:
    connection = invoiced_by_shipment(two_items("10.00", "6.00", 3, "ONE"))
    connection.update(two_items("6.00", "6.00", 4, "ONE", "TWO"))

    record = connection.refund(refund_of_one("4.00"))

    assert record.reason == NotBookedReason.ALREADY_CREDITED
    assert connection.balance() == Decimal(12)


def test_only_what_falls_beyond_what_moves_is_taken_off_the_order() -> None:
    connection = invoiced_by_shipment(two_items("10.00", "6.00", 3, "ONE", "TWO"))
    connection.update(two_items("6.00", "7.00", 4, "ONE", "TWO"))

    connection.refund(refund_of_one("4.00"))

    assert connection.note("A-RFT1").desired.total == Decimal(1)
    assert connection.balance() == Decimal(12)


def test_what_moved_counts_once_although_the_plan_is_interrupted_and_made_again() -> None:
    connection = invoiced_by_shipment(two_items("10.00", "6.00", 3, "ONE", "TWO"))
    before = connection.document()
    connection.update(two_items("6.00", "10.00", 4, "ONE", "TWO"), posts=False)
    # The request for the second invoice was stored and posted, that for the first one was not.
    connection.store.save([replace(before, generation=connection.document().generation)])
    connection.post()
    connection.store.save([connection.record().plan_at(connection.clock.now())])
    connection.plan_shipments("A")
    connection.plan_drafts("A")
    connection.post()
    assert connection.xero.invoice("A")["Total"] == Decimal(6)

    connection.refund(refund_of_one("4.00"))

    assert connection.balance() == Decimal(12)


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
