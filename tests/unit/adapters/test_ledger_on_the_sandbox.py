"""The posting path against the sandbox Xero on a real socket: what stands in the books in the end, and how often."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from live_sandboxes import LiveXero

from amazon_to_xero.domain.documents import Desired, Document, Kind, State, Work
from amazon_to_xero.services.ledger import Ledger
from amazon_to_xero.services.pauses import Pauses
from made_up.state import NOON, ManualClock, MemoryStateStore, RecordingDeadLetters, RecordingJournal

D = Decimal
CUSTOMER = Desired(Kind.CONTACT, "AMAZON-UK", {"Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK"})
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


def an_invoice(number: str = "026-1", contact: Desired = CUSTOMER) -> Desired:
    body = {**CONTENT, "Type": "ACCREC", "InvoiceNumber": number, "DueDate": "2026-11-20"}
    return Desired(Kind.INVOICE, number, body, NOON, D("12.5"), {"Contact.ContactID": contact.key}, order_id=number)


INVOICE = an_invoice()
CREDIT_NOTE = Desired(
    Kind.CREDIT_NOTE,
    "026-1-A1",
    {**CONTENT, "Type": "ACCRECCREDIT", "CreditNoteNumber": "026-1-A1"},
    NOON,
    D("12.5"),
    {"Contact.ContactID": CUSTOMER.key},
    order_id="026-1",
)
PAYMENT = Desired(Kind.PAYMENT, "026-1", MONEY, NOON, refers={"Invoice.InvoiceID": INVOICE.key}, order_id="026-1")
REFUND = Desired(
    Kind.REFUND, "026-1-A1", MONEY, NOON, refers={"CreditNote.CreditNoteID": CREDIT_NOTE.key}, order_id="026-1"
)


class Books:
    def __init__(self, xero: LiveXero, clock: ManualClock) -> None:
        self.xero, self.clock = xero, clock
        self.books = xero.sandbox.books
        self.store = MemoryStateStore(clock)
        self.journal, self.letters = RecordingJournal(), RecordingDeadLetters()
        pauses = Pauses(self.store, clock, self.journal)
        letters = dict.fromkeys(Work, self.letters)
        self.ledger = Ledger("main", xero.api, self.store, pauses, letters, clock, self.journal)

    def want(self, *wanted: Desired) -> None:
        for desired in wanted:
            known = self.store.documents([desired.key]).get(desired.key)
            row = known.wanting(desired, self.clock.now()) if known else Document(desired, due_at=self.clock.now())
            if row:
                self.store.save_documents([row])

    def post(self, times: int = 1) -> None:
        for _ in range(times):
            self.ledger.post_due((), self.clock.now() + timedelta(minutes=1))
            self.clock.advance(61)

    def row(self, desired: Desired) -> Document:
        return self.store.documents([desired.key])[desired.key]

    def calls(self) -> Counter[str]:
        return Counter(call.operation for call in self.xero.sandbox.calls if call.operation)


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
    assert {books.row(d).state for d in (INVOICE, PAYMENT, CREDIT_NOTE, REFUND)} == {State.APPLIED}


@pytest.mark.parametrize("path", ["CreditNotes", "Payments"])
@pytest.mark.parametrize("kind", ["drop", "lose"])
def test_a_credit_or_a_refund_whose_answer_is_lost_stands_once(books: Books, path: str, kind: str) -> None:
    books.want(CUSTOMER, CREDIT_NOTE, REFUND)
    books.xero.fault(kind, f"/api.xro/2.0/{path}", times=2)

    books.post()
    assert State.UNKNOWN in {books.row(CREDIT_NOTE).state, books.row(REFUND).state}
    books.post(times=4)

    (note,) = books.books.credit_notes.values()
    (refund,) = books.books.payments.values()
    assert (note.status, refund.document_id) == ("PAID", note.id)
    assert (books.row(CREDIT_NOTE).xero_id, books.row(REFUND).xero_id) == (note.id, refund.id)
    assert books.letters.letters == []
