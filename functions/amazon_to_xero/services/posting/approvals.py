"""Finds the invoices that a person has approved in Xero, where the settings leave the approval to a person.

Once an hour Xero is asked for the approved invoices that changed since the last time: one call, however many await
approval. Looking each of them up would cost a call for every forty, every hour, until somebody approves them; Xero's
webhooks would need a public endpoint. An approval is found an hour late at most, and never missed: what was changed
since the last complete look-up is read again after an outage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.outcome import after_lookup, is_approved_by_person
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import MAX_PAGE, XeroApi, XeroError
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.requests import SourceRequest
from amazon_to_xero.services.posting.transitions import DocumentTransitions
from amazon_to_xero.services.state_updates import update_cursor

CURSOR = "approvals"
EVERY = timedelta(hours=1)
_FIRST = timedelta(days=1)  # how far back the first look-up goes
_OVERLAP = timedelta(minutes=5)  # Xero's clock is not ours


class Approvals:
    """The approvals of one connection."""

    def __init__(
        self,
        xero: XeroApi,
        store: StateStore,
        transitions: DocumentTransitions,
        pauses: Pauses,
        plan_again: SourceRequest,
        clock: Clock,
        *,
        is_needed: bool,
    ) -> None:
        """`plan_again` makes sources due for planning; `is_needed` says whether a person approves invoices at all."""
        self._xero = xero
        self._store = store
        self._transitions = transitions
        self._pauses = pauses
        self._plan_again = plan_again
        self._clock = clock
        self._is_needed = is_needed

    def find_due(self, deadline: datetime) -> None:
        """Record what was approved since the last time, if that is an hour ago, and have its orders planned.

        Xero's faults pause it; what was not read completely is read again.
        """
        if not self._is_needed:
            return
        began, cursor = self._clock.now(), self._store.cursor(CURSOR)
        since = datetime.fromisoformat(cursor.data["since"]) if cursor.data else began - _FIRST
        is_early = bool(cursor.data) and began < since + EVERY
        if is_early or began >= deadline or self._pauses.until("xero"):
            return
        try:
            is_complete = self._read_pages(since - _OVERLAP, deadline)
        except XeroError as problem:
            self._pauses.pause_xero(problem, DocumentKind.INVOICE)
            return
        if is_complete:
            update_cursor(self._store, CURSOR, lambda _: {"since": began.isoformat()})

    def _read_pages(self, since: datetime, deadline: datetime) -> bool:
        """Read the pages; return whether all of them were read before the deadline."""
        page = 1
        while self._clock.now() < deadline:
            elements = self._xero.approved_since(since, page)
            self._record(elements)
            if len(elements) < MAX_PAGE:
                return True
            page += 1
        return False

    def _record(self, elements: Sequence[Json]) -> None:
        """Record the approvals among these invoices, and have the orders planned whose invoices can be paid."""
        by_key = {document_key(DocumentKind.INVOICE, str(each.get("InvoiceNumber"))): each for each in elements}
        documents = self._store.load(Document, by_key) if by_key else {}
        transitions = [
            (each, partial(after_lookup, element=by_key[key], now=self._clock.now()))
            for key, each in documents.items()
            if _is_new(each, by_key[key])
        ]
        self._transitions.apply(transitions)
        agreed = [each for each, approved in transitions if approved(each).state is not DocumentState.FAILED]
        self._plan_again(list(dict.fromkeys(each.desired.source for each in agreed)))


def _is_new(document: Document, element: Json) -> bool:
    """Whether a person has approved the document since, or has corrected the total with which it was approved."""
    if not document.approved_by_person:
        return is_approved_by_person(document, element)
    has_other_total = document.state is DocumentState.FAILED and document.reason == FailureCode.APPROVED_TOTAL_DIFFERS
    return has_other_total and element.get("Total") == document.desired.total
