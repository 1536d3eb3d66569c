"""Lists of documents and settings: filters, order, pages, and what a list leaves out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from xero_driver import XeroClient, credit_note, invoice, line


def numbers(client: XeroClient, **query: Any) -> list[str]:
    answer = client.get("Invoices", **query)
    assert answer.status == 200, answer.body
    return [one["InvoiceNumber"] for one in answer.body["Invoices"]]


@pytest.fixture
def xero_books(xero_client: XeroClient) -> XeroClient:
    """Four invoices a minute apart: A draft, B approved, C paid, D voided, in two currencies, of two contacts."""
    xero_client.put("Contacts", {"Name": "Other", "ContactNumber": "o-1"}).accepted()
    xero_client.invoiced("A", "10.00", Status="DRAFT", Reference="302-A", Date="2026-11-01")
    xero_client.wait(minutes=1)
    xero_client.invoiced("B", "20.00", Reference="302-B", Contact={"ContactNumber": "o-1"}, Date="2026-11-02")
    xero_client.wait(minutes=1)
    paid = xero_client.invoiced("C", "30.00", Date="2026-11-03")
    xero_client.paid(paid, "30.00").accepted()
    xero_client.wait(minutes=1)
    void = xero_client.invoiced("D", "40.00", CurrencyCode="EUR", Date="2026-11-04")
    xero_client.post("Invoices", {"InvoiceID": void["InvoiceID"], "Status": "VOIDED"}).accepted()
    return xero_client


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
def test_where(xero_books: XeroClient, where: str, expected: list[str]) -> None:
    assert numbers(xero_books, where=where) == expected


def test_where_by_guid(xero_books: XeroClient) -> None:
    wanted = xero_books.get("Invoices/B").accepted()
    assert numbers(xero_books, where=f'InvoiceID==Guid("{wanted["InvoiceID"].upper()}")') == ["B"]
    assert numbers(xero_books, where=f'Contact.ContactID==Guid("{wanted["Contact"]["ContactID"]}")') == ["B"]


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
def test_what_cannot_be_understood_is_refused(xero_books: XeroClient, query: dict[str, Any]) -> None:
    refused = xero_books.get("Invoices", **query)
    assert (refused.status, refused.body["ErrorNumber"], refused.body["Type"]) == (400, 16, "QueryParseException")


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
def test_filters(xero_books: XeroClient, query: dict[str, str], expected: set[str]) -> None:
    assert set(numbers(xero_books, **query)) == expected


def test_numbers_find_suppliers_bills_as_well(xero_books: XeroClient) -> None:
    bill = invoice("A", Type="ACCPAY", Reference=None, LineItems=[line(AccountCode="412")])
    xero_books.put("Invoices", bill).accepted()

    def types(**query: str) -> list[str]:
        return [one["Type"] for one in xero_books.get("Invoices", **query).body["Invoices"]]

    assert types(InvoiceNumbers="A") == types(where='InvoiceNumber=="A"') == ["ACCREC", "ACCPAY"]
    assert xero_books.get("Invoices/A").accepted()["Type"] == "ACCREC"


def test_filters_by_ids_and_contacts(xero_books: XeroClient) -> None:
    b, c = xero_books.get("Invoices/B").accepted(), xero_books.get("Invoices/C").accepted()
    assert set(numbers(xero_books, IDs=f"{b['InvoiceID']},{c['InvoiceID']}")) == {"B", "C"}
    assert numbers(xero_books, IDs=f"{b['InvoiceID']},{c['InvoiceID']}", InvoiceNumbers="C") == ["C"]
    assert numbers(xero_books, ContactIDs=b["Contact"]["ContactID"]) == ["B"]


@pytest.mark.parametrize(
    "since",
    ["2026-11-23T10:02:00", "2026-11-23T10:02:00+00:00", "Mon, 23 Nov 2026 10:02:00 GMT", "2026-11-23 10:02:00"],
)
def test_if_modified_since_counts_every_change(xero_books: XeroClient, since: str) -> None:
    def changed() -> list[str]:
        answer = xero_books.call("GET", "Invoices", headers={"If-Modified-Since": since})
        return [one["InvoiceNumber"] for one in answer.body["Invoices"]]

    assert changed() == ["C", "D"]
    xero_books.paid(xero_books.get("Invoices/B").accepted(), "1.00").accepted()
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
def test_order(xero_books: XeroClient, order: str, expected: list[str]) -> None:
    assert numbers(xero_books, order=order) == expected


def test_pages(xero_client: XeroClient) -> None:
    xero_client.put("Invoices", [invoice(f"N{number:03}") for number in range(105)])

    first, last = (xero_client.get("Invoices", page=page) for page in (1, 2))
    assert first.body["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 105}
    assert (len(first.body["Invoices"]), len(last.body["Invoices"])) == (100, 5)
    assert numbers(xero_client, page=3) == []
    assert numbers(xero_client, page=2, pageSize=2) == ["N002", "N003"]
    unpaged = xero_client.get("Invoices")
    assert "pagination" not in unpaged.body
    assert len(unpaged.body["Invoices"]) == 105


def test_only_pages_and_single_documents_show_lines(xero_books: XeroClient) -> None:
    def lines(**query: Any) -> int:
        return len(xero_books.get("Invoices", InvoiceNumbers="B", **query).accepted()["LineItems"])

    assert (lines(), lines(page=1)) == (0, 1)
    paid = xero_books.get("Invoices", InvoiceNumbers="C").accepted()
    assert len(paid["Payments"]) == 1, "payments are always there"
    summary = xero_books.get("Invoices", InvoiceNumbers="C", summaryOnly="true", page=1).accepted()
    assert not {"Payments", "LineItems", "CreditNotes"} & set(summary)
    assert summary["AmountPaid"] == 30


def test_unit_amounts_show_four_decimals_on_request(xero_client: XeroClient) -> None:
    item = line("0.3333", Quantity=3)
    xero_client.put("Invoices", invoice(LineItems=[item]), unitdp=4).accepted()

    assert xero_client.get("Invoices/AMZ-1").accepted()["LineItems"][0]["UnitAmount"] == Decimal("0.33")
    shown = xero_client.get("Invoices/AMZ-1", unitdp=4).accepted()["LineItems"][0]
    assert (shown["UnitAmount"], shown["LineAmount"]) == (Decimal("0.3333"), Decimal("1.00"))


def test_credit_notes_and_payments_are_listed_alike(xero_client: XeroClient) -> None:
    xero_client.put("CreditNotes", [credit_note("R-1"), credit_note("R-2", "10.00")])
    made = xero_client.invoiced("A")
    first = xero_client.paid(made, "10.00", Reference="settlement 1").accepted()
    xero_client.paid(made, "20.00", Reference="settlement 2").accepted()
    xero_client.post(f"Payments/{first['PaymentID']}", {"Status": "DELETED"}).accepted()

    notes = xero_client.get("CreditNotes", where='CreditNoteNumber=="r-2"', page=1).accepted()
    assert (notes["CreditNoteNumber"], len(notes["LineItems"])) == ("R-2", 1)

    def amounts(where: str) -> list[Decimal]:
        return [one["Amount"] for one in xero_client.get("Payments", where=where, page=1).body["Payments"]]

    assert amounts(f'Invoice.InvoiceID==Guid("{made["InvoiceID"]}")') == [10, 20]
    assert amounts('Reference=="settlement 2"') == [20]
    assert amounts('Status=="DELETED"') == [10]
    assert amounts('Account.Code=="CLR-GBP" && Amount>15') == [20]


def test_settings(xero_client: XeroClient) -> None:
    organisation = xero_client.get("Organisation").accepted()
    assert (organisation["BaseCurrency"], organisation["CountryCode"], organisation["Timezone"]) == (
        "GBP",
        "GB",
        "GMTSTANDARDTIME",
    )
    rounding = xero_client.get("Accounts", where='SystemAccount=="ROUNDING"').accepted()
    assert rounding["Code"] == "498"
    banks = xero_client.get("Accounts", where='Type=="BANK" && Status=="ACTIVE"', order="Code").body["Accounts"]
    assert [(one["Code"], one["CurrencyCode"]) for one in banks if one["Code"].startswith("CLR-")] == [
        (f"CLR-{code}", code) for code in ("AUD", "CAD", "EUR", "GBP", "JPY", "USD")
    ]
    rates = xero_client.get("TaxRates", where='Status=="ACTIVE" && CanApplyToRevenue==true').body["TaxRates"]
    assert {"OUTPUT2", "RROUTPUT", "ZERORATEDOUTPUT", "NONE", "TAX001"} <= {one["TaxType"] for one in rates}
    assert not {"INPUT2", "TAX006"} & {one["TaxType"] for one in rates}
    currencies = {one["Code"] for one in xero_client.get("Currencies").body["Currencies"]}
    assert currencies == {"GBP", "USD", "EUR", "CAD", "JPY", "AUD"}


def test_a_currency_and_an_account_can_be_added(xero_client: XeroClient) -> None:
    assert xero_client.put("Currencies", {"Code": "CHF"}).accepted()["Code"] == "CHF"
    assert xero_client.invoiced(CurrencyCode="CHF")["CurrencyCode"] == "CHF"

    bank = {"Code": "CLR-CHF", "Name": "Clearing CHF", "Type": "BANK", "BankAccountNumber": "1", "CurrencyCode": "CHF"}
    made = xero_client.put("Accounts", bank).accepted()
    assert (made["Class"], made["Status"], made["CurrencyCode"]) == ("ASSET", "ACTIVE", "CHF")
    assert xero_client.put("Accounts", bank).messages == ["Please enter a unique Code.", "Please enter a unique Name."]
    assert xero_client.put("Currencies", {"Code": "pound"}).status == 400


def test_items(xero_client: XeroClient) -> None:
    item = {"Code": "SKU-1", "Name": "Mug", "SalesDetails": {"UnitPrice": Decimal("7.50"), "AccountCode": "200"}}
    made = xero_client.put("Items", {"Items": [item]}).accepted()

    assert xero_client.put("Items", {"Items": [item]}).messages == ["Price List Item with Code 'SKU-1' already exists"]
    assert xero_client.post("Items", {"Code": "sku-1", "Name": "Cup"}).accepted()["ItemID"] == made["ItemID"]
    assert xero_client.get("Items/SKU-1").accepted()["Name"] == "Cup"
    assert xero_client.get("Items", where='Code=="SKU-1"').accepted()["SalesDetails"]["UnitPrice"] == Decimal("7.5")
    assert xero_client.put("Items", {"Code": "X" * 31}).status == 400

    sold = xero_client.put("Invoices", invoice(LineItems=[{"ItemCode": "SKU-1", "Description": "Cup"}])).accepted()
    assert (sold["SubTotal"], sold["LineItems"][0]["AccountCode"]) == (Decimal("7.50"), "200")
