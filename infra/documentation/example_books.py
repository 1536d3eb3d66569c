"""The books of the examples: plans an order as production does, counts every document as posted, shows what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from amazon_to_xero.domain.amazon.order import Order, parse_order
from amazon_to_xero.domain.amazon.shipment import Shipment, shipments_of
from amazon_to_xero.domain.amazon.transaction import Transaction, parse_transaction
from amazon_to_xero.domain.books.contact import Customer, customer_of
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.numbering import invoice_number, refund_number
from amazon_to_xero.domain.books.organisation import Account, Organisation, TaxRate
from amazon_to_xero.domain.failures import NOT_BOOKED, NotBookedReason
from amazon_to_xero.domain.money import cents
from amazon_to_xero.domain.planning.order_documents import OrderToPlan
from amazon_to_xero.domain.planning.order_plan import plan_order
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PostingPlan
from amazon_to_xero.domain.planning.refund import Refund, refund_of
from amazon_to_xero.domain.planning.refund_lines import credit_lines
from amazon_to_xero.domain.planning.refund_plan import RefundToPlan, plan_refund
from amazon_to_xero.domain.planning.refunded_sale import refunded_sale
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, Sale, sales
from amazon_to_xero.domain.source import SourceKind, source_key
from amazon_to_xero.runtime.privacy import BuyerPseudonyms
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from documentation.markdown import table

_SETTINGS = Path(__file__).resolve().parents[1] / "local" / "connection.json"
POLICY = parse(ConnectionSettings, _SETTINGS.read_text(encoding="utf-8"), "the example").policy()

_ACCOUNTS = (
    Account("1", "200", "Sales", "REVENUE", None, active=True, takes_payments=False),
    Account("2", "205", "Shipping income", "REVENUE", None, active=True, takes_payments=False),
    Account("3", "210", "Promotions", "REVENUE", None, active=True, takes_payments=False),
    Account("4", "498", "Rounding", "EXPENSE", None, active=True, takes_payments=False, system="ROUNDING"),
    *(
        Account(f"c-{currency}", f"CLR-{currency}", f"Clearing {currency}", "BANK", currency, True, takes_payments=True)
        for currency in ("GBP", "USD", "CAD")
    ),
)
_RATES = (("OUTPUT2", "20"), ("ZERORATEDOUTPUT", "0"), ("TAX001", "5"), ("NONE", "0"))
ORGANISATION = Organisation(
    organisation_id="example",
    name="Example Trading Ltd",
    base_currency="GBP",
    country="GB",
    time_zone="Europe/London",
    read_at=datetime(2026, 11, 1, tzinfo=UTC),
    accounts={account.code: account for account in _ACCOUNTS},
    tax_rates={code: TaxRate(code, code, Decimal(percent), active=True, on_revenue=True) for code, percent in _RATES},
    currencies=frozenset({"GBP", "USD", "CAD"}),
)

_TITLES: Mapping[DocumentKind, str] = {
    DocumentKind.INVOICE: "Invoice",
    DocumentKind.PAYMENT: "Payment of invoice",
    DocumentKind.CREDIT_NOTE: "Credit note",
    DocumentKind.ALLOCATION: "Allocation of credit note",
    DocumentKind.CREDIT_NOTE_REFUND: "Cash refund of credit note",
}
_AMOUNTS = {"Inclusive": "amounts include tax", "Exclusive": "tax is added", "NoTax": "no tax"}
_PSEUDONYMS = BuyerPseudonyms("the salt of the examples, 32 characters or more")


class ExampleOrder:
    """One order and its documents through time."""

    def __init__(self, policy: PostingPolicy = POLICY, organisation: Organisation = ORGANISATION) -> None:
        self._policy = policy
        self._organisation = organisation
        self._shipments: tuple[Shipment, ...] = ()
        self._documents: dict[str, Document] = {}
        self._decided = DecidedRefunds()

    def becomes(self, raw: Mapping[str, Any]) -> str:
        """Plan and post a version of the order; return the documents that it changed. Raises Failure."""
        order = parse_order(raw)
        self._shipments = shipments_of(order, self._shipments)
        outcome = sales(order, self._shipments, self._policy, self._organisation)
        if isinstance(outcome, NotPriced):
            raise ValueError("an example without amounts")
        plan = self._plan(order, raw, [] if isinstance(outcome, NotInvoiced) else outcome)
        shown = [text for step in plan.steps for text in self._post(step, order.updated)]
        return "\n\n".join(shown) or "Nothing changes in Xero."

    def is_refunded(self, raw: Mapping[str, Any]) -> str:
        """Plan and post a refund of the order; return the documents that it asks for. Raises Failure."""
        transaction = parse_transaction(raw)
        refund = refund_of(transaction, self._policy.accounts.suspense)
        if isinstance(refund, NotBookedReason):
            return NOT_BOOKED[refund]
        looked_up: set[str] = set()
        while True:
            source = source_key(SourceKind.TRANSACTION, transaction.transaction_id)
            held = HeldDocuments(source, self._documents, frozenset(looked_up))
            plan = self._plan_refund(transaction, refund, held)
            if not held.missing:
                break
            looked_up |= held.missing
        if plan is None:
            return f"No credit note. {NOT_BOOKED[NotBookedReason.ALREADY_CREDITED]}"
        shown = [text for step in plan.steps for text in self._post(step, transaction.posted_at)]
        amount = next(each.total for step in plan.steps for each in step if each.total) or Decimal(0)
        self._decided = DecidedRefunds({transaction.transaction_id: DecidedRefund(refund.value, amount)})
        return "\n\n".join(shown)

    def _plan_refund(self, transaction: Transaction, refund: Refund, held: HeldDocuments) -> PostingPlan | None:
        documents = [key for key, each in self._documents.items() if each.desired.source.startswith(SourceKind.ORDER)]
        sale = refunded_sale(documents, (), {}, held)
        if sale is None:
            raise ValueError("an example of a refund without a sale")
        credit = self._decided.refund_to_credit(refund.value, sale.adjusted)
        if not credit:
            return None
        lines = credit_lines(refund, credit, sale, self._policy, self._organisation)
        to_plan = RefundToPlan(
            transaction.transaction_id, transaction.order_id, transaction.posted_at, sale.contact_number
        )
        number = refund_number(
            invoice_number(transaction.order_id, self._policy.invoice_prefix), to_plan.transaction_id
        )
        return plan_refund(to_plan, number, lines, credit, sale, (), held, self._policy, self._organisation)

    def customer(self, raw: Mapping[str, Any]) -> Customer:
        marketplace_id = raw["salesChannel"]["marketplaceId"]
        return customer_of(raw, marketplace_id, self._policy.contacts, _PSEUDONYMS.pseudonym)

    def _plan(self, order: Order, raw: Mapping[str, Any], wanted: list[Sale]) -> PostingPlan:
        number = invoice_number(order.order_id, self._policy.invoice_prefix)
        contact = self.customer(raw).number
        to_plan = OrderToPlan(order.order_id, order.updated, contact, number, len(self._shipments))
        looked_up: set[str] = set()
        while True:
            held = HeldDocuments(to_plan.source, self._documents, frozenset(looked_up))
            plan = plan_order(to_plan, wanted, held, self._policy, self._organisation, lambda: self._decided)
            if not held.missing:
                return plan
            looked_up |= held.missing

    def _post(self, step: Iterable[DesiredDocument], now: datetime) -> Iterable[str]:
        for desired in step:
            before = self._documents.get(desired.key)
            if before is None:
                row: Document | None = Document(desired, next_attempt_at=now)
            else:
                row = before.with_desired(desired, now)
            if row is None:
                continue
            exists = before is not None and before.exists_in_xero
            is_changed = before is None or desired.digest != before.desired.digest
            self._documents[desired.key] = self._applied(row, exists, now)
            if is_changed and (exists or not desired.tombstone):
                yield self._shown(desired, before)

    @staticmethod
    def _applied(row: Document, exists: bool, now: datetime) -> Document:
        desired = row.desired
        is_absent = desired.tombstone and not exists
        status = "VOIDED" if desired.tombstone else str(desired.body.get("Status", "AUTHORISED"))
        return row.applied("" if is_absent else desired.key, status, desired.digest, now + timedelta(seconds=1))

    def _shown(self, desired: DesiredDocument, before: Document | None) -> str:
        title = f"{_TITLES[desired.kind]} `{desired.number}`"
        if desired.tombstone:
            is_draft = before is not None and before.xero_status == "DRAFT"
            return f"{title}: {'deleted' if is_draft else 'voided'}."
        if desired.kind is DocumentKind.ALLOCATION:
            invoice = desired.references["Invoice.InvoiceID"].partition("#")[2]
            return f"{title}: {desired.body['Amount']:.2f} to invoice `{invoice}`."
        if desired.kind in (DocumentKind.PAYMENT, DocumentKind.CREDIT_NOTE_REFUND):
            return self._settlement(title, desired)
        body = desired.body
        currency, amounts = body["CurrencyCode"], _AMOUNTS[body["LineAmountTypes"]]
        head = f"{title}, {body['Status']}, dated {body['Date']}, {amounts}. Reference: {body['Reference']}"
        rows = [
            [line["Description"], str(line["Quantity"]), _account_of(line), line["TaxType"], _amount_of(line)]
            for line in body["LineItems"]
        ]
        total = desired.total or Decimal(0)
        net = sum((cents(Decimal(line["Quantity"]) * line["UnitAmount"]) for line in body["LineItems"]), Decimal(0))
        if total != net:
            is_stated = any("TaxAmount" in line for line in body["LineItems"])
            of_whom = "as the lines state it" if is_stated else "as Xero computes it"
            rows.append([f"Tax, {of_whom}", "", "", "", f"{total - net:.2f}"])
        rows.append(["**Total**", "", "", "", f"**{total:.2f}**"])
        return f"{head}\n\n{table(('Line', 'Quantity', 'Account', 'Tax type', f'Amount ({currency})'), rows)}"

    def _settlement(self, title: str, desired: DesiredDocument) -> str:
        owner = self._documents[next(iter(desired.references.values()))].desired
        direction = "from" if desired.kind is DocumentKind.PAYMENT else "out of"
        account, amount = desired.body["Account"]["Code"], desired.body["Amount"]
        currency = owner.body["CurrencyCode"]
        return f"{title}: {amount:.2f} {currency} {direction} `{account}` on {desired.body['Date']}."


def _account_of(line: Mapping[str, Any]) -> str:
    """Return the account of a line, with the tracking options that it is reported under."""
    tracking = [f"{each['Name']}: {each['Option']}" for each in line.get("Tracking", ())]
    return ", ".join([line["AccountCode"], *tracking])


def _amount_of(line: Mapping[str, Any]) -> str:
    return f"{cents(Decimal(line['Quantity']) * line['UnitAmount']):.2f}"
