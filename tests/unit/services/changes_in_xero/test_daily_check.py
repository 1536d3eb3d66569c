"""What people change in Xero of our documents is found once a day, reported once, and not overwritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.xero_change import ChangeState
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.policy import Approval, Payments
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import CHANGED_IN_XERO
from amazon_to_xero.ports.xero import XeroUnavailable
from amazon_to_xero.services.changes_in_xero import daily_check
from fakes import vendors
from fakes.order_life import DRAFT, PAYING, SHIPPED, tea, version
from fakes.refunds import item_refund, refund
from fakes.watched_books import WatchedBooks

UNPAID = replace(PAYING, payments=Payments.NONE)
INVOICE = "invoice#A"


def fields_of(
    books: WatchedBooks, kind: DocumentKind = DocumentKind.INVOICE, number: str = "A"
) -> dict[str, tuple[str, str]]:
    change = books.change(number, kind)
    assert change is not None
    return {each.field: (each.in_xero, each.to_write) for each in change.differences}


def watched(books: WatchedBooks) -> list[str]:
    return [each.key for each in books.store.watched(CHANGED_IN_XERO, 10)]


# --- found and reported -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edited", "field", "values"),
    [
        ({"AccountCode": "205"}, "LineItems[0].AccountCode", ("205", "200")),
        ({"TaxType": "ZERORATEDOUTPUT"}, "LineItems[0].TaxType", ("ZERORATEDOUTPUT", "OUTPUT2")),
        ({"UnitAmount": Decimal("9.00")}, "LineItems[0].Amount", ("9.00", "10.00")),
    ],
)
def test_edited_line_is_found_field_by_field(edited: dict[str, Any], field: str, values: tuple[str, str]) -> None:
    books = WatchedBooks(SHIPPED)

    books.edit_line(**edited)
    books.pass_a_day()

    assert fields_of(books) == {field: values}
    assert (books.found(), watched(books)) == ([(INVOICE, "EDITED")], ["CHANGED#invoice#A"])


def test_other_day_contact_and_number_are_found() -> None:
    order_id = "204-0000100-0000100"
    books = WatchedBooks({**SHIPPED, "orderId": order_id})
    renamed = {"InvoiceNumber": "Bob Smith, 3 Mill Lane", "Contact": {"ContactID": "id-77"}}

    books.edit(order_id, DateString="2026-10-31T00:00:00", **renamed)
    books.pass_a_day()

    assert fields_of(books, number=order_id) == {
        "InvoiceNumber": ("differs", order_id),  # whatever a person writes there may be of a buyer
        "Contact": ("id-77", books.document("AMAZON-A1F83G8C2ARO7P", DocumentKind.CONTACT).xero_id),
        "Date": ("2026-10-31", "2026-11-02"),
    }


def test_changed_number_of_a_refund_s_credit_note_is_found() -> None:
    order_id = "204-0000100-0000100"
    books = WatchedBooks({**SHIPPED, "orderId": order_id})
    returned = item_refund(OurPricePrincipal="-10.00")
    books.amazon.transactions = [refund("R1", returned, order_id=order_id, posted=books.clock.now())]
    books.notice_transactions(books.clock.now())
    books.clock.advance(200)
    books.work()
    (note,) = books.xero.books["CreditNotes"].values()

    books.xero.change(note, CreditNoteNumber="MINE-1")
    books.pass_a_day()

    assert books.found() == [(f"credit_note#{order_id}-RFR1", "EDITED")]


@pytest.mark.parametrize(("order", "status"), [(SHIPPED, "VOIDED"), (DRAFT, "DELETED")])
def test_voided_invoice_and_deleted_draft_are_found(order: dict[str, Any], status: str) -> None:
    books = WatchedBooks(order, policy=UNPAID)

    books.edit(Status=status)
    books.pass_a_day()

    assert (books.found(), fields_of(books)["Status"][0]) == ([(INVOICE, "REMOVED")], status)


def test_removed_payment_is_found() -> None:
    books = WatchedBooks(SHIPPED)

    books.xero.unpay(books.xero.invoice("A"))
    books.pass_a_day()

    assert books.found() == [("payment#A", "UNSETTLED")]
    assert fields_of(books, DocumentKind.PAYMENT) == {"Amount": ("", "10"), "Date": ("", "2026-11-02")}


def test_removed_allocation_is_found() -> None:
    books = WatchedBooks(SHIPPED, version(2, tea("7.50")), policy=replace(PAYING, approval=Approval.REVIEW))
    books.edit(Status="AUTHORISED")  # what Amazon changed meanwhile is credited, and allocated to it
    books.clock.advance(3600)
    books.work()
    (note,) = books.xero.books["CreditNotes"].values()
    (allocation,) = note["Allocations"]

    books.xero.change(note, Allocations=[{**allocation, "IsDeleted": True}])
    books.pass_a_day()

    assert [change for _, change in books.found()] == ["UNSETTLED"]


def test_merged_and_archived_contacts_are_found_and_documents_of_the_other_contact_are_not() -> None:
    books = WatchedBooks(SHIPPED)
    contact = books.xero.books["Contacts"][books.document("AMAZON-A1F83G8C2ARO7P", DocumentKind.CONTACT).xero_id]
    other = books.xero.hold("Contacts", {"Name": "Bob Smith", "ContactStatus": "ACTIVE"})

    books.xero.change(contact, ContactStatus="ARCHIVED", MergedToContactID=other["ContactID"])
    books.edit(Contact={"ContactID": other["ContactID"]})
    books.pass_a_day()

    assert books.found() == [("contact#AMAZON-A1F83G8C2ARO7P", "MERGED")]
    assert "Bob" not in str(books.decisions.notes) + str(list(books.store.table.rows.values()))


# --- what is no change ------------------------------------------------------------------------------------------------


def test_own_writes_and_payments_are_no_changes() -> None:
    books = WatchedBooks(DRAFT, SHIPPED, version(2, tea("7.50")))

    books.pass_a_day()

    assert books.checks() == 3  # contacts, invoices, credit notes
    assert (books.found(), watched(books)) == ([], [])


def test_payment_by_a_person_and_documents_of_others_are_no_changes() -> None:
    books = WatchedBooks(SHIPPED, policy=UNPAID)
    books.edit(Payments=[{"PaymentID": "p", "Amount": Decimal(10), "Date": "2026-11-09"}], Status="PAID")
    books.xero.hold("Invoices", {"InvoiceNumber": "INV-7", "Status": "VOIDED", "LineItems": [], "Reference": "mine"})

    books.pass_a_day()

    assert books.found() == []


def test_ten_thousand_documents_that_did_not_change_cost_three_calls_a_day() -> None:
    books = WatchedBooks(SHIPPED)
    for number in range(10_000):
        books.xero.hold("Invoices", {"InvoiceNumber": f"N-{number}", "Status": "PAID"})
    books.pass_a_day()  # they are new
    read_at_first = books.checks()

    books.pass_a_day()

    assert (read_at_first, books.checks() - read_at_first) == (1 + 11 + 1, 3)
    assert not [call for call in books.xero.calls if call.verb == "find"]


def test_it_is_checked_once_a_day() -> None:
    books = WatchedBooks(SHIPPED)
    books.pass_a_day()
    books.work()

    assert books.checks() == 3


def test_what_xero_does_not_answer_is_read_by_the_next_run() -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(AccountCode="205")
    books.xero.before = [None, XeroUnavailable("find changed Invoices", 503, "down")]

    books.pass_a_day()
    books.clock.advance(300)
    books.work()

    assert books.found() == [(INVOICE, "EDITED")]


def test_document_that_cannot_be_compared_is_logged_and_the_others_are_compared() -> None:
    books = WatchedBooks(SHIPPED)
    books.xero.hold("Invoices", {"InvoiceNumber": "A", "LineItems": 7, "InvoiceID": books.document("A").xero_id})
    books.xero.hold("Contacts", {"ContactNumber": "OTHER"})
    contact = books.xero.books["Contacts"][books.document("AMAZON-A1F83G8C2ARO7P", DocumentKind.CONTACT).xero_id]
    books.xero.change(contact, ContactStatus="ARCHIVED")

    books.pass_a_day()

    assert len(books.decisions.of("CHANGE_IN_XERO_NOT_READ")) == 1
    assert [change for _, change in books.found()] == ["ARCHIVED"]
    books.pass_a_day()  # it is not read again before it changes
    assert len(books.decisions.of("CHANGE_IN_XERO_NOT_READ")) == 1


def test_write_of_another_worker_between_listing_and_rows_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(AccountCode="205")
    # Another worker writes the document back after the listing and before it is read again.
    listed = books.xero.changed_since

    def and_then_written(*arguments: Any) -> Any:
        answer = listed(*arguments)
        books.edit_line(AccountCode="200")
        return answer

    monkeypatch.setattr(books.xero, "changed_since", and_then_written)
    books.pass_a_day()

    assert books.found() == []


def test_change_is_found_although_another_worker_stores_the_row_while_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(AccountCode="205")
    find = books.xero.find
    stored: list[str] = []

    def and_then_stored(*arguments: Any) -> Any:
        if not stored:
            stored.extend(books.store.save([books.document("A")]))  # as a newer version that asks for the same
        return find(*arguments)

    monkeypatch.setattr(books.xero, "find", and_then_stored)
    books.pass_a_day()

    assert (books.found(), len(stored)) == ([(INVOICE, "EDITED")], 1)


# --- open until it is dealt with --------------------------------------------------------------------------------------


def test_change_is_reported_once_and_stays_open() -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(AccountCode="205")
    books.pass_a_day()
    books.edit()  # it shows again in the listing
    books.pass_a_day()

    assert (books.found(), watched(books)) == ([(INVOICE, "EDITED")], ["CHANGED#invoice#A"])


def test_check_of_very_many_changes_goes_on_where_the_last_run_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    books = WatchedBooks(*({**SHIPPED, "orderId": f"A{number}"} for number in range(9)))
    for module in (vendors, daily_check):
        monkeypatch.setattr(module, "MAX_PAGE", 2)
    answered = books.xero.changed_since

    def slowly(collection: str, since: datetime, page: int) -> list[Json]:
        books.clock.advance(20)
        return answered(collection, since, page)

    monkeypatch.setattr(books.xero, "changed_since", slowly)
    books.edit_line("A8", AccountCode="205")
    books.pass_a_day()
    books.update({**SHIPPED, "orderId": "B"})
    assert books.record("B").state == "PLANNED"  # while the check is not complete

    for _ in range(3):
        books.work()
    checks = books.checks()
    books.work()

    assert books.found() == [("invoice#A8", "EDITED")]
    assert books.checks() == checks
    pages = [call.elements[1] for call in books.xero.calls if call.verb == "changed_since"]
    assert sorted(pages[:-1]) == pages[:-1]  # none begins anew; the last one is of credit notes
    assert pages[-2:] == [6, 1]


def test_another_change_is_reported_again() -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(AccountCode="205")
    books.pass_a_day()
    books.edit_line(AccountCode="206")
    books.pass_a_day()

    assert books.found() == [(INVOICE, "EDITED")] * 2
    assert "AccountCode is 206 instead of 200" in books.document("A").remedy


def test_change_that_somebody_takes_back_is_closed_and_the_order_goes_on() -> None:
    books = WatchedBooks(SHIPPED, policy=UNPAID)
    books.edit_line(AccountCode="205")
    books.pass_a_day()
    books.edit_line(AccountCode="200")
    books.pass_a_day()

    change = books.change()
    assert change is not None and change.state is ChangeState.UNDONE
    assert watched(books) == []
    books.update(version(3, tea("7.50")))
    assert books.xero.invoice("A")["Total"] == Decimal("7.50")


def test_version_that_failed_because_of_a_change_is_entered_once_somebody_takes_the_change_back() -> None:
    books = WatchedBooks(SHIPPED, policy=UNPAID)
    books.edit_line(AccountCode="205")
    books.pass_a_day()
    books.update(version(3, tea("7.50")))
    assert books.record("A").reason == "CHANGED_IN_XERO"

    books.edit_line(AccountCode="200")
    books.pass_a_day()

    assert (books.xero.invoice("A")["Total"], books.record("A").state) == (Decimal("7.50"), "PLANNED")


def test_edit_that_was_taken_back_before_a_fault_of_xero_let_it_be_recorded_holds_the_order_no_longer() -> None:
    books = WatchedBooks(SHIPPED, policy=UNPAID)
    # Given an edit that posting found before a change, and that it could not record because Xero failed then
    books.store.save([replace(books.document("A"), reason="CHANGED_IN_XERO", remedy="invoice#A was changed in Xero.")])
    books.update(version(3, tea("7.50")))
    assert (books.record("A").reason, books.change()) == ("CHANGED_IN_XERO", None)
    books.edit_line(AccountCode="200")  # as it was before

    books.pass_a_day()

    assert (books.xero.invoice("A")["Total"], books.record("A").state) == (Decimal("7.50"), "PLANNED")


# --- never overwritten ------------------------------------------------------------------------------------------------


def test_later_version_from_amazon_does_not_overwrite_the_change_and_names_it() -> None:
    books = WatchedBooks(SHIPPED, policy=UNPAID)
    books.edit_line(AccountCode="205")
    books.pass_a_day()

    books.update(version(3, tea("7.50")))

    record = books.record("A")
    assert (record.state, record.reason) == ("FAILED", "CHANGED_IN_XERO")
    assert "invoice#A was changed in Xero: EDITED, LineItems[0].AccountCode is 205 instead of 200" in record.remedy
    assert books.dead_letters[SHIPMENTS].reasons == [("A", "CHANGED_IN_XERO")]
    assert books.xero.invoice("A")["LineItems"][0]["AccountCode"] == "205"
    assert books.document("A").state is DocumentState.APPLIED


def test_draft_that_a_person_changed_is_not_overwritten_when_the_order_ships() -> None:
    books = WatchedBooks(DRAFT)
    books.edit_line(AccountCode="205")
    books.pass_a_day()

    books.update(version(3, tea()))

    assert books.record("A").reason == "CHANGED_IN_XERO"
    assert (books.xero.invoice("A")["Status"], books.xero.books["Payments"]) == ("DRAFT", {})


def test_new_documents_of_the_order_wait_for_the_decision() -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(AccountCode="205")
    books.pass_a_day()

    books.update(version(3, tea("7.50")))

    assert (books.record("A").reason, books.xero.books["CreditNotes"]) == ("CHANGED_IN_XERO", {})


def test_replay_of_an_order_whose_document_was_changed_writes_nothing_and_does_not_fail() -> None:
    books = WatchedBooks(SHIPPED)
    books.edit_line(AccountCode="205")
    books.pass_a_day()
    writes = len(books.xero.writes())

    books.notice(["A"])
    books.work()

    assert (books.record("A").state, len(books.xero.writes())) == ("PLANNED", writes)
