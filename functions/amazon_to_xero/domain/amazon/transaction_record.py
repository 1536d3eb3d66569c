"""The record of a transaction of Amazon's Finances API, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.domain.source import NextStep, SourceKind, source_key


class TransactionState(StrEnum):
    """How far a transaction is."""

    RECORDED = "RECORDED"  # read; its documents are to be planned, or it waits for its sale
    PLANNED = "PLANNED"  # its documents are requested; each has its own state
    NOT_BOOKED = "NOT_BOOKED"  # has no documents, by rule; the reason says by which
    FAILED = "FAILED"  # needs a person; reason and remedy say why


@dataclass(frozen=True)
class TransactionRecord:
    """The stored row of a transaction.

    transaction_id: Amazon's. A transaction never changes but for its status, so it has no version of its own.
    generation: how often the row was stored; two writers never both succeed.
    order_id: the order that it belongs to; empty where Amazon names none.
    posted_at: Amazon's postedDate (UTC): the day of its documents, and the version that they are requested with.
    status: Amazon's, e.g. DEFERRED; empty where Amazon states none.
    content: Amazon's transaction; it holds no buyer data.
    first_read_at: when it was first read (UTC): what a waiting transaction's age counts from.
    credit_note_number: the number of its credit note, once it has one; it never changes.
    next_step, next_attempt_at, capability, attempts: as in OrderRecord; a transaction is never read again by itself.
    state, reason, remedy: see TransactionState.
    documents: keys of the documents that its last plan asked for.
    corrections: how many corrections by a person it is planned with; see `domain.corrections`.
    """

    transaction_id: str
    generation: int = 0
    order_id: str = ""
    posted_at: datetime | None = None
    status: str = ""
    content: Mapping[str, Any] | None = field(default=None, repr=False)
    first_read_at: datetime | None = None
    credit_note_number: str = ""
    next_step: NextStep = NextStep.PLAN
    next_attempt_at: datetime | None = None
    capability: str = REFUNDS
    attempts: int = 0
    state: TransactionState = TransactionState.RECORDED
    reason: str = ""
    remedy: str = ""
    documents: tuple[str, ...] = ()
    corrections: int = 0

    @property
    def key(self) -> str:
        return self.transaction_id

    @property
    def source(self) -> str:
        return source_key(SourceKind.TRANSACTION, self.transaction_id)

    @property
    def awaits_content(self) -> bool:
        """Whether its content could not be kept, and a person asked to read it again."""
        return self.content is None and self.attempts > 0

    def is_due(self, step: NextStep, now: datetime) -> bool:
        return self.next_step is step and self.next_attempt_at is not None and self.next_attempt_at <= now

    def plan_at(self, at: datetime, reason: str = "") -> TransactionRecord:
        return replace(
            self, next_step=NextStep.PLAN, next_attempt_at=at, state=TransactionState.RECORDED, reason=reason, remedy=""
        )

    def planned_anew(self, now: datetime) -> TransactionRecord:
        """Return the record to be planned now. It may wait for its sale as long as a new one."""
        return replace(self, first_read_at=now).plan_at(now)

    def corrected(self, corrections: int, now: datetime) -> TransactionRecord:
        """Return the record with so many corrections, to be planned with them."""
        return replace(self, corrections=corrections).plan_at(now)

    def awaiting_content(self) -> TransactionRecord:
        """Return the record of a transaction that is recorded anew as soon as it is read.

        Until then it stays failed: if Amazon never shows it again, it stays on the list of failures.
        """
        code = FailureCode.TRANSACTION_MALFORMED
        failed = self if self.state is TransactionState.FAILED else self.failed(code, FAILURES[code].remedy)
        return replace(failed, content=None, attempts=1)

    def settled(self, state: TransactionState, reason: str = "") -> TransactionRecord:
        """Return the record of a transaction that needs nothing more."""
        return replace(self, state=state, reason=reason, remedy="", next_attempt_at=None, attempts=0)

    def failed(self, code: FailureCode, remedy: str) -> TransactionRecord:
        failed = TransactionState.FAILED
        return replace(self, state=failed, reason=code, remedy=remedy, next_attempt_at=None, attempts=0)

    def unreadable(self) -> TransactionRecord:
        return replace(self, content=None)

    def log_fields(self) -> dict[str, str]:
        named = {"order_id": self.order_id} if self.order_id else {}
        corrections = {"corrections": str(self.corrections)} if self.corrections else {}
        return {**named, "transaction_id": self.transaction_id, **corrections}
