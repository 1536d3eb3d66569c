"""Payments, credit notes, refunds and allocations, and what they do to the documents they settle."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from xero_driver import XeroClient, allocation, credit_note, line, payment

EXCEEDS = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
PAID_OFF = "The invoice you are trying to allocate to has already been paid off"
TOO_MUCH = "Credit Note cannot be allocated as amount is greater than amount outstanding"


def state(client: XeroClient, number: str = "AMZ-1") -> tuple[str, Decimal, Decimal, Decimal]:
    made = client.get(f"Invoices/{number}").accepted()
    return made["Status"], made["AmountDue"], made["AmountPaid"], made["AmountCredited"]


def remaining(client: XeroClient, number: str = "AMZ-1-R1") -> tuple[str, Decimal]:
    made = client.get(f"CreditNotes/{number}").accepted()
    return made["Status"], made["RemainingCredit"]


# -- payments ----------------------------------------------------------------------------------------------------


def test_payments_open_and_close_an_invoice(xero_client: XeroClient) -> None:
    made = xero_client.invoiced()

    first = xero_client.paid(made, "30.00", Reference="settlement 1").accepted()
    assert state(xero_client) == ("AUTHORISED", 70, 30, 0)
    second = xero_client.paid(made, "70.00").accepted()
    assert state(xero_client) == ("PAID", 0, 100, 0)

    now = xero_client.get("Invoices/AMZ-1").accepted()
    assert now["FullyPaidOnDate"] == "/Date(1795219200000+0000)/"
    assert [(one["PaymentID"], one["Amount"]) for one in now["Payments"]] == [
        (first["PaymentID"], 30),
        (second["PaymentID"], 70),
    ]
    assert (first["PaymentType"], first["Account"]["Code"]) == ("ACCRECPAYMENT", "CLR-GBP")
    assert (first["Invoice"]["AmountDue"], second["Invoice"]["Status"]) == (70, "PAID")

    deleted = xero_client.post(f"Payments/{second['PaymentID']}", {"Status": "DELETED"}).accepted()
    assert (deleted["Status"], deleted["Invoice"]["AmountDue"]) == ("DELETED", 70)
    assert state(xero_client) == ("AUTHORISED", 70, 30, 0)
    reopened = xero_client.get("Invoices/AMZ-1").accepted()
    assert "FullyPaidOnDate" not in reopened
    assert [one["PaymentID"] for one in reopened["Payments"]] == [first["PaymentID"]]
    assert xero_client.get(f"Payments/{second['PaymentID']}").accepted()["Status"] == "DELETED"


def test_a_single_payment_is_posted_bare_and_finds_the_invoice_by_number(xero_client: XeroClient) -> None:
    xero_client.invoiced()
    body = {"InvoiceNumber": "AMZ-1", "Account": {"Code": "clr-gbp"}, "Amount": Decimal("100.00")}
    made = xero_client.post("Payments", body).accepted()
    assert (made["Invoice"]["InvoiceNumber"], made["Date"]) == ("AMZ-1", "/Date(1795392000000+0000)/")


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"Amount": Decimal("100.01")}, [EXCEEDS]),
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
            ["The document date cannot be before the period lock date, currently set at 30 Sep 2026"],
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
def test_payments_that_are_refused(xero_client: XeroClient, change: dict[str, Any], messages: list[str]) -> None:
    made = xero_client.invoiced()
    xero_client.control("POST", "organisation", {"Organisation": {"PeriodLockDate": "2026-09-30"}})

    refused = xero_client.put("Payments", payment(made, "100.00", **change))

    assert (refused.status, refused.messages) == (400, messages)
    assert refused.body["Elements"][0]["HasValidationErrors"] is True
    assert state(xero_client) == ("AUTHORISED", 100, 0, 0)
    assert xero_client.paid(made, "100.00").status == 200


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "VOIDED", "DELETED", "PAID"])
def test_only_approved_documents_take_payments(xero_client: XeroClient, status: str) -> None:
    made = xero_client.invoiced(Status=status if status in {"DRAFT", "SUBMITTED"} else "AUTHORISED")
    if status == "VOIDED":
        xero_client.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": "VOIDED"}).accepted()
    if status == "DELETED":
        made = xero_client.invoiced("AMZ-2", Status="DRAFT")
        xero_client.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": "DELETED"}).accepted()
    if status == "PAID":
        xero_client.paid(made, "100.00").accepted()

    expected = [EXCEEDS, NOT_AUTHORISED] if status == "PAID" else [NOT_AUTHORISED]
    assert xero_client.paid(made, "100.00").messages == expected


def test_payments_of_one_batch_share_what_is_due(xero_client: XeroClient) -> None:
    made = xero_client.invoiced()
    batch = {"Payments": [payment(made, "60.00"), payment(made, "60.00"), payment(made, "40.00")]}

    answer = xero_client.put("Payments", batch, summarizeErrors="false")

    assert [one["StatusAttributeString"] for one in answer.body["Payments"]] == ["OK", "ERROR", "OK"]
    assert state(xero_client) == ("PAID", 0, 100, 0)
    refused = xero_client.put("Payments", {"Payments": [payment(xero_client.invoiced("B"), "60.00")] * 2})
    assert (refused.status, state(xero_client, "B")) == (400, ("AUTHORISED", 100, 0, 0))


def test_an_account_that_accepts_payments_need_not_be_a_bank(xero_client: XeroClient) -> None:
    xero_client.control("POST", "organisation", {"Accounts": [{"Code": "620", "EnablePaymentsToAccount": True}]})
    assert xero_client.paid(xero_client.invoiced(), "100.00", Account={"Code": "620"}).status == 200


def test_a_foreign_invoice_is_paid_from_the_account_of_its_currency(xero_client: XeroClient) -> None:
    made = xero_client.invoiced(CurrencyCode="USD")
    assert xero_client.paid(made, "100.00").status == 400
    assert xero_client.paid(made, "100.00", Account={"Code": "CLR-USD"}).status == 200


def test_a_deleted_or_unknown_payment_cannot_be_deleted(xero_client: XeroClient) -> None:
    made = xero_client.paid(xero_client.invoiced(), "100.00").accepted()
    path = f"Payments/{made['PaymentID']}"
    assert xero_client.post(path, {"Status": "AUTHORISED"}).status == 400
    assert xero_client.post(path, {"Payments": [{"Status": "DELETED"}]}).status == 200
    assert xero_client.post(path, {"Status": "DELETED"}).messages == ["Payment not of valid status for modification"]
    assert xero_client.post("Payments/nope", {"Status": "DELETED"}).status == 404


# -- credit notes ------------------------------------------------------------------------------------------------


def test_a_credit_note_has_its_own_unique_numbers(xero_client: XeroClient) -> None:
    made = xero_client.credited()
    assert (made["Status"], made["RemainingCredit"], made["Type"]) == ("AUTHORISED", 40, "ACCRECCREDIT")
    assert xero_client.put("CreditNotes", credit_note()).messages == ["Credit Note # must be unique."]
    assert xero_client.post("CreditNotes", credit_note(amount="41.00", LineItems=[line("41.00")])).status == 200
    assert xero_client.invoiced("AMZ-1-R1")["InvoiceNumber"] == "AMZ-1-R1", "invoice numbers are another matter"
    unnumbered = {key: value for key, value in credit_note().items() if key != "CreditNoteNumber"}
    assert xero_client.put("CreditNotes", unnumbered).accepted()["CreditNoteNumber"] == "CN-0001"


@pytest.mark.parametrize(
    ("before", "sent", "accepted"),
    [("DRAFT", "AUTHORISED", True), ("DRAFT", "DELETED", True), ("AUTHORISED", "VOIDED", True),
     ("AUTHORISED", "DELETED", False), ("DRAFT", "VOIDED", False)],
)  # fmt: skip
def test_credit_notes_follow_the_invoices_statuses(
    xero_client: XeroClient, before: str, sent: str, accepted: bool
) -> None:
    made = xero_client.credited(Status=before)
    answer = xero_client.post(f"CreditNotes/{made['CreditNoteID']}", {"Status": sent})
    assert (answer.status == 200) is accepted
    assert remaining(xero_client)[0] == (sent if accepted else before)


def test_a_refund_is_a_payment_on_the_credit_note(xero_client: XeroClient) -> None:
    note = xero_client.credited()

    refund = xero_client.paid(note, "15.00").accepted()
    assert (refund["PaymentType"], refund["Invoice"]["Type"]) == ("ARCREDITPAYMENT", "ACCRECCREDIT")
    assert refund["Invoice"]["InvoiceID"] == note["CreditNoteID"]
    assert remaining(xero_client) == ("AUTHORISED", 25)

    assert xero_client.paid(note, "25.01").messages == [EXCEEDS]
    last = xero_client.paid(note, "25.00").accepted()
    assert remaining(xero_client) == ("PAID", 0)

    xero_client.post(f"Payments/{last['PaymentID']}", {"Status": "DELETED"}).accepted()
    assert remaining(xero_client) == ("AUTHORISED", 25)


# -- allocations -------------------------------------------------------------------------------------------------


def allocate(client: XeroClient, note: dict[str, Any], made: dict[str, Any], amount: str) -> Any:
    body = {"Allocations": [allocation(made, amount)]}
    return client.put(f"CreditNotes/{note['CreditNoteID']}/Allocations", body)


def test_an_allocation_settles_both_sides_and_can_be_undone(xero_client: XeroClient) -> None:
    made, note = xero_client.invoiced(), xero_client.credited()

    allocated = allocate(xero_client, note, made, "40.00").accepted()

    assert state(xero_client) == ("AUTHORISED", 60, 0, 40)
    assert remaining(xero_client) == ("PAID", 0)
    assert allocated["Date"] == "/Date(1795305600000+0000)/", "the later of both documents' dates"
    credit = xero_client.get("Invoices/AMZ-1").accepted()["CreditNotes"]
    assert [(one["CreditNoteNumber"], one["AppliedAmount"]) for one in credit] == [("AMZ-1-R1", 40)]

    xero_client.paid(made, "60.00").accepted()
    assert state(xero_client) == ("PAID", 0, 60, 40)

    path = f"CreditNotes/{note['CreditNoteID']}/Allocations/{allocated['AllocationID']}"
    assert xero_client.call("DELETE", path).body["IsDeleted"] is True
    assert state(xero_client) == ("AUTHORISED", 40, 60, 0)
    assert remaining(xero_client) == ("AUTHORISED", 40)
    assert xero_client.call("DELETE", path).status == 404


def test_allocations_stop_at_what_is_due_and_what_is_left(xero_client: XeroClient) -> None:
    made, note = xero_client.invoiced("A", "30.00"), xero_client.credited("R", "40.00")
    other = xero_client.invoiced("B", "100.00")

    assert allocate(xero_client, note, made, "30.01").messages == [TOO_MUCH]
    allocate(xero_client, note, made, "30.00").accepted()
    assert state(xero_client, "A") == ("PAID", 0, 0, 30)
    assert allocate(xero_client, note, other, "10.01").status == 400
    allocate(xero_client, note, other, "10.00").accepted()
    assert remaining(xero_client, "R") == ("PAID", 0)


def test_a_paid_invoice_takes_no_credit(xero_client: XeroClient) -> None:
    made, note = xero_client.invoiced(), xero_client.credited()
    xero_client.paid(made, "100.00").accepted()
    assert allocate(xero_client, note, made, "40.00").messages == [PAID_OFF, TOO_MUCH]
    assert remaining(xero_client) == ("AUTHORISED", 40)


def test_an_allocation_is_dated_by_the_later_document(xero_client: XeroClient) -> None:
    made, note = xero_client.invoiced(Date="2026-11-23"), xero_client.credited()
    assert allocate(xero_client, note, made, "1.00").accepted()["Date"] == "/Date(1795392000000+0000)/"


def test_a_document_without_its_payment_is_open_for_changes_again(xero_client: XeroClient) -> None:
    made = xero_client.invoiced()
    paid = xero_client.paid(made, "100.00").accepted()
    xero_client.post(f"Payments/{paid['PaymentID']}", {"Status": "DELETED"}).accepted()
    voided = xero_client.post(f"Invoices/{made['InvoiceID']}", {"Status": "VOIDED"}).accepted()
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
def test_allocations_that_are_refused(
    xero_client: XeroClient, invoice_change: dict[str, Any], note_change: dict[str, Any], amount: str
) -> None:
    made, note = xero_client.invoiced(**invoice_change), xero_client.credited(**note_change)
    refused = allocate(xero_client, note, made, amount)
    assert (refused.status, len(refused.messages)) == (400, 1)
    assert xero_client.books()["Allocations"] == []


def test_allocating_to_or_from_nothing(xero_client: XeroClient) -> None:
    made, note = xero_client.invoiced(), xero_client.credited()
    assert allocate(xero_client, {"CreditNoteID": "nope"}, made, "1.00").status == 404
    unknown = allocate(xero_client, note, {"InvoiceID": "nope"}, "1.00")
    assert unknown.messages == ["An existing Invoice with the specified InvoiceID could not be found"]


def test_allocated_and_refunded_documents_are_closed(xero_client: XeroClient) -> None:
    made, note = xero_client.invoiced(), xero_client.credited()
    allocate(xero_client, note, made, "10.00").accepted()
    void = {"Status": "VOIDED"}
    assert xero_client.post(f"Invoices/{made['InvoiceID']}", void).messages == [
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it."
    ]
    assert xero_client.post(f"CreditNotes/{note['CreditNoteID']}", void).messages == [
        "The status VOIDED cannot be applied to the credit note "
        "because it has payments or credit notes allocated to it."
    ]
