"""How each type of document is built, found and bounded in Xero. Adding a type is an entry here, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

#: The path in a document's body of the contact that it is for: a key of DesiredDocument.references.
CONTACT_REFERENCE = "Contact.ContactID"


class DocumentKind(StrEnum):
    """Xero's document types in posting order: a later one may refer to an earlier one."""

    CONTACT = "contact"
    INVOICE = "invoice"
    PAYMENT = "payment"  # of an invoice, from the clearing account
    CREDIT_NOTE = "credit_note"
    ALLOCATION = "allocation"  # of a credit note to an invoice that is not paid
    CREDIT_NOTE_REFUND = "credit_note_refund"  # cash refund of a credit note, out of the clearing account


@dataclass(frozen=True)
class DocumentType:
    """What the posting path knows of a kind of document.

    collection: Xero's name of the endpoint, which is also the name of the list in requests and answers.
    id_field: Xero's id of an element.
    number_field: the unique number that we choose; empty for a document without one.
    open_amount_field: what of its amount is still open; empty for a document that nothing settles.
    settles: for a document without a number, the path in its body to each document that it settles, and that one's
        kind. Xero accepts no more than what is open of each. It is found inside of the first one, its owner (a payment:
        in the invoice it pays).
    is_written_to_owner: Xero takes it at the address of its owner, so a call carries only those of one owner.
    changeable: whether Xero accepts updates once the document exists.
    """

    collection: str
    id_field: str
    number_field: str = ""
    open_amount_field: str = ""
    settles: Mapping[str, DocumentKind] = field(default_factory=dict)
    is_written_to_owner: bool = False
    changeable: bool = True

    @property
    def owner(self) -> DocumentKind | None:
        return next(iter(self.settles.values()), None)

    @property
    def owner_path(self) -> str:
        return next(iter(self.settles), "")


DOCUMENT_TYPES: Mapping[DocumentKind, DocumentType] = {
    DocumentKind.CONTACT: DocumentType("Contacts", "ContactID", "ContactNumber"),
    DocumentKind.INVOICE: DocumentType("Invoices", "InvoiceID", "InvoiceNumber", "AmountDue"),
    DocumentKind.PAYMENT: DocumentType(
        "Payments", "PaymentID", settles={"Invoice.InvoiceID": DocumentKind.INVOICE}, changeable=False
    ),
    DocumentKind.CREDIT_NOTE: DocumentType("CreditNotes", "CreditNoteID", "CreditNoteNumber", "RemainingCredit"),
    DocumentKind.ALLOCATION: DocumentType(
        "Allocations",
        "AllocationID",
        settles={"CreditNote.CreditNoteID": DocumentKind.CREDIT_NOTE, "Invoice.InvoiceID": DocumentKind.INVOICE},
        is_written_to_owner=True,
        changeable=False,
    ),
    DocumentKind.CREDIT_NOTE_REFUND: DocumentType(
        "Payments", "PaymentID", settles={"CreditNote.CreditNoteID": DocumentKind.CREDIT_NOTE}, changeable=False
    ),
}


def document_key(kind: DocumentKind, number: str) -> str:
    """Return the key of a document: `invoice#026-1234567-1234567`."""
    return f"{kind}#{number}"
