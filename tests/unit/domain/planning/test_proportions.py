"""Shares of an amount: they add up to the cent, and each is what its weight says, give or take a cent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.line import Line
from amazon_to_xero.domain.money import CENT, total
from amazon_to_xero.domain.planning.proportions import scaled_to, shared

AMOUNTS = st.decimals("-500", "500", places=2)
WEIGHTS = st.lists(st.decimals("0.01", "500", places=2), min_size=1, max_size=8)


@given(AMOUNTS, WEIGHTS)
def test_shares_add_up_and_follow_their_weights(amount: Decimal, weights: list[Decimal]) -> None:
    shares = shared(amount, weights)

    assert total(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - amount * weight / total(weights)) < CENT


def test_largest_remainder_takes_what_is_left() -> None:
    assert shared(Decimal("10.00"), [Decimal(1)] * 3) == [Decimal("3.34"), Decimal("3.33"), Decimal("3.33")]
    assert shared(Decimal("-0.05"), [Decimal(1), Decimal(2)]) == [Decimal("-0.02"), Decimal("-0.03")]


def test_lines_keep_their_accounts_and_add_up_to_the_part() -> None:
    lines = [
        Line("Tea", 3, Decimal("8.00"), "200", "OUTPUT2", "1:ITEM"),
        Line("Discount", 1, Decimal("-3.00"), "210", "OUTPUT2", "1:DISCOUNT:ITEM"),
    ]

    scaled = scaled_to(lines, Decimal("0.5"))

    assert [(line.account, line.amount, line.origin) for line in scaled] == [
        ("200", Decimal("12.00"), "1:ITEM"),
        ("210", Decimal("-1.50"), "1:DISCOUNT:ITEM"),
    ]


def test_lines_that_cancel_out_each_become_that_part() -> None:
    """They give tax back: what was taxed no longer is."""
    lines = [Line("Tea", 1, Decimal("31.40"), "200", "TAX001"), Line("Tea", 1, Decimal("-31.40"), "200", "NONE")]

    amounts = [line.amount for line in scaled_to(lines, Decimal("0.28"))]

    assert amounts == [Decimal("8.79"), Decimal("-8.79")]
