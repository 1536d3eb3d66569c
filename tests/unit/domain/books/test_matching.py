"""Whether a document in Xero is the one we want, is ours but different, or is somebody else's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.matching import Match, match, reference_identity, settlement_in

D = Decimal

INVOICE = DesiredDocument(
    DocumentKind.INVOICE,
    "026-1",
    {
        "Type": "ACCREC",
        "InvoiceNumber": "026-1",
        "Reference": "Amazon.co.uk 026-1",
        "Date": "2026-11-02",
        "DueDate": "2026-11-02",
        "CurrencyCode": "GBP",
        "LineAmountTypes": "Inclusive",
        "Status": "AUTHORISED",
        "LineItems": [
            {"Description": "Tea", "Quantity": 3, "UnitAmount": D("4"), "AccountCode": "200", "TaxType": "OUTPUT2"},
            {"Description": "Off", "Quantity": 1, "UnitAmount": D("-2"), "AccountCode": "210", "TaxType": "OUTPUT2"},
        ],
    },
    "order#026-1",
    total=D("10.00"),
)


def in_xero(**changed: Any) -> dict[str, Any]:
    """Return the same invoice as Xero states it: whole numbers as int, its own names for dates, defaults filled in."""
    return {
        "Type": "ACCREC",
        "InvoiceID": "id-1",
        "InvoiceNumber": "026-1",
        "Reference": "Amazon.co.uk 026-1",
        "Date": "/Date(1793577600000+0000)/",
        "DateString": "2026-11-02T00:00:00",
        "CurrencyCode": "GBP",
        "LineAmountTypes": "Inclusive",
        "Status": "AUTHORISED",
        "Total": 10,
        "AmountDue": 10,
        "LineItems": [
            {"LineItemID": "l1", "Quantity": D("3.0000"), "UnitAmount": 4, "AccountCode": "200", "TaxType": "OUTPUT2"},
            {"LineItemID": "l2", "Quantity": 1, "UnitAmount": -2, "AccountCode": "210", "TaxType": "OUTPUT2"},
        ],
        **changed,
    }


def with_line(position: int, **changed: Any) -> dict[str, Any]:
    lines = in_xero()["LineItems"]
    lines[position] |= changed
    return in_xero(LineItems=lines)


def test_same_invoice_in_xeros_notation_matches() -> None:
    assert match(INVOICE, in_xero()) is Match.SAME


def test_paid_invoice_matches_the_approved_one() -> None:
    assert match(INVOICE, in_xero(Status="PAID", AmountDue=0)) is Match.SAME


def test_draft_submitted_for_approval_matches_the_draft() -> None:
    draft = replace(INVOICE, body={**INVOICE.body, "Status": "DRAFT"})

    assert match(draft, in_xero(Status="SUBMITTED")) is Match.SAME
    assert match(draft, in_xero()) is Match.OURS_BUT_DIFFERENT


@pytest.mark.parametrize(
    "element",
    [
        in_xero(Status="DRAFT"),
        in_xero(CurrencyCode="EUR"),
        in_xero(Reference="Amazon.co.uk 026-1 · 1Z999"),
        in_xero(LineAmountTypes="Exclusive"),
        in_xero(DateString="2026-11-03T00:00:00"),
        in_xero(Total=D("10.01")),
        with_line(0, UnitAmount=D("4.01")),
        with_line(0, AccountCode="201"),
        with_line(0, TaxType="NONE"),
        with_line(1, AccountCode=None),
        in_xero(LineItems=in_xero()["LineItems"][:1]),
        in_xero(LineItems=[]),
        in_xero(LineItems=None),
    ],
)
def test_our_invoice_with_other_content_is_different(element: dict[str, Any]) -> None:
    assert match(INVOICE, element) is Match.OURS_BUT_DIFFERENT


def test_tax_of_a_line_is_compared_where_we_stated_it() -> None:
    first, *others = INVOICE.body["LineItems"]
    stating = replace(INVOICE, body={**INVOICE.body, "LineItems": [{**first, "TaxAmount": D("0.66")}, *others]})

    assert match(stating, with_line(0, TaxAmount=D("0.66"))) is Match.SAME
    assert match(stating, with_line(0, TaxAmount=D("0.67"))) is Match.OURS_BUT_DIFFERENT
    assert match(INVOICE, with_line(0, TaxAmount=D("0.67"))) is Match.SAME  # Xero computed it


@pytest.mark.parametrize("remark", [{}, {"Quantity": None, "UnitAmount": None, "AccountCode": ""}, {"Quantity": 1}])
def test_our_invoice_with_a_line_that_has_only_a_description_was_changed_by_a_person(remark: dict[str, Any]) -> None:
    line = {"LineItemID": "l3", "Description": "agreed by phone", "TaxAmount": 0, "LineAmount": 0, **remark}
    lines = [*in_xero()["LineItems"], line]

    assert match(INVOICE, in_xero(LineItems=lines)) is Match.CHANGED_BY_PERSON
    assert match(INVOICE, in_xero(LineItems=lines, Status="VOIDED")) is Match.GONE
    assert match(INVOICE, in_xero(LineItems=lines, Reference="rent")) is Match.FOREIGN


@pytest.mark.parametrize(
    "changed",
    [
        {"Reference": "rent"},
        {"Reference": None},
        {"Reference": "Amazon.co.uk 026-11 · 1Z999"},
        {"Type": "ACCPAY"},
    ],
)
def test_another_document_under_our_number_is_foreign(changed: dict[str, Any]) -> None:
    assert match(INVOICE, in_xero(**changed)) is Match.FOREIGN


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_voided_or_deleted_document_is_gone_whoever_created_it(status: str) -> None:
    assert match(INVOICE, in_xero(Status=status)) is Match.GONE
    assert match(INVOICE, in_xero(Status=status, Reference="rent")) is Match.GONE


def test_xeros_json_date_is_read_where_there_is_no_date_string() -> None:
    element = in_xero()
    del element["DateString"]

    assert match(INVOICE, element) is Match.SAME
    assert match(INVOICE, {**element, "Date": "/Date(1793664000000+0000)/"}) is Match.OURS_BUT_DIFFERENT
    assert match(INVOICE, {**element, "Date": None}) is Match.OURS_BUT_DIFFERENT


def test_contact_matches_by_name_and_number() -> None:
    body = {"Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK"}
    customer = DesiredDocument(DocumentKind.CONTACT, "AMAZON-UK", body, "settings#AMAZON-UK")
    held = {"ContactID": "c1", "Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK", "EmailAddress": ""}

    assert match(customer, held) is Match.SAME
    assert match(customer, {**held, "Name": " AMAZON.co.uk  Customers", "ContactNumber": "amazon-uk"}) is Match.SAME
    assert match(customer, {**held, "ContactNumber": "other-uk"}) is Match.FOREIGN
    assert match(customer, {**held, "Name": "Amazon"}) is Match.OURS_BUT_DIFFERENT
    assert match(customer, {**held, "ContactNumber": ""}) is Match.OURS_BUT_DIFFERENT


def test_changed_tracking_numbers_in_a_reference_do_not_make_the_document_foreign() -> None:
    tracked = replace(INVOICE, body={**INVOICE.body, "Reference": "Amazon.co.uk 026-1 · 1Z999"})

    assert (
        reference_identity("Amazon.co.uk 026-1 · 1Z999")
        == reference_identity("Amazon.co.uk 026-1")
        == "Amazon.co.uk 026-1"
    )
    assert match(tracked, in_xero(Reference="Amazon.co.uk 026-1 · 1Z999")) is Match.SAME
    assert match(tracked, in_xero()) is Match.OURS_BUT_DIFFERENT
    assert match(tracked, in_xero(Reference="Amazon.co.uk 026-1 · 1Z999 1Z998")) is Match.OURS_BUT_DIFFERENT


@pytest.mark.parametrize("stored", ["Amazon.co.uk 026-1 · DHL\x00  1", "Amazon.co.uk 026-1 · DHL 1"])
def test_references_are_compared_as_they_are_sent(stored: str) -> None:
    tracked = replace(INVOICE, body={**INVOICE.body, "Reference": stored})

    assert match(tracked, in_xero(Reference="Amazon.co.uk 026-1 · DHL 1")) is Match.SAME
    assert match(tracked, in_xero(Reference="Amazon.co.uk 026-1 · DHL  1 ")) is Match.SAME
    assert match(tracked, in_xero(Reference="Amazon.co.uk 026-1 · DHL 2")) is Match.OURS_BUT_DIFFERENT


CREDIT_NOTE = replace(
    INVOICE,
    kind=DocumentKind.CREDIT_NOTE,
    number="026-1-A1",
    body={
        **{name: value for name, value in INVOICE.body.items() if name not in ("InvoiceNumber", "DueDate")},
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": "026-1-A1",
    },
)


def credited(**changed: Any) -> dict[str, Any]:
    own = {"Type": "ACCRECCREDIT", "CreditNoteID": "n1", "CreditNoteNumber": "026-1-A1", "RemainingCredit": 10}
    return {**in_xero(), **own, **changed}


def test_credit_note_matches_by_content_and_a_suppliers_credit_note_is_foreign() -> None:
    assert match(CREDIT_NOTE, credited()) is Match.SAME
    assert match(CREDIT_NOTE, credited(Status="PAID", RemainingCredit=0)) is Match.SAME
    assert match(CREDIT_NOTE, credited(Total=11)) is Match.OURS_BUT_DIFFERENT
    assert match(CREDIT_NOTE, credited(Type="ACCPAYCREDIT")) is Match.FOREIGN
    assert match(CREDIT_NOTE, credited(Status="VOIDED")) is Match.GONE


def test_buyer_contact_is_always_different_because_its_details_are_not_stored() -> None:
    body = {"ContactNumber": "AMAZON-B-1", "BuyerDigest": "d1"}
    buyer = DesiredDocument(DocumentKind.CONTACT, "AMAZON-B-1", body, "order#026-1")

    assert match(buyer, {"ContactID": "c1", "Name": "Ann", "ContactNumber": "AMAZON-B-1"}) is Match.OURS_BUT_DIFFERENT
    assert match(buyer, {"ContactID": "c1", "Name": "Ann", "ContactNumber": "OTHER"}) is Match.FOREIGN


PAYMENT = DesiredDocument(
    DocumentKind.PAYMENT,
    "026-1",
    {"Account": {"Code": "CLR"}, "Date": "2026-11-02", "Amount": D("10.00"), "Reference": "Amazon.co.uk 026-1"},
    "order#026-1",
    references={"Invoice.InvoiceID": INVOICE.key},
)


def paid(**changed: Any) -> dict[str, Any]:
    payment = {"PaymentID": "p1", "Date": "/Date(1793577600000+0000)/", "Amount": 10, "Status": "AUTHORISED", **changed}
    return in_xero(Payments=[{"PaymentID": "p0", "DateString": "2026-11-02", "Amount": D("3")}, payment])


def test_our_payment_is_found_among_the_payments_of_the_invoice() -> None:
    found = settlement_in(PAYMENT, paid())

    assert found is not None
    assert found["PaymentID"] == "p1"


@pytest.mark.parametrize(
    "invoice",
    [
        paid(Amount=D("9.99")),
        paid(Date="/Date(1793664000000+0000)/"),
        paid(Status="DELETED"),
        in_xero(Payments=[]),
        in_xero(Payments=None),
        in_xero(),
    ],
)
def test_payment_with_other_amount_or_day_or_status_is_not_ours(invoice: dict[str, Any]) -> None:
    assert settlement_in(PAYMENT, invoice) is None


ALLOCATION = DesiredDocument(
    DocumentKind.ALLOCATION,
    "026-1-A1",
    {"Amount": D("10.00"), "Date": "2026-11-02"},
    "order#026-1",
    references={"CreditNote.CreditNoteID": CREDIT_NOTE.key, "Invoice.InvoiceID": INVOICE.key},
)


def allocated(**changed: Any) -> dict[str, Any]:
    allocation = {"AllocationID": "a1", "Amount": 10, "Invoice": {"InvoiceID": "AB-1"}, **changed}
    smaller = {"AllocationID": "a0", "Amount": D("3"), "Invoice": {"InvoiceID": "AB-1"}}
    return credited(Allocations=[smaller, allocation])


def test_our_allocation_is_found_by_amount_and_invoice_whatever_day_xero_gave_it() -> None:
    found = settlement_in(ALLOCATION, allocated(Date="/Date(1793664000000+0000)/"), [{"InvoiceID": "ab-1"}])

    assert found is not None
    assert found["AllocationID"] == "a1"


@pytest.mark.parametrize(
    "credit_note",
    [
        allocated(Amount=D("9.99")),
        allocated(Invoice={"InvoiceID": "ab-2"}),
        allocated(Invoice=None),
        allocated(IsDeleted=True),
        credited(Allocations=None),
        credited(),
    ],
)
def test_allocation_of_another_amount_or_to_another_invoice_or_deleted_is_not_ours(credit_note: dict[str, Any]) -> None:
    assert settlement_in(ALLOCATION, credit_note, [{"InvoiceID": "ab-1"}]) is None


def test_line_with_another_text_is_different_and_one_that_xero_shows_without_text_is_not() -> None:
    assert match(INVOICE, with_line(0, Description="Tea")) is Match.SAME
    assert match(INVOICE, with_line(0, Description="Green tea")) is Match.OURS_BUT_DIFFERENT
