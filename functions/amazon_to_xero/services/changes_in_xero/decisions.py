"""Carries out what a person decides about a change in Xero: accept it, or restore what was requested.

A decision arrives by the shipments queue, at least once. The change and the document are saved first, then the
correction is entered, then the source is planned again: after a crash in between the message comes again and does the
rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, Decision, decision_message
from amazon_to_xero.domain.books.change_decisions import (
    STATES,
    accepted,
    correction_of,
    restored,
    why_not,
    without_owner,
)
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind, document_key
from amazon_to_xero.domain.books.xero_change import XeroChange, is_undecided
from amazon_to_xero.domain.books.xero_comparison import ChangeKind
from amazon_to_xero.domain.corrections import Correction, Corrections
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.source import SourceKind, identity_of
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterQueue, DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.changes_in_xero.source_documents import documents_of_sources
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.state_updates import update_records

_DECIDED = {Decision.ACCEPT: "CHANGE_IN_XERO_ACCEPTED", Decision.RESTORE: "CHANGE_IN_XERO_RESTORED"}

type EnterCorrection = Callable[[str, Correction], None]  # source, entry


@dataclass(frozen=True)
class ChangedSource:
    """The change of a document, with what a decision about it depends on.

    others: the other documents of its source, and the credit notes of an order's refunds.
    """

    change: XeroChange
    document: Document
    others: tuple[Document, ...]
    corrections: Corrections


def changed_source(store: StateStore, key: str) -> ChangedSource | None:
    """Return what is stored about the change of a document; None where no change of it was ever found."""
    change, document = store.load(XeroChange, [key]).get(key), store.load(Document, [key]).get(key)
    if change is None or document is None:
        return None
    source = document.desired.source
    keys = (documents_of_sources(store, [source]) | _refund_notes(store, source)) - {key}
    others = tuple(store.load(Document, keys).values()) if keys else ()
    corrections = store.load(Corrections, [source]).get(source, Corrections(source))
    return ChangedSource(change, document, others, corrections)


class ChangeDecisions:
    """The decisions about changes of one connection's documents."""

    def __init__(
        self,
        connection: str,
        store: StateStore,
        enter: EnterCorrection,
        plan_again: Callable[[Sequence[str]], object],
        dead_letters: DeadLetterQueue,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`enter` records a correction of a source, `plan_again` makes sources due for planning."""
        self._connection = connection
        self._store = store
        self._enter = enter
        self._plan_again = plan_again
        self._dead_letters = dead_letters
        self._clock = clock
        self._decisions = decisions

    def carry_out(self, made: Sequence[ChangeDecision]) -> None:
        """Carry out decisions. One that cannot be goes to the dead-letter queue. Raises Conflict, DeadLetterNotSent."""
        for decision in made:
            found = changed_source(self._store, decision.document)
            try:
                if found is None:
                    raise _refused(f"no change of {decision.document} was found")
                self._carry_out(decision, found)
            except Failure as failure:
                self._refuse(decision, failure)

    def _carry_out(self, decision: ChangeDecision, found: ChangedSource) -> None:
        change, source = found.change, found.document.desired.source
        is_known = change.decided_at == decision.made_at and change.author == decision.author
        if not is_known:
            reason = why_not(decision.decision, change, found.document, found.others, found.corrections)
            if reason:
                raise _refused(reason)
        is_entered = decision.decision is Decision.ACCEPT and _has_corrections(source)
        entry = correction_of(decision, change)
        if is_entered:
            found.corrections.with_entry(entry)  # raises Failure for one that would not be recorded
        self._save(decision, found)
        if is_entered:
            self._enter(source, entry)
        self._plan_again([source])
        if not is_known:
            self._log(decision, change)

    def _save(self, decision: ChangeDecision, found: ChangedSource) -> None:
        state = STATES[decision.decision]
        settlements = [each.key for each in found.others if _settles(each, found) and _is_removed(found)]

        def decided(stored: Mapping[str, XeroChange | None]) -> Iterable[XeroChange]:
            open_ones = [each for each in stored.values() if each is not None and each.is_open]
            return [each.decided(state, decision.author, decision.reason, decision.made_at) for each in open_ones]

        def changed(stored: Mapping[str, Document | None]) -> Iterable[Document]:
            now, resolve = self._clock.now(), accepted if decision.decision is Decision.ACCEPT else restored
            for key, document in stored.items():
                if document is not None and key in settlements and document.exists_in_xero:
                    yield without_owner(document, now)
                elif document is not None and key not in settlements and is_undecided(document):
                    yield resolve(document, found.change, now)

        update_records(self._store, XeroChange, [found.change.key, *settlements], decided)
        update_records(self._store, Document, [*settlements, found.document.key], changed)

    def _refuse(self, decision: ChangeDecision, failure: Failure) -> None:
        body = decision_message(self._connection, decision)
        self._dead_letters.send(body, reason=failure.code, remedy=failure.remedy)
        self._decisions.record(failure.code, document=decision.document, reason=failure.code, remedy=failure.remedy)

    def _log(self, decision: ChangeDecision, change: XeroChange) -> None:
        self._decisions.record(
            _DECIDED[decision.decision],
            document=change.document,
            order_id=change.order_id or None,
            source=change.source,
            change=change.text,
            author=decision.author,
        )


def _refund_notes(store: StateStore, source: str) -> set[str]:
    """Return the keys of the credit notes of an order's refunds: without their sale they would take back nothing."""
    order_id = identity_of(source, SourceKind.ORDER)
    numbers = DecidedRefundsStore(store).load(order_id).numbers if order_id else ()
    return {document_key(DocumentKind.CREDIT_NOTE, number) for number in numbers}


def _has_corrections(source: str) -> bool:
    """Whether it is a source that takes corrections: an order or a refund. The documents of a day take none."""
    return any(identity_of(source, kind) for kind in (SourceKind.ORDER, SourceKind.TRANSACTION))


def _is_removed(found: ChangedSource) -> bool:
    return found.change.kind is ChangeKind.REMOVED


def _settles(document: Document, found: ChangedSource) -> bool:
    spec = DOCUMENT_TYPES[document.kind]
    return bool(spec.owner) and document.desired.references.get(spec.owner_path) == found.document.key


def _refused(problem: str) -> Failure:
    return Failure(FailureCode.CORRECTION_REFUSED, f"The decision was not carried out: {problem}")
