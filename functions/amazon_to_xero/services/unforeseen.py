"""Exceptions that nobody foresaw: which of them belong to one record, and how they are named in logs."""

from __future__ import annotations

import traceback
from pathlib import Path

# One source or document of a kind that nobody foresaw must not stop the others. Errors of the table or of a queue have
# other types and say nothing about the record.
UNFORESEEN = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, RecursionError)


def place_of(problem: BaseException) -> str:
    """Return the type and place of an exception. Its text may contain anything, a buyer's name too."""
    *_, (frame, line) = traceback.walk_tb(problem.__traceback__)
    return f"{type(problem).__name__} in {Path(frame.f_code.co_filename).name}:{line}"
