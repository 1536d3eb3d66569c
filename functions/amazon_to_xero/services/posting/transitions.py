"""Saves each document's next state, sends the dead letter of a failure before it, and logs the transition."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.state_updates import ATTEMPTS
from amazon_to_xero.services.unforeseen import UNFORESEEN, place_of
from amazon_to_xero.services.work_report import PostReport

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
        """
        after = [_next_state(document, transition) for document, transition in transitions]
        failed = {each.key: each for each in after if each.state is DocumentState.FAILED}
        current = self._store.load(Document, failed) if failed else {}
        for key, document in failed.items():
            # Do not dead-letter a failure that a newer version has already replaced: it is decided again below.
            if current[key].generation == document.generation:
                self._send_dead_letter(document)
        saved = self._store.save(after) if after else {}
        rows = list(saved.values())
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
            if after.state is DocumentState.FAILED:
                self._send_dead_letter(after)
            saved = self._store.save([after])
            if saved:
                return tuple(saved.values())
        return ()

    def _send_dead_letter(self, document: Document) -> None:
        desired = document.desired
        if desired.capability and document.reason != FailureCode.REFERENCE_FAILED:
            self._dead_letters.send(
                desired.capability, desired.source, document.reason, document.remedy, desired.order_id or None
            )

    def _log(self, document: Document) -> None:
        desired = document.desired
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
