"""The record of a closed day: which entries of a marketplace and day are stated together, decided once.

    CLOSING -> CLOSED -> PLANNED    the entries are claimed; they are known; their documents are requested
    CLOSING -> EMPTY                all of them were changed, and wait for the next closing
    CLOSED | PLANNED -> FAILED      its documents need a person, or the list of its orders cannot be attached

What arrives for the day after that belongs to another record, whose number counts on: -1, -2 and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.source import NextStep, SourceKind, source_key

RETRY_ATTACHING = timedelta(minutes=1)  # while the documents are posted


class DayState(StrEnum):
    """How far a closed day is; see above."""

    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    PLANNED = "PLANNED"
    EMPTY = "EMPTY"
    FAILED = "FAILED"


@dataclass(frozen=True)
class DayTerms:
    """What the entries of one document have in common.

    marketplace_id: Amazon's.
    contact: key of the customer's document.
    day: the date of the entries, in the organisation's time zone.
    currency: ISO code.
    amounts: whether line amounts include tax.
    """

    marketplace_id: str
    contact: str
    day: date
    currency: str
    amounts: LineAmountTypes


@dataclass(frozen=True)
class ClosedDay:
    """The stored row of one closing of one marketplace and day.

    number: of its documents, e.g. AMZ-GB-20261102-1.
    closed_at: when it was closed (UTC): the version of its documents.
    candidates: key of an entry -> the generation of the row from which it may be claimed. One that has changed since
        cannot be claimed any more by any worker, so that what was claimed once is final.
    entries: keys of those that were claimed.
    documents: keys of what its plan asks for.
    attached: keys of the documents that have the list of the orders.
    attempts: how often attaching it was tried in vain.
    generation, state, reason, remedy, next_attempt_at: as of every source record.
    """

    number: str
    terms: DayTerms
    closed_at: datetime
    candidates: Mapping[str, int] = field(default_factory=dict)
    entries: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    attempts: int = 0
    generation: int = 0
    next_attempt_at: datetime | None = None
    state: DayState = DayState.CLOSING
    reason: str = ""
    remedy: str = ""

    @property
    def key(self) -> str:
        return self.number

    @property
    def source(self) -> str:
        return source_key(SourceKind.DAY, self.number)

    @property
    def next_step(self) -> NextStep:
        return NextStep.PLAN

    @property
    def capability(self) -> str:
        return SHIPMENTS

    def is_due(self, step: NextStep, now: datetime) -> bool:
        """Whether its documents are to be planned."""
        return step is NextStep.PLAN and self.state is DayState.CLOSED and self.is_due_in(DayState.CLOSED, now)

    def is_due_in(self, state: DayState, now: datetime) -> bool:
        return self.state is state and self.next_attempt_at is not None and self.next_attempt_at <= now

    def claimed(self, documents: Iterable[Document]) -> list[Document]:
        """Return the entries to store as stated by this day: those that are as they were when it was begun."""
        return [
            each.closed(self.number)
            for each in documents
            if each.generation == self.candidates.get(each.key) and not each.closed_in
        ]

    def with_entries(self, documents: Iterable[Document], now: datetime) -> ClosedDay:
        """Return the row with the entries that are stored as stated by it, to be planned; EMPTY without any."""
        entries = tuple(sorted(each.key for each in documents if each.closed_in == self.number))
        if not entries:
            return replace(self, state=DayState.EMPTY, candidates={}, next_attempt_at=None)
        return replace(self, state=DayState.CLOSED, candidates={}, entries=entries, next_attempt_at=now)

    def planned(self, documents: Sequence[str], now: datetime) -> ClosedDay:
        """Return the row with its documents, to which the list of orders is attached once Xero holds them."""
        planned = replace(self, state=DayState.PLANNED, documents=tuple(documents), reason="", remedy="")
        return replace(planned, next_attempt_at=now + RETRY_ATTACHING, attempts=0)

    def with_attached(self, document: str) -> ClosedDay:
        return replace(self, attached=(*self.attached, document), attempts=0, reason="", remedy="")

    def reprocessed(self, now: datetime) -> ClosedDay:
        """Return the row to be planned again because a person asks, or the poster does."""
        if self.state in (DayState.CLOSING, DayState.EMPTY):
            return self
        return replace(self, state=DayState.CLOSED, next_attempt_at=now, reason="", remedy="")

    def plan_at(self, at: datetime | None, reason: str = "") -> ClosedDay:
        return replace(self, next_attempt_at=at, reason=reason, remedy="")

    def failed(self, code: FailureCode, remedy: str) -> ClosedDay:
        return replace(self, state=DayState.FAILED, next_attempt_at=None, reason=code, remedy=remedy)

    def unreadable(self) -> ClosedDay:
        return self

    def log_fields(self) -> dict[str, str]:
        return {"source": self.source, "entries": str(len(self.entries))}


def by_terms(entries: Iterable[Document]) -> Mapping[DayTerms, list[Document]]:
    """Return the entries by what those of one document have to have in common."""
    groups: dict[DayTerms, list[Document]] = {}
    for each in entries:
        if each.desired.entry is not None:
            groups.setdefault(_terms_of(each, each.desired.entry.marketplace_id), []).append(each)
    return groups


def _terms_of(entry: Document, marketplace_id: str) -> DayTerms:
    body = entry.desired.body
    return DayTerms(
        marketplace_id,
        entry.desired.references[CONTACT_REFERENCE],
        date.fromisoformat(body["Date"]),
        body["CurrencyCode"],
        LineAmountTypes(body["LineAmountTypes"]),
    )
