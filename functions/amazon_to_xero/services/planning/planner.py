"""Plans due source records: works out which documents each source asks for, and stores the requests.

The same for every kind of source; what differs is given by a `PlannedSource`. Planning needs nothing of Amazon and may
be repeated at any time: requests are stored before the record stops being due, and a source whose documents another
writer changed meanwhile is planned again from what is stored then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched, chain, zip_longest
from typing import Protocol

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.failures import TO_BE_READ_AGAIN, Failure, Finding, WaitReason
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.source import NextStep, SourceRecord
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.dead_letters import RETRY_SEND
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.planning.document_requests import (
    belongs_to_another_source,
    request_documents,
    row_for,
)
from amazon_to_xero.services.planning.series import PlaceOf, RecordSeries, by_itself, in_series, in_turns
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.state_updates import ATTEMPTS
from amazon_to_xero.services.unforeseen import UNFORESEEN
from amazon_to_xero.services.work_report import StepReport

MAX_DUE = 2000
RECORDS_PER_ROUND = 100
RETRY_PLAN = timedelta(minutes=1)


@dataclass(frozen=True)
class PlannedRecord[R: SourceRecord]:
    """The outcome of planning one record.

    record: the record after planning.
    steps: the documents to request, step by step, before the record is saved.
    findings: what is logged for a person and holds nothing back.
    needs_recent_organisation: it depends on lock dates of a period that may have been locked just now.
    order: of an order's record, the order as it was planned: with what its charges answer.
    """

    record: R
    steps: tuple[tuple[DesiredDocument, ...], ...] = ()
    findings: tuple[Finding, ...] = ()
    needs_recent_organisation: bool = False
    order: Order | None = None


class PlannedSource[R: SourceRecord](Protocol):
    """One kind of source, as the planner needs it."""

    @property
    def record_type(self) -> type[R]: ...

    def document_keys(self, record: R) -> set[str]:
        """Return the keys of the documents that its plan usually asks for: looked up for many records at once."""
        ...

    def plan(self, record: R, held: HeldDocuments) -> PlannedRecord[R]:
        """Return the record after planning. Raises Failure for what needs a person; `held` collects what it lacked."""
        ...


class SourcePlanner[R: SourceRecord]:
    """The one way from the records of a kind of source to documents."""

    def __init__(
        self,
        source: PlannedSource[R],
        store: StateStore,
        organisation: OrganisationCache,
        failed_sources: FailedSources,
        clock: Clock,
        on_planned: Callable[[Sequence[PlannedRecord[R]]], None] = lambda plans: None,
        place_of: PlaceOf[R] = by_itself,
    ) -> None:
        """`on_planned` is given what was planned before its records are saved: what follows from a plan is stored.

        place_of: returns which records are planned one after the other, and in which order.
        """
        self._source = source
        self._store = store
        self._organisation = organisation
        self._failed_sources = failed_sources
        self._clock = clock
        self._on_planned = on_planned
        self._place_of = place_of

    def plan_due(
        self, capability: str, named: Sequence[str], deadline: datetime, shown: Sequence[str] | None = None
    ) -> StepReport:
        """Plan a capability's due records, and of `named` those due although the index may not show them yet.

        shown: what the index shows, where that was read just now.

        A failed source ends in its row and in the capability's dead-letter queue, never in an exception.
        """
        now = self._clock.now()
        shown = self._store.due(capability, now, MAX_DUE) if shown is None else shown
        keys = dict.fromkeys([*named, *shown])
        records = self._store.load(self._source.record_type, keys)
        due = [each for each in records.values() if each.is_due(NextStep.PLAN, now) and each.capability == capability]
        in_order = chain.from_iterable(in_series(due, self._place_of).values())
        report = StepReport()
        for chunk in batched(in_order, RECORDS_PER_ROUND, strict=False):
            is_over = self._clock.now() >= deadline
            stopped = WaitReason.OUT_OF_TIME if is_over else self._organisation.unavailable_reason()
            if stopped:
                return report.plus(StepReport(stopped=stopped))
            report = report.plus(self.plan_records(chunk))
        return report

    def plan_records(self, records: Sequence[R]) -> StepReport:
        """Plan these records, whether they are due or not."""
        waiting = {record.key: record for record in records}
        planned: list[PlannedRecord[R]] = []
        changed: list[str] = []
        for _ in range(ATTEMPTS):
            stored_before = {plan.record.source for plan in planned if plan.record.next_attempt_at is None}
            plans, held = self._plans(waiting, stored_before)
            overtaken = self._request(plans, held, changed)
            for key, plan in plans.items():
                if key not in overtaken:
                    planned.append(plan)
                    self._failed_sources.log_findings(plan.record, plan.findings)
            waiting = {key: record for key, record in waiting.items() if key in overtaken}
            if not waiting:
                break
        self._on_planned(planned)
        later = self._clock.now() + RETRY_PLAN
        rows = [*(plan.record for plan in planned), *(record.plan_at(later) for record in waiting.values())]
        # A row that another writer changed meanwhile was read again, and is due or planned by now.
        for row in self._store.save(rows).values():
            self._failed_sources.log(row)
        return StepReport(len(records), documents=tuple(changed))

    # --- what each source asks for ----------------------------------------------------------------------------------

    def _plans(
        self, records: Mapping[str, R], stored_before: set[str]
    ) -> tuple[dict[str, PlannedRecord[R]], dict[str, Document]]:
        """Plan each record against its documents as they are now: loaded in few calls for all records together.

        stored_before: the sources whose requests this run has stored. Returns the plans, and the documents that were
        loaded for them.
        """
        of_series = in_series(records.values(), self._place_of).values()
        every = [RecordSeries(each, planned_before=set(stored_before)) for each in of_series]
        lacking = [(each, {key for row in each.waiting for key in self._source.document_keys(row)}) for each in every]
        plans: dict[str, PlannedRecord[R]] = {}
        while lacking:
            found = self._store.load(Document, dict.fromkeys(key for _, keys in lacking for key in sorted(keys)))
            still_lacking = []
            for series, keys in lacking:
                series.add(keys, found)
                if missing := self._plan_series(series, plans):
                    still_lacking.append((series, missing))
            lacking = still_lacking
        return plans, {key: document for series in every for key, document in series.stored.items()}

    def _plan_series(self, series: RecordSeries[R], plans: dict[str, PlannedRecord[R]]) -> set[str]:
        """Plan one record after the other until one lacks documents; return their keys."""
        while series.waiting:
            record = series.waiting[0]
            visible = series.visible_to(record)
            plan = self._plan(record, visible)
            if plan is None:
                return visible.missing
            plans[record.key] = plan
            series.conclude(plan.record, plan.steps, self._clock.now())
        return set()

    def _plan(self, record: R, held: HeldDocuments) -> PlannedRecord[R] | None:
        """Return None while documents are missing: a failure without having seen them is not final."""
        try:
            plan = self._source.plan(record, held)
        except Failure as failure:
            if held.missing:
                return None
            reprocessing = ORDERS if failure.code in TO_BE_READ_AGAIN else record.capability
            failed = self._failed_sources.fail(record, failure.code, failure.remedy, reprocessing)
            return PlannedRecord(failed or self._fails_later(record))
        except UNFORESEEN as problem:
            if held.missing:
                return None
            failed = self._failed_sources.unreadable(record, problem, record.capability)
            return PlannedRecord(failed or self._fails_later(record))
        return None if held.missing else plan

    def _fails_later(self, record: R) -> R:
        """Plan a record again whose dead letter could not be sent: then its failure is found and sent again."""
        return record.plan_at(self._clock.now() + RETRY_SEND, WaitReason.DEAD_LETTER_NOT_SENT)

    # --- requesting it ----------------------------------------------------------------------------------------------

    def _request(
        self, plans: Mapping[str, PlannedRecord[R]], held: Mapping[str, Document], changed: list[str]
    ) -> set[str]:
        """Store the requests; return the records of which another writer changed a document meanwhile.

        Those after one of them in its series were planned in view of it, so they are returned, too. The requests of one
        record are stored before those of the next: wherever a crash stops it, no row depends on one that is not there.
        """
        documents = dict(held)
        overtaken: set[str] = set()
        series = in_series((plan.record for plan in plans.values()), self._place_of)
        for turn in in_turns(series.values()):
            overtaken_series = {name for name, rows in series.items() if any(row.key in overtaken for row in rows)}
            in_time = [row.key for row in turn if self._place_of(row).series not in overtaken_series]
            overtaken |= {row.key for row in turn} - set(in_time)
            steps = zip_longest(*(plans[key].steps for key in in_time), fillvalue=())
            for step in steps:
                asked_for = dict(zip(in_time, step, strict=True))
                in_step = {key: desired for key, desired in asked_for.items() if key not in overtaken}
                overtaken |= self._request_step(in_step, documents, changed)
        self._retry_failed_contacts(held.values())
        return overtaken

    def _request_step(
        self,
        asked_for: Mapping[str, Sequence[DesiredDocument]],
        documents: dict[str, Document],
        changed: list[str],
    ) -> set[str]:
        """Store what each record asks for in one step; return the records that were overtaken."""
        now = self._clock.now()
        overtaken: set[str] = set()
        requested_by: dict[str, str] = {}
        rows: list[Document] = []
        for record_key, step in asked_for.items():
            for desired in step:
                current = documents.get(desired.key)
                if belongs_to_another_source(desired, current):
                    overtaken.add(record_key)  # stored after the plan looked; the next plan sees it
                    break
                if (row := row_for(desired, current, now)) is not None:
                    requested_by[row.key] = record_key
                    rows.append(row)
        saved = self._store.save(rows) if rows else {}
        documents |= saved
        changed.extend(saved)
        return overtaken | {record_key for key, record_key in requested_by.items() if key not in saved}

    def _retry_failed_contacts(self, documents: Iterable[Document]) -> None:
        """Retry a failed contact with each source that needs it: somebody may have corrected the cause."""
        contacts = (document for document in documents if document.kind is DocumentKind.CONTACT)
        failed = [document.desired for document in contacts if document.state is DocumentState.FAILED]
        if failed:
            request_documents(self._store, self._clock, failed)
