"""Backfills: a period that was before the start is entered beside the current orders, and never before them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.backfill.backfill import BackfillState, Share
from amazon_to_xero.domain.backfill.period import BackfillRefused
from amazon_to_xero.domain.call_budget import CallBudget
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonUnavailable
from amazon_to_xero.services.backfill.orders import MAX_OPEN
from amazon_to_xero.services.backfill.pace import PAGES_A_STEP
from amazon_to_xero.services.backfill.rows import load_backfills, update_backfills
from amazon_to_xero.services.posting.budget import BUDGET
from amazon_to_xero.services.state_updates import update_cursor
from fakes.connection import FakeConnection
from fakes.order_life import PAYING
from fakes.orders import CA
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.services.backfill.moving_over import ADA, MovingOver, charged, from_before_the_period, moved_over, sold, text


def test_orders_of_the_period_are_entered_on_the_days_of_their_shipments() -> None:
    books = moved_over(sold("A"), sold("B", day=40), sold("C", day=85))
    assert books.invoices() == {}

    books.begin()
    books.quarters(8)

    assert books.invoices() == {"A": "2026-01-03", "B": "2026-02-12", "C": "2026-03-29"}
    done = books.backfill
    assert (done.state, done.counts.read, done.counts.in_xero, done.counts.failed) == (BackfillState.DONE, 3, 3, 0)


def test_what_amazon_charged_is_read_before_the_orders_so_that_none_waits() -> None:
    books = moved_over(sold("A"))

    books.begin()
    books.amazon.calls.clear()
    books.quarters(1)

    names = [name for name, _ in books.amazon.calls]
    assert names.index("listTransactions") < len(names) - 1 - names[::-1].index("searchOrders")
    assert books.invoices() == {"A": "2026-01-03"}


def test_orders_outside_the_period_are_not_entered() -> None:
    books = moved_over(sold("A"), sold("LATER", day=120))

    books.begin()
    books.quarters(8)

    assert list(books.invoices()) == ["A"]
    assert books.backfill.counts.read == 1


def test_order_that_was_left_out_by_the_start_is_entered_with_its_refund() -> None:
    raw = sold("A")
    given_back = refund("R1", item_refund(OurPricePrincipal="-10.00"), order_id="A", posted=NOON - timedelta(days=1))
    books = MovingOver(raw)
    books.amazon.transactions.append(given_back)
    books.notice(["A"])
    books.ready()
    assert (books.record("A").reason, books.transaction("R1").reason) == ("BEFORE_START", "REFUND_BEFORE_START")
    books.start_at_new_year()

    books.begin()
    books.quarters(12)

    assert books.invoices() == {"A": "2026-01-03"}
    assert books.transaction("R1").state == "PLANNED"
    assert books.xero.books["CreditNotes"]


def test_recorded_and_unchanged_orders_cost_no_call_to_xero_and_write_nothing() -> None:
    books = moved_over(sold("A"), sold("B", day=40))
    books.begin()
    books.quarters(8)
    books.xero.calls.clear()
    before = {key: row for key, row in books.store.table.rows.items() if key.startswith(("ORDER", "DOC", "CONF"))}

    books.begin()
    books.quarters(8)

    assert books.backfill.state is BackfillState.DONE
    assert (books.backfill.counts.read, books.backfill.counts.unchanged) == (2, 2)
    assert books.xero.writes() == []
    assert {key: row for key, row in books.store.table.rows.items() if key in before} == before


def test_current_orders_go_first() -> None:
    books = moved_over(sold("A"))
    books.begin()
    now = books.clock.now()
    books.notice(["NEW"], at=now)  # due, and not read yet

    report = books.connection.services.backfilling.advance(now + timedelta(minutes=1))

    assert report.records == 0
    assert books.backfill.waits_for == WaitReason.CURRENT_ORDERS_FIRST


def test_backfill_waits_while_its_share_of_the_day_is_used_and_goes_on_the_next_day() -> None:
    books = moved_over(sold("A"))
    spend(books, 2495)  # of 5,000 a day, by current orders
    books.begin(share=Share(percent=50))

    books.quarters(4)
    assert (books.invoices(), books.backfill.waits_for) == ({}, WaitReason.BACKFILL_SHARE_USED)
    books.clock.advance(timedelta(hours=25).total_seconds())
    books.quarters(8)

    assert list(books.invoices()) == ["A"]


def test_step_reads_no_more_pages_than_its_share_pays_for() -> None:
    books = moved_over(*(sold(f"A{n}") for n in range(12)))
    books.amazon.page_size = 2
    books.begin(
        last=date(2026, 1, 31), share=Share(calls=29)
    )  # two pages at 10 calls each, after four of the connection

    books.quarters(1)

    assert (books.backfill.counts.read, books.backfill.waits_for) == (4, WaitReason.BACKFILL_SHARE_USED)


def spend(books: FakeConnection, calls: int) -> None:
    """Have so many of the day's calls to Xero used by now."""
    hour = books.clock.now().strftime("%Y-%m-%dT%H:00:00+00:00")
    spent = TypeAdapter(CallBudget).dump_json(CallBudget(hours={hour: calls})).decode()
    update_cursor(books.store, BUDGET, lambda _: {"json": spent})


def test_step_reads_a_few_pages_and_the_next_one_goes_on_there() -> None:
    books = moved_over(*(sold(f"A{n}", day=n % 20) for n in range(12)))
    books.amazon.page_size = 2
    books.begin(last=date(2026, 1, 31))
    books.amazon.asked_placed.clear()

    books.quarters(1)
    assert (books.backfill.counts.read, books.backfill.waits_for) == (2 * PAGES_A_STEP, WaitReason.BACKFILL_STEP_DONE)
    books.quarters(2)

    assert (books.backfill.counts.read, len(books.invoices())) == (12, 12)


def test_paused_backfill_reads_nothing_until_it_is_resumed() -> None:
    books = moved_over(sold("A"))
    books.begin()
    books.connection.backfills.change(BackfillState.PAUSED, ADA)
    books.quarters(4)
    assert books.invoices() == {}

    books.connection.backfills.change(BackfillState.RUNNING, ADA)
    books.quarters(8)

    assert (list(books.invoices()), books.backfill.state) == (["A"], BackfillState.DONE)


def test_cancelled_backfill_reads_nothing_more_and_another_one_may_begin() -> None:
    books = moved_over(sold("A"))
    books.begin()
    with pytest.raises(BackfillRefused, match="Wait until it is done, or cancel it"):
        books.begin()
    books.connection.backfills.change(BackfillState.CANCELLED, ADA)
    books.quarters(4)
    assert (books.invoices(), books.backfill.changed_by) == ({}, ADA)

    books.begin()
    books.quarters(8)

    assert list(books.invoices()) == ["A"]


@pytest.mark.parametrize("fault", [AmazonUnavailable("searchOrders", 503, "Unavailable"), None])
def test_backfill_goes_on_after_faults_and_restarts_of_the_function(fault: AmazonUnavailable | None) -> None:
    books = moved_over(*(sold(f"A{n}", day=n * 10) for n in range(6)))
    books.begin()

    for attempt in range(20):
        books.restart()
        books.amazon.faults = [*[None] * (attempt % 4 + 1), fault]
        books.quarters(1)
        books.amazon.faults = []

    assert (len(books.invoices()), books.backfill.state) == (6, BackfillState.DONE)


def test_crash_between_a_page_and_its_place_loses_no_order() -> None:
    books = moved_over(sold("A"), sold("B", day=40))
    books.begin()
    crash = RuntimeError("the function was stopped")

    def stop() -> None:
        books.amazon.after_page = None
        raise crash

    books.amazon.after_page = stop
    with pytest.raises(RuntimeError):
        books.quarters(1)
    books.clock.advance(600)  # the leases of the dead function end
    books.restart()
    books.quarters(10)

    assert (list(books.invoices()), books.backfill.state) == (["A", "B"], BackfillState.DONE)


def test_crash_after_an_order_was_taken_in_forgets_no_refund_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    books = MovingOver(sold("A"))
    given_back = refund("R1", item_refund(OurPricePrincipal="-10.00"), order_id="A", posted=NOON - timedelta(days=1))
    books.amazon.transactions.append(given_back)
    books.notice(["A"])
    books.ready()
    books.start_at_new_year()
    books.begin()
    recorder = books.connection.services.backfilling._orders.recorder
    record = recorder.record

    def crash(*of: Any, **more: Any) -> None:
        record(*of, **more)
        raise RuntimeError("the function was stopped")

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "record", crash)
        with pytest.raises(RuntimeError):
            books.connection.services.backfilling.advance(books.clock.now() + timedelta(minutes=1))
    books.quarters(10)

    assert books.invoices() == {"A": "2026-01-03"}
    assert books.transaction("R1").state == "PLANNED"


def test_charges_that_are_read_ahead_have_no_order_read_by_itself() -> None:
    books = moved_over(sold("A"), sold("B", day=40))
    books.begin()
    books.amazon.calls.clear()

    books.quarters(10)

    assert books.amazon.count("getOrder") == 0
    assert books.backfill.state is BackfillState.DONE


def test_charges_of_orders_outside_a_finished_backfill_have_none_of_them_read() -> None:
    books = moved_over(sold("A"), sold("LATER", day=120))
    books.begin()

    books.quarters(8)
    books.quarters(12)

    assert books.amazon.count("getOrder") == 0
    assert list(books.invoices()) == ["A"]


def test_order_from_before_the_period_that_was_charged_in_it_is_entered_once_the_backfill_has_read_that_day() -> None:
    books = moved_over(sold("A"), sold("UNREAD", day=60), from_before_the_period("OLD"))
    books.begin()

    books.quarters(1)
    assert (books.backfill.state, books.amazon.count("getOrder")) == (BackfillState.RUNNING, 1)
    books.quarters(8)

    assert books.invoices() == {"A": "2026-01-03", "UNREAD": "2026-03-04", "OLD": "2026-01-03"}


def test_pause_keeps_only_those_charges_waiting_whose_orders_are_not_read_yet() -> None:
    books = moved_over(sold("A"), sold("UNREAD", day=40), from_before_the_period("OLD"))
    books.begin()
    books.quarters(1)
    books.connection.backfills.change(BackfillState.PAUSED, ADA)

    books.quarters(40)

    assert books.invoices() == {"A": "2026-01-03", "OLD": "2026-01-03"}
    assert {order_id for name, order_id in books.amazon.calls if name == "getOrder"} == {"OLD"}


def test_order_of_today_that_no_sweep_has_read_is_read_for_its_charge_while_a_backfill_is_paused() -> None:
    books = moved_over(sold("A"))
    books.begin(last=books.clock.now().date())
    books.connection.backfills.change(BackfillState.PAUSED, ADA)
    books.clock.advance(timedelta(hours=1).total_seconds())
    missed = sold("MISSED", day=-2)  # nothing of it has changed since the sweeps began
    books.amazon.hold(missed)
    books.amazon.transactions.append(charged(missed) | {"postedDate": text(books.clock.now())})
    books.clock.advance(timedelta(hours=1).total_seconds())

    books.connection.worker.sweep(REFUNDS, "sweep", books.clock.now() + timedelta(minutes=1))
    books.quarters(8)

    assert list(books.invoices()) == ["MISSED"]


def test_failed_order_is_counted_and_keeps_no_other_from_being_entered() -> None:
    books = moved_over(sold("A"), sold("B", day=40, marketplace="A00000000000000"))
    books.begin()

    books.quarters(8)

    assert list(books.invoices()) == ["A"]
    assert (books.backfill.state, books.backfill.counts.in_xero, books.backfill.counts.failed) == (
        BackfillState.DONE,
        1,
        1,
    )


def test_marketplace_that_amazon_refuses_is_named_and_the_others_are_read() -> None:
    books = moved_over(sold("A"), sold("B", day=40))
    books.amazon.refused_marketplaces = {CA}
    books.begin()

    books.quarters(12)

    assert list(books.invoices()) == ["A", "B"]
    assert books.backfill.left_out == (CA,)


def test_no_more_orders_are_read_while_very_many_are_not_finished() -> None:
    books = moved_over(sold("A"))
    books.begin()
    waiting = tuple(f"W{n}" for n in range(MAX_OPEN))
    books.notice(waiting[:1])
    update_backfills(books.store, lambda row: row.with_latest(replace(row.entries[-1], open=waiting)))

    orders = books.connection.services.backfilling._orders.of(books.backfill)

    assert orders._stop() == WaitReason.CURRENT_ORDERS_FIRST


def test_orders_that_wait_for_their_day_to_be_closed_keep_no_others_from_being_read() -> None:
    by_day = replace(PAYING, invoice_per=InvoicePer.DAY)
    books = moved_over(sold("A"), sold("B", 20), policy=by_day)
    books.begin()

    books.quarters(4)

    assert books.invoices() == {}
    assert (books.backfill.open, books.backfill.counts.in_xero) == ((), 2)
    books.quarters(96)
    assert list(books.invoices().values()) == ["2026-01-03", "2026-01-23"]


def test_refused_transactions_keep_the_orders_waiting_with_the_reason() -> None:
    books = moved_over(sold("A"))
    books.begin()
    books.amazon.faults = [None, AmazonForbidden("listTransactions", 403, "Unauthorized")]

    books.quarters(1)

    assert (books.invoices(), books.backfill.waits_for) == ({}, "AMAZON_OPERATION_REFUSED")


def test_day_before_the_start_is_refused_with_what_to_do() -> None:
    books = MovingOver()

    with pytest.raises(BackfillRefused, match="set start to 2026-01-01T00:00:00Z, run make connect") as refused:
        books.begin()
    assert "Otherwise begin on 2026-07-01." in str(refused.value)
    assert load_backfills(books.store).latest is None


def test_log_says_who_began_a_backfill_and_what_came_of_it() -> None:
    books = moved_over(sold("A"))

    books.begin()
    books.quarters(8)

    logged = books.decisions.of("BACKFILL")
    assert [(each["state"], each["by"], each["why"], each["in_xero"]) for each in logged] == [
        (BackfillState.RUNNING, ADA, "we moved over", 0),
        (BackfillState.DONE, ADA, "we moved over", 1),
    ]


@pytest.mark.parametrize("is_asked_for", [True, False])
def test_order_that_was_left_out_is_entered_when_it_is_read_again_after_the_start_was_set_back(
    is_asked_for: bool,
) -> None:
    books = MovingOver(sold("A"))
    books.notice(["A"])
    books.ready()
    books.start_at_new_year()
    books.connection.services.order_transactions.ask(["A"])

    if is_asked_for:
        books.connection.services.notices.record([ChangeNotice("A", reprocess=True)])
    else:
        books.notice(["A"])
    books.quarters(4)

    assert books.invoices() == {"A": "2026-01-03"}


def test_connection_without_a_backfill_pays_one_read_for_it() -> None:
    books = FakeConnection()
    report = books.connection.services.backfilling.advance(NOON + timedelta(hours=1))

    assert (report.records, books.amazon.calls) == (0, [])
