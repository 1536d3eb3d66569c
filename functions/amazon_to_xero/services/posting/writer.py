"""Writes batches to Xero, and isolates the document that spoils one.

A batch that Xero refuses as a whole is halved at once until the document that causes it is alone. A batch whose outcome
Xero does not state is looked up first; what is then written again is written in smaller batches (see `batches`), until
the document that causes it is alone and fails (see `outcome_resolution`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.books.outcome import after_write
from amazon_to_xero.domain.books.refusals import refusal_of_call, xero_says
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import (
    Outcome,
    XeroApi,
    XeroError,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroRefused,
)
from amazon_to_xero.services.pauses import UNAUTHORISED_PAUSE, Pauses
from amazon_to_xero.services.posting.batches import PostingRequest
from amazon_to_xero.services.posting.contacts import check_contacts_of_refused
from amazon_to_xero.services.posting.locked_dates import plan_locked_again
from amazon_to_xero.services.posting.refused_operations import is_refused_alone, remedy_of_refused
from amazon_to_xero.services.posting.requests import SourceRequest
from amazon_to_xero.services.posting.transitions import DocumentTransitions
from amazon_to_xero.services.unforeseen import UNFORESEEN, place_of
from amazon_to_xero.services.work_report import PostReport

MAX_REFUSED_CALLS = 12  # of one batch, while Xero accepts no part of it; halving a batch of 50 finds one culprit in 7
# A document is refused about seven times before it is alone. After three such searches it is not the connection.
ATTEMPTS_UNTIL_BLAMED = 18
MAX_UNKNOWN_OUTCOMES = 4  # in batches of 50, 12, 3 and 1
_LONGEST_OUTAGE = timedelta(minutes=30)
_LATEST_EXECUTION = timedelta(minutes=1)  # Xero may execute a request that long after it was given up
_LONE_RETRY = timedelta(minutes=1)  # then three times as long each time

type Write = Callable[[str, Sequence[Json], str], list[Outcome]]


@dataclass
class Bisection:
    """The search for the documents that make Xero refuse a whole batch. Each batch starts with a new one.

    deadline: no call begins after it.
    refused_calls: calls that Xero refused as a whole.
    any_accepted: whether Xero accepted a part of the batch.
    alone: documents that were refused alone while nothing was accepted, with Xero's words.
    """

    deadline: datetime
    refused_calls: int = 0
    any_accepted: bool = False
    alone: dict[str, str] = field(default_factory=dict)


@dataclass
class _WriteHealth:
    """Whether Xero answers writes at all, as far as this execution environment has seen.

    accepted_at: when it last answered one (UTC).
    unanswered_in_a_row: writes without an answer since then.
    """

    accepted_at: datetime | None = None
    unanswered_in_a_row: int = 0

    def answered(self, now: datetime) -> None:
        self.accepted_at, self.unanswered_in_a_row = now, 0


class BatchWriter:
    """Writes batches of one connection, effectively once.

    The intent is stored before the call, every attempt has an Idempotency-Key of its own, and a document whose outcome
    is unknown is never written again before it was looked up.
    """

    def __init__(
        self,
        connection: str,
        xero: XeroApi,
        store: StateStore,
        transitions: DocumentTransitions,
        pauses: Pauses,
        clock: Clock,
        plan_for_other_dates: SourceRequest | None = None,
        lock_dates: LockDates = LockDates.HOLD,
    ) -> None:
        """`plan_for_other_dates`, `lock_dates`: see plan_locked_again."""
        self._plan_for_other_dates = plan_for_other_dates
        self._lock_dates = lock_dates
        self._connection = connection
        self._xero = xero
        self._store = store
        self._transitions = transitions
        self._pauses = pauses
        self._health = _WriteHealth()
        self._clock = clock

    def halted(self, deadline: datetime) -> PostReport | None:
        """Return why no call may be made now; None when one may."""
        if self._pauses.until("xero"):
            return PostReport(stopped=WaitReason.XERO_PAUSED)
        if self._clock.now() >= deadline:
            return PostReport(stopped=WaitReason.OUT_OF_TIME)
        return None

    def write(
        self, kind: DocumentKind, write: Write, batch: Sequence[PostingRequest], bisection: Bisection
    ) -> PostReport:
        """Write one batch of one kind with XeroApi.create or XeroApi.update. Xero's faults end in the report.

        The batch's composition, bodies and Idempotency-Key stay fixed for the attempt.
        """
        now = self._clock.now()
        claims = self._store.save([request.document.claimed(now) for request in batch])
        claimed = [
            PostingRequest(claims[request.document.key], request.body)
            for request in batch
            if request.document.key in claims
        ]
        if not claimed:
            return PostReport()
        documents = [request.document for request in claimed]
        bodies = [request.body for request in claimed]
        key = self._idempotency_key(documents)
        is_suspect = any(document.unknown_outcomes for document in documents)
        send = write if is_suspect else partial(_write_twice_if_unanswered, write)
        try:
            outcomes = send(DOCUMENT_TYPES[kind].collection, bodies, key)
        except XeroOutcomeUnknown as problem:
            return self._unanswered(kind, documents, problem)
        except UNFORESEEN as problem:
            # Nothing was sent: a body cannot be written as a request.
            refused = XeroRefused("write", None, f"the request cannot be built: {place_of(problem)}")
            return self._bisect(kind, write, claimed, refused, bisection)
        except XeroRefused as problem:
            return self._bisect(kind, write, claimed, problem, bisection)
        except XeroError as problem:
            until, reason = self._pause(problem, kind)
            deferred = partial(Document.deferred, until=until, reason=reason)
            self._transitions.apply([(document, deferred) for document in documents])
            return PostReport(stopped=reason)
        bisection.any_accepted = True
        return self._apply_outcomes(documents, outcomes)

    def _apply_outcomes(self, documents: Sequence[Document], outcomes: Sequence[Outcome]) -> PostReport:
        """Save each document's next state for Xero's answer, after what the refusals of some of them ask for."""
        self._health.answered(self._clock.now())
        answered = [(each, outcome.errors) for each, outcome in zip(documents, outcomes, strict=True)]
        check_contacts_of_refused(answered, self._store, self._transitions, self._clock)
        planned_again = plan_locked_again(answered, self._plan_for_other_dates, self._lock_dates)
        return self._transitions.apply(
            [
                (
                    document,
                    partial(
                        self._after_write,
                        outcome=outcome,
                        sent_digest=document.desired.digest,
                        is_planned_again=document.key in planned_again,
                    ),
                )
                for document, outcome in zip(documents, outcomes, strict=True)
            ],
            may_have_written=True,
        )

    def _pause(self, problem: XeroError, kind: DocumentKind) -> tuple[datetime, str]:
        """Pause Xero, or only what it refuses where it accepts other calls; return until when, and the reason."""
        collection = DOCUMENT_TYPES[kind].collection
        if not isinstance(problem, XeroNotAuthorised) or not is_refused_alone(self._xero, collection):
            return self._pauses.pause_xero(problem, kind)
        until, reason = self._clock.now() + UNAUTHORISED_PAUSE, FailureCode.XERO_OPERATION_REFUSED
        for paused, spec in DOCUMENT_TYPES.items():
            if spec.collection == collection:
                self._pauses.pause(f"xero#{paused}", until, reason, remedy_of_refused(collection, problem.message))
        return until, reason

    def _after_write(
        self, document: Document, outcome: Outcome, sent_digest: str, *, is_planned_again: bool
    ) -> Document:
        now = self._clock.now()
        if outcome.unknown:
            return document.unanswered(now, now + _LATEST_EXECUTION, outcome.unknown)
        return after_write(
            document, outcome.element, outcome.errors, sent_digest, now, is_planned_again=is_planned_again
        )

    def _unanswered(self, kind: DocumentKind, documents: Sequence[Document], problem: XeroOutcomeUnknown) -> PostReport:
        """Look the documents up before they are written again.

        The first time, or twice in a row, Xero itself may be the cause: it pauses. A smaller batch that is not answered
        while others are says something about its documents: the others go on.
        """
        self._health.unanswered_in_a_row += 1
        now, unknown_outcomes = self._clock.now(), max(document.unknown_outcomes for document in documents)
        may_be_outage = not unknown_outcomes or self._health.unanswered_in_a_row > 1
        until = self._pauses.pause_xero(problem, kind)[0] if may_be_outage else now + _LATEST_EXECUTION
        is_last = len(documents) == 1 and self._is_to_blame_for_silence(documents[0], now)
        if unknown_outcomes and len(documents) == 1 and not is_last:
            until = max(until, now + _LONE_RETRY * 3**unknown_outcomes)
        unanswered = partial(Document.unanswered, now=now, until=until, message=problem.message, is_last=is_last)
        self._transitions.apply([(document, unanswered) for document in documents], may_have_written=True)
        return PostReport(stopped=WaitReason.OUTCOME_UNKNOWN if may_be_outage else "")

    def _is_to_blame_for_silence(self, document: Document, now: datetime) -> bool:
        """Whether a document that was sent alone is the cause: it was sent often, and Xero answers other writes.

        If there were no other writes, Xero's writes may be down while its reads work, for half an hour at most.
        """
        since = document.unknown_since
        if since is None or document.unknown_outcomes + 1 < MAX_UNKNOWN_OUTCOMES:
            return False
        accepted_at = self._health.accepted_at
        return (accepted_at is not None and accepted_at > since) or now - since >= _LONGEST_OUTAGE

    # --- bisection --------------------------------------------------------------------------------------------------

    def _bisect(
        self,
        kind: DocumentKind,
        write: Write,
        claimed: Sequence[PostingRequest],
        problem: XeroRefused,
        bisection: Bisection,
    ) -> PostReport:
        """Write the halves of a batch that Xero refused as a whole; a document that is refused alone fails.

        Where Xero accepts no part of the batch, the connection may be the cause: the documents wait, and a person
        checks the connection. That ends, too: a document that was refused often enough fails with Xero's words.
        """
        is_outermost = bisection.refused_calls == 0
        bisection.refused_calls += 1
        if len(claimed) == 1 and self._is_to_blame(claimed[0].document, bisection, is_outermost):
            meaning = refusal_of_call(kind, problem.status, problem.message)
            failed = partial(Document.failed, code=meaning.code, remedy=meaning.remedy)
            return self._transitions.apply([(claimed[0].document, failed)])
        if bisection.refused_calls > MAX_REFUSED_CALLS and not bisection.any_accepted:
            return self._refuses_every_call(claimed, problem)
        if len(claimed) == 1:
            return self._set_aside(claimed[0].document, problem, bisection)
        again = self._deferred_until_now(claimed)
        report = PostReport()
        for half in (again[: len(again) // 2], again[len(again) // 2 :]):
            if half:
                halted = self.halted(bisection.deadline)
                report = report.plus(halted or self.write(kind, write, half, bisection))
            if report.stopped:
                break
        return report.plus(self._fail_alone(bisection)) if is_outermost else report

    def _is_to_blame(self, document: Document, bisection: Bisection, is_outermost: bool) -> bool:
        """Whether a document that was refused alone is the cause: others were accepted, or it was refused often."""
        return is_outermost or bisection.any_accepted or document.attempts > ATTEMPTS_UNTIL_BLAMED

    def _set_aside(self, document: Document, problem: XeroRefused, bisection: Bisection) -> PostReport:
        """Defer a document that was refused alone until it is known whether Xero accepts anything."""
        bisection.alone[document.key] = problem.message
        until = self._clock.now() + _LONE_RETRY
        deferred = partial(Document.deferred, until=until, reason=WaitReason.BATCH_REFUSED)
        return self._transitions.apply([(document, deferred)])

    def _fail_alone(self, bisection: Bisection) -> PostReport:
        """Fail what was refused alone, unless Xero refused everything with the same words."""
        is_connection = not bisection.any_accepted and len(set(bisection.alone.values())) == 1
        if not bisection.alone or is_connection:
            return PostReport()
        return self._transitions.apply(
            [
                (
                    document,
                    partial(
                        Document.failed,
                        code=FailureCode.XERO_REFUSED,
                        remedy=xero_says(bisection.alone[document.key]),
                    ),
                )
                for document in self._store.load(Document, bisection.alone).values()
            ]
        )

    def _deferred_until_now(self, claimed: Sequence[PostingRequest]) -> list[PostingRequest]:
        """Give the claims back; return the requests that may be sent again."""
        now = self._clock.now()
        deferred = partial(Document.deferred, until=now, reason=WaitReason.BATCH_REFUSED)
        self._transitions.apply([(request.document, deferred) for request in claimed])
        current = self._store.load(Document, [request.document.key for request in claimed])
        # If something else is requested by now, the next round sends it: the body here is the old content.
        return [
            PostingRequest(document, request.body)
            for request in claimed
            if (document := current[request.document.key]).is_due(now)
            and document.desired.digest == request.document.desired.digest
        ]

    def _refuses_every_call(self, claimed: Sequence[PostingRequest], problem: XeroRefused) -> PostReport:
        code = FailureCode.XERO_REFUSES_EVERY_CALL
        until = self._clock.now() + UNAUTHORISED_PAUSE
        self._pauses.pause("xero", until, code, f"Xero refuses every call: {problem.message[:300]}")
        deferred = partial(Document.deferred, until=until, reason=code)
        self._transitions.apply([(request.document, deferred) for request in claimed])
        return PostReport(stopped=code)

    def _idempotency_key(self, documents: Iterable[Document]) -> str:
        """Return the name of one attempt: the same documents at the same generations, never of a later attempt."""
        text = "|".join([self._connection, *(f"{document.key}@{document.claim}" for document in documents)])
        return hashlib.sha256(text.encode()).hexdigest()


def _write_twice_if_unanswered(write: Write, collection: str, bodies: Sequence[Json], key: str) -> list[Outcome]:
    """Repeat the call with the same key when its answer was lost: Xero then repeats its first answer.

    A second call that is not executed (a limit, no token) says nothing about the first, whose outcome stays unknown.
    """
    try:
        return write(collection, bodies, key)
    except XeroOutcomeUnknown:
        failure: XeroError
        try:
            return write(collection, bodies, key)
        except XeroError as problem:
            failure = problem
    raise XeroOutcomeUnknown(failure.operation, failure.status, failure.message)
