"""Attaches the list of orders to the documents of a closed day, as soon as Xero holds them.

A file of the same name replaces the one before (Xero: Attachments), and the list of a closed day never changes: written
twice, there is one. After a call whose answer was lost, the document's attachments are read before it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.canonical import content_hash
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.planning.closed_day import RETRY_ATTACHING, ClosedDay
from amazon_to_xero.domain.planning.day_csv import csv_name, day_csv
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroError, XeroNotAuthorised, XeroOutcomeUnknown, XeroRefused
from amazon_to_xero.services.dead_letters import RETRY_SEND
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.pauses import ATTACHMENT, Pauses
from amazon_to_xero.services.posting.refused_operations import is_refused_alone, remedy_of_refused
from amazon_to_xero.services.unforeseen import UNFORESEEN, place_of

MAX_BYTES = 10_000_000  # Xero: of one attachment
_CLAIM = timedelta(minutes=3)  # longer than a function lives; see document.CLAIM_DURATION
_MAX_ATTEMPTS = 12  # in vain: about half an hour, without the pauses of Xero


class DayLists:
    """The lists of one connection's closed days."""

    def __init__(
        self,
        xero: XeroApi,
        store: StateStore,
        organisation: Callable[[], Organisation],
        failed_sources: FailedSources,
        pauses: Pauses,
        clock: Clock,
    ) -> None:
        self._xero = xero
        self._store = store
        self._organisation = organisation
        self._failed_sources = failed_sources
        self._pauses = pauses
        self._clock = clock

    def attach(self, days: Iterable[ClosedDay], deadline: datetime) -> int:
        """Attach what can be attached; return how many days were finished. Xero's faults end in pauses and rows."""
        finished = 0
        for day in days:
            if self._clock.now() >= deadline or self._pauses.until("xero"):
                break
            if later := self._pauses.until(f"xero#{ATTACHMENT}"):
                self._save(day.plan_at(later, WaitReason.XERO_SHARE_LIMIT))
                continue
            try:
                finished += self._attach(day)
            except XeroOutcomeUnknown:
                break  # Xero may be down: the others wait for the next run
        return finished

    def _attach(self, day: ClosedDay) -> bool:
        kinds = (f"{DocumentKind.INVOICE}#", f"{DocumentKind.CREDIT_NOTE}#")
        keys = [key for key in day.documents if key.startswith(kinds) and key not in day.attached]
        documents = self._store.load(Document, keys)
        for key in keys:
            document = documents.get(key)
            if document is not None and document.desired.tombstone:
                continue  # it was entered again under another number
            if document is None or document.state is not DocumentState.APPLIED or not document.xero_id:
                # One that failed is on the list of failures: reprocessed, its day is planned and attached again.
                is_failed = document is not None and document.state is DocumentState.FAILED
                later = None if is_failed else self._clock.now() + RETRY_ATTACHING
                self._save(day.plan_at(later, WaitReason.WAITING_FOR_REFERENCE))
                return False
            after = self._attach_to(document, day)
            if after is None:
                return False
            day = after
        self._save(replace(day, next_attempt_at=None))
        return True

    def _attach_to(self, document: Document, day: ClosedDay) -> ClosedDay | None:
        """Return the stored row with the document's list attached; None where it is not. Raises XeroOutcomeUnknown."""
        claimed = self._save(replace(day, attempts=day.attempts + 1, next_attempt_at=self._clock.now() + _CLAIM))
        if claimed is None:
            return None  # another worker is about to attach it
        try:
            self._write(document, claimed)
        except XeroOutcomeUnknown as problem:
            if claimed.attempts >= _MAX_ATTEMPTS:
                self._fail(claimed, f"Xero does not answer ({problem.message}).")
                return None
            raise
        except XeroRefused as problem:
            self._fail(claimed, f"Xero refuses it: {problem.message}.")
            return None
        except XeroNotAuthorised as problem:
            if is_refused_alone(self._xero, "Attachments"):
                self._fail(claimed, remedy_of_refused("Attachments", problem.message))
            else:
                self._pause(claimed, problem)
            return None
        except XeroError as problem:
            self._pause(claimed, problem)
            return None
        except UNFORESEEN as problem:
            self._fail(claimed, f"It cannot be made ({place_of(problem)}). Report this as a defect.")
            return None
        return self._save(claimed.with_attached(document.key))

    def _write(self, document: Document, day: ClosedDay) -> None:
        collection, name = DOCUMENT_TYPES[document.kind].collection, csv_name(document.desired.number)
        entries = self._store.load(Document, day.entries).values()
        content = day_csv((each.desired for each in entries), self._organisation())
        if len(content) > MAX_BYTES:
            raise XeroRefused("attach", None, f"the list of orders has {len(content)} bytes")
        if day.attempts > 1:
            held = self._xero.attachments(collection, document.xero_id)
            if any(each.get("FileName") == name and each.get("ContentLength") == len(content) for each in held):
                return
        key = content_hash({"day": day.number, "document": document.key, "attempt": day.attempts})
        self._xero.attach(collection, document.xero_id, name, content, key)

    def _pause(self, day: ClosedDay, problem: XeroError) -> None:
        """Nothing was executed: the attempt does not count, and is made again after the pause."""
        until, reason = self._pauses.pause_xero(problem, ATTACHMENT)
        self._save(replace(day.plan_at(until, reason), attempts=day.attempts - 1))

    def _fail(self, day: ClosedDay, problem: str) -> None:
        code = FailureCode.DAY_LIST_NOT_ATTACHED
        remedy = f"The list of orders of {day.number} is not attached. {problem}"
        failed = self._failed_sources.fail(day, code, remedy, day.capability)
        later = day.plan_at(self._clock.now() + RETRY_SEND, WaitReason.DEAD_LETTER_NOT_SENT)
        row = self._save(failed or later)
        if row is not None:
            self._failed_sources.log(row)

    def _save(self, day: ClosedDay) -> ClosedDay | None:
        return self._store.save([day]).get(day.key)
