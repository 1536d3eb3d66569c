"""Customers of orders: the buyer's own contact, what is stored of it, and orders whose buyer Amazon does not name."""

from __future__ import annotations

import json
from dataclasses import replace

from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope, marketplace_customer
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.ports.amazon import Json
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.orders import UK
from fakes.state import NOON
from unit.services.amazon_orders import MINUTE, SECOND_VERSION, amazon_order

BUYERS = replace(POLICY, contacts=ContactPolicy(ContactScope.BUYERS))
MARKETPLACE_CUSTOMER = marketplace_customer(UK, POLICY.contacts).number


def without_buyer(order: Json) -> Json:
    """Return the order as Amazon gives it once it no longer says who the buyer is."""
    return {name: value for name, value in order.items() if name not in ("buyer", "recipient")}


def read_and_plan(connection: FakeConnection, *order_ids: str) -> None:
    connection.clock.advance(60)
    due = connection.read(connection.notice(order_ids)).due
    connection.plan_drafts(*due)
    connection.plan_shipments(*due)


def contact_state(connection: FakeConnection, number: str) -> DocumentState:
    return connection.document(number, DocumentKind.CONTACT).state


def test_buyer_s_own_contact_is_requested_by_a_digest_and_posted_with_its_details() -> None:
    connection = FakeConnection(amazon_order(), policy=BUYERS)

    read_and_plan(connection, "A")
    connection.post()

    number = connection.record().contact_number
    assert number.startswith("AMAZON-B-")
    assert connection.document().desired.references["Contact.ContactID"] == f"contact#{number}"
    assert [contact["Name"] for contact in connection.xero.books["Contacts"].values()] == ["Canary Buyer"]
    stored = json.dumps([row.data for row in connection.store.table.written])
    assert "Canary" not in stored + repr(connection.decisions.notes)


def test_orders_of_one_buyer_share_one_contact() -> None:
    connection = FakeConnection(amazon_order("A"), amazon_order("B", updated=SECOND_VERSION), policy=BUYERS)

    read_and_plan(connection, "A", "B")

    assert connection.record("A").contact_number == connection.record("B").contact_number
    contact = connection.document(connection.record("A").contact_number, DocumentKind.CONTACT)
    assert (contact.desired.source, contact.desired.source_version) == ("order#B", SECOND_VERSION)


def test_order_without_a_named_buyer_is_invoiced_to_the_marketplace_s_customer_and_reported() -> None:
    connection = FakeConnection(without_buyer(amazon_order()), policy=BUYERS)

    read_and_plan(connection, "A")

    assert connection.record().contact_number == MARKETPLACE_CUSTOMER
    (line,) = connection.decisions.of("BUYER_UNKNOWN")
    assert (line["order_id"], bool(line["remedy"])) == ("A", True)


def test_order_keeps_its_buyer_s_contact_once_amazon_no_longer_names_the_buyer() -> None:
    connection = FakeConnection(amazon_order(), policy=BUYERS)
    read_and_plan(connection, "A")
    connection.post()
    number = connection.record().contact_number
    connection.amazon.hold(without_buyer(amazon_order(price="12.00", updated=NOON)))

    read_and_plan(connection, "A")

    assert connection.record().contact_number == number
    assert connection.document().desired.references["Contact.ContactID"] == f"contact#{number}"
    assert connection.decisions.of("BUYER_UNKNOWN") == []


def test_contact_whose_details_are_gone_from_memory_is_posted_after_its_order_is_read_again() -> None:
    connection = FakeConnection(amazon_order(), policy=BUYERS)
    read_and_plan(connection, "A")
    number = connection.record().contact_number
    connection.restart()
    connection.clock.advance(1)
    connection.post()
    assert connection.document(number, DocumentKind.CONTACT).awaits_buyer

    connection.clock.advance(60)
    connection.plan_drafts(*connection.read().due)
    connection.post()

    assert contact_state(connection, number) is DocumentState.APPLIED
    assert connection.xero.invoice("A")["Status"] == "DRAFT"


def test_cancelled_order_still_names_the_buyer_whom_another_order_waits_for() -> None:
    connection = FakeConnection(amazon_order("A"), policy=BUYERS)
    read_and_plan(connection, "A")
    number = connection.record("A").contact_number
    connection.restart()
    connection.post()
    connection.amazon.hold(amazon_order("B", status="CANCELLED", updated=NOON))

    read_and_plan(connection, "B")

    assert contact_state(connection, number) is DocumentState.PENDING
    connection.post()
    assert contact_state(connection, number) is DocumentState.APPLIED


def test_contact_that_waits_for_an_order_fails_once_amazon_no_longer_names_its_buyer() -> None:
    connection = FakeConnection(amazon_order(), policy=BUYERS)
    read_and_plan(connection, "A")
    number = connection.record().contact_number
    connection.restart()
    connection.post()
    connection.amazon.hold(without_buyer(amazon_order(updated=NOON - MINUTE)))

    read_and_plan(connection, "A")

    contact = connection.document(number, DocumentKind.CONTACT)
    assert (contact.state, contact.reason) == (DocumentState.FAILED, "BUYER_UNKNOWN")
    assert connection.record().contact_number == MARKETPLACE_CUSTOMER
