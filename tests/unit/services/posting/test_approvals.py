"""Invoices that a person approves in Xero: nothing is written to them any more, and what they state is paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.planning.policy import Approval, MarketplacePolicy, PostingPolicy
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroUnavailable
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.order_life import DRAFT, ORGANISATION_WITH_CLEARING, PAYING, SHIPPED, cancelled, tea, version
from fakes.orders import UK, US
from fakes.state import ManualClock

K = CorrectionKind
REVIEWED = replace(PAYING, approval=Approval.REVIEW)
HOUR = timedelta(hours=1)


class ReviewedBooks(FakeConnection):
    """A connection whose invoices a person approves in Xero."""

    def __init__(self, *orders: Json, policy: PostingPolicy = REVIEWED) -> None:
        super().__init__(policy=policy)
        self.xero.settings = ORGANISATION_WITH_CLEARING
        for raw in orders:
            self.update(raw)

    def update(self, raw: Json) -> None:
        """Have Amazon state this version, and let the worker run."""
        self.amazon.hold(raw)
        self.clock.advance(60)
        self.notice([raw["orderId"]])
        self.work()

    def work(self, later: timedelta = timedelta(minutes=1)) -> None:
        self.clock.advance(later.total_seconds())
        for _ in range(3):
            self.connection.worker.run("worker", self.clock.now() + timedelta(minutes=1))
            self.clock.advance(61)

    def approve(self, number: str = "A", **changes: Any) -> None:
        """Approve an invoice in Xero as a person does, with other content where `changes` has some."""
        self.xero.invoice(number).update({"Status": "AUTHORISED", **changes})

    def paid(self) -> list[Decimal]:
        return [each["Amount"] for each in self.xero.books["Payments"].values() if "Invoice" in each]

    def writes_of_invoices(self) -> int:
        return len(self.xero.writes("Invoices"))

    def looks(self) -> int:
        return sum(call.verb == "approved_since" for call in self.xero.calls)


def test_shipped_order_awaits_approval_and_is_paid_after_a_person_has_approved_it() -> None:
    books = ReviewedBooks(DRAFT, SHIPPED)
    assert (books.xero.invoice("A")["Status"], books.paid()) == ("SUBMITTED", [])

    books.approve()
    books.work(HOUR)

    assert (books.xero.invoice("A")["Status"], books.paid()) == ("AUTHORISED", [Decimal(10)])
    assert books.writes_of_invoices() == 2  # the draft, and what awaits approval
    assert books.dead_letters[SHIPMENTS].reasons == []


def test_charge_before_the_approval_has_the_order_planned_once_more_and_not_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    books = ReviewedBooks(DRAFT, SHIPPED)
    plans = len(books.decisions.of("PLANNED"))
    posted = books.clock.now()
    books.amazon.transactions.append(charge("C1", "A", posted=posted, OurPricePrincipal="10.00", Commission="-1"))
    books.notice_transactions(posted)

    books.clock.advance(300)
    with monkeypatch.context() as patched:
        patched.setattr(ManualClock, "now", _passing)
        books.work()

    assert len(books.decisions.of("PLANNED")) == plans + 1
    books.approve()
    books.work(HOUR)
    assert books.store.load(SaleConfirmation, ["A"])["A"].state == "CONFIRMED"


def _passing(clock: ManualClock) -> datetime:
    """Let time pass with each look at the clock, so that a run without an end ends at its deadline."""
    clock.advance(0.05)
    return clock._now


def test_order_that_has_not_shipped_is_a_draft_and_awaits_nobody() -> None:
    assert ReviewedBooks(DRAFT).xero.invoice("A")["Status"] == "DRAFT"


def test_what_a_person_changed_is_paid_as_it_stands_where_the_total_agrees() -> None:
    books = ReviewedBooks(SHIPPED)
    line = books.xero.invoice("A")["LineItems"][0]
    theirs = [{**line, "AccountCode": "205", "Description": "Tea for the office"}]

    books.approve(LineItems=theirs, Reference="Checked by Ada")
    books.work(HOUR)

    assert books.paid() == [Decimal(10)]
    assert (books.xero.invoice("A")["LineItems"], books.xero.invoice("A")["Reference"]) == (theirs, "Checked by Ada")
    assert books.writes_of_invoices() == 1


def test_another_total_than_amazon_s_fails_with_both_and_is_paid_once_it_is_corrected() -> None:
    books = ReviewedBooks(SHIPPED)

    books.approve(Total=Decimal("9.00"), AmountDue=Decimal("9.00"))
    books.work(HOUR)

    invoice = books.document("A")
    assert (invoice.state, invoice.reason) == (DocumentState.FAILED, FailureCode.APPROVED_TOTAL_DIFFERS)
    assert "Amazon's total of A is 10.00, 9.00 was approved in Xero" in invoice.remedy
    assert (books.paid(), books.writes_of_invoices()) == ([], 1)
    assert books.dead_letters[SHIPMENTS].reasons.count(("A", "APPROVED_TOTAL_DIFFERS")) == 1
    # And nothing overwrites it when the order changes, or is reprocessed
    books.update(version(2, tea()))
    assert (books.xero.invoice("A")["Total"], books.writes_of_invoices()) == (Decimal("9.00"), 1)

    books.approve(Total=Decimal("10.00"), AmountDue=Decimal("10.00"))
    books.work(HOUR)

    assert (books.paid(), books.writes_of_invoices()) == ([Decimal(10)], 1)


def test_change_of_the_order_before_the_approval_leaves_the_invoice_to_the_person_and_is_adjusted_afterwards() -> None:
    books = ReviewedBooks(SHIPPED)
    books.update(version(2, tea("7.50")))
    assert (books.xero.invoice("A")["Total"], books.writes_of_invoices()) == (Decimal("10.00"), 1)

    books.approve()
    books.work(HOUR)

    assert books.xero.credit_note("A-A1")["Total"] == Decimal("2.50")
    assert books.paid() == [Decimal("7.5")]  # the credit note is allocated to the invoice
    assert books.xero.invoice("A")["AmountDue"] == 0


# --- corrections of what awaits approval ------------------------------------------------------------------------------


def corrected(books: ReviewedBooks) -> None:
    books.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")
    books.work()


def tax_types(document: Json) -> list[str]:
    return [line["TaxType"] for line in document["LineItems"]]


def test_correction_reaches_the_invoice_that_awaits_approval_and_a_replay_writes_nothing() -> None:
    books = ReviewedBooks(SHIPPED)
    corrected(books)
    assert (books.xero.invoice("A")["Status"], tax_types(books.xero.invoice("A"))) == (
        "SUBMITTED",
        ["ZERORATEDOUTPUT"],
    )

    books.xero.invoice("A")["Reference"] = "Checked by Ada"
    books.notice(["A"])
    books.work()
    books.update(version(2, tea("7.50")))  # this is no correction
    assert (books.xero.invoice("A")["Reference"], books.writes_of_invoices()) == ("Checked by Ada", 2)
    books.approve()
    books.work(HOUR)
    assert (tax_types(books.xero.credit_note("A-A1")), books.paid()) == (["ZERORATEDOUTPUT"], [Decimal("7.5")])


def test_corrected_day_reaches_the_invoice_that_awaits_approval() -> None:
    books = ReviewedBooks(SHIPPED)

    books.correct(K.DATE, "2026-11-05")
    books.work()
    books.correct(K.WITHDRAW, "1")
    books.work()

    dates = [element["Date"] for call in books.xero.writes("Invoices") for element in call.elements]
    assert dates == ["2026-11-02", "2026-11-05", "2026-11-02"]


def test_correction_after_an_approval_that_is_not_known_yet_is_adjusted() -> None:
    books = ReviewedBooks(SHIPPED)
    books.approve()
    books.xero.refuse_once("A", "Invoice not of valid status for modification")

    corrected(books)
    books.work(HOUR)

    assert tax_types(books.xero.invoice("A")) == ["OUTPUT2"]
    assert tax_types(books.xero.credit_note("A-A1")) == ["OUTPUT2"]
    assert tax_types(books.xero.invoice("A-A1")) == ["ZERORATEDOUTPUT"]
    assert books.dead_letters[SHIPMENTS].reasons == []


def test_correction_of_an_invoice_that_was_approved_with_other_lines_needs_a_person() -> None:
    books = ReviewedBooks(SHIPPED)
    line = books.xero.invoice("A")["LineItems"][0]
    books.approve(LineItems=[line, {**line, "LineAmount": Decimal(0), "UnitAmount": Decimal(0)}])
    books.xero.refuse_once("A", "Invoice not of valid status for modification")

    corrected(books)

    invoice = books.document("A")
    assert (invoice.state, invoice.reason) == (DocumentState.FAILED, FailureCode.NOT_MODIFIABLE)
    assert "was approved in Xero with other lines while a correction was on its way" in invoice.remedy
    books.connection.services.notices.record_shipments([ChangeNotice("A", reprocess=True)])
    books.work(HOUR)
    assert (books.paid(), books.document("A").state) == ([Decimal(10)], DocumentState.APPLIED)


def test_order_that_is_cancelled_before_the_approval_has_its_invoice_deleted() -> None:
    books = ReviewedBooks(SHIPPED)

    books.update(cancelled(2))

    assert books.xero.invoice("A")["Status"] == "DELETED"


def test_order_that_is_cancelled_after_the_approval_is_credited() -> None:
    books = ReviewedBooks(SHIPPED)
    books.approve()
    books.work(HOUR)

    books.update(cancelled(2))

    assert books.xero.invoice("A")["Status"] == "AUTHORISED"
    assert books.xero.credit_note("A-A1")["Total"] == Decimal("10.00")


def test_draft_that_a_person_approves_before_its_order_has_shipped_is_left_as_it_is_and_paid_when_it_ships() -> None:
    books = ReviewedBooks(DRAFT)
    books.approve()
    number = books.writes_of_invoices()
    books.xero.refuse_once("A", "Invoice not of valid status for modification")

    books.update(SHIPPED)

    assert books.paid() == [Decimal(10)]
    assert books.writes_of_invoices() == number + 1  # the one that Xero refused
    assert books.dead_letters[SHIPMENTS].reasons == []


def test_approvals_cost_one_call_an_hour_however_many_invoices_await_one() -> None:
    books = ReviewedBooks(*(version(1, tea()) | {"orderId": f"A{n}"} for n in range(3)))
    looks = books.looks()

    for _ in range(12):
        books.work(timedelta(minutes=10))

    assert books.looks() - looks == 2


@pytest.mark.parametrize("policy", [PAYING, replace(PAYING, by_marketplace={US: MarketplacePolicy(approval=None)})])
def test_connection_without_a_review_asks_for_no_approvals(policy: PostingPolicy) -> None:
    books = ReviewedBooks(SHIPPED, policy=policy)
    books.work(HOUR)

    assert (books.looks(), books.paid()) == (0, [Decimal(10)])


def test_one_marketplace_is_reviewed_and_the_others_are_approved_at_shipment() -> None:
    policy = replace(PAYING, by_marketplace={US: MarketplacePolicy(approval=Approval.REVIEW)})

    assert ReviewedBooks(SHIPPED, policy=policy).paid() == [Decimal(10)]
    policy = replace(PAYING, by_marketplace={UK: MarketplacePolicy(approval=Approval.REVIEW)})
    assert ReviewedBooks(SHIPPED, policy=policy).paid() == []


def test_approval_during_an_outage_of_xero_is_found_when_xero_answers_again() -> None:
    books = ReviewedBooks(SHIPPED)
    books.approve()
    books.clock.advance(HOUR.total_seconds())
    books.xero.before.append(XeroUnavailable("find approved Invoices", 503, "no answer"))

    books.work()
    books.work(timedelta(minutes=10))

    assert books.paid() == [Decimal(10)]


def test_replayed_approval_pays_nothing_twice() -> None:
    books = ReviewedBooks(SHIPPED)
    books.approve()
    for _ in range(4):
        books.work(HOUR)

    assert (books.paid(), books.document("A", DocumentKind.PAYMENT).state) == ([Decimal(10)], DocumentState.APPLIED)
