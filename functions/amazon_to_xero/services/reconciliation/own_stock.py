"""The seller's own stock, as Amazon has stated the quantities of merchants' offers; see inventory_alerts."""

from __future__ import annotations

from itertools import batched

from amazon_to_xero.domain.amazon.stock import StockStatement
from amazon_to_xero.domain.stock.record import StockRecord
from amazon_to_xero.ports.state import OWN_STOCK, StateStore
from amazon_to_xero.services.watched import watched_keys

_AT_ONCE = 500  # rows: their content is in memory only until its latest statement is found


def own_stock(store: StateStore) -> list[StockStatement]:
    """Return the latest statement of each level of own stock, also one that is not concluded yet.

    A level of which Amazon has stated no quantity is missing: it is unknown, and not zero.
    """
    found: list[StockStatement] = []
    for keys in batched(watched_keys(store, OWN_STOCK), _AT_ONCE, strict=False):
        for record in store.load(StockRecord, keys).values():
            collected = [each.statement for each in record.collected]
            known = [*collected, record.latest] if record.latest else collected
            found += [max(known, key=lambda each: each.order)] if known else []
    return found
