"""The report as CSV."""

from __future__ import annotations

from amazon_to_xero.domain.csv_file import csv_file, without_formula
from amazon_to_xero.domain.stock.reconciliation_report import COLUMNS, NUMBERS, ReconciliationReport


def csv_report(report: ReconciliationReport) -> bytes:
    """Return the lines under the names of their columns, with the report's currency and time in the last columns."""
    rows = (
        [cell if name in NUMBERS else without_formula(cell) for name, cell in line.cells().items()]
        for line in report.lines
    )
    at = report.at.isoformat()
    return csv_file([*COLUMNS, "currency", "reconciled_at"], ([*cells, report.currency, at] for cells in rows))
