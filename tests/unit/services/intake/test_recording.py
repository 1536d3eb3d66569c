"""Recording orders: which version is kept, what is stored of it, what is marked for planning, and which orders fail."""

from __future__ import annotations

import json

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.contact import marketplace_customer
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.amazon import AmazonUnavailable, Json, OrderPage
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.orders import UK, item, order
from fakes.state import NOON
from unit.services.amazon_orders import (
    FIRST_VERSION,
    HOUR,
    MINUTE,
    amazon_order,
    amazon_time,
    order_with_wrong_total,
)
from unit.services.interruptions import Killed, before_save, kill

CUSTOMER = marketplace_customer(UK, POLICY.contacts).number


def written_rows(connection: FakeConnection) -> int:
    return connection.store.writes("ORDER#") + connection.store.writes("DOCUMENT#")


def test_unshipped_order_requests_its_customer_and_is_due_for_planning_by_the_orders_capability() -> None:
    connection = FakeConnection(amazon_order())

    report = connection.read(connection.notice(["A"]))

    record = connection.record()
    assert (record.state, record.next_step, record.next_attempt_at) == (OrderState.RECORDED, NextStep.PLAN, NOON)
    assert (record.capability, record.status, record.contact_number) == (ORDERS, "UNSHIPPED", CUSTOMER)
    assert (report.records, report.due, report.documents) == (1, ("A",), (f"contact#{CUSTOMER}",))
    assert connection.document(CUSTOMER, DocumentKind.CONTACT).state is DocumentState.PENDING
    assert connection.events.published == []


def test_planned_draft_requests_its_invoice() -> None:
    connection = FakeConnection(amazon_order())

    report = connection.plan_drafts(*connection.read(connection.notice(["A"])).due)

    invoice = connection.document()
    assert (invoice.state, invoice.next_attempt_at, str(invoice.desired.total)) == (
        DocumentState.PENDING,
        NOON,
        "10.00",
    )
    assert invoice.desired.references["Contact.ContactID"] == f"contact#{CUSTOMER}"
    assert report.documents == connection.record().documents == ("invoice#A",)


def test_buyer_is_neither_stored_nor_logged() -> None:
    connection = FakeConnection(amazon_order(), order_with_wrong_total("B"))

    connection.read(connection.notice(["A", "B"]))
    connection.plan_drafts()

    stored = json.dumps([row.data for row in connection.store.table.written])
    output = repr(connection.decisions.notes) + repr(connection.dead_letters)
    assert "Canary" not in stored + output
    assert "Region" in stored  # the destination is kept, for the tax


def test_destination_is_kept_when_amazon_removes_the_address_of_an_old_order() -> None:
    connection = FakeConnection(amazon_order(ship_to="FR"))
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)
    later = amazon_order(updated=NOON - MINUTE)
    del later["recipient"]
    connection.amazon.hold(later)
    connection.clock.advance(60)

    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)

    assert connection.document().desired.source_version == NOON - MINUTE
    assert {line["TaxType"] for line in connection.document().desired.body["LineItems"]} == {"ZERORATEDOUTPUT"}


# --- versions ---------------------------------------------------------------------------------------------------------


def test_older_version_never_replaces_a_newer_one() -> None:
    newer = amazon_order(price="12.00", updated=NOON - 5 * MINUTE)
    connection = FakeConnection(newer)
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)
    # When Amazon answers with the version before, as its servers sometimes do
    connection.amazon.hold(amazon_order(price="10.00", updated=NOON - 9 * MINUTE))
    connection.clock.advance(60)
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)

    assert str(connection.document().desired.total) == "12.00"
    assert connection.record().version == NOON - 5 * MINUTE
    # Then it is read again until Amazon returns the newer one
    assert connection.record().reading_at is not None
    connection.amazon.hold(newer)
    connection.clock.advance(61)
    connection.read()
    assert connection.record().next_attempt_at is None


def test_newest_of_two_versions_in_one_page_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    newer, older = amazon_order(price="12.00", updated=NOON - 5 * MINUTE), amazon_order(price="10.00")
    connection = FakeConnection(newer)
    limit = NOON - 2 * MINUTE
    monkeypatch.setattr(connection.amazon, "search_orders", lambda **_: OrderPage([newer, older], None, limit))

    connection.plan_drafts(*connection.sweep().due)

    assert str(connection.document().desired.total) == "12.00"


def test_unchanged_order_in_a_page_writes_nothing() -> None:
    connection = FakeConnection(amazon_order(), order_with_wrong_total("B", updated=NOON - 5 * MINUTE))
    connection.plan_drafts(*connection.sweep().due)
    before = written_rows(connection)

    connection.clock.advance(60)
    report = connection.sweep()

    assert report.records == 2
    assert report.documents == report.due == ()
    assert written_rows(connection) == before


def test_notice_of_an_unchanged_order_costs_one_write_of_its_row() -> None:
    connection = FakeConnection(amazon_order())
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)
    documents = connection.store.writes("DOCUMENT#")
    connection.clock.advance(60)
    due = connection.notice(["A"])
    before = connection.store.writes("ORDER#")

    connection.plan_drafts(*connection.read(due).due)

    assert connection.store.writes("ORDER#") == before + 1
    assert connection.store.writes("DOCUMENT#") == documents
    assert connection.record().next_attempt_at is None


# --- rows that are written in between ---------------------------------------------------------------------------------


def test_contact_is_requested_before_the_order_stops_being_due_for_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a worker that dies between the two writes
    connection = FakeConnection(amazon_order())
    due = connection.notice(["A"])
    before_save(monkeypatch, connection.store, OrderRecord, kill)
    with pytest.raises(Killed):
        connection.read(due)

    # Then the order is read again and its contact stays as it is
    assert connection.document(CUSTOMER, DocumentKind.CONTACT).state is DocumentState.PENDING
    assert connection.record().reading_at is not None
    written = connection.store.writes("DOCUMENT#")
    assert connection.read(["A"]).records == 1
    assert connection.store.writes("DOCUMENT#") == written


def test_contact_that_another_worker_changed_in_between_is_requested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = FakeConnection(amazon_order())

    def request_with_another_name() -> None:
        named = marketplace_customer(UK, POLICY.contacts).desired_document(NOON, "B")
        connection.store.save([Document(named, DocumentState.APPLIED, xero_id="id-1", applied_digest="another")])

    before_save(monkeypatch, connection.store, Document, request_with_another_name)
    report = connection.read(connection.notice(["A"]))

    assert report.due == ("A",)
    assert connection.document(CUSTOMER, DocumentKind.CONTACT).xero_id == "id-1"


# --- orders that fail -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "malformed",
    [
        {"orderId": "B", "lastUpdatedTime": amazon_time(NOON - HOUR)},
        {"orderId": "B"},
        amazon_order("B") | {"orderItems": "none"},
        amazon_order("B") | {"salesChannel": None},
        amazon_order("B") | {"recipient": ["x"]},
        amazon_order("B") | {"fulfillment": {"fulfillmentStatus": "TELEPORTED"}},
    ],
)
def test_malformed_order_fails_alone(malformed: Json) -> None:
    connection = FakeConnection(amazon_order("A"))
    connection.amazon.orders["B"] = malformed

    report = connection.read(connection.notice(["B", "A"]))

    assert (report.records, connection.record("A").state, connection.record("B").state) == (
        2,
        OrderState.RECORDED,
        OrderState.FAILED,
    )
    assert [letter.order_id for letter in connection.dead_letters[ORDERS].letters] == ["B"]
    assert connection.record("B").reason in ("ORDER_MALFORMED", "UNKNOWN_STATUS")


def test_order_that_the_code_cannot_process_fails_alone_and_nothing_of_it_is_stored() -> None:
    connection = FakeConnection(amazon_order("A"))
    connection.amazon.orders["B"] = amazon_order("B") | {"proceeds": object()}

    report = connection.read(connection.notice(["B", "A"]))

    assert (report.records, connection.record("A").state) == (2, OrderState.RECORDED)
    failed = connection.record("B")
    assert (failed.state, failed.reason, failed.content) == (OrderState.FAILED, "ORDER_UNREADABLE", None)
    assert connection.dead_letters[ORDERS].reasons == [("B", "ORDER_UNREADABLE")]


def test_order_too_large_for_a_row_fails() -> None:
    items = [item("1.00", item_id=f"{n:014}") for n in range(1200)]
    connection = FakeConnection(order(*items, grand_total="1200.00", order_id="A", updated=amazon_time(NOON - HOUR)))

    connection.read(connection.notice(["A"]))

    assert (connection.record().state, connection.record().reason) == (OrderState.FAILED, "ORDER_TOO_LARGE")
    assert max(len(row.data) for row in connection.store.table.written) < 300_000


def test_failed_order_is_dead_lettered_once_and_again_only_after_a_notice() -> None:
    connection = FakeConnection(order_with_wrong_total())
    letters = connection.dead_letters[ORDERS].letters
    connection.read(connection.notice(["A"]))

    (letter,) = letters
    assert (letter.order_id, letter.reason) == ("A", "ITEM_TOTAL_DIFFERS")
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "source": "order#A"}}
    assert letter.remedy
    assert (connection.record().state, connection.record().next_attempt_at) == (OrderState.FAILED, None)

    connection.clock.advance(900)
    connection.sweep()
    connection.sweep()
    assert len(letters) == 1

    connection.read(connection.notice(["A"]))
    assert len(letters) == 2


def test_order_whose_dead_letter_cannot_be_sent_holds_back_no_other_and_fails_when_it_can() -> None:
    connection = FakeConnection(order_with_wrong_total(), amazon_order(order_id="B"))
    connection.dead_letters[ORDERS].broken = True

    connection.read(connection.notice(["A", "B"]))

    assert connection.record("B").state is OrderState.RECORDED
    assert (connection.record().state, connection.record().reason) == (OrderState.NOTICED, "DEAD_LETTER_NOT_SENT")
    connection.dead_letters[ORDERS].broken = False
    connection.clock.advance(60)
    connection.read()
    assert connection.record().state is OrderState.FAILED
    assert connection.dead_letters[ORDERS].reasons == [("A", "ITEM_TOTAL_DIFFERS")]


def test_unchanged_order_with_a_failed_document_is_planned_again_after_a_notice() -> None:
    connection = FakeConnection(amazon_order())
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)
    connection.store.save([connection.document().failed(FailureCode.PERIOD_LOCKED, "Move the lock date.")])
    connection.clock.advance(60)

    report = connection.plan_drafts(*connection.read(connection.notice(["A"])).due)

    assert report.documents == ("invoice#A",)
    assert connection.document().state is DocumentState.PENDING


# --- orders without a sale --------------------------------------------------------------------------------------------


def test_pending_order_is_recorded_as_not_invoiced_until_it_is_paid() -> None:
    connection = FakeConnection(amazon_order(status="PENDING"))
    report = connection.read(connection.notice(["A"]))

    assert (report.due, report.documents) == ((), ())
    assert (connection.record().state, connection.record().reason) == (OrderState.NOT_INVOICED, "ORDER_PENDING")
    assert connection.record().version == FIRST_VERSION

    connection.amazon.hold(amazon_order(updated=NOON))
    connection.clock.advance(60)
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)
    assert connection.record().state is OrderState.PLANNED


def test_reason_of_a_repeated_read_does_not_stay_on_a_planned_order() -> None:
    connection = FakeConnection(amazon_order())
    connection.plan_drafts(*connection.read(connection.notice(["A"])).due)
    connection.clock.advance(60)
    connection.amazon.faults = [AmazonUnavailable("getOrder", 503, "HTML")]
    connection.read(connection.notice(["A"]))
    assert (connection.record().state, connection.record().reason) == (OrderState.PLANNED, "HTML")

    connection.clock.advance(60)
    connection.read()

    record = connection.record()
    assert (record.state, record.reason, record.attempts, record.next_attempt_at) == (OrderState.PLANNED, "", 0, None)


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (amazon_order(status="PENDING"), "ORDER_PENDING"),
        (amazon_order(status="CANCELLED"), "ORDER_CANCELLED"),
        (amazon_order(price="0.00"), "ZERO_VALUE"),
    ],
)
def test_reason_of_a_repeated_read_does_not_stay_on_an_order_that_is_not_invoiced(order: Json, reason: str) -> None:
    connection = FakeConnection(order)
    for faults in ([], [AmazonUnavailable("getOrder", 503, "HTML")]):
        connection.amazon.faults = list(faults)
        connection.read(connection.notice(["A"]))
        connection.plan_drafts()
        connection.plan_shipments()
        connection.clock.advance(60)
    assert (connection.record().state, connection.record().reason) == (OrderState.NOT_INVOICED, "HTML")

    connection.read()
    connection.plan_drafts()
    connection.plan_shipments()

    record = connection.record()
    assert (record.state, record.reason, record.next_attempt_at) == (OrderState.NOT_INVOICED, reason, None)
