"""Resolves unknown outcomes: looks up in Xero what became of documents before anything is written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.outcome import after_lookup, after_owner_lookup
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroError
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.transitions import DocumentTransitions, Transition
from amazon_to_xero.services.work_report import PostReport


class OutcomeResolution:
    """Looks up documents of one connection."""

    def __init__(
        self,
        xero: XeroApi,
        store: StateStore,
        transitions: DocumentTransitions,
        pauses: Pauses,
        clock: Clock,
    ) -> None:
        self._xero = xero
        self._store = store
        self._transitions = transitions
        self._pauses = pauses
        self._clock = clock

    def resolve_outcomes(self, kind: DocumentKind, documents: Sequence[Document]) -> PostReport:
        """Look up documents of one kind, at most LOOKUP_SIZE, and save what became of them.

        Xero's faults pause it and end in the report.
        """
        try:
            transitions = (
                self._look_up_in_owners(kind, documents)
                if DOCUMENT_TYPES[kind].owner
                else self._look_up(kind, documents)
            )
        except XeroError as problem:
            return PostReport(stopped=self._pauses.pause_xero(problem, kind)[1])
        return self._transitions.apply(transitions)

    def _look_up(self, kind: DocumentKind, documents: Sequence[Document]) -> list[tuple[Document, Transition]]:
        """Look up by Xero's id where it is known, else by number; a contact whose name is taken also by its name."""
        spec = DOCUMENT_TYPES[kind]
        ids = [document.xero_id for document in documents if document.exists_in_xero]
        numbers = [document.desired.number for document in documents if not document.exists_in_xero]
        names = [_name(document) for document in documents if _is_name_taken(document)]
        by_id = self._find(spec.collection, spec.id_field, ids)
        by_number = self._find(spec.collection, spec.number_field, numbers)
        by_name = self._find(spec.collection, "Name", names)
        transitions: list[tuple[Document, Transition]] = []
        for document in documents:
            element = by_id.get(document.xero_id) if document.exists_in_xero else by_number.get(document.desired.number)
            if element is None and _is_name_taken(document):
                element = by_name.get(_name(document))
            transitions.append((document, partial(after_lookup, element=element, now=self._clock.now())))
        return transitions

    def _look_up_in_owners(
        self, kind: DocumentKind, documents: Sequence[Document]
    ) -> list[tuple[Document, Transition]]:
        """Look up documents without a number in the documents that own them: a payment in the invoice it pays."""
        spec = DOCUMENT_TYPES[kind]
        assert spec.owner is not None  # noqa: S101  # the caller has checked it
        owner_spec = DOCUMENT_TYPES[spec.owner]
        owner_keys = {document.key: document.desired.references[spec.owner_path] for document in documents}
        owners = self._store.load(Document, owner_keys.values())
        ids = {key: owner.xero_id for key, owner in owners.items() if owner.exists_in_xero}
        by_id = self._find(owner_spec.collection, owner_spec.id_field, list(ids.values()))
        transitions: list[tuple[Document, Transition]] = []
        for document in documents:
            owner = by_id.get(ids.get(owner_keys[document.key], ""))
            transitions.append((document, partial(after_owner_lookup, owner=owner, now=self._clock.now())))
        return transitions

    def _find(self, collection: str, field: str, values: Sequence[str]) -> Mapping[str, Json]:
        found = self._xero.find(collection, field, values) if values else []
        return {str(element.get(field)): element for element in found}


def _is_name_taken(document: Document) -> bool:
    return document.reason == FailureCode.CONTACT_NAME_TAKEN


def _name(document: Document) -> str:
    return str(document.desired.body["Name"])
