"""Refund transactions as the planner needs them: each waits for its sale, then asks for its credit note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from amazon_to_xero.domain.amazon.order import Fulfilment, Order, parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.transaction import parse_transaction
from amazon_to_xero.domain.amazon.transaction_header import is_refund, transaction_header
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.amazon.transaction_types import is_about_a_refund
from amazon_to_xero.domain.books.document import AWAITING_APPROVAL, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import invoice_number, refund_number
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, unusable
from amazon_to_xero.domain.failures import Failure, FailureCode, NotBookedReason, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.planning.charged_tax import as_answered
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.planning.refund import Refund, refund_of
from amazon_to_xero.domain.planning.refund_plan import REFUND_KINDS
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale, refunded_sale
from amazon_to_xero.domain.planning.reversals import DecidedRefunds
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.domain.source import SourceKind, source_key
from amazon_to_xero.domain.tax.liability import responsible_party, unclear_items
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Cursor, RecordStore
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore, decided_refunds_cursor
from amazon_to_xero.services.planning.fresh_organisation import plan_with_organisation
from amazon_to_xero.services.planning.loaded_together import LoadedTogether
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.planning.refund_notes import RefundInPlanning, RefundNotes
from amazon_to_xero.services.planning.series import Place
from amazon_to_xero.services.planning.source_corrections import SourceCorrections
from amazon_to_xero.services.planning.standalone_refunds import StandaloneRefunds
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

SALE_LIMIT = timedelta(days=3)  # a refund waits so long for its sale before it fails
#: The same while the order or its documents wait for something themselves, such as a charge or a person's approval.
#: Each of these waits ends with a failure of its own, or has one that tells a person sooner.
LONG_SALE_LIMIT = timedelta(days=30)
#: How long it waits after each attempt; the last one again and again.
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
#: Amazon may return an order for a minute as it was before it changed.
_SHOWN_WITHIN = timedelta(minutes=2)
#: Orders that may still have an invoice, although they have none by rule as they were last read.
_MAY_BE_INVOICED = frozenset({NotInvoicedReason.ORDER_PENDING})


@dataclass(frozen=True)
class _Wait:
    """The sale is not in the books yet.

    problem: what a person reads about it.
    reads_order: the order should be read from Amazon.
    is_long: what it waits for is on its way: see LONG_SALE_LIMIT.
    """

    problem: str
    reads_order: bool = False
    is_long: bool = False


_PLANNED_AT_THE_MOMENT = _Wait("is read and planned at the moment", is_long=True)


class RefundPlans:
    """PlannedSource of refund transactions."""

    record_type = TransactionRecord

    def __init__(
        self,
        policy: PostingPolicy,
        organisation: OrganisationCache,
        store: RecordStore,
        clock: Clock,
        read_order: Callable[[Sequence[str]], object],
    ) -> None:
        store = self._together = LoadedTogether(store)
        self._policy = policy
        self._organisation = organisation
        self._store = store
        self._clock = clock
        self._read_order = read_order
        self._corrections = SourceCorrections(store)
        self._decided = DecidedRefundsStore(store)
        self._notes = RefundNotes(policy, self._decided, clock)
        self._standalone = StandaloneRefunds(policy, organisation, self._decided, self._notes, clock)

    def document_keys(self, record: TransactionRecord) -> set[str]:
        self._corrections.expect(record)
        if not record.order_id:
            return set(record.documents)
        self._together.expect(OrderRecord, record.order_id)
        self._together.expect(Cursor, decided_refunds_cursor(record.order_id))
        # So a series of refunds needs no look-up for each of them.
        usual = refund_number(invoice_number(record.order_id, self._policy.invoice_prefix), record.key)
        number = record.credit_note_number or usual
        return {*record.documents, *(document_key(kind, number) for kind in (DocumentKind.INVOICE, *REFUND_KINDS))}

    def plan(self, record: TransactionRecord, held: HeldDocuments) -> PlannedRecord[TransactionRecord]:
        """Return the record after planning. Raises Failure."""
        corrections = self._corrections.of(record)
        if (skip := corrections.latest(CorrectionKind.SKIP)) is not None:
            return self._skipped(record, skip)
        header = transaction_header(record.content or {})
        if not is_refund(header.type) and not is_about_a_refund(header.type) and not header.order_id:
            return _not_booked(record, NotBookedReason.TYPE_UNKNOWN)
        transaction = parse_transaction(record.content or {})
        refund = refund_of(transaction, self._policy.accounts.suspense)
        if isinstance(refund, NotBookedReason):
            return _not_booked(record, refund)
        if not transaction.order_id:
            raise Failure(
                FailureCode.REFUND_WITHOUT_SALE,
                f"Amazon names no order for refund {transaction.transaction_id}. "
                "Check it in Seller Central and enter the credit note in Xero manually.",
            )
        to_plan = RefundInPlanning(record, transaction, refund, held, corrections)
        order = self._store.load(OrderRecord, [transaction.order_id]).get(transaction.order_id)
        if order is not None and _is_gone(order) and self._standalone.is_asked_for(record):
            return self._standalone.plan(to_plan, None)
        if order is None or order.state in (OrderState.NOTICED, OrderState.RECORDED, OrderState.FAILED):
            return self._wait(to_plan, _waits_for(order))
        return self._plan_for(to_plan, order)

    def _skipped(self, record: TransactionRecord, skip: Correction) -> PlannedRecord[TransactionRecord]:
        """Return the record of a refund that a person enters otherwise. Raises Failure where it is credited already."""
        decided = self._decided.load(record.order_id) if record.order_id else DecidedRefunds()
        if record.key in decided.by_transaction:
            raise unusable(skip, f"the credit note of {record.source} is requested already; correct it in Xero")
        if record.order_id and not self._decided.replace(record.order_id, decided, decided.with_skipped(record.key)):
            return self._notes.planned_soon(record)
        return _not_booked(record, NotBookedReason.SKIPPED)

    # --- the sale -----------------------------------------------------------------------------------------------------

    def _plan_for(self, refund: RefundInPlanning, order: OrderRecord) -> PlannedRecord[TransactionRecord]:
        transaction, held = refund.transaction, refund.held
        decided = self._decided.load(order.order_id)
        earlier = decided.numbers_besides(transaction.transaction_id)
        sale = refunded_sale(order.documents, earlier, _skus(order.content or {}), held)
        if held.missing:
            return PlannedRecord(refund.record)  # planned again with them
        if sale is None:
            return self._without_sale(refund, order)
        if order.content:
            sale = self._as_ordered(sale, parse_order(order.content))
        if (document := sale.not_in_books) is not None:
            return self._wait(refund, _Wait(_state_of(document), is_long=_is_on_its_way(document)))
        refund = replace(refund, sold_on=order.marketplace_id)
        if sale.currency != transaction.currency:
            raise Failure(
                FailureCode.REFUND_CURRENCY_DIFFERS,
                f"The refund is in {transaction.currency}, the sale is in {sale.currency}. "
                "Enter the credit note in Xero manually.",
            )
        if decided.is_voided_since(invoice.desired for invoice in sale.invoices):
            return self._wait(refund, _PLANNED_AT_THE_MOMENT)
        if self._is_another_under_way(refund, decided):
            return self._notes.planned_soon(refund.record)
        try:
            return plan_with_organisation(
                refund.record,
                self._organisation,
                self._clock,
                lambda organisation: self._notes.plan(refund, order.invoice_number, sale, decided, organisation),
            )
        except Failure as failure:
            if failure.code is not FailureCode.REFUND_ITEM_UNKNOWN or not _may_ship_later(refund.refund, order):
                raise
            return self._wait(refund, _Wait("has shipped in part, and not yet what is refunded"))

    def _as_ordered(self, sale: RefundedSale, order: Order) -> RefundedSale:
        """Return the sale with its order, and whose the tax of its items is: where that is unclear, by its charges."""
        liabilities = self._policy.tax.liabilities
        answered = order
        if unclear_items(order, liabilities):
            row = self._store.load(SaleConfirmation, [order.order_id]).get(order.order_id)
            answered = as_answered(order, tuple(row.charges.values()) if row else (), liabilities)
        parties = {item.item_id: responsible_party(answered, item, liabilities) for item in answered.items}
        collected = frozenset(item_id for item_id, party in parties.items() if party is Party.MARKETPLACE)
        return replace(sale, order=order, collected=collected)

    def _is_another_under_way(self, refund: RefundInPlanning, decided: DecidedRefunds) -> bool:
        """Whether another refund is decided whose documents this plan does not see: they are not all stored yet.

        What they take of the sale's lines, and of an open invoice, is not there for this one. A worker may be storing
        them, or a crash has left them to be planned again. One that failed or waits for its sale keeps nobody waiting:
        it sees what this one has taken, once it is planned. Of two that are decided, the later one waits.
        """
        if refund.record.documents:
            return False  # they were planned in view of what was decided before
        own = refund.record.key
        others = [key for key, each in decided.by_transaction.items() if each.number and key != own]
        unseen = [key for key in others if source_key(SourceKind.TRANSACTION, key) not in refund.held.planned_before]
        records = self._store.load(TransactionRecord, unseen).values() if unseen else ()
        under_way = [record for record in records if _is_under_way(record)]
        if own in decided.by_transaction:
            return any(refund_place(record).rank < refund_place(refund.record).rank for record in under_way)
        return bool(under_way)

    def _without_sale(self, refund: RefundInPlanning, order: OrderRecord) -> PlannedRecord[TransactionRecord]:
        """The order has no invoice yet, or none by rule."""
        if refund.record.documents:
            return _as_requested(refund)
        if order.reason == NotInvoicedReason.SKIPPED:
            raise Failure(
                FailureCode.REFUND_WITHOUT_SALE,
                f"A person has said that order {order.order_id} is not entered here. Enter the credit note of refund "
                f"{refund.record.key} in Xero manually, then skip the transaction, too.",
            )
        if order.reason == NotInvoicedReason.BEFORE_START:
            return self._standalone.plan_or_fail(refund, parse_order(order.content or {}))
        if order.state is OrderState.PLANNED:
            # With one invoice per day an order has no draft: nothing states it before it ships.
            return self._wait(refund, _Wait("has no invoice yet: it has not shipped"))
        if order.reason in _MAY_BE_INVOICED:
            return self._wait(refund, _Wait("is pending as Amazon stated it last", reads_order=True))
        if _may_be_sold_by_now(order, refund.record):
            return self._wait(refund, _Wait(f"has no invoice ({order.reason}) as it was read last", reads_order=True))
        return _not_booked(refund.record, NotBookedReason.SALE_NOT_INVOICED)

    def _wait(self, refund: RefundInPlanning, wait: _Wait) -> PlannedRecord[TransactionRecord]:
        """Return the record to be planned again later. Raises Failure once it has waited too long."""
        record, transaction, now = refund.record, refund.transaction, self._clock.now()
        problem = f"Order {transaction.order_id} {wait.problem}"
        limit = LONG_SALE_LIMIT if wait.is_long else SALE_LIMIT
        if now - (record.first_read_at or transaction.posted_at) >= limit:
            raise Failure(
                FailureCode.REFUND_WITHOUT_SALE,
                f"{problem}. Correct that, and the refund is entered within the hour after its sale; or enter its "
                f"credit note in Xero manually, then skip transaction {transaction.transaction_id}.",
            )
        if wait.reads_order:
            self._read_order([transaction.order_id])
        at = now + _WAITS[min(record.attempts, len(_WAITS) - 1)]
        waiting = record.plan_at(at, WaitReason.WAITING_FOR_SALE)
        return PlannedRecord(replace(waiting, attempts=record.attempts + 1, remedy=f"{problem}."))


def refund_place(record: TransactionRecord) -> Place:
    """Return the place of a refund among those of its order: the one that Amazon posted first is planned first."""
    posted_at = "" if record.posted_at is None else record.posted_at.isoformat()
    return Place(record.order_id or record.source, f"{posted_at} {record.key}")


def _is_under_way(record: TransactionRecord) -> bool:
    """Whether the documents of a decided refund are still to be requested."""
    is_due = record.state is TransactionState.RECORDED and record.next_attempt_at is not None
    return is_due and not record.documents and record.reason != WaitReason.WAITING_FOR_SALE


def _is_gone(order: OrderRecord) -> bool:
    """Whether Amazon does not return the order, and never has: it returns orders of the last two years."""
    is_not_found = order.state is OrderState.FAILED and order.reason == FailureCode.ORDER_NOT_FOUND
    return is_not_found and order.content is None and not order.documents


def _as_requested(refund: RefundInPlanning) -> PlannedRecord[TransactionRecord]:
    """Ask again for the documents of a refund whose sale was taken back since: they exist, or are retried."""
    record, held = refund.record, refund.held
    documents = [document.desired for key in record.documents if (document := held.referred(key)) is not None]
    return PlannedRecord(record.settled(TransactionState.PLANNED), (tuple(documents),))


def _may_ship_later(refund: Refund, order: OrderRecord) -> bool:
    """Whether what is refunded belongs to the order, of which more is to be shipped, and invoiced then."""
    content = order.content or {}
    status = (content.get("fulfillment") or {}).get("fulfillmentStatus")
    refunded = {part.sku for part in refund.parts if part.sku}
    return status == Fulfilment.PARTIALLY_SHIPPED and refunded <= set(_skus(content).values())


def _may_be_sold_by_now(order: OrderRecord, refund: TransactionRecord) -> bool:
    """Whether the order is to be read again, or was last read before Amazon posted the refund.

    Amazon gives back only what it has charged, so an order that is sold at all was sold when its refund was posted, and
    what was read since then states it. Before, it may have been cancelled or without amounts and be reinstated since,
    with a notice that was lost: such an order is read once more, because what is explained here is never planned again.
    """
    if order.next_attempt_at is not None or order.read_at is None:
        return True
    shown = [refund.posted_at + _SHOWN_WITHIN] if refund.posted_at else []
    first_read = [refund.first_read_at] if refund.first_read_at else []
    return order.read_at < min((*shown, *first_read), default=order.read_at)


def _not_booked(record: TransactionRecord, reason: NotBookedReason) -> PlannedRecord[TransactionRecord]:
    return PlannedRecord(record.settled(TransactionState.NOT_BOOKED, reason))


def _waits_for(order: OrderRecord | None) -> _Wait:
    if order is None:
        return _Wait("has not been read from Amazon", reads_order=True)
    if order.state is OrderState.FAILED:
        return _Wait(f"failed with {order.reason}: {order.remedy}".rstrip(" .:"))
    if order.awaits_charge_since is not None:
        return _Wait("waits until Amazon has charged all that it leaves open", is_long=True)
    return _PLANNED_AT_THE_MOMENT


def _is_on_its_way(document: Document) -> bool:
    """Whether a document of the sale is being posted, or awaits a person's approval; a draft has not shipped."""
    return document.state is not DocumentState.FAILED and document.desired.body.get("Status") != "DRAFT"


def _state_of(document: Document) -> str:
    desired = document.desired
    if desired.body.get("Status") == "DRAFT":
        return f"has not shipped: {desired.kind} {desired.number} is a draft"
    if desired.body.get("Status") == AWAITING_APPROVAL:
        return f"awaits your approval in Xero: {desired.kind} {desired.number}"
    reason = f" ({document.reason}: {document.remedy})" if document.reason else ""
    return f"is not in Xero completely: {desired.kind} {desired.number} is {document.state}{reason}".rstrip(" .:")


def _skus(content: Mapping[str, Any]) -> Mapping[str, str]:
    """Return order item id -> SKU; also of a cancelled order, of which nothing else is read."""
    items = content.get("orderItems") or ()
    return {item["orderItemId"]: (item.get("product") or {}).get("sellerSku") or "" for item in items}
