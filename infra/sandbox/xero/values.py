"""How Xero writes dates and numbers, and how it reads what a client sends."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
TEN_THOUSANDTH = Decimal("0.0001")
NO_ID = "00000000-0000-0000-0000-000000000000"

_LARGEST = Decimal(10) ** 15
_MICROSOFT_DATE = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
_EPOCH = date(1970, 1, 1)


class UnreadableValue(Exception):
    """A value Xero's own parser refuses before any rule is looked at: the whole call fails (ErrorNumber 14)."""


@lru_cache(maxsize=4096)
def wire_date(day: date) -> str:
    """`/Date(1763856000000+0000)/`: midnight UTC of a calendar day, which is not an instant and never converted."""
    return f"/Date({(day - _EPOCH).days * 86_400_000}+0000)/"


def wire_instant(moment: datetime) -> str:
    return f"/Date({int(moment.timestamp() * 1000)}+0000)/"


def wire_now(moment: datetime) -> str:
    """The envelope's DateTimeUTC, which alone carries no offset."""
    return f"/Date({int(moment.timestamp() * 1000)})/"


def date_string(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def instant_string(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(sep=" ", timespec="seconds")


def read_date(value: Any, field: str) -> date | None:
    """A calendar day sent as `2026-11-23`, with a time of day behind it, or as `/Date(ms)/`. Empty means absent."""
    if value in (None, ""):
        return None
    text = str(value)
    try:
        if found := _MICROSOFT_DATE.match(text):
            return datetime.fromtimestamp(int(found[1]) / 1000, UTC).date()
        return date.fromisoformat(text[:10])
    except (ValueError, OverflowError, OSError):
        raise UnreadableValue(f"The string '{text}' is not a valid AllXsd value. Path '{field}'.") from None


def read_instant(text: str) -> datetime | None:
    """If-Modified-Since: ISO 8601 (no zone means UTC) or an HTTP date; None when it is neither, as Xero ignores it."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_number(value: Any, field: str) -> Decimal | None:
    """A number, or one in quotes. Absent is None."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation:
        raise UnreadableValue(f"Could not convert string to decimal: {value}. Path '{field}'.") from None
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise UnreadableValue(f"Could not convert string to decimal: {value}. Path '{field}'.")
    return number


def read_text(value: Any) -> str | None:
    """A string; numbers are taken as their digits, as Xero's parser does. Empty means absent."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).strip() or None


def read_object(value: Any, field: str) -> dict[str, Any]:
    """A nested object; absent is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableValue(f"Error converting value to type '{field}'. Path '{field}'.")
    return value


def read_objects(value: Any, field: str) -> list[dict[str, Any]]:
    """A list of nested objects; absent is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableValue(f"Cannot deserialize the current JSON object into type '{field}'. Path '{field}'.")
    return [read_object(one, field) for one in value]


def read_choice(value: Any, choices: tuple[str, ...], field: str) -> str | None:
    """One of an enumeration's names, in any case; the spelling of `choices` is returned."""
    text = read_text(value)
    if text is None:
        return None
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    raise UnreadableValue(f"Error converting value \"{text}\" to type '{field}'. Path '{field}'.")


def to_cents(amount: Decimal) -> Decimal:
    """Two decimals, halves away from zero (Xero: rounding in the API)."""
    return amount.quantize(CENT, ROUND_HALF_UP)
