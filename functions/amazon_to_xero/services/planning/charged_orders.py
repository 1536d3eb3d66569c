"""Orders that were placed before `start` and are booked all the same, because Amazon has charged their buyers since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.failures import NotInvoicedReason
from amazon_to_xero.domain.planning.cut_over import is_before_start, shipments_by_charge
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.state_updates import update_records


class ChargedOrders:
    """The orders of one connection, as their charges date them."""

    def __init__(self, store: StateStore, policy: PostingPolicy, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock

    def book(self, order_id: str, charged_at: datetime) -> bool:
        """Have an order booked that shipped since `start` as its charge says; return whether it is. Raises Conflict.

        charged_at: when its first charge since `start` was posted (UTC).

        It is read once more: whom it is invoiced to was not recorded. Nothing happens where a shipment is recorded.
        """

        def booked(record: OrderRecord | None) -> OrderRecord | None:
            if record is None or record.reason != NotInvoicedReason.BEFORE_START or record.shipments:
                return None
            if record.state is not OrderState.NOT_INVOICED or not record.content:
                return None
            order = parse_order(record.content)
            shipments = shipments_by_charge(order, charged_at)
            if not shipments or is_before_start(order, shipments, self._policy):
                return None
            dated = replace(record, shipments=shipments, digest="", state=OrderState.NOTICED, reason="")
            return dated.read_again_at(self._clock.now())

        def changed(stored: Mapping[str, OrderRecord | None]) -> Iterable[OrderRecord]:
            return filter(None, (booked(record) for record in stored.values()))

        return bool(update_records(self._store, OrderRecord, [order_id], changed))
