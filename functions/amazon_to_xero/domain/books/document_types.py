"""One Xero document we answer for, as a state machine.

    PENDING -> IN_FLIGHT -> APPLIED
               IN_FLIGHT -> UNKNOWN -> APPLIED | PENDING      look in Xero before trying again
               IN_FLIGHT -> DEFERRED (due_at)                 not executed: limit, outage, no token
               IN_FLIGHT -> FAILED (reason, hint)             a person has to mend something
    APPLIED | FAILED -> PENDING                               when what should stand in Xero changes

Every transition is a new row; the store accepts it only on the generation it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Xero's document types in posting order: what is named later refers to what is named earlier."""

    CONTACT = "contact"
    INVOICE = "invoice"
    PAYMENT = "payment"  # of an invoice, from the clearing account
    CREDIT_NOTE = "credit_note"
    REFUND = "refund"  # of a credit note, out of the clearing account: what the buyer got back


@dataclass(frozen=True)
class KindInXero:
    """How a kind is built and found in Xero: all that the posting path knows of it.

    Contacts, invoices and credit notes have a unique number. A payment has none: it is found inside the document it
    pays, its `owner` (`inside`: the path in its body that refers to it), and Xero takes no more than what is still open
    there (`open_field`).
    """

    collection: str
    id_field: str
    number_field: str = ""
    inside: str = ""
    owner: Kind | None = None
    open_field: str = ""
    changeable: bool = True


IN_XERO: Mapping[Kind, KindInXero] = {
    Kind.CONTACT: KindInXero("Contacts", "ContactID", "ContactNumber"),
    Kind.INVOICE: KindInXero("Invoices", "InvoiceID", "InvoiceNumber"),
    Kind.PAYMENT: KindInXero(
        "Payments",
        "PaymentID",
        inside="Invoice.InvoiceID",
        owner=Kind.INVOICE,
        open_field="AmountDue",
        changeable=False,
    ),
    Kind.CREDIT_NOTE: KindInXero("CreditNotes", "CreditNoteID", "CreditNoteNumber"),
    Kind.REFUND: KindInXero(
        "Payments",
        "PaymentID",
        inside="CreditNote.CreditNoteID",
        owner=Kind.CREDIT_NOTE,
        open_field="RemainingCredit",
        changeable=False,
    ),
}


def document_key(kind: Kind, number: str) -> str:
    return f"{kind}#{number}"
