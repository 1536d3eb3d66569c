"""Invoices with their history, and credit notes: list, get, create and update."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.wire import Request, Response

from ..books import Books
from ..documents import Documents
from ..errors import NotFound, ValidationError
from ..fields import CREDIT_NOTES, INVOICES, Fields
from ..listing import is_paged, select
from ..records import Document, HistoryRecord
from ..responses import Responses
from ..shapes import Shapes
from ..values import read_text
from ..where import allowed_values, parse_where
from . import Endpoint


class DocumentEndpoints:
    """The operations that invoices and credit notes have in common."""

    def __init__(self, books: Books, documents: Documents, responses: Responses) -> None:
        self.books = books
        self.documents = documents
        self.responses = responses
        self.shapes = Shapes(books)

    def _get_one(self, request: Request, reference: str) -> Response:
        document = self.documents.find(reference)
        if document is None:
            raise NotFound
        shape = self.shapes.document(document, decimals=_decimals(request))
        return self.responses.records(self.documents.kind.collection, [shape])

    def _create(self, request: Request) -> Response:
        decimals = _decimals(request)
        return self.responses.batch(
            request,
            self.documents.kind.id_field,
            lambda element: self.documents.create(element, decimals),
            lambda document: self._current_shape(document, decimals),
        )

    def _update_or_create(self, request: Request, document_id: str | None = None) -> Response:
        decimals = _decimals(request)
        return self.responses.batch(
            request,
            self.documents.kind.id_field,
            lambda element: self.documents.update_or_create(element, decimals, document_id),
            lambda document: self._current_shape(document, decimals),
        )

    def _current_shape(self, document: Document, decimals: int) -> dict[str, Any]:
        return self.shapes.document(self.documents.table[document.id], decimals=decimals)

    def _select(self, request: Request, fields: Fields) -> list[Document]:
        """Return the documents that match the ids, numbers, where and If-Modified-Since of the request."""
        documents, kind = self.documents, self.documents.kind
        where = parse_where(request.parameter("where"), fields)
        ids = [document_id.lower() for document_id in request.list_parameter("IDs")]
        numbers = [number.casefold() for number in request.list_parameter("InvoiceNumbers")]
        allowed_ids = ids or allowed_values(where, kind.id_field.lower())
        allowed_numbers = numbers or allowed_values(where, kind.number_field.lower())
        candidates: Iterable[Document | None]
        if allowed_ids is not None:
            candidates = [documents.table.get(document_id) for document_id in dict.fromkeys(allowed_ids)]
        elif allowed_numbers is not None:
            candidates = [
                documents.table[document_id]
                for number in dict.fromkeys(allowed_numbers)
                for document_id in documents.ids_by_number.get(number, ())
            ]
        else:
            candidates = documents.table.values()
        found = [document for document in candidates if document is not None]
        if ids and numbers:
            found = [document for document in found if document.number.casefold() in numbers]
        return select(request, found, fields, self.books)


class InvoiceEndpoints(DocumentEndpoints):
    def by_operation(self) -> dict[str, Endpoint]:
        return {
            "getInvoices": self._get_invoices,
            "getInvoice": self._get_one,
            "createInvoices": self._create,
            "updateOrCreateInvoices": self._update_or_create,
            "updateInvoice": self._update_or_create,
            "getInvoiceHistory": self._get_history,
            "createInvoiceHistory": self._create_history,
        }

    def _get_invoices(self, request: Request) -> Response:
        invoices = self._select(request, INVOICES)
        contact_ids = {contact_id.lower() for contact_id in request.list_parameter("ContactIDs")}
        statuses = {status.upper() for status in request.list_parameter("Statuses")}
        if contact_ids:
            invoices = [invoice for invoice in invoices if invoice.contact_id in contact_ids]
        if statuses:
            invoices = [invoice for invoice in invoices if invoice.status in statuses]
        if term := (request.parameter("searchTerm") or "").casefold():
            invoices = [
                invoice for invoice in invoices if any(term in text for text in self._searchable_texts(invoice))
            ]
        is_summary = (request.parameter("summaryOnly") or "").lower() == "true"
        decimals, lines = _decimals(request), is_paged(request)
        return self.responses.collection(
            request,
            "Invoices",
            invoices,
            lambda invoice: self.shapes.invoice(
                invoice, lines=lines, full_contact=False, decimals=decimals, summary=is_summary
            ),
        )

    def _searchable_texts(self, invoice: Document) -> list[str]:
        contact = self.books.contacts[invoice.contact_id]
        return [text.casefold() for text in (invoice.number, invoice.reference or "", contact.name)]

    def _get_history(self, request: Request, reference: str) -> Response:
        invoice = self._require_invoice(reference)
        records = self.books.history.get(invoice.id, ())
        return self.responses.records("HistoryRecords", [self.shapes.history(record) for record in records])

    def _create_history(self, request: Request, reference: str) -> Response:
        invoice = self._require_invoice(reference)

        def create_record(element: dict[str, Any]) -> HistoryRecord:
            details = read_text(element.get("Details"))
            if details is None or len(details) > 2500:
                raise ValidationError("The Details of a history record must have 1 to 2500 characters.")
            record = HistoryRecord(details, "Note", self.books.now())
            self.books.put(self.books.history, invoice.id, (*self.books.history.get(invoice.id, ()), record))
            return record

        return self.responses.batch(request, "HistoryRecordID", create_record, self.shapes.history)

    def _require_invoice(self, reference: str) -> Document:
        invoice = self.documents.find(reference)
        if invoice is None:
            raise NotFound
        return invoice


class CreditNoteEndpoints(DocumentEndpoints):
    def by_operation(self) -> dict[str, Endpoint]:
        return {
            "getCreditNotes": self._get_credit_notes,
            "getCreditNote": self._get_one,
            "createCreditNotes": self._create,
            "updateOrCreateCreditNotes": self._update_or_create,
            "updateCreditNote": self._update_or_create,
        }

    def _get_credit_notes(self, request: Request) -> Response:
        credit_notes = self._select(request, CREDIT_NOTES)
        decimals, lines = _decimals(request), is_paged(request)
        return self.responses.collection(
            request,
            "CreditNotes",
            credit_notes,
            lambda note: self.shapes.credit_note(note, lines=lines, full_contact=False, decimals=decimals),
        )


def _decimals(request: Request) -> int:
    """Return the number of decimals of unit amounts."""
    return 4 if request.parameter("unitdp") == "4" else 2
