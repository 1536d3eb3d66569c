"""A connection whose documents are requested by the test itself, and the documents that the tests request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import batched
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import Outcome, XeroRefused
from amazon_to_xero.services.work_report import PostReport
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.state import NOON, ManualClock

MINUTE = timedelta(minutes=1)
D = Decimal
BUYERS_POLICY = replace(POLICY, contacts=ContactPolicy(ContactScope.BUYERS))
NAME_IS_TAKEN = "The contact name Canary Buyer is already assigned to another contact. The contact name must be unique."
_ORDERS_AT_ONCE = 15  # so few are read singly and at once

CONTACT = DesiredDocument(
    DocumentKind.CONTACT,
    "AMAZON-UK",
    {"Name": "Amazon.co.uk customers", "ContactNumber": "AMAZON-UK"},
    "settings#AMAZON-UK",
)


def desired_invoice(
    number: str = "A",
    price: str = "10.00",
    minutes: int = 0,
    status: str = "AUTHORISED",
    contact_number: str = CONTACT.number,
) -> DesiredDocument:
    """Return the invoice of the order of that number, as its version `minutes` after noon asks for it."""
    line = {"Description": "Tea", "Quantity": 1, "UnitAmount": D(price), "AccountCode": "200", "TaxType": "OUTPUT2"}
    body = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Reference": f"Amazon.co.uk {number}",
        "Date": "2026-11-20",
        "DueDate": "2026-11-20",
        "CurrencyCode": "GBP",
        "LineAmountTypes": "Inclusive",
        "Status": status,
        "LineItems": [line],
    }
    return DesiredDocument(
        DocumentKind.INVOICE,
        number,
        body,
        f"order#{number}",
        source_version=NOON + minutes * MINUTE,
        total=D(price),
        references={"Contact.ContactID": f"contact#{contact_number}"},
        capability=ORDERS if status == "DRAFT" else SHIPMENTS,
        order_id=number,
    )


def desired_payment(number: str = "A", amount: str = "10.00", minutes: int = 0) -> DesiredDocument:
    """Return the payment of the invoice of that number."""
    body = {
        "Account": {"Code": "CLR-GBP"},
        "Date": "2026-11-20",
        "Amount": D(amount),
        "Reference": f"Amazon.co.uk {number}",
    }
    return DesiredDocument(
        DocumentKind.PAYMENT,
        number,
        body,
        f"order#{number}",
        source_version=NOON + minutes * MINUTE,
        references={"Invoice.InvoiceID": f"invoice#{number}"},
        capability=SHIPMENTS,
        order_id=number,
    )


def desired_credit_note(
    number: str = "A-A1", price: str = "10.00", minutes: int = 0, order_id: str = "A"
) -> DesiredDocument:
    """Return the credit note of that number, as a version of its order asks for it."""
    invoice = desired_invoice(order_id, price, minutes)
    body = {**invoice.body, "Type": "ACCRECCREDIT", "CreditNoteNumber": number}
    del body["InvoiceNumber"], body["DueDate"]
    return replace(invoice, kind=DocumentKind.CREDIT_NOTE, number=number, body=body)


def desired_refund(
    number: str = "A-A1", amount: str = "10.00", minutes: int = 0, order_id: str = "A"
) -> DesiredDocument:
    """Return the cash refund of the credit note of that number."""
    return replace(
        desired_payment(order_id, amount, minutes),
        kind=DocumentKind.CREDIT_NOTE_REFUND,
        number=number,
        references={"CreditNote.CreditNoteID": f"credit_note#{number}"},
    )


def removed(desired: DesiredDocument, minutes: int = 1) -> DesiredDocument:
    """Return the tombstone by which a later version of the order asks for the document's removal."""
    return replace(desired, source_version=NOON + minutes * MINUTE, tombstone=True, capability=SHIPMENTS)


def invoice_in_xero(status: str = "AUTHORISED", **changed: Any) -> Json:
    """Return desired_invoice() as Xero shows it after somebody entered it manually."""
    body = {**desired_invoice().body, "Status": status, "Total": D("10.00"), "AmountDue": D("10.00")}
    return {**body, "DateString": "2026-11-20T00:00:00", **changed}


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
            if any(number in (each.get("InvoiceNumber"), each.get("ContactNumber")) for each in elements):
                raise XeroRefused(f"create{collection}", 400, "the element cannot be read")
            return create(collection, elements, idempotency_key)

        self.xero.create = refuse  # type: ignore[method-assign]  # one method of the fake is replaced

    def failures(self, capability: str = SHIPMENTS) -> list[tuple[str | None, str]]:
        """Return order id and code of each dead letter of a capability."""
        return self.dead_letters[capability].reasons

    # --- what Xero was asked, and holds -----------------------------------------------------------------------------

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
