"""A standard SQS queue: at least once, in any order, hidden while received, moved aside after too many receives."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from simulation.scheduler import Scheduler


@dataclass
class Message:
    message_id: str
    body: str
    attributes: dict[str, str] = field(default_factory=dict)
    receives: int = 0
    visible_at: float = 0.0


class Queue:
    """`visibility` in seconds. A message received more than `max_receives` times goes to `dead_letters`."""

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        rng: random.Random,
        visibility: float = 740.0,
        max_receives: int = 5,
        dead_letters: Queue | None = None,
    ) -> None:
        self.name = name
        self.messages: dict[str, Message] = {}
        self.ever: list[Message] = []
        self.on_message: Callable[[], None] = lambda: None
        self._scheduler = scheduler
        self._rng = rng
        self._visibility = visibility
        self._max_receives = max_receives
        self._dead_letters = dead_letters
        self._sent = 0

    def send(self, body: str, attributes: dict[str, str] | None = None, delay: float = 0.0) -> Message:
        self._sent += 1
        message = Message(f"{self.name}-{self._sent}", body, attributes or {})
        message.visible_at = self._scheduler.seconds + delay
        self.messages[message.message_id] = message
        self.ever.append(message)
        self.on_message()
        return message

    def visible(self) -> list[Message]:
        now = self._scheduler.seconds
        return [message for message in self.messages.values() if message.visible_at <= now]

    def receive(self, most: int, duplicate: float) -> list[Message]:
        """Up to `most` messages in any order. Now and then one stays visible although it was handed out."""
        found = self.visible()
        self._rng.shuffle(found)
        taken = []
        for message in found[:most]:
            message.receives += 1
            if message.receives > self._max_receives and self._dead_letters is not None:
                del self.messages[message.message_id]
                self._dead_letters.send(message.body, message.attributes)
                continue
            if not (duplicate and self._rng.random() < duplicate):
                message.visible_at = self._scheduler.seconds + self._visibility
            taken.append(message)
        return taken

    def delete(self, message_id: str) -> None:
        self.messages.pop(message_id, None)

    def redrive(self, target: Queue) -> int:
        """Every message goes back as a new one with a new id."""
        moved = list(self.messages.values())
        self.messages.clear()
        for message in moved:
            target.send(message.body, message.attributes)
        return len(moved)
