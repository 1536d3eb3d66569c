"""Paid lines whose tax Amazon has changed: credited at the old rate and invoiced at the new one.

Either another party owes it, or it is another tax: VAT was given back, or the goods go elsewhere. A change of the
settings is none: what is booked stays where it was booked. So another rate counts only where the rate that is booked
cannot explain the tax that Amazon states by now; a new destination counts whatever its rate is, see `redirected`. What
moves is what refunds have left of a line, as with lines that a person has corrected; see `corrected_documents`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, Terms, all_terms, line_from_xero
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.money import cents, total
from amazon_to_xero.domain.planning.proportions import with_amount
from amazon_to_xero.domain.planning.sale import Sale
from amazon_to_xero.domain.tax.rounding import percentage, tax_of
from amazon_to_xero.domain.tax.stated_tax import TaxedPrice, is_rounding, with_tax


def retaxed_origins(
    booked: Iterable[Line], sales: Sequence[Sale], amounts: LineAmountTypes, organisation: Organisation
) -> frozenset[str]:
    """Return the origins of the lines to credit as they are booked by now, and to invoice as the sales state them.

    booked: of all documents; those of credit notes negative.
    amounts: whether their amounts include tax.
    """
    old = lines_by_origin(booked, amounts, organisation)
    corrected = frozenset().union(*(sale.corrected for sale in sales))
    lines = (line for sale in sales for line in sale.lines if line.origin not in corrected)
    new = lines_by_origin(lines, amounts, organisation)
    collected = frozenset().union(*(sale.collected for sale in sales))
    otherwise = _items_of_another_tax(old, new, sales, amounts, organisation)
    return frozenset(
        origin
        for origin, line in old.items()
        if origin in new
        and (
            _has_another_party(line, new[origin], collected, amounts, organisation)
            or (_item_id(origin) in otherwise and _has_another_rate(line, new[origin], organisation))
        )
    )


def tax_taken_over(
    booked: Iterable[Line], sales: Sequence[Sale], origins: Collection[str], organisation: Organisation
) -> Decimal:
    """Return the tax on the lines of these origins that the marketplace owes by now: no refund gives it back."""
    old = {line.origin: line for line in booked}
    collected = frozenset().union(*(sale.collected for sale in sales))
    lines = [line for sale in sales for line in sale.lines if line.origin in origins and line.origin in old]
    return total(
        cents(line.amount * percentage(old[line.origin].tax_type, organisation) / 100)
        for line in lines
        if _item_id(line.origin) in collected
    )


def _has_another_party(
    old: Line, new: Line, collected: frozenset[str], amounts: LineAmountTypes, organisation: Organisation
) -> bool:
    """Whether the seller's tax has become the marketplace's, or the marketplace's has become the seller's."""
    old_rate, new_rate = (percentage(line.tax_type, organisation) for line in (old, new))
    if _item_id(new.origin) in collected:
        return bool(old_rate) and not new_rate
    tax = tax_of(new, amounts, organisation)
    return not old_rate and bool(tax) and old.amount + tax == new.amount


def _items_of_another_tax(
    old: Mapping[str, Line],
    new: Mapping[str, Line],
    sales: Sequence[Sale],
    amounts: LineAmountTypes,
    organisation: Organisation,
) -> frozenset[str]:
    """Return the items with a line whose tax, as Amazon states it by now, the rate that is booked does not explain."""
    stated = frozenset().union(*(sale.taxed_as_stated for sale in sales))
    return frozenset(
        _item_id(origin)
        for origin, line in new.items()
        if origin in old
        and _item_id(origin) in stated
        and _has_another_rate(old[origin], line, organisation)
        and not is_rounding(
            tax_of(line, amounts, organisation),
            [TaxedPrice(line.amount, percentage(old[origin].tax_type, organisation), max(line.quantity, 1))],
            amounts,
            sales[0].currency,
            is_share=True,
        )
    )


def _has_another_rate(old: Line, new: Line, organisation: Organisation) -> bool:
    return percentage(old.tax_type, organisation) != percentage(new.tax_type, organisation)


def _item_id(origin: str) -> str:
    return origin.partition(":")[0]


def lines_by_origin(lines: Iterable[Line], amounts: LineAmountTypes, organisation: Organisation) -> Mapping[str, Line]:
    """Return what is left of each origin, on the account of the first line: at the tax type that has not been credited.

    Lines that were credited and entered again at another rate, on another account or under other tracking, are no
    longer there.
    """
    by_terms: dict[tuple[str, Terms], Line] = {}
    for line in lines:
        if not line.is_rounding:
            key = line.origin, all_terms(line)
            first = by_terms.get(key)
            by_terms[key] = added_lines(first, line, amounts, organisation) if first and first.amount else line
    together: dict[tuple[str, str], Line] = {}
    for line in by_terms.values():
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
