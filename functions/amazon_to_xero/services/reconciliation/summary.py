"""The message about a reconciliation: how many items need a person, and the largest of them."""

from __future__ import annotations

from amazon_to_xero.domain.stock.correction import plain
from amazon_to_xero.domain.stock.reconciliation_report import ReconciliationReport

_MAX_LISTED = 20


def subject_of(report: ReconciliationReport) -> str:
    """Return the subject, in ASCII, which SNS requires."""
    text = f"Stock reconciled ({report.connection}): {len(report.open_lines)} of {len(report.lines)} items open"
    return text.encode("ascii", "replace").decode()


def message_of(report: ReconciliationReport, folder: str) -> str:
    """Return the message; `folder` is where the reports are stored."""
    counts = ", ".join(f"{count} {finding}" for finding, count in report.counts().items())
    parts = [
        f"Amazon's stock of {report.at:%Y-%m-%d %H:%M} UTC against Xero's tracked items: {counts or 'no items'}.",
        f"All gaps together are worth {report.value_of_gaps()} {report.currency} at Xero's average cost.",
    ]
    for line in report.open_lines[:_MAX_LISTED]:
        units = plain(line.comparison.difference)
        parts.append(f"{line.entry.code}: {line.entry.finding}, difference {units}. {line.correction.text}")
    if further := len(report.open_lines) - _MAX_LISTED:
        parts += [f"And {further} further open items."] if further > 0 else []
    parts += [f"{entry.code}: no longer known to Amazon or Xero; its entry is done." for entry in report.gone]
    parts.append(
        f"The whole list is in {folder}: stock.html, stock.csv and stock.json. This system changes no stock. Adjust "
        "Xero manually, or close an entry with a word."
    )
    return "\n\n".join(parts)
