"""From an Amazon order to the sales invoice and the customer that should stand in Xero.

The invoice shows what the buyer paid the seller: item, shipping, gift wrap, fees and tip, less discounts. Tax that the
marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from amazon_to_xero.domain.documents import Desired, Kind
from amazon_to_xero.domain.lines import Line, goods_line, single_line
from amazon_to_xero.domain.marketplaces import MARKETPLACES
from amazon_to_xero.domain.money import ZERO, one_spelling
from amazon_to_xero.domain.orders import (
    NOT_YET_PRICED,
    SHIPPED_AT_LEAST_IN_PART,
    Charge,
    Fulfilment,
    Order,
    OrderItem,
)
from amazon_to_xero.domain.organisation import Organisation
from amazon_to_xero.domain.policy import PostingPolicy
from amazon_to_xero.domain.reasons import Refused
from amazon_to_xero.domain.tax import rounded_to, sellers_total, treatment, withheld_inside

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
class NotYet:
    """Amazon has not said enough yet; to be read again."""

    reason: str


def invoice_number(order_id: str, policy: PostingPolicy) -> str:
    return f"{policy.invoice_prefix}{order_id}"


def customer(marketplace_id: str, policy: PostingPolicy) -> Desired:
    """The one customer that stands for all buyers of a marketplace."""
    name = policy.contact_names.get(marketplace_id) or f"{MARKETPLACES[marketplace_id].name} customers"
    number = f"AMAZON-{marketplace_id}"
    return Desired(Kind.CONTACT, number, {"Name": name, "ContactNumber": number})


def sale(
    order: Order,
    policy: PostingPolicy,
    organisation: Organisation,
    first_seen_shipped: datetime | None,
    number: str = "",
) -> list[Desired] | NotInvoiced | NotYet:
    """The documents that should stand in Xero for an order, the customer first; or why there are none.

    `first_seen_shipped` dates the shipment: an invoice that is approved keeps its date, whatever packages come later.
    `number` is the invoice's where it has one already: it keeps it when the settings' prefix changes. Raises Refused
    for an order that needs a person: unknown marketplace, unmapped tax, amounts that do not add up.
    """
    nothing = _nothing_to_invoice(order, policy)
    if nothing is not None:
        return nothing
    if order.marketplace_id not in policy.marketplaces or order.marketplace_id not in MARKETPLACES:
        raise Refused(
            "UNKNOWN_MARKETPLACE",
            f"marketplace {order.marketplace_id or '(none)'} is not among amazon.marketplaces "
            "in the connection's settings; add it with its accounts and tax rules, then redrive",
        )
    if order.grand_total is None or order.currency is None:
        return NotYet("PROCEEDS_MISSING")
    if order.grand_total == 0:
        return NotInvoiced("ZERO_VALUE")
    organisation.require_currency(order.currency)
    contact = customer(order.marketplace_id, policy)
    number = number or invoice_number(order.order_id, policy)
    invoice = _invoice(order, policy, organisation, contact, first_seen_shipped, number)
    payment = _payment(invoice, policy, organisation)
    return [contact, invoice, payment] if payment else [contact, invoice]


def _nothing_to_invoice(order: Order, policy: PostingPolicy) -> NotInvoiced | None:
    if order.created < policy.start:
        return NotInvoiced("BEFORE_START")
    if not order.sold_on_amazon:
        return NotInvoiced("MULTI_CHANNEL")
    if order.status in NOT_YET_PRICED:
        return NotInvoiced("ORDER_PENDING")
    if order.status is Fulfilment.CANCELLED:
        return NotInvoiced("ORDER_CANCELLED")
    if order.status is Fulfilment.UNFULFILLABLE:
        return NotInvoiced("UNFULFILLABLE")
    if order.replaces and not order.grand_total:
        return NotInvoiced("REPLACEMENT")
    return None


def _invoice(
    order: Order,
    policy: PostingPolicy,
    organisation: Organisation,
    contact: Desired,
    first_seen_shipped: datetime | None,
    number: str,
) -> Desired:
    shipped = order.status in SHIPPED_AT_LEAST_IN_PART
    taxes = treatment(order, policy.tax, organisation)
    lines = [line for item in order.items for line in _item_lines(item, taxes.tax_types[item.item_id], policy)]
    if order.tip:
        # The tip belongs to no item; it goes with the order's first one.
        name, account = CHARGE_NAMES[Charge.DELIVERY_TIP], _account(Charge.DELIVERY_TIP, policy)
        lines.append(single_line(name, order.tip, account, taxes.tax_types[order.items[0].item_id]))
    expected = sellers_total(order)
    lines = rounded_to(expected, lines, taxes.amounts, policy.tax, organisation)
    booked_on = organisation.local_date(
        (first_seen_shipped or order.shipped_at or order.updated) if shipped else order.created
    ).isoformat()
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Reference": f"{MARKETPLACES[order.marketplace_id].name} {order.order_id}",
        "Date": booked_on,
        "DueDate": booked_on,
        "CurrencyCode": order.currency,
        "LineAmountTypes": taxes.amounts.value,
        "Status": "AUTHORISED" if shipped else "DRAFT",
        "LineItems": [line.in_xero() for line in lines],
    }
    return Desired(
        Kind.INVOICE,
        number,
        body,
        version=order.updated,
        total=expected,
        refers={"Contact.ContactID": contact.key},
        order_id=order.order_id,
    )


def _payment(invoice: Desired, policy: PostingPolicy, organisation: Organisation) -> Desired | None:
    """An approved invoice is paid from clearing on its own day: the clearing account then shows what Amazon owes."""
    currency = invoice.body["CurrencyCode"]
    clearing = policy.accounts.clearing.get(currency)
    if not clearing or invoice.body["Status"] != "AUTHORISED" or invoice.total is None:
        return None
    organisation.require_clearing(clearing, currency)
    body = {
        "Account": {"Code": clearing},
        "Date": invoice.body["Date"],
        "Amount": one_spelling(invoice.total),
        "Reference": invoice.body["Reference"],
    }
    return Desired(
        Kind.PAYMENT,
        invoice.number,
        body,
        version=invoice.version,
        refers={"Invoice.InvoiceID": invoice.key},
        order_id=invoice.order_id,
    )


def _item_lines(item: OrderItem, tax_type: str, policy: PostingPolicy) -> Iterable[Line]:
    """Charges first, then the discounts, each with the item's tax rate and in Xero's order of reading."""
    inside = withheld_inside(item)
    name = f"{item.title} ({item.sku})" if item.title and item.sku else item.title or item.sku or item.item_id
    for charge, value in item.charges.items():
        net = value - inside.get(charge.value, ZERO)
        if net:
            account = _account(charge, policy)
            if charge is Charge.ITEM:
                yield goods_line(name, item.quantity, net, account, tax_type)
            else:
                yield single_line(f"{CHARGE_NAMES[charge]}: {name}", net, account, tax_type)
    for charge, value in item.discounts.items():
        net = value - (inside.get("DISCOUNT", ZERO) if charge is next(iter(item.discounts)) else ZERO)
        if net:
            what = "Discount" if charge is Charge.ITEM else f"{CHARGE_NAMES[charge]} discount"
            yield single_line(f"{what}: {name}", net, policy.accounts.discounts, tax_type)


def _account(charge: Charge, policy: PostingPolicy) -> str:
    code = policy.accounts.charges.get(charge)
    if not code:
        raise Refused(
            "ACCOUNT_UNMAPPED",
            f"no account for {charge.value}; set accounts.{charge.value.lower()} "
            "in the connection's settings, then redrive",
        )
    return code
