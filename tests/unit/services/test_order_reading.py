"""Reading orders: how few calls it takes, what is recorded, what is wanted in Xero, and what goes wrong with Amazon."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import NextStep, OrderRecord, OrderState
from amazon_to_xero.domain.books.document import Document, DocumentState, Work
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import Account
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.tax.rules import TaxPolicy
from amazon_to_xero.ports.amazon import AmazonNotAuthorised, AmazonThrottled, AmazonUnavailable, Json
from amazon_to_xero.ports.outbound import OrderEvent
from amazon_to_xero.ports.xero import XeroNotAuthorised, XeroUnavailable
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.intake.notices import ChangeNotice, NoticeRecorder
from amazon_to_xero.services.intake.reader import BEFORE_HINT, KNOWN_AFTER, PAGES_FROM, OrderReader, ReadReport
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.planner import BookReport, SourcePlanner
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from fakes.books import ORGANISATION, POLICY
from fakes.orders import UK, breakdown, item, order
from fakes.state import (
    NOON,
    ManualClock,
    MemoryStateStore,
    RecordingDeadLetters,
    RecordingDecisionLog,
    RecordingEvents,
)
from fakes.vendors import ScriptedAmazon, ScriptedXero

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def an_order(order_id: str = "A", price: str = "10.00", updated: datetime = NOON - 10 * MINUTE, **more: Any) -> Json:
    """An order that was placed and not shipped yet: it is booked as soon as it is read."""
    more = {"status": "UNSHIPPED", **more}
    return order(item(price), grand_total=price, order_id=order_id, updated=iso(updated), **more)


def unpriced(order_id: str = "A", updated: datetime = NOON - 10 * MINUTE) -> Json:
    raw = order(item("10.00"), order_id=order_id, status="UNSHIPPED", updated=iso(updated))
    for sold in raw["orderItems"]:
        del sold["proceeds"]
    return raw


def unbalanced(order_id: str = "A", **more: Any) -> Json:
    return order(item("9.00", breakdown("ITEM", "10.00")), grand_total="9.00", order_id=order_id, **more)


class Reading:
    def __init__(self, *orders: Json, policy: PostingPolicy = POLICY) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.amazon = ScriptedAmazon(self.clock, *orders)
        self.xero = ScriptedXero(clock=self.clock)
        self.decisions = RecordingDecisionLog()
        self.dead_letters, self.of_shipments = RecordingDeadLetters(), RecordingDeadLetters()
        self.events = RecordingEvents()
        self.pauses = Pauses(self.store, self.clock, self.decisions)
        self.policy = policy
        self.service = self.restarted()

    def restarted(self) -> OrderReader:
        """Another sandbox of the function: nothing in memory."""
        organisation = OrganisationCache(self.xero, self.store, self.clock, self.policy, self.decisions)
        letters = {ORDERS: self.dead_letters, SHIPMENTS: self.of_shipments}
        self.booking = SourcePlanner(
            "main", self.store, self.policy, organisation, self.pauses, letters, self.clock, self.decisions
        )
        self.service = OrderReader(
            "main",
            self.amazon,
            self.store,
            self.policy,
            self.booking,
            BuyerDetails(),
            self.events,
            self.pauses,
            self.clock,
            self.decisions,
        )
        return self.service

    def remedy(self, ids: Iterable[str], at: datetime | None = None) -> list[str]:
        notices = [ChangeNotice(order_id, at or self.clock.now()) for order_id in ids]
        return NoticeRecorder(self.store, self.clock, self.decisions).note(notices)

    def read(self, named: Iterable[str] = (), deadline: datetime | None = None) -> ReadReport:
        return self.service.read_due(list(named), deadline or self.clock.now() + MINUTE)

    def book(self, *named: str) -> BookReport:
        """What the shipments function does afterwards."""
        return self.booking.book_due(named, self.clock.now() + MINUTE)

    def sweep(self, deadline: datetime | None = None) -> ReadReport:
        return self.service.sweep(deadline or self.clock.now() + MINUTE, NOON - timedelta(days=30))

    def hinted_and_read(self, *ids: str) -> ReadReport:
        return self.read(self.remedy(ids))

    def row(self, order_id: str = "A") -> OrderRecord:
        return self.store.load(OrderRecord, [order_id])[order_id]

    def document(self, order_id: str = "A", kind: DocumentKind = DocumentKind.INVOICE) -> Document:
        return self.store.load(Document, [f"{kind}#{order_id}"])[f"{kind}#{order_id}"]

    def watermark(self) -> str | None:
        return self.store.cursor("sweep#orders").data.get("watermark")


def reading(*orders: Json, **more: Any) -> Reading:
    return Reading(*orders, **more)


# --- how orders are read ----------------------------------------------------------------------------------------------


def test_a_few_orders_are_read_singly_and_at_once() -> None:
    few = PAGES_FROM - 1
    bench = reading(*(an_order(f"A{n}") for n in range(few)))

    report = bench.hinted_and_read(*bench.amazon.orders)

    assert [name for name, _ in bench.amazon.calls] == ["getOrder"] * few
    assert (report.orders, report.stopped) == (few, "")
    assert {bench.row(f"A{n}").standing for n in range(few)} == {OrderState.PLANNED}
    assert len(report.documents) == few + 1  # and their customer


def test_many_orders_are_read_in_pages() -> None:
    bench = reading(*(an_order(f"A{n:03}") for n in range(150)))
    bench.remedy(bench.amazon.orders, NOON - 10 * MINUTE)

    report = bench.read()

    assert bench.amazon.calls[0] == ("searchOrders", "")
    assert [name for name, _ in bench.amazon.calls] == ["searchOrders", "searchOrders"]
    assert (report.orders, report.stopped) == (150, "")
    assert bench.store.due(ORDERS, bench.clock.now(), 999) == []


def test_pages_begin_a_little_before_the_earliest_hint() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(PAGES_FROM)))
    bench.remedy(["A0"], NOON - 30 * MINUTE)
    bench.remedy([f"A{n}" for n in range(1, PAGES_FROM)], NOON - 10 * MINUTE)

    bench.read()

    assert bench.amazon.asked_after[0] == NOON - 30 * MINUTE - BEFORE_HINT


def test_a_fresh_burst_waits_for_the_pages_instead_of_costing_a_call_each() -> None:
    bench = reading(*(an_order(f"A{n:02}", updated=NOON - timedelta(seconds=5)) for n in range(40)))

    report = bench.hinted_and_read(*bench.amazon.orders)

    assert (bench.amazon.calls, report.orders, report.stopped) == ([], 0, "WAITING_FOR_PAGES")
    bench.clock.advance(140)
    assert bench.read().orders == 40
    assert bench.amazon.count("getOrder") == 0


def test_while_a_burst_arrives_a_few_seconds_are_waited_for_the_rest() -> None:
    bench = reading(*(an_order(f"A{n:02}") for n in range(20)))
    bench.remedy([f"A{n:02}" for n in range(10)], NOON - 10 * MINUTE)

    bench.read()

    assert 0 < sum(bench.clock.slept) <= 15


def test_a_hint_long_before_a_burst_does_not_make_its_pages_longer() -> None:
    bench = reading(*(an_order(f"A{n:02}") for n in range(40)), an_order("OLD", updated=NOON - 2 * HOUR), an_order("X"))
    bench.remedy([f"A{n:02}" for n in range(40)], NOON - 10 * MINUTE)
    bench.remedy(["OLD"], NOON - 8 * HOUR)

    assert bench.read().stopped == ""

    assert bench.amazon.asked_after == [NOON - 10 * MINUTE - BEFORE_HINT]
    assert [call for call in bench.amazon.calls if call[0] == "getOrder"] == [("getOrder", "OLD")]


def test_an_outage_of_the_search_alone_leaves_the_single_calls() -> None:
    bench = reading(*(an_order(f"A{n:02}") for n in range(PAGES_FROM)))
    bench.remedy(bench.amazon.orders, NOON - 10 * MINUTE)
    bench.amazon.faults = [AmazonUnavailable("searchOrders", 503, "HTML")]

    report = bench.read()

    assert (report.orders, bench.amazon.count("getOrder")) == (PAGES_FROM, PAGES_FROM)


def test_bursts_leave_some_pages_to_the_sweep() -> None:
    bench = reading(*(an_order(f"A{n:04}", updated=NOON - HOUR) for n in range(400)))
    bench.amazon.page_size = 5
    bench.remedy(bench.amazon.orders, NOON - HOUR)
    bench.read()
    assert bench.amazon.count("searchOrders") < 19

    before = bench.amazon.count("searchOrders")
    bench.sweep()

    assert bench.amazon.count("searchOrders") - before >= 2


def test_a_page_that_shows_none_of_the_wanted_is_followed_by_single_calls() -> None:
    # Given orders whose remedy is newer than their last update by far: pages from the remedy on do not show them
    bench = reading(*(an_order(f"A{n}", updated=NOON - timedelta(days=2)) for n in range(PAGES_FROM)))
    bench.remedy(bench.amazon.orders, NOON - 5 * MINUTE)

    report = bench.read()

    assert (bench.amazon.count("searchOrders"), bench.amazon.count("getOrder")) == (1, PAGES_FROM)
    assert report.orders == PAGES_FROM


def test_orders_in_a_page_that_nobody_hinted_are_recorded_too() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(PAGES_FROM)), an_order("never noticed"))
    bench.remedy([f"A{n}" for n in range(PAGES_FROM)], NOON - 10 * MINUTE)

    bench.read()

    assert bench.row("never noticed").standing is OrderState.PLANNED
    assert bench.document("never noticed").state is DocumentState.PENDING


def test_an_order_named_just_now_is_read_although_the_index_does_not_show_it_yet() -> None:
    bench = reading(an_order())
    bench.store = MemoryStateStore(bench.clock, lag=timedelta(seconds=20))
    bench.restarted()
    due = bench.remedy(["A"])

    assert bench.read().orders == 0
    assert bench.read(due).orders == 1


def test_no_call_is_begun_after_the_deadline() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(3)))
    bench.remedy(bench.amazon.orders)

    report = bench.read(deadline=bench.clock.now())

    assert (bench.amazon.calls, report.stopped) == ([], "OUT_OF_TIME")
    assert bench.read().orders == 3


def test_reading_again_what_is_done_asks_nothing() -> None:
    bench = reading(an_order())
    bench.hinted_and_read("A")
    calls = len(bench.amazon.calls)

    assert bench.read(["A"]) == ReadReport()
    assert len(bench.amazon.calls) == calls


# --- what a reading answers -------------------------------------------------------------------------------------------


def test_a_hint_about_a_change_that_the_page_could_not_show_yet_is_not_answered_by_it() -> None:
    # Given a page of 12:00 that shows what Amazon's search knew at 11:58
    bench = reading(an_order(updated=NOON - 30 * MINUTE))
    bench.sweep()
    # When Amazon speaks of a change at 11:59 and its message arrives after the page
    bench.amazon.hold(an_order(price="12.00", updated=NOON - MINUTE))
    bench.clock.advance(5)
    due = bench.remedy(["A"], NOON - MINUTE)

    bench.read(due)

    assert str(bench.document().desired.total) == "12.00"


def test_a_page_that_is_older_than_an_order_s_newest_hint_does_not_answer_it() -> None:
    bench = reading(*(an_order(f"A{n}", updated=NOON - 20 * MINUTE) for n in range(PAGES_FROM + 1)))
    bench.remedy(bench.amazon.orders, NOON - 20 * MINUTE)
    bench.remedy(["A0"], NOON - timedelta(seconds=30))

    bench.read()

    assert bench.amazon.calls == [("searchOrders", ""), ("getOrder", "A0")]
    assert bench.store.due(ORDERS, bench.clock.now(), 9) == []


def test_a_sweep_s_page_leaves_an_order_due_that_was_hinted_after_what_it_shows() -> None:
    bench = reading(an_order(updated=NOON - 20 * MINUTE))
    bench.remedy(["A"], NOON - timedelta(seconds=30))

    assert bench.sweep().orders == 1

    assert (bench.row().state, bench.row().next_attempt_at) == (OrderState.PLANNED, NOON)


def test_a_burst_s_page_does_not_answer_what_is_said_of_the_two_minutes_it_cannot_show() -> None:
    bench = reading(*(an_order(f"A{n:02}") for n in range(PAGES_FROM)))
    bench.remedy(bench.amazon.orders, NOON - 10 * MINUTE)
    bench.read()
    assert bench.amazon.count("getOrder") == 0

    assert bench.remedy(["A00", "A01"], NOON - MINUTE) == ["A00", "A01"]
    assert bench.remedy(["A02"], NOON - 9 * MINUTE) == []


def test_a_hint_that_arrives_while_the_order_is_read_is_not_lost() -> None:
    bench = reading(an_order())
    due = bench.remedy(["A"], NOON - MINUTE)
    # When a new remedy is stored after the token bucket and the documents, before the order's own row
    bench.store.meanwhile(lambda: None, lambda: None, lambda: bench.remedy(["A"], NOON + MINUTE))

    assert bench.read(due).orders == 1

    assert (bench.row().noticed_at, bench.row().next_attempt_at) == (NOON + MINUTE, NOON)
    bench.read()
    assert (bench.row().state, bench.row().next_attempt_at) == (OrderState.PLANNED, None)


def test_a_hint_from_a_clock_ahead_of_ours_is_answered_by_one_reading() -> None:
    bench = reading(an_order())
    due = bench.remedy(["A"], NOON + timedelta(seconds=3))

    bench.read(due)

    assert bench.row().next_attempt_at is None
    assert bench.remedy(["A"], NOON + timedelta(seconds=3)) == []


# --- what is recorded -------------------------------------------------------------------------------------------------


def test_a_recorded_order_asks_for_its_customer_and_its_invoice() -> None:
    bench = reading(an_order())

    report = bench.hinted_and_read("A")

    invoice = bench.document()
    assert (invoice.state, invoice.next_attempt_at, str(invoice.desired.total)) == (
        DocumentState.PENDING,
        NOON,
        "10.00",
    )
    assert set(report.documents) == {"invoice#A", invoice.desired.references["Contact.ContactID"]}
    assert bench.row().documents == ("invoice#A",)
    assert bench.row().status == "UNSHIPPED"


def test_nothing_of_the_buyer_is_stored_or_said() -> None:
    bench = reading(an_order(), unbalanced("B"))

    bench.hinted_and_read("A", "B")

    stored = json.dumps([row.data for row in bench.store.table.written])
    said = repr(bench.decisions.notes) + repr(bench.dead_letters.letters)
    assert "Canary" not in stored + said
    assert "Region" in stored  # the destination is kept, for the tax


def test_an_older_version_never_replaces_a_newer_one() -> None:
    bench = reading(an_order(price="12.00", updated=NOON - 5 * MINUTE))
    bench.hinted_and_read("A")
    # When Amazon answers with the version before, as its servers sometimes do
    bench.amazon.hold(an_order(price="10.00", updated=NOON - 9 * MINUTE))
    bench.clock.advance(60)
    bench.hinted_and_read("A")

    assert str(bench.document().desired.total) == "12.00"
    assert bench.row().updated == NOON - 5 * MINUTE
    # Then it is read again later, until Amazon shows the newer one
    assert bench.row().next_attempt_at is not None
    bench.amazon.hold(an_order(price="12.00", updated=NOON - 5 * MINUTE))
    bench.clock.advance(61)
    bench.read()
    assert bench.row().next_attempt_at is None


def test_an_unchanged_order_in_a_page_writes_nothing() -> None:
    bench = reading(an_order(), unbalanced("B", updated=iso(NOON - 5 * MINUTE)))
    bench.sweep()
    before = bench.store.writes("ORDER#") + bench.store.writes("DOCUMENT#")

    bench.clock.advance(60)
    report = bench.sweep()

    assert report.orders == 2
    assert report.documents == ()
    assert bench.store.writes("ORDER#") + bench.store.writes("DOCUMENT#") == before


def test_a_hint_about_an_order_that_did_not_change_ends_with_one_write_of_its_row() -> None:
    bench = reading(an_order())
    bench.hinted_and_read("A")
    documents = bench.store.writes("DOCUMENT#")
    bench.clock.advance(60)
    due = bench.remedy(["A"])
    before = bench.store.writes("ORDER#")

    bench.read(due)

    assert bench.store.writes("ORDER#") == before + 1
    assert bench.store.writes("DOCUMENT#") == documents
    assert bench.row().next_attempt_at is None


@pytest.mark.parametrize(
    "broken",
    [
        {"orderId": "B", "lastUpdatedTime": iso(NOON - HOUR)},
        {"orderId": "B"},
        an_order("B") | {"orderItems": "none"},
        an_order("B") | {"salesChannel": None},
        an_order("B") | {"recipient": ["x"]},
        an_order("B") | {"fulfillment": {"fulfillmentStatus": "TELEPORTED"}},
    ],
)
def test_an_order_that_amazon_sends_broken_fails_alone(broken: Json) -> None:
    bench = reading(an_order("A"))
    bench.amazon.orders["B"] = broken

    report = bench.hinted_and_read("B", "A")

    assert (report.orders, bench.row("A").state, bench.row("B").state) == (
        2,
        OrderState.PLANNED,
        OrderState.FAILED,
    )
    assert [letter.order_id for letter in bench.dead_letters.letters] == ["B"]
    assert bench.row("B").reason in ("ORDER_MALFORMED", "UNKNOWN_STATUS")


def test_an_order_of_a_kind_nobody_foresaw_fails_alone_and_says_nothing_of_its_content() -> None:
    bench = reading(an_order("A"))
    bench.amazon.orders["B"] = an_order("B") | {"proceeds": object()}

    report = bench.hinted_and_read("B", "A")

    assert (report.orders, bench.row("A").state) == (2, OrderState.PLANNED)
    assert (bench.row("B").state, bench.row("B").reason) == (OrderState.FAILED, "ORDER_UNREADABLE")
    assert bench.dead_letters.reasons == [("B", "ORDER_UNREADABLE")]


def test_an_order_too_large_for_a_row_is_for_a_person() -> None:
    wide = [item("1.00", item_id=f"{n:014}") for n in range(1200)]
    bench = reading(order(*wide, grand_total="1200.00", order_id="A", updated=iso(NOON - HOUR)))

    bench.hinted_and_read("A")

    assert (bench.row().state, bench.row().reason) == (OrderState.FAILED, "ORDER_TOO_LARGE")
    assert max(len(row.data) for row in bench.store.table.written) < 300_000


def test_the_destination_is_remembered_when_amazon_drops_the_address_of_an_old_order() -> None:
    bench = reading(an_order(ship_to="FR"))
    bench.hinted_and_read("A")
    later = an_order(updated=NOON - MINUTE)
    del later["recipient"]
    bench.amazon.hold(later)
    bench.clock.advance(60)

    bench.hinted_and_read("A")

    assert {line["TaxType"] for line in bench.document().desired.body["LineItems"]} == {"ZERORATEDOUTPUT"}


def test_an_order_keeps_its_invoice_number_when_the_prefix_is_changed() -> None:
    bench = reading(an_order())
    bench.hinted_and_read("A")
    bench.policy = replace(POLICY, invoice_prefix="NEW-")
    bench.restarted()
    bench.amazon.hold(an_order(status="SHIPPED", updated=NOON - MINUTE))
    bench.clock.advance(60)

    bench.hinted_and_read("A")
    bench.book()

    assert (bench.row().number, bench.row().documents) == ("A", ("invoice#A",))
    assert bench.document().desired.body["Status"] == "AUTHORISED"


def test_documents_are_wanted_before_the_order_stops_being_due() -> None:
    # Given a worker that dies between the two writes: the order is read again, the documents stay as they are
    bench = reading(an_order())
    due = bench.remedy(["A"])

    class Killed(BaseException):
        pass

    def dies_on_order_rows() -> None:
        raise Killed

    real = bench.store.save_orders
    bench.store.save_orders = lambda facts: dies_on_order_rows()  # type: ignore[assignment, func-returns-value, method-assign]
    with pytest.raises(Killed):
        bench.read(due)
    bench.store.save_orders = real  # type: ignore[method-assign]

    assert bench.document().state is DocumentState.PENDING
    assert bench.row().next_attempt_at is not None
    written = bench.store.writes("DOCUMENT#")
    assert bench.read(["A"]).orders == 1
    assert bench.store.writes("DOCUMENT#") == written


def test_a_document_row_that_changed_meanwhile_is_decided_again_and_the_newer_fact_wins() -> None:
    bench = reading(an_order(price="10.00", updated=NOON - 9 * MINUTE))
    bench.hinted_and_read("A")
    newest = replace(bench.document().desired, body={"Reference": "newest"}, version=NOON + HOUR)
    bench.amazon.hold(an_order(price="12.00", updated=NOON - 5 * MINUTE))
    bench.clock.advance(60)
    due = bench.remedy(["A"])

    def another_worker_wants_a_newer_version() -> None:
        row = bench.document().with_desired(newest, bench.clock.now())
        assert row is not None
        bench.store.save([row])

    # The token bucket is written first, then the document.
    bench.store.meanwhile(lambda: None, another_worker_wants_a_newer_version)
    bench.read(due)

    assert bench.document().desired.body == {"Reference": "newest"}


# --- orders that were shipped or cancelled ----------------------------------------------------------------------------


def shipped(order_id: str = "A", **more: Any) -> Json:
    return an_order(order_id, **{"status": "SHIPPED", **more})


@pytest.mark.parametrize(
    ("status", "kind"),
    [("SHIPPED", "Order Shipped"), ("PARTIALLY_SHIPPED", "Order Shipped"), ("CANCELLED", "Order Cancelled")],
)
def test_what_was_shipped_or_cancelled_is_left_to_the_shipments_function_and_told(status: str, kind: str) -> None:
    bench = reading(an_order(status=status))

    report = bench.hinted_and_read("A")

    row = bench.row()
    assert (row.state, row.next_step, row.next_attempt_at) == (OrderState.RECORDED, NextStep.PLAN, NOON)
    assert report.orders == 1
    assert not any(key.startswith("invoice") for key in report.documents)
    event = OrderEvent(kind, "A", NOON - 10 * MINUTE, UK)
    assert bench.events.published == [("main", event)]
    assert bench.store.due(SHIPMENTS, NOON, 9) == ["A"]
    assert (bench.book().orders, bench.row().next_attempt_at) == (1, None)


def test_an_order_is_told_only_once_it_is_in_the_table() -> None:
    bench = reading(shipped())
    rows: list[OrderRecord] = []
    publish = bench.events.publish
    bench.events.publish = lambda name, events: rows.append(bench.row()) or publish(name, events)  # type: ignore[func-returns-value, method-assign]

    bench.hinted_and_read("A")

    assert [row.next_step for row in rows] == [NextStep.PLAN]


def test_an_order_whose_row_another_worker_wrote_meanwhile_is_not_told() -> None:
    bench = reading(shipped())
    due = bench.remedy(["A"], NOON - MINUTE)
    # The token bucket is written first, then the customer, then the order's row
    bench.store.meanwhile(lambda: None, lambda: None, lambda: bench.remedy(["A"], NOON + MINUTE))

    bench.read(due)
    assert (bench.row().next_step, bench.events.published) == (NextStep.READ, [])

    bench.read()
    assert bench.events.said == [("Order Shipped", "A")]


def test_what_a_sweep_has_read_is_stored_although_an_older_version_was_booked_meanwhile() -> None:
    bench = reading(shipped())
    bench.hinted_and_read("A")
    bench.amazon.hold(an_order(status="CANCELLED", updated=NOON - 5 * MINUTE))
    # Who books has read nothing: the row it writes is no reason to forget what Amazon said
    bench.store.meanwhile(lambda: None, bench.book)

    bench.sweep()

    assert (bench.row().status, bench.row().next_step) == ("CANCELLED", NextStep.PLAN)


def test_events_that_could_not_be_published_are_said_and_lose_nothing() -> None:
    bench = reading(shipped("A"), an_order("B", status="CANCELLED"))
    bench.events.broken = True

    bench.hinted_and_read("A", "B")

    assert [noted["events"] for noted in bench.decisions.of("EVENTS_NOT_PUBLISHED")] == [1, 1]
    assert bench.store.due(SHIPMENTS, NOON, 9) == ["A", "B"]


def test_what_did_not_change_is_not_told_again() -> None:
    bench = reading(shipped())
    bench.hinted_and_read("A")
    bench.book()
    bench.clock.advance(60)

    bench.hinted_and_read("A")

    assert (len(bench.events.published), bench.row().next_attempt_at) == (1, None)


def test_what_did_not_change_and_was_not_booked_yet_stays_to_be_booked() -> None:
    bench = reading(shipped())
    bench.hinted_and_read("A")
    bench.clock.advance(60)

    bench.hinted_and_read("A")

    assert (bench.row().next_step, bench.store.due(SHIPMENTS, bench.clock.now(), 9)) == (NextStep.PLAN, ["A"])


def test_a_sweep_over_an_order_that_waits_to_be_booked_leaves_it_waiting() -> None:
    bench = reading(shipped())
    bench.hinted_and_read("A")
    bench.clock.advance(60)

    bench.sweep()

    assert bench.store.due(SHIPMENTS, bench.clock.now(), 9) == ["A"]


def test_an_order_shipped_on_a_page_older_than_its_newest_hint_is_read_once_more_before_it_is_booked() -> None:
    bench = reading(shipped(updated=NOON - 20 * MINUTE))
    bench.remedy(["A"], NOON - timedelta(seconds=30))

    bench.sweep()
    assert (bench.row().next_step, bench.row().next_attempt_at, bench.events.published) == (NextStep.READ, NOON, [])

    bench.read()
    assert bench.events.said == [("Order Shipped", "A")]


def test_an_order_keeps_the_shipments_it_had_when_more_of_it_leaves() -> None:
    sold = item("30.00", quantity=3)
    sold["fulfillment"] = {"quantityFulfilled": 1, "quantityUnfulfilled": 2}
    first = order(sold, grand_total="30.00", order_id="A", status="PARTIALLY_SHIPPED", updated=iso(NOON - 9 * MINUTE))
    bench = reading(first)
    bench.hinted_and_read("A")
    bench.amazon.hold({**first, "fulfillment": {"fulfillmentStatus": "SHIPPED"}, "lastUpdatedTime": iso(NOON)})
    bench.clock.advance(60)

    bench.hinted_and_read("A")

    quantities = [dict(shipment.quantities) for shipment in bench.row().shipments]
    assert quantities == [{"10000000000001": 1}, {"10000000000001": 2}]
    assert [shipment.shipped_at for shipment in bench.row().shipments] == [NOON - 9 * MINUTE, NOON]


def test_a_shipped_order_of_a_marketplace_nobody_books_is_a_failure_of_the_reading() -> None:
    bench = reading(shipped(marketplace="A_NEW_ONE"))

    bench.hinted_and_read("A")

    assert bench.dead_letters.reasons == [("A", "UNKNOWN_MARKETPLACE")]
    assert (bench.of_shipments.letters, bench.events.published) == ([], [])


def test_a_shipped_order_that_is_no_sale_is_neither_booked_nor_told() -> None:
    bench = reading(shipped(), policy=replace(POLICY, start=NOON))

    report = bench.hinted_and_read("A")

    assert (bench.row().state, bench.row().reason) == (OrderState.NOT_INVOICED, "BEFORE_START")
    assert (report.documents, bench.events.published) == ((), [])


def test_a_cancelled_order_wants_no_customer() -> None:
    bench = reading(an_order(status="CANCELLED"))

    assert bench.hinted_and_read("A").documents == ()
    bench.book()

    assert bench.store.writes("DOCUMENT#contact") == 0


# --- failures that need a person --------------------------------------------------------------------------------------


def test_a_failed_order_is_reported_once_and_again_only_after_a_hint() -> None:
    bench = reading(unbalanced("A", updated=iso(NOON - 10 * MINUTE)))
    bench.hinted_and_read("A")

    (letter,) = bench.dead_letters.letters
    assert (letter.order_id, letter.reason) == ("A", "ITEM_TOTAL_DIFFERS")
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "order_id": "A"}}
    assert letter.remedy
    assert (bench.row().state, bench.row().next_attempt_at) == (OrderState.FAILED, None)

    bench.clock.advance(900)
    bench.sweep()
    bench.sweep()
    assert len(bench.dead_letters.letters) == 1

    bench.hinted_and_read("A")
    assert len(bench.dead_letters.letters) == 2


def test_the_dead_letter_goes_out_before_the_order_counts_as_failed() -> None:
    bench = reading(unbalanced())
    bench.dead_letters.broken = True
    due = bench.remedy(["A"])

    with pytest.raises(ConnectionError):
        bench.read(due)

    assert bench.row().standing is OrderState.NOTICED
    assert bench.row().next_attempt_at is not None


def test_an_order_is_booked_when_it_is_looked_at_again_after_the_settings_were_mended() -> None:
    bench = reading(an_order(), policy=replace(POLICY, tax=TaxPolicy(())))
    bench.hinted_and_read("A")
    assert bench.row().reason == "TAX_UNMAPPED"

    bench.policy = POLICY
    bench.restarted()
    bench.clock.advance(60)
    bench.hinted_and_read("A")

    assert (bench.row().state, bench.row().reason, bench.row().remedy) == (OrderState.PLANNED, "", "")
    assert bench.document().state is DocumentState.PENDING


def test_an_order_is_booked_when_it_is_looked_at_again_after_xero_was_mended() -> None:
    bench = reading(an_order())
    rates = bench.xero.settings.tax_rates
    good = bench.xero.settings
    bench.xero.settings = replace(good, tax_rates={n: r for n, r in rates.items() if n != "OUTPUT2"})
    bench.hinted_and_read("A")
    assert bench.row().reason == "TAX_RATE_UNUSABLE"

    # The rate exists now, and what was read of the organisation is no longer brand new
    bench.xero.settings = good
    bench.clock.advance(360)
    bench.hinted_and_read("A")

    assert bench.row().standing is OrderState.PLANNED


def test_a_failed_document_of_an_unchanged_order_is_tried_again_after_a_hint() -> None:
    bench = reading(an_order())
    bench.hinted_and_read("A")
    bench.store.save([bench.document().failed("PERIOD_LOCKED", "move the lock date")])
    bench.clock.advance(60)

    report = bench.hinted_and_read("A")

    assert report.documents == ("invoice#A",)
    assert bench.document().state is DocumentState.PENDING


def test_an_order_that_amazon_does_not_know_is_a_failure_with_a_hint() -> None:
    bench = reading()

    bench.read(bench.remedy(["typo"], NOON - KNOWN_AFTER))

    assert (bench.row("typo").state, bench.row("typo").next_attempt_at) == (OrderState.FAILED, None)
    assert bench.dead_letters.reasons == [("typo", "ORDER_NOT_FOUND")]
    assert "check the id" in bench.row("typo").remedy


def test_an_order_that_amazon_does_not_know_yet_is_read_again() -> None:
    bench = reading()
    bench.hinted_and_read("A")
    assert (bench.row().state, bench.dead_letters.letters) == (OrderState.NOTICED, [])

    bench.amazon.hold(an_order(updated=NOON))
    bench.clock.advance(60)
    bench.read()

    assert bench.row().standing is OrderState.PLANNED


# --- orders that are not booked ---------------------------------------------------------------------------------------


def test_a_cancelled_order_takes_back_its_invoice() -> None:
    bench = reading(an_order())
    bench.hinted_and_read("A")
    assert bench.document().desired.body["Status"] == "DRAFT"
    bench.amazon.hold(an_order(status="CANCELLED", updated=NOON - 5 * MINUTE))
    bench.clock.advance(60)

    bench.hinted_and_read("A")
    report = bench.book()

    assert (bench.row().state, bench.row().reason) == (OrderState.NOT_INVOICED, "ORDER_CANCELLED")
    assert report.documents == ("invoice#A",)
    assert (bench.document().desired.tombstone, bench.document().next_attempt_at) == (True, bench.clock.now())


def test_a_cancelled_order_takes_back_the_invoice_that_a_worker_asked_for_before_it_died() -> None:
    # Given the documents of a reading whose order row was never written
    bench = reading(an_order())
    bench.hinted_and_read("A")
    wanted = bench.document().desired
    again = reading(an_order(status="CANCELLED", updated=NOON - 5 * MINUTE))
    again.store.save([Document(wanted, next_attempt_at=NOON)])

    again.hinted_and_read("A")
    again.book()

    # Its content stays: by that it is told from somebody else's document when Xero is looked at
    assert again.document().desired == replace(wanted, tombstone=True, version=NOON - 5 * MINUTE)


def test_a_cancelled_order_s_payment_that_was_not_made_yet_goes_too() -> None:
    paid = replace(POLICY, accounts=replace(POLICY.accounts, clearing={"GBP": "CLR"}))
    bench = reading(an_order(status="SHIPPED"), policy=paid)
    clearing = Account("a-clr", "CLR", "Amazon clearing", "BANK", "GBP", active=True, takes_payments=True)
    bench.xero.settings = replace(ORGANISATION, accounts={**ORGANISATION.accounts, "CLR": clearing})
    bench.hinted_and_read("A")
    bench.book()
    assert bench.row().documents == ("invoice#A", "payment#A")
    bench.amazon.hold(an_order(status="CANCELLED", updated=NOON - 5 * MINUTE))
    bench.clock.advance(60)

    bench.hinted_and_read("A")
    bench.book()

    assert bench.document(kind=DocumentKind.PAYMENT).desired.tombstone


def test_a_cancelled_order_that_was_never_booked_keeps_its_invoice_away() -> None:
    # Given the invoice that a worker, frozen since before the cancellation, is going to ask for
    earlier = reading(an_order(updated=NOON - 10 * MINUTE))
    earlier.hinted_and_read("A")
    bench = reading(an_order(status="CANCELLED", updated=NOON - 5 * MINUTE))

    bench.hinted_and_read("A")
    bench.book()

    assert bench.document().desired.tombstone
    assert bench.document().with_desired(earlier.document().desired, NOON) is None
    assert bench.row().reason == "ORDER_CANCELLED"
    assert bench.dead_letters.letters == []


def test_an_order_without_prices_is_read_again_every_quarter_of_an_hour_and_a_person_is_asked_after_a_day() -> None:
    bench = reading(unpriced())
    bench.hinted_and_read("A")

    assert (bench.row().state, bench.row().next_attempt_at) == (OrderState.NOTICED, NOON + 15 * MINUTE)
    assert bench.row().reason == "PROCEEDS_MISSING"
    bench.clock.advance(15 * 60)
    assert bench.read().orders == 1
    assert bench.dead_letters.letters == []

    bench.clock.advance(24 * 3600)
    bench.read()
    assert bench.dead_letters.reasons == [("A", "PROCEEDS_MISSING")]
    assert bench.row().standing is OrderState.FAILED


def test_an_order_whose_prices_come_later_is_booked_then() -> None:
    bench = reading(unpriced())
    bench.hinted_and_read("A")
    bench.amazon.hold(an_order(updated=NOON + MINUTE))
    bench.clock.advance(15 * 60)

    bench.read()

    assert bench.row().standing is OrderState.PLANNED


def test_many_orders_without_prices_are_read_although_nobody_hinted_them_and_hold_up_no_other() -> None:
    # Given more unpriced orders than are read singly, all of them seen first by the sweep
    ids = [f"U{n:02}" for n in range(PAGES_FROM + 3)]
    bench = reading(*(unpriced(order_id) for order_id in ids))
    bench.sweep()
    bench.clock.advance(15 * 60)
    bench.amazon.hold(an_order("A", updated=NOON + 14 * MINUTE))
    bench.amazon.hold(*(an_order(order_id, updated=NOON - 9 * MINUTE) for order_id in ids))
    due = bench.remedy(["A"], bench.clock.now())

    bench.read(due)

    assert {bench.row(order_id).standing for order_id in ids} == {OrderState.PLANNED}
    assert bench.row("A").standing is OrderState.PLANNED


# --- what goes wrong with Amazon --------------------------------------------------------------------------------------


def test_a_429_empties_the_bucket_for_every_worker() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(3)))
    bench.amazon.faults = [AmazonThrottled("getOrder", 429, "QuotaExceeded")]

    assert bench.hinted_and_read("A0", "A1", "A2").stopped == "AMAZON_QUOTA"
    bench.restarted()
    assert bench.read().stopped == "AMAZON_QUOTA"
    assert bench.amazon.count("getOrder") == 1

    bench.clock.advance(10)
    assert bench.read().orders == 3


def test_a_429_of_one_operation_leaves_the_other_alone() -> None:
    bench = reading(an_order())
    bench.amazon.faults = [AmazonThrottled("searchOrders", 429, "QuotaExceeded")]

    assert bench.sweep().stopped == "AMAZON_QUOTA"
    assert bench.hinted_and_read("A").orders == 1
    assert bench.sweep().stopped == "AMAZON_QUOTA"
    assert bench.amazon.count("searchOrders") == 1


def test_amazon_s_quota_is_kept_by_the_bucket_and_not_by_refusals() -> None:
    bench = reading(*(an_order(f"A{n:02}") for n in range(60)))
    for start in range(0, 60, 6):
        bench.hinted_and_read(*(f"A{n:02}" for n in range(start, start + 6)))

    # Thirty at once and one every two seconds from then on, while a few seconds go by to gather what is arriving
    assert bench.amazon.count("getOrder") <= 30 + sum(bench.clock.slept) / 2
    assert bench.decisions.of("WAITING")[0]["reason"] == "AMAZON_QUOTA"


def test_an_outage_delays_the_one_order_it_met_longer_each_time_and_no_other() -> None:
    bench = reading(an_order("A"), an_order("B"))
    bench.amazon.refused = {"A": AmazonUnavailable("getOrder", 503, "HTML")}

    report = bench.hinted_and_read("A", "B")

    assert (report.orders, report.stopped) == (1, "AMAZON_UNAVAILABLE")
    assert bench.row("B").standing is OrderState.PLANNED
    waits = []
    for _ in range(7):
        due = bench.row("A").next_attempt_at
        assert due is not None
        waits.append((due - bench.clock.now()) / MINUTE)
        bench.clock.advance((due - bench.clock.now()).total_seconds())
        bench.read()
    assert waits == [1, 2, 4, 8, 15, 15, 15]
    assert bench.row("A").reason == "HTML"

    bench.amazon.refused = {}
    bench.clock.advance(900)
    assert bench.read().orders == 1
    assert (bench.row("A").reason, bench.row("A").attempts) == ("", 0)


def test_a_refused_authorisation_pauses_amazon_for_everybody_and_tells_whom_to_ask() -> None:
    bench = reading(an_order("A"), an_order("B"))
    bench.amazon.faults = [AmazonNotAuthorised("getOrder", 403, "Unauthorized")]

    assert bench.hinted_and_read("A", "B").stopped == "AMAZON_NOT_AUTHORISED"
    (paused,) = bench.decisions.of("PAUSED")
    assert "authorise again in Seller Central" in str(paused["remedy"])
    bench.restarted()
    assert (bench.read().stopped, bench.sweep().stopped) == ("AMAZON_PAUSED", "AMAZON_PAUSED")
    assert len(bench.amazon.calls) == 1

    bench.clock.advance(15 * 60)
    assert bench.read().orders == 2
    assert bench.dead_letters.letters == []


@pytest.mark.parametrize(
    "fault", [XeroUnavailable("getOrganisation", 503, "HTTP 503"), XeroNotAuthorised("x", 403, "")]
)
def test_without_the_organisation_s_settings_nothing_is_read_and_nothing_is_lost(fault: Exception) -> None:
    bench = reading(an_order())
    bench.xero.before = [fault]  # type: ignore[list-item]

    report = bench.hinted_and_read("A")

    assert report.stopped.startswith("XERO_")
    assert bench.amazon.calls == []
    bench.clock.advance(16 * 60)
    assert bench.read().orders == 1


# --- the sweep --------------------------------------------------------------------------------------------------------


def test_the_first_sweep_starts_where_it_is_told_and_ends_at_the_limit_that_amazon_echoes() -> None:
    bench = reading(an_order())

    report = bench.sweep()

    assert bench.amazon.asked_after == [NOON - timedelta(days=30)]
    assert bench.watermark() == (NOON - 2 * MINUTE).isoformat()
    assert report.orders == 1


def test_the_next_sweep_overlaps_the_one_before() -> None:
    bench = reading()
    bench.sweep()
    bench.clock.advance(900)

    bench.sweep()

    assert bench.amazon.asked_after[1] == NOON - 12 * MINUTE
    assert bench.watermark() == (NOON + 13 * MINUTE).isoformat()


def test_the_watermark_stays_where_it_is_when_amazon_cannot_be_read() -> None:
    bench = reading()
    bench.sweep()
    before = bench.watermark()
    bench.clock.advance(900)
    bench.amazon.faults = [AmazonUnavailable("searchOrders", 200, "EmptyAnswer")]

    assert bench.sweep().stopped == "AMAZON_UNAVAILABLE"
    assert bench.watermark() == before


def test_the_watermark_moves_only_after_the_last_page_and_to_the_limit_of_the_first() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(5)))
    bench.amazon.page_size = 2
    bench.amazon.faults = [None, AmazonUnavailable("searchOrders", 503, "HTML")]

    assert bench.sweep().stopped == "AMAZON_UNAVAILABLE"
    assert bench.watermark() is None

    # When another sandbox goes on a quarter of an hour later, it asks for the second page of the same sweep
    bench.clock.advance(900)
    bench.restarted()
    report = bench.sweep()

    assert bench.amazon.calls[2][1].endswith("|2")
    assert bench.amazon.asked_after[2] == bench.amazon.asked_after[0]
    assert report.orders == 3
    assert bench.watermark() == (NOON - 2 * MINUTE).isoformat()


def test_a_sweep_out_of_time_keeps_the_pages_it_has() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(4)))
    bench.amazon.page_size = 2
    bench.amazon.after_page = lambda: bench.clock.advance(61)

    assert bench.sweep().stopped == "OUT_OF_TIME"
    assert bench.watermark() is None
    bench.amazon.after_page = None
    assert bench.sweep().orders == 2
    assert bench.watermark() is not None


def test_a_page_token_that_amazon_must_have_forgotten_is_not_used_again() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(3)))
    bench.amazon.page_size = 2
    bench.amazon.faults = [None, AmazonUnavailable("searchOrders", 503, "HTML")]
    bench.sweep()

    bench.clock.advance(21 * 3600)
    report = bench.sweep()

    assert bench.amazon.calls[2] == ("searchOrders", "")
    assert report.orders == 3
    assert bench.watermark() == (NOON + 21 * HOUR - 2 * MINUTE).isoformat()


def test_a_history_too_long_for_amazon_s_memory_is_swept_in_parts_and_the_watermark_gets_on() -> None:
    bench = reading(*(an_order(f"A{n:03}", updated=NOON - timedelta(days=29) + n * HOUR) for n in range(600)))
    bench.amazon.page_size = 1
    marks = []
    for _ in range(90):
        bench.sweep(bench.clock.now() + MINUTE)
        marks.append(bench.watermark() or "")
        bench.clock.advance(5 * 3600)
        if len({row.sk for row in bench.store.table.written if row.sk.startswith("ORDER#")}) == 600:
            break

    assert len({row.sk for row in bench.store.table.written if row.sk.startswith("ORDER#")}) == 600
    assert marks == sorted(marks)
    assert len(set(marks)) > 2


def test_two_sweeps_side_by_side_do_no_harm() -> None:
    bench = reading(*(an_order(f"A{n}") for n in range(3)))
    done: list[ReadReport] = []

    def the_other() -> None:
        bench.amazon.after_page = None
        done.append(bench.sweep())

    bench.amazon.after_page = the_other

    assert bench.sweep().stopped == "SWEEP_TAKEN_OVER"
    assert done[0].stopped == ""
    assert bench.watermark() == (NOON - 2 * MINUTE).isoformat()
    assert {bench.row(f"A{n}").standing for n in range(3)} == {OrderState.PLANNED}


def test_a_sweep_stops_when_amazon_s_quota_is_used_up_and_goes_on_later() -> None:
    bench = reading(*(an_order(f"A{n:02}") for n in range(50)))
    bench.amazon.page_size = 2

    report = bench.sweep()

    assert (report.stopped, report.orders) == ("AMAZON_QUOTA", 38)  # 19 of 20 calls: one is held back
    bench.clock.advance(1300)
    assert bench.sweep().orders == 12
