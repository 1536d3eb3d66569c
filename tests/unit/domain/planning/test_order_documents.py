"""The documents of an order: which capability receives their failures, and which source they belong to."""

from __future__ import annotations

from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from fakes.order_life import DRAFT, PAYING, SHIPPED, cancelled, desired_documents, order_life, tea, version


def test_draft_belongs_to_the_orders_capability_and_its_removal_to_shipments() -> None:
    life = order_life(PAYING, DRAFT)
    draft = life.documents["invoice#A"].desired
    life.update(cancelled(1))
    removal = life.documents["invoice#A"].desired

    assert (draft.capability, draft.tombstone) == (ORDERS, False)
    assert (removal.capability, removal.tombstone) == (SHIPMENTS, True)


def test_approved_documents_and_their_settlements_belong_to_the_shipments_capability() -> None:
    life = order_life(PAYING, SHIPPED, version(2, tea("8.00")))

    assert {each.kind: each.capability for each in life.in_xero.values()} == {
        DocumentKind.INVOICE: SHIPMENTS,
        DocumentKind.PAYMENT: SHIPMENTS,
        DocumentKind.CREDIT_NOTE: SHIPMENTS,
        DocumentKind.CREDIT_NOTE_REFUND: SHIPMENTS,
    }


def test_tombstone_of_a_document_that_was_never_requested_belongs_to_the_shipments_capability() -> None:
    life = order_life(PAYING, cancelled(1))

    assert life.documents["invoice#A"].desired.capability == SHIPMENTS


def test_contact_belongs_to_no_capability_because_each_invoice_fails_with_it() -> None:
    outcome = desired_documents(SHIPPED)
    assert isinstance(outcome, list)

    assert (outcome[0].kind, outcome[0].capability) == (DocumentKind.CONTACT, "")


def test_every_document_of_an_order_belongs_to_the_order() -> None:
    life = order_life(PAYING, SHIPPED, version(2, tea("8.00")), cancelled(3))

    assert {each.desired.source for each in life.documents.values()} == {"order#A"}
    assert {each.desired.order_id for each in life.documents.values()} == {"A"}
