"""Until when an order is known not to have shipped: for those whose packages do not state when they did."""

from __future__ import annotations

from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.planning.shipping_day import CLOSELY
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.search_scope import CURSOR as SCOPE
from amazon_to_xero.services.intake.search_scope import marketplaces_left_out
from amazon_to_xero.services.intake.sweep_cursor import CURSOR as SWEEP
from amazon_to_xero.services.intake.sweep_cursor import watermark

_KEPT_FOR = timedelta(minutes=1)  # an older watermark leaves more open, and is never wrong


class UnshippedUntil:
    """Finds out for orders that are read, for one connection."""

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cursors: dict[str, Cursor] = {}
        self._loaded_at: datetime | None = None

    def time_of(self, order: Order, known: OrderRecord) -> datetime:
        """Return until when (UTC) the order had not shipped, or not further than its record says.

        known: the order's row before this reading. What it says holds as of when it was read, and as of the sweep's
        watermark: had the order changed before, the sweep would have recorded it. That does not hold for an order that
        is not known although it was placed before the watermark, nor for one that failed: it may have been unreadable.
        """
        if known.version is None or known.read_at is None or known.state is OrderState.FAILED:
            return order.created
        read_at = max(order.created, known.read_at)
        if order.updated - read_at <= CLOSELY:
            return read_at
        swept = self._swept(order.marketplace_id)
        return read_at if swept is None else max(read_at, swept)

    def _swept(self, marketplace_id: str) -> datetime | None:
        now = self._clock.now()
        if self._loaded_at is None or now - self._loaded_at > _KEPT_FOR:
            self._cursors, self._loaded_at = self._store.load(Cursor, [SWEEP, SCOPE]), now
        scope = self._cursors.get(SCOPE)
        if scope is not None and marketplace_id in marketplaces_left_out(scope):
            return None
        return watermark(self._cursors.get(SWEEP, Cursor(SWEEP)))
