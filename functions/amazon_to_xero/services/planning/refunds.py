"""Refund transactions as the planner needs them: each waits for its sale, then asks for its credit note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.transaction import Transaction, parse_transaction
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import refund_number
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, NotBookedReason, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.planning.refund import Refund, refund_of
from amazon_to_xero.domain.planning.refund_lines import credit_lines, tax_findings
from amazon_to_xero.domain.planning.refund_plan import RefundToPlan, plan_refund, usable_refund_number
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale, refunded_sale
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.planning.fresh_organisation import plan_with_organisation
from amazon_to_xero.services.planning.planner import RETRY_PLAN, PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

SALE_LIMIT = timedelta(days=3)  # a refund waits so long for its sale before it fails
#: How long it waits after each attempt; the last one again and again.
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
#: Orders that may still have an invoice, although they have none by rule as they were last read.
_MAY_BE_INVOICED = frozenset({NotInvoicedReason.ORDER_PENDING})


@dataclass(frozen=True)
class _Wait:
    """The sale is not in the books yet.

    problem: what a person reads about it.
    reads_order: the order should be read from Amazon.
    """

    problem: str
    reads_order: bool = False


class RefundPlans:
    """PlannedSource of refund transactions."""

    record_type = TransactionRecord

    def __init__(
        self,
        policy: PostingPolicy,
        organisation: OrganisationCache,
        store: StateStore,
        clock: Clock,
        read_order: Callable[[Sequence[str]], object],
    ) -> None:
        self._policy = policy
        self._organisation = organisation
        self._store = store
        self._clock = clock
        self._read_order = read_order
        self._decided = DecidedRefundsStore(store)

    def document_keys(self, record: TransactionRecord) -> set[str]:
        number = record.credit_note_number
        kinds = (DocumentKind.CREDIT_NOTE, DocumentKind.ALLOCATION, DocumentKind.CREDIT_NOTE_REFUND)
        return {*record.documents, *(document_key(kind, number) for kind in kinds if number)}

    def plan(self, record: TransactionRecord, held: HeldDocuments) -> PlannedRecord[TransactionRecord]:
        """Return the record after planning. Raises Failure."""
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
        order = self._store.load(OrderRecord, [transaction.order_id]).get(transaction.order_id)
        if order is None or order.state in (OrderState.NOTICED, OrderState.RECORDED, OrderState.FAILED):
            return self._wait(record, transaction, _waits_for(order))
        return self._plan_for(record, transaction, refund, order, held)

    # --- the sale -----------------------------------------------------------------------------------------------------

    def _plan_for(
        self,
        record: TransactionRecord,
        transaction: Transaction,
        refund: Refund,
        order: OrderRecord,
        held: HeldDocuments,
    ) -> PlannedRecord[TransactionRecord]:
        decided = self._decided.load(order.order_id)
        earlier = decided.numbers_besides(transaction.transaction_id)
        sale = refunded_sale(order.documents, earlier, _skus(order.content or {}), held)
        if held.missing:
            return PlannedRecord(record)  # planned again with them
        if sale is None:
            return self._without_sale(record, transaction, order)
        if (document := sale.not_in_books) is not None:
            return self._wait(record, transaction, _Wait(_state_of(document)))
        if sale.currency != transaction.currency:
            raise Failure(
                FailureCode.REFUND_CURRENCY_DIFFERS,
                f"The refund is in {transaction.currency}, the sale is in {sale.currency}. "
                "Enter the credit note in Xero manually.",
            )
        credited = _decision(transaction, refund, sale, decided).credited
        if not credited:
            return self._nothing_to_credit(record, refund, order, decided)
        return plan_with_organisation(
            record,
            self._organisation,
            self._clock,
            lambda organisation: self._credit(record, transaction, refund, order, sale, decided, held, organisation),
        )

    def _without_sale(
        self, record: TransactionRecord, transaction: Transaction, order: OrderRecord
    ) -> PlannedRecord[TransactionRecord]:
        """The order has no invoice, by rule."""
        if order.reason == NotInvoicedReason.BEFORE_START:
            raise Failure(
                FailureCode.REFUND_BEFORE_START,
                f"Order {order.order_id} was placed before the connection's start, so its sale is not entered here. "
                f"Enter a credit note for refund {transaction.transaction_id} in Xero manually, on the accounts and "
                "tax rates of the original sale.",
            )
        if order.reason in _MAY_BE_INVOICED:
            return self._wait(record, transaction, _Wait("is pending as Amazon stated it last", reads_order=True))
        return _not_booked(record, NotBookedReason.SALE_NOT_INVOICED)

    def _wait(
        self, record: TransactionRecord, transaction: Transaction, wait: _Wait
    ) -> PlannedRecord[TransactionRecord]:
        """Return the record to be planned again later. Raises Failure once it has waited too long."""
        now = self._clock.now()
        problem = f"Order {transaction.order_id} {wait.problem}"
        if now - (record.first_read_at or transaction.posted_at) >= SALE_LIMIT:
            raise Failure(
                FailureCode.REFUND_WITHOUT_SALE,
                f"{problem}. Correct that, then reprocess transaction {transaction.transaction_id}; or enter its "
                "credit note in Xero manually.",
            )
        if wait.reads_order:
            self._read_order([transaction.order_id])
        at = now + _WAITS[min(record.attempts, len(_WAITS) - 1)]
        waiting = record.plan_at(at, WaitReason.WAITING_FOR_SALE)
        return PlannedRecord(replace(waiting, attempts=record.attempts + 1, remedy=f"{problem}."))

    # --- its credit note ----------------------------------------------------------------------------------------------

    def _credit(
        self,
        record: TransactionRecord,
        transaction: Transaction,
        refund: Refund,
        order: OrderRecord,
        sale: RefundedSale,
        decided: DecidedRefunds,
        held: HeldDocuments,
        organisation: Organisation,
    ) -> PlannedRecord[TransactionRecord]:
        decision = _decision(transaction, refund, sale, decided)
        earlier = decided.numbers_besides(transaction.transaction_id)
        first = record.credit_note_number or decision.number or refund_number(order.invoice_number, record.key)
        number = usable_refund_number(first, held)
        lines = credit_lines(refund, decision.credited, sale, self._policy, organisation)
        to_plan = RefundToPlan(record.key, order.order_id, transaction.posted_at, sale.contact_number)
        plan = plan_refund(to_plan, number, lines, decision.credited, sale, earlier, held, self._policy, organisation)
        if held.missing:
            return PlannedRecord(record)  # planned again with them
        if not self._decide(order, record, replace(decision, number=number), decided):
            return self._planned_soon(record)
        planned = replace(record.settled(TransactionState.PLANNED), credit_note_number=number, documents=plan.documents)
        findings = (*refund.findings, *tax_findings(refund, sale, self._policy, organisation))
        return PlannedRecord(planned, plan.steps, findings)

    def _nothing_to_credit(
        self,
        record: TransactionRecord,
        refund: Refund,
        order: OrderRecord,
        decided: DecidedRefunds,
    ) -> PlannedRecord[TransactionRecord]:
        if not self._decide(order, record, DecidedRefund(refund.value, ZERO), decided):
            return self._planned_soon(record)
        return _not_booked(record, NotBookedReason.ALREADY_CREDITED)

    def _decide(
        self, order: OrderRecord, record: TransactionRecord, decision: DecidedRefund, seen: DecidedRefunds
    ) -> bool:
        decided = replace(seen, by_transaction={**seen.by_transaction, record.key: decision})
        return self._decided.replace(order.order_id, seen, decided)

    def _planned_soon(self, record: TransactionRecord) -> PlannedRecord[TransactionRecord]:
        """Something else was decided about the order's refunds meanwhile."""
        return PlannedRecord(record.plan_at(self._clock.now() + RETRY_PLAN, WaitReason.CHANGED_MEANWHILE))


def _decision(transaction: Transaction, refund: Refund, sale: RefundedSale, decided: DecidedRefunds) -> DecidedRefund:
    """Return what was decided about the refund, once and for all, or what is decided now."""
    known = decided.by_transaction.get(transaction.transaction_id)
    return known or DecidedRefund(refund.value, decided.refund_to_credit(refund.value, sale.adjusted))


def _not_booked(record: TransactionRecord, reason: NotBookedReason) -> PlannedRecord[TransactionRecord]:
    return PlannedRecord(record.settled(TransactionState.NOT_BOOKED, reason))


def _waits_for(order: OrderRecord | None) -> _Wait:
    if order is None:
        return _Wait("has not been read from Amazon", reads_order=True)
    if order.state is OrderState.FAILED:
        return _Wait(f"failed with {order.reason}: {order.remedy}".rstrip(" ."))
    return _Wait("is read and planned at the moment")


def _state_of(document: Document) -> str:
    desired = document.desired
    if desired.body.get("Status") == "DRAFT":
        return f"has not shipped: {desired.kind} {desired.number} is a draft"
    reason = f" ({document.reason}: {document.remedy})" if document.reason else ""
    return f"is not in Xero completely: {desired.kind} {desired.number} is {document.state}{reason}".rstrip(" .")


def _skus(content: Mapping[str, Any]) -> Mapping[str, str]:
    """Return order item id -> SKU; also of a cancelled order, of which nothing else is read."""
    items = content.get("orderItems") or ()
    return {item["orderItemId"]: (item.get("product") or {}).get("sellerSku") or "" for item in items}
