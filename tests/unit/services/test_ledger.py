"""Posting to Xero: full batches, one refused document among good ones, and nothing written twice whatever happens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.contact import Customer, customer_of
from amazon_to_xero.domain.books.document import (
    CLAIM_DURATION,
    MAX_BUYER_REQUESTS,
    DesiredDocument,
    Document,
    DocumentState,
    Work,
)
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.planning.policy import ContactPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import Outcome, XeroNotAuthorised, XeroRateLimited, XeroRefused, XeroUnavailable
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.poster import BATCH, BATCH_BYTES, DocumentPoster, PostReport
from fakes.books import POLICY
from fakes.orders import UK, item, order
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDeadLetters, RecordingDecisionLog
from fakes.vendors import ScriptedXero, lost

MINUTE = timedelta(minutes=1)
D = Decimal
CUSTOMER = DesiredDocument(
    DocumentKind.CONTACT, "AMAZON-UK", {"Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK"}
)


def an_invoice(
    number: str = "A", price: str = "10.00", minutes: int = 0, status: str = "AUTHORISED"
) -> DesiredDocument:
    line = {"Description": "Tea", "Quantity": 1, "UnitAmount": D(price), "AccountCode": "200", "TaxType": "OUTPUT2"}
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Reference": f"Amazon.co.uk {number}",
        "Date": "2026-11-20",
        "DueDate": "2026-11-20",
        "CurrencyCode": "GBP",
        "LineAmountTypes": "Inclusive",
        "Status": status,
        "LineItems": [line],
    }
    return DesiredDocument(
        DocumentKind.INVOICE,
        number,
        body,
        version=NOON + minutes * MINUTE,
        total=D(price),
        references={"Contact.ContactID": CUSTOMER.key},
        order_id=number,
    )


def a_payment(number: str = "A", amount: str = "10.00") -> DesiredDocument:
    body = {
        "Account": {"Code": "CLR"},
        "Date": "2026-11-20",
        "Amount": D(amount),
        "Reference": f"Amazon.co.uk {number}",
    }
    refers = {"Invoice.InvoiceID": f"invoice#{number}"}
    return DesiredDocument(DocumentKind.PAYMENT, number, body, version=NOON, references=refers, order_id=number)


def a_credit_note(number: str = "A-A1", price: str = "10.00", minutes: int = 0, invoice: str = "A") -> DesiredDocument:
    body = {
        **an_invoice(invoice, price).body,
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": number,
    }
    del body["InvoiceNumber"], body["DueDate"]
    refers = {"Contact.ContactID": CUSTOMER.key}
    version = NOON + minutes * MINUTE
    return DesiredDocument(DocumentKind.CREDIT_NOTE, number, body, version, D(price), refers, order_id=invoice)


def a_refund(number: str = "A-A1", amount: str = "10.00", invoice: str = "A") -> DesiredDocument:
    refers = {"CreditNote.CreditNoteID": f"credit_note#{number}"}
    return DesiredDocument(
        DocumentKind.CREDIT_NOTE_REFUND, number, a_payment(invoice, amount).body, NOON, references=refers, order_id=invoice
    )


class Books:
    def __init__(self, *wanted: DesiredDocument, customer: bool = True) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.xero = ScriptedXero(clock=self.clock)
        self.decisions = RecordingDecisionLog()
        self.of_orders, self.dead_letters = RecordingDeadLetters(), RecordingDeadLetters()
        letters = {ORDERS: self.of_orders, SHIPMENTS: self.dead_letters}
        self.buyers, self.asked = BuyerDetails(), list[list[str]]()
        pauses = Pauses(self.store, self.clock, self.decisions)
        self.poster = DocumentPoster(
            "main", self.xero, self.store, pauses, letters, self.buyers, self.ask, self.clock, self.decisions
        )
        if customer:
            self.want(CUSTOMER)
            self.post()
            self.xero.calls.clear()
        self.want(*wanted)

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

    def ask(self, order_ids: Sequence[str]) -> None:
        self.asked.append(list(order_ids))

    def read(self, raw: Json) -> Customer:
        """What the reading of an order does with its buyer."""
        customer = customer_of(raw, UK, replace(POLICY, contacts=ContactPolicy(ContactScope.BUYERS)), "main")
        self.buyers.remember(customer)
        self.want(customer.desired(NOON, raw["orderId"]))
        return customer

    def new_sandbox(self) -> None:
        self.buyers = self.poster._buyers = BuyerDetails()

    def contact(self, customer: Customer) -> Document:
        return self.row(customer.number, DocumentKind.CONTACT)

    def post(self, named: Sequence[str] = ()) -> PostReport:
        return self.poster.post_due(named, self.clock.now() + MINUTE)

    def later(self, seconds: float) -> PostReport:
        self.clock.advance(seconds)
        return self.post()

    def row(self, number: str = "A", kind: DocumentKind = DocumentKind.INVOICE) -> Document:
        return self.store.load(Document, [f"{kind}#{number}"])[f"{kind}#{number}"]

    def numbers(self) -> list[str]:
        return sorted(invoice["InvoiceNumber"] for invoice in self.xero.books["Invoices"].values())


# --- batches ----------------------------------------------------------------------------------------------------------


def test_a_customer_and_its_invoice_are_created_in_that_order_and_the_invoice_names_it() -> None:
    books = Books(CUSTOMER, an_invoice(), customer=False)

    report = books.post()

    assert [(c.verb, c.collection) for c in books.xero.writes()] == [("create", "Contacts"), ("create", "Invoices")]
    contact_id = books.row("AMAZON-UK", DocumentKind.CONTACT).xero_id
    assert books.xero.invoice("A")["Contact"] == {"ContactID": contact_id}
    assert (report, books.row().state) == (PostReport(applied=2), DocumentState.APPLIED)
    assert books.row().xero_id == books.xero.invoice("A")["InvoiceID"]


def test_no_call_carries_more_than_fifty_documents() -> None:
    books = Books(*(an_invoice(f"A{n:03}") for n in range(120)))

    assert books.post().applied == 120

    assert [len(call.elements) for call in books.xero.writes()] == [BATCH, BATCH, 20]


def test_no_call_is_larger_than_three_megabytes() -> None:
    invoices = [an_invoice(f"A{n}") for n in range(6)]
    wide = [
        replace(i, body={**i.body, "LineItems": [{**i.body["LineItems"][0], "Description": "x" * 900_000}]})
        for i in invoices
    ]
    books = Books(*wide)

    assert books.post().applied == 6

    sizes = [len(json.dumps(call.elements, default=str)) for call in books.xero.writes()]
    assert [len(call.elements) for call in books.xero.writes()] == [3, 3]
    assert max(sizes) <= BATCH_BYTES


def test_a_document_larger_than_a_call_goes_alone() -> None:
    wide = an_invoice("WIDE")
    wide = replace(wide, body={**wide.body, "Reference": "x" * (BATCH_BYTES + 1)})
    books = Books(an_invoice("A"), wide, an_invoice("B"))

    assert books.post().applied == 3
    assert sorted(len(call.elements) for call in books.xero.writes()) in ([1, 1, 1], [1, 2])


def test_what_exists_is_updated_under_its_id() -> None:
    books = Books(an_invoice())
    books.post()
    created = books.row()
    books.want(an_invoice(price="12.00", minutes=1))

    books.post()

    (_, update) = books.xero.writes()
    assert (update.verb, update.elements[0]["InvoiceID"]) == ("update", created.xero_id)
    assert books.xero.invoice("A")["Total"] == D("12.00")
    assert books.numbers() == ["A"]


def test_posting_again_what_stands_writes_nothing() -> None:
    books = Books(an_invoice(), an_invoice("B"))
    books.post()
    calls = len(books.xero.calls)

    assert books.post(["invoice#A", "invoice#B"]) == PostReport()
    assert books.later(3600) == PostReport()
    assert len(books.xero.calls) == calls


def test_a_document_named_just_now_is_posted_although_the_index_does_not_show_it_yet() -> None:
    books = Books(an_invoice())
    books.store.table.due = lambda due, until, limit: []  # type: ignore[method-assign]

    assert books.post().applied == 0
    assert books.post(["invoice#A"]).applied == 1


def test_no_call_is_begun_after_the_deadline() -> None:
    books = Books(an_invoice())

    assert books.poster.post_due([], books.clock.now()) == PostReport(stopped="OUT_OF_TIME")
    assert books.xero.calls == []


# --- refused documents ------------------------------------------------------------------------------------------------


def test_one_refused_document_does_not_disturb_the_others() -> None:
    books = Books(*(an_invoice(f"A{n}") for n in range(5)))
    books.xero.refusals["A2"] = ("Account code '999' is not a valid code for this document.",)

    assert books.post() == PostReport(applied=4, failed=1)

    assert books.numbers() == ["A0", "A1", "A3", "A4"]
    failed = books.row("A2")
    assert (failed.state, failed.next_attempt_at, failed.reason) == (DocumentState.FAILED, None, "ACCOUNT_UNKNOWN")
    (letter,) = books.dead_letters.letters
    assert (letter.order_id, letter.reason, letter.remedy) == ("A2", "ACCOUNT_UNKNOWN", failed.remedy)
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "order_id": "A2"}}


def test_a_failed_document_is_tried_again_only_when_somebody_asks() -> None:
    books = Books(an_invoice())
    books.xero.refusals["A"] = ("The document date cannot be before the period lock date",)
    books.post()
    books.later(24 * 3600)
    assert len(books.xero.writes()) == 1

    books.xero.refusals.clear()
    books.want(an_invoice())
    assert books.post().applied == 1
    assert len(books.dead_letters.letters) == 1


def test_when_xero_refuses_a_whole_call_the_one_that_spoils_it_is_found() -> None:
    books = Books(*(an_invoice(f"A{n}") for n in range(8)))
    plain = books.xero.create

    def refuses_a_call_with_a5(collection: str, elements: Sequence[Json], key: str) -> list[Outcome]:
        if any(element["InvoiceNumber"] == "A5" for element in elements):
            raise XeroRefused("createInvoices", 400, "the element cannot be read")
        return plain(collection, elements, key)

    books.xero.create = refuses_a_call_with_a5  # type: ignore[method-assign]

    report = books.post()

    assert (report.applied, report.failed) == (7, 1)
    assert "A5" not in books.numbers()
    assert (books.row("A5").state, books.row("A5").reason) == (DocumentState.FAILED, "XERO_REFUSED")
    assert "the element cannot be read" in books.row("A5").remedy
    assert books.dead_letters.reasons == [("A5", "XERO_REFUSED")]


def test_a_content_that_changed_while_xero_refused_the_call_is_not_sent_in_its_old_form() -> None:
    books = Books(an_invoice("A"), an_invoice("B"))
    books.xero.before = [XeroRefused("createInvoices", 400, "cannot be read")]
    books.xero.during = lambda: books.want(an_invoice("A", "12.00", minutes=1))

    books.post()
    books.later(1)

    assert books.row("A").state is DocumentState.APPLIED
    assert books.xero.invoice("A")["Total"] == D("12.00")


def test_a_total_that_xero_arrives_at_otherwise_is_a_failure_with_both_numbers() -> None:
    books = Books(an_invoice(price="10.00"))
    books.xero.totals["A"] = D("10.01")

    assert books.post() == PostReport(failed=1)

    assert books.row().reason == "XERO_TOTAL_DIFFERS"
    assert "10.00" in books.row().remedy
    assert "10.01" in books.row().remedy
    assert books.row().exists_in_xero


def test_a_total_that_still_differs_when_somebody_asks_again_is_a_failure_again() -> None:
    books = Books(an_invoice(price="10.00"))
    books.xero.totals["A"] = D("10.01")
    books.post()

    books.want(an_invoice(price="10.00"))
    books.post()
    assert books.row().state is DocumentState.FAILED

    books.xero.totals.clear()
    books.want(an_invoice(price="10.00"))
    books.post()
    assert books.row().state is DocumentState.APPLIED


# --- references -------------------------------------------------------------------------------------------------------


def test_a_customer_that_is_archived_fails_its_invoices_with_its_reason_and_a_dead_letter_each() -> None:
    books = Books(CUSTOMER, an_invoice("A"), an_invoice("B"), customer=False)
    books.xero.refusals["AMAZON-UK"] = ("The specified contact details matched an archived contact.",)

    books.post()

    assert [books.row(n).reason for n in "AB"] == ["CONTACT_ARCHIVED"] * 2
    assert sorted(books.dead_letters.reasons) == [("A", "CONTACT_ARCHIVED"), ("B", "CONTACT_ARCHIVED")]
    assert "restore the contact" in books.row().remedy
    assert books.xero.writes("Invoices") == []


def test_an_invoice_whose_customer_is_still_unknown_waits_for_it() -> None:
    books = Books(CUSTOMER, an_invoice(), customer=False)
    books.xero.after = [lost("createContacts"), lost("createContacts")]

    books.post()
    assert books.xero.writes("Invoices") == []
    books.later(61)
    books.later(61)

    assert (books.row().state, books.numbers()) == (DocumentState.APPLIED, ["A"])
    assert len(books.xero.books["Contacts"]) == 1


def test_a_payment_waits_for_its_invoice_and_is_then_made_once() -> None:
    books = Books(an_invoice(), a_payment())
    books.xero.before = [XeroRateLimited("createInvoices", "minute", timedelta(seconds=20))]
    books.post()
    assert books.xero.books["Payments"] == {}

    for _ in range(4):
        books.later(61)

    (payment,) = books.xero.books["Payments"].values()
    assert payment["Invoice"] == {"InvoiceID": books.row().xero_id}
    assert books.xero.invoice("A")["AmountDue"] == 0
    assert len(books.xero.writes("Payments")) == 1


def test_a_payment_waits_until_its_draft_is_approved() -> None:
    books = Books(an_invoice(status="DRAFT"))
    books.post()
    books.want(an_invoice(minutes=1), a_payment())
    books.xero.refusals["A"] = ("The document date cannot be before the period lock date",)

    books.post()
    assert books.xero.writes("Payments") == []

    books.xero.refusals.clear()
    books.want(an_invoice(minutes=1), a_payment())
    books.later(61)
    assert len(books.xero.writes("Payments")) == 1


def test_a_payment_of_an_invoice_that_failed_fails_without_a_second_dead_letter() -> None:
    books = Books(an_invoice(), a_payment())
    books.xero.refusals["A"] = ("The document date cannot be before the period lock date",)

    books.post()

    assert (books.row(kind=DocumentKind.PAYMENT).state, books.row(kind=DocumentKind.PAYMENT).reason) == (
        DocumentState.FAILED,
        "REFERENCE_FAILED",
    )
    assert books.dead_letters.reasons == [("A", "PERIOD_LOCKED")]


# --- limits, outages, refused authorisation ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason", "again_after"),
    [
        (XeroRateLimited("createInvoices", "minute", timedelta(seconds=23)), "XERO_MINUTE_LIMIT", 23),
        (XeroRateLimited("createInvoices", "day", timedelta(hours=3)), "XERO_DAY_LIMIT", 3 * 3600),
        (XeroNotAuthorised("createInvoices", 403, "AuthenticationUnsuccessful"), "XERO_NOT_AUTHORISED", 900),
        (XeroUnavailable("createInvoices", None, "no connection"), "XERO_UNAVAILABLE", 60),
    ],
)
def test_what_was_not_executed_waits_and_xero_is_left_alone_meanwhile(
    fault: Any, reason: str, again_after: int
) -> None:
    books = Books(*(an_invoice(f"A{n:03}") for n in range(60)))
    books.xero.before = [fault]

    assert books.post().stopped == reason
    assert len(books.xero.calls) == 1
    assert (books.row("A000").state, books.row("A000").reason) == (DocumentState.DEFERRED, reason)
    assert books.later(again_after - 1).applied == 0
    assert len(books.xero.calls) == 1

    assert books.later(1).applied == 60
    assert len(books.numbers()) == 60
    assert books.dead_letters.letters == []


# --- lost answers -----------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_asked_for_again_with_the_same_key() -> None:
    books = Books(an_invoice())
    books.xero.after = [lost()]

    assert books.post().applied == 1

    first, second = books.xero.writes()
    assert (first.key, first.elements) == (second.key, second.elements)
    assert books.numbers() == ["A"]


def test_after_two_lost_answers_xero_is_looked_at_before_anything_is_written_again() -> None:
    books = Books(an_invoice())
    books.xero.after = [lost(), lost()]

    assert books.post().stopped == "OUTCOME_UNKNOWN"
    assert books.row().state is DocumentState.UNKNOWN
    books.later(61)

    assert [call.verb for call in books.xero.calls] == ["create", "create", "find"]
    assert (books.row().state, books.row().xero_id) == (DocumentState.APPLIED, books.xero.invoice("A")["InvoiceID"])
    assert books.numbers() == ["A"]


def test_a_write_that_never_arrived_is_written_after_the_look_under_a_new_key() -> None:
    books = Books(an_invoice())
    books.xero.before = [lost(), lost()]

    books.post()
    books.later(61)

    assert [call.verb for call in books.xero.calls] == ["create", "create", "find", "create"]
    keys = [call.key for call in books.xero.writes()]
    assert keys[0] == keys[1] != keys[2]
    assert books.numbers() == ["A"]


@pytest.mark.parametrize(
    "second",
    [
        XeroRateLimited("createInvoices", "minute", timedelta(seconds=10)),
        XeroUnavailable("createInvoices", None, "no connection"),
        XeroNotAuthorised("createInvoices", 401, "no token"),
        XeroRefused("createInvoices", 400, "no"),
    ],
)
def test_a_lost_answer_stays_unknown_when_asking_again_is_not_possible(second: Any) -> None:
    # Given an invoice that was created, whose answer was lost, and a cancellation right after
    books = Books(an_invoice(status="DRAFT"))
    books.xero.after = [lost()]
    books.xero.before = [None, second]
    books.post()
    books.want(replace(an_invoice(status="DRAFT", minutes=1), tombstone=True))

    for _ in range(3):
        books.later(901)

    # Then it does not stay in the books because somebody believed that it was never written
    assert books.xero.invoice("A")["Status"] == "DELETED"


def test_found_with_another_content_it_is_brought_up_to_date() -> None:
    books = Books(an_invoice(price="10.00"))
    books.xero.after = [lost(), lost()]
    books.post()
    books.want(an_invoice(price="12.00", minutes=1))

    books.later(61)

    assert [call.verb for call in books.xero.calls] == ["create", "create", "find", "update"]
    assert books.xero.invoice("A")["Total"] == D("12.00")
    assert (books.numbers(), books.row().state) == (["A"], DocumentState.APPLIED)


def test_a_worker_that_died_with_documents_in_flight_is_followed_by_a_look() -> None:
    # Given a worker that died after Xero had taken the invoice, and before it could write that down
    books = Books(an_invoice())

    class Killed(BaseException):
        pass

    books.xero.after = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        books.post()
    assert books.row().state is DocumentState.IN_FLIGHT

    assert books.later(CLAIM_DURATION.total_seconds() - 1) == PostReport()
    books.later(1)

    assert [call.verb for call in books.xero.calls] == ["create", "find"]
    assert (books.numbers(), books.row().state) == (["A"], DocumentState.APPLIED)


def test_a_look_that_fails_leaves_everything_as_it_was() -> None:
    books = Books(an_invoice())
    books.xero.after = [lost(), lost()]
    books.post()
    books.xero.before = [XeroUnavailable("getInvoices", 503, "HTTP 503")]

    assert books.later(61).stopped == "XERO_UNAVAILABLE"
    assert books.row().state is DocumentState.UNKNOWN
    books.later(61)

    assert (books.row().state, books.numbers()) == (DocumentState.APPLIED, ["A"])


def test_not_more_than_forty_numbers_are_looked_for_at_once() -> None:
    books = Books(*(an_invoice(f"A{n:02}") for n in range(50)))
    books.xero.after = [lost(), lost()]
    books.post()
    books.later(61)

    assert [len(call.elements) - 1 for call in books.xero.calls if call.verb == "find"] == [40, 10]
    assert len(books.numbers()) == 50


# --- numbers and names that are taken ---------------------------------------------------------------------------------


def by_hand(status: str = "AUTHORISED", **changed: Any) -> Json:
    body = {**an_invoice().body, "Status": status, "Total": D("10.00"), "AmountDue": D("10.00")}
    return {**body, "DateString": "2026-11-20T00:00:00", **changed}


def test_a_number_that_stands_in_xero_with_our_content_is_adopted() -> None:
    books = Books(an_invoice())
    held = books.xero.hold("Invoices", by_hand())

    assert books.post().applied == 1
    assert (books.row().xero_id, books.numbers()) == (held["InvoiceID"], ["A"])
    assert [call.verb for call in books.xero.calls] == ["create", "find"]


@pytest.mark.parametrize(
    ("held", "reason", "remedy"),
    [
        (by_hand("VOIDED"), "VOIDED_IN_XERO", "redrive to have it entered again with -R1"),
        (by_hand(Reference="Rent"), "NUMBER_TAKEN", "rename that one"),
    ],
)
def test_a_number_of_a_voided_or_foreign_document_needs_a_person(held: Json, reason: str, remedy: str) -> None:
    books = Books(an_invoice())
    books.xero.hold("Invoices", held)

    books.post()

    assert (books.row().state, books.row().reason) == (DocumentState.FAILED, reason)
    assert remedy in books.row().remedy
    assert books.dead_letters.reasons == [("A", reason)]
    assert len(books.xero.writes()) == 1


def test_a_customer_whose_name_is_taken_is_adopted() -> None:
    books = Books(CUSTOMER, an_invoice(), customer=False)
    held = books.xero.hold(
        "Contacts", {"Name": "Amazon.co.uk customers", "ContactNumber": "", "ContactStatus": "ACTIVE"}
    )
    books.xero.refusals["AMAZON-UK"] = ("The contact name X is already assigned to another contact.",)
    books.post()
    books.later(1)

    assert books.row("AMAZON-UK", DocumentKind.CONTACT).xero_id == held["ContactID"]
    assert len(books.xero.books["Contacts"]) == 1
    assert books.xero.writes("Contacts")[1].elements[0]["ContactID"] == held["ContactID"]
    books.later(61)
    assert books.xero.invoice("A")["Contact"] == {"ContactID": held["ContactID"]}


def test_a_customer_whose_number_is_an_archived_contact_s_needs_a_person() -> None:
    books = Books(CUSTOMER, an_invoice(), customer=False)
    books.xero.hold("Contacts", {**CUSTOMER.body, "ContactStatus": "ARCHIVED"})
    books.xero.refusals["AMAZON-UK"] = ("Another contact has this contact number.",)

    books.post()
    books.later(61)

    assert books.row("AMAZON-UK", DocumentKind.CONTACT).reason == "CONTACT_ARCHIVED"
    assert books.dead_letters.reasons == [("A", "CONTACT_ARCHIVED")]


# --- contacts of buyers -----------------------------------------------------------------------------------------------

NAME_TAKEN = "The contact name Canary Buyer is already assigned to another contact. The contact name must be unique."


def bought(order_id: str = "A", address: str = "1 Canary Street", **buyer: str) -> Json:
    made = order(item("10.00"), grand_total="10.00", order_id=order_id)
    made["buyer"] |= buyer
    made["recipient"]["deliveryAddress"]["addressLine1"] = address
    return made


def invoiced_to(customer: Customer, number: str = "A") -> DesiredDocument:
    return replace(an_invoice(number), references={"Contact.ContactID": f"contact#{customer.number}"})


def test_a_buyer_s_contact_is_created_with_its_details_before_the_invoice_that_names_it() -> None:
    books = Books(customer=False)
    customer = books.read(bought())
    books.want(invoiced_to(customer))

    assert books.post().applied == 2

    (contact,) = books.xero.books["Contacts"].values()
    assert contact == {**(customer.details or {}), "ContactID": books.contact(customer).xero_id}
    assert contact["Name"] == "Canary Buyer"
    assert books.xero.invoice("A")["Contact"] == {"ContactID": contact["ContactID"]}
    assert books.asked == []


def test_a_second_order_of_a_buyer_needs_no_call_for_the_contact() -> None:
    books = Books(customer=False)
    books.read(bought("A"))
    books.post()
    books.read(bought("B"))

    assert books.post().applied == 0
    assert len(books.xero.writes("Contacts")) == 1


def test_details_that_changed_are_updated_in_one_call_for_all_buyers() -> None:
    books = Books(customer=False)
    buyers = [f"buyer-{n}@marketplace.example" for n in range(60)]
    for email in buyers:
        books.read(bought(buyerEmail=email, buyerName=email.partition("@")[0]))
    books.post()
    for email in buyers:
        books.read(bought(buyerEmail=email, buyerName=email.partition("@")[0], address="2 New Street"))
    books.post()

    calls = [(call.verb, len(call.elements)) for call in books.xero.writes("Contacts")]
    assert calls == [("create", 50), ("create", 10), ("update", 50), ("update", 10)]
    streets = {contact["Addresses"][0]["AddressLine1"] for contact in books.xero.books["Contacts"].values()}
    assert streets == {"2 New Street"}


def test_a_contact_whose_details_went_with_the_sandbox_waits_until_its_order_has_been_read_again() -> None:
    # Given a contact that was wanted in a sandbox that is gone
    books = Books(customer=False)
    customer = books.read(bought())
    books.want(invoiced_to(customer))
    books.new_sandbox()

    books.post()
    assert (books.contact(customer).state, books.contact(customer).reason) == (
        DocumentState.DEFERRED,
        "BUYER_DATA_UNAVAILABLE",
    )
    assert books.contact(customer).next_attempt_at == books.clock.now() + MINUTE
    assert books.row().reason == "WAITING_FOR_REFERENCE"
    assert (books.asked, books.xero.calls) == ([["A"]], [])

    # When the order is read again, unchanged, it is posted at once
    books.read(bought())
    assert books.post().applied == 1
    assert (books.contact(customer).state, books.asked) == (DocumentState.APPLIED, [["A"]])
    books.later(61)
    assert books.numbers() == ["A"]


def test_an_order_is_asked_for_ever_less_often_and_given_up_after_a_day() -> None:
    # Given a buyer whom Amazon does not name any more: the order's invoice goes to the marketplace's customer by now
    books = Books(customer=False)
    customer = books.read(bought())
    books.new_sandbox()

    minutes = 0
    while books.contact(customer).state is not DocumentState.FAILED and minutes < 6000:
        books.later(60)
        minutes += 1

    assert 23 * 60 <= minutes <= 27 * 60
    assert books.asked == [["A"]] * MAX_BUYER_REQUESTS
    assert books.contact(customer).reason == "BUYER_DATA_UNAVAILABLE"
    assert books.xero.calls == books.dead_letters.letters == books.of_orders.letters == []

    # A reading that knows the buyer again starts anew, and what still waits for the contact has said so
    books.want(invoiced_to(customer))
    books.post()
    assert books.dead_letters.reasons == [("A", "BUYER_DATA_UNAVAILABLE")]
    books.read(bought())
    assert books.post().applied == 1


def test_details_wanted_meanwhile_by_another_order_are_posted_although_they_were_older() -> None:
    books = Books(customer=False)
    customer = books.read(bought("B"))
    books.new_sandbox()
    books.post()

    # Given an older order of the same buyer that is read now
    older = customer.desired(NOON - MINUTE, "A")
    books.buyers.remember(customer)
    books.want(older)

    assert books.post().applied == 1
    assert books.contact(customer).desired.order_id == "B"


def test_a_namesake_in_xero_is_somebody_else_and_the_buyer_gets_a_mark() -> None:
    books = Books(customer=False)
    namesake = books.xero.hold("Contacts", {"Name": "Canary Buyer", "ContactNumber": "", "ContactStatus": "ACTIVE"})
    customer = books.read(bought())
    books.xero.refuse_once(customer.number, NAME_TAKEN)

    assert books.post().applied == 1

    ours = books.xero.books["Contacts"][books.contact(customer).xero_id]
    assert ours["Name"] == f"Canary Buyer ({customer.number[-6:]})"
    assert ours["ContactID"] != namesake["ContactID"]
    assert namesake["Name"] == "Canary Buyer"
    assert [call.verb for call in books.xero.calls] == ["create", "create"]
    assert books.contact(customer).name_taken

    # And keeps it when the details change
    books.read(bought(address="2 New Street"))
    books.post()
    assert books.xero.books["Contacts"][ours["ContactID"]]["Name"] == ours["Name"]


def test_a_name_that_was_taken_and_is_another_by_now_gets_no_mark() -> None:
    books = Books(customer=False)
    customer = books.read(bought())
    books.xero.refuse_once(customer.number, NAME_TAKEN)
    books.xero.during = lambda: books.read(bought(buyerName="Canary Lee"))

    books.post()

    (contact,) = books.xero.books["Contacts"].values()
    assert (contact["Name"], books.contact(customer).state) == ("Canary Lee", DocumentState.APPLIED)


def test_a_name_that_is_taken_with_its_mark_too_needs_a_person() -> None:
    books = Books(customer=False)
    customer = books.read(bought())
    books.want(invoiced_to(customer))
    books.xero.refusals[customer.number] = (NAME_TAKEN,)

    books.post()

    assert (books.contact(customer).state, books.contact(customer).reason) == (
        DocumentState.FAILED,
        "CONTACT_NAME_TAKEN",
    )
    assert [call.verb for call in books.xero.calls] == ["create", "create"]
    assert books.dead_letters.reasons == [("A", "CONTACT_NAME_TAKEN")]


def test_a_number_that_is_taken_is_our_own_contact_and_is_brought_up_to_date_once() -> None:
    # Given a contact that Xero holds and the table has forgotten; Xero names both of what is taken
    books = Books(customer=False)
    customer = books.read(bought())
    held = books.xero.hold("Contacts", {"Name": "Canary", "ContactNumber": customer.number, "ContactStatus": "ACTIVE"})
    books.xero.refuse_once(customer.number, NAME_TAKEN, "Another contact has this contact number.")

    assert books.post().applied == 1

    assert [call.verb for call in books.xero.calls] == ["create", "find", "update"]
    assert books.contact(customer).xero_id == held["ContactID"]
    assert books.xero.books["Contacts"][held["ContactID"]]["Name"] == "Canary Buyer"


@pytest.mark.parametrize("arrived", [True, False])
def test_a_contact_whose_answer_was_lost_is_looked_for_by_its_number(arrived: bool) -> None:
    books = Books(customer=False)
    customer = books.read(bought())
    lost_answers = [lost("createContacts"), lost("createContacts")]
    books.xero.after, books.xero.before = (lost_answers, []) if arrived else ([], lost_answers)

    books.post()
    books.later(61)

    verbs = ["create", "create", "find", "update" if arrived else "create"]
    assert [call.verb for call in books.xero.calls] == verbs
    assert len(books.xero.books["Contacts"]) == 1
    assert books.contact(customer).state is DocumentState.APPLIED
    assert books.later(3600) == PostReport()


def test_a_lost_contact_found_in_a_sandbox_that_does_not_know_the_buyer_waits_for_the_update() -> None:
    books = Books(customer=False)
    customer = books.read(bought())
    books.xero.after = [lost("createContacts"), lost("createContacts")]
    books.post()
    books.new_sandbox()

    books.later(61)
    assert books.contact(customer).awaits_buyer
    books.read(bought())
    books.post()

    assert [call.verb for call in books.xero.calls] == ["create", "create", "find", "update"]
    assert books.contact(customer).state is DocumentState.APPLIED


def test_details_that_xero_cannot_read_fail_their_contact_alone_and_each_order_of_it_with_a_dead_letter() -> None:
    books = Books(customer=False)
    odd, good = books.read(bought("A")), books.read(bought("B", buyerEmail="good@b.example", buyerName="Good"))
    books.want(invoiced_to(odd, "A"), invoiced_to(odd, "C"), invoiced_to(good, "B"))
    plain = books.xero.create

    def refuses_the_odd_one(collection: str, elements: Sequence[Json], key: str) -> list[Outcome]:
        if any(element.get("ContactNumber") == odd.number for element in elements):
            raise XeroRefused("create Contacts", 400, "the element cannot be read")
        return plain(collection, elements, key)

    books.xero.create = refuses_the_odd_one  # type: ignore[method-assign]
    books.post()
    books.later(61)

    assert books.numbers() == ["B"]
    assert sorted(books.dead_letters.reasons) == [("A", "XERO_REFUSED"), ("C", "XERO_REFUSED")]
    assert books.of_orders.letters == []


def test_a_contact_that_failed_is_tried_again_for_any_order_of_its_buyer() -> None:
    # Given a contact that failed for a buyer's newest order, whose address is another than in an older one
    books = Books(customer=False)
    customer = books.read(bought("B"))
    books.xero.refuse_once(customer.number, "Email address must be valid.")
    books.post()
    assert books.contact(customer).state is DocumentState.FAILED

    # When a person redrives the older order
    books.want(replace(customer, digest="older").desired(NOON - MINUTE, "A"))

    assert books.post().applied == 1
    assert books.contact(customer).desired == customer.desired(NOON, "B")


def test_who_a_buyer_is_reaches_xero_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    # Given buyers whose contacts are created, told apart, lost, looked for, waited for, refused and changed
    books = Books(customer=False)
    secrets = ("Canary", "CN1 1NC", "+44 0000", "GB-CANARY-TAX", "canary@")
    raw = {**bought(), "tax": {"taxRegistrations": [{"entityType": "BUYER", "taxRegistrationNumber": secrets[3]}]}}
    customer = books.read(raw)
    books.want(invoiced_to(customer))
    books.xero.refuse_once(customer.number, NAME_TAKEN.replace("Canary Buyer", "…"))
    books.xero.after = [None, lost("createContacts"), lost("createContacts")]
    books.post()
    books.new_sandbox()
    books.later(61)
    books.read(raw)
    books.later(61)
    refused = books.read({**raw, "buyer": {"buyerName": "Canary Two"}})
    books.want(invoiced_to(refused, "B"))
    books.xero.refusals[refused.number] = ("Email address must be valid.",)
    books.post()
    books.later(61)

    in_xero = repr(books.xero.books["Contacts"])
    assert all(secret in in_xero for secret in secrets[:4])
    assert books.dead_letters.reasons == [("B", "XERO_REFUSED")]
    said = "".join(
        map(repr, (books.store.table.written, books.decisions.notes, books.dead_letters, books.of_orders, books.asked))
    )
    for secret in secrets:
        assert secret.lower() not in said.lower()
        assert secret.lower() not in caplog.text.lower()


# --- payments ---------------------------------------------------------------------------------------------------------


def test_a_payment_whose_answer_was_lost_is_found_inside_its_invoice() -> None:
    books = Books(an_invoice(), a_payment())
    books.xero.after = [None, lost("createPayments"), lost("createPayments")]
    books.post()
    books.later(61)

    assert len(books.xero.books["Payments"]) == 1
    assert books.row(kind=DocumentKind.PAYMENT).state is DocumentState.APPLIED
    assert books.row(kind=DocumentKind.PAYMENT).xero_id in books.xero.books["Payments"]


def test_a_payment_that_never_arrived_is_made_after_the_look() -> None:
    books = Books(an_invoice(), a_payment())
    books.xero.before = [None, lost("createPayments"), lost("createPayments")]
    books.post()
    books.later(61)

    assert (len(books.xero.books["Payments"]), books.xero.invoice("A")["AmountDue"]) == (1, 0)


def test_an_invoice_that_somebody_else_paid_is_told_and_not_paid_twice() -> None:
    books = Books(an_invoice())
    books.post()
    books.xero.invoice("A").update(
        AmountDue=D("0"), Payments=[{"PaymentID": "p", "Amount": D("10.00"), "DateString": "2026-11-22"}]
    )
    books.want(a_payment())
    refused = Outcome({}, ("Payment amount exceeds the amount outstanding on this document",))
    books.xero.create = lambda *given: [refused]  # type: ignore[method-assign]

    books.post()

    payment = books.row(kind=DocumentKind.PAYMENT)
    assert (payment.state, payment.reason) == (DocumentState.FAILED, "ALREADY_PAID")
    assert "10.00" in payment.remedy
    assert books.dead_letters.reasons == [("A", "ALREADY_PAID")]


def test_a_payment_in_xero_is_never_changed() -> None:
    books = Books(an_invoice(), a_payment())
    books.post()
    books.want(replace(a_payment(amount="9.00"), version=NOON + MINUTE))

    books.post()

    assert books.row(kind=DocumentKind.PAYMENT).reason == "NOT_CHANGEABLE"
    assert len(books.xero.writes("Payments")) == 1


# --- credit notes and refunds -----------------------------------------------------------------------------------------


def test_what_a_buyer_got_back_is_credited_and_paid_out_of_clearing() -> None:
    books = Books(an_invoice(), a_payment(), a_credit_note(), a_refund())

    assert books.post().applied == 4

    assert [(c.verb, c.collection) for c in books.xero.writes()] == [
        ("create", collection) for collection in ("Invoices", "Payments", "CreditNotes", "Payments")
    ]
    note = books.xero.credit_note("A-A1")
    assert (note["Type"], note["RemainingCredit"]) == ("ACCRECCREDIT", 0)
    assert note["Contact"] == {"ContactID": books.row("AMAZON-UK", DocumentKind.CONTACT).xero_id}
    refund = books.xero.books["Payments"][books.row("A-A1", DocumentKind.CREDIT_NOTE_REFUND).xero_id]
    assert refund["CreditNote"] == {"CreditNoteID": note["CreditNoteID"]}
    assert books.xero.invoice("A")["AmountDue"] == 0


@pytest.mark.parametrize("arrived", [True, False])
def test_a_credit_note_whose_answer_was_lost_stands_once_and_its_refund_waits(arrived: bool) -> None:
    books = Books(a_credit_note(), a_refund())
    lost_answers = [lost("createCreditNotes"), lost("createCreditNotes")]
    books.xero.after, books.xero.before = (lost_answers, []) if arrived else ([], lost_answers)

    books.post()
    assert books.row("A-A1", DocumentKind.CREDIT_NOTE).state is DocumentState.UNKNOWN
    assert books.xero.books["Payments"] == {}
    for _ in range(3):
        books.later(61)

    assert len(books.xero.books["CreditNotes"]) == len(books.xero.books["Payments"]) == 1
    assert books.xero.credit_note("A-A1")["RemainingCredit"] == 0
    assert books.row("A-A1", DocumentKind.CREDIT_NOTE_REFUND).state is DocumentState.APPLIED


@pytest.mark.parametrize("arrived", [True, False])
def test_a_refund_whose_answer_was_lost_is_looked_for_inside_its_credit_note(arrived: bool) -> None:
    books = Books(a_credit_note(), a_refund())
    lost_answers = [None, lost("createPayments"), lost("createPayments")]
    books.xero.after, books.xero.before = (lost_answers, []) if arrived else ([], lost_answers)

    books.post()
    assert books.row("A-A1", DocumentKind.CREDIT_NOTE_REFUND).state is DocumentState.UNKNOWN
    books.later(61)

    (look,) = [call for call in books.xero.calls if call.verb == "find"]
    assert (look.collection, look.elements[0]) == ("CreditNotes", "CreditNoteID")
    assert books.row("A-A1", DocumentKind.CREDIT_NOTE_REFUND).xero_id in books.xero.books["Payments"]
    assert (len(books.xero.books["Payments"]), books.xero.credit_note("A-A1")["RemainingCredit"]) == (1, 0)


def test_payments_and_refunds_whose_answers_were_lost_are_each_looked_for_in_their_own_documents() -> None:
    books = Books(an_invoice(), a_payment(), a_credit_note(), a_refund())
    books.xero.after = [None, lost("createPayments"), lost("createPayments")]
    books.post()
    books.clock.advance(61)
    books.xero.after = [None, lost("createPayments"), lost("createPayments")]
    books.post()
    books.later(61)

    looks = [(call.collection, call.elements[0]) for call in books.xero.calls if call.verb == "find"]
    assert looks == [("Invoices", "InvoiceID"), ("CreditNotes", "CreditNoteID")]
    assert len(books.xero.books["Payments"]) == 2
    assert books.row("A", DocumentKind.PAYMENT).xero_id != books.row("A-A1", DocumentKind.CREDIT_NOTE_REFUND).xero_id


def test_a_credit_that_somebody_else_used_is_told_and_not_paid_out_again() -> None:
    books = Books(a_credit_note())
    books.post()
    books.xero.credit_note("A-A1")["RemainingCredit"] = D("4.00")
    books.want(a_refund())

    books.post()

    refund = books.row("A-A1", DocumentKind.CREDIT_NOTE_REFUND)
    assert (refund.state, refund.reason) == (DocumentState.FAILED, "ALREADY_PAID")
    assert "10.00" in refund.remedy
    assert "4.00" in refund.remedy
    assert books.xero.books["Payments"] == {}
    assert books.dead_letters.reasons == [("A", "ALREADY_PAID")]


def test_a_credit_note_that_stands_under_its_number_is_adopted_and_somebody_else_s_is_not() -> None:
    books = Books(a_credit_note(), a_credit_note("B-A1", invoice="B"))
    of_ours = {"Total": D("10.00"), "RemainingCredit": D("10.00"), "DateString": "2026-11-20T00:00:00"}
    held = books.xero.hold("CreditNotes", {**a_credit_note().body, **of_ours})
    books.xero.hold("CreditNotes", {**a_credit_note("B-A1").body, **of_ours, "Type": "ACCPAYCREDIT"})

    books.post()

    assert books.row("A-A1", DocumentKind.CREDIT_NOTE).xero_id == held["CreditNoteID"]
    assert books.row("B-A1", DocumentKind.CREDIT_NOTE).reason == "NUMBER_TAKEN"
    assert len(books.xero.books["CreditNotes"]) == 2
    assert books.dead_letters.reasons == [("B", "NUMBER_TAKEN")]


def test_a_credit_note_that_should_not_stand_any_more_is_voided() -> None:
    books = Books(a_credit_note())
    books.post()
    books.want(replace(a_credit_note(minutes=1), tombstone=True))

    assert books.post().applied == 1
    assert books.xero.credit_note("A-A1")["Status"] == "VOIDED"


@pytest.mark.parametrize(
    ("money", "remedy"), [(a_payment(), "credit it in Xero by hand"), (a_refund(), "correct it in Xero by hand")]
)
@pytest.mark.parametrize("known", [True, False])
def test_money_that_moved_is_taken_back_by_a_person_only(money: DesiredDocument, remedy: str, known: bool) -> None:
    # Given a payment that is made, and is known or will only be found to be
    books = Books(an_invoice(), a_credit_note())
    books.post()
    books.want(money)
    books.xero.after = [] if known else [lost("createPayments"), lost("createPayments")]
    books.post()

    books.want(replace(money, version=NOON + MINUTE, tombstone=True))
    books.later(61)

    row = books.row(money.number, money.kind)
    assert (row.state, row.reason) == (DocumentState.FAILED, "HAS_PAYMENTS")
    assert remedy in row.remedy
    assert len(books.xero.books["Payments"]) == 1


def test_a_reference_that_gained_tracking_numbers_is_still_ours() -> None:
    tracked = an_invoice()
    tracked = replace(tracked, body={**tracked.body, "Reference": "Amazon.co.uk A · 1Z999 1Z998"})
    books = Books(tracked)
    held = books.xero.hold("Invoices", by_hand())

    books.post()

    assert (books.row().state, books.row().xero_id) == (DocumentState.APPLIED, held["InvoiceID"])
    assert books.xero.invoice("A")["Reference"] == "Amazon.co.uk A · 1Z999 1Z998"
    assert [call.verb for call in books.xero.calls] == ["create", "find", "update"]


# --- whose work it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "refused", "whose"),
    [
        (an_invoice(status="DRAFT"), "A", "orders"),
        (an_invoice(), "A", "shipments"),
        (a_credit_note(), "A-A1", "shipments"),
    ],
)
def test_a_failure_is_told_in_the_queue_of_the_function_whose_work_it_is(
    wanted: DesiredDocument, refused: str, whose: str
) -> None:
    books = Books(wanted)
    books.xero.refusals[refused] = ("The document date cannot be before the period lock date",)

    books.post()

    said = {"orders": books.of_orders.reasons, "shipments": books.dead_letters.reasons}
    assert said == {"orders": [], "shipments": [], whose: [("A", "PERIOD_LOCKED")]}


def test_a_payment_asked_for_by_a_frozen_worker_goes_with_the_invoice_that_was_taken_back() -> None:
    books = Books(replace(an_invoice(), tombstone=True), a_payment())

    books.post()
    books.later(61)

    assert (books.row("A", DocumentKind.PAYMENT).state, books.row("A", DocumentKind.PAYMENT).next_attempt_at) == (
        DocumentState.APPLIED,
        None,
    )
    assert books.xero.writes("Payments") == []


def test_nobody_is_asked_about_the_refusal_of_what_another_worker_has_applied_since() -> None:
    books = Books(an_invoice())
    books.xero.refusals["A"] = ("The document date cannot be before the period lock date",)

    def another_worker_posts_it() -> None:
        row = books.row()
        body = row.desired.body
        stands = books.xero.hold("Invoices", {**body, "Total": row.desired.total, "DateString": body["Date"]})
        applied = row.applied(stands["InvoiceID"], "AUTHORISED", row.desired.digest, NOON)
        books.store.save([applied])

    books.xero.during = another_worker_posts_it
    books.post()

    assert (books.of_orders.reasons, books.dead_letters.reasons) == ([], [])


def test_a_draft_that_cannot_be_deleted_is_a_shipments_failure() -> None:
    books = Books(an_invoice(status="DRAFT"))
    books.post()
    books.want(replace(an_invoice(status="DRAFT", minutes=1), tombstone=True))
    books.xero.refusals[books.row().xero_id] = ("Invoice not of valid status for modification",)

    books.post()

    assert (books.of_orders.reasons, books.dead_letters.reasons) == ([], [("A", "NOT_MODIFIABLE")])


# --- what should go ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "gone"), [("DRAFT", "DELETED"), ("AUTHORISED", "VOIDED")])
def test_what_should_not_stand_any_more_is_deleted_as_a_draft_and_voided_once_approved(status: str, gone: str) -> None:
    books = Books(an_invoice(status=status))
    books.post()
    books.want(replace(an_invoice(status=status, minutes=1), tombstone=True))

    books.post()

    (_, removal) = books.xero.writes()
    assert removal.elements == ({"InvoiceID": books.row().xero_id, "Status": gone},)
    assert books.row().state is DocumentState.APPLIED


def test_what_never_came_to_xero_needs_no_call_to_go() -> None:
    books = Books(an_invoice())
    books.want(replace(an_invoice(minutes=1), tombstone=True))

    assert books.post().applied == 1
    assert books.xero.calls == []


def test_what_somebody_removed_in_xero_already_is_gone() -> None:
    books = Books(an_invoice())
    books.xero.after = [lost(), lost()]
    books.post()
    books.xero.invoice("A")["Status"] = "VOIDED"
    books.want(replace(an_invoice(minutes=1), tombstone=True))

    books.later(61)

    assert (books.row().state, len(books.xero.writes())) == (DocumentState.APPLIED, 2)


# --- somebody else at the same row ------------------------------------------------------------------------------------


def test_what_is_wanted_anew_while_a_call_is_under_way_is_posted_after_it() -> None:
    books = Books(an_invoice(price="10.00"))
    books.xero.during = lambda: books.want(an_invoice(price="12.00", minutes=1))

    books.post()
    books.later(1)

    assert [(c.verb, c.elements[0]["LineItems"][0]["UnitAmount"]) for c in books.xero.writes()] == [
        ("create", D("10.00")),
        ("update", D("12.00")),
    ]
    assert (books.row().state, books.xero.invoice("A")["Total"]) == (DocumentState.APPLIED, D("12.00"))


def test_a_document_that_another_worker_claimed_first_is_left_to_it() -> None:
    books = Books(an_invoice("A"), an_invoice("B"))

    def the_other_claims_a() -> None:
        books.store.save([books.row("A").claimed(books.clock.now())])

    books.store.meanwhile(the_other_claims_a)

    assert books.post().applied == 1
    (call,) = books.xero.writes()
    assert [element["InvoiceNumber"] for element in call.elements] == ["B"]


def test_a_worker_overtaken_during_its_call_has_xero_looked_at_again() -> None:
    # Given a worker frozen in its call for so long that another one took the document over and found nothing yet
    books = Books(an_invoice())

    def the_other_finds_nothing() -> None:
        books.clock.advance(CLAIM_DURATION.total_seconds())
        books.store.save([books.row().found_absent(books.clock.now())])

    books.xero.during = the_other_finds_nothing
    books.post()

    assert (books.row().state, books.row().reason) == (DocumentState.UNKNOWN, "CHANGED_MEANWHILE")
    books.later(1)
    assert (books.row().state, books.numbers()) == (DocumentState.APPLIED, ["A"])
    assert books.xero.calls[-1].verb == "find"


# --- keys -------------------------------------------------------------------------------------------------------------


def test_every_attempt_has_its_own_key_and_every_batch_too() -> None:
    books = Books(*(an_invoice(f"A{n:02}") for n in range(60)))
    books.xero.before = [None, XeroRateLimited("createInvoices", "minute", timedelta(seconds=5))]
    books.post()
    books.later(61)

    keys = [call.key for call in books.xero.writes()]
    assert len(keys) == len(set(keys)) == 3
    assert {len(key) <= 128 for key in keys} == {True}


def test_two_connections_never_share_a_key() -> None:
    keys = []
    for connection in ("main", "other"):
        books = Books(an_invoice())
        books.poster._connection = connection
        books.post()
        keys += [call.key for call in books.xero.writes()]

    assert len(set(keys)) == 2


def test_the_dead_letter_goes_out_before_the_document_counts_as_failed() -> None:
    books = Books(an_invoice())
    books.xero.refusals["A"] = ("Invoice not of valid status for modification",)
    books.dead_letters.broken = True

    with pytest.raises(ConnectionError):
        books.post()

    assert books.row().state is DocumentState.IN_FLIGHT
    books.dead_letters.broken = False
    books.later(CLAIM_DURATION.total_seconds())
    assert books.dead_letters.reasons == [("A", "NOT_MODIFIABLE")]
