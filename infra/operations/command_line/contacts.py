"""The contact that `correct --contact` states: as Xero's ContactID, whatever a person calls it.

Only the id leaves this module. Names of buyers are stored and logged nowhere.
"""

from __future__ import annotations

from amazon_to_xero.domain.books.archived_contacts import INACTIVE
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.correction_checks import CONTACT_ID
from operations.command_line.read_xero import xero_of
from operations.command_line.session import Session, UsageProblem

_COLLECTION = "Contacts"


def contact_id_of(session: Session, stated: str) -> str:
    """Return Xero's ContactID of the contact of that id, number or name.

    Xero is only asked for a name, or for a number that is not one of ours. Whether it has a contact of an id is found
    out by the functions, before they write anything. Raises UsageProblem where Xero has no active one.
    """
    if CONTACT_ID.fullmatch(stated.lower()):
        return stated.lower()
    key = document_key(DocumentKind.CONTACT, stated)
    ours = session.store().load(Document, [key]).get(key)
    if ours is not None and ours.xero_id:
        return ours.xero_id.lower()
    xero = xero_of(session)
    for field in ("ContactNumber", "Name"):
        found = [each for each in xero.find(_COLLECTION, field, [stated]) if each.get("ContactStatus") not in INACTIVE]
        if len(found) == 1:
            return str(found[0]["ContactID"]).lower()
    raise UsageProblem(
        "Xero has no active contact of that number or name. Copy the ContactID from the address of its page in Xero."
    )
