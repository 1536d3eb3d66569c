"""The sale that a refund belongs to, as the books state it: its invoices, what was credited, and what is left of each
line.

It is read from the documents that the order asked for, not computed from the order again: a refund takes the accounts,
the tax rates and the customer of what was booked, whatever the settings say by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE, DocumentKind, document_key
from amazon_to_xero.domain.books.line import ROUNDING, Line, LineAmountTypes, Terms, all_terms, line_from_xero
from amazon_to_xero.domain.books.matching import reference_identity
from amazon_to_xero.domain.books.texts import cleaned
from amazon_to_xero.domain.money import CENT, ZERO, smallest_unit, total
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.planning.proportions import with_amount
from amazon_to_xero.domain.planning.reversals import credited_by_adjustments


@dataclass(frozen=True)
class SoldLine:
    """One line of the sale.

    line: as it is booked; a discount is negative.
    sku: of its item; empty for a line that belongs to no item, or whose item Amazon does not state any more.
    charge: what of the item it books, e.g. SHIPPING or DISCOUNT:ITEM.
    left: what of it no credit note has taken back yet, with the sign of the line.
    """

    line: Line
    sku: str
    charge: str
    left: Decimal

    @property
    def item_id(self) -> str:
        return self.line.origin.partition(":")[0]

    def is_of(self, sku: str) -> bool:
        """Whether it is a line of that SKU; of an item that Amazon took off the order since, by its description."""
        if self.sku:
            return self.sku == sku
        return bool(self.item_id) and self.line.description.endswith(f"({cleaned(sku)})")


@dataclass(frozen=True)
class RefundedSale:
    """The sale of an order as it is booked; without invoices where it is not entered here (`standalone_sale`).

    currency: ISO code of all its amounts.
    amounts: whether its line amounts include tax.
    reference: the sale's reference without tracking numbers.
    contact_number: ContactNumber of its customer.
    lines: of all invoices; also of adjustments that sell one item and take back more of another.
    invoices: the order's invoices, supplementary ones included; the first comes first.
    adjustments: the credit notes by which the order's plan has taken something back.
    paid: keys of the invoices that a payment was requested for, and of entries, whose day is paid as a whole.
    payments: of the invoices.
    order: as Amazon stated it last, for the rules of accounts; None where it is not known.
    collected: order item ids of the items on which the marketplace owes the tax, as the order says by now, or its
        charges where the order leaves it unclear.
    """

    currency: str
    amounts: LineAmountTypes
    reference: str
    contact_number: str
    lines: tuple[SoldLine, ...]
    invoices: tuple[Document, ...] = ()
    adjustments: tuple[Document, ...] = ()
    paid: frozenset[str] = frozenset()
    payments: tuple[Document, ...] = ()
    order: Order | None = None
    collected: frozenset[str] = frozenset()

    @property
    def unit(self) -> Decimal:
        """The smallest amount of a line, as Xero keeps it: 0.01 pounds, 1 yen."""
        return max(smallest_unit(self.currency), CENT)

    @property
    def adjusted(self) -> Decimal:
        """What adjustments have credited."""
        invoices = (invoice.desired for invoice in self.invoices)
        return credited_by_adjustments(invoices, (note.desired for note in self.adjustments))

    @property
    def not_in_books(self) -> Document | None:
        """The first document of the sale that a refund has to wait for: a draft, or what is not in Xero as requested.

        Until an invoice is paid, its order may still change or void it as if nothing had been refunded.
        """
        documents = (*self.invoices, *self.adjustments)
        drafts = (document for document in documents if document.desired.body.get("Status") != "AUTHORISED")
        waiting = (document for document in (*documents, *self.payments) if not _is_in_xero(document))
        return next(drafts, None) or next(waiting, None)


def _is_in_xero(document: Document) -> bool:
    return document.exists_in_xero and document.state is DocumentState.APPLIED


def refunded_sale(
    order_documents: Iterable[str], earlier_notes: Iterable[str], skus: Mapping[str, str], held: HeldDocuments
) -> RefundedSale | None:
    """Return the sale in these documents of an order; None where it has no invoice.

    order_documents: keys of what the order's plan asks for.
    earlier_notes: numbers of the credit notes of the order's other refunds.
    skus: order item id -> SKU.
    """
    requested = [document for key in order_documents if (document := held.referred(key)) is not None]
    existing = [document for document in requested if not document.desired.tombstone]
    invoices = tuple(each for each in existing if each.kind is DocumentKind.INVOICE)
    adjustments = tuple(each for each in existing if each.kind is DocumentKind.CREDIT_NOTE)
    payments = [each for each in existing if each.kind is DocumentKind.PAYMENT]
    refunds = [held.referred(document_key(DocumentKind.CREDIT_NOTE, number)) for number in earlier_notes]
    if not invoices:
        return None
    notes = [note for note in refunds if note is not None and not note.desired.tombstone]
    first = invoices[0].desired
    return RefundedSale(
        currency=first.body["CurrencyCode"],
        amounts=LineAmountTypes(first.body["LineAmountTypes"]),
        reference=reference_identity(first.body["Reference"]),
        contact_number=first.references[CONTACT_REFERENCE].partition("#")[2],
        lines=tuple(_sold_lines(invoices, adjustments, notes, skus)),
        invoices=invoices,
        adjustments=adjustments,
        paid=frozenset(
            [payment.desired.references.get("Invoice.InvoiceID", "") for payment in payments]
            + [invoice.key for invoice in invoices if invoice.desired.is_entry]
        ),
        payments=tuple(payments),
    )


def lines_of(desired: DesiredDocument) -> Iterable[Line]:
    """Return the lines of a stored invoice or credit note, without its rounding line."""
    for item, origin in zip(desired.body.get("LineItems") or (), desired.line_origins, strict=True):
        if origin != ROUNDING:
            yield line_from_xero(item, origin)


def _sold_lines(
    invoices: Iterable[Document],
    adjustments: Iterable[Document],
    refund_notes: Iterable[Document],
    skus: Mapping[str, str],
) -> Iterable[SoldLine]:
    """Add up the sale's lines by what they book, less what was taken back.

    A line that was credited and entered again at another rate, or on another account, counts as what is left of it.
    """
    lines: dict[str, dict[Terms, Line]] = {}
    left: dict[str, dict[Terms, Decimal]] = {}
    sold = [line for invoice in invoices for line in lines_of(invoice.desired)]
    adjusted = [with_amount(line, -line.amount) for note in adjustments for line in lines_of(note.desired)]
    for line in (*sold, *adjusted):
        lines.setdefault(line.origin, {}).setdefault(all_terms(line), line)
        by_terms = left.setdefault(line.origin, {})
        by_terms[all_terms(line)] = by_terms.get(all_terms(line), ZERO) + line.amount
    for note in refund_notes:
        for line in lines_of(note.desired):
            if line.origin in left:
                by_terms = left[line.origin]
                by_terms[all_terms(line)] = by_terms.get(all_terms(line), ZERO) - line.amount
    for origin, of_origin in lines.items():
        item_id, _, charge = origin.partition(":")
        first = next(iter(of_origin.values()))
        line = next((each for terms, each in of_origin.items() if left[origin][terms]), first)
        yield SoldLine(line, skus.get(item_id, ""), charge or item_id, total(left[origin].values()))
