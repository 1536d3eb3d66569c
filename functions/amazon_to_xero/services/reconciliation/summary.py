"""The message about a reconciliation: how many items need a person, and the largest of them."""

from __future__ import annotations

from collections.abc import Sequence

from amazon_to_xero.domain.stock.correction import plain
from amazon_to_xero.domain.stock.reconciliation_report import ReconciliationReport

_MAX_LISTED = 20  # open items, and entries of items that are gone
_MAX_BYTES = 250_000  # of the message in UTF-8; SNS takes 256 KiB


def subject_of(report: ReconciliationReport) -> str:
    """Return the subject, in ASCII, which SNS requires."""
    text = f"Stock reconciled ({report.connection}): {len(report.open_lines)} of {len(report.lines)} items open"
    return text.encode("ascii", "replace").decode()


def message_of(report: ReconciliationReport, folder: str) -> str:
    """Return the message; `folder` is where the reports are stored.

    However many items there are and however long their codes, SNS takes it: what is left out is counted.
    """
    for listed in range(_MAX_LISTED, -1, -1):
        text = _message(report, folder, listed)
        if len(text.encode()) <= _MAX_BYTES:
            break
    return text


def _message(report: ReconciliationReport, folder: str, listed: int) -> str:
    """Return the message that lists so many items of each kind."""
    counts = ", ".join(f"{count} {finding}" for finding, count in report.counts().items())
    opened = [
        f"{line.entry.code}: {line.entry.finding}, difference {plain(line.comparison.difference)}. "
        f"{line.correction.text}"
        for line in report.open_lines
    ]
    gone = [f"{entry.code}: no longer known to Amazon or Xero; its entry is done." for entry in report.gone]
    parts = [
        f"Amazon's stock of {report.at:%Y-%m-%d %H:%M} UTC against Xero's tracked items: {counts or 'no items'}.",
        f"All gaps together are worth {report.value_of_gaps()} {report.currency} at Xero's average cost.",
        *(finding.remedy for finding in report.pool_findings),
        *_first(opened, listed, "further open items"),
        *_first(gone, listed, "further entries that are done, of items no longer known to Amazon or Xero"),
        f"The whole list is in {folder}: stock.html, stock.csv and stock.json. This system changes no stock. Adjust "
        "Xero manually, or close an entry with a word.",
    ]
    return "\n\n".join(parts)


def _first(texts: Sequence[str], listed: int, further: str) -> list[str]:
    """Return so many of the texts, and how many there are besides."""
    more = len(texts) - listed
    return [*texts[:listed], *([f"And {more} {further}."] if more > 0 else [])]
