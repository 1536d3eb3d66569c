"""An order that is read late is dated on the day of its charge; whoever follows the orders waits for none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.ports.amazon import AmazonForbidden, Json
from amazon_to_xero.ports.state import Cursor
from fakes.order_life import PAYING, tea, version
from fakes.orders import UK
from fakes.state import NOON
from unit.services.interruptions import Killed, after_load, before_save, kill
from unit.services.planning.charged_sales import DAY, Sales, tea_charged

PLACED, CHARGED_AT, TOUCHED = "2026-10-25T10:00:00Z", datetime(2026, 10, 27, 9, 0, tzinfo=UTC), "2026-11-20T10:00:00Z"
HOUR = timedelta(hours=1)
WAITS = (OrderState.RECORDED, WaitReason.WAITING_FOR_SHIPPING_DAY)
PACKAGE = {
    "packageReferenceId": "1",
    "shipTime": "2026-10-28T15:00:00Z",
    "packageItems": [{"orderItemId": "10000000000001", "quantity": 1}],
}


def fba_order(
    order_id: str = "A", status: str = "SHIPPED", placed: str = PLACED, updated: str = TOUCHED, **more: Any
) -> Json:
    """Return an order that Amazon ships: no package states when. Amazon changed it last weeks after the shipment."""
    raw = version(1, tea(), status=status, created=placed, **more)
    return raw | {"orderId": order_id, "lastUpdatedTime": updated}


def charge_of(order_id: str, posted: datetime = CHARGED_AT) -> Json:
    related = [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order_id}]
    return tea_charged(transaction_id=f"C-{order_id}", posted=posted) | {"relatedIdentifiers": related}


def state_of(sales: Sales, order_id: str = "A") -> tuple[OrderState, str]:
    record = sales.record(order_id)
    return record.state, record.reason


def dated(sales: Sales, number: str = "A") -> str:
    """Return the day of the approved invoice in Xero, which is also that of its payment."""
    invoice = sales.xero.invoice(number)
    assert invoice["Status"] == "AUTHORISED"
    (payment,) = (
        each for each in sales.xero.books["Payments"].values() if each["Invoice"]["InvoiceID"] == invoice["InvoiceID"]
    )
    assert payment["Date"] == invoice["Date"]
    return str(invoice["Date"])


def swept_until(sales: Sales, at: datetime) -> None:
    """The sweep of orders has read everything until then."""
    cursor = sales.store.cursor("sweep#orders")
    sales.store.save([Cursor("sweep#orders", {"watermark": at.isoformat()}, cursor.generation)])


def invoices(sales: Sales) -> int:
    return len(sales.xero.books["Invoices"])


# --- read late --------------------------------------------------------------------------------------------------------


def test_order_that_amazon_touched_weeks_after_its_shipment_is_dated_on_the_day_of_its_charge() -> None:
    sales = Sales()
    sales.amazon_charges(charge_of("A"))

    sales.update(fba_order())

    assert dated(sales) == "2026-10-27"
    assert sales.outcome()[0] is ConfirmationState.CONFIRMED
    assert sales.letters == []


def test_order_without_a_known_charge_waits_and_nothing_is_entered() -> None:
    sales = Sales(fba_order())

    assert state_of(sales) == WAITS
    assert "between 2026-10-25 10:00 UTC and 2026-11-20 10:00 UTC" in sales.record().remedy
    assert invoices(sales) == 0
    assert {"reason": WaitReason.WAITING_FOR_SHIPPING_DAY}.items() <= sales.decisions.of("RECORDED")[-1].items()


def test_charge_that_becomes_known_has_the_waiting_order_entered_within_a_minute() -> None:
    sales = Sales(fba_order())

    sales.amazon_charges(charge_of("A"))
    sales.resume()

    assert dated(sales) == "2026-10-27"
    assert sales.outcome()[0] is ConfirmationState.CONFIRMED
    assert sales.record().awaits_charge_since is None


def test_charge_that_is_recorded_while_its_order_is_planned_is_found_within_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sales = Sales()
    after_load(monkeypatch, sales.store, SaleConfirmation, lambda: sales.amazon_charges(charge_of("A")))

    sales.update(fba_order(updated="2026-11-15T10:00:00Z"))
    assert state_of(sales) == WAITS  # although by now all transactions of its time are read
    sales.clock.advance(300)
    sales.resume()

    assert dated(sales) == "2026-10-27"


def test_worker_that_is_killed_before_it_has_the_waiting_order_planned_leaves_that_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sales = Sales(fba_order())
    with monkeypatch.context() as killing:
        before_save(killing, sales.store, OrderRecord, kill)
        with pytest.raises(Killed):
            sales.amazon_charges(charge_of("A"))

    sales.clock.advance(60)
    sales.resume()

    assert dated(sales) == "2026-10-27"


def test_order_that_was_dated_by_its_charge_is_not_written_again_when_everything_is_repeated() -> None:
    sales = Sales(fba_order())
    sales.amazon_charges(charge_of("A"))
    sales.resume()
    writes = len(sales.xero.calls)

    sales.update(fba_order(updated="2026-11-21T10:00:00Z"))
    sales.amazon_charges(charge_of("A"))
    sales.resume()

    assert len(sales.xero.calls) == writes
    assert dated(sales) == "2026-10-27"


def test_waiting_order_is_planned_a_dozen_times_in_three_days_and_then_a_person_finds_the_day() -> None:
    sales = Sales(fba_order())
    plans = 0
    while sales.record().state is OrderState.RECORDED:
        at = sales.record().next_attempt_at
        assert at is not None
        sales.clock.advance((at - sales.clock.now()).total_seconds())
        sales.plan_shipments()
        plans += 1

    assert plans <= 12
    assert sales.clock.now() == NOON + timedelta(days=3, minutes=1)
    assert state_of(sales) == (OrderState.FAILED, FailureCode.SHIPPING_DAY_UNKNOWN)
    assert "between 2026-10-25 10:00 UTC and 2026-11-20 10:00 UTC" in sales.record().remedy
    assert sales.dead_letters[SHIPMENTS].reasons == [("A", FailureCode.SHIPPING_DAY_UNKNOWN)]
    assert invoices(sales) == 0


def test_order_fails_at_once_where_amazons_transactions_of_its_time_are_read_and_none_is_its_charge() -> None:
    sales = Sales()
    sales.work()

    sales.update(fba_order(updated="2026-11-15T10:00:00Z"))

    assert state_of(sales) == (OrderState.FAILED, FailureCode.SHIPPING_DAY_UNKNOWN)


def test_order_that_failed_for_want_of_its_day_is_entered_by_itself_once_its_charge_is_known() -> None:
    sales = Sales(fba_order())
    sales.clock.advance(3 * 86400)
    sales.plan_shipments()
    assert state_of(sales) == (OrderState.FAILED, FailureCode.SHIPPING_DAY_UNKNOWN)

    sales.amazon_charges(charge_of("A"))
    sales.resume()

    assert dated(sales) == "2026-10-27"
    assert sales.failures() == []


def test_change_of_a_waiting_order_does_not_make_it_wait_longer() -> None:
    sales = Sales(fba_order())
    sales.clock.advance(2 * 86400)

    sales.update(fba_order(updated="2026-11-25T10:00:00Z"))

    assert sales.record().awaits_charge_since == NOON + timedelta(minutes=1)
    sales.clock.advance(86400)
    sales.plan_shipments()
    assert state_of(sales) == (OrderState.FAILED, FailureCode.SHIPPING_DAY_UNKNOWN)


def test_draft_of_an_order_stays_as_it_is_while_the_day_of_its_shipment_is_not_known() -> None:
    sales = Sales(fba_order(status="UNSHIPPED", updated=PLACED))
    sales.clock.advance(7 * 86400)
    sales.update(fba_order(updated="2026-11-29T10:00:00Z"))
    assert state_of(sales) == WAITS
    assert sales.xero.invoice("A")["Status"] == "DRAFT"

    sales.amazon_charges(charge_of("A", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)))
    sales.resume()

    assert dated(sales) == "2026-11-24"


def test_charge_moves_no_shipment_before_the_time_at_which_the_order_had_not_shipped() -> None:
    sales = Sales(fba_order(status="UNSHIPPED", updated=PLACED))
    sales.clock.advance(7 * 86400)

    sales.amazon_charges(charge_of("A", NOON - HOUR))  # as of noon the order had not shipped
    sales.update(fba_order(updated="2026-11-29T10:00:00Z"))

    assert dated(sales) == "2026-11-23"


def test_order_of_two_shipments_is_dated_on_the_day_of_its_first_charge() -> None:
    sales = Sales()
    second = tea_charged("4.00", "C2", CHARGED_AT + 2 * DAY)

    sales.amazon_charges(second, tea_charged("6.00", "C1", CHARGED_AT))
    sales.update(fba_order())

    assert dated(sales) == "2026-10-27"


def second_shipment_read_late() -> Sales:
    """Return sales with an invoice for each shipment of order A: the first is entered, the second waits for its day."""
    policy = replace(PAYING, invoice_per=InvoicePer.SHIPMENT)
    two = tea("10.00", quantity=2)
    parts = [{**two, "fulfillment": {"quantityFulfilled": left, "quantityUnfulfilled": 2 - left}} for left in (1, 2)]
    first = version(1, parts[0], status="PARTIALLY_SHIPPED", created="2026-11-22T10:00:00Z")
    sales = Sales(first | {"lastUpdatedTime": "2026-11-23T10:00:00Z"}, policy=policy)
    sales.amazon_charges(tea_charged("5.00", "C1", NOON - 2 * HOUR))
    sales.clock.advance(9 * 86400)
    whole = version(1, parts[1], created="2026-11-22T10:00:00Z") | {"lastUpdatedTime": "2026-12-01T10:00:00Z"}
    sales.update(whole)
    assert state_of(sales) == WAITS
    return sales


def test_second_shipment_with_an_invoice_of_its_own_is_dated_by_the_second_charge() -> None:
    sales = second_shipment_read_late()

    sales.amazon_charges(tea_charged("5.00", "C2", datetime(2026, 11, 27, 9, 0, tzinfo=UTC)))
    sales.resume()

    assert (dated(sales), dated(sales, "A-S2")) == ("2026-11-23", "2026-11-27")


def test_person_who_is_asked_for_the_day_of_one_of_several_shipments_states_it() -> None:
    sales = second_shipment_read_late()
    sales.clock.advance(3 * 86400)
    sales.plan_shipments()
    assert state_of(sales) == (OrderState.FAILED, FailureCode.SHIPPING_DAY_UNKNOWN)
    assert "correct the order with --date --shipment 2: each of its 2 shipments has" in sales.record().remedy

    sales.correct(CorrectionKind.DATE, "2026-11-25", line="shipment 2")
    sales.resume()

    assert (dated(sales), dated(sales, "A-S2")) == ("2026-11-23", "2026-11-25")
    assert state_of(sales)[0] is OrderState.PLANNED
    assert sales.failures() == []


def test_day_that_a_person_states_of_the_first_shipment_leaves_that_of_the_second_open() -> None:
    sales = second_shipment_read_late()

    sales.correct(CorrectionKind.DATE, "2026-11-24", line="shipment 1")
    sales.resume()

    assert (*state_of(sales), invoices(sales)) == (*WAITS, 1)


@pytest.mark.parametrize("status", ["CANCELLED", "PENDING"])
def test_order_that_is_not_invoiced_waits_for_no_charge(status: str) -> None:
    sales = Sales(fba_order(status=status))

    assert sales.record().state is OrderState.NOT_INVOICED


def test_waiting_order_whose_package_is_named_later_is_dated_on_the_day_that_the_package_states() -> None:
    sales = Sales(fba_order())

    sales.update(fba_order(updated="2026-11-22T10:00:00Z", packages=[PACKAGE]))

    assert dated(sales) == "2026-10-28"


# --- the day is certain -----------------------------------------------------------------------------------------------


def test_order_whose_package_states_when_it_was_shipped_waits_for_nothing_however_late_it_is_read() -> None:
    sales = Sales(fba_order(packages=[PACKAGE]))

    assert dated(sales) == "2026-10-28"


def test_order_that_ships_weeks_after_it_was_placed_is_entered_at_once_where_the_orders_are_followed() -> None:
    sales = Sales(fba_order(status="UNSHIPPED", updated=PLACED))
    sales.clock.advance(7 * 86400)
    swept_until(sales, sales.clock.now() - timedelta(minutes=17))

    sales.update(fba_order(updated="2026-11-30T11:55:00Z"))

    assert dated(sales) == "2026-11-30"


def test_order_that_ships_over_the_end_of_a_month_is_entered_at_once_where_the_orders_are_followed() -> None:
    sales = Sales()
    sales.clock.advance((datetime(2026, 11, 30, 23, 40, tzinfo=UTC) - NOON).total_seconds())
    sales.update(fba_order(status="UNSHIPPED", placed="2026-11-30T22:00:00Z", updated="2026-11-30T22:00:00Z"))
    sales.clock.advance(3600)

    sales.update(fba_order(placed="2026-11-30T22:00:00Z", updated="2026-12-01T00:30:00Z"))

    assert dated(sales) == "2026-12-01"


def test_order_that_shipped_within_two_days_of_a_month_is_entered_at_once_although_it_is_read_late() -> None:
    sales = Sales(fba_order(placed="2026-11-03T10:00:00Z", updated="2026-11-05T09:00:00Z"))

    assert dated(sales) == "2026-11-05"


def test_order_that_shipped_within_two_days_of_two_months_is_dated_by_its_charge() -> None:
    sales = Sales(fba_order(placed="2026-10-31T10:00:00Z", updated="2026-11-01T09:00:00Z"))
    assert state_of(sales) == WAITS

    sales.amazon_charges(charge_of("A", datetime(2026, 10, 31, 22, 0, tzinfo=UTC)))
    sales.resume()

    assert dated(sales) == "2026-10-31"


def test_order_that_is_noticed_again_after_an_outage_of_days_is_dated_by_its_charge() -> None:
    sales = Sales(fba_order(status="UNSHIPPED", updated=PLACED))
    swept_until(sales, sales.clock.now())
    sales.clock.advance(7 * 86400)

    sales.update(fba_order(updated="2026-11-30T11:55:00Z"))
    assert state_of(sales) == WAITS
    assert "between 2026-11-23 12:01 UTC and" in sales.record().remedy


def test_sweep_proves_nothing_about_an_order_that_it_should_have_known() -> None:
    """Its marketplace was added to the settings, or to those that Amazon lets be searched, after it had shipped."""
    sales = Sales()
    swept_until(sales, sales.clock.now())

    sales.update(fba_order(updated="2026-11-23T11:55:00Z"))

    assert state_of(sales) == WAITS


def test_sweep_proves_nothing_about_a_marketplace_that_it_leaves_out() -> None:
    sales = Sales(fba_order(status="UNSHIPPED", updated=PLACED))
    sales.clock.advance(7 * 86400)
    swept_until(sales, sales.clock.now())
    sales.store.save([Cursor("search-scope", {"left_out": UK, "refused": UK, "works": "*"})])

    sales.update(fba_order(updated="2026-11-30T12:01:55Z"))

    assert state_of(sales) == WAITS


def test_charges_of_many_late_orders_are_loaded_together() -> None:
    ids = [f"A{number}" for number in range(15)]
    sales = Sales()
    sales.amazon_charges(*(charge_of(order_id) for order_id in ids))
    sales.amazon.hold(*(fba_order(order_id) for order_id in ids))
    named = sales.read(sales.notice(ids)).due
    reads = sales.store.table.reads

    sales.plan_shipments(*named)

    assert sales.store.table.reads - reads <= 6
    assert {state_of(sales, order_id)[0] for order_id in ids} == {OrderState.PLANNED}


# --- the period's finances first --------------------------------------------------------------------------------------


def sweep_orders(sales: Sales) -> None:
    """Work as the orders function does every 15 minutes, then as the resume function."""
    sales.clock.advance(60)
    sales.connection.worker.sweep(ORDERS, "worker", sales.clock.now() + timedelta(minutes=5))
    sales.resume()


def test_first_sweep_reads_what_amazon_charged_before_the_orders_and_dates_all_of_them_right() -> None:
    ids = [f"A{number}" for number in range(5)]
    sales = Sales()
    sales.amazon.hold(*(fba_order(order_id) for order_id in ids))
    sales.amazon.transactions = [charge_of(order_id) for order_id in ids]

    sweep_orders(sales)

    assert {dated(sales, order_id) for order_id in ids} == {"2026-10-27"}
    assert [operation for operation, _ in sales.amazon.calls] == ["listTransactions", "searchOrders"]
    assert sales.decisions.of("RECORDED") != []
    assert not any("WAITING_FOR_SHIPPING_DAY" in str(each.fields) for each in sales.decisions.notes)


def test_sweep_that_follows_the_orders_reads_no_transactions() -> None:
    sales = Sales()
    sweep_orders(sales)
    sales.amazon.calls.clear()

    sales.clock.advance(900)
    sweep_orders(sales)

    assert [operation for operation, _ in sales.amazon.calls] == ["searchOrders"]


def test_sweep_after_an_outage_reads_what_amazon_charged_meanwhile_before_the_orders() -> None:
    sales = Sales()
    sweep_orders(sales)
    sales.amazon.calls.clear()

    sales.clock.advance(8 * 3600)
    sweep_orders(sales)

    assert [operation for operation, _ in sales.amazon.calls] == ["listTransactions", "searchOrders"]


def test_organisation_without_the_finance_role_has_its_orders_read_and_those_without_a_day_end_with_a_person() -> None:
    sales = Sales()
    sales.amazon.hold(fba_order(), fba_order("B", packages=[PACKAGE]))
    sales.amazon.faults = [AmazonForbidden("listTransactions", 403, "Unauthorized")]

    sweep_orders(sales)

    assert dated(sales, "B") == "2026-10-28"
    assert state_of(sales) == WAITS
    sales.clock.advance(3 * 86400)
    sales.connection.worker.run("resume", sales.clock.now() + timedelta(minutes=1), capabilities=[SHIPMENTS])
    assert state_of(sales) == (OrderState.FAILED, FailureCode.SHIPPING_DAY_UNKNOWN)
    assert "role Finance and Accounting" in sales.record().remedy
    assert sales.dead_letters[REFUNDS].reasons == []


# --- a person states the day ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waited", [timedelta(), timedelta(days=4)], ids=["while it waits", "after it failed"])
def test_order_of_unknown_day_is_entered_on_the_day_that_a_person_states(waited: timedelta) -> None:
    sales = Sales(fba_order())
    sales.work(waited)
    sales.resume()
    assert sales.record().state in (OrderState.RECORDED, OrderState.FAILED)

    sales.correct(CorrectionKind.DATE, "2026-10-30")
    sales.resume()

    assert dated(sales) == "2026-10-30"
    assert sales.record().state is OrderState.PLANNED


def test_charge_that_comes_later_leaves_the_day_that_a_person_has_stated() -> None:
    sales = Sales(fba_order())
    sales.correct(CorrectionKind.DATE, "2026-10-30")
    sales.resume()

    sales.amazon_charges(charge_of("A"))
    sales.update(fba_order(updated="2026-11-21T10:00:00Z"))
    sales.resume()

    assert dated(sales) == "2026-10-30"
    assert (invoices(sales), sales.outcome()[0]) == (1, ConfirmationState.CONFIRMED)


def test_order_whose_stated_day_is_withdrawn_before_it_is_entered_waits_for_its_charge_again() -> None:
    sales = Sales(fba_order())
    sales.correct(CorrectionKind.DATE, "2026-10-30")
    sales.correct(CorrectionKind.WITHDRAW, "1")

    sales.resume()

    assert (*state_of(sales), invoices(sales)) == (*WAITS, 0)
