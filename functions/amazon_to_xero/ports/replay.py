"""The queues of a replay: dead letters are received, hidden, deleted; messages are sent to where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class QueueFailed(Exception):
    """A queue did not answer or refused the call. Its text is AWS's error code, or the type of the error."""


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead-letter queue.

    capability: the name of the capability whose queue takes it.
    message_id: SQS's id; the same each time that it is received.
    receipt: SQS's handle of this receipt, by which it is hidden or deleted.
    body: the message as it was sent.
    sent_at: when it was sent (UTC).
    reason, remedy, order_id: attributes of a letter that a function sent; empty in one that SQS has moved.
    """

    capability: str
    message_id: str
    receipt: str
    body: str
    sent_at: datetime
    reason: str = ""
    remedy: str = ""
    order_id: str = ""


class DeadLetterSource(Protocol):
    """A dead-letter queue that letters are taken from. Every method may raise QueueFailed."""

    def receive(self, hide_for: timedelta, limit: int) -> list[DeadLetter]:
        """Return at most `limit` visible letters, hidden from other receivers for that time."""
        ...

    def hide(self, letters: Sequence[DeadLetter], hide_for: timedelta) -> None:
        """Hide received letters for that time from now on; for no time they are visible at once."""
        ...

    def delete(self, letter: DeadLetter) -> None: ...


class WorkQueue(Protocol):
    """The queue of a capability, whose function processes what is sent."""

    def send(self, body: str) -> None:
        """Send a message, at least once. Raises QueueFailed."""
        ...


class StoppedLetters(Protocol):
    """The queue of letters that the automatic replay has stopped."""

    def keep(self, letter: DeadLetter, why: str) -> None:
        """Send a letter there with its attributes and why it was stopped. Raises QueueFailed."""
        ...
