"""What has left for the buyer: Amazon's packages and quantities as shipments, and an order's amounts shared among them.

A merchant's packages are named by Amazon; of what Amazon itself delivers only quantities are told (Amazon: Orders API
v2026-01-01, packages and orderItems.fulfillment), so what is new since the last reading counts as one shipment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from amazon_to_xero.domain.amazon.order import Fulfilment, Order, OrderItem, Package
from amazon_to_xero.domain.amazon.shipment import Shipment, _together
from amazon_to_xero.domain.money import ZERO, smallest_unit, total


def tracking_of(order: Order, shipment: Shipment | None = None) -> str:
    """Carriers and tracking numbers of an order's packages, or of the one package that is the shipment."""
    named = [
        " ".join(part for part in (package.carrier, package.tracking) if part)
        for package in order.packages
        if package.tracking and _belongs(package, shipment)
    ]
    return ", ".join(dict.fromkeys(named))


def share_of(order: Order, shipments: Sequence[Shipment], number: int) -> Order:
    """The order with only what left with shipment `number` (0 is the first), amounts in the same currency.

    Each amount is shared by quantity: the shares up to a shipment are rounded together, so all shares add up exactly.
    What belongs to no quantity (a tip, an item that was cancelled but charged) goes with the first shipment that has
    any: of one that Amazon tells of without saying what was in it, nothing is known to be sold.
    """
    told = (place for place, shipment in enumerate(shipments) if any(shipment.quantities.values()))
    first = next(told, None if order.status is Fulfilment.PARTIALLY_SHIPPED else 0)
    unit = smallest_unit(order.currency or "")
    before = _together(shipments[:number])
    until = _together(shipments[: number + 1])
    items = []
    for item in order.items:
        done = min(before[item.item_id], item.quantity)
        upto = min(until[item.item_id], item.quantity)
        if item.quantity == 0 and number == first:
            items.append(item)
        elif upto > done:
            items.append(_part(item, done, upto, unit))
    tip = order.tip if number == first and items else ZERO
    grand_total = total(item.total for item in items) + tip
    return replace(order, items=tuple(items), tip=tip, grand_total=grand_total)


def _part(item: OrderItem, done: int, upto: int, unit: Decimal) -> OrderItem:
    def part(amount: Decimal) -> Decimal:
        def until(quantity: int) -> Decimal:
            return (amount * quantity / item.quantity).quantize(unit, rounding=ROUND_HALF_UP)

        # The last part takes the amount as it is, also one that is finer than the currency's unit.
        return (amount if upto == item.quantity else until(upto)) - until(done)

    charges = {charge: part(amount) for charge, amount in item.charges.items()}
    discounts = {charge: part(amount) for charge, amount in item.discounts.items()}
    taxes = {name: part(amount) for name, amount in item.taxes.items()}
    tax = total(taxes.values())
    if discounts:
        # The last discount takes what rounding leaves, so that no share of what cost something comes out below nothing.
        net = part(total(item.charges.values()) + total(item.discounts.values()))
        discounts[list(discounts)[-1]] += net - total(charges.values()) - total(discounts.values())
    stated = total(charges.values()) + total(discounts.values()) + (tax if item.tax_exclusive else ZERO)
    return replace(item, quantity=upto - done, total=stated, charges=charges, discounts=discounts, taxes=taxes, tax=tax)


def _belongs(package: Package, shipment: Shipment | None) -> bool:
    return shipment is None or package.reference == shipment.reference
