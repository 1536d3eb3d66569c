"""Orders as the planner needs them: one door for drafts and for shipped or cancelled orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from amazon_to_xero.domain.amazon.order import Order, parse_order
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import invoice_number
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.failures import Failure, FailureCode, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.planning.corrected_days import stated_shipments
from amazon_to_xero.domain.planning.corrected_sale import corrected_policy, corrected_sales, is_skipped, stated_contact
from amazon_to_xero.domain.planning.entries import shaped_like
from amazon_to_xero.domain.planning.order_documents import OrderToPlan
from amazon_to_xero.domain.planning.order_plan import plan_order
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.planning.redirected import ship_to_text, terms_if_shipped_to
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale, unshipped_total
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.planning.charge_answers import ChargeAnswers
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore, OrderRefunds
from amazon_to_xero.services.planning.fresh_organisation import plan_with_organisation
from amazon_to_xero.services.planning.planner import RETRY_PLAN, PlannedRecord
from amazon_to_xero.services.planning.source_corrections import SourceCorrections
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
        self._corrections = SourceCorrections(store)

    def document_keys(self, record: OrderRecord) -> set[str]:
        self._charges.expect(record)
        self._corrections.expect(record)
        number = self._invoice_number(record)
        usual = {document_key(DocumentKind.INVOICE, number), document_key(DocumentKind.PAYMENT, number)}
        # A cancelled order may never have had a customer.
        contact = {document_key(DocumentKind.CONTACT, record.contact_number)} if record.contact_number else set()
        return {*usual, *contact, *record.documents}

    def plan(self, record: OrderRecord, held: HeldDocuments) -> PlannedRecord[OrderRecord]:
        """Return the record after planning. Raises Failure."""
        corrections = self._corrections.of(record)
        # What a person enters otherwise need not be an order that can be read.
        order = None if is_skipped(corrections) else parse_order(record.content or {})
        return plan_with_organisation(
            record,
            self._organisation,
            self._clock,
            lambda organisation: self._plan_with(organisation, order, record, corrections, held),
        )

    def _plan_with(
        self,
        organisation: Organisation,
        order: Order | None,
        record: OrderRecord,
        corrections: Corrections,
        held: HeldDocuments,
    ) -> PlannedRecord[OrderRecord]:
        if order is not None:
            answered = self._charges.answer(order, record, organisation, corrections)
            if isinstance(answered, OrderRecord):
                return PlannedRecord(answered)
            order, record = answered.order, replace(record, shipments=answered.shipments)
        return self._plan_answered(organisation, order, record, corrections, held)

    def _plan_answered(
        self,
        organisation: Organisation,
        order: Order | None,
        record: OrderRecord,
        corrections: Corrections,
        held: HeldDocuments,
    ) -> PlannedRecord[OrderRecord]:
        """Return the record of an order of which nothing is open, after planning."""
        now = self._clock.now()
        chosen = shaped_like(self._policy.for_marketplace(record.marketplace_id), held.own_documents())
        policy = corrected_policy(chosen, corrections)
        outcome: list[Sale] | NotInvoiced | NotPriced = NotInvoiced(NotInvoicedReason.SKIPPED)
        if order is not None:
            outcome = corrected_sales(order, record.shipments, chosen, organisation, corrections)
        if isinstance(outcome, NotPriced):
            return PlannedRecord(self._wait_for_amounts(record))
        updated = record.version or now
        version = record.source_version or updated
        if any(document.has_newer_version_than(version) for document in held.own_documents()):
            # Another worker has planned a newer version of the order; this record is not what is stored now.
            return PlannedRecord(record.plan_at(now + RETRY_PLAN))
        wanted: list[Sale] = [] if isinstance(outcome, NotInvoiced) else outcome
        number = self._invoice_number(record)
        contact = stated_contact(corrections)
        to_plan = OrderToPlan(
            record.order_id,
            updated,
            contact or record.contact_number,
            number,
            shipments=len(record.shipments),
            documents_version=version,
            marketplace_id=record.marketplace_id,
            corrected_at=corrections.newest_at,
            planned_at=now,
            stated_shipments=stated_shipments(corrections, len(record.shipments), policy),
            chosen_contact=contact,
        )
        if order is not None:
            to_plan = replace(
                to_plan,
                unshipped=unshipped_total(order, wanted, policy),
                ship_to=ship_to_text(order),
                terms_to=partial(terms_if_shipped_to, order=order, policy=policy, organisation=organisation),
            )
        refunds = OrderRefunds(self._refunds, record.order_id)
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
        return PlannedRecord(planned, plan.steps, findings, plan.changes_earlier_month, order)

    def _wait_for_amounts(self, record: OrderRecord) -> OrderRecord:
        """Return the record to be read again. Raises Failure where Amazon has stated no amounts for a day."""
        now = self._clock.now()
        if record.version is not None and record.version < now - UNPRICED_LIMIT:
            remedy = "Amazon states no amounts for this order. Check it in Seller Central."
            raise Failure(FailureCode.PROCEEDS_MISSING, remedy)
        return record.read_again_at(
            now + _READ_AGAIN_AFTER, state=OrderState.NOTICED, reason=WaitReason.PROCEEDS_MISSING
        )

    def _invoice_number(self, record: OrderRecord) -> str:
        return record.invoice_number or invoice_number(record.order_id, self._policy.invoice_prefix)
