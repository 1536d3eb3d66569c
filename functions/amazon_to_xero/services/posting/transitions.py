"""Saves each document's next state, sends the dead letter of a failure before it, and logs the transition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.dead_letters import RETRY_SEND, DeadLetters
from amazon_to_xero.services.state_updates import ATTEMPTS
from amazon_to_xero.services.unforeseen import UNFORESEEN, place_of
from amazon_to_xero.services.work_report import PostReport

#: Reasons that get a line of their own: a person should know, although nothing is held back.
_FINDINGS = (FailureCode.CONTACT_MERGED, FailureCode.CONTACT_REPLACED)

type Transition = Callable[[Document], Document]


class DocumentTransitions:
    """The one way in which posting changes documents' rows."""

    def __init__(self, store: StateStore, dead_letters: DeadLetters, clock: Clock, decisions: DecisionLog) -> None:
        self._store = store
        self._dead_letters = dead_letters
        self._clock = clock
        self._decisions = decisions

    def apply(self, transitions: Sequence[tuple[Document, Transition]], may_have_written: bool = False) -> PostReport:
        """Save the next state of each document; those that another writer changed meanwhile are decided again.

        may_have_written: Xero was called for these documents; one that another attempt took over is looked up again.

        A document whose dead letter cannot be sent keeps its state and is due again after RETRY_SEND, so that its
        failure is found and sent again; the others are saved.
        """
        after = [_next_state(document, transition) for document, transition in transitions]
        unsent = self._send_dead_letters([each for each in after if each.state is DocumentState.FAILED])
        after = [each for each in after if each.key not in unsent]
        after += [self._fails_later(document) for document, _ in transitions if document.key in unsent]
        saved = self._store.save(after) if after else {}
        rows = [row for row in saved.values() if row.key not in unsent]
        for document, transition in transitions:
            if document.key not in saved:
                rows.extend(self._apply_again(document, transition, may_have_written))
        for row in rows:
            self._log(row)
        return PostReport(
            sum(row.state is DocumentState.APPLIED for row in rows),
            sum(row.state is DocumentState.FAILED for row in rows),
        )

    def _apply_again(self, document: Document, transition: Transition, may_have_written: bool) -> Sequence[Document]:
        """Decide the next state of a row that another writer changed since it was loaded.

        If it is still this attempt and only something else is requested by now, the transition is made from the newer
        row. If it is another attempt, that one's state is kept, but the document is looked up again where we may
        have written.
        """
        for _ in range(ATTEMPTS):
            current = self._store.load(Document, [document.key])[document.key]
            if current.claim == document.claim and current.state is document.state:
                after = _next_state(current, transition)
            elif may_have_written and current.state is not DocumentState.UNKNOWN:
                after = current.unknown(self._clock.now(), WaitReason.CHANGED_MEANWHILE)
            else:
                return ()
            is_sent = after.state is not DocumentState.FAILED or self._send_dead_letter(after)
            saved = self._store.save([after if is_sent else self._fails_later(current)])
            if saved:
                return tuple(saved.values()) if is_sent else ()
        return ()

    def _send_dead_letters(self, failed: Sequence[Document]) -> set[str]:
        """Send the dead letters of failures that are about to be saved; return the keys of those that were not sent."""
        current = self._store.load(Document, [document.key for document in failed]) if failed else {}
        # Do not dead-letter a failure that a newer version has already replaced: it is decided again.
        newest = [document for document in failed if current[document.key].generation == document.generation]
        return {document.key for document in newest if not self._send_dead_letter(document)}

    def _send_dead_letter(self, document: Document) -> bool:
        """Return False if a dead letter is needed and could not be sent."""
        desired = document.desired
        if not desired.capability or document.reason == FailureCode.REFERENCE_FAILED:
            return True
        return self._dead_letters.send(
            desired.capability, desired.source, document.reason, document.remedy, desired.order_id or None
        )

    def _fails_later(self, document: Document) -> Document:
        """Keep the state from which the document would have failed: one with an unknown outcome is looked up again."""
        return replace(document, next_attempt_at=self._clock.now() + RETRY_SEND)

    def _log(self, document: Document) -> None:
        desired = document.desired
        if document.reason in _FINDINGS:
            self._decisions.record(
                document.reason, document=document.key, reason=document.reason, remedy=document.remedy
            )
        self._decisions.record(
            document.state,
            order_id=desired.order_id or None,
            document=document.key,
            reason=document.reason or None,
            remedy=document.remedy or None,
            source=desired.source,
            xero_status=document.xero_status or None,
            total=str(desired.total) if desired.total is not None else None,
        )


def _next_state(document: Document, transition: Transition) -> Document:
    """Return the next state; a document whose transition raises fails alone."""
    try:
        return transition(document)
    except UNFORESEEN as problem:
        return unforeseen(document, problem)


def unforeseen(document: Document, problem: BaseException) -> Document:
    """Fail a document that the code cannot process."""
    remedy = f"Report this as a defect: {place_of(problem)}. Then correct the document in Xero manually."
    return document.failed(FailureCode.UNFORESEEN, remedy)
