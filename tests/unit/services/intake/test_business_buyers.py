"""Business buyers' purchase order and VAT numbers: in the invoice's reference if the settings say so, else nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.business_buyer import BuyerReference, buyer_references
from amazon_to_xero.domain.planning.document_style import DocumentStyle
from amazon_to_xero.ports.amazon import Json
from fakes.connection import FakeConnection
from fakes.order_life import PAYING, SHIPPED
from unit.services.planning.refunding_connection import RefundingConnection

PO, VAT = BuyerReference.PURCHASE_ORDER, BuyerReference.VAT_NUMBER
NAMED = {
    "programs": ["AMAZON_BUSINESS"],
    "buyer": {"buyerName": "Canary Buyer", "buyerPurchaseOrderNumber": "  PO-2026-0815 "},
    "tax": {
        "taxRegistrations": [
            {"entityType": "MERCHANT", "taxRegistrationNumber": "GB111"},
            {"entityType": "BUYER", "taxRegistrationType": "VAT", "taxRegistrationNumber": "GB999999973"},
        ]
    },
}


def invoiced(raw: Json, *references: BuyerReference) -> FakeConnection:
    style = DocumentStyle(buyer_references=frozenset(references))
    return RefundingConnection(raw, policy=replace(PAYING, style=style))


def reference_of(connection: FakeConnection) -> str:
    return str(connection.xero.invoice("A")["Reference"])


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ((), "Amazon.co.uk A"),
        ((PO,), "Amazon.co.uk A · PO PO-2026-0815"),
        ((VAT,), "Amazon.co.uk A · VAT GB999999973"),
        ((PO, VAT), "Amazon.co.uk A · PO PO-2026-0815, VAT GB999999973"),
    ],
)
def test_invoice_states_the_references_that_the_settings_name(
    references: tuple[BuyerReference, ...], expected: str
) -> None:
    assert reference_of(invoiced(SHIPPED | NAMED, *references)) == expected


def test_references_come_before_tracking_numbers_which_are_cut_first() -> None:
    packages = [
        {
            "packageReferenceId": str(number),
            "carrier": "Royal Mail",
            "trackingNumber": f"RM{number:08}GB",
            "shipTime": "2026-11-04T09:00:00Z",
            "packageItems": [],
        }
        for number in range(20)
    ]

    reference = reference_of(invoiced(SHIPPED | NAMED | {"packages": packages}, PO))

    assert reference.startswith("Amazon.co.uk A · PO PO-2026-0815, Royal Mail RM00000000GB, ")
    assert len(reference) <= 255


def test_what_the_settings_do_not_name_is_stored_nowhere() -> None:
    connection = invoiced(SHIPPED | NAMED, PO)

    rows = repr(connection.store.table.rows)
    said = repr(connection.decisions.notes)

    assert "PO-2026-0815" in rows
    assert "GB999999973" not in rows
    assert "PO-2026-0815" not in said
    assert "GB999999973" not in said
    nothing = invoiced(SHIPPED | NAMED)
    assert "PO-2026-0815" not in repr(nothing.store.table.rows)


def test_purchase_order_number_that_is_stated_later_changes_no_paid_invoice() -> None:
    connection = invoiced(SHIPPED, PO)
    writes = len(connection.xero.writes("Invoices"))

    connection.update(SHIPPED | NAMED | {"lastUpdatedTime": "2026-11-20T10:00:00Z"})  # type: ignore[attr-defined]

    assert reference_of(connection) == "Amazon.co.uk A"
    assert len(connection.xero.writes("Invoices")) == writes


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"programs": None},
        {"buyer": None, "tax": None},
        {"buyer": {"buyerPurchaseOrderNumber": 4711}, "tax": {"taxRegistrations": [None, "x"]}},
        {"buyer": {"buyerPurchaseOrderNumber": " "}, "tax": {"taxRegistrations": {"entityType": "BUYER"}}},
    ],
)
def test_value_of_another_type_counts_as_missing(odd: dict[str, Any]) -> None:
    assert buyer_references({"programs": ["AMAZON_BUSINESS"], **odd}) == {}


def test_references_of_private_buyers_are_not_taken() -> None:
    assert buyer_references({**NAMED, "programs": ["PRIME"]}) == {}
