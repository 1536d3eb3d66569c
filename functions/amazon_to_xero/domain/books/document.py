"""One document in Xero as a state machine.

    PENDING -> IN_FLIGHT -> APPLIED
               IN_FLIGHT -> UNKNOWN -> APPLIED | PENDING     the answer was lost: look in Xero before writing again
               IN_FLIGHT -> DEFERRED                         not executed (limit, outage, no token): retry later
               IN_FLIGHT -> FAILED                           a person has to correct something
               UNKNOWN -> FAILED                             Xero never answers its look-up; asked again, it is UNKNOWN
    APPLIED | FAILED -> PENDING                              its source asks for something else, or asks again
    APPLIED | PENDING | DEFERRED -> UNKNOWN                  an approved invoice: look in Xero before it is changed

Each transition returns a new row. The store accepts it only if the stored generation is the one that it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.books.day_entry import DayEntry
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import reissued_number
from amazon_to_xero.domain.canonical import content_hash
from amazon_to_xero.domain.failures import FAILURES, FailureCode, WaitReason

# A worker lives no longer than its function's 120 s (template.yaml), and starts its last request over a minute before
# that. With a shorter claim, a worker frozen between its claim and its call could still send what another worker has
# looked up and found absent.
CLAIM_DURATION = timedelta(seconds=180)
LOOKUP_UNANSWERED_LIMIT = timedelta(minutes=30)  # tried after 0, 1, 4, 16 and 64 minutes
AWAITING_APPROVAL = "SUBMITTED"  # Xero's status of an invoice that a person is to approve
MAX_BUYER_REQUESTS = 30  # with up to an hour between them, about a day
MAX_CONTACT_REFUSALS = 5  # with 1, 2, 4 … minutes between them
MAX_PERIOD_REFUSALS = 2  # after each its source is planned again with the lock dates as they are then
_PLANNED_AGAIN_WITHIN = timedelta(minutes=2)
_CONTACT_IN_DOUBT = (FailureCode.CONTACT_ARCHIVED, FailureCode.CONTACT_NOT_FOUND)


class DocumentState(StrEnum):
    """Where a document is on its way to Xero; see the diagram above."""

    PENDING = "PENDING"
    IN_FLIGHT = "IN_FLIGHT"
    UNKNOWN = "UNKNOWN"
    DEFERRED = "DEFERRED"
    APPLIED = "APPLIED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class DesiredDocument:
    """A document that should exist in Xero, or a tombstone for one that should not.

    kind: Xero's document type.
    number: unique within its kind; see numbering.
    body: the request in Xero's field names, without Xero's ids.
    source: key of what asked for it, e.g. order#026-…; only that source's plan may change or remove it.
    source_version: the source's version (UTC) it was planned from. An older version never replaces a newer one.
    total: the document total that Xero must arrive at, in the document's currency; None for contacts and payments.
    references: path in the body -> key of the document whose Xero id belongs there.
    capability: whose dead-letter queue receives its failure; empty for a contact, which is no work of its own: each
        document that needs it fails with it.
    order_id: the Amazon order it concerns, for logs and reports; empty where there is none.
    tombstone: the document should not exist: a draft is deleted, an approved document voided.
    line_origins: for each line of the body, what of the source it books (item and charge); Xero never sees it.
    entry: where it is an entry of its day, and no document of its own in Xero; see DayEntry.
    ship_to: of an order's document, where the order was going when it was planned: ISO code of the country, and the
        region where Amazon gives one. Xero never sees it, and it decides nothing while the document can be changed.
    """

    kind: DocumentKind
    number: str
    body: Mapping[str, Any]
    source: str
    source_version: datetime | None = None
    total: Decimal | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    capability: str = ""
    order_id: str = ""
    tombstone: bool = False
    line_origins: tuple[str, ...] = ()
    entry: DayEntry | None = None
    ship_to: str = ""

    @property
    def key(self) -> str:
        return document_key(self.kind, self.number)

    @property
    def buyer_digest(self) -> str:
        """The digest that stands for a buyer's details in the row of their contact; empty for any other document."""
        return str(self.body.get("BuyerDigest", "")) if self.kind is DocumentKind.CONTACT else ""

    @property
    def is_chosen_contact(self) -> bool:
        """Whether it is a contact in Xero that a person has chosen: it is looked up, and nothing is written to it."""
        return self.kind is DocumentKind.CONTACT and "ContactID" in self.body

    @property
    def digest(self) -> str:
        """The hash of what Xero should hold; two requests with one digest are the same request."""
        return content_hash({"body": self.body, "references": self.references, "tombstone": self.tombstone})

    @property
    def is_entry(self) -> bool:
        """Whether it waits for its day to be closed, and not for the poster. A tombstone does not."""
        return self.entry is not None and not self.tombstone

    def due_from(self, now: datetime) -> datetime:
        """Return from when on something is to be done about it, if it is requested now."""
        return max(now, self.entry.closes_at) if self.entry is not None and self.is_entry else now


@dataclass(frozen=True)
class Document:
    """The stored row of a document.

    desired: what the source last asked for.
    state, reason, remedy: see DocumentState; reason is a FailureCode or a WaitReason.
    generation: how often the row was stored.
    next_attempt_at: when the poster works on it next (UTC); None when there is nothing to do.
    claim: the generation at which a worker last claimed it; identifies one attempt.
    applied_digest: digest of what Xero is known to hold; empty when that is not known.
    last_applied: the request of that digest, kept of an approved invoice while something else is requested: if Xero
        refuses the change because the period is locked, an adjustment corrects what Xero holds.
    xero_id, xero_status: as Xero last reported them; the id is kept from the moment it is known.
    attempts: calls to Xero that carried it since the source last asked.
    unknown_outcomes: writes in a row whose outcome Xero did not state. The more there are, the smaller the batch, until
        the document is alone.
    unknown_since: when the first of them was (UTC).
    reference_waits: how often it was deferred because a document that it references does not exist.
    buyer_requests: how often the order was read again because the buyer's details were not in memory.
    name_is_taken: another contact has its name, so a suffix tells them apart.
    is_merged: a person merged the contact into another, or has chosen one; xero_id is that one's, and nothing is
        written to it.
    replacements: how many contacts with our number a person archived. Xero keeps their numbers taken.
    contact_refusals: how often Xero refused it because its contact is archived, or unknown to Xero.
    period_refusals: how often Xero refused its date as locked, and its source was planned again for another date.
    approved_by_person: a person has approved the invoice in Xero, as it was or changed: nothing is written to it.
    closed_in: of an entry, the number of the closed day whose documents state it: it never changes any more. Empty
        before, and for a document of its own.
    """

    desired: DesiredDocument
    state: DocumentState = DocumentState.PENDING
    generation: int = 0
    next_attempt_at: datetime | None = None
    claim: int = 0
    applied_digest: str = ""
    last_applied: DesiredDocument | None = None
    xero_id: str = ""
    xero_status: str = ""
    attempts: int = 0
    unknown_outcomes: int = 0
    unknown_since: datetime | None = None
    reference_waits: int = 0
    buyer_requests: int = 0
    name_is_taken: bool = False
    is_merged: bool = False
    replacements: int = 0
    contact_refusals: int = 0
    period_refusals: int = 0
    approved_by_person: bool = False
    closed_in: str = ""
    reason: str = ""
    remedy: str = ""

    @property
    def key(self) -> str:
        return self.desired.key

    @property
    def kind(self) -> DocumentKind:
        return self.desired.kind

    @property
    def number_in_xero(self) -> str:
        """The number that Xero holds it under, or will."""
        return reissued_number(self.desired.number, self.replacements)

    @property
    def exists_in_xero(self) -> bool:
        """Whether Xero holds it. An entry counts from when its day is closed: the day's documents are never edited."""
        return bool(self.xero_id or self.closed_in)

    @property
    def content_in_xero(self) -> DesiredDocument | None:
        """The request that Xero is known to hold; None where that is not known, or was not kept (see last_applied)."""
        known = (each for each in (self.desired, self.last_applied) if each is not None)
        return next((each for each in known if each.digest == self.applied_digest), None)

    @property
    def awaits_buyer(self) -> bool:
        return self.state is DocumentState.DEFERRED and self.reason == FailureCode.BUYER_DATA_UNAVAILABLE

    @property
    def awaits_approval(self) -> bool:
        """Whether Xero holds the invoice for a person to approve."""
        is_requested = self.desired.body.get("Status") == AWAITING_APPROVAL and not self.desired.tombstone
        return is_requested and self.state is DocumentState.APPLIED

    @property
    def outcome_unknown(self) -> bool:
        """Whether Xero may hold the document without our knowing; then it is looked up before anything is written."""
        return self.state in (DocumentState.IN_FLIGHT, DocumentState.UNKNOWN)

    @property
    def is_outcome_open(self) -> bool:
        """Whether it is not known if Xero executed its last write, also where its look-up has failed for good."""
        return (self.outcome_unknown and not self.is_checked_before_change) or self.is_unresolved

    @property
    def is_checked_before_change(self) -> bool:
        """Whether it is looked up because a change of it is requested that Xero has not executed."""
        is_unsent = not self.attempts or self.reason == WaitReason.CHECKED_BEFORE_CHANGE
        return self.state is DocumentState.UNKNOWN and is_unsent and self._is_change_of_approved

    @property
    def is_change_to_send(self) -> bool:
        """Whether it is a change of an approved invoice that is to be sent as soon as a look-up is fresh."""
        return self.state in (DocumentState.PENDING, DocumentState.DEFERRED) and self._is_change_of_approved

    @property
    def _is_change_of_approved(self) -> bool:
        return self.last_applied is not None and self.content_in_xero is self.last_applied

    @property
    def is_unresolved(self) -> bool:
        """Whether it failed because Xero never answered its look-up, so that Xero may hold it."""
        return self.reason == FailureCode.OUTCOME_UNRESOLVED

    @property
    def is_found_void(self) -> bool:
        """Whether it failed because Xero holds it as voided or deleted: its number stays taken."""
        is_failed = self.state is DocumentState.FAILED and self.exists_in_xero
        return is_failed and self.reason == FailureCode.VOIDED_IN_XERO

    @property
    def is_contact_in_doubt(self) -> bool:
        """Whether no document may reference the contact before it was looked up.

        Xero refused it in a document, or a person has chosen it.
        """
        if self.desired.is_chosen_contact:
            return self.state is not DocumentState.APPLIED
        is_contact = self.kind is DocumentKind.CONTACT
        return is_contact and self.state is DocumentState.UNKNOWN and self.reason in _CONTACT_IN_DOUBT

    def has_newer_version_than(self, version: datetime) -> bool:
        """Whether a newer version of its source has asked for it."""
        return self.desired.source_version is not None and self.desired.source_version > version

    def is_due(self, now: datetime) -> bool:
        return self.next_attempt_at is not None and self.next_attempt_at <= now

    # --- what the source asks for -----------------------------------------------------------------------------------

    def with_desired(self, desired: DesiredDocument, now: datetime) -> Document | None:
        """Return the row after its source asked for `desired`; None when nothing changes.

        An older version of the source changes nothing. A newer version is stored even where it asks for the same, so
        that an older one cannot win later. A document with an unknown outcome keeps its state: it is looked up first.
        An approved invoice is looked up before it is changed: a person may have edited it. A failed document is tried
        again, because its source asked; the contact of a buyer for any of their orders, as an older one states them
        where Amazon does not return the newer one. A document that waits for its buyer is due: whoever asks has just
        read who the buyer is. A tombstone keeps the body of the document that it removes, by which that document is
        recognised in Xero.
        """
        if desired.tombstone and not desired.body:
            removed = replace(self.desired, tombstone=True, capability=desired.capability)
            desired = replace(removed, source_version=desired.source_version)
        held = self.desired.source_version
        same = desired.digest == self.desired.digest
        if held is not None and desired.source_version is not None and desired.source_version < held:
            retried = self.desired.buyer_digest and (self.state is DocumentState.FAILED or (same and self.awaits_buyer))
            if not retried:
                return None
            if self.reason != FailureCode.BUYER_DATA_UNAVAILABLE or same:
                desired, same = self.desired, True
        if same and self.awaits_buyer:
            return replace(self, desired=desired, state=DocumentState.PENDING, next_attempt_at=now, reason="")
        if same and self.state is not DocumentState.FAILED:
            return replace(self, desired=desired) if desired.source_version != held else None
        if self.outcome_unknown and not self.is_checked_before_change:
            return replace(self, desired=desired, last_applied=self._approved_content)
        if desired.is_chosen_contact:
            return replace(self, desired=desired).awaiting_lookup(now)
        if self.is_unresolved or (self.approved_by_person and not desired.tombstone):
            return replace(self.unknown(now), desired=desired, remedy="", attempts=0, unknown_since=None)
        is_gone = desired.tombstone and self.is_found_void
        if is_gone or desired.digest == self.applied_digest:
            return replace(
                self,
                desired=desired,
                state=DocumentState.APPLIED,
                next_attempt_at=None,
                applied_digest=desired.digest,
                last_applied=None,
                reason="",
                remedy="",
            )
        return self._requested_anew(desired, now)

    @property
    def _approved_content(self) -> DesiredDocument | None:
        content = self.content_in_xero if self.kind is DocumentKind.INVOICE else None
        is_approved = content is not None and content.body.get("Status") == "AUTHORISED" and not content.tombstone
        return content if is_approved else None

    def _requested_anew(self, desired: DesiredDocument, now: datetime) -> Document:
        last = self._approved_content
        is_checked_first = last is not None and (self.state is DocumentState.APPLIED or self.is_checked_before_change)
        return replace(
            self,
            desired=desired,
            last_applied=last,
            state=DocumentState.UNKNOWN if is_checked_first else DocumentState.PENDING,
            next_attempt_at=desired.due_from(now),
            reason=WaitReason.CHECKED_BEFORE_CHANGE if is_checked_first else "",
            remedy="",
            attempts=0,
            unknown_outcomes=0,
            unknown_since=None,
            reference_waits=0,
            buyer_requests=0,
            contact_refusals=0,
            period_refusals=0,
        )

    def closed(self, day: str) -> Document:
        """Return the entry as stated in the documents of the closed day of that number."""
        digest = self.desired.digest
        return replace(
            self, state=DocumentState.APPLIED, closed_in=day, applied_digest=digest, next_attempt_at=None, reason=""
        )

    def awaiting_lookup(self, now: datetime) -> Document:
        """Return the contact that a person has chosen: no document references it before it was found in Xero."""
        xero_id = str(self.desired.body["ContactID"])
        known = replace(self, xero_id=xero_id, is_merged=True, remedy="", attempts=0, unknown_since=None)
        return known.unknown(now, FailureCode.CONTACT_NOT_FOUND)

    # --- what happens in posting ------------------------------------------------------------------------------------

    def claimed(self, now: datetime) -> Document:
        """Record the intent to write, before the call, so that after a crash the next worker knows to look."""
        return replace(
            self,
            state=DocumentState.IN_FLIGHT,
            next_attempt_at=now + CLAIM_DURATION,
            claim=self.generation + 1,
            attempts=self.attempts + 1,
            reason="",
            remedy="",
        )

    def applied(self, xero_id: str, status: str, digest: str, now: datetime) -> Document:
        """Xero holds the content with this digest. If the source asks for something else by now, post again."""
        is_current = digest == self.desired.digest
        return replace(
            self,
            state=DocumentState.APPLIED if is_current else DocumentState.PENDING,
            next_attempt_at=None if is_current else now,
            applied_digest=digest,
            last_applied=None if is_current else self.last_applied,
            xero_id=xero_id,
            xero_status=status,
            unknown_outcomes=0,
            unknown_since=None,
            contact_refusals=0,
            reason="",
            remedy="",
        )

    def found_different(self, xero_id: str, status: str, now: datetime, *, is_unchanged: bool = False) -> Document:
        """Xero holds it with other content, unchanged since it was last applied or not: update it by its id."""
        last = self.last_applied if is_unchanged else None
        return replace(
            self,
            state=DocumentState.PENDING,
            next_attempt_at=now,
            xero_id=xero_id,
            xero_status=status,
            applied_digest="" if last is None else last.digest,
            last_applied=last,
            reason="",
        )

    def checked_again(self, now: datetime) -> Document:
        """The change was not sent in the run that looked it up: a person may have edited the invoice since."""
        return self.unknown(now, WaitReason.CHECKED_BEFORE_CHANGE)

    def as_last_applied(self) -> Document:
        """Return the row without what was requested since Xero took the last request."""
        return replace(self, desired=self.last_applied or self.desired)

    def found_edited(self, xero_status: str, now: datetime) -> Document:
        """A person has edited it in Xero before a change was sent: it stays as it is until they have decided."""
        code = FailureCode.CHANGED_IN_XERO
        held = self.as_last_applied()
        applied = held.applied(self.xero_id, xero_status, self.applied_digest, now)
        return replace(applied, reason=code, remedy=f"{self.key} was changed in Xero.")

    def found_absent(self, now: datetime) -> Document:
        """Xero does not hold it: create it."""
        return replace(self, state=DocumentState.PENDING, next_attempt_at=now, xero_id="", xero_status="", reason="")

    def withdrawn(self, request: DesiredDocument) -> Document:
        """The document it refers to should not exist, so neither should this one, and Xero never held it.

        request: what was requested when that was seen. What its source has asked for since stays due.
        """
        if self.desired != request:
            return self
        desired = replace(self.desired, tombstone=True)
        return replace(
            self,
            desired=desired,
            state=DocumentState.APPLIED,
            next_attempt_at=None,
            applied_digest=desired.digest,
            reason="",
            remedy="",
        )

    def deferred(self, until: datetime, reason: str) -> Document:
        """The call was not executed; retry at `until`."""
        return replace(self, state=DocumentState.DEFERRED, next_attempt_at=until, reason=reason)

    def awaiting_buyer(self, now: datetime) -> Document:
        """The buyer's details are not in memory: wait until the order was read again, 1, 2, 4 … 60 minutes."""
        code = FailureCode.BUYER_DATA_UNAVAILABLE
        if self.buyer_requests >= MAX_BUYER_REQUESTS:
            return self.failed(code, FAILURES[code].remedy)
        wait = timedelta(minutes=min(60, 2 ** min(self.buyer_requests, 6)))
        return replace(self.deferred(now + wait, code), buyer_requests=self.buyer_requests + 1)

    def with_distinct_name(self, now: datetime) -> Document:
        """Another contact has the buyer's name: write it again with a suffix."""
        return replace(
            self,
            state=DocumentState.PENDING,
            next_attempt_at=now,
            name_is_taken=True,
            reason=FailureCode.CONTACT_NAME_TAKEN,
        )

    def refused_for_contact(self, now: datetime) -> Document:
        """Xero refused it because its contact is archived or unknown; the contact is looked up before the next try."""
        wait = timedelta(minutes=2**self.contact_refusals)
        deferred = self.deferred(now + wait, WaitReason.WAITING_FOR_CONTACT)
        return replace(deferred, contact_refusals=self.contact_refusals + 1)

    def refused_for_period(self, now: datetime) -> Document:
        """Xero refused its date as locked; its source is planned again, and asks for another date if there is one."""
        deferred = self.deferred(now + _PLANNED_AGAIN_WITHIN, WaitReason.WAITING_FOR_DATE)
        return replace(deferred, period_refusals=self.period_refusals + 1)

    def merged_into(self, xero_id: str, status: str, now: datetime) -> Document:
        """A person merged the contact into another one: that one takes its place, and stays as the person has it."""
        merged = replace(self.applied(xero_id, status, self.desired.digest, now), is_merged=True)
        code = FailureCode.CONTACT_MERGED
        return replace(merged, reason=code, remedy=f"{FAILURES[code].remedy} Its ContactID is {xero_id}.")

    def approved_in_xero(self, xero_id: str, status: str, total: Decimal, now: datetime) -> Document:
        """A person has approved the invoice: it is theirs, and counts as requested where its total is Amazon's."""
        body = {**self.desired.body, "Status": "AUTHORISED"}
        theirs = replace(self, desired=replace(self.desired, body=body), approved_by_person=True)
        applied = theirs.applied(xero_id, status, theirs.desired.digest, now)
        if total == self.desired.total:
            return applied
        code = FailureCode.APPROVED_TOTAL_DIFFERS
        remedy = (
            f"Amazon's total of {self.desired.number} is {self.desired.total}, {total} was approved in Xero. Correct "
            "the invoice in Xero; it is paid within an hour after that. Or pay it in Xero manually."
        )
        return applied.failed(code, remedy)

    def kept_as_it_is(self, now: datetime) -> Document:
        """The contact that a person merged ours into is theirs: whatever is asked of ours, nothing is written to it."""
        return self.applied(self.xero_id, self.xero_status, self.desired.digest, now)

    def replaced(self, now: datetime, *, name_is_taken: bool, number_is_taken: bool) -> Document:
        """The contact is archived or gone: create a new one, with another name and number than the archived one."""
        code = FailureCode.CONTACT_REPLACED
        return replace(
            self.found_absent(now),
            applied_digest="",
            name_is_taken=name_is_taken,
            is_merged=False,
            replacements=self.replacements + number_is_taken,
            reason=code,
            remedy=FAILURES[code].remedy,
        )

    def unknown(self, until: datetime, reason: str = WaitReason.OUTCOME_UNKNOWN) -> Document:
        """Whether the call was executed is not known; look it up at `until`."""
        return replace(self, state=DocumentState.UNKNOWN, next_attempt_at=until, reason=reason)

    def unanswered(self, now: datetime, until: datetime, message: str, is_last: bool = False) -> Document:
        """Xero did not state the outcome of a write.

        message: how it failed.
        is_last: the document is to blame. Unless the look-up finds it in Xero, it fails.
        """
        reason = FailureCode.XERO_ERROR if is_last else WaitReason.OUTCOME_UNKNOWN
        return replace(
            self.unknown(until, reason),
            unknown_outcomes=self.unknown_outcomes + 1,
            unknown_since=self.unknown_since or now,
            remedy=message,
        )

    def lookup_unanswered(self, now: datetime, message: str) -> Document:
        """Xero did not answer the look-up of this document alone, and answered another: retry, fail after an hour.

        message: how it failed.
        """
        is_first = self.reason != WaitReason.LOOKUP_UNANSWERED or self.unknown_since is None
        since = now if is_first or self.unknown_since is None else self.unknown_since
        if now - since >= LOOKUP_UNANSWERED_LIMIT:
            return self.unresolved(message)
        until = now + max(timedelta(minutes=1), 3 * (now - since))
        return replace(self.unknown(until, WaitReason.LOOKUP_UNANSWERED), unknown_since=since, remedy=message)

    def unresolved(self, message: str) -> Document:
        """Whether Xero holds it cannot be found out; message: how the look-up failed."""
        code = FailureCode.OUTCOME_UNRESOLVED
        return self.failed(code, f"{message}. {FAILURES[code].remedy}")

    def without_reference(self, until: datetime) -> Document:
        """A document that it references does not exist; retry at `until`."""
        deferred = self.deferred(until, WaitReason.WAITING_FOR_REFERENCE)
        return replace(deferred, reference_waits=self.reference_waits + 1)

    def failed(self, code: FailureCode, remedy: str) -> Document:
        """A person has to act."""
        return replace(self, state=DocumentState.FAILED, next_attempt_at=None, reason=code, remedy=remedy)
