"""What an order's charges show of a tax that the order leaves unclear: who owes it, and how much it is.

It never contradicts what the order states plainly: where that differs from the charges, the confirmation of the sale
fails. Charges are of the whole order, so they answer for all of its unclear items together, or for none. A tax that is
withheld in part is another matter: see `split_tax`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.order import Charge, Order, OrderItem, TaxCollection
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge, charged_text
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.money import ZERO, money_text, smallest_unit, total
from amazon_to_xero.domain.planning.proportions import shared
from amazon_to_xero.domain.tax.liability import (
    collection_by_charge,
    responsible_party,
    unclear_items,
    unclear_liability,
)
from amazon_to_xero.domain.tax.liability_words import Party, party_of_collection

DISCOUNT = "DISCOUNT"  # Amazon's orders state one tax for all discounts of an item
_TAX_NAMES: Mapping[AmountKind, str] = {
    AmountKind.ITEM: Charge.ITEM.value,
    AmountKind.SHIPPING: Charge.SHIPPING.value,
    AmountKind.GIFT_WRAP: Charge.GIFT_WRAP.value,
    AmountKind.COD_FEE: Charge.COD_FEE.value,
    AmountKind.ITEM_DISCOUNT: DISCOUNT,
    AmountKind.SHIPPING_DISCOUNT: DISCOUNT,
    AmountKind.GIFT_WRAP_DISCOUNT: DISCOUNT,
}


def is_charged_in_full(order: Order, charges: Sequence[ShipmentCharge]) -> bool:
    """Return whether the charges are what the buyer pays for the whole order, with the tax that is withheld of it."""
    is_comparable = all(each.currency == order.currency and not each.unknown for each in charges)
    return is_comparable and total(each.total + each.withheld for each in charges) == order.grand_total


def charges_of_reduced(
    order: Order, charges: Sequence[ShipmentCharge], liabilities: Mapping[str, Party]
) -> Sequence[ShipmentCharge]:
    """Return what an order would be charged by now, of which something was taken off after it was charged in full.

    The tax is as the order states it by now, and as large a part of it is withheld. Empty where clear items have a part
    in what was charged: what was taken off may be theirs.
    """
    is_more = charges and total(each.total + each.withheld for each in charges) > (order.grand_total or ZERO)
    tax, withheld = total(_taxes(charges).values()), total(each.withheld for each in charges)
    unclear = unclear_items(order, liabilities)
    priced = [item for item in order.items if not item.is_free]
    if not is_more or not tax or len(unclear) < len(priced) or not all(item.tax_stated for item in priced):
        return ()
    if any(each.currency != order.currency or each.unknown for each in charges):
        return ()
    unit = smallest_unit(order.currency or "")
    now = total(item.tax for item in unclear)
    kept = (now * withheld / tax).quantize(unit, rounding=ROUND_HALF_UP)
    amounts = {
        AmountType(AmountKind.ITEM, is_tax=True): now,
        AmountType(AmountKind.MARKETPLACE_TAX, is_tax=True): -kept,
    }
    return (replace(charges[-1], amounts=amounts),)


def as_answered(order: Order, charges: Sequence[ShipmentCharge], liabilities: Mapping[str, Party]) -> Order:
    """Return the order as it was booked: what it leaves unclear as its charges answer it.

    It stays as it is where they do not decide: then a person has accepted it.
    """
    answers = charges if is_charged_in_full(order, charges) else charges_of_reduced(order, charges, liabilities)
    if answers:
        with suppress(Failure):
            return with_charged_tax(order, answers, liabilities)
    return order


def with_charged_tax(order: Order, charges: Sequence[ShipmentCharge], liabilities: Mapping[str, Party]) -> Order:
    """Return the order with what charges in full show of its unclear items.

    liabilities: as for `responsible_party`. Raises Failure with TAX_LIABILITY_UNCLEAR and both numbers where they do
    not decide.
    """
    unclear = unclear_items(order, liabilities)
    if not unclear:
        return order
    taxes, withheld = charged_on_unclear(order, unclear, charges, liabilities)
    collection = collection_by_charge(total(taxes.values()), withheld)
    answered = _answered(order, unclear, taxes, collection) if collection else {}
    party = party_of_collection(TaxCollection(collection, ""), {})
    # The order may say who owes the tax and not how much it is: then the charge has to agree with it.
    if not answered or any(responsible_party(order, each, liabilities) is not party for each in answered.values()):
        raise unclear_liability(order, unclear[0], liabilities, as_charged(order, charges))
    return replace(order, items=tuple(answered.get(item.item_id, item) for item in order.items))


def as_charged(order: Order, charges: Sequence[ShipmentCharge]) -> str:
    """Return as a sentence how much tax the charges of an order hold, and what of it is withheld; empty for none."""
    if not charges:
        return ""
    currency = order.currency or ""
    tax = money_text(total(_taxes(charges).values()), currency)
    withheld = money_text(total(each.withheld for each in charges), currency)
    text = f"Amazon charged {tax} tax and withholds {withheld} of it"
    if is_charged_in_full(order, charges):
        return f"{text}."
    return f"{text}, in charges of {charged_text(charges)} for an order of {order.grand_total} {currency}."


def _taxes(charges: Sequence[ShipmentCharge]) -> Mapping[str, Decimal]:
    """Return the tax that was charged, by what it is for: Amazon's names in orders, and kinds that orders lack."""
    taxes: dict[str, Decimal] = {}
    for charge in charges:
        for type_, amount in charge.amounts.items():
            if type_.is_tax and type_.kind is not AmountKind.MARKETPLACE_TAX:
                name = _TAX_NAMES.get(type_.kind, type_.kind.value)
                taxes[name] = taxes.get(name, ZERO) + amount
    return taxes


def charged_on_unclear(
    order: Order, unclear: Sequence[OrderItem], charges: Sequence[ShipmentCharge], liabilities: Mapping[str, Party]
) -> tuple[Mapping[str, Decimal], Decimal]:
    """Return the taxes that were charged on the unclear items, and what of them is withheld: the rest is stated."""
    taxes, withheld = dict(_taxes(charges)), total(each.withheld for each in charges)
    for item in order.items:
        if item in unclear:
            continue
        for name, amount in item.taxes.items():
            taxes[name] = taxes.get(name, ZERO) - amount
        if responsible_party(order, item, liabilities) is Party.MARKETPLACE:
            withheld -= item.tax
    return {name: amount for name, amount in taxes.items() if amount}, withheld


def _answered(
    order: Order, unclear: Sequence[OrderItem], taxes: Mapping[str, Decimal], collection: str
) -> Mapping[str, OrderItem]:
    """Return the unclear items, by id, with the model and with the taxes that they do not state themselves.

    Return none where the order states other taxes than were charged, or states some and not all.
    """
    if all(item.tax_stated for item in unclear):
        if total(item.tax for item in unclear) != total(taxes.values()):
            return {}
        return {item.item_id: replace(item, charged_collection=collection) for item in unclear}
    if any(item.tax_stated for item in unclear) or any(
        _may_hide_tax(item) for item in order.items if item not in unclear
    ):
        return {}
    of_items: dict[str, dict[str, Decimal]] = {item.item_id: {} for item in unclear}
    for name, amount in taxes.items():
        weights = [_taxed(item, name) for item in unclear]
        if not total(weights):
            return {}
        for item, share in zip(unclear, shared(amount, weights, smallest_unit(order.currency or "")), strict=True):
            of_items[item.item_id] |= {name: share} if share else {}
    return {item.item_id: _with_taxes(item, of_items[item.item_id], collection) for item in unclear}


def _may_hide_tax(item: OrderItem) -> bool:
    """Whether a part of the charged taxes may be on a clear item, which does not state it."""
    return not item.is_free and not item.tax_stated


def _taxed(item: OrderItem, name: str) -> Decimal:
    """Return the amount of an item that a tax is on, by Amazon's name of the tax."""
    if name == DISCOUNT:
        return total(item.discounts.values())
    return item.charges.get(Charge(name), ZERO) if name in Charge else ZERO


def _with_taxes(item: OrderItem, taxes: Mapping[str, Decimal], collection: str) -> OrderItem:
    return replace(
        item,
        taxes=taxes,
        tax=total(taxes.values()),
        tax_stated=True,
        tax_detailed=True,
        charged_collection=collection,
    )
