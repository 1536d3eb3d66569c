"""A connection whose orders are planned and posted as in the cloud, and whose refunds are planned beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.line import Line, LineAmountTypes, line_from_xero
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.services.intake.charges import ChargeRecorder
from amazon_to_xero.services.intake.transactions import TransactionRecorder
from amazon_to_xero.services.planning.planner import SourcePlanner
from amazon_to_xero.services.planning.refunds import RefundPlans, refund_place
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING
from fakes.state import RecordingDeadLetters

MINUTE = timedelta(minutes=1)


class RefundingConnection(FakeConnection):
    """Orders given as Amazon states them are in the books at once; refunds are recorded and planned one by one.

    asked_for: the orders that a refund had read.
    """

    def __init__(self, *orders: Json, policy: PostingPolicy = PAYING) -> None:
        letters = {name: RecordingDeadLetters() for name in (ORDERS, SHIPMENTS, REFUNDS)}
        super().__init__(policy=policy, dead_letters=letters)
        self.xero.settings = ORGANISATION_WITH_CLEARING
        self.asked_for: list[str] = []
        if orders:
            self.update(*orders)

    def change_policy(self, policy: PostingPolicy) -> None:
        self.policy = policy
        self.restart()

    def update(self, *orders: Json, posts: bool = True) -> None:
        """Have Amazon state these versions, read and plan them, and post their documents."""
        self.amazon.hold(*orders)
        self.clock.advance(60)
        named = self.read(self.notice([each["orderId"] for each in orders])).due
        self.plan_drafts(*named)
        self.plan_shipments(*named)
        if posts:
            self.post()

    def refund(self, raw: Json, posts: bool = True) -> TransactionRecord:
        """Record and plan a refund, and post its documents."""
        record = self.transact(raw, posts=posts)
        assert record is not None, "the transaction was ignored"
        return record

    def transact(self, raw: Json, posts: bool = True) -> TransactionRecord | None:
        """Record a transaction as each read of them does, plan it and post its documents; None where it is ignored."""
        services = self.connection.services
        key = raw["transactionId"]
        charges = ChargeRecorder(self.store, services.failed_sources, self.policy.start, self.clock)
        TransactionRecorder(self.store, services.failed_sources, charges, self.clock).record([raw])
        if key not in self.store.load(TransactionRecord, [key]):
            return None
        return self.plan_refund(key, posts=posts)

    @property
    def transactions(self) -> dict[str, TransactionRecord]:
        keys = [row.removeprefix("TRANSACTION#") for row in self.store.table.rows if row.startswith("TRANSACTION#")]
        return self.store.load(TransactionRecord, keys)

    def plan_refund(self, transaction_id: str, posts: bool = True) -> TransactionRecord:
        services = self.connection.services
        plans = RefundPlans(self.policy, services.organisation, self.store, self.clock, self.asked_for.extend)
        planner = SourcePlanner(
            plans, self.store, services.organisation, services.failed_sources, self.clock, place_of=refund_place
        )
        planner.plan_due(REFUNDS, [transaction_id], self.clock.now() + MINUTE)
        if posts:
            self.post()
        return self.transaction(transaction_id)

    def reprocess(self, transaction_id: str) -> TransactionRecord:
        """Plan a transaction again, as a person asks for."""
        self.store.save([self.transaction(transaction_id).plan_at(self.clock.now())])
        return self.plan_refund(transaction_id)

    # --- what is requested ------------------------------------------------------------------------------------------

    def note(self, number: str) -> Document:
        return self.document(number, DocumentKind.CREDIT_NOTE)

    def lines(self, number: str) -> list[tuple[str, str, str]]:
        """Return account, tax type and amount of each line of a credit note, without zeros at the end."""
        items = self.note(number).desired.body["LineItems"]
        return [
            (each["AccountCode"], each["TaxType"], f"{each['UnitAmount'] * each['Quantity']:.2f}") for each in items
        ]

    def note_lines(self, number: str) -> list[Line]:
        desired = self.note(number).desired
        return [
            line_from_xero(each, origin)
            for each, origin in zip(desired.body["LineItems"], desired.line_origins, strict=True)
        ]

    def amounts(self, number: str) -> LineAmountTypes:
        return LineAmountTypes(self.note(number).desired.body["LineAmountTypes"])

    def held(self, kind: DocumentKind, number: str) -> Document | None:
        key = document_key(kind, number)
        return self.store.load(Document, [key]).get(key)

    def balance(self) -> Decimal:
        """Invoices less credit notes in Xero."""
        books = self.xero.books
        invoiced = sum((each["Total"] for each in books["Invoices"].values()), Decimal(0))
        return invoiced - sum((each["Total"] for each in books["CreditNotes"].values()), Decimal(0))


def without_clearing(policy: PostingPolicy = PAYING) -> PostingPolicy:
    return replace(policy, accounts=replace(policy.accounts, clearing={}))
