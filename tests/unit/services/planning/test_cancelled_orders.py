"""Planning cancelled orders: documents that were requested are removed, and stay away."""

from __future__ import annotations

from dataclasses import replace

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.capabilities import SHIPMENTS
from fakes.books import POLICY
from fakes.state import NOON
from unit.services.amazon_orders import SECOND_VERSION, amazon_order, shipped_order
from unit.services.planning.paying_connection import PayingConnection

CANCELLED = amazon_order(status="CANCELLED", updated=SECOND_VERSION)


def test_draft_of_a_cancelled_order_is_removed() -> None:
    connection = PayingConnection(amazon_order())
    connection.plan_drafts()
    assert connection.document().desired.body["Status"] == "DRAFT"
    connection.record_orders(CANCELLED)

    report = connection.plan_shipments()

    assert (connection.record().state, connection.record().reason) == (OrderState.NOT_INVOICED, "ORDER_CANCELLED")
    assert report.documents == ("invoice#A",)
    assert (connection.document().desired.tombstone, connection.document().next_attempt_at) == (True, NOON)


def test_invoice_that_a_worker_requested_before_it_died_is_removed() -> None:
    # Given the invoice of a plan whose order row was never written
    connection = PayingConnection(amazon_order(), policy=POLICY)
    connection.plan_drafts()
    requested = connection.document().desired
    another = PayingConnection(CANCELLED, policy=POLICY)
    another.store.save([Document(requested, next_attempt_at=NOON)])

    another.plan_shipments()

    # Its content stays: by that it is distinguished from somebody else's document of the same number in Xero
    removed = replace(requested, tombstone=True, source_version=SECOND_VERSION, capability=SHIPMENTS)
    assert another.document().desired == removed


def test_payment_of_a_cancelled_order_that_was_not_posted_yet_is_removed() -> None:
    connection = PayingConnection(shipped_order())
    connection.plan_shipments()
    assert connection.record().documents == ("invoice#A", "payment#A")
    connection.record_orders(CANCELLED)

    connection.plan_shipments()

    assert connection.payment().desired.tombstone


def test_invoice_of_a_cancelled_order_that_was_never_planned_cannot_be_requested_any_more() -> None:
    # Given the invoice that a worker is about to request, which was frozen before the cancellation
    earlier = PayingConnection(amazon_order())
    earlier.plan_drafts()
    connection = PayingConnection(CANCELLED)

    connection.plan_shipments()

    assert connection.document().desired.tombstone
    assert connection.document().with_desired(earlier.document().desired, NOON) is None
    assert connection.record().reason == "ORDER_CANCELLED"
    assert connection.dead_letters[SHIPMENTS].letters == []
