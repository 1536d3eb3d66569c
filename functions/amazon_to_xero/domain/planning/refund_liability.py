"""Whose the tax of a refund is: the seller's or the marketplace's, as it was in the sale.

A refund of which the marketplace gives back the tax itself takes back a sale without that tax, and the other way round.
Where Amazon's transaction and the books disagree, either of them may be wrong, and a credit note would state VAT that
nobody owes, or give back VAT that the sale never had. So a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import CorrectionKind, Corrections, tax_type_for
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, money_text, total
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.refund import Refund, RefundPart
from amazon_to_xero.domain.planning.refund_lines import taken_back
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale, SoldLine
from amazon_to_xero.domain.tax.rounding import line_tax, percentage

# What is no part of the sale, so that its tax says nothing of the sale's.
_BEYOND_THE_SALE = frozenset({AmountKind.GOODWILL, AmountKind.RESTOCKING, AmountKind.RETURN_SHIPPING})


def check_liability(
    refund: Refund,
    source: str,
    sale: RefundedSale,
    corrections: Corrections,
    policy: PostingPolicy,
    organisation: Organisation,
) -> None:
    """Raise Failure with REFUND_LIABILITY_DIFFERS where a tax is one party's in the refund and the other's in the sale.

    A cent for each part of an item is rounding. A tax type that a person has stated for the refund is their decision.

    source: key of the refund's transaction, for the person.
    sale: after the corrections of the refund.
    """
    decided = corrections.by_line(CorrectionKind.TAX_TYPE)
    lines: dict[str, list[tuple[RefundPart, SoldLine]]] = {}
    for part, line in taken_back(refund, sale, policy, organisation):
        if not tax_type_for(line.line.origin, decided):
            lines.setdefault(part.sku, []).append((part, line))
    for sku, of_item in lines.items():
        problem = _problem(refund, sku, of_item, sale, organisation)
        if problem:
            raise Failure(
                FailureCode.REFUND_LIABILITY_DIFFERS,
                f"Refund {source}{f', SKU {sku}' if sku else ''}: {problem} with --tax-type, then reprocess {source}; "
                "otherwise enter the credit note in Xero manually, then take it off the list with correct --skip.",
            )


def check_split(
    refund: Refund, source: str, sale: RefundedSale, policy: PostingPolicy, organisation: Organisation
) -> None:
    """Raise Failure with MARKETPLACE_TAX_DIFFERS where the marketplace gives back a part and the sale explains no rest.

    The rest is the seller's where the tax was added to the price, at the rates that the sale is booked at.
    """
    for sku, withheld in refund.withheld_in_part.items():
        parts = [part for part in refund.parts if part.sku == sku]
        own = total(part.tax for part in parts)
        by_sale = _tax_by_sale(refund, sku, sale, policy, organisation)
        if not by_sale or abs(own - by_sale) > sale.unit * len(parts):
            raise Failure(
                FailureCode.MARKETPLACE_TAX_DIFFERS,
                f"Refund {source}{f', SKU {sku}' if sku else ''}: the buyer got {_money(own + withheld, sale)} tax "
                f"back, the marketplace withholds {_money(withheld, sale)}. The rates of the sale do not explain the "
                f"rest of {_money(own, sale)}: they give {_money(by_sale, sale)}. Compare the transaction in Seller "
                "Central and enter the refund in Xero manually.",
            )


def _tax_by_sale(
    refund: Refund, sku: str, sale: RefundedSale, policy: PostingPolicy, organisation: Organisation
) -> Decimal:
    """Return the tax on an item's parts at the rates of the lines that they take back; 0 where prices include it."""
    if sale.amounts is not LineAmountTypes.EXCLUSIVE:
        return ZERO
    rates: dict[RefundPart, set[Decimal]] = {}
    for part, line in taken_back(refund, sale, policy, organisation):
        if part.sku == sku:
            rates.setdefault(part, set()).add(percentage(line.line.tax_type, organisation))
    is_taxed_beyond = any(part.kind in _BEYOND_THE_SALE and part.tax for part in rates)
    if is_taxed_beyond or any(len(each) > 1 for each in rates.values()):
        return ZERO  # which part of it is taxed at which rate is not stated
    of_sale = ((part.net, max(each)) for part, each in rates.items() if part.kind not in _BEYOND_THE_SALE)
    return total(line_tax(net, rate, LineAmountTypes.EXCLUSIVE) for net, rate in of_sale)


def _problem(
    refund: Refund,
    sku: str,
    lines: Sequence[tuple[RefundPart, SoldLine]],
    sale: RefundedSale,
    organisation: Organisation,
) -> str:
    """Return both amounts of an item whose tax is another party's in the sale, and what to correct; empty for none."""
    parts = [part for part in refund.parts if part.sku == sku]
    rounding = sale.unit * len(parts)
    paid_back = total(part.gross for part in parts)
    withheld = refund.withheld.get(sku, ZERO)
    if abs(withheld) > rounding and (tax_type := _taxed_as_sellers(lines, organisation)):
        return (
            f"the buyer got {_money(withheld, sale)} tax back that the marketplace gives back itself, so the seller "
            f"gives back {_money(paid_back, sale)}. The sale states that tax as the seller's, with {tax_type}; then it "
            f"is {_money(paid_back + withheld, sale)}. If the marketplace owes it, correct the order or this refund"
        )
    own = total(part.tax for part in parts if part.kind not in _BEYOND_THE_SALE)
    if abs(own) > rounding and any(_is_marketplaces(part, line, sale, organisation) for part, line in lines):
        return (
            f"the seller gives back {_money(paid_back, sale)} with {_money(own, sale)} tax, of which the marketplace "
            "gives back nothing. The sale leaves the tax out as the marketplace's; then it is "
            f"{_money(paid_back - own, sale)}. If the seller pays it back, correct this refund"
        )
    return ""


def _taxed_as_sellers(lines: Sequence[tuple[RefundPart, SoldLine]], organisation: Organisation) -> str:
    """Return the tax type of the first line that books a tax, which is always the seller's; empty for none."""
    tax_types = (line.line.tax_type for _, line in lines)
    return next((tax_type for tax_type in tax_types if percentage(tax_type, organisation)), "")


def _is_marketplaces(part: RefundPart, line: SoldLine, sale: RefundedSale, organisation: Organisation) -> bool:
    is_of_sale = part.kind not in _BEYOND_THE_SALE and not percentage(line.line.tax_type, organisation)
    return is_of_sale and line.item_id in sale.collected


def _money(amount: Decimal, sale: RefundedSale) -> str:
    return money_text(amount, sale.currency)
