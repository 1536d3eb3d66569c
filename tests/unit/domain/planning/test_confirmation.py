"""The comparison of what Amazon charged with what the documents state, to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.planning.confirmation import CHARGE_LIMIT, PART_LIMIT, Verdict, compare
from amazon_to_xero.domain.planning.stated_sale import StatedSale
from fakes.state import NOON

D = Decimal
ZERO, CENT = D(0), D("0.01")
ITEM, WITHHELD = AmountType(AmountKind.ITEM), AmountType(AmountKind.MARKETPLACE_TAX, is_tax=True)
SALE = StatedSale(NOON, "GBP", D("10.00"), ZERO, D("10.00"), ZERO, NOON - timedelta(days=1))


def charged(amount: Decimal, withheld: Decimal = ZERO) -> ShipmentCharge:
    return ShipmentCharge(f"C{amount}", NOON, "GBP", {ITEM: amount + withheld, WITHHELD: -withheld})


def sale(amount: Decimal, withheld: Decimal = ZERO) -> StatedSale:
    return replace(SALE, total=amount, order_total=amount, withheld=withheld)


@given(st.lists(st.decimals(CENT, 9999, places=2), min_size=1, max_size=4), st.decimals(0, 99, places=2))
def test_charges_confirm_a_sale_exactly_where_they_add_up_to_it(shares: list[Decimal], withheld: Decimal) -> None:
    charges = [charged(share) for share in shares[1:]] + [charged(shares[0], withheld)]
    stated = sale(sum(shares, ZERO), withheld)

    assert compare(stated, charges).verdict is Verdict.CONFIRMED
    assert compare(replace(stated, total=stated.total - CENT, order_total=stated.total - CENT), charges).verdict is (
        Verdict.DIFFERS
    )
    assert compare(replace(stated, total=stated.total + CENT, order_total=stated.total + CENT), charges).verdict is (
        Verdict.AWAITED
    )
    assert compare(replace(stated, withheld=withheld + CENT), charges).verdict is not Verdict.CONFIRMED


def test_sale_without_a_charge_is_awaited_for_three_days_after_its_last_shipment() -> None:
    compared = compare(SALE, [])

    assert (compared.verdict, compared.awaited_until) == (Verdict.AWAITED, SALE.shipped_at + CHARGE_LIMIT)
    assert compared.difference == "Amazon charged 0.00 GBP; the documents state 10.00 GBP"


def test_rest_of_a_partly_shipped_order_is_awaited_longer_than_its_first_charge() -> None:
    partly = replace(SALE, is_partly_shipped=True)

    assert compare(partly, []).awaited_until == SALE.shipped_at + CHARGE_LIMIT
    assert compare(partly, [charged(D("4.00"))]).awaited_until == SALE.shipped_at + PART_LIMIT
    assert compare(partly, [charged(D("10.01"))]).verdict is Verdict.DIFFERS


def test_what_an_adjustment_credited_is_awaited_as_a_refund_and_counted_once_it_is_given_back() -> None:
    reduced = replace(SALE, total=D("6.00"), order_total=D("6.00"), reductions=D("4.00"))
    charges = [charged(D("10.00"))]

    waiting = compare(reduced, charges)
    assert (waiting.verdict, waiting.awaited_until) == (Verdict.AWAITED, SALE.version + CHARGE_LIMIT)
    assert compare(reduced, charges, given_back=D("4.00")).verdict is Verdict.CONFIRMED
    assert compare(reduced, [charged(D("10.01"))], given_back=D("4.00")).verdict is Verdict.DIFFERS
    assert compare(reduced, [charged(D("6.00"))]).verdict is Verdict.CONFIRMED
