"""Times as Amazon reads and writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.amazon.errors import invalid_input
from sandbox.wire import Request


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 time with a time zone, converted to UTC. Raise ValueError for any other text."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at.astimezone(UTC)


def format_time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def time_parameter(request: Request, name: str) -> datetime | None:
    """Return a time parameter, None if absent. Raise a 400 if it is not ISO 8601 with a time zone."""
    value = request.parameter(name)
    if value is None:
        return None
    try:
        return parse_time(value)
    except ValueError:
        raise invalid_input(f"{name} must be in ISO 8601 date-time format.") from None
