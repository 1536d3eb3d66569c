"""The plan of a refund: its credit note, and how that is settled.

A credit note of a paid sale is refunded in cash out of the clearing account. Where an invoice is open, the credit note
is allocated to it, up to what the invoice has room for, and only the rest is refunded in cash. A credit note that was
requested once keeps what it states: what others credit is decided in view of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE, DocumentKind, document_key
from amazon_to_xero.domain.books.line import Line
from amazon_to_xero.domain.books.numbering import reissued_number
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.open_invoices import OpenInvoice, allocation_to_fitting
from amazon_to_xero.domain.planning.order_documents import (
    DocumentHeader,
    OrderDocuments,
    dated_reference,
    is_number_used_up,
)
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps, PostingPlan
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale
from amazon_to_xero.domain.source import SourceKind, source_key

#: What a refund may ask for.
REFUND_KINDS = (DocumentKind.CREDIT_NOTE, DocumentKind.ALLOCATION, DocumentKind.CREDIT_NOTE_REFUND)


@dataclass(frozen=True)
class RefundToPlan:
    """The refund that is planned.

    transaction_id: Amazon's.
    order_id: the order that it belongs to.
    posted_at: Amazon's postedDate (UTC): its version, and the day of its documents.
    contact_number: ContactNumber of the sale's customer.
    marketplace_id: of its order, by which its clearing account is chosen; empty where it is not known.
    day: the day of its documents where a person has stated another one than Amazon's.
    corrections: how many corrections it is planned with: each makes a later version.
    planned_at: when it is planned (UTC); see OrderToPlan.
    """

    transaction_id: str
    order_id: str
    posted_at: datetime
    contact_number: str
    marketplace_id: str = ""
    day: date | None = None
    corrections: int = 0
    planned_at: datetime | None = None

    @property
    def source(self) -> str:
        return source_key(SourceKind.TRANSACTION, self.transaction_id)

    @property
    def source_version(self) -> datetime:
        return self.posted_at + timedelta(microseconds=self.corrections)

    @property
    def capability(self) -> str:
        return REFUNDS


def usable_refund_number(first: str, held: HeldDocuments) -> str:
    """Return the number under which the credit note exists or can be created: the first one, or a reissue of it."""
    times = 0
    while True:
        number = reissued_number(first, times)
        own = held.own(DocumentKind.CREDIT_NOTE, number)
        is_taken = own is None and held.is_taken(number, (DocumentKind.INVOICE, *REFUND_KINDS))
        if not is_taken and (own is None or not is_number_used_up(own)):
            return number
        times += 1


def plan_refund(
    refund: RefundToPlan,
    number: str,
    lines: Sequence[Line],
    amount: Decimal,
    sale: RefundedSale,
    earlier_notes: Sequence[str],
    held: HeldDocuments,
    policy: PostingPolicy,
    organisation: Organisation,
) -> PostingPlan:
    """Return the credit note of these lines and that total, and its settlement. Raises Failure with PERIOD_LOCKED.

    number: of the credit note.
    earlier_notes: numbers of the credit notes of the order's other refunds.
    """
    return _RefundPlan(refund, sale, held, OrderDocuments(refund, policy, organisation)).plan(
        number, lines, amount, earlier_notes
    )


class _RefundPlan:
    def __init__(
        self, refund: RefundToPlan, sale: RefundedSale, held: HeldDocuments, documents: OrderDocuments[RefundToPlan]
    ) -> None:
        self._refund = refund
        self._sale = sale
        self._held = held
        self._documents = documents

    def plan(self, number: str, lines: Sequence[Line], amount: Decimal, earlier_notes: Sequence[str]) -> PostingPlan:
        held = self._held.own(DocumentKind.CREDIT_NOTE, number)
        if held is not None and (held.exists_in_xero or held.outcome_unknown) and not held.desired.tombstone:
            note = self._documents.unchanged(held)
        else:
            note = self._credit_note(number, lines, amount)
        settlements = list(self._settlements(note, earlier_notes))
        steps = PlanSteps(self._documents.closed(self._held), second=[note], third=settlements)
        return steps.plan(self._held)

    def _credit_note(self, number: str, lines: Sequence[Line], amount: Decimal) -> DesiredDocument:
        belongs_on = self._refund.day or self._documents.organisation.local_date(self._refund.posted_at)
        day = self._documents.open_date(belongs_on)
        reference = dated_reference(self._sale.reference, day, belongs_on)
        header = DocumentHeader(day, reference, self._sale.currency, self._sale.amounts)
        return self._documents.document(DocumentKind.CREDIT_NOTE, number, lines, amount, header)

    # --- how it is settled --------------------------------------------------------------------------------------------

    def _settlements(self, note: DesiredDocument, earlier_notes: Sequence[str]) -> list[DesiredDocument]:
        allocation = self._allocation(note, earlier_notes)
        allocated = ZERO if allocation is None else allocation.body["Amount"]
        refund = self._cash_refund(note, (note.total or ZERO) - allocated)
        return [document for document in (allocation, refund) if document is not None]

    def _cash_refund(self, note: DesiredDocument, amount: Decimal) -> DesiredDocument | None:
        held = self._documents.held_settlement(DocumentKind.CREDIT_NOTE, note.number, self._held)
        if held is not None and (held.exists_in_xero or held.outcome_unknown):
            return self._documents.unchanged(held)
        return self._documents.settlement(note, self._held, amount)

    def _allocation(self, note: DesiredDocument, earlier_notes: Sequence[str]) -> DesiredDocument | None:
        held = self._held.own(DocumentKind.ALLOCATION, note.number)
        if held is not None and not held.desired.tombstone:
            return self._documents.unchanged(held)  # what is allocated is never changed
        refund = self._documents.held_settlement(DocumentKind.CREDIT_NOTE, note.number, self._held)
        if refund is not None and (refund.exists_in_xero or refund.outcome_unknown):
            return None  # it was settled in cash while no invoice was open
        rooms = [
            OpenInvoice(invoice.key, invoice.desired.references[CONTACT_REFERENCE], self._room(invoice, earlier_notes))
            for invoice in self._sale.invoices
            if invoice.key not in self._sale.paid
        ]
        return allocation_to_fitting(note, [room for room in rooms if room.left > 0])

    def _room(self, invoice: Document, earlier_notes: Sequence[str]) -> Decimal:
        """Return what of the invoice our allocations have left open."""
        numbers = [*earlier_notes, *(note.desired.number for note in self._sale.adjustments)]
        keys = [document_key(DocumentKind.ALLOCATION, number) for number in numbers]
        allocations = [allocation for key in keys if (allocation := self._held.referred(key)) is not None]
        allocated = total(
            allocation.desired.body["Amount"]
            for allocation in allocations
            if invoice.key in allocation.desired.references.values() and not allocation.desired.tombstone
        )
        return (invoice.desired.total or ZERO) - allocated
