"""A refund after a person's corrections: its lines at the terms that the person has stated, on the stated day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import CorrectionKind, Corrections, tax_type_for, unusable, value_for
from amazon_to_xero.domain.planning.corrected_sale import check_against
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale, SoldLine
from amazon_to_xero.domain.planning.stated_lines import stated_lines


def corrected_refund_day(corrections: Corrections) -> date | None:
    """Return the day that a person has stated for the refund, None where it is Amazon's."""
    day = corrections.latest(CorrectionKind.DATE)
    return date.fromisoformat(day.value) if day is not None else None


def corrected_refunded_sale(sale: RefundedSale, corrections: Corrections, organisation: Organisation) -> RefundedSale:
    """Return the sale as the refund takes it back. Raises Failure with CORRECTION_UNUSABLE.

    The documents of the sale stay as they are: a credit note may be on another account, or at another tax type.
    """
    accounts, tax_types = (corrections.by_line(kind) for kind in (CorrectionKind.ACCOUNT, CorrectionKind.TAX_TYPE))
    stated = stated_lines(corrections)
    lines = {name for sold in sale.lines for name in (sold.line.origin, sold.item_id, "")}
    for each in corrections.in_force:
        if each.line not in lines:
            raise unusable(each, f"the sale has no such line; its lines are {', '.join(sorted(lines - {''}))}")
        check_against(organisation, each)

    def corrected(sold: SoldLine) -> SoldLine:
        origin = sold.line.origin
        account = value_for(origin, accounts) or sold.line.account
        tax_type = tax_type_for(origin, tax_types) or sold.line.tax_type
        is_same_tax = tax_type == sold.line.tax_type
        tax = sold.line.tax if is_same_tax else None
        return replace(sold, line=stated.of(replace(sold.line, account=account, tax_type=tax_type, tax=tax)))

    return replace(sale, lines=tuple(corrected(sold) for sold in sale.lines)) if corrections.in_force else sale
