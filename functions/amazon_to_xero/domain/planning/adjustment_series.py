"""The adjustments of one series of numbers: those that exist are kept, the next free number takes what is missing.

An adjustment is an invoice, a credit note, or both under one number. Which of them are missing is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.planning.adjustment_settlements import AdjustmentSettlements
from amazon_to_xero.domain.planning.order_documents import (
    SETTLED_BY,
    OrderDocuments,
    OrderToPlan,
    dated_reference,
    is_number_used_up,
    sale_day,
)
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps

_KINDS = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)


class AdjustmentSeries:
    """One series in one plan.

    kept: the adjustments that exist, in the order of their numbers; never edited.
    number: the first free one.
    """

    def __init__(
        self,
        number_at: Callable[[int], str],
        held: HeldDocuments,
        documents: OrderDocuments[OrderToPlan],
        steps: PlanSteps,
        settlements: AdjustmentSettlements,
    ) -> None:
        """`number_at` returns the number at a place; 1 is the first."""
        self._number_at = number_at
        self._held = held
        self._documents = documents
        self._steps = steps
        self._settlements = settlements
        self.kept: list[Document] = []
        self.number, self._requested = self._first_free()

    def request(self, wanted: Iterable[DesiredDocument]) -> None:
        """Ask for these documents at the free number, and for nothing else there.

        Every plan leaves its version there, too: a worker with an older version of the order finds it.
        """
        by_kind = {desired.kind: desired for desired in wanted}
        for kind, document in zip(_KINDS, self._requested, strict=True):
            self._plan_at(kind, document, by_kind.get(kind))

    def _first_free(self) -> tuple[str, list[Document | None]]:
        """Keep the adjustments that exist; return the first free number and what was requested under it."""
        place = 0
        while True:
            place += 1
            number = self._number_at(place)
            held = [self._held.own(kind, number) for kind in _KINDS]
            used_up = [document for document in held if document is not None and is_number_used_up(document)]
            requested = [document for document in held if document is not None and not document.desired.tombstone]
            exists = any(document.exists_in_xero for document in requested)
            is_taken = not exists and self._held.is_taken(number, (*_KINDS, *SETTLED_BY.values()))
            if exists or (requested and not is_taken and self._settlements.is_counted_on(number)):
                # An invoice and a credit note of one number belong together: where one exists, the other will. So they
                # will where a payment has left to the credit note what it pays.
                for kind, document in zip(_KINDS, held, strict=True):
                    if document is None or document.desired.tombstone:
                        self._settlements.remove(kind, number)
                    elif document not in used_up:
                        self._keep(self._on_open_day(document))
            elif is_taken:
                for document in requested:
                    self._withdraw(document)
            elif not used_up:
                return number, held
            # An older version of the order must not request the other one either.
            tombstones = [document for document in held if document is not None and document.desired.tombstone]
            self._steps.second.extend(self._documents.unchanged(document) for document in tombstones)

    def _withdraw(self, adjustment: Document) -> None:
        """Another source took the number while this was requested: it is requested again at the next free number."""
        if adjustment.outcome_unknown:
            self._steps.awaits_outcome = True
        self._settlements.remove(adjustment.kind, adjustment.desired.number)
        self._steps.second.append(self._documents.removed(adjustment))

    def _keep(self, adjustment: Document) -> None:
        """It counts as booked, and its settlement stays as it was made, whatever the settings say by now."""
        self.kept.append(adjustment)
        kept = self._documents.unchanged(adjustment)
        self._steps.second.append(kept)
        self._steps.third.extend(self._settlements.of_kept(kept))

    def _on_open_day(self, adjustment: Document) -> Document:
        """Return an adjustment that has to follow, on a day that is open by now if Xero does not hold it yet."""
        desired = adjustment.desired
        is_held = adjustment.exists_in_xero or adjustment.is_outcome_open
        if is_held or self._documents.policy.lock_dates is not LockDates.NEXT_OPEN_DAY:
            return adjustment
        belongs_on = sale_day(desired)
        day = self._documents.open_date(date.fromisoformat(desired.body["Date"]))
        reference = dated_reference(desired.body["Reference"], day, belongs_on)
        body = {**desired.body, "Date": day.isoformat(), "Reference": reference}
        return replace(adjustment, desired=replace(desired, body=body))

    def _plan_at(self, kind: DocumentKind, held: Document | None, wanted: DesiredDocument | None) -> None:
        changes = held is not None and (wanted is None or wanted.digest != held.desired.digest)
        if held is not None and held.outcome_unknown and changes:
            # It may be in Xero: whether it counts has to be known before another adjustment is planned.
            self._steps.awaits_outcome = True
        settlements = self._settlements.of_new(kind, self.number, held, wanted, changes=changes)
        self._steps.third.append(wanted if wanted is not None else self._documents.tombstone(kind, self.number, held))
        self._steps.third.extend(settlements)
