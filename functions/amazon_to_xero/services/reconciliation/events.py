"""The event about an item that has to be reconciled, for other workflows."""

from __future__ import annotations

from amazon_to_xero.domain.stock.correction import Correction, plain
from amazon_to_xero.domain.stock.worklist import WorklistEntry
from amazon_to_xero.ports.outbound import ReconciliationRequiredEvent, utc_text


def reconciliation_event(entry: WorklistEntry, correction: Correction, currency: str) -> ReconciliationRequiredEvent:
    """Return the event about an open entry. Units are texts: Xero has fractions of them."""
    return ReconciliationRequiredEvent(
        {
            "entry_id": entry.entry_id,
            "item": entry.code,
            "skus": list(entry.skus),
            "reason": entry.finding,
            "difference": plain(entry.difference),
            "amazon": entry.amazon,
            "own": entry.own,
            "xero": None if entry.xero is None else plain(entry.xero),
            "sold": entry.sold,
            "refunded": entry.refunded,
            "compared": None if entry.compared_at is None else utc_text(entry.compared_at),
            "correction": {
                "text": correction.text,
                "units": None if correction.units is None else plain(correction.units),
                "value": None if correction.value is None else str(correction.value),
                "currency": currency,
            },
        }
    )
