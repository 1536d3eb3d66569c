"""Samples of what each marketplace states of its stock, and what they say about the pools of the settings.

The sweep stores one sample a marketplace, in a cursor, as it may take several runs to read all marketplaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from amazon_to_xero.domain.amazon.stock import StockStatement
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.pools import PoolFinding, StockSample, pool_findings, stock_sample
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.state_updates import update_cursor

_CURSOR = "stock-sample#"  # and a marketplace; it holds when the marketplace was read (UTC), and the sample
_READ_AT, _SAMPLE = "read_at", "sample"
_COMPARABLE = timedelta(hours=6)  # samples that were read further apart differ by what was sold in between


def store_sample(store: StateStore, marketplace: str, statements: Iterable[StockStatement], read_at: datetime) -> None:
    """Store a sample of what was read of a marketplace."""
    sample = canonical_json(dict(stock_sample(statements)))
    update_cursor(store, f"{_CURSOR}{marketplace}", lambda _: {_READ_AT: read_at.isoformat(), _SAMPLE: sample})


def stored_pool_findings(store: StateStore, policy: StockPolicy) -> list[PoolFinding]:
    """Return what the stored samples say about the pools of the settings, as these are now."""
    cursors = store.load(Cursor, [f"{_CURSOR}{each}" for each in policy.marketplaces])
    return pool_findings(_samples(cursors), policy.pools)


def _samples(cursors: Mapping[str, Cursor]) -> Mapping[str, StockSample]:
    """Return the samples, by marketplace, that were read about when the newest of them was."""
    read_at = {name: datetime.fromisoformat(cursor.data[_READ_AT]) for name, cursor in cursors.items()}
    newest = max(read_at.values(), default=None)
    return {
        name.removeprefix(_CURSOR): json.loads(cursor.data[_SAMPLE])
        for name, cursor in cursors.items()
        if newest is not None and newest - read_at[name] <= _COMPARABLE
    }
