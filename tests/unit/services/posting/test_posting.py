"""Documents are created, updated and removed in Xero once; what Xero refuses fails alone, with a dead letter."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.books.document import CLAIM_DURATION, DesiredDocument, DocumentState
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.ports.xero import XeroError, XeroNotAuthorised, XeroRateLimited, XeroUnavailable
from amazon_to_xero.services.work_report import PostReport
from fakes.vendors import lost
from unit.desired_documents import CONTACT, desired_credit_note, desired_invoice, desired_payment, removed
from unit.services.posting.posting_connection import PostingConnection

D = Decimal
PERIOD_IS_LOCKED = "The document date cannot be before the period lock date"
NOT_OF_VALID_STATUS = "Invoice not of valid status for modification"


def test_contact_is_created_before_the_invoice_that_references_it() -> None:
    connection = PostingConnection(CONTACT, desired_invoice(), contact_exists=False)

    report = connection.post()

    writes = [(call.verb, call.collection) for call in connection.xero.writes()]
    assert writes == [("create", "Contacts"), ("create", "Invoices")]
    assert connection.xero.invoice("A")["Contact"] == {"ContactID": connection.contact().xero_id}
    assert (report, connection.invoice().state) == (PostReport(applied=2), DocumentState.APPLIED)
    assert connection.invoice().xero_id == connection.xero.invoice("A")["InvoiceID"]


def test_existing_document_is_updated_by_its_xero_id() -> None:
    connection = PostingConnection(desired_invoice())
    connection.post()
    created = connection.invoice()
    connection.request(desired_invoice(price="12.00", minutes=1))

    connection.post()

    (_, update) = connection.xero.writes()
    assert (update.verb, update.elements[0]["InvoiceID"]) == ("update", created.xero_id)
    assert connection.xero.invoice("A")["Total"] == D("12.00")
    assert connection.invoice_numbers() == ["A"]


def test_posting_applied_documents_again_makes_no_call() -> None:
    connection = PostingConnection(desired_invoice(), desired_invoice("B"))
    connection.post()
    calls = len(connection.xero.calls)

    assert connection.post("invoice#A", "invoice#B") == PostReport()
    assert connection.post_after(3600) == PostReport()
    assert len(connection.xero.calls) == calls


def test_named_document_is_posted_before_the_index_catches_up() -> None:
    connection = PostingConnection(desired_invoice(), lag=timedelta(minutes=5))

    assert connection.post().applied == 0
    assert connection.post("invoice#A").applied == 1


def test_no_call_starts_after_the_deadline() -> None:
    connection = PostingConnection(desired_invoice())

    assert connection.post(deadline=connection.clock.now()) == PostReport(stopped="OUT_OF_TIME")
    assert connection.xero.calls == []


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_refused_document_fails_with_a_dead_letter_and_the_others_are_posted() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(5)))
    connection.xero.refusals["A2"] = ("Account code '999' is not a valid code for this document.",)

    assert connection.post() == PostReport(applied=4, failed=1)

    assert connection.invoice_numbers() == ["A0", "A1", "A3", "A4"]
    failed = connection.invoice("A2")
    assert (failed.state, failed.next_attempt_at, failed.reason) == (DocumentState.FAILED, None, "ACCOUNT_UNKNOWN")
    (letter,) = connection.dead_letters[SHIPMENTS].letters
    assert (letter.order_id, letter.reason, letter.remedy) == ("A2", "ACCOUNT_UNKNOWN", failed.remedy)
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "source": "order#A2"}}


def test_failed_document_is_retried_only_when_its_source_requests_it_again() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.refusals["A"] = (PERIOD_IS_LOCKED,)
    connection.post()
    connection.post_after(24 * 3600)
    assert len(connection.xero.writes()) == 1

    connection.xero.refusals.clear()
    connection.request(desired_invoice())
    assert connection.post().applied == 1
    assert len(connection.failures()) == 1


def test_document_whose_total_differs_in_xero_fails_with_both_totals() -> None:
    connection = PostingConnection(desired_invoice(price="10.00"))
    connection.xero.totals["A"] = D("10.01")

    assert connection.post() == PostReport(failed=1)

    assert connection.invoice().reason == "XERO_TOTAL_DIFFERS"
    assert "10.00" in connection.invoice().remedy
    assert "10.01" in connection.invoice().remedy
    assert connection.invoice().exists_in_xero


def test_total_is_compared_again_when_the_document_is_requested_again() -> None:
    connection = PostingConnection(desired_invoice(price="10.00"))
    connection.xero.totals["A"] = D("10.01")
    connection.post()

    connection.request(desired_invoice(price="10.00"))
    connection.post()
    assert connection.invoice().state is DocumentState.FAILED

    connection.xero.totals.clear()
    connection.request(desired_invoice(price="10.00"))
    connection.post()
    assert connection.invoice().state is DocumentState.APPLIED


def test_dead_letter_that_cannot_be_sent_is_sent_later_and_holds_back_no_other_document() -> None:
    # Given 50 documents of which Xero refuses one, and a dead-letter queue to which the function may not send
    numbers = [f"A{n}" for n in range(50)]
    connection = PostingConnection(*(desired_invoice(number) for number in numbers))
    connection.xero.refusals["A17"] = (NOT_OF_VALID_STATUS,)
    connection.dead_letters[SHIPMENTS].broken = True

    report = connection.post()

    # Then the outcomes of the 49 are saved, and the one is neither failed nor forgotten
    assert (report.applied, report.failed) == (49, 0)
    assert [number for number in numbers if connection.invoice(number).state is not DocumentState.APPLIED] == ["A17"]
    assert connection.invoice("A17").state is DocumentState.IN_FLIGHT
    (line,) = connection.decisions.of("DEAD_LETTER_NOT_SENT")
    assert (line["reason"], line["queue"], line["problem"]) == ("NOT_MODIFIABLE", SHIPMENTS, "AccessDenied")
    assert connection.decisions.of("FAILED") == []

    connection.dead_letters[SHIPMENTS].broken = False
    connection.post_after(60)

    assert connection.failures() == [("A17", "NOT_MODIFIABLE")]
    assert connection.invoice("A17").state is DocumentState.FAILED
    assert connection.invoice_numbers() == sorted(number for number in numbers if number != "A17")


@pytest.mark.parametrize(
    ("desired", "capability"),
    [
        (desired_invoice(status="DRAFT"), ORDERS),
        (desired_invoice(), SHIPMENTS),
        (desired_credit_note(), SHIPMENTS),
    ],
)
def test_dead_letter_goes_to_the_queue_of_the_capability_that_requested_the_document(
    desired: DesiredDocument, capability: str
) -> None:
    connection = PostingConnection(desired)
    connection.xero.refusals[desired.number] = (PERIOD_IS_LOCKED,)

    connection.post()

    dead_letters = {name: connection.failures(name) for name in (ORDERS, SHIPMENTS)}
    assert dead_letters == {ORDERS: [], SHIPMENTS: [], capability: [("A", "PERIOD_LOCKED")]}


# --- removals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "removed_status"), [("DRAFT", "DELETED"), ("AUTHORISED", "VOIDED")])
def test_draft_is_deleted_and_approved_document_is_voided(status: str, removed_status: str) -> None:
    connection = PostingConnection(desired_invoice(status=status))
    connection.post()
    connection.request(removed(desired_invoice(status=status)))

    connection.post()

    (_, removal) = connection.xero.writes()
    assert removal.elements == ({"InvoiceID": connection.invoice().xero_id, "Status": removed_status},)
    assert connection.invoice().state is DocumentState.APPLIED


def test_document_that_was_never_created_is_removed_without_a_call() -> None:
    connection = PostingConnection(desired_invoice())
    connection.request(removed(desired_invoice()))

    assert connection.post().applied == 1
    assert connection.xero.calls == []


def test_document_that_was_voided_in_xero_already_needs_no_removal() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.after = [lost(), lost()]
    connection.post()
    connection.xero.invoice("A")["Status"] = "VOIDED"
    connection.request(removed(desired_invoice()))

    connection.post_after(61)

    assert (connection.invoice().state, len(connection.xero.writes())) == (DocumentState.APPLIED, 2)


def test_refused_removal_of_a_draft_fails_in_the_queue_of_the_capability_that_requested_the_removal() -> None:
    connection = PostingConnection(desired_invoice(status="DRAFT"))
    connection.post()
    connection.request(removed(desired_invoice(status="DRAFT")))
    connection.xero.refusals[connection.invoice().xero_id] = (NOT_OF_VALID_STATUS,)

    connection.post()

    assert (connection.failures(ORDERS), connection.failures(SHIPMENTS)) == ([], [("A", "NOT_MODIFIABLE")])


# --- limits and outages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason", "retry_after"),
    [
        (XeroRateLimited("createInvoices", "minute", timedelta(seconds=23)), "XERO_MINUTE_LIMIT", 23),
        (XeroRateLimited("createInvoices", "day", timedelta(hours=3)), "XERO_DAY_LIMIT", 3 * 3600),
        (XeroNotAuthorised("createInvoices", 403, "AuthenticationUnsuccessful"), "XERO_NOT_AUTHORISED", 900),
        (XeroUnavailable("createInvoices", None, "no connection"), "XERO_UNAVAILABLE", 60),
    ],
)
def test_call_that_was_not_executed_defers_its_documents_and_pauses_xero(
    fault: XeroError, reason: str, retry_after: int
) -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n:03}") for n in range(60)))
    # An authorisation that is refused is tried with another collection: it may be only this one.
    calls = 2 if isinstance(fault, XeroNotAuthorised) else 1
    connection.xero.before = [*[fault] * calls]

    assert connection.post().stopped == reason
    assert len(connection.xero.calls) == calls
    assert (connection.invoice("A000").state, connection.invoice("A000").reason) == (DocumentState.DEFERRED, reason)
    assert connection.post_after(retry_after - 1).applied == 0
    assert len(connection.xero.calls) == calls

    assert connection.post_after(1).applied == 60
    assert len(connection.invoice_numbers()) == 60
    assert connection.failures() == []


def test_used_up_share_of_payments_defers_payments_and_lets_invoices_continue() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment())
    connection.xero.before = [None, XeroRateLimited("createPayments", "share", timedelta(hours=2))]

    assert connection.post().stopped == "XERO_SHARE_LIMIT"
    connection.request(desired_invoice("B"), desired_payment("B"))
    connection.post_after(60)

    assert connection.invoice_numbers() == ["A", "B"]
    assert connection.xero.books["Payments"] == {}
    connection.post_after(2 * 3600)
    assert len(connection.xero.books["Payments"]) == 2


# --- other workers ----------------------------------------------------------------------------------------------------


def test_document_that_is_requested_anew_during_its_call_is_posted_again_after_it() -> None:
    connection = PostingConnection(desired_invoice(price="10.00"))
    connection.xero.during = lambda: connection.request(desired_invoice(price="12.00", minutes=1))

    connection.post()
    connection.post_after(1)

    writes = [(call.verb, call.elements[0]["LineItems"][0]["UnitAmount"]) for call in connection.xero.writes()]
    assert writes == [("create", D("10.00")), ("update", D("12.00"))]
    assert (connection.invoice().state, connection.xero.invoice("A")["Total"]) == (DocumentState.APPLIED, D("12.00"))


def test_document_that_another_worker_claims_first_is_not_written() -> None:
    connection = PostingConnection(desired_invoice("A"), desired_invoice("B"))

    def claim_a() -> None:
        connection.store.save([connection.invoice("A").claimed(connection.clock.now())])

    connection.store.meanwhile(claim_a)

    assert connection.post().applied == 1
    (call,) = connection.xero.writes()
    assert [element["InvoiceNumber"] for element in call.elements] == ["B"]


def test_no_call_is_made_when_another_worker_claims_every_document_first() -> None:
    connection = PostingConnection(desired_invoice())
    connection.store.meanwhile(lambda: connection.store.save([connection.invoice().claimed(connection.clock.now())]))

    assert connection.post() == PostReport()
    assert connection.xero.calls == []


def test_outcome_is_looked_up_when_another_worker_took_the_document_over_during_the_call() -> None:
    # Given a worker that was frozen in its call until another one looked the document up and did not find it yet
    connection = PostingConnection(desired_invoice())

    def find_it_absent() -> None:
        connection.clock.advance(CLAIM_DURATION.total_seconds())
        connection.store.save([connection.invoice().found_absent(connection.clock.now())])

    connection.xero.during = find_it_absent
    connection.post()

    assert (connection.invoice().state, connection.invoice().reason) == (DocumentState.UNKNOWN, "CHANGED_MEANWHILE")
    connection.post_after(1)
    assert (connection.invoice().state, connection.invoice_numbers()) == (DocumentState.APPLIED, ["A"])
    assert connection.verbs()[-1] == "find"


def test_refusal_of_a_document_that_another_worker_has_applied_since_is_not_dead_lettered() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.refusals["A"] = (PERIOD_IS_LOCKED,)

    def apply_it() -> None:
        held = connection.invoice()
        body = held.desired.body
        element = {**body, "Total": held.desired.total, "DateString": body["Date"]}
        created = connection.xero.hold("Invoices", element)
        applied = held.applied(created["InvoiceID"], "AUTHORISED", held.desired.digest, connection.clock.now())
        connection.store.save([applied])

    connection.xero.during = apply_it
    connection.post()

    assert (connection.failures(ORDERS), connection.failures(SHIPMENTS)) == ([], [])


# --- references -------------------------------------------------------------------------------------------------------


def test_contact_that_xero_always_calls_archived_fails_each_invoice_that_references_it_with_its_code() -> None:
    connection = PostingConnection(CONTACT, desired_invoice("A"), desired_invoice("B"), contact_exists=False)
    connection.xero.refusals["AMAZON-UK"] = ("The specified contact details matched an archived contact.",)

    connection.post()
    connection.post_after(61)

    assert [connection.invoice(number).reason for number in "AB"] == ["CONTACT_ARCHIVED"] * 2
    assert sorted(connection.failures()) == [("A", "CONTACT_ARCHIVED"), ("B", "CONTACT_ARCHIVED")]
    assert "restore it" in connection.invoice().remedy
    assert connection.xero.writes("Invoices") == []
    assert len(connection.xero.calls) < 8


def test_documents_of_one_archived_contact_cost_one_look_up_of_it() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n}") for n in range(60)))
    held = connection.contact().xero_id
    connection.xero.books["Contacts"][held]["ContactStatus"] = "ARCHIVED"
    archived = "The contact with the specified contact details has been archived."
    connection.xero.refusals |= {f"A{n}": (archived,) for n in range(60)}

    connection.post()
    connection.xero.refusals.clear()
    connection.post_after(61)

    assert connection.verbs() == ["create"] * 2 + ["find", "create"] + ["create"] * 2
    assert len(connection.invoice_numbers()) == 60
    assert connection.contact().xero_id != held
    assert connection.failures() == []


def test_invoice_waits_until_the_outcome_of_its_contact_is_known() -> None:
    connection = PostingConnection(CONTACT, desired_invoice(), contact_exists=False)
    connection.xero.after = [lost("createContacts"), lost("createContacts")]

    connection.post()
    assert connection.xero.writes("Invoices") == []
    connection.post_after(61)
    connection.post_after(61)

    assert (connection.invoice().state, connection.invoice_numbers()) == (DocumentState.APPLIED, ["A"])
    assert len(connection.xero.books["Contacts"]) == 1


def test_invoice_waits_for_a_contact_that_is_not_requested_yet() -> None:
    connection = PostingConnection(desired_invoice(), contact_exists=False)

    connection.post()
    assert (connection.invoice().state, connection.invoice().reason) == (
        DocumentState.DEFERRED,
        "WAITING_FOR_REFERENCE",
    )
    connection.request(CONTACT)
    connection.post_after(60)

    assert connection.invoice().state is DocumentState.APPLIED


def test_removal_does_not_wait_for_a_reference() -> None:
    connection = PostingConnection(desired_credit_note())
    connection.post()
    del connection.store.table.rows[f"DOCUMENT#{CONTACT.key}"]
    connection.request(removed(desired_credit_note()))

    assert connection.post().applied == 1
    assert connection.xero.credit_note("A-A1")["Status"] == "VOIDED"


def test_payment_waits_for_its_invoice_and_is_created_once() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment())
    connection.xero.before = [XeroRateLimited("createInvoices", "minute", timedelta(seconds=20))]
    connection.post()
    assert connection.xero.books["Payments"] == {}

    for _ in range(4):
        connection.post_after(61)

    (payment,) = connection.xero.books["Payments"].values()
    assert payment["Invoice"] == {"InvoiceID": connection.invoice().xero_id}
    assert connection.xero.invoice("A")["AmountDue"] == 0
    assert len(connection.xero.writes("Payments")) == 1


def test_payment_waits_until_its_draft_invoice_is_approved() -> None:
    connection = PostingConnection(desired_invoice(status="DRAFT"))
    connection.post()
    connection.request(desired_invoice(minutes=1), desired_payment())
    connection.xero.refusals["A"] = (PERIOD_IS_LOCKED,)

    connection.post()
    assert connection.xero.writes("Payments") == []

    connection.xero.refusals.clear()
    connection.request(desired_invoice(minutes=1), desired_payment())
    connection.post_after(61)
    assert len(connection.xero.writes("Payments")) == 1


def test_payment_of_a_failed_invoice_fails_without_a_dead_letter_of_its_own() -> None:
    connection = PostingConnection(desired_invoice(), desired_payment())
    connection.xero.refusals["A"] = (PERIOD_IS_LOCKED,)

    connection.post()

    assert (connection.payment().state, connection.payment().reason) == (DocumentState.FAILED, "REFERENCE_FAILED")
    assert connection.failures() == [("A", "PERIOD_LOCKED")]


def test_payment_of_an_invoice_that_was_removed_is_withdrawn() -> None:
    # Given the payment that a worker requests after another one has requested the removal of its invoice
    connection = PostingConnection(replace(desired_invoice(), tombstone=True), desired_payment())

    connection.post()
    connection.post_after(61)

    assert (connection.payment().state, connection.payment().next_attempt_at) == (DocumentState.APPLIED, None)
    assert connection.xero.writes("Payments") == []


def test_document_that_is_requested_again_while_its_removal_is_stored_is_created() -> None:
    connection = PostingConnection(replace(desired_invoice(), tombstone=True))
    connection.store.meanwhile(lambda: connection.request(desired_invoice(minutes=1)))

    connection.post()
    connection.post_after(1)

    assert (connection.invoice().state, connection.xero.invoice("A")["Total"]) == (DocumentState.APPLIED, D("10.00"))


def test_payment_that_is_requested_again_while_it_is_withdrawn_is_made() -> None:
    connection = PostingConnection(replace(desired_invoice(), tombstone=True), desired_payment())
    again = desired_invoice(minutes=1), desired_payment(minutes=1)
    connection.store.meanwhile(lambda: None, lambda: connection.request(*again))

    connection.post()
    connection.post_after(61)

    assert connection.payment().exists_in_xero
    assert connection.xero.invoice("A")["AmountDue"] == 0
