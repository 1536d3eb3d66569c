"""The credit note of one refund: what of the refund it credits is decided once and stored, then it is requested."""

from __future__ import annotations

from dataclasses import dataclass, replace

from amazon_to_xero.domain.amazon.transaction import Transaction
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.numbering import refund_number
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.failures import NotBookedReason, WaitReason
from amazon_to_xero.domain.planning.corrected_refund import corrected_refund_day, corrected_refunded_sale
from amazon_to_xero.domain.planning.entries import shaped_like
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.planning.refund import Refund
from amazon_to_xero.domain.planning.refund_liability import check_liability, check_split
from amazon_to_xero.domain.planning.refund_lines import credit_lines, tax_findings
from amazon_to_xero.domain.planning.refund_plan import RefundToPlan, plan_refund, usable_refund_number
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.planning.planner import RETRY_PLAN, PlannedRecord


@dataclass(frozen=True)
class RefundInPlanning:
    """A refund that is planned.

    record, transaction, refund: it as it is stored, as Amazon states it, and what of it the buyer got.
    held: the documents that its plan may see.
    corrections: what a person has stated about it.
    sold_on: id of the marketplace of its order; empty where the order is not known.
    """

    record: TransactionRecord
    transaction: Transaction
    refund: Refund
    held: HeldDocuments
    corrections: Corrections
    sold_on: str = ""

    @property
    def marketplace_id(self) -> str:
        return self.sold_on or self.transaction.marketplace_id


class RefundNotes:
    """Plans the credit notes of refunds of one connection."""

    def __init__(self, policy: PostingPolicy, decisions: DecidedRefundsStore, clock: Clock) -> None:
        self._policy = policy
        self._decisions = decisions
        self._clock = clock

    def plan(
        self,
        refund: RefundInPlanning,
        first_invoice: str,
        sale: RefundedSale,
        decided: DecidedRefunds,
        organisation: Organisation,
    ) -> PlannedRecord[TransactionRecord]:
        """Return the record with the credit note that it asks for. Raises Failure.

        first_invoice: number of the order's first invoice, with which the credit note's begins.
        decided: what was decided about the refunds of the order so far.
        """
        if not refund.record.documents:  # what was requested once stays
            check_split(refund.refund, refund.record.source, sale, self._policy, organisation)
        value = refund.refund.value
        decision = decided.by_transaction.get(refund.record.key)
        decision = decision or DecidedRefund(value, decided.refund_to_credit(value, sale.adjusted))
        if decision.credited:
            return self._credit(refund, first_invoice, sale, decided, decision, organisation)
        settled = refund.record.settled(TransactionState.NOT_BOOKED, NotBookedReason.ALREADY_CREDITED)
        return self._decide(refund, decided, decision, PlannedRecord(settled))

    def _credit(
        self,
        refund: RefundInPlanning,
        first_invoice: str,
        sale: RefundedSale,
        decided: DecidedRefunds,
        decision: DecidedRefund,
        organisation: Organisation,
    ) -> PlannedRecord[TransactionRecord]:
        record, transaction, held = refund.record, refund.transaction, refund.held
        first = record.credit_note_number or decision.number or refund_number(first_invoice, record.key)
        number = usable_refund_number(first, held)
        sale = corrected_refunded_sale(sale, refund.corrections, organisation)
        if not record.documents:  # what was requested once stays
            check_liability(refund.refund, record.source, sale, refund.corrections, self._policy, organisation)
        lines = credit_lines(refund.refund, decision.credited, sale, self._policy, organisation)
        to_plan = RefundToPlan(
            record.key,
            transaction.order_id,
            transaction.posted_at,
            sale.contact_number,
            sale.order.marketplace_id if sale.order else "",
            corrected_refund_day(refund.corrections),
            record.corrections,
            self._clock.now(),
        )
        earlier = decided.numbers_besides(record.key)
        policy = shaped_like(self._policy.for_marketplace(refund.marketplace_id), sale.invoices)
        plan = plan_refund(to_plan, number, lines, decision.credited, sale, earlier, held, policy, organisation)
        if held.missing:
            return PlannedRecord(record)  # planned again with them
        planned = replace(record.settled(TransactionState.PLANNED), credit_note_number=number, documents=plan.documents)
        findings = (*refund.refund.findings, *tax_findings(refund.refund, sale, self._policy, organisation))
        return self._decide(
            refund, decided, replace(decision, number=number), PlannedRecord(planned, plan.steps, findings)
        )

    def _decide(
        self,
        refund: RefundInPlanning,
        seen: DecidedRefunds,
        decision: DecidedRefund,
        planned: PlannedRecord[TransactionRecord],
    ) -> PlannedRecord[TransactionRecord]:
        """Store the decision before the plan that follows from it; plan again where others decided meanwhile."""
        record = refund.record
        decided = seen.with_decision(record.key, decision)
        if self._decisions.replace(refund.transaction.order_id, seen, decided):
            return planned
        return self.planned_soon(record)

    def planned_soon(self, record: TransactionRecord) -> PlannedRecord[TransactionRecord]:
        """Return the record to be planned again: something else was decided about the order's refunds meanwhile."""
        return PlannedRecord(record.plan_at(self._clock.now() + RETRY_PLAN, WaitReason.CHANGED_MEANWHILE))
