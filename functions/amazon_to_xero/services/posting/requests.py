"""What is sent to Xero for each document: its references resolved to Xero ids, a buyer's details from memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from amazon_to_xero.domain.books.contact import as_sent
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.outcome import settlement_not_removable
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.failures import FAILURES, FailureCode, WaitReason
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.posting.batches import PostingRequest
from amazon_to_xero.services.posting.transitions import DocumentTransitions, Transition, unforeseen
from amazon_to_xero.services.unforeseen import UNFORESEEN
from amazon_to_xero.services.work_report import PostReport

_REFERENCE_RETRY = timedelta(minutes=1)
_BUYER_RETRY = timedelta(minutes=15)
_MAX_REFERENCE_WAIT = timedelta(hours=1)
_MAX_READS_FOR_BUYER = 3
MAX_REFERENCE_WAITS = 12  # about six hours

type BuyerDetailsLookup = Callable[[str, str], Mapping[str, Any] | None]  # contact number, digest -> details
type SourceRequest = Callable[[Sequence[str]], object]  # keys of sources
type EditReport = Callable[[Sequence[Document]], object]  # rows that a person is found to have edited in Xero
type ReadRequest = Callable[[Sequence[str]], Collection[str]]  # keys of sources -> those that Amazon does not return


class RequestBuilder:
    """Builds the requests of one connection; documents that cannot be sent yet are deferred or fail."""

    def __init__(
        self,
        store: StateStore,
        transitions: DocumentTransitions,
        buyer_details: BuyerDetailsLookup,
        read_again: ReadRequest,
        plan_again: SourceRequest,
        clock: Clock,
    ) -> None:
        """Connect the builder.

        read_again: makes sources due for reading, those whose buyers' details are not in memory; returns the keys of
            those that have failed because Amazon does not return them.
        plan_again: makes sources due for planning: those whose documents wait for one that was never requested.
        """
        self._store = store
        self._transitions = transitions
        self._buyer_details = buyer_details
        self._read_again = read_again
        self._plan_again = plan_again
        self._clock = clock

    def build(self, documents: Sequence[Document]) -> tuple[list[PostingRequest], PostReport]:
        """Return the requests for the documents that can be sent now, and what became of the others."""
        ready, xero_ids = self._split_by_references(documents)
        requests: list[PostingRequest] = []
        without_details: list[Document] = []
        failing: list[tuple[Document, Transition]] = []
        for document in ready:
            try:
                content = self._content(document)
                if content is None:
                    without_details.append(document)
                    continue
                body = _body(document, content, xero_ids)
                canonical_json(body)  # what cannot be written as JSON fails here, alone
            except UNFORESEEN as problem:
                failing.append((document, partial(unforeseen, problem=problem)))
            else:
                requests.append(PostingRequest(document, body))
        report = self._transitions.apply(failing)
        return requests, report.plus(self._await_buyers(without_details))

    def _split_by_references(self, documents: Sequence[Document]) -> tuple[list[Document], Mapping[str, str]]:
        """Split documents by whether every document they reference exists in Xero; return the ready ones and the ids.

        Unready ones are deferred; if the reference failed, they fail with it.
        """
        wanted = dict.fromkeys(key for document in documents for key in document.desired.references.values())
        referenced = self._store.load(Document, wanted) if wanted else {}
        xero_ids = {key: document.xero_id for key, document in referenced.items() if _is_referenceable(document)}
        ready: list[Document] = []
        unready: list[tuple[Document, Transition]] = []
        for document in documents:
            missing = [key for key in document.desired.references.values() if key not in xero_ids]
            if not missing or document.desired.tombstone:
                ready.append(document)
            else:
                unready.append((document, self._without_reference(document, referenced.get(missing[0]))))
        self._transitions.apply(unready)
        return ready, xero_ids

    def _without_reference(self, document: Document, reference: Document | None) -> Transition:
        if reference is not None and reference.desired.tombstone:
            # A worker that was frozen requested the payment of an invoice that has been removed since.
            if document.exists_in_xero:
                return settlement_not_removable
            return partial(Document.withdrawn, request=document.desired)
        if reference is not None and reference.state is DocumentState.FAILED:
            if self._may_state_the_buyer(document, reference):
                until = self._clock.now() + _REFERENCE_RETRY
                return partial(Document.without_reference, until=until)
            remedy = f"{reference.key} is not in Xero: {reference.remedy}"
            # A contact has no dead letter of its own that would state the cause; any other document has.
            has_own_letter = bool(reference.desired.capability)
            code = FailureCode.REFERENCE_FAILED if has_own_letter else FailureCode(reference.reason)
            return partial(Document.failed, code=code, remedy=remedy)
        now = self._clock.now()
        if reference is None:
            return self._without_row(document)
        until = now + _REFERENCE_RETRY
        if reference.awaits_buyer and reference.next_attempt_at is not None:
            # It is tried rarely. Another order of the buyer may bring it forward.
            until = max(until, min(reference.next_attempt_at, now + _BUYER_RETRY))
        return partial(Document.deferred, until=until, reason=WaitReason.WAITING_FOR_REFERENCE)

    def _may_state_the_buyer(self, document: Document, contact: Document) -> bool:
        """Have the document's own order read, where the buyer's contact failed because Amazon did not return another.

        Each order of a buyer states who they are; reading this one revives the contact.
        """
        is_of_another = contact.desired.source != document.desired.source
        is_unstated = contact.reason == FailureCode.BUYER_DATA_UNAVAILABLE and is_of_another
        if not is_unstated or document.reference_waits >= _MAX_READS_FOR_BUYER:
            return False
        return document.desired.source not in self._read_again([document.desired.source])

    def _without_row(self, document: Document) -> Transition:
        """The reference was never requested: its source is planned again, which requests it or removes this one."""
        waits = document.reference_waits
        if waits >= MAX_REFERENCE_WAITS:
            code = FailureCode.REFERENCE_MISSING
            return partial(Document.failed, code=code, remedy=FAILURES[code].remedy)
        if waits and waits % 3 == 0:
            self._plan_again([document.desired.source])
        wait = min(_MAX_REFERENCE_WAIT, _REFERENCE_RETRY * 2**waits)
        return partial(Document.without_reference, until=self._clock.now() + wait)

    def _content(self, document: Document) -> Mapping[str, Any] | None:
        """Return what the document should contain; None for a buyer whose details are not in memory."""
        desired = document.desired
        if desired.buyer_digest and not desired.tombstone:
            return self._buyer_details(desired.number, desired.buyer_digest)
        return desired.body

    def _await_buyers(self, documents: Sequence[Document]) -> PostReport:
        """Defer contacts without details, and have their orders read again.

        The contact of an order that Amazon does not return fails. Another order of the buyer revives it.
        """
        if not documents:
            return PostReport()
        awaiting = partial(Document.awaiting_buyer, now=self._clock.now())
        report = self._transitions.apply([(document, awaiting) for document in documents])
        after = list(self._store.load(Document, [document.key for document in documents]).values())
        sources = [document.desired.source for document in after if document.awaits_buyer]
        unreadable = self._read_again(sources) if sources else ()
        code = FailureCode.BUYER_DATA_UNAVAILABLE
        failed = partial(Document.failed, code=code, remedy=FAILURES[code].remedy)
        failing = [(document, failed) for document in after if document.desired.source in unreadable]
        return report.plus(self._transitions.apply(failing)) if failing else report


def _is_referenceable(document: Document) -> bool:
    """Whether other documents may reference this one: a contact once it exists in Xero, any other once it is applied.

    Xero would refuse the payment of an invoice that is still a draft, and a document for an archived contact.
    """
    if document.desired.tombstone or not document.exists_in_xero or document.is_contact_in_doubt:
        return False
    return document.kind is DocumentKind.CONTACT or document.state is DocumentState.APPLIED


def _body(document: Document, content: Mapping[str, Any], xero_ids: Mapping[str, str]) -> Json:
    """Return the content with the Xero ids of the document itself and of what it references."""
    spec = DOCUMENT_TYPES[document.kind]
    if document.desired.tombstone:
        is_draft = document.xero_status in ("DRAFT", "SUBMITTED")
        return {spec.id_field: document.xero_id, "Status": "DELETED" if is_draft else "VOIDED"}
    body: Json = as_sent(document, content) if document.kind is DocumentKind.CONTACT else dict(content)
    for path, key in document.desired.references.items():
        parent, _, field = path.partition(".")
        body[parent] = {field: xero_ids[key]}
    if document.exists_in_xero:
        body[spec.id_field] = document.xero_id
    return body
