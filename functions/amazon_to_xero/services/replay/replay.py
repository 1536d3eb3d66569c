"""A person's replay, in bounded steps: what is selected is sent again, deleted because it is done, stopped, or left.

Or it is closed, or discarded, where the person asks for that instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched, islice

from amazon_to_xero.domain.replay.decision import DEFAULT_CAP, Decision, decide, decide_to_discard
from amazon_to_xero.domain.replay.failure import OpenFailure
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.domain.replay.selection import ReplayFilter
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.replay import DeadLetter, DeadLetterSource
from amazon_to_xero.services.replay.acts import ReplayActs
from amazon_to_xero.services.replay.closing import Closing, FailureCloser
from amazon_to_xero.services.replay.cursor import ReplayCursor
from amazon_to_xero.services.replay.evidence import load_records
from amazon_to_xero.services.replay.failures import FailedRows, FoundFailure, LetterReader, ReplayedConnection
from amazon_to_xero.services.replay.known_failures import KnownFailure, known_failures, outcome_recorded
from amazon_to_xero.services.replay.letters import HeldLetters

_ROWS_AT_ONCE = 100
_SENT_ALREADY = "another letter of its source was sent in this replay"
_FAILED_AGAIN = "has failed again since this replay sent it"


@dataclass(frozen=True)
class ReplayRequest:
    """One step of a replay.

    selection: which failures.
    by: who asks, as the caller states it: an ARN.
    limit: at most so many failures in this step.
    cap: a source that was sent so often lately is stopped.
    cursor: where the step continues; None for the first one.
    is_preview: nothing is sent, deleted or written.
    discarded_because: why the letters are deleted that no queue takes and no replay sends; empty for a replay. Then
        everything else is left.
    closing: what is closed instead of sent; None for a replay.
    """

    selection: ReplayFilter
    by: str
    limit: int = 25
    cap: int = DEFAULT_CAP
    cursor: ReplayCursor | None = None
    is_preview: bool = True
    discarded_because: str = ""
    closing: Closing | None = None


@dataclass(frozen=True)
class ReplayedFailure:
    """What became of one failure, or would become of it.

    failure: with reason and remedy as its rows state them now.
    decision: what was done, and why.
    has_letter: whether there is a dead letter of it.
    sent: how often it had been sent lately, without this step.
    """

    failure: OpenFailure
    decision: Decision
    has_letter: bool
    sent: int


@dataclass(frozen=True)
class ReplayStep:
    """What one step did.

    cursor: where the next step continues; None when there is nothing more.
    without_age: failed rows that a filter by age has left out, because they have no dead letter.
    is_complete: whether all visible dead letters were read.
    """

    failures: tuple[ReplayedFailure, ...] = ()
    cursor: ReplayCursor | None = None
    without_age: int = 0
    is_complete: bool = True


@dataclass
class _Run:
    """A step under way.

    sent: connection, source and capability of what was sent in this step.
    letters: by what each is about; see _about.
    """

    request: ReplayRequest
    cursor: ReplayCursor
    without_age: int = 0
    sent: set[tuple[str, str, str]] = field(default_factory=set)
    letters: dict[tuple[str, ...], list[DeadLetter]] = field(default_factory=lambda: defaultdict(list))

    def decided(self, known: KnownFailure) -> Decision | None:
        """Return what becomes of a failure whose message this replay has sent already; None where it has not."""
        if known.found.message_key in self.sent:
            return Decision(ReplayAction.DELETE, _SENT_ALREADY)
        failure, last = known.failure, known.record.last_sent_like(known.failure.capability)
        if last is None or last.at < self.cursor.started_at or last.capability != failure.capability:
            return None
        if failure.failed_at is not None and failure.failed_at > last.at:
            return Decision(ReplayAction.LEAVE, _FAILED_AGAIN)  # to send it in each step would use up its cap
        return Decision(ReplayAction.DELETE, _SENT_ALREADY)


class Replay:
    """Replays open failures of the whole stack."""

    def __init__(
        self,
        dead_letters: Sequence[DeadLetterSource],
        reader: LetterReader,
        acts: ReplayActs,
        connections: Mapping[str, ReplayedConnection],
        clock: Clock,
    ) -> None:
        """Connect the replay.

        dead_letters: all dead-letter queues, and the queue of stopped letters. Also where one function is selected, all
            are read: a failed row is replayed without a letter only where no queue has one of its source.
        """
        self._dead_letters = dead_letters
        self._reader = reader
        self._acts = acts
        self._connections = connections
        self._clock = clock
        self._closer = FailureCloser(connections, acts, clock)

    def step(self, request: ReplayRequest, deadline: datetime) -> ReplayStep:
        """Replay the next failures, at most `limit`, until the deadline. Raises QueueFailed and Conflict.

        Dead letters come first, oldest first in each queue; then failed rows without one. What a step does not reach is
        left to the next one.
        """
        run = _Run(request, request.cursor or ReplayCursor(self._clock.now()))
        done: list[ReplayedFailure] = []
        place = run.cursor.place
        with HeldLetters(self._dead_letters) as held:
            selected = list(islice(self._selected(held.letters, run), request.limit + 1))
            known = known_failures(selected[: request.limit], self._connections, self._clock.now())
            for each in known:
                if self._clock.now() >= deadline:
                    break
                place = each.found.place
                done.append(self._replayed(each, held, run))
        is_over = not selected or place == selected[-1].place
        after = None if is_over else ReplayCursor(run.cursor.started_at, place)
        return ReplayStep(tuple(done), after, run.without_age, held.is_complete)

    # --- what is selected -------------------------------------------------------------------------------------------

    def _selected(self, letters: Sequence[DeadLetter], run: _Run) -> Iterator[FoundFailure]:
        """Yield the failures after the cursor that the request selects."""
        found = sorted(map(self._reader.read, letters), key=lambda each: each.place)
        now, selection, closing = self._clock.now(), run.request.selection, run.request.closing
        if closing is not None:
            found = self._to_be_closed(found, closing, run)
        chosen = [each for each in found if selection.selects(each.failure, now)]
        # A document of a source may have failed with another code than the source's letter: a row to be closed.
        with_letter = found if closing is None or selection.is_by_age else chosen
        seen = {each.source_key for each in with_letter if not each.is_for_transactions}
        yield from (each for each in chosen if each.place > run.cursor.place)
        for each in self._rows(run):
            if each.source_key in seen or not selection.selects_without_age(each.failure):
                continue
            seen.add(each.source_key)
            if selection.is_by_age:
                run.without_age += 1
            else:
                yield each

    def _to_be_closed(self, found: Sequence[FoundFailure], closing: Closing, run: _Run) -> list[FoundFailure]:
        """Return one letter for each failure that may be closed, with the code that its rows state now.

        The letter may be of an older failure, which must not have another one closed.
        """
        first: dict[tuple[str, ...], FoundFailure] = {}
        for known in known_failures(found, self._connections, self._clock.now()):
            if known.found.letter is not None and closing.may_select(known.found.source_key):
                run.letters[_about(known.found)].append(known.found.letter)
                first.setdefault(_about(known.found), replace(known.found, failure=known.failure))
        return list(first.values())

    def _rows(self, run: _Run) -> Iterator[FoundFailure]:
        """Yield the failed rows after the cursor that this replay has not sent or closed yet."""
        closing = run.request.closing
        action = ReplayAction.SEND if closing is None else ReplayAction.CLOSE
        for name in sorted(self._connections):
            connection = self._connections[name]
            failed = FailedRows(connection, with_contacts=closing is not None).after(run.cursor.place)
            for rows in batched(failed, _ROWS_AT_ONCE, strict=False):
                records = load_records(connection.store, [each.failure.source for each in rows])
                for each in rows:
                    last = records[each.failure.source].last_like(action, each.failure.capability)
                    is_done = last is not None and last.at >= run.cursor.started_at
                    if not is_done and (closing is None or closing.may_select(each.source_key)):
                        yield each

    # --- what becomes of it -----------------------------------------------------------------------------------------

    def _replayed(self, known: KnownFailure, held: HeldLetters, run: _Run) -> ReplayedFailure:
        """Do what is decided, unless it is a preview; return it."""
        letter = known.found.letter
        if not run.request.is_preview:
            known = outcome_recorded(known, self._connections, self._clock.now())
        sent = known.record.sent_lately(self._clock.now())
        if run.request.closing is not None:
            decision = self._closed(known, run.request.closing, held, run)
            return ReplayedFailure(known.failure, decision, letter is not None, sent)
        decision = self._decided(known, sent, run)
        is_done = decision.action in (ReplayAction.SEND, ReplayAction.DELETE)
        if is_done and not run.request.is_preview:
            self._acts.act(known.failure, decision, run.request.by)
            if letter is not None:
                held.delete(letter)
        if decision.action is ReplayAction.SEND:
            run.sent.add(known.found.message_key)
        return ReplayedFailure(known.failure, decision, letter is not None, sent)

    def _closed(self, known: KnownFailure, closing: Closing, held: HeldLetters, run: _Run) -> Decision:
        """Close a failure and delete all letters of it, unless it is a preview; return what was decided."""
        if run.request.is_preview:
            return self._closer.decided(known, closing)
        decision = self._closer.close(known, closing, run.request.by)
        if decision.action is ReplayAction.DELETE:
            self._acts.act(known.failure, decision, run.request.by)
        if decision.action in (ReplayAction.CLOSE, ReplayAction.DELETE):
            for letter in run.letters.pop(_about(known.found), ()):
                held.delete(letter)
        return decision

    @staticmethod
    def _decided(known: KnownFailure, sent: int, run: _Run) -> Decision:
        if run.request.discarded_because:
            return decide_to_discard(known.situation, run.request.discarded_because)
        return run.decided(known) or decide(known.situation, sent, run.request.cap)


def _about(found: FoundFailure) -> tuple[str, ...]:
    """Return what a failure is about: its connection and source; of an order, the order or its transactions."""
    return (*found.source_key, "transactions" if found.is_for_transactions else "")
