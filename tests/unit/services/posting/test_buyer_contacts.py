"""Buyers' own contacts: created with details that are only in memory, and kept apart from namesakes in Xero."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.books.document import MAX_BUYER_REQUESTS, DocumentState
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonUnavailable
from amazon_to_xero.ports.xero import XeroError
from amazon_to_xero.services.work_report import PostReport
from fakes.vendors import lost
from unit.desired_documents import desired_invoice
from unit.services.posting.posting_connection import MINUTE, NAME_IS_TAKEN, BuyerConnection, buyer_order

EMAIL_IS_INVALID = "Email address must be valid."


def test_contact_is_created_with_the_buyers_details_before_the_invoice_that_references_it() -> None:
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    connection.request(desired_invoice(contact_number=number))

    assert connection.post().applied == 2

    (contact,) = connection.xero.books["Contacts"].values()
    assert contact == {
        "ContactID": connection.contact(number).xero_id,
        "ContactNumber": number,
        "Name": "Canary Buyer",
        "Addresses": [
            {
                "AddressType": "STREET",
                "AddressLine1": "1 Canary Street",
                "City": "Canarytown",
                "Region": "Region",
                "PostalCode": "CN1 1NC",
                "Country": "GB",
                "AttentionTo": "Canary Buyer",
            }
        ],
        "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "+44 0000 000000"}],
    }
    assert connection.xero.invoice("A")["Contact"] == {"ContactID": contact["ContactID"]}
    assert connection.orders_to_read() == []


def test_second_order_of_a_buyer_needs_no_call_for_the_contact() -> None:
    connection = BuyerConnection()
    connection.read_orders(buyer_order("A"))
    connection.post()
    connection.read_orders(buyer_order("B"))

    assert connection.post().applied == 0
    assert len(connection.xero.writes("Contacts")) == 1


def test_changed_details_of_many_buyers_are_updated_in_full_batches() -> None:
    connection = BuyerConnection()
    orders = [(f"A{n:02}", f"Buyer {n}", f"buyer-{n}@marketplace.example") for n in range(60)]
    connection.read_orders(*(buyer_order(*each) for each in orders))
    connection.post()
    connection.read_orders(*(buyer_order(*each, minutes=1, addressLine1="2 New Street") for each in orders))
    connection.post()

    calls = [(call.verb, len(call.elements)) for call in connection.xero.writes("Contacts")]
    assert calls == [("create", 50), ("create", 10), ("update", 50), ("update", 10)]
    streets = {contact["Addresses"][0]["AddressLine1"] for contact in connection.xero.books["Contacts"].values()}
    assert streets == {"2 New Street"}


# --- details that are not in memory -----------------------------------------------------------------------------------


def test_contact_whose_details_are_not_in_memory_waits_until_its_order_is_read_again() -> None:
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    connection.request(desired_invoice(contact_number=number))
    connection.lose_memory()

    connection.post()
    waiting = connection.contact(number)
    assert (waiting.state, waiting.reason) == (DocumentState.DEFERRED, "BUYER_DATA_UNAVAILABLE")
    assert waiting.next_attempt_at == connection.clock.now() + MINUTE
    assert connection.invoice().reason == "WAITING_FOR_REFERENCE"
    assert (connection.orders_to_read(), connection.xero.calls) == (["A"], [])

    # When the order is read again, unchanged, the contact is posted at once
    connection.read_orders(buyer_order())
    assert connection.post().applied == 1
    assert (connection.contact(number).state, connection.orders_to_read()) == (DocumentState.APPLIED, [])
    connection.post_after(61)
    assert connection.invoice_numbers() == ["A"]


def test_order_is_requested_ever_less_often_and_its_contact_fails_after_a_day() -> None:
    # Given an order that cannot be read again, and whose invoice goes to the marketplace's contact by now
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    connection.lose_memory()
    notices = connection.store.writes("ORDER#")

    minutes = 0
    while connection.contact(number).state is not DocumentState.FAILED and minutes < 6000:
        connection.post_after(60)
        minutes += 1

    assert 23 * 60 <= minutes <= 27 * 60
    assert connection.store.writes("ORDER#A") - notices == MAX_BUYER_REQUESTS
    assert connection.store.writes("ORDER#") - notices == MAX_BUYER_REQUESTS
    assert connection.contact(number).reason == "BUYER_DATA_UNAVAILABLE"
    assert connection.xero.calls == []
    assert connection.failures() == connection.failures(ORDERS) == []

    # Then an invoice that still references the contact fails with it, and the next reading of the order retries it
    connection.request(desired_invoice(contact_number=number))
    connection.post()
    assert connection.failures() == [("A", "BUYER_DATA_UNAVAILABLE")]
    connection.read_orders(buyer_order())
    assert connection.post().applied == 1


def test_contact_fails_with_its_order_when_amazon_refuses_the_order_for_good() -> None:
    # Given a contact that waits for an order that Amazon refuses
    connection = BuyerConnection()
    connection.read_orders(buyer_order("K", name="Canary Known", email="known@marketplace.example"))
    (number,) = connection.read_orders(buyer_order())
    connection.request(desired_invoice(contact_number=number))
    connection.lose_memory()
    connection.amazon.refused["A"] = AmazonForbidden("getOrder", 403, "Unauthorized")

    for _ in range(22 * 60):
        connection.post_after(60)
        connection.read()

    # Then both are reported once, and nobody reads the order any more
    assert connection.failures(ORDERS) == [("A", "ORDER_REFUSED")]
    assert connection.failures() == [("A", "BUYER_DATA_UNAVAILABLE")]
    assert connection.orders_to_read() == []


def test_invoice_whose_buyer_is_stated_by_its_own_order_does_not_fail_with_another_order_of_the_buyer() -> None:
    # Given two orders of a buyer, the newer of which Amazon refuses for good
    connection = BuyerConnection()
    connection.read_orders(buyer_order("K", name="Canary Known", email="known@marketplace.example"))
    (number,) = connection.read_orders(buyer_order("B", minutes=1))
    connection.lose_memory()
    connection.amazon.hold(buyer_order("A", addressLine1="9 Earlier Street"))
    connection.amazon.refused["B"] = AmazonForbidden("getOrder", 403, "Unauthorized")
    for _ in range(22 * 60):
        connection.post_after(60)
        connection.read()
    assert connection.contact(number).state is DocumentState.FAILED

    # When the invoice of the other order needs the contact
    connection.request(desired_invoice("A", contact_number=number))
    for _ in range(5):
        connection.post_after(60)
        connection.read()

    # Then that order is read and states who the buyer is, and where they lived by then
    (contact,) = [each for each in connection.xero.books["Contacts"].values() if each["ContactNumber"] == number]
    assert contact["Addresses"][0]["AddressLine1"] == "9 Earlier Street"
    assert connection.invoice("A").state is DocumentState.APPLIED
    assert connection.failures() == []


def test_details_from_an_older_order_of_the_same_buyer_post_the_contact() -> None:
    # Given a newer order that Amazon cannot return
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order("B", minutes=1))
    connection.lose_memory()
    connection.post()
    connection.amazon.refused["B"] = AmazonUnavailable("getOrder", 503, "ServiceUnavailable")

    connection.read_orders(buyer_order("A"))

    assert connection.post().applied == 1
    assert connection.contact(number).desired.order_id == "B"


def test_contact_that_exists_is_updated_once_its_details_are_in_memory_again() -> None:
    # Given a contact whose outcome is unknown, in a sandbox of the function that does not have its details
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    connection.xero.after = [lost("createContacts"), lost("createContacts")]
    connection.post()
    connection.lose_memory()

    connection.post_after(61)
    assert connection.contact(number).awaits_buyer
    connection.read_orders(buyer_order())
    connection.post()

    assert connection.verbs() == ["create", "create", "find", "update"]
    assert connection.contact(number).state is DocumentState.APPLIED


# --- names and numbers that are taken ---------------------------------------------------------------------------------


def test_buyer_whose_name_another_contact_has_gets_a_suffix_that_stays() -> None:
    connection = BuyerConnection()
    namesake = connection.xero.hold(
        "Contacts", {"Name": "Canary Buyer", "ContactNumber": "", "ContactStatus": "ACTIVE"}
    )
    (number,) = connection.read_orders(buyer_order())
    connection.xero.refuse_once(number, NAME_IS_TAKEN)

    assert connection.post().applied == 1

    ours = connection.xero.books["Contacts"][connection.contact(number).xero_id]
    assert ours["Name"] == f"Canary Buyer ({number[-6:]})"
    assert ours["ContactID"] != namesake["ContactID"]
    assert namesake["Name"] == "Canary Buyer"
    assert connection.verbs() == ["create", "create"]
    assert connection.contact(number).name_is_taken

    # And the suffix stays when the details change
    connection.read_orders(buyer_order(minutes=1, addressLine1="2 New Street"))
    connection.post()
    assert connection.xero.books["Contacts"][ours["ContactID"]]["Name"] == f"Canary Buyer ({number[-6:]})"


def test_name_that_changed_while_it_was_refused_gets_no_suffix() -> None:
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    connection.xero.refuse_once(number, NAME_IS_TAKEN)
    connection.xero.during = lambda: connection.read_orders(buyer_order(name="Canary Lee", minutes=1))

    connection.post()

    (contact,) = connection.xero.books["Contacts"].values()
    assert (contact["Name"], connection.contact(number).state) == ("Canary Lee", DocumentState.APPLIED)


def test_name_that_is_taken_with_its_suffix_too_fails_the_contact() -> None:
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    connection.request(desired_invoice(contact_number=number))
    connection.xero.refusals[number] = (NAME_IS_TAKEN,)

    connection.post()

    assert (connection.contact(number).state, connection.contact(number).reason) == (
        DocumentState.FAILED,
        "CONTACT_NAME_TAKEN",
    )
    assert connection.verbs() == ["create", "create"]
    assert connection.failures() == [("A", "CONTACT_NAME_TAKEN")]


def test_contact_that_has_our_number_is_adopted_and_updated_once() -> None:
    # Given a contact that exists in Xero and not in the table; Xero's refusal names both what is taken
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    held = connection.xero.hold("Contacts", {"Name": "Canary", "ContactNumber": number, "ContactStatus": "ACTIVE"})
    connection.xero.refuse_once(number, NAME_IS_TAKEN, "Another contact has this contact number.")

    assert connection.post().applied == 1

    assert connection.verbs() == ["create", "find", "update"]
    assert connection.contact(number).xero_id == held["ContactID"]
    assert connection.xero.books["Contacts"][held["ContactID"]]["Name"] == "Canary Buyer"


@pytest.mark.parametrize("arrived", [True, False])
def test_contact_whose_answer_was_lost_is_looked_up_by_its_number(arrived: bool) -> None:
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order())
    lost_answers: list[XeroError | None] = [lost("createContacts"), lost("createContacts")]
    connection.xero.after, connection.xero.before = (lost_answers, []) if arrived else ([], lost_answers)

    connection.post()
    connection.post_after(61)

    assert connection.verbs() == ["create", "create", "find", "update" if arrived else "create"]
    assert len(connection.xero.books["Contacts"]) == 1
    assert connection.contact(number).state is DocumentState.APPLIED
    assert connection.post_after(3600) == PostReport()


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_contact_that_makes_xero_refuse_the_batch_fails_alone_with_a_dead_letter_for_each_of_its_orders() -> None:
    connection = BuyerConnection()
    refused, accepted = connection.read_orders(buyer_order("A"), buyer_order("B", "Good", "good@marketplace.example"))
    connection.request(
        desired_invoice("A", contact_number=refused),
        desired_invoice("C", contact_number=refused),
        desired_invoice("B", contact_number=accepted),
    )
    connection.refuse_creates_with(refused)
    connection.post()
    connection.post_after(61)

    assert connection.invoice_numbers() == ["B"]
    assert sorted(connection.failures()) == [("A", "XERO_REFUSED"), ("C", "XERO_REFUSED")]
    assert connection.failures(ORDERS) == []


def test_failed_contact_is_retried_for_any_order_of_its_buyer() -> None:
    # Given a contact that failed for the buyer's newest order, which has another address than an older one
    connection = BuyerConnection()
    (number,) = connection.read_orders(buyer_order("B", minutes=1))
    requested = connection.contact(number).desired
    connection.xero.refuse_once(number, EMAIL_IS_INVALID)
    connection.post()
    assert connection.contact(number).state is DocumentState.FAILED

    # When a person has the older order reprocessed
    connection.read_orders(buyer_order("A", addressLine1="2 Old Street"))

    assert connection.post().applied == 1
    assert connection.contact(number).desired == requested


def test_buyer_data_reaches_xero_and_no_row_log_or_dead_letter(caplog: pytest.LogCaptureFixture) -> None:
    # Given buyers whose contacts get a suffix, are looked up, are waited for, are refused, and change
    connection = BuyerConnection()
    secrets = ("Canary", "CN1 1NC", "+44 0000", "GB-CANARY-TAX", "canary@")
    registration = {"entityType": "BUYER", "taxRegistrationNumber": secrets[3]}
    first = {**buyer_order("A"), "tax": {"taxRegistrations": [registration]}}
    second = {**first, "orderId": "B", "buyer": {"buyerName": "Canary Two"}}
    (number,) = connection.read_orders(first)
    connection.request(desired_invoice("A", contact_number=number))
    connection.xero.refuse_once(number, NAME_IS_TAKEN.replace("Canary Buyer", "…"))
    connection.xero.after = [None, lost("createContacts"), lost("createContacts")]
    connection.post()
    connection.lose_memory()
    connection.post_after(61)
    assert connection.contact(number).awaits_buyer
    connection.read_orders(first)
    connection.post_after(61)
    (refused,) = connection.read_orders(second)
    connection.request(desired_invoice("B", contact_number=refused))
    connection.xero.refusals[refused] = (EMAIL_IS_INVALID,)
    connection.post()
    connection.post_after(61)

    in_xero = repr(connection.xero.books["Contacts"])
    assert all(secret in in_xero for secret in secrets[:4])
    assert connection.failures() == [("B", "XERO_REFUSED")]
    sinks = (
        connection.store.table.written,
        connection.decisions.notes,
        connection.dead_letters,
        connection.events.published,
    )
    written = "".join(map(repr, sinks)).lower()
    for secret in secrets:
        assert secret.lower() not in written
        assert secret.lower() not in caplog.text.lower()
