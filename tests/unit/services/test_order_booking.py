"""Booking what was read: what is asked for, who wins when two work at once, what waits, and what a person is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order import last_updated, parse_order
from amazon_to_xero.domain.amazon.order_record import NextStep, OrderRecord, OrderState
from amazon_to_xero.domain.amazon.shipment import shipments_of
from amazon_to_xero.domain.books.contact import marketplace_customer
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState, Work
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import Account
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroUnavailable
from amazon_to_xero.runtime.privacy import storable_order
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.planner import BookReport, SourcePlanner, want
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.posting.poster import DocumentPoster
from fakes.booked import paid_from
from fakes.books import ORGANISATION, POLICY
from fakes.orders import UK, item, order
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDeadLetters, RecordingDecisionLog
from fakes.vendors import ScriptedXero, lost

MINUTE = timedelta(minutes=1)
CUSTOMER = marketplace_customer(UK, POLICY).desired(NOON, "")
CLEARING = Account("a-clr", "CLR", "Amazon clearing", "BANK", "GBP", active=True, takes_payments=True)
WITH_CLEARING = replace(ORGANISATION, accounts={**ORGANISATION.accounts, "CLR": CLEARING})
PAYING = paid_from(POLICY, GBP="CLR")


def shipped(order_id: str = "A", price: str = "10.00", minutes: int = 0, **more: Any) -> Json:
    """The version of the order of that many minutes after the first one."""
    updated = (NOON + minutes * MINUTE - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return order(item(price), grand_total=price, order_id=order_id, updated=updated, **more)


class Booking:
    """One connection after its orders were read: `read` is what the reading leaves in the table."""

    def __init__(self, *orders: Json, policy: PostingPolicy = PAYING, lag: timedelta = timedelta()) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock, lag=lag)
        self.xero = ScriptedXero(WITH_CLEARING, clock=self.clock)
        self.decisions = RecordingDecisionLog()
        self.letters = {work: RecordingDeadLetters() for work in Work}
        self.pauses = Pauses(self.store, self.clock, self.decisions)
        self.policy = policy
        want(self.store, self.clock, [CUSTOMER])
        self.read(*orders)
        self.service = self.restarted()

    def restarted(self) -> SourcePlanner:
        organisation = OrganisationCache(self.xero, self.store, self.clock, self.policy, self.decisions)
        self.service = SourcePlanner(
            "main", self.store, self.policy, organisation, self.pauses, self.letters, self.clock, self.decisions
        )
        return self.service

    def read(self, *orders: Json) -> None:
        for raw in orders:
            fact = self.store.load(OrderRecord, [raw["orderId"]]).get(raw["orderId"]) or OrderRecord(raw["orderId"])
            content = storable_order(raw)
            made = parse_order(content)
            read = replace(
                fact,
                updated=last_updated(raw),
                content=content,
                status=made.status.value,
                shipments=shipments_of(made, fact.shipments),
                customer=CUSTOMER.number,
            )
            assert self.store.save([read.to_be_booked(self.clock.now())])

    def book(self, *named: str, seconds: float = 60) -> BookReport:
        return self.service.book_due(named, self.clock.now() + timedelta(seconds=seconds))

    def post(self) -> None:
        at_hand = (BuyerDetails(), lambda _: None)
        poster = DocumentPoster(
            "main", self.xero, self.store, self.pauses, self.letters, *at_hand, self.clock, self.decisions
        )
        poster.post_due([], self.clock.now() + MINUTE)

    def row(self, order_id: str = "A") -> OrderRecord:
        return self.store.load(OrderRecord, [order_id])[order_id]

    def document(self, number: str = "A", kind: DocumentKind = DocumentKind.INVOICE) -> Document:
        return self.store.load(Document, [f"{kind}#{number}"])[f"{kind}#{number}"]

    def documents(self) -> dict[str, Document]:
        keys = {row.sk.removeprefix("DOCUMENT#") for row in self.store.table.written if row.sk.startswith("DOCUMENT#")}
        return self.store.load(Document, keys - {CUSTOMER.key})

    def wanted(self) -> set[str]:
        return {key for key, document in self.documents().items() if not document.desired.tombstone}

    def paid(self) -> Decimal:
        return sum((p["Amount"] for p in self.xero.books["Payments"].values()), Decimal(0))


def booking(*orders: Json, **more: Any) -> Booking:
    return Booking(*orders, **more)


# --- what is booked ---------------------------------------------------------------------------------------------------


def test_an_order_that_is_due_asks_for_its_documents_and_wants_nothing_more() -> None:
    bench = booking(shipped())

    report = bench.book()

    assert report == BookReport(1, ("invoice#A", "payment#A"))
    row = bench.row()
    assert (row.state, row.next_attempt_at, row.number) == (OrderState.PLANNED, None, "A")
    assert row.documents == ("invoice#A", "payment#A")
    assert {d.state for d in bench.documents().values()} == {DocumentState.PENDING}
    assert bench.decisions.of("BOOKED") == [{"order_id": "A", "status": "SHIPPED"}]


def test_booking_what_is_booked_writes_nothing() -> None:
    bench = booking(shipped())
    bench.book()
    written = len(bench.store.table.written)

    assert bench.book("A") == BookReport()
    assert len(bench.store.table.written) == written


def test_an_order_named_just_now_is_booked_although_the_index_does_not_show_it_yet() -> None:
    bench = booking(shipped(), lag=timedelta(seconds=20))

    assert bench.book().orders == 0
    assert bench.book("A").orders == 1


def test_an_order_that_wants_reading_first_is_left_alone() -> None:
    bench = booking(shipped())
    noticed = bench.row().noticed(NOON, NOON)
    assert noticed is not None
    bench.store.save([noticed])

    assert bench.book("A").orders == 0
    assert bench.wanted() == set()


def test_an_order_that_waits_is_not_booked_before_its_time() -> None:
    bench = booking(shipped())
    bench.store.save([bench.row().to_be_booked(NOON + MINUTE)])

    assert bench.book("A").orders == 0
    bench.clock.advance(60)
    assert bench.book("A").orders == 1


def test_many_orders_are_booked_in_few_reads_of_the_table() -> None:
    bench = booking(*(shipped(f"A{n:03}") for n in range(100)))
    bench.book()
    bench.read(*(shipped(f"A{n:03}", price="12.00", minutes=1) for n in range(100)))
    before = bench.store.table.reads

    assert bench.book().orders == 100

    assert bench.store.table.reads - before <= 8
    assert all(bench.document(f"A{n:03}").desired.total == Decimal("12.00") for n in range(100))


def test_nothing_is_begun_after_the_deadline() -> None:
    bench = booking(shipped())

    assert bench.book(seconds=0) == BookReport(stopped="OUT_OF_TIME")
    assert bench.row().next_step is NextStep.PLAN


def test_an_order_that_is_not_priced_yet_goes_back_to_reading() -> None:
    raw = shipped()
    raw["orderItems"][0]["proceeds"], raw["proceeds"] = {}, {}
    bench = booking(raw)

    bench.book()

    row = bench.row()
    assert (row.state, row.next_step, row.reason) == (OrderState.NOTICED, NextStep.READ, "PROCEEDS_MISSING")
    assert row.next_attempt_at == NOON + 15 * MINUTE


def test_nothing_of_the_buyer_is_said() -> None:
    bench = booking(shipped(), shipped("B", marketplace="A_NEW_ONE"))

    bench.book()

    said = repr(bench.decisions.notes) + repr(bench.letters)
    assert "Canary" not in said + json.dumps([row.data for row in bench.store.table.written])


# --- two at once ------------------------------------------------------------------------------------------------------


def test_a_document_that_somebody_else_changed_meanwhile_has_the_order_worked_out_again() -> None:
    # Given an invoice that was approved and not paid yet, because nobody had named a clearing account
    bench = booking(shipped(), policy=POLICY)
    bench.book()
    bench.post()
    bench.policy = PAYING
    bench.restarted()
    bench.read(shipped(price="12.00", minutes=1))

    def somebody_has_it_paid() -> None:
        paid = DesiredDocument(
            DocumentKind.PAYMENT, "A", {"Amount": Decimal(10)}, version=NOON - 59 * MINUTE, order_id="A"
        )
        bench.store.save([Document(paid, DocumentState.APPLIED, xero_id="id-p", applied_digest=paid.digest)])
        # and touches the invoice, as a poster does
        bench.store.save([replace(bench.document(), attempts=9)])

    bench.store.meanwhile(somebody_has_it_paid)
    bench.book()

    # Then the paid invoice stays as it is, and the difference has an invoice of its own
    assert bench.document().desired.total == Decimal("10.00")
    assert bench.document("A-A1").desired.total == Decimal("2.00")
    assert bench.row().standing is OrderState.PLANNED


def test_a_payment_claimed_meanwhile_stops_the_change_of_its_invoice() -> None:
    bench = booking(shipped())
    bench.book()
    bench.store.save([bench.document().applied("id-1", "AUTHORISED", bench.document().desired.digest, NOON)])
    bench.read(shipped(price="12.00", minutes=1))

    def the_poster_claims_the_payment() -> None:
        assert bench.store.save([bench.document(kind=DocumentKind.PAYMENT).claimed(bench.clock.now())])

    bench.store.meanwhile(the_poster_claims_the_payment)
    bench.book()

    row = bench.row()
    assert (row.state, row.next_step, row.reason) == (OrderState.RECORDED, NextStep.PLAN, "WAITING_FOR_OUTCOME")
    assert row.next_attempt_at == NOON + MINUTE
    assert bench.document().desired.total == Decimal("10.00")
    assert not bench.document(kind=DocumentKind.PAYMENT).desired.tombstone


@pytest.mark.parametrize("was_made", [True, False])
def test_what_waited_for_the_outcome_of_a_payment_is_booked_once_it_is_known(was_made: bool) -> None:
    bench = booking(shipped())
    bench.book()
    faults: list[Any] = [None, None, lost(), lost()]  # customer, invoice, payment and its repetition
    if was_made:
        bench.xero.after = faults
    else:
        bench.xero.before = faults
    bench.post()
    assert bench.document(kind=DocumentKind.PAYMENT).state is DocumentState.UNKNOWN
    bench.read(shipped(price="12.00", minutes=1))
    bench.book()
    assert bench.row().reason == "WAITING_FOR_OUTCOME"

    for _ in range(4):
        bench.clock.advance(240)
        bench.post()
        bench.book()
        bench.post()

    assert bench.row().standing is OrderState.PLANNED
    assert bench.wanted() == {"invoice#A", "payment#A", "invoice#A-A1", "payment#A-A1"}
    assert bench.paid() == Decimal("12.00")


def test_a_row_of_an_older_version_asks_for_nothing() -> None:
    # Given a worker that has read the row of the first version and sleeps while the next one is booked
    bench = booking(shipped())
    stale = bench.row()
    bench.read(shipped(price="12.00", minutes=1))
    bench.book()
    written = bench.store.writes("DOCUMENT#")

    rows, changed = bench.service.book([stale], SHIPMENTS)

    assert (changed, bench.store.writes("DOCUMENT#")) == ([], written)
    assert bench.store.save(list(rows.values())) == {}
    assert bench.document().desired.total == Decimal("12.00")


def test_a_row_of_an_older_version_asks_for_nothing_where_the_newer_one_wants_no_documents() -> None:
    bench = booking(shipped())
    stale = bench.row()
    bench.read(shipped(minutes=1, status="CANCELLED"))
    bench.book()

    bench.service.book([stale], SHIPMENTS)

    assert bench.wanted() == set()


def test_an_order_row_that_is_read_anew_meanwhile_stays_due() -> None:
    bench = booking(shipped())
    bench.store.meanwhile(lambda: None, lambda: None, lambda: bench.read(shipped(price="12.00", minutes=1)))

    bench.book()
    assert (bench.row().next_step, bench.row().next_attempt_at) == (NextStep.PLAN, NOON)

    bench.book()
    assert bench.document().desired.total == Decimal("12.00")


def test_documents_that_keep_changing_leave_the_order_due_in_a_minute_and_hold_up_no_other() -> None:
    bench = booking(shipped(), shipped("B"))
    bench.book()
    bench.read(shipped(price="12.00", minutes=1), shipped("B", price="12.00", minutes=1))

    real = bench.store.save_documents

    def save(documents: Iterable[Document]) -> dict[str, Document]:
        documents = list(documents)
        if any(document.key == "payment#A" for document in documents):
            payment = bench.document(kind=DocumentKind.PAYMENT)
            real([replace(payment, attempts=payment.attempts + 1)])
        return real(documents)

    bench.store.save_documents = save  # type: ignore[assignment, method-assign]
    bench.book()

    assert (bench.row().next_step, bench.row().next_attempt_at) == (NextStep.PLAN, NOON + MINUTE)
    assert bench.row("B").standing is OrderState.PLANNED
    # Nobody could pay the invoice while it changes: its own row was not touched
    assert bench.document().desired.total == Decimal("10.00")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after_waves", [0, 1, 2, 3])
def test_a_worker_that_dies_between_the_waves_leaves_what_booking_again_makes_right(after_waves: int) -> None:
    # Given an approved invoice whose payment was not made yet, and a new price: the payment goes, the invoice changes,
    # the payment comes back
    bench = booking(shipped())
    bench.book()
    bench.store.save([bench.document().applied("id-1", "AUTHORISED", bench.document().desired.digest, NOON)])
    bench.xero.hold("Invoices", {"InvoiceID": "id-1", "InvoiceNumber": "A", "AmountDue": Decimal(10)})
    bench.read(shipped(price="12.00", minutes=1))
    steps = 0
    real = bench.store.save_documents

    def save(documents: Any) -> dict[str, Document]:
        nonlocal steps
        if steps == after_waves:
            raise Killed
        steps += 1
        return real(documents)

    bench.store.save_documents = save  # type: ignore[method-assign]
    if after_waves < 3:
        with pytest.raises(Killed):
            bench.book()
    else:
        bench.store.save_orders = lambda facts: (_ for _ in ()).throw(Killed)  # type: ignore[assignment, method-assign]
        with pytest.raises(Killed):
            bench.book()
        del bench.store.save_orders  # type: ignore[method-assign]
    bench.store.save_documents = real  # type: ignore[method-assign]

    # When the poster comes first, it pays nothing that is wrong
    bench.post()
    assert bench.paid() in (Decimal(0), Decimal("10.00") if after_waves == 0 else Decimal("12.00"))
    bench.book()
    bench.post()
    bench.book()
    bench.post()

    assert bench.row().standing is OrderState.PLANNED
    assert bench.paid() == Decimal("12.00")
    invoices = [i["Total"] if "Total" in i else i["AmountDue"] for i in bench.xero.books["Invoices"].values()]
    assert sum(invoices) in (Decimal("12.00"), Decimal("2.00"))  # changed, or paid as it was and supplemented


# --- failures ---------------------------------------------------------------------------------------------------------


def test_an_order_that_needs_a_person_is_told_in_the_queue_of_the_work_and_holds_up_no_other() -> None:
    bench = booking(shipped(), shipped("B", marketplace="A_NEW_ONE"), shipped("C"))

    assert bench.book().orders == 3

    (letter,) = bench.letters[SHIPMENTS].letters
    assert (letter.order_id, letter.reason) == ("B", "UNKNOWN_MARKETPLACE")
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "order_id": "B"}}
    assert (bench.row("B").state, bench.row("B").next_attempt_at, bool(bench.row("B").remedy)) == (
        OrderState.FAILED,
        None,
        True,
    )
    assert {bench.row(each).standing for each in "AC"} == {OrderState.PLANNED}


@pytest.mark.parametrize("work", list(Work))
def test_a_failure_is_told_in_the_queue_of_whoever_books(work: Work) -> None:
    bench = booking(shipped(marketplace="A_NEW_ONE"))

    bench.service.book([bench.row()], work)

    assert {each: len(letters.letters) for each, letters in bench.letters.items()} == {
        each: int(each is work) for each in Work
    }


def test_the_dead_letter_goes_out_before_the_order_counts_as_failed() -> None:
    bench = booking(shipped(marketplace="A_NEW_ONE"))
    bench.letters[SHIPMENTS].broken = True

    with pytest.raises(ConnectionError):
        bench.book()

    assert (bench.row().state, bench.row().next_attempt_at) == (OrderState.RECORDED, NOON)


def test_an_order_is_refused_once_however_many_looks_at_its_documents_it_takes() -> None:
    # Given a long history of documents, and a clearing account that was closed before the newest difference
    bench = booking(shipped())
    for minutes, price in ((1, "12.00"), (2, "11.00"), (3, "14.00")):
        bench.book()
        bench.post()
        bench.read(shipped(price=price, minutes=minutes))
    bench.xero.settings = replace(
        WITH_CLEARING, accounts={**WITH_CLEARING.accounts, "CLR": replace(CLEARING, active=False)}
    )
    bench.clock.advance(600)
    bench.restarted()
    bench.store.save_cursor(replace(bench.store.cursor("organisation"), data={}))
    calls = len(bench.xero.writes())

    bench.book()

    assert bench.letters[SHIPMENTS].reasons == [("A", "CLEARING_UNUSABLE")]
    assert bench.row().standing is OrderState.FAILED
    assert len(bench.xero.writes()) == calls


def test_what_is_refused_without_having_seen_all_documents_may_be_booked_with_them() -> None:
    # Given a difference that is booked and paid, an order's row that does not name it, as after a crash, and a clearing
    # account that was closed since
    bench = booking(shipped())
    for minutes, price in ((1, "12.00"), (2, "12.00")):
        bench.book()
        bench.post()
        bench.read(shipped(price=price, minutes=minutes))
    bench.store.save([replace(bench.row(), documents=())])
    closed = replace(CLEARING, active=False)
    bench.xero.settings = replace(WITH_CLEARING, accounts={**WITH_CLEARING.accounts, "CLR": closed})
    bench.store.save_cursor(replace(bench.store.cursor("organisation"), data={}))
    bench.clock.advance(600)
    bench.restarted()

    bench.book()

    assert (bench.row().state, bench.letters[SHIPMENTS].letters) == (OrderState.PLANNED, [])
    assert {"invoice#A-A1", "payment#A-A1"} <= set(bench.row().documents)


def test_an_order_of_a_kind_nobody_foresaw_fails_alone() -> None:
    bench = booking(shipped(), shipped("B"))
    odd = bench.row("B")
    bench.store.save([replace(odd, content={**(odd.content or {}), "orderItems": "none"})])
    bench.read(shipped("C"))
    bench.store.save(
        [Document(DesiredDocument(DocumentKind.PAYMENT, "C", {}), DocumentState.APPLIED, xero_id="id-9")]
    )
    bench.store.save(
        [
            Document(
                DesiredDocument(DocumentKind.INVOICE, "C", {"LineItems": [{}]}, line_origins=("x",)),
                DocumentState.APPLIED,
                xero_id="id-8",
            )
        ]
    )

    bench.book()

    assert bench.row("A").standing is OrderState.PLANNED
    assert {each: bench.row(each).reason for each in "BC"} == {"B": "ORDER_MALFORMED", "C": "ORDER_UNREADABLE"}
    assert sorted(bench.letters[SHIPMENTS].reasons) == [("B", "ORDER_MALFORMED"), ("C", "ORDER_UNREADABLE")]


def test_a_customer_that_failed_is_tried_again_with_each_order_that_needs_it() -> None:
    bench = booking(shipped())
    (contact,) = bench.store.load(Document, [CUSTOMER.key]).values()
    bench.store.save([contact.failed("CONTACT_ARCHIVED", "restore it")])

    bench.book()
    bench.post()

    assert bench.store.load(Document, [CUSTOMER.key])[CUSTOMER.key].state is DocumentState.APPLIED
    assert bench.xero.invoice("A")["Status"] == "AUTHORISED"


def test_a_document_that_failed_is_tried_again_when_its_order_is_booked_again() -> None:
    bench = booking(shipped())
    bench.book()
    bench.store.save([bench.document().failed("PERIOD_LOCKED", "move the lock date")])
    bench.store.save([bench.row().to_be_booked(NOON)])

    assert bench.book().documents == ("invoice#A",)
    assert bench.document().state is DocumentState.PENDING


# --- Xero cannot be asked ---------------------------------------------------------------------------------------------


def test_without_the_organisation_s_settings_nothing_is_booked_and_nothing_is_lost() -> None:
    bench = booking(shipped())
    bench.xero.before = [XeroUnavailable("getOrganisation", 503, "HTTP 503")]

    assert bench.book().stopped.startswith("XERO_")
    assert bench.book().stopped == "XERO_PAUSED"
    assert (bench.row().state, bench.row().next_step) == (OrderState.RECORDED, NextStep.PLAN)

    bench.clock.advance(900)
    assert bench.book().orders == 1


def test_an_order_is_booked_when_it_is_looked_at_again_after_xero_was_mended() -> None:
    bench = booking(shipped())
    closed = replace(CLEARING, active=False)
    bench.xero.settings = replace(WITH_CLEARING, accounts={**WITH_CLEARING.accounts, "CLR": closed})
    bench.book()
    assert bench.row().reason == "CLEARING_UNUSABLE"

    bench.xero.settings = WITH_CLEARING
    bench.clock.advance(360)
    bench.store.save([bench.row().to_be_booked(bench.clock.now())])
    bench.book()

    assert bench.row().standing is OrderState.PLANNED


def test_an_order_is_not_refused_by_remembered_settings_while_xero_cannot_be_asked() -> None:
    bench = booking(shipped())
    closed = replace(CLEARING, active=False)
    bench.xero.settings = replace(WITH_CLEARING, accounts={**WITH_CLEARING.accounts, "CLR": closed})
    assert bench.service.not_now() == ""
    bench.clock.advance(360)
    bench.xero.before = [XeroUnavailable("getOrganisation", 503, "HTTP 503")]

    bench.book()

    assert (bench.row().state, bench.row().reason) == (OrderState.RECORDED, "XERO_UNAVAILABLE")
    assert bench.row().next_attempt_at == bench.clock.now() + 5 * MINUTE
    assert bench.letters[SHIPMENTS].letters == []


# --- posted -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("per", list(InvoicePer))
def test_a_whole_life_through_the_table_and_the_ledger(per: InvoicePer) -> None:
    bench = booking(shipped(), policy=replace(PAYING, invoice_per=per))
    for minutes, raw in enumerate(
        [
            shipped(),
            shipped(price="12.00", minutes=1),
            shipped(price="9.00", minutes=2),
            shipped(minutes=3, status="CANCELLED"),
            shipped(price="9.00", minutes=4),
        ]
    ):
        bench.read(raw)
        bench.book()
        bench.post()
        assert bench.row().next_attempt_at is None, minutes
        assert {document.state for document in bench.documents().values()} == {DocumentState.APPLIED}

    invoices = {i["InvoiceNumber"]: i["Total"] for i in bench.xero.books["Invoices"].values()}
    notes = {n["CreditNoteNumber"]: n["Total"] for n in bench.xero.books["CreditNotes"].values()}
    assert (invoices, notes) == (
        {"A": Decimal("10.00"), "A-A1": Decimal("2.00"), "A-A4": Decimal("9.00")},
        {"A-A2": Decimal("3.00"), "A-A3": Decimal("9.00")},
    )
    assert all(not i["AmountDue"] for i in bench.xero.books["Invoices"].values())
    assert all(not n["RemainingCredit"] for n in bench.xero.books["CreditNotes"].values())


# --- wanting documents ------------------------------------------------------------------------------------------------


def test_wanting_the_same_again_changes_nothing() -> None:
    bench = booking()

    assert want(bench.store, bench.clock, [CUSTOMER]) == []
    renamed = replace(CUSTOMER, body={**CUSTOMER.body, "Name": "Another"})
    assert want(bench.store, bench.clock, [renamed]) == [CUSTOMER.key]


def test_a_wish_that_loses_to_another_writer_is_wished_again() -> None:
    bench = booking()
    renamed = replace(CUSTOMER, body={**CUSTOMER.body, "Name": "Another"})

    def touch() -> None:
        (row,) = bench.store.load(Document, [CUSTOMER.key]).values()
        bench.store.save([replace(row, attempts=row.attempts + 1)])

    bench.store.meanwhile(touch, touch)

    assert want(bench.store, bench.clock, [renamed]) == [CUSTOMER.key]
    (row,) = bench.store.load(Document, [CUSTOMER.key]).values()
    assert (row.desired.body["Name"], row.attempts) == ("Another", 0)
