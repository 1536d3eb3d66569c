"""The documents of one order: those of its first plan, and what Xero holds version after version.

No store, no worker and no network: only the plan of an order and the state machine of a document. The versions of the
order "A" in tests of plans are built here, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order import Order, parse_order
from amazon_to_xero.domain.amazon.shipment import Shipment, shipments_of
from amazon_to_xero.domain.books.contact import marketplace_customer
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, line_from_xero
from amazon_to_xero.domain.books.matching import GONE
from amazon_to_xero.domain.books.numbering import invoice_number
from amazon_to_xero.domain.books.organisation import Account, Organisation
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, Corrections, LineTerms
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.corrected_days import stated_shipments
from amazon_to_xero.domain.planning.corrected_sale import corrected_policy, corrected_sales, stated_contact
from amazon_to_xero.domain.planning.order_documents import OrderToPlan
from amazon_to_xero.domain.planning.order_plan import plan_order
from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PostingPlan
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale, sales
from amazon_to_xero.domain.tax.rounding import xero_total
from fakes.books import ORGANISATION, POLICY
from fakes.orders import CA, breakdown, item, money, order
from fakes.state import NOON

_INVOICES = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
_SETTLEMENTS = (DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE_REFUND)


def desired_documents(
    raw: dict[str, Any], policy: PostingPolicy = POLICY, organisation: Organisation = ORGANISATION
) -> list[DesiredDocument] | NotInvoiced | NotPriced:
    """Return the customer, the invoice, and its payment where it has one; or why there are none. Raises Failure."""
    order = parse_order(raw)
    shipments = shipments_of(order, ())
    outcome = sales(order, shipments, policy, organisation)
    if not isinstance(outcome, list):
        return outcome
    contact = marketplace_customer(order.marketplace_id, policy.contacts).desired_document(
        order.updated, order.order_id
    )
    number = invoice_number(order.order_id, policy.invoice_prefix)
    to_plan = OrderToPlan(order.order_id, order.updated, contact.number, number, len(shipments))
    plan = _plan_with_stored(to_plan, outcome, {}, policy, organisation, DecidedRefunds())
    return [contact, *(desired for step in plan.steps for desired in step)]


class OrderLife:
    """One order: each of its versions is planned, and its documents are posted as Xero would accept them.

    policy, organisation: may be replaced between two versions.
    documents: the stored rows by key.
    shipments: recorded so far.
    sales: what the newest planned version should have in Xero.
    contact_number: of the order's customer, where it is not the marketplace's.
    corrections: what a person has stated; see `correct`.
    refunds: what was decided about its refunds; see `refund`.
    unanswered: by key, requests that Xero executed and whose answer was lost; their rows say OUTCOME_UNKNOWN.
    """

    def __init__(self, policy: PostingPolicy = POLICY, organisation: Organisation = ORGANISATION) -> None:
        self.policy = policy
        self.organisation = organisation
        self.documents: dict[str, Document] = {}
        self.shipments: tuple[Shipment, ...] = ()
        self.sales: list[Sale] = []
        self.corrections = Corrections("order#A")
        self.unanswered: dict[str, DesiredDocument] = {}
        self.refunds = DecidedRefunds()
        self.contact_number = ""
        self._invoice_number = ""
        self._raw: dict[str, Any] = {}
        self._ids = 0

    def update(self, raw: dict[str, Any]) -> PostingPlan:
        """Plan a version of the order, request its documents and post them."""
        plan = self.request(raw)
        self.post()
        return plan

    def correct(self, kind: CorrectionKind, value: str = "", line: str = "") -> None:
        """Record a correction of 10 November 2026, and bring Xero to what the order is with it."""
        self.enter(kind, value, line)
        self.update({})

    def enter(self, kind: CorrectionKind, value: str = "", line: str = "", terms: tuple[LineTerms, ...] = ()) -> None:
        """Record a correction, and plan nothing."""
        entry = replace(correction(kind, value, line, str(len(self.corrections.entries))), terms=terms)
        self.corrections = self.corrections.with_entry(entry) or self.corrections

    def request(self, raw: dict[str, Any] | None = None) -> PostingPlan:
        """Plan a version of the order, by default the newest one again, and store the requests."""
        plan = self.plan(raw)
        for desired in _requests(plan):
            held = self.documents.get(desired.key)
            row = Document(desired, next_attempt_at=NOON) if held is None else held.with_desired(desired, NOON)
            if row is not None:
                self.documents[row.key] = row
        return plan

    def plan(self, raw: dict[str, Any] | None = None) -> PostingPlan:
        """Plan a version of the order, by default the newest one again, and request nothing. Raises Failure."""
        self._raw = raw or self._raw
        order = parse_order(self._raw)
        self.shipments = shipments_of(order, self.shipments)
        outcome = corrected_sales(order, self.shipments, self.policy, self.organisation, self.corrections)
        assert not isinstance(outcome, NotPriced)
        self.sales = [] if isinstance(outcome, NotInvoiced) else outcome
        to_plan = self._order_to_plan(order)
        policy = corrected_policy(self.policy, self.corrections)
        plan = _plan_with_stored(to_plan, self.sales, self.documents, policy, self.organisation, self.refunds)
        self.refunds = plan.refunds or self.refunds
        return plan

    def pending_changes(self) -> list[str]:
        """Return the keys of the documents that planning the newest version again would change."""
        return [desired.key for desired in _requests(self.plan()) if self._changes(desired)]

    def _changes(self, desired: DesiredDocument) -> bool:
        held = self.documents.get(desired.key)
        if held is None:
            return not desired.tombstone
        return held.with_desired(desired, NOON) is not None

    def _order_to_plan(self, order: Order) -> OrderToPlan:
        self._invoice_number = self._invoice_number or invoice_number(order.order_id, self.policy.invoice_prefix)
        customer = marketplace_customer(order.marketplace_id, self.policy.contacts)
        return OrderToPlan(
            order.order_id,
            order.updated,
            stated_contact(self.corrections) or self.contact_number or customer.number,
            self._invoice_number,
            len(self.shipments),
            order.updated + timedelta(microseconds=len(self.corrections.entries)),
            marketplace_id=order.marketplace_id,
            corrected_at=self.corrections.newest_at,
            stated_shipments=stated_shipments(self.corrections, len(self.shipments), self.policy),
            chosen_contact=stated_contact(self.corrections),
        )

    def approve(self) -> None:
        """Approve the first invoice in Xero as a person does."""
        invoice = self.documents["invoice#A"]
        total_ = invoice.desired.total or ZERO
        self.documents[invoice.key] = invoice.approved_in_xero(invoice.xero_id, "AUTHORISED", total_, NOON)

    def refund(self, amount: str) -> None:
        """Have a refund credit so much of the first invoice, which is open: its credit note is allocated in Xero."""
        number, source = "A-R1", "transaction#R1"
        body = {"Amount": Decimal(amount), "Date": "2026-11-02"}
        references = {"CreditNote.CreditNoteID": f"credit_note#{number}", "Invoice.InvoiceID": "invoice#A"}
        allocation = DesiredDocument(DocumentKind.ALLOCATION, number, body, source, references=references)
        self.documents[allocation.key] = Document(allocation).applied("id-R1", "", allocation.digest, NOON)
        decided = DecidedRefund(Decimal(amount), Decimal(amount), number)
        self.refunds = replace(self.refunds, by_transaction={"R1": decided})

    # --- posting ----------------------------------------------------------------------------------------------------

    def post(self, at_most: int = 99, loses_answer: Callable[[Document], bool] = lambda document: False) -> None:
        """Let Xero accept up to so many due documents, in the poster's order.

        loses_answer: for which documents Xero executes the request and its answer does not arrive.
        """
        for kind in DocumentKind:
            for document in [each for each in self.documents.values() if each.kind is kind and each.next_attempt_at]:
                if at_most > 0 and self._is_postable(document):
                    at_most -= 1
                    self._post(document, loses_answer(document))

    def _post(self, document: Document, is_answer_lost: bool) -> None:
        desired = document.desired
        if document.outcome_unknown:
            self._resolve_outcome(document)
        elif is_answer_lost and (document.exists_in_xero or not desired.tombstone):
            self.unanswered[document.key] = desired
            self.documents[document.key] = document.claimed(NOON).unknown(NOON)
        elif not desired.tombstone:
            self._check(document)
            status = str(desired.body.get("Status", "AUTHORISED"))
            xero_id = document.xero_id or self._new_id()
            self.documents[document.key] = document.applied(xero_id, status, desired.digest, NOON)
        else:
            self._check(document)
            status = "DELETED" if document.xero_status == "DRAFT" else "VOIDED"
            removed = (document.xero_id, status) if document.exists_in_xero else ("", "")
            self.documents[document.key] = document.applied(*removed, desired.digest, NOON)

    def _resolve_outcome(self, document: Document) -> None:
        """Look the document up in Xero, and post it if Xero does not hold it."""
        executed = self.unanswered.pop(document.key, None)
        if executed is None and document.is_checked_before_change:
            found = document.found_different(document.xero_id, document.xero_status, NOON, is_unchanged=True)
        elif executed is None:
            found = document.found_absent(NOON)
        else:
            status = "VOIDED" if executed.tombstone else str(executed.body.get("Status", "AUTHORISED"))
            found = document.applied(document.xero_id or self._new_id(), status, executed.digest, NOON)
        self.documents[document.key] = found
        if found.next_attempt_at:
            self._post(found, is_answer_lost=False)

    def _is_postable(self, document: Document) -> bool:
        """Whether Xero holds what a payment pays, as it was requested."""
        paid = [
            self.documents.get(key) for key in document.desired.references.values() if not key.startswith("contact")
        ]
        return document.desired.tombstone or all(
            each is not None and each.state is DocumentState.APPLIED and not each.desired.tombstone for each in paid
        )

    def _check(self, document: Document) -> None:
        """Fail the test for what Xero would refuse, or an auditor."""
        desired = document.desired
        changes = document.exists_in_xero and desired.digest != document.applied_digest
        assert not (changes and document.kind in _SETTLEMENTS), f"{document.key} is a payment and is changed"
        paid_by = [
            each
            for each in self.documents.values()
            if document.key in each.desired.references.values() and (each.exists_in_xero or each.key in self.unanswered)
        ]
        assert not (changes and paid_by), f"{document.key} is paid and is changed"
        self._check_lock_date(document)
        if document.kind in _INVOICES and not desired.tombstone:
            computed = xero_total(_lines(desired), LineAmountTypes(desired.body["LineAmountTypes"]), self.organisation)
            assert computed == desired.total, f"Xero computes {computed} for {document.key}, not {desired.total}"
            assert (desired.total or ZERO) > 0, f"{document.key} has a total of {desired.total}"

    def _check_lock_date(self, document: Document) -> None:
        """Fail the test for an approved document that is entered, changed or voided in a locked period."""
        locked, body = self.organisation.locked_until, document.desired.body
        is_dated = document.kind in _INVOICES and body.get("Status") == "AUTHORISED"
        assert locked is None or not is_dated or body["Date"] > locked.isoformat(), f"{document.key} is locked"

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    # --- what Xero holds --------------------------------------------------------------------------------------------

    @property
    def in_xero(self) -> dict[str, DesiredDocument]:
        """What Xero holds, neither deleted nor voided, by `<kind> <number>`."""
        return {
            f"{document.kind} {document.desired.number}": document.desired
            for document in self.documents.values()
            if document.exists_in_xero and document.xero_status not in GONE
        }

    @property
    def summary(self) -> dict[str, str]:
        """What Xero holds, each document in short: its status and total, or a payment's amount."""
        return {
            name: " ".join([str(desired.body.get("Status", "")), str(desired.total or desired.body["Amount"])]).strip()
            for name, desired in self.in_xero.items()
        }

    @property
    def invoiced_total(self) -> Decimal:
        """Invoices less credit notes."""
        return total(_sign(each.kind) * each.total for each in self.in_xero.values() if each.total is not None)

    @property
    def settled_total(self) -> Decimal:
        """Payments less cash refunds."""
        settlements = [each for each in self.in_xero.values() if each.kind in _SETTLEMENTS]
        return total(_sign(each.kind) * each.body["Amount"] for each in settlements)

    @property
    def invoiced_by_origin(self) -> Counter[str]:
        """What is invoiced for each item and charge, without rounding lines."""
        documents = [each for each in self.in_xero.values() if each.kind in _INVOICES]
        return _by_origin((line, _sign(desired.kind)) for desired in documents for line in _lines(desired))

    def amounts_by[K](self, key: Callable[[DesiredDocument, Line], K]) -> dict[K, Decimal]:
        """Return what is invoiced less what is credited, by what `key` returns of each line; no rounding lines."""
        amounts: dict[K, Decimal] = {}
        for desired in self.in_xero.values():
            for line in _lines(desired) if desired.kind in _INVOICES else ():
                if not line.is_rounding:
                    of_line = key(desired, line)
                    amounts[of_line] = amounts.get(of_line, ZERO) + _sign(desired.kind) * line.amount
        return {of_line: amount for of_line, amount in amounts.items() if amount}

    @property
    def sales_total(self) -> Decimal:
        return total(sale.total for sale in self.sales)

    @property
    def sales_by_origin(self) -> Counter[str]:
        """What should be invoiced for each item and charge, without rounding lines."""
        return _by_origin((line, 1) for sale in self.sales if sale.total for line in sale.lines)


def correction(kind: CorrectionKind, value: str = "", line: str = "", correction_id: str = "c1") -> Correction:
    """Return a correction that an accountant made on 10 November 2026."""
    made_at = datetime(2026, 11, 10, 9, tzinfo=UTC)
    return Correction(correction_id, kind, value, "accountant", "the item is a book", made_at, line)


# --- the order "A" ----------------------------------------------------------------------------------------------------


def with_clearing(policy: PostingPolicy, **accounts: str) -> PostingPolicy:
    """Return the policy with exactly these clearing accounts, by currency."""
    return replace(policy, accounts=replace(policy.accounts, clearing=accounts))


CLEARING_ACCOUNTS = {
    code: Account(f"a-{code}", code, "Amazon clearing", "BANK", code[4:], active=True, takes_payments=True)
    for code in ("CLR-GBP", "CLR-CAD")
}
ORGANISATION_WITH_CLEARING = replace(ORGANISATION, accounts={**ORGANISATION.accounts, **CLEARING_ACCOUNTS})
PAYING = with_clearing(POLICY, GBP="CLR-GBP", CAD="CLR-CAD")
PER_SHIPMENT = replace(PAYING, invoice_per=InvoicePer.SHIPMENT)
CANADIAN: dict[str, Any] = {"marketplace": CA, "currency": "CAD", "ship_to": "CA"}


def order_life(policy: PostingPolicy = PAYING, *versions: dict[str, Any]) -> OrderLife:
    """Return the life of an order after these versions, in an organisation with clearing accounts."""
    life = OrderLife(policy, ORGANISATION_WITH_CLEARING)
    for raw in versions:
        life.update(raw)
    return life


def version(day: int, *items: dict[str, Any], status: str = "SHIPPED", tip: str = "0", **more: Any) -> dict[str, Any]:
    """Return the order "A" as Amazon shows it so many days after it was placed on 1 November 2026."""
    grand_total = sum((Decimal(each["proceeds"]["proceedsTotal"]["amount"]) for each in items), Decimal(tip))
    updated = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day)
    raw = order(
        *items,
        grand_total=str(grand_total),
        order_id="A",
        status=status,
        updated=updated.isoformat().replace("+00:00", "Z"),
        **more,
    )
    if Decimal(tip):
        subtotal = money(tip, more.get("currency", "GBP"))
        raw["proceeds"]["breakdowns"] = [{"type": "DELIVERY_TIP", "subtotal": subtotal}]
    return raw


def tea(price: str = "10.00", **more: Any) -> dict[str, Any]:
    return item(price, **more)


def cancelled(day: int) -> dict[str, Any]:
    return version(day, tea(), status="CANCELLED")


def canadian_item(net: str, tax: str, item_id: str = "1") -> dict[str, Any]:
    """Return an item in CAD with the tax in addition to its price."""
    charged = str(Decimal(net) + Decimal(tax))
    return item(charged, breakdown("ITEM", net, "CAD"), breakdown("TAX", tax, "CAD"), currency="CAD", item_id=item_id)


DRAFT = version(0, tea(), status="UNSHIPPED")
SHIPPED = version(1, tea())
PAID_INVOICE = {"invoice A": "AUTHORISED 10.00", "payment A": "10"}  # the summary of SHIPPED under PAYING


def _plan_with_stored(
    order: OrderToPlan,
    expected_sales: list[Sale],
    stored: dict[str, Document],
    policy: PostingPolicy,
    organisation: Organisation,
    refunds: DecidedRefunds,
) -> PostingPlan:
    """Plan again with what the plan missed, until it misses nothing, as the planner does."""
    looked_up: frozenset[str] = frozenset()
    while True:
        found = {key: stored[key] for key in looked_up & stored.keys()}
        held = HeldDocuments(order.source, found, looked_up)
        try:
            plan = plan_order(order, expected_sales, held, policy, organisation, lambda: refunds)
        except Failure:
            if not held.missing:
                raise
        else:
            if not held.missing:
                return plan
        looked_up |= held.missing


def _requests(plan: PostingPlan) -> Iterable[DesiredDocument]:
    return [desired for step in plan.steps for desired in step]


def _lines(desired: DesiredDocument) -> list[Line]:
    return [
        line_from_xero(item, origin)
        for item, origin in zip(desired.body["LineItems"], desired.line_origins, strict=True)
    ]


def _sign(kind: DocumentKind) -> int:
    return -1 if kind in (DocumentKind.CREDIT_NOTE, DocumentKind.CREDIT_NOTE_REFUND) else 1


def _by_origin(lines: Iterable[tuple[Line, int]]) -> Counter[str]:
    amounts: Counter[str] = Counter()
    for line, sign in lines:
        if not line.is_rounding:
            amounts[line.origin] += sign * line.amount  # type: ignore[assignment]  # Counter of Decimal
    return Counter({origin: amount for origin, amount in amounts.items() if amount})
