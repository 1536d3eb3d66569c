"""Documents as a plan asks for them: a contact, an invoice over one line, its payment, its credit note and refund."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.ports.amazon import Json
from fakes.state import NOON

MINUTE = timedelta(minutes=1)
D = Decimal

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


def desired_allocation(
    number: str = "A-A1", amount: str = "10.00", minutes: int = 0, order_id: str = "A"
) -> DesiredDocument:
    """Return the allocation of the credit note of that number to the invoice of its order."""
    return replace(
        desired_payment(order_id, amount, minutes),
        kind=DocumentKind.ALLOCATION,
        number=number,
        body={"Amount": D(amount), "Date": "2026-11-20"},
        references={"CreditNote.CreditNoteID": f"credit_note#{number}", "Invoice.InvoiceID": f"invoice#{order_id}"},
    )


def removed(desired: DesiredDocument, minutes: int = 1) -> DesiredDocument:
    """Return the tombstone by which a later version of the order asks for the document's removal."""
    return replace(desired, source_version=NOON + minutes * MINUTE, tombstone=True, capability=SHIPMENTS)


def invoice_in_xero(status: str = "AUTHORISED", **changed: Any) -> Json:
    """Return desired_invoice() as Xero shows it after somebody entered it manually."""
    body = {**desired_invoice().body, "Status": status, "Total": D("10.00"), "AmountDue": D("10.00")}
    return {**body, "DateString": "2026-11-20T00:00:00", **changed}
