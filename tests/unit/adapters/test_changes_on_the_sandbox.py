"""What a person changes in the sandbox Xero is found over a real socket, and what the system wrote is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import CHANGED_IN_XERO
from fakes.books import POLICY
from fakes.connection import MINUTE, FakeConnection
from fakes.orders import item, order
from fakes.state import ManualClock
from unit.adapters.live_sandboxes import LiveXero

PAYING = replace(POLICY, accounts=replace(POLICY.accounts, clearing={"GBP": "CLR-GBP"}))
A, B, LATER = "204-0000100-0000100", "204-0000200-0000200", "204-0000300-0000300"


class EditedBooks(FakeConnection):
    """A connection that has entered and paid an order in the sandbox Xero, a day before people change something."""

    policy_of_payments = PAYING

    def __init__(self, live: LiveXero, clock: ManualClock) -> None:
        super().__init__(policy=self.policy_of_payments, clock=clock)
        self.live = live
        self.xero = live.api  # type: ignore[assignment]  # in place of the scripted Xero
        self.restart()
        self.work()
        self.amazon.hold(*(order(item("10.00"), grand_total="10.00", order_id=each) for each in (A, B)))
        self.notice([A, B])
        self.work()
        self.clock.advance(timedelta(days=1).total_seconds())
        self.work()
        self.live.sandbox.calls.clear()

    def work(self) -> None:
        for _ in range(3):
            self.clock.advance(61)
            self.connection.worker.run("worker", self.clock.now() + MINUTE)

    def in_xero(self, number: str = A) -> Json:
        (found,) = self.live.api.find("Invoices", "InvoiceNumber", [number])
        return found

    def update(self, collection: str, element: Json, key: str = "manual") -> None:
        """Change something in Xero as a person does."""
        (outcome,) = self.live.api.update(collection, [element], key)
        assert outcome.accepted, outcome.errors

    def unpay(self) -> None:
        payments = self.in_xero()["Payments"]
        self.update("Payments", {"PaymentID": payments[0]["PaymentID"], "Status": "DELETED"}, "unpaid")

    def pass_a_day(self) -> None:
        self.clock.advance(timedelta(days=1).total_seconds())
        self.live.sandbox.calls.clear()
        self.work()

    def listings(self) -> int:
        listed = ("Contacts", "Invoices", "CreditNotes")
        return sum(call.method == "GET" and call.path.endswith(listed) for call in self.live.sandbox.calls)

    def open_changes(self) -> list[str]:
        return [each.key.removeprefix("CHANGED#") for each in self.store.watched(CHANGED_IN_XERO, 9)]

    def differences(self, number: str = A) -> dict[str, tuple[str, str]]:
        key = document_key(DocumentKind.INVOICE, number)
        change = self.store.load(XeroChange, [key])[key]
        return {each.field: (each.in_xero, each.to_write) for each in change.differences}


@pytest.fixture
def books(xero: LiveXero, wall: ManualClock) -> EditedBooks:
    return EditedBooks(xero, wall)


def test_own_documents_and_payments_are_no_changes_and_a_quiet_day_costs_three_calls(books: EditedBooks) -> None:
    assert (books.in_xero()["Status"], books.open_changes()) == ("PAID", [])

    books.pass_a_day()

    assert (books.listings(), books.open_changes()) == (3, [])


def test_removed_payment_is_found_although_only_its_invoice_is_listed(books: EditedBooks) -> None:
    books.unpay()
    books.pass_a_day()

    assert books.open_changes() == [f"payment#{A}"]


def test_edited_invoice_is_found_with_each_field(books: EditedBooks) -> None:
    books.unpay()
    held = books.in_xero()
    theirs = {"AccountCode": "205", "TaxType": "ZERORATEDOUTPUT"}
    line = {name: held["LineItems"][0][name] for name in ("Description", "Quantity", "UnitAmount")} | theirs
    edited = {"InvoiceID": held["InvoiceID"], "Contact": held["Contact"], "Date": "2026-11-20"}
    books.update("Invoices", {**edited, "LineItems": [line], "InvoiceNumber": "MINE-1"})
    books.pass_a_day()

    assert sorted(books.open_changes()) == [f"invoice#{A}", f"payment#{A}"]
    differences = books.differences()
    assert differences["LineItems[0].AccountCode"][0] == "205"
    assert differences["LineItems[0].TaxType"][0] == "ZERORATEDOUTPUT"
    assert differences["Date"][0] == "2026-11-20"
    assert differences["InvoiceNumber"] == ("differs", A)


def test_voided_invoice_is_found_and_its_payment_with_it(books: EditedBooks) -> None:
    books.unpay()
    books.update("Invoices", {"InvoiceID": books.in_xero()["InvoiceID"], "Status": "VOIDED"})
    books.pass_a_day()

    assert books.open_changes() == [f"invoice#{A}"]


def test_merged_contact_is_found_once_and_its_documents_are_no_changes(books: EditedBooks) -> None:
    contact = books.in_xero()["Contact"]["ContactID"]
    (other,) = books.live.api.create("Contacts", [{"Name": "Tea Traders"}], "other")
    books.live.sandbox.contacts.merge(contact, other.element["ContactID"])
    books.unpay()  # so that the invoice is listed, too
    books.pass_a_day()

    assert sorted(books.open_changes()) == ["contact#AMAZON-A1F83G8C2ARO7P", f"payment#{A}"]


class UnpaidBooks(EditedBooks):
    """The same without a clearing account: its approved invoices can still change."""

    policy_of_payments = POLICY

    def edit(self, number: str = A) -> None:
        """Move the invoice's line to another account, as a person does."""
        held = self.in_xero(number)
        line = {name: held["LineItems"][0][name] for name in ("Description", "Quantity", "UnitAmount", "TaxType")}
        edited = {"InvoiceID": held["InvoiceID"], "LineItems": [{**line, "AccountCode": "205"}]}
        self.update("Invoices", edited, f"edit-{number}")

    def raise_prices(self) -> None:
        """Amazon changes both orders, minutes after the edit."""
        for each in (A, B):
            self.amazon.hold(order(item("12.00"), grand_total="12.00", order_id=each, updated="2026-12-01T12:00:00Z"))
        self.notice([A, B])
        self.live.sandbox.calls.clear()

    def archive_contact(self) -> None:
        """Archive the contact of both invoices; a new one takes its place with the next order."""
        self.live.sandbox.contacts.archive(self.in_xero()["Contact"]["ContactID"])
        self.amazon.hold(order(item("12.00"), grand_total="12.00", order_id=LATER))
        self.notice([LATER])
        self.work_for_a_while()

    def work_for_a_while(self) -> None:
        for _ in range(3):
            self.clock.advance(600)
            self.work()

    def stated(self, number: str) -> tuple[str, str]:
        held = self.in_xero(number)
        return str(held["Total"]), held["LineItems"][0]["AccountCode"]


@pytest.fixture
def unpaid(xero: LiveXero, wall: ManualClock) -> UnpaidBooks:
    return UnpaidBooks(xero, wall)


def test_invoice_edited_a_minute_ago_is_not_overwritten_when_its_order_changes(unpaid: UnpaidBooks) -> None:
    unpaid.edit()
    unpaid.raise_prices()
    unpaid.work()

    assert unpaid.stated(A) == ("10.00", "205")
    assert unpaid.open_changes() == [f"invoice#{A}"]
    assert unpaid.differences()["LineItems[0].AccountCode"] == ("205", "200")
    record = unpaid.record(A)
    assert (record.state, record.reason) == (OrderState.FAILED, "CHANGED_IN_XERO")
    assert unpaid.dead_letters[SHIPMENTS].reasons == [(A, "CHANGED_IN_XERO")]
    # The other one, which nobody has edited, follows its order; the look-up of both is one call
    assert unpaid.stated(B) == ("12.00", "200")


def test_invoice_moved_to_another_contact_a_minute_ago_stays_there_when_its_order_changes(unpaid: UnpaidBooks) -> None:
    (other,) = unpaid.live.api.create("Contacts", [{"Name": "Tea Traders"}], "other")
    theirs, ours = other.element["ContactID"], unpaid.in_xero()["Contact"]["ContactID"]
    unpaid.update("Invoices", {"InvoiceID": unpaid.in_xero()["InvoiceID"], "Contact": {"ContactID": theirs}}, "moved")

    unpaid.raise_prices()
    unpaid.work()

    assert unpaid.in_xero()["Contact"]["ContactID"] == theirs
    assert (unpaid.stated(A)[0], unpaid.stated(B)[0]) == ("10.00", "12.00")
    assert unpaid.record(A).reason == "CHANGED_IN_XERO"
    assert unpaid.differences() == {"Contact": (theirs, ours)}


def test_invoices_of_a_contact_that_somebody_merged_a_minute_ago_follow_their_orders(unpaid: UnpaidBooks) -> None:
    (other,) = unpaid.live.api.create("Contacts", [{"Name": "Tea Traders"}], "other")
    unpaid.live.sandbox.contacts.merge(unpaid.in_xero()["Contact"]["ContactID"], other.element["ContactID"])
    assert unpaid.in_xero()["Contact"]["ContactID"] == other.element["ContactID"]

    unpaid.raise_prices()
    unpaid.work_for_a_while()

    assert (unpaid.stated(A)[0], unpaid.stated(B)[0]) == ("12.00", "12.00")
    assert unpaid.record(A).state is OrderState.PLANNED


def test_invoices_of_a_contact_that_was_archived_and_replaced_follow_their_orders(unpaid: UnpaidBooks) -> None:
    unpaid.archive_contact()
    assert unpaid.in_xero(LATER)["Contact"]["ContactID"] != unpaid.in_xero()["Contact"]["ContactID"]

    unpaid.raise_prices()
    unpaid.work()

    assert (unpaid.stated(A)[0], unpaid.stated(B)[0]) == ("12.00", "12.00")


def test_edit_that_is_taken_back_lets_the_order_go_on(unpaid: UnpaidBooks) -> None:
    unpaid.edit()
    unpaid.raise_prices()
    unpaid.work()
    held = unpaid.in_xero()
    line = {name: held["LineItems"][0][name] for name in ("Description", "Quantity", "UnitAmount", "TaxType")}
    restored = {"InvoiceID": held["InvoiceID"], "LineItems": [{**line, "AccountCode": "200"}]}
    unpaid.update("Invoices", restored, "taken-back")

    unpaid.pass_a_day()

    assert unpaid.open_changes() == []
    assert unpaid.stated(A) == ("12.00", "200")


def test_edit_that_was_taken_back_before_it_was_recorded_leaves_no_mark(unpaid: UnpaidBooks) -> None:
    marked = replace(unpaid.document(A), reason="CHANGED_IN_XERO")
    unpaid.store.save([marked])

    unpaid.connection.services.changes.check.record_edits([unpaid.document(A)])

    assert (unpaid.document(A).reason, unpaid.open_changes()) == ("", [])


def test_invoice_of_a_contact_that_was_replaced_is_no_change_when_somebody_writes_to_it(unpaid: UnpaidBooks) -> None:
    contact = unpaid.in_xero()["Contact"]["ContactID"]
    unpaid.archive_contact()
    unpaid.pass_a_day()
    assert unpaid.in_xero()["Contact"]["ContactID"] == contact != unpaid.in_xero(LATER)["Contact"]["ContactID"]

    unpaid.update("Invoices", {"InvoiceID": unpaid.in_xero()["InvoiceID"], "DueDate": "2026-12-24"}, "due-date")
    unpaid.pass_a_day()

    assert unpaid.open_changes() == []
    assert unpaid.document(A).reason == ""
