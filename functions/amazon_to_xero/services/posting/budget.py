"""Every call to Xero stays within the connection's limits: counted before it is made, corrected by Xero's headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from pydantic import TypeAdapter

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.call_budget import APP_RESERVE, CallBudget, LimitReached, Limits
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.ports.xero import Outcome, XeroApi, XeroLimits, XeroRateLimited
from amazon_to_xero.services.state_updates import update_cursor

BUDGET = "xero-budget"
_STORED = TypeAdapter(CallBudget)
_ATTEMPTS = 20  # the row is written before and after each call of every worker
_READS_OF_ORGANISATION = 4
# The last of a day's calls are for what makes the books right; what settles it can follow the next day.
PERCENT_OF_DAY = {"Payments": 90, "Allocations": 90, "Attachments": 90}


class BudgetedXero:
    """ports.XeroApi around another. Raises XeroRateLimited without calling when there is no budget.

    One row per connection holds the budget. A worker that dies leaves at worst a slot, which expires by itself.
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

    def lookup_groups(self, collection: str, field: str, values: Sequence[str]) -> list[list[str]]:
        return self._xero.lookup_groups(collection, field, values)

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        return self._within(f"get{collection}", lambda: self._xero.find(collection, field, values))

    def approved_since(self, since: datetime, page: int) -> list[Json]:
        return self._within("getInvoices", lambda: self._xero.approved_since(since, page))

    def changed_since(self, collection: str, since: datetime, page: int) -> list[Json]:
        return self._within(f"get{collection}", lambda: self._xero.changed_since(collection, since, page))

    def attach(self, collection: str, document_id: str, file_name: str, content: bytes, idempotency_key: str) -> None:
        call = partial(self._xero.attach, collection, document_id, file_name, content, idempotency_key)
        self._within("createAttachments", call, percent=PERCENT_OF_DAY["Attachments"])

    def attachments(self, collection: str, document_id: str) -> list[Json]:
        return self._within("getAttachments", lambda: self._xero.attachments(collection, document_id))

    def organisation(self) -> Organisation:
        return self._within("getOrganisation", self._xero.organisation, calls=_READS_OF_ORGANISATION)

    def items(self) -> list[XeroItem]:
        return self._within("getItems", self._xero.items)

    def limits(self) -> XeroLimits:
        return self._xero.limits()

    def _within[Answer](self, operation: str, call: Callable[[], Answer], calls: int = 1, percent: int = 100) -> Answer:
        slot = self._take(operation, calls, percent)
        is_executed = False
        try:
            answer = call()
            is_executed = True
        finally:
            self._give_back(slot, is_executed)
        return answer

    def _take(self, operation: str, calls: int, percent: int) -> str:
        """Take the calls from the budget; return the slot that they occupy. Raises XeroRateLimited."""
        self._calls += 1
        slot = f"{self._owner}#{self._calls}"

        def taken(cursor: Cursor) -> Mapping[str, str]:
            budget = budget_of(cursor)
            now = self._clock.now()
            for _ in range(calls):
                after = budget.take(slot, self._limits, now, percent)
                if isinstance(after, LimitReached):
                    raise XeroRateLimited(operation, after.problem, max(timedelta(seconds=1), after.until - now))
                budget = after
            return _encoded(budget)

        try:
            update_cursor(self._store, BUDGET, taken, attempts=_ATTEMPTS)
        except Conflict:
            raise XeroRateLimited(operation, "concurrent", timedelta(seconds=5)) from None
        return slot

    def _give_back(self, slot: str, is_executed: bool) -> None:
        """Free the slot and correct the budget by Xero's headers. Best effort: otherwise the slot expires by itself."""
        reported = self._xero.limits()
        minute_left = reported.minute_remaining
        if reported.app_minute_remaining is not None and reported.app_minute_remaining < APP_RESERVE:
            minute_left = 0  # the app as a whole is at its limit: this connection makes no calls for a minute

        def given_back(cursor: Cursor) -> Mapping[str, str] | None:
            if not cursor.data:
                return None
            now = self._clock.now()
            before, day_left = budget_of(cursor), reported.day_remaining
            return _encoded(before.done(slot, self._limits, now, minute_left, day_left, is_executed))

        with suppress(Conflict):
            update_cursor(self._store, BUDGET, given_back, attempts=3)


def budget_of(cursor: Cursor) -> CallBudget:
    """Return the budget that the cursor BUDGET holds."""
    return _STORED.validate_json(cursor.data["json"]) if cursor.data else CallBudget()


def _encoded(budget: CallBudget) -> Mapping[str, str]:
    return {"json": _STORED.dump_json(budget).decode()}
