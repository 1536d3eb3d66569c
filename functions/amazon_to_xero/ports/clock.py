"""What the services need of the outside world. Adapters implement these; tests and the simulation have their own.

Delivery semantics are part of each promise: which errors mean "nothing happened", and which mean "nobody knows".
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, UTC and aware. Nothing else reads it, and nothing else waits."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...
