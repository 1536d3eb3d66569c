"""Where Xero computes another tax on an item than Amazon charged, although the totals may agree."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.money import CENT, cents, total
from amazon_to_xero.domain.tax.rate_matching import effective_rate
from amazon_to_xero.domain.tax.rounding import line_tax, percentage
from amazon_to_xero.domain.tax.rules import TaxTreatment


@dataclass(frozen=True)
class TaxVariance:
    """An item for which Xero computes another tax than Amazon charged.

    item_id: Amazon's orderItemId.
    tax_type: Xero's TaxType of the item's lines.
    rate: the percentage of that tax type.
    effective_rate: Amazon's tax in percent of the net price, to two decimals; None where that price is zero.
    tax_in_xero, tax_at_amazon: the two taxes on the item, in the order's currency.
    """

    item_id: str
    tax_type: str
    rate: Decimal
    effective_rate: Decimal | None
    tax_in_xero: Decimal
    tax_at_amazon: Decimal


def tax_variances(order: Order, taxes: TaxTreatment, organisation: Organisation) -> tuple[TaxVariance, ...]:
    """Return the items whose tax the seller owes and Xero computes otherwise, by more than a cent per line.

    With tax-inclusive amounts the totals agree whatever the rate is, so nothing else shows that the rate is wrong.
    """
    variances = []
    for item in order.items:
        if item.item_id not in taxes.collected and item.tax_stated:
            tax_type = taxes.tax_types[item.item_id]
            rate = percentage(tax_type, organisation)
            prices = [price for price in (*item.charges.values(), *item.discounts.values()) if price]
            in_xero = total(line_tax(cents(price), rate, taxes.amounts) for price in prices)
            if abs(in_xero - item.tax) > CENT * len(prices):
                variances.append(TaxVariance(item.item_id, tax_type, rate, effective_rate(item), in_xero, item.tax))
    return tuple(variances)
