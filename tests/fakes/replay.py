"""The queues of a stack in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.ports.replay import DeadLetter, QueueFailed
from fakes.state import ManualClock, RecordingDeadLetters


@dataclass
class MemoryDeadLetterQueue(RecordingDeadLetters):
    """Both sides of one dead-letter queue: functions send to it, a replay receives from it.

    fails: what raises QueueFailed: receive, hide or delete.
    """

    capability: str = ORDERS
    clock: ManualClock = field(default_factory=ManualClock)
    fails: set[str] = field(default_factory=set)
    _sent: list[DeadLetter] = field(default_factory=list)
    _hidden: dict[str, datetime] = field(default_factory=dict)

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        super().send(body, reason=reason, remedy=remedy, order_id=order_id)
        self.move(body, reason, remedy, order_id or "")

    def move(self, body: str, reason: str = "", remedy: str = "", order_id: str = "") -> None:
        """Put a message there as SQS does, which adds no attributes."""
        number = f"{self.capability}-{len(self._sent)}"
        self._sent.append(
            DeadLetter(self.capability, number, f"r{number}", body, self.clock.now(), reason, remedy, order_id)
        )

    @property
    def visible(self) -> list[DeadLetter]:
        return [each for each in self._sent if self._hidden.get(each.message_id, self.clock.now()) <= self.clock.now()]

    @property
    def kept(self) -> list[DeadLetter]:
        """The letters that are there, hidden ones as well."""
        return list(self._sent)

    def receive(self, hide_for: timedelta, limit: int) -> list[DeadLetter]:
        self._fail("receive")
        received = self.visible[:limit]
        self.hide(received, hide_for)
        return received

    def hide(self, letters: Sequence[DeadLetter], hide_for: timedelta) -> None:
        self._fail("hide")
        self._hidden |= {letter.message_id: self.clock.now() + hide_for for letter in letters}

    def delete(self, letter: DeadLetter) -> None:
        self._fail("delete")
        self._sent.remove(letter)

    def _fail(self, operation: str) -> None:
        if operation in self.fails:
            raise QueueFailed("ServiceUnavailable")


@dataclass
class MemoryQueue:
    """ports.WorkQueue; `broken` makes it unreachable."""

    bodies: list[str] = field(default_factory=list)
    broken: bool = False

    def send(self, body: str) -> None:
        if self.broken:
            raise QueueFailed("ServiceUnavailable")
        self.bodies.append(body)
