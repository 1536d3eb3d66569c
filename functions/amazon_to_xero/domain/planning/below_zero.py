"""Sales whose discounts exceed their prices: no invoice states them.

An invoice states what the customer owes, and a credit note would say that the customer got money back, which no refund
has paid. Either Amazon's amounts are wrong, or a discount on one item is meant for several.

A shipment below zero is not netted with the others of its order: their invoices may be paid by then, and Amazon does
not say which of them it reduces. So a person decides.
"""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, money_text, total


def check_not_below_zero(amount: Decimal, sold: Order, whole: Order) -> None:
    """Raise Failure with SALE_BELOW_ZERO for a sale of less than nothing.

    amount: of the sale, in the order's currency.
    sold: what the sale is of: the whole order, or the share of one shipment.
    """
    if amount >= ZERO:
        return
    discounts = total(total(item.discounts.values()) for item in sold.items)
    prices = (sold.grand_total or ZERO) - discounts
    is_share = sold.items != whole.items
    name = f"A shipment of order {whole.order_id}" if is_share else f"Order {whole.order_id}"
    of_order = f" The whole order is {_text(whole.grand_total or ZERO, whole)}." if is_share else ""
    raise Failure(
        FailureCode.SALE_BELOW_ZERO,
        f"{name} is {_text(amount, whole)}: prices of {_text(prices, whole)} less discounts of "
        f"{_text(-discounts, whole)}.{of_order} Check it in Seller Central and enter the whole order in Xero manually, "
        "then take it off the list with correct --skip, which takes back its invoices so far.",
    )


def _text(amount: Decimal, order: Order) -> str:
    return money_text(amount, order.currency or "")
