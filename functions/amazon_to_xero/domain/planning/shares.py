"""What of an order belongs to one of its shipments: its share of the amounts, and its tracking numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from amazon_to_xero.domain.amazon.order import Fulfilment, Order, OrderItem
from amazon_to_xero.domain.amazon.package import Package
from amazon_to_xero.domain.amazon.shipment import Shipment, total_quantities
from amazon_to_xero.domain.money import ZERO, smallest_unit, total


def share_of(order: Order, shipments: Sequence[Shipment], number: int) -> Order:
    """Return the order reduced to what was sent with shipment `number`; 0 is the first.

    Each amount is shared by quantity. The shares up to a shipment are rounded together, and down: all shares add up
    exactly, and the last one has what does not divide. So the share of what was sent stays as it is where the rest of
    an item is cancelled: three for 10.00 are then two for 6.67, and the first has 3.33 of either. Taxes are rounded
    half up, as Xero rounds the tax of a line: 4.00 on three are 2.67 on two.

    What belongs to no quantity (a tip, an item that was cancelled but charged) goes with the first shipment that has
    quantities: of a shipment whose content Amazon does not state, nothing is known to be sold.
    """
    with_quantities = (place for place, shipment in enumerate(shipments) if any(shipment.quantities.values()))
    first = next(with_quantities, None if order.status is Fulfilment.PARTIALLY_SHIPPED else 0)
    unit = smallest_unit(order.currency or "")
    before = total_quantities(shipments[:number])
    until = total_quantities(shipments[: number + 1])
    items = []
    for item in order.items:
        shipped_before = min(before[item.item_id], item.quantity)
        shipped_until = min(until[item.item_id], item.quantity)
        if item.quantity == 0 and number == first:
            items.append(item)
        elif shipped_until > shipped_before:
            items.append(_share_of_item(item, shipped_before, shipped_until, unit))
    tip = order.tip if number == first and items else ZERO
    grand_total = total(item.total for item in items) + tip
    return replace(order, items=tuple(items), tip=tip, grand_total=grand_total)


def tracking_of(order: Order, shipment: Shipment | None = None) -> str:
    """Return the carriers and tracking numbers of all packages of an order, or of the one package of a shipment."""
    tracked = [
        " ".join(part for part in (package.carrier, package.tracking) if part)
        for package in order.packages
        if package.tracking and _belongs_to(package, shipment)
    ]
    return ", ".join(dict.fromkeys(tracked))


def _share_of_item(item: OrderItem, before: int, until: int, unit: Decimal) -> OrderItem:
    """Return the item reduced to the quantity that was shipped after the first `before` and up to `until`."""

    def share(amount: Decimal, rounding: str = ROUND_DOWN) -> Decimal:
        def up_to(quantity: int) -> Decimal:
            return (amount * quantity / item.quantity).quantize(unit, rounding=rounding)

        # The last share makes up the exact amount, even one that is finer than the currency's unit.
        return (amount if until == item.quantity else up_to(until)) - up_to(before)

    charges = {charge: share(amount) for charge, amount in item.charges.items()}
    discounts = {charge: share(amount) for charge, amount in item.discounts.items()}
    taxes = {name: share(amount, ROUND_HALF_UP) for name, amount in item.taxes.items()}
    tax = total(taxes.values())
    if discounts:
        # The last discount takes the rounding difference, so that no share of an item with a price becomes negative.
        net = share(total(item.charges.values()) + total(item.discounts.values()))
        discounts[list(discounts)[-1]] += net - total(charges.values()) - total(discounts.values())
    item_total = total(charges.values()) + total(discounts.values()) + (tax if item.tax_exclusive else ZERO)
    return replace(
        item,
        quantity=until - before,
        total=item_total,
        charges=charges,
        discounts=discounts,
        taxes=taxes,
        tax=tax,
        withheld=share(item.withheld, ROUND_HALF_UP),
    )


def _belongs_to(package: Package, shipment: Shipment | None) -> bool:
    return shipment is None or package.reference == shipment.reference
