"""Takes failures off the list that a person has dealt with otherwise, for example by entering them in Xero manually.

The rows stay FAILED with their reasons and remedies, and return to the list when they fail again. What was sent to Xero
and is not answered for is never closed: only its outcome says what there is to be dealt with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.replay.decision import Decision, Situation, decide_to_close
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.domain.source import SourceRecord
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Conflict
from amazon_to_xero.services.replay.acts import ReplayActs
from amazon_to_xero.services.replay.failures import ReplayedConnection
from amazon_to_xero.services.replay.known_failures import KnownFailure, known_failures
from amazon_to_xero.services.state_updates import ATTEMPTS

type _FailedRow = SourceRecord | Document

_FAILED = "FAILED"
_DOCUMENT = "DOCUMENT#"
_ON_ITS_WAY = frozenset({DocumentState.IN_FLIGHT, DocumentState.UNKNOWN})


@dataclass(frozen=True)
class Closing:
    """What a person closes.

    why: in their words.
    shown: connection, source and code of each failure that they have seen, and that alone is closed; empty where they
        have seen none, and close whatever is selected.
    code: the code by which they have selected; empty where they have selected by something else.
    """

    why: str
    shown: frozenset[tuple[str, str, str]] = frozenset()
    code: str = ""

    def may_select(self, source_key: tuple[str, str]) -> bool:
        """Return whether a failure of that connection and source has been shown, where any has been."""
        return not self.shown or any(each[:2] == source_key for each in self.shown)


class FailureCloser:
    """Closes the failures of the whole stack."""

    def __init__(self, connections: Mapping[str, ReplayedConnection], acts: ReplayActs, clock: Clock) -> None:
        self._connections = connections
        self._acts = acts
        self._clock = clock

    def decided(self, known: KnownFailure, closing: Closing) -> Decision:
        """Return what becomes of a failure."""
        return self._decided(known, self._failed_rows(known), closing)

    def close(self, known: KnownFailure, closing: Closing, by: str) -> Decision:
        """Take the failed rows of a failure off the list; return what became of it. The dead letters are the caller's.

        Rows that another worker changes meanwhile are decided about again. A crash before the letters are deleted
        leaves them, and they are found by whoever closes it again. Raises Conflict.
        """
        for _ in range(ATTEMPTS):
            rows = self._failed_rows(known)
            decision = self._decided(known, rows, closing)
            if decision.action is not ReplayAction.CLOSE:
                return decision
            self._acts.write_down(known.failure, decision, by)
            if self._taken_off(known, rows):
                self._acts.log(known.failure, decision, by)
                return decision
            (known,) = known_failures([known.found], self._connections, self._clock.now())
        raise Conflict(f"the rows of {known.failure.source} kept changing while they were closed")

    def _taken_off(self, known: KnownFailure, rows: tuple[_FailedRow, ...]) -> bool:
        """Take rows off the list; return whether none of them was changed by another worker meanwhile."""
        return not rows or len(self._connections[known.failure.connection].store.unwatch(rows)) == len(rows)

    def _decided(self, known: KnownFailure, rows: tuple[_FailedRow, ...], closing: Closing) -> Decision:
        is_failed = bool(rows) and known.situation in (Situation.DONE, Situation.NOT_STORED)
        on_its_way = {each.state for each in known.state.documents} & _ON_ITS_WAY
        is_of_transactions = known.found.is_for_transactions
        return decide_to_close(
            Situation.FAILED if is_failed else known.situation,
            closing.why,
            is_ours=bool(known.failure.reason),
            is_on_its_way=bool(on_its_way) and not is_of_transactions,
            other_codes=_other_codes(known, rows, closing),
        )

    def _failed_rows(self, known: KnownFailure) -> tuple[_FailedRow, ...]:
        """Return the failed rows of a source: its record, its documents, and the contacts that these fail with.

        Also a failed document that the last plan of its source no longer asks for, if the failure was found by it.
        """
        if known.found.is_for_transactions or known.failure.connection not in self._connections:
            return ()
        failed = [each for each in known.state.documents if each.state is DocumentState.FAILED]
        keys = {key for each in failed for key in each.desired.references.values() if _is_contact(key)}
        if known.found.row_key.startswith(_DOCUMENT):
            keys.add(known.found.row_key.removeprefix(_DOCUMENT))
        keys -= {each.key for each in failed}
        if keys:
            held = self._connections[known.failure.connection].store.load(Document, sorted(keys))
            failed += [each for each in held.values() if each.state is DocumentState.FAILED]
        record = known.state.record
        return (record, *failed) if record is not None and record.state == _FAILED else tuple(failed)


def _other_codes(known: KnownFailure, rows: tuple[_FailedRow, ...], closing: Closing) -> set[str]:
    """Return the codes of a source that the person has not selected, or that it did not have when it was shown."""
    failure = known.failure
    unseen = closing.shown and (failure.connection, failure.source, failure.reason) not in closing.shown
    codes = {row.reason for row in rows if not _is_contact(row.key)} or {failure.reason}
    unselected = codes - {closing.code} if closing.code else set()
    return unselected | ({failure.reason} if unseen else set())


def _is_contact(key: str) -> bool:
    return key.startswith(f"{DocumentKind.CONTACT}#")
