"""Timestamps as Amazon writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def parse_timestamp(text: Any, field: str) -> datetime:
    """Return an Amazon timestamp as an aware UTC datetime. Raises ValueError that names the field."""
    try:
        parsed = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError(f"{field} should be an ISO 8601 timestamp and is not") from None
    if parsed.tzinfo is None:
        raise ValueError(f"{field} has no time zone; Amazon's timestamps end in Z")
    if not 2000 <= parsed.year < 2100:
        raise ValueError(f"{field} lies outside the years 2000 to 2099")  # no arithmetic with it may overflow
    return parsed.astimezone(UTC)
