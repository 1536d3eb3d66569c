"""Which open failures a person selects: by function, connection, order, failure code, age and text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_to_xero.domain.replay.failure import OpenFailure


@dataclass(frozen=True)
class ReplayFilter:
    """What is selected. An empty field selects everything; what is selected fits every field.

    functions: names of capabilities.
    connection, order_id, source: exactly these.
    reason: a failure code.
    older_than, newer_than: age of the dead letter. A failure without a letter has no known age and does not fit either.
    text: part of the remedy, the reason or the message, in any case.
    """

    functions: frozenset[str] = frozenset()
    connection: str = ""
    order_id: str = ""
    source: str = ""
    reason: str = ""
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    text: str = ""

    @property
    def is_by_age(self) -> bool:
        return self.older_than is not None or self.newer_than is not None

    def selects(self, failure: OpenFailure, now: datetime) -> bool:
        """Return whether a failure fits every field."""
        return self.selects_without_age(failure) and self._has_age(failure, now)

    def selects_without_age(self, failure: OpenFailure) -> bool:
        """Return whether a failure fits every field but those about its age."""
        exact = (
            (self.connection, failure.connection),
            (self.order_id, failure.order_id),
            (self.source, failure.source),
            (self.reason, failure.reason),
        )
        is_of_function = not self.functions or failure.capability in self.functions
        return (
            is_of_function and all(not wanted or wanted == given for wanted, given in exact) and self._has_text(failure)
        )

    def _has_text(self, failure: OpenFailure) -> bool:
        text = self.text.casefold()
        return any(text in part.casefold() for part in (failure.remedy, failure.reason, failure.body))

    def _has_age(self, failure: OpenFailure, now: datetime) -> bool:
        if not self.is_by_age:
            return True
        if failure.failed_at is None:
            return False
        age = now - failure.failed_at
        is_old_enough = self.older_than is None or age >= self.older_than
        return is_old_enough and (self.newer_than is None or age <= self.newer_than)
