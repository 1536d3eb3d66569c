"""A few orders that Amazon has returned lately: reading one of them shows whether getOrder works.

Those that getOrder returned come first. An order of a page may be one that getOrder refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.services.state_updates import update_cursor

CURSOR = "readable-orders"
MAX_READABLE = 3  # one of them may be refused by now
_READ, _LISTED = "orders", "listed"
_REFRESH = timedelta(hours=1)  # a write an hour, not one for each order


class ReadableOrders:
    """The ids of the newest orders that Amazon returned, of one connection."""

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._refreshed_at: datetime | None = None

    def remember(self, order_ids: Iterable[str], *, is_page: bool) -> None:
        """Remember orders that Amazon has just returned, by getOrder or in a page; at most once an hour."""
        now = self._clock.now()
        if self._refreshed_at is not None and self._refreshed_at > now - _REFRESH:
            return
        field = _LISTED if is_page else _READ
        newest = list(dict.fromkeys(order_ids))[-MAX_READABLE:]
        if not newest:
            return

        def changed(cursor: Cursor) -> Mapping[str, str] | None:
            at, known = cursor.data.get("at"), _ids(cursor, field)
            if len(known) == MAX_READABLE and at and datetime.fromisoformat(at) > now - _REFRESH:
                return None
            kept = [each for each in known if each not in newest]
            return {**cursor.data, "at": now.isoformat(), field: ",".join([*newest, *kept][:MAX_READABLE])}

        with suppress(Conflict):  # another worker remembers other orders at the same moment
            update_cursor(self._store, CURSOR, changed)
        is_complete = len(_ids(self._store.cursor(CURSOR), _READ)) == MAX_READABLE
        self._refreshed_at = now if is_complete else None

    def known(self, besides: Collection[str] = ()) -> list[str]:
        """Return the ids without `besides`, at most MAX_READABLE: those that getOrder returned, then those of pages."""
        cursor = self._store.cursor(CURSOR)
        known = dict.fromkeys([*_ids(cursor, _READ), *_ids(cursor, _LISTED)])
        return [each for each in known if each not in besides][:MAX_READABLE]


def _ids(cursor: Cursor, field: str) -> list[str]:
    return [each for each in cursor.data.get(field, "").split(",") if each]
