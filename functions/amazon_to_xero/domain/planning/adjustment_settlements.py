"""How the adjustments of an order are settled: from clearing; credit notes first of what is open of its invoices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.open_invoices import OpenInvoices
from amazon_to_xero.domain.planning.order_documents import OrderDocuments, OrderToPlan, is_settled_alone
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps


class AdjustmentSettlements:
    """The payments, allocations and cash refunds of the adjustments in one plan of an order."""

    def __init__(
        self,
        held: HeldDocuments,
        documents: OrderDocuments[OrderToPlan],
        steps: PlanSteps,
        open_invoices: OpenInvoices,
    ) -> None:
        self._held = held
        self._documents = documents
        self._steps = steps
        self._open_invoices = open_invoices

    def of_kept(self, kept: DesiredDocument) -> list[DesiredDocument]:
        """Return the settlements of an adjustment that exists: as they were made, whatever the settings say by now.

        What was requested and not sent yet is removed where it is settled in another way by now: an invoice may be open
        that was not, and takes the credit note, or the other way round.
        """
        held = self._documents.held_settlement(kept.kind, kept.number, self._held)
        if held is not None and _is_made(held):
            settled = [self._documents.unchanged(held)]
            is_in_full = held.desired.body["Amount"] == kept.total
            return settled if is_in_full else settled + self._unchanged_allocation(kept)
        settlements = self._settlements(kept)
        asked_for = {each.key for each in settlements}
        before = list(self._requested(kept.kind, kept.number, None)) if settlements else []
        for each in before:
            if each.key not in asked_for and not each.desired.tombstone and not _is_made(each):
                self._steps.first.append(self._documents.removed(each))
        return settlements

    def of_new(
        self, kind: DocumentKind, number: str, held: Document | None, wanted: DesiredDocument | None, *, changes: bool
    ) -> list[DesiredDocument]:
        """Return the settlements of an adjustment that is not in Xero, and remove those that were requested before.

        held: the adjustment as it was requested before; wanted: as it is requested now; changes: the two differ.
        """
        before = list(self._requested(kind, number, held))
        if any(is_settled_alone(each, held) for each in before):
            self._steps.awaits_outcome = True
        settlements = self._settlements(wanted) if wanted is not None else []
        asked_for = {each.key: each.digest for each in settlements}
        for each in before:
            if not is_settled_alone(each, held) and (changes or asked_for.get(each.key) is None):
                self._steps.first.append(self._documents.removed(each))
        return settlements

    def is_counted_on(self, number: str) -> bool:
        """Whether an invoice is paid but for what the credit note of that number pays of it."""
        allocation = self._held.own(DocumentKind.ALLOCATION, number) if self._open_invoices else None
        return allocation is not None and self._open_invoices.awaits_allocation(allocation)

    def remove(self, kind: DocumentKind, number: str) -> None:
        """Remove the settlement of an adjustment that should not exist, e.g. one that a worker had requested alone."""
        requested = self._requested(kind, number, None)
        self._steps.first.extend(self._documents.removed(each) for each in requested if not each.desired.tombstone)

    def _settlements(self, desired: DesiredDocument) -> list[DesiredDocument]:
        allocation = self._allocation(desired)
        allocated = ZERO if allocation is None else allocation.body["Amount"]
        rest = self._documents.settlement(desired, self._held, (desired.total or ZERO) - allocated)
        return [each for each in (allocation, rest) if each is not None]

    def _allocation(self, desired: DesiredDocument) -> DesiredDocument | None:
        if desired.kind is not DocumentKind.CREDIT_NOTE:
            return None
        held = self._held.own(DocumentKind.ALLOCATION, desired.number)
        if held is not None and (held.exists_in_xero or held.is_outcome_open):
            allocation: DesiredDocument | None = self._documents.unchanged(held)  # what is allocated is never changed
        elif held is not None and self._open_invoices.awaits_allocation(held):
            # Of the amount that the payment has left. Only its day follows that of the credit note.
            allocation = self._documents.unchanged(held)
            allocation = replace(allocation, body={**allocation.body, "Date": desired.body["Date"]})
        else:
            allocation = self._open_invoices.allocation_of(desired)
        if allocation is not None:
            self._open_invoices.count(allocation)
        return allocation

    def _unchanged_allocation(self, kept: DesiredDocument) -> list[DesiredDocument]:
        held = self._held.own(DocumentKind.ALLOCATION, kept.number)
        if held is None or held.desired.tombstone:
            return []
        self._open_invoices.count(held.desired)
        return [self._documents.unchanged(held)]

    def _requested(self, kind: DocumentKind, number: str, adjustment: Document | None) -> Iterable[Document]:
        """Return what was requested to settle the adjustment. Without an open invoice a new one was never allocated."""
        settlement = self._documents.held_settlement(kind, number, self._held)
        may_be_allocated = kind is DocumentKind.CREDIT_NOTE and (adjustment is not None or self._open_invoices)
        allocation = self._held.own(DocumentKind.ALLOCATION, number) if may_be_allocated else None
        return [each for each in (settlement, allocation) if each is not None]


def _is_made(settlement: Document) -> bool:
    """Whether Xero holds it, or may hold it."""
    return settlement.exists_in_xero or (settlement.is_outcome_open and not settlement.desired.tombstone)
