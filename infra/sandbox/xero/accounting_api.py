"""Xero's accounting API: call the endpoint of an operation and commit or roll back the books."""

from __future__ import annotations

from sandbox.wire import Request, Response

from .books import Books
from .contacts import Contacts
from .documents import Documents
from .endpoints import Endpoint
from .endpoints.attachments import AttachmentEndpoints
from .endpoints.contacts import ContactEndpoints
from .endpoints.documents import CreditNoteEndpoints, InvoiceEndpoints
from .endpoints.payments import PaymentEndpoints
from .endpoints.settings import SettingsEndpoints
from .errors import NOT_FOUND_RESPONSE, NoDataProcessed, NotFound, UnreadableQuery, UnreadableValue, error_response
from .request_bodies import RequestBodies
from .responses import Responses
from .routing import route


class AccountingApi:
    """The accounting API of one organisation."""

    def __init__(
        self,
        books: Books,
        contacts: Contacts,
        invoices: Documents,
        credit_notes: Documents,
        bodies: RequestBodies,
    ) -> None:
        self.books = books
        responses = Responses(books, bodies)
        self._endpoints: dict[str, Endpoint] = {
            **SettingsEndpoints(books, responses).by_operation(),
            **ContactEndpoints(books, contacts, responses).by_operation(),
            **InvoiceEndpoints(books, invoices, responses).by_operation(),
            **CreditNoteEndpoints(books, credit_notes, responses).by_operation(),
            **PaymentEndpoints(books, responses).by_operation(),
            **AttachmentEndpoints(books, invoices, credit_notes, responses).by_operation(),
        }

    def respond(self, request: Request) -> Response:
        """Process one authorised call."""
        operation, references = route(request.method, request.path)
        if operation is None:
            return NOT_FOUND_RESPONSE
        try:
            response = self._endpoints[operation](request, *references)
        except (NotFound, UnreadableValue, UnreadableQuery, NoDataProcessed) as error:
            response = error_response(error)
        if response.status >= 400:
            self.books.roll_back()
        self.books.commit()
        return response
