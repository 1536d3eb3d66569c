"""Xero's formats of dates and numbers: how it writes them and how it reads what a client sends."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from .errors import UnreadableValue

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
TEN_THOUSANDTH = Decimal("0.0001")
NO_ID = "00000000-0000-0000-0000-000000000000"

_NUMBER_LIMIT = Decimal(10) ** 15
_MICROSOFT_DATE = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
_EPOCH = date(1970, 1, 1)


@lru_cache(maxsize=4096)
def wire_date(day: date) -> str:
    """Return `/Date(1763856000000+0000)/`: midnight UTC of a calendar day. It is no instant and is never converted."""
    return f"/Date({(day - _EPOCH).days * 86_400_000}+0000)/"


def wire_instant(instant: datetime) -> str:
    return f"/Date({int(instant.timestamp() * 1000)}+0000)/"


def wire_now(instant: datetime) -> str:
    """Return the envelope's DateTimeUTC, the only timestamp without an offset."""
    return f"/Date({int(instant.timestamp() * 1000)})/"


def date_string(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def instant_string(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(sep=" ", timespec="seconds")


def read_date(value: Any, field: str) -> date | None:
    """Read a calendar day: `2026-11-23`, with or without a time of day, or `/Date(ms)/`. Empty means absent."""
    if value in (None, ""):
        return None
    text = str(value)
    try:
        if match := _MICROSOFT_DATE.match(text):
            return datetime.fromtimestamp(int(match[1]) / 1000, UTC).date()
        return date.fromisoformat(text[:10])
    except (ValueError, OverflowError, OSError):
        raise UnreadableValue(f"The string '{text}' is not a valid AllXsd value. Path '{field}'.") from None


def read_instant(text: str) -> datetime | None:
    """Read If-Modified-Since: ISO 8601 (UTC unless it names a zone) or an HTTP date. Xero ignores anything else."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            instant = parsedate_to_datetime(text)
        except ValueError:
            return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def read_number(value: Any, field: str) -> Decimal | None:
    """Read a number, quoted or not. Empty means absent."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation:
        raise UnreadableValue(f"Could not convert string to decimal: {value}. Path '{field}'.") from None
    if not number.is_finite() or abs(number) >= _NUMBER_LIMIT:
        raise UnreadableValue(f"Could not convert string to decimal: {value}. Path '{field}'.")
    return number


def read_text(value: Any) -> str | None:
    """Read a string. Like Xero's parser, accept a number as its digits. Empty means absent."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).strip() or None


def utf16_length(text: str) -> int:
    """Return the length of a text as Xero counts it: a character outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_object(value: Any, field: str) -> dict[str, Any]:
    """Read a nested object; an absent one is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableValue(f"Error converting value to type '{field}'. Path '{field}'.")
    return value


def read_objects(value: Any, field: str) -> list[dict[str, Any]]:
    """Read a list of nested objects; an absent one is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableValue(f"Cannot deserialize the current JSON object into type '{field}'. Path '{field}'.")
    return [read_object(element, field) for element in value]


def read_choice(value: Any, choices: tuple[str, ...], field: str) -> str | None:
    """Read a name of an enumeration, in any case, and return it as spelled in `choices`."""
    text = read_text(value)
    if text is None:
        return None
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    raise UnreadableValue(f"Error converting value \"{text}\" to type '{field}'. Path '{field}'.")


def to_cents(amount: Decimal) -> Decimal:
    """Round to two decimals, halves away from zero (Xero: rounding in the API)."""
    return amount.quantize(CENT, ROUND_HALF_UP)
