"""Orders that were placed before `start` and are booked all the same, because Amazon has charged their buyers since.

Only what was charged in full since is booked so: of an order that was charged in part before, nothing that Amazon
states tells which items have shipped since. That is for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.planning.charged_tax import is_charged_in_full
from amazon_to_xero.domain.planning.cut_over import is_before_start, is_left_out, shipments_by_charge
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.state_updates import update_records


class SoldSinceStart(StrEnum):
    """What the charges since `start` say of an order that was placed before it."""

    NO = "NO"  # it has no sale here, by its rule
    IN_PART = "IN_PART"  # they are not the whole order, so far
    YES = "YES"  # it is to be booked


class ChargedOrders:
    """The orders of one connection, as their charges date them."""

    def __init__(self, store: StateStore, policy: PostingPolicy, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock

    def book(self, order_id: str, charges: Sequence[ShipmentCharge]) -> SoldSinceStart:
        """Have an order booked that shipped since `start` as its charges say; return what they say. Raises Conflict.

        charges: all of the order since `start`. It is booked on the day of the first one.

        It is read once more: whom it is invoiced to was not recorded. Nothing happens where a shipment is recorded.
        """
        sold = SoldSinceStart.NO

        def booked(record: OrderRecord | None) -> OrderRecord | None:
            nonlocal sold
            shipments = self._shipments(record, charges) if record is not None else ()
            if record is None or not shipments:
                return None
            if not is_charged_in_full(parse_order(record.content or {}), charges):
                sold = SoldSinceStart.IN_PART
                return None
            sold = SoldSinceStart.YES
            dated = replace(record, shipments=shipments, digest="", state=OrderState.NOTICED, reason="")
            return dated.read_again_at(self._clock.now())

        def changed(stored: Mapping[str, OrderRecord | None]) -> Iterable[OrderRecord]:
            return filter(None, (booked(record) for record in stored.values()))

        update_records(self._store, OrderRecord, [order_id], changed)
        return sold

    def _shipments(self, record: OrderRecord, charges: Sequence[ShipmentCharge]) -> tuple[Shipment, ...]:
        """Return the shipments that only its charges date; none where the order is not of these books."""
        charged_at = [charge.posted_at for charge in charges if charge.total > 0]
        if not charged_at or not is_left_out(record) or record.shipments or not record.content:
            return ()
        order = parse_order(record.content)
        shipments = shipments_by_charge(order, min(charged_at))
        return () if is_before_start(order, shipments, self._policy) else shipments
