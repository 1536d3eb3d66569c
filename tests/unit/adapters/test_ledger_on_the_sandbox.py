"""The posting path against the sandbox Xero on a real socket: what stands in the books in the end, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from live_sandboxes import LiveXero

from amazon_to_xero.domain.books.contact import Customer, customer_of
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState, Work
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.planning.policy import ContactPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.poster import DocumentPoster
from fakes.books import POLICY
from fakes.orders import UK, item, order
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDeadLetters, RecordingDecisionLog

D = Decimal
BUYERS = replace(POLICY, contacts=ContactPolicy(ContactScope.BUYERS))
CUSTOMER = DesiredDocument(
    DocumentKind.CONTACT, "AMAZON-UK", {"Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK"}
)
CONTENT = {
    "Reference": "Amazon.co.uk 026-1",
    "Date": "2026-11-20",
    "CurrencyCode": "GBP",
    "LineAmountTypes": "Inclusive",
    "Status": "AUTHORISED",
    "LineItems": [
        {"Description": "Tea", "Quantity": 1, "UnitAmount": D("12.5"), "AccountCode": "200", "TaxType": "OUTPUT2"}
    ],
}
MONEY = {"Account": {"Code": "CLR-GBP"}, "Date": "2026-11-20", "Amount": D("12.5"), "Reference": "Amazon.co.uk 026-1"}


def an_invoice(number: str = "026-1", contact: DesiredDocument = CUSTOMER) -> DesiredDocument:
    body = {**CONTENT, "Type": "ACCREC", "InvoiceNumber": number, "DueDate": "2026-11-20"}
    return DesiredDocument(
        DocumentKind.INVOICE, number, body, NOON, D("12.5"), {"Contact.ContactID": contact.key}, order_id=number
    )


INVOICE = an_invoice()
CREDIT_NOTE = DesiredDocument(
    DocumentKind.CREDIT_NOTE,
    "026-1-A1",
    {**CONTENT, "Type": "ACCRECCREDIT", "CreditNoteNumber": "026-1-A1"},
    NOON,
    D("12.5"),
    {"Contact.ContactID": CUSTOMER.key},
    order_id="026-1",
)
PAYMENT = DesiredDocument(
    DocumentKind.PAYMENT, "026-1", MONEY, NOON, references={"Invoice.InvoiceID": INVOICE.key}, order_id="026-1"
)
REFUND = DesiredDocument(
    DocumentKind.CREDIT_NOTE_REFUND,
    "026-1-A1",
    MONEY,
    NOON,
    references={"CreditNote.CreditNoteID": CREDIT_NOTE.key},
    order_id="026-1",
)


class Books:
    def __init__(self, xero: LiveXero, clock: ManualClock) -> None:
        self.xero, self.clock = xero, clock
        self.books = xero.sandbox.books
        self.store = MemoryStateStore(clock)
        self.decisions, self.letters = RecordingDecisionLog(), RecordingDeadLetters()
        pauses = Pauses(self.store, clock, self.decisions)
        letters = dict.fromkeys(Work, self.letters)
        self.buyers, self.asked = BuyerDetails(), list[Sequence[str]]()
        self.poster = DocumentPoster(
            "main", xero.api, self.store, pauses, letters, self.buyers, self.asked.append, clock, self.decisions
        )

    def read(self, *raw_orders: Json) -> list[Customer]:
        """What the reading of orders does with their buyers."""
        customers = [customer_of(raw, UK, BUYERS, "main") for raw in raw_orders]
        for raw, customer in zip(raw_orders, customers, strict=True):
            self.buyers.remember(customer)
            self.want(customer.desired(self.clock.now(), raw["orderId"]))
        return customers

    def want(self, *wanted: DesiredDocument) -> None:
        for desired in wanted:
            known = self.store.load(Document, [desired.key]).get(desired.key)
            row = (
                known.with_desired(desired, self.clock.now())
                if known
                else Document(desired, next_attempt_at=self.clock.now())
            )
            if row:
                self.store.save([row])

    def post(self, times: int = 1) -> None:
        for _ in range(times):
            self.poster.post_due((), self.clock.now() + timedelta(minutes=1))
            self.clock.advance(61)

    def row(self, desired: DesiredDocument) -> Document:
        return self.store.load(Document, [desired.key])[desired.key]

    def contact(self, customer: Customer) -> Any:
        return self.books.contacts[self.row(customer.desired(NOON, "")).xero_id]

    def calls(self, collection: str) -> list[tuple[str, int]]:
        calls = [call for call in self.xero.sandbox.calls if call.path.endswith(f"/{collection}")]
        return [(call.method, call.elements) for call in calls]


@pytest.fixture
def books(xero: LiveXero, wall: ManualClock) -> Books:
    return Books(xero, wall)


# --- credit notes and refunds -----------------------------------------------------------------------------------------


def test_a_refund_is_a_credit_note_that_is_paid_out_of_clearing(books: Books) -> None:
    books.want(CUSTOMER, INVOICE, PAYMENT, CREDIT_NOTE, REFUND)

    books.post()

    (note,) = books.books.credit_notes.values()
    assert (note.number, note.type, note.status, note.total) == ("026-1-A1", "ACCRECCREDIT", "PAID", D("12.5"))
    (invoice,) = books.books.invoices.values()
    assert (invoice.status, invoice.contact_id) == ("PAID", note.contact_id)
    paid, refunded = books.books.payments.values()
    assert (paid.type, refunded.type) == ("ACCRECPAYMENT", "ARCREDITPAYMENT")
    assert (refunded.document_id, refunded.amount, refunded.account_id) == (note.id, D("12.5"), paid.account_id)
    assert {books.row(d).state for d in (INVOICE, PAYMENT, CREDIT_NOTE, REFUND)} == {DocumentState.APPLIED}


@pytest.mark.parametrize("by_hand", ["DELETED", "VOIDED"])
@pytest.mark.parametrize("removed", [True, False])
def test_what_somebody_took_out_of_xero_by_hand_is_seen_to_be_gone(books: Books, by_hand: str, removed: bool) -> None:
    status = "DRAFT" if by_hand == "DELETED" else "AUTHORISED"
    drafted = replace(INVOICE, body={**INVOICE.body, "Status": status, "Reference": "Amazon.co.uk 026-1 · DHL 1"})
    books.want(CUSTOMER, drafted)
    books.post()
    (invoice,) = books.books.invoices.values()
    books.xero.api.update("Invoices", [{"InvoiceID": invoice.id, "Status": by_hand}], "by-hand")

    books.want(replace(INVOICE, version=NOON + timedelta(minutes=1), tombstone=removed))
    books.post(times=2)

    row = books.row(INVOICE)
    # A removal has nothing left to do. What should stand can be had under another number, if somebody asks for it
    assert (row.state, row.reason) == (
        (DocumentState.APPLIED, "") if removed else (DocumentState.FAILED, "VOIDED_IN_XERO")
    )
    assert "-R1" in row.remedy or removed
    assert len(books.calls("Invoices")) < 8


@pytest.mark.parametrize("path", ["CreditNotes", "Payments"])
@pytest.mark.parametrize("kind", ["drop", "lose"])
def test_a_credit_or_a_refund_whose_answer_is_lost_stands_once(books: Books, path: str, kind: str) -> None:
    books.want(CUSTOMER, CREDIT_NOTE, REFUND)
    books.xero.fault(kind, f"/api.xro/2.0/{path}", times=2)

    books.post()
    assert DocumentState.UNKNOWN in {books.row(CREDIT_NOTE).state, books.row(REFUND).state}
    books.post(times=4)

    (note,) = books.books.credit_notes.values()
    (refund,) = books.books.payments.values()
    assert (note.status, refund.document_id) == ("PAID", note.id)
    assert (books.row(CREDIT_NOTE).xero_id, books.row(REFUND).xero_id) == (note.id, refund.id)
    assert books.letters.letters == []


# --- contacts of buyers -----------------------------------------------------------------------------------------------


def bought(order_id: str = "026-1", name: str = "Canary Buyer", email: str = "a@b.example", **address: str) -> Json:
    made = order(item("12.5"), grand_total="12.5", order_id=order_id)
    made["buyer"] = {"buyerName": name, "buyerEmail": email}
    made["recipient"]["deliveryAddress"] |= address
    return made


def a_customer_by_hand(books: Books, name: str, archived: bool = False) -> str:
    (made,) = books.xero.api.create("Contacts", [{"Name": name}], f"by-hand-{name}"[:30].replace(" ", "-"))
    contact_id = str(made.element["ContactID"])
    if archived:
        books.xero.sandbox.contacts.archive(contact_id)
    books.xero.sandbox.calls.clear()
    return contact_id


def test_buyers_are_contacts_of_their_own_and_the_invoice_names_its_buyer(books: Books) -> None:
    (customer,) = books.read(bought())
    books.want(an_invoice(contact=customer.desired(NOON, "026-1")))

    books.post()

    contact = books.contact(customer)
    assert (contact.name, contact.number) == ("Canary Buyer", customer.number)
    assert contact.fields["Addresses"][0]["AddressLine1"] == "1 Canary Street"
    assert contact.fields["Phones"][0]["PhoneNumber"] == "+44 0000 000000"
    (invoice,) = books.books.invoices.values()
    assert invoice.contact_id == contact.id


def test_changed_details_of_many_buyers_are_updated_in_one_call_a_batch(books: Books) -> None:
    def orders(street: str) -> list[Json]:
        return [bought(f"026-{n}", f"Buyer {n}", f"{n}@b.example", addressLine1=street) for n in range(60)]

    customers = books.read(*orders("1 Old Street"))
    books.post()
    books.read(*orders("2 New Street"))
    books.post()

    assert books.calls("Contacts") == [("PUT", 50), ("PUT", 10), ("POST", 50), ("POST", 10)]
    assert len(books.books.contacts) == 60
    assert {books.contact(each).fields["Addresses"][0]["AddressLine1"] for each in customers} == {"2 New Street"}


@pytest.mark.parametrize("archived", [False, True])
def test_namesakes_in_xero_and_among_the_buyers_stay_people_of_their_own(books: Books, archived: bool) -> None:
    # Given a contact of that name, entered by hand, and two buyers of the name in one batch
    by_hand = a_customer_by_hand(books, "Canary Buyer", archived)
    before = books.books.contacts[by_hand]

    customers = books.read(bought("026-1"), bought("026-2", email="other@b.example"))
    books.post()

    assert [books.contact(each).name for each in customers] == [
        f"Canary Buyer ({each.number[-6:]})" for each in customers
    ]
    assert books.books.contacts[by_hand] == before
    assert len(books.books.contacts) == 3
    assert books.letters.letters == []


def test_a_buyer_who_takes_another_contact_s_name_later_gets_a_mark(books: Books) -> None:
    a_customer_by_hand(books, "Canary Ltd")
    (customer,) = books.read(bought())
    books.post()
    books.read(bought(name="Canary Ltd"))

    books.post()

    assert books.contact(customer).name == f"Canary Ltd ({customer.number[-6:]})"
    assert books.calls("Contacts") == [("PUT", 1), ("POST", 1), ("POST", 1)]


def test_a_contact_of_ours_that_the_table_forgot_is_adopted_by_its_number(books: Books) -> None:
    (customer,) = books.read(bought())
    books.post()
    held = books.contact(customer)
    books.store.table.rows.clear()
    books.clock.advance(600)  # Xero has forgotten the Idempotency-Keys
    books.read(bought(addressLine1="2 New Street"))

    books.post()

    assert books.contact(customer).id == held.id
    assert books.contact(customer).name == "Canary Buyer"
    assert books.contact(customer).fields["Addresses"][0]["AddressLine1"] == "2 New Street"
    assert len(books.books.contacts) == 1


@pytest.mark.parametrize("forgotten", [False, True])
def test_an_archived_contact_of_ours_is_for_a_person_and_its_orders_say_so(books: Books, forgotten: bool) -> None:
    (customer,) = books.read(bought())
    books.post()
    books.xero.sandbox.contacts.archive(customer.number)
    if forgotten:
        books.store.table.rows.clear()
        books.clock.advance(600)
    books.read(bought("026-2", addressLine1="2 New Street"))
    books.want(an_invoice("026-2", customer.desired(NOON, "026-2")))

    books.post(times=3)

    row = books.row(customer.desired(NOON, ""))
    assert (row.state, row.reason) == (DocumentState.FAILED, "CONTACT_ARCHIVED")
    assert row.name_taken == forgotten  # of a contact that is known to be ours no namesake is thought
    assert (len(books.books.invoices), len(books.books.contacts)) == (0, 1)
    assert books.letters.reasons == [("026-2", "CONTACT_ARCHIVED")]


@pytest.mark.parametrize("kind", ["drop", "lose"])
def test_a_contact_whose_answer_is_lost_stands_once(books: Books, kind: str) -> None:
    (customer,) = books.read(bought())
    books.xero.fault(kind, "/api.xro/2.0/Contacts", times=2)

    books.post(times=4)

    assert list(books.books.contacts) == [books.row(customer.desired(NOON, "")).xero_id]


def test_who_a_buyer_is_stands_in_xero_s_books_and_nowhere_of_ours(books: Books) -> None:
    # Given what Xero may say of a buyer: a name that is taken, details that are refused, an answer that is lost
    a_customer_by_hand(books, "Canary Buyer")
    (customer, odd) = books.read(bought(), bought("026-2", "Canary Buyer Two", "two@b.example"))
    books.want(an_invoice("026-2", odd.desired(NOON, "026-2")))
    details = dict(odd.details or {})
    books.buyers.remember(replace(odd, details={**details, "EmailAddress": "canary@ümlaut.example"}))
    books.xero.fault("drop", "/api.xro/2.0/Contacts", times=2)
    books.post(times=4)

    assert books.contact(customer).fields["Addresses"][0]["PostalCode"] == "CN1 1NC"
    assert [letter.order_id for letter in books.letters.letters] == ["026-2"]
    said = repr((books.store.table.written, books.decisions.notes, books.letters, books.asked)).lower()
    for secret in ("canary", "cn1 1nc", "+44 0000", "ümlaut"):
        assert secret not in said
