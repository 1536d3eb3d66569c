"""The sync state of one connection: records with a generation, an index of what is due, and leases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

DOCUMENTS = "documents"  # due queue of documents; every other due queue is a capability's
# Groups of watched records. A record leaves its group when it is saved in another state.
FAILED_SOURCES = "failed-sources"
FAILED_DOCUMENTS = "failed-documents"
UNKNOWN_DOCUMENTS = "unknown-documents"
OPEN_DIFFERENCES = "open-differences"
OWN_STOCK = "own-stock"  # levels of merchants' offers, which nothing else lists
CHANGED_IN_XERO = "changed-in-xero"


class Conflict(Exception):
    """Other writers kept changing the records. Nothing was written for those; load them and decide again."""


class Record(Protocol):
    """Anything that is stored.

    key: unique within its type.
    generation: how often it was stored; 0 when it is new.
    """

    @property
    def key(self) -> str: ...

    @property
    def generation(self) -> int: ...


@dataclass(frozen=True)
class Cursor:
    """A small named piece of progress: a watermark, a quota, a token set, a pause."""

    name: str
    data: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0

    @property
    def key(self) -> str:
        return self.name


@dataclass(frozen=True)
class Lease:
    """The right to work for a connection until `until`; `generation` fences what a holder writes after it expired."""

    name: str
    owner: str
    until: datetime
    generation: int


@dataclass(frozen=True)
class Watched:
    """A record of a group of watched records.

    key: its type and key, e.g. ORDER#204-0000100-0000100 or DOCUMENT#invoice#204-0000100-0000100.
    reason: the code in its row.
    """

    key: str
    reason: str


class RecordStore(Protocol):
    """Records of one connection, by key. Reads are strongly consistent.

    A save succeeds only when the stored generation is the record's own, and stores generation + 1: two writers never
    both succeed. The database's own errors may be raised by every method; then nobody knows which writes took effect.
    """

    def load[R: Record](self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the stored records among these keys."""
        ...

    def save[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        """Save each record on its own; return the saved ones with their new generation, by key.

        A record that is missing from the answer lost to another writer: nothing was written for it.
        """
        ...

    def cursor(self, name: str) -> Cursor:
        """Return the cursor of that name, a new one where none is stored."""
        ...


class StateStore(RecordStore, Protocol):
    """The sync state of one connection: its records, and which of them are due. `due` and `watched` lag by moments."""

    def due(self, queue: str, now: datetime, limit: int) -> list[str]:
        """Return the keys of the records that are due in a queue: a capability's name, or DOCUMENTS. Oldest first."""
        ...

    def first_due(self, queue: str) -> datetime | None:
        """Return when the earliest record of a due queue is due, maybe in the future; None where there is none."""
        ...

    def watched(self, group: str, limit: int, after: Watched | None = None, reason: str = "") -> list[Watched]:
        """Return at most `limit` records of a group, by reason, from the one after `after` on.

        group: FAILED_SOURCES, FAILED_DOCUMENTS, UNKNOWN_DOCUMENTS, OPEN_DIFFERENCES, OWN_STOCK or
            CHANGED_IN_XERO.
        reason: only those that have this one.
        """
        ...

    def unwatch[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        """Save records as `save` does, but outside their group of watched records, and return the saved ones.

        Nothing else of a record says so: its next save, in a state that belongs to a group, puts it back.
        """
        ...

    def acquire(self, name: str, owner: str, now: datetime, until: datetime) -> Lease | None:
        """Return the lease, or None while another owner holds it."""
        ...

    def release(self, lease: Lease) -> None:
        """Give a lease back; does nothing when it has already passed to another owner."""
        ...
