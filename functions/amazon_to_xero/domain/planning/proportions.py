"""Amounts and lines that are shared in proportion, so that the shares add up to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from amazon_to_xero.domain.books.line import Line, as_one_piece
from amazon_to_xero.domain.money import CENT, cents, total, without_trailing_zeros


def shared(amount: Decimal, weights: Sequence[Decimal], unit: Decimal = CENT) -> list[Decimal]:
    """Return the shares of an amount in proportion to weights that are not all zero.

    Each is rounded towards zero; what is left goes unit by unit to those that lost most (largest remainder).
    """
    whole = total(weights)
    exact = [amount * weight / whole for weight in weights]
    shares = [value.quantize(unit, rounding=ROUND_DOWN) for value in exact]
    rest = amount - total(shares)
    by_loss = sorted(range(len(shares)), key=lambda place: abs(exact[place] - shares[place]), reverse=True)
    step = unit if rest > 0 else -unit
    for place in by_loss:
        if abs(rest) < unit:
            break
        shares[place] += step
        rest -= step
    if rest:
        shares[by_loss[0]] += rest  # an amount that is finer than the unit
    return shares


def scaled_to(lines: Sequence[Line], ratio: Decimal, unit: Decimal = CENT) -> list[Line]:
    """Return the lines in proportion, so that their amounts add up to that part of what they are, to the cent.

    Lines that add up to nothing, as those that only give tax back, each become that part of what they are.
    """
    weights = [line.amount for line in lines]
    if total(weights):
        shares = shared(cents(total(weights) * ratio), weights, unit)
    else:
        shares = [(weight * ratio).quantize(unit, rounding=ROUND_HALF_UP) for weight in weights]
    return [with_amount(line, share) for line, share in zip(lines, shares, strict=True) if share]


def with_amount(line: Line, amount: Decimal) -> Line:
    """Return the line with another amount, as one piece, and its stated tax in proportion."""
    tax = None if line.tax is None else without_trailing_zeros(cents(line.tax * amount / line.amount))
    return replace(as_one_piece(line, amount), tax=tax)
