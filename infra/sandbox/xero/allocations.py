"""Allocations of credit notes to invoices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from .books import Books
from .errors import NotFound, ValidationError
from .records import Allocation, Document
from .values import ZERO, read_number, read_object, read_text, to_cents

ALREADY_PAID = "The invoice you are trying to allocate to has already been paid off"
EXCEEDS_OUTSTANDING = "Credit Note cannot be allocated as amount is greater than amount outstanding"
WRONG_TYPE = "Credit Note cannot be allocated to an incorrect invoice type"

# Type of a credit note -> type of the invoices it can be allocated to.
_INVOICE_TYPES = {"ACCRECCREDIT": "ACCREC", "ACCPAYCREDIT": "ACCPAY"}


class Allocations:
    """Create and delete the allocations of one organisation."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def create(self, credit_note_id: str, element: dict[str, Any]) -> Allocation:
        """Allocate a credit note to an approved, unpaid invoice of the same contact and currency."""
        books = self.books
        note = books.credit_notes.get(credit_note_id.lower())
        if note is None:
            raise NotFound
        reference = read_object(element.get("Invoice"), "Invoice")
        invoice_id, number = read_text(reference.get("InvoiceID")), read_text(reference.get("InvoiceNumber"))
        invoice = books.invoices.get(
            (invoice_id or "").lower() or books.invoice_by_number.get((number or "").casefold(), "")
        )
        if invoice is None:
            raise ValidationError("An existing Invoice with the specified InvoiceID could not be found")
        amount = read_number(element.get("Amount"), "Amount") or ZERO
        problems = _problems(note, invoice, amount)
        if problems:
            raise ValidationError(*problems)
        # Xero sets the date itself: the later of the two documents' dates.
        allocation = Allocation(books.new_id(), note.id, invoice.id, to_cents(amount), max(note.date, invoice.date))
        books.put(books.allocations, allocation.id, allocation)
        self._add_credit(note, allocation, allocation.amount)
        self._add_credit(invoice, allocation, allocation.amount)
        return allocation

    def delete(self, credit_note_id: str, allocation_id: str) -> Allocation:
        """Delete an allocation; its amount becomes outstanding on both documents again."""
        books = self.books
        allocation = books.allocations.get(allocation_id.lower())
        if allocation is None or allocation.credit_note_id != credit_note_id.lower():
            raise NotFound
        self._add_credit(books.credit_notes[allocation.credit_note_id], allocation, -allocation.amount)
        self._add_credit(books.invoices[allocation.invoice_id], allocation, -allocation.amount)
        books.remove(books.allocations, allocation.id)
        return allocation

    def _add_credit(self, document: Document, allocation: Allocation, amount: Decimal) -> None:
        """Add the amount, negative for a deleted allocation, to what is credited on the document."""
        others = tuple(other for other in document.allocations if other != allocation.id)
        changed = replace(
            document,
            credited=document.credited + amount,
            allocations=(*others, allocation.id) if amount > 0 else others,
            updated=self.books.now(),
        )
        self.books.store(self.books.with_payment_status(changed))


def _problems(note: Document, invoice: Document, amount: Decimal) -> list[str]:
    """Return Xero's messages for every rule the allocation breaks."""
    problems: list[str] = []
    if invoice.type != _INVOICE_TYPES[note.type]:
        problems.append(WRONG_TYPE)
    if invoice.status == "PAID":
        problems.append(ALREADY_PAID)
    elif invoice.status != "AUTHORISED":
        problems.append("Credit Note can only be allocated to an Authorised invoice")
    if not note.is_approved:
        problems.append("Only an Authorised Credit Note can be allocated")
    if amount <= 0:
        problems.append("The allocation amount must be greater than zero")
    if amount > min(invoice.outstanding, note.outstanding):
        problems.append(EXCEEDS_OUTSTANDING)  # Xero says the same of the invoice's and of the note's
    if note.contact_id != invoice.contact_id:
        problems.append("Credit Note cannot be allocated to an invoice of a different contact")
    if note.currency != invoice.currency:
        problems.append("Credit Note cannot be allocated to an invoice in a different currency")
    return problems
