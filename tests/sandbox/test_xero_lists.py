"""Lists of documents and settings: filters, order, pages and omitted fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.testing.xero import XeroClient, credit_note, invoice, line


def numbers(client: XeroClient, **query: Any) -> list[str]:
    response = client.get("Invoices", **query)
    assert response.status == 200, response.body
    return [one["InvoiceNumber"] for one in response.body["Invoices"]]


@pytest.fixture
def xero_books(xero: XeroClient) -> XeroClient:
    """Create invoices a minute apart, for two contacts in two currencies: A draft, B approved, C paid, D voided."""
    xero.put("Contacts", {"Name": "Other", "ContactNumber": "o-1"}).record()
    xero.create_invoice("A", "10.00", Status="DRAFT", Reference="302-A", Date="2026-11-01")
    xero.wait(minutes=1)
    xero.create_invoice("B", "20.00", Reference="302-B", Contact={"ContactNumber": "o-1"}, Date="2026-11-02")
    xero.wait(minutes=1)
    paid = xero.create_invoice("C", "30.00", Date="2026-11-03")
    xero.pay(paid, "30.00").record()
    xero.wait(minutes=1)
    void = xero.create_invoice("D", "40.00", CurrencyCode="EUR", Date="2026-11-04")
    xero.post("Invoices", {"InvoiceID": void["InvoiceID"], "Status": "VOIDED"}).record()
    return xero


WHERE = [
    ('InvoiceNumber=="d" OR InvoiceNumber=="nope" OR InvoiceNumber=="A"', ["D", "A"]),
    ('InvoiceNumber=="A" OR Status=="PAID"', ["A", "C"]),
    ('(InvoiceNumber=="A" || InvoiceNumber=="B") && Status=="AUTHORISED"', ["B"]),
    ('InvoiceNumber=="A" && InvoiceNumber=="B"', []),
    ('InvoiceNumber=="b"', ["B"]),
    ('InvoiceNumber = "B"', ["B"]),
    ('InvoiceNumber=="nope"', []),
    ('InvoiceNumber!="B"', ["A", "C", "D"]),
    ('Status=="AUTHORISED" OR Status=="PAID"', ["B", "C"]),
    ('Status=="AUTHORISED"||Status=="PAID"', ["B", "C"]),
    ('Type=="ACCREC" && Status=="DRAFT"', ["A"]),
    ('Type=="ACCREC" AND (Status=="DRAFT" || Status=="VOIDED") && Total>10', ["D"]),
    ('Reference=="302-a"', ["A"]),
    ("Reference==null", ["C", "D"]),
    ('Reference!=null && Reference.StartsWith("302")', ["A", "B"]),
    ('Reference.Contains("-B")', ["B"]),
    ('InvoiceNumber.EndsWith("d")', ["D"]),
    ("Date>=DateTime(2026,11,3)", ["C", "D"]),
    ("Date>=DateTime(2026, 11, 02) && Date<DateTime(2026,11,03)", ["B"]),
    ("Date==DateTime(2026,11,01)", ["A"]),
    ("UpdatedDateUTC>=DateTime(2026,11,23,10,2,0)", ["C", "D"]),
    ('Contact.Name=="other"', ["B"]),
    ('Contact.ContactNumber=="O-1"', ["B"]),
    ("AmountDue==20.00", ["B"]),
    ('CurrencyCode=="EUR"', ["D"]),
    ("FullyPaidOnDate!=null", ["C"]),
]


@pytest.mark.parametrize(("where", "expected"), WHERE)
def test_where_filters_records(xero_books: XeroClient, where: str, expected: list[str]) -> None:
    assert numbers(xero_books, where=where) == expected


def test_where_filters_by_guid(xero_books: XeroClient) -> None:
    b = xero_books.get("Invoices/B").record()
    assert numbers(xero_books, where=f'InvoiceID==Guid("{b["InvoiceID"].upper()}")') == ["B"]
    assert numbers(xero_books, where=f'Contact.ContactID==Guid("{b["Contact"]["ContactID"]}")') == ["B"]


@pytest.mark.parametrize(
    "query",
    [
        {"where": 'Colour=="red"'},
        {"where": "InvoiceNumber=="},
        {"where": 'InvoiceNumber "A"'},
        {"where": 'InvoiceNumber=="A" && '},
        {"where": '(InvoiceNumber=="A"'},
        {"where": 'InvoiceNumber=="A" InvoiceNumber=="B"'},
        {"where": "InvoiceNumber==5"},
        {"where": 'Total=="5"'},
        {"where": 'Total.StartsWith("5")'},
        {"where": "Date>=DateTime(2026,13,1)"},
        {"where": 'InvoiceNumber.ToLower()=="a"'},
        {"where": "InvoiceNumber=='A'"},
        {"order": "Colour"},
        {"order": "Date SIDEWAYS"},
        {"page": "one"},
        {"page": 0},
        {"pageSize": 1001},
        {"pageSize": 0},
    ],
)
def test_invalid_query_is_rejected(xero_books: XeroClient, query: dict[str, Any]) -> None:
    rejected = xero_books.get("Invoices", **query)
    assert (rejected.status, rejected.body["ErrorNumber"], rejected.body["Type"]) == (400, 16, "QueryParseException")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"InvoiceNumbers": "C,a,nope"}, {"A", "C"}),
        ({"Statuses": "DRAFT,VOIDED"}, {"A", "D"}),
        ({"InvoiceNumbers": "A,B", "Statuses": "AUTHORISED"}, {"B"}),
        ({"searchTerm": "302"}, {"A", "B"}),
        ({"searchTerm": "other"}, {"B"}),
        ({"createdByMyApp": "true"}, {"A", "B", "C", "D"}),
        ({"InvoiceNumbers": "A,B", "where": 'Status=="DRAFT"'}, {"A"}),
    ],
)
def test_list_can_be_filtered_by_numbers_statuses_and_search_term(
    xero_books: XeroClient, query: dict[str, str], expected: set[str]
) -> None:
    assert set(numbers(xero_books, **query)) == expected


def test_list_by_number_includes_bills(xero_books: XeroClient) -> None:
    bill = invoice("A", Type="ACCPAY", Reference=None, LineItems=[line(AccountCode="412")])
    xero_books.put("Invoices", bill).record()

    def types(**query: str) -> list[str]:
        return [one["Type"] for one in xero_books.get("Invoices", **query).body["Invoices"]]

    assert types(InvoiceNumbers="A") == types(where='InvoiceNumber=="A"') == ["ACCREC", "ACCPAY"]
    assert xero_books.get("Invoices/A").record()["Type"] == "ACCREC"


def test_list_can_be_filtered_by_ids_and_contacts(xero_books: XeroClient) -> None:
    b, c = xero_books.get("Invoices/B").record(), xero_books.get("Invoices/C").record()
    assert set(numbers(xero_books, IDs=f"{b['InvoiceID']},{c['InvoiceID']}")) == {"B", "C"}
    assert numbers(xero_books, IDs=f"{b['InvoiceID']},{c['InvoiceID']}", InvoiceNumbers="C") == ["C"]
    assert numbers(xero_books, ContactIDs=b["Contact"]["ContactID"]) == ["B"]


@pytest.mark.parametrize(
    "since",
    ["2026-11-23T10:02:00", "2026-11-23T10:02:00+00:00", "Mon, 23 Nov 2026 10:02:00 GMT", "2026-11-23 10:02:00"],
)
def test_if_modified_since_includes_every_change(xero_books: XeroClient, since: str) -> None:
    def changed() -> list[str]:
        response = xero_books.call("GET", "Invoices", headers={"If-Modified-Since": since})
        return [one["InvoiceNumber"] for one in response.body["Invoices"]]

    assert changed() == ["C", "D"]
    xero_books.pay(xero_books.get("Invoices/B").record(), "1.00").record()
    assert changed() == ["B", "C", "D"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("InvoiceNumber DESC", ["D", "C", "B", "A"]),
        ("Total", ["A", "B", "C", "D"]),
        ("CurrencyCode ASC, Date DESC", ["D", "C", "B", "A"]),
        ("DueDate,InvoiceNumber DESC", ["D", "C", "B", "A"]),
    ],
)
def test_list_can_be_ordered(xero_books: XeroClient, order: str, expected: list[str]) -> None:
    assert numbers(xero_books, order=order) == expected


def test_list_can_be_paged(xero: XeroClient) -> None:
    xero.put("Invoices", [invoice(f"N{number:03}") for number in range(105)])

    first, last = (xero.get("Invoices", page=page) for page in (1, 2))
    assert first.body["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 105}
    assert (len(first.body["Invoices"]), len(last.body["Invoices"])) == (100, 5)
    assert numbers(xero, page=3) == []
    assert numbers(xero, page=2, pageSize=2) == ["N002", "N003"]
    unpaged = xero.get("Invoices")
    assert "pagination" not in unpaged.body
    assert len(unpaged.body["Invoices"]) == 105


def test_lines_are_returned_in_pages_and_single_documents_only(xero_books: XeroClient) -> None:
    def lines(**query: Any) -> int:
        return len(xero_books.get("Invoices", InvoiceNumbers="B", **query).record()["LineItems"])

    assert (lines(), lines(page=1)) == (0, 1)
    paid = xero_books.get("Invoices", InvoiceNumbers="C").record()
    assert len(paid["Payments"]) == 1, "payments are always included"
    summary = xero_books.get("Invoices", InvoiceNumbers="C", summaryOnly="true", page=1).record()
    assert not {"Payments", "LineItems", "CreditNotes"} & set(summary)
    assert summary["AmountPaid"] == 30


def test_unit_amounts_have_four_decimals_on_request(xero: XeroClient) -> None:
    item = line("0.3333", Quantity=3)
    xero.put("Invoices", invoice(LineItems=[item]), unitdp=4).record()

    assert xero.get("Invoices/AMZ-1").record()["LineItems"][0]["UnitAmount"] == Decimal("0.33")
    item_line = xero.get("Invoices/AMZ-1", unitdp=4).record()["LineItems"][0]
    assert (item_line["UnitAmount"], item_line["LineAmount"]) == (Decimal("0.3333"), Decimal("1.00"))


def test_query_string_of_more_than_2048_characters_is_not_found(xero: XeroClient) -> None:
    where = 'InvoiceNumber=="{}"'
    around = len("where=") + len(quote(where.format("")))

    assert xero.get("Invoices", where=where.format("A" * (2048 - around))).status == 200
    assert xero.get("Invoices", where=where.format("A" * (2049 - around))).status == 404


def test_credit_notes_and_payments_can_be_filtered(xero: XeroClient) -> None:
    xero.put("CreditNotes", [credit_note("R-1"), credit_note("R-2", "10.00")])
    created = xero.create_invoice("A")
    first = xero.pay(created, "10.00", Reference="settlement 1").record()
    xero.pay(created, "20.00", Reference="settlement 2").record()
    xero.post(f"Payments/{first['PaymentID']}", {"Status": "DELETED"}).record()

    notes = xero.get("CreditNotes", where='CreditNoteNumber=="r-2"', page=1).record()
    assert (notes["CreditNoteNumber"], len(notes["LineItems"])) == ("R-2", 1)

    def amounts(where: str) -> list[Decimal]:
        return [one["Amount"] for one in xero.get("Payments", where=where, page=1).body["Payments"]]

    assert amounts(f'Invoice.InvoiceID==Guid("{created["InvoiceID"]}")') == [10, 20]
    assert amounts('Reference=="settlement 2"') == [20]
    assert amounts('Status=="DELETED"') == [10]
    assert amounts('Account.Code=="CLR-GBP" && Amount>15') == [20]


def test_settings_are_listed(xero: XeroClient) -> None:
    organisation = xero.get("Organisation").record()
    assert (organisation["BaseCurrency"], organisation["CountryCode"], organisation["Timezone"]) == (
        "GBP",
        "GB",
        "GMTSTANDARDTIME",
    )
    rounding = xero.get("Accounts", where='SystemAccount=="ROUNDING"').record()
    assert rounding["Code"] == "498"
    banks = xero.get("Accounts", where='Type=="BANK" && Status=="ACTIVE"', order="Code").body["Accounts"]
    assert [(one["Code"], one["CurrencyCode"]) for one in banks if one["Code"].startswith("CLR-")] == [
        (f"CLR-{code}", code) for code in ("AUD", "CAD", "EUR", "GBP", "JPY", "USD")
    ]
    rates = xero.get("TaxRates", where='Status=="ACTIVE" && CanApplyToRevenue==true').body["TaxRates"]
    assert {"OUTPUT2", "RROUTPUT", "ZERORATEDOUTPUT", "NONE", "TAX001"} <= {one["TaxType"] for one in rates}
    assert not {"INPUT2", "TAX006"} & {one["TaxType"] for one in rates}
    currencies = {one["Code"] for one in xero.get("Currencies").body["Currencies"]}
    assert currencies == {"GBP", "USD", "EUR", "CAD", "JPY", "AUD"}


def test_currency_and_account_can_be_created(xero: XeroClient) -> None:
    assert xero.put("Currencies", {"Code": "CHF"}).record()["Code"] == "CHF"
    assert xero.create_invoice(CurrencyCode="CHF")["CurrencyCode"] == "CHF"

    bank = {"Code": "CLR-CHF", "Name": "Clearing CHF", "Type": "BANK", "BankAccountNumber": "1", "CurrencyCode": "CHF"}
    created = xero.put("Accounts", bank).record()
    assert (created["Class"], created["Status"], created["CurrencyCode"]) == ("ASSET", "ACTIVE", "CHF")
    assert xero.put("Accounts", bank).messages == ["Please enter a unique Code.", "Please enter a unique Name."]
    assert xero.put("Currencies", {"Code": "pound"}).status == 400


def test_items_are_created_updated_and_used_on_lines(xero: XeroClient) -> None:
    item = {"Code": "SKU-1", "Name": "Mug", "SalesDetails": {"UnitPrice": Decimal("7.50"), "AccountCode": "200"}}
    created = xero.put("Items", {"Items": [item]}).record()

    assert xero.put("Items", {"Items": [item]}).messages == ["Price List Item with Code 'SKU-1' already exists"]
    assert xero.post("Items", {"Code": "sku-1", "Name": "Cup"}).record()["ItemID"] == created["ItemID"]
    assert xero.get("Items/SKU-1").record()["Name"] == "Cup"
    assert xero.get("Items", where='Code=="SKU-1"').record()["SalesDetails"]["UnitPrice"] == Decimal("7.5")
    assert xero.put("Items", {"Code": "X" * 31}).status == 400

    invoiced = xero.put("Invoices", invoice(LineItems=[{"ItemCode": "SKU-1", "Description": "Cup"}])).record()
    assert (invoiced["SubTotal"], invoiced["LineItems"][0]["AccountCode"]) == (Decimal("7.50"), "200")
