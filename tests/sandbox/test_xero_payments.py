"""Payments, credit notes, refunds and allocations, and their effect on the documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.testing.xero import XeroClient, allocation, credit_note, line, payment

EXCEEDS_DUE = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
ALREADY_PAID = "The invoice you are trying to allocate to has already been paid off"
EXCEEDS_OUTSTANDING = "Credit Note cannot be allocated as amount is greater than amount outstanding"


# Decimals from a response equal integers, in which the tests state their expectations.
Amount = Decimal | int


def state(client: XeroClient, number: str = "AMZ-1") -> tuple[str, Amount, Amount, Amount]:
    """Return status, amount due, amount paid and amount credited of an invoice."""
    created = client.get(f"Invoices/{number}").record()
    return created["Status"], created["AmountDue"], created["AmountPaid"], created["AmountCredited"]


def remaining(client: XeroClient, number: str = "AMZ-1-R1") -> tuple[str, Amount]:
    """Return status and remaining credit of a credit note."""
    created = client.get(f"CreditNotes/{number}").record()
    return created["Status"], created["RemainingCredit"]


# -- payments ----------------------------------------------------------------------------------------------------


def test_full_payment_marks_an_invoice_paid_and_its_deletion_reopens_it(xero: XeroClient) -> None:
    created = xero.create_invoice()

    first = xero.pay(created, "30.00", Reference="settlement 1").record()
    assert state(xero) == ("AUTHORISED", 70, 30, 0)
    second = xero.pay(created, "70.00").record()
    assert state(xero) == ("PAID", 0, 100, 0)

    paid_invoice = xero.get("Invoices/AMZ-1").record()
    assert paid_invoice["FullyPaidOnDate"] == "/Date(1795219200000+0000)/"
    assert [(one["PaymentID"], one["Amount"]) for one in paid_invoice["Payments"]] == [
        (first["PaymentID"], 30),
        (second["PaymentID"], 70),
    ]
    assert (first["PaymentType"], first["Account"]["Code"]) == ("ACCRECPAYMENT", "CLR-GBP")
    assert (first["Invoice"]["AmountDue"], second["Invoice"]["Status"]) == (70, "PAID")

    deleted = xero.post(f"Payments/{second['PaymentID']}", {"Status": "DELETED"}).record()
    assert (deleted["Status"], deleted["Invoice"]["AmountDue"]) == ("DELETED", 70)
    assert state(xero) == ("AUTHORISED", 70, 30, 0)
    reopened = xero.get("Invoices/AMZ-1").record()
    assert "FullyPaidOnDate" not in reopened
    assert [one["PaymentID"] for one in reopened["Payments"]] == [first["PaymentID"]]
    assert xero.get(f"Payments/{second['PaymentID']}").record()["Status"] == "DELETED"


def test_single_payment_without_envelope_identifies_the_invoice_by_number(xero: XeroClient) -> None:
    xero.create_invoice()
    body = {"InvoiceNumber": "AMZ-1", "Account": {"Code": "clr-gbp"}, "Amount": Decimal("100.00")}
    created = xero.post("Payments", body).record()
    assert (created["Invoice"]["InvoiceNumber"], created["Date"]) == ("AMZ-1", "/Date(1795392000000+0000)/")


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"Amount": Decimal("100.01")}, [EXCEEDS_DUE]),
        ({"Amount": 0}, ["Payment amount must be greater than zero"]),
        ({"Amount": -5}, ["Payment amount must be greater than zero"]),
        ({"Account": {"Code": "999"}}, ["Account could not be found"]),
        ({"Account": {}}, ["A payment must specify an Account by Code or ID"]),
        (
            {"Account": {"Code": "200"}},
            ["The Account must be of type BANK or have EnablePaymentsToAccount set to accept payments"],
        ),
        (
            {"Account": {"Code": "CLR-USD"}},
            ["The bank account's currency USD does not match the document's currency GBP"],
        ),
        (
            {"Date": "2026-09-30"},
            ["Organisation accounts are locked on the specified payment date"],
        ),
        (
            {"Invoice": {"InvoiceID": "deadbeef-0000-4000-8000-000000000000"}},
            ["An existing Invoice with the specified InvoiceID could not be found"],
        ),
        ({"Invoice": {}}, ["A payment must identify an Invoice, CreditNote, Prepayment or Overpayment"]),
        (
            {"Invoice": None, "CreditNote": {"CreditNoteID": "deadbeef-0000-4000-8000-000000000000"}},
            ["An existing Credit Note with the specified CreditNoteID could not be found"],
        ),
    ],
)
def test_invalid_payment_is_rejected(xero: XeroClient, change: dict[str, Any], messages: list[str]) -> None:
    created = xero.create_invoice()
    xero.control("POST", "organisation", {"Organisation": {"PeriodLockDate": "2026-09-30"}})

    rejected = xero.put("Payments", payment(created, "100.00", **change))

    assert (rejected.status, rejected.messages) == (400, messages)
    assert rejected.body["Elements"][0]["HasValidationErrors"] is True
    assert state(xero) == ("AUTHORISED", 100, 0, 0)
    assert xero.pay(created, "100.00").status == 200


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "VOIDED", "DELETED", "PAID"])
def test_only_approved_documents_accept_payments(xero: XeroClient, status: str) -> None:
    created = xero.create_invoice(Status=status if status in {"DRAFT", "SUBMITTED"} else "AUTHORISED")
    if status == "VOIDED":
        xero.post("Invoices", {"InvoiceID": created["InvoiceID"], "Status": "VOIDED"}).record()
    if status == "DELETED":
        created = xero.create_invoice("AMZ-2", Status="DRAFT")
        xero.post("Invoices", {"InvoiceID": created["InvoiceID"], "Status": "DELETED"}).record()
    if status == "PAID":
        xero.pay(created, "100.00").record()

    expected = [EXCEEDS_DUE, NOT_AUTHORISED] if status == "PAID" else [NOT_AUTHORISED]
    assert xero.pay(created, "100.00").messages == expected


def test_payments_of_one_batch_cannot_exceed_the_amount_due_together(xero: XeroClient) -> None:
    created = xero.create_invoice()
    batch = {"Payments": [payment(created, "60.00"), payment(created, "60.00"), payment(created, "40.00")]}

    response = xero.put("Payments", batch, summarizeErrors="false")

    assert [one["StatusAttributeString"] for one in response.body["Payments"]] == ["OK", "ERROR", "OK"]
    assert state(xero) == ("PAID", 0, 100, 0)
    rejected = xero.put("Payments", {"Payments": [payment(xero.create_invoice("B"), "60.00")] * 2})
    assert (rejected.status, state(xero, "B")) == (400, ("AUTHORISED", 100, 0, 0))


def test_account_that_accepts_payments_need_not_be_a_bank_account(xero: XeroClient) -> None:
    xero.control("POST", "organisation", {"Accounts": [{"Code": "620", "EnablePaymentsToAccount": True}]})
    assert xero.pay(xero.create_invoice(), "100.00", Account={"Code": "620"}).status == 200


def test_foreign_currency_invoice_is_paid_from_an_account_in_its_currency(xero: XeroClient) -> None:
    created = xero.create_invoice(CurrencyCode="USD")
    assert xero.pay(created, "100.00").status == 400
    assert xero.pay(created, "100.00", Account={"Code": "CLR-USD"}).status == 200


def test_deleted_or_unknown_payment_cannot_be_deleted(xero: XeroClient) -> None:
    created = xero.pay(xero.create_invoice(), "100.00").record()
    path = f"Payments/{created['PaymentID']}"
    assert xero.post(path, {"Status": "AUTHORISED"}).status == 400
    assert xero.post(path, {"Payments": [{"Status": "DELETED"}]}).status == 200
    assert xero.post(path, {"Status": "DELETED"}).messages == ["Payment not of valid status for modification"]
    assert xero.post("Payments/nope", {"Status": "DELETED"}).status == 404


# -- credit notes ------------------------------------------------------------------------------------------------


def test_credit_note_numbers_are_unique_and_independent_of_invoice_numbers(xero: XeroClient) -> None:
    created = xero.create_credit_note()
    assert (created["Status"], created["RemainingCredit"], created["Type"]) == ("AUTHORISED", 40, "ACCRECCREDIT")
    assert xero.put("CreditNotes", credit_note()).messages == ["Credit Note # must be unique."]
    assert xero.post("CreditNotes", credit_note(amount="41.00", LineItems=[line("41.00")])).status == 200
    assert xero.create_invoice("AMZ-1-R1")["InvoiceNumber"] == "AMZ-1-R1", "invoices are numbered separately"
    unnumbered = {key: value for key, value in credit_note().items() if key != "CreditNoteNumber"}
    assert xero.put("CreditNotes", unnumbered).record()["CreditNoteNumber"] == "CN-0001"


@pytest.mark.parametrize(
    ("before", "sent", "accepted"),
    [("DRAFT", "AUTHORISED", True), ("DRAFT", "DELETED", True), ("AUTHORISED", "VOIDED", True),
     ("AUTHORISED", "DELETED", False), ("DRAFT", "VOIDED", False)],
)  # fmt: skip
def test_credit_notes_have_the_status_changes_of_invoices(
    xero: XeroClient, before: str, sent: str, accepted: bool
) -> None:
    created = xero.create_credit_note(Status=before)
    response = xero.post(f"CreditNotes/{created['CreditNoteID']}", {"Status": sent})
    assert (response.status == 200) is accepted
    assert remaining(xero)[0] == (sent if accepted else before)


def test_refund_is_a_payment_of_the_credit_note(xero: XeroClient) -> None:
    note = xero.create_credit_note()

    refund = xero.pay(note, "15.00").record()
    assert (refund["PaymentType"], refund["Invoice"]["Type"]) == ("ARCREDITPAYMENT", "ACCRECCREDIT")
    assert refund["Invoice"]["InvoiceID"] == note["CreditNoteID"]
    assert remaining(xero) == ("AUTHORISED", 25)

    assert xero.pay(note, "25.01").messages == [EXCEEDS_DUE]
    last = xero.pay(note, "25.00").record()
    assert remaining(xero) == ("PAID", 0)

    xero.post(f"Payments/{last['PaymentID']}", {"Status": "DELETED"}).record()
    assert remaining(xero) == ("AUTHORISED", 25)


# -- allocations -------------------------------------------------------------------------------------------------


def allocate(client: XeroClient, note: dict[str, Any], created: dict[str, Any], amount: str) -> Any:
    body = {"Allocations": [allocation(created, amount)]}
    return client.put(f"CreditNotes/{note['CreditNoteID']}/Allocations", body)


def test_allocation_reduces_both_documents_and_can_be_deleted(xero: XeroClient) -> None:
    created, note = xero.create_invoice(), xero.create_credit_note()

    allocated = allocate(xero, note, created, "40.00").record()

    assert state(xero) == ("AUTHORISED", 60, 0, 40)
    assert remaining(xero) == ("PAID", 0)
    assert allocated["Date"] == "/Date(1795305600000+0000)/", "the later of the documents' dates"
    credit = xero.get("Invoices/AMZ-1").record()["CreditNotes"]
    assert [(one["CreditNoteNumber"], one["AppliedAmount"]) for one in credit] == [("AMZ-1-R1", 40)]

    xero.pay(created, "60.00").record()
    assert state(xero) == ("PAID", 0, 60, 40)

    path = f"CreditNotes/{note['CreditNoteID']}/Allocations/{allocated['AllocationID']}"
    assert xero.call("DELETE", path).body["IsDeleted"] is True
    assert state(xero) == ("AUTHORISED", 40, 60, 0)
    assert remaining(xero) == ("AUTHORISED", 40)
    assert xero.call("DELETE", path).status == 404


def test_allocation_is_limited_by_the_amount_due_and_the_remaining_credit(xero: XeroClient) -> None:
    created, note = xero.create_invoice("A", "30.00"), xero.create_credit_note("R", "40.00")
    other = xero.create_invoice("B", "100.00")

    assert allocate(xero, note, created, "30.01").messages == [EXCEEDS_OUTSTANDING]
    allocate(xero, note, created, "30.00").record()
    assert state(xero, "A") == ("PAID", 0, 0, 30)
    assert allocate(xero, note, other, "10.01").status == 400
    allocate(xero, note, other, "10.00").record()
    assert remaining(xero, "R") == ("PAID", 0)


def test_credit_note_cannot_be_allocated_to_a_paid_invoice(xero: XeroClient) -> None:
    created, note = xero.create_invoice(), xero.create_credit_note()
    xero.pay(created, "100.00").record()
    assert allocate(xero, note, created, "40.00").messages == [ALREADY_PAID, EXCEEDS_OUTSTANDING]
    assert remaining(xero) == ("AUTHORISED", 40)


def test_allocation_has_the_date_of_the_later_document(xero: XeroClient) -> None:
    created, note = xero.create_invoice(Date="2026-11-23"), xero.create_credit_note()
    assert allocate(xero, note, created, "1.00").record()["Date"] == "/Date(1795392000000+0000)/"


def test_document_accepts_changes_again_once_its_payment_is_deleted(xero: XeroClient) -> None:
    created = xero.create_invoice()
    paid = xero.pay(created, "100.00").record()
    xero.post(f"Payments/{paid['PaymentID']}", {"Status": "DELETED"}).record()
    voided = xero.post(f"Invoices/{created['InvoiceID']}", {"Status": "VOIDED"}).record()
    assert (voided["Status"], voided["Payments"]) == ("VOIDED", [])


@pytest.mark.parametrize(
    ("invoice_change", "note_change", "amount"),
    [
        ({"Contact": {"Name": "Somebody else"}}, {}, "10.00"),
        ({"CurrencyCode": "EUR"}, {}, "10.00"),
        ({"Status": "DRAFT"}, {}, "10.00"),
        ({}, {"Status": "DRAFT"}, "10.00"),
        ({}, {}, "0.00"),
        ({}, {}, "-1.00"),
        ({"Type": "ACCPAY", "LineItems": [line(AccountCode="412")]}, {}, "10.00"),
    ],
)
def test_invalid_allocation_is_rejected(
    xero: XeroClient, invoice_change: dict[str, Any], note_change: dict[str, Any], amount: str
) -> None:
    created, note = xero.create_invoice(**invoice_change), xero.create_credit_note(**note_change)
    rejected = allocate(xero, note, created, amount)
    assert (rejected.status, len(rejected.messages)) == (400, 1)
    assert xero.books()["Allocations"] == []


def test_allocation_of_an_unknown_document_is_rejected(xero: XeroClient) -> None:
    created, note = xero.create_invoice(), xero.create_credit_note()
    assert allocate(xero, {"CreditNoteID": "nope"}, created, "1.00").status == 404
    unknown = allocate(xero, note, {"InvoiceID": "nope"}, "1.00")
    assert unknown.messages == ["An existing Invoice with the specified InvoiceID could not be found"]


def test_documents_with_allocations_cannot_be_voided(xero: XeroClient) -> None:
    created, note = xero.create_invoice(), xero.create_credit_note()
    allocate(xero, note, created, "10.00").record()
    void = {"Status": "VOIDED"}
    assert xero.post(f"Invoices/{created['InvoiceID']}", void).messages == [
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it."
    ]
    assert xero.post(f"CreditNotes/{note['CreditNoteID']}", void).messages == [
        "The status VOIDED cannot be applied to the credit note "
        "because it has payments or credit notes allocated to it."
    ]


def test_account_that_is_no_bank_account_takes_payments_in_the_base_currency_only(xero: XeroClient) -> None:
    account = {"Code": "CLR", "Name": "Clearing", "Type": "CURRENT", "EnablePaymentsToAccount": True}
    xero.put("Accounts", account).record()
    pounds = xero.create_invoice("A", "10.00")
    dollars = xero.create_invoice("B", "10.00", CurrencyCode="USD")

    xero.pay(pounds, "10.00", Account={"Code": "CLR"}).record()
    refused = xero.pay(dollars, "10.00", Account={"Code": "CLR"})

    assert "does not match the document's currency USD" in str(refused.body)
