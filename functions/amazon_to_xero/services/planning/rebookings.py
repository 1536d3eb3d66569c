"""Finds orders that are booked otherwise than the rules would book them now. It reads rows, and stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.corrected_sale import corrected_sales
from amazon_to_xero.domain.planning.entries import shaped_like
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.rebooking import Rebooking, rebooking
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale
from amazon_to_xero.ports.state import Cursor, RecordStore
from amazon_to_xero.services.planning.charge_answers import ChargeAnswers
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore, decided_refunds_cursor
from amazon_to_xero.services.planning.loaded_together import LoadedTogether
from amazon_to_xero.services.planning.source_corrections import SourceCorrections
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

_INVOICES = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)


class Rebookings:
    """Compares the orders of one connection with its rules of now."""

    def __init__(
        self, policy: PostingPolicy, organisation: OrganisationCache, store: RecordStore, charges: ChargeAnswers
    ) -> None:
        self._policy = policy
        self._organisation = organisation
        self._store = store
        self._charges = charges
        self._corrections = SourceCorrections(store)
        self._together = LoadedTogether(store)
        self._refunds = DecidedRefundsStore(self._together)

    @property
    def unavailable(self) -> str:
        """Why nothing can be compared at the moment; empty where it can."""
        return self._organisation.unavailable_reason()

    def of(self, records: Iterable[OrderRecord]) -> Mapping[str, Rebooking]:
        """Return by order id how each of them is booked otherwise; call it for at most some hundred orders at once.

        Left out are orders that have nothing in Xero, that failed or are due, and those with a document that is still
        to be written.
        """
        planned = [each for each in records if each.state is OrderState.PLANNED and each.content is not None]
        for record in planned:
            self._charges.expect(record)
            self._corrections.expect(record)
            self._together.expect(Cursor, decided_refunds_cursor(record.order_id))
        keys = dict.fromkeys(key for record in planned for key in (*record.documents, *self._notes_of(record)))
        documents = self._store.load(Document, keys) if keys else {}
        found: dict[str, Rebooking] = {}
        for record in planned:
            held = [documents[key] for key in record.documents if key in documents]
            notes = [documents[key] for key in self._notes_of(record) if key in documents]
            if _in_xero(held) and not _is_being_written(held):
                found[record.order_id] = self._of(record, held, notes)
        return found

    def _notes_of(self, record: OrderRecord) -> list[str]:
        """Return the keys of the credit notes of its refunds."""
        numbers = self._refunds.load(record.order_id).numbers
        return [document_key(DocumentKind.CREDIT_NOTE, number) for number in numbers]

    def _of(self, record: OrderRecord, held: Sequence[Document], notes: Sequence[Document]) -> Rebooking:
        try:
            corrections = self._corrections.of(record).without_rebooking
            sales = self._sales(record, held, corrections)
        except Failure as failure:
            return Rebooking(problem=f"{failure.code}: {failure.remedy}")
        if isinstance(sales, str):
            return Rebooking(problem=sales)
        return rebooking(_in_xero(held), _in_xero(notes), sales, corrections, self._organisation.current())

    def _sales(self, record: OrderRecord, held: Sequence[Document], corrections: Corrections) -> Sequence[Sale] | str:
        """Return what the books should hold by the rules of now, or why that is not known. Raises Failure."""
        organisation = self._organisation.current()
        policy = shaped_like(self._policy.for_marketplace(record.marketplace_id), held)
        answered = self._charges.answer(parse_order(record.content or {}), record, organisation, corrections)
        if isinstance(answered, OrderRecord):
            return f"It waits: {answered.reason}."
        sales = corrected_sales(answered.order, answered.shipments, policy, organisation, corrections)
        if isinstance(sales, NotInvoiced | NotPriced):
            return f"By the rules of now it has no invoice: {sales.reason}."
        return sales


def _is_being_written(documents: Iterable[Document]) -> bool:
    """Whether an invoice or credit note is not yet in Xero as it was requested, or waits for its day to be closed."""
    return any(each.kind in _INVOICES and each.next_attempt_at is not None for each in documents)


def _in_xero(documents: Iterable[Document]) -> list[DesiredDocument]:
    """Return the invoices and credit notes among them that Xero holds."""
    held = (each.desired for each in documents if each.kind in _INVOICES and each.exists_in_xero)
    return [each for each in held if not each.tombstone]
