"""`.run/orders.json`: each order of the seller with the state of its documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.state import StateStore
from fakes.books import POLICY
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.state import NOON
from local.order_report import load_confirmations, load_orders, order_report
from local.summary import confirmed


def desired(kind: DocumentKind, number: str, **fields: object) -> DesiredDocument:
    return replace(DesiredDocument(kind, number, {}, "order#A"), **fields)  # type: ignore[arg-type]  # any field


def save(store: StateStore, order: OrderRecord, *documents: Document) -> None:
    store.save([order])
    store.save(documents)


def reported(store: StateStore, *order_ids: str) -> list[dict[str, Any]]:
    return order_report(store, order_ids, load_orders(store, order_ids), load_confirmations(store, order_ids))


def test_report_has_each_order_with_its_documents() -> None:
    connection = FakeConnection(order(item("24.00"), grand_total="24.00", order_id="A"))
    connection.notice(["A"])
    connection.read()
    connection.plan_shipments()
    connection.post()

    (report,) = reported(connection.store, "A")

    (invoice,) = report.pop("documents")
    assert report.pop("confirmation")["state"] == "AWAITED"
    assert report == {"order_id": "A", "status": "SHIPPED", "state": "PLANNED", "reason": "", "remedy": ""}
    assert invoice == {
        "kind": "invoice",
        "number": "A",
        "state": "APPLIED",
        "reason": "",
        "remedy": "",
        "xero_id": connection.document("A").xero_id,
        "xero_status": "AUTHORISED",
        "total": Decimal("24.00"),
    }


def test_total_of_a_payment_is_its_amount() -> None:
    store = FakeConnection().store
    payment = Document(desired(DocumentKind.PAYMENT, "A", body={"Amount": Decimal("24.00")}))
    save(store, OrderRecord("A", documents=(payment.key,)), payment)

    (report,) = reported(store, "A")

    assert [each["total"] for each in report["documents"]] == [Decimal("24.00")]


def test_failed_document_is_reported_with_its_reason_and_remedy() -> None:
    store = FakeConnection().store
    failed = Document(desired(DocumentKind.INVOICE, "A", total=Decimal("24.00"))).failed(
        FailureCode.PERIOD_LOCKED, "Move Xero's lock date."
    )
    record = OrderRecord("A", state=OrderState.PLANNED, status="SHIPPED", documents=(failed.key,))
    save(store, record, failed)

    (report,) = reported(store, "A")

    (document,) = report["documents"]
    assert document == {
        "kind": "invoice",
        "number": "A",
        "state": DocumentState.FAILED,
        "reason": "PERIOD_LOCKED",
        "remedy": "Move Xero's lock date.",
        "xero_id": "",
        "xero_status": "",
        "total": Decimal("24.00"),
    }


def test_tombstone_is_reported_only_if_the_document_existed() -> None:
    store = FakeConnection().store
    never = Document(desired(DocumentKind.INVOICE, "A-A1", tombstone=True))
    voided = Document(desired(DocumentKind.INVOICE, "A", tombstone=True), xero_id="1", xero_status="VOIDED")
    record = OrderRecord("A", state=OrderState.NOT_INVOICED, documents=(voided.key, never.key))
    save(store, record, voided, never)

    (report,) = reported(store, "A")

    assert [(each["number"], each["xero_status"]) for each in report["documents"]] == [("A", "VOIDED")]


def test_order_that_was_not_noticed_is_reported_without_a_state() -> None:
    store = FakeConnection().store

    assert reported(store, "A") == [
        {
            "order_id": "A",
            "status": "",
            "state": "",
            "reason": "",
            "remedy": "",
            "documents": [],
            "confirmation": None,
        }
    ]


def test_report_states_what_amazon_charged_beside_what_the_documents_state_and_the_run_counts_the_confirmed() -> None:
    connection = FakeConnection(
        order(item("24.00"), grand_total="24.00", order_id="A"),
        order(item("10.00"), grand_total="10.00", order_id="B"),
        policy=replace(POLICY, start=NOON - timedelta(days=30)),
    )
    connection.plan_shipments(*connection.read(connection.notice(["A", "B"])).due)
    connection.amazon.transactions = [charge("C1", "A", OurPricePrincipal="24.00"), charge("C2", "B")]
    connection.clock.advance(600)
    connection.sweep_transactions()

    first, second = (each["confirmation"] for each in reported(connection.store, "A", "B"))

    assert (first["state"], first["charged"], first["stated"], first["charges"]) == (
        "CONFIRMED",
        "24.00 GBP",
        "24.00 GBP",
        ["C1"],
    )
    assert (second["state"], second["charged"], second["stated"]) == ("AWAITED", "0.00 GBP", "10.00 GBP")
    lines = confirmed(load_confirmations(connection.store, ["A", "B"]))
    assert lines[0] == "1 of 2 sales confirmed by what Amazon charged"
    assert lines[1].startswith("B                    AWAITED")
