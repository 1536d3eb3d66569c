"""Posting to the sandbox Xero over a real socket: what its books contain in the end, and after how many calls."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from amazon_to_xero.domain.books.contact import ContactPolicy, Customer, Pseudonym, customer_of
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.services.intake import buyer_contacts
from fakes.state import ManualClock
from sandbox.xero import organisation_for
from sandbox.xero.records import Contact
from unit.adapters.live_sandboxes import LiveXero
from unit.desired_documents import (
    CONTACT,
    desired_allocation,
    desired_credit_note,
    desired_invoice,
    desired_payment,
    desired_refund,
    removed,
)
from unit.services.posting.posting_connection import BuyerConnection, buyer_order

D = Decimal


class SandboxConnection(BuyerConnection):
    """A connection that posts to the sandbox Xero; Amazon is scripted."""

    def __init__(self, live: LiveXero, clock: ManualClock) -> None:
        super().__init__(clock)
        self.live = live
        self.books = live.sandbox.books
        self.xero = live.api  # type: ignore[assignment]  # in place of the scripted Xero
        self.restart()

    def post_times(self, times: int) -> None:
        """Post so many times, a minute apart."""
        for _ in range(times):
            self.post()
            self.clock.advance(61)

    def contact_in_xero(self, number: str) -> Contact:
        return self.books.contacts[self.contact(number).xero_id]

    def enter_contact(self, name: str, archived: bool = False) -> str:
        """Enter a contact as a person does; return its id."""
        (outcome,) = self.live.api.create("Contacts", [{"Name": name}], f"manual-{name}"[:60].replace(" ", "-"))
        contact_id = str(outcome.element["ContactID"])
        if archived:
            self.live.sandbox.contacts.archive(contact_id)
        self.live.sandbox.calls.clear()
        return contact_id

    def forget_rows(self) -> None:
        """Lose every row of the table, ten minutes ago: Xero no longer knows the Idempotency-Keys."""
        self.store.table.rows.clear()
        self.clock.advance(600)

    def calls(self, collection: str) -> list[tuple[str, int]]:
        """Return method and number of documents of each call to a collection."""
        calls = [call for call in self.live.sandbox.calls if call.path.endswith(f"/{collection}")]
        return [(call.method, call.elements) for call in calls]


@pytest.fixture
def connection(xero: LiveXero, wall: ManualClock) -> SandboxConnection:
    return SandboxConnection(xero, wall)


# --- invoices, credit notes and refunds -------------------------------------------------------------------------------


def test_refund_is_a_credit_note_that_is_paid_from_the_clearing_account(connection: SandboxConnection) -> None:
    requested = (desired_invoice(), desired_payment(), desired_credit_note(), desired_refund())
    connection.request(CONTACT, *requested)

    connection.post()

    (credit_note,) = connection.books.credit_notes.values()
    assert (credit_note.number, credit_note.type, credit_note.status) == ("A-A1", "ACCRECCREDIT", "PAID")
    assert credit_note.total == D("10.00")
    (invoice,) = connection.books.invoices.values()
    assert (invoice.status, invoice.contact_id) == ("PAID", credit_note.contact_id)
    paid, refunded = connection.books.payments.values()
    assert (paid.type, refunded.type) == ("ACCRECPAYMENT", "ARCREDITPAYMENT")
    assert (refunded.document_id, refunded.amount) == (credit_note.id, D("10.00"))
    assert refunded.account_id == paid.account_id
    assert {connection.document(each.number, each.kind).state for each in requested} == {DocumentState.APPLIED}


@pytest.mark.parametrize("status_in_xero", ["DELETED", "VOIDED"])
@pytest.mark.parametrize("is_removed", [True, False])
def test_document_that_somebody_removed_in_xero_is_found_removed(
    connection: SandboxConnection, status_in_xero: str, is_removed: bool
) -> None:
    status = "DRAFT" if status_in_xero == "DELETED" else "AUTHORISED"
    tracked = desired_invoice(status=status)
    tracked = replace(tracked, body={**tracked.body, "Reference": "Amazon.co.uk A · DHL 1"})
    connection.request(CONTACT, tracked)
    connection.post_times(1)
    (invoice,) = connection.books.invoices.values()
    connection.live.api.update("Invoices", [{"InvoiceID": invoice.id, "Status": status_in_xero}], "manual")

    connection.request(removed(desired_invoice()) if is_removed else desired_invoice(minutes=1))
    connection.post_times(2)

    document = connection.invoice()
    # A removal has nothing left to do. A document that should exist can be entered again under another number.
    expected = (DocumentState.APPLIED, "") if is_removed else (DocumentState.FAILED, "VOIDED_IN_XERO")
    assert (document.state, document.reason) == expected
    assert "-R1" in document.remedy or is_removed
    assert len(connection.calls("Invoices")) < 8


@pytest.mark.parametrize("path", ["CreditNotes", "Payments"])
@pytest.mark.parametrize("fault", ["drop", "lose"])
def test_credit_note_or_refund_whose_answer_is_lost_exists_once(
    connection: SandboxConnection, path: str, fault: str
) -> None:
    connection.request(CONTACT, desired_credit_note(), desired_refund())
    connection.live.fault(fault, f"/api.xro/2.0/{path}", times=2)

    connection.post_times(1)
    assert DocumentState.UNKNOWN in {connection.credit_note().state, connection.refund().state}
    connection.post_times(4)

    (credit_note,) = connection.books.credit_notes.values()
    (refund,) = connection.books.payments.values()
    assert (credit_note.status, refund.document_id) == ("PAID", credit_note.id)
    assert (connection.credit_note().xero_id, connection.refund().xero_id) == (credit_note.id, refund.id)
    assert connection.failures() == []


@pytest.mark.parametrize("fault", ["", "drop", "lose"])
def test_credit_note_is_allocated_to_its_open_invoice_once_and_the_rest_refunded(
    connection: SandboxConnection, fault: str
) -> None:
    allocation = desired_allocation("A-A1", "6.00")
    connection.request(CONTACT, desired_invoice("A", "30.00"), desired_credit_note("A-A1", "10.00"))
    connection.post_times(1)
    connection.request(allocation, desired_refund("A-A1", "4.00"))
    (credit_note,) = connection.books.credit_notes.values()
    if fault:
        connection.live.fault(fault, f"/api.xro/2.0/CreditNotes/{credit_note.id}/Allocations", times=2)

    connection.post_times(4)

    (made,) = connection.books.allocations.values()
    (invoice,), (credit_note,) = connection.books.invoices.values(), connection.books.credit_notes.values()
    assert (made.credit_note_id, made.invoice_id, made.amount) == (credit_note.id, invoice.id, D("6.00"))
    assert (invoice.outstanding, credit_note.status) == (D("24.00"), "PAID")
    assert connection.allocation().xero_id == made.id
    assert connection.failures() == []


def test_allocation_that_xero_refuses_fails_alone_with_the_open_amounts(connection: SandboxConnection) -> None:
    requested = [
        document
        for order in ("A", "B", "C")
        for document in (desired_invoice(order, "30.00"), desired_credit_note(f"{order}-A1", order_id=order))
    ]
    connection.request(CONTACT, *requested, desired_payment("B", "30.00"))
    connection.post_times(1)
    connection.request(*(desired_allocation(f"{order}-A1", order_id=order) for order in ("A", "B", "C")))

    connection.post_times(2)

    assert len(connection.books.allocations) == 2
    assert connection.failures() == [("B", "ALREADY_PAID")]
    assert "10.00 of the credit note and 0.00 of the invoice" in connection.allocation("B-A1").remedy


def test_allocation_of_a_credit_note_that_xero_no_longer_has_fails_with_a_remedy(connection: SandboxConnection) -> None:
    connection.request(CONTACT, desired_invoice("A", "30.00"), desired_credit_note("A-A1"))
    connection.post_times(1)
    connection.books.credit_notes.clear()
    connection.request(desired_allocation("A-A1"))

    connection.post_times(1)

    assert connection.failures() == [("A", "NOT_IN_XERO")]
    assert "no longer has a document that it settles" in connection.allocation("A-A1").remedy


def test_invoice_to_which_a_bookkeeper_added_a_remark_is_left_as_it_is(connection: SandboxConnection) -> None:
    connection.request(CONTACT, desired_invoice())
    connection.post_times(1)
    (invoice,) = connection.books.invoices.values()
    lines = [*desired_invoice().body["LineItems"], {"Description": "agreed by phone"}]
    connection.live.api.update("Invoices", [{"InvoiceID": invoice.id, "LineItems": lines}], "manual")
    connection.forget_rows()

    connection.request(CONTACT, desired_invoice(), desired_invoice("B"))
    connection.post_times(2)

    assert connection.failures() == [("A", "NOT_MODIFIABLE")]
    assert [line.description for line in connection.books.invoices[invoice.id].lines] == ["Tea", "agreed by phone"]
    assert connection.invoice("B").state is DocumentState.APPLIED


# --- contacts of marketplaces -----------------------------------------------------------------------------------------


def test_contact_that_a_person_entered_in_another_case_and_with_more_spaces_is_adopted(
    connection: SandboxConnection,
) -> None:
    held = connection.enter_contact("AMAZON.co.uk   Customers")
    connection.request(CONTACT, desired_invoice(), desired_invoice("B"))

    connection.post_times(2)

    assert list(connection.books.contacts) == [held]
    assert connection.books.contacts[held].number == CONTACT.number
    assert {invoice.contact_id for invoice in connection.books.invoices.values()} == {held}
    assert (len(connection.books.invoices), connection.failures()) == (2, [])


def test_buyer_is_told_from_a_namesake_in_another_case(connection: SandboxConnection) -> None:
    connection.enter_contact("CANARY  buyer")
    (number,) = connection.read_orders(buyer_order())

    connection.post()

    assert connection.contact_in_xero(number).name == f"Canary Buyer ({number[-6:]})"


# --- contacts that a person archived or merged ------------------------------------------------------------------------


def merge(connection: SandboxConnection, contact: str, *survivors: str) -> list[str]:
    """Merge a contact into a new one, that one into the next and so on, as a person does; return their ids."""
    ids = [connection.enter_contact(name) for name in survivors]
    for merged, survivor in zip([contact, *ids], ids, strict=False):
        connection.live.sandbox.contacts.merge(merged, survivor)
    connection.live.sandbox.books.commit()
    connection.live.sandbox.calls.clear()
    return ids


@pytest.mark.parametrize("survivors", [("Amazon",), ("Amazon", "Amazon UK", "Amazon Europe")])
def test_orders_go_on_to_the_contact_that_ours_was_merged_into(
    connection: SandboxConnection, survivors: tuple[str, ...]
) -> None:
    # Given a paid invoice of the contact, and two orders of after the merge
    connection.request(CONTACT, desired_invoice("P"), desired_payment("P"))
    connection.post_times(1)
    (paid,) = connection.books.invoices.values()
    *_, survivor = merge(connection, CONTACT.number, *survivors)
    connection.request(desired_invoice("A"), desired_invoice("B"), desired_payment("A"))
    connection.request(desired_credit_note("P-A1", order_id="P"))

    connection.post_times(3)
    resolved = len(connection.calls("Contacts"))
    connection.request(desired_invoice("C"))
    connection.post_times(1)

    invoices = {invoice.number: invoice for invoice in connection.books.invoices.values()}
    assert {invoice.contact_id for invoice in invoices.values()} == {survivor}
    assert {number: invoice.status for number, invoice in invoices.items()} == {
        "P": "PAID",
        "A": "PAID",
        "B": "AUTHORISED",
        "C": "AUTHORISED",
    }
    assert invoices["P"].updated == paid.updated
    (credit_note,) = connection.books.credit_notes.values()
    assert credit_note.contact_id == survivor
    # One look-up, one for each merge, and never again; one refused call, of the invoices
    assert [method for method, _ in connection.calls("Contacts")] == ["GET"] * (1 + len(survivors))
    assert resolved == len(connection.calls("Contacts"))
    assert connection.calls("Invoices") == [("PUT", 2), ("PUT", 2), ("PUT", 1)]
    assert connection.calls("CreditNotes") == [("PUT", 1)]
    assert connection.failures() == []
    (logged,) = connection.decisions.of("CONTACT_MERGED")
    assert (logged["document"], survivor in str(logged["remedy"])) == (CONTACT.key, True)


def test_orders_go_on_with_a_new_contact_where_a_person_archived_ours_and_again_where_that_was_archived(
    connection: SandboxConnection,
) -> None:
    connection.request(CONTACT, desired_invoice("A"))
    connection.post_times(1)
    for number in "BC":
        connection.live.sandbox.contacts.archive(connection.contact().xero_id)
        connection.request(desired_invoice(number))
        connection.post_times(3)

    contacts = [(each.number, each.name, each.status) for each in connection.books.contacts.values()]
    assert contacts == [
        ("AMAZON-UK", "Amazon.co.uk customers", "ARCHIVED"),
        ("AMAZON-UK-R1", "Amazon.co.uk customers (-UK-R1)", "ARCHIVED"),
        ("AMAZON-UK-R2", "Amazon.co.uk customers (-UK-R2)", "ACTIVE"),
    ]
    by_invoice = {each.number: each.contact_id for each in connection.books.invoices.values()}
    assert list(by_invoice) == ["A", "B", "C"]
    assert list(by_invoice.values()) == list(connection.books.contacts)
    assert [method for method, _ in connection.calls("Contacts")] == ["PUT", "GET", "PUT", "GET", "PUT"]
    assert connection.failures() == []
    assert [note["document"] for note in connection.decisions.of("CONTACT_REPLACED")] == [CONTACT.key] * 2


def test_draft_of_an_archived_contact_is_approved_for_the_new_one(connection: SandboxConnection) -> None:
    connection.request(CONTACT, desired_invoice(status="DRAFT"))
    connection.post_times(1)
    connection.live.sandbox.contacts.archive(CONTACT.number)
    connection.request(desired_invoice(minutes=1), desired_payment(minutes=1))

    connection.post_times(4)

    (invoice,) = connection.books.invoices.values()
    assert (invoice.status, invoice.contact_id) == ("PAID", connection.contact().xero_id)
    assert connection.books.contacts[invoice.contact_id].status == "ACTIVE"
    assert connection.failures() == []


def test_new_contact_is_found_again_after_the_table_was_lost(connection: SandboxConnection) -> None:
    connection.request(CONTACT, desired_invoice("A"))
    connection.post_times(1)
    connection.live.sandbox.contacts.archive(CONTACT.number)
    connection.request(desired_invoice("B"))
    connection.post_times(3)
    held = connection.contact().xero_id
    connection.forget_rows()
    connection.request(CONTACT, desired_invoice("C"))

    connection.post_times(4)

    assert connection.contact().xero_id == held
    assert len(connection.books.contacts) == 2
    assert (connection.invoice("C").state, connection.failures()) == (DocumentState.APPLIED, [])


def test_contact_that_was_merged_before_the_table_knew_it_is_followed(connection: SandboxConnection) -> None:
    connection.request(CONTACT)
    connection.post_times(1)
    (survivor,) = merge(connection, CONTACT.number, "Amazon")
    connection.forget_rows()
    connection.request(CONTACT, desired_invoice("A"))

    connection.post_times(3)

    assert connection.contact().xero_id == survivor
    assert [each.contact_id for each in connection.books.invoices.values()] == [survivor]
    assert connection.books.contacts[survivor].name == "Amazon"


def test_new_contact_is_created_where_the_one_that_ours_was_merged_into_is_archived_later(
    connection: SandboxConnection,
) -> None:
    connection.request(CONTACT, desired_invoice("A"))
    connection.post_times(1)
    (survivor,) = merge(connection, CONTACT.number, "Amazon")
    connection.request(desired_invoice("B"))
    connection.post_times(2)
    connection.live.sandbox.contacts.archive(survivor)
    connection.request(desired_invoice("C"))

    connection.post_times(4)

    contact = connection.contact_in_xero(CONTACT.number)
    assert (contact.number, contact.status) == ("AMAZON-UK-R1", "ACTIVE")
    assert connection.invoice("C").state is DocumentState.APPLIED
    assert (len(connection.books.contacts), connection.failures()) == (3, [])


def test_order_goes_on_with_the_contact_that_a_person_restored(connection: SandboxConnection) -> None:
    connection.request(CONTACT)
    connection.post_times(1)
    held = connection.contact().xero_id
    connection.live.sandbox.contacts.archive(CONTACT.number)
    connection.request(desired_invoice("A"))
    connection.post()
    assert connection.invoice().reason == "WAITING_FOR_CONTACT"
    connection.live.sandbox.contacts.restore(CONTACT.number)

    connection.clock.advance(61)
    connection.post_times(1)

    assert [each.contact_id for each in connection.books.invoices.values()] == [held]
    assert len(connection.books.contacts) == 1


# --- what Xero refuses, and what it never answers ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", [DocumentKind.CONTACT, DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE])
def test_look_up_of_forty_long_numbers_fits_into_xeros_urls(connection: SandboxConnection, kind: DocumentKind) -> None:
    numbers = [f"AMAZON-UK-{n:02}-{'&' * 20}-0123456789" for n in range(40)]
    of_kind = {
        DocumentKind.CONTACT: lambda number: replace(
            CONTACT, number=number, body={"Name": f"Customers of {number}", "ContactNumber": number}
        ),
        DocumentKind.INVOICE: desired_invoice,
        DocumentKind.CREDIT_NOTE: desired_credit_note,
    }
    connection.request(CONTACT, *map(of_kind[kind], numbers))
    path = f"/api.xro/2.0/{DOCUMENT_TYPES[kind].collection}"
    connection.live.fault("fail", path, method="PUT", status=500, times=2)

    connection.post_times(3)

    assert {connection.document(number, kind).state for number in numbers} == {DocumentState.APPLIED}
    assert [call.status for call in connection.live.sandbox.calls if call.method == "GET"].count(404) == 0


def test_content_that_xero_never_answers_fails_alone(connection: SandboxConnection) -> None:
    numbers = [f"A{n}" for n in range(10)]
    connection.request(CONTACT, *(desired_invoice(number) for number in numbers))
    connection.live.fault("refuse", "/api.xro/2.0/Invoices", contains='"A3"', times=1000, status=500)

    connection.post_times(60)

    invoices = {each.number for each in connection.books.invoices.values()}
    assert invoices == set(numbers) - {"A3"}
    assert connection.failures() == [("A3", "XERO_ERROR")]
    assert len(connection.calls("Invoices")) < 20


def test_refusal_with_an_id_of_zeros_is_known_to_have_changed_nothing(connection: SandboxConnection) -> None:
    # Given a change of a draft that Xero no longer has, whose refusal repeats our element with an id of zeros
    connection.request(CONTACT, desired_invoice("A", status="DRAFT"), desired_invoice("B"))
    connection.post_times(1)
    reset_demo_company(connection)
    connection.request(desired_invoice("A", price="12.00", minutes=1, status="DRAFT"))

    connection.post_times(1)

    assert connection.calls("Invoices") == [("POST", 1)]
    assert connection.dead_letters[ORDERS].reasons == [("A", "NOT_IN_XERO")]


def test_accepted_element_with_an_id_of_zeros_is_looked_up(connection: SandboxConnection) -> None:
    connection.request(CONTACT, desired_invoice())
    element = {"InvoiceID": "00000000-0000-0000-0000-000000000000", "InvoiceNumber": "A", "StatusAttributeString": "OK"}
    body = json.dumps({"Status": "OK", "Invoices": [element]})
    answer = {"status": 200, "body": body, "content_type": "application/json"}
    connection.live.fault("refuse", "/api.xro/2.0/Invoices", method="PUT", **answer)

    connection.post_times(1)
    assert (connection.invoice().state, connection.invoice().exists_in_xero) == (DocumentState.UNKNOWN, False)
    connection.post_times(2)

    assert [each.number for each in connection.books.invoices.values()] == ["A"]
    assert connection.invoice().state is DocumentState.APPLIED


def test_refused_document_whose_dates_come_back_in_xeros_format_fails_with_its_reason(
    connection: SandboxConnection,
) -> None:
    connection.live.sandbox.books.configure({"Organisation": {"PeriodLockDate": "2026-11-20"}})
    open_day = desired_invoice("B")
    open_day = replace(open_day, body={**open_day.body, "Date": "2026-11-21", "DueDate": "2026-11-21"})
    connection.request(CONTACT, desired_invoice("A"), open_day)

    connection.post_times(1)

    assert connection.failures() == [("A", "PERIOD_LOCKED")]
    assert [each.number for each in connection.books.invoices.values()] == ["B"]


def test_tax_type_none_that_an_australian_organisation_does_not_have_fails_with_what_to_correct(
    connection: SandboxConnection,
) -> None:
    connection.live.sandbox.books.configure({"TaxRates": organisation_for("AU")["TaxRates"]}, replacing=True)
    rounded, good = desired_invoice("A", price="10.01"), desired_invoice("B")
    lines = [{**line, "TaxType": "OUTPUT"} for line in good.body["LineItems"]]
    rounding = {"Description": "Rounding", "Quantity": 1, "UnitAmount": D("0.01"), "AccountCode": "498"}
    rounded = replace(rounded, body={**rounded.body, "LineItems": [*lines, {**rounding, "TaxType": "NONE"}]})
    good = replace(good, body={**good.body, "LineItems": lines})
    connection.request(CONTACT, rounded, good)

    connection.post_times(1)

    assert connection.failures() == [("A", "TAX_TYPE_UNUSABLE")]
    assert "tax.rounding_tax_type" in connection.invoice("A").remedy
    assert [each.number for each in connection.books.invoices.values()] == ["B"]


def refuse_for_a_day(connection: SandboxConnection, path: str) -> None:
    """Refuse a path as Xero does when the app has no scope for it, or, with the API's own, is not connected."""
    body = json.dumps({"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"})
    connection.live.fault(
        "refuse", path, times=10_000, status=403, body=body, content_type="application/problem+json; charset=utf-8"
    )


def test_missing_scope_for_payments_holds_back_payments_alone_and_is_logged(connection: SandboxConnection) -> None:
    refuse_for_a_day(connection, "/api.xro/2.0/Payments")
    connection.request(CONTACT, desired_invoice("A"), desired_payment("A"))
    connection.request(desired_credit_note("C-A1", order_id="C"), desired_refund("C-A1", order_id="C"))

    connection.post_times(3)
    for n in range(20):
        connection.request(desired_invoice(f"B{n}"), desired_payment(f"B{n}"))
        connection.post_times(3)

    assert len(connection.books.invoices) == 21
    assert len(connection.books.credit_notes) == 1
    assert (len(connection.books.payments), connection.failures()) == (0, [])
    # An hour: every quarter of an hour one refused call, whatever is due
    assert 4 <= len(connection.calls("Payments")) <= 6
    paused = connection.decisions.of("PAUSED")
    assert {note["service"] for note in paused} == {"xero#payment", "xero#credit_note_refund"}
    assert {note["reason"] for note in paused} == {"XERO_OPERATION_REFUSED"}
    assert str(paused[0]["remedy"]).startswith("Give the Xero app the scope accounting.payments")

    # And once the app has the scope, all are paid
    connection.live.sandbox.faults.clear()
    connection.post_times(20)
    assert {each.status for each in connection.books.invoices.values()} == {"PAID"}


def test_connection_that_xero_refuses_as_a_whole_is_paused_as_a_whole(connection: SandboxConnection) -> None:
    connection.request(CONTACT, desired_invoice("A"))
    connection.post_times(1)
    refuse_for_a_day(connection, "/api.xro/2.0/")
    connection.request(desired_payment("A"))

    connection.post_times(3)

    (paused,) = connection.decisions.of("PAUSED")
    assert (paused["service"], paused["reason"]) == ("xero", "XERO_NOT_AUTHORISED")


# --- a demo company that was reset ------------------------------------------------------------------------------------


def reset_demo_company(connection: SandboxConnection) -> None:
    connection.live.sandbox.reset_demo_company()
    connection.books = connection.live.sandbox.books
    connection.live.sandbox.calls.clear()
    connection.clock.advance(600)  # Xero no longer knows the Idempotency-Keys


def test_new_orders_go_on_after_a_reset_with_the_contact_created_again(connection: SandboxConnection) -> None:
    connection.request(CONTACT, desired_invoice("A"))
    connection.post_times(1)
    reset_demo_company(connection)
    connection.request(desired_invoice("B"), desired_payment("B"), desired_invoice("C"))

    connection.post_times(3)

    (contact,) = connection.books.contacts.values()
    assert (contact.name, contact.number) == ("Amazon.co.uk customers", CONTACT.number)
    assert {each.number: each.status for each in connection.books.invoices.values()} == {"B": "PAID", "C": "AUTHORISED"}
    assert connection.calls("Invoices") == [("PUT", 2), ("PUT", 2)]
    assert [method for method, _ in connection.calls("Contacts")] == ["GET", "GET", "PUT"]
    assert connection.failures() == []


def test_contact_that_a_person_entered_after_a_reset_is_adopted(connection: SandboxConnection) -> None:
    connection.request(CONTACT)
    connection.post_times(1)
    reset_demo_company(connection)
    held = connection.enter_contact("Amazon.co.uk customers")
    connection.request(desired_invoice("B"))

    connection.post_times(3)

    assert list(connection.books.contacts) == [held]
    assert [each.contact_id for each in connection.books.invoices.values()] == [held]


def test_buyer_is_created_again_after_a_reset(connection: SandboxConnection) -> None:
    (number,) = connection.read_orders(buyer_order())
    connection.post()
    reset_demo_company(connection)
    connection.read_orders(buyer_order("B", minutes=1, addressLine1="2 New Street"))
    connection.request(desired_invoice("B", contact_number=number))

    connection.post_times(3)

    contact = connection.contact_in_xero(number)
    assert (contact.name, contact.number) == ("Canary Buyer", number)
    assert [each.contact_id for each in connection.books.invoices.values()] == [contact.id]


def test_documents_that_a_reset_removed_fail_when_they_are_changed_or_paid_and_are_not_entered_again(
    connection: SandboxConnection,
) -> None:
    requested = [desired_invoice(number) for number in "ABC"]
    connection.request(CONTACT, *requested, desired_invoice("D", status="DRAFT"))
    connection.post_times(1)
    reset_demo_company(connection)

    # Given a change, a payment, a change whose answer is lost, and a removal
    connection.request(
        desired_invoice("A", price="12.00", minutes=1),
        desired_payment("B"),
        removed(desired_invoice("D", status="DRAFT")),
    )
    connection.post_times(2)
    connection.request(desired_invoice("C", price="12.00", minutes=1))
    connection.live.fault("lose", "/api.xro/2.0/Invoices", times=2)
    connection.post_times(3)

    assert sorted(connection.failures()) == [("A", "NOT_IN_XERO"), ("B", "NOT_IN_XERO"), ("C", "NOT_IN_XERO")]
    assert connection.invoice("D").state is DocumentState.APPLIED
    assert (len(connection.books.invoices), len(connection.books.payments)) == (0, 0)
    assert len(connection.live.sandbox.calls) < 12


# --- contacts of buyers -----------------------------------------------------------------------------------------------


def test_buyer_is_a_contact_of_their_own_that_the_invoice_references(connection: SandboxConnection) -> None:
    (number,) = connection.read_orders(buyer_order())
    connection.request(desired_invoice(contact_number=number))

    connection.post()

    contact = connection.contact_in_xero(number)
    assert (contact.name, contact.number) == ("Canary Buyer", number)
    assert contact.fields["Addresses"][0]["AddressLine1"] == "1 Canary Street"
    assert contact.fields["Phones"][0]["PhoneNumber"] == "+44 0000 000000"
    (invoice,) = connection.books.invoices.values()
    assert invoice.contact_id == contact.id


def test_changed_details_of_many_buyers_are_updated_in_full_batches(connection: SandboxConnection) -> None:
    buyers = [(f"A{n:02}", f"Buyer {n}", f"{n}@marketplace.example") for n in range(60)]
    numbers = connection.read_orders(*(buyer_order(*each, addressLine1="1 Old Street") for each in buyers))
    connection.post()
    connection.read_orders(*(buyer_order(*each, minutes=1, addressLine1="2 New Street") for each in buyers))
    connection.post()

    assert connection.calls("Contacts") == [("PUT", 50), ("PUT", 10), ("POST", 50), ("POST", 10)]
    assert len(connection.books.contacts) == 60
    streets = {connection.contact_in_xero(number).fields["Addresses"][0]["AddressLine1"] for number in numbers}
    assert streets == {"2 New Street"}


@pytest.mark.parametrize("archived", [False, True])
def test_buyers_of_one_name_and_their_namesake_in_xero_are_three_contacts(
    connection: SandboxConnection, archived: bool
) -> None:
    # Given a contact of that name that a person entered, and two buyers of the name in one batch
    namesake = connection.enter_contact("Canary Buyer", archived)
    before = connection.books.contacts[namesake]

    numbers = connection.read_orders(buyer_order("A"), buyer_order("B", email="other@marketplace.example"))
    connection.post()

    names = [connection.contact_in_xero(number).name for number in numbers]
    assert names == [f"Canary Buyer ({number[-6:]})" for number in numbers]
    assert connection.books.contacts[namesake] == before
    assert len(connection.books.contacts) == 3
    assert connection.failures() == []


def test_buyer_who_takes_another_contacts_name_later_gets_a_suffix(connection: SandboxConnection) -> None:
    connection.enter_contact("Canary Ltd")
    (number,) = connection.read_orders(buyer_order())
    connection.post()
    connection.read_orders(buyer_order(name="Canary Ltd", minutes=1))

    connection.post()

    assert connection.contact_in_xero(number).name == f"Canary Ltd ({number[-6:]})"
    assert connection.calls("Contacts") == [("PUT", 1), ("POST", 1), ("POST", 1)]


def test_contact_that_the_table_lost_is_adopted_by_its_number(connection: SandboxConnection) -> None:
    (number,) = connection.read_orders(buyer_order())
    connection.post()
    held = connection.contact_in_xero(number)
    connection.forget_rows()
    connection.read_orders(buyer_order(minutes=1, addressLine1="2 New Street"))

    connection.post()

    contact = connection.contact_in_xero(number)
    assert (contact.id, contact.name) == (held.id, "Canary Buyer")
    assert contact.fields["Addresses"][0]["AddressLine1"] == "2 New Street"
    assert len(connection.books.contacts) == 1


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_buyer_whose_contact_a_person_archived_gets_a_new_one(
    connection: SandboxConnection, is_forgotten: bool
) -> None:
    (number,) = connection.read_orders(buyer_order())
    connection.post()
    archived = connection.contact(number).xero_id
    connection.live.sandbox.contacts.archive(number)
    if is_forgotten:
        connection.forget_rows()
    connection.read_orders(buyer_order("B", minutes=1, addressLine1="2 New Street"))
    connection.request(desired_invoice("B", contact_number=number))

    connection.post_times(3)

    contact = connection.contact_in_xero(number)
    assert (contact.name, contact.number) == ("Canary Buyer (" + f"{number}-R1"[-6:] + ")", f"{number}-R1")
    assert contact.fields["Addresses"][0]["AddressLine1"] == "2 New Street"
    assert connection.books.contacts[archived].status == "ARCHIVED"
    (invoice,) = connection.books.invoices.values()
    assert (invoice.contact_id, connection.failures()) == (contact.id, [])


def test_buyer_merged_into_another_contact_is_invoiced_there_and_that_one_is_not_changed(
    connection: SandboxConnection,
) -> None:
    survivor = connection.enter_contact("Canary Ltd")
    (number,) = connection.read_orders(buyer_order())
    connection.post()
    connection.live.sandbox.contacts.merge(number, survivor)
    before = connection.books.contacts[survivor]
    connection.read_orders(buyer_order("B", minutes=1, addressLine1="2 New Street"))
    connection.request(desired_invoice("B", contact_number=number))
    connection.post_times(2)

    # And an address that changes later is not written to it, either
    connection.read_orders(buyer_order("B", minutes=2, addressLine1="3 New Street"))
    connection.post_times(1)

    assert connection.contact_in_xero(number) == replace(before, is_customer=True)
    assert connection.contact(number).state is DocumentState.APPLIED
    assert [invoice.contact_id for invoice in connection.books.invoices.values()] == [survivor]
    assert connection.failures() == []


@pytest.mark.parametrize("fault", ["drop", "lose"])
def test_contact_whose_answer_is_lost_exists_once(connection: SandboxConnection, fault: str) -> None:
    (number,) = connection.read_orders(buyer_order())
    connection.live.fault(fault, "/api.xro/2.0/Contacts", times=2)

    connection.post_times(4)

    assert list(connection.books.contacts) == [connection.contact(number).xero_id]


def test_buyer_data_reaches_xeros_books_and_nothing_of_ours(
    connection: SandboxConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given what Xero may repeat of a buyer: a name that is taken, details that it refuses, and a lost answer
    def with_refused_email(
        raw_order: Json, marketplace_id: str, policy: ContactPolicy, pseudonym: Pseudonym
    ) -> Customer:
        customer = customer_of(raw_order, marketplace_id, policy, pseudonym)
        details = {**(customer.details or {})}
        if details["Name"] == "Canary Buyer Two":
            details["EmailAddress"] = "canary@ümlaut.example"
        return replace(customer, details=details)

    monkeypatch.setattr(buyer_contacts, "customer_of", with_refused_email)
    connection.enter_contact("Canary Buyer")
    second = buyer_order("B", "Canary Buyer Two", "two@marketplace.example")
    accepted, refused = connection.read_orders(buyer_order("A"), second)
    connection.request(desired_invoice("B", contact_number=refused))
    connection.live.fault("drop", "/api.xro/2.0/Contacts", times=2)
    connection.post_times(4)

    assert connection.contact_in_xero(accepted).fields["Addresses"][0]["PostalCode"] == "CN1 1NC"
    assert connection.failures() == [("B", "XERO_REFUSED")]
    sinks = (
        connection.store.table.written,
        connection.decisions.notes,
        connection.dead_letters,
        connection.events.published,
    )
    written = repr(sinks).lower()
    for secret in ("canary", "cn1 1nc", "+44 0000", "ümlaut"):
        assert secret not in written
