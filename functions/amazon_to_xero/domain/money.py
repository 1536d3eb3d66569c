"""Amounts of money: Decimal in the currency's major unit, never float, never rounded in silence."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

ZERO = Decimal(0)
CENT = Decimal("0.01")
_WITHOUT_DECIMALS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND"})
_WITH_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


class NotAnAmount(ValueError):
    """A value that should be an amount is none. The message names the field and the kind, never the value."""


def amount(value: Any, field: str) -> Decimal:
    """The amount in a JSON value: a decimal string (Orders API) or a JSON number read as Decimal (Finances, Xero).

    Raises NotAnAmount for anything else, floats among it: a float has already lost what was sent.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise NotAnAmount(f"{field} should be a decimal amount and is {type(value).__name__}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise NotAnAmount(f"{field} should be a decimal amount and is text that is no number") from None
    if not number.is_finite():
        raise NotAnAmount(f"{field} should be a decimal amount and is not finite")
    return number


def cents(value: Decimal) -> Decimal:
    """Rounded half up to two decimals, as Xero rounds each line and each line's tax (Xero: rounding guide)."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def smallest_unit(currency: str | None) -> Decimal:
    """The smallest amount a price of that currency has: a yen, a cent, a fils (ISO 4217)."""
    if currency in _WITHOUT_DECIMALS:
        return Decimal(1)
    return Decimal("0.001") if currency in _WITH_THREE_DECIMALS else CENT


def total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)


def one_spelling(value: Decimal) -> Decimal:
    """12.5, whether it was written 12.5 or 12.50: so that a content keeps its hash."""
    return Decimal(format(value.normalize(), "f"))
