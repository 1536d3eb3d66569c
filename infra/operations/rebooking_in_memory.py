"""Orders that are booked otherwise than the rules would book them now, and what booking them again comes to.

Rows are read from the table, a hundred orders at a time; nothing is stored, and neither Amazon nor Xero is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import batched

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.rebooking import Rebooking
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.replay_planners import rebookings_in_memory
from amazon_to_xero.services.intake.transaction_sweep import read_until
from amazon_to_xero.services.replay.preview_store import PreviewStore

_AT_ONCE = 100  # orders, with their documents


class NotComparable(Exception):
    """Nothing can be compared yet. The message says what to do."""


def booked_otherwise(
    store: StateStore, policy: PostingPolicy, clock: Clock, order_ids: Iterable[str], marketplace_id: str = ""
) -> Iterator[tuple[OrderRecord, Rebooking | None]]:
    """Yield each stored order with how it is booked otherwise; None for one that has nothing to compare.

    marketplace_id: only orders of that marketplace; empty for all.

    Raises NotComparable where Xero's accounts and tax rates have not been read.
    """
    rows = PreviewStore(store)
    rebookings = rebookings_in_memory(policy, clock, partial(read_until, rows), rows)
    if rebookings.unavailable:
        raise NotComparable("Xero's accounts and tax rates have not been read with these settings yet. Try again soon.")
    for chunk in batched(order_ids, _AT_ONCE, strict=False):
        records = store.load(OrderRecord, chunk).values()
        asked = [each for each in records if not marketplace_id or each.marketplace_id == marketplace_id]
        found = rebookings.of(asked)
        yield from ((record, found.get(record.order_id)) for record in asked)
