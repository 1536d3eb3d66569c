"""LineAmountTypes of money: Decimal in the currency's major unit, never float, never rounded in silence."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

ZERO = Decimal(0)
CENT = Decimal("0.01")
_OTHER_DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}  # ISO 4217


class InvalidAmount(ValueError):
    """A value that should be an amount is none. The message names the field and the kind, never the value."""


def amount(value: Any, field: str) -> Decimal:
    """The amount in a JSON value: a decimal string (Orders API) or a JSON number read as Decimal (Finances, Xero).

    Raises InvalidAmount for anything else, floats among it: a float has already lost what was sent.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidAmount(f"{field} should be a decimal amount and is {type(value).__name__}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidAmount(f"{field} should be a decimal amount and is text that is no number") from None
    if not number.is_finite():
        raise InvalidAmount(f"{field} should be a decimal amount and is not finite")
    return number


def cents(value: Decimal) -> Decimal:
    """Rounded half up to two decimals, as Xero rounds each line and each line's tax (Xero: rounding guide)."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def smallest_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 of a pound, 1 yen, 0.001 of a dinar."""
    return Decimal(1).scaleb(-_OTHER_DECIMALS.get(currency, 2))


def total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)


def without_trailing_zeros(value: Decimal) -> Decimal:
    """12.5, whether it was written 12.5 or 12.50: so that a content keeps its hash."""
    return Decimal(format(value.normalize(), "f"))
