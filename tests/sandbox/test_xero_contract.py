"""Every kind of response matches Xero's OpenAPI document (not part of this repository)."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no type information
import pytest

from sandbox.testing.xero import XeroClient, allocation, credit_note, invoice, line, payment
from sandbox.wire import Request
from sandbox.xero import organisation_for

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "xero" / "xero_accounting.json"

FBA = [{"Name": "Channel", "Option": "FBA"}]

pytestmark = pytest.mark.skipif(not CONTRACT.exists(), reason=f"Xero's OpenAPI document is not here: {CONTRACT}")


@pytest.fixture(scope="module")
def xero_contract() -> Callable[[str, Any], None]:
    spec = json.loads(CONTRACT.read_text())

    def check(schema: str, body: Any) -> None:
        validator = jsonschema.Draft4Validator(
            {"$ref": f"#/components/schemas/{schema}", "components": spec["components"]}
        )
        errors = [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(body)]
        assert errors == [], schema
        # A schema without required keys accepts any object, so unknown names are rejected here. Errors are exempt,
        # because their elements echo the request.
        assert schema == "Error" or not _unknown_names(body, spec["components"]["schemas"][schema], spec), schema

    return check


# Names that the document's own examples contain although its schemas do not.
UNDOCUMENTED_NAMES = {
    "Id", "Status", "ProviderName", "DateTimeUTC", "DateString", "DueDateString", "ID", "HasValidationErrors",
    "ValidationErrors", "StatusAttributeString", "HasErrors", "DateUTCString",
}  # fmt: skip


def _unknown_names(value: Any, schema: dict[str, Any], spec: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        return set().union(*(_unknown_names(one, schema.get("items", {}), spec) for one in value)) if value else set()
    if not isinstance(value, dict) or "properties" not in schema:
        return set()
    found = set(value) - set(schema["properties"]) - UNDOCUMENTED_NAMES
    for name in set(value) & set(schema["properties"]):
        found |= _unknown_names(value[name], schema["properties"][name], spec)
    return found


def body_of(client: XeroClient, method: str, target: str, body: Any = None, **query: Any) -> Any:
    """Return the response as JSON with floats, which the validator accepts as numbers."""
    raw = client.send(method, target, body, **query).body
    assert raw.startswith(b"{"), (method, target, raw)
    return json.loads(raw)


def test_settings_responses_match_the_contract(xero_contract: Callable[[str, Any], None]) -> None:
    for country in ("GB", "US", "CA", "DE", "AU", "NZ"):
        client = XeroClient(organisation_for(country))
        client.control("POST", "organisation", {"Organisation": {"PeriodLockDate": "2026-09-30"}})
        xero_contract("Organisations", body_of(client, "GET", "Organisation"))
        xero_contract("Accounts", body_of(client, "GET", "Accounts"))
        xero_contract("TaxRates", body_of(client, "GET", "TaxRates"))
        xero_contract("Currencies", body_of(client, "GET", "Currencies"))
        xero_contract("BrandingThemes", body_of(client, "GET", "BrandingThemes"))
        xero_contract("TrackingCategories", body_of(client, "GET", "TrackingCategories"))
    xero_contract("Currencies", body_of(client, "PUT", "Currencies", {"Code": "CHF"}))
    account = {"Code": "999", "Name": "Other", "Type": "EXPENSE", "TaxType": "NONE"}
    xero_contract("Accounts", body_of(client, "PUT", "Accounts", account))
    xero_contract("Error", body_of(client, "PUT", "Accounts", account))


def test_contact_responses_match_the_contract(xero_contract: Callable[[str, Any], None], xero: XeroClient) -> None:
    full = {
        "Name": "Acme",
        "ContactNumber": "c-1",
        "EmailAddress": "a@example.org",
        "Addresses": [{"AddressType": "POBOX", "City": "Leeds"}],
        "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "1"}],
        "ContactPersons": [{"FirstName": "Ann", "EmailAddress": "b@example.org", "IncludeInEmails": False}],
        "DefaultCurrency": "GBP",
        "PaymentTerms": {"Sales": {"Day": 10, "Type": "DAYSAFTERBILLDATE"}},
    }
    xero_contract("Contacts", body_of(xero, "PUT", "Contacts", {"Contacts": [full]}))
    xero_contract("Contacts", body_of(xero, "PUT", "Contacts", [full, {"Name": "B"}], summarizeErrors="false"))
    xero_contract("Error", body_of(xero, "PUT", "Contacts", full))
    xero.control("POST", "archive", {"Contact": "c-1"})
    for query in ({}, {"page": 1, "includeArchived": "true"}, {"summaryOnly": "true", "page": 1}):
        xero_contract("Contacts", body_of(xero, "GET", "Contacts", **query))
    xero_contract("Contacts", body_of(xero, "GET", "Contacts/c-1"))


def test_document_and_payment_responses_match_the_contract(
    xero_contract: Callable[[str, Any], None], xero: XeroClient
) -> None:
    rich = invoice(
        "A",
        "100.00",
        Reference="302-A",
        Url="https://example.org/302-A",
        ExpectedPaymentDate="2026-12-01",
        CurrencyCode="GBP",
        SentToContact=True,
        LineAmountTypes="Inclusive",
        LineItems=[
            line("50.00", TaxType="OUTPUT2", DiscountRate=10),
            line("5.00", Tracking=FBA),
            {"Description": "a remark"},
        ],
    )
    foreign = invoice("B", Status="DRAFT", CurrencyCode="CHF")
    batch = {"Invoices": [rich, rich, foreign, invoice("C", CurrencyCode="USD")]}
    written = body_of(xero, "PUT", "Invoices", batch, summarizeErrors="false")
    assert [one["HasErrors"] for one in written["Invoices"]] == [False, True, True, False]
    xero_contract("Invoices", written)
    xero_contract("Error", body_of(xero, "PUT", "Invoices", rich))
    xero_contract("Error", body_of(xero, "PUT", "Invoices", b"{"))
    xero_contract("Error", body_of(xero, "GET", "Invoices", where="what?"))

    created = xero.get("Invoices/A").record()
    paid = body_of(xero, "PUT", "Payments", {"Payments": [payment(created, "10.00", Reference="s-1")]})
    xero_contract("Payments", paid)
    xero_contract("Payments", body_of(xero, "PUT", "Payments", [payment(created, "999")], summarizeErrors="false"))
    xero_contract("Error", body_of(xero, "POST", "Payments", payment(created, "999")))

    notes = {"CreditNotes": [credit_note("R-1", "5.00"), credit_note("R-1"), credit_note("R-2", "7.00")]}
    xero_contract("CreditNotes", body_of(xero, "PUT", "CreditNotes", notes, summarizeErrors="false"))
    first, second = (xero.get(f"CreditNotes/{number}").record() for number in ("R-1", "R-2"))
    path = f"CreditNotes/{first['CreditNoteID']}/Allocations"
    allocated = body_of(xero, "PUT", path, {"Allocations": [allocation(created, "5.00")]})
    xero_contract("Allocations", allocated)
    xero_contract("Error", body_of(xero, "PUT", path, allocation(created, "5.00")))
    xero.pay(second, "7.00").record()
    amount_due = xero.get("Invoices/A").record()["AmountDue"]
    xero.pay(created, str(amount_due)).record()

    for target, schema in (("Invoices", "Invoices"), ("CreditNotes", "CreditNotes"), ("Payments", "Payments")):
        for query in ({}, {"page": 1}, {"page": 1, "unitdp": 4}):
            listed = body_of(xero, "GET", target, **query)
            assert listed[schema]
            xero_contract(schema, listed)
    xero_contract("Invoices", body_of(xero, "GET", "Invoices", page=1, summaryOnly="true"))
    xero_contract("Invoices", body_of(xero, "GET", "Invoices/A"))
    xero_contract("CreditNotes", body_of(xero, "GET", "CreditNotes/R-1"))

    payment_path = f"Payments/{paid['Payments'][0]['PaymentID']}"
    xero_contract("Payments", body_of(xero, "GET", payment_path))
    xero_contract("Payments", body_of(xero, "POST", payment_path, {"Status": "DELETED"}))
    deleted = body_of(xero, "DELETE", f"{path}/{allocated['Allocations'][0]['AllocationID']}")
    xero_contract("Allocation", deleted)


def test_history_and_item_responses_match_the_contract(
    xero_contract: Callable[[str, Any], None], xero: XeroClient
) -> None:
    xero.create_invoice("A")
    xero_contract("HistoryRecords", body_of(xero, "PUT", "Invoices/A/History", {"Details": "note"}))
    xero_contract("HistoryRecords", body_of(xero, "GET", "Invoices/A/History"))
    item = {"Code": "SKU", "Name": "Mug", "SalesDetails": {"UnitPrice": Decimal("1.50"), "AccountCode": "200"}}
    xero_contract("Items", body_of(xero, "PUT", "Items", {"Items": [item]}))
    xero_contract("Items", body_of(xero, "PUT", "Items", {"Items": [item]}, summarizeErrors="false"))
    xero_contract("Items", body_of(xero, "GET", "Items"))


def test_exported_books_match_the_contract(xero_contract: Callable[[str, Any], None], xero: XeroClient) -> None:
    created = xero.create_invoice("A")
    xero.pay(created, "10.00").record()
    xero.create_credit_note("R")
    books = json.loads(xero.sandbox.control(Request.to("GET", "/_sandbox/books")).body)
    for key in set(books) - {"Items", "Allocations", "HistoryRecords", "Attachments"}:
        assert books[key]
        xero_contract(key, {key: books[key]})


@pytest.mark.parametrize("target", ["Invoices/A", "CreditNotes/R-1"])
def test_attachment_responses_match_the_contract(
    xero_contract: Callable[[str, Any], None], xero: XeroClient, target: str
) -> None:
    xero.create_invoice("A")
    xero.send("PUT", "CreditNotes", credit_note("R-1", "5.00"))
    path = f"{target}/Attachments"

    for method in ("PUT", "POST"):
        xero_contract("Attachments", body_of(xero, method, f"{path}/orders.csv", b"order_id\r\n"))
    xero_contract("Attachments", body_of(xero, "GET", path))
    xero_contract("Error", body_of(xero, "PUT", f"{path}/orders.csv", b""))
