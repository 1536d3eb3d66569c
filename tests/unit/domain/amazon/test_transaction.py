"""A finance transaction as Amazon states it: which amounts count, what each is, and what does not add up."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.charge_types import AmountKind, amount_type
from amazon_to_xero.domain.amazon.transaction import parse_transaction
from amazon_to_xero.domain.failures import Failure, FailureCode
from fakes.refunds import breakdowns, item_refund, money, refund


@pytest.mark.parametrize(
    ("leaf", "kind", "is_tax"),
    [
        ("OurPricePrincipal", AmountKind.ITEM, False),
        ("OurPriceTax", AmountKind.ITEM, True),
        ("OurPriceDiscount", AmountKind.ITEM_DISCOUNT, False),
        ("ShippingPrincipal", AmountKind.SHIPPING, False),
        ("ShippingTax", AmountKind.SHIPPING, True),
        ("ShippingDiscount", AmountKind.SHIPPING_DISCOUNT, False),
        ("GiftwrapPrincipal", AmountKind.GIFT_WRAP, False),
        ("GiftWrapTax", AmountKind.GIFT_WRAP, True),
        ("GoodwillPrincipal", AmountKind.GOODWILL, False),
        ("RestockingDeductionPrincipal", AmountKind.RESTOCKING, False),
        ("RestockingDeductionTax", AmountKind.RESTOCKING, True),
        ("ReturnShippingDeductionPrincipal", AmountKind.RETURN_SHIPPING, False),
        ("MarketplaceFacilitatorTax-Principal", AmountKind.MARKETPLACE_TAX, True),
        ("MarketplaceFacilitatorVAT-Shipping", AmountKind.MARKETPLACE_TAX, True),
        ("LowValueGoodsTax-Principal", AmountKind.MARKETPLACE_TAX, True),
        ("Commission", AmountKind.FEE, False),
        ("RefundCommission", AmountKind.FEE, False),
        ("ShippingChargeback", AmountKind.FEE, False),
        ("FBAPerUnitFulfillmentFee", AmountKind.FEE, False),
        ("SomethingNew", AmountKind.UNKNOWN, False),
    ],
)
def test_amount_is_known_by_its_own_name(leaf: str, kind: AmountKind, is_tax: bool) -> None:
    found = amount_type(leaf, ["Refunded Sales"])

    assert (found.kind, found.is_tax) == (kind, is_tax)


@pytest.mark.parametrize("parents", [("Expenses",), ("Refunded Expenses", "AmazonFees")])
def test_unknown_amount_among_fees_is_a_fee(parents: tuple[str, ...]) -> None:
    assert amount_type("SomethingNew", parents).kind is AmountKind.FEE


def test_known_amount_stays_what_it_is_among_expenses() -> None:
    # In 2024 Amazon stated what buyers got back under Expenses
    assert amount_type("OurPricePrincipal", ["Expenses"]).kind is AmountKind.ITEM


def test_only_amounts_without_parts_count() -> None:
    transaction = parse_transaction(
        refund("T1", item_refund("TEA-50", OurPricePrincipal="-60.00", Commission="9.63", RefundCommission="-1.93"))
    )

    assert [(each.sku, each.leaf, each.amount) for each in transaction.amounts] == [
        ("TEA-50", "OurPricePrincipal", Decimal("-60.00")),
        ("TEA-50", "Commission", Decimal("9.63")),
        ("TEA-50", "RefundCommission", Decimal("-1.93")),
    ]
    assert (transaction.total, transaction.currency, transaction.order_id) == (Decimal("-52.30"), "GBP", "A")


@pytest.mark.parametrize("missing", ["items", "breakdowns of an item"])
def test_amounts_of_the_transaction_are_taken_where_those_of_an_item_are_missing(missing: str) -> None:
    raw = refund("T1", item_refund(OurPricePrincipal="-4.00"), item_refund("B", OurPricePrincipal="-2.00"))
    if missing == "items":
        raw["items"] = None
    else:
        raw["items"][1]["breakdowns"] = None

    amounts = parse_transaction(raw).amounts

    assert {each.sku for each in amounts} == {""}
    assert sum(each.amount for each in amounts) == Decimal("-6.00")


def test_amount_that_belongs_to_no_item_counts_without_one() -> None:
    raw = refund("T1", item_refund(OurPricePrincipal="-4.00"))
    raw["breakdowns"] += breakdowns(FBATransportation="-1.00")
    raw["totalAmount"] = money("-5.00")

    assert [(each.sku, each.amount) for each in parse_transaction(raw).amounts] == [
        ("TEA-50", Decimal("-4.00")),
        ("", Decimal("-1.00")),
    ]


def test_stored_amounts_are_text() -> None:
    raw = json.loads(json.dumps(refund("T1", item_refund(OurPricePrincipal="-4.00")), default=str))

    assert parse_transaction(raw).total == Decimal("-4.00")


def test_items_that_differ_from_the_transaction_are_named_with_both_amounts() -> None:
    raw = refund("T1", item_refund(OurPricePrincipal="-4.00"))
    raw["breakdowns"] = breakdowns(OurPricePrincipal="-5.00")

    failure = _failure_of(raw)

    assert failure.code is FailureCode.TRANSACTION_TOTAL_DIFFERS
    assert "OurPricePrincipal is -4.00 GBP in its items and -5.00 GBP in the transaction" in failure.remedy


def test_amounts_that_do_not_add_up_to_the_total_are_named_with_both() -> None:
    raw = refund("T1", item_refund(OurPricePrincipal="-4.00"))
    raw["totalAmount"] = money("-4.01")

    failure = _failure_of(raw)

    assert failure.code is FailureCode.TRANSACTION_TOTAL_DIFFERS
    assert "add up to -4.00 GBP" in failure.remedy
    assert "total is -4.01 GBP" in failure.remedy


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("totalAmount", None, "currencyCode"),
        ("totalAmount", {"currencyAmount": "much", "currencyCode": "GBP"}, "totalAmount"),
        ("totalAmount", {"currencyAmount": 1.5, "currencyCode": "GBP"}, "totalAmount"),
        ("items", "none", "another type"),
        ("breakdowns", [None], "another type"),
    ],
)
def test_malformed_transaction_fails_and_says_where(field: str, value: Any, named: str) -> None:
    failure = _failure_of({**refund("T1", item_refund(OurPricePrincipal="-4.00")), field: value})

    assert failure.code is FailureCode.TRANSACTION_MALFORMED
    assert named in failure.remedy


def test_two_currencies_fail() -> None:
    raw = refund("T1", item_refund(OurPricePrincipal="-4.00"))
    raw["items"][0]["breakdowns"] = breakdowns("EUR", OurPricePrincipal="-4.00")

    assert _failure_of(raw).code is FailureCode.MIXED_CURRENCIES


def _failure_of(raw: dict[str, Any]) -> Failure:
    with pytest.raises(Failure) as caught:
        parse_transaction(raw)
    return caught.value
