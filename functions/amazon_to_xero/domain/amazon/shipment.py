"""What of an order has shipped: Amazon's packages and quantities as shipments.

Amazon names the packages that a seller ships. For what Amazon itself ships (FBA) it states quantities only (Amazon:
Orders API v2026-01-01, packages and orderItems.fulfillment), so what is new since the last reading is one shipment,
handed over between two times that are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from amazon_to_xero.domain.amazon.order import SHIPPED_AT_LEAST_IN_PART, Fulfilment, Order


@dataclass(frozen=True)
class Shipment:
    """What was sent to the buyer at once. A recorded shipment never changes, so its invoice keeps its date.

    reference: Amazon's packageReferenceId; empty for what was new since the last reading.
    shipped_at: when it was handed over (UTC), at the latest where Amazon does not state it.
    quantities: order item id -> quantity shipped.
    not_before: since when it may have been handed over (UTC), where Amazon does not state when it was; None where it
        does, and once its day is decided.
    """

    reference: str
    shipped_at: datetime
    quantities: Mapping[str, int] = field(default_factory=dict)
    not_before: datetime | None = None


def shipments_of(
    order: Order, recorded: Sequence[Shipment], not_before: datetime | None = None
) -> tuple[Shipment, ...]:
    """Return the recorded shipments followed by the new ones, in the order in which they became known.

    not_before: since when what is new may have shipped (UTC): until then the order is known not to have shipped any
        further. None where nobody asks, as in examples.

    Together they never hold more of an item than was ordered: a package that Amazon names after its quantities were
    recorded without one adds nothing, but for their time while that is not decided.
    """
    shipments = [_with_stated_time(each, order) for each in recorded]
    if order.status not in SHIPPED_AT_LEAST_IN_PART:
        return tuple(shipments)
    ordered = Counter({item.item_id: item.quantity for item in order.items})
    shipped = ordered
    if order.status is Fulfilment.PARTIALLY_SHIPPED:
        shipped = Counter({item.item_id: min(item.shipped, item.quantity) for item in order.items})
    recorded_references = {shipment.reference for shipment in recorded}
    recorded_without_package = total_quantities([shipment for shipment in recorded if not shipment.reference])
    packages = [(package.shipped_at, package) for package in order.packages if package.shipped_at is not None]
    for shipped_at, package in sorted(packages, key=lambda each: each[0]):
        quantities, so_far = Counter(package.quantities), total_quantities(shipments)
        already_recorded = (quantities - (shipped - so_far)) & recorded_without_package
        new = (quantities - already_recorded) & (ordered - so_far)
        if package.reference not in recorded_references and new:
            shipments.append(Shipment(package.reference, shipped_at, dict(new)))
    rest = shipped - total_quantities(shipments)
    if rest or not shipments:
        stated = min((shipped_at for shipped_at, _ in packages), default=None)
        if stated is not None or not_before is None:
            shipments.append(Shipment("", stated or order.updated, dict(rest)))
        else:
            shipments.append(Shipment("", order.updated, dict(rest), min(not_before, order.updated)))
    return tuple(shipments)


def _with_stated_time(shipment: Shipment, order: Order) -> Shipment:
    """Return a shipment whose time is open with the earliest one of a package that may be it."""
    if shipment.not_before is None:
        return shipment
    times = [package.shipped_at for package in order.packages if package.shipped_at is not None]
    stated = min((at for at in times if shipment.not_before <= at <= shipment.shipped_at), default=None)
    return shipment if stated is None else replace(shipment, shipped_at=stated, not_before=None)


def total_quantities(shipments: Sequence[Shipment]) -> Counter[str]:
    """Return how much of each order item, by its id, the shipments hold together."""
    return sum((Counter(shipment.quantities) for shipment in shipments), Counter())
