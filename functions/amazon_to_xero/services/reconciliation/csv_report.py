"""The report as CSV, for a spreadsheet that must take no cell for a formula."""

from __future__ import annotations

import csv
import io

from amazon_to_xero.domain.stock.reconciliation_report import COLUMNS, NUMBERS, ReconciliationReport

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_UTF8_MARK = "\ufeff"  # by which spreadsheets tell the encoding


def csv_report(report: ReconciliationReport) -> bytes:
    """Return the lines under their titles, UTF-8, with the report's currency in a last column."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, "currency", "reconciled_at"])
    for line in report.lines:
        cells = [cell if name in NUMBERS else without_formula(cell) for name, cell in line.cells().items()]
        writer.writerow([*cells, report.currency, report.at.isoformat()])
    return (_UTF8_MARK + text.getvalue()).encode()


def without_formula(text: str) -> str:
    """Return a text that no spreadsheet calculates: one that begins as a formula does gets an apostrophe before it.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
