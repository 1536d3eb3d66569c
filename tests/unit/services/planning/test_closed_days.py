"""Days that have one invoice each: what is stated, when, and what becomes of all that comes later."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from amazon_to_xero.adapters.dynamodb.rows import Row
from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.closed_day import ClosedDay, DayState, DayTerms, by_terms
from amazon_to_xero.domain.planning.policy import Approval, InvoicePer
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState
from amazon_to_xero.domain.replay.failure import reprocess_body
from amazon_to_xero.ports.xero import XeroNotAuthorised, XeroRateLimited, XeroRefused
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from fakes.orders import CA
from fakes.vendors import lost
from unit.services.planning.day_connection import BY_DAY, CLOSING, MINUTE, MONDAY, TUESDAY, DayConnection

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def connection() -> DayConnection:
    return DayConnection()


# --- what is stated, and when -----------------------------------------------------------------------------------------


def test_day_has_one_paid_invoice_with_the_list_of_its_orders(connection: DayConnection) -> None:
    connection.sell("A", "B")
    connection.sell("C", price="6.00")
    connection.close_day()

    assert connection.invoices == {MONDAY: D("30.00")}
    invoice = connection.xero.invoice(MONDAY)
    assert (invoice["DateString"][:10], invoice["AmountDue"]) == ("2026-11-23", 0)
    assert invoice["Reference"].startswith("Amazon.co.uk 2026-11-23")
    assert [line["Description"] for line in invoice["LineItems"]] == ["Goods: 3 orders"]
    assert [line.split(",")[0] for line in connection.attached()] == ["A", "B", "C"]
    assert connection.failures == []


def test_nothing_is_in_xero_before_the_day_is_closed(connection: DayConnection) -> None:
    connection.sell("A")
    connection.work(CLOSING - connection.clock.now() - MINUTE)
    assert connection.invoices == {}

    connection.work(MINUTE)
    assert connection.invoices == {MONDAY: D("12.00")}


def test_order_that_has_not_shipped_is_in_no_day(connection: DayConnection) -> None:
    connection.sell("A", status="UNSHIPPED")
    connection.close_day()

    assert (connection.invoices, connection.failures) == ({}, [])


def test_change_before_the_closing_changes_what_the_day_states(connection: DayConnection) -> None:
    connection.sell("A", "B")
    connection.sell("A", price="10.00")
    connection.sell("B", status="CANCELLED")
    connection.close_day()

    assert (connection.invoices, connection.credit_notes) == ({MONDAY: D("10.00")}, {})


def test_marketplaces_and_currencies_have_invoices_of_their_own(connection: DayConnection) -> None:
    connection.sell("A")
    connection.state("C", connection.clock.now(), marketplace=CA)
    raw = connection.amazon.orders["C"]
    connection.amazon.hold(_in_canadian_dollars(raw))
    connection.notice(["C"])
    connection.work()
    connection.close_day()

    assert connection.invoices == {MONDAY: D("12.00"), "AMZ-CA-20261123-1": D("12.00")}


def _in_canadian_dollars(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "CAD" if key == "currencyCode" else _in_canadian_dollars(part) for key, part in value.items()}
    return [_in_canadian_dollars(each) for each in value] if isinstance(value, list) else value


def test_a_thousand_orders_cost_four_calls() -> None:
    connection = DayConnection()
    connection.sell("first")
    calls_before = len(connection.xero.calls)
    order_ids = [f"{number:04}" for number in range(1000)]
    for order_id in order_ids:
        connection.state(order_id, connection.clock.now())
    connection.notice(order_ids)
    while any(connection.record(each).documents == () for each in order_ids):
        connection.work(10 * MINUTE)
    connection.close_day()

    assert connection.invoices == {MONDAY: D("12012.00")}
    calls = [f"{call.verb} {call.collection}" for call in connection.xero.calls[calls_before:]]
    assert Counter(calls) - Counter({"organisation ": 9}) == {
        "create Invoices": 1,
        "create Payments": 1,
        "attach Invoices": 1,
    }
    assert len(connection.attached()) == 1001


# --- what comes after the closing -------------------------------------------------------------------------------------


def test_late_shipment_is_stated_on_its_day_in_a_further_invoice_of_the_next_closing(connection: DayConnection) -> None:
    connection.sell("A")
    connection.close_day()
    for order_id in ("B", "C"):
        connection.state(order_id, CLOSING - 12 * HOUR)
        connection.notice([order_id])
        connection.work()
    assert connection.invoices == {MONDAY: D("12.00")}

    connection.close_day()

    further = "AMZ-GB-20261123-2"
    assert connection.invoices == {MONDAY: D("12.00"), further: D("24.00")}
    assert connection.xero.invoice(further)["DateString"][:10] == "2026-11-23"


def test_change_after_the_closing_never_edits_the_invoice(connection: DayConnection) -> None:
    connection.sell("A", "B")
    connection.close_day()
    before = connection.xero.invoice(MONDAY)

    connection.sell("A", price="10.00")
    connection.sell("B", price="15.00")
    connection.close_day()

    assert connection.xero.invoice(MONDAY) == before
    assert connection.invoices == {MONDAY: D("24.00"), TUESDAY: D("3.00")}
    assert connection.credit_notes == {TUESDAY: D("2.00")}
    (line,) = connection.xero.credit_note(TUESDAY)["LineItems"]
    assert (line["AccountCode"], line["TaxType"]) == ("200", "OUTPUT2")  # those of the original
    assert connection.xero.credit_note(TUESDAY)["RemainingCredit"] == 0


def test_cancellation_after_the_closing_is_credited_on_the_day_of_the_cancellation(connection: DayConnection) -> None:
    connection.sell("A")
    connection.close_day()
    connection.sell("A", status="CANCELLED")
    connection.close_day()

    assert (connection.invoices, connection.credit_notes) == ({MONDAY: D("12.00")}, {TUESDAY: D("12.00")})


def test_refunds_of_a_day_are_one_credit_note(connection: DayConnection) -> None:
    connection.sell("A", "B")
    connection.close_day()
    connection.give_back("R1", "A", "-12.00")
    connection.give_back("R2", "B", "-2.00")
    connection.close_day()

    assert connection.credit_notes == {TUESDAY: D("14.00")}
    assert connection.xero.books["Allocations"] == {}
    assert [line.split(",")[:4] for line in connection.attached(TUESDAY)] == [
        ["A", "2026-11-24", "AMZ-A-RFR1", "credit note"],
        ["B", "2026-11-24", "AMZ-B-RFR2", "credit note"],
    ]


def test_refund_waits_until_the_day_of_its_sale_is_closed(connection: DayConnection) -> None:
    connection.sell("A")
    connection.give_back("R1", "A", "-12.00")
    assert connection.transaction("R1").documents == ()

    connection.close_day()
    connection.work(2 * HOUR)
    connection.close_day()

    assert (connection.invoices, connection.credit_notes) == ({MONDAY: D("12.00")}, {"AMZ-GB-20261123-2": D("12.00")})


def test_refund_of_an_order_that_has_not_shipped_waits_for_the_day_of_its_shipment(connection: DayConnection) -> None:
    connection.sell("A", status="UNSHIPPED")
    connection.give_back("R1", "A", "-2.00")
    refund = connection.transaction("R1")
    assert refund.state is TransactionState.RECORDED
    assert refund.remedy == "Order A has no invoice yet: it has not shipped."

    connection.sell("A")
    connection.close_day()
    connection.work(2 * HOUR)
    connection.close_day()

    assert (connection.invoices, connection.credit_notes) == ({MONDAY: D("12.00")}, {"AMZ-GB-20261123-2": D("2.00")})


def test_what_an_order_lost_before_the_closing_is_not_refunded_again(connection: DayConnection) -> None:
    connection.sell("A")
    connection.sell("A", price="10.00")
    connection.close_day()
    connection.give_back("R1", "A", "-2.00")
    connection.close_day()

    assert connection.transaction("R1").state is TransactionState.NOT_BOOKED
    assert (connection.invoices, connection.credit_notes) == ({MONDAY: D("10.00")}, {})


def test_what_an_adjustment_credited_is_not_refunded_again(connection: DayConnection) -> None:
    connection.sell("A")
    connection.close_day()
    connection.sell("A", price="10.00")
    connection.close_day()
    connection.give_back("R1", "A", "-2.00")
    connection.close_day()

    assert connection.transaction("R1").state is TransactionState.NOT_BOOKED
    assert connection.credit_notes == {TUESDAY: D("2.00")}


# --- the proof of each order ------------------------------------------------------------------------------------------


def test_each_order_is_confirmed_by_its_own_charge(connection: DayConnection) -> None:
    connection.sell("A", "B")
    connection.charge("C1", "A", "12.00")
    connection.charge("C2", "B", "11.00")
    connection.close_day()
    connection.work(4 * DAY)

    assert connection.confirmation("A").state is ConfirmationState.CONFIRMED
    assert "Amazon charged 11.00 GBP; the documents state 12.00 GBP" in connection.confirmation("B").remedy


# --- closing once -----------------------------------------------------------------------------------------------------


def test_two_workers_that_close_a_day_at_once_state_each_order_once(connection: DayConnection) -> None:
    connection.sell("A", "B", "C")
    connection.clock.advance((CLOSING - connection.clock.now()).total_seconds())
    days, deadline = connection.connection.services.days, connection.clock.now() + HOUR

    def other() -> None:
        due = connection.store.due(SHIPMENTS, connection.clock.now(), 100)
        connection.connection.services.days.work_due(due, deadline)

    for _ in range(12):  # at each of the first writes, another worker does all that it finds
        connection.store.meanwhile(other)
    days.work_due(connection.store.due(SHIPMENTS, connection.clock.now(), 100), deadline)
    connection.store.table.between.clear()
    for _ in range(3):
        connection.work()

    assert sum(connection.invoices.values()) == D("36.00")
    assert connection.invoices[MONDAY] == D("36.00")
    assert len(connection.attached()) == 3


def test_entry_that_changes_while_its_day_is_closed_is_stated_once(connection: DayConnection) -> None:
    connection.sell("A", "B")
    connection.work(CLOSING - connection.clock.now() - MINUTE)
    connection.state("A", connection.clock.now(), "10.00")
    connection.notice(["A"])
    connection.read(["A"])
    connection.clock.advance(60)

    # The order is planned once the closing has listed its entry, before it claims it.
    connection.store.meanwhile(lambda: None, lambda: connection.plan_shipments("A"))
    days, now = connection.connection.services.days, connection.clock.now()
    days.work_due(connection.store.due(SHIPMENTS, now, 100), now + HOUR)
    connection.store.table.between.clear()
    for _ in range(3):
        connection.work()
    connection.close_day()

    assert sum(connection.invoices.values()) - sum(connection.credit_notes.values()) == D("22.00")
    assert connection.failures == []


def test_entry_that_a_closing_has_missed_is_not_taken_by_a_worker_that_was_frozen_in_it(
    connection: DayConnection,
) -> None:
    connection.sell("A", "B")
    connection.work(CLOSING - connection.clock.now() - MINUTE)
    connection.state("A", connection.clock.now(), "10.00")
    connection.notice(["A"])
    connection.read(["A"])
    connection.clock.advance(60)
    closings, now = connection.connection.services.days.closings, connection.clock.now()
    begun = ClosedDay(MONDAY, *_terms_and_time(connection), _generations(connection, "A", "B"), next_attempt_at=now)
    (begun,) = connection.store.save([begun]).values()

    connection.store.meanwhile(lambda: connection.plan_shipments("A"))  # between its reading and its claim
    closings.finish([begun])
    connection.store.table.between.clear()
    closings.finish([begun])  # the other worker has read the list before
    connection.close_day()
    connection.close_day()

    assert connection.day().entries == ("invoice#AMZ-B",)
    assert connection.invoices == {MONDAY: D("12.00"), "AMZ-GB-20261123-2": D("10.00")}


def _terms_and_time(connection: DayConnection) -> tuple[DayTerms, datetime]:
    (terms,) = by_terms([connection.entry("A"), connection.entry("B")])
    return terms, connection.clock.now()


def _generations(connection: DayConnection, *order_ids: str) -> dict[str, int]:
    return {entry.key: entry.generation for entry in map(connection.entry, order_ids)}


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("is_saved", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("place", range(24))
def test_day_is_stated_once_wherever_a_worker_crashes(
    connection: DayConnection, monkeypatch: pytest.MonkeyPatch, place: int, is_saved: bool
) -> None:
    connection.sell("A", "B")
    connection.sell("C", price="6.00")
    connection.clock.advance((CLOSING - connection.clock.now()).total_seconds())
    put, saves = connection.store.table.put, iter(range(1000))

    def crashing(rows: list[Row]) -> list[bool]:
        if next(saves) != place:
            return put(rows)
        if is_saved:
            put(rows)
        raise Crash

    with monkeypatch.context() as crash:
        crash.setattr(connection.store.table, "put", crashing)
        try:
            connection.connection.worker.run("w1", connection.clock.now() + HOUR)
        except Crash:
            connection.restart()
    for _ in range(20):
        connection.work(5 * MINUTE)

    assert connection.invoices == {MONDAY: D("30.00")}
    assert connection.xero.invoice(MONDAY)["AmountDue"] == 0
    assert len(connection.attached()) == 3
    assert connection.failures == []


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("is_executed", [True, False], ids=["executed", "not executed"])
def test_day_is_stated_once_whichever_answer_of_xero_is_lost(
    connection: DayConnection, place: int, is_executed: bool
) -> None:
    connection.sell("A", "B")
    faults = connection.xero.after if is_executed else connection.xero.before
    connection.work(CLOSING - connection.clock.now() - MINUTE)
    faults.extend([None] * place + [lost(), lost()])
    for _ in range(30):
        connection.work(2 * MINUTE)

    assert connection.invoices == {MONDAY: D("24.00")}
    assert connection.xero.invoice(MONDAY)["AmountDue"] == 0
    assert len(connection.attached()) == 2
    assert connection.failures == []


def test_list_whose_answer_was_lost_is_looked_for_before_it_is_attached_again(connection: DayConnection) -> None:
    connection.sell("A")
    connection.work(CLOSING - connection.clock.now() - MINUTE)
    connection.xero.after.extend([None, None, lost("attach")])  # of the invoice, its payment and the list
    for _ in range(5):
        connection.work(2 * MINUTE)

    calls = [call.verb for call in connection.xero.calls if call.verb.startswith("attach")]
    assert calls == ["attach", "attachments"]
    assert connection.day().attached == (f"invoice#{MONDAY}",)


def test_list_that_xero_never_answers_fails_in_the_end(connection: DayConnection) -> None:
    connection.sell("A")
    connection.xero.attach_faults.extend([lost("attach")] * 100)
    connection.close_day()
    for _ in range(40):
        connection.work(2 * MINUTE)

    assert (connection.day().state, connection.day().reason) == (DayState.FAILED, "DAY_LIST_NOT_ATTACHED")
    assert connection.invoices == {MONDAY: D("12.00")}


# --- what needs a person ----------------------------------------------------------------------------------------------


def lock(connection: DayConnection, until: date | None) -> None:
    connection.xero.settings = replace(connection.xero.settings, period_lock=until)
    connection.connection.services.organisation.expire()


def reprocess(connection: DayConnection, number: str) -> None:
    capability = CAPABILITIES[SHIPMENTS]
    notice = capability.parse(reprocess_body("main", f"day#{number}"))
    capability.record(connection.connection.services, [notice])
    connection.work()
    connection.work()


def test_day_in_a_locked_period_fails_and_is_entered_once_it_is_open(connection: DayConnection) -> None:
    connection.sell("A")
    lock(connection, date(2026, 11, 23))
    connection.close_day()

    assert connection.invoices == {}
    assert (connection.day().state, connection.day().reason) == (DayState.FAILED, "PERIOD_LOCKED")
    assert [reason for _, reason in connection.dead_letters[SHIPMENTS].reasons] == ["PERIOD_LOCKED"]

    lock(connection, None)
    reprocess(connection, MONDAY)

    assert connection.invoices == {MONDAY: D("12.00")}
    assert len(connection.attached()) == 1


def test_day_in_a_locked_period_is_dated_on_the_first_open_day_where_the_settings_say_so() -> None:
    connection = DayConnection(replace(BY_DAY, lock_dates=LockDates.NEXT_OPEN_DAY))
    connection.sell("A")
    lock(connection, date(2026, 11, 24))
    connection.close_day()

    invoice = connection.xero.invoice(MONDAY)
    assert invoice["DateString"][:10] == "2026-11-25"
    assert invoice["Reference"].endswith("of 2026-11-23")


def test_day_that_is_locked_while_it_is_posted_is_planned_again_for_an_open_day() -> None:
    connection = DayConnection(replace(BY_DAY, lock_dates=LockDates.NEXT_OPEN_DAY))
    connection.sell("A")
    connection.xero.refuse_once(MONDAY, "The document date cannot be before the period lock date")
    connection.xero.settings = replace(connection.xero.settings, period_lock=date(2026, 11, 24))  # not read yet
    connection.close_day()
    for _ in range(5):
        connection.work(5 * MINUTE)

    assert connection.xero.invoice(MONDAY)["DateString"][:10] == "2026-11-25"
    assert connection.xero.invoice(MONDAY)["AmountDue"] == 0
    assert connection.failures == []


def test_list_that_cannot_be_attached_fails_and_leaves_the_books_right(connection: DayConnection) -> None:
    connection.sell("A")
    connection.xero.attach_faults.append(XeroRefused("attach", 400, "The file is too large"))
    connection.close_day()

    assert connection.invoices == {MONDAY: D("12.00")}
    assert (connection.day().state, connection.day().reason) == (DayState.FAILED, "DAY_LIST_NOT_ATTACHED")
    assert "The file is too large" in connection.day().remedy

    reprocess(connection, MONDAY)
    assert len(connection.attached()) == 1
    assert connection.day().state is DayState.PLANNED


def test_list_for_which_no_calls_of_the_day_are_left_waits_and_holds_up_no_invoice(connection: DayConnection) -> None:
    connection.sell("A")
    connection.xero.attach_faults.append(XeroRateLimited("createAttachments", "share", 30 * HOUR))
    connection.close_day()
    connection.sell("B")
    connection.close_day()

    assert connection.invoices == {MONDAY: D("12.00"), TUESDAY: D("12.00")}
    assert (connection.day().attached, connection.day().reason) == ((), "XERO_SHARE_LIMIT")

    connection.work(8 * HOUR)
    assert len(connection.attached(MONDAY)) == len(connection.attached(TUESDAY)) == 1


def test_missing_scope_is_named(connection: DayConnection) -> None:
    connection.sell("A")
    connection.xero.attach_faults.append(XeroNotAuthorised("attach", 401, "AuthorizationUnsuccessful"))
    connection.close_day()

    assert "accounting.attachments" in connection.day().remedy
    assert connection.invoices == {MONDAY: D("12.00")}


def test_day_whose_invoice_a_person_has_voided_is_entered_again_when_it_is_reprocessed(
    connection: DayConnection,
) -> None:
    connection.sell("A")
    connection.work(CLOSING - connection.clock.now() - MINUTE)
    connection.xero.before.extend([None, lost()])
    connection.xero.hold(
        "Invoices", {"InvoiceNumber": MONDAY, "Status": "VOIDED", "Type": "ACCREC", "Reference": "", "LineItems": []}
    )
    for _ in range(10):
        connection.work(2 * MINUTE)
    assert connection.document(MONDAY).state is DocumentState.FAILED
    assert connection.day().next_attempt_at is None  # its list waits for the person who reads of the failure

    reprocess(connection, MONDAY)

    assert connection.document(f"{MONDAY}-R1").state is DocumentState.APPLIED
    assert connection.day().attached == (f"invoice#{MONDAY}-R1",)


# --- changing the setting ---------------------------------------------------------------------------------------------


def switch(connection: DayConnection, per: InvoicePer, approval: Approval = Approval.AT_SHIPMENT) -> None:
    connection.policy = replace(BY_DAY, invoice_per=per, approval=approval)
    connection.restart()


def test_order_that_is_an_entry_stays_one_after_the_setting_changes(connection: DayConnection) -> None:
    connection.sell("A", "B")
    switch(connection, InvoicePer.SHIPMENT)
    connection.sell("A", price="10.00")
    connection.sell("C")
    connection.close_day()
    connection.sell("B", price="9.00")
    connection.close_day()

    assert connection.invoices == {MONDAY: D("22.00"), "AMZ-C": D("12.00")}
    assert connection.credit_notes == {TUESDAY: D("3.00")}


def test_entries_await_no_approval_where_a_person_approves_invoices_after_the_setting_changes(
    connection: DayConnection,
) -> None:
    connection.sell("A")
    connection.close_day()
    connection.sell("B")
    switch(connection, InvoicePer.SHIPMENT, Approval.REVIEW)
    connection.sell("A", price="10.00")
    connection.sell("B", price="11.00")
    connection.close_day()

    assert connection.invoices == {MONDAY: D("12.00"), TUESDAY: D("11.00")}
    assert connection.credit_notes == {TUESDAY: D("2.00")}
    assert connection.failures == []


def test_order_with_an_invoice_of_its_own_keeps_it_after_the_setting_changes() -> None:
    connection = DayConnection(replace(BY_DAY, invoice_per=InvoicePer.SHIPMENT))
    connection.sell("A")
    connection.sell("B", status="UNSHIPPED")
    switch(connection, InvoicePer.DAY)
    connection.sell("A", price="10.00")
    connection.sell("B")
    connection.sell("C")
    connection.give_back("R1", "A", "-10.00")
    connection.close_day()

    assert connection.invoices == {"AMZ-A": D("12.00"), "AMZ-B": D("12.00"), MONDAY: D("12.00")}
    assert connection.credit_notes.keys() == {"AMZ-A-A1", "AMZ-A-RFR1"}


def test_entry_is_never_in_xero_under_its_own_number(connection: DayConnection) -> None:
    connection.sell("A")
    connection.close_day()
    connection.post("invoice#AMZ-A")

    assert connection.entry("A").state is DocumentState.APPLIED
    assert connection.entry("A").closed_in == MONDAY
    assert {kind: len(held) for kind, held in connection.xero.books.items() if held} == {
        "Contacts": 1,
        DocumentKind.INVOICE.capitalize() + "s": 1,
        "Payments": 1,
    }
