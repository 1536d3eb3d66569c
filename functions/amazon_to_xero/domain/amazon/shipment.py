"""What has been shipped to the buyer: Amazon's packages and quantities, recorded as shipments.

Amazon names the packages that a merchant ships. For what Amazon itself ships (FBA) it reports quantities only (Amazon:
Orders API v2026-01-01, packages and orderItems.fulfillment), so what is new since the last reading is one shipment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from amazon_to_xero.domain.amazon.order import SHIPPED_AT_LEAST_IN_PART, Fulfilment, Order


@dataclass(frozen=True)
class Shipment:
    """What left at once: a package (`reference`: Amazon's packageReferenceId), or what was new since the last reading.

    `quantities` are by order item id. A shipment that was recorded is never taken back: its invoice keeps its date.
    """

    reference: str
    shipped_at: datetime
    quantities: Mapping[str, int] = field(default_factory=dict)


def shipments_of(order: Order, recorded: Sequence[Shipment]) -> tuple[Shipment, ...]:
    """The recorded shipments and those that are new, in the order in which they became known.

    Together they never hold more of an item than was ordered: a package that Amazon names after its quantity had been
    counted adds nothing.
    """
    shipments = list(recorded)
    if order.status not in SHIPPED_AT_LEAST_IN_PART:
        return tuple(shipments)
    ordered = Counter({item.item_id: item.quantity for item in order.items})
    known = {shipment.reference for shipment in recorded}
    left = [(package.shipped_at, package) for package in order.packages if package.shipped_at is not None]
    partly = order.status is Fulfilment.PARTIALLY_SHIPPED
    shipped = Counter({item.item_id: min(item.shipped, item.quantity) for item in order.items}) if partly else ordered
    unnamed = _together([shipment for shipment in recorded if not shipment.reference])
    for shipped_at, package in sorted(left, key=lambda each: each[0]):
        inside, so_far = Counter(package.quantities), _together(shipments)
        counted = (inside - (shipped - so_far)) & unnamed
        new = (inside - counted) & (ordered - so_far)
        if package.reference not in known and new:
            shipments.append(Shipment(package.reference, shipped_at, dict(new)))
    rest = shipped - _together(shipments)
    if rest or not shipments:
        shipments.append(Shipment("", min((at for at, _ in left), default=order.updated), dict(rest)))
    return tuple(shipments)


def _together(shipments: Sequence[Shipment]) -> Counter[str]:
    return sum((Counter(shipment.quantities) for shipment in shipments), Counter())
