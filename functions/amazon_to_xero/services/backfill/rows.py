"""The row of a connection's backfills, and what of a backfill is finished by now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.backfill.backfill import Backfill, Backfills, Counts
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.ports.state import RecordStore, StateStore
from amazon_to_xero.services.state_updates import update_records

_KEY = Backfills().key


def load_backfills(store: RecordStore) -> Backfills:
    """Return the backfills of a connection."""
    return store.load(Backfills, [_KEY]).get(_KEY, Backfills())


def update_backfills(store: StateStore, change: Callable[[Backfills], Backfills | None]) -> Backfills | None:
    """Save what `change` makes of the row, again where another writer was faster; None where it changes nothing.

    Raises what `change` raises, and Conflict.
    """

    def changed(stored: Mapping[str, Backfills | None]) -> Iterable[Backfills]:
        row = change(stored[_KEY] or Backfills())
        return [] if row is None else [row]

    return update_records(store, Backfills, [_KEY], changed).get(_KEY)


def tallied(store: RecordStore, backfill: Backfill) -> Backfill:
    """Return the backfill with those of its open orders counted that are finished."""
    if not backfill.open:
        return backfill
    orders = store.load(OrderRecord, backfill.open)
    planned = [order for order in orders.values() if order.state is OrderState.PLANNED]
    documents = store.load(Document, [key for order in planned for key in order.documents]) if planned else {}
    outcomes = {key: _outcome(orders.get(key), documents) for key in backfill.open}
    finished = Counts()
    for outcome in filter(None, outcomes.values()):
        finished = finished.plus(outcome)
    still_open = tuple(key for key, outcome in outcomes.items() if outcome is None)
    return replace(backfill, counts=backfill.counts.plus(finished), open=still_open)


def _outcome(order: OrderRecord | None, documents: Mapping[str, Document]) -> Counts | None:
    """Return as what an order is counted; None while it is not finished."""
    if order is None or order.state is OrderState.FAILED:
        return Counts(failed=1)
    if order.state is OrderState.NOT_INVOICED:
        return Counts(not_invoiced=1)
    if order.state is not OrderState.PLANNED:
        return None
    requested = [documents[key] for key in order.documents if key in documents]
    if any(each.state is DocumentState.FAILED for each in requested):
        return Counts(failed=1)
    # An entry needs nothing more until its day is closed, once a day: a backfill that waited would read as rarely.
    is_done = all(each.state is DocumentState.APPLIED or each.desired.is_entry for each in requested)
    return Counts(in_xero=1) if is_done else None
