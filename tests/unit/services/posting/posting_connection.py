"""A connection whose documents are requested by the test itself, and orders of the buyers that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import batched

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import Outcome, XeroRefused
from amazon_to_xero.services.work_report import PostReport
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.state import NOON, ManualClock
from unit.desired_documents import CONTACT

MINUTE = timedelta(minutes=1)
BUYERS_POLICY = replace(POLICY, contacts=ContactPolicy(ContactScope.BUYERS))
NAME_IS_TAKEN = "The contact name Canary Buyer is already assigned to another contact. The contact name must be unique."
_ORDERS_AT_ONCE = 15  # so few are read singly and at once


def buyer_order(
    order_id: str = "A",
    name: str = "Canary Buyer",
    email: str = "canary@marketplace.example",
    minutes: int = 0,
    **address: str,
) -> Json:
    """Return an order as Amazon states it with its buyer, last updated `minutes` after noon."""
    updated = (NOON + minutes * MINUTE).isoformat()
    stated = order(item("10.00"), grand_total="10.00", order_id=order_id, updated=updated)
    stated["buyer"] = {"buyerName": name, "buyerEmail": email}
    stated["recipient"]["deliveryAddress"] |= address
    return stated


class PostingConnection(FakeConnection):
    """A connection whose documents are requested by the test, not by a plan.

    contact_exists: the contact that the invoices reference is in Xero already.
    """

    def __init__(
        self,
        *desired: DesiredDocument,
        contact_exists: bool = True,
        policy: PostingPolicy = POLICY,
        name: str = "main",
        clock: ManualClock | None = None,
        lag: timedelta = timedelta(),
    ) -> None:
        super().__init__(policy=policy, name=name, clock=clock, lag=lag)
        if contact_exists:
            self.request(CONTACT)
            self.post(CONTACT.key)
            self.xero.calls.clear()
        self.request(*desired)

    def post_after(self, seconds: float) -> PostReport:
        self.clock.advance(seconds)
        return self.post()

    def refuse_creates_with(self, number: str) -> None:
        """Make Xero refuse every create call as a whole that contains the document of this number."""
        create = self.xero.create

        def refuse(collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
            numbers = ("InvoiceNumber", "CreditNoteNumber", "ContactNumber")
            if any(number in [each.get(field) for field in numbers] for each in elements):
                raise XeroRefused(f"create{collection}", 400, "the element cannot be read")
            return create(collection, elements, idempotency_key)

        self.xero.create = refuse  # type: ignore[method-assign]  # one method of the fake is replaced

    def failures(self, capability: str = SHIPMENTS) -> list[tuple[str | None, str]]:
        """Return order id and code of each dead letter of a capability."""
        return self.dead_letters[capability].reasons

    # --- calls to Xero, and its books -------------------------------------------------------------------------------

    def verbs(self) -> list[str]:
        return [call.verb for call in self.xero.calls]

    def lookups(self) -> list[tuple[str, str]]:
        """Return the collection and the field of each look-up."""
        return [(call.collection, call.elements[0]) for call in self.xero.calls if call.verb == "find"]

    def invoice_numbers(self) -> list[str]:
        return sorted(invoice["InvoiceNumber"] for invoice in self.xero.books["Invoices"].values())

    # --- rows -------------------------------------------------------------------------------------------------------

    def invoice(self, number: str = "A") -> Document:
        return self.document(number, DocumentKind.INVOICE)

    def payment(self, number: str = "A") -> Document:
        return self.document(number, DocumentKind.PAYMENT)

    def credit_note(self, number: str = "A-A1") -> Document:
        return self.document(number, DocumentKind.CREDIT_NOTE)

    def allocation(self, number: str = "A-A1") -> Document:
        return self.document(number, DocumentKind.ALLOCATION)

    def refund(self, number: str = "A-A1") -> Document:
        return self.document(number, DocumentKind.CREDIT_NOTE_REFUND)

    def contact(self, number: str = CONTACT.number) -> Document:
        return self.document(number, DocumentKind.CONTACT)


class BuyerConnection(PostingConnection):
    """A connection that invoices each order to its buyer's own contact."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        super().__init__(contact_exists=False, policy=BUYERS_POLICY, clock=clock)
        self.read_organisation()

    def read_organisation(self) -> None:
        """Read the organisation before anything else, so that the calls of a test are those of its documents."""
        self.connection.services.organisation.current()
        self.xero.calls.clear()

    def read_orders(self, *orders: Json) -> list[str]:
        """Let Amazon notify the orders and read them; return the numbers of their contacts."""
        self.amazon.hold(*orders)
        for chunk in batched(orders, _ORDERS_AT_ONCE, strict=False):
            order_ids = [each["orderId"] for each in chunk]
            self.clock.advance(1)  # a notice that is no later than the last reading is already answered
            self.notice(order_ids)
            self.read(order_ids)
            if len(orders) > len(chunk):
                self.clock.advance(60)  # Amazon's quota of single reads refills
        return [self.record(each["orderId"]).contact_number for each in orders]

    def lose_memory(self) -> None:
        """Start another sandbox of the function, in whose memory no buyer's details are."""
        self.restart()
        self.clock.advance(1)

    def orders_to_read(self) -> list[str]:
        """Return the ids of the orders that are to be read from Amazon."""
        order_ids = [row.removeprefix("ORDER#") for row in self.store.table.rows if row.startswith("ORDER#")]
        return [key for key, record in self.store.load(OrderRecord, order_ids).items() if record.reading_at is not None]
