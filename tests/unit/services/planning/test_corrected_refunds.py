"""Refunds that a person corrects before their credit note is requested, and refunds of corrected orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, tea, version
from fakes.orders import breakdown, item
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

K = CorrectionKind
REFUND = "transaction#T1"
BACK = refund("T1", item_refund(OurPricePrincipal="-4.00"))
BEFORE_START = replace(PAYING, start=PAYING.start.replace(year=2026, month=6))
OLD_ORDER = version(1, tea(), created="2026-01-01T10:00:00Z")


def waiting_refund() -> RefundingConnection:
    """Return a connection with a refund that waits for its order, which is a draft."""
    connection = RefundingConnection(version(0, tea(), status="UNSHIPPED"))
    assert connection.refund(BACK).state is TransactionState.RECORDED
    return connection


def ship(connection: RefundingConnection) -> None:
    connection.update(version(1, tea()))
    connection.reprocess("T1")


# --- corrected refunds ------------------------------------------------------------------------------------------------


def test_refund_that_a_person_enters_in_xero_leaves_the_list_of_failures() -> None:
    connection = RefundingConnection(OLD_ORDER, policy=BEFORE_START)
    assert connection.refund(BACK).reason == FailureCode.REFUND_BEFORE_START

    assert connection.correct(K.SKIP, source=REFUND) == ["T1"]
    record = connection.plan_refund("T1")

    assert (record.state, record.reason, record.documents) == (
        TransactionState.NOT_BOOKED,
        NotBookedReason.SKIPPED,
        (),
    )
    assert connection.reprocess("T1").reason == NotBookedReason.SKIPPED


def test_refund_that_a_frozen_worker_decides_after_a_person_has_skipped_it_is_not_credited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection, in_time = RefundingConnection(version(1, tea())), DecidedRefundsStore.replace

    def too_late(decisions: DecidedRefundsStore, *decision: Any) -> bool:
        monkeypatch.setattr(DecidedRefundsStore, "replace", in_time)
        connection.correct(K.SKIP, source=REFUND)
        connection.plan_refund("T1")
        return in_time(decisions, *decision)

    monkeypatch.setattr(DecidedRefundsStore, "replace", too_late)
    record = connection.refund(BACK)

    assert (record.state, record.reason) == (TransactionState.NOT_BOOKED, NotBookedReason.SKIPPED)
    assert connection.xero.books["CreditNotes"] == {}

    connection.correct(K.WITHDRAW, "1", source=REFUND)
    assert connection.plan_refund("T1").state is TransactionState.PLANNED
    assert len(connection.xero.books["CreditNotes"]) == 1


def test_credit_note_is_on_the_account_tax_type_and_day_that_a_person_states() -> None:
    connection = waiting_refund()
    connection.correct(K.ACCOUNT, "206", source=REFUND)
    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT", source=REFUND)
    connection.correct(K.DATE, "2026-10-31", source=REFUND)

    ship(connection)

    assert connection.lines("A-RFT1") == [("206", "ZERORATEDOUTPUT", "4.00")]
    assert connection.note("A-RFT1").desired.body["Date"] == "2026-10-31"


def test_credit_note_has_the_tracking_item_and_text_that_a_person_states() -> None:
    connection = waiting_refund()
    connection.correct(K.TRACKING, "Region=North", source=REFUND)
    connection.correct(K.ITEM_CODE, "TEA", source=REFUND)
    connection.correct(K.DESCRIPTION, "Returned tea", source=REFUND, line="10000000000001")

    ship(connection)

    (line,) = connection.note("A-RFT1").desired.body["LineItems"]
    stated = {"Tracking": [{"Name": "Region", "Option": "North"}], "ItemCode": "TEA", "Description": "Returned tea"}
    assert stated.items() <= line.items()
    assert connection.document("A").desired.body["LineItems"][0]["Description"] == "Breakfast tea, 50 bags (TEA-50)"


def test_refunded_discount_has_the_tax_type_that_a_person_states_for_its_charge() -> None:
    sold = item("9.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-1.00"), item_id="1")
    connection = RefundingConnection(version(0, sold, status="UNSHIPPED"))
    connection.refund(refund("T1", item_refund(OurPricePrincipal="-10.00", OurPriceDiscount="1.00")))
    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT", source=REFUND, line="1:ITEM")

    connection.update(version(1, sold))
    connection.reprocess("T1")

    assert connection.lines("A-RFT1") == [("200", "ZERORATEDOUTPUT", "10.00"), ("210", "ZERORATEDOUTPUT", "-1.00")]


def test_tax_type_of_a_discount_alone_cannot_be_corrected_and_the_line_that_has_it_is_named() -> None:
    sold = item("9.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-1.00"), item_id="1")
    connection = RefundingConnection(version(1, sold))
    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT", line="1:DISCOUNT:ITEM")

    connection.update(version(2, sold))

    assert connection.record("A").reason == FailureCode.CORRECTION_UNUSABLE
    assert "which is that of the line 1:ITEM. Withdraw it, or enter another one" in connection.record("A").remedy


def test_day_of_a_refund_in_a_locked_period_is_the_first_open_day() -> None:
    connection = waiting_refund()
    connection.change_policy(replace(PAYING, lock_dates=LockDates.NEXT_OPEN_DAY))
    connection.xero.settings = replace(ORGANISATION_WITH_CLEARING, period_lock=date(2026, 10, 31))
    connection.store.save([replace(connection.store.cursor("organisation"), data={})])
    connection.restart()
    connection.correct(K.DATE, "2026-10-15", source=REFUND)

    ship(connection)

    body = connection.note("A-RFT1").desired.body
    assert (body["Date"], body["Reference"]) == ("2026-11-01", "Amazon.co.uk A · of 2026-10-15")


@pytest.mark.parametrize(
    ("sold_by_marketplace", "withheld", "line"),
    [
        (False, {"MarketplaceFacilitatorVAT__Principal": "3.00"}, ("200", "ZERORATEDOUTPUT", "15.00")),
        (True, {}, ("200", "OUTPUT2", "18.00")),
        (True, {}, ("200", "ZERORATEDOUTPUT", "18.00")),
    ],
)
def test_person_says_whose_the_tax_of_a_refund_is_that_contradicts_its_sale(
    sold_by_marketplace: bool, withheld: dict[str, str], line: tuple[str, str, str]
) -> None:
    price = breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00")
    connection = RefundingConnection(version(1, item("18.00", *price, facilitator=sold_by_marketplace)))
    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", **withheld)))
    assert record.reason == FailureCode.REFUND_LIABILITY_DIFFERS

    connection.correct(K.TAX_TYPE, line[1], source=REFUND)
    connection.plan_refund("T1")

    assert connection.lines("A-RFT1") == [line]


def test_refund_is_entered_once_its_order_says_too_that_the_marketplace_owes_the_tax() -> None:
    price = breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00")
    withheld = item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", MarketplaceFacilitatorVAT__Principal="3.00")
    connection = RefundingConnection(version(1, item("18.00", *price)))
    assert connection.refund(refund("T1", withheld)).reason == FailureCode.REFUND_LIABILITY_DIFFERS

    connection.update(version(2, item("18.00", *price, facilitator=True)))
    connection.reprocess("T1")

    assert connection.lines("A-RFT1") == [("200", "ZERORATEDOUTPUT", "15.00")]


def test_withdrawn_correction_of_a_waiting_refund_leaves_it_as_amazon_states_it() -> None:
    connection = waiting_refund()
    connection.correct(K.SKIP, source=REFUND)
    connection.correct(K.WITHDRAW, "1", source=REFUND)

    ship(connection)

    assert connection.lines("A-RFT1") == [("200", "OUTPUT2", "4.00")]


@pytest.mark.parametrize("kind", [K.SKIP, K.BOOK_AS_IT_IS])
def test_correction_that_comes_too_late_or_is_for_orders_is_refused(kind: CorrectionKind) -> None:
    connection = RefundingConnection(version(1, tea()))
    connection.refund(BACK)

    assert connection.correct(kind, source=REFUND) == []

    (letter,) = connection.dead_letters[REFUNDS].letters
    assert letter.reason == FailureCode.CORRECTION_REFUSED
    problem = {K.SKIP: "credit note A-RFT1 of transaction#T1 is requested already", K.BOOK_AS_IT_IS: "for orders only"}
    assert problem[kind] in letter.remedy


def test_correction_of_an_unknown_transaction_is_refused() -> None:
    connection = RefundingConnection(version(1, tea()))

    assert connection.correct(K.SKIP, source="transaction#T9") == []

    (letter,) = connection.dead_letters[REFUNDS].letters
    assert "Amazon has not stated such a transaction" in letter.remedy


def test_correction_of_a_line_that_the_sale_does_not_have_fails_the_refund() -> None:
    connection = waiting_refund()
    connection.correct(K.ACCOUNT, "206", source=REFUND, line="99")

    ship(connection)

    record = connection.transaction("T1")
    assert record.reason == FailureCode.CORRECTION_UNUSABLE
    assert "its lines are 10000000000001, 10000000000001:ITEM" in record.remedy


# --- refunds of corrected orders --------------------------------------------------------------------------------------


def test_refund_takes_back_the_corrected_line() -> None:
    connection = RefundingConnection(version(1, tea()))
    connection.correct(K.ACCOUNT, "206")
    connection.plan_shipments()
    connection.post()
    connection.post()

    connection.refund(BACK)

    assert connection.lines("A-RFT1") == [("206", "OUTPUT2", "4.00")]


def test_only_what_refunds_have_left_moves_to_the_corrected_tax_type() -> None:
    connection = RefundingConnection(version(1, tea()))
    connection.refund(BACK)

    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")
    connection.plan_shipments()
    connection.post()

    assert connection.lines("A-A1") == [("200", "OUTPUT2", "6.00")]
    # A refund of the rest takes back what was moved
    connection.refund(refund("T2", item_refund(OurPricePrincipal="-6.00")))
    assert connection.lines("A-RFT2") == [("200", "ZERORATEDOUTPUT", "6.00")]
    assert connection.balance() == 0


def test_reduction_that_a_refund_has_credited_is_not_credited_again_with_a_correction() -> None:
    connection = RefundingConnection(version(1, tea()))
    connection.refund(BACK)
    connection.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")

    connection.update(version(2, tea("6.00")))
    connection.post()

    assert connection.lines("A-A1") == [("200", "OUTPUT2", "6.00")]
    assert connection.balance() == 6


def test_refund_of_an_order_that_is_entered_otherwise_needs_a_person() -> None:
    connection = RefundingConnection(version(0, tea(), status="UNSHIPPED"))
    connection.correct(K.SKIP)
    connection.plan_shipments()

    record = connection.refund(BACK)

    assert record.reason == FailureCode.REFUND_WITHOUT_SALE
    assert record.remedy == (
        "A person has said that order A is not entered here. Enter the credit note of refund T1 in Xero manually, "
        "then skip the transaction, too."
    )
