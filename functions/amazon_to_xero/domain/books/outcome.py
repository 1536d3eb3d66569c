"""A document's next state after Xero's answer to a write, or after a look-up of what Xero holds. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.books.approved_terms import is_change_under_way, with_terms_in_xero
from amazon_to_xero.domain.books.archived_contacts import (
    ABOUT_CONTACTS,
    INACTIVE,
    after_absent_contact,
    after_archived_contact,
    after_refused_contact,
)
from amazon_to_xero.domain.books.contact import as_sent
from amazon_to_xero.domain.books.differences import contact_difference
from amazon_to_xero.domain.books.document import AWAITING_APPROVAL, DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.matching import Match, match, settlement_in
from amazon_to_xero.domain.books.refusals import SETTLED_DOCUMENT_GONE, Refusal, refusal
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.books.xero_comparison import changes_of
from amazon_to_xero.domain.failures import FAILURES, FailureCode

_SETTLED = {
    DocumentKind.PAYMENT: "invoice is paid",
    DocumentKind.ALLOCATION: "credit note is allocated",
    DocumentKind.CREDIT_NOTE_REFUND: "credit note is refunded",
}
_TAKEN = (FailureCode.NUMBER_TAKEN, FailureCode.CONTACT_NUMBER_TAKEN, FailureCode.CONTACT_NAME_TAKEN)


def after_write(
    document: Document,
    element: Mapping[str, Any],
    errors: Sequence[str],
    sent_digest: str,
    now: datetime,
    *,
    is_planned_again: bool = False,
) -> Document:
    """Return the document's next state for Xero's answer to its element of a batch.

    element: Xero's own object, numbers as Decimal.
    errors: Xero's validation messages; empty when it was accepted.
    sent_digest: digest of the content that was sent; the source may ask for something else by now.
    is_planned_again: its source is planned again, because Xero refused the document's date as locked.
    """
    is_overtaken = sent_digest != document.desired.digest
    if errors and is_planned_again and not is_overtaken:
        return document.refused_for_period(now)
    if errors:
        return _after_refusal(document, refusal(tuple(errors)), is_overtaken, now)
    wanted = document.desired.total
    xero_id = str(element[DOCUMENT_TYPES[document.kind].id_field])
    applied = document.applied(xero_id, _status(element), sent_digest, now)
    is_checked = wanted is not None and not is_overtaken and not document.desired.tombstone
    if is_checked and element.get("Total") != wanted:
        remedy = f"Correct the document in Xero: Amazon's total is {wanted}, Xero's is {element.get('Total')}."
        # It is not what was asked for, so it does not count as applied: the next request posts and compares it again.
        return replace(applied, applied_digest="").failed(FailureCode.XERO_TOTAL_DIFFERS, remedy)
    return applied


def after_lookup(
    document: Document,
    element: Mapping[str, Any] | None,
    now: datetime,
    survivor: Mapping[str, Any] | None = None,
    contact_id: str = "",
    contacts_before: Collection[str] = (),
) -> Document:
    """Return the document's next state for what Xero holds under its id or number; None when it holds nothing.

    survivor: the active contact that the element was merged into, where it is a contact that somebody merged.
    contact_id: Xero's id of the contact that it should have; empty where Xero has none yet, and for other kinds.
    contacts_before: of a document that is looked up before it is changed, the ids that its contact may have so far.
    """
    if element is None:
        return _after_nothing_found(document, now)
    xero_id, status = str(element[DOCUMENT_TYPES[document.kind].id_field]), _status(element)
    if status in INACTIVE:
        return after_archived_contact(document, element, survivor, now)
    if is_approved_by_person(document, element):
        return _after_approval(document, element, now)
    if document.is_merged:
        return document.applied(xero_id, status, document.desired.digest, now)  # it is the person's, and not compared
    found = _matched(document, element, contact_id)
    as_wanted = Match.GONE if document.desired.tombstone else Match.SAME
    if document.is_checked_before_change and found not in (as_wanted, Match.GONE):
        return _after_check(document, element, contacts_before, now)
    if document.reason == FailureCode.NOT_MODIFIABLE and found not in (as_wanted, Match.GONE):
        remedy = f"Correct the document in Xero: somebody changed it there, its status is {status}."
        return document.failed(FailureCode.NOT_MODIFIABLE, remedy)
    if document.desired.tombstone and found is Match.FOREIGN and not document.exists_in_xero:
        return nothing_to_remove(document, now)  # found by its number, which somebody else has: ours never existed
    if found is as_wanted:
        return document.applied(xero_id, status, document.desired.digest, now)
    if document.desired.tombstone or found is Match.OURS_BUT_DIFFERENT:
        last = document.last_applied
        is_unchanged = last is not None and match(last, element) is Match.SAME
        return document.found_different(xero_id, status, now, is_unchanged=is_unchanged)
    if found is Match.CHANGED_BY_PERSON:
        remedy = (
            f"Remove the line without quantity and unit price that somebody added to {document.desired.number} in "
            "Xero, then reprocess the order."
        )
        return document.failed(FailureCode.NOT_MODIFIABLE, remedy)
    if found is Match.GONE:
        remedy = (
            f"{document.desired.number} was voided or deleted in Xero and its number stays taken. Reprocess the order "
            "to have it entered again with -R1 after the number, or take it off the list with replay close."
        )
        return replace(document, xero_id=xero_id, xero_status=status).failed(FailureCode.VOIDED_IN_XERO, remedy)
    if document.kind is DocumentKind.CONTACT:
        return _failed(document, FailureCode.CONTACT_NAME_TAKEN)  # found by its name, under another contact number
    remedy = f"{document.desired.number} is the number of another document in Xero. Rename that one, then reprocess."
    return document.failed(FailureCode.NUMBER_TAKEN, remedy)


def _matched(document: Document, element: Mapping[str, Any], contact_id: str) -> Match:
    """Return how what Xero holds relates to what is requested, which may be for another contact by now."""
    found = match(_as_xero_should_hold_it(document), element)
    is_of_another = found is Match.SAME and contact_difference(element, contact_id)
    return Match.OURS_BUT_DIFFERENT if is_of_another else found


def _after_check(
    document: Document, element: Mapping[str, Any], contact_ids: Collection[str], now: datetime
) -> Document:
    """Return the approved invoice of which a change is requested: to be changed if nobody has edited it."""
    if changes_of(document.as_last_applied(), element, contact_ids):
        return document.found_edited(_status(element), now)
    return document.found_different(document.xero_id, _status(element), now, is_unchanged=True)


def _after_approval(document: Document, element: Mapping[str, Any], now: datetime) -> Document:
    """Return the invoice that a person has approved: a correction that did not reach it before is still to be made."""
    xero_id, status, total = str(element["InvoiceID"]), _status(element), element["Total"]
    if not is_change_under_way(document):
        return document.approved_in_xero(xero_id, status, total, now)
    as_approved = with_terms_in_xero(document.desired, element)
    if as_approved is not None:
        return replace(document, desired=as_approved).approved_in_xero(xero_id, status, total, now)
    approved = document.approved_in_xero(xero_id, status, total, now)
    remedy = (
        f"{document.desired.number} was approved in Xero with other lines while a correction was on its way to it. "
        "Correct it in Xero, then reprocess the order."
    )
    return approved if approved.reason else approved.failed(FailureCode.NOT_MODIFIABLE, remedy)


def is_approved_by_person(document: Document, element: Mapping[str, Any]) -> bool:
    """Whether what Xero holds is our invoice, and a person has approved it; `element` is Xero's own object."""
    awaits_approval = document.desired.body.get("Status") == AWAITING_APPROVAL and not document.desired.tombstone
    is_approved = _status(element) in ("AUTHORISED", "PAID")
    is_ours = document.exists_in_xero and folded(element.get("InvoiceID")) == folded(document.xero_id)
    return is_approved and is_ours and (awaits_approval or document.approved_by_person)


def after_owner_lookup(
    document: Document,
    owner: Mapping[str, Any] | None,
    now: datetime,
    others: Sequence[Mapping[str, Any] | None] = (),
) -> Document:
    """Return a settlement's next state for what Xero holds of the documents that it settles; None for nothing.

    owner: the document that a payment pays, or whose credit is refunded or allocated.
    others: the other documents that it settles: the invoice of an allocation.
    """
    settled = [each for each in (owner, *others) if each is not None]
    if owner is None or len(settled) <= len(others):
        if document.desired.tombstone:
            return nothing_to_remove(document, now)
        return document.failed(FailureCode.NOT_IN_XERO, SETTLED_DOCUMENT_GONE)
    ours = settlement_in(document.desired, owner, settled[1:])
    if document.desired.tombstone:
        return nothing_to_remove(document, now) if ours is None else settlement_not_removable(document)
    spec = DOCUMENT_TYPES[document.kind]
    if ours is not None:
        # Xero's own examples show allocations without an id. Nothing is ever written to one, so its owner's id serves.
        xero_id = str(ours.get(spec.id_field) or owner[DOCUMENT_TYPES[spec.owner or document.kind].id_field])
        return document.applied(xero_id, "AUTHORISED", document.desired.digest, now)
    open_amounts = [
        each.get(DOCUMENT_TYPES[kind].open_amount_field)
        for each, kind in zip(settled, spec.settles.values(), strict=True)
    ]
    amount = document.desired.body["Amount"]
    if any(open_amount is None or open_amount < amount for open_amount in open_amounts):
        return document.failed(FailureCode.ALREADY_PAID, _too_little_is_open(document, open_amounts))
    return document.found_absent(now)


def _too_little_is_open(document: Document, open_amounts: Sequence[Decimal | None]) -> str:
    amount = document.desired.body["Amount"]
    if document.kind is not DocumentKind.ALLOCATION:
        return f"Check the payments in Xero: {amount} should be paid, {open_amounts[0]} is still open."
    credit, due = open_amounts
    return (
        f"Check the credit note and its invoice in Xero: {amount} should be allocated, {credit} of the credit note and "
        f"{due} of the invoice are still open. Refund or allocate the rest manually."
    )


def nothing_to_remove(document: Document, now: datetime) -> Document:
    """Xero does not hold a document that should not exist."""
    return document.applied("", "", document.desired.digest, now)


def never_created(document: Document, now: datetime) -> Document:
    """Return the row of a document that should not exist and was never sent; one that is requested by now stays due."""
    return nothing_to_remove(document, now) if document.desired.tombstone else document


def not_changeable(document: Document) -> Document:
    """The document exists and Xero accepts no changes to its kind."""
    if document.desired.tombstone:
        return settlement_not_removable(document)
    return _failed(document, FailureCode.NOT_CHANGEABLE)


def settlement_not_removable(document: Document) -> Document:
    """A payment or allocation is never deleted automatically; a person decides."""
    remedy = f"Correct it in Xero manually: the {_SETTLED[document.kind]} and should no longer exist."
    return document.failed(FailureCode.HAS_PAYMENTS, remedy)


def _as_xero_should_hold_it(document: Document) -> DesiredDocument:
    desired = document.desired
    if document.kind is not DocumentKind.CONTACT:
        return desired
    content = {"Name": "", **desired.body}  # a buyer's name is not stored, and not compared
    return replace(desired, body=as_sent(document, content))


def _after_refusal(document: Document, meaning: Refusal, is_overtaken: bool, now: datetime) -> Document:
    if document.desired.buyer_digest and _is_about_namesake(document, meaning):
        if is_overtaken:
            return document.deferred(now, meaning.code)
        if not document.name_is_taken:
            return document.with_distinct_name(now)
        if meaning.code is FailureCode.CONTACT_NAME_TAKEN:
            return document.failed(meaning.code, meaning.remedy)
    if meaning.code is FailureCode.NOT_IN_XERO and document.desired.tombstone:
        return nothing_to_remove(document, now)
    if meaning.code in ABOUT_CONTACTS:
        return after_refused_contact(document, meaning.code, now)
    if meaning.look_up_existing if document.exists_in_xero else meaning.look_up_new:
        return document.unknown(now, meaning.code)
    if is_overtaken:
        return document.deferred(now, meaning.code)
    return document.failed(meaning.code, meaning.remedy)


def _is_about_namesake(document: Document, meaning: Refusal) -> bool:
    """Whether a buyer's contact is refused because another contact has the name; that one is never taken for the buyer.

    The other one may be archived, too; a contact of ours that exists is itself the archived one.
    """
    is_archived = meaning.code is FailureCode.CONTACT_ARCHIVED and not document.exists_in_xero
    return is_archived or meaning.code is FailureCode.CONTACT_NAME_TAKEN


def _after_nothing_found(document: Document, now: datetime) -> Document:
    if document.desired.tombstone:
        return nothing_to_remove(document, now)
    is_contact = document.kind is DocumentKind.CONTACT
    if document.is_contact_in_doubt or (is_contact and document.exists_in_xero):
        return after_absent_contact(document, now)
    if document.exists_in_xero:
        return _failed(document, FailureCode.NOT_IN_XERO)
    if document.reason in _TAKEN:
        what = "name of" if document.reason == FailureCode.CONTACT_NAME_TAKEN else "number"
        remedy = f"Xero says that the {what} {document.desired.number} is taken but does not show it. Check it in Xero."
        return document.failed(FailureCode(document.reason), remedy)
    return document.found_absent(now)


def _failed(document: Document, code: FailureCode) -> Document:
    return document.failed(code, FAILURES[code].remedy)


def _status(element: Mapping[str, Any]) -> str:
    return str(element.get("Status") or element.get("ContactStatus") or "")
