"""The days that a person has stated: of a sale, or of one shipment where each has an invoice of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, Corrections, shipment_line, unusable
from amazon_to_xero.domain.planning.policy import PostingPolicy


def stated_day(corrections: Corrections, place: int) -> date | None:
    """Return the day that applies to the sale of the shipment at that place; 0 is the first, or the whole order."""
    by_line = corrections.by_line(CorrectionKind.DATE)
    return next((date.fromisoformat(by_line[name]) for name in _names_of(place) if name in by_line), None)


def was_day_stated(corrections: Corrections, place: int) -> bool:
    """Whether a person has stated the day of that sale, withdrawn or not."""
    names = _names_of(place)
    return any(entry.kind is CorrectionKind.DATE and entry.line in names for entry in corrections.entries)


def stated_shipments(corrections: Corrections, count: int, policy: PostingPolicy) -> tuple[int, ...]:
    """Return the places of the shipments whose day a person has stated, be it withdrawn since; `count` is of all.

    None where one invoice states the whole order.
    """
    if not policy.invoice_per.is_by_shipment:
        return ()
    return tuple(place for place in range(count) if was_day_stated(corrections, place))


def with_stated_days(shipments: Sequence[Shipment], corrections: Corrections) -> tuple[Shipment, ...]:
    """Return the shipments as if it were known when those shipped whose day a person has stated."""
    return tuple(
        each if stated_day(corrections, place) is None else replace(each, not_before=None)
        for place, each in enumerate(shipments)
    )


def check_days(corrections: Corrections, shipments: Sequence[Shipment], policy: PostingPolicy) -> None:
    """Raise Failure with CORRECTION_UNUSABLE for a stated day of which it is not clear what it is the day of."""
    names = [shipment_line(place + 1) for place in range(len(shipments))]
    for each in corrections.in_force:
        if each.kind is CorrectionKind.DATE and (problem := _problem(each, names, policy)):
            raise unusable(each, problem)


def _problem(correction: Correction, names: Sequence[str], policy: PostingPolicy) -> str:
    if not policy.invoice_per.is_by_shipment:
        return "the order has one invoice, so its day is stated without a shipment" if correction.line else ""
    if not correction.line and len(names) > 1:
        return f"the order has an invoice for each of its shipments. State the day of one of them: {', '.join(names)}"
    if correction.line and correction.line not in names:
        return f"the order has no such shipment; it has {', '.join(names) or 'none'} so far"
    return ""


def _names_of(place: int) -> tuple[str, ...]:
    """Return what a correction may call that shipment, the most specific first."""
    return (shipment_line(place + 1), "") if place == 0 else (shipment_line(place + 1),)
