"""What the rules would book otherwise by now of an order that is booked: for a person who has corrected a rule.

Nothing follows from it by itself. What is paid stays where it was booked until a person chooses the order; then the
terms that are stated here become a correction of it (`corrected_documents` does the rest).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, all_terms, tracking_text
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import CorrectionKind, Corrections, LineTerms, tax_type_for, taxed_as, value_for
from amazon_to_xero.domain.planning.corrected_documents import left_of_lines, wanted_lines
from amazon_to_xero.domain.planning.order_documents import sale_day
from amazon_to_xero.domain.planning.proportions import with_amount
from amazon_to_xero.domain.planning.sale import Sale
from amazon_to_xero.domain.tax.rounding import tax_of


@dataclass(frozen=True)
class FieldChange:
    """One field of a line, as it is booked and as the rules say by now; texts, empty for none."""

    field: str
    booked: str
    by_rules: str


@dataclass(frozen=True)
class BookedOtherwise:
    """One line that the rules would book otherwise.

    line: its origin, e.g. 123:SHIPPING.
    amount: what of it no refund has credited, in the order's currency.
    changes: the fields that differ; of a tax type its tax, too.
    """

    line: str
    amount: Decimal
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True)
class Rebooking:
    """How one order is booked otherwise than the rules say by now.

    day: on which its sale is booked; None where it cannot be compared.
    lines: those that differ; none where it is booked as the rules say.
    terms: what a REBOOK of it states: the terms of these lines.
    problem: why it cannot be compared; empty where it is.
    """

    day: date | None = None
    lines: tuple[BookedOtherwise, ...] = ()
    terms: tuple[LineTerms, ...] = ()
    problem: str = ""


def rebooking(
    booked: Sequence[DesiredDocument],
    refund_notes: Sequence[DesiredDocument],
    sales: Sequence[Sale],
    corrections: Corrections,
    organisation: Organisation,
) -> Rebooking:
    """Return how an order is booked otherwise than its sales say.

    booked: its invoices and credit notes in Xero, the first invoice first.
    refund_notes: the credit notes of its refunds: what they have credited stays as it is.
    sales: by the rules of now, with what a person has stated of single lines.
    corrections: of the order.
    """
    amounts = LineAmountTypes(booked[0].body["LineAmountTypes"])
    left = left_of_lines(booked, refund_notes, amounts, organisation)
    wanted = wanted_lines(sales, amounts, organisation)
    lines = [
        _compared(other, line, amounts, organisation)
        for origin, line in wanted.items()
        for other in left.get(origin, ())
        if all_terms(other) != all_terms(line)
    ]
    if lines and (accepted := _accepted(booked, corrections)):
        return Rebooking(
            problem=f"{accepted} stays as a person has accepted it in Xero. Correct the order by its lines."
        )
    changed = {each.line for each in lines} | {taxed_as(each.line) for each in lines}
    terms = tuple(_terms(wanted[origin], corrections) for origin in wanted if origin in changed)
    return Rebooking(sale_day(booked[0]), tuple(lines), terms)


def _accepted(booked: Sequence[DesiredDocument], corrections: Corrections) -> str:
    """Return the key of a document whose changes in Xero a person has accepted; empty for none."""
    accepted = {entry.value for entry in corrections.in_force if entry.kind is CorrectionKind.AS_IN_XERO}
    return next((document.key for document in booked if document.key in accepted), "")


def _compared(booked: Line, line: Line, amounts: LineAmountTypes, organisation: Organisation) -> BookedOtherwise:
    by_rules = with_amount(line, booked.amount) if line.amount else line
    before, after = (_fields(each, tax_of(each, amounts, organisation)) for each in (booked, by_rules))
    changes = (FieldChange(name, before[name], after[name]) for name in before if before[name] != after[name])
    return BookedOtherwise(booked.origin, booked.amount, tuple(changes))


def _fields(line: Line, tax: Decimal) -> Mapping[str, str]:
    return {
        "account": line.account,
        "tax_type": line.tax_type,
        "tax": f"{tax:.2f}",
        "tracking": tracking_text(line.tracking),
        "item_code": line.item_code,
    }


def _terms(line: Line, corrections: Corrections) -> LineTerms:
    """Return the terms of a line, without what another correction states: that one still decides, until withdrawn."""
    is_account_stated = value_for(line.origin, corrections.by_line(CorrectionKind.ACCOUNT))
    is_tax_stated = tax_type_for(line.origin, corrections.by_line(CorrectionKind.TAX_TYPE))
    return LineTerms(
        line.origin,
        "" if is_account_stated else line.account,
        "" if is_tax_stated else line.tax_type,
        line.tracking,
        line.item_code,
    )
