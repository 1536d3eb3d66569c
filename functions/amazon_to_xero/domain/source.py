"""Sources: everything that is booked comes from something that Amazon or a person states, recorded once, versioned.

A source is named by its key, `order#026-…`. Each document carries the key of the source that asked for it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from amazon_to_xero.domain.failures import FailureCode


class SourceKind(StrEnum):
    """The first part of a source's key."""

    ORDER = "order"  # an Amazon order; its version is lastUpdatedTime
    TRANSACTION = "transaction"  # a transaction of Amazon's Finances API; immutable but for its status
    CONFIRMATION = "confirmation"  # the charges of an order, which confirm its sale; it has no documents
    DAY = "day"  # a closed day of a marketplace: the entries that its documents state together
    SETTINGS = "settings"  # the connection's settings: the customer that stands for a marketplace


class NextStep(StrEnum):
    """What a source record with a next_attempt_at needs: to be read from Amazon, or to be planned as it was read."""

    READ = "READ"
    PLAN = "PLAN"


class SourceRecord(Protocol):
    """What the planner needs of a record of any kind of source. Records are immutable; each method returns a new one.

    key: the record's id within its kind, e.g. the Amazon order id.
    source: the source's key, e.g. order#026-…
    generation: how often the record was stored; two writers never both succeed.
    next_step, next_attempt_at: what the record needs and from when on (UTC); None when it needs nothing.
    capability: the capability that the next step belongs to.
    state, reason, remedy: how far it is, and why; as they are stored and logged.
    documents: keys of the documents that the record's last plan asked for.
    """

    @property
    def key(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def generation(self) -> int: ...

    @property
    def next_step(self) -> NextStep: ...

    @property
    def next_attempt_at(self) -> datetime | None: ...

    @property
    def capability(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def remedy(self) -> str: ...

    @property
    def documents(self) -> tuple[str, ...]: ...

    def is_due(self, step: NextStep, now: datetime) -> bool: ...

    def plan_at(self, at: datetime, reason: str = "") -> Self:
        """Return the record to be planned at that time, by the same capability."""
        ...

    def failed(self, code: FailureCode, remedy: str) -> Self:
        """Return the record as one that needs a person."""
        ...

    def unreadable(self) -> Self:
        """Return the record without its content, which the code could not process and may not be able to store."""
        ...

    def log_fields(self) -> dict[str, str]:
        """Return the names and values that identify the record in a log line; never buyer data."""
        ...


def source_key(kind: SourceKind, identity: str) -> str:
    """Return the key of a source: `order#026-1234567-1234567`."""
    return f"{kind}#{identity}"


def identity_of(source: str, kind: SourceKind) -> str | None:
    """Return the identity in the key of a source of that kind, None for a source of another kind."""
    prefix, _, identity = source.partition("#")
    return identity if prefix == kind and identity else None
