"""A connection whose documents people change in Xero, a day between two checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, Decision, decision_message
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.xero_change import XeroChange
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from fakes.connection import FakeConnection
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING

DAY = timedelta(days=1)


class WatchedBooks(FakeConnection):
    """A connection over a scripted Xero that says what was changed when."""

    def __init__(self, *orders: Json, policy: PostingPolicy = PAYING) -> None:
        super().__init__(policy=policy)
        self.xero.settings = ORGANISATION_WITH_CLEARING
        self.work()
        for raw in orders:
            self.update(raw)

    def update(self, raw: Json) -> None:
        """Have Amazon state this version, and let the worker run."""
        self.amazon.hold(raw)
        self.clock.advance(60)
        self.notice([raw["orderId"]])
        self.work()

    def work(self) -> None:
        for _ in range(3):
            self.clock.advance(61)
            self.connection.worker.run("worker", self.clock.now() + timedelta(minutes=1))

    def pass_a_day(self) -> None:
        """Let the next check come."""
        self.clock.advance(DAY.total_seconds())
        self.work()

    def edit(self, number: str = "A", **fields: Any) -> None:
        """Change an invoice in Xero as a person does."""
        self.xero.change(self.xero.invoice(number), **fields)

    def edit_line(self, number: str = "A", **fields: Any) -> None:
        """Change the first line of an invoice in Xero as a person does."""
        first, *others = self.xero.invoice(number)["LineItems"]
        self.edit(number, LineItems=[{**first, **fields}, *others])

    def change(self, number: str = "A", kind: DocumentKind = DocumentKind.INVOICE) -> XeroChange | None:
        """Return what is stored of the change of a document."""
        key = document_key(kind, number)
        return self.store.load(XeroChange, [key]).get(key)

    def found(self) -> list[tuple[str, str]]:
        """Return document and kind of each logged change."""
        lines = [each for each in self.decisions.of("CHANGED_IN_XERO") if "change" in each]
        return [(str(each["document"]), str(each["change"])) for each in lines]

    def decide(self, decision: Decision, document: str = "invoice#A", decision_id: str = "d1") -> None:
        """Have a person decide about a change, as the message arrives, and let the worker run."""
        made = ChangeDecision(decision_id, document, decision, "maria", "the accountant moved it", self.clock.now())
        self.deliver(decision_message(self.name, made))

    def deliver(self, message: str) -> None:
        """Take a message of the shipments queue, and let the worker run."""
        shipments = CAPABILITIES[SHIPMENTS]
        shipments.record(self.connection.services, [shipments.parse(message)])
        self.work()

    def checks(self) -> int:
        return sum(call.verb == "changed_since" for call in self.xero.calls)
