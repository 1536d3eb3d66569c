"""One Xero document we answer for, as a state machine.

    PENDING -> IN_FLIGHT -> APPLIED
               IN_FLIGHT -> UNKNOWN -> APPLIED | PENDING      look in Xero before trying again
               IN_FLIGHT -> DEFERRED (due_at)                 not executed: limit, outage, no token
               IN_FLIGHT -> FAILED (reason, hint)             a person has to mend something
    APPLIED | FAILED -> PENDING                               when what should stand in Xero changes

Every transition is a new row; the store accepts it only on the generation it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.books.document_types import Kind, document_key
from amazon_to_xero.domain.canonical import content_hash

# A worker lives no longer than its function's 120 s (template.yaml), and its last request is over a minute later.
# After less, one that was frozen between its claim and its call could still send what others have found absent.
IN_FLIGHT_FOR = timedelta(seconds=180)


BUYER_NOT_AT_HAND = "BUYER_NOT_AT_HAND"


ASKED_AT_MOST = 30  # with up to an hour between, about a day


class Work(StrEnum):
    """Whose work something is: the function that does it, and whose dead-letter queue tells a person of it."""

    ORDERS = "orders"
    SHIPMENTS = "shipments"


class State(StrEnum):
    PENDING = "PENDING"
    IN_FLIGHT = "IN_FLIGHT"
    UNKNOWN = "UNKNOWN"
    DEFERRED = "DEFERRED"
    APPLIED = "APPLIED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Desired:
    """What should stand in Xero: `body` in Xero's own names, `refers` = path in the body -> key of another document.

    `total` is the document total that Xero must arrive at (None for a contact). `version` is the last-updated time of
    the fact it was derived from: an older fact never replaces a newer one. `sources` says of each line of the body what
    it was booked for (item and charge), so that a later change can be compared with it; Xero never sees it.
    """

    kind: Kind
    number: str
    body: Mapping[str, Any]
    version: datetime | None = None
    total: Decimal | None = None
    refers: Mapping[str, str] = field(default_factory=dict)
    order_id: str = ""
    removed: bool = False  # it should not stand there (any more): a draft is deleted, an approved document voided
    sources: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return document_key(self.kind, self.number)

    @property
    def work(self) -> Work | None:
        """Whose work it is; None for a customer: each document that needs it says why it is missing."""
        if self.kind is Kind.CONTACT:
            return None
        draft = self.kind is Kind.INVOICE and self.body.get("Status") == "DRAFT" and not self.removed
        return Work.ORDERS if draft else Work.SHIPMENTS

    @property
    def buyer(self) -> str:
        """Of a buyer's contact the digest that stands for its details; empty for all that is stored as it is sent."""
        return str(self.body.get("Buyer", "")) if self.kind is Kind.CONTACT else ""

    @property
    def digest(self) -> str:
        return content_hash({"body": self.body, "refers": self.refers, "removed": self.removed})


@dataclass(frozen=True)
class Document:
    """One row. `applied_digest` is what Xero is known to hold; `xero_id` is set as soon as it is known."""

    desired: Desired
    state: State = State.PENDING
    generation: int = 0
    due_at: datetime | None = None
    claim: int = 0  # the generation at which it was last claimed: names one attempt
    applied_digest: str = ""
    xero_id: str = ""
    xero_status: str = ""
    attempts: int = 0  # calls to Xero that carried it
    asked: int = 0  # times that its buyer was not at hand and the order was asked for
    name_taken: bool = False  # a buyer's name that another contact has: told apart by a mark behind it
    reason: str = ""
    hint: str = ""

    @property
    def key(self) -> str:
        return self.desired.key

    @property
    def kind(self) -> Kind:
        return self.desired.kind

    @property
    def exists_in_xero(self) -> bool:
        return bool(self.xero_id)

    @property
    def waits_for_buyer(self) -> bool:
        return self.state is State.DEFERRED and self.reason == BUYER_NOT_AT_HAND

    def needs_a_look(self) -> bool:
        """Whether Xero may hold it without our knowing: then it is looked for before anything is written."""
        return self.state in (State.IN_FLIGHT, State.UNKNOWN)

    def is_newer_than(self, version: datetime) -> bool:
        """Whether it was last asked for by a newer version of its fact."""
        return self.desired.version is not None and self.desired.version > version

    def is_due(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at <= now

    # --- what should be -------------------------------------------------------------------------------------------

    def wanting(self, desired: Desired, now: datetime) -> Document | None:
        """The row after a fact asked for `desired`; None when nothing changes.

        An older fact than the one held changes nothing. A newer one leaves its version in the row even where it asks
        for the same, so that nothing older can win afterwards. A document whose outcome is unknown keeps its state:
        it is looked for first, then brought to what is wanted now. A failed one is tried again: somebody asked for it;
        a buyer's contact for any of its orders. One that waits for its buyer is due: whoever asks has read who it is.
        """
        held = self.desired.version
        same = desired.digest == self.desired.digest
        if held is not None and desired.version is not None and desired.version < held:
            tried_again = self.desired.buyer and (self.state is State.FAILED or (same and self.waits_for_buyer))
            if not tried_again:
                return None
            desired, same = self.desired, True
        if same and self.waits_for_buyer:
            return replace(self, desired=desired, state=State.PENDING, due_at=now, reason="")
        if same and self.state is not State.FAILED:
            return replace(self, desired=desired) if desired.version != held else None
        if self.needs_a_look():
            return replace(self, desired=desired)
        if desired.digest == self.applied_digest:
            return replace(self, desired=desired, state=State.APPLIED, due_at=None, reason="", hint="")
        return replace(self, desired=desired, state=State.PENDING, due_at=now, reason="", hint="", attempts=0, asked=0)

    # --- what happens to it ---------------------------------------------------------------------------------------

    def claimed(self, now: datetime) -> Document:
        """Durable intent: written before the call, so that whoever comes after a crash knows to look."""
        return replace(
            self,
            state=State.IN_FLIGHT,
            due_at=now + IN_FLIGHT_FOR,
            claim=self.generation + 1,
            attempts=self.attempts + 1,
            reason="",
            hint="",
        )

    def applied(self, xero_id: str, status: str, digest: str, now: datetime) -> Document:
        """Xero holds the content with this digest. Wanting something else by now, it is due again at once."""
        done = digest == self.desired.digest
        return replace(
            self,
            state=State.APPLIED if done else State.PENDING,
            due_at=None if done else now,
            applied_digest=digest,
            xero_id=xero_id,
            xero_status=status,
            reason="",
            hint="",
        )

    def found(self, xero_id: str, status: str, now: datetime) -> Document:
        """Xero holds it with other content: to be updated under its id."""
        return replace(
            self, state=State.PENDING, due_at=now, xero_id=xero_id, xero_status=status, applied_digest="", reason=""
        )

    def absent(self, now: datetime) -> Document:
        """Xero does not hold it: to be created."""
        return replace(self, state=State.PENDING, due_at=now, xero_id="", xero_status="", reason="")

    def withdrawn(self) -> Document:
        """What it refers to should not stand: neither should it, and Xero never held it."""
        desired = replace(self.desired, removed=True)
        return replace(
            self, desired=desired, state=State.APPLIED, due_at=None, applied_digest=desired.digest, reason="", hint=""
        )

    def deferred(self, until: datetime, reason: str) -> Document:
        """Not executed; again at `until`."""
        return replace(self, state=State.DEFERRED, due_at=until, reason=reason)

    def without_buyer(self, now: datetime) -> Document:
        """Nobody here knows who the buyer is until the order has been read again; tried after 1, 2, 4 … 60 minutes."""
        if self.asked >= ASKED_AT_MOST:
            hint = "Amazon does not say who the buyer is any more; redrive, or set contacts.policy to marketplace first"
            return self.failed(BUYER_NOT_AT_HAND, hint)
        wait = timedelta(minutes=min(60, 2 ** min(self.asked, 6)))
        return replace(self.deferred(now + wait, BUYER_NOT_AT_HAND), asked=self.asked + 1)

    def told_apart(self, now: datetime) -> Document:
        """Another contact has the buyer's name: written again at once with a mark behind it."""
        return replace(self, state=State.PENDING, due_at=now, name_taken=True, reason="CONTACT_NAME_TAKEN")

    def unknown(self, until: datetime, reason: str) -> Document:
        """Nobody knows whether it was executed; to be looked for at `until`."""
        return replace(self, state=State.UNKNOWN, due_at=until, reason=reason)

    def failed(self, reason: str, hint: str) -> Document:
        return replace(self, state=State.FAILED, due_at=None, reason=reason, hint=hint)
