"""Payments, credit notes and cash refunds: each is posted once, and money that moved is corrected by a person only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument, DocumentState
from amazon_to_xero.ports.xero import Outcome, XeroError
from fakes.vendors import lost
from unit.desired_documents import desired_credit_note, desired_invoice, desired_payment, desired_refund, removed
from unit.services.posting.posting_connection import PostingConnection

D = Decimal


# --- payments of invoices ---------------------------------------------------------------------------------------------


def test_payment_whose_answer_was_lost_is_found_in_its_invoice() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment())
    connection.xero.after = [None, lost("createPayments"), lost("createPayments")]
    connection.post()
    connection.post_after(61)

    assert len(connection.xero.books["Payments"]) == 1
    assert connection.payment().state is DocumentState.APPLIED
    assert connection.payment().xero_id in connection.xero.books["Payments"]


def test_payment_that_never_arrived_is_created_after_the_look_up() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment())
    connection.xero.before = [None, lost("createPayments"), lost("createPayments")]
    connection.post()
    connection.post_after(61)

    assert (len(connection.xero.books["Payments"]), connection.xero.invoice("A")["AmountDue"]) == (1, 0)


def test_payment_of_an_invoice_that_somebody_else_paid_fails() -> None:
    connection = PostingConnection(desired_invoice())
    connection.post()
    paid_manually = {"PaymentID": "p", "Amount": D("10.00"), "DateString": "2026-11-22"}
    connection.xero.invoice("A").update(AmountDue=D("0"), Payments=[paid_manually])
    connection.request(desired_payment())
    refused = Outcome({}, ("Payment amount exceeds the amount outstanding on this document",))
    connection.xero.create = lambda *_: [refused]  # type: ignore[method-assign]  # one method of the fake is replaced

    connection.post()

    assert (connection.payment().state, connection.payment().reason) == (DocumentState.FAILED, "ALREADY_PAID")
    assert "10.00" in connection.payment().remedy
    assert connection.failures() == [("A", "ALREADY_PAID")]


def test_payment_that_exists_is_never_changed() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment())
    connection.post()
    connection.request(desired_payment(amount="9.00", minutes=1))

    connection.post()

    assert connection.payment().reason == "NOT_CHANGEABLE"
    assert len(connection.xero.writes("Payments")) == 1


# --- credit notes and cash refunds ------------------------------------------------------------------------------------


def test_refund_is_posted_as_a_credit_note_and_its_payment_from_the_clearing_account() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment(), desired_credit_note(), desired_refund())

    assert connection.post().applied == 4

    assert [(call.verb, call.collection) for call in connection.xero.writes()] == [
        ("create", collection) for collection in ("Invoices", "Payments", "CreditNotes", "Payments")
    ]
    credit_note = connection.xero.credit_note("A-A1")
    assert (credit_note["Type"], credit_note["RemainingCredit"]) == ("ACCRECCREDIT", 0)
    assert credit_note["Contact"] == {"ContactID": connection.contact().xero_id}
    refund = connection.xero.books["Payments"][connection.refund().xero_id]
    assert refund["CreditNote"] == {"CreditNoteID": credit_note["CreditNoteID"]}
    assert connection.xero.invoice("A")["AmountDue"] == 0


@pytest.mark.parametrize("arrived", [True, False])
def test_credit_note_whose_answer_was_lost_exists_once_and_its_refund_waits_for_it(arrived: bool) -> None:
    connection = PostingConnection(desired_credit_note(), desired_refund())
    lost_answers: list[XeroError | None] = [lost("createCreditNotes"), lost("createCreditNotes")]
    connection.xero.after, connection.xero.before = (lost_answers, []) if arrived else ([], lost_answers)

    connection.post()
    assert connection.credit_note().state is DocumentState.UNKNOWN
    assert connection.xero.books["Payments"] == {}
    for _ in range(3):
        connection.post_after(61)

    assert len(connection.xero.books["CreditNotes"]) == len(connection.xero.books["Payments"]) == 1
    assert connection.xero.credit_note("A-A1")["RemainingCredit"] == 0
    assert connection.refund().state is DocumentState.APPLIED


@pytest.mark.parametrize("arrived", [True, False])
def test_refund_whose_answer_was_lost_is_looked_up_in_its_credit_note(arrived: bool) -> None:
    connection = PostingConnection(desired_credit_note(), desired_refund())
    lost_answers: list[XeroError | None] = [None, lost("createPayments"), lost("createPayments")]
    connection.xero.after, connection.xero.before = (lost_answers, []) if arrived else ([], lost_answers)

    connection.post()
    assert connection.refund().state is DocumentState.UNKNOWN
    connection.post_after(61)

    assert connection.lookups() == [("CreditNotes", "CreditNoteID")]
    assert connection.refund().xero_id in connection.xero.books["Payments"]
    assert len(connection.xero.books["Payments"]) == 1
    assert connection.xero.credit_note("A-A1")["RemainingCredit"] == 0


def test_payment_and_refund_whose_answers_were_lost_are_each_looked_up_in_their_own_document() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment(), desired_credit_note(), desired_refund())
    connection.xero.after = [None, lost("createPayments"), lost("createPayments")]
    connection.post()
    connection.clock.advance(61)
    connection.xero.after = [None, lost("createPayments"), lost("createPayments")]
    connection.post()
    connection.post_after(61)

    assert connection.lookups() == [("Invoices", "InvoiceID"), ("CreditNotes", "CreditNoteID")]
    assert len(connection.xero.books["Payments"]) == 2
    assert connection.payment().xero_id != connection.refund().xero_id


def test_refund_of_a_credit_that_somebody_else_used_fails() -> None:
    connection = PostingConnection(desired_credit_note())
    connection.post()
    connection.xero.credit_note("A-A1")["RemainingCredit"] = D("4.00")
    connection.request(desired_refund())

    connection.post()

    refund = connection.refund()
    assert (refund.state, refund.reason) == (DocumentState.FAILED, "ALREADY_PAID")
    assert "10.00" in refund.remedy
    assert "4.00" in refund.remedy
    assert connection.xero.books["Payments"] == {}
    assert connection.failures() == [("A", "ALREADY_PAID")]


def test_credit_note_that_exists_under_our_number_is_adopted_unless_it_is_somebody_elses() -> None:
    connection = PostingConnection(desired_credit_note(), desired_credit_note("B-A1", order_id="B"))
    shown = {"Total": D("10.00"), "RemainingCredit": D("10.00"), "DateString": "2026-11-20T00:00:00"}
    ours = connection.xero.hold("CreditNotes", {**desired_credit_note().body, **shown})
    foreign = desired_credit_note("B-A1", order_id="B")
    connection.xero.hold("CreditNotes", {**foreign.body, **shown, "Type": "ACCPAYCREDIT"})

    connection.post()

    assert connection.credit_note("A-A1").xero_id == ours["CreditNoteID"]
    assert connection.credit_note("B-A1").reason == "NUMBER_TAKEN"
    assert len(connection.xero.books["CreditNotes"]) == 2
    assert connection.failures() == [("B", "NUMBER_TAKEN")]


def test_removed_credit_note_is_voided() -> None:
    connection = PostingConnection(desired_credit_note())
    connection.post()
    connection.request(removed(desired_credit_note()))

    assert connection.post().applied == 1
    assert connection.xero.credit_note("A-A1")["Status"] == "VOIDED"


# --- removals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desired", "remedy"),
    [
        (desired_payment(), "Correct it in Xero manually: the invoice is paid"),
        (desired_refund(), "Correct it in Xero manually: the credit note is refunded"),
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_payment_is_never_removed_automatically(desired: DesiredDocument, remedy: str, is_known: bool) -> None:
    # Given a payment that exists in Xero, known from its row or found only by the look-up
    connection = PostingConnection(desired_invoice(), desired_credit_note())
    connection.post()
    connection.request(desired)
    connection.xero.after = [] if is_known else [lost("createPayments"), lost("createPayments")]
    connection.post()

    connection.request(removed(desired))
    connection.post_after(61)

    document = connection.document(desired.number, desired.kind)
    assert (document.state, document.reason) == (DocumentState.FAILED, "HAS_PAYMENTS")
    assert remedy in document.remedy
    assert len(connection.xero.books["Payments"]) == 1


def test_payment_that_never_arrived_is_removed_without_a_call() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment())
    connection.xero.before = [None, lost("createPayments"), lost("createPayments")]
    connection.post()
    writes = len(connection.xero.writes())

    connection.request(removed(desired_payment()))
    connection.post_after(61)

    assert connection.payment().state is DocumentState.APPLIED
    assert len(connection.xero.writes()) == writes
