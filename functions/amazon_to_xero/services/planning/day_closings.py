"""Closes days: decides which entries are stated together, once, whatever crashes; then plans their documents.

The entries of a closing are first listed, each with the generation of its row; then each is claimed from exactly that
generation. An entry that its source changed in between cannot be claimed by any worker, and waits for the next closing.
So an entry is stated in one closed day or in none, and what was claimed is known from the rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched, count

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.numbering import day_number
from amazon_to_xero.domain.planning.closed_day import ClosedDay, DayTerms, by_terms
from amazon_to_xero.domain.planning.day_plan import plan_day
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PostingPlan
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.planning.fresh_organisation import plan_with_organisation
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

#: Entries of one closed day: their keys fit into its row, and their list into one attachment.
MAX_ENTRIES = 2000
_NUMBERS_PER_READ = 10


class DayClosings:
    """The closings of one connection."""

    def __init__(self, policy: PostingPolicy, store: StateStore, failed_sources: FailedSources, clock: Clock) -> None:
        self._prefix = policy.invoice_prefix
        self._store = store
        self._failed_sources = failed_sources
        self._clock = clock

    def close(self, keys: Sequence[str], deadline: datetime) -> list[str]:
        """Close the days of what is due among these entries; return the numbers of the days that were closed.

        What the deadline or a faster worker leaves stays due.
        """
        now = self._clock.now()
        documents = self._store.load(Document, keys).values()
        due = [each for each in documents if each.desired.is_entry and each.is_due(now) and not each.closed_in]
        closed: list[str] = []
        for terms, entries in by_terms(due).items():
            for some in batched(entries, MAX_ENTRIES, strict=False):
                if self._clock.now() < deadline and (begun := self._begin(terms, some)) is not None:
                    closed.extend(self.finish([begun]))
        return closed

    def _begin(self, terms: DayTerms, entries: Iterable[Document]) -> ClosedDay | None:
        """Store the list of the entries under the next number; None where another worker has taken that."""
        now = self._clock.now()
        candidates = {each.key: each.generation for each in entries}
        day = ClosedDay(self._next_number(terms), terms, now, candidates, next_attempt_at=now)
        return self._store.save([day]).get(day.key)

    def _next_number(self, terms: DayTerms) -> str:
        country = MARKETPLACES[terms.marketplace_id].country
        for places in batched(count(1), _NUMBERS_PER_READ, strict=False):
            numbers = [day_number(self._prefix, country, terms.day, place) for place in places]
            taken = self._store.load(ClosedDay, numbers)
            if free := [number for number in numbers if number not in taken]:
                return free[0]
        raise AssertionError("numbers do not end")

    def finish(self, begun: Iterable[ClosedDay]) -> list[str]:
        """Claim the entries of days that were begun, by this worker or another; return the numbers of those days."""
        days = list(begun)
        for day in days:
            self._store.save(day.claimed(self._store.load(Document, day.candidates).values()))
            # What is claimed by now is all that will ever be: see above.
            claimed = self._store.load(Document, day.candidates).values()
            for row in self._store.save([day.with_entries(claimed, self._clock.now())]).values():
                self._failed_sources.log(row)
        return [day.number for day in days]


class DayPlans:
    """PlannedSource of closed days."""

    record_type = ClosedDay

    def __init__(self, policy: PostingPolicy, organisation: OrganisationCache, clock: Clock) -> None:
        self._policy = policy
        self._organisation = organisation
        self._clock = clock

    def document_keys(self, record: ClosedDay) -> set[str]:
        return {*record.entries, *record.documents, record.terms.contact}

    def plan(self, record: ClosedDay, held: HeldDocuments) -> PlannedRecord[ClosedDay]:
        """Return the record after planning. Raises Failure."""
        entries = [entry.desired for key in record.entries if (entry := held.referred(key)) is not None]
        policy = self._policy.for_marketplace(record.terms.marketplace_id)
        return plan_with_organisation(
            record,
            self._organisation,
            self._clock,
            lambda organisation: self._planned(record, plan_day(record, entries, held, policy, organisation)),
        )

    def _planned(self, record: ClosedDay, plan: PostingPlan) -> PlannedRecord[ClosedDay]:
        return PlannedRecord(record.planned(plan.documents, self._clock.now()), plan.steps)
