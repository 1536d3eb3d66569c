"""Orders placed before `start`: what ships after it is booked, and nothing that another set of books has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy, StartBy
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.ports.amazon import Json
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING, tea, version
from fakes.refunds import item_refund, refund
from fakes.state import NOON

START = NOON - timedelta(hours=6)
BEFORE, AFTER = START - timedelta(days=2), START + timedelta(hours=3)
BEFORE_START = (OrderState.NOT_INVOICED, "BEFORE_START")


def time(moment: object) -> str:
    return str(moment).replace(" ", "T").replace("+00:00", "Z")


def old_order(status: str = "SHIPPED", minutes: int = 0, **more: object) -> Json:
    """Return an order placed two days before the start, that Amazon changed after it."""
    updated = AFTER + timedelta(minutes=minutes)
    raw = version(1, tea(), status=status, **more)  # type: ignore[arg-type]
    return raw | {"createdTime": time(BEFORE), "lastUpdatedTime": time(updated)}


def package(shipped_at: object, reference: str = "1", quantity: int = 1) -> Json:
    items = [{"orderItemId": "10000000000001", "quantity": quantity}]
    return {"packageReferenceId": reference, "shipTime": time(shipped_at), "packageItems": items}


class CutOver(FakeConnection):
    """A connection whose books begin six hours ago."""

    def __init__(self, *orders: Json, policy: PostingPolicy = PAYING) -> None:
        super().__init__(policy=replace(policy, start=START))
        self.xero.settings = ORGANISATION_WITH_CLEARING
        self.update(*orders)

    def update(self, *orders: Json) -> None:
        """Have Amazon state these versions, and read, plan and post them."""
        self.amazon.hold(*orders)
        self.clock.advance(60)
        self.notice([each["orderId"] for each in orders])
        self.work()

    def work(self) -> None:
        for _ in range(3):
            self.clock.advance(61)
            self.connection.worker.run("worker", self.clock.now() + timedelta(minutes=1))

    def amazon_states(self, *transactions: Json) -> None:
        self.amazon.transactions += list(transactions)
        self.clock.advance(300)
        self.connection.worker.sweep(REFUNDS, "worker", self.clock.now() + timedelta(minutes=1))
        self.work()

    def confirmation(self) -> SaleConfirmation:
        return self.store.load(SaleConfirmation, ["A"])["A"]

    def outcome(self) -> tuple[OrderState, str]:
        return self.record().state, self.record().reason

    def invoices(self) -> dict[str, str]:
        """Return the day of each approved invoice in Xero."""
        held = self.xero.books["Invoices"].values()
        return {each["InvoiceNumber"]: each["Date"] for each in held if each["Status"] in ("AUTHORISED", "PAID")}


def test_order_placed_before_the_start_and_sent_after_it_is_booked_on_the_day_of_shipment() -> None:
    books = CutOver(old_order(packages=[package(AFTER)]))

    assert books.invoices() == {"A": AFTER.date().isoformat()}


def test_order_placed_and_sent_before_the_start_is_not_booked_whatever_changes_later() -> None:
    books = CutOver(old_order(packages=[package(BEFORE)]))
    books.update(old_order(minutes=30, packages=[package(BEFORE)]))

    assert (books.outcome(), books.invoices()) == (BEFORE_START, {})


def test_no_order_placed_before_the_start_is_booked_where_the_settings_go_by_the_day_of_the_order() -> None:
    books = CutOver(old_order(packages=[package(AFTER)]), policy=replace(PAYING, start_by=StartBy.ORDER))

    assert (books.outcome(), books.invoices()) == (BEFORE_START, {})


def test_order_placed_before_the_start_has_no_draft_and_is_booked_once_amazon_has_sent_it() -> None:
    books = CutOver(old_order(status="UNSHIPPED"))
    assert (books.outcome(), books.xero.books["Invoices"]) == (BEFORE_START, {})

    books.update(old_order(minutes=30))  # sent by Amazon, which states no time of shipment

    assert books.invoices() == {"A": AFTER.date().isoformat()}


def test_old_order_that_amazon_sent_long_ago_is_not_booked_when_it_is_returned_after_the_start() -> None:
    books = CutOver(old_order())
    books.update(old_order(minutes=30))
    books.amazon_states(refund("R1", item_refund(OurPricePrincipal="-10.00")))

    assert (books.outcome(), books.invoices()) == (BEFORE_START, {})
    assert books.dead_letters[REFUNDS].reasons == [("A", "REFUND_BEFORE_START")]


def test_old_order_that_amazon_charged_after_the_start_is_booked_on_the_day_of_its_charge() -> None:
    books = CutOver(old_order())
    assert books.outcome() == BEFORE_START

    books.amazon_states(charge("C1", posted=AFTER, OurPricePrincipal="10.00", Commission="-1.50"))

    assert books.invoices() == {"A": AFTER.date().isoformat()}
    assert books.record().contact_number
    books.amazon_states()
    assert books.store.load(SaleConfirmation, ["A"])["A"].state is ConfirmationState.CONFIRMED
    books.update(old_order(minutes=30))
    assert books.outcome() == (OrderState.PLANNED, "")


def test_old_order_that_was_charged_in_part_before_the_start_is_left_to_a_person() -> None:
    books = CutOver(old_order())
    books.amazon_states(
        charge("C0", posted=BEFORE, OurPricePrincipal="6.00"), charge("C1", posted=AFTER, OurPricePrincipal="4.00")
    )
    assert books.outcome() == BEFORE_START
    books.clock.advance(timedelta(days=3).total_seconds())
    books.work()

    assert (books.invoices(), books.confirmation().state) == ({}, ConfirmationState.FAILED)
    assert books.confirmation().remedy == (
        "Amazon charged 4.00 GBP for order A, which was placed before the connection's start, and is not charged in "
        "full since. Enter what these books should have of it in Xero manually, then take it off the list with correct "
        "--skip."
    )
    assert books.dead_letters[REFUNDS].reasons == [("A", "CHARGE_WITHOUT_SALE")]
    books.correct(CorrectionKind.SKIP)
    books.clock.advance(timedelta(days=3).total_seconds())
    books.work()
    assert (books.confirmation().state, books.confirmation().reason) == (ConfirmationState.NOT_INVOICED, "SKIPPED")


def test_old_order_of_two_shipments_that_were_both_charged_after_the_start_is_booked_with_the_second_charge() -> None:
    books = CutOver(old_order())

    books.amazon_states(charge("C1", posted=AFTER, OurPricePrincipal="6.00"))
    assert (books.outcome(), books.confirmation().state) == (BEFORE_START, ConfirmationState.AWAITED)
    books.amazon_states(charge("C2", posted=AFTER + timedelta(hours=1), OurPricePrincipal="4.00"))

    assert books.invoices() == {"A": AFTER.date().isoformat()}
    books.work()
    assert books.confirmation().state is ConfirmationState.CONFIRMED


def test_charge_of_an_old_order_is_explained_where_the_settings_go_by_the_day_of_the_order() -> None:
    books = CutOver(old_order(), policy=replace(PAYING, start_by=StartBy.ORDER))

    books.amazon_states(charge("C1", posted=AFTER, OurPricePrincipal="10.00"))

    row = books.store.load(SaleConfirmation, ["A"])["A"]
    assert (row.state, row.reason) == (ConfirmationState.NOT_INVOICED, "BEFORE_START")
    assert books.invoices() == {}


@pytest.mark.parametrize(("per", "numbers"), [(InvoicePer.ORDER, []), (InvoicePer.SHIPMENT, ["A-S2"])])
def test_order_sent_in_part_before_the_start_is_booked_for_the_shipments_after_it(
    per: InvoicePer, numbers: list[str]
) -> None:
    raw = old_order(packages=[package(BEFORE), package(AFTER, "2")])
    raw["orderItems"][0]["quantityOrdered"] = 2
    books = CutOver(raw, policy=replace(PAYING, invoice_per=per))

    assert list(books.invoices()) == numbers
