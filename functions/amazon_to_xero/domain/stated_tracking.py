"""Tracking as a person states it in a correction: `Region=North; Channel=FBA`, or `none` for no tracking."""

from __future__ import annotations

NONE = "none"  # says that a line has no tracking, or no item
MAX_CATEGORIES = 2  # Xero: LineItem.Tracking


def tracking_in(text: str) -> tuple[tuple[str, str], ...]:
    """Return categories with their options. Raises ValueError for what is not written like that."""
    if text == NONE:
        return ()
    pairs = [part.partition("=") for part in text.split(";")]
    tracking = tuple((category.strip(), option.strip()) for category, _, option in pairs)
    if not all(category and option for category, option in tracking):
        raise ValueError("each part should be a category and one of its options")
    if len(tracking) > MAX_CATEGORIES or len({category for category, _ in tracking}) < len(tracking):
        raise ValueError(f"a line has at most {MAX_CATEGORIES} categories, each with one option")
    return tracking
