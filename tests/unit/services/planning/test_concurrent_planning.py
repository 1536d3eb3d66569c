"""Planning while another worker writes: the newest version of an order wins, and no payment is made of what changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.money import total
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.amazon import Json
from fakes.books import POLICY
from fakes.state import NOON
from fakes.vendors import lost
from unit.services.amazon_orders import (
    FIRST_VERSION,
    HOUR,
    MINUTE,
    SECOND_VERSION,
    amazon_order,
    shipped_order,
)
from unit.services.interruptions import Killed, after_load, before_save, kill
from unit.services.planning.paying_connection import PAYING, PayingConnection

RAISED = shipped_order(price="12.00", updated=SECOND_VERSION)
CANCELLED = amazon_order(status="CANCELLED", updated=SECOND_VERSION)


def approve_invoice(connection: PayingConnection) -> None:
    """Have Xero hold the invoice as approved; its payment has not been made."""
    invoice = connection.document()
    connection.store.save([invoice.applied("id-1", "AUTHORISED", invoice.desired.digest, NOON)])
    body = invoice.desired.body
    amounts = {"Total": Decimal(10), "AmountDue": Decimal(10)}
    held = {**body, **amounts, "InvoiceID": "id-1", "DateString": f"{body['Date']}T00:00:00"}
    connection.xero.hold("Invoices", held)


def test_order_is_planned_again_when_another_worker_changed_one_of_its_documents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given an invoice that was approved and not paid, because there was no clearing account
    connection = PayingConnection(shipped_order(), policy=POLICY)
    connection.plan_shipments()
    connection.post()
    connection.change_policy(PAYING)
    connection.record_orders(RAISED)

    def pay_invoice() -> None:
        payment = DesiredDocument(
            DocumentKind.PAYMENT,
            "A",
            {"Amount": Decimal(10)},
            "order#A",
            source_version=FIRST_VERSION,
            order_id="A",
        )
        connection.store.save([Document(payment, DocumentState.APPLIED, xero_id="id-p", applied_digest=payment.digest)])
        # The poster writes the invoice's row, too
        connection.store.save([replace(connection.document(), attempts=9)])

    before_save(monkeypatch, connection.store, Document, pay_invoice)
    connection.plan_shipments()

    # Then the paid invoice stays as it is, and the adjustment is an invoice of its own
    assert connection.document().desired.total == Decimal("10.00")
    assert connection.document("A-A1").desired.total == Decimal("2.00")
    assert connection.record().state is OrderState.PLANNED


def test_newer_version_that_another_worker_requested_in_between_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = PayingConnection(amazon_order())
    connection.plan_drafts()
    newest = replace(connection.document().desired, body={"Reference": "newest"}, source_version=NOON + HOUR)
    connection.record_orders(amazon_order(price="12.00", updated=SECOND_VERSION))

    def request_newest() -> None:
        row = connection.document().with_desired(newest, connection.clock.now())
        assert row is not None
        connection.store.save([row])

    before_save(monkeypatch, connection.store, Document, request_newest)
    connection.plan_drafts()

    assert connection.document().desired.body == {"Reference": "newest"}


def test_invoice_is_not_changed_while_its_payment_is_being_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = PayingConnection(shipped_order())
    connection.plan_shipments()
    approve_invoice(connection)
    connection.record_orders(RAISED)

    def claim_payment() -> None:
        assert connection.store.save([connection.payment().claimed(connection.clock.now())])

    before_save(monkeypatch, connection.store, Document, claim_payment)
    connection.plan_shipments()

    record = connection.record()
    assert (record.state, record.next_step, record.reason) == (
        OrderState.RECORDED,
        NextStep.PLAN,
        "WAITING_FOR_OUTCOME",
    )
    assert record.next_attempt_at == NOON + MINUTE
    assert connection.document().desired.total == Decimal("10.00")
    assert not connection.payment().desired.tombstone


@pytest.mark.parametrize("was_made", [True, False])
def test_order_is_planned_once_the_outcome_of_its_payment_is_known(was_made: bool) -> None:
    connection = PayingConnection(shipped_order())
    connection.plan_shipments()
    faults: list[Any] = [None, None, lost(), lost()]  # customer, invoice, payment and its repetition
    if was_made:
        connection.xero.after = faults
    else:
        connection.xero.before = faults
    connection.post()
    assert connection.payment().state is DocumentState.UNKNOWN
    connection.record_orders(RAISED)
    connection.plan_shipments()
    assert connection.record().reason == "WAITING_FOR_OUTCOME"

    for _ in range(4):
        connection.clock.advance(240)
        connection.post()
        connection.plan_shipments()
        connection.post()

    assert connection.record().state is OrderState.PLANNED
    assert connection.requested() == {"invoice#A", "payment#A", "invoice#A-A1", "payment#A-A1"}
    assert connection.paid() == Decimal("12.00")


@pytest.mark.parametrize(("newer", "requested"), [(RAISED, {"invoice#A", "payment#A"}), (CANCELLED, set())])
def test_worker_with_an_older_version_of_the_order_requests_nothing(
    monkeypatch: pytest.MonkeyPatch, newer: Json, requested: set[str]
) -> None:
    # Given a worker that is frozen after it loaded the record, while another plans the next version
    connection = PayingConnection(shipped_order())
    written: list[int] = []

    def plan_newer_version() -> None:
        connection.record_orders(newer)
        connection.plan_shipments()
        written.append(connection.store.writes())

    after_load(monkeypatch, connection.store, OrderRecord, plan_newer_version)
    report = connection.plan_shipments()

    assert (report.documents, [connection.store.writes()]) == ((), written)
    assert connection.requested() == requested
    assert all(each.desired.source_version == SECOND_VERSION for each in connection.order_documents().values())


def test_order_that_is_recorded_anew_in_between_stays_due(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = PayingConnection(shipped_order())
    before_save(monkeypatch, connection.store, OrderRecord, lambda: connection.record_orders(RAISED))

    connection.plan_shipments()
    assert (connection.record().next_step, connection.record().next_attempt_at) == (NextStep.PLAN, NOON)

    connection.plan_shipments()
    assert connection.document().desired.total == Decimal("12.00")


def test_order_whose_documents_keep_changing_is_planned_a_minute_later_and_delays_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = PayingConnection(shipped_order(), shipped_order("B"))
    connection.plan_shipments()
    connection.record_orders(RAISED, shipped_order("B", "12.00", SECOND_VERSION))

    def change_payment() -> None:
        payment = connection.payment()
        connection.store.save([replace(payment, attempts=payment.attempts + 1)])

    before_save(monkeypatch, connection.store, Document, *[change_payment] * 99)
    connection.plan_shipments()

    assert (connection.record().next_step, connection.record().next_attempt_at) == (NextStep.PLAN, NOON + MINUTE)
    assert connection.record("B").state is OrderState.PLANNED
    # The invoice cannot be paid while it changes: its row was not written before that of its payment
    assert connection.document().desired.total == Decimal("10.00")


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_plan_that_was_cut_off_after_any_step_is_completed_by_planning_again(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    # Given an approved invoice that is not paid yet, and a new price: the payment is removed, the invoice changed, the
    # payment requested again
    connection = PayingConnection(shipped_order())
    connection.plan_shipments()
    approve_invoice(connection)
    connection.record_orders(RAISED)
    if steps < 3:
        completed: list[Callable[[], object]] = [lambda: None] * steps
        before_save(monkeypatch, connection.store, Document, *completed, kill)
    else:
        before_save(monkeypatch, connection.store, OrderRecord, kill)
    with pytest.raises(Killed):
        connection.plan_shipments()

    # When the poster comes first, it pays nothing that is wrong
    connection.post()
    assert connection.paid() in (Decimal(0), Decimal("10.00") if steps == 0 else Decimal("12.00"))
    for _ in range(2):
        connection.plan_shipments()
        connection.post()

    assert connection.record().state is OrderState.PLANNED
    assert connection.paid() == Decimal("12.00")
    invoiced = total(each.get("Total") or each["AmountDue"] for each in connection.xero.books["Invoices"].values())
    assert invoiced in (Decimal("12.00"), Decimal("2.00"))  # changed, or paid as it was and adjusted
