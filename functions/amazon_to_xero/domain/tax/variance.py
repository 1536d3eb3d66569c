"""Which of the organisation's tax rates an order's items take, and what Xero will compute from it.

Tax that the marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.money import CENT, cents, total
from amazon_to_xero.domain.tax.liability import Party, responsible_party
from amazon_to_xero.domain.tax.rounding import _rate, _tax_of_line
from amazon_to_xero.domain.tax.rules import TaxTreatment, effective_rate


@dataclass(frozen=True)
class TaxVariance:
    """An item whose tax Xero computes otherwise than Amazon did. Rates in percent, taxes in the order's currency.

    `effective_rate` is Amazon's, to two decimals; None where the item's net price is zero.
    """

    item_id: str
    tax_type: str
    rate: Decimal
    effective_rate: Decimal | None
    tax_in_xero: Decimal
    tax_at_amazon: Decimal


def tax_variances(order: Order, taxes: TaxTreatment, organisation: Organisation) -> tuple[TaxVariance, ...]:
    """Items of which Amazon gives the seller's tax and Xero will compute another, by more than a cent per line.

    With tax-inclusive amounts the total is right all the same: only here does it show that the rate is another one.
    """
    found = []
    for item in order.items:
        if responsible_party(item) is Party.SELLER and item.tax:
            tax_type = taxes.tax_types[item.item_id]
            rate = _rate(tax_type, organisation)
            prices = [price for price in (*item.charges.values(), *item.discounts.values()) if price]
            in_xero = total(_tax_of_line(cents(price), rate, taxes.amounts) for price in prices)
            if abs(in_xero - item.tax) > CENT * len(prices):
                found.append(TaxVariance(item.item_id, tax_type, rate, effective_rate(item), in_xero, item.tax))
    return tuple(found)
