"""Hints become durable: after `note` returns, an order that was spoken of will be read, whatever crashes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from amazon_to_xero.domain.amazon.order_record import OrderFact, Wants
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import Journal
from amazon_to_xero.ports.state import Conflict, StateStore

_TRIES = 5


@dataclass(frozen=True)
class Hint:
    """Somebody said at `at` (UTC) that something about this order may have changed."""

    order_id: str
    at: datetime


class OrderIntake:
    """Writes hints into the order rows. At least once; the same hint twice changes nothing."""

    def __init__(self, store: StateStore, clock: Clock, journal: Journal) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal

    def note(self, hints: Sequence[Hint]) -> list[str]:
        """The ids of orders that want reading now. Raises Conflict when other writers won five times in a row."""
        newest: dict[str, datetime] = {}
        for hint in hints:
            newest[hint.order_id] = max(hint.at, newest.get(hint.order_id, hint.at))
        waiting: Mapping[str, datetime] = newest
        due: list[str] = []
        for _ in range(_TRIES):
            now = self._clock.now()
            known = self._store.orders(waiting)
            changed: list[OrderFact] = []
            for order_id, at in waiting.items():
                fact = known.get(order_id) or OrderFact(order_id)
                after = fact.hinted(at, now)
                if after is not None:
                    changed.append(after)
                elif fact.due_at is not None:
                    due.append(order_id)
                else:
                    self._journal.note("HINT_ALREADY_ANSWERED", order_id=order_id)
            saved = self._store.save_orders(changed)
            due.extend(saved)
            waiting = {fact.order_id: waiting[fact.order_id] for fact in changed if fact.order_id not in saved}
            if not waiting:
                return due
        raise Conflict(f"{len(waiting)} order rows kept changing while hints were written")

    def note_shipments(self, order_ids: Sequence[str], again: Collection[str] = ()) -> list[str]:
        """The ids of the orders that want booking now, told by an event; those `again` in any case: a person asks.

        An event is no news: the order's row has wanted booking since before it was sent. Of an order that is not known,
        or was never read, it is a hint like any other. Raises Conflict as `note` does.
        """
        waiting = list(dict.fromkeys(order_ids))
        due: list[str] = []
        for _ in range(_TRIES):
            now = self._clock.now()
            known = self._store.orders(waiting)
            unread = [each for each in waiting if each not in known or known[each].content is None]
            if unread:
                self.note([Hint(order_id, now) for order_id in unread])
            changed: list[OrderFact] = []
            for order_id in waiting:
                fact = known.get(order_id)
                if fact is None or order_id in unread:
                    continue
                if fact.due_at is None and order_id in again:
                    changed.append(fact.to_be_booked(now))
                elif fact.due_at is None:
                    self._journal.note("HINT_ALREADY_ANSWERED", order_id=order_id)
                elif fact.wants is Wants.BOOKING:
                    due.append(order_id)
            saved = self._store.save_orders(changed)
            due.extend(saved)
            waiting = [fact.order_id for fact in changed if fact.order_id not in saved]
            if not waiting:
                return due
        raise Conflict(f"{len(waiting)} order rows kept changing while their booking was asked for")
