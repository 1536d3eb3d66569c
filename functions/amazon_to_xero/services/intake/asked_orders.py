"""The orders whose transactions a person asks to read, and how often Amazon has not returned those of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.state_updates import update_cursor

ASKED = "asked#order-transactions"  # cursor: order id -> since when (UTC), and the number of failed reads
MAX_ASKED = 2000  # orders; one row holds them all


class TooManyOrders(Exception):
    """So many orders wait already that no more can be asked for. The message is delivered again later."""


@dataclass(frozen=True)
class AskedOrder:
    """An order whose transactions are to be read.

    since: when it was asked for (UTC).
    failed_reads: how often Amazon has not returned its transactions since.
    """

    order_id: str
    since: datetime
    failed_reads: int = 0

    @property
    def text(self) -> str:
        return f"{self.since.isoformat()} {self.failed_reads}"


class AskedOrders:
    """The orders of one connection that are asked for."""

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add(self, order_ids: Sequence[str]) -> None:
        """Ask for orders; one that is asked for already stays as it is. Raises TooManyOrders and Conflict."""
        if not order_ids:
            return
        now = self._clock.now()

        def with_more(cursor: Cursor) -> Mapping[str, str]:
            data = {**{each: AskedOrder(each, now).text for each in order_ids}, **cursor.data}
            if len(data) > MAX_ASKED:
                raise TooManyOrders(f"{len(cursor.data)} orders wait for their transactions to be read")
            return data

        update_cursor(self._store, ASKED, with_more)

    def in_turn(self) -> list[AskedOrder]:
        """Return the orders, those that failed least often first, the oldest of these first."""
        asked = (_asked(order_id, text) for order_id, text in self._store.cursor(ASKED).data.items())
        return sorted(asked, key=lambda each: (each.failed_reads, each.since, each.order_id))

    def remove(self, order_ids: Collection[str]) -> None:
        """Take orders off. Raises Conflict."""

        def without(cursor: Cursor) -> Mapping[str, str]:
            return {order_id: text for order_id, text in cursor.data.items() if order_id not in order_ids}

        update_cursor(self._store, ASKED, without)

    def count_failed(self, order_ids: Collection[str]) -> None:
        """Count another failed read of orders, which puts each after those that failed less often. Raises Conflict."""

        def counted(cursor: Cursor) -> Mapping[str, str]:
            return {
                order_id: _failed_again(_asked(order_id, text)).text if order_id in order_ids else text
                for order_id, text in cursor.data.items()
            }

        update_cursor(self._store, ASKED, counted)


def _failed_again(asked: AskedOrder) -> AskedOrder:
    return replace(asked, failed_reads=asked.failed_reads + 1)


def _asked(order_id: str, text: str) -> AskedOrder:
    """Return the order of a stored text; an earlier version stored no number."""
    since, _, failed_reads = text.partition(" ")
    return AskedOrder(order_id, datetime.fromisoformat(since), int(failed_reads or 0))
