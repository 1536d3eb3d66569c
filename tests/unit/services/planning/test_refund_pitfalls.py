"""The pitfalls of Amazon's refunds, one by one: what Amazon states, and what is in the books then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.tax.rounding import xero_total
from fakes.order_life import CANADIAN, PAYING, canadian_item, tea, version
from fakes.orders import breakdown, item
from fakes.refunds import item_refund, refund
from unit.services.planning.refunding_connection import RefundingConnection

OWN_ACCOUNTS = replace(PAYING, accounts=replace(PAYING.accounts, goodwill="207", restocking="208", suspense="206"))
SOLD = version(
    1,
    item("15.99", breakdown("ITEM", "14.00"), breakdown("SHIPPING", "4.99"), breakdown("DISCOUNT", "3.00")),
)
COLLECTED = version(
    1, item("18.00", breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00"), facilitator=True)
)
CANADIAN_SALE = version(1, canadian_item("20.00", "1.00"), **CANADIAN)
NOTE = "A-RFT1"


@dataclass(frozen=True)
class Case:
    """What the buyer bought, what Amazon gives back, and the lines (account, tax type, amount) of the credit note."""

    sale: dict[str, Any]
    items: Sequence[dict[str, Any]]
    lines: Sequence[tuple[str, str, str]]
    total: str
    policy: PostingPolicy = PAYING


CASES = {
    "2: the note states the buyer's money, not what the balance loses": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-14.00", Commission="2.10", RefundCommission="-0.42")],
        [("200", "OUTPUT2", "14.00")],
        "14.00",
    ),
    "3: goods, shipping and discount on the accounts of their lines": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-14.00", ShippingPrincipal="-4.99", OurPriceDiscount="3.00")],
        [("200", "OUTPUT2", "14.00"), ("205", "OUTPUT2", "4.99"), ("210", "OUTPUT2", "-3.00")],
        "15.99",
    ),
    "3: tax that Amazon states beside the price belongs to the price": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-5.00", OurPriceTax="-1.00")],
        [("200", "OUTPUT2", "6.00")],
        "6.00",
    ),
    "4: shipping only": Case(SOLD, [item_refund(ShippingPrincipal="-4.99")], [("205", "OUTPUT2", "4.99")], "4.99"),
    "4: more than the invoice": Case(
        version(1, tea()), [item_refund(OurPricePrincipal="-12.00")], [("200", "OUTPUT2", "12.00")], "12.00"
    ),
    "4: shipping that the buyer had not paid": Case(
        version(1, tea()), [item_refund(ShippingPrincipal="-2.50")], [("205", "OUTPUT2", "2.50")], "2.50"
    ),
    "5: a restocking fee and return shipping reduce the note": Case(
        SOLD,
        [
            item_refund(
                OurPricePrincipal="-14.00",
                RestockingDeductionPrincipal="2.00",
                RestockingDeductionTax="0.40",
                ReturnShippingDeductionPrincipal="1.00",
            )
        ],
        [("200", "OUTPUT2", "14.00"), ("200", "OUTPUT2", "-2.40"), ("200", "OUTPUT2", "-1.00")],
        "10.60",
    ),
    "5: goodwill increases the note": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-14.00", GoodwillPrincipal="-3.17")],
        [("200", "OUTPUT2", "14.00"), ("200", "OUTPUT2", "3.17")],
        "17.17",
    ),
    "5: goodwill and restocking on accounts of their own": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-14.00", GoodwillPrincipal="-3.00", RestockingDeductionPrincipal="2.00")],
        [("200", "OUTPUT2", "14.00"), ("207", "OUTPUT2", "3.00"), ("208", "OUTPUT2", "-2.00")],
        "15.00",
        OWN_ACCOUNTS,
    ),
    "6: a discount comes back as a positive amount": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-14.00", OurPriceDiscount="3.00")],
        [("200", "OUTPUT2", "14.00"), ("210", "OUTPUT2", "-3.00")],
        "11.00",
    ),
    "7: tax that the marketplace collected is no part of it": Case(
        COLLECTED,
        [item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", MarketplaceFacilitatorVAT__Principal="3.00")],
        [("200", "ZERORATEDOUTPUT", "15.00")],
        "15.00",
    ),
    "7: tax on goods of low value likewise": Case(
        COLLECTED,
        [item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", LowValueGoodsTax__Principal="3.00")],
        [("200", "ZERORATEDOUTPUT", "15.00")],
        "15.00",
    ),
    "8: shipping that Amazon gives back as a fee is no part of it": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-14.00", ShippingPrincipal="-4.99", ShippingChargeback="4.99")],
        [("200", "OUTPUT2", "14.00"), ("205", "OUTPUT2", "4.99")],
        "18.99",
    ),
    "10: only the tax is given back, where prices include it": Case(
        SOLD,
        [item_refund(OurPriceTax="-1.00")],
        [("200", "OUTPUT2", "6.00"), ("200", "NONE", "-5.00")],
        "1.00",
    ),
    "10: only the tax is given back, where it is added": Case(
        CANADIAN_SALE,
        [item_refund(currency="CAD", OurPriceTax="-1.00")],
        [("200", "TAX001", "20.00"), ("200", "NONE", "-20.00")],
        "1.00",
    ),
    "11: an amount of unknown type goes to the suspense account": Case(
        SOLD,
        [item_refund(OurPricePrincipal="-14.00", SomethingNew="-0.50")],
        [("200", "OUTPUT2", "14.00"), ("206", "NONE", "0.50")],
        "14.50",
        OWN_ACCOUNTS,
    ),
    "13: of several items of one SKU, the first with enough left": Case(
        version(1, tea("4.00", item_id="1"), tea("9.00", item_id="2")),
        [item_refund(OurPricePrincipal="-6.00")],
        [("200", "OUTPUT2", "6.00")],
        "6.00",
    ),
    "13: where none has enough left, one after the other": Case(
        version(1, tea("4.00", item_id="1"), tea("9.00", item_id="2")),
        [item_refund(OurPricePrincipal="-13.00")],
        [("200", "OUTPUT2", "4.00"), ("200", "OUTPUT2", "9.00")],
        "13.00",
    ),
    "13: without a SKU, the whole order in proportion, to the cent": Case(
        version(1, tea("10.00", item_id="1", sku="B"), tea("10.00", item_id="2"), tea("10.00", item_id="3", sku="C")),
        [item_refund("", OurPricePrincipal="-10.00")],
        [("200", "OUTPUT2", "3.34"), ("200", "OUTPUT2", "3.33"), ("200", "OUTPUT2", "3.33")],
        "10.00",
    ),
    "tax is added to the price": Case(
        CANADIAN_SALE,
        [item_refund(currency="CAD", OurPricePrincipal="-10.00", OurPriceTax="-0.50")],
        [("200", "TAX001", "10.00")],
        "10.50",
    ),
    "Xero rounds otherwise than Amazon": Case(
        CANADIAN_SALE,
        [item_refund(currency="CAD", OurPricePrincipal="-10.10", OurPriceTax="-0.50")],
        [("200", "TAX001", "10.10")],
        "10.60",
    ),
}


def test_credit_note_states_the_tax_that_amazon_rounded_by_unit() -> None:
    # Given 5 % of tax on 40 units of 0.83, rounded to 0.04 a unit by Amazon; Xero would compute 1.66
    connection = RefundingConnection()
    connection.xero.totals = {"A": Decimal("34.80"), NOTE: Decimal("17.40")}
    connection.update(version(1, canadian_item("33.20", "1.60") | {"quantityOrdered": 40}, **CANADIAN))

    half = item_refund(currency="CAD", OurPricePrincipal="-16.60", OurPriceTax="-0.80")
    record = connection.refund(refund("T1", half, currency="CAD"))

    assert (record.state, record.reason) == (TransactionState.PLANNED, "")
    (line,) = connection.note(NOTE).desired.body["LineItems"]
    assert (line["UnitAmount"], line["TaxAmount"]) == (Decimal("16.6"), Decimal("0.8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_credit_note_of_a_refund(case: Case) -> None:
    connection = RefundingConnection(policy=case.policy)
    connection.xero.totals = {"A": Decimal("21.00"), NOTE: Decimal(case.total)} if case.sale is CANADIAN_SALE else {}
    connection.update(case.sale)

    record = connection.refund(refund("T1", *case.items, currency=case.items[0]["totalAmount"]["currencyCode"]))

    assert (record.state, record.reason) == (TransactionState.PLANNED, "")
    assert connection.lines(NOTE) == list(case.lines)
    assert connection.note(NOTE).desired.total == Decimal(case.total)
    assert xero_total(connection.note_lines(NOTE), connection.amounts(NOTE), connection.xero.settings) == Decimal(
        case.total
    )
    note = connection.xero.credit_note(NOTE)
    assert (note["Total"], note["RemainingCredit"]) == (Decimal(case.total), 0)
    assert connection.note(NOTE).state is DocumentState.APPLIED


def test_1_amounts_are_known_whatever_their_parents_are_called() -> None:
    raw = refund("T1", item_refund(OurPricePrincipal="-14.00", Commission="2.10"))
    for holder in (raw, raw["items"][0]):
        for parent, name in zip(holder["breakdowns"], ("Sales", "Expenses"), strict=True):
            parent["breakdownType"] = name
    connection = RefundingConnection(SOLD)

    connection.refund(raw)

    assert connection.note(NOTE).desired.total == Decimal("14.00")


def test_4_several_refunds_of_one_order_have_a_note_each() -> None:
    connection = RefundingConnection(SOLD)

    for name in ("T1", "T2"):
        connection.refund(refund(name, item_refund(OurPricePrincipal="-2.00")))

    assert [connection.note(f"A-RF{name}").desired.total for name in ("T1", "T2")] == [Decimal("2.00")] * 2
    assert connection.balance() == Decimal("11.99")


def test_4_copy_of_a_deferred_refund_has_no_note() -> None:
    connection = RefundingConnection(SOLD)
    raw = refund("T2", item_refund(OurPricePrincipal="-2.00"), DEFERRED_TRANSACTION_ID="T1")

    assert outcome(connection.refund(raw)) == (TransactionState.NOT_BOOKED, NotBookedReason.COPY_OF_DEFERRED)


def test_7_marketplace_tax_that_does_not_net_fails_with_both_amounts() -> None:
    connection = RefundingConnection(COLLECTED)
    raw = refund(
        "T1",
        item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", MarketplaceFacilitatorVAT__Principal="2.90"),
    )

    record = connection.refund(raw)

    assert record.reason == FailureCode.MARKETPLACE_TAX_DIFFERS
    assert "got 3.00 GBP tax back" in record.remedy
    assert "withholds 2.90 GBP" in record.remedy


@pytest.mark.parametrize(("tax", "reported"), [("-1.00", False), ("-1.01", False), ("-0.50", True)])
def test_3_tax_that_xero_computes_otherwise_is_reported(tax: str, reported: bool) -> None:
    connection = RefundingConnection(SOLD)

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-5.00", OurPriceTax=tax)))

    assert record.state is TransactionState.PLANNED
    found = [note for note in connection.decisions.notes if note.fields.get("reason") == "TAX_VARIANCE"]
    assert bool(found) is reported


@pytest.mark.parametrize("kind", ["A-to-z Guarantee Refund", "Chargeback Refund", "Refund"])
def test_9_claims_and_chargebacks_are_refunds(kind: str) -> None:
    connection = RefundingConnection(SOLD)

    connection.refund(refund("T1", item_refund(OurPricePrincipal="-14.00"), kind=kind))

    assert connection.note(NOTE).desired.total == Decimal("14.00")


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        (
            {"OurPriceTax": "-3.00", "MarketplaceFacilitatorVAT__Principal": "3.00"},
            (TransactionState.NOT_BOOKED, NotBookedReason.NOT_A_REFUND),
        ),
        ({"OurPriceTax": "-3.00"}, (TransactionState.FAILED, FailureCode.TRANSACTION_TYPE_UNKNOWN)),
    ],
)
def test_10_retrocharge_has_no_note_and_fails_where_it_moves_money(leaves: dict[str, str], expected: Any) -> None:
    connection = RefundingConnection(COLLECTED)

    assert outcome(connection.refund(refund("T1", item_refund(**leaves), kind="Retrocharge"))) == expected


@pytest.mark.parametrize("kind", ["BuyerRecharge", "Refund Reimbursal", "Reversal"])
def test_11_what_is_not_a_refund_waits_for_a_person(kind: str) -> None:
    connection = RefundingConnection(SOLD)

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="14.00"), kind=kind))

    assert outcome(record) == (TransactionState.FAILED, FailureCode.TRANSACTION_TYPE_UNKNOWN)


def test_11_refund_that_takes_money_from_the_buyer_waits_for_a_person() -> None:
    connection = RefundingConnection(SOLD)

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="14.00")))

    assert outcome(record) == (TransactionState.FAILED, FailureCode.REFUND_REVERSED)


def test_11_unknown_amount_without_a_suspense_account_is_named() -> None:
    connection = RefundingConnection(SOLD)

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-14.00", SomethingNew="-0.50")))

    assert record.reason == FailureCode.CHARGE_TYPE_UNKNOWN
    assert "SomethingNew of 0.50 GBP" in record.remedy
    assert connection.dead_letters[REFUNDS].letters


def test_11_unknown_amount_on_the_suspense_account_is_logged() -> None:
    connection = RefundingConnection(SOLD, policy=OWN_ACCOUNTS)

    connection.refund(refund("T1", item_refund(OurPricePrincipal="-14.00", SomethingNew="-0.50")))

    (logged,) = [note for note in connection.decisions.notes if note.fields.get("reason") == "CHARGE_TYPE_SUSPENDED"]
    assert "SomethingNew of 0.50 GBP" in str(logged.fields["remedy"])


@pytest.mark.parametrize("kind", ["REVERSAL_REIMBURSEMENT", "FREE_REPLACEMENT_REFUND_ITEMS"])
def test_12_reimbursement_with_an_order_id_is_not_a_refund(kind: str) -> None:
    connection = RefundingConnection(SOLD)

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="14.00"), kind=kind))

    assert record.state is TransactionState.FAILED
    assert connection.balance() == Decimal("15.99")


def test_13_sku_that_was_not_sold_fails_and_is_named() -> None:
    connection = RefundingConnection(SOLD)

    record = connection.refund(refund("T1", item_refund("OTHER", OurPricePrincipal="-14.00")))

    assert record.reason == FailureCode.REFUND_ITEM_UNKNOWN
    assert "OTHER" in record.remedy


def test_14_refund_of_an_order_before_start_fails_and_says_so() -> None:
    connection = RefundingConnection(version(1, tea(), created="2026-01-01T10:00:00Z"), policy=late_start())

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-10.00")))

    assert record.reason == FailureCode.REFUND_BEFORE_START


def late_start() -> PostingPolicy:
    return replace(PAYING, start=PAYING.start.replace(year=2026, month=6))


def outcome(record: TransactionRecord) -> tuple[TransactionState, str]:
    return record.state, record.reason


def test_refund_after_the_tax_has_become_the_marketplaces_takes_the_new_rate() -> None:
    price = breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00")
    connection = RefundingConnection()
    connection.update(version(1, item("18.00", *price)))
    connection.update(version(2, item("18.00", *price, facilitator=True)))

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-15.00")))

    assert (record.state, record.reason) == (TransactionState.PLANNED, "")
    assert connection.lines(NOTE) == [("200", "ZERORATEDOUTPUT", "15.00")]
