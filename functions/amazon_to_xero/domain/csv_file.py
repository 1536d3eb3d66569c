"""CSV files for a spreadsheet that must take no cell for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_UTF8_MARK = "\ufeff"  # by which spreadsheets tell the encoding


def csv_file(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return the rows under their titles, in UTF-8. Texts have to be without formulas: see `without_formula`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(titles)
    writer.writerows(rows)
    return (_UTF8_MARK + text.getvalue()).encode()


def without_formula(text: str) -> str:
    """Return a text that no spreadsheet calculates: one that begins as a formula does gets an apostrophe before it.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
