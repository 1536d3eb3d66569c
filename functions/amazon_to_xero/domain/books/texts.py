"""Texts as Xero accepts and compares them: the one rule for names, descriptions, references and addresses."""

from __future__ import annotations

import unicodedata
from typing import Any


def cleaned(value: Any) -> str:
    """Return a text without control characters: single spaces, none at the ends. Whatever is no text is empty.

    One control character makes Xero refuse the whole call. Invisible characters would make two names out of one; half a
    surrogate pair can be neither sent nor hashed.
    """
    text = value if isinstance(value, str) else ""
    if text.isascii() and text.isprintable():  # nearly all texts: nothing of what follows is in them
        return " ".join(text.split())
    spaced = (" " if unicodedata.category(each) == "Cc" else each for each in text)
    return " ".join("".join(each for each in spaced if unicodedata.category(each)[0] != "C").split())


def cut(text: str, limit: int) -> str:
    """Return the text cut to a length that Xero counts in UTF-16 units; no surrogate pair is split."""
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore").rstrip()


def xero_text(value: Any, limit: int) -> str:
    """Return a text as it is sent to Xero: cleaned and cut."""
    return cut(cleaned(value), limit)


def folded(value: Any) -> str:
    """Return a text as Xero compares it: without regard to case, to spaces at the ends, and to how many are between."""
    return " ".join(str(value).split()).casefold()
