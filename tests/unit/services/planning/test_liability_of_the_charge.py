"""Where the order leaves unclear who owes the tax, its charge shows it before anything is entered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rules import TaxRule
from amazon_to_xero.ports.amazon import Json
from fakes.order_life import PAYING
from fakes.orders import breakdown, item
from fakes.state import NOON
from unit.services.planning.charged_sales import SHIPPED_AT, Sales, shipped, tea_charged

WAITS = (OrderState.RECORDED, WaitReason.WAITING_FOR_LIABILITY)
UNCLEAR = (OrderState.FAILED, FailureCode.TAX_LIABILITY_UNCLEAR)
_FREE_OF_TAX = TaxRule("ZERORATEDOUTPUT", LineAmountTypes.INCLUSIVE, responsible=Party.MARKETPLACE)
POLICY = replace(PAYING, tax=replace(PAYING.tax, rules=(_FREE_OF_TAX, *PAYING.tax.rules)))
DEEMED = item("30.00") | {"tax": {"taxCalculationBreakdowns": [{"reportingScheme": "GB_VOEC"}]}}
NEW_WORD = item("24.00", breakdown("ITEM", "24.00"), breakdown("TAX", "4.00", ITEM="4.00")) | {
    "tax": {"taxCollections": [{"model": "NewModel"}]}
}
WITHHELD = tea_charged("25.00", OurPriceTax="5.00", MarketplaceFacilitatorVAT__Principal="-5.00")


def unclear_sales(*orders: Json) -> Sales:
    return Sales(*orders, policy=POLICY)


def state_of(sales: Sales) -> tuple[OrderState, str]:
    return sales.record().state, sales.record().reason


def line(sales: Sales) -> tuple[str, str]:
    """Return amount and tax type of the only line of the approved invoice in Xero."""
    invoice = sales.xero.invoice("A")
    assert invoice["Status"] == "AUTHORISED"
    (only,) = invoice["LineItems"]
    return str(only["UnitAmount"]), only["TaxType"]


def test_deemed_supply_whose_order_states_no_tax_is_entered_without_the_tax_that_the_charge_withholds() -> None:
    sales = unclear_sales(shipped(DEEMED))
    assert state_of(sales) == WAITS
    assert "scheme GB_VOEC" in sales.record().remedy

    sales.amazon_charges(WITHHELD)
    sales.resume()

    assert line(sales) == ("25", "ZERORATEDOUTPUT")
    assert sales.outcome() == (ConfirmationState.CONFIRMED, "")
    assert (sales.letters, sales.failures()) == ([], [])


def test_charge_that_is_known_before_the_order_has_it_entered_at_once() -> None:
    sales = unclear_sales()
    sales.amazon_charges(WITHHELD)

    sales.update(shipped(DEEMED))

    assert line(sales) == ("25", "ZERORATEDOUTPUT")
    assert sales.outcome()[0] is ConfirmationState.CONFIRMED


def test_tax_of_an_unknown_word_is_the_sellers_where_the_charge_withholds_nothing() -> None:
    sales = unclear_sales(shipped(NEW_WORD))
    assert state_of(sales) == WAITS

    sales.amazon_charges(tea_charged("20.00", OurPriceTax="4.00"))
    sales.resume()

    assert line(sales) == ("24", "OUTPUT2")
    assert sales.outcome() == (ConfirmationState.CONFIRMED, "")


def test_tax_that_is_withheld_in_part_is_for_a_person_who_sees_both_numbers() -> None:
    sales = unclear_sales(shipped(NEW_WORD))

    sales.amazon_charges(tea_charged("20.00", OurPriceTax="4.00", MarketplaceFacilitatorVAT__Principal="-1.00"))
    sales.resume()

    assert state_of(sales) == UNCLEAR
    assert "Amazon charged 4.00 GBP tax and withholds 1.00 GBP of it." in sales.record().remedy
    assert sales.dead_letters[SHIPMENTS].reasons == [("A", FailureCode.TAX_LIABILITY_UNCLEAR)]
    sales.clock.advance(86400)
    sales.resume()
    assert len(sales.dead_letters[SHIPMENTS].reasons) == 1


def test_part_of_the_charges_does_not_answer_for_the_whole_order() -> None:
    sales = unclear_sales(shipped(DEEMED))

    sales.amazon_charges(tea_charged("12.50", OurPriceTax="2.50"))
    sales.resume()
    assert state_of(sales) == WAITS
    assert "in charges of 15.00 GBP for an order of 30.00 GBP" in sales.record().remedy

    sales.amazon_charges(tea_charged("12.50", "C2", OurPriceTax="2.50", MarketplaceFacilitatorVAT__Principal="-2.50"))
    sales.resume()
    assert state_of(sales) == UNCLEAR


def test_order_of_two_charges_is_entered_with_the_second() -> None:
    sales = unclear_sales(shipped(DEEMED))
    for transaction_id in ("C1", "C2"):
        half = tea_charged("12.50", transaction_id, OurPriceTax="2.50", MarketplaceFacilitatorVAT__Principal="-2.50")
        sales.amazon_charges(half)
        sales.resume()

    assert line(sales) == ("25", "ZERORATEDOUTPUT")


def first_of_two_shipments() -> Sales:
    """Return the sales with an unclear order of two mugs, of which one has shipped and is charged."""
    sales = unclear_sales(shipped(two_mugs(shipped_quantity=1), status="PARTIALLY_SHIPPED"))
    sales.amazon_charges(HALF_CHARGED)
    sales.resume()
    return sales


def two_mugs(shipped_quantity: int) -> Json:
    return NEW_WORD | {"quantityOrdered": 2, "fulfillment": {"quantityFulfilled": shipped_quantity}}


HALF_CHARGED = tea_charged("10.00", OurPriceTax="2.00")


def test_charge_of_an_order_that_waits_for_its_next_one_waits_with_it_and_both_are_entered_at_once() -> None:
    sales = first_of_two_shipments()
    for _ in range(10):
        sales.work(later=timedelta(days=1))

    assert (state_of(sales), sales.outcome()) == (
        WAITS,
        (ConfirmationState.AWAITED, WaitReason.WAITING_FOR_SALE),
    )
    assert sales.confirmation().remedy == "Order A waits until Amazon has charged all that it leaves open."
    assert sales.letters == []
    assert sales.confirmation().next_attempt_at > sales.clock.now()  # type: ignore[operator]

    second = tea_charged("10.00", "C2", posted=sales.clock.now() - timedelta(hours=1), OurPriceTax="2.00")
    sales.update(shipped(two_mugs(shipped_quantity=2), minutes=60))
    sales.amazon_charges(second)
    sales.resume()

    assert sales.xero.invoice("A")["Total"] == Decimal("24.00")
    assert sales.outcome() == (ConfirmationState.CONFIRMED, "")


def test_order_that_has_failed_with_one_of_two_charges_is_entered_by_itself_with_the_second() -> None:
    sales = first_of_two_shipments()
    for _ in range(9):
        sales.work(later=timedelta(days=4))
        sales.resume()
    assert state_of(sales) == UNCLEAR
    assert sales.outcome() == (ConfirmationState.FAILED, FailureCode.CHARGE_WITHOUT_SALE)
    letters = len(sales.dead_letters[SHIPMENTS].reasons)
    sales.work(later=timedelta(days=9))
    sales.resume()
    assert len(sales.dead_letters[SHIPMENTS].reasons) == letters  # it is not planned again without another charge

    second = tea_charged("10.00", "C2", posted=sales.clock.now() - timedelta(hours=1), OurPriceTax="2.00")
    sales.amazon_charges(second)
    sales.resume()

    assert sales.xero.invoice("A")["Total"] == Decimal("24.00")
    assert (sales.outcome(), sales.failures()) == ((ConfirmationState.CONFIRMED, ""), [])


def test_unclear_order_without_a_charge_fails_after_three_days_with_what_the_sale_would_be_in_both_cases() -> None:
    sales = unclear_sales(shipped(NEW_WORD))

    sales.clock.advance(timedelta(days=3).total_seconds())
    sales.plan_shipments()

    assert state_of(sales) == UNCLEAR
    assert "the sale is 24.00 GBP; if the marketplace owes it, 20.00 GBP" in sales.record().remedy


def test_order_that_failed_without_its_charge_is_entered_by_itself_once_that_is_known() -> None:
    sales = unclear_sales(shipped(NEW_WORD))
    sales.clock.advance(timedelta(days=3).total_seconds())
    sales.plan_shipments()
    assert state_of(sales) == UNCLEAR

    sales.amazon_charges(tea_charged("20.00", posted=NOON + timedelta(days=2), OurPriceTax="4.00"))
    sales.resume()

    assert line(sales) == ("24", "OUTPUT2")


def test_unclear_order_that_has_not_shipped_waits_until_it_is_charged_and_has_no_draft() -> None:
    sales = unclear_sales(shipped(NEW_WORD, status="UNSHIPPED"))
    sales.clock.advance(timedelta(days=10).total_seconds())
    sales.plan_drafts()
    assert state_of(sales) == WAITS
    assert (sales.xero.books["Invoices"], sales.dead_letters[ORDERS].reasons) == ({}, [])

    sales.update(shipped(NEW_WORD, minutes=60))
    assert sales.record().awaits_charge_since == sales.clock.now()
    sales.amazon_charges(tea_charged("20.00", posted=sales.clock.now() - timedelta(hours=1), OurPriceTax="4.00"))
    sales.resume()

    assert line(sales) == ("24", "OUTPUT2")


def test_word_that_a_person_explained_in_the_settings_waits_for_no_charge() -> None:
    policy = replace(POLICY, tax=replace(POLICY.tax, liabilities={"newmodel": Party.MARKETPLACE}))

    sales = Sales(shipped(NEW_WORD), policy=policy)

    assert line(sales) == ("20", "ZERORATEDOUTPUT")


@pytest.mark.parametrize("withheld", ["0", "-4.00"])
def test_order_that_states_plainly_who_owes_the_tax_is_entered_without_its_charge(withheld: str) -> None:
    sellers = item("24.00", breakdown("ITEM", "24.00"), breakdown("TAX", "4.00", ITEM="4.00"))
    sales = unclear_sales(shipped(sellers))
    assert line(sales) == ("24", "OUTPUT2")

    sales.amazon_charges(tea_charged("20.00", OurPriceTax="4.00", MarketplaceFacilitatorVAT__Principal=withheld))
    sales.resume()

    assert line(sales) == ("24", "OUTPUT2")
    assert (sales.outcome()[1] == FailureCode.CHARGE_DIFFERS) is (withheld != "0")


def test_entered_order_is_not_written_again_when_amazon_repeats_everything() -> None:
    sales = unclear_sales(shipped(DEEMED))
    sales.amazon_charges(WITHHELD)
    sales.resume()
    calls = len(sales.xero.calls)

    sales.update(shipped(DEEMED, minutes=30))
    sales.amazon_charges(WITHHELD)
    sales.resume()

    assert len(sales.xero.calls) == calls
    assert sales.outcome()[0] is ConfirmationState.CONFIRMED
    assert SHIPPED_AT.date().isoformat() == sales.xero.invoice("A")["Date"]


# --- a person accepts it ----------------------------------------------------------------------------------------------


def test_unclear_tax_that_a_person_accepts_as_the_sellers_awaits_no_charge() -> None:
    sales = unclear_sales(shipped(NEW_WORD))
    assert state_of(sales) == WAITS

    sales.correct(CorrectionKind.BOOK_AS_IT_IS)
    sales.resume()

    assert line(sales) == ("24", "OUTPUT2")


def test_charge_that_contradicts_what_a_person_accepted_fails_the_confirmation_and_moves_nothing() -> None:
    sales = unclear_sales(shipped(NEW_WORD))
    sales.correct(CorrectionKind.BOOK_AS_IT_IS)
    sales.resume()

    sales.amazon_charges(tea_charged("20.00", OurPriceTax="4.00", MarketplaceFacilitatorVAT__Principal="-4.00"))
    sales.update(shipped(NEW_WORD) | {"lastUpdatedTime": "2026-11-22T10:00:00Z"})
    for _ in range(4):
        sales.work(timedelta(days=1))
        sales.resume()

    assert line(sales) == ("24", "OUTPUT2")
    assert sales.outcome() == (ConfirmationState.FAILED, FailureCode.CHARGE_DIFFERS)
