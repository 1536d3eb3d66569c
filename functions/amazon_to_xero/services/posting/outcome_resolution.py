"""Resolves unknown outcomes: looks up in Xero what became of documents before anything is written again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.outcome import after_lookup, after_owner_lookup
from amazon_to_xero.domain.books.refusals import xero_says
from amazon_to_xero.domain.books.xero_change import is_undecided
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroError, XeroRefused, XeroUnavailable
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.contacts import contact_ids, find_contacts
from amazon_to_xero.services.posting.contacts_of_documents import accepted_contact_ids
from amazon_to_xero.services.posting.lookup import find_documents, find_settled, settled_keys
from amazon_to_xero.services.posting.requests import EditReport, SourceRequest
from amazon_to_xero.services.posting.transitions import DocumentTransitions, Transition
from amazon_to_xero.services.unforeseen import UNFORESEEN, place_of
from amazon_to_xero.services.work_report import PostReport

_NO_NUMBER = "no document has this number"


class OutcomeResolution:
    """Looks up documents of one connection."""

    def __init__(
        self,
        xero: XeroApi,
        store: StateStore,
        transitions: DocumentTransitions,
        pauses: Pauses,
        clock: Clock,
        plan_again: SourceRequest = lambda sources: None,
        report_edits: EditReport = lambda documents: None,
    ) -> None:
        """Connect the resolution.

        plan_again: makes sources due for planning: those of invoices that a person is found to have approved or edited.
        report_edits: records what a person is found to have edited of documents before they were changed.
        """
        self._plan_again = plan_again
        self._report_edits = report_edits
        self._xero = xero
        self._store = store
        self._transitions = transitions
        self._pauses = pauses
        self._clock = clock

    def resolve_outcomes(self, kind: DocumentKind, documents: Sequence[Document]) -> PostReport:
        """Look up documents of one kind, at most LOOKUP_SIZE, and save what became of them.

        Xero's faults pause it and end in the report.
        """
        return self._resolve(kind, documents, is_xero_answering=False)

    def _resolve(self, kind: DocumentKind, documents: Sequence[Document], is_xero_answering: bool) -> PostReport:
        """`is_xero_answering`: Xero has just answered another look-up, so that it is not down."""
        look_up = self._look_up_in_owners if DOCUMENT_TYPES[kind].owner else self._look_up
        try:
            transitions = look_up(kind, documents)
        except XeroRefused as problem:
            return self._isolate(kind, documents, partial(Document.unresolved, message=xero_says(problem.message)))
        except XeroUnavailable as problem:
            if not (is_xero_answering or self._answers_another_lookup(kind)):
                return PostReport(stopped=self._pauses.pause_xero(problem, kind)[1])
            now, message = self._clock.now(), xero_says(problem.message)
            return self._isolate(kind, documents, partial(Document.lookup_unanswered, now=now, message=message))
        except XeroError as problem:
            return PostReport(stopped=self._pauses.pause_xero(problem, kind)[1])
        except UNFORESEEN as problem:
            message = f"the look-up cannot be built: {place_of(problem)}"
            return self._isolate(kind, documents, partial(Document.unresolved, message=message))
        report = self._transitions.apply(
            [
                (each, partial(self._unless_it_refers_elsewhere, references=each.desired.references, found=transition))
                for each, transition in transitions
            ]
        )
        self._report_edited([each.key for each in documents if each.is_checked_before_change])
        return report

    def _unless_it_refers_elsewhere(
        self, document: Document, references: Mapping[str, str], found: Transition
    ) -> Document:
        """Look a document up again that refers to other documents by now: what was found says nothing of those.

        references: those that it had when it was looked up.
        """
        if document.desired.references == references:
            return found(document)
        return document.unknown(self._clock.now(), document.reason or WaitReason.OUTCOME_UNKNOWN)

    def _report_edited(self, checked: Sequence[str]) -> None:
        """Record what was edited, and have the sources planned again: they wait until a person has decided."""
        rows = self._store.load(Document, checked).values() if checked else ()
        edited = [row for row in rows if is_undecided(row)]
        if edited:
            self._report_edits(edited)
            self._plan_again(list(dict.fromkeys(row.desired.source for row in edited)))

    def _isolate(self, kind: DocumentKind, documents: Sequence[Document], alone: Transition) -> PostReport:
        """Halve a look-up until the document that spoils it is alone; `alone` is what becomes of that one."""
        if len(documents) == 1:
            return self._transitions.apply([(documents[0], alone)])
        report = PostReport()
        for half in (documents[: len(documents) // 2], documents[len(documents) // 2 :]):
            report = report.plus(self._resolve(kind, half, is_xero_answering=True))
            if report.stopped:
                break
        return report

    def _answers_another_lookup(self, kind: DocumentKind) -> bool:
        """Whether Xero answers the look-up of a number that no document has; if not, it is Xero that is down."""
        spec = DOCUMENT_TYPES[DOCUMENT_TYPES[kind].owner or kind]
        try:
            self._xero.find(spec.collection, spec.number_field, [_NO_NUMBER])
        except XeroError:
            return False
        return True

    def _look_up(self, kind: DocumentKind, documents: Sequence[Document]) -> list[tuple[Document, Transition]]:
        """Look up by Xero's id where it is known, else by number."""
        if kind is DocumentKind.CONTACT:
            return self._look_up_contacts(documents)
        found = find_documents(self._xero, kind, documents)
        ids = contact_ids(self._store, documents)
        checked = [each.as_last_applied() for each in documents if each.is_checked_before_change]
        held = [(each, found[each.key]) for each in checked if each.key in found]
        before = accepted_contact_ids(self._xero, self._store, held) if held else {}
        return [
            (
                each,
                partial(
                    self._after_lookup,
                    element=found.get(each.key),
                    contact_id=ids.get(each.key, ""),
                    contacts_before=before.get(each.key, ()),
                ),
            )
            for each in documents
        ]

    def _look_up_contacts(self, contacts: Sequence[Document]) -> list[tuple[Document, Transition]]:
        found = find_contacts(self._xero, contacts)
        transitions: list[tuple[Document, Transition]] = []
        for contact in contacts:
            held = found.get(contact.key)
            element, survivor = (held.element, held.survivor) if held else (None, None)
            transitions.append((contact, partial(self._after_lookup, element=element, survivor=survivor)))
        return transitions

    def _look_up_in_owners(
        self, kind: DocumentKind, documents: Sequence[Document]
    ) -> list[tuple[Document, Transition]]:
        """Look up documents without a number in the documents that they settle: a payment in the invoice it pays."""
        rows = self._store.load(Document, dict.fromkeys(key for each in documents for key in settled_keys(each)))
        held = find_settled(self._xero, kind, rows)
        transitions: list[tuple[Document, Transition]] = []
        for document in documents:
            owner, *others = (held.get(key) for key in settled_keys(document))
            transitions.append((document, partial(self._after_owner_lookup, owner=owner, others=others)))
        return transitions

    def _after_lookup(
        self,
        document: Document,
        element: Json | None,
        survivor: Mapping[str, object] | None = None,
        contact_id: str = "",
        contacts_before: Collection[str] = (),
    ) -> Document:
        after = after_lookup(document, element, self._clock.now(), survivor, contact_id, contacts_before)
        is_new = after.approved_by_person and not document.approved_by_person
        if is_new and after.state is not DocumentState.FAILED:
            self._plan_again([document.desired.source])
        return self._unless_to_blame(document, after)

    def _after_owner_lookup(self, document: Document, owner: Json | None, others: Sequence[Json | None]) -> Document:
        return self._unless_to_blame(document, after_owner_lookup(document, owner, self._clock.now(), others))

    def _unless_to_blame(self, document: Document, after: Document) -> Document:
        """Fail a document that would be written again although Xero never answers its writes."""
        if document.reason == FailureCode.XERO_ERROR and after.state is DocumentState.PENDING:
            return after.failed(FailureCode.XERO_ERROR, xero_says(document.remedy or "nothing"))
        return after
