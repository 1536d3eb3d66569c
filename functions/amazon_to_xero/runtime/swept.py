"""How far a connection has read Amazon, from the rows of its sweeps and of its backfills."""

from __future__ import annotations

from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.backfill.rows import load_backfills
from amazon_to_xero.services.intake.sweep_cursor import CURSOR as ORDER_SWEEP
from amazon_to_xero.services.intake.sweep_cursor import watermark
from amazon_to_xero.services.intake.transaction_sweep import CURSOR as TRANSACTION_SWEEP
from amazon_to_xero.services.planning.confirmations import Swept


def swept(store: StateStore) -> Swept:
    """Return how far the sweeps are, and what the latest backfill may still read."""
    cursors = store.load(Cursor, [ORDER_SWEEP, TRANSACTION_SWEEP])
    orders, transactions = (cursors.get(name, Cursor(name)) for name in (ORDER_SWEEP, TRANSACTION_SWEEP))
    latest = load_backfills(store).latest
    backfilled = None if latest is None else latest.awaited_charges
    return Swept(watermark(orders), watermark(transactions), backfilled)
