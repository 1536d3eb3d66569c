"""What would be written of documents, compared with what Xero holds now. Reading it counts as any other call does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from amazon_to_xero.domain.books.differences import FieldDifference, contact_difference, differences, settlement_fields
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.matching import Match, match, settlement_in
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import RecordStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.posting.contacts import contact_ids, find_contacts
from amazon_to_xero.services.posting.lookup import find_documents, find_settled, settled_keys

CREATE, UPDATE, REMOVE, NOTHING = "create", "update", "remove", "nothing"
_ACTIONS: Mapping[Match, str] = {
    Match.SAME: NOTHING,  # found by its number: it is taken over as it is
    Match.OURS_BUT_DIFFERENT: UPDATE,
    Match.CHANGED_BY_PERSON: "fail: a person has changed it in Xero",
    Match.FOREIGN: "fail: its number is another document's in Xero",
    Match.GONE: "fail: it is voided or deleted in Xero",
}
_KEPT = "fail: a payment or allocation is never deleted automatically"


@dataclass(frozen=True)
class DocumentPreview:
    """What would be written of one document.

    document: its key.
    action: create, update, remove, nothing (Xero holds it as requested), or why it would fail.
    differences: field by field between Xero and what would be written.
    """

    document: str
    action: str
    differences: tuple[FieldDifference, ...] = ()


def document_previews(
    documents: Sequence[Document], rows: RecordStore, xero: XeroApi, is_over: Callable[[], bool] = lambda: False
) -> dict[str, DocumentPreview]:
    """Return the previews by the documents' keys. Raises XeroError.

    rows: the rows as they would be, with the documents that these ones settle.
    is_over: whether there is no time left to call Xero; the documents that are not looked up by then are left out.
    """
    previews: dict[str, DocumentPreview] = {}
    for kind in DocumentKind:
        if is_over():
            break
        of_kind = [document for document in documents if document.kind is kind]
        if of_kind and DOCUMENT_TYPES[kind].owner:
            keys = dict.fromkeys(key for document in of_kind for key in settled_keys(document))
            held = find_settled(xero, kind, rows.load(Document, keys))
            previews |= {document.key: _of_settlement(document, held) for document in of_kind}
        elif of_kind:
            held = _held(xero, kind, of_kind)
            ids = contact_ids(rows, of_kind)
            previews |= {each.key: _of_document(each, held.get(each.key), ids.get(each.key, "")) for each in of_kind}
    return previews


def _held(xero: XeroApi, kind: DocumentKind, documents: Sequence[Document]) -> dict[str, Json]:
    if kind is DocumentKind.CONTACT:
        return {key: found.element for key, found in find_contacts(xero, documents).items()}
    return find_documents(xero, kind, documents)


def _of_document(document: Document, element: Json | None, contact_id: str) -> DocumentPreview:
    desired = document.desired
    if desired.tombstone:
        action = NOTHING if element is None or match(desired, element) is Match.GONE else REMOVE
        return DocumentPreview(document.key, action, differences(desired, element) if action is REMOVE else ())
    of_contact = contact_difference(element, contact_id)
    matched = None if element is None else match(desired, element)
    if matched is Match.SAME and of_contact:
        matched = Match.OURS_BUT_DIFFERENT
    action = CREATE if matched is None else _ACTIONS[matched]
    shown = (*of_contact, *differences(desired, element)) if action in (CREATE, UPDATE) else ()
    return DocumentPreview(document.key, action, shown)


def _of_settlement(document: Document, held: Mapping[str, Json]) -> DocumentPreview:
    """Preview a payment, refund or allocation: Xero holds it inside of what it settles, or not at all."""
    owner, *others = (held.get(key) for key in settled_keys(document))
    known = [each for each in others if each is not None]
    if owner is not None and len(known) == len(others) and settlement_in(document.desired, owner, known) is not None:
        return DocumentPreview(document.key, _KEPT if document.desired.tombstone else NOTHING)
    if document.desired.tombstone:
        return DocumentPreview(document.key, NOTHING)
    return DocumentPreview(document.key, CREATE, settlement_fields(document.desired))
