"""Why something was not booked: a code for the log and the metrics, a hint for the person who mends it."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """An order that cannot be booked as it is. `reason` is a code, `hint` says what to do; neither has buyer data."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}: {hint}")
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class Problem:
    """Something that will have orders refused, seen before there is one."""

    reason: str
    hint: str
