"""Which sales belong to these books by their date: the cut-over from whatever kept the books before `start`.

By default it is made by the date of the invoice: what ships from `start` on is booked here, also of orders that were
placed before. That needs a day of shipment that is known. Amazon states none for what it ships itself (FBA), and an old
order may change at any time, e.g. when it is returned: such an order is booked only if it was read unshipped before, or
if Amazon has charged its buyer since `start`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from amazon_to_xero.domain.amazon.order import SHIPPED_AT_LEAST_IN_PART, Fulfilment, Order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.shipment import Shipment, shipments_of
from amazon_to_xero.domain.failures import NotInvoicedReason
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy, StartBy

_UNSHIPPED = frozenset(Fulfilment) - SHIPPED_AT_LEAST_IN_PART - {Fulfilment.CANCELLED, Fulfilment.UNFULFILLABLE}


def is_before_start(order: Order, shipments: Sequence[Shipment], policy: PostingPolicy) -> bool:
    """Whether the whole order belongs to the books before.

    shipments: those whose day is known, the first one first.
    """
    if order.created >= policy.start:
        return False
    if policy.start_by is StartBy.ORDER:
        return True
    dating = shipments[:1] if policy.invoice_per is InvoicePer.ORDER else shipments
    return all(is_shipped_before_start(order, shipment, policy) for shipment in dating)


def is_shipped_before_start(order: Order, shipment: Shipment, policy: PostingPolicy) -> bool:
    """Whether one shipment of an order belongs to the books before."""
    return order.created < policy.start and shipment.shipped_at < policy.start


def is_left_out(record: OrderRecord) -> bool:
    """Whether an order has no documents because it belongs to the books before."""
    return record.state is OrderState.NOT_INVOICED and record.reason == NotInvoicedReason.BEFORE_START


def is_taken_in(record: OrderRecord, created: datetime, policy: PostingPolicy) -> bool:
    """Whether an order that was left out belongs to these books by now: `start` was set to an earlier time since.

    created: when it was placed (UTC).
    """
    return is_left_out(record) and created >= policy.start


def shipments_of_known_day(
    order: Order, record: OrderRecord, policy: PostingPolicy, not_before: datetime | None = None
) -> tuple[Shipment, ...]:
    """Return the shipments to record; none of an old order of which nobody knows when it shipped.

    record: as it was before this reading.
    not_before: as for `shipments_of`.
    """
    if order.created >= policy.start:
        return shipments_of(order, record.shipments, not_before)
    # An order that was left out has shipments with a day that was seen, not stated: of an earlier version of this code.
    recorded = tuple(each for each in record.shipments if each.reference or not is_left_out(record))
    is_stated = any(package.shipped_at is not None for package in order.packages)
    is_known = bool(recorded) or is_stated or record.status in _UNSHIPPED
    return shipments_of(order, recorded, not_before) if is_known else ()


def shipments_by_charge(order: Order, charged_at: datetime) -> tuple[Shipment, ...]:
    """Return the shipments of an order whose day only its charge states (UTC): Amazon charges what it ships."""
    return tuple(replace(shipment, shipped_at=charged_at) for shipment in shipments_of(order, ()))
