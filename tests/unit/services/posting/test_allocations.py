"""Allocations: a credit note is applied to an invoice that is not paid once, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.ports.xero import XeroError, XeroNotAuthorised, XeroRefused
from fakes.vendors import lost
from unit.desired_documents import desired_allocation, desired_credit_note, desired_invoice, desired_refund, removed
from unit.services.posting.posting_connection import PostingConnection
from unit.services.posting.test_isolation import calls_with, fail_every_write_of, post_for_an_hour

D = Decimal
OPEN_INVOICE = desired_invoice("A", "30.00")
NOT_EXECUTED: list[XeroError | None] = [lost("createAllocations"), lost("createAllocations")]


def allocating_connection(*more: str) -> PostingConnection:
    """Return a connection with an open invoice A of 30.00 and its credit note A-A1 of 10.00, both in Xero."""
    connection = PostingConnection(OPEN_INVOICE, desired_credit_note("A-A1", "10.00"))
    connection.request(*(desired_invoice(number, "30.00") for number in more))
    connection.post()
    connection.xero.calls.clear()
    return connection


def open_amounts(connection: PostingConnection) -> tuple[Decimal, Decimal]:
    """Return what is open of the credit note and of its invoice."""
    return connection.xero.credit_note("A-A1")["RemainingCredit"], connection.xero.invoice("A")["AmountDue"]


def test_credit_note_is_allocated_to_its_invoice_and_the_rest_is_refunded_in_that_order() -> None:
    connection = PostingConnection(OPEN_INVOICE, desired_credit_note("A-A1", "10.00"))
    connection.request(desired_refund("A-A1", "4.00"), desired_allocation("A-A1", "6.00"))

    assert connection.post().applied == 4

    assert [call.collection for call in connection.xero.writes()] == [
        "Invoices",
        "CreditNotes",
        "Allocations",
        "Payments",
    ]
    assert open_amounts(connection) == (D(0), D("24.00"))
    (allocation,) = connection.xero.books["Allocations"].values()
    assert allocation["Invoice"] == {"InvoiceID": connection.invoice().xero_id}
    assert (connection.allocation().state, connection.allocation().xero_id) == (
        DocumentState.APPLIED,
        allocation["AllocationID"],
    )


def test_each_credit_note_has_a_call_of_its_own_and_several_allocations_of_one_share_it() -> None:
    connection = allocating_connection("B", "C")
    connection.request(desired_credit_note("B-A1", "10.00", order_id="B"))
    to_another = desired_allocation("A-A1", "4.00", order_id="C")
    to_another = replace(
        to_another, number="A-A1-2", references={**to_another.references, "CreditNote.CreditNoteID": "credit_note#A-A1"}
    )
    connection.request(desired_allocation("A-A1", "6.00"), to_another, desired_allocation("B-A1", order_id="B"))

    connection.post()

    calls = [call.elements for call in connection.xero.writes("Allocations")]
    assert sorted(len(elements) for elements in calls) == [1, 2]
    assert open_amounts(connection) == (D(0), D("24.00"))
    assert connection.xero.invoice("C")["AmountDue"] == D("26.00")
    assert connection.xero.credit_note("B-A1")["RemainingCredit"] == 0


@pytest.mark.parametrize("arrived", [True, False])
def test_allocation_whose_answer_was_lost_is_made_once(arrived: bool) -> None:
    connection = allocating_connection()
    connection.request(desired_allocation())
    connection.xero.after, connection.xero.before = (list(NOT_EXECUTED), []) if arrived else ([], list(NOT_EXECUTED))

    connection.post()
    assert connection.allocation().state is DocumentState.UNKNOWN
    for _ in range(3):
        connection.post_after(61)

    assert connection.lookups()[:2] == [("CreditNotes", "CreditNoteID"), ("Invoices", "InvoiceID")]
    assert connection.allocation().state is DocumentState.APPLIED
    assert [each["Amount"] for each in connection.xero.credit_note("A-A1")["Allocations"]] == [D("10.00")]
    assert open_amounts(connection) == (D(0), D("20.00"))
    assert connection.failures() == []


def test_allocation_to_an_invoice_that_somebody_paid_meanwhile_fails_with_the_open_amounts() -> None:
    connection = allocating_connection()
    connection.xero.invoice("A")["AmountDue"] = D("0.00")
    connection.request(desired_allocation())

    connection.post()

    allocation = connection.allocation()
    assert (allocation.state, allocation.reason) == (DocumentState.FAILED, "ALREADY_PAID")
    assert "10.00 should be allocated, 10.00 of the credit note and 0.00 of the invoice are still open" in (
        allocation.remedy
    )
    assert connection.xero.books["Allocations"] == {}
    assert connection.failures() == [("A", "ALREADY_PAID")]


def test_allocation_that_somebody_made_already_is_adopted() -> None:
    connection = allocating_connection()
    made = {"AllocationID": "manual", "Amount": D("10.00"), "Invoice": {"InvoiceID": connection.invoice().xero_id}}
    connection.xero.credit_note("A-A1").update(RemainingCredit=D("0.00"), Allocations=[made])
    connection.request(desired_allocation())

    connection.post()

    assert (connection.allocation().state, connection.allocation().xero_id) == (DocumentState.APPLIED, "manual")
    assert connection.failures() == []


def test_allocation_waits_until_its_invoice_is_approved() -> None:
    connection = PostingConnection(desired_credit_note("A-A1", "10.00"), desired_allocation())
    connection.post()
    assert connection.xero.writes("Allocations") == []

    connection.request(OPEN_INVOICE)
    for _ in range(3):
        connection.post_after(61)

    assert connection.allocation().state is DocumentState.APPLIED


def test_allocation_that_exists_is_never_changed_or_removed() -> None:
    connection = allocating_connection()
    connection.request(desired_allocation())
    connection.post()

    connection.request(desired_allocation(amount="9.00", minutes=1))
    connection.post()
    assert connection.allocation().reason == "NOT_CHANGEABLE"

    connection.request(removed(desired_allocation(), minutes=2))
    connection.post()
    assert connection.allocation().reason == "HAS_PAYMENTS"
    assert "the credit note is allocated and should no longer exist" in connection.allocation().remedy
    assert len(connection.xero.writes("Allocations")) == 1


# --- isolation -------------------------------------------------------------------------------------------------------


def test_credit_note_that_spoils_its_batch_fails_alone_and_the_others_are_allocated() -> None:
    orders = [f"A{n:02}" for n in range(20)]
    connection = PostingConnection(*(desired_invoice(order, "30.00") for order in orders))
    connection.request(*(desired_credit_note(f"{order}-A1", order_id=order) for order in orders))
    connection.request(*(desired_allocation(f"{order}-A1", order_id=order) for order in orders))
    connection.refuse_creates_with("A07-A1")

    for _ in range(4):
        connection.post_after(61)

    others = [order for order in orders if order != "A07"]
    assert {connection.allocation(f"{order}-A1").state for order in others} == {DocumentState.APPLIED}
    assert {connection.xero.credit_note(f"{order}-A1")["RemainingCredit"] for order in others} == {0}
    assert connection.credit_note("A07-A1").reason == "XERO_REFUSED"
    assert connection.allocation("A07-A1").reason == "REFERENCE_FAILED"
    assert connection.failures() == [("A07", "XERO_REFUSED")]  # one dead letter, about the cause


def test_allocation_that_xero_never_answers_fails_alone_within_the_hour() -> None:
    orders = [f"A{n}" for n in range(6)]
    connection = PostingConnection(*(desired_invoice(order, "30.00") for order in orders))
    connection.request(*(desired_credit_note(f"{order}-A1", order_id=order) for order in orders))
    connection.post()
    connection.request(*(desired_allocation(f"{order}-A1", order_id=order) for order in orders))
    note_id = connection.xero.credit_note("A3-A1")["CreditNoteID"]
    connection.xero.calls.clear()
    fail_every_write_of(connection, f"'{note_id}'")

    post_for_an_hour(connection)

    assert connection.failures() == [("A3", "XERO_ERROR")]
    assert all(connection.allocation(f"{order}-A1").exists_in_xero for order in orders if order != "A3")
    assert calls_with(connection, f"'{note_id}'") <= 20


def test_credit_note_that_somebody_deleted_fails_its_own_allocation_only() -> None:
    connection = allocating_connection("B")
    connection.request(desired_credit_note("B-A1", order_id="B"))
    connection.post()
    connection.request(desired_allocation(), desired_allocation("B-A1", order_id="B"))
    connection.xero.before = [XeroRefused("create Allocations", 404, "HTTP 404")]

    connection.post()

    states = {connection.allocation("A-A1").state, connection.allocation("B-A1").state}
    assert states == {DocumentState.FAILED, DocumentState.APPLIED}


def test_missing_scope_for_allocations_is_named_and_holds_back_nothing_else() -> None:
    connection = allocating_connection()
    connection.xero.before = [XeroNotAuthorised("create Allocations", 403, "AuthenticationUnsuccessful")]
    connection.request(desired_allocation())

    connection.post()

    (paused,) = connection.decisions.of("PAUSED")
    assert (paused["service"], paused["reason"]) == ("xero#allocation", "XERO_OPERATION_REFUSED")
    assert str(paused["remedy"]).startswith("Give the Xero app the scope accounting.invoices")
    assert connection.allocation().state is DocumentState.DEFERRED
