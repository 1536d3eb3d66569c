"""Plans due source records: works out which documents each source asks for, and stores the requests.

The same for every kind of source; what differs is given by a `PlannedSource`. Planning needs nothing of Amazon and may
be repeated at any time: requests are stored before the record stops being due, and a source whose documents another
writer changed meanwhile is planned again from what is stored then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Protocol

from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import Failure, Finding, WaitReason
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
    """

    record: R
    steps: tuple[tuple[DesiredDocument, ...], ...] = ()
    findings: tuple[Finding, ...] = ()
    needs_recent_organisation: bool = False


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
    ) -> None:
        """`on_planned` is given what was planned before its records are saved: what follows from a plan is stored."""
        self._source = source
        self._store = store
        self._organisation = organisation
        self._failed_sources = failed_sources
        self._clock = clock
        self._on_planned = on_planned

    def plan_due(self, capability: str, named: Sequence[str], deadline: datetime) -> StepReport:
        """Plan a capability's due records, and of `named` those due although the index may not show them yet.

        A failed source ends in its row and in the capability's dead-letter queue, never in an exception.
        """
        now = self._clock.now()
        keys = dict.fromkeys([*named, *self._store.due(capability, now, MAX_DUE)])
        records = self._store.load(self._source.record_type, keys)
        due = [each for each in records.values() if each.is_due(NextStep.PLAN, now) and each.capability == capability]
        report = StepReport()
        for chunk in batched(due, RECORDS_PER_ROUND, strict=False):
            is_over = self._clock.now() >= deadline
            stopped = WaitReason.OUT_OF_TIME if is_over else self._organisation.unavailable_reason()
            if stopped:
                return report.plus(StepReport(stopped=stopped))
            report = report.plus(self._plan_chunk(chunk))
        return report

    def _plan_chunk(self, records: Sequence[R]) -> StepReport:
        waiting = {record.key: record for record in records}
        planned: list[PlannedRecord[R]] = []
        changed: list[str] = []
        for _ in range(ATTEMPTS):
            plans, held = self._plans(waiting)
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

    def _plans(self, records: Mapping[str, R]) -> tuple[dict[str, PlannedRecord[R]], dict[str, dict[str, Document]]]:
        """Plan each record against its documents as they are now: loaded in few calls for all records together."""
        looked_up: dict[str, set[str]] = {key: set() for key in records}
        held: dict[str, dict[str, Document]] = {key: {} for key in records}
        missing = {key: self._source.document_keys(record) for key, record in records.items()}
        plans: dict[str, PlannedRecord[R]] = {}
        while missing:
            wanted = dict.fromkeys(document for keys in missing.values() for document in sorted(keys))
            found = self._store.load(Document, wanted)
            still_missing: dict[str, set[str]] = {}
            for key, document_keys in missing.items():
                looked_up[key] |= document_keys
                held[key] |= {each: found[each] for each in document_keys if each in found}
                visible = HeldDocuments(records[key].source, held[key], frozenset(looked_up[key]))
                plan = self._plan(records[key], visible)
                if plan is None:
                    still_missing[key] = visible.missing
                else:
                    plans[key] = plan
            missing = still_missing
        return plans, held

    def _plan(self, record: R, held: HeldDocuments) -> PlannedRecord[R] | None:
        """Return None while documents are missing: a failure without having seen them is not final."""
        try:
            plan = self._source.plan(record, held)
        except Failure as failure:
            if held.missing:
                return None
            failed = self._failed_sources.fail(record, failure.code, failure.remedy, record.capability)
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
        self,
        plans: Mapping[str, PlannedRecord[R]],
        held: Mapping[str, Mapping[str, Document]],
        changed: list[str],
    ) -> set[str]:
        """Store the requests step by step; return the records of which another writer changed a document meanwhile."""
        documents = {key: document for of_record in held.values() for key, document in of_record.items()}
        overtaken: set[str] = set()
        for step in range(max((len(plan.steps) for plan in plans.values()), default=0)):
            now = self._clock.now()
            requested_by: dict[str, str] = {}
            rows: list[Document] = []
            for record_key, plan in plans.items():
                for desired in plan.steps[step] if step < len(plan.steps) and record_key not in overtaken else ():
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
            overtaken |= {record_key for key, record_key in requested_by.items() if key not in saved}
        self._retry_failed_contacts(held.values())
        return overtaken

    def _retry_failed_contacts(self, held: Iterable[Mapping[str, Document]]) -> None:
        """Retry a failed contact with each source that needs it: somebody may have corrected the cause."""
        failed = {
            key: document
            for documents in held
            for key, document in documents.items()
            if document.kind is DocumentKind.CONTACT and document.state is DocumentState.FAILED
        }
        if failed:
            request_documents(self._store, self._clock, [document.desired for document in failed.values()])
