"""The contact that `correct --contact` states: as Xero's ContactID, whatever a person calls it.

Only the id leaves this module. Names of buyers are stored and logged nowhere.
"""

from __future__ import annotations

import re

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.domain.books.archived_contacts import INACTIVE
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.privacy import redact
from operations.command_line.session import Session, UsageProblem
from operations.doctor.checked_connection import CheckedConnection
from operations.preflight import access_tokens

_CONTACT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COLLECTION = "Contacts"


def contact_id_of(session: Session, stated: str) -> str:
    """Return Xero's ContactID of the contact of that id, number or name.

    Xero is only asked for a name, or for a number that is not one of ours. Whether it has a contact of an id is found
    out by the functions, before they write anything. Raises UsageProblem where Xero has no active one.
    """
    if _CONTACT_ID.fullmatch(stated.lower()):
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


def xero_of(session: Session) -> XeroApi:
    """Return the connection's Xero, for reading. Raises SettingsError where it cannot be called."""
    checked = CheckedConnection(session, session.connection)
    secrets = checked.secrets
    url = checked.stack.xero_token_url
    tokens = access_tokens(secrets.xero, secrets.connected_at, session.stack, checked.name, url)
    tenant_id = checked.settings.xero.tenant_id
    return XeroAccounting(tokens, tenant_id, session.clock, redact, api_url=checked.stack.xero_api_url)
