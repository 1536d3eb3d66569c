"""Why something was not booked: a code for the log and the metrics, a hint for the person who mends it."""

from __future__ import annotations


class Refused(Exception):
    """An order that cannot be booked as it is. `reason` is a code, `hint` says what to do; neither has buyer data."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}: {hint}")
        self.reason = reason
        self.hint = hint
