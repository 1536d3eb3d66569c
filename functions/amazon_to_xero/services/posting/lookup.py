"""Looks up what Xero holds: by the values of one field, and of documents by their ids, numbers or owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amazon_to_xero.domain.books.archived_contacts import INACTIVE
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroApi


def find(xero: XeroApi, collection: str, field: str, values: Sequence[str]) -> dict[str, Json]:
    """Return what Xero holds, by the folded value; of contacts of one name the active one."""
    groups = xero.lookup_groups(collection, field, values)
    found = [element for group in groups for element in xero.find(collection, field, group)]
    found.sort(key=lambda element: element.get("ContactStatus") not in INACTIVE)
    return {folded(element.get(field)): element for element in found}


def find_documents(xero: XeroApi, kind: DocumentKind, documents: Sequence[Document]) -> dict[str, Json]:
    """Return what Xero holds of numbered documents of a kind, by their keys: by Xero's id if known, else by number."""
    spec = DOCUMENT_TYPES[kind]
    ids = [document.xero_id for document in documents if document.exists_in_xero]
    numbers = [document.desired.number for document in documents if not document.exists_in_xero]
    by_id = find(xero, spec.collection, spec.id_field, ids)
    by_number = find(xero, spec.collection, spec.number_field, numbers)
    found = {
        document.key: by_id.get(folded(document.xero_id))
        if document.exists_in_xero
        else by_number.get(folded(document.desired.number))
        for document in documents
    }
    return {key: element for key, element in found.items() if element is not None}


def settled_keys(document: Document) -> list[str]:
    """Return the keys of the documents that a payment, refund or allocation settles, its owner first."""
    return [document.desired.references[path] for path in DOCUMENT_TYPES[document.kind].settles]


def find_settled(xero: XeroApi, kind: DocumentKind, rows: Mapping[str, Document]) -> dict[str, Json]:
    """Return what Xero holds of the documents that settlements of a kind settle, by their keys.

    rows: the rows of those documents, by key. What has no id in Xero is not looked up.
    """
    held: dict[str, Json] = {}
    for settled_kind in dict.fromkeys(DOCUMENT_TYPES[kind].settles.values()):
        spec = DOCUMENT_TYPES[settled_kind]
        ids = {key: row.xero_id for key, row in rows.items() if row.kind is settled_kind and row.exists_in_xero}
        by_id = find(xero, spec.collection, spec.id_field, list(ids.values()))
        held |= {key: by_id[folded(xero_id)] for key, xero_id in ids.items() if folded(xero_id) in by_id}
    return held
