"""Refunds whose sale is not entered here: a person enters them, or they have credit notes without an invoice."""

from __future__ import annotations

from dataclasses import replace

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.numbering import invoice_number
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, NotBookedReason
from amazon_to_xero.domain.planning.policy import PostingPolicy, RefundsWithoutSale
from amazon_to_xero.domain.planning.standalone_sale import (
    is_never_sold,
    order_for,
    standalone_customer,
    standalone_sale,
)
from amazon_to_xero.domain.tax.liability import OF_KNOWN_WORDS, OR_AS_IT_IS
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.planning.fresh_organisation import plan_with_organisation
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.planning.refund_notes import RefundInPlanning, RefundNotes
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

_MANUALLY = "the credit note in Xero manually, then skip the transaction."


class StandaloneRefunds:
    """Plans refunds without a sale, for one connection."""

    def __init__(
        self,
        policy: PostingPolicy,
        organisation: OrganisationCache,
        decisions: DecidedRefundsStore,
        notes: RefundNotes,
        clock: Clock,
    ) -> None:
        self._policy = policy
        self._organisation = organisation
        self._decisions = decisions
        self._notes = notes
        self._clock = clock

    def is_asked_for(self, record: TransactionRecord) -> bool:
        """Whether the settings ask for credit notes without an invoice, or this refund has one already."""
        is_setting = self._policy.refunds_before_start is RefundsWithoutSale.STANDALONE
        return is_setting or bool(record.credit_note_number)

    def plan_or_fail(self, refund: RefundInPlanning, order: Order) -> PlannedRecord[TransactionRecord]:
        """Return the plan of a refund whose sale is from before the start. Raises Failure."""
        if self.is_asked_for(refund.record) or is_never_sold(order, self._policy):
            return self.plan(refund, order)
        raise Failure(
            FailureCode.REFUND_BEFORE_START,
            f"The sale of order {order.order_id} is from before the connection's start, so it is not entered here. "
            f"Enter a credit note for refund {refund.record.key} in Xero manually, on the accounts and tax rates of "
            "the original sale; or set refunds.before_start to standalone in the connection's settings, then reprocess "
            "the transaction.",
        )

    def plan(self, refund: RefundInPlanning, order: Order | None) -> PlannedRecord[TransactionRecord]:
        """Return the plan of a credit note without an invoice. Raises Failure.

        order: None where Amazon does not return it.
        """
        transaction, held = refund.transaction, refund.held
        sold = order_for(transaction, order, self._policy)
        if is_never_sold(sold, self._policy):
            settled = refund.record.settled(TransactionState.NOT_BOOKED, NotBookedReason.SALE_NOT_INVOICED)
            return PlannedRecord(settled)
        decided = self._decisions.load(transaction.order_id)
        first_invoice = invoice_number(transaction.order_id, self._policy.invoice_prefix)

        def plan(organisation: Organisation) -> PlannedRecord[TransactionRecord]:
            sale = standalone_sale(transaction, refund.refund, sold, self._policy, organisation)
            contact = standalone_customer(sold, self._policy).desired_document(sold.updated, sold.order_id)
            held.referred(contact.key)  # its row has to be seen before it is requested
            planned = self._notes.plan(refund, first_invoice, sale, decided, organisation)
            return replace(planned, steps=((contact,), *planned.steps)) if planned.steps else planned

        try:
            return plan_with_organisation(refund.record, self._organisation, self._clock, plan)
        except Failure as failure:
            raise Failure(failure.code, _of_refund(failure.remedy, refund.record.key)) from None


def _of_refund(remedy: str, key: str) -> str:
    """Return the remedy of an order's failure as that of a refund: the rules are those of orders.

    That the seller owes an unclear tax can be stated of an order only.
    """
    return (
        remedy.replace("reprocess the order", f"reprocess transaction {key}")
        .replace(OF_KNOWN_WORDS, f"Enter {_MANUALLY}")
        .replace(OR_AS_IT_IS, f"or enter {_MANUALLY}")
    )
