"""Lock dates that a person sets in Xero while orders are under way: documents take the first open day, or fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.ports.amazon import Json
from fakes.books import POLICY
from fakes.connection import MINUTE, FakeConnection
from fakes.orders import item, order
from fakes.state import ManualClock
from unit.adapters.live_sandboxes import LiveXero

SHIPPED_ON, LOCKED_UNTIL, FIRST_OPEN_DAY = date(2026, 11, 2), date(2026, 11, 15), date(2026, 11, 16)
ACCOUNTS = replace(POLICY.accounts, clearing={"GBP": "CLR-GBP"})


class LockedConnection(FakeConnection):
    """A connection to the sandbox Xero, with a clearing account. It has read the organisation before any lock date."""

    def __init__(self, live: LiveXero, clock: ManualClock, lock_dates: LockDates) -> None:
        super().__init__(policy=replace(POLICY, accounts=ACCOUNTS, lock_dates=lock_dates), clock=clock)
        self.live = live
        self.books = live.sandbox.books
        self.xero = live.api  # type: ignore[assignment]  # in place of the scripted Xero
        self.restart()
        self.connection.services.organisation.current()
        self.clock.advance(60)

    def lock(self, until: date | None = LOCKED_UNTIL) -> None:
        """Set the lock date as a person does."""
        self.books.configure({"Organisation": {"PeriodLockDate": until.isoformat() if until else None}})

    def hold(self, *orders: Json) -> None:
        """Let Amazon have these orders and report them."""
        self.amazon.hold(*orders)
        self.clock.advance(1)
        self.notice([each["orderId"] for each in orders])

    def work(self, minutes: int = 1) -> None:
        """Let the worker run every minute."""
        for _ in range(minutes):
            self.connection.worker.run("worker", self.clock.now() + MINUTE)
            self.clock.advance(61)

    def dates(self) -> list[date]:
        """Return the day of each invoice and payment in Xero."""
        invoices = [each.date for each in self.books.invoices.values()]
        return invoices + [each.date for each in self.books.payments.values()]

    def writes(self) -> list[str]:
        return [call.path.rpartition("/")[2] for call in self.live.sandbox.calls if call.method in ("PUT", "POST")]

    def organisation_reads(self) -> int:
        return sum(call.operation == "getOrganisations" for call in self.live.sandbox.calls)


@pytest.fixture
def connect(xero: LiveXero, wall: ManualClock) -> Callable[[LockDates], LockedConnection]:
    return lambda lock_dates: LockedConnection(xero, wall, lock_dates)


def shipped(order_id: str = "A", price: str = "10.00", updated: str = "2026-11-02T10:00:00Z") -> Json:
    return order(item(price), grand_total=price, order_id=order_id, updated=updated)


type Connect = Callable[[LockDates], LockedConnection]


def test_order_whose_day_was_locked_after_it_was_planned_is_dated_on_the_first_open_day(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    connection.lock()
    connection.hold(*(shipped(f"A{n}") for n in range(8)))

    connection.work(4)

    assert connection.dates() == [FIRST_OPEN_DAY] * 16
    invoice = connection.document("A0")
    assert (invoice.state, invoice.period_refusals) == (DocumentState.APPLIED, 0)
    assert invoice.desired.body["Reference"].endswith(f"of {SHIPPED_ON}")
    # The organisation was read once before the lock date, and once more because of it
    assert connection.organisation_reads() == 2
    assert connection.writes().count("Invoices") == 2
    assert connection.dead_letters[SHIPMENTS].reasons == []


def test_draft_that_ships_in_a_period_locked_since_is_approved_on_the_first_open_day(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    connection.hold(order(item("10.00"), grand_total="10.00", order_id="A", status="UNSHIPPED"))
    connection.work()
    assert [each.status for each in connection.books.invoices.values()] == ["DRAFT"]
    connection.lock()
    connection.hold(shipped(updated="2026-11-02T11:00:00Z"))

    connection.work(4)

    assert [each.status for each in connection.books.invoices.values()] == ["PAID"]
    assert connection.dates() == [FIRST_OPEN_DAY] * 2


def test_corrected_day_that_was_locked_meanwhile_gives_way_to_the_first_open_day(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    sold = {"created": "2026-11-19T10:00:00Z", "updated": "2026-11-20T10:00:00Z"}
    connection.hold(order(item("10.00"), grand_total="10.00", order_id="A", **sold))
    connection.work()
    connection.lock()
    connection.correct(CorrectionKind.DATE, "2026-11-10")

    connection.work(6)

    corrected = connection.document("A-A1")
    assert (corrected.state, corrected.desired.body["Date"]) == (DocumentState.APPLIED, FIRST_OPEN_DAY.isoformat())
    assert corrected.desired.body["Reference"].endswith("of 2026-11-10")
    assert connection.dead_letters[SHIPMENTS].reasons == []


def test_unpaid_invoice_keeps_its_day_where_the_corrected_one_was_locked_meanwhile(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    shipped_and_unpaid(connection)
    connection.lock(SHIPPED_ON - timedelta(days=1))
    connection.correct(CorrectionKind.DATE, "2026-11-01")

    connection.work(6)

    invoice = connection.document("A")
    assert (invoice.state, invoice.desired.body["Date"]) == (DocumentState.APPLIED, SHIPPED_ON.isoformat())
    assert invoice.desired.body["Reference"].endswith("of 2026-11-01")
    assert connection.dead_letters[SHIPMENTS].reasons == []


def lock_before_the_payment(connection: LockedConnection) -> None:
    """Post an approved invoice, and lose the connection to Xero before its payment; then lock the invoice's day."""
    connection.live.fault("refuse", "/api.xro/2.0/Payments", status=503)
    connection.live.fault("refuse", "/api.xro/2.0/Payments", status=503)
    connection.hold(shipped())
    connection.work()
    assert [each.status for each in connection.books.invoices.values()] == ["AUTHORISED"]
    connection.lock()


def test_payment_whose_day_was_locked_after_its_invoice_is_dated_on_the_first_open_day(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    lock_before_the_payment(connection)

    connection.work(6)

    assert connection.dates() == [SHIPPED_ON, FIRST_OPEN_DAY]
    assert [each.status for each in connection.books.invoices.values()] == ["PAID"]
    assert connection.writes().count("Invoices") == 1
    assert connection.dead_letters[SHIPMENTS].reasons == []


def test_payment_whose_day_was_locked_after_its_invoice_fails_where_the_settings_hold_locked_documents(
    connect: Connect,
) -> None:
    connection = connect(LockDates.HOLD)
    lock_before_the_payment(connection)

    connection.work(6)

    payment = connection.document("A", DocumentKind.PAYMENT)
    assert (payment.state, payment.reason) == (DocumentState.FAILED, "PERIOD_LOCKED")
    assert payment.remedy.startswith("Move Xero's lock date or set invoices.lock_dates to next_open_day")
    assert connection.dead_letters[SHIPMENTS].reasons == [("A", "PERIOD_LOCKED")]
    assert connection.dates() == [SHIPPED_ON]
    assert connection.writes().count("Payments") == 3  # two without an answer, and the refused one

    # And once the person has moved the lock date back, the order is reprocessed
    connection.lock(None)
    connection.connection.services.notices.record_shipments([ChangeNotice("A", reprocess=True)])
    connection.work(2)
    assert connection.dates() == [SHIPPED_ON, SHIPPED_ON]


def test_payment_under_way_keeps_its_day_when_that_is_locked_meanwhile(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    connection.live.fault("drop", "/api.xro/2.0/Payments", times=2)
    connection.hold(shipped())
    connection.work()
    connection.lock()
    connection.clock.advance(13 * 3600)  # the organisation is read again
    connection.connection.services.notices.record_shipments([ChangeNotice("A", reprocess=True)])

    connection.work(3)

    assert connection.dates() == [SHIPPED_ON, SHIPPED_ON]
    payment = connection.document("A", DocumentKind.PAYMENT)
    assert payment.state is DocumentState.APPLIED
    assert connection.dead_letters[SHIPMENTS].reasons == []


def test_payment_whose_look_up_failed_is_found_by_its_day_although_that_is_locked_meanwhile(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    connection.live.fault("drop", "/api.xro/2.0/Payments", times=2)
    connection.hold(shipped())
    connection.work()
    connection.store.save([connection.document("A", DocumentKind.PAYMENT).unresolved("HTTP 500")])
    connection.lock()
    connection.clock.advance(13 * 3600)  # the organisation is read again
    connection.connection.services.notices.record_shipments([ChangeNotice("A", reprocess=True)])

    connection.work(3)

    assert connection.dates() == [SHIPPED_ON, SHIPPED_ON]
    payment = connection.document("A", DocumentKind.PAYMENT)
    assert (payment.state, payment.reason) == (DocumentState.APPLIED, "")


def test_unpaid_invoice_of_a_period_locked_since_is_corrected_in_an_open_one(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    lock_before_the_payment(connection)
    connection.hold(shipped(price="12.00", updated="2026-11-02T12:00:00Z"))

    connection.work(12)

    totals = {each.number: (each.status, str(each.total)) for each in connection.books.invoices.values()}
    assert totals == {"A": ("PAID", "10.00"), "A-A1": ("PAID", "2.00")}
    assert connection.dates() == [SHIPPED_ON, *[FIRST_OPEN_DAY] * 3]
    assert connection.dead_letters[SHIPMENTS].reasons == []


def shipped_and_unpaid(connection: LockedConnection) -> None:
    """Have an approved invoice in a currency without a clearing account, then lock its day."""
    connection.policy = replace(connection.policy, accounts=POLICY.accounts)
    connection.restart()
    connection.hold(shipped())
    connection.work()
    assert [each.status for each in connection.books.invoices.values()] == ["AUTHORISED"]
    connection.lock()


def test_unpaid_invoice_of_a_month_that_was_locked_a_minute_ago_is_credited_when_its_order_is_cancelled(
    connect: Connect,
) -> None:
    connection = connect(LockDates.HOLD)
    shipped_and_unpaid(connection)
    connection.lock(None)
    connection.clock.advance(30 * 24 * 3600)
    connection.connection.services.organisation.current()
    connection.lock(date(2026, 11, 30))
    connection.clock.advance(600)
    cancelled = shipped(updated="2026-12-03T10:00:00Z") | {"fulfillment": {"fulfillmentStatus": "CANCELLED"}}
    connection.hold(cancelled)

    connection.work(4)

    (invoice,), (note,) = connection.books.invoices.values(), connection.books.credit_notes.values()
    assert (invoice.status, note.number, note.status, note.date) == ("PAID", "A-A1", "PAID", date(2026, 12, 3))
    assert connection.dead_letters[SHIPMENTS].reasons == []


@pytest.mark.parametrize("lock_dates", LockDates)
def test_change_that_xero_refuses_as_locked_is_adjusted_by_what_xero_still_holds(
    connect: Connect, lock_dates: LockDates
) -> None:
    connection = connect(lock_dates)
    shipped_and_unpaid(connection)
    connection.lock(None)
    connection.clock.advance(14 * 24 * 3600)
    connection.connection.services.organisation.current()
    connection.lock()  # a moment after the lock dates were read
    sent = len(connection.writes())
    connection.hold(shipped(price="12.00", updated="2026-11-16T09:00:00Z"))

    connection.work(12)

    totals = {each.number: (each.status, str(each.total)) for each in connection.books.invoices.values()}
    assert totals == {"A": ("AUTHORISED", "10.00"), "A-A1": ("AUTHORISED", "2.00")}
    assert [each.date for each in connection.books.invoices.values()] == [SHIPPED_ON, FIRST_OPEN_DAY]
    assert connection.dead_letters[SHIPMENTS].reasons == []
    assert connection.record().state is OrderState.PLANNED
    assert connection.writes()[sent:] == ["Invoices"] * 3  # the change, refused twice, and the adjustment


def test_cancelled_order_whose_invoice_xero_refuses_to_void_as_locked_is_credited(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    shipped_and_unpaid(connection)
    connection.hold(
        shipped(updated="2026-11-02T12:00:00Z") | {"fulfillment": {"fulfillmentStatus": "CANCELLED"}}
    )  # the lock date is not known yet

    connection.work(12)

    (invoice,), (note,) = connection.books.invoices.values(), connection.books.credit_notes.values()
    assert (invoice.status, note.number, note.status, note.date) == ("PAID", "A-A1", "PAID", FIRST_OPEN_DAY)
    assert connection.dead_letters[SHIPMENTS].reasons == []


def test_order_waits_where_the_lock_dates_cannot_be_read(connect: Connect) -> None:
    connection = connect(LockDates.NEXT_OPEN_DAY)
    connection.lock()
    connection.live.fault("refuse", "/api.xro/2.0/Organisation", times=2, status=503)
    connection.hold(shipped())

    connection.work(8)

    assert connection.dates() == [FIRST_OPEN_DAY] * 2
    assert connection.dead_letters[SHIPMENTS].reasons == []
