"""From an Amazon order to the sales that should stand in Xero.

A sale shows what the buyer paid the seller: item, shipping, gift wrap, fees and tip, less discounts. Tax that the
marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.order import NOT_YET_PRICED, Charge, Fulfilment, Order, OrderItem
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, goods_line, single_line
from amazon_to_xero.domain.books.matching import REFERENCE_MARK
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.planning.shares import share_of, tracking_of
from amazon_to_xero.domain.tax.liability import marketplace_collected_tax, seller_total
from amazon_to_xero.domain.tax.rounding import add_rounding_line
from amazon_to_xero.domain.tax.rules import tax_treatment
from amazon_to_xero.domain.tax.variance import TaxVariance, tax_variances

REFERENCE_LIMIT = 255  # Xero: Invoice.Reference
CHARGE_NAMES: Mapping[Charge, str] = {
    Charge.ITEM: "",
    Charge.SHIPPING: "Shipping",
    Charge.GIFT_WRAP: "Gift wrap",
    Charge.COD_FEE: "Cash-on-delivery fee",
    Charge.OTHER: "Other charge",
    Charge.DELIVERY_TIP: "Delivery tip",
}


@dataclass(frozen=True)
class NotInvoiced:
    """Nothing to book, by rule."""

    reason: str


@dataclass(frozen=True)
class NotPriced:
    """Amazon has not said enough yet; to be read again."""

    reason: str


@dataclass(frozen=True)
class Sale:
    """What the books should hold of an order, or of one of its shipments, in the order's currency.

    A sale is approved once it has shipped; until then it is a draft dated on the day of the order.
    """

    lines: tuple[Line, ...]
    amounts: LineAmountTypes
    total: Decimal
    booked_on: date
    currency: str
    reference: str
    approved: bool
    tax_variances: tuple[TaxVariance, ...] = ()


def sales(
    order: Order, shipments: Sequence[Shipment], policy: PostingPolicy, organisation: Organisation
) -> list[Sale] | NotInvoiced | NotPriced:
    """One sale for the order, or one for each shipment by policy; or why there is none.

    `shipments` are those recorded so far; the first one dates the sale, whatever packages come later. Raises Failure
    for an order that needs a person: unknown marketplace, unmapped tax, amounts that do not add up.
    """
    nothing = nothing_to_invoice(order, policy)
    if nothing is not None:
        return nothing
    check_marketplace(order, policy)
    if order.grand_total is None or order.currency is None:
        return NotPriced(WaitReason.PROCEEDS_MISSING)
    if order.grand_total == 0:
        return NotInvoiced(NotInvoicedReason.ZERO_VALUE)
    organisation.require_currency(order.currency)
    if shipments and policy.invoice_per is InvoicePer.SHIPMENT:
        shares = [(share_of(order, shipments, number), shipment) for number, shipment in enumerate(shipments)]
        # A shipment of what costs nothing is no sale; its place in the list stays, so that the numbers of others do.
        return [_sale(part, shipment, tracking_of(order, shipment), policy, organisation) for part, shipment in shares]
    return [_sale(order, shipments[0] if shipments else None, tracking_of(order), policy, organisation)]


def is_booked(marketplace_id: str, policy: PostingPolicy) -> bool:
    """Whether the settings book orders of that marketplace."""
    return marketplace_id in policy.marketplaces and marketplace_id in MARKETPLACES


def check_marketplace(order: Order, policy: PostingPolicy) -> None:
    """Raises Failure for an order of a marketplace that the settings do not book."""
    if not is_booked(order.marketplace_id, policy):
        raise Failure(
            FailureCode.UNKNOWN_MARKETPLACE,
            f"marketplace {order.marketplace_id or '(none)'} is not among amazon.marketplaces "
            "in the connection's settings; add it with its accounts and tax rules, then redrive",
        )


def nothing_to_invoice(order: Order, policy: PostingPolicy) -> NotInvoiced | None:
    """By which rule an order is never a sale, as far as it can be told without its amounts."""
    if order.created < policy.start:
        return NotInvoiced(NotInvoicedReason.BEFORE_START)
    if not order.sold_on_amazon:
        return NotInvoiced(NotInvoicedReason.MULTI_CHANNEL)
    if order.status in NOT_YET_PRICED:
        return NotInvoiced(NotInvoicedReason.ORDER_PENDING)
    if order.status is Fulfilment.CANCELLED:
        return NotInvoiced(NotInvoicedReason.ORDER_CANCELLED)
    if order.status is Fulfilment.UNFULFILLABLE:
        return NotInvoiced(NotInvoicedReason.UNFULFILLABLE)
    if order.replaces and not order.grand_total:
        return NotInvoiced(NotInvoicedReason.REPLACEMENT)
    return None


def _sale(
    order: Order, shipment: Shipment | None, tracking: str, policy: PostingPolicy, organisation: Organisation
) -> Sale:
    taxes = tax_treatment(order, policy.tax, organisation)
    lines = [line for item in order.items for line in _item_lines(item, taxes.tax_types[item.item_id], policy)]
    if order.tip:
        # The tip belongs to no item; it goes with the order's first one. Where tax comes on top, Amazon adds none here.
        on_top = taxes.amounts is LineAmountTypes.EXCLUSIVE
        tax_type = policy.tax.rounding_tax_type if on_top else taxes.tax_types[order.items[0].item_id]
        name, account = CHARGE_NAMES[Charge.DELIVERY_TIP], _account(Charge.DELIVERY_TIP, policy)
        tip = single_line(name, order.tip, account, tax_type)
        lines.append(replace(tip, origin=Charge.DELIVERY_TIP))
    expected = seller_total(order)
    named = f"{MARKETPLACES[order.marketplace_id].name} {order.order_id}"
    return Sale(
        lines=tuple(add_rounding_line(expected, lines, taxes.amounts, policy.tax, organisation)),
        amounts=taxes.amounts,
        total=expected,
        booked_on=organisation.local_date(shipment.shipped_at if shipment else order.created),
        currency=order.currency or "",
        reference=f"{named}{REFERENCE_MARK}{tracking}"[:REFERENCE_LIMIT] if tracking else named,
        approved=shipment is not None,
        tax_variances=tax_variances(order, taxes, organisation),
    )


def _item_lines(item: OrderItem, tax_type: str, policy: PostingPolicy) -> Iterable[Line]:
    """Charges first, then the discounts, each with the item's tax rate and in Xero's order of reading."""
    inside = marketplace_collected_tax(item)
    name = f"{item.title} ({item.sku})" if item.title and item.sku else item.title or item.sku or item.item_id
    for charge, value in item.charges.items():
        net = value - inside.get(charge.value, ZERO)
        if net:
            account = _account(charge, policy)
            if charge is Charge.ITEM:
                line = goods_line(name, item.quantity, net, account, tax_type)
            else:
                line = single_line(f"{CHARGE_NAMES[charge]}: {name}", net, account, tax_type)
            yield replace(line, origin=f"{item.item_id}:{charge}")
    for charge, value in item.discounts.items():
        net = value - (inside.get("DISCOUNT", ZERO) if charge is next(iter(item.discounts)) else ZERO)
        if net:
            what = "Discount" if charge is Charge.ITEM else f"{CHARGE_NAMES[charge]} discount"
            line = single_line(f"{what}: {name}", net, policy.accounts.discounts, tax_type)
            yield replace(line, origin=f"{item.item_id}:DISCOUNT:{charge}")


def _account(charge: Charge, policy: PostingPolicy) -> str:
    code = policy.accounts.charges.get(charge)
    if not code:
        raise Failure(
            FailureCode.ACCOUNT_UNMAPPED,
            f"no account for {charge.value}; set accounts.{charge.value.lower()} "
            "in the connection's settings, then redrive",
        )
    return code
