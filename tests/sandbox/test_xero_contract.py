"""Every kind of answer against Xero's OpenAPI document, where that document is at hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from xero_driver import XeroClient, allocation, credit_note, invoice, line, payment

from sandbox.wire import Request
from sandbox.xero import organisation_for

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "xero" / "xero_accounting.json"

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
        # A schema without required keys accepts anything: names it does not know are checked for the whole answer.
        # Not inside errors, whose elements echo what was sent.
        assert schema == "Error" or not _unknown(body, spec["components"]["schemas"][schema], spec), schema

    return check


# What real answers carry although the document does not name it (seen in its own examples).
UNNAMED = {
    "Id", "Status", "ProviderName", "DateTimeUTC", "DateString", "DueDateString", "ID", "HasValidationErrors",
    "ValidationErrors", "StatusAttributeString", "HasErrors", "DateUTCString",
}  # fmt: skip


def _unknown(value: Any, schema: dict[str, Any], spec: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        return set().union(*(_unknown(one, schema.get("items", {}), spec) for one in value)) if value else set()
    if not isinstance(value, dict) or "properties" not in schema:
        return set()
    found = set(value) - set(schema["properties"]) - UNNAMED
    for name in set(value) & set(schema["properties"]):
        found |= _unknown(value[name], schema["properties"][name], spec)
    return found


def body_of(client: XeroClient, method: str, target: str, body: Any = None, **query: Any) -> Any:
    """The answer as JSON that the validator takes for numbers."""
    raw = client.respond(method, target, body, **query).body
    assert raw.startswith(b"{"), (method, target, raw)
    return json.loads(raw)


def test_settings(xero_contract: Callable[[str, Any], None]) -> None:
    for country in ("GB", "US", "CA", "DE", "AU", "NZ"):
        client = XeroClient(organisation_for(country))
        client.control("POST", "organisation", {"Organisation": {"PeriodLockDate": "2026-09-30"}})
        xero_contract("Organisations", body_of(client, "GET", "Organisation"))
        xero_contract("Accounts", body_of(client, "GET", "Accounts"))
        xero_contract("TaxRates", body_of(client, "GET", "TaxRates"))
        xero_contract("Currencies", body_of(client, "GET", "Currencies"))
    xero_contract("Currencies", body_of(client, "PUT", "Currencies", {"Code": "CHF"}))
    account = {"Code": "999", "Name": "Other", "Type": "EXPENSE", "TaxType": "NONE"}
    xero_contract("Accounts", body_of(client, "PUT", "Accounts", account))
    xero_contract("Error", body_of(client, "PUT", "Accounts", account))


def test_contacts(xero_contract: Callable[[str, Any], None], xero_client: XeroClient) -> None:
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
    xero_contract("Contacts", body_of(xero_client, "PUT", "Contacts", {"Contacts": [full]}))
    xero_contract("Contacts", body_of(xero_client, "PUT", "Contacts", [full, {"Name": "B"}], summarizeErrors="false"))
    xero_contract("Error", body_of(xero_client, "PUT", "Contacts", full))
    xero_client.control("POST", "archive", {"Contact": "c-1"})
    for query in ({}, {"page": 1, "includeArchived": "true"}, {"summaryOnly": "true", "page": 1}):
        xero_contract("Contacts", body_of(xero_client, "GET", "Contacts", **query))
    xero_contract("Contacts", body_of(xero_client, "GET", "Contacts/c-1"))


def test_documents_and_settlement(xero_contract: Callable[[str, Any], None], xero_client: XeroClient) -> None:
    rich = invoice(
        "A",
        "100.00",
        Reference="302-A",
        Url="https://example.org/302-A",
        ExpectedPaymentDate="2026-12-01",
        CurrencyCode="GBP",
        SentToContact=True,
        LineAmountTypes="Inclusive",
        LineItems=[line("50.00", TaxType="OUTPUT2", DiscountRate=10), line("5.00"), {"Description": "a remark"}],
    )
    foreign = invoice("B", Status="DRAFT", CurrencyCode="CHF")
    batch = {"Invoices": [rich, rich, foreign, invoice("C", CurrencyCode="USD")]}
    written = body_of(xero_client, "PUT", "Invoices", batch, summarizeErrors="false")
    assert [one["HasErrors"] for one in written["Invoices"]] == [False, True, True, False]
    xero_contract("Invoices", written)
    xero_contract("Error", body_of(xero_client, "PUT", "Invoices", rich))
    xero_contract("Error", body_of(xero_client, "PUT", "Invoices", b"{"))
    xero_contract("Error", body_of(xero_client, "GET", "Invoices", where="what?"))

    made = xero_client.get("Invoices/A").accepted()
    paid = body_of(xero_client, "PUT", "Payments", {"Payments": [payment(made, "10.00", Reference="s-1")]})
    xero_contract("Payments", paid)
    xero_contract("Payments", body_of(xero_client, "PUT", "Payments", [payment(made, "999")], summarizeErrors="false"))
    xero_contract("Error", body_of(xero_client, "POST", "Payments", payment(made, "999")))

    notes = {"CreditNotes": [credit_note("R-1", "5.00"), credit_note("R-1"), credit_note("R-2", "7.00")]}
    xero_contract("CreditNotes", body_of(xero_client, "PUT", "CreditNotes", notes, summarizeErrors="false"))
    first, second = (xero_client.get(f"CreditNotes/{number}").accepted() for number in ("R-1", "R-2"))
    path = f"CreditNotes/{first['CreditNoteID']}/Allocations"
    allocated = body_of(xero_client, "PUT", path, {"Allocations": [allocation(made, "5.00")]})
    xero_contract("Allocations", allocated)
    xero_contract("Error", body_of(xero_client, "PUT", path, allocation(made, "5.00")))
    xero_client.paid(second, "7.00").accepted()
    rest = xero_client.get("Invoices/A").accepted()["AmountDue"]
    xero_client.paid(made, str(rest)).accepted()

    for target, schema in (("Invoices", "Invoices"), ("CreditNotes", "CreditNotes"), ("Payments", "Payments")):
        for query in ({}, {"page": 1}, {"page": 1, "unitdp": 4}):
            listed = body_of(xero_client, "GET", target, **query)
            assert listed[schema]
            xero_contract(schema, listed)
    xero_contract("Invoices", body_of(xero_client, "GET", "Invoices", page=1, summaryOnly="true"))
    xero_contract("Invoices", body_of(xero_client, "GET", "Invoices/A"))
    xero_contract("CreditNotes", body_of(xero_client, "GET", "CreditNotes/R-1"))

    payment_path = f"Payments/{paid['Payments'][0]['PaymentID']}"
    xero_contract("Payments", body_of(xero_client, "GET", payment_path))
    xero_contract("Payments", body_of(xero_client, "POST", payment_path, {"Status": "DELETED"}))
    gone = body_of(xero_client, "DELETE", f"{path}/{allocated['Allocations'][0]['AllocationID']}")
    xero_contract("Allocation", gone)


def test_the_rest(xero_contract: Callable[[str, Any], None], xero_client: XeroClient) -> None:
    xero_client.invoiced("A")
    xero_contract("HistoryRecords", body_of(xero_client, "PUT", "Invoices/A/History", {"Details": "note"}))
    xero_contract("HistoryRecords", body_of(xero_client, "GET", "Invoices/A/History"))
    item = {"Code": "SKU", "Name": "Mug", "SalesDetails": {"UnitPrice": Decimal("1.50"), "AccountCode": "200"}}
    xero_contract("Items", body_of(xero_client, "PUT", "Items", {"Items": [item]}))
    xero_contract("Items", body_of(xero_client, "PUT", "Items", {"Items": [item]}, summarizeErrors="false"))
    xero_contract("Items", body_of(xero_client, "GET", "Items"))


def test_the_books_of_the_control_interface(xero_contract: Callable[[str, Any], None], xero_client: XeroClient) -> None:
    made = xero_client.invoiced("A")
    xero_client.paid(made, "10.00").accepted()
    xero_client.credited("R")
    books = json.loads(xero_client.sandbox.control(Request.to("GET", "/_sandbox/books")).body)
    for key in set(books) - {"Items", "Allocations", "HistoryRecords"}:
        assert books[key]
        xero_contract(key, {key: books[key]})
