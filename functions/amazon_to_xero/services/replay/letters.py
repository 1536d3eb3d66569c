"""The dead letters of the stack, hidden from other receivers while a step decides about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from amazon_to_xero.ports.replay import DeadLetter, DeadLetterSource

_HIDDEN_FOR = timedelta(minutes=3)  # longer than a step lasts, in case that its end is not reached
_LETTERS_OF_A_QUEUE = 1000  # ten in a call: a step has less than a minute


class HeldLetters:
    """All visible letters of the given queues for the time of a `with` block. What is not deleted stays.

    letters: as they were received.
    is_complete: whether these are all; otherwise a queue has more of them than one step reads.
    """

    def __init__(self, queues: Sequence[DeadLetterSource]) -> None:
        self._queues = queues
        self._held: list[tuple[DeadLetterSource, DeadLetter]] = []
        self.is_complete = True

    def __enter__(self) -> Self:
        """Receive the letters. Raises QueueFailed; what was received before is visible again after three minutes."""
        for queue in self._queues:
            received = queue.receive(_HIDDEN_FOR, _LETTERS_OF_A_QUEUE)
            self.is_complete &= len(received) < _LETTERS_OF_A_QUEUE
            self._held += [(queue, letter) for letter in received]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for queue in self._queues:
            queue.hide([letter for source, letter in self._held if source is queue], timedelta())

    @property
    def letters(self) -> list[DeadLetter]:
        return [letter for _, letter in self._held]

    def delete(self, letter: DeadLetter) -> None:
        """Delete a letter. Raises QueueFailed; then it stays, and the next replay decides about it."""
        (source,) = (source for source, held in self._held if held is letter)
        source.delete(letter)
        self._held = [(source, held) for source, held in self._held if held is not letter]
