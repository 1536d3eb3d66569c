"""Refunds and their sale: what a refund waits for, how its credit note is settled, and what is credited only once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.numbering import refund_number
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason, WaitReason
from amazon_to_xero.domain.planning.policy import InvoicePer, MarketplacePolicy, Payments
from amazon_to_xero.ports.amazon import Json
from fakes.order_life import (
    CANADIAN,
    DRAFT,
    ORGANISATION_WITH_CLEARING,
    PAYING,
    SHIPPED,
    canadian_item,
    cancelled,
    tea,
    version,
)
from fakes.orders import UK, US, breakdown, item
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.services.planning.refunding_connection import RefundingConnection, without_clearing

NOTE = "A-RFT1"


def money_back(amount: str, transaction_id: str = "T1", **more: object) -> Json:
    return refund(transaction_id, item_refund(OurPricePrincipal=f"-{amount}"), **more)  # type: ignore[arg-type]


# --- waiting for the sale ---------------------------------------------------------------------------------------------


def test_refund_of_an_unknown_order_has_it_read_and_waits() -> None:
    connection = RefundingConnection()

    record = connection.refund(money_back("4.00"))

    assert (record.state, record.reason) == (TransactionState.RECORDED, WaitReason.WAITING_FOR_SALE)
    assert record.next_attempt_at == connection.clock.now() + timedelta(minutes=1)
    assert connection.asked_for == ["A"]
    connection.update(SHIPPED)
    connection.clock.advance(60)
    assert connection.plan_refund("T1").state is TransactionState.PLANNED
    assert connection.note(NOTE).desired.total == Decimal("4.00")


def test_refund_waits_longer_each_time_and_fails_after_three_days() -> None:
    connection = RefundingConnection()
    record = connection.refund(money_back("4.00"))
    waits = []
    while record.state is TransactionState.RECORDED:
        assert record.next_attempt_at is not None
        wait = record.next_attempt_at - connection.clock.now()
        waits.append(wait / timedelta(minutes=1))
        connection.clock.advance(wait.total_seconds())
        record = connection.plan_refund("T1")

    assert waits[:6] == [1, 5, 15, 60, 60, 60]
    assert sum(waits) >= 3 * 24 * 60
    assert record.reason == FailureCode.REFUND_WITHOUT_SALE
    assert "Order A has not been read from Amazon" in record.remedy
    assert [letter.reason for letter in connection.dead_letters[REFUNDS].letters] == ["REFUND_WITHOUT_SALE"]


def test_refund_waits_for_a_draft_until_the_order_ships() -> None:
    connection = RefundingConnection(DRAFT)

    record = connection.refund(money_back("4.00"))

    assert record.reason == WaitReason.WAITING_FOR_SALE
    assert "has not shipped: invoice A is a draft" in record.remedy
    connection.update(SHIPPED)
    assert connection.plan_refund("T1").state is TransactionState.PLANNED


def test_refund_of_a_failed_order_shows_why_the_order_failed() -> None:
    connection = RefundingConnection(version(1, item("10.00", breakdown("COD_FEE", "10.00"))))
    connection.change_policy(replace(PAYING, marketplaces=frozenset()))
    connection.update(version(2, tea()))

    record = connection.refund(money_back("4.00"))

    assert record.reason == WaitReason.WAITING_FOR_SALE
    assert "Order A failed with UNKNOWN_MARKETPLACE" in record.remedy
    connection.clock.advance(3 * 86400)
    record = connection.plan_refund("T1")
    assert record.reason == FailureCode.REFUND_WITHOUT_SALE
    assert "UNKNOWN_MARKETPLACE" in record.remedy


def test_refund_waits_until_the_invoice_is_in_xero() -> None:
    connection = RefundingConnection()
    connection.update(SHIPPED, posts=False)

    assert connection.refund(money_back("4.00"), posts=False).reason == WaitReason.WAITING_FOR_SALE
    connection.post()
    connection.clock.advance(60)
    assert connection.plan_refund("T1").state is TransactionState.PLANNED


def test_refund_without_an_order_fails() -> None:
    connection = RefundingConnection()

    assert connection.refund(money_back("4.00", order_id="")).reason == FailureCode.REFUND_WITHOUT_SALE


def test_refund_of_a_pending_order_has_it_read_again() -> None:
    connection = RefundingConnection(version(1, tea(), status="PENDING"))

    assert connection.refund(money_back("4.00")).reason == WaitReason.WAITING_FOR_SALE
    assert connection.asked_for == ["A"]


@pytest.mark.parametrize(
    "order",
    [
        cancelled(1),
        version(1, tea(), status="UNFULFILLABLE"),
        version(1, tea(), salesChannel={"channelName": "NON_AMAZON"}),
    ],
)
def test_refund_of_an_order_without_an_invoice_has_no_note(order: Json) -> None:
    connection = RefundingConnection(order)

    record = connection.refund(money_back("4.00"))

    assert (record.state, record.reason) == (TransactionState.NOT_BOOKED, NotBookedReason.SALE_NOT_INVOICED)


def test_fees_alone_have_no_note() -> None:
    connection = RefundingConnection(SHIPPED)

    record = connection.refund(refund("T1", item_refund(Commission="1.00")))

    assert (record.state, record.reason) == (TransactionState.NOT_BOOKED, NotBookedReason.NOTHING_REFUNDED)


def test_refund_in_another_currency_fails() -> None:
    connection = RefundingConnection(SHIPPED)
    raw = refund("T1", item_refund(currency="EUR", OurPricePrincipal="-4.00"), currency="EUR")

    assert connection.refund(raw).reason == FailureCode.REFUND_CURRENCY_DIFFERS


# --- the credit note --------------------------------------------------------------------------------------------------


def test_credit_note_is_the_customers_and_names_the_sale() -> None:
    connection = RefundingConnection(SHIPPED)

    record = connection.refund(money_back("4.00", posted=datetime(2026, 11, 20, 23, 30, tzinfo=UTC)))

    note, sale = connection.note(NOTE), connection.document()
    assert note.desired.references == sale.desired.references
    assert note.desired.body["Reference"] == "Amazon.co.uk A"
    assert note.desired.body["Date"] == "2026-11-20"
    assert (note.desired.source, note.desired.capability, note.desired.order_id) == ("transaction#T1", REFUNDS, "A")
    assert note.desired.source_version == record.posted_at
    assert (record.credit_note_number, record.documents) == (
        NOTE,
        ("credit_note#A-RFT1", "credit_note_refund#A-RFT1"),
    )


def test_day_is_that_of_the_organisation() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.xero.settings = replace(connection.xero.settings, time_zone="Asia/Tokyo")
    connection.clock.advance(13 * 3600)

    connection.refund(money_back("4.00", posted=datetime(2026, 11, 20, 23, 30, tzinfo=UTC)))

    assert connection.note(NOTE).desired.body["Date"] == "2026-11-21"


def test_refund_of_a_locked_day_is_dated_on_the_first_open_day() -> None:
    connection = RefundingConnection(SHIPPED, policy=replace(PAYING, lock_dates=LockDates.NEXT_OPEN_DAY))
    lock(connection, date(2026, 11, 22))

    connection.refund(money_back("4.00", posted=NOON - timedelta(days=3)))

    body = connection.note(NOTE).desired.body
    assert (body["Date"], body["Reference"]) == ("2026-11-23", "Amazon.co.uk A · of 2026-11-20")


def test_refund_of_a_locked_day_fails_where_it_is_to_be_held() -> None:
    connection = RefundingConnection(SHIPPED)
    lock(connection, date(2026, 11, 22))

    assert connection.refund(money_back("4.00", posted=NOON - timedelta(days=3))).reason == FailureCode.PERIOD_LOCKED


def lock(connection: RefundingConnection, until: date) -> None:
    connection.xero.settings = replace(connection.xero.settings, period_lock=until)
    connection.clock.advance(13 * 3600)  # the organisation is read again


def test_accounts_are_those_of_the_sale_whatever_the_settings_say_by_now() -> None:
    connection = RefundingConnection(SHIPPED)
    charges = dict.fromkeys(PAYING.accounts.charges, "210")
    connection.change_policy(replace(PAYING, accounts=replace(PAYING.accounts, charges=charges)))

    connection.refund(money_back("4.00"))

    assert connection.lines(NOTE) == [("200", "OUTPUT2", "4.00")]


def test_planning_again_changes_nothing() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.refund(money_back("4.00"))
    before, writes = connection.note(NOTE), len(connection.xero.writes())

    connection.reprocess("T1")

    assert connection.note(NOTE) == before
    assert len(connection.xero.writes()) == writes


def test_note_that_somebody_voided_is_entered_again_on_request() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.refund(money_back("4.00"))
    note = connection.note(NOTE)
    connection.store.save([note.failed(FailureCode.VOIDED_IN_XERO, "")])

    record = connection.reprocess("T1")

    assert record.credit_note_number == f"{NOTE}-R1"
    assert connection.note(f"{NOTE}-R1").desired.total == Decimal("4.00")


def test_two_transactions_whose_ids_begin_alike_have_numbers_of_their_own() -> None:
    assert refund_number("A", "34358aeeed29") == "A-RF34358aee"
    connection = RefundingConnection(SHIPPED)

    records = [connection.refund(money_back("2.00", f"34358aee-{n}")) for n in (1, 2)]

    assert [each.credit_note_number for each in records] == ["A-RF34358aee", "A-RF34358aee-R1"]


# --- how it is settled ------------------------------------------------------------------------------------------------


def test_refund_of_a_paid_sale_is_paid_out_of_clearing() -> None:
    connection = RefundingConnection(SHIPPED)

    connection.refund(money_back("4.00"))

    payment = connection.document(NOTE, DocumentKind.CREDIT_NOTE_REFUND)
    assert payment.state is DocumentState.APPLIED
    assert (payment.desired.body["Account"], payment.desired.body["Amount"]) == ({"Code": "CLR-GBP"}, Decimal(4))
    assert connection.held(DocumentKind.ALLOCATION, NOTE) is None


def test_refund_of_an_open_invoice_is_allocated_to_it() -> None:
    connection = RefundingConnection(SHIPPED, policy=without_clearing())

    connection.refund(money_back("4.00"))

    allocation = connection.document(NOTE, DocumentKind.ALLOCATION)
    desired = allocation.desired
    assert allocation.state is DocumentState.APPLIED
    assert connection.xero.invoice("A")["AmountDue"] == Decimal(6)
    assert desired.body == {"Amount": Decimal(4), "Date": "2026-11-23"}
    assert desired.references == {
        "CreditNote.CreditNoteID": f"credit_note#{NOTE}",
        "Invoice.InvoiceID": "invoice#A",
    }
    assert connection.held(DocumentKind.CREDIT_NOTE_REFUND, NOTE) is None


def test_what_the_open_invoice_has_no_room_for_is_paid_out_where_there_is_a_clearing_account() -> None:
    connection = RefundingConnection(SHIPPED, policy=without_clearing())
    connection.refund(money_back("7.00"))
    connection.change_policy(PAYING)

    connection.refund(money_back("5.00", "T2"))

    assert connection.document("A-RFT2", DocumentKind.ALLOCATION).desired.body["Amount"] == Decimal(3)
    assert connection.document("A-RFT2", DocumentKind.CREDIT_NOTE_REFUND).desired.body["Amount"] == Decimal(2)


def test_what_the_open_invoice_has_no_room_for_stays_a_credit_without_a_clearing_account() -> None:
    connection = RefundingConnection(SHIPPED, policy=without_clearing())

    connection.refund(money_back("12.00"))

    assert connection.document(NOTE, DocumentKind.ALLOCATION).desired.body["Amount"] == Decimal(10)
    assert connection.held(DocumentKind.CREDIT_NOTE_REFUND, NOTE) is None


def test_refund_is_allocated_to_what_the_credit_note_of_a_locked_invoice_has_left_open() -> None:
    connection = RefundingConnection(SHIPPED, policy=without_clearing())
    locked = replace(ORGANISATION_WITH_CLEARING, period_lock=date(2026, 11, 20), read_at=connection.clock.now())
    connection.xero.settings = locked
    connection.clock.advance(13 * 3600)  # the organisation is read again
    connection.update(version(22, tea("7.50")))
    assert connection.document("A-A1", DocumentKind.ALLOCATION).desired.body["Amount"] == Decimal("2.5")

    connection.refund(money_back("12.00"))

    assert connection.document(NOTE, DocumentKind.ALLOCATION).desired.body["Amount"] == Decimal("7.5")
    assert connection.xero.invoice("A")["AmountDue"] == 0


def test_refund_is_allocated_where_the_settings_pay_no_invoices_of_its_marketplace() -> None:
    unpaid = replace(PAYING, by_marketplace={UK: MarketplacePolicy(payments=Payments.NONE)})
    connection = RefundingConnection(SHIPPED, policy=unpaid)
    assert connection.xero.invoice("A")["AmountDue"] == 10
    assert connection.held(DocumentKind.PAYMENT, "A") is None

    connection.refund(money_back("12.00"))

    assert connection.document(NOTE, DocumentKind.ALLOCATION).desired.body["Amount"] == Decimal(10)
    assert connection.held(DocumentKind.CREDIT_NOTE_REFUND, NOTE) is None
    assert connection.xero.invoice("A")["AmountDue"] == 0


def test_sale_and_its_refund_are_settled_from_clearing_where_only_another_marketplace_is_not_paid() -> None:
    policy = replace(PAYING, by_marketplace={US: MarketplacePolicy(payments=Payments.NONE)})
    connection = RefundingConnection(SHIPPED, policy=policy)

    connection.refund(money_back("4.00"))

    assert connection.document("A", DocumentKind.PAYMENT).desired.body["Amount"] == 10
    assert connection.document(NOTE, DocumentKind.CREDIT_NOTE_REFUND).desired.body["Amount"] == 4


def test_refund_of_an_order_with_an_invoice_for_each_shipment_takes_lines_of_both() -> None:
    items = [tea("4.00", item_id="1", sku="ONE"), tea("6.00", item_id="2", sku="TWO")]
    packages = [package("1", 2), package("2", 3)]
    first = version(2, *items, status="PARTIALLY_SHIPPED", packages=packages[:1])
    policy = replace(without_clearing(), invoice_per=InvoicePer.SHIPMENT)
    connection = RefundingConnection(first, policy=policy)
    connection.update(version(3, *items, packages=packages))

    connection.refund(
        refund("T1", item_refund("ONE", OurPricePrincipal="-4.00"), item_refund("TWO", OurPricePrincipal="-1.50")),
        posts=False,
    )

    assert connection.lines(NOTE) == [("200", "OUTPUT2", "4.00"), ("200", "OUTPUT2", "1.50")]
    allocated = connection.document(NOTE, DocumentKind.ALLOCATION).desired
    assert allocated.references["Invoice.InvoiceID"] == "invoice#A-S2"
    assert allocated.body["Amount"] == Decimal("5.50")


def package(item_id: str, day: int) -> Json:
    return {
        "packageReferenceId": item_id,
        "shipTime": f"2026-11-{day:02}T10:00:00Z",
        "packageItems": [{"orderItemId": item_id, "quantity": 1}],
    }


# --- who owns a reversal ----------------------------------------------------------------------------------------------


def test_refund_that_repeats_a_cancellation_credits_nothing() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.update(cancelled(2))

    record = connection.refund(money_back("10.00"))

    assert (record.state, record.reason) == (TransactionState.NOT_BOOKED, NotBookedReason.ALREADY_CREDITED)
    assert connection.balance() == 0


def test_cancellation_that_repeats_a_refund_credits_nothing() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.refund(money_back("10.00"))

    connection.update(cancelled(2))

    assert connection.note("A-A1").desired.tombstone
    assert connection.balance() == 0


def test_refund_credits_what_an_adjustment_has_not() -> None:
    connection = RefundingConnection(version(1, tea("10.00", item_id="1"), tea("5.00", item_id="2", sku="MUG")))
    connection.update(version(2, tea("5.00", item_id="2", sku="MUG")))

    connection.refund(
        refund("T1", item_refund(OurPricePrincipal="-10.00"), item_refund("MUG", OurPricePrincipal="-5.00"))
    )

    # The adjustment took back the tea; the mug is left
    (line,) = connection.note(NOTE).desired.body["LineItems"]
    assert "(MUG)" in line["Description"]
    assert connection.note(NOTE).desired.total == Decimal("5.00")
    assert connection.balance() == 0


def test_tax_that_is_added_is_credited_once_too() -> None:
    connection = RefundingConnection()
    connection.xero.totals = {"A": Decimal("21.00"), "A-A1": Decimal("10.50"), NOTE: Decimal("10.50")}
    connection.update(version(1, canadian_item("20.00", "1.00"), **CANADIAN))
    connection.update(version(2, canadian_item("10.00", "0.50"), **CANADIAN))

    connection.refund(
        refund("T1", item_refund(currency="CAD", OurPricePrincipal="-20.00", OurPriceTax="-1.00"), currency="CAD")
    )

    assert connection.lines(NOTE) == [("200", "TAX001", "10.00")]
    assert connection.balance() == 0


def test_price_that_rises_after_a_refund_is_invoiced() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.refund(money_back("4.00"))
    connection.update(version(2, tea("6.00")))  # the same money: nothing is credited

    connection.update(version(3, tea("6.00"), tip="2.00"))

    assert connection.document("A-A1").desired.total == Decimal("2.00")
    assert connection.balance() == Decimal("8.00")


def test_refund_waits_until_an_adjustment_of_its_order_is_in_xero() -> None:
    connection = RefundingConnection(SHIPPED)
    connection.update(version(2, tea("7.00")), posts=False)

    assert connection.refund(money_back("10.00"), posts=False).reason == WaitReason.WAITING_FOR_SALE
    connection.post()
    connection.clock.advance(60)
    connection.plan_refund("T1")
    assert connection.note(NOTE).desired.total == Decimal("7.00")


def test_order_record_is_not_changed_by_a_refund() -> None:
    connection = RefundingConnection(SHIPPED)
    before = connection.record()

    connection.refund(money_back("4.00"))

    assert connection.store.load(OrderRecord, ["A"])["A"] == before
