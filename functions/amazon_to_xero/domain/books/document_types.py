"""How each type of document is built, found and bounded in Xero. Adding a type is an entry here, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class DocumentKind(StrEnum):
    """Xero's document types in posting order: a later one may refer to an earlier one."""

    CONTACT = "contact"
    INVOICE = "invoice"
    PAYMENT = "payment"  # of an invoice, from the clearing account
    CREDIT_NOTE = "credit_note"
    ALLOCATION = "allocation"  # of a credit note to an open invoice
    CREDIT_NOTE_REFUND = "credit_note_refund"  # cash refund of a credit note, out of the clearing account


@dataclass(frozen=True)
class DocumentType:
    """What the posting path knows of a kind of document.

    collection: Xero's name of the endpoint, which is also the name of the list in requests and answers.
    id_field: Xero's id of an element.
    number_field: the unique number that we choose; empty for a document without one.
    owner: the kind of document that one without a number is found inside of (a payment: in the invoice it pays).
    owner_path: the path in the body that refers to the owner.
    open_amount_field: the field of the owner that bounds the amount; Xero accepts no more than it.
    changeable: whether Xero accepts updates once the document exists.
    """

    collection: str
    id_field: str
    number_field: str = ""
    owner: DocumentKind | None = None
    owner_path: str = ""
    open_amount_field: str = ""
    changeable: bool = True


DOCUMENT_TYPES: Mapping[DocumentKind, DocumentType] = {
    DocumentKind.CONTACT: DocumentType("Contacts", "ContactID", "ContactNumber"),
    DocumentKind.INVOICE: DocumentType("Invoices", "InvoiceID", "InvoiceNumber"),
    DocumentKind.PAYMENT: DocumentType(
        "Payments",
        "PaymentID",
        owner=DocumentKind.INVOICE,
        owner_path="Invoice.InvoiceID",
        open_amount_field="AmountDue",
        changeable=False,
    ),
    DocumentKind.CREDIT_NOTE: DocumentType("CreditNotes", "CreditNoteID", "CreditNoteNumber"),
    DocumentKind.ALLOCATION: DocumentType(
        "Allocations",
        "AllocationID",
        owner=DocumentKind.CREDIT_NOTE,
        owner_path="CreditNote.CreditNoteID",
        open_amount_field="RemainingCredit",
        changeable=False,
    ),
    DocumentKind.CREDIT_NOTE_REFUND: DocumentType(
        "Payments",
        "PaymentID",
        owner=DocumentKind.CREDIT_NOTE,
        owner_path="CreditNote.CreditNoteID",
        open_amount_field="RemainingCredit",
        changeable=False,
    ),
}


def document_key(kind: DocumentKind, number: str) -> str:
    """Return the key of a document: `invoice#026-1234567-1234567`."""
    return f"{kind}#{number}"
