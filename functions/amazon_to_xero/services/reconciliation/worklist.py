"""The stored entries of the stock worklist: those of named items, those that are open, and closing one by a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.stock.items import item_key
from amazon_to_xero.domain.stock.worklist import WorklistEntry
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import OPEN_DIFFERENCES, Conflict, StateStore, Watched
from amazon_to_xero.services.state_updates import update_records

_AT_ONCE = 500


class StockWorklist:
    """The worklist of one connection."""

    def __init__(self, store: StateStore, clock: Clock, decisions: DecisionLog) -> None:
        self._store = store
        self._clock = clock
        self._decisions = decisions

    def entries(self, keys: Iterable[str]) -> dict[str, WorklistEntry]:
        """Return the stored entries of these items, by item_key."""
        return self._store.load(WorklistEntry, keys)

    def open_entries(self) -> dict[str, WorklistEntry]:
        """Return the open entries. One that was opened or closed moments ago may be missing or left."""
        keys = [each.key.partition("#")[2] for each in self._watched()]
        return {key: entry for key, entry in self.entries(keys).items() if entry.opened_at is not None}

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

    def _watched(self) -> Iterator[Watched]:
        after: Watched | None = None
        while some := self._store.watched(OPEN_DIFFERENCES, _AT_ONCE, after):
            yield from some
            after = some[-1]
            if len(some) < _AT_ONCE:
                return
