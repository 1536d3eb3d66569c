"""Whether what stands in Xero is what we want, is ours, or is somebody else's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.matching import Match, identity, match, payment_inside

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
    total=D("10.00"),
    order_id="026-1",
)


def in_xero(**changed: Any) -> dict[str, Any]:
    """The same invoice as Xero shows it: whole numbers as int, its own names for dates, defaults filled in."""
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


def line(position: int, **changed: Any) -> dict[str, Any]:
    lines = in_xero()["LineItems"]
    lines[position] |= changed
    return in_xero(LineItems=lines)


def test_the_same_invoice_in_xero_s_words_is_the_same() -> None:
    assert match(INVOICE, in_xero()) is Match.SAME


def test_an_invoice_that_was_paid_is_still_the_approved_one() -> None:
    assert match(INVOICE, in_xero(Status="PAID", AmountDue=0)) is Match.SAME


def test_a_draft_handed_in_for_approval_is_still_the_draft() -> None:
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
        line(0, UnitAmount=D("4.01")),
        line(0, AccountCode="201"),
        line(0, TaxType="NONE"),
        line(1, AccountCode=None),
        in_xero(LineItems=in_xero()["LineItems"][:1]),
        in_xero(LineItems=[]),
        in_xero(LineItems=None),
    ],
)
def test_our_invoice_with_another_content_is_brought_up_to_date(element: dict[str, Any]) -> None:
    assert match(INVOICE, element) is Match.OURS_BUT_DIFFERENT


@pytest.mark.parametrize(
    "changed",
    [
        {"Reference": "rent"},
        {"Reference": None},
        {"Reference": "Amazon.co.uk 026-11 · 1Z999"},
        {"Type": "ACCPAY"},
    ],
)
def test_a_document_of_somebody_else_under_our_number_is_foreign(changed: dict[str, Any]) -> None:
    assert match(INVOICE, in_xero(**changed)) is Match.FOREIGN


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_a_voided_or_deleted_document_is_gone_whoever_s_it_was(status: str) -> None:
    assert match(INVOICE, in_xero(Status=status)) is Match.GONE
    assert match(INVOICE, in_xero(Status=status, Reference="rent")) is Match.GONE


def test_a_date_in_xero_s_older_form_is_read_too() -> None:
    element = in_xero()
    del element["DateString"]

    assert match(INVOICE, element) is Match.SAME
    assert match(INVOICE, {**element, "Date": "/Date(1793664000000+0000)/"}) is Match.OURS_BUT_DIFFERENT
    assert match(INVOICE, {**element, "Date": None}) is Match.OURS_BUT_DIFFERENT


def test_a_customer_is_the_same_by_name_and_number() -> None:
    customer = DesiredDocument(
        DocumentKind.CONTACT, "AMAZON-UK", {"Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK"}
    )
    held = {"ContactID": "c1", "Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK", "EmailAddress": ""}

    assert match(customer, held) is Match.SAME
    assert match(customer, {**held, "Name": "Amazon"}) is Match.OURS_BUT_DIFFERENT
    assert match(customer, {**held, "ContactNumber": ""}) is Match.OURS_BUT_DIFFERENT


def test_tracking_numbers_in_a_reference_do_not_make_it_another_document() -> None:
    tracked = replace(INVOICE, body={**INVOICE.body, "Reference": "Amazon.co.uk 026-1 · 1Z999"})

    assert identity("Amazon.co.uk 026-1 · 1Z999") == identity("Amazon.co.uk 026-1") == "Amazon.co.uk 026-1"
    assert match(tracked, in_xero(Reference="Amazon.co.uk 026-1 · 1Z999")) is Match.SAME
    assert match(tracked, in_xero()) is Match.OURS_BUT_DIFFERENT
    assert match(tracked, in_xero(Reference="Amazon.co.uk 026-1 · 1Z999 1Z998")) is Match.OURS_BUT_DIFFERENT


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


def test_a_credit_note_is_the_same_by_its_content_and_foreign_as_a_supplier_s() -> None:
    assert match(CREDIT_NOTE, credited()) is Match.SAME
    assert match(CREDIT_NOTE, credited(Status="PAID", RemainingCredit=0)) is Match.SAME
    assert match(CREDIT_NOTE, credited(Total=11)) is Match.OURS_BUT_DIFFERENT
    assert match(CREDIT_NOTE, credited(Type="ACCPAYCREDIT")) is Match.FOREIGN
    assert match(CREDIT_NOTE, credited(Status="VOIDED")) is Match.GONE


def test_a_buyer_s_contact_cannot_be_compared_and_is_brought_up_to_date() -> None:
    buyer = DesiredDocument(
        DocumentKind.CONTACT, "AMAZON-B-1", {"ContactNumber": "AMAZON-B-1", "Buyer": "d1"}, order_id="026-1"
    )

    assert match(buyer, {"ContactID": "c1", "Name": "Ann", "ContactNumber": "AMAZON-B-1"}) is Match.OURS_BUT_DIFFERENT
    assert match(buyer, {"ContactID": "c1", "Name": "Ann", "ContactNumber": "OTHER"}) is Match.FOREIGN


PAYMENT = DesiredDocument(
    DocumentKind.PAYMENT,
    "026-1",
    {"Account": {"Code": "CLR"}, "Date": "2026-11-02", "Amount": D("10.00"), "Reference": "Amazon.co.uk 026-1"},
    references={"Invoice.InvoiceID": INVOICE.key},
    order_id="026-1",
)


def paid(**changed: Any) -> dict[str, Any]:
    payment = {"PaymentID": "p1", "Date": "/Date(1793577600000+0000)/", "Amount": 10, "Status": "AUTHORISED", **changed}
    return in_xero(Payments=[{"PaymentID": "p0", "DateString": "2026-11-02", "Amount": D("3")}, payment])


def test_our_payment_is_found_inside_the_invoice() -> None:
    found = payment_inside(PAYMENT, paid())

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
def test_another_payment_is_not_taken_for_ours(invoice: dict[str, Any]) -> None:
    assert payment_inside(PAYMENT, invoice) is None
