"""What somebody changed in Xero of one document, compared with what was applied; and what is no change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.differences import DIFFERS, FieldDifference
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.xero_comparison import (
    ChangeKind,
    changes_of,
    contact_changes_of,
    held_in_xero,
    is_comparable,
    kind_of_change,
    settlement_change_of,
)

LINE = {"Description": "Tea", "AccountCode": "200", "TaxType": "OUTPUT2", "Quantity": 1, "UnitAmount": Decimal("10.00")}
BODY = {
    "Type": "ACCREC",
    "InvoiceNumber": "A",
    "Status": "AUTHORISED",
    "Date": "2026-11-02",
    "CurrencyCode": "GBP",
    "LineAmountTypes": "Inclusive",
    "Reference": "Amazon.co.uk A",
    "LineItems": [LINE],
}
DESIRED = DesiredDocument(DocumentKind.INVOICE, "A", BODY, "order#A", total=Decimal("10.00"))
INVOICE = Document(
    DESIRED, DocumentState.APPLIED, applied_digest=DESIRED.digest, xero_id="ID-1", xero_status="AUTHORISED"
)
IN_XERO: dict[str, Any] = {
    **BODY,
    "InvoiceID": "id-1",
    "Contact": {"ContactID": "C-1", "Name": "Canary Buyer"},
    "DateString": "2026-11-02T00:00:00",
    "Total": Decimal("10.00"),
    "LineItems": [{**LINE, "TaxAmount": Decimal("1.67")}],
}


def changed_line(**fields: Any) -> dict[str, Any]:
    return {"LineItems": [{**IN_XERO["LineItems"][0], **fields}]}


def changes(held: dict[str, Any], document: Document = INVOICE) -> list[tuple[str, str, str]]:
    found = changes_of(document, {**IN_XERO, **held}, ["c-1", "c-2"])
    return [(each.field, each.in_xero, each.to_write) for each in found]


@pytest.mark.parametrize(
    ("held", "difference"),
    [
        (changed_line(AccountCode="205"), ("LineItems[0].AccountCode", "205", "200")),
        (changed_line(TaxType="NONE"), ("LineItems[0].TaxType", "NONE", "OUTPUT2")),
        (changed_line(UnitAmount=Decimal(9)), ("LineItems[0].Amount", "9.00", "10.00")),
        ({"Total": Decimal("10.01")}, ("Total", "10.01", "10.00")),
        ({"DateString": "2026-11-01T00:00:00"}, ("Date", "2026-11-01", "2026-11-02")),
        ({"Contact": {"ContactID": "C-9"}}, ("Contact", "c-9", "c-1")),
        ({"InvoiceNumber": "Canary Buyer"}, ("InvoiceNumber", DIFFERS, "A")),
        ({"Reference": "Canary Buyer"}, ("Reference", DIFFERS, "Amazon.co.uk A")),
        ({"LineItems": []}, ("LineItems[0].Amount", "", "10.00")),
        ({"Status": "VOIDED"}, ("Status", "VOIDED", "AUTHORISED")),
    ],
)
def test_each_edit_is_a_difference(held: dict[str, Any], difference: tuple[str, str, str]) -> None:
    found = changes(held)

    assert found[0] == difference
    assert "Canary" not in str(found)


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"Status": "PAID", "Payments": [{"PaymentID": "theirs", "Amount": Decimal(10)}]},
        {"Contact": {"ContactID": "C-2"}},  # what it was merged into
        {"InvoiceNumber": "a"},
        {"DueDate": "2026-12-24", "ExpectedPaymentDate": "2026-12-24"},
        changed_line(Description="Tea for the office"),
    ],
)
def test_what_is_no_change(held: dict[str, Any]) -> None:
    assert changes(held) == []


def test_draft_that_a_person_approved_is_no_change() -> None:
    draft = replace(DESIRED, body={**BODY, "Status": "DRAFT"})

    assert changes({"Status": "AUTHORISED"}, replace(INVOICE, desired=draft)) == []


@pytest.mark.parametrize("theirs", [{"approved_by_person": True}, {"desired": {**BODY, "Status": "SUBMITTED"}}])
def test_of_what_a_person_approves_only_the_removal_is_a_change(theirs: dict[str, Any]) -> None:
    document = replace(INVOICE, approved_by_person=theirs.get("approved_by_person", False))
    document = replace(document, desired=replace(DESIRED, body=theirs.get("desired", BODY)))

    assert changes(changed_line(AccountCode="205"), document) == []
    assert [field for field, _, _ in changes({"Status": "VOIDED"}, document)] == ["Status"]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": DocumentState.PENDING},
        {"state": DocumentState.UNKNOWN},
        {"state": DocumentState.FAILED},
        {"applied_digest": "other"},
        {"xero_id": ""},
        {"desired": replace(DESIRED, tombstone=True)},
        {"is_merged": True},
    ],
)
def test_what_is_under_way_failed_or_removed_is_not_compared(fields: dict[str, Any]) -> None:
    assert is_comparable(INVOICE)
    assert not is_comparable(replace(INVOICE, **fields))


PAYMENT = Document(
    DesiredDocument(
        DocumentKind.PAYMENT,
        "A",
        {"Amount": Decimal(10), "Date": "2026-11-02"},
        "order#A",
        references={"Invoice.InvoiceID": "invoice#A"},
    )
)
ALLOCATION = Document(
    DesiredDocument(
        DocumentKind.ALLOCATION,
        "N",
        {"Amount": Decimal(4)},
        "order#A",
        references={"CreditNote.CreditNoteID": "credit_note#N", "Invoice.InvoiceID": "invoice#A"},
    )
)


@pytest.mark.parametrize(
    ("payments", "is_changed"),
    [
        ([{"Amount": Decimal(10), "Date": "/Date(1793577600000+0000)/"}], False),
        ([], True),
        ([{"Amount": Decimal(9), "Date": "/Date(1793577600000+0000)/"}], True),
        ([{"Amount": Decimal(10), "Date": "/Date(1793577600000+0000)/", "Status": "DELETED"}], True),
    ],
)
def test_payment_is_found_in_its_invoice_by_amount_and_day(payments: list[dict[str, Any]], is_changed: bool) -> None:
    found = settlement_change_of(PAYMENT, {**IN_XERO, "Payments": payments}, {"invoice#A": "ID-1"})

    expected = (FieldDifference("Amount", "", "10"), FieldDifference("Date", "", "2026-11-02"))
    assert found == (expected if is_changed else ())


@pytest.mark.parametrize(("invoice_id", "is_changed"), [("id-1", False), ("id-2", True)])
def test_allocation_is_found_in_its_credit_note_by_amount_and_invoice(invoice_id: str, is_changed: bool) -> None:
    note = {"CreditNoteID": "n", "Allocations": [{"Amount": Decimal(4), "Invoice": {"InvoiceID": invoice_id}}]}

    assert bool(settlement_change_of(ALLOCATION, note, {"invoice#A": "ID-1"})) is is_changed


@pytest.mark.parametrize(
    ("held", "kind"),
    [
        ({"ContactStatus": "ACTIVE"}, None),
        ({"ContactStatus": "ARCHIVED"}, ChangeKind.ARCHIVED),
        ({"ContactStatus": "ARCHIVED", "MergedToContactID": "C-2"}, ChangeKind.MERGED),
    ],
)
def test_archived_and_merged_contacts_are_told_apart_without_a_name(
    held: dict[str, Any], kind: ChangeKind | None
) -> None:
    contact = Document(DesiredDocument(DocumentKind.CONTACT, "C", {"ContactNumber": "C"}, "settings"))

    found = contact_changes_of(contact, {"Name": "Canary Buyer", **held})

    assert (kind_of_change(contact, found) if found else None) is kind
    assert "Canary" not in str(found)


def test_what_an_acceptance_takes_over_has_neither_names_nor_texts() -> None:
    held = held_in_xero({**IN_XERO, "AmountPaid": Decimal(4), **changed_line(Description="Canary")})

    assert held == {
        "Status": "AUTHORISED",
        "AmountPaid": Decimal(4),
        "Date": "2026-11-02",
        "LineItems": [
            {
                "AccountCode": "200",
                "TaxType": "OUTPUT2",
                "TaxAmount": Decimal("1.67"),
                "LineAmount": Decimal("10.00"),
            }
        ],
    }
