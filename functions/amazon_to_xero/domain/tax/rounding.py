"""The tax and totals that Xero computes from lines, and the line that makes up for its rounding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from amazon_to_xero.domain.books.line import Line, LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, cents, total, without_trailing_zeros
from amazon_to_xero.domain.tax.rules import TaxPolicy


def add_rounding_line(
    expected: Decimal, lines: Sequence[Line], amounts: LineAmountTypes, policy: TaxPolicy, organisation: Organisation
) -> list[Line]:
    """Return the lines, and a rounding line where Xero would compute another total than the expected one of Amazon.

    Raises Failure with TAX_DIFFERS where the totals differ by more than the rounding limit, with TOO_MANY_DECIMALS
    where Xero cannot hold the expected total.
    """
    if cents(expected) != expected:
        raise Failure(
            FailureCode.TOO_MANY_DECIMALS,
            f"Amazon's total {expected} has more than the two decimals that Xero keeps. "
            "Enter the order in Xero manually.",
        )
    difference = expected - xero_total(lines, amounts, organisation)
    return [*lines, _rounding_line(difference, expected, policy, organisation)] if difference else list(lines)


def xero_total(lines: Iterable[Line], amounts: LineAmountTypes, organisation: Organisation) -> Decimal:
    """Return the document total that Xero computes from the lines."""
    lines = tuple(lines)
    net = total(line.amount for line in lines)
    if amounts is not LineAmountTypes.EXCLUSIVE:
        return net
    return net + total(tax_of(line, amounts, organisation) for line in lines)


def tax_of(line: Line, amounts: LineAmountTypes, organisation: Organisation) -> Decimal:
    """Return the tax on a line in Xero: as the line states it, else as Xero computes it."""
    if line.tax is not None:
        return line.tax
    return line_tax(line.amount, percentage(line.tax_type, organisation), amounts)


def line_tax(line_amount: Decimal, rate: Decimal, amounts: LineAmountTypes) -> Decimal:
    """Return the tax that Xero computes for a line: rounded half up to cents, line by line (Xero: rounding guide)."""
    if amounts is LineAmountTypes.NO_TAX:
        return ZERO
    return cents(line_amount * rate / (100 + rate if amounts is LineAmountTypes.INCLUSIVE else 100))


def percentage(tax_type: str, organisation: Organisation) -> Decimal:
    """Return the percentage of a tax type; 0 for Xero's own NONE, which the list of tax rates may not show."""
    rate = organisation.tax_rates.get(tax_type)
    return rate.rate if rate else ZERO


def check_rounding(policy: TaxPolicy, organisation: Organisation) -> None:
    """Raise Failure with ROUNDING_TAXED where the tax type of rounding lines would put tax on them."""
    if policy.rounding_tax_type != "NONE" and organisation.usable_rate(policy.rounding_tax_type):
        raise Failure(
            FailureCode.ROUNDING_TAXED,
            f"tax.rounding_tax_type {policy.rounding_tax_type} has a rate above zero. "
            "Set a tax type without tax in the connection's settings, then reprocess the order.",
        )


def _rounding_line(difference: Decimal, expected: Decimal, policy: TaxPolicy, organisation: Organisation) -> Line:
    account = organisation.rounding_account()
    is_more_than_rounding = abs(difference) > policy.rounding_limit
    if is_more_than_rounding or account is None:
        remedy = (
            "Check the rate of the tax type in tax.rules of the connection's settings"
            if is_more_than_rounding
            else "Restore Xero's system account ROUNDING"
        )
        raise Failure(
            FailureCode.TAX_DIFFERS,
            f"Amazon's total is {expected}, Xero would compute {expected - difference}. "
            f"{remedy}, then reprocess the order.",
        )
    check_rounding(policy, organisation)
    return Line("Rounding", 1, without_trailing_zeros(difference), account.code, policy.rounding_tax_type)
