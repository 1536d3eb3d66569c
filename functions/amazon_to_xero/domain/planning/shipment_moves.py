"""Paid shipments whose day a person has stated: each moves by a credit note and an invoice of its own.

A move takes what the shipment's invoice states, at the terms at which it is booked by now, from the days that it is on
to the stated one. What Amazon has changed of the order since, and what refunds have credited, stays on its own day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Line, all_terms
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.order_documents import sale_day
from amazon_to_xero.domain.planning.proportions import with_amount
from amazon_to_xero.domain.planning.retaxed import signed_lines


@dataclass(frozen=True)
class StatedShipment:
    """A shipment whose day a person has stated, be it withdrawn since.

    number: of its invoice, as it is numbered first.
    invoice: as it is booked and never edited; None where it is not.
    day: on which its sale belongs; None where it has no sale any more.
    """

    number: str
    invoice: DesiredDocument | None = None
    day: date | None = None


@dataclass(frozen=True)
class Move:
    """What moves from one day to another.

    lines: to credit on the one day and to invoice on the other.
    """

    lines: tuple[Line, ...]
    credited_on: date
    invoiced_on: date


class ShipmentMoves:
    """The moves of one order's paid shipments."""

    def __init__(
        self,
        invoices: Sequence[DesiredDocument],
        left: Mapping[str, Sequence[Line]],
        stated: Sequence[StatedShipment],
    ) -> None:
        """`invoices` are those of all shipments; left: by origin what is left of their lines, at each of their terms.

        Neither a refund nor a change of the order says of which shipment it is. What they took is taken to be of the
        shipments whose day nobody has stated, then of the others in their order.
        """
        of_stated = [each.invoice for each in stated if each.invoice is not None]
        self._reduced_first = [each for each in invoices if each not in of_stated] + of_stated
        self._left = left
        sold = _stated_by(invoices)
        self._lost = {origin: amount - _amount_of(left.get(origin, ())) for origin, amount in sold.items()}

    def move_of(self, shipment: StatedShipment, moved: Sequence[DesiredDocument]) -> Move | None:
        """Return what of a shipment is on another day than it belongs on; None where nothing is.

        moved: the invoices and credit notes that have moved it so far.
        """
        if shipment.invoice is None or shipment.day is None:
            return None
        stays = self._what_stays(shipment.invoice)
        on_days = _on_days([shipment.invoice, *moved])
        on_days.pop(shipment.day, None)
        from_days: dict[date, list[Line]] = {}
        for line in _lines(shipment.invoice):
            sign = 1 if line.amount > 0 else -1
            elsewhere = {day: max(ZERO, sign * amounts.get(line.origin, ZERO)) for day, amounts in on_days.items()}
            rest = total(elsewhere.values()) - stays[line.origin]
            for day in sorted(elsewhere, reverse=True):
                moving = min(rest, elsewhere[day])
                if moving > 0:
                    from_days.setdefault(day, []).append(self._booked_like(line, sign * moving))
                    rest -= moving
        if not from_days:
            return None
        # On several days is only what was refunded before a move and sold again since: the next plan moves the rest.
        latest = max(from_days)
        return Move(tuple(from_days[latest]), latest, shipment.day)

    def _what_stays(self, invoice: DesiredDocument) -> Mapping[str, Decimal]:
        """Return by origin how much of the invoice was reduced or refunded, as an amount above zero."""
        before = _stated_by(self._reduced_first[: self._reduced_first.index(invoice)])
        stays: dict[str, Decimal] = {}
        for line in _lines(invoice):
            sign = 1 if line.amount > 0 else -1
            stays[line.origin] = max(ZERO, sign * (self._lost[line.origin] - before.get(line.origin, ZERO)))
        return stays

    def _booked_like(self, line: Line, amount: Decimal) -> Line:
        """Return so much of the line, at the terms at which most of it is booked by now."""
        left = self._left.get(line.origin, ())
        like = max(left, key=lambda each: (all_terms(each) == all_terms(line), abs(each.amount)), default=line)
        if all_terms(like) == all_terms(line):
            like = line
        return like if amount == like.amount else with_amount(like, amount)


def moves_of_whole_order(adjustments: Sequence[DesiredDocument]) -> list[DesiredDocument]:
    """Return those that moved an order while it had one shipment: invoice and credit note are of different days."""
    notes = {each.number: sale_day(each) for each in adjustments if each.kind is DocumentKind.CREDIT_NOTE}
    moved = {
        each.number
        for each in adjustments
        if each.kind is DocumentKind.INVOICE and notes.get(each.number, sale_day(each)) != sale_day(each)
    }
    return [each for each in adjustments if each.number in moved]


def _amount_of(lines: Iterable[Line]) -> Decimal:
    return total(line.amount for line in lines)


def _on_days(documents: Iterable[DesiredDocument]) -> dict[date, Mapping[str, Decimal]]:
    """Return what a shipment's documents state on each day, by origin."""
    by_day: dict[date, list[DesiredDocument]] = {}
    for document in documents:
        by_day.setdefault(sale_day(document), []).append(document)
    return {day: _stated_by(of_day) for day, of_day in by_day.items()}


def _stated_by(documents: Iterable[DesiredDocument]) -> Mapping[str, Decimal]:
    """Return what documents state together, by origin, credit notes taken off."""
    amounts: dict[str, Decimal] = {}
    for line in (line for document in documents for line in _lines(document)):
        amounts[line.origin] = amounts.get(line.origin, ZERO) + line.amount
    return amounts


def _lines(document: DesiredDocument) -> list[Line]:
    return [line for line in signed_lines(document) if not line.is_rounding]
