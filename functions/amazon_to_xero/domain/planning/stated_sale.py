"""What the books state of an order's sale: the approved documents that its plan asks for, and what its order says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.amazon.order import Charge, Fulfilment, Order, OrderItem, parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.charged_tax import as_answered
from amazon_to_xero.domain.planning.reversals import credited_by_adjustments
from amazon_to_xero.domain.tax.liability import responsible_party, seller_total
from amazon_to_xero.domain.tax.liability_words import Party

TAX = "TAX"  # names the tax among the amounts by type; every other name is an AmountKind, or a Charge that has none
_DISCOUNTS: Mapping[Charge, AmountKind] = {
    Charge.ITEM: AmountKind.ITEM_DISCOUNT,
    Charge.SHIPPING: AmountKind.SHIPPING_DISCOUNT,
    Charge.GIFT_WRAP: AmountKind.GIFT_WRAP_DISCOUNT,
}


@dataclass(frozen=True)
class StatedSale:
    """The sale of one order in the books. Amounts are in its currency.

    version: the version of the order (UTC) that the documents were planned from.
    total: the approved invoices less the credit notes of adjustments; the credit notes of refunds are no part of it.
    reductions: what adjustments have credited.
    order_total: what the seller sold, as the order states it: more than `total` while a part is not invoiced yet.
    withheld: the tax that the marketplace collects, as the order states it.
    amounts: the order's amounts by type, without tax, and TAX.
    is_partly_shipped: some of the order has not shipped.
    shipped_at: when the last shipment was handed over (UTC).
    """

    version: datetime
    currency: str
    total: Decimal
    reductions: Decimal
    order_total: Decimal
    withheld: Decimal
    shipped_at: datetime
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    is_partly_shipped: bool = False

    @property
    def is_reduced(self) -> bool:
        """Whether something was taken off the order after it was invoiced: by adjustments, or by refunds alone."""
        return bool(self.reductions) or self.order_total < self.total


def stated_sale(
    record: OrderRecord,
    documents: Iterable[DesiredDocument],
    liabilities: Mapping[str, Party],
    charges: Sequence[ShipmentCharge] = (),
    planned: Order | None = None,
) -> StatedSale | None:
    """Return the sale in the documents that the order's plan asks for; None where no invoice is approved.

    liabilities: as for `responsible_party`.
    charges: of the order, as far as they are known: with these its plan decided who owes a tax that it leaves unclear.
    planned: the order as its plan had it; None for what the record holds.
    """
    approved = [each for each in documents if not each.tombstone and each.body.get("Status") == "AUTHORISED"]
    invoices = [each for each in approved if each.kind is DocumentKind.INVOICE]
    notes = [each for each in approved if each.kind is DocumentKind.CREDIT_NOTE]
    version = record.source_version
    if not invoices or version is None:
        return None
    order = as_answered(planned or parse_order(record.content or {}), charges, liabilities)
    collected = [item for item in order.items if responsible_party(order, item, liabilities) is Party.MARKETPLACE]
    return StatedSale(
        version=version,
        currency=str(invoices[0].body["CurrencyCode"]),
        total=total(each.total or ZERO for each in invoices) - total(each.total or ZERO for each in notes),
        reductions=credited_by_adjustments(invoices, notes),
        order_total=seller_total(order, collected) if order.items else ZERO,
        withheld=total(item.tax for item in collected) + total(item.withheld for item in order.items),
        shipped_at=max((shipment.shipped_at for shipment in record.shipments), default=version),
        amounts=_amounts(order),
        is_partly_shipped=order.status is Fulfilment.PARTIALLY_SHIPPED,
    )


def _amounts(order: Order) -> Mapping[str, Decimal]:
    amounts: dict[str, Decimal] = {AmountKind.TIP: order.tip}
    for item in order.items:
        for name, amount in _amounts_of(item):
            amounts[name] = amounts.get(name, ZERO) + amount
    return {name: amount for name, amount in amounts.items() if amount}


def _amounts_of(item: OrderItem) -> Iterable[tuple[str, Decimal]]:
    included = {} if item.tax_exclusive else item.taxes
    for charge, amount in item.charges.items():
        yield charge.value, amount - included.get(charge.value, ZERO)
    for place, (charge, amount) in enumerate(item.discounts.items()):
        # Amazon states one tax for all discounts of an item; the first of them takes it.
        tax = ZERO if place else included.get("DISCOUNT", ZERO)
        yield _DISCOUNTS.get(charge, f"{charge.value}_DISCOUNT"), amount - tax
    yield TAX, item.tax + item.withheld
