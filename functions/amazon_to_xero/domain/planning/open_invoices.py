"""An order's open invoices that are never edited, and what credit notes are allocated to them.

Open means approved, in Xero and not paid in full. Such an invoice is kept as it is where Xero refuses to change it:
refunds have credited it, or its period is locked. What it states too much is then credited, and the credit note is
allocated to it: no money passes the clearing account. The payment is of the rest. Once that is made, the credit note
has to follow: nothing else pays what the payment left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE, DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import moved_number
from amazon_to_xero.domain.money import ZERO, total, without_trailing_zeros
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments


@dataclass(frozen=True)
class OpenInvoice:
    """An open invoice.

    key: of its document.
    contact: key of its contact.
    left: what of it is not allocated yet, in its currency.
    """

    key: str
    contact: str
    left: Decimal


class OpenInvoices:
    """The open invoices of one order, as its plan allocates credit notes to them."""

    def __init__(self) -> None:
        self._left: dict[str, Decimal] = {}
        self._contacts: dict[str, str] = {}
        self._partly_paid: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._left)

    def add(self, invoice: Document, allocated: Decimal) -> None:
        """Add an open invoice; allocated: what credit notes of refunds pay of it."""
        self._left[invoice.key] = max(ZERO, (invoice.desired.total or ZERO) - allocated)
        self._contacts[invoice.key] = invoice.desired.references[CONTACT_REFERENCE]

    def add_partly_paid(self, invoice: Document, allocated: Decimal, paid: Decimal) -> None:
        """Add an invoice whose payment of less than its total is made, or may be; allocated: as for `add`."""
        self.add(invoice, allocated + paid)
        self._partly_paid.add(invoice.key)

    def awaits_allocation(self, allocation: Document) -> bool:
        """Whether the payment of an invoice has left to this allocation what it pays."""
        is_asked_for = not allocation.desired.tombstone
        return is_asked_for and not self._partly_paid.isdisjoint(allocation.desired.references.values())

    def left_of(self, invoice: Document) -> Decimal:
        """Return what of the invoice no credit note pays."""
        return self._left[invoice.key]

    def count(self, allocation: DesiredDocument) -> None:
        """Count an allocation that is made, or asked for."""
        key = allocation.references["Invoice.InvoiceID"]
        if key in self._left:
            self._left[key] = max(ZERO, self._left[key] - allocation.body["Amount"])

    def allocation_of(self, note: DesiredDocument) -> DesiredDocument | None:
        """Return the allocation of a credit note to an open invoice; None where none has anything left to pay.

        What moves a shipment is allocated to its own invoice, if that takes it.
        """
        rooms = [OpenInvoice(key, self._contacts[key], left) for key, left in self._left.items()]
        rooms.sort(key=lambda room: room.key != document_key(DocumentKind.INVOICE, moved_number(note.number)))
        return allocation_to_fitting(note, rooms)


def allocation_to_fitting(note: DesiredDocument, rooms: Sequence[OpenInvoice]) -> DesiredDocument | None:
    """Return the credit note's allocation to the first invoice that takes all of it, else to the one that takes most.

    Xero takes one allocation for each credit note and invoice; what the invoice does not take is settled otherwise. It
    allocates credit to invoices of the same contact only.
    """
    amount = note.total or ZERO
    of_contact = [room for room in rooms if room.contact == note.references[CONTACT_REFERENCE]]
    fitting = next((room for room in of_contact if room.left >= amount), None)
    invoice = fitting or max(of_contact, key=lambda room: room.left, default=None)
    if invoice is None or not invoice.left or not amount:
        return None
    body = {"Amount": without_trailing_zeros(min(amount, invoice.left)), "Date": note.body["Date"]}
    return DesiredDocument(
        DocumentKind.ALLOCATION,
        note.number,
        body,
        note.source,
        source_version=note.source_version,
        references={"CreditNote.CreditNoteID": note.key, "Invoice.InvoiceID": invoice.key},
        capability=note.capability,
        order_id=note.order_id,
    )


def allocated_to(invoice: Document, notes: Iterable[str], held: HeldDocuments) -> Decimal:
    """Return what the credit notes of these numbers pay of the invoice, by allocations that are made or asked for."""
    rows = [held.referred(document_key(DocumentKind.ALLOCATION, number)) for number in notes]
    return total(
        row.desired.body["Amount"]
        for row in rows
        if row is not None
        and invoice.key in row.desired.references.values()
        and not row.desired.tombstone
        and row.state is not DocumentState.FAILED
    )
