"""What becomes of a document that somebody changed in Xero, once a person has decided. Pure.

Accepted: what Xero holds counts as requested, and nothing is written to it. What Amazon changes later is entered beside
it. Restored: it is written back as it was requested. Xero brings back no voided document, so that one is reissued.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, Decision
from amazon_to_xero.domain.books.approved_terms import with_terms_in_xero
from amazon_to_xero.domain.books.differences import FieldDifference
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.matching import GONE, line_amount
from amazon_to_xero.domain.books.outcome import nothing_to_remove
from amazon_to_xero.domain.books.xero_change import ChangeState, XeroChange, without_change
from amazon_to_xero.domain.books.xero_comparison import ChangeKind
from amazon_to_xero.domain.corrections import OF_LINES, Correction, CorrectionKind, Corrections
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.domain.source import SourceKind, identity_of

_UNAPPROVED = ("DRAFT", "SUBMITTED")
_OF_CONTACTS = (ChangeKind.ARCHIVED, ChangeKind.MERGED)


STATES: Mapping[Decision, ChangeState] = {
    Decision.ACCEPT: ChangeState.ACCEPTED,
    Decision.RESTORE: ChangeState.RESTORED,
}


def correction_of(decision: ChangeDecision, change: XeroChange) -> Correction:
    """Return the acceptance of a change as an entry in the corrections of the document's source."""
    is_removed = change.kind is ChangeKind.REMOVED and change.document.startswith(f"{DocumentKind.INVOICE}#")
    kind, value = (CorrectionKind.SKIP, "") if is_removed else (CorrectionKind.AS_IN_XERO, change.document)
    return Correction(decision.decision_id, kind, value, decision.author, decision.reason, decision.made_at)


def why_not(
    decision: Decision,
    change: XeroChange,
    document: Document,
    others: Iterable[Document],
    corrections: Corrections,
) -> str:
    """Return why a decision cannot be carried out, and what to do instead; empty where it can.

    others: the other documents of the source.
    corrections: those of the source.
    """
    if not change.is_open:
        return f"{change.document} has no open change: it is {change.state}. List the open ones with drift list."
    if decision is Decision.RESTORE:
        return _why_not_restored(change)
    if change.kind is ChangeKind.REMOVED and identity_of(change.source, SourceKind.DAY):
        return _why_not_removed_of_day(document)
    if change.kind is ChangeKind.REMOVED and document.kind is DocumentKind.INVOICE:
        return _why_not_removed(document, others)
    return _why_not_accepted(change, document, corrections)


def warnings(change: XeroChange, document: Document, locked_until: date | None) -> list[str]:
    """Return why Xero may refuse to have a document restored; then the document fails, and nothing is changed.

    locked_until: the organisation's lock date as it was last read; None where no period was locked.
    """
    found = []
    if change.kind is ChangeKind.EDITED and settled_amount(change):
        found.append(
            f"{settled_amount(change)} of it was paid, credited or allocated in Xero, which then refuses changes. "
            "Remove that there first, or accept the change."
        )
    days = [day for day in (document.desired.body.get("Date"), change.held.get("Date")) if day]
    locked = [day for day in days if locked_until is not None and date.fromisoformat(day) <= locked_until]
    if change.kind in (ChangeKind.EDITED, ChangeKind.UNSETTLED) and locked:
        found.append(f"It is of {locked[0]}, and Xero was locked up to {locked_until}. Move the lock date there first.")
    return found


def accepted(document: Document, change: XeroChange, now: datetime) -> Document:
    """Return the document for which what Xero holds is right."""
    if change.kind is ChangeKind.REMOVED and document.kind is DocumentKind.INVOICE:
        return _found_void(document, change)
    if change.kind is not ChangeKind.EDITED:
        return without_change(document)
    desired = _with_terms(document.desired, change.held)
    is_invoice = document.kind is DocumentKind.INVOICE
    theirs = replace(document, desired=desired, approved_by_person=is_invoice or document.approved_by_person)
    return theirs.applied(document.xero_id, str(change.held.get("Status") or document.xero_status), desired.digest, now)


def restored(document: Document, change: XeroChange, now: datetime) -> Document:
    """Return the document that is to be written back as it was requested."""
    if change.kind is ChangeKind.UNSETTLED:
        return replace(document.found_absent(now), applied_digest="", remedy="")
    if change.kind is ChangeKind.REMOVED:
        return _found_void(document, change)
    return replace(document.found_different(document.xero_id, document.xero_status, now), remedy="")


def without_owner(settlement: Document, now: datetime) -> Document:
    """Return the payment, cash refund or allocation of a voided document: Xero holds it no more."""
    return nothing_to_remove(replace(settlement, desired=replace(settlement.desired, tombstone=True)), now)


def is_taken_over(desired: DesiredDocument, held: Mapping[str, Any]) -> bool:
    """Whether day and terms of Xero's lines can take the place of ours: each line has the amount that it had."""
    ours, theirs = desired.body["LineItems"], held.get("LineItems", ())
    return [line_amount(line) for line in ours] == [line.get("LineAmount") for line in theirs]


def settled_amount(change: XeroChange) -> Decimal:
    """Return what of the document was paid, credited or allocated in Xero when the change was found."""
    return sum((value for name, value in change.held.items() if "Amount" in name), Decimal(0))


def _with_terms(desired: DesiredDocument, held: Mapping[str, Any]) -> DesiredDocument:
    """Return the request with Xero's day and terms; unchanged where lines or amounts are others.

    Then Amazon's lines stay what later versions are compared with, and only differences to them are entered.
    """
    if not is_taken_over(desired, held):
        return desired
    return with_terms_in_xero(desired, {**held, "DateString": held.get("Date", "")}) or desired


def _found_void(document: Document, change: XeroChange) -> Document:
    code = FailureCode.VOIDED_IN_XERO
    status = str(change.held.get("Status") or "VOIDED")
    return replace(document, xero_status=status).failed(code, FAILURES[code].remedy)


def _why_not_removed(document: Document, others: Iterable[Document]) -> str:
    entered = [
        each.key
        for each in others
        if each.key != document.key and _is_entered(each) and not DOCUMENT_TYPES[each.kind].owner
    ]
    if not entered:
        return ""
    return (
        f"The order has other documents in Xero: {', '.join(sorted(entered))}. Restore {document.key}, or void those, "
        "too, and skip the order with correct --skip."
    )


def _why_not_removed_of_day(document: Document) -> str:
    return (
        f"{document.key} states the sales or refunds of a day, which would stay entered and be in no document. Restore "
        "it, then skip what a person enters otherwise with correct --skip."
    )


def _is_entered(document: Document) -> bool:
    is_kept = document.exists_in_xero and not document.desired.tombstone and document.xero_status not in GONE
    return is_kept and document.kind is not DocumentKind.CONTACT


def _why_not_accepted(change: XeroChange, document: Document, corrections: Corrections) -> str:
    if change.kind is not ChangeKind.EDITED:
        return ""
    if document.xero_status in _UNAPPROVED and change.held.get("Status") in _UNAPPROVED:
        return (
            f"{document.key} is a draft, which is written again when the order ships. State the change with correct "
            "(--account, --tax-type, --date), then restore the draft; or approve it in Xero first."
        )
    if identity_of(change.source, SourceKind.DAY) and _concerns_lines(change.differences):
        return (
            f"{document.key} states the sales or refunds of a day, and what follows for one of its orders would still "
            "be entered at the terms that the order was entered with. Change its lines back in Xero, or restore it; "
            "then state other terms of its orders with correct or rebook."
        )
    if _concerns_terms(change.differences) and corrections.has_ever(
        *OF_LINES, CorrectionKind.DATE, CorrectionKind.REBOOK
    ):
        return (
            f"{document.desired.source} has corrections, which would change {document.key} again. State what Xero "
            "holds with correct, then restore the document."
        )
    return ""


def _concerns_terms(differences: Sequence[FieldDifference]) -> bool:
    return _concerns_lines(differences) or any(each.field == "Date" for each in differences)


def _concerns_lines(differences: Sequence[FieldDifference]) -> bool:
    return any(each.field.startswith("LineItems") for each in differences)


def _why_not_restored(change: XeroChange) -> str:
    if change.kind not in _OF_CONTACTS:
        return ""
    return (
        "Xero lets no program restore a contact. Restore an archived one in Xero. A merged one stays merged: accept it."
    )
