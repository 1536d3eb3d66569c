"""A document whose outcome is unknown is looked up in Xero before it is written again, and is never created twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.books.document import CLAIM_DURATION, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroError, XeroNotAuthorised, XeroRateLimited, XeroRefused, XeroUnavailable
from amazon_to_xero.services.work_report import PostReport
from fakes.vendors import lost
from unit.desired_documents import CONTACT, desired_invoice, invoice_in_xero, removed
from unit.services.interruptions import Killed
from unit.services.posting.posting_connection import PostingConnection

D = Decimal


# --- lost answers -----------------------------------------------------------------------------------------------------


def test_call_whose_answer_was_lost_is_repeated_with_the_same_key() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.after = [lost()]

    assert connection.post().applied == 1

    first, second = connection.xero.writes()
    assert (first.key, first.elements) == (second.key, second.elements)
    assert connection.invoice_numbers() == ["A"]


def test_document_is_looked_up_after_two_lost_answers() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.after = [lost(), lost()]

    assert connection.post().stopped == "OUTCOME_UNKNOWN"
    assert connection.invoice().state is DocumentState.UNKNOWN
    connection.post_after(61)

    assert connection.verbs() == ["create", "create", "find"]
    created = connection.xero.invoice("A")
    assert (connection.invoice().state, connection.invoice().xero_id) == (DocumentState.APPLIED, created["InvoiceID"])
    assert connection.invoice_numbers() == ["A"]


def test_invoice_that_moves_to_another_contact_while_it_is_looked_up_is_moved() -> None:
    other = replace(CONTACT, number="OTHER", body={"Name": "Rossi Ltd", "ContactNumber": "OTHER"})
    connection = PostingConnection(other)
    connection.post()
    connection.request(desired_invoice())
    connection.xero.after = [lost(), lost()]
    connection.post()
    connection.store.meanwhile(lambda: connection.request(desired_invoice(contact_number="OTHER", minutes=1)))

    connection.post_after(61)

    contact = connection.document("OTHER", DocumentKind.CONTACT)
    assert connection.invoice().state is DocumentState.APPLIED
    assert connection.xero.invoice("A")["Contact"]["ContactID"] == contact.xero_id


def test_document_that_never_arrived_is_created_under_a_new_key_after_the_look_up() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.before = [lost(), lost()]

    connection.post()
    connection.post_after(61)

    assert connection.verbs() == ["create", "create", "find", "create"]
    keys = [call.key for call in connection.xero.writes()]
    assert keys[0] == keys[1] != keys[2]
    assert connection.invoice_numbers() == ["A"]


@pytest.mark.parametrize(
    "second",
    [
        XeroRateLimited("createInvoices", "minute", timedelta(seconds=10)),
        XeroUnavailable("createInvoices", None, "no connection"),
        XeroNotAuthorised("createInvoices", 401, "no token"),
        XeroRefused("createInvoices", 400, "no"),
    ],
)
def test_outcome_stays_unknown_when_the_repeated_call_is_not_executed(second: XeroError) -> None:
    # Given an invoice that was created, whose answer was lost, and whose order was cancelled right after
    connection = PostingConnection(desired_invoice(status="DRAFT"))
    connection.xero.after = [lost()]
    connection.xero.before = [None, second]
    connection.post()
    connection.request(removed(desired_invoice(status="DRAFT")))

    for _ in range(3):
        connection.post_after(901)

    # Then it is removed: the second call says nothing about the first
    assert connection.xero.invoice("A")["Status"] == "DELETED"


def test_document_found_with_other_content_is_updated() -> None:
    connection = PostingConnection(desired_invoice(price="10.00"))
    connection.xero.after = [lost(), lost()]
    connection.post()
    connection.request(desired_invoice(price="12.00", minutes=1))

    connection.post_after(61)

    assert connection.verbs() == ["create", "create", "find", "update"]
    assert connection.xero.invoice("A")["Total"] == D("12.00")
    assert (connection.invoice_numbers(), connection.invoice().state) == (["A"], DocumentState.APPLIED)


def test_documents_that_a_killed_worker_left_in_flight_are_looked_up_once_its_claim_expires() -> None:
    # Given a worker that was killed after Xero created the invoice and before its row was saved
    connection = PostingConnection(desired_invoice())

    connection.xero.after = [Killed()]  # type: ignore[list-item]  # the fake raises whatever it is given
    with pytest.raises(Killed):
        connection.post()
    assert connection.invoice().state is DocumentState.IN_FLIGHT

    assert connection.post_after(CLAIM_DURATION.total_seconds() - 1) == PostReport()
    connection.post_after(1)

    assert connection.verbs() == ["create", "find"]
    assert (connection.invoice_numbers(), connection.invoice().state) == (["A"], DocumentState.APPLIED)


def test_look_up_in_an_outage_leaves_the_outcome_unknown() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.after = [lost(), lost()]
    connection.post()
    connection.xero.before = [XeroUnavailable("getInvoices", 503, "HTTP 503")] * 2

    assert connection.post_after(61).stopped == "XERO_UNAVAILABLE"
    assert connection.invoice().state is DocumentState.UNKNOWN
    connection.post_after(61)

    assert (connection.invoice().state, connection.invoice_numbers()) == (DocumentState.APPLIED, ["A"])


def test_nothing_is_written_in_a_run_that_meets_an_outage() -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.after = [lost(), lost()]
    connection.post()
    connection.clock.advance(61)
    connection.request(desired_invoice("B"))
    connection.xero.before = [XeroUnavailable("getInvoices", 503, "HTTP 503")] * 2

    assert connection.post().stopped == "XERO_UNAVAILABLE"
    assert connection.verbs() == ["create", "create", "find", "find"]


def test_at_most_forty_numbers_are_looked_up_in_one_call() -> None:
    connection = PostingConnection(*(desired_invoice(f"A{n:02}") for n in range(50)))
    connection.xero.after = [lost(), lost()]
    connection.post()
    connection.post_after(61)

    assert [len(call.elements) - 1 for call in connection.xero.calls if call.verb == "find"] == [40, 10]
    assert len(connection.invoice_numbers()) == 50


# --- numbers and names that are taken ---------------------------------------------------------------------------------


def test_document_that_already_exists_under_our_number_is_adopted() -> None:
    connection = PostingConnection(desired_invoice())
    held = connection.xero.hold("Invoices", invoice_in_xero())

    assert connection.post().applied == 1
    assert (connection.invoice().xero_id, connection.invoice_numbers()) == (held["InvoiceID"], ["A"])
    assert connection.verbs() == ["create", "find"]


def test_adopted_document_gains_the_tracking_numbers_of_its_reference() -> None:
    tracked = desired_invoice()
    tracked = replace(tracked, body={**tracked.body, "Reference": "Amazon.co.uk A · 1Z999 1Z998"})
    connection = PostingConnection(tracked)
    held = connection.xero.hold("Invoices", invoice_in_xero())

    connection.post()

    assert (connection.invoice().state, connection.invoice().xero_id) == (DocumentState.APPLIED, held["InvoiceID"])
    assert connection.xero.invoice("A")["Reference"] == "Amazon.co.uk A · 1Z999 1Z998"
    assert connection.verbs() == ["create", "find", "update"]


@pytest.mark.parametrize(
    ("held", "reason", "remedy"),
    [
        (
            invoice_in_xero("VOIDED"),
            "VOIDED_IN_XERO",
            "Reprocess the order to have it entered again with -R1 after the number",
        ),
        (invoice_in_xero(Reference="Rent"), "NUMBER_TAKEN", "Rename that one"),
    ],
)
def test_number_of_a_voided_or_foreign_document_fails_the_document(held: Json, reason: str, remedy: str) -> None:
    connection = PostingConnection(desired_invoice())
    connection.xero.hold("Invoices", held)

    connection.post()

    assert (connection.invoice().state, connection.invoice().reason) == (DocumentState.FAILED, reason)
    assert remedy in connection.invoice().remedy
    assert connection.failures() == [("A", reason)]
    assert len(connection.xero.writes()) == 1


def test_persons_remark_on_one_invoice_keeps_no_other_from_being_posted() -> None:
    # Given an invoice that exists in Xero with a line that has only a description, and a second one
    connection = PostingConnection(desired_invoice(), desired_invoice("B"))
    remark = {"LineItemID": "l2", "Description": "agreed by phone"}
    lines = [*desired_invoice().body["LineItems"], remark]
    held = connection.xero.hold("Invoices", invoice_in_xero(LineItems=lines))

    connection.post()
    connection.request(desired_invoice("C"))
    connection.post_after(61)

    assert connection.failures() == [("A", "NOT_MODIFIABLE")]
    assert connection.xero.books["Invoices"][held["InvoiceID"]]["LineItems"] == lines
    assert {connection.invoice(number).state for number in "BC"} == {DocumentState.APPLIED}
    # When the remark is removed and the order reprocessed, the invoice is adopted
    held["LineItems"].pop()
    connection.request(desired_invoice(minutes=1))
    connection.post_after(61)
    assert (connection.invoice().state, connection.invoice().xero_id) == (DocumentState.APPLIED, held["InvoiceID"])


@pytest.mark.parametrize(
    "name", ["Amazon.co.uk customers", "AMAZON.CO.UK Customers", " Amazon.co.uk customers ", "amazon.co.uk  customers"]
)
def test_marketplace_contact_whose_name_is_taken_adopts_the_contact_of_that_name(name: str) -> None:
    connection = PostingConnection(CONTACT, desired_invoice(), contact_exists=False)
    named_alike = {"Name": name, "ContactNumber": "", "ContactStatus": "ACTIVE"}
    held = connection.xero.hold("Contacts", named_alike)
    connection.xero.refusals["AMAZON-UK"] = ("The contact name X is already assigned to another contact.",)
    connection.post()
    connection.post_after(1)

    assert connection.contact().xero_id == held["ContactID"]
    assert len(connection.xero.books["Contacts"]) == 1
    assert connection.xero.writes("Contacts")[1].elements[0]["ContactID"] == held["ContactID"]
    connection.post_after(61)
    assert connection.xero.invoice("A")["Contact"] == {"ContactID": held["ContactID"]}


def test_of_contacts_of_one_name_the_active_one_is_adopted() -> None:
    connection = PostingConnection(CONTACT, contact_exists=False)
    held = connection.xero.hold("Contacts", {"Name": "amazon.co.uk CUSTOMERS", "ContactStatus": "ACTIVE"})
    connection.xero.hold("Contacts", {"Name": "Amazon.co.uk customers", "ContactStatus": "ARCHIVED"})
    connection.xero.refuse_once("AMAZON-UK", "The contact name X is already assigned to another contact.")

    connection.post()
    connection.post_after(1)

    assert (connection.contact().state, connection.contact().xero_id) == (DocumentState.APPLIED, held["ContactID"])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ContactNumber": "CRM-7", "ContactStatus": "ACTIVE"}, "CONTACT_NAME_TAKEN"),
        ({"ContactNumber": "", "ContactStatus": "ARCHIVED"}, "CONTACT_NAME_TAKEN"),
    ],
)
def test_contact_of_that_name_in_another_case_is_not_adopted_where_it_is_not_free(
    changed: dict[str, str], reason: str
) -> None:
    connection = PostingConnection(CONTACT, desired_invoice(), contact_exists=False)
    held = connection.xero.hold("Contacts", {"Name": "AMAZON.CO.UK  Customers", **changed})
    connection.xero.refusals["AMAZON-UK"] = ("The contact name X is already assigned to another contact.",)

    connection.post()
    connection.post_after(61)

    assert connection.failures() == [("A", reason)]
    assert connection.xero.books["Contacts"] == {held["ContactID"]: held}


def test_marketplace_contact_whose_number_an_archived_contact_has_gets_another_number() -> None:
    connection = PostingConnection(CONTACT, desired_invoice(), contact_exists=False)
    connection.xero.hold("Contacts", {**CONTACT.body, "ContactStatus": "ARCHIVED"})
    connection.xero.refusals["AMAZON-UK"] = ("Another contact has this contact number.",)

    connection.post()
    connection.post_after(61)

    assert [each["ContactNumber"] for each in connection.xero.books["Contacts"].values()] == [
        "AMAZON-UK",
        "AMAZON-UK-R1",
    ]
    assert connection.xero.invoice("A")["Contact"] == {"ContactID": connection.contact().xero_id}
    assert connection.failures() == []
