"""Payments and allocations: list, get, create and delete."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.wire import Request, Response

from ..allocations import Allocations
from ..books import Books
from ..errors import NotFound
from ..fields import PAYMENTS
from ..listing import select
from ..payments import Payments
from ..records import Payment
from ..responses import Responses
from ..shapes import Shapes
from ..where import allowed_values, parse_where
from . import Endpoint


class PaymentEndpoints:
    def __init__(self, books: Books, responses: Responses) -> None:
        self.books = books
        self.responses = responses
        self.payments = Payments(books)
        self.allocations = Allocations(books)
        self.shapes = Shapes(books)

    def by_operation(self) -> dict[str, Endpoint]:
        return {
            "getPayments": self._get_payments,
            "getPayment": self._get_payment,
            "createPayments": self._create_payments,
            "createPayment": self._create_payments,
            "deletePayment": self._delete_payment,
            "createCreditNoteAllocation": self._create_allocations,
            "deleteCreditNoteAllocations": self._delete_allocation,
        }

    def _get_payments(self, request: Request) -> Response:
        books = self.books
        where = parse_where(request.parameter("where"), PAYMENTS)
        allowed_ids = allowed_values(where, "paymentid")
        allowed_documents = allowed_values(where, "invoice.invoiceid")
        candidates: Iterable[Payment]
        if allowed_ids is not None:
            candidates = [books.payments[payment_id] for payment_id in allowed_ids if payment_id in books.payments]
        elif allowed_documents is not None:
            candidates = [
                books.payments[payment_id]
                for document_id in allowed_documents
                for payment_id in books.payment_ids_by_document.get(document_id, ())
            ]
        else:
            candidates = books.payments.values()
        payments = select(request, candidates, PAYMENTS, books)
        return self.responses.collection(request, "Payments", payments, self.shapes.payment)

    def _get_payment(self, request: Request, payment_id: str) -> Response:
        payment = self.books.payments.get(payment_id.lower())
        if payment is None:
            raise NotFound
        return self.responses.records("Payments", [self.shapes.payment(payment, written=True)])

    def _create_payments(self, request: Request) -> Response:
        return self.responses.batch(
            request, "PaymentID", self.payments.create, lambda payment: self.shapes.payment(payment, written=True)
        )

    def _delete_payment(self, request: Request, payment_id: str) -> Response:
        return self.responses.batch(
            request,
            "PaymentID",
            lambda element: self.payments.delete(payment_id, element),
            lambda payment: self.shapes.payment(payment, written=True),
        )

    def _create_allocations(self, request: Request, note_id: str) -> Response:
        return self.responses.batch(
            request,
            "AllocationID",
            lambda element: self.allocations.create(note_id, element),
            self.shapes.allocation,
        )

    def _delete_allocation(self, request: Request, note_id: str, allocation_id: str) -> Response:
        allocation = self.allocations.delete(note_id, allocation_id)
        return Response.of_json({**self.shapes.allocation(allocation), "IsDeleted": True})
