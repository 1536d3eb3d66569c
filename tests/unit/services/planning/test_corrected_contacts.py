"""Orders that a person has invoiced to another contact, by its id in Xero: nobody's name is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.corrections import CorrectionKind, Corrections
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.planning.policy import Approval, Payments
from fakes.connection import FakeConnection
from fakes.order_life import PER_SHIPMENT, tea, version
from fakes.refunds import item_refund, refund
from fakes.vendors import lost
from unit.services.amazon_orders import FIRST_VERSION, MINUTE, amazon_order, shipped_order
from unit.services.planning.paying_connection import CUSTOMER, PAYING, PayingConnection
from unit.services.planning.refunding_connection import RefundingConnection
from unit.services.planning.test_corrections import bring_to_xero, paid_connection

K = CorrectionKind
CHOSEN = "0aa0a4e4-1c7e-4a51-9d3f-0d5c5ff0d7b1"
UNPAID = replace(PAYING, payments=Payments.NONE)


def with_contact(connection: FakeConnection, **fields: Any) -> dict[str, Any]:
    """Have somebody keep a contact of that id in Xero."""
    return connection.xero.hold(
        "Contacts", {"ContactID": CHOSEN, "Name": "Maria Rossi", "ContactStatus": "ACTIVE", **fields}
    )


def invoiced_to(connection: FakeConnection, number: str = "A") -> str:
    return str(connection.xero.invoice(number)["Contact"]["ContactID"])


def customer(connection: FakeConnection) -> str:
    """Return the id of the customer that stands for the marketplace."""
    return connection.document(CUSTOMER.number, DocumentKind.CONTACT).xero_id


# --- before payment ---------------------------------------------------------------------------------------------------


def test_draft_goes_to_the_stated_contact_and_back_when_that_is_withdrawn() -> None:
    connection = PayingConnection(amazon_order())
    bring_to_xero(connection)
    kept = dict(with_contact(connection))

    connection.correct(K.CONTACT, CHOSEN)
    bring_to_xero(connection)
    corrected = invoiced_to(connection)
    connection.correct(K.WITHDRAW, "1")
    bring_to_xero(connection)

    assert (corrected, invoiced_to(connection)) == (CHOSEN, customer(connection))
    assert connection.xero.books["Contacts"][CHOSEN] == kept
    assert [call for call in connection.xero.writes("Contacts") if CHOSEN in str(call)] == []


def test_open_invoice_and_its_later_documents_go_to_the_stated_contact() -> None:
    connection = RefundingConnection(version(1, tea()), policy=UNPAID)
    with_contact(connection)

    connection.correct(K.CONTACT, CHOSEN)
    connection.plan_shipments()
    connection.post()
    connection.refund(refund("T1", item_refund(OurPricePrincipal="-4.00")))
    connection.post()

    assert connection.xero.invoice("A")["Contact"] == {"ContactID": CHOSEN}
    assert connection.xero.credit_note("A-RFT1")["Contact"] == {"ContactID": CHOSEN}
    assert connection.document("A-RFT1", DocumentKind.ALLOCATION).state is DocumentState.APPLIED


def test_contact_survives_a_change_by_amazon_a_replay_and_a_restart_and_a_replay_writes_nothing() -> None:
    connection = PayingConnection(shipped_order(), policy=UNPAID)
    with_contact(connection)
    connection.correct(K.CONTACT, CHOSEN)
    bring_to_xero(connection)

    connection.restart()
    connection.record_orders(shipped_order(price="12.00", updated=FIRST_VERSION + MINUTE))
    bring_to_xero(connection)
    calls = len(connection.xero.calls)
    connection.connection.services.order_planner.plan_records([connection.record()])
    connection.post()

    assert (invoiced_to(connection), str(connection.xero.invoice("A")["Total"])) == (CHOSEN, "12.00")
    assert len(connection.xero.calls) == calls


def test_invoice_that_awaits_approval_is_written_anew_for_the_stated_contact() -> None:
    connection = PayingConnection(shipped_order(), policy=replace(UNPAID, approval=Approval.REVIEW))
    bring_to_xero(connection)
    with_contact(connection)

    connection.correct(K.CONTACT, CHOSEN)
    bring_to_xero(connection)

    assert invoiced_to(connection) == CHOSEN
    assert connection.document().xero_status == "SUBMITTED"


def test_change_of_the_contact_whose_answer_was_lost_before_xero_executed_it_is_made_again() -> None:
    connection = PayingConnection(amazon_order())
    bring_to_xero(connection)
    with_contact(connection)
    connection.correct(K.CONTACT, CHOSEN)
    connection.plan_drafts()
    connection.plan_shipments()
    connection.xero.before = [None, lost(), lost()]

    connection.post()
    assert connection.document().outcome_unknown
    for _ in range(3):
        connection.clock.advance(300)
        connection.post()

    assert invoiced_to(connection) == CHOSEN


def test_order_whose_contact_was_stated_is_invoiced_again_after_it_had_no_invoice() -> None:
    connection = PayingConnection()
    connection.correct(K.CONTACT, CHOSEN)
    with_contact(connection)
    connection.record_orders(amazon_order(status="CANCELLED"))
    bring_to_xero(connection)

    connection.record_orders(amazon_order(updated=FIRST_VERSION + MINUTE))
    bring_to_xero(connection)

    assert invoiced_to(connection) == CHOSEN


# --- after payment ----------------------------------------------------------------------------------------------------


def test_paid_invoice_keeps_its_contact_and_what_corrects_it_too() -> None:
    connection = paid_connection()
    with_contact(connection)

    connection.correct(K.CONTACT, CHOSEN)
    connection.correct(K.ACCOUNT, "205")
    bring_to_xero(connection)

    assert invoiced_to(connection) == invoiced_to(connection, "A-A1") == customer(connection)


def test_shipment_that_follows_a_paid_one_is_invoiced_to_the_stated_contact() -> None:
    def sent(left: int, day: int, status: str) -> dict[str, Any]:
        fulfilment = {"quantityFulfilled": left, "quantityUnfulfilled": 2 - left}
        return version(day, tea("10.00", quantity=2) | {"fulfillment": fulfilment}, status=status)

    connection = RefundingConnection(sent(1, 1, "PARTIALLY_SHIPPED"), policy=PER_SHIPMENT)
    with_contact(connection)

    connection.correct(K.CONTACT, CHOSEN)
    connection.update(sent(2, 2, "SHIPPED"))
    connection.post()

    assert (invoiced_to(connection), invoiced_to(connection, "A-S2")) == (customer(connection), CHOSEN)


# --- contacts that take no documents ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "code", "problem"),
    [
        (None, FailureCode.CONTACT_NOT_FOUND, "is not in Xero. Check its ContactID"),
        ({"ContactStatus": "ARCHIVED"}, FailureCode.CONTACT_ARCHIVED, "is archived in Xero. Restore it there"),
    ],
)
def test_contact_that_takes_no_documents_fails_the_invoice_before_anything_is_written(
    held: dict[str, Any] | None, code: FailureCode, problem: str
) -> None:
    connection = PayingConnection(amazon_order())
    if held is not None:
        with_contact(connection, **held)

    connection.correct(K.CONTACT, CHOSEN)
    bring_to_xero(connection)

    invoice = connection.document()
    assert (invoice.state, invoice.reason) == (DocumentState.FAILED, code)
    assert problem in invoice.remedy
    assert connection.xero.writes("Invoices") == []
    assert CHOSEN not in str(connection.xero.writes("Contacts"))

    connection.correct(K.WITHDRAW, "1")
    bring_to_xero(connection)

    assert invoiced_to(connection) == customer(connection)
    assert [row.sk for row in connection.store.table.rows.values() if row.watched] == []


def test_contact_that_is_restored_in_xero_takes_the_invoice_once_the_order_is_reprocessed() -> None:
    connection = PayingConnection(amazon_order())
    contact = with_contact(connection, ContactStatus="ARCHIVED")
    connection.correct(K.CONTACT, CHOSEN)
    bring_to_xero(connection)

    contact["ContactStatus"] = "ACTIVE"
    connection.connection.services.order_planner.plan_records([connection.record()])
    connection.post()

    assert invoiced_to(connection) == CHOSEN


def test_contact_that_somebody_merged_is_followed_to_the_one_that_is_left() -> None:
    connection = PayingConnection(amazon_order())
    survivor = connection.xero.hold("Contacts", {"Name": "Maria", "ContactStatus": "ACTIVE"})
    with_contact(connection, ContactStatus="ARCHIVED", MergedToContactID=survivor["ContactID"])

    connection.correct(K.CONTACT, CHOSEN)
    bring_to_xero(connection)

    assert invoiced_to(connection) == survivor["ContactID"]


# --- what is stored ---------------------------------------------------------------------------------------------------


def test_name_of_the_contact_is_stored_and_logged_nowhere() -> None:
    connection = PayingConnection(amazon_order())
    with_contact(connection)

    connection.correct(K.CONTACT, CHOSEN)
    bring_to_xero(connection)

    assert "Rossi" not in str(connection.store.table.rows)
    assert "Rossi" not in str(connection.decisions.__dict__)
    assert connection.record().state is OrderState.PLANNED
    assert all(not key.startswith("contact#") for key in connection.record().documents)


@pytest.mark.parametrize("value", ["", "Maria Rossi", "AMAZON-A1F83G8C2ARO7P", CHOSEN.upper()])
def test_anything_but_an_id_is_refused(value: str) -> None:
    connection = PayingConnection(amazon_order())

    with pytest.raises(Failure, match="value should be Xero's ContactID") as refused:
        connection.correct(K.CONTACT, value)

    assert not value or value not in str(refused.value)
    assert connection.store.load(Corrections, ["order#A"]) == {}


def test_refund_takes_no_contact_of_its_own() -> None:
    connection = RefundingConnection(version(0, tea(), status="UNSHIPPED"))
    connection.refund(refund("T1", item_refund(OurPricePrincipal="-4.00")))
    connection.clock.advance(timedelta(minutes=1).seconds)

    assert connection.correct(K.CONTACT, CHOSEN, source="transaction#T1") == []
    (letter,) = [letter for letters in connection.dead_letters.values() for letter in letters.letters]
    assert "contact is for orders only" in letter.remedy
