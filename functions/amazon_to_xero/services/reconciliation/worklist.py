"""The stored entries of the stock worklist: those of named items, those that are open, and closing one by a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.stock.items import item_key
from amazon_to_xero.domain.stock.worklist import EntryState, WorklistEntry
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import OPEN_DIFFERENCES, Conflict, StateStore
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.watched import watched_keys


def open_entries(store: StateStore) -> list[WorklistEntry]:
    """Return the open entries, the largest differences first. One that was opened moments ago may be missing."""
    entries = store.load(WorklistEntry, watched_keys(store, OPEN_DIFFERENCES)).values()
    return sorted(
        (each for each in entries if each.state is EntryState.OPEN), key=lambda each: (-abs(each.difference), each.key)
    )


class StockWorklist:
    """The worklist of one connection."""

    def __init__(self, store: StateStore, clock: Clock, decisions: DecisionLog) -> None:
        self._store = store
        self._clock = clock
        self._decisions = decisions

    def entries(self, keys: Iterable[str]) -> dict[str, WorklistEntry]:
        """Return the stored entries of these items, by item_key."""
        return self._store.load(WorklistEntry, keys)

    def close(self, code: str, word: str) -> WorklistEntry:
        """Close the entry of an item, named by its code or its SKU, with a word. Raises Failure."""
        key = item_key(code)

        def closed(stored: Mapping[str, WorklistEntry | None]) -> Iterator[WorklistEntry]:
            entry = stored[key]
            if entry is None:
                remedy = f"The worklist has no item {code[:60]}. List the open entries with `stock worklist`."
                raise Failure(FailureCode.WORKLIST_NOT_CHANGED, remedy)
            yield entry.closed(word, self._clock.now())

        try:
            saved = update_records(self._store, WorklistEntry, [key], closed)[key]
        except Conflict:
            remedy = "The entry was changed at this moment. Try again."
            raise Failure(FailureCode.WORKLIST_NOT_CHANGED, remedy) from None
        self._decisions.record("WORKLIST_ENTRY_CLOSED", reason=saved.finding, item=saved.code)
        return saved
