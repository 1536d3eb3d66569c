"""Compares what Xero holds with the rows of our documents. What Xero holds of others is ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.differences import FieldDifference
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind, document_key
from amazon_to_xero.domain.books.matching import reference_identity
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.books.xero_comparison import (
    changes_of,
    contact_changes_of,
    is_comparable,
    settlement_change_of,
)
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.changes_in_xero.source_documents import documents_of_sources
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.posting.contacts_of_documents import accepted_contact_ids

_ORDER_ID = re.compile(r"\b\d{3}-\d{7}-\d{7}\b")


@dataclass(frozen=True)
class Compared:
    """A document of ours and what differs in Xero; nothing differs where `differences` is empty.

    element: Xero's own object of it; of a payment, cash refund or allocation that of the document that it settles.
    """

    document: Document
    element: Json
    differences: tuple[FieldDifference, ...]


class ComparedDocuments:
    """The documents of one connection."""

    def __init__(self, store: StateStore, xero: XeroApi) -> None:
        self._store = store
        self._xero = xero
        self._refunds = DecidedRefundsStore(store)

    def compare(self, kind: DocumentKind, elements: Sequence[Json]) -> list[Compared]:
        """Compare Xero's objects of a kind with our documents, and with the settlements that Xero shows inside them.

        Raises XeroError.
        """
        rows = self._ours(kind, elements)
        if kind is DocumentKind.CONTACT:
            return [Compared(row, element, contact_changes_of(row, element)) for row, element in rows]
        compared = self.compare_rows(rows)
        return [*compared, *self._settlements(compared)]

    def compare_rows(self, rows: Sequence[tuple[Document, Json]]) -> list[Compared]:
        """Compare invoices and credit notes of ours with Xero's own objects of them. Raises XeroError."""
        contacts = accepted_contact_ids(self._xero, self._store, rows)
        return [Compared(row, each, changes_of(row, each, contacts.get(row.key, ()))) for row, each in rows]

    def _ours(self, kind: DocumentKind, elements: Sequence[Json]) -> list[tuple[Document, Json]]:
        """Return our comparable documents among Xero's objects, by number, or by order where the number was changed."""
        spec = DOCUMENT_TYPES[kind]
        by_id = {folded(each[spec.id_field]): each for each in elements if each.get(spec.id_field)}
        keys = {document_key(kind, number) for each in elements for number in _numbers(each.get(spec.number_field))}
        rows = self._store.load(Document, keys)
        unknown = by_id.keys() - {folded(row.xero_id) for row in rows.values()}
        renamed = {} if kind is DocumentKind.CONTACT else self._of_orders(by_id[each] for each in unknown)
        ours = [row for row in {**renamed, **rows}.values() if row.kind is kind and is_comparable(row)]
        return [(row, by_id[folded(row.xero_id)]) for row in ours if folded(row.xero_id) in by_id]

    def _of_orders(self, elements: Iterable[Json]) -> dict[str, Document]:
        """Return the documents of the orders that References name, and the credit notes of their refunds.

        Somebody may have changed their numbers.
        """
        named = (_ORDER_ID.search(reference_identity(str(each.get("Reference") or ""))) for each in elements)
        order_ids = {found[0] for found in named if found}
        records = self._store.load(OrderRecord, order_ids) if order_ids else {}
        keys = {key for record in records.values() for key in record.documents}
        notes = [number for order_id in records for number in self._refunds.load(order_id).numbers]
        keys |= {document_key(DocumentKind.CREDIT_NOTE, number) for number in notes}
        return self._store.load(Document, keys) if keys else {}

    def _settlements(self, owners: Sequence[Compared]) -> Iterator[Compared]:
        """Compare the payments, cash refunds and allocations of documents that are not removed."""
        kept = {each.document.key: each for each in owners if each.element.get("Status") not in ("VOIDED", "DELETED")}
        sources = {each.document.desired.source for each in kept.values()}
        rows = self._store.load(Document, documents_of_sources(self._store, sources))
        settlements = [row for row in rows.values() if DOCUMENT_TYPES[row.kind].owner and is_comparable(row)]
        settled = {key for row in settlements for key in row.desired.references.values()}
        ids = {key: row.xero_id for key, row in self._store.load(Document, settled).items() if row.exists_in_xero}
        for row in settlements:
            owner = kept.get(row.desired.references[DOCUMENT_TYPES[row.kind].owner_path])
            if owner is not None:
                yield Compared(row, owner.element, settlement_change_of(row, owner.element, ids))


def _numbers(number: Any) -> Iterator[str]:
    """Yield the numbers under which a document may be stored: a contact that was replaced is stored without its -R1."""
    if isinstance(number, str) and number:
        yield number
        yield re.sub(r"-R\d+$", "", number)
