"""Credit notes are allocated to open invoices of their own contact; Xero refuses any other."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.planning.open_invoices import OpenInvoice, OpenInvoices, allocation_to_fitting
from unit.desired_documents import desired_credit_note, desired_invoice

NOTE = desired_credit_note("A-A1", "4.00")
OTHER = desired_invoice("A", contact_number="chosen")  # a person has stated another contact since
OWN = desired_invoice("A-S2")


def test_credit_note_of_an_order_is_allocated_to_the_invoice_of_its_own_contact() -> None:
    invoices = OpenInvoices()
    for invoice in (OTHER, OWN):
        invoices.add(Document(invoice), ZERO)

    allocation = invoices.allocation_of(NOTE)

    assert allocation is not None
    assert allocation.references["Invoice.InvoiceID"] == OWN.key


def test_credit_note_is_allocated_to_nothing_where_only_another_contact_owes() -> None:
    rooms = [OpenInvoice(OTHER.key, OTHER.references[CONTACT_REFERENCE], Decimal(10))]

    assert allocation_to_fitting(NOTE, rooms) is None
