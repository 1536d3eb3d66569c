"""Which of the organisation's tax rates an order's items take, and what Xero will compute from it.

Tax that the marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from amazon_to_xero.domain.books.line import Line, LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, cents, total, without_trailing_zeros
from amazon_to_xero.domain.tax.rules import TaxPolicy


def xero_total(lines: Iterable[Line], amounts: LineAmountTypes, organisation: Organisation) -> Decimal:
    """The total Xero will arrive at: each line and each line's tax rounded half up to cents (Xero: rounding guide)."""
    lines = tuple(lines)
    net = total(line.amount for line in lines)
    if amounts is not LineAmountTypes.EXCLUSIVE:
        return net
    return net + total(_tax_of_line(line.amount, _rate(line.tax_type, organisation), amounts) for line in lines)


def add_rounding_line(
    expected: Decimal, lines: Sequence[Line], amounts: LineAmountTypes, policy: TaxPolicy, organisation: Organisation
) -> list[Line]:
    """The lines, and one to the rounding account where Xero would arrive at another total than Amazon by cents.

    Raises Failure with TAX_DIFFERS where it is more than the limit, with TOO_MANY_DECIMALS where no lines can help.
    """
    if cents(expected) != expected:
        raise Failure(
            FailureCode.TOO_MANY_DECIMALS,
            f"the total {expected} has more than the two decimals that Xero keeps; book the order by hand",
        )
    difference = expected - xero_total(lines, amounts, organisation)
    return [*lines, _rounding_line(difference, expected, policy, organisation)] if difference else list(lines)


def check_rounding(policy: TaxPolicy, organisation: Organisation) -> None:
    """Raises Failure where the tax type of rounding lines would put tax on them."""
    if policy.rounding_tax_type != "NONE" and organisation.usable_rate(policy.rounding_tax_type):
        raise Failure(
            FailureCode.ROUNDING_TAXED,
            f"tax.rounding_tax_type {policy.rounding_tax_type} has a rate above zero; "
            "name one without tax in the connection's settings, then redrive",
        )


def _tax_of_line(line_amount: Decimal, rate: Decimal, amounts: LineAmountTypes) -> Decimal:
    """What Xero computes as the tax of a line."""
    if amounts is LineAmountTypes.NO_TAX:
        return ZERO
    return cents(line_amount * rate / (100 + rate if amounts is LineAmountTypes.INCLUSIVE else 100))


def _rate(tax_type: str, organisation: Organisation) -> Decimal:
    rate = organisation.tax_rates.get(tax_type)
    return rate.rate if rate else ZERO


def _rounding_line(difference: Decimal, expected: Decimal, policy: TaxPolicy, organisation: Organisation) -> Line:
    account = organisation.rounding_account()
    if abs(difference) > policy.rounding_limit or account is None:
        raise Failure(
            FailureCode.TAX_DIFFERS,
            f"Amazon's total is {expected}, Xero would arrive at {expected - difference}; "
            "check the rate of the tax type in tax.rules of the connection's settings, then redrive",
        )
    check_rounding(policy, organisation)
    return Line("Rounding", 1, without_trailing_zeros(difference), account.code, policy.rounding_tax_type)
