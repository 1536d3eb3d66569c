"""Looks contacts up in Xero, by id, number or name, and follows the merges of those that somebody merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from amazon_to_xero.domain.books.archived_contacts import (
    ABOUT_CONTACTS,
    INACTIVE,
    MAX_MERGES,
    merged_into,
    survivor_of,
)
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE
from amazon_to_xero.domain.books.refusals import refusal
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import RecordStore, StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.posting.lookup import find
from amazon_to_xero.services.posting.transitions import DocumentTransitions

_COLLECTION = "Contacts"
_BY_NAME = (FailureCode.CONTACT_NAME_TAKEN, FailureCode.CONTACT_ARCHIVED)


@dataclass(frozen=True)
class FoundContact:
    """A contact in Xero, and the active one that somebody merged it into."""

    element: Json
    survivor: Mapping[str, object] | None = None


def find_contacts(xero: XeroApi, contacts: Sequence[Document]) -> dict[str, FoundContact]:
    """Return what Xero holds of each contact, by the document's key: by its id, its number or its name, in this order.

    A buyer is never looked up by name: a namesake is somebody else.
    """
    by_id = find(xero, _COLLECTION, "ContactID", [each.xero_id for each in contacts if each.exists_in_xero])
    found = {each.key: by_id[folded(each.xero_id)] for each in contacts if folded(each.xero_id) in by_id}
    missing = [each for each in contacts if each.key not in found]
    by_number = find(xero, _COLLECTION, "ContactNumber", [each.number_in_xero for each in missing])
    named = {each.key: str(each.desired.body["Name"]) for each in missing if _may_have_the_name_of_another(each)}
    by_name = find(xero, _COLLECTION, "Name", list(named.values()))
    for each in missing:
        element = by_number.get(folded(each.number_in_xero)) or by_name.get(folded(named.get(each.key, "")))
        if element is not None:
            found[each.key] = element
    merged = follow_merges(xero, list(found.values()), by_id)
    return {key: FoundContact(element, survivor_of(element, merged)) for key, element in found.items()}


def contact_ids(store: RecordStore, documents: Iterable[Document]) -> Mapping[str, str]:
    """Return document's key -> Xero's id of the contact that it should have, where Xero is known to hold that."""
    wanted = {each.key: key for each in documents if (key := each.desired.references.get(CONTACT_REFERENCE))}
    rows = store.load(Document, dict.fromkeys(wanted.values())) if wanted else {}
    return {key: rows[contact].xero_id for key, contact in wanted.items() if contact in rows}


def check_contacts_of_refused(
    answered: Sequence[tuple[Document, Sequence[str]]],
    store: StateStore,
    transitions: DocumentTransitions,
    clock: Clock,
) -> None:
    """Have the contacts looked up that Xero refused as archived or unknown in documents.

    answered: documents that were sent, with the messages of those that Xero refused.
    """
    codes = {
        document.desired.references[CONTACT_REFERENCE]: code
        for document, messages in answered
        if CONTACT_REFERENCE in document.desired.references
        and (code := refusal(tuple(messages)).code) in ABOUT_CONTACTS
    }
    contacts = store.load(Document, codes) if codes else {}
    transitions.apply(
        [
            (contact, partial(Document.unknown, until=clock.now(), reason=codes[key]))
            for key, contact in contacts.items()
            if contact.exists_in_xero and not contact.outcome_unknown
        ]
    )


def _may_have_the_name_of_another(document: Document) -> bool:
    return document.reason in _BY_NAME and not document.desired.buyer_digest and not document.exists_in_xero


def follow_merges(xero: XeroApi, contacts: Sequence[Json], known: Mapping[str, Json]) -> dict[str, Json]:
    """Return contacts by their folded id, with those that the given ones were merged into, one call for each merge."""
    by_id = {**known, **{folded(contact["ContactID"]): contact for contact in contacts}}
    for _ in range(MAX_MERGES):
        wanted = dict.fromkeys(
            merged_into(contact) for contact in by_id.values() if contact.get("ContactStatus") in INACTIVE
        )
        unknown = [contact_id for contact_id in wanted if contact_id and contact_id not in by_id]
        if not unknown:
            break
        by_id |= find(xero, _COLLECTION, "ContactID", unknown)
    return by_id
