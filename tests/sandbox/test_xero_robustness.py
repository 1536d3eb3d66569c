"""The sandbox responds to any request, and a rejected call leaves the books unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.testing.xero import XeroClient, credit_note, invoice, line, payment

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["AUTHORISED", "VOIDED", "DELETED", "ACCREC", "2026-11-20", "/Date(1)/", "/Date(99999999999999999)/", "200",
         "CLR-GBP", "GBP", "USD", "OUTPUT2", "NONE", "Inclusive", "AMZ-1", "Amazon UK", "12.345",
         "a@b.c", "NaN", "1e400"]
    ),
)  # fmt: skip
FIELDS = st.sampled_from(
    ["Invoices", "Contacts", "Payments", "CreditNotes", "Allocations", "Items", "HistoryRecords", "Type", "Status",
     "Contact", "Name", "ContactNumber", "ContactID", "EmailAddress", "Addresses", "Phones", "ContactPersons",
     "PaymentTerms", "InvoiceNumber", "CreditNoteNumber", "InvoiceID", "Invoice", "CreditNote", "Account", "Code",
     "Date", "DueDate", "LineAmountTypes", "LineItems", "Description", "Quantity", "UnitAmount", "LineAmount",
     "AccountCode", "TaxType", "TaxAmount", "DiscountRate", "Tracking", "CurrencyCode", "CurrencyRate", "Amount",
     "Reference", "Details", "SalesDetails", "UnitPrice", "SentToContact", "BankAccountNumber"]
)  # fmt: skip
BODIES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=6)),
    max_leaves=14,
)
# A valid document with a few random fields reaches more code than random JSON does.
RANDOM_FIELDS = st.dictionaries(FIELDS, BODIES, max_size=3)
NEARLY_VALID = st.one_of(
    RANDOM_FIELDS.map(lambda fields: invoice("AMZ-2", **fields)),
    RANDOM_FIELDS.map(lambda fields: credit_note("R-2", **fields)),
    RANDOM_FIELDS.map(lambda fields: invoice("AMZ-2", LineItems=[line(**fields)])),
    RANDOM_FIELDS.map(lambda fields: invoice("AMZ-2", Contact={"Name": "Somebody", **fields})),
    RANDOM_FIELDS.map(lambda fields: {"Name": "Somebody", **fields}),
    RANDOM_FIELDS.map(lambda fields: {"InvoiceNumber": "AMZ-1", "Account": {"Code": "CLR-GBP"}, "Amount": 5, **fields}),
    RANDOM_FIELDS.map(lambda fields: {"Invoice": {"InvoiceNumber": "AMZ-1"}, "Amount": 5, **fields}),
    RANDOM_FIELDS.map(lambda fields: {"Code": "SKU", "Name": "Mug", "Type": "EXPENSE", **fields}),
)
TARGETS = st.sampled_from(
    [
        ("PUT", "Invoices"), ("POST", "Invoices"), ("POST", "Invoices/AMZ-1"), ("PUT", "Contacts"),
        ("POST", "Contacts"), ("PUT", "CreditNotes"), ("POST", "CreditNotes"), ("POST", "CreditNotes/R-1"),
        ("PUT", "CreditNotes/R-1/Allocations"), ("PUT", "Payments"), ("POST", "Payments"), ("POST", "Payments/x"),
        ("PUT", "Invoices/AMZ-1/History"), ("PUT", "Items"), ("POST", "Items"), ("PUT", "Accounts"),
        ("PUT", "Currencies"),
    ]
)  # fmt: skip


def client_with_documents() -> XeroClient:
    client = XeroClient()
    client.create_invoice()
    client.create_credit_note("R-1")
    return client


@settings(max_examples=400, deadline=None)
@given(TARGETS, st.one_of(BODIES, NEARLY_VALID), st.sampled_from(["true", "false"]))
def test_any_json_gets_a_response_and_a_rejected_call_changes_nothing(
    target: tuple[str, str], body: Any, summarize: str
) -> None:
    client = client_with_documents()
    before = client.books()
    response = client.call(*target, body, summarizeErrors=summarize)
    assert response.status in {200, 400, 404}
    if response.status != 200:
        assert client.books() == before


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["Invoices", "Contacts", "CreditNotes", "Payments", "Items", "Accounts"]),
    st.dictionaries(
        st.sampled_from(["where", "order", "page", "pageSize", "IDs", "InvoiceNumbers", "Statuses", "searchTerm"]),
        st.one_of(
            st.text(max_size=12),
            st.lists(
                st.sampled_from(
                    ["Status", "Date", "Total", "Contact.Name", "==", "!=", ">=", "&&", "||", "(", ")", '"A"', "5",
                     "null", "true", "DateTime(2026,1,1)", "DateTime(9,9", 'Guid("x")', ".Contains(", ","]
                ),
                max_size=7,
            ).map(" ".join),
        ),
        max_size=4,
    ),
)  # fmt: skip
def test_any_query_gets_a_response(target: str, query: dict[str, str]) -> None:
    response = client_with_documents().get(target, **query)
    assert response.status in {200, 400}


@pytest.mark.parametrize("text", ["Tea\x00", "Tea\x0b", "Tea\ud83d", "Tea\uffff"])
def test_character_that_xml_cannot_contain_spoils_the_whole_call(text: str) -> None:
    client = XeroClient()
    spoilt = invoice("A-2", LineItems=[{**line("1.00"), "Description": text}])
    body = json.dumps({"Invoices": [invoice("A-1"), spoilt]}, default=str).encode()

    refused = client.put("Invoices", body, summarizeErrors="false")

    assert (refused.status, refused.body["Message"]) == (400, "Xml for post data was invalid")
    assert client.books()["Invoices"] == []


def test_lengths_are_counted_in_utf_16_units() -> None:
    client = XeroClient()
    fits, too_long = ({**line("1.00"), "Description": "🍵" * count} for count in (2000, 2001))

    assert client.put("Invoices", invoice("A-1", LineItems=[fits])).status == 200
    assert client.put("Invoices", invoice("A-2", LineItems=[too_long])).messages == [
        "The line item Description must not be longer than 4000 characters."
    ]


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "refund", "allocate", "delete payment", "delete allocation"]), st.integers(1, 12_000)
    ),
    max_size=14,
)


@settings(max_examples=80, deadline=None)
@given(ACTIONS)
def test_amount_due_equals_total_less_payments_and_allocations(actions: list[tuple[str, int]]) -> None:
    client = XeroClient()
    created, note = client.put("Invoices", invoice()).record(), client.create_credit_note("R-1", "80.00")
    note_path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
    for action, number in actions:
        books = client.books()
        amount = f"{number / 100:.2f}"
        active = [one["PaymentID"] for one in books["Payments"] if one["Status"] == "AUTHORISED"]
        if action in {"pay", "refund"}:
            client.put("Payments", payment(created if action == "pay" else note, amount))
        elif action == "allocate":
            client.put(note_path, {"Invoice": {"InvoiceID": created["InvoiceID"]}, "Amount": number / 100})
        elif action == "delete payment" and active:
            client.post(f"Payments/{active[number % len(active)]}", {"Status": "DELETED"})
        elif action == "delete allocation" and books["Allocations"]:
            client.call("DELETE", f"{note_path}/{books['Allocations'][0]['AllocationID']}")

    books = client.books()
    paid = {"ACCREC": 0, "ACCRECCREDIT": 0}
    for one in books["Payments"]:
        if one["Status"] == "AUTHORISED":
            paid[one["Invoice"]["Type"]] += one["Amount"]
    allocated = sum(one["Amount"] for one in books["Allocations"])
    [invoiced], [credit] = books["Invoices"], books["CreditNotes"]
    assert invoiced["AmountDue"] == 100 - paid["ACCREC"] - allocated >= 0
    assert credit["RemainingCredit"] == 80 - paid["ACCRECCREDIT"] - allocated >= 0
    assert (invoiced["Status"] == "PAID") is (invoiced["AmountDue"] == 0)
    assert (credit["Status"] == "PAID") is (credit["RemainingCredit"] == 0)
