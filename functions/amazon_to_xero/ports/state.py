"""What the services need of the outside world. Adapters implement these; tests and the simulation have their own.

Delivery semantics are part of each promise: which errors mean "nothing happened", and which mean "nobody knows".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from amazon_to_xero.domain.amazon.order_record import OrderFact
from amazon_to_xero.domain.books.document import Document


class Conflict(Exception):
    """Somebody else wrote the row since it was read: read again, decide again. Nothing was written."""


@dataclass(frozen=True)
class Lease:
    """The right to work for a connection until `until`; `generation` fences what an expired holder still writes."""

    name: str
    owner: str
    until: datetime
    generation: int


@dataclass(frozen=True)
class Cursor:
    """A small named piece of progress (watermark, token bucket, token set). `generation` 0: not stored yet."""

    name: str
    data: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0


class StateStore(Protocol):
    """The sync state of one connection. Reads by key are strongly consistent; `due_*` may lag by moments.

    Every row carries a generation. A save succeeds only when the stored generation is the one that was read, and
    stores generation + 1: two writers can never both win.
    """

    def orders(self, order_ids: Iterable[str]) -> dict[str, OrderFact]:
        """The known ones among these orders."""
        ...

    def documents(self, keys: Iterable[str]) -> dict[str, Document]:
        """The known ones among these document keys."""
        ...

    def save_orders(self, facts: Sequence[OrderFact]) -> dict[str, OrderFact]:
        """Saves each on its own; returns the saved ones with their new generation, by order id.

        One that is missing from the answer lost to another writer: nothing was written for it.
        """
        ...

    def save_documents(self, documents: Sequence[Document]) -> dict[str, Document]:
        """Saves each on its own; returns the saved ones with their new generation, by key.

        One that is missing from the answer lost to another writer: nothing was written for it.
        """
        ...

    def due_orders(self, now: datetime, limit: int) -> list[str]:
        """Ids of orders that want reading, longest due first."""
        ...

    def due_shipments(self, now: datetime, limit: int) -> list[str]:
        """Ids of orders that want booking as they were read, longest due first."""
        ...

    def due_documents(self, now: datetime, limit: int) -> list[str]:
        """Keys of documents that want work, longest due first."""
        ...

    def cursor(self, name: str) -> Cursor: ...

    def save_cursor(self, cursor: Cursor) -> Cursor:
        """Raises Conflict. Returns the cursor with its new generation."""
        ...

    def acquire(self, name: str, owner: str, now: datetime, until: datetime) -> Lease | None:
        """The lease, or None while somebody else holds it."""
        ...

    def release(self, lease: Lease) -> None:
        """Gives a lease back; does nothing when it has already passed to somebody else."""
        ...
