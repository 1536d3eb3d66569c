"""What each of Xero's answers makes of a document: to a write, to its look-up, and to the look-up of what it pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.outcome import (
    after_lookup,
    after_owner_lookup,
    after_write,
    not_changeable,
    nothing_to_remove,
)
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from fakes.state import NOON
from unit.desired_documents import (
    CONTACT,
    desired_allocation,
    desired_credit_note,
    desired_invoice,
    desired_payment,
    desired_refund,
    invoice_in_xero,
    removed,
)

D = Decimal
NOW = NOON + timedelta(minutes=5)

BUYER = DesiredDocument(
    DocumentKind.CONTACT,
    "AMAZON-B-1",
    {"ContactNumber": "AMAZON-B-1", "BuyerDigest": "d1"},
    "order#A",
    source_version=NOON,
    order_id="A",
)
NUMBER_IS_TAKEN = "Invoice # must be unique."
CONTACT_NUMBER_IS_TAKEN = "Another contact has this contact number."
NAME_IS_TAKEN = "The contact name … is already assigned to another contact. The contact name must be unique."
IS_ARCHIVED = "The specified contact details matched an archived contact."
PERIOD_IS_LOCKED = "The document date cannot be before the period lock date"
NOT_OF_VALID_STATUS = "Invoice not of valid status for modification"


def in_flight(desired: DesiredDocument | None = None, **fields: Any) -> Document:
    """Return a document that was claimed and sent."""
    document = Document(desired or desired_invoice(), generation=3, next_attempt_at=NOON)
    return replace(document.claimed(NOON), **fields)


def unknown(desired: DesiredDocument | None = None, reason: str = "OUTCOME_UNKNOWN", **fields: Any) -> Document:
    """Return a document whose outcome is looked up."""
    return replace(in_flight(desired).unknown(NOON, reason), **fields)


def accepted(document: Document, element: Mapping[str, Any], sent: DesiredDocument | None = None) -> Document:
    return after_write(document, element, (), (sent or document.desired).digest, NOW)


def refused(document: Document, *messages: str, sent: DesiredDocument | None = None) -> Document:
    return after_write(document, {}, messages, (sent or document.desired).digest, NOW)


def is_due_now(document: Document) -> bool:
    return document.next_attempt_at == NOW


# --- accepted writes --------------------------------------------------------------------------------------------------


def test_accepted_document_is_applied_with_its_id_status_and_content() -> None:
    after = accepted(in_flight(), invoice_in_xero(InvoiceID="id-1"))

    assert (after.state, after.next_attempt_at) == (DocumentState.APPLIED, None)
    assert (after.xero_id, after.xero_status) == ("id-1", "AUTHORISED")
    assert after.applied_digest == desired_invoice().digest


def test_accepted_contact_has_the_status_that_xero_calls_contact_status() -> None:
    after = accepted(in_flight(CONTACT), {"ContactID": "id-1", "ContactStatus": "ACTIVE"})

    assert (after.state, after.xero_id, after.xero_status) == (DocumentState.APPLIED, "id-1", "ACTIVE")


def test_accepted_payment_has_no_total_to_compare_and_may_have_no_status() -> None:
    after = accepted(in_flight(desired_payment()), {"PaymentID": "id-1", "Amount": D("10.00")})

    assert (after.state, after.xero_id, after.xero_status) == (DocumentState.APPLIED, "id-1", "")


@pytest.mark.parametrize("stated", [D("10.01"), None])
def test_accepted_document_with_another_total_fails_and_counts_as_not_applied(stated: Decimal | None) -> None:
    after = accepted(in_flight(), invoice_in_xero(InvoiceID="id-1", Total=stated))

    assert (after.state, after.reason) == (DocumentState.FAILED, "XERO_TOTAL_DIFFERS")
    assert "10.00" in after.remedy
    assert str(stated) in after.remedy
    assert (after.xero_id, after.applied_digest) == ("id-1", "")


def test_content_that_changed_during_the_call_is_posted_next_and_its_total_is_not_compared_yet() -> None:
    after = accepted(
        in_flight(desired_invoice(price="12.00", minutes=1)), invoice_in_xero(InvoiceID="id-1"), sent=desired_invoice()
    )

    assert after.state is DocumentState.PENDING
    assert is_due_now(after)
    assert (after.xero_id, after.applied_digest) == ("id-1", desired_invoice().digest)


def test_total_of_a_removed_document_is_not_compared() -> None:
    after = accepted(in_flight(removed(desired_invoice())), {"InvoiceID": "id-1", "Status": "VOIDED", "Total": D(0)})

    assert (after.state, after.xero_status) == (DocumentState.APPLIED, "VOIDED")


# --- refused writes ---------------------------------------------------------------------------------------------------


def test_refused_document_fails_with_the_code_and_remedy_of_the_refusal() -> None:
    after = refused(in_flight(), PERIOD_IS_LOCKED)

    assert (after.state, after.next_attempt_at) == (DocumentState.FAILED, None)
    assert (after.reason, after.remedy) == ("PERIOD_LOCKED", FAILURES[FailureCode.PERIOD_LOCKED].remedy)


def test_unknown_refusal_fails_the_document_with_xeros_words() -> None:
    after = refused(in_flight(), "Something new.", "And more.")

    assert (after.state, after.reason) == (DocumentState.FAILED, "XERO_REFUSED")
    assert after.remedy == "Xero says: Something new.; And more."


def test_refusal_of_content_that_changed_meanwhile_is_retried_at_once() -> None:
    after = refused(in_flight(desired_invoice(price="12.00")), PERIOD_IS_LOCKED, sent=desired_invoice())

    assert (after.state, after.reason) == (DocumentState.DEFERRED, "PERIOD_LOCKED")
    assert is_due_now(after)


@pytest.mark.parametrize(
    ("desired", "message", "code"),
    [
        (desired_invoice(), NUMBER_IS_TAKEN, "NUMBER_TAKEN"),
        (CONTACT, CONTACT_NUMBER_IS_TAKEN, "CONTACT_NUMBER_TAKEN"),
        (CONTACT, NAME_IS_TAKEN, "CONTACT_NAME_TAKEN"),
        (desired_payment(), "Payment amount exceeds the amount outstanding on this document", "ALREADY_PAID"),
    ],
)
def test_new_document_that_may_exist_already_is_looked_up_and_an_existing_one_fails(
    desired: DesiredDocument, message: str, code: str
) -> None:
    new = refused(in_flight(desired), message)
    existing = refused(in_flight(desired, xero_id="id-1"), message)

    assert (new.state, new.reason) == (DocumentState.UNKNOWN, code)
    assert is_due_now(new)
    assert (existing.state, existing.reason) == (DocumentState.FAILED, code)


def test_existing_document_that_takes_no_changes_is_looked_up_and_a_new_one_fails() -> None:
    existing = refused(in_flight(xero_id="id-1"), NOT_OF_VALID_STATUS)
    new = refused(in_flight(), NOT_OF_VALID_STATUS)

    assert (existing.state, existing.reason) == (DocumentState.UNKNOWN, "NOT_MODIFIABLE")
    assert is_due_now(existing)
    assert (new.state, new.reason) == (DocumentState.FAILED, "NOT_MODIFIABLE")


def test_document_that_may_exist_is_looked_up_before_its_changed_content_is_sent() -> None:
    after = refused(in_flight(desired_invoice(price="12.00")), NUMBER_IS_TAKEN, sent=desired_invoice())

    assert (after.state, after.reason) == (DocumentState.UNKNOWN, "NUMBER_TAKEN")


# --- refused contacts of buyers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [NAME_IS_TAKEN, IS_ARCHIVED])
def test_buyer_with_a_namesake_is_written_again_with_a_suffix(message: str) -> None:
    after = refused(in_flight(BUYER), message)

    assert (after.state, after.name_is_taken, after.reason) == (DocumentState.PENDING, True, "CONTACT_NAME_TAKEN")
    assert is_due_now(after)


def test_buyer_whose_name_with_the_suffix_is_taken_fails() -> None:
    after = refused(in_flight(BUYER, name_is_taken=True), NAME_IS_TAKEN)

    assert (after.state, after.reason) == (DocumentState.FAILED, "CONTACT_NAME_TAKEN")
    assert after.remedy == FAILURES[FailureCode.CONTACT_NAME_TAKEN].remedy


def test_buyer_whose_details_changed_meanwhile_gets_no_suffix() -> None:
    after = refused(in_flight(BUYER), NAME_IS_TAKEN, sent=replace(BUYER, body={**BUYER.body, "BuyerDigest": "d0"}))

    assert (after.state, after.name_is_taken, after.reason) == (DocumentState.DEFERRED, False, "CONTACT_NAME_TAKEN")
    assert is_due_now(after)


def test_existing_buyer_that_takes_a_namesakes_name_gets_a_suffix() -> None:
    after = refused(in_flight(BUYER, xero_id="id-1"), NAME_IS_TAKEN)

    assert (after.state, after.name_is_taken, after.xero_id) == (DocumentState.PENDING, True, "id-1")


@pytest.mark.parametrize("held", [{"xero_id": "id-1"}, {"name_is_taken": True}])
def test_buyer_that_is_itself_the_archived_contact_is_looked_up(held: dict[str, Any]) -> None:
    after = refused(in_flight(BUYER, **held), IS_ARCHIVED)

    assert (after.state, after.reason) == (DocumentState.UNKNOWN, "CONTACT_ARCHIVED")
    assert after.name_is_taken == held.get("name_is_taken", False)
    assert is_due_now(after)


def test_buyer_whose_contact_number_is_taken_is_looked_up() -> None:
    after = refused(in_flight(BUYER), NAME_IS_TAKEN, CONTACT_NUMBER_IS_TAKEN)

    assert (after.state, after.reason) == (DocumentState.UNKNOWN, "CONTACT_NUMBER_TAKEN")


def test_archived_marketplace_contact_is_looked_up() -> None:
    after = refused(in_flight(CONTACT), IS_ARCHIVED)

    assert (after.state, after.reason) == (DocumentState.UNKNOWN, "CONTACT_ARCHIVED")


# --- look-ups that find nothing ---------------------------------------------------------------------------------------


def test_absent_document_is_created() -> None:
    after = after_lookup(unknown(), None, NOW)

    assert (after.state, after.exists_in_xero) == (DocumentState.PENDING, False)
    assert is_due_now(after)


def test_document_that_existed_and_is_absent_fails() -> None:
    after = after_lookup(unknown(xero_id="id-1"), None, NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, "NOT_IN_XERO")
    assert after.remedy == FAILURES[FailureCode.NOT_IN_XERO].remedy


@pytest.mark.parametrize("xero_id", ["", "id-1"])
def test_tombstone_of_a_document_that_xero_does_not_show_needs_no_removal(xero_id: str) -> None:
    row = unknown(xero_id=xero_id)
    after = after_lookup(replace(row, desired=replace(row.desired, tombstone=True)), None, NOW)

    assert (after.state, after.exists_in_xero) == (DocumentState.APPLIED, False)


@pytest.mark.parametrize(
    ("code", "what"),
    [("NUMBER_TAKEN", "number A"), ("CONTACT_NUMBER_TAKEN", "number A"), ("CONTACT_NAME_TAKEN", "name of A")],
)
def test_document_whose_number_xero_calls_taken_and_does_not_show_fails(code: str, what: str) -> None:
    after = after_lookup(unknown(reason=code), None, NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, code)
    assert after.remedy == f"Xero says that the {what} is taken but does not show it. Check it in Xero."


# --- look-ups that find a document ------------------------------------------------------------------------------------


def test_found_document_with_the_desired_content_is_applied() -> None:
    after = after_lookup(unknown(), invoice_in_xero(InvoiceID="id-1"), NOW)

    assert (after.state, after.xero_id, after.xero_status) == (DocumentState.APPLIED, "id-1", "AUTHORISED")
    assert after.applied_digest == desired_invoice().digest


def test_found_document_with_other_content_is_updated_by_its_id() -> None:
    after = after_lookup(unknown(), invoice_in_xero(InvoiceID="id-1", Total=D("9.00")), NOW)

    assert (after.state, after.xero_id, after.applied_digest) == (DocumentState.PENDING, "id-1", "")
    assert is_due_now(after)


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_found_document_that_was_voided_or_deleted_fails_and_offers_another_number(status: str) -> None:
    after = after_lookup(unknown(), invoice_in_xero(status, InvoiceID="id-1"), NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, "VOIDED_IN_XERO")
    assert after.remedy.startswith("A was voided or deleted in Xero")
    assert "-R1" in after.remedy


def test_number_of_somebody_elses_document_fails() -> None:
    after = after_lookup(unknown(), invoice_in_xero(InvoiceID="id-1", Reference="Rent"), NOW)

    assert (after.state, after.reason, after.exists_in_xero) == (DocumentState.FAILED, "NUMBER_TAKEN", False)
    assert "A is the number of another document" in after.remedy


def test_found_contact_of_a_buyer_is_updated_because_its_details_cannot_be_compared() -> None:
    element = {"ContactID": "id-1", "ContactNumber": "AMAZON-B-1", "Name": "…", "ContactStatus": "ACTIVE"}
    after = after_lookup(unknown(BUYER), element, NOW)

    assert (after.state, after.xero_id, after.xero_status) == (DocumentState.PENDING, "id-1", "ACTIVE")


# --- documents that take no more changes ------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{"Total": D("9.00")}, {"Reference": "Rent"}])
def test_document_that_takes_no_changes_fails_with_its_status_in_xero(changed: dict[str, Any]) -> None:
    held = unknown(reason="NOT_MODIFIABLE", xero_id="id-1")
    after = after_lookup(held, invoice_in_xero("PAID", InvoiceID="id-1", **changed), NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, "NOT_MODIFIABLE")
    assert "its status is PAID" in after.remedy


REMARKED = invoice_in_xero(
    InvoiceID="id-1", LineItems=[*desired_invoice().body["LineItems"], {"Description": "agreed by phone"}]
)


def test_document_to_which_a_person_added_a_remark_is_not_overwritten() -> None:
    after = after_lookup(unknown(), REMARKED, NOW)

    assert (after.state, after.reason, after.next_attempt_at) == (DocumentState.FAILED, "NOT_MODIFIABLE", None)
    assert after.remedy.startswith("Remove the line without quantity and unit price that somebody added to A in Xero")


def test_document_with_a_persons_remark_is_removed_where_it_should_not_exist() -> None:
    after = after_lookup(unknown(removed(desired_invoice())), REMARKED, NOW)

    assert (after.state, after.xero_id) == (DocumentState.PENDING, "id-1")


def test_document_that_takes_no_changes_and_needs_none_is_applied() -> None:
    held = unknown(reason="NOT_MODIFIABLE", xero_id="id-1")
    after = after_lookup(held, invoice_in_xero("PAID", InvoiceID="id-1"), NOW)

    assert (after.state, after.xero_status) == (DocumentState.APPLIED, "PAID")


def test_document_that_takes_no_changes_because_it_was_voided_fails_as_voided() -> None:
    held = unknown(reason="NOT_MODIFIABLE", xero_id="id-1")
    after = after_lookup(held, invoice_in_xero("VOIDED", InvoiceID="id-1"), NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, "VOIDED_IN_XERO")


def test_document_that_takes_no_changes_and_should_be_removed_fails() -> None:
    held = unknown(removed(desired_invoice()), reason="NOT_MODIFIABLE", xero_id="id-1")
    after = after_lookup(held, invoice_in_xero("PAID", InvoiceID="id-1"), NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, "NOT_MODIFIABLE")


# --- look-ups of documents to remove ----------------------------------------------------------------------------------


def test_found_document_that_should_be_removed_is_removed_by_its_id() -> None:
    after = after_lookup(unknown(removed(desired_invoice())), invoice_in_xero("DRAFT", InvoiceID="id-1"), NOW)

    assert (after.state, after.xero_id, after.xero_status) == (DocumentState.PENDING, "id-1", "DRAFT")
    assert is_due_now(after)


@pytest.mark.parametrize("reason", ["OUTCOME_UNKNOWN", "NOT_MODIFIABLE"])
def test_document_to_remove_that_was_voided_already_is_applied(reason: str) -> None:
    held = unknown(removed(desired_invoice()), reason)
    after = after_lookup(held, invoice_in_xero("VOIDED", InvoiceID="id-1"), NOW)

    assert (after.state, after.xero_id, after.xero_status) == (DocumentState.APPLIED, "id-1", "VOIDED")
    assert after.applied_digest == held.desired.digest


def test_nothing_is_removed_when_the_number_is_somebody_elses() -> None:
    held = unknown(removed(desired_invoice()))
    after = after_lookup(held, invoice_in_xero(InvoiceID="id-1", Reference="Rent"), NOW)

    assert (after.state, after.exists_in_xero, after.xero_status) == (DocumentState.APPLIED, False, "")


def test_our_document_whose_reference_somebody_changed_is_removed_by_its_id() -> None:
    held = unknown(removed(desired_invoice()), xero_id="id-1", xero_status="AUTHORISED")
    after = after_lookup(held, invoice_in_xero(InvoiceID="id-1", Reference="Rent"), NOW)

    assert (after.state, after.xero_id) == (DocumentState.PENDING, "id-1")
    assert is_due_now(after)


def test_document_that_xero_does_not_hold_needs_no_removal() -> None:
    held = Document(removed(desired_invoice()), xero_id="id-1", xero_status="DRAFT")
    after = nothing_to_remove(held, NOW)

    assert (after.state, after.next_attempt_at) == (DocumentState.APPLIED, None)
    assert (after.xero_id, after.xero_status, after.applied_digest) == ("", "", held.desired.digest)


# --- payments, looked up in what they pay -----------------------------------------------------------------------------


def owner(
    open_amount: str | None, *amounts: str, field: str = "AmountDue", status: str = "AUTHORISED"
) -> dict[str, Any]:
    """Return an invoice or credit note with payments of these amounts, as Xero shows it."""
    payments = [
        {"PaymentID": f"p-{n}", "Amount": D(amount), "DateString": "2026-11-20T00:00:00", "Status": status}
        for n, amount in enumerate(amounts)
    ]
    return {field: None if open_amount is None else D(open_amount), "Payments": payments}


def test_payment_found_in_its_invoice_is_applied() -> None:
    after = after_owner_lookup(unknown(desired_payment()), owner("0.00", "3.00", "10.00"), NOW)

    assert (after.state, after.xero_id, after.xero_status) == (DocumentState.APPLIED, "p-1", "AUTHORISED")
    assert after.applied_digest == desired_payment().digest


@pytest.mark.parametrize("open_amount", ["10.00", "10.01"])
@pytest.mark.parametrize(
    ("desired", "field"), [(desired_payment(), "AmountDue"), (desired_refund(), "RemainingCredit")]
)
def test_absent_payment_is_created_when_enough_is_open(desired: DesiredDocument, field: str, open_amount: str) -> None:
    after = after_owner_lookup(unknown(desired), owner(open_amount, field=field), NOW)

    assert (after.state, after.exists_in_xero) == (DocumentState.PENDING, False)
    assert is_due_now(after)


@pytest.mark.parametrize("open_amount", ["9.99", None])
@pytest.mark.parametrize(
    ("desired", "field"), [(desired_payment(), "AmountDue"), (desired_refund(), "RemainingCredit")]
)
def test_absent_payment_fails_with_both_amounts_when_too_little_is_open(
    desired: DesiredDocument, field: str, open_amount: str | None
) -> None:
    after = after_owner_lookup(unknown(desired), owner(open_amount, "3.00", field=field), NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, "ALREADY_PAID")
    assert "10.00 should be paid" in after.remedy
    assert f"{open_amount} is still open" in after.remedy


def test_deleted_payment_does_not_count_as_ours() -> None:
    after = after_owner_lookup(unknown(desired_payment()), owner("10.00", "10.00", status="DELETED"), NOW)

    assert after.state is DocumentState.PENDING


def test_payment_fails_when_its_invoice_is_not_in_xero() -> None:
    after = after_owner_lookup(unknown(desired_payment()), None, NOW)

    assert (after.state, after.reason) == (DocumentState.FAILED, "NOT_IN_XERO")


def test_payment_to_remove_that_never_arrived_needs_no_removal() -> None:
    after = after_owner_lookup(unknown(removed(desired_payment())), owner("10.00"), NOW)

    assert (after.state, after.exists_in_xero) == (DocumentState.APPLIED, False)


@pytest.mark.parametrize(
    ("desired", "what"),
    [(desired_payment(), "the invoice is paid"), (desired_refund(), "the credit note is refunded")],
)
def test_payment_to_remove_that_exists_fails_for_a_person(desired: DesiredDocument, what: str) -> None:
    found = after_owner_lookup(unknown(removed(desired)), owner("0.00", "10.00"), NOW)
    known = not_changeable(Document(removed(desired), xero_id="p-0"))

    for after in (found, known):
        assert (after.state, after.reason) == (DocumentState.FAILED, "HAS_PAYMENTS")
        assert what in after.remedy


def test_existing_payment_with_other_content_fails() -> None:
    after = not_changeable(Document(desired_payment(amount="9.00"), xero_id="p-0"))

    assert (after.state, after.reason) == (DocumentState.FAILED, "NOT_CHANGEABLE")
    assert after.remedy == FAILURES[FailureCode.NOT_CHANGEABLE].remedy


# --- allocations, looked up in their credit note ----------------------------------------------------------------------


def credit_note(remaining: str, *allocations: dict[str, Any]) -> dict[str, Any]:
    return {"CreditNoteID": "n-1", "RemainingCredit": D(remaining), "Allocations": list(allocations)}


def invoice(due: str) -> dict[str, Any]:
    return {"InvoiceID": "i-1", "AmountDue": D(due)}


def after_allocation_lookup(note: dict[str, Any] | None, of: dict[str, Any] | None) -> Document:
    return after_owner_lookup(unknown(desired_allocation()), note, NOW, (of,))


@pytest.mark.parametrize("allocation_id", [{"AllocationID": "a-1"}, {}])
def test_allocation_found_in_its_credit_note_is_applied_even_if_xero_shows_no_id(allocation_id: dict[str, str]) -> None:
    found = {"Amount": D("10.00"), "Invoice": {"InvoiceID": "i-1"}, **allocation_id}
    after = after_allocation_lookup(credit_note("0.00", found), invoice("0.00"))

    assert (after.state, after.xero_id) == (DocumentState.APPLIED, allocation_id.get("AllocationID", "n-1"))


def test_absent_allocation_is_created_when_enough_is_open_of_both_documents() -> None:
    assert after_allocation_lookup(credit_note("10.00"), invoice("10.00")).state is DocumentState.PENDING


@pytest.mark.parametrize(("remaining", "due"), [("9.99", "10.00"), ("10.00", "9.99")])
def test_absent_allocation_fails_with_all_amounts_when_too_little_is_open_of_either(remaining: str, due: str) -> None:
    after = after_allocation_lookup(credit_note(remaining), invoice(due))

    assert (after.state, after.reason) == (DocumentState.FAILED, "ALREADY_PAID")
    assert f"10.00 should be allocated, {remaining} of the credit note and {due} of the invoice" in after.remedy


@pytest.mark.parametrize(("note", "of"), [(None, invoice("10.00")), (credit_note("10.00"), None), (None, None)])
def test_allocation_fails_when_xero_has_not_both_documents(
    note: dict[str, Any] | None, of: dict[str, Any] | None
) -> None:
    after = after_allocation_lookup(note, of)

    assert (after.state, after.reason) == (DocumentState.FAILED, "NOT_IN_XERO")


def test_credit_note_is_looked_up_like_an_invoice() -> None:
    desired = desired_credit_note()
    element = {**desired.body, "CreditNoteID": "id-1", "Total": D("10.00"), "DateString": "2026-11-20T00:00:00"}

    assert after_lookup(unknown(desired), element, NOW).xero_id == "id-1"
    assert accepted(in_flight(desired), element).state is DocumentState.APPLIED
