"""What a plan may see of stored documents: those of its own source, and of any other source that a number is taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps, PostingPlan
from fakes.books import POLICY
from fakes.order_life import DRAFT, PAID_INVOICE, PAYING, SHIPPED, OrderLife, cancelled, order_life, tea, version
from fakes.state import NOON

OWN, OTHER = "order#A", "statement#A"
KINDS = (DocumentKind.INVOICE, DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE, DocumentKind.CREDIT_NOTE_REFUND)


def document(kind: DocumentKind, number: str, source: str = OTHER) -> Document:
    """An applied document of 4.00, in Xero."""
    body = {"Amount": Decimal(4), "Status": "AUTHORISED", "LineAmountTypes": "Inclusive", "LineItems": []}
    desired = DesiredDocument(kind, number, body, source, source_version=NOON, total=Decimal(4))
    return Document(desired, DocumentState.APPLIED, xero_id=f"{source} {kind}", applied_digest=desired.digest)


def held(*documents: Document, looked_up: tuple[Document, ...] = ()) -> HeldDocuments:
    stored = {each.key: each for each in documents}
    return HeldDocuments(OWN, stored, frozenset(stored) | {each.key for each in looked_up})


# --- what is visible --------------------------------------------------------------------------------------------------


def test_document_of_another_source_is_visible_where_the_plan_refers_to_it() -> None:
    other, unseen = document(DocumentKind.INVOICE, "A"), document(DocumentKind.INVOICE, "B")
    documents = held(other)

    assert documents.referred(other.key) is other
    assert documents.own(DocumentKind.INVOICE, "A") is None
    assert documents.referred(unseen.key) is None
    assert documents.missing == {unseen.key}


def test_document_of_the_own_source_is_visible() -> None:
    own = document(DocumentKind.INVOICE, "A", OWN)

    assert held(own).own(DocumentKind.INVOICE, "A") is own
    assert not held(own).is_taken("A", KINDS)
    assert list(held(own).own_documents()) == [own]


def test_document_of_another_source_is_visible_only_as_a_taken_number() -> None:
    theirs = document(DocumentKind.CREDIT_NOTE, "A")

    assert held(theirs).own(DocumentKind.CREDIT_NOTE, "A") is None
    assert held(theirs).is_taken("A", KINDS)
    assert not held(theirs).is_taken("A", (DocumentKind.INVOICE,))
    assert list(held(theirs).own_documents()) == []


def test_contacts_are_no_documents_of_their_own() -> None:
    """They are shared: the contact of a buyer is requested by each of the buyer's orders."""
    contact = document(DocumentKind.CONTACT, "AMAZON-B-1", OWN)

    assert list(held(contact).own_documents()) == []


def test_keys_that_were_not_looked_up_are_missing() -> None:
    known = document(DocumentKind.INVOICE, "A", OWN)
    visible = held(known)

    visible.own(DocumentKind.INVOICE, "A")
    assert visible.missing == set()
    visible.own(DocumentKind.PAYMENT, "A")
    visible.is_taken("A-A1", (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE))
    assert visible.missing == {"payment#A", "invoice#A-A1", "credit_note#A-A1"}


def test_key_that_was_looked_up_and_not_found_is_not_missing() -> None:
    visible = held(looked_up=(document(DocumentKind.INVOICE, "A"),))

    assert visible.own(DocumentKind.INVOICE, "A") is None
    assert visible.missing == set()


# --- steps ------------------------------------------------------------------------------------------------------------


def desired(kind: DocumentKind, number: str = "A") -> DesiredDocument:
    return DesiredDocument(kind, number, {}, OWN)


def test_plan_has_its_steps_in_order_without_empty_ones() -> None:
    payment, invoice = desired(DocumentKind.PAYMENT), desired(DocumentKind.INVOICE)
    steps = PlanSteps(second=[invoice], third=[payment])

    assert steps.plan(held()) == PostingPlan(((invoice,), (payment,)), ("invoice#A", "payment#A"))


def test_plan_looks_up_every_document_that_it_asks_for() -> None:
    visible = held()

    PlanSteps(first=[desired(DocumentKind.PAYMENT)], second=[desired(DocumentKind.INVOICE)]).plan(visible)

    assert visible.missing == {"payment#A", "invoice#A"}


def test_plan_that_awaits_an_outcome_asks_for_nothing() -> None:
    steps = PlanSteps(second=[desired(DocumentKind.INVOICE)], awaits_outcome=True)

    assert steps.plan(held()) == PostingPlan((), (), awaits_outcome=True)


# --- the plan of an order beside documents of another source ----------------------------------------------------------


def beside(other: Document, life: OrderLife) -> OrderLife:
    life.documents[other.key] = other
    return life


def assert_untouched(life: OrderLife, other: Document) -> None:
    """Whatever the order's plans requested and posted, the other source's document is what it was."""
    assert life.documents[other.key] is other
    del life.documents[other.key]
    assert life.invoiced_total == life.settled_total == life.sales_total


@pytest.mark.parametrize("kind", [DocumentKind.INVOICE, DocumentKind.PAYMENT])
def test_order_takes_the_next_free_number_where_another_source_has_its_invoice_number(kind: DocumentKind) -> None:
    other = document(kind, "A")
    life = beside(other, order_life())

    life.update(SHIPPED)

    assert life.summary.items() >= {"invoice A-R1": "AUTHORISED 10.00", "payment A-R1": "10"}.items()
    assert life.pending_changes() == []
    assert_untouched(life, other)


@pytest.mark.parametrize("kind", [DocumentKind.INVOICE, DocumentKind.PAYMENT])
@pytest.mark.parametrize("versions", [[DRAFT, cancelled(1)], [cancelled(1)], [DRAFT, SHIPPED, cancelled(2)]])
def test_cancelled_order_removes_no_document_of_another_source(
    kind: DocumentKind, versions: list[dict[str, Any]]
) -> None:
    other = document(kind, "A")
    life = beside(other, order_life())

    for raw in versions:
        plan = life.update(raw)
        assert other.key not in plan.documents

    assert_untouched(life, other)


@pytest.mark.parametrize("kind", KINDS)
def test_credited_open_invoice_is_kept_where_another_source_has_the_first_number_of_its_adjustments(
    kind: DocumentKind,
) -> None:
    other = document(kind, "A-A1")
    life = beside(other, order_life(POLICY, SHIPPED))
    life.organisation = replace(life.organisation, period_lock=date(2026, 11, 20))
    life.policy = replace(life.policy, lock_dates=LockDates.NEXT_OPEN_DAY)
    life.update(cancelled(25))
    assert life.summary["credit_note A-A2"] == "AUTHORISED 10.00"
    life.organisation = replace(life.organisation, period_lock=None)

    life.update(version(26, tea()))  # it is reinstated

    assert life.summary["invoice A-A3"] == "AUTHORISED 10.00"
    assert life.documents[other.key] is other


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        (version(2, tea("12.00")), {"invoice A-A2": "AUTHORISED 2.00", "payment A-A2": "2"}),
        (version(2, tea("8.00")), {"credit_note A-A2": "AUTHORISED 2.00", "credit_note_refund A-A2": "2"}),
    ],
    ids=["higher price", "lower price"],
)
def test_adjustment_takes_the_next_number_where_another_source_has_the_first(
    kind: DocumentKind, newer: dict[str, Any], expected: dict[str, str]
) -> None:
    other = document(kind, "A-A1")
    life = beside(other, order_life(PAYING, SHIPPED))

    plan = life.update(newer)

    assert other.key not in plan.documents
    assert life.summary.items() >= {**PAID_INVOICE, **expected}.items()
    assert life.pending_changes() == []
    assert_untouched(life, other)


@pytest.mark.parametrize("kind", [DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE_REFUND])
def test_adjustment_number_that_another_source_took_meanwhile_is_skipped(kind: DocumentKind) -> None:
    # Given an order whose plan has left tombstones at its first adjustment number
    life = order_life(PAYING, SHIPPED, version(2, tea()))
    assert {"invoice#A-A1", "credit_note#A-A1"} <= life.documents.keys()
    other = document(kind, "A-A1")
    beside(other, life)

    life.update(version(3, tea("8.00")))

    assert life.summary.items() >= {**PAID_INVOICE, "credit_note A-A2": "AUTHORISED 2.00"}.items()
    assert life.pending_changes() == []
    assert_untouched(life, other)


@pytest.mark.parametrize("kind", KINDS)
def test_number_taken_by_another_source_between_two_adjustments_is_skipped(kind: DocumentKind) -> None:
    life = order_life(PAYING, SHIPPED, version(2, tea("8.00")))
    other = document(kind, "A-A2")
    # Its number was free when the first adjustment was planned, so the order's plan has left nothing there yet
    assert other.key not in life.documents
    beside(other, life)

    life.update(version(3, tea("7.00")))

    assert life.summary["credit_note A-A1"] == "AUTHORISED 2.00"
    assert life.summary["credit_note A-A3"] == "AUTHORISED 1.00"
    assert life.pending_changes() == []
    assert_untouched(life, other)


def test_invoice_that_exists_keeps_its_number_where_another_source_takes_its_payments_key() -> None:
    life = order_life(PAYING, DRAFT)
    other = document(DocumentKind.PAYMENT, "A")
    beside(other, life)

    life.update(SHIPPED)

    assert life.summary.items() >= {"invoice A": "AUTHORISED 10.00", "payment A-R1": "10"}.items()
    assert life.pending_changes() == []
    assert_untouched(life, other)


def test_requested_adjustment_is_withdrawn_where_another_source_takes_its_number() -> None:
    # Given an order that has requested an adjustment, which is not in Xero yet
    life = order_life(PAYING, SHIPPED)
    life.request(version(2, tea("12.00")))
    assert "invoice#A-A1" in life.documents
    other = document(DocumentKind.CREDIT_NOTE, "A-A1")
    beside(other, life)

    life.update(version(3, tea("12.00")))

    assert life.summary.items() >= {**PAID_INVOICE, "invoice A-A2": "AUTHORISED 2.00"}.items()
    assert "invoice A-A1" not in life.summary
    assert life.pending_changes() == []
    assert_untouched(life, other)
