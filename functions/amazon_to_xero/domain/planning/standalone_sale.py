"""The sale of a refund whose order is not entered here: what the settings would book the same goods as today.

Its order was placed before the connection's start, or Amazon no longer returns it. The refund's credit note then stands
for itself: no invoice is reduced by it, and it is refunded out of clearing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order import Charge, Fulfilment, Order, OrderItem, TaxCollection
from amazon_to_xero.domain.amazon.transaction import Transaction
from amazon_to_xero.domain.books.contact import Customer, marketplace_customer
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, NotInvoicedReason
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.refund import Refund
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale, SoldLine
from amazon_to_xero.domain.planning.sale import check_marketplace, item_lines, nothing_to_invoice, sale_reference
from amazon_to_xero.domain.tax.rules import TaxTreatment, tax_treatment

# Rules by which an order has no sale wherever it is entered. Of any other order money can come back.
_NEVER_SOLD = frozenset(
    {
        NotInvoicedReason.MULTI_CHANNEL,
        NotInvoicedReason.IGNORED_MARKETPLACE,
        NotInvoicedReason.REPLACEMENT,
        NotInvoicedReason.ZERO_VALUE,
    }
)


def order_for(transaction: Transaction, order: Order | None, policy: PostingPolicy) -> Order:
    """Return the refund's order; where Amazon no longer returns it, what its transaction states of it.

    Raises Failure with UNKNOWN_MARKETPLACE where that names no marketplace and several could be meant.
    """
    if order is not None:
        return order
    return Order(
        order_id=transaction.order_id,
        created=transaction.posted_at,
        updated=transaction.posted_at,
        status=Fulfilment.SHIPPED,
        sold_on_amazon=True,
        marketplace_id=transaction.marketplace_id or _only_marketplace(transaction, policy),
        replaces=None,
        currency=transaction.currency,
        grand_total=None,
        tip=ZERO,
        ship_to_country="",
        ship_to_region="",
        packages=(),
        items=(),
    )


def is_never_sold(order: Order, policy: PostingPolicy) -> bool:
    """Whether a rule other than the connection's start says that the order has no sale."""
    nothing = nothing_to_invoice(order, replace(policy, start=order.created))
    return nothing is not None and nothing.reason in _NEVER_SOLD


def standalone_customer(order: Order, policy: PostingPolicy) -> Customer:
    """Return the customer of the credit note: the marketplace's, because buyers of such orders are not recorded."""
    return marketplace_customer(order.marketplace_id, policy.contacts)


def standalone_sale(
    transaction: Transaction, refund: Refund, order: Order, policy: PostingPolicy, organisation: Organisation
) -> RefundedSale:
    """Return the sale that the refund takes back, by the settings. Raises Failure where they do not cover it."""
    check_marketplace(order, policy)
    organisation.require_currency(transaction.currency)
    skus = dict.fromkeys(part.sku for part in refund.parts)
    if not skus.keys() <= {item.sku for item in order.items if item.charges} | {""} or not order.items:
        # Amazon states no amounts any more, e.g. of a cancelled order: then the refund says what was sold.
        order = replace(order, items=tuple(_item(sku, transaction, refund) for sku in skus))
    taxes = tax_treatment(order, policy.tax, organisation)
    return RefundedSale(
        currency=transaction.currency,
        amounts=taxes.amounts,
        reference=sale_reference(order),
        contact_number=standalone_customer(order, policy).number,
        lines=tuple(_sold_lines(order, taxes, policy)),
        order=order,
        collected=taxes.collected,
    )


def _sold_lines(order: Order, taxes: TaxTreatment, policy: PostingPolicy) -> Iterable[SoldLine]:
    for item in order.items:
        for line in item_lines(order, item, taxes, policy):
            yield SoldLine(line, item.sku, line.origin.partition(":")[2], line.amount)


def _item(sku: str, transaction: Transaction, refund: Refund) -> OrderItem:
    """Return the item as far as its refund shows it. Its amounts only matter for what rules ask: is there tax?"""
    parts = [part for part in refund.parts if part.sku == sku]
    kinds = {each.type.kind for each in transaction.amounts if each.sku == sku}
    tax = -total(each.amount for each in transaction.amounts if each.sku == sku and _is_buyers_tax(each.type))
    is_collected = AmountKind.MARKETPLACE_TAX in kinds
    value = total(abs(part.net) + abs(part.tax) for part in parts)
    return OrderItem(
        item_id=sku or transaction.order_id,
        sku=sku,
        title="" if sku else f"Order {transaction.order_id}",
        quantity=1,
        total=value,
        charges={Charge.ITEM: value},
        discounts={},
        taxes={},
        tax=tax,
        tax_exclusive=False,
        tax_stated=bool(tax) or is_collected,
        collections=(TaxCollection(model="MARKETPLACE_FACILITATOR"),) if is_collected else (),
    )


def _is_buyers_tax(amount_type: AmountType) -> bool:
    return amount_type.is_tax and amount_type.kind is not AmountKind.MARKETPLACE_TAX


def _only_marketplace(transaction: Transaction, policy: PostingPolicy) -> str:
    """Return the one marketplace of the settings whose currency the transaction has."""
    fitting = [
        each
        for each in sorted(policy.marketplaces)
        if each in MARKETPLACES and MARKETPLACES[each].currency == transaction.currency
    ]
    if len(fitting) == 1:
        return fitting[0]
    raise Failure(
        FailureCode.UNKNOWN_MARKETPLACE,
        f"Amazon names no marketplace for refund {transaction.transaction_id} in {transaction.currency}, and "
        f"{len(fitting)} of amazon.marketplaces have that currency. Enter the credit note in Xero manually.",
    )
