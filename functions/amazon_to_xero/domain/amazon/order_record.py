"""The record of an Amazon order: the newest version read, without buyer data, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.capabilities import ORDERS
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.source import NextStep, SourceKind, source_key

#: How long an order waits after each answer of an older version than the one held.
OLDER_READ_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 30))
#: After so many answers of an older version, over so long a time, the version held is not what Amazon states any more.
MIN_OLDER_READS = 6
MIN_OLDER_TIME = timedelta(hours=1)


class OrderState(StrEnum):
    """How far an order is."""

    NOTICED = "NOTICED"  # something may have changed; it is to be read
    RECORDED = "RECORDED"  # read; its documents are to be planned
    PLANNED = "PLANNED"  # its documents are requested; each has its own state
    NOT_INVOICED = "NOT_INVOICED"  # has no documents, by rule; the reason says by which
    FAILED = "FAILED"  # needs a person; reason and remedy say why


@dataclass(frozen=True)
class OrderRecord:
    """The stored row of an order.

    order_id: Amazon's.
    generation: how often the row was stored; two writers never both succeed.
    noticed_at: when the newest change notice was given (UTC).
    next_step, next_attempt_at, capability: what it needs, from when on, and whose work that is. A read that failed
        keeps next_attempt_at set.
    attempts: reads that failed since the last one that succeeded.
    read_at: as of when Amazon's answer was (UTC).
    version: Amazon's lastUpdatedTime of the version held; None until the order was read once.
    documents_version: the version that documents are requested with. It is `version`, except where Amazon went back to
        an older one, or a person has corrected the order: then it is a moment after the newest so far, so that an
        earlier plan never replaces a later one.
    older_reads, older_since: answers in a row that were older than the version held, and the first of them (UTC).
    digest: hash of what was read, the buyer's digest included.
    status: Amazon's fulfilment status.
    content: Amazon's order without buyer data.
    shipments: what has shipped so far, in the order in which it became known; never taken back.
    contact_number: ContactNumber of its customer in Xero.
    invoice_number: number of its first invoice; it keeps that number when the settings' prefix changes.
    state, reason, remedy: see OrderState.
    documents: keys of the documents that its last plan asked for.
    awaits_charge_since: since when its plan has waited for what Amazon charged (UTC); None where it does not.
    corrections: how many corrections by a person it is planned with; see `domain.corrections`.
    """

    order_id: str
    generation: int = 0
    noticed_at: datetime | None = None
    next_attempt_at: datetime | None = None
    next_step: NextStep = NextStep.READ
    capability: str = ORDERS
    attempts: int = 0
    read_at: datetime | None = None
    version: datetime | None = None
    documents_version: datetime | None = None
    older_reads: int = 0
    older_since: datetime | None = None
    digest: str = ""
    status: str = ""
    content: Mapping[str, Any] | None = field(default=None, repr=False)
    shipments: tuple[Shipment, ...] = ()
    contact_number: str = ""
    invoice_number: str = ""
    state: OrderState = OrderState.NOTICED
    reason: str = ""
    remedy: str = ""
    documents: tuple[str, ...] = ()
    awaits_charge_since: datetime | None = None
    corrections: int = 0

    @property
    def key(self) -> str:
        return self.order_id

    @property
    def source(self) -> str:
        return source_key(SourceKind.ORDER, self.order_id)

    @property
    def marketplace_id(self) -> str:
        """Amazon's id of its marketplace, also of an order that cannot be parsed; empty where none is known."""
        channel = (self.content or {}).get("salesChannel")
        return str(channel.get("marketplaceId") or "") if isinstance(channel, Mapping) else ""

    @property
    def is_unreadable(self) -> bool:
        """Whether it failed because Amazon does not return it, and nobody has asked for it again."""
        is_refused = self.reason in (FailureCode.ORDER_REFUSED, FailureCode.ORDER_NOT_FOUND)
        return self.state is OrderState.FAILED and is_refused and self.next_attempt_at is None

    @property
    def reading_at(self) -> datetime | None:
        """When it is to be read; None when it is not to be read."""
        return self.next_attempt_at if self.next_step is NextStep.READ else None

    def is_due(self, step: NextStep, now: datetime) -> bool:
        return self.next_step is step and self.next_attempt_at is not None and self.next_attempt_at <= now

    def is_newer_than(self, version: datetime) -> bool:
        """Whether the version held is newer than that one."""
        return self.version is not None and self.version > version

    @property
    def source_version(self) -> datetime | None:
        """The version that documents are requested with."""
        return self.documents_version or self.version

    def with_version(self, version: datetime) -> OrderRecord:
        """Return the record with another version of the order, whether newer or older than the one held."""
        newest = self.source_version
        if newest is None or version > newest:
            newest = version
        elif version != self.version:
            newest += timedelta(microseconds=1)
        return replace(self, version=version, documents_version=newest, older_reads=0, older_since=None)

    def after_older_answer(self, now: datetime) -> OrderRecord:
        """Return the record after getOrder answered with an older version: to be read again, later each time."""
        wait = OLDER_READ_WAITS[min(self.older_reads, len(OLDER_READ_WAITS) - 1)]
        return self.read_again_at(
            now + wait,
            attempts=self.attempts + 1,
            older_reads=self.older_reads + 1,
            older_since=self.older_since or now,
            reason=WaitReason.OLDER_VERSION,
        )

    def has_gone_back(self, now: datetime) -> bool:
        """Whether Amazon has answered with older versions so often, and for so long, that no stale copy explains it."""
        is_long_ago = self.older_since is not None and self.older_since <= now - MIN_OLDER_TIME
        return is_long_ago and self.older_reads >= MIN_OLDER_READS

    def noticed(self, at: datetime, now: datetime) -> OrderRecord | None:
        """Return the record after a change notice of that time; None when the record already answers it.

        A record that was read after Amazon gave the notice contains the change.
        """
        if self.read_at is not None and self.read_at >= at:
            return None
        reading_at = self.reading_at
        if reading_at is not None and reading_at <= now and self.noticed_at is not None and self.noticed_at >= at:
            return None
        latest = at if self.noticed_at is None else max(at, self.noticed_at)
        due = now if reading_at is None else min(reading_at, now)
        return replace(self, noticed_at=latest, next_attempt_at=due, next_step=NextStep.READ, capability=ORDERS)

    def read_again_at(self, at: datetime, **changes: Any) -> OrderRecord:
        """Return the record to be read at that time."""
        return replace(self, next_step=NextStep.READ, capability=ORDERS, next_attempt_at=at, **changes)

    def to_be_planned(self, capability: str, now: datetime) -> OrderRecord:
        """Return the record to be planned by that capability.

        A notice that is still open comes first: the read that answers it leads here again.
        """
        recorded = replace(self, state=OrderState.RECORDED, reason="", remedy="")
        if self.reading_at is not None:
            return recorded
        return replace(recorded, next_step=NextStep.PLAN, capability=capability, next_attempt_at=now)

    def corrected(self, corrections: int, capability: str, now: datetime) -> OrderRecord:
        """Return the record with so many corrections, to be planned with them; to be read first where it was not read.

        Its documents are requested with a later version, so that a plan without the correction never replaces them.
        """
        newest = self.source_version
        version = newest + timedelta(microseconds=1) if newest is not None else None
        record = replace(self, corrections=corrections, documents_version=version)
        if self.content is None:
            return record.read_again_at(now, reason="", remedy="")
        return record.to_be_planned(capability, now)

    def plan_at(self, at: datetime, reason: str = "") -> OrderRecord:
        """Return the record to be planned at that time, by the same capability."""
        return replace(self.to_be_planned(self.capability, at), reason=reason)

    def awaiting_charge(self, at: datetime, reason: str, remedy: str, since: datetime) -> OrderRecord:
        """Return the record that waits for what Amazon charged, to be planned at that time at the latest."""
        return replace(self.plan_at(at, reason), remedy=remedy, awaits_charge_since=since)

    @property
    def awaits_charge(self) -> bool:
        """Whether a charge that becomes known is to be planned with at once."""
        return self.awaits_charge_since is not None and self.next_step is NextStep.PLAN

    def settled(self, state: OrderState, reason: str = "", remedy: str = "") -> OrderRecord:
        """Return the record of an order that needs nothing more, apart from a notice that is still open."""
        return replace(
            self,
            state=state,
            reason=reason,
            remedy=remedy,
            next_attempt_at=self.reading_at,
            next_step=NextStep.READ,
            capability=ORDERS,
            awaits_charge_since=None,
        )

    def failed(self, code: FailureCode, remedy: str) -> OrderRecord:
        """Return the record of an order that needs a person."""
        return self.settled(OrderState.FAILED, code, remedy)

    def unreadable(self) -> OrderRecord:
        """Return the record without its content, which the code could not process and may not be able to store."""
        return replace(self, digest="", content=None)

    def log_fields(self) -> dict[str, str]:
        corrections = {"corrections": str(self.corrections)} if self.corrections else {}
        return {"order_id": self.order_id, "status": self.status, **corrections}
