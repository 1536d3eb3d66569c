"""From an Amazon order to the sales invoice and the customer that should stand in Xero.

The invoice shows what the buyer paid the seller: item, shipping, gift wrap, fees and tip, less discounts. Tax that the
marketplace collects and remits is neither the seller's income nor the seller's liability and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.contacts import marketplace_customer
from amazon_to_xero.domain.documents import Desired, Kind
from amazon_to_xero.domain.marketplaces import MARKETPLACES
from amazon_to_xero.domain.money import ZERO, cents, one_spelling, total
from amazon_to_xero.domain.orders import (
    NOT_YET_PRICED,
    SHIPPED_AT_LEAST_IN_PART,
    Charge,
    Fulfilment,
    Order,
    OrderItem,
)
from amazon_to_xero.domain.organisation import Organisation
from amazon_to_xero.domain.policy import Amounts, Party, PostingPolicy, TaxRule, responsible_party
from amazon_to_xero.domain.reasons import Refused

CHARGE_NAMES: Mapping[Charge, str] = {
    Charge.ITEM: "",
    Charge.SHIPPING: "Shipping",
    Charge.GIFT_WRAP: "Gift wrap",
    Charge.COD_FEE: "Cash-on-delivery fee",
    Charge.OTHER: "Other charge",
    Charge.DELIVERY_TIP: "Delivery tip",
}
DESCRIPTION_LIMIT = 4000  # Xero: LineItem.Description


@dataclass(frozen=True)
class NotInvoiced:
    """Nothing to book, by rule."""

    reason: str


@dataclass(frozen=True)
class NotYet:
    """Amazon has not said enough yet; to be read again."""

    reason: str


@dataclass(frozen=True)
class Line:
    """One invoice line: `quantity` x `unit` before Xero's rounding, in the document's currency."""

    description: str
    quantity: int
    unit: Decimal
    account: str
    tax_type: str

    @property
    def amount(self) -> Decimal:
        return cents(self.quantity * self.unit)

    def in_xero(self) -> dict[str, Any]:
        return {
            "Description": self.description,
            "Quantity": self.quantity,
            "UnitAmount": self.unit,
            "AccountCode": self.account,
            "TaxType": self.tax_type,
        }


def invoice_number(order_id: str, policy: PostingPolicy) -> str:
    return f"{policy.invoice_prefix}{order_id}"


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
    if order.currency not in organisation.currencies:
        raise Refused(
            "CURRENCY_NOT_SUBSCRIBED",
            f"the organisation does not use {order.currency}; add the currency in Xero, then redrive",
        )
    contact = marketplace_customer(order.marketplace_id, policy).desired(order.updated, order.order_id)
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
    rules = {item.item_id: policy.tax_rule(order, item) for item in order.items}
    amounts = _line_amount_types(order, rules)
    for item in order.items:
        _check_rate(rules[item.item_id], item, organisation)
    lines = [line for item in order.items for line in _item_lines(item, rules[item.item_id], policy)]
    if order.tip:
        # The tip belongs to no item; it goes with the order's first one.
        rule = rules[order.items[0].item_id]
        lines.append(_line(CHARGE_NAMES[Charge.DELIVERY_TIP], order.tip, _account(Charge.DELIVERY_TIP, policy), rule))
    expected = _amazon_total(order)
    booked = xero_total(lines, amounts, organisation)
    if booked != expected:
        lines.append(_rounding_line(expected - booked, expected, policy, organisation))
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
        "LineAmountTypes": amounts.value,
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
    account = organisation.accounts.get(clearing)
    usable = account is not None and account.active and account.takes_payments
    if account is None or not usable or account.currency not in (None, "", currency):
        raise Refused(
            "CLEARING_UNUSABLE",
            f"account {clearing} cannot take payments in {currency}; it should be an active bank account in {currency} "
            "or have payments enabled: correct it in Xero or accounts.clearing in the settings, then redrive",
        )
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


def _amazon_total(order: Order) -> Decimal:
    """What the seller sold: Amazon's grand total less the tax that the marketplace keeps for the state."""
    withheld = total(i.tax for i in order.items if responsible_party(i) is Party.MARKETPLACE)
    return (order.grand_total or ZERO) - withheld


def _line_amount_types(order: Order, rules: Mapping[str, TaxRule]) -> Amounts:
    """One invoice is either tax-inclusive or tax-exclusive; lines without tax go with both."""
    modes = {rule.amounts for rule in rules.values()} - {Amounts.NO_TAX}
    if len(modes) > 1:
        raise Refused(
            "TAX_MODE_CONFLICT",
            "the order's items match tax rules with inclusive and with exclusive amounts; "
            "make the rules agree in tax.rules of the connection's settings, then redrive",
        )
    for item in order.items:
        ours = responsible_party(item) is Party.SELLER
        if ours and item.tax_on_top and rules[item.item_id].amounts is not Amounts.EXCLUSIVE:
            raise Refused(
                "TAX_MODE_MISMATCH",
                f"item {item.item_id}: Amazon adds {item.tax} tax on top of the prices, the tax rule says "
                f"{rules[item.item_id].amounts.value}; correct tax.rules in the connection's settings, then redrive",
            )
    return modes.pop() if modes else Amounts.NO_TAX


def _check_rate(rule: TaxRule, item: OrderItem, organisation: Organisation) -> None:
    if rule.amounts is Amounts.NO_TAX and rule.tax_type == "NONE":
        return  # Xero's own "no tax" exists in every organisation, whether or not its list shows it
    rate = _usable_rate(rule.tax_type, organisation)
    if rate and responsible_party(item) is Party.MARKETPLACE:
        raise Refused(
            "TAX_NOT_THE_SELLERS",
            f"item {item.item_id}: the marketplace owes the tax, the tax rule books {rule.tax_type} with {rate} %; "
            "add a rule with responsible: marketplace before it in tax.rules, then redrive",
        )
    if rate and rule.amounts is Amounts.NO_TAX:
        raise Refused(
            "TAX_MODE_CONFLICT",
            f"a tax rule says amounts: none with {rule.tax_type}, which has {rate} %; "
            "say inclusive or exclusive in tax.rules of the connection's settings, then redrive",
        )


def _usable_rate(tax_type: str, organisation: Organisation) -> Decimal:
    rate = organisation.tax_rates.get(tax_type)
    if rate is None or not rate.active or not rate.on_revenue:
        raise Refused(
            "TAX_RATE_UNUSABLE",
            f"the organisation has no active tax rate {tax_type} usable on revenue; "
            "correct the tax settings of the connection or the rate in Xero, then redrive",
        )
    return rate.rate


def _item_lines(item: OrderItem, rule: TaxRule, policy: PostingPolicy) -> Iterable[Line]:
    """Charges first, then the discounts, each with the item's tax rate and in Xero's order of reading."""
    inside = _withheld_inside(item)
    name = f"{item.title} ({item.sku})" if item.title and item.sku else item.title or item.sku or item.item_id
    for charge, value in item.charges.items():
        net = value - inside.get(charge.value, ZERO)
        if net:
            account = _account(charge, policy)
            if charge is Charge.ITEM:
                yield _goods_line(name, item.quantity, net, account, rule)
            else:
                yield _line(f"{CHARGE_NAMES[charge]}: {name}", net, account, rule)
    for charge, value in item.discounts.items():
        net = value - (inside.get("DISCOUNT", ZERO) if charge is next(iter(item.discounts)) else ZERO)
        if net:
            what = "Discount" if charge is Charge.ITEM else f"{CHARGE_NAMES[charge]} discount"
            yield _line(f"{what}: {name}", net, policy.accounts.discounts, rule)


def _withheld_inside(item: OrderItem) -> Mapping[str, Decimal]:
    """Tax inside the prices that the marketplace keeps: it is taken out of each price (deemed supplier)."""
    inside = responsible_party(item) is Party.MARKETPLACE and not item.tax_on_top
    return item.taxes if inside else {}


def _goods_line(name: str, quantity: int, value: Decimal, account: str, rule: TaxRule) -> Line:
    """Quantity and unit price where the unit price is exact at Xero's four decimals, else one line for the whole."""
    if quantity > 0:
        unit = (value / quantity).quantize(Decimal("0.0001"))
        if unit * quantity == value:
            return Line(name[:DESCRIPTION_LIMIT], quantity, _exact(unit, value), account, rule.tax_type)
    return _line(f"{quantity} × {name}", value, account, rule)


def _line(description: str, value: Decimal, account: str, rule: TaxRule) -> Line:
    return Line(description[:DESCRIPTION_LIMIT], 1, _exact(value, value), account, rule.tax_type)


def _exact(unit: Decimal, line_amount: Decimal) -> Decimal:
    if cents(line_amount) != line_amount:
        raise Refused(
            "TOO_MANY_DECIMALS",
            f"the amount {line_amount} has more than the two decimals that Xero keeps; book the order by hand",
        )
    return one_spelling(unit)


def _account(charge: Charge, policy: PostingPolicy) -> str:
    code = policy.accounts.charges.get(charge)
    if not code:
        raise Refused(
            "ACCOUNT_UNMAPPED",
            f"no account for {charge.value}; set accounts.{charge.value.lower()} "
            "in the connection's settings, then redrive",
        )
    return code


def xero_total(lines: Iterable[Line], amounts: Amounts, organisation: Organisation) -> Decimal:
    """The total Xero will arrive at: each line and each line's tax rounded half up to cents (Xero: rounding guide)."""
    if amounts is not Amounts.EXCLUSIVE:
        return total(line.amount for line in lines)
    return total(line.amount + cents(line.amount * _rate(line.tax_type, organisation) / 100) for line in lines)


def _rate(tax_type: str, organisation: Organisation) -> Decimal:
    rate = organisation.tax_rates.get(tax_type)
    return rate.rate if rate else ZERO


def _rounding_line(difference: Decimal, expected: Decimal, policy: PostingPolicy, organisation: Organisation) -> Line:
    account = organisation.rounding_account()
    if abs(difference) > policy.rounding_limit or account is None:
        raise Refused(
            "TAX_DIFFERS",
            f"Amazon's total is {expected}, Xero would arrive at {expected - difference}; "
            "check the rate of the tax type in tax.rules of the connection's settings, then redrive",
        )
    if policy.rounding_tax_type != "NONE" and _usable_rate(policy.rounding_tax_type, organisation):
        raise Refused(
            "ROUNDING_TAXED",
            f"tax.rounding_tax_type {policy.rounding_tax_type} has a rate above zero; "
            "name one without tax in the connection's settings, then redrive",
        )
    return Line("Rounding", 1, one_spelling(difference), account.code, policy.rounding_tax_type)
