"""Paid lines of which Amazon has changed who owes the tax: credited at the old rate and invoiced at the new one.

A change of the settings is none: what is booked stays where it was booked. Lines that a person has corrected are not
decided here; see `corrected_documents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import ROUNDING, Line, LineAmountTypes, line_from_xero
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.planning.proportions import with_amount
from amazon_to_xero.domain.planning.sale import Sale
from amazon_to_xero.domain.tax.rounding import percentage, tax_of
from amazon_to_xero.domain.tax.stated_tax import with_tax


def retaxed_lines(
    booked: Iterable[Line], sales: Sequence[Sale], amounts: LineAmountTypes, organisation: Organisation
) -> tuple[list[Line], list[Line]]:
    """Return the lines to credit, as they are booked by now, and those to invoice in their place.

    booked: of all documents; those of credit notes negative.
    amounts: whether their amounts include tax.
    """
    old = lines_by_origin(booked, amounts, organisation)
    corrected = frozenset().union(*(sale.corrected for sale in sales))
    lines = (line for sale in sales for line in sale.lines if line.origin not in corrected)
    new = lines_by_origin(lines, amounts, organisation)
    collected = frozenset().union(*(sale.collected for sale in sales))
    changed = [
        origin
        for origin, line in old.items()
        if origin in new and _has_another_party(line, new[origin], collected, amounts, organisation)
    ]
    return [old[origin] for origin in changed], [new[origin] for origin in changed]


def _has_another_party(
    old: Line, new: Line, collected: frozenset[str], amounts: LineAmountTypes, organisation: Organisation
) -> bool:
    """Whether the seller's tax has become the marketplace's, or the marketplace's has become the seller's."""
    old_rate, new_rate = (percentage(line.tax_type, organisation) for line in (old, new))
    if new.origin.partition(":")[0] in collected:
        return bool(old_rate) and not new_rate
    tax = tax_of(new, amounts, organisation)
    return not old_rate and bool(tax) and old.amount + tax == new.amount


def lines_by_origin(lines: Iterable[Line], amounts: LineAmountTypes, organisation: Organisation) -> Mapping[str, Line]:
    """Return what is left of each origin, on the account of the first line: at the tax type that has not been credited.

    Lines that were credited and entered again at another rate, or on another account, are no longer there.
    """
    by_account: dict[tuple[str, str, str], Line] = {}
    for line in lines:
        if line.origin not in ("", ROUNDING):
            key = line.origin, line.tax_type, line.account
            first = by_account.get(key)
            by_account[key] = added_lines(first, line, amounts, organisation) if first and first.amount else line
    together: dict[tuple[str, str], Line] = {}
    for line in by_account.values():
        if line.amount:
            held = together.get((line.origin, line.tax_type))
            both = added_lines(held, line, amounts, organisation) if held and held.amount else line
            together[line.origin, line.tax_type] = both
    return {line.origin: line for line in together.values() if line.amount}


def signed_lines(desired: DesiredDocument) -> Iterable[Line]:
    """Return the lines of a stored document as they count in the books: those of a credit note are negative."""
    for item, origin in zip(desired.body["LineItems"], desired.line_origins, strict=True):
        line = line_from_xero(item, origin)
        yield negated(line) if desired.kind is DocumentKind.CREDIT_NOTE else line


def negated(line: Line) -> Line:
    """Return the line with the opposite amount and tax."""
    return replace(line, unit=-line.unit, tax=None if line.tax is None else -line.tax)


def added_lines(first: Line, second: Line, amounts: LineAmountTypes, organisation: Organisation) -> Line:
    """Return both as one line like the first; it states its tax where one of them does."""
    line = with_amount(first, first.amount + second.amount)
    if not line.amount or (first.tax is None and second.tax is None):
        return line
    return with_tax(line, tax_of(first, amounts, organisation) + tax_of(second, amounts, organisation))
