"""Time: the only way in which the system reads it or waits."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, UTC and aware. Nothing else reads it, and nothing else waits."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...
