"""Orders as the planner needs them: one door for drafts and for shipped or cancelled orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from amazon_to_xero.domain.amazon.order import Order, parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import invoice_number
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, WaitReason
from amazon_to_xero.domain.planning.order_documents import OrderToPlan
from amazon_to_xero.domain.planning.order_plan import plan_order
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale, sales, unshipped_total
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.planning.charge_answers import ChargeAnswers
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore, OrderRefunds
from amazon_to_xero.services.planning.fresh_organisation import plan_with_organisation
from amazon_to_xero.services.planning.planner import RETRY_PLAN, PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

UNPRICED_LIMIT = timedelta(days=1)  # an order without amounts is read again for so long before it fails
_READ_AGAIN_AFTER = timedelta(minutes=15)


class OrderPlans:
    """PlannedSource of orders."""

    record_type = OrderRecord

    def __init__(
        self,
        policy: PostingPolicy,
        organisation: OrganisationCache,
        clock: Clock,
        store: StateStore,
        charges: ChargeAnswers,
    ) -> None:
        self._policy = policy
        self._organisation = organisation
        self._clock = clock
        self._charges = charges
        self._refunds = DecidedRefundsStore(store)

    def document_keys(self, record: OrderRecord) -> set[str]:
        self._charges.expect(record)
        number = self._invoice_number(record)
        usual = {document_key(DocumentKind.INVOICE, number), document_key(DocumentKind.PAYMENT, number)}
        # A cancelled order may never have had a customer.
        contact = {document_key(DocumentKind.CONTACT, record.contact_number)} if record.contact_number else set()
        return {*usual, *contact, *record.documents}

    def plan(self, record: OrderRecord, held: HeldDocuments) -> PlannedRecord[OrderRecord]:
        """Return the record after planning. Raises Failure."""
        order = parse_order(record.content or {})
        return plan_with_organisation(
            record,
            self._organisation,
            self._clock,
            lambda organisation: self._plan_with(organisation, order, record, held),
        )

    def _plan_with(
        self, organisation: Organisation, order: Order, record: OrderRecord, held: HeldDocuments
    ) -> PlannedRecord[OrderRecord]:
        answered = self._charges.answer(order, record, organisation)
        if isinstance(answered, OrderRecord):
            return PlannedRecord(answered)
        record = replace(record, shipments=answered.shipments)
        return self._plan_answered(organisation, answered.order, record, held)

    def _plan_answered(
        self, organisation: Organisation, order: Order, record: OrderRecord, held: HeldDocuments
    ) -> PlannedRecord[OrderRecord]:
        """Return the record of an order of which nothing is open, after planning."""
        now = self._clock.now()
        policy = self._policy.for_marketplace(order.marketplace_id)
        outcome = sales(order, record.shipments, policy, organisation)
        if isinstance(outcome, NotPriced):
            return PlannedRecord(self._wait_for_amounts(order, record))
        version = record.source_version or order.updated
        if any(document.has_newer_version_than(version) for document in held.own_documents()):
            # Another worker has planned a newer version of the order; this record is not what is stored now.
            return PlannedRecord(record.plan_at(now + RETRY_PLAN))
        wanted: list[Sale] = [] if isinstance(outcome, NotInvoiced) else outcome
        number = self._invoice_number(record)
        to_plan = OrderToPlan(
            order.order_id,
            order.updated,
            record.contact_number,
            number,
            len(record.shipments),
            version,
            unshipped_total(order, wanted, self._policy),
            order.marketplace_id,
        )
        refunds = OrderRefunds(self._refunds, order.order_id)
        plan = plan_order(to_plan, wanted, held, policy, organisation, refunds.decided)
        if plan.awaits_outcome:
            return PlannedRecord(record.plan_at(now + RETRY_PLAN, WaitReason.WAITING_FOR_OUTCOME))
        if not held.missing and plan.refunds is not None and not refunds.store(plan.refunds):
            return PlannedRecord(record.plan_at(now + RETRY_PLAN, WaitReason.CHANGED_MEANWHILE))
        findings = tuple(variance.finding for sale in wanted for variance in sale.tax_variances)
        planned = (
            record.settled(OrderState.NOT_INVOICED, outcome.reason)
            if isinstance(outcome, NotInvoiced)
            else record.settled(OrderState.PLANNED)
        )
        planned = replace(planned, invoice_number=number, documents=plan.documents)
        return PlannedRecord(planned, plan.steps, findings, needs_recent_organisation=plan.changes_earlier_month)

    def _wait_for_amounts(self, order: Order, record: OrderRecord) -> OrderRecord:
        """Return the record to be read again. Raises Failure where Amazon has stated no amounts for a day."""
        now = self._clock.now()
        if order.updated < now - UNPRICED_LIMIT:
            remedy = "Amazon states no amounts for this order. Check it in Seller Central."
            raise Failure(FailureCode.PROCEEDS_MISSING, remedy)
        return record.read_again_at(
            now + _READ_AGAIN_AFTER, state=OrderState.NOTICED, reason=WaitReason.PROCEEDS_MISSING
        )

    def _invoice_number(self, record: OrderRecord) -> str:
        return record.invoice_number or invoice_number(record.order_id, self._policy.invoice_prefix)
