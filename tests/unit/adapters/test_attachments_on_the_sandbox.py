"""Files attached to invoices and credit notes, through the adapter, on the sandbox Xero."""

from __future__ import annotations

from typing import Any

import pytest

from amazon_to_xero.ports.xero import XeroOutcomeUnknown, XeroRefused, XeroUnavailable
from unit.adapters.live_sandboxes import LiveXero
from unit.adapters.test_xero_on_the_sandbox import an_invoice

NAME = "AMZ-GB-20261102-1.csv"
ORDERS = b"order_id,amount\r\nA,12.00\r\n"


def invoice_id(xero: LiveXero) -> str:
    (created,) = xero.api.create("Invoices", [an_invoice()], "k1")
    return str(created.element["InvoiceID"])


def files(xero: LiveXero, collection: str, document_id: str) -> list[tuple[Any, Any]]:
    return [(each["FileName"], each["ContentLength"]) for each in xero.api.attachments(collection, document_id)]


def test_file_is_attached_and_replaced_by_one_of_the_same_name(xero: LiveXero) -> None:
    owner = invoice_id(xero)
    assert files(xero, "Invoices", owner) == []

    xero.api.attach("Invoices", owner, NAME, b"first", "k2")
    xero.api.attach("Invoices", owner, NAME, ORDERS, "k3")

    assert files(xero, "Invoices", owner) == [(NAME, len(ORDERS))]
    assert [each.content for each in xero.sandbox.books.attachments.values()] == [ORDERS]


def test_file_is_attached_to_a_credit_note(xero: LiveXero) -> None:
    note = {**an_invoice(), "Type": "ACCRECCREDIT", "CreditNoteNumber": "AMZ-1"}
    del note["InvoiceNumber"], note["DueDate"]
    (created,) = xero.api.create("CreditNotes", [note], "k1")
    owner = created.element["CreditNoteID"]

    xero.api.attach("CreditNotes", owner, NAME, ORDERS, "k2")

    assert files(xero, "CreditNotes", owner) == [(NAME, len(ORDERS))]


def test_file_that_xero_does_not_take_is_refused_with_its_words(xero: LiveXero) -> None:
    owner = invoice_id(xero)
    with pytest.raises(XeroRefused, match="The file is empty"):
        xero.api.attach("Invoices", owner, NAME, b"", "k2")


def test_document_that_xero_does_not_have_is_refused(xero: LiveXero) -> None:
    unknown = "00000000-0000-4000-8000-000000000001"
    with pytest.raises(XeroRefused, match="HTTP 404"):
        xero.api.attach("Invoices", unknown, NAME, ORDERS, "k2")


def test_lost_answer_is_an_unknown_outcome_and_the_file_is_found(xero: LiveXero) -> None:
    owner = invoice_id(xero)
    xero.fault("drop", f"/api.xro/2.0/Invoices/{owner}/Attachments/{NAME}")

    with pytest.raises(XeroOutcomeUnknown):
        xero.api.attach("Invoices", owner, NAME, ORDERS, "k2")

    assert files(xero, "Invoices", owner) == [(NAME, len(ORDERS))]


def test_list_that_cannot_be_read_is_read_later(xero: LiveXero) -> None:
    owner = invoice_id(xero)
    xero.fault("refuse", f"/api.xro/2.0/Invoices/{owner}/Attachments")

    with pytest.raises(XeroUnavailable):
        xero.api.attachments("Invoices", owner)


def test_nothing_is_attached_to_other_collections(xero: LiveXero) -> None:
    with pytest.raises(ValueError, match="attached to invoices and credit notes"):
        xero.api.attach("Payments", invoice_id(xero), NAME, ORDERS, "k2")
