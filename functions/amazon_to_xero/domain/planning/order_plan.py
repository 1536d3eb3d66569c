"""The plan of an order: which documents should exist in Xero, given those that were requested before.

What is not paid follows the order: a draft is changed, approved or deleted, an approved invoice changed or voided.
What is paid is never edited (Xero refuses it, and an auditor would, too): see `adjustment`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from amazon_to_xero.domain.books.contact import chosen_contact
from amazon_to_xero.domain.books.document import AWAITING_APPROVAL, DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE, DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import (
    adjustment_number,
    move_number,
    reissued_number,
    shipment_invoice_number,
)
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.adjustment import plan_adjustments
from amazon_to_xero.domain.planning.corrected_documents import states_corrections
from amazon_to_xero.domain.planning.open_invoices import OpenInvoices, allocated_to
from amazon_to_xero.domain.planning.order_documents import (
    SETTLED_BY,
    DocumentHeader,
    OrderDocuments,
    OrderToPlan,
    dated_reference,
    is_number_used_up,
    sale_day,
)
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PlanSteps, PostingPlan
from amazon_to_xero.domain.planning.reversals import DecidedRefunds, InvoiceTotal, OrderReversals
from amazon_to_xero.domain.planning.sale import Sale
from amazon_to_xero.domain.planning.shipment_moves import StatedShipment
from amazon_to_xero.domain.tax.rules import WhenDifferent


def plan_order(
    order: OrderToPlan,
    sales: Sequence[Sale],
    held: HeldDocuments,
    policy: PostingPolicy,
    organisation: Organisation,
    refunds: Callable[[], DecidedRefunds] = DecidedRefunds,
) -> PostingPlan:
    """Return the documents for the sales of an order; without sales it should have no documents.

    refunds: returns what was decided about the order's refunds; called only for an order with an invoice in Xero.

    Call again with what is `held.missing` until nothing is. Raises Failure for what needs a person; while something is
    missing, the failure is not final.
    """
    return _OrderPlan(order, held, policy, organisation, refunds).plan(sales)


class _OrderPlan:
    """One order's plan in the making."""

    def __init__(
        self,
        order: OrderToPlan,
        held: HeldDocuments,
        policy: PostingPolicy,
        organisation: Organisation,
        refunds: Callable[[], DecidedRefunds],
    ) -> None:
        self._order = order
        self._held = held
        self._documents = OrderDocuments(order, policy, organisation)
        self._refunds = OrderReversals(refunds)
        self._steps = PlanSteps()
        self._kept: list[Document] = []  # approved, and paid or credited by a refund: never edited
        self._sales_of_kept: list[Sale] = []  # what these should state by now
        self._unpaid: dict[str, InvoiceTotal] = {}  # the others, by number: what they have stated, and are to state
        self._stated = {  # the shipments whose day a person has stated, by their place
            place: StatedShipment(shipment_invoice_number(order.invoice_number, place))
            for place in order.stated_shipments
        }
        self._open_invoices = OpenInvoices()  # of the kept ones, those that are not paid in full
        # Those of them that are not paid at all, with the payment that was requested.
        self._unsettled: list[tuple[Document, Document | None]] = []

    def plan(self, sales: Sequence[Sale]) -> PostingPlan:
        if self._order.chosen_contact and sales:
            self._steps.first.append(chosen_contact(self._order.chosen_contact))
        for place in range(max(len(sales), self._order.shipments, 1)):
            sale = sales[place] if place < len(sales) and sales[place].total else None
            if sale is not None and not sale.approved and self._has_no_drafts:
                sale = None
            self._plan_invoice(place, sale)
        self._count_changes()
        if self._kept:
            self._plan_adjustments()
            for invoice, payment in self._unsettled:
                self._settle_rest(invoice, payment)
        self._steps.first.extend(self._documents.closed(self._held))
        plan = self._steps.plan(self._held, self._refunds.changed)
        self._check_taxes(sales, plan)
        return plan

    @property
    def _has_no_drafts(self) -> bool:
        """Whether nothing is requested of what has not shipped: no day has it yet."""
        return self._documents.policy.invoice_per is InvoicePer.DAY

    def _check_taxes(self, sales: Sequence[Sale], plan: PostingPlan) -> None:
        """Raise Failure with TAX_VARIANCE where nothing new may be entered. What was entered before is no reason."""
        variances = [variance for sale in sales for variance in sale.tax_variances]
        if not variances or self._documents.policy.tax.when_different is not WhenDifferent.HOLD:
            return
        for desired in (each for step in plan.steps for each in step):
            held = self._held.own(desired.kind, desired.number)
            is_new = held is None or held.desired.digest != desired.digest
            if is_new and not desired.tombstone and desired.kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE):
                raise variances[0].failure

    def _plan_invoice(self, place: int, sale: Sale | None) -> None:
        number = self._usable_number(shipment_invoice_number(self._order.invoice_number, place))
        invoice = self._as_locked(self._held.own(DocumentKind.INVOICE, number))
        payment = self._documents.held_settlement(DocumentKind.INVOICE, number, self._held)
        # A payment that may exist counts as one that does. If it does not, it is made as it was requested.
        is_paid = payment is not None and (payment.exists_in_xero or payment.is_unresolved)
        if payment is not None and is_paid and invoice is not None:
            self._keep_paid(place, invoice, payment, sale)
            return
        if invoice is not None and invoice.closed_in:
            self._keep(place, invoice, None, sale)  # its day is closed, and paid as a whole
            return
        if invoice is not None and sale is not None and self._is_left_to_person(invoice, sale):
            # What a person changes in it is theirs. What the order changes is adjusted once it is approved.
            self._steps.second.append(self._documents.unchanged(invoice))
            return
        is_open = invoice is not None and self._is_open_in_xero(invoice)
        if (
            invoice is not None
            and is_open
            and (self._refunds.decided.credited or self._is_frozen(place, invoice, sale))
        ):
            self._keep_open(place, invoice, payment, sale)
            return
        self._note_total(number, invoice, sale)
        if sale is not None and invoice is not None and invoice.desired.tombstone and invoice.outcome_unknown:
            # Its removal is under way: only then is it known whether the number can be used again.
            self._steps.awaits_outcome = True
        if sale is None:
            wanted = self._documents.tombstone(DocumentKind.INVOICE, number, invoice)
        else:
            wanted = self._invoice(number, sale, invoice)
        if invoice is not None and is_open and wanted.digest != invoice.desired.digest:
            self._steps.changes_earlier_month |= self._is_of_earlier_month(invoice)
        settlement = None if sale is None else self._documents.settlement(wanted, self._held)
        if payment is not None:
            self._replace_payment(payment, settlement, invoice is None or wanted.digest != invoice.desired.digest)
        self._steps.second.append(wanted)
        if settlement is not None:
            self._steps.third.append(settlement)

    def _keep(self, place: int, invoice: Document, payment: DesiredDocument | None, sale: Sale | None) -> None:
        self._kept.append(invoice)
        if place in self._stated:
            day = sale.booked_on if sale is not None else None
            self._stated[place] = replace(self._stated[place], invoice=invoice.desired, day=day)
        self._steps.second.append(self._documents.unchanged(invoice))
        if payment is not None:
            self._steps.third.append(payment)
        if sale is not None:
            self._sales_of_kept.append(sale)

    def _keep_paid(self, place: int, invoice: Document, payment: Document, sale: Sale | None) -> None:
        """Keep a paid invoice; credit notes pay what its payment has left, as that was made in view of them."""
        paid = payment.desired.body["Amount"]
        if paid < (invoice.desired.total or ZERO):
            allocated = allocated_to(invoice, self._refunds.decided.numbers, self._held)
            self._open_invoices.add_partly_paid(invoice, allocated, paid)
        self._keep(place, invoice, self._documents.unchanged(payment), sale)

    def _keep_open(self, place: int, invoice: Document, payment: Document | None, sale: Sale | None) -> None:
        """Keep an open invoice that Xero refuses to change; what is left of it is paid (`_settle_rest`)."""
        self._open_invoices.add(invoice, allocated_to(invoice, self._refunds.decided.numbers, self._held))
        self._unsettled.append((invoice, payment))
        self._keep(place, invoice, None, sale)

    def _settle_rest(self, invoice: Document, payment: Document | None) -> None:
        """Pay what of an open invoice no credit note pays."""
        kept = self._documents.unchanged(invoice)
        settlement = self._documents.settlement(kept, self._held, self._open_invoices.left_of(invoice))
        if payment is not None:
            self._replace_payment(payment, settlement, invoice_changes=False)
        if settlement is not None:
            self._steps.third.append(settlement)

    def _is_frozen(self, place: int, invoice: Document, sale: Sale | None) -> bool:
        """Whether an open invoice has to stay as it is.

        A person has approved it, its period is locked, or an adjustment has corrected it.

        Only what Xero is known to hold can be corrected by an adjustment. Where that is not known, the change is
        requested once more, and fails with PERIOD_LOCKED.
        """
        if invoice.approved_by_person:
            return True
        if self._is_any_requested(partial(adjustment_number, self._order.invoice_number)):
            return True
        if place in self._stated and self._is_any_requested(partial(move_number, self._stated[place].number)):
            return True
        is_known = invoice.state is DocumentState.APPLIED and invoice.applied_digest == invoice.desired.digest
        if not is_known or not self._is_locked(invoice.desired):
            return False
        return sale is None or self._invoice(invoice.desired.number, sale, invoice).digest != invoice.desired.digest

    def _is_any_requested(self, number_at: Callable[[int], str]) -> bool:
        """Whether one of a series of adjustments is requested; `number_at` returns the number at a place, from 1.

        The first number may be that of another document, or of an adjustment that was given up.
        """
        kinds = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
        place = 0
        while True:
            place += 1
            number = number_at(place)
            own = [document for kind in kinds if (document := self._held.own(kind, number)) is not None]
            if any(not document.desired.tombstone for document in own):
                return True
            if not own and not self._held.is_taken(number, (*kinds, *SETTLED_BY.values())):
                return False

    def _as_locked(self, invoice: Document | None) -> Document | None:
        """Return the invoice as Xero holds it, without the change that Xero refuses: its period is locked."""
        content = None if invoice is None or invoice.is_outcome_open else invoice.content_in_xero
        if invoice is None or content is None or content is invoice.desired or not self._is_locked(content):
            return invoice
        decided = self._refunds.decided.with_change_refused(content.number, content.total or ZERO)
        if decided is None:
            return invoice
        self._refunds.change(decided)
        return replace(invoice, desired=content, state=DocumentState.APPLIED)

    def _is_locked(self, desired: DesiredDocument) -> bool:
        locked = self._documents.organisation.locked_until
        return locked is not None and date.fromisoformat(desired.body["Date"]) <= locked

    def _is_of_earlier_month(self, invoice: Document) -> bool:
        today = self._documents.organisation.local_date(self._order.version)
        return date.fromisoformat(invoice.desired.body["Date"]) < today.replace(day=1)

    def _plan_adjustments(self) -> None:
        plan_adjustments(
            self._kept,
            self._sales_of_kept,
            self._held,
            self._documents,
            self._steps,
            self._refunds,
            self._open_invoices,
            list(self._stated.values()),
        )

    def _is_left_to_person(self, invoice: Document, sale: Sale) -> bool:
        """Whether Xero holds the invoice for a person to approve, as they have corrected the sale so far."""
        if not (invoice.awaits_approval and sale.awaits_review and states_corrections(invoice.desired, sale)):
            return False
        contact = document_key(DocumentKind.CONTACT, self._order.contact_number)
        return self._order.chosen_contact is None or invoice.desired.references[CONTACT_REFERENCE] == contact

    def _is_open_in_xero(self, invoice: Document) -> bool:
        return invoice.exists_in_xero and _is_approved(invoice) and not invoice.desired.tombstone

    def _note_total(self, number: str, invoice: Document | None, sale: Sale | None) -> None:
        # An entry whose day is not closed may lose something by being changed, too.
        is_open = invoice is not None and (invoice.desired.is_entry or self._is_open_in_xero(invoice))
        before = (invoice.desired.total or ZERO) if invoice is not None and is_open else ZERO
        now = sale.total if sale is not None and (sale.approved or is_open) else ZERO
        if before or now:
            self._unpaid[number] = InvoiceTotal(before, now)

    def _count_changes(self) -> None:
        """Count what is taken off open invoices by changing them: a refund that states it later credits it no more."""
        is_counted = any(each.before for each in self._unpaid.values()) or self._kept or self._order.unshipped
        if not is_counted:
            return  # nothing of the order is in Xero that may have lost something
        decided = self._refunds.decided.with_invoices_changed(self._unpaid, self._order.unshipped, ZERO)
        for number, each in self._unpaid.items():
            if not each.now:
                decided = decided.without_invoice(number, self._order.source_version)
        self._refunds.change(decided)

    def _replace_payment(self, payment: Document, settlement: DesiredDocument | None, invoice_changes: bool) -> None:
        """A payment must not be posted while its invoice changes; one that is under way decides what comes next."""
        if payment.outcome_unknown:
            payment_changes = settlement is None or settlement.digest != payment.desired.digest
            self._steps.awaits_outcome = self._steps.awaits_outcome or invoice_changes or payment_changes
        elif invoice_changes or settlement is None:
            self._steps.first.append(self._documents.removed(payment))

    def _usable_number(self, base_number: str) -> str:
        """Return the number under which the invoice exists or can be created."""
        times = 0
        while True:
            number = reissued_number(base_number, times)
            own = self._held.own(DocumentKind.INVOICE, number)
            is_taken = own is None and self._held.is_taken(number, (DocumentKind.INVOICE, DocumentKind.PAYMENT))
            if not is_taken and (own is None or not is_number_used_up(own)):
                return number
            times += 1

    def _invoice(self, number: str, sale: Sale, held: Document | None) -> DesiredDocument:
        stated = None if held is None else held.content_in_xero or held.desired
        if held is not None and stated is not None and _is_approved(held) and not _is_of_another_day(stated, sale):
            # An approved invoice keeps its date, even if the period is locked later.
            day = date.fromisoformat(stated.body["Date"])
        else:
            day = self._documents.open_date(sale.booked_on)
        reference = dated_reference(sale.reference, day, sale.booked_on)
        status, ship_to = _status(sale, held), self._order.ship_to
        header = DocumentHeader(day, reference, sale.currency, sale.amounts, status, ship_to)
        return self._documents.document(DocumentKind.INVOICE, number, sale.lines, sale.total, header)


def _status(sale: Sale, held: Document | None) -> str:
    """Return the status to request: Xero turns no approved invoice into a draft again."""
    if sale.approved or (held is not None and _is_approved(held)):
        return "AUTHORISED"
    return AWAITING_APPROVAL if sale.awaits_review else "DRAFT"


def _is_of_another_day(invoice: DesiredDocument, sale: Sale) -> bool:
    """Whether a person has corrected the day of the sale, and the invoice is not of that day."""
    return sale.is_day_corrected and sale_day(invoice) != sale.booked_on


def _is_approved(invoice: Document) -> bool:
    """Whether Xero holds the invoice as approved, or may do so."""
    is_requested = invoice.exists_in_xero and invoice.desired.body.get("Status") == "AUTHORISED"
    return is_requested and (invoice.is_outcome_open or invoice.xero_status not in ("DRAFT", "SUBMITTED"))
