"""What becomes of a contact that somebody archived or merged in Xero, and of the documents that need it. Pure.

Xero takes no document for an archived contact, an archived contact cannot be restored through its API, and the contact
number of an archived contact stays taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.books.document import MAX_CONTACT_REFUSALS, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.failures import FAILURES, FailureCode

MAX_MERGES = 5  # of a contact into another, and of that one into yet another
INACTIVE = frozenset({"ARCHIVED", "GDPRREQUEST"})
ABOUT_CONTACTS = frozenset({FailureCode.CONTACT_ARCHIVED, FailureCode.CONTACT_NOT_FOUND})


def merged_into(contact: Mapping[str, Any]) -> str:
    """Return the id of the contact that this one was merged into, folded; empty where it was not merged."""
    return folded(contact.get("MergedToContactID") or "")


def survivor_of(contact: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the active contact that a contact was merged into, perhaps by way of others; None where there is none.

    by_id: contacts by their folded id.
    """
    for _ in range(MAX_MERGES):
        into = by_id.get(merged_into(contact))
        if into is None or into.get("ContactStatus") not in INACTIVE:
            return into
        contact = into
    return None


def after_refused_contact(document: Document, code: FailureCode, now: datetime) -> Document:
    """Return the next state of a document whose contact Xero refused as archived or unknown, or of that contact."""
    if document.contact_refusals >= MAX_CONTACT_REFUSALS:
        return document.failed(code, FAILURES[code].remedy)
    if document.kind is DocumentKind.CONTACT:
        return replace(document.unknown(now, code), contact_refusals=document.contact_refusals + 1)
    return document.refused_for_contact(now)


def after_archived_contact(
    document: Document, contact: Mapping[str, Any], survivor: Mapping[str, Any] | None, now: datetime
) -> Document:
    """Return a contact's next state for the archived contact that Xero holds under its id, number or name.

    survivor: the active contact that it was merged into. An archived namesake is never taken for ours.
    """
    has_our_number = folded(contact.get("ContactNumber") or "") == folded(document.number_in_xero)
    is_ours = document.exists_in_xero or has_our_number
    if survivor is not None and is_ours:
        return document.merged_into(str(survivor["ContactID"]), str(survivor.get("ContactStatus") or ""), now)
    if document.desired.is_chosen_contact:
        return _chosen_is_not_usable(document, FailureCode.CONTACT_ARCHIVED)
    if document.name_is_taken and not is_ours:
        return document.failed(FailureCode.CONTACT_NAME_TAKEN, FAILURES[FailureCode.CONTACT_NAME_TAKEN].remedy)
    return document.replaced(now, name_is_taken=True, number_is_taken=has_our_number)


def after_absent_contact(document: Document, now: datetime) -> Document:
    """Return the next state of a contact that Xero refused as archived or unknown and does not show."""
    if document.desired.is_chosen_contact:
        return _chosen_is_not_usable(document, FailureCode.CONTACT_NOT_FOUND)
    if document.exists_in_xero:
        return document.replaced(now, name_is_taken=document.name_is_taken, number_is_taken=False)
    if document.name_is_taken:
        return document.failed(FailureCode.CONTACT_ARCHIVED, FAILURES[FailureCode.CONTACT_ARCHIVED].remedy)
    return document.replaced(now, name_is_taken=True, number_is_taken=False)


def _chosen_is_not_usable(document: Document, code: FailureCode) -> Document:
    """Return the contact that a person has chosen and that takes no documents: nothing replaces it."""
    is_archived = code is FailureCode.CONTACT_ARCHIVED
    problem = "is archived in Xero. Restore it there" if is_archived else "is not in Xero. Check its ContactID"
    remedy = f"The contact that a person has stated for the order {problem}, then reprocess the order; or withdraw the "
    return document.failed(code, f"{remedy}correction, or state another contact.")
