"""A person decides about what was changed in Xero: it is right, or it is written back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, Decision, decision_message
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.xero_change import ChangeState
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind, Corrections, LineTerms
from amazon_to_xero.domain.planning.policy import Payments
from amazon_to_xero.ports.state import CHANGED_IN_XERO
from fakes.order_life import DRAFT, PAYING, SHIPPED, tea, version
from fakes.refunds import item_refund, refund
from fakes.watched_books import WatchedBooks

UNPAID = replace(PAYING, payments=Payments.NONE)
ACCEPT, RESTORE = Decision.ACCEPT, Decision.RESTORE


def entries(books: WatchedBooks, source: str = "order#A") -> list[tuple[str, str, str, str]]:
    row = books.store.load(Corrections, [source]).get(source, Corrections(source))
    return [(each.kind.value, each.value, each.author, each.reason) for each in row.entries]


def state_of(books: WatchedBooks, number: str = "A", kind: DocumentKind = DocumentKind.INVOICE) -> ChangeState:
    change = books.change(number, kind)
    assert change is not None
    return change.state


def with_account_changed(paid: bool = True) -> WatchedBooks:
    books = WatchedBooks(SHIPPED, policy=PAYING if paid else UNPAID)
    books.edit_line(AccountCode="205", TaxType="ZERORATEDOUTPUT")
    books.pass_a_day()
    return books


# --- accept -----------------------------------------------------------------------------------------------------------


def test_accepted_change_is_a_correction_with_author_and_reason_and_is_closed() -> None:
    books = with_account_changed()

    books.decide(ACCEPT)

    assert entries(books) == [("as_in_xero", "invoice#A", "maria", "the accountant moved it")]
    assert (state_of(books), books.store.watched(CHANGED_IN_XERO, 9)) == (ChangeState.ACCEPTED, [])
    assert (books.record("A").state, books.document("A").reason) == ("PLANNED", "")


@pytest.mark.parametrize("paid", [True, False])
def test_accepted_change_survives_replays_and_checks(paid: bool) -> None:
    books = with_account_changed(paid)
    books.decide(ACCEPT)
    writes = len(books.xero.writes())

    books.notice(["A"])
    books.edit()
    books.pass_a_day()

    assert len(books.xero.writes()) == writes
    assert len(books.found()) == 1


@pytest.mark.parametrize("paid", [True, False])
def test_later_version_from_amazon_is_entered_beside_an_accepted_invoice_at_its_terms(paid: bool) -> None:
    books = with_account_changed(paid)
    books.decide(ACCEPT)

    books.update(version(3, tea("7.50")))

    assert books.xero.invoice("A")["Total"] == Decimal(10)
    note = books.xero.credit_note("A-A1")
    assert [(each["AccountCode"], each["TaxType"]) for each in note["LineItems"]] == [("205", "ZERORATEDOUTPUT")]
    assert note["Total"] == Decimal("2.50")
    assert books.record("A").state == "PLANNED"


def test_version_that_failed_because_of_the_change_goes_on_once_it_is_accepted() -> None:
    books = with_account_changed(paid=False)
    books.update(version(3, tea("7.50")))
    assert books.record("A").reason == "CHANGED_IN_XERO"

    books.decide(ACCEPT)

    assert books.record("A").state == "PLANNED"
    assert books.xero.invoice("A")["LineItems"][0]["AccountCode"] == "205"
    assert books.xero.credit_note("A-A1")["LineItems"][0]["AccountCode"] == "205"


def test_accepted_amount_stays_and_later_versions_are_entered_as_differences_beside_it() -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(UnitAmount=Decimal("9.00"))
    books.edit(Total=Decimal("9.00"))
    books.pass_a_day()

    books.decide(ACCEPT)
    books.notice(["A"])
    books.work()
    assert (books.xero.invoice("A")["Total"], books.xero.books["CreditNotes"]) == (Decimal("9.00"), {})
    books.update(version(3, tea("7.50")))

    assert (books.xero.invoice("A")["Total"], books.xero.credit_note("A-A1")["Total"]) == (
        Decimal("9.00"),
        Decimal("2.50"),
    )


def test_accepted_removal_of_a_payment_stays_and_nothing_is_paid_again() -> None:
    books = WatchedBooks(SHIPPED)
    books.xero.unpay(books.xero.invoice("A"))
    books.pass_a_day()
    payments = len(books.xero.writes("Payments"))

    books.decide(ACCEPT, "payment#A")
    books.notice(["A"])
    books.pass_a_day()

    assert (len(books.xero.writes("Payments")), state_of(books, kind=DocumentKind.PAYMENT)) == (
        payments,
        ChangeState.ACCEPTED,
    )


def test_accepted_voiding_skips_the_order() -> None:
    books = WatchedBooks(SHIPPED)
    books.xero.unpay(books.xero.invoice("A"))
    books.edit(Status="VOIDED")
    books.pass_a_day()
    writes = len(books.xero.writes())

    books.decide(ACCEPT)
    books.update(version(3, tea("7.50")))

    assert entries(books) == [("skip", "", "maria", "the accountant moved it")]
    assert (books.record("A").state, books.record("A").reason) == ("NOT_INVOICED", "SKIPPED")
    assert len(books.xero.writes()) == writes
    assert books.document("A").state is DocumentState.APPLIED


def test_voiding_of_an_invoice_that_was_refunded_cannot_be_accepted_while_xero_holds_the_credit_note() -> None:
    books = WatchedBooks(SHIPPED)
    returned = item_refund(OurPricePrincipal="-4.00")
    books.amazon.transactions = [refund("R1", returned, order_id="A", posted=books.clock.now())]
    books.notice_transactions(books.clock.now())
    books.clock.advance(200)
    books.work()
    books.xero.unpay(books.xero.invoice("A"))
    books.edit(Status="VOIDED")
    books.pass_a_day()

    books.decide(ACCEPT)

    assert state_of(books) is ChangeState.OPEN
    (letter,) = books.dead_letters[SHIPMENTS].letters
    assert "The order has other documents in Xero: credit_note#A-RFR1." in letter.remedy


def test_change_of_a_draft_cannot_be_accepted_and_the_message_says_what_to_do() -> None:
    books = WatchedBooks(DRAFT)
    books.edit_line(AccountCode="205")
    books.pass_a_day()

    books.decide(ACCEPT)

    (letter,) = books.dead_letters[SHIPMENTS].letters
    assert (letter.reason, state_of(books)) == ("CORRECTION_REFUSED", ChangeState.OPEN)
    assert "State the change with correct (--account, --tax-type, --date), then restore the draft" in letter.remedy


def test_terms_of_an_order_that_has_corrections_cannot_be_accepted() -> None:
    books = WatchedBooks(SHIPPED)
    books.correct(CorrectionKind.TAX_TYPE, "ZERORATEDOUTPUT")
    books.work()
    books.edit_line("A-A1", AccountCode="205")
    books.pass_a_day()

    books.decide(ACCEPT, "invoice#A-A1")

    assert "order#A has corrections" in books.dead_letters[SHIPMENTS].letters[-1].remedy


def test_terms_of_an_order_that_was_booked_again_cannot_be_accepted() -> None:
    books = WatchedBooks(SHIPPED)
    books.correct(CorrectionKind.REBOOK, terms=(LineTerms("10000000000001:ITEM", "206", "OUTPUT2"),))
    books.work()
    books.edit_line("A-A1", AccountCode="205")
    books.pass_a_day()

    books.decide(ACCEPT, "invoice#A-A1")

    assert "order#A has corrections" in books.dead_letters[SHIPMENTS].letters[-1].remedy


def test_acceptance_is_not_withdrawn_like_a_correction() -> None:
    books = with_account_changed()
    books.decide(ACCEPT)

    books.correct(CorrectionKind.WITHDRAW, "1")

    assert "invoice#A stays as it is in Xero" in books.dead_letters[SHIPMENTS].letters[-1].remedy


def test_accepted_merge_is_closed_and_later_documents_go_to_the_other_contact() -> None:
    books = WatchedBooks(SHIPPED)
    key = "contact#AMAZON-A1F83G8C2ARO7P"
    contact = books.xero.books["Contacts"][books.document(key.partition("#")[2], DocumentKind.CONTACT).xero_id]
    books.xero.change(contact, ContactStatus="ARCHIVED", MergedToContactID="id-77")
    books.pass_a_day()

    books.decide(RESTORE, key)
    assert "A merged one stays merged: accept it" in books.dead_letters[SHIPMENTS].letters[-1].remedy
    books.decide(ACCEPT, key)

    assert state_of(books, "AMAZON-A1F83G8C2ARO7P", DocumentKind.CONTACT) is ChangeState.ACCEPTED
    assert books.store.watched(CHANGED_IN_XERO, 9) == []


def test_accepted_credit_note_of_a_refund_is_a_correction_of_the_refund() -> None:
    books = WatchedBooks(SHIPPED)
    books.amazon.transactions = [refund("R1", item_refund(OurPricePrincipal="-10.00"), posted=books.clock.now())]
    books.notice_transactions(books.clock.now())
    books.clock.advance(200)
    books.work()
    (note,) = books.xero.books["CreditNotes"].values()
    number = note["CreditNoteNumber"]
    books.xero.change(note, LineItems=[{**note["LineItems"][0], "AccountCode": "205"}])
    books.pass_a_day()

    books.decide(ACCEPT, f"credit_note#{number}")

    assert [each[:2] for each in entries(books, "transaction#R1")] == [("as_in_xero", f"credit_note#{number}")]
    assert books.transaction("R1").state == "PLANNED"
    assert books.document(number, DocumentKind.CREDIT_NOTE).desired.body["LineItems"][0]["AccountCode"] == "205"


# --- restore ----------------------------------------------------------------------------------------------------------


def test_restored_invoice_is_written_back_as_it_was() -> None:
    books = with_account_changed(paid=False)

    books.decide(RESTORE)

    assert books.xero.invoice("A")["LineItems"][0]["AccountCode"] == "200"
    assert (state_of(books), books.document("A").state) == (ChangeState.RESTORED, DocumentState.APPLIED)
    books.pass_a_day()
    assert len(books.found()) == 1
    assert entries(books) == []


def test_restored_invoice_takes_the_version_that_failed_because_of_the_change() -> None:
    books = with_account_changed(paid=False)
    books.update(version(3, tea("7.50")))

    books.decide(RESTORE)

    assert (books.xero.invoice("A")["Total"], books.record("A").state) == (Decimal("7.50"), "PLANNED")
    assert books.xero.invoice("A")["LineItems"][0]["AccountCode"] == "200"


def test_restored_payment_is_made_again_once() -> None:
    books = WatchedBooks(SHIPPED)
    books.xero.unpay(books.xero.invoice("A"))
    books.pass_a_day()

    books.decide(RESTORE, "payment#A")
    books.pass_a_day()

    assert [each["Amount"] for each in books.xero.invoice("A")["Payments"]] == [Decimal(10)]
    assert (books.xero.invoice("A")["AmountDue"], len(books.found())) == (0, 1)


def test_restored_voided_invoice_is_entered_and_paid_again_under_a_new_number() -> None:
    books = WatchedBooks(SHIPPED)
    books.xero.unpay(books.xero.invoice("A"))
    books.edit(Status="VOIDED")
    books.pass_a_day()

    books.decide(RESTORE)

    assert (books.xero.invoice("A")["Status"], books.xero.invoice("A-R1")["Status"]) == ("VOIDED", "AUTHORISED")
    assert books.xero.invoice("A-R1")["AmountDue"] == 0
    books.pass_a_day()
    assert len(books.found()) == 1


def test_payment_that_was_removed_before_the_invoice_was_voided_is_dealt_with_by_the_same_decision() -> None:
    books = WatchedBooks(SHIPPED)
    books.xero.unpay(books.xero.invoice("A"))
    books.pass_a_day()
    books.edit(Status="VOIDED")
    books.pass_a_day()
    assert books.found() == [("payment#A", "UNSETTLED"), ("invoice#A", "REMOVED")]

    books.decide(RESTORE)

    assert books.store.watched(CHANGED_IN_XERO, 9) == []
    assert books.xero.invoice("A-R1")["AmountDue"] == 0


def test_restored_draft_takes_what_a_correction_states() -> None:
    books = WatchedBooks(DRAFT)
    books.edit_line(AccountCode="205")
    books.pass_a_day()
    books.correct(CorrectionKind.ACCOUNT, "205")
    books.work()
    assert books.record("A").reason == "CHANGED_IN_XERO"

    books.decide(RESTORE)
    books.update(version(3, tea()))

    assert books.xero.invoice("A")["LineItems"][0]["AccountCode"] == "205"
    assert (books.xero.invoice("A")["Status"], books.record("A").state) == ("AUTHORISED", "PLANNED")


# --- messages ---------------------------------------------------------------------------------------------------------


def test_decision_that_arrives_twice_is_carried_out_once() -> None:
    books = with_account_changed()
    made = ChangeDecision("d1", "invoice#A", ACCEPT, "maria", "moved", books.clock.now())

    books.deliver(decision_message("main", made))
    books.deliver(decision_message("main", made))

    assert (len(entries(books)), len(books.decisions.of("CHANGE_IN_XERO_ACCEPTED"))) == (1, 1)
    assert books.dead_letters[SHIPMENTS].letters == []


def test_decision_about_a_document_without_a_change_is_refused() -> None:
    books = WatchedBooks(SHIPPED)

    books.decide(ACCEPT)

    (letter,) = books.dead_letters[SHIPMENTS].letters
    assert letter.remedy == "The decision was not carried out: no change of invoice#A was found"
