"""The cursor of a sweep: how far it has read, and when Amazon last answered it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from amazon_to_xero.ports.state import Cursor

CURSOR = "sweep#orders"  # of the sweep of orders
ANSWERED_AT = "answered_at"
_KEPT = ("watermark", "span", ANSWERED_AT)  # of a sweep that begins again; the rest is the place of its next page


def answered_at(cursor: Cursor) -> datetime | None:
    """Return when Amazon last answered a sweep (UTC); None where it never did."""
    text = cursor.data.get(ANSWERED_AT)
    return datetime.fromisoformat(text) if text else None


def watermark(cursor: Cursor) -> datetime | None:
    """Return until when (UTC) a sweep has read everything; None before its first one was complete."""
    text = cursor.data.get("watermark")
    return datetime.fromisoformat(text) if text else None


def restarted(data: Mapping[str, str], watermark: str | None = None) -> dict[str, str]:
    """Return what the cursor holds of a sweep that begins again, at its watermark or at another one.

    watermark: ISO text (UTC); empty for the very first sweep.
    """
    kept = {name: data[name] for name in _KEPT if name in data}
    if watermark:
        kept["watermark"] = watermark
    elif watermark is not None:
        kept.pop("watermark", None)
    return kept
