"""The automatic replay: every dead letter of a batch is sent again after a wait, deleted as done, or stopped.

A letter that is neither is hidden until it is decided about again, and stays in its dead-letter queue. One that is
stopped moves to the queue of stopped letters, whose alarm calls a person: a dead-letter queue knows no last receive,
and a letter that stayed there would be received for ever and seen by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from amazon_to_xero.domain.replay.decision import Decision, decide_automatically
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.replay import DeadLetter, DeadLetterSource, QueueFailed, StoppedLetters
from amazon_to_xero.ports.state import Conflict
from amazon_to_xero.services.replay.acts import ReplayActs
from amazon_to_xero.services.replay.failures import FoundFailure, LetterReader, ReplayedConnection
from amazon_to_xero.services.replay.known_failures import KnownFailure, known_failures, outcome_recorded

AUTOMATIC = "automatic"  # who asked, in the evidence
_LONGEST_HIDDEN = timedelta(hours=11)  # SQS allows twelve from the receipt on


class AutomaticReplay:
    """Replays the dead letters that a queue delivers to the function."""

    def __init__(
        self,
        dead_letters: Mapping[str, DeadLetterSource],
        stopped: StoppedLetters,
        reader: LetterReader,
        acts: ReplayActs,
        connections: Mapping[str, ReplayedConnection],
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`dead_letters` are the dead-letter queues, by capability."""
        self._dead_letters = dead_letters
        self._stopped = stopped
        self._reader = reader
        self._acts = acts
        self._connections = connections
        self._clock = clock
        self._decisions = decisions

    def process(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Return the ids of the letters that stay in their queue. One that fails stays, and stops no other."""
        kept: list[str] = []
        sent: set[tuple[str, str, str]] = set()
        for known in known_failures([*map(self._reader.read, letters)], self._connections, self._clock.now()):
            letter = _letter_of(known.found)
            try:
                is_done = self._replay(known, letter, sent)
            except (QueueFailed, Conflict) as problem:
                self._decisions.record("LETTER_NOT_REPLAYED", source=known.failure.source, problem=str(problem))
                is_done = False
            if not is_done:
                kept.append(letter.message_id)
        return kept

    def _replay(self, known: KnownFailure, letter: DeadLetter, sent: set[tuple[str, str, str]]) -> bool:
        """Do what is decided about a letter; return whether it may be deleted. Raises QueueFailed and Conflict."""
        now = self._clock.now()
        known = outcome_recorded(known, self._connections, now)
        decision = decide_automatically(known.situation, known.record, letter.sent_at, now)
        if known.found.message_key in sent:
            decision = Decision(ReplayAction.DELETE, "another letter of its source was sent just now")
        match decision.action:
            case ReplayAction.LEAVE:
                wait = (decision.again_at or now) - now
                self._dead_letters[letter.capability].hide([letter], min(wait, _LONGEST_HIDDEN))
                return False
            case ReplayAction.STOP:
                self._stopped.keep(letter, decision.why)
            case ReplayAction.SEND:
                sent.add(known.found.message_key)
        self._acts.act(known.failure, decision, AUTOMATIC)
        return True


def _letter_of(found: FoundFailure) -> DeadLetter:
    if found.letter is None:
        raise ValueError("only letters are replayed automatically")
    return found.letter
