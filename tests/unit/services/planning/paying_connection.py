"""A connection with a clearing account, so that shipped orders are paid: the harness of the planner's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from amazon_to_xero.domain.books.contact import marketplace_customer
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.organisation import Account
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.amazon import Json
from fakes.books import ORGANISATION, POLICY
from fakes.connection import FakeConnection
from fakes.orders import UK
from fakes.state import NOON

PAYING = replace(POLICY, accounts=replace(POLICY.accounts, clearing={"GBP": "CLR"}))
CUSTOMER = marketplace_customer(UK, POLICY.contacts).desired_document(NOON, "")
_CLEARING = Account("a-clr", "CLR", "Amazon clearing", "BANK", "GBP", active=True, takes_payments=True)
WITH_CLEARING = replace(ORGANISATION, accounts={**ORGANISATION.accounts, "CLR": _CLEARING})
WITH_CLOSED_CLEARING = replace(
    ORGANISATION, accounts={**ORGANISATION.accounts, "CLR": replace(_CLEARING, active=False)}
)


class PayingConnection(FakeConnection):
    """A connection whose orders, given as Amazon states them, are recorded and not planned yet."""

    def __init__(self, *orders: Json, policy: PostingPolicy = PAYING, lag: timedelta = timedelta()) -> None:
        super().__init__(policy=policy, lag=lag)
        self.xero.settings = WITH_CLEARING
        self.record_orders(*orders)

    def record_orders(self, *orders: Json) -> None:
        """Record these versions of orders as a sweep finds them."""
        self.amazon.hold(*orders)
        assert self.sweep().stopped == ""

    def change_policy(self, policy: PostingPolicy) -> None:
        self.policy = policy
        self.restart()

    def forget_organisation(self) -> None:
        """Start a sandbox that has to read the organisation from Xero."""
        self.store.save([replace(self.store.cursor("organisation"), data={})])
        self.restart()

    def order_documents(self) -> dict[str, Document]:
        """Return all stored documents but the customer's, by key."""
        rows = [row.sk for row in self.store.table.written if row.sk.startswith("DOCUMENT#")]
        keys = {sort_key.removeprefix("DOCUMENT#") for sort_key in rows}
        return self.store.load(Document, keys - {CUSTOMER.key})

    def requested(self) -> set[str]:
        """Return the keys of the documents that should exist."""
        return {key for key, document in self.order_documents().items() if not document.desired.tombstone}

    def payment(self, number: str = "A") -> Document:
        return self.document(number, DocumentKind.PAYMENT)

    def paid(self) -> Decimal:
        """Return what Xero's payments amount to, in GBP."""
        return sum((payment["Amount"] for payment in self.xero.books["Payments"].values()), Decimal(0))
