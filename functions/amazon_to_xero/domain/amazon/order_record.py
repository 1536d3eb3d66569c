"""What is known of an Amazon order: the newest version read, without buyer data, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.amazon.shipment import Shipment


class Wants(StrEnum):
    """What a due order wants next: to be read from Amazon, or to be booked as it was read."""

    READING = "READING"
    BOOKING = "BOOKING"


class Standing(StrEnum):
    """Where an order stands in the books."""

    HINTED = "HINTED"  # somebody said: look at it
    RECORDED = "RECORDED"  # read; its documents are still to be worked out
    BOOKED = "BOOKED"  # its documents are desired; each has its own state
    NOT_INVOICED = "NOT_INVOICED"  # nothing to book, by rule; the reason says which
    FAILED = "FAILED"  # needs a person; reason and hint say what


@dataclass(frozen=True)
class OrderFact:
    """One row. `updated` is Amazon's lastUpdatedTime of the version held; None until the order was read once.

    `due_at` is set while the order wants something; a failed read keeps it set. `hinted_at` is the newest hint's time.
    `customer` is the ContactNumber of its customer in Xero, `number` its first invoice's: it keeps that number when the
    settings' prefix changes. `documents` are the keys of what was asked for in Xero.
    """

    order_id: str
    generation: int = 0
    hinted_at: datetime | None = None
    due_at: datetime | None = None
    wants: Wants = Wants.READING
    attempts: int = 0
    read_at: datetime | None = None
    updated: datetime | None = None
    digest: str = ""
    status: str = ""
    content: Mapping[str, Any] | None = None
    shipments: tuple[Shipment, ...] = ()
    customer: str = ""
    number: str = ""
    standing: Standing = Standing.HINTED
    reason: str = ""
    hint: str = ""
    documents: tuple[str, ...] = ()

    def hinted(self, at: datetime, now: datetime) -> OrderFact | None:
        """The row after a hint of that time, or None when what is known already answers it.

        A fact read after Amazon spoke holds what Amazon spoke of.
        """
        if self.read_at is not None and self.read_at >= at:
            return None
        reading_at = self.due_at if self.wants is Wants.READING else None
        if reading_at is not None and reading_at <= now and self.hinted_at is not None and self.hinted_at >= at:
            return None
        latest = at if self.hinted_at is None else max(at, self.hinted_at)
        due = now if reading_at is None else min(reading_at, now)
        return replace(self, hinted_at=latest, due_at=due, wants=Wants.READING)

    def to_be_booked(self, now: datetime) -> OrderFact:
        """The row of an order whose documents are to be worked out, by the shipments function.

        A hint that is still open comes first: the reading that it asks for leads here again.
        """
        if self.wants is Wants.READING and self.due_at is not None:
            return replace(self, standing=Standing.RECORDED, reason="", hint="")
        return replace(self, standing=Standing.RECORDED, wants=Wants.BOOKING, due_at=now, reason="", hint="")

    def settled(self, standing: Standing, reason: str = "", hint: str = "") -> OrderFact:
        """The row of an order that wants nothing more, but for a hint that is still open."""
        due = self.due_at if self.wants is Wants.READING else None
        return replace(self, standing=standing, reason=reason, hint=hint, due_at=due, wants=Wants.READING)

    def supersedes(self, updated: datetime) -> bool:
        """Whether the version held is newer than one last updated then."""
        return self.updated is not None and self.updated > updated
