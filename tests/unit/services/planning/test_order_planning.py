"""Planning recorded orders: which documents they request, when they are due, and their life in the books."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule, WhenDifferent
from amazon_to_xero.services.work_report import StepReport
from fakes.orders import breakdown, item, order
from fakes.state import NOON
from unit.services.amazon_orders import (
    FIRST_VERSION,
    MINUTE,
    PLACED,
    SECOND_VERSION,
    amazon_order,
    amazon_time,
    order_with_unmapped_charge,
    shipped_order,
)
from unit.services.planning.paying_connection import PAYING, PayingConnection


def test_shipped_order_requests_an_invoice_and_its_payment() -> None:
    connection = PayingConnection(shipped_order())

    report = connection.plan_shipments()

    assert report == StepReport(1, documents=("invoice#A", "payment#A"))
    record = connection.record()
    assert (record.state, record.next_attempt_at, record.invoice_number) == (OrderState.PLANNED, None, "A")
    assert record.documents == ("invoice#A", "payment#A")
    assert {document.state for document in connection.order_documents().values()} == {DocumentState.PENDING}
    assert connection.decisions.of("PLANNED") == [{"order_id": "A", "status": "SHIPPED"}]


def test_planned_order_is_not_planned_again() -> None:
    connection = PayingConnection(shipped_order())
    connection.plan_shipments()
    written = len(connection.store.table.written)

    assert connection.plan_shipments("A") == StepReport()
    assert len(connection.store.table.written) == written


def test_named_order_is_planned_before_the_index_shows_it() -> None:
    connection = PayingConnection(shipped_order(), lag=timedelta(seconds=20))

    assert connection.plan_shipments().records == 0
    assert connection.plan_shipments("A").records == 1


def test_order_with_an_open_notice_is_not_planned_before_it_is_read() -> None:
    connection = PayingConnection(shipped_order())
    connection.notice(["A"], NOON)

    assert connection.plan_shipments("A").records == 0
    assert connection.requested() == set()


def test_order_is_not_planned_before_its_time() -> None:
    connection = PayingConnection(shipped_order())
    connection.store.save([connection.record().to_be_planned(SHIPMENTS, NOON + MINUTE)])

    assert connection.plan_shipments("A").records == 0
    connection.clock.advance(60)
    assert connection.plan_shipments("A").records == 1


def test_many_orders_are_planned_with_few_reads_of_the_table() -> None:
    ids = [f"A{n:03}" for n in range(100)]
    connection = PayingConnection(*(shipped_order(order_id) for order_id in ids))
    connection.plan_shipments()
    connection.record_orders(*(shipped_order(order_id, "12.00", SECOND_VERSION) for order_id in ids))
    before = connection.store.table.reads

    assert connection.plan_shipments().records == 100

    assert connection.store.table.reads - before <= 8
    assert all(connection.document(order_id).desired.total == Decimal("12.00") for order_id in ids)


def test_no_planning_begins_after_the_deadline() -> None:
    connection = PayingConnection(shipped_order())

    assert connection.plan_shipments(deadline=connection.clock.now()) == StepReport(stopped="OUT_OF_TIME")
    assert connection.record().next_step is NextStep.PLAN


def test_order_without_amounts_is_read_again() -> None:
    raw = shipped_order()
    raw["orderItems"][0]["proceeds"], raw["proceeds"] = {}, {}
    connection = PayingConnection(raw)

    connection.plan_shipments()

    record = connection.record()
    assert (record.state, record.next_step, record.reason) == (OrderState.NOTICED, NextStep.READ, "PROCEEDS_MISSING")
    assert record.next_attempt_at == NOON + 15 * MINUTE


def test_buyer_is_neither_stored_nor_logged_when_an_order_is_planned_or_fails() -> None:
    connection = PayingConnection(shipped_order(), order_with_unmapped_charge("B"))

    connection.plan_shipments()

    output = repr(connection.decisions.notes) + repr(connection.dead_letters)
    assert "Canary" not in output + json.dumps([row.data for row in connection.store.table.written])


def order_at_the_reduced_rate() -> dict[str, Any]:
    """Return an order with 0.57 of tax at Amazon, 5 %, and a rule of 20 %, by which Xero computes 2.00."""
    taxed = item("12.00", breakdown("ITEM", "12.00"), breakdown("TAX", "0.57"))
    times = {"created": amazon_time(PLACED), "updated": amazon_time(FIRST_VERSION)}
    return order(taxed, grand_total="12.00", order_id="A", **times)


def when_different(choice: WhenDifferent) -> PostingPolicy:
    return replace(PAYING, tax=replace(PAYING.tax, when_different=choice))


def test_order_whose_tax_xero_computes_otherwise_is_held_with_both_amounts_until_the_rule_is_corrected() -> None:
    connection = PayingConnection(order_at_the_reduced_rate())

    connection.plan_shipments()

    record = connection.record()
    assert (record.state, record.reason) == (OrderState.FAILED, "TAX_VARIANCE")
    assert "Amazon charged 0.57 GBP tax" in record.remedy
    assert "Xero computes 2.00 GBP with OUTPUT2 (20 %)" in record.remedy
    assert connection.order_documents() == {}
    assert connection.dead_letters[SHIPMENTS].reasons == [("A", "TAX_VARIANCE")]

    connection.change_policy(replace(PAYING, tax=TaxPolicy((TaxRule("TAX001", LineAmountTypes.INCLUSIVE),))))
    connection.clock.advance(60)
    connection.plan_shipments(*connection.read(connection.notice(["A"])).due)

    assert connection.record().state is OrderState.PLANNED
    assert connection.requested() == {"invoice#A", "payment#A"}


def test_invoice_whose_tax_xero_computes_otherwise_can_stay_a_draft_that_a_person_approves() -> None:
    connection = PayingConnection(order_at_the_reduced_rate(), policy=when_different(WhenDifferent.DRAFT))

    connection.plan_shipments()

    statuses = {key: each.desired.body.get("Status") for key, each in connection.order_documents().items()}
    assert statuses == {"invoice#A": "DRAFT"}
    assert len(connection.decisions.of("TAX_VARIANCE")) == 1


def test_item_whose_tax_xero_computes_otherwise_can_be_logged_and_invoiced() -> None:
    connection = PayingConnection(order_at_the_reduced_rate(), policy=when_different(WhenDifferent.BOOK))

    connection.plan_shipments()

    (line,) = connection.decisions.of("TAX_VARIANCE")
    assert (line["order_id"], line["reason"]) == ("A", "TAX_VARIANCE")
    assert "Amazon charged 0.57 GBP tax" in str(line["remedy"])
    assert "Xero computes 2.00 GBP with OUTPUT2" in str(line["remedy"])
    assert connection.record().state is OrderState.PLANNED


def test_order_keeps_its_invoice_number_when_the_prefix_is_changed() -> None:
    connection = PayingConnection(amazon_order())
    connection.plan_drafts()
    connection.change_policy(replace(PAYING, invoice_prefix="NEW-"))
    connection.record_orders(shipped_order(updated=SECOND_VERSION))

    connection.plan_shipments()

    assert (connection.record().invoice_number, connection.record().documents) == ("A", ("invoice#A", "payment#A"))
    assert connection.document().desired.body["Status"] == "AUTHORISED"


@pytest.mark.parametrize("per", [InvoicePer.ORDER, InvoicePer.SHIPMENT])
def test_every_version_of_an_order_is_posted(per: InvoicePer) -> None:
    connection = PayingConnection(policy=replace(PAYING, invoice_per=per))
    for version in [
        shipped_order(),
        shipped_order(price="12.00", updated=FIRST_VERSION + MINUTE),
        shipped_order(price="9.00", updated=FIRST_VERSION + 2 * MINUTE),
        amazon_order(status="CANCELLED", updated=FIRST_VERSION + 3 * MINUTE),
        shipped_order(price="9.00", updated=FIRST_VERSION + 4 * MINUTE),
    ]:
        connection.record_orders(version)
        connection.plan_shipments()
        connection.post()
        assert connection.record().next_attempt_at is None, version["lastUpdatedTime"]
        assert {document.state for document in connection.order_documents().values()} == {DocumentState.APPLIED}

    invoices = {i["InvoiceNumber"]: i["Total"] for i in connection.xero.books["Invoices"].values()}
    credit_notes = {n["CreditNoteNumber"]: n["Total"] for n in connection.xero.books["CreditNotes"].values()}
    assert invoices == {"A": Decimal("10.00"), "A-A1": Decimal("2.00"), "A-A4": Decimal("9.00")}
    assert credit_notes == {"A-A2": Decimal("3.00"), "A-A3": Decimal("9.00")}
    assert all(not invoice["AmountDue"] for invoice in connection.xero.books["Invoices"].values())
    assert all(not note["RemainingCredit"] for note in connection.xero.books["CreditNotes"].values())
