"""Paid lines that a person has corrected: credited at the terms that they are booked at, invoiced at those of the sale.

The terms of a line are its account and its tax type, and its tracking and item code where it is booked again because a
rule was corrected; the day is that of the whole sale. What refunds have credited stays as it was credited, and only
what is left is moved. Lines that were never corrected stay where they were booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, Terms, all_terms
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.order_documents import sale_day
from amazon_to_xero.domain.planning.proportions import with_amount
from amazon_to_xero.domain.planning.retaxed import added_lines, negated, signed_lines
from amazon_to_xero.domain.planning.sale import Sale


@dataclass(frozen=True)
class CorrectedLines:
    """What corrections change of paid lines.

    origins: of the lines that change.
    more: lines to invoice, at the terms of the sale.
    less: lines to credit, at the terms at which they are booked.
    credited_on, invoiced_on: the days of the two documents where the sale moves to another day; None where it does not.
        An invoice of a sale of which nothing is left is of the corrected day, too.
    """

    origins: frozenset[str] = frozenset()
    more: tuple[Line, ...] = ()
    less: tuple[Line, ...] = ()
    credited_on: date | None = None
    invoiced_on: date | None = None


def corrected_lines(
    booked: Sequence[DesiredDocument],
    refund_notes: Sequence[DesiredDocument],
    sales: Sequence[Sale],
    netted: Mapping[str, Decimal],
    amounts: LineAmountTypes,
    organisation: Organisation,
    *,
    moves: bool = True,
) -> CorrectedLines:
    """Return what has to change of the booked documents of an order so that its corrected lines are as its sales say.

    booked: the order's documents that are never edited.
    refund_notes: the credit notes of its refunds.
    netted: what of their credits counts as taken off the order, by line origin.
    moves: whether the sale follows its day, too. Not where each shipment has a day of its own: see `shipment_moves`.
    """
    left = left_of_lines(booked, refund_notes, amounts, organisation)
    refunded = _amounts_by_origin(line for note in refund_notes for line in signed_lines(note))
    day, wanted_day = _booked_day(booked), sales[0].booked_on
    is_day_corrected = moves and any(sale.is_day_corrected for sale in sales)
    is_moved = is_day_corrected and day != wanted_day
    corrected = frozenset().union(*(sale.corrected for sale in sales))
    rebooked = frozenset().union(*(sale.rebooked for sale in sales))
    more: list[Line] = []
    less: list[Line] = []
    origins: set[str] = set()
    for origin, line in wanted_lines(sales, amounts, organisation).items():
        lines = left.get(origin, ())
        compared = all_terms if origin in rebooked else _terms
        other = [each for each in lines if is_moved or (origin in corrected and compared(each) != compared(line))]
        if other:
            kept = sum((each.amount for each in lines if each not in other), ZERO)
            amount = line.amount + netted.get(origin, ZERO) + refunded.get(origin, ZERO) - kept
            origins.add(origin)
            for each in other:
                _put(each, line, less, more)
            if amount:
                _put(line if amount == line.amount else with_amount(line, amount), line, more, less)
    if is_day_corrected and not any(left.values()):
        return CorrectedLines(invoiced_on=wanted_day)
    days = (day, wanted_day) if is_moved and origins else (None, None)
    return CorrectedLines(frozenset(origins), tuple(more), tuple(less), *days)


def states_corrections(invoice: DesiredDocument, sale: Sale) -> bool:
    """Whether an invoice that was requested states what a person has corrected of its sale: its day, and its lines.

    What else the sale says by now does not count, and neither do lines that the invoice does not have.
    """
    if sale.is_day_corrected and sale_day(invoice) != sale.booked_on:
        return False
    stated: dict[str, list[Line]] = {}
    for line in signed_lines(invoice):
        stated.setdefault(line.origin, []).append(line)
    compared = (line for line in sale.lines if line.origin in sale.corrected | sale.described and line.origin in stated)
    return all(any(_are_same(each, line, sale) for each in stated[line.origin]) for line in compared)


def with_positive_totals(more: Sequence[Line], less: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Return the same change as lines to invoice and lines to credit of which neither adds up to less than zero.

    A discount alone is negative: what is credited of it is invoiced, and the other way round.
    """
    if all(sum(line.amount for line in lines) > 0 for lines in (more, less)):
        return list(more), list(less)
    return (
        [*(line for line in more if line.amount > 0), *(negated(line) for line in less if line.amount < 0)],
        [*(line for line in less if line.amount > 0), *(negated(line) for line in more if line.amount < 0)],
    )


def _put(line: Line, like: Line, where: list[Line], otherwise: list[Line]) -> None:
    """Add the line where it belongs; more than all of it was refunded, its opposite to the other document."""
    if line.amount * like.amount > 0:
        where.append(line)
    else:
        otherwise.append(negated(line))


def _terms(line: Line) -> tuple[str, str]:
    return line.account, line.tax_type


def _are_same(stated: Line, line: Line, sale: Sale) -> bool:
    if line.origin in sale.described and stated.description != line.description:
        return False
    if line.origin not in sale.corrected:
        return True
    compared = all_terms if line.origin in sale.rebooked else _terms
    return compared(stated) == compared(line)


def left_of_lines(
    booked: Iterable[DesiredDocument],
    refund_notes: Iterable[DesiredDocument],
    amounts: LineAmountTypes,
    organisation: Organisation,
) -> Mapping[str, Sequence[Line]]:
    """Return by origin what refunds have left of each line, at each of its terms.

    Refunds may be booked on another account than the sale: they take from what is booked all the same.
    """
    left: dict[str, dict[Terms, Line]] = {}
    for line in (line for document in booked for line in signed_lines(document)):
        if not line.is_rounding:
            by_terms = left.setdefault(line.origin, {})
            _add(by_terms, all_terms(line), line, amounts, organisation)
    for line in (line for note in refund_notes for line in signed_lines(note)):
        if not line.is_rounding:
            by_terms = left.setdefault(line.origin, {})
            for terms, part in _shared_out(line, by_terms):
                _add(by_terms, terms, part, amounts, organisation)
    return {origin: [line for line in by_terms.values() if line.amount] for origin, by_terms in left.items()}


def _add(
    by_terms: dict[Terms, Line], terms: Terms, line: Line, amounts: LineAmountTypes, organisation: Organisation
) -> None:
    held = by_terms.get(terms)
    by_terms[terms] = added_lines(held, line, amounts, organisation) if held and held.amount else line


def _shared_out(refunded: Line, by_terms: Mapping[Terms, Line]) -> Sequence[tuple[Terms, Line]]:
    """Return the terms that a refund's line takes from, each with its part: the most like its own first.

    What exceeds all that is left keeps its own terms.
    """
    own, rest = all_terms(refunded), refunded.amount
    likeness = sorted(by_terms, key=lambda terms: (terms != own, terms[:2] != own[:2], terms[1] != own[1]))
    parts: list[tuple[Terms, Line]] = []
    for terms in likeness:
        there = by_terms[terms].amount
        if rest and there * rest < 0:
            taken = rest if abs(rest) <= abs(there) else -there
            parts.append((terms, refunded if taken == refunded.amount else with_amount(refunded, taken)))
            rest -= taken
    if rest:
        parts.append((own, refunded if rest == refunded.amount else with_amount(refunded, rest)))
    return parts


def wanted_lines(sales: Sequence[Sale], amounts: LineAmountTypes, organisation: Organisation) -> Mapping[str, Line]:
    """Return by origin what the sales state; all of them state a line at the same terms."""
    wanted: dict[str, Line] = {}
    for line in (line for sale in sales for line in sale.lines):
        if not line.is_rounding:
            held = wanted.get(line.origin)
            wanted[line.origin] = line if held is None else added_lines(held, line, amounts, organisation)
    return wanted


def _amounts_by_origin(lines: Iterable[Line]) -> Mapping[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for line in lines:
        amounts[line.origin] = amounts.get(line.origin, ZERO) + line.amount
    return amounts


def _booked_day(booked: Sequence[DesiredDocument]) -> date:
    """Return the day that the sale is booked on.

    It is that of the first invoice since nothing was left of the sale, or the last one that it was moved to.

    A move is the only adjustment whose credit note and invoice are of different days.
    """
    day = sale_day(booked[0])
    notes = {each.number: sale_day(each) for each in booked if each.kind is DocumentKind.CREDIT_NOTE}
    balance = ZERO
    for each in booked:
        amount = each.total or ZERO
        if each.kind is DocumentKind.CREDIT_NOTE:
            balance -= amount
            continue
        if not balance or notes.get(each.number, sale_day(each)) != sale_day(each):
            day = sale_day(each)
        balance += amount
    return day
