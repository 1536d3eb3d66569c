"""Where Xero computes another tax on an item than Amazon charged, although the totals may agree."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, Finding
from amazon_to_xero.domain.money import without_trailing_zeros
from amazon_to_xero.domain.tax.rate_matching import effective_rate
from amazon_to_xero.domain.tax.rounding import percentage
from amazon_to_xero.domain.tax.rules import TaxTreatment
from amazon_to_xero.domain.tax.stated_tax import is_rounding, tax_in_xero, taxed_prices


@dataclass(frozen=True)
class TaxVariance:
    """An item for which Xero computes another tax than Amazon charged.

    item_id: Amazon's orderItemId.
    tax_type: Xero's TaxType of the item.
    rate: the percentage of that tax type.
    effective_rate: Amazon's tax in percent of the net price, to two decimals; None where that price is zero.
    tax_in_xero, tax_at_amazon: the two taxes on the item, in the order's currency.
    currency: ISO code.
    """

    item_id: str
    tax_type: str
    rate: Decimal
    effective_rate: Decimal | None
    tax_in_xero: Decimal
    tax_at_amazon: Decimal
    currency: str

    @property
    def finding(self) -> Finding:
        """Return what a person has to check, with both amounts."""
        return Finding(
            FailureCode.TAX_VARIANCE,
            f"Check tax.rules and item {self.item_id}: Amazon charged {self.tax_at_amazon} {self.currency} tax "
            f"({self.effective_rate} %), Xero computes {self.tax_in_xero} {self.currency} with {self.tax_type} "
            f"({without_trailing_zeros(self.rate)} %).",
        )

    @property
    def failure(self) -> Failure:
        """Return the failure by which the order waits for a person."""
        return Failure(
            FailureCode.TAX_VARIANCE,
            f"{self.finding.remedy} Correct the rule and reprocess the order, or correct this order with --tax-type, "
            "or with --as-it-is to have it entered all the same. For all such orders set tax.when_different in the "
            "connection's settings to draft or book.",
        )


def tax_variances(
    order: Order, taxes: TaxTreatment, organisation: Organisation, *, is_share: bool = False
) -> tuple[TaxVariance, ...]:
    """Return the items whose tax the seller owes and that rounding does not explain. A stated 0.00 is a tax, too.

    With tax-inclusive amounts the totals agree whatever the rate is, so nothing else shows that the rate is wrong.

    is_share: the order is reduced to one of its shipments.
    """
    variances = []
    currency = order.currency or ""
    for item in order.items:
        prices = taxed_prices(item, taxes, organisation)
        if item.item_id in taxes.collected or not item.tax_stated:
            continue
        if not is_rounding(item.tax, prices, taxes.amounts, currency, is_share):
            tax_type = taxes.tax_types[item.item_id]
            rate, in_xero = percentage(tax_type, organisation), tax_in_xero(prices, taxes.amounts)
            variances.append(
                TaxVariance(item.item_id, tax_type, rate, effective_rate(item), in_xero, item.tax, currency)
            )
    return tuple(variances)
