"""What a person reads of the difference between a document in Xero and what would be written."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.books.differences import DIFFERS, FieldDifference, differences, settlement_fields
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind

LINE = {"Description": "Tea", "AccountCode": "200", "TaxType": "OUTPUT2", "Quantity": 1, "UnitAmount": Decimal("10.00")}
BODY = {
    "Type": "ACCREC",
    "Status": "AUTHORISED",
    "Date": "2026-11-02",
    "CurrencyCode": "GBP",
    "LineAmountTypes": "Inclusive",
    "Reference": "Amazon.co.uk A · DPD 1",
    "LineItems": [LINE],
}
INVOICE = DesiredDocument(DocumentKind.INVOICE, "A", BODY, "order#A", total=Decimal("10.00"))
IN_XERO: dict[str, Any] = {
    **BODY,
    "DateString": "2026-11-02T00:00:00",
    "Total": Decimal("10.00"),
    "LineItems": [{**LINE, "TaxAmount": Decimal("1.67")}],
}


def test_document_that_xero_holds_as_requested_has_no_difference() -> None:
    assert differences(INVOICE, IN_XERO) == ()


def test_paid_invoice_is_the_approved_one() -> None:
    assert differences(INVOICE, {**IN_XERO, "Status": "PAID"}) == ()


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"Status": "DRAFT"}, ("Status", "DRAFT", "AUTHORISED")),
        ({"DateString": "2026-11-01T00:00:00"}, ("Date", "2026-11-01", "2026-11-02")),
        ({"CurrencyCode": "EUR"}, ("CurrencyCode", "EUR", "GBP")),
        ({"LineAmountTypes": "Exclusive"}, ("LineAmountTypes", "Exclusive", "Inclusive")),
        ({"Total": Decimal("9.99")}, ("Total", "9.99", "10.00")),
        ({"Reference": "Amazon.co.uk A"}, ("Reference", DIFFERS, DIFFERS)),
        ({"Reference": "Amazon.co.uk A · VAT GB canary"}, ("Reference", DIFFERS, DIFFERS)),
        ({"Reference": "paid by Canary Buyer"}, ("Reference", DIFFERS, "Amazon.co.uk A")),
        ({"Reference": None}, ("Reference", "", "Amazon.co.uk A")),
        ({"LineItems": [{**LINE, "AccountCode": "205"}]}, ("LineItems[0].AccountCode", "205", "200")),
        ({"LineItems": [{**LINE, "TaxType": "NONE"}]}, ("LineItems[0].TaxType", "NONE", "OUTPUT2")),
        ({"LineItems": [{**LINE, "Quantity": 2}]}, ("LineItems[0].Amount", "20.00", "10.00")),
        ({"LineItems": [{**LINE, "ItemCode": "MUG"}]}, None),  # ours names none
        (
            {"LineItems": [{**LINE, "Tracking": [{"Name": "Channel", "Option": "Amazon"}]}]},
            ("LineItems[0].Tracking", "Channel: Amazon", ""),
        ),
        ({"LineItems": [{**LINE, "Description": "For Canary Buyer"}]}, None),
    ],
)
def test_each_field_that_differs_is_named_with_both_values(
    changed: dict[str, Any], difference: tuple[str, str, str] | None
) -> None:
    expected = (FieldDifference(*difference),) if difference else ()
    assert differences(INVOICE, {**IN_XERO, **changed}) == expected


def test_line_that_xero_has_in_addition_is_shown() -> None:
    found = differences(INVOICE, {**IN_XERO, "LineItems": [LINE, {**LINE, "AccountCode": "498"}]})

    assert [each.field for each in found] == ["LineItems[1].Amount", "LineItems[1].AccountCode", "LineItems[1].TaxType"]
    assert {each.to_write for each in found} == {""}


def test_tax_is_compared_where_ours_is_stated() -> None:
    stated = replace(INVOICE, body={**BODY, "LineItems": [{**LINE, "TaxAmount": Decimal("1.66")}]})

    assert differences(stated, IN_XERO) == (FieldDifference("LineItems[0].TaxAmount", "1.67", "1.66"),)


def test_document_that_xero_does_not_hold_is_shown_with_everything_that_would_be_written() -> None:
    shown = {each.field: each.to_write for each in differences(INVOICE, None)}

    assert (shown["Total"], shown["Reference"]) == ("10.00", "Amazon.co.uk A")
    assert shown["LineItems[0].TaxType"] == "OUTPUT2"
    assert {each.in_xero for each in differences(INVOICE, None)} == {""}


def test_contact_is_never_shown_with_its_values() -> None:
    customer = DesiredDocument(DocumentKind.CONTACT, "C", {"Name": "Canary Buyer", "ContactNumber": "C"}, "order#A")
    buyer = replace(customer, body={**customer.body, "BuyerDigest": "d1"})

    assert differences(customer, {"Name": "Another Buyer", "ContactNumber": "C"}) == (
        FieldDifference("Name", DIFFERS, DIFFERS),
    )
    assert differences(buyer, None) == (FieldDifference("Details", DIFFERS, DIFFERS),)


def test_settlement_is_shown_with_amount_and_day() -> None:
    payment = DesiredDocument(DocumentKind.PAYMENT, "A", {"Amount": Decimal("10.00"), "Date": "2026-11-02"}, "order#A")

    assert settlement_fields(payment) == (
        FieldDifference("Amount", "", "10.00"),
        FieldDifference("Date", "", "2026-11-02"),
    )


def test_document_that_would_be_removed_is_shown_with_its_status() -> None:
    assert differences(replace(INVOICE, tombstone=True), IN_XERO) == (
        FieldDifference("Status", "AUTHORISED", "VOIDED or DELETED"),
    )
