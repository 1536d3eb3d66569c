"""Amounts of money: Decimal in the currency's major unit, never float, and rounded only where a function says so."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

ZERO = Decimal(0)
CENT = Decimal("0.01")

# Currencies that do not have two decimals (ISO 4217).
_DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}

_MAX_ROUNDED = Decimal(10) ** 15  # more is no amount of a shop, and has too many digits to be rounded


class InvalidAmount(ValueError):
    """A value that should be an amount and is not. The message names the field and the type, never the value."""


def amount(value: Any, field: str) -> Decimal:
    """Return the amount in a JSON value: a decimal string (Orders API) or a number read as Decimal (Finances, Xero).

    Raises InvalidAmount for anything else, also for a float, which has already lost digits.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidAmount(f"{field} should be a decimal amount and is {type(value).__name__}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidAmount(f"{field} should be a decimal amount and is text that is not a number") from None
    if not number.is_finite():
        raise InvalidAmount(f"{field} should be a decimal amount and is not finite")
    return number


def cents(value: Decimal) -> Decimal:
    """Return the value rounded half up to two decimals, as Xero rounds each line and its tax (Xero: rounding guide)."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def smallest_unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency: 0.01 pounds, 1 yen, 0.001 dinars."""
    return Decimal(1).scaleb(-_DECIMALS.get(currency, 2))


def exact_text(amount: Decimal, currency: str) -> str:
    """Return the amount with as many decimals as its currency has, or with more where they are not zero."""
    if abs(amount) >= _MAX_ROUNDED:
        return str(amount)
    rounded = amount.quantize(smallest_unit(currency))
    return str(rounded if rounded == amount else amount)


def money_text(amount: Decimal, currency: str) -> str:
    """Return the amount with its currency, for a person to read: `12.50 GBP`."""
    return f"{exact_text(amount, currency)} {currency}"


def total(values: Iterable[Decimal]) -> Decimal:
    """Return the sum; ZERO for no values."""
    return sum(values, ZERO)


def without_trailing_zeros(value: Decimal) -> Decimal:
    """Return 12.5 for 12.5 and for 12.50, so that equal amounts have equal hashes."""
    return Decimal(format(value.normalize(), "f"))
