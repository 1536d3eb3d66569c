"""A few orders that Amazon has returned lately: reading one of them shows whether getOrder works."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.services.state_updates import update_cursor

CURSOR = "readable-orders"
MAX_READABLE = 3  # one of them may be refused by now
_REFRESH = timedelta(hours=1)  # a write an hour, not one for each order


class ReadableOrders:
    """The ids of the newest orders that Amazon returned, of one connection."""

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._refreshed_at: datetime | None = None

    def remember(self, order_ids: Iterable[str]) -> None:
        """Remember orders that Amazon has just returned; at most once an hour."""
        now = self._clock.now()
        if self._refreshed_at is not None and self._refreshed_at > now - _REFRESH:
            return
        newest = list(dict.fromkeys(order_ids))[-MAX_READABLE:]
        if not newest:
            return

        def changed(cursor: Cursor) -> Mapping[str, str] | None:
            at, known = cursor.data.get("at"), _ids(cursor)
            if len(known) == MAX_READABLE and at and datetime.fromisoformat(at) > now - _REFRESH:
                return None
            kept = [each for each in known if each not in newest]
            return {"at": now.isoformat(), "orders": ",".join([*newest, *kept][:MAX_READABLE])}

        with suppress(Conflict):  # another worker remembers other orders at the same moment
            update_cursor(self._store, CURSOR, changed)
        self._refreshed_at = now if len(self.known()) == MAX_READABLE else None

    def known(self, besides: Collection[str] = ()) -> list[str]:
        """Return the ids, the newest first, without `besides`."""
        return [each for each in _ids(self._store.cursor(CURSOR)) if each not in besides]


def _ids(cursor: Cursor) -> list[str]:
    return [each for each in cursor.data.get("orders", "").split(",") if each]
