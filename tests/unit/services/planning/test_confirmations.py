"""Each sale in the books is confirmed by what Amazon charged, differs in front of a person, or is awaited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.notification import parse_transaction_update
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.transaction_record import TransactionState
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState
from amazon_to_xero.domain.planning.stated_sale import StatedSale, stated_sale
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.status_metrics import STATUS_METRICS
from amazon_to_xero.services.planning import confirmations
from amazon_to_xero.services.planning.confirmations import SaleConfirmations
from fakes.charges import charge, copy_of
from fakes.order_life import CANADIAN, DRAFT, PAYING, canadian_item, cancelled, tea
from fakes.orders import US, breakdown, item
from fakes.refunds import item_refund, refund
from fakes.state import NOON
from unit.services.planning.charged_sales import DAY, SHIPPED, SHIPPED_AT, Sales, shipped, tea_charged

AWAITED, CONFIRMED = (ConfirmationState.AWAITED, WaitReason.WAITING_FOR_CHARGE), (ConfirmationState.CONFIRMED, "")
DIFFERS = (ConfirmationState.FAILED, FailureCode.CHARGE_DIFFERS)
MISSING = (ConfirmationState.FAILED, FailureCode.CHARGE_MISSING)


def of_order(order_id: str) -> Json:
    return {"relatedIdentifiers": [{"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order_id}]}


# --- confirmed --------------------------------------------------------------------------------------------------------


def test_sale_is_confirmed_by_a_charge_of_the_same_amount_whatever_amazon_keeps_as_fees() -> None:
    sales = Sales(SHIPPED)
    assert sales.outcome() == AWAITED

    sales.amazon_charges(tea_charged())

    assert sales.outcome() == CONFIRMED
    assert sales.confirmation().next_attempt_at is None
    assert (sales.letters, sales.failures()) == ([], [])
    assert sales.decisions.of("CONFIRMED") == [{"order_id": "A", "source": "confirmation#A"}]


def test_charge_that_comes_before_its_order_confirms_it_once_the_order_is_planned() -> None:
    sales = Sales(DRAFT)
    sales.amazon_charges(tea_charged())
    assert sales.outcome() == (ConfirmationState.AWAITED, WaitReason.WAITING_FOR_SALE)
    assert "has not shipped" in sales.confirmation().remedy

    sales.update(SHIPPED)

    assert sales.outcome() == CONFIRMED


def test_sale_of_several_types_of_charges_less_discounts_is_confirmed() -> None:
    parts = [breakdown("ITEM", "24.00"), breakdown("SHIPPING", "4.99"), breakdown("DISCOUNT", "-3.00")]
    sales = Sales(shipped(item("25.99", *parts)))

    sales.amazon_charges(
        charge(
            "C1",
            posted=SHIPPED_AT,
            OurPricePrincipal="20.00",
            OurPriceTax="4.00",
            ShippingPrincipal="4.16",
            ShippingTax="0.83",
            OurPriceDiscount="-3.00",
        )
    )

    assert sales.outcome() == CONFIRMED


def test_sale_to_which_the_tax_is_added_is_confirmed() -> None:
    sales = Sales(shipped(canadian_item("40.00", "2.00"), **CANADIAN))

    sales.amazon_charges(charge("C1", currency="CAD", posted=SHIPPED_AT, OurPricePrincipal="40.00", OurPriceTax="2.00"))

    assert sales.outcome() == CONFIRMED


COLLECTED = item("18.00", breakdown("ITEM", "15.00"), breakdown("TAX", "3.00", ITEM="3.00"), facilitator=True)


def test_sale_whose_tax_the_marketplace_collects_is_confirmed_by_the_tax_that_it_withholds() -> None:
    sales = Sales(shipped(COLLECTED))

    sales.amazon_charges(
        tea_charged("15.00", OurPriceTax="3.00", MarketplaceFacilitatorVAT__Principal="-3.00"),
    )

    assert sales.outcome() == CONFIRMED


def test_sale_whose_tax_a_person_has_explained_in_the_settings_is_confirmed_by_it() -> None:
    new_model = COLLECTED | {"tax": {"taxCollections": [{"model": "NewModel"}]}}
    tax = replace(PAYING.tax, liabilities={"newmodel": Party.MARKETPLACE})
    sales = Sales(shipped(new_model), policy=replace(PAYING, tax=tax))

    sales.amazon_charges(tea_charged("15.00", OurPriceTax="3.00", MarketplaceFacilitatorVAT__Principal="-3.00"))

    assert sales.outcome() == CONFIRMED


def test_order_of_two_shipments_is_awaited_with_both_numbers_until_the_second_charge_confirms_it() -> None:
    sales = Sales(shipped(tea("10.00", quantity=2)))

    sales.amazon_charges(tea_charged("5.00"))
    assert sales.outcome() == AWAITED
    assert "Amazon charged 5.00 GBP; the documents state 10.00 GBP" in sales.confirmation().remedy

    sales.amazon_charges(tea_charged("5.00", "C2"))
    assert sales.outcome() == CONFIRMED


def partly_shipped(shipped_of_three: int, status: str = "PARTIALLY_SHIPPED", minutes: int = 0) -> Json:
    tea_of_three = tea("10.00", quantity=3) | {"fulfillment": {"quantityFulfilled": shipped_of_three}}
    return shipped(tea_of_three, status=status, minutes=minutes)


@pytest.mark.parametrize("invoice_per", InvoicePer)
def test_part_of_an_order_that_has_not_shipped_is_not_missed_and_no_cent_of_rounding_differs(
    invoice_per: InvoicePer,
) -> None:
    sales = Sales(partly_shipped(1), policy=replace(PAYING, invoice_per=invoice_per))

    sales.amazon_charges(tea_charged("3.34"))
    sales.work(later=5 * DAY)
    assert sales.outcome() == AWAITED

    sales.update(partly_shipped(3, "SHIPPED", minutes=5 * 24 * 60))
    sales.amazon_charges(tea_charged("6.66", "C2", posted=sales.clock.now() - timedelta(hours=1)))
    sales.resume()  # one invoice per shipment: the second is dated by its charge
    assert sales.outcome() == CONFIRMED


def test_tip_that_is_added_later_is_compared_with_invoice_and_adjustment() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged())

    sales.update(shipped(tea(), tip="2.00", minutes=30))
    assert sales.outcome() == AWAITED

    sales.amazon_charges(charge("C2", posted=SHIPPED_AT + timedelta(minutes=30), GoodwillPrincipal="2.00"))
    assert sales.outcome() == CONFIRMED


def test_item_that_is_cancelled_before_it_is_charged_is_no_difference() -> None:
    book = item("8.00", sku="BOOK", item_id="2")
    sales = Sales(shipped(tea(), book))

    sales.update(shipped(tea(), item("0.00", sku="BOOK", item_id="2"), minutes=30))
    sales.amazon_charges(tea_charged())

    assert sales.outcome() == CONFIRMED


def test_refund_and_its_credit_note_are_no_part_of_the_comparison() -> None:
    sales = Sales(SHIPPED)

    sales.amazon_charges(tea_charged(), refund("R1", item_refund(OurPricePrincipal="-10.00"), posted=SHIPPED_AT))
    sales.work()

    assert sales.transaction().state is TransactionState.PLANNED
    assert sales.outcome() == CONFIRMED


def test_cancellation_after_the_charge_is_confirmed_by_the_refund_that_gives_it_back() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged())
    sales.update(cancelled(1) | {"lastUpdatedTime": NOON.isoformat().replace("+00:00", "Z")})
    sales.work()
    assert sales.outcome() == AWAITED
    assert sales.letters == []

    sales.amazon_charges(refund("R1", item_refund(OurPricePrincipal="-10.00"), posted=NOON))

    assert sales.transaction().reason == NotBookedReason.ALREADY_CREDITED
    assert sales.outcome() == CONFIRMED


def test_open_invoice_that_was_reduced_after_the_charge_is_confirmed_by_the_refund() -> None:
    sales = Sales(SHIPPED, policy=replace(PAYING, accounts=replace(PAYING.accounts, clearing={})))
    sales.amazon_charges(tea_charged())
    sales.update(shipped(tea("6.00"), minutes=100))
    sales.work()
    assert sales.outcome() == AWAITED

    sales.amazon_charges(refund("R1", item_refund(OurPricePrincipal="-4.00"), posted=NOON))

    assert sales.transaction().reason == NotBookedReason.ALREADY_CREDITED
    assert (sales.outcome(), sales.letters) == (CONFIRMED, [])


def test_price_that_falls_after_its_refund_leaves_the_sale_confirmed() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged(), refund("R1", item_refund(OurPricePrincipal="-4.00"), posted=SHIPPED_AT))

    sales.update(shipped(tea("6.00"), minutes=100))
    sales.work()

    assert sales.outcome() == CONFIRMED


# --- differs ----------------------------------------------------------------------------------------------------------


def test_larger_charge_differs_and_a_person_sees_both_numbers_by_type() -> None:
    parts = [breakdown("ITEM", "24.00"), breakdown("SHIPPING", "4.99")]
    sales = Sales(shipped(item("28.99", *parts)))

    sales.amazon_charges(tea_charged("24.00", ShippingPrincipal="5.99"))

    assert sales.outcome() == DIFFERS
    remedy = sales.confirmation().remedy
    assert "Amazon charged 29.99 GBP; the documents state 28.99 GBP" in remedy
    assert "(by type, charged and ordered: SHIPPING 5.99 and 4.99)" in remedy
    assert sales.failures() == ["CONFIRMATION#A CHARGE_DIFFERS"]
    assert sales.letters == [("A", "CHARGE_DIFFERS")]
    assert str(sales.document().desired.total) == "28.99"


def test_tax_that_the_marketplace_withholds_although_the_order_says_it_is_the_sellers_differs() -> None:
    sales = Sales(shipped(item("24.00", breakdown("ITEM", "24.00"), breakdown("TAX", "4.00", ITEM="4.00"))))

    sales.amazon_charges(tea_charged("20.00", OurPriceTax="4.00", MarketplaceFacilitatorVAT__Principal="-4.00"))

    assert sales.outcome() == DIFFERS
    assert "withheld tax is 4.00 as charged and 0.00 as ordered" in sales.confirmation().remedy


def test_other_tax_withheld_than_the_order_states_differs_although_the_seller_gets_the_same() -> None:
    sales = Sales(shipped(COLLECTED))

    sales.amazon_charges(tea_charged("15.00", OurPriceTax="3.50", MarketplaceFacilitatorVAT__Principal="-3.50"))

    assert sales.outcome() == DIFFERS


def test_charge_in_another_currency_differs() -> None:
    sales = Sales(SHIPPED)

    sales.amazon_charges(charge("C1", currency="EUR", posted=SHIPPED_AT, OurPricePrincipal="10.00"))

    assert sales.outcome() == DIFFERS
    assert "Amazon charged 10.00 EUR; the documents state 10.00 GBP" in sales.confirmation().remedy


def test_amount_of_unknown_type_differs_and_is_named() -> None:
    sales = Sales(SHIPPED)

    sales.amazon_charges(tea_charged("9.00", EcoContribution="1.00"))

    assert sales.outcome() == DIFFERS
    assert "EcoContribution (unknown type) 1.00 and 0.00" in sales.confirmation().remedy


def test_name_of_an_unknown_amount_that_cannot_be_stored_stops_no_other_sale() -> None:
    sales = Sales(SHIPPED, SHIPPED | {"orderId": "B"})

    with_eco = tea_charged("9.00", **{"Eco\ud800": "1.00"})  # type: ignore[arg-type]  # a name

    sales.amazon_charges(with_eco, tea_charged(transaction_id="C2") | of_order("B"))

    assert sales.outcome() == DIFFERS
    assert "Eco\\ud800 (unknown type)" in sales.confirmation().remedy
    assert sales.outcome("B") == CONFIRMED


def test_smaller_charge_differs_once_the_rest_is_no_longer_to_be_expected() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged("9.00"))
    assert sales.outcome() == AWAITED

    sales.work(later=3 * DAY)

    assert sales.outcome() == DIFFERS
    assert "Amazon charged 9.00 GBP; the documents state 10.00 GBP" in sales.confirmation().remedy


def test_difference_goes_by_itself_once_the_order_states_what_was_charged() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged("12.00"))
    assert sales.failures() == ["CONFIRMATION#A CHARGE_DIFFERS"]

    sales.update(shipped(tea("12.00"), minutes=30))

    assert sales.outcome() == CONFIRMED
    assert sales.failures() == []


def test_change_of_a_confirmed_order_that_moves_no_money_costs_no_write() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged())
    written = sales.store.writes("CONFIRMATION#")

    sales.update(shipped(tea(), minutes=30) | {"programs": ["PRIME"]})

    assert sales.record().state is OrderState.PLANNED
    assert sales.store.writes("CONFIRMATION#") == written


def test_difference_is_reported_once_however_often_it_is_compared() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged("12.00"))

    for _ in range(3):
        sales.work(later=DAY)

    assert sales.letters == [("A", "CHARGE_DIFFERS")]


def test_reprocessed_difference_is_compared_again_and_reported_again_if_it_lasts() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged("12.00"))
    (letter,) = sales.dead_letters[REFUNDS].letters
    assert '"source": "confirmation#A"' in letter.body

    CAPABILITIES[REFUNDS].record(sales.connection.services, [parse_transaction_update(letter.body)])
    assert sales.failures() == []
    sales.work()

    assert sales.letters == [("A", "CHARGE_DIFFERS")] * 2


def test_difference_whose_dead_letter_cannot_be_sent_is_found_again() -> None:
    sales = Sales(SHIPPED)
    sales.dead_letters[REFUNDS].broken = True
    sales.amazon_charges(tea_charged("12.00"))
    assert sales.outcome() == (ConfirmationState.AWAITED, WaitReason.DEAD_LETTER_NOT_SENT)

    sales.dead_letters[REFUNDS].broken = False
    sales.work()

    assert sales.outcome() == DIFFERS


# --- awaited ----------------------------------------------------------------------------------------------------------


def test_missing_charge_is_normal_for_three_days_and_then_in_front_of_a_person() -> None:
    sales = Sales(SHIPPED)
    sales.work(later=2 * DAY)
    assert (sales.outcome(), sales.failures()) == (AWAITED, [])

    sales.work(later=DAY)

    assert sales.outcome() == MISSING
    assert "order A" in sales.confirmation().remedy
    assert "the documents state 10.00 GBP" in sales.confirmation().remedy
    assert sales.failures() == ["CONFIRMATION#A CHARGE_MISSING"]


def test_old_sale_that_is_entered_late_is_compared_once_the_next_sweep_has_read_what_amazon_charged() -> None:
    sales = Sales(shipped(tea(), minutes=-10 * 24 * 60))

    assert sales.outcome() == AWAITED
    assert sales.confirmation().next_attempt_at == sales.clock.now() + timedelta(hours=1)

    sales.work(timedelta(hours=1, minutes=1))

    assert sales.letters == [("A", "CHARGE_MISSING")]


def test_charge_that_comes_late_confirms_the_sale_and_its_failure_goes() -> None:
    sales = Sales(SHIPPED)
    sales.work(later=4 * DAY)
    assert sales.outcome() == MISSING

    sales.amazon_charges(tea_charged(posted=sales.clock.now() - DAY))

    assert (sales.outcome(), sales.failures()) == (CONFIRMED, [])


def test_no_charge_is_missing_while_amazon_does_not_let_transactions_be_read() -> None:
    sales = Sales(SHIPPED)

    for _ in range(20):
        sales.clock.advance(DAY.total_seconds())
        sales.connection.worker.run("worker", sales.clock.now() + timedelta(minutes=1), capabilities=[REFUNDS])

    assert sales.outcome() == AWAITED
    assert sales.letters == []
    assert sales.store.writes("CONFIRMATION#") <= 12  # ever more rarely

    sales.work()
    sales.work(later=20 * DAY)
    assert sales.outcome() == MISSING


def test_reduction_without_a_refund_differs_after_three_days() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged())

    sales.update(shipped(tea("6.00"), minutes=100))
    assert sales.outcome() == AWAITED
    sales.work(later=4 * DAY)

    assert sales.outcome() == DIFFERS


# --- orders without documents -----------------------------------------------------------------------------------------


def test_unknown_order_of_a_charge_is_read() -> None:
    sales = Sales()
    sales.amazon.hold(SHIPPED)
    sales.store.save([replace(sales.store.cursor("sweep#orders"), data={"watermark": NOON.isoformat()})])

    sales.amazon_charges(tea_charged())

    assert sales.record().state is OrderState.NOTICED
    named = sales.read(["A"]).due
    sales.plan_shipments(*named)
    assert sales.outcome() == CONFIRMED


def test_unknown_order_is_left_to_the_sweep_of_orders_while_that_has_not_passed_it() -> None:
    sales = Sales()
    sales.amazon_charges(tea_charged())
    assert "ORDER#A" not in sales.store.table.rows

    sales.work(later=timedelta(hours=8))
    sales.work(later=timedelta(hours=8))

    assert sales.record().state is OrderState.NOTICED


def test_charge_whose_order_amazon_does_not_return_fails_after_three_days_and_is_not_lost() -> None:
    sales = Sales()
    sales.amazon_charges(tea_charged())

    for _ in range(9):
        sales.work(later=timedelta(hours=10))

    assert sales.outcome() == (ConfirmationState.FAILED, FailureCode.CHARGE_WITHOUT_SALE)
    assert "Amazon charged 10.00 GBP for order A" in sales.confirmation().remedy
    sales.update(SHIPPED)
    assert (sales.outcome(), sales.failures()) == (CONFIRMED, [])


def test_charge_whose_marketplace_a_person_has_excluded_since_is_explained_by_itself() -> None:
    sales = Sales(shipped(tea(), salesChannel={"marketplaceId": US}), policy=replace(PAYING, marketplaces=frozenset()))
    sales.amazon_charges(tea_charged())
    for _ in range(5):
        sales.work(later=DAY)
    assert sales.outcome() == (ConfirmationState.FAILED, FailureCode.CHARGE_WITHOUT_SALE)
    assert "UNKNOWN_MARKETPLACE" in sales.confirmation().remedy
    assert len(sales.decisions.of("FAILED")) == 2  # of the order and of its charge, each once

    sales.policy = replace(sales.policy, ignored_marketplaces=frozenset({US}))
    sales.restart()
    sales.read(sales.notice(["A"]))
    for _ in range(5):
        sales.work(later=DAY)

    assert sales.outcome() == (ConfirmationState.NOT_INVOICED, NotInvoicedReason.IGNORED_MARKETPLACE)
    assert "CONFIRMATION#A" not in " ".join(sales.failures())


def test_order_that_was_planned_before_charges_were_recorded_is_planned_again() -> None:
    sales = Sales(SHIPPED)
    del sales.store.table.rows["CONFIRMATION#A"]

    sales.amazon_charges(tea_charged())
    sales.plan_shipments()

    assert sales.outcome() == CONFIRMED


SHIPPED_IN_JANUARY = shipped(tea(), packages=[{"packageReferenceId": "1", "shipTime": "2026-01-02T10:00:00Z"}]) | {
    "createdTime": "2026-01-01T00:00:00Z"
}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (SHIPPED_IN_JANUARY, NotInvoicedReason.BEFORE_START),
        (shipped(tea(), salesChannel={"channelName": "NON_AMAZON"}), NotInvoicedReason.MULTI_CHANNEL),
    ],
)
def test_charge_of_an_order_that_is_not_entered_here_is_explained(order: Json, reason: NotInvoicedReason) -> None:
    sales = Sales(order)

    sales.amazon_charges(tea_charged())

    assert sales.outcome() == (ConfirmationState.NOT_INVOICED, reason)
    assert sales.failures() == []


def test_charge_of_fees_alone_is_explained_by_a_cancelled_order() -> None:
    sales = Sales(shipped(tea(), status="CANCELLED"))

    sales.amazon_charges(charge("C1", posted=SHIPPED_AT, Commission="-1.00"))

    assert sales.outcome() == (ConfirmationState.NOT_INVOICED, NotInvoicedReason.ORDER_CANCELLED)


def test_charge_of_a_cancelled_order_differs() -> None:
    sales = Sales(shipped(tea(), status="CANCELLED"))

    sales.amazon_charges(tea_charged())

    assert sales.outcome() == DIFFERS
    assert "it is not invoiced (ORDER_CANCELLED)" in sales.confirmation().remedy


def test_cancelled_order_that_was_never_charged_has_no_confirmation() -> None:
    sales = Sales(DRAFT)
    sales.update(shipped(tea(), status="CANCELLED"))

    assert "CONFIRMATION#A" not in sales.store.table.rows


@pytest.mark.parametrize("is_known_before", [True, False])
def test_sale_that_a_frozen_worker_stores_after_the_order_was_cancelled_is_not_confirmed(
    monkeypatch: pytest.MonkeyPatch, is_known_before: bool
) -> None:
    in_time, late = SaleConfirmations.orders_planned, []
    monkeypatch.setattr(SaleConfirmations, "orders_planned", lambda _, plans: late.append(plans))
    sales = Sales()
    sales.plan(SHIPPED)
    confirmations = sales.connection.services.confirmations
    if is_known_before:
        in_time(confirmations, late[0])
    sales.plan(shipped(tea(), status="CANCELLED", minutes=30))
    in_time(confirmations, late[1])

    in_time(confirmations, late[0])
    monkeypatch.setattr(SaleConfirmations, "orders_planned", in_time)
    sales.amazon_charges(tea_charged())

    assert sales.outcome() == DIFFERS
    assert "it is not invoiced (ORDER_CANCELLED)" in sales.confirmation().remedy
    assert sales.decisions.of("CONFIRMED") == []


def test_charge_from_before_the_start_is_left_out() -> None:
    sales = Sales()

    sales.amazon_charges(tea_charged(posted=NOON - 31 * DAY))

    assert "CONFIRMATION#A" not in sales.store.table.rows


# --- what Amazon repeats ----------------------------------------------------------------------------------------------


def test_copy_of_a_deferred_charge_and_its_new_status_change_nothing() -> None:
    sales = Sales(SHIPPED)
    deferred = tea_charged() | {"transactionStatus": "DEFERRED"}
    sales.amazon_charges(deferred)
    before = sales.confirmation()

    sales.amazon.transactions = []
    sales.amazon_charges(deferred | {"transactionStatus": "DEFERRED_RELEASED"}, copy_of(deferred))

    assert sales.confirmation() == before


def test_charge_that_is_read_again_costs_no_write() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged())
    written = sales.store.writes("CONFIRMATION#")

    sales.work()

    assert sales.store.writes("CONFIRMATION#") == written == 2


# --- charges that cannot be read --------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["1E+40", "1E+999999"])
def test_charge_of_an_absurd_amount_fails_and_stops_no_other_sale(amount: str) -> None:
    sales = Sales(SHIPPED, SHIPPED | {"orderId": "B"})

    absurd = [charge(number, posted=SHIPPED_AT, OurPricePrincipal=amount) for number in ("C1", "C2")]
    sales.amazon_charges(*absurd, tea_charged(transaction_id="C3") | of_order("B"))

    assert sales.failures() == ["TRANSACTION#C1 TRANSACTION_MALFORMED", "TRANSACTION#C2 TRANSACTION_MALFORMED"]
    assert (sales.outcome(), sales.outcome("B")) == (AWAITED, CONFIRMED)


def test_order_whose_sale_cannot_be_stated_stops_no_other_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(record: OrderRecord, documents: Iterable[DesiredDocument], *more: Any) -> StatedSale | None:
        if record.order_id == "A":
            raise LookupError("A")
        return stated_sale(record, documents, *more)

    monkeypatch.setattr(confirmations, "stated_sale", broken)
    sales = Sales(SHIPPED, SHIPPED | {"orderId": "B"})

    assert (sales.record("A").state, sales.record("B").state) == (OrderState.PLANNED, OrderState.PLANNED)
    assert sales.outcome("B") == AWAITED
    assert sales.letters == [("A", "ORDER_UNREADABLE")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"transactionId": None}, FailureCode.TRANSACTION_MALFORMED),
        ({"postedDate": None}, FailureCode.TRANSACTION_MALFORMED),
        ({"relatedIdentifiers": None}, FailureCode.TRANSACTION_MALFORMED),
        ({"totalAmount": {"currencyAmount": 7, "currencyCode": "GBP"}}, FailureCode.TRANSACTION_TOTAL_DIFFERS),
        ({"items": 5}, FailureCode.TRANSACTION_MALFORMED),
        (
            {"totalAmount": {"currencyAmount": 0, "currencyCode": {}}, "items": [], "breakdowns": []},
            FailureCode.TRANSACTION_MALFORMED,
        ),
    ],
)
def test_charge_that_cannot_be_read_fails_visibly_once_and_the_others_confirm(changes: Json, code: FailureCode) -> None:
    sales = Sales(SHIPPED)

    sales.amazon_charges(tea_charged("5.00", "C2") | changes, tea_charged())
    sales.work()

    assert [reason for _, reason in sales.letters] == [code]
    assert [each.split()[1] for each in sales.failures()] == [code]
    (letter,) = sales.dead_letters[REFUNDS].letters
    assert "refund" not in letter.remedy
    assert sales.outcome() == CONFIRMED


def test_charge_that_amazon_corrects_is_taken_off_the_list_of_failures() -> None:
    sales = Sales(SHIPPED)
    sales.amazon_charges(tea_charged() | {"items": 5})
    assert len(sales.failures()) == 1

    sales.amazon.transactions = []
    sales.amazon_charges(tea_charged())

    assert sales.outcome() == CONFIRMED
    assert sales.failures() == []
    assert sales.transaction("C1").reason == NotBookedReason.CONFIRMS_A_SALE


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_five_hundred_sales_are_confirmed_with_two_writes_each_one_page_and_no_other_call() -> None:
    count = 500
    orders = [shipped(tea()) | {"orderId": f"{number:03}"} for number in range(count)]
    sales = Sales()
    sales.amazon.page_size = count
    sales.amazon.hold(*orders)
    sales.clock.advance(600)
    sales.plan_shipments(*sales.sweep(NOON + DAY).due, deadline=NOON + DAY)
    sales.post(deadline=NOON + DAY)
    planned, calls, xero_calls = sales.store.table.reads, len(sales.amazon.calls), len(sales.xero.calls)

    sales.amazon_charges(
        *(tea_charged(transaction_id=f"C{each['orderId']}") | of_order(each["orderId"]) for each in orders)
    )

    assert sales.store.table.reads - planned < 20  # batches, whatever the count
    assert sales.store.writes("CONFIRMATION#") == 2 * count
    assert {sales.outcome(each["orderId"]) for each in orders} == {CONFIRMED}
    assert (len(sales.amazon.calls) - calls, len(sales.xero.calls) - xero_calls) == (1, 0)


# --- two writers ------------------------------------------------------------------------------------------------------


def test_charge_that_is_recorded_while_its_sale_is_planned_is_not_lost() -> None:
    sales = Sales()
    sales.amazon.hold(SHIPPED)
    sales.clock.advance(600)
    sales.amazon.transactions = [tea_charged()]
    named = sales.read(sales.notice(["A"])).due
    sales.store.meanwhile(sales.sweep_transactions, sales.sweep_transactions)

    sales.plan_shipments(*named)
    sales.work()

    assert sales.outcome() == CONFIRMED
    assert sales.confirmation().charges.keys() == {"C1"}


def test_difference_that_is_confirmed_while_it_is_compared_does_not_stay_a_failure() -> None:
    sales = Sales(SHIPPED)
    sales.amazon.transactions = [tea_charged("5.00")]
    sales.sweep_transactions()
    sales.clock.advance(4 * DAY.total_seconds())
    sales.amazon.transactions.append(tea_charged("5.00", "C2", posted=NOON + 3 * DAY))
    sales.sweep_transactions()
    sales.amazon.transactions.append(tea_charged("-2.00", "C3", posted=NOON + 3 * DAY))
    sales.sweep_transactions()
    sales.amazon.transactions.append(tea_charged("2.00", "C4", posted=NOON + 3 * DAY))
    sales.store.meanwhile(sales.sweep_transactions)

    sales.connection.services.confirmations.confirm_due(sales.clock.now() + DAY)

    assert (sales.outcome(), sales.failures()) == (CONFIRMED, [])


def test_plan_of_an_older_version_does_not_replace_what_a_newer_one_states() -> None:
    sales = Sales(SHIPPED)
    older = sales.confirmation().sale
    sales.update(shipped(tea("12.00"), minutes=30))
    row = sales.confirmation()

    assert older is not None
    assert row.sale is not None
    assert row.sale.total == 12
    assert row.with_sale(older, older.version, sales.clock.now()) is None


def test_status_counts_the_charges_that_are_missing_and_that_differ() -> None:
    sales = Sales(SHIPPED, SHIPPED | {"orderId": "B"}, SHIPPED | {"orderId": "C"})
    sales.amazon_charges(tea_charged("12.00"), tea_charged("13.00", "C2") | of_order("B"))
    sales.work(later=4 * DAY)

    status = sales.connection.status.read()

    assert STATUS_METRICS["ChargesDiffering"].of(status) == 2
    assert STATUS_METRICS["ChargesMissing"].of(status) == 1
