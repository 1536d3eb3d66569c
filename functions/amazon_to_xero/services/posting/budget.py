"""Every call to Xero within the connection's limits: the budget is taken before, corrected by Xero's headers after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

from pydantic import TypeAdapter

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.call_budget import APP_RESERVE, CallBudget, Limits, NotNow
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.ports.xero import Outcome, XeroApi, XeroLimits, XeroRateLimited

_NAME = "xero-budget"
_STORED = TypeAdapter(CallBudget)
_TRIES = 20
_READS_OF_ORGANISATION = 4
# The last of a day's calls are for what makes the books right; payments can follow the next day, on the same date.
PERCENT_OF_DAY = {"Payments": 90}


class BudgetedXero:
    """ports.XeroApi around another. Raises XeroRateLimited without calling when there is no budget.

    One row per connection holds the budget; a worker that dies leaves at worst a slot that lapses by itself.
    """

    def __init__(self, xero: XeroApi, store: StateStore, clock: Clock, limits: Limits, owner: str) -> None:
        self._xero = xero
        self._store = store
        self._clock = clock
        self._limits = limits
        self._owner = owner
        self._calls = 0

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        percent = PERCENT_OF_DAY.get(collection, 100)
        call = partial(self._xero.create, collection, elements, idempotency_key)
        return self._within(f"create{collection}", call, percent=percent)

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        percent = PERCENT_OF_DAY.get(collection, 100)
        call = partial(self._xero.update, collection, elements, idempotency_key)
        return self._within(f"update{collection}", call, percent=percent)

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        return self._within(f"get{collection}", lambda: self._xero.find(collection, field, values))

    def organisation(self) -> Organisation:
        return self._within("getOrganisation", self._xero.organisation, calls=_READS_OF_ORGANISATION)

    def limits(self) -> XeroLimits:
        return self._xero.limits()

    def _within[Answer](self, operation: str, call: Callable[[], Answer], calls: int = 1, percent: int = 100) -> Answer:
        slot = self._take(operation, calls, percent)
        try:
            return call()
        finally:
            self._give_back(slot)

    def _take(self, operation: str, calls: int, percent: int) -> str:
        self._calls += 1
        slot = f"{self._owner}#{self._calls}"
        for _ in range(_TRIES):
            row = self._store.cursor(_NAME)
            budget: CallBudget | NotNow = _STORED.validate_json(row.data["json"]) if row.data else CallBudget()
            now = self._clock.now()
            for _ in range(calls):
                if isinstance(budget, CallBudget):
                    budget = budget.take(slot, self._limits, now, percent)
            if isinstance(budget, NotNow):
                raise XeroRateLimited(operation, budget.problem, max(timedelta(seconds=1), budget.until - now))
            with suppress(Conflict):
                self._store.save_cursor(Cursor(_NAME, {"json": _STORED.dump_json(budget).decode()}, row.generation))
                return slot
        raise XeroRateLimited(operation, "concurrent", timedelta(seconds=5))

    def _give_back(self, slot: str) -> None:
        """Frees the slot and learns from the headers. Best effort: without it the slot lapses by itself."""
        said = self._xero.limits()
        minute_left = said.minute_remaining
        if said.app_minute_remaining is not None and said.app_minute_remaining < APP_RESERVE:
            minute_left = 0  # the app as a whole is at its limit: this connection stands back for a minute
        for _ in range(3):
            row = self._store.cursor(_NAME)
            if not row.data:
                return
            budget = _STORED.validate_json(row.data["json"])
            after = budget.done(slot, self._limits, self._clock.now(), minute_left, said.day_remaining)
            with suppress(Conflict):
                self._store.save_cursor(Cursor(_NAME, {"json": _STORED.dump_json(after).decode()}, row.generation))
                return
