"""The days of one connection, from their entries to the list of orders at their documents: what is due of each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.numbering import is_day_number
from amazon_to_xero.domain.planning.closed_day import ClosedDay, DayState
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.planning.day_closings import DayClosings
from amazon_to_xero.services.planning.planner import MAX_DUE, SourcePlanner
from amazon_to_xero.services.posting.day_lists import DayLists
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.work_report import StepReport


@dataclass(frozen=True)
class ClosedDays:
    """What closes days, plans their documents, and attaches their lists.

    unavailable: returns why nothing can be planned at the moment; empty where it can.
    max_due: how many due records are looked for at once: all entries of a day are closed together.
    """

    store: StateStore
    closings: DayClosings
    planner: SourcePlanner[ClosedDay]
    lists: DayLists
    unavailable: Callable[[], str]
    clock: Clock
    max_due: int = MAX_DUE

    def work_due(self, keys: Sequence[str], deadline: datetime) -> StepReport:
        """Do what is due of each day.

        keys: those that are due of the shipments capability, among others those of entries and of closed days.
        """
        keys = [key for key in keys if is_of_days(key)]
        if not keys:
            return StepReport()
        if stopped := self.unavailable():
            return StepReport(stopped=stopped)
        closed = self._close(keys, deadline)
        days = self._days([*keys, *closed])
        now = self.clock.now()
        planned = self.planner.plan_records([each for each in days if each.is_due(NextStep.PLAN, now)])
        attached = self.lists.attach((each for each in days if each.is_due_in(DayState.PLANNED, now)), deadline)
        return StepReport(len(closed) + attached).plus(planned)

    def _close(self, keys: Sequence[str], deadline: datetime) -> list[str]:
        """Finish the closings that were begun, then close what else is due; return the numbers of the days."""
        now = self.clock.now()
        begun = [each for each in self._days(keys) if each.is_due_in(DayState.CLOSING, now)]
        return [*self.closings.finish(begun), *self.closings.close([key for key in keys if _is_entry(key)], deadline)]

    def _days(self, keys: Sequence[str]) -> list[ClosedDay]:
        numbers = dict.fromkeys(key for key in keys if not _is_entry(key))
        return list(self.store.load(ClosedDay, numbers).values()) if numbers else []

    def reprocess(self, numbers: Sequence[str]) -> None:
        """Plan closed days again because a person asks, or the poster does. Raises Conflict."""

        def again(stored: Mapping[str, ClosedDay | None]) -> Iterable[ClosedDay]:
            return [day.reprocessed(self.clock.now()) for day in stored.values() if day is not None]

        update_records(self.store, ClosedDay, numbers, again)


def is_of_days(key: str) -> bool:
    """Whether what is due under this key is an entry or a closed day, and not an order."""
    return _is_entry(key) or is_day_number(key)


def _is_entry(key: str) -> bool:
    return key.startswith(tuple(f"{kind}#" for kind in DocumentKind))
