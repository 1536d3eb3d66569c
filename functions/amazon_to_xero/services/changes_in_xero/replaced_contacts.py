"""Contacts of ours that somebody archived, so that a new one took their place: their documents stay with them in Xero.

The archived one keeps its number, by which it is known as ours: nobody has moved these documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from amazon_to_xero.domain.books.differences import FieldDifference
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.changes_in_xero.compared_documents import Compared
from amazon_to_xero.services.posting.contacts_of_documents import is_earlier_contact
from amazon_to_xero.services.posting.lookup import find


def without_replaced_contacts(compared: Sequence[Compared], store: StateStore, xero: XeroApi) -> list[Compared]:
    """Return the comparisons without differences that are an earlier contact of ours. Calls Xero only if there are any.

    Raises XeroError.
    """
    differing = [(each, change) for each in compared for change in each.differences if change.field == "Contact"]
    keys = [key for each, _ in differing if (key := each.document.desired.references.get(CONTACT_REFERENCE))]
    contacts = {key: row for key, row in store.load(Document, keys).items() if row.replacements} if keys else {}
    if not contacts:
        return list(compared)
    held = find(xero, "Contacts", "ContactID", list(dict.fromkeys(change.in_xero for _, change in differing)))

    def is_replaced(document: Document, change: FieldDifference) -> bool:
        row = contacts.get(document.desired.references.get(CONTACT_REFERENCE, ""))
        if change.field != "Contact" or row is None:
            return False
        return is_earlier_contact(row, held.get(change.in_xero))

    return [
        replace(each, differences=tuple(one for one in each.differences if not is_replaced(each.document, one)))
        for each in compared
    ]
