"""Export of the whole books in Xero's own shapes, for people and tests that inspect a run."""

from __future__ import annotations

from typing import Any

from . import shapes
from .books import Books
from .shapes import Shapes


def export_books(books: Books) -> dict[str, list[dict[str, Any]]]:
    """Return every record, oldest first; documents include their lines and payments."""
    nested = Shapes(books)
    return {
        "Organisations": [books.organisation],
        "Accounts": list(books.accounts.values()),
        "TaxRates": list(books.tax_rates.values()),
        "Currencies": list(books.currencies.values()),
        "Contacts": [shapes.contact(contact) for contact in books.contacts.values()],
        "Invoices": [nested.invoice(invoice, full_contact=False, decimals=4) for invoice in books.invoices.values()],
        "CreditNotes": [
            nested.credit_note(credit_note, full_contact=False, decimals=4)
            for credit_note in books.credit_notes.values()
        ],
        "Payments": [nested.payment(payment) for payment in books.payments.values()],
        "Allocations": [nested.allocation(allocation) for allocation in books.allocations.values()],
        "Items": [nested.item(item) for item in books.items.values()],
        "Attachments": [
            {
                "DocumentID": attachment.document_id,
                "FileName": attachment.name,
                "Content": attachment.content.decode(errors="replace"),
            }
            for attachment in books.attachments.values()
        ],
        "HistoryRecords": [
            {"InvoiceID": invoice_id, **nested.history(record)}
            for invoice_id, records in books.history.items()
            for record in records
        ],
    }
