"""The one posting path: brings documents to Xero in batches, effectively once. It knows nothing of what asked for them.

Four things together keep a document from being created twice: the intent is stored before the call, every attempt has
an Idempotency-Key, an unknown outcome is looked up in Xero before anything is written again, and numbers are unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.outcome import never_created, not_changeable
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import DOCUMENTS, StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting import batches
from amazon_to_xero.services.posting.outcome_resolution import OutcomeResolution
from amazon_to_xero.services.posting.requests import RequestBuilder
from amazon_to_xero.services.posting.transitions import DocumentTransitions
from amazon_to_xero.services.posting.writer import BatchWriter, Bisection
from amazon_to_xero.services.work_report import PostReport

MAX_DUE = 2000
_ENOUGH_TO_TELL = 50  # rows that say whether anything of a paused kind is due, although the index may lag
_ROUNDS = 3  # write, look up what was doubtful, write what was found absent


class DocumentPoster:
    """Posts the due documents of one connection. Safe to run at any time, by several workers, after any crash."""

    def __init__(
        self,
        xero: XeroApi,
        store: StateStore,
        pauses: Pauses,
        requests: RequestBuilder,
        writer: BatchWriter,
        outcomes: OutcomeResolution,
        transitions: DocumentTransitions,
        clock: Clock,
    ) -> None:
        self._xero = xero
        self._store = store
        self._pauses = pauses
        self._requests = requests
        self._writer = writer
        self._outcomes = outcomes
        self._transitions = transitions
        self._clock = clock

    def post_due(self, named: Sequence[str], deadline: datetime) -> PostReport:
        """Post what is due, and of `named` what is due although the index may not show it yet.

        Xero's faults end in the report and in the documents' rows, never in an exception.
        """
        halted = self._writer.halted(deadline)
        if halted:
            return halted
        keys = dict.fromkeys([*named, *self._due_keys()])
        report, is_paused = PostReport(), False
        for kind in DocumentKind:
            of_kind = [key for key in keys if key.startswith(f"{kind}#")]
            if not of_kind:
                continue
            if self._pauses.until(f"xero#{kind}"):
                is_paused = is_paused or bool(self._due(of_kind[:_ENOUGH_TO_TELL]))
                continue
            looked_up: set[str] = set()
            for _ in range(_ROUNDS):
                due = self._due(of_kind)
                if not due:
                    break
                report = report.plus(self._post(kind, due, looked_up, deadline))
                if report.stopped:
                    return report
        if is_paused and not (report.applied or report.failed):
            # What is due of a paused kind is left to a later run; this one would find nothing else, again and again.
            return PostReport(stopped=WaitReason.XERO_PAUSED)
        return report

    def _due_keys(self) -> list[str]:
        """Return at least MAX_DUE keys of kinds that may be posted, if so many are due, and of paused ones some more.

        A paused kind whose documents pile up would otherwise fill the list and keep every other kind from Xero.
        """
        limit = MAX_DUE
        keys = self._store.due(DOCUMENTS, self._clock.now(), limit)
        if len(keys) < limit:
            return keys
        paused = {kind for kind in DocumentKind if self._pauses.until(f"xero#{kind}")}
        while paused and len(keys) == limit and sum(key.partition("#")[0] not in paused for key in keys) < MAX_DUE:
            limit *= 4
            keys = self._store.due(DOCUMENTS, self._clock.now(), limit)
        return keys

    def _due(self, keys: Iterable[str]) -> list[Document]:
        now = self._clock.now()
        documents = self._store.load(Document, keys).values()
        return [each for each in documents if each.is_due(now) and not each.desired.is_entry]

    def _post(self, kind: DocumentKind, due: Sequence[Document], looked_up: set[str], deadline: datetime) -> PostReport:
        """Make one round: look up what may already be in Xero, write the rest.

        looked_up: keys of what this run has looked up; those of this round are added.
        """
        report = PostReport()
        unknown = [document for document in due if document.outcome_unknown]
        for chunk in batches.lookup_batches(unknown):
            halted = self._writer.halted(deadline)
            report = report.plus(halted or self._outcomes.resolve_outcomes(kind, chunk))
            looked_up.update(document.key for document in chunk)
            if report.stopped:
                return report
        known = [document for document in due if not document.outcome_unknown]
        stale = {each.key for each in known if each.is_change_to_send} - looked_up
        check_again = partial(Document.checked_again, now=self._clock.now())
        self._transitions.apply([(document, check_again) for document in known if document.key in stale])
        known = [document for document in known if document.key not in stale]
        absent = [document for document in known if document.desired.tombstone and not document.exists_in_xero]
        merged = [document for document in known if document.is_merged]  # requested again, and a person's
        removed = partial(never_created, now=self._clock.now())
        kept = partial(Document.kept_as_it_is, now=self._clock.now())
        transitions = [(document, removed) for document in absent] + [(document, kept) for document in merged]
        report = report.plus(self._transitions.apply(transitions))
        requests, others = self._requests.build([each for each in known if each not in absent + merged])
        report = report.plus(others)
        creates = [request for request in requests if not request.document.exists_in_xero]
        updates = [request for request in requests if request.document.exists_in_xero]
        if not DOCUMENT_TYPES[kind].changeable:
            refused = [(request.document, not_changeable) for request in updates]
            report = report.plus(self._transitions.apply(refused))
            updates = []
        for of_verb, write in ((creates, self._xero.create), (updates, self._xero.update)):
            for batch in batches.batches(of_verb):
                halted = self._writer.halted(deadline)
                report = report.plus(halted or self._writer.write(kind, write, batch, Bisection(deadline)))
                if report.stopped:
                    return report
        return report
