"""What people have changed in Xero: the comparison of our documents, as they were applied, with what Xero holds now.

Contents are compared, never times, so that our own writes are no changes. Descriptions are not compared, because
nothing depends on them. What a person approves is theirs: of such an invoice only its removal is a change. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.books.archived_contacts import INACTIVE, merged_into
from amazon_to_xero.domain.books.differences import DIFFERS, FieldDifference, contact_difference, differences
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.matching import GONE, day_of, line_amount, settlement_in
from amazon_to_xero.domain.books.texts import folded


class ChangeKind(StrEnum):
    """What somebody did to a document of ours in Xero."""

    EDITED = "EDITED"  # lines, amounts, terms, date, contact or number
    REMOVED = "REMOVED"  # voided; a draft: deleted
    UNSETTLED = "UNSETTLED"  # its payment, cash refund or allocation was removed, or replaced by another one
    ARCHIVED = "ARCHIVED"  # a contact
    MERGED = "MERGED"  # a contact, into another one that has its documents now


def is_comparable(document: Document) -> bool:
    """Whether Xero should hold exactly what was requested: nothing is under way, doubtful or failed."""
    desired = document.desired
    is_applied = document.state is DocumentState.APPLIED and document.applied_digest == desired.digest
    return is_applied and bool(document.xero_id) and not desired.tombstone and not document.is_merged


def changes_of(
    document: Document, element: Mapping[str, Any], contact_ids: Collection[str]
) -> tuple[FieldDifference, ...]:
    """Return what somebody has changed in an invoice or credit note; `element` is Xero's own object of it.

    contact_ids: those that its contact may have in Xero: its own, and that of the contact it was merged into.
    """
    if element.get("Status") in GONE:
        return (FieldDifference("Status", str(element["Status"]), str(document.desired.body["Status"])),)
    if document.approved_by_person or document.awaits_approval:
        return ()
    return tuple(_edits(document, element, contact_ids))


def contact_changes_of(document: Document, element: Mapping[str, Any]) -> tuple[FieldDifference, ...]:
    """Return whether a contact of ours was archived, and the id of the one that it was merged into. No name."""
    if element.get("ContactStatus") not in INACTIVE:
        return ()
    status = FieldDifference("ContactStatus", str(element["ContactStatus"]), "ACTIVE")
    into = merged_into(element)
    return (status, FieldDifference("MergedToContactID", into, "")) if into else (status,)


def settlement_change_of(
    settlement: Document, owner: Mapping[str, Any], settled_ids: Mapping[str, str]
) -> tuple[FieldDifference, ...]:
    """Return the change of a payment, cash refund or allocation that Xero no longer holds in the document it settles.

    owner: Xero's own object of that document.
    settled_ids: Xero's ids of the documents that it settles, by their keys.
    """
    spec = DOCUMENT_TYPES[settlement.kind]
    others = [key for path, key in settlement.desired.references.items() if path != spec.owner_path]
    elements = [{"InvoiceID": settled_ids[key]} for key in others if key in settled_ids]
    if len(elements) < len(others) or settlement_in(settlement.desired, owner, elements) is not None:
        return ()
    body = settlement.desired.body
    return (FieldDifference("Amount", "", str(body["Amount"])), FieldDifference("Date", "", str(body.get("Date", ""))))


def kind_of_change(document: Document, changes: Collection[FieldDifference]) -> ChangeKind:
    """Return what was done, by what differs."""
    fields = {each.field for each in changes}
    if document.kind is DocumentKind.CONTACT:
        return ChangeKind.MERGED if "MergedToContactID" in fields else ChangeKind.ARCHIVED
    if DOCUMENT_TYPES[document.kind].owner:
        return ChangeKind.UNSETTLED
    return ChangeKind.REMOVED if fields == {"Status"} else ChangeKind.EDITED


def held_in_xero(element: Mapping[str, Any]) -> dict[str, Any]:
    """Return of Xero's own object what an acceptance takes over: status, day, what is settled, and the lines' terms.

    Neither descriptions nor the Reference are in it, because people write there what they like.
    """
    held = {name: element[name] for name in ("Status", "ContactStatus") if element.get(name)}
    amounts = {name: element[name] for name in ("AmountPaid", "AmountCredited", "AppliedAmount") if element.get(name)}
    lines = element.get("LineItems") or ()
    return held | amounts | {"Date": day_of(element), "LineItems": [_terms(line) for line in lines]}


def _terms(line: Mapping[str, Any]) -> dict[str, Any]:
    stated = {name: line[name] for name in ("AccountCode", "TaxType", "TaxAmount") if line.get(name) is not None}
    amount = line_amount(line)
    return stated if amount is None else {**stated, "LineAmount": amount}


def _edits(document: Document, element: Mapping[str, Any], contact_ids: Collection[str]) -> Iterator[FieldDifference]:
    number_field = DOCUMENT_TYPES[document.kind].number_field
    if folded(element.get(number_field) or "") != folded(document.number_in_xero):
        yield FieldDifference(number_field, DIFFERS, document.number_in_xero)
    yield from contact_difference(element, *contact_ids)
    # A draft that a person has approved, or a document that is paid by now, is what was requested.
    yield from (each for each in differences(document.desired, element) if each.field != "Status")
