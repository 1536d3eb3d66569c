"""The pitfalls of Amazon's refunds in one table: what Amazon states, and what is in the books then.

Each transaction passes what every read of Amazon's transactions passes. Lines are account, tax type and amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FailureCode, NotBookedReason, WaitReason
from amazon_to_xero.domain.planning.policy import PostingPolicy, RefundsWithoutSale
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
CANADIAN_PARCEL = version(
    1,
    *(
        item(
            "26.25",
            *(breakdown(kind, net, "CAD") for kind, net in (("ITEM", "20.00"), ("SHIPPING", "5.00"), ("TAX", "1.25"))),
            currency="CAD",
            item_id=str(number),
        )
        for number in range(6)
    ),
    **CANADIAN,
)
CANADIAN_TOTALS = {id(CANADIAN_SALE): "21.00", id(CANADIAN_PARCEL): "157.50"}
BEFORE_START = version(1, tea(), created="2026-01-01T10:00:00Z")
GOODS = item_refund(OurPricePrincipal="-14.00")
NOTE = "A-RFT1"
LATE_START = replace(PAYING, start=PAYING.start.replace(year=2026, month=6))


@dataclass(frozen=True)
class Note:
    """The credit note has these lines and that total."""

    lines: Sequence[tuple[str, str, str]]
    total: str


@dataclass(frozen=True)
class NoDocument:
    """An accounting rule says so."""

    reason: NotBookedReason


@dataclass(frozen=True)
class Person:
    """A person finds a dead letter with this code, whose remedy has these words."""

    code: FailureCode
    words: Sequence[str] = ()


@dataclass(frozen=True)
class Waits:
    """The refund waits for its sale, and its row says why in these words."""

    words: Sequence[str]


class OfSettlements:
    """Nothing is recorded: the transaction belongs to Amazon's settlement."""


@dataclass(frozen=True)
class Case:
    """What the buyer bought, what Amazon states of it, and what is in the books then.

    sale: None for an order that Amazon no longer returns.
    earlier: transactions that are in the books before.
    is_before_its_sale: the transaction is read before the order.
    """

    sale: dict[str, Any] | None
    transaction: dict[str, Any]
    expected: Note | NoDocument | Person | Waits | OfSettlements
    policy: PostingPolicy = PAYING
    earlier: Sequence[dict[str, Any]] = ()
    is_before_its_sale: bool = False


GOODS_BACK = Note([("200", "OUTPUT2", "14.00")], "14.00")


def back(*items: dict[str, Any], kind: str = "Refund", **related: Any) -> dict[str, Any]:
    """Return the transaction T1 of these items."""
    currency = items[0]["totalAmount"]["currencyCode"]
    return refund("T1", *items, kind=kind, currency=currency, **related)


def renamed(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the transaction with the names that Amazon gave to its parts in 2024."""
    for holder in (raw, raw["items"][0]):
        for parent, name in zip(holder["breakdowns"], ("Sales", "Expenses"), strict=True):
            parent["breakdownType"] = name
    return raw


CASES = {
    "1: amounts are known whatever their parents are called": Case(
        SOLD,
        renamed(back(item_refund(OurPricePrincipal="-14.00", Commission="2.10"))),
        GOODS_BACK,
    ),
    "2: the note states the buyer's money, not what the balance loses": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", Commission="2.10", RefundCommission="-0.42")),
        GOODS_BACK,
    ),
    "1: goods, shipping and discount on the accounts of their lines": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", ShippingPrincipal="-4.99", OurPriceDiscount="3.00")),
        Note([("200", "OUTPUT2", "14.00"), ("205", "OUTPUT2", "4.99"), ("210", "OUTPUT2", "-3.00")], "15.99"),
    ),
    "1: tax that Amazon states beside the price belongs to the price": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-5.00", OurPriceTax="-1.00")),
        Note([("200", "OUTPUT2", "6.00")], "6.00"),
    ),
    "3: a refund that is read before its sale": Case(SOLD, back(GOODS), GOODS_BACK, is_before_its_sale=True),
    "4: the second of a day takes what the first has left": Case(
        version(1, tea("4.00", item_id="1"), tea("9.00", item_id="2")),
        back(item_refund(OurPricePrincipal="-9.00")),
        Note([("200", "OUTPUT2", "9.00")], "9.00"),
        earlier=[refund("T0", item_refund(OurPricePrincipal="-4.00"))],
    ),
    "4: shipping only": Case(
        SOLD, back(item_refund(ShippingPrincipal="-4.99")), Note([("205", "OUTPUT2", "4.99")], "4.99")
    ),
    "4: more than the invoice": Case(
        version(1, tea()), back(item_refund(OurPricePrincipal="-12.00")), Note([("200", "OUTPUT2", "12.00")], "12.00")
    ),
    "4: shipping that the buyer had not paid": Case(
        version(1, tea()), back(item_refund(ShippingPrincipal="-2.50")), Note([("205", "OUTPUT2", "2.50")], "2.50")
    ),
    "4: a deferred refund counts at once": Case(SOLD, back(GOODS) | {"transactionStatus": "DEFERRED"}, GOODS_BACK),
    "4: its copy, once it is released, does not": Case(
        SOLD, back(GOODS, DEFERRED_TRANSACTION_ID="T0"), OfSettlements()
    ),
    "5: a restocking fee and return shipping reduce the note": Case(
        SOLD,
        back(
            item_refund(
                OurPricePrincipal="-14.00",
                RestockingDeductionPrincipal="2.00",
                RestockingDeductionTax="0.40",
                ReturnShippingDeductionPrincipal="1.00",
            )
        ),
        Note([("200", "OUTPUT2", "14.00"), ("200", "OUTPUT2", "-2.40"), ("200", "OUTPUT2", "-1.00")], "10.60"),
    ),
    "5: goodwill increases the note": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", GoodwillPrincipal="-3.17")),
        Note([("200", "OUTPUT2", "14.00"), ("200", "OUTPUT2", "3.17")], "17.17"),
    ),
    "5: goodwill and restocking on accounts of their own": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", GoodwillPrincipal="-3.00", RestockingDeductionPrincipal="2.00")),
        Note([("200", "OUTPUT2", "14.00"), ("207", "OUTPUT2", "3.00"), ("208", "OUTPUT2", "-2.00")], "15.00"),
        OWN_ACCOUNTS,
    ),
    "6: a discount comes back as a positive amount": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", OurPriceDiscount="3.00")),
        Note([("200", "OUTPUT2", "14.00"), ("210", "OUTPUT2", "-3.00")], "11.00"),
    ),
    "7: tax that the marketplace collected is no part of it": Case(
        COLLECTED,
        back(item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", MarketplaceFacilitatorVAT__Principal="3.00")),
        Note([("200", "ZERORATEDOUTPUT", "15.00")], "15.00"),
    ),
    "7: tax on goods of low value likewise": Case(
        COLLECTED,
        back(item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", LowValueGoodsTax__Principal="3.00")),
        Note([("200", "ZERORATEDOUTPUT", "15.00")], "15.00"),
    ),
    "7: marketplace tax that does not net needs a person, with both amounts": Case(
        COLLECTED,
        back(item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", MarketplaceFacilitatorVAT__Principal="2.90")),
        Person(FailureCode.MARKETPLACE_TAX_DIFFERS, ["got 3.00 GBP tax back", "withholds 2.90 GBP"]),
    ),
    "7: marketplace tax on a sale whose tax is the seller's needs a person, with both amounts": Case(
        version(1, item("18.00", breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00"))),
        back(item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00", MarketplaceFacilitatorVAT__Principal="3.00")),
        Person(
            FailureCode.REFUND_LIABILITY_DIFFERS,
            ["the buyer got 3.00 GBP tax back", "gives back 15.00 GBP", "with OUTPUT2; then it is 18.00 GBP"],
        ),
    ),
    "7: the same on its goodwill alone": Case(
        SOLD,
        back(item_refund(GoodwillPrincipal="-3.00", GoodwillTax="-0.60", MarketplaceFacilitatorVAT__Principal="0.60")),
        Person(FailureCode.REFUND_LIABILITY_DIFFERS, ["gives back 3.00 GBP", "with OUTPUT2; then it is 3.60 GBP"]),
    ),
    "7: the seller's tax on a sale whose tax is the marketplace's needs a person, with both amounts": Case(
        COLLECTED,
        back(item_refund(OurPricePrincipal="-15.00", OurPriceTax="-3.00")),
        Person(
            FailureCode.REFUND_LIABILITY_DIFFERS,
            ["gives back 18.00 GBP with 3.00 GBP tax", "then it is 15.00 GBP", "reprocess transaction#T1"],
        ),
    ),
    "7: so does a refund of the whole order": Case(
        COLLECTED,
        back(item_refund("", OurPricePrincipal="-15.00", OurPriceTax="-3.00")),
        Person(FailureCode.REFUND_LIABILITY_DIFFERS, ["Refund transaction#T1: the seller gives back 18.00 GBP"]),
    ),
    "7: a cent of tax is rounding": Case(
        COLLECTED,
        back(item_refund(OurPricePrincipal="-15.00", OurPriceTax="-0.01")),
        Note([("200", "ZERORATEDOUTPUT", "15.01")], "15.01"),
    ),
    "7: tax on goodwill says nothing of the sale's": Case(
        COLLECTED,
        back(item_refund(OurPricePrincipal="-15.00", GoodwillPrincipal="-2.00", GoodwillTax="-0.40")),
        Note([("200", "ZERORATEDOUTPUT", "15.00"), ("200", "ZERORATEDOUTPUT", "2.40")], "17.40"),
    ),
    "8: shipping that Amazon gives back as a fee is no part of it": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", ShippingPrincipal="-4.99", ShippingChargeback="4.99")),
        Note([("200", "OUTPUT2", "14.00"), ("205", "OUTPUT2", "4.99")], "18.99"),
    ),
    "8: fees alone": Case(
        SOLD,
        back(item_refund(Commission="2.10", RefundCommission="-0.42")),
        NoDocument(NotBookedReason.NOTHING_REFUNDED),
    ),
    "9: an A-to-z claim is a refund": Case(SOLD, back(GOODS, kind="A-to-z Guarantee Refund"), GOODS_BACK),
    "9: a chargeback is a refund": Case(SOLD, back(GOODS, kind="Chargeback Refund"), GOODS_BACK),
    "9: a chargeback by its short name, too": Case(SOLD, back(GOODS, kind="Chargeback"), GOODS_BACK),
    "9: a claim under a name that was never seen needs a person": Case(
        SOLD, back(GOODS, kind="GuaranteeClaim"), Person(FailureCode.TRANSACTION_TYPE_UNKNOWN, ["GuaranteeClaim"])
    ),
    "10: only the tax is given back, where prices include it": Case(
        SOLD,
        back(item_refund(OurPriceTax="-1.00")),
        Note([("200", "OUTPUT2", "6.00"), ("200", "NONE", "-5.00")], "1.00"),
    ),
    "10: only the tax is given back, where it is added": Case(
        CANADIAN_SALE,
        back(item_refund(currency="CAD", OurPriceTax="-1.00")),
        Note([("200", "TAX001", "20.00"), ("200", "NONE", "-20.00")], "1.00"),
    ),
    "10: a retrocharge that nets to nothing": Case(
        COLLECTED,
        back(item_refund(BaseTax="-3.00", MarketplaceFacilitatorVAT__Principal="3.00"), kind="Retrocharge"),
        NoDocument(NotBookedReason.NOT_A_REFUND),
    ),
    "10: a retrocharge that moves money needs a person": Case(
        COLLECTED,
        back(item_refund(BaseTax="-3.00"), kind="Retrocharge"),
        Person(FailureCode.TRANSACTION_TYPE_UNKNOWN, ["Retrocharge", "-3.00 GBP"]),
    ),
    "11: an amount of unknown type goes to the suspense account": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", SomethingNew="-0.50")),
        Note([("200", "OUTPUT2", "14.00"), ("206", "NONE", "0.50")], "14.50"),
        OWN_ACCOUNTS,
    ),
    "11: a refund that takes money from the buyer needs a person": Case(
        SOLD, back(item_refund(OurPricePrincipal="14.00")), Person(FailureCode.REFUND_REVERSED, ["-14.00 GBP"])
    ),
    "11: a refund reversal of its own type needs a person": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="14.00"), kind="Refund Reversal"),
        Person(FailureCode.TRANSACTION_TYPE_UNKNOWN),
    ),
    "11: a buyer who is charged again needs a person": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="14.00"), kind="BuyerRecharge"),
        Person(FailureCode.TRANSACTION_TYPE_UNKNOWN),
    ),
    "11: so does one within an adjustment": Case(
        SOLD, back(item_refund(BuyerRecharge="-14.00"), kind="Adjustment"), Person(FailureCode.TRANSACTION_TYPE_UNKNOWN)
    ),
    "11: and what Amazon gives the seller back of a refund": Case(
        SOLD,
        back(item_refund("", RefundReimbursal="5.00"), kind="Refund Reimbursal"),
        Person(FailureCode.TRANSACTION_TYPE_UNKNOWN),
    ),
    "11: an amount of unknown type without a suspense account needs a person": Case(
        SOLD,
        back(item_refund(OurPricePrincipal="-14.00", SomethingNew="-0.50")),
        Person(FailureCode.CHARGE_TYPE_UNKNOWN, ["SomethingNew of 0.50 GBP"]),
    ),
    "12: a reimbursement with an order id is no refund": Case(
        SOLD, back(item_refund(REVERSAL_REIMBURSEMENT="14.00"), kind="Adjustment"), OfSettlements()
    ),
    "12: nor under a type of its own": Case(
        SOLD,
        back(item_refund(FREE_REPLACEMENT_REFUND_ITEMS="14.00"), kind="FREE_REPLACEMENT_REFUND_ITEMS"),
        OfSettlements(),
    ),
    "12: nor one for lost stock": Case(
        SOLD, back(item_refund(FBAInventoryReimbursement="14.00"), kind="FBAInventoryReimbursement"), OfSettlements()
    ),
    "13: of several items of one SKU, the first with enough left": Case(
        version(1, tea("4.00", item_id="1"), tea("9.00", item_id="2")),
        back(item_refund(OurPricePrincipal="-6.00")),
        Note([("200", "OUTPUT2", "6.00")], "6.00"),
    ),
    "13: where none has enough left, one after the other": Case(
        version(1, tea("4.00", item_id="1"), tea("9.00", item_id="2")),
        back(item_refund(OurPricePrincipal="-13.00")),
        Note([("200", "OUTPUT2", "4.00"), ("200", "OUTPUT2", "9.00")], "13.00"),
    ),
    "13: without a SKU, the whole order in proportion, to the cent": Case(
        version(1, tea("10.00", item_id="1", sku="B"), tea("10.00", item_id="2"), tea("10.00", item_id="3", sku="C")),
        back(item_refund("", OurPricePrincipal="-10.00")),
        Note([("200", "OUTPUT2", "3.34"), ("200", "OUTPUT2", "3.33"), ("200", "OUTPUT2", "3.33")], "10.00"),
    ),
    "13: without items, by what Amazon states of the whole": Case(SOLD, back(GOODS) | {"items": None}, GOODS_BACK),
    "13: without parts of its items, likewise": Case(
        SOLD,
        back(GOODS) | {"items": [GOODS | {"breakdowns": None, "contexts": None}]},
        GOODS_BACK,
    ),
    "13: a SKU that was not sold needs a person": Case(
        SOLD, back(item_refund("OTHER", OurPricePrincipal="-14.00")), Person(FailureCode.REFUND_ITEM_UNKNOWN, ["OTHER"])
    ),
    "14: an order before the start needs a person": Case(
        BEFORE_START, back(item_refund(OurPricePrincipal="-10.00")), Person(FailureCode.REFUND_BEFORE_START), LATE_START
    ),
    "14: a refund of an order that failed waits, and says why": Case(
        SOLD, back(GOODS), Waits(["Order A failed with UNKNOWN_MARKETPLACE"]), replace(PAYING, marketplaces=frozenset())
    ),
    "14: an order of more than two years ago has a note without an invoice, by rule": Case(
        None, back(GOODS), GOODS_BACK, replace(PAYING, refunds_before_start=RefundsWithoutSale.STANDALONE)
    ),
    "tax is added to the price": Case(
        CANADIAN_SALE,
        back(item_refund(currency="CAD", OurPricePrincipal="-10.00", OurPriceTax="-0.50")),
        Note([("200", "TAX001", "10.00")], "10.50"),
    ),
    "tax on goods and shipping in one amount, of an order without items": Case(
        CANADIAN_PARCEL,
        back(
            item_refund("", currency="CAD", OurPricePrincipal="-6.90", ShippingPrincipal="-1.80", OurPriceTax="-0.44")
        ),
        Note([*(("200", "TAX001", "1.15"),) * 6, *(("205", "TAX001", "0.30"),) * 6], "9.14"),
    ),
    "tax on goods, shipping and discount in one amount, of an order that was read when it had goods only": Case(
        CANADIAN_SALE,
        back(
            item_refund(
                currency="CAD",
                OurPricePrincipal="-40.00",
                ShippingPrincipal="-10.00",
                OurPriceDiscount="4.00",
                OurPriceTax="-2.30",
            )
        ),
        Note([("200", "TAX001", "40.00"), ("205", "TAX001", "10.00"), ("210", "TAX001", "-4.00")], "48.30"),
    ),
    "shipping without tax of an order that was read when it had goods only": Case(
        CANADIAN_SALE,
        back(item_refund(currency="CAD", OurPricePrincipal="-10.00", ShippingPrincipal="-5.00", OurPriceTax="-0.50")),
        Note([("200", "TAX001", "10.00"), ("205", "NONE", "5.00")], "15.50"),
    ),
    "tax on goods in one amount with their shipping, and goodwill without": Case(
        CANADIAN_SALE,
        back(
            item_refund(
                currency="CAD",
                OurPricePrincipal="-10.00",
                ShippingPrincipal="-5.00",
                GoodwillPrincipal="-4.00",
                OurPriceTax="-0.75",
            )
        ),
        Note([("200", "TAX001", "10.00"), ("205", "TAX001", "5.00"), ("200", "NONE", "4.00")], "19.75"),
    ),
    "Xero rounds otherwise than Amazon": Case(
        CANADIAN_SALE,
        back(item_refund(currency="CAD", OurPricePrincipal="-10.10", OurPriceTax="-0.50")),
        Note([("200", "TAX001", "10.10")], "10.60"),
    ),
    "an unknown type with a buyer's money needs a person": Case(
        SOLD,
        back(item_refund(ShippingPrincipal="-4.99"), kind="DeliveryPromise"),
        Person(FailureCode.TRANSACTION_TYPE_UNKNOWN, ["DeliveryPromise", "-4.99 GBP"]),
    ),
    "an unknown type with fees only is logged": Case(
        SOLD, back(item_refund(Commission="-1.00"), kind="FeeCorrection"), NoDocument(NotBookedReason.TYPE_UNKNOWN)
    ),
    "an unknown type without an order is logged, whatever is in it": Case(
        SOLD,
        back(GOODS, kind="CashBack", ORDER_ID="") | {"breakdowns": None, "items": None},
        NoDocument(NotBookedReason.TYPE_UNKNOWN),
    ),
    "a fee of the seller's account is known": Case(
        SOLD, back(item_refund("", SubscriptionFee="-30.00"), kind="ServiceFee", ORDER_ID=""), OfSettlements()
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_what_is_in_the_books_after_a_transaction(case: Case) -> None:
    connection = RefundingConnection(policy=case.policy)
    if id(case.sale) in CANADIAN_TOTALS and isinstance(case.expected, Note):
        connection.xero.totals = {"A": Decimal(CANADIAN_TOTALS[id(case.sale)]), NOTE: Decimal(case.expected.total)}
    if case.sale is not None and not case.is_before_its_sale:
        connection.update(case.sale)
    for transaction in case.earlier:
        connection.refund(transaction)
    sold = connection.balance()

    record = connection.transact(case.transaction)
    if case.sale is None or case.is_before_its_sale:
        record = after_its_sale(connection, case.sale)

    letters = [(each.reason, each.remedy) for each in connection.dead_letters[REFUNDS].letters]
    match case.expected:
        case Note(lines, total):
            assert outcome(record) == (TransactionState.PLANNED, "")
            assert_note(connection, lines, Decimal(total))
        case NoDocument(reason):
            assert outcome(record) == (TransactionState.NOT_BOOKED, reason)
            assert [each["reason"] for each in connection.decisions.of("NOT_BOOKED")] == [reason]
        case Person(code, words):
            assert outcome(record) == (TransactionState.FAILED, code)
            ((found, remedy),) = letters
            assert found == code
            assert all(word in remedy for word in words)
        case Waits(words):
            assert outcome(record) == (TransactionState.RECORDED, WaitReason.WAITING_FOR_SALE)
            assert record is not None
            assert all(word in record.remedy for word in words)
        case OfSettlements():
            assert record is None
    if not isinstance(case.expected, Note):
        assert connection.balance() == sold
    assert bool(letters) is isinstance(case.expected, Person)


def after_its_sale(connection: RefundingConnection, sale: dict[str, Any] | None) -> TransactionRecord:
    """Have the order read that the refund T1 asked for, and plan the refund again."""
    assert connection.transaction("T1").reason == WaitReason.WAITING_FOR_SALE
    assert connection.asked_for == ["A"]
    if sale is not None:
        connection.update(sale)
    connection.notice(connection.asked_for, at=connection.clock.now() - timedelta(hours=1))
    connection.read(connection.asked_for)
    connection.clock.advance(60)
    return connection.plan_refund("T1")


def assert_note(connection: RefundingConnection, lines: Sequence[tuple[str, str, str]], total: Decimal) -> None:
    """The credit note has these lines, Xero computes that total, and it is settled."""
    assert connection.lines(NOTE) == list(lines)
    assert connection.note(NOTE).desired.total == total
    assert xero_total(connection.note_lines(NOTE), connection.amounts(NOTE), connection.xero.settings) == total
    note = connection.xero.credit_note(NOTE)
    assert (note["Total"], note["RemainingCredit"]) == (total, 0)
    assert connection.note(NOTE).state is DocumentState.APPLIED


def outcome(record: TransactionRecord | None) -> tuple[TransactionState, str] | None:
    return None if record is None else (record.state, record.reason)


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


def test_refund_after_the_tax_has_become_the_marketplaces_takes_the_new_rate() -> None:
    price = breakdown("ITEM", "18.00"), breakdown("TAX", "3.00", ITEM="3.00")
    connection = RefundingConnection()
    connection.update(version(1, item("18.00", *price)))
    connection.update(version(2, item("18.00", *price, facilitator=True)))

    record = connection.refund(refund("T1", item_refund(OurPricePrincipal="-15.00")))

    assert (record.state, record.reason) == (TransactionState.PLANNED, "")
    assert connection.lines(NOTE) == [("200", "ZERORATEDOUTPUT", "15.00")]
