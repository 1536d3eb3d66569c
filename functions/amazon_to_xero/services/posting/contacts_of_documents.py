"""The contacts that a document may have in Xero: its own, one that this was merged into, and one that it replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amazon_to_xero.domain.books.archived_contacts import merged_into
from amazon_to_xero.domain.books.differences import contact_difference
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE
from amazon_to_xero.domain.books.numbering import reissued_number
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import RecordStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.posting.contacts import follow_merges
from amazon_to_xero.services.posting.lookup import find


def accepted_contact_ids(
    xero: XeroApi, store: RecordStore, held: Sequence[tuple[Document, Json]]
) -> dict[str, tuple[str, ...]]:
    """Return document's key -> the ids that its contact may have in Xero, the one that it should have first.

    held: documents as they were applied, each with Xero's own object. Documents whose contact is not known to be in
        Xero are left out.

    Calls Xero only where a contact differs. Raises XeroError.
    """
    keys = {each.key: key for each, _ in held if (key := each.desired.references.get(CONTACT_REFERENCE))}
    rows = store.load(Document, dict.fromkeys(keys.values())) if keys else {}
    contacts = {key: rows[of] for key, of in keys.items() if of in rows and rows[of].exists_in_xero}
    theirs = {
        each.key: difference.in_xero
        for each, element in held
        if each.key in contacts
        for difference in contact_difference(element, contacts[each.key].xero_id)
    }
    found: Mapping[str, Json] = {}
    if theirs:
        ids = dict.fromkeys([*theirs.values(), *(contacts[key].xero_id for key in theirs)])
        by_id = find(xero, "Contacts", "ContactID", list(ids))
        found = follow_merges(xero, list(by_id.values()), by_id)
    accepted: dict[str, tuple[str, ...]] = {key: (contact.xero_id,) for key, contact in contacts.items()}
    for key, contact_id in theirs.items():
        if contact_id in _merged_into(contacts[key], found) or _is_earlier(contacts[key], found.get(contact_id)):
            accepted[key] = (*accepted[key], contact_id)
    return accepted


def _is_earlier(contact: Document, other: Mapping[str, object] | None) -> bool:
    """Whether another contact in Xero is ours, too: somebody archived it, and this one took its place.

    The archived one keeps its number, and its documents stay with it.
    """
    numbers = [folded(reissued_number(contact.desired.number, times)) for times in range(contact.replacements)]
    return folded((other or {}).get("ContactNumber") or "") in numbers


def _merged_into(contact: Document, found: Mapping[str, Json]) -> set[str]:
    """Return the ids of the contacts that one was merged into, each into the next. found: contacts by folded id."""
    ids: set[str] = set()
    into = merged_into(found.get(folded(contact.xero_id), {}))
    while into and into not in ids:
        ids.add(into)
        into = merged_into(found.get(into, {}))
    return ids
