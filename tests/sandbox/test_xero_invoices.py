"""Invoices: numbers, arithmetic, validation, statuses and batches."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.testing.xero import XeroClient, credit_note, invoice, line
from sandbox.xero import organisation_for

NO_ID = "00000000-0000-0000-0000-000000000000"
NOT_MODIFIABLE = "Invoice not of valid status for modification"
HAS_PAYMENT = "This document cannot be edited as it has a payment or credit note allocated to it."


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


# -- creating ----------------------------------------------------------------------------------------------------


def test_approved_invoice_is_returned_complete(xero: XeroClient) -> None:
    created = xero.put("Invoices", invoice("AMZ-302-1", "36.00", Reference="order 302-1")).record()

    assert created["InvoiceNumber"] == "AMZ-302-1"
    assert (created["Status"], created["Total"], created["AmountDue"], created["AmountPaid"]) == (
        "AUTHORISED",
        36,
        36,
        0,
    )
    assert (created["Date"], created["DateString"]) == ("/Date(1795132800000+0000)/", "2026-11-20T00:00:00")
    assert created["UpdatedDateUTCString"] == "2026-11-23 10:00:00+00:00"
    assert created["Contact"]["Name"] == "Amazon UK"
    assert created["Contact"]["IsCustomer"] is True
    assert created["LineItems"][0]["AccountCode"] == "200"
    assert created == {**xero.get(f"Invoices/{created['InvoiceID']}").record()}
    assert created == {**xero.get("Invoices/amz-302-1").record()}, "an invoice is also found by its number, in any case"


def test_invoice_is_a_draft_by_default_and_needs_no_account(xero: XeroClient) -> None:
    created = xero.put(
        "Invoices", {"Type": "ACCREC", "Contact": {"Name": "A"}, "LineItems": [{"Description": "to be completed"}]}
    ).record()

    assert (created["Status"], created["Total"], created["LineAmountTypes"]) == ("DRAFT", 0, "Exclusive")
    assert created["InvoiceNumber"] == "INV-0001"


@pytest.mark.parametrize("amounts", ["Exclusive", "NoTax"])
def test_line_of_a_description_only_is_accepted_and_returned_without_amounts(xero: XeroClient, amounts: str) -> None:
    lines = [line("36.00"), {"Description": "agreed by phone"}]
    created = xero.put("Invoices", invoice("AMZ-302-1", "36.00", LineAmountTypes=amounts, LineItems=lines)).record()

    remark = created["LineItems"][1]
    assert (created["Status"], remark["Description"]) == ("AUTHORISED", "agreed by phone")
    assert not remark.keys() & {"Quantity", "UnitAmount", "AccountCode", "TaxType"}
    assert created["LineItems"] == xero.get(f"Invoices/{created['InvoiceID']}").record()["LineItems"]


@pytest.mark.parametrize(
    ("country", "now", "day"),
    [
        ("GB", "2026-11-23T23:30:00+00:00", "2026-11-23"),
        ("AU", "2026-11-23T23:30:00+00:00", "2026-11-24"),
        ("US", "2026-11-23T03:30:00+00:00", "2026-11-22"),
    ],
)
def test_default_date_is_the_organisations_own_day(country: str, now: str, day: str) -> None:
    client = XeroClient(organisation_for(country), start=datetime.fromisoformat(now))
    body = {"Type": "ACCREC", "Contact": {"Name": "A"}}
    assert client.put("Invoices", body).record()["DateString"] == f"{day}T00:00:00"


@pytest.mark.parametrize(
    "sent", ["2026-11-20", "2026-11-20T00:00:00", "/Date(1795132800000+0000)/", "/Date(1795132800000)/"]
)
def test_every_date_format_is_read_as_the_same_day(xero: XeroClient, sent: str) -> None:
    assert xero.create_invoice(Date=sent)["DateString"] == "2026-11-20T00:00:00"


def test_approved_invoice_without_a_due_date_is_due_on_its_date(xero: XeroClient) -> None:
    assert xero.create_invoice("A", DueDate=None)["DueDateString"] == "2026-11-20T00:00:00"
    assert "DueDate" not in xero.create_invoice("B", DueDate=None, Status="DRAFT")


def test_body_may_be_an_envelope_a_list_or_one_object(xero: XeroClient) -> None:
    for number, body in (("A", {"Invoices": [invoice("A")]}), ("B", [invoice("B")]), ("C", invoice("C"))):
        assert xero.put("Invoices", body).record()["InvoiceNumber"] == number


# -- numbers -----------------------------------------------------------------------------------------------------


def test_number_of_a_voided_or_deleted_invoice_stays_in_use(xero: XeroClient) -> None:
    for number, initial_status, final_status in (
        ("A", "AUTHORISED", "VOIDED"),
        ("B", "DRAFT", "DELETED"),
        ("C", "AUTHORISED", None),
    ):
        created = xero.create_invoice(number, Status=initial_status)
        if final_status:
            xero.post("Invoices", {"InvoiceID": created["InvoiceID"], "Status": final_status}).record()
        duplicate = xero.put("Invoices", invoice(number.lower()))
        assert (duplicate.status, duplicate.messages) == (400, ["Invoice # must be unique."])
    assert len(xero.books()["Invoices"]) == 3


def test_put_rejects_an_existing_number_and_post_updates_its_invoice(xero: XeroClient) -> None:
    created = xero.create_invoice("A", "100.00")

    assert xero.put("Invoices", invoice("A", "90.00")).messages == ["Invoice # must be unique."]
    updated = xero.post("Invoices", invoice("A", "90.00")).record()

    assert (updated["InvoiceID"], updated["Total"]) == (created["InvoiceID"], 90)


def test_bill_numbers_need_not_be_unique(xero: XeroClient) -> None:
    bill = invoice("S-1", Type="ACCPAY", LineItems=[line(AccountCode="412")])
    assert xero.put("Invoices", bill).status == xero.put("Invoices", bill).status == 200


def test_renumbering_an_invoice_releases_its_number(xero: XeroClient) -> None:
    created = xero.create_invoice("A")
    xero.post(f"Invoices/{created['InvoiceID']}", {"InvoiceNumber": "A-void"}).record()

    assert xero.create_invoice("A")["InvoiceID"] != created["InvoiceID"]
    duplicate = xero.post(f"Invoices/{created['InvoiceID']}", {"InvoiceNumber": "A"})
    assert duplicate.messages == ["Invoice # must be unique."]


# -- arithmetic --------------------------------------------------------------------------------------------------

# quantity, unit amount and line amount sent, decimals of unit amounts -> quantity, unit amount, line amount stored
LINES = [
    ("3", "12.345", None, 2, "3", "12.35", "37.05"),  # the unit amount is rounded before it is multiplied
    ("3", "12.3450", None, 4, "3", "12.3450", "37.04"),  # 37.035 is rounded up
    ("3", "3.3333", None, 4, "3", "3.3333", "10.00"),
    ("1.23456", "10.00", None, 2, "1.2346", "10.00", "12.35"),
    (None, "5.00", None, 2, "1", "5.00", "5.00"),
    (None, None, "19.99", 2, "1", "19.99", "19.99"),
    ("4", None, "10.00", 2, "4", "2.50", "10.00"),
    ("3", None, "10.00", 2, "3", "3.33", "10.00"),
    (None, "2.50", "10.00", 2, "4", "2.50", "10.00"),
    ("1", "-2.165", None, 4, "1", "-2.1650", "-2.17"),  # halves are rounded away from zero
    ("2", "5.00", "10.00", 2, "2", "5.00", "10.00"),
]


@pytest.mark.parametrize(
    ("quantity", "unit", "amount", "decimals", "stored_quantity", "stored_unit", "stored_amount"), LINES
)
def test_missing_line_amount_is_calculated_and_rounded(
    xero: XeroClient,
    quantity: str | None,
    unit: str | None,
    amount: str | None,
    decimals: int,
    stored_quantity: str,
    stored_unit: str,
    stored_amount: str,
) -> None:
    sent: dict[str, Any] = {"Description": "x", "AccountCode": "200", "TaxType": "NONE"}
    numbers = {"Quantity": quantity, "UnitAmount": unit, "LineAmount": amount}
    sent |= {key: Decimal(value) for key, value in numbers.items() if value is not None}
    options = {"unitdp": 4} if decimals == 4 else {}

    created = xero.put("Invoices", invoice(Status="DRAFT", LineItems=[sent]), **options).record()["LineItems"][0]

    stored = (created["Quantity"], created["UnitAmount"], created["LineAmount"])
    assert stored == (Decimal(stored_quantity), Decimal(stored_unit), Decimal(stored_amount))


def test_line_total_that_does_not_match_is_rejected(xero: XeroClient) -> None:
    rejected = xero.put("Invoices", invoice(LineItems=[line("3.3333", Quantity=3, LineAmount=Decimal("10.00"))]))
    assert rejected.messages == ["The line total 10.00 does not match the expected line total 9.99"]


# line amount types, tax type, unit amount -> tax, subtotal, total
TAXES = [
    ("Exclusive", "OUTPUT2", "100.00", "20.00", "100.00", "120.00"),
    ("Inclusive", "OUTPUT2", "120.00", "20.00", "100.00", "120.00"),
    ("NoTax", "OUTPUT2", "100.00", "0.00", "100.00", "100.00"),
    ("Inclusive", "TAX002", "113.00", "13.00", "100.00", "113.00"),
    ("Exclusive", "RROUTPUT", "0.10", "0.01", "0.10", "0.11"),  # 0.005 is rounded up
    ("Inclusive", "ZERORATEDOUTPUT", "50.00", "0.00", "50.00", "50.00"),
    ("Exclusive", None, "100.00", "20.00", "100.00", "120.00"),  # the account's own tax type
]


@pytest.mark.parametrize(("types", "tax_type", "unit", "tax", "sub_total", "total"), TAXES)
def test_tax_follows_the_rate_and_the_line_amount_types(
    xero: XeroClient, types: str, tax_type: str | None, unit: str, tax: str, sub_total: str, total: str
) -> None:
    sent = line(unit, TaxType=tax_type)
    created = xero.put("Invoices", invoice(LineAmountTypes=types, LineItems=[sent])).record()

    amounts = (created["TotalTax"], created["SubTotal"], created["Total"], created["LineItems"][0]["TaxAmount"])
    assert amounts == (Decimal(tax), Decimal(sub_total), Decimal(total), Decimal(tax))


def test_inclusive_tax_matches_xeros_published_example() -> None:
    client = XeroClient(organisation_for("NZ"))
    lines = [line("541.25", TaxType="OUTPUT2"), line("500.00", TaxType="OUTPUT2")]
    created = client.put("Invoices", invoice(LineAmountTypes="Inclusive", LineItems=lines)).record()

    assert [one["TaxAmount"] for one in created["LineItems"]] == [Decimal("70.60"), Decimal("65.22")]
    assert created["TotalTax"] == Decimal("135.82")


def test_tax_amount_in_the_request_overrides_the_rate(xero: XeroClient) -> None:
    sent = line("100.00", TaxType="OUTPUT2", TaxAmount=Decimal("19.99"))
    created = xero.put("Invoices", invoice(LineItems=[sent])).record()
    assert (created["TotalTax"], created["Total"]) == (Decimal("19.99"), Decimal("119.99"))


def test_tax_amount_above_the_unit_amount_is_refused(xero: XeroClient) -> None:
    sent = line("0.83", Quantity=40, TaxType="OUTPUT2", TaxAmount=Decimal("1.60"))
    refused = xero.put("Invoices", invoice(LineItems=[sent]))
    assert refused.messages == ["The TaxAmount specified cannot be greater than the UnitAmount."]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.integers(-50_000, 500_000), st.sampled_from(["OUTPUT2", "RROUTPUT", "NONE"])),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["Exclusive", "Inclusive"]),
)
def test_totals_are_sums_of_individually_rounded_lines(lines: list[tuple[int, int, str]], types: str) -> None:
    rates = {"OUTPUT2": 20, "RROUTPUT": 5, "NONE": 0}
    sent = [line(str(Decimal(unit).scaleb(-2)), Quantity=quantity, TaxType=tax) for quantity, unit, tax in lines]
    created = XeroClient().put("Invoices", invoice(Status="DRAFT", LineAmountTypes=types, LineItems=sent)).record()

    amounts = [quantity * Decimal(unit).scaleb(-2) for quantity, unit, _ in lines]
    by_rate = list(zip(amounts, (rates[tax] for *_, tax in lines), strict=True))
    total = sum(amounts, Decimal(0))
    if types == "Inclusive":
        tax = sum((cents(amount * rate / (100 + rate)) for amount, rate in by_rate), Decimal(0))
        expected = (total - tax, tax, total)
    else:
        tax = sum((cents(amount * rate / 100) for amount, rate in by_rate), Decimal(0))
        expected = (total, tax, total + tax)
    assert (created["SubTotal"], created["TotalTax"], created["Total"]) == expected


def test_discount_is_supported_on_invoices_only(xero: XeroClient) -> None:
    created = xero.put("Invoices", invoice(LineItems=[line("80.00", DiscountRate=25)])).record()
    assert (created["Total"], created["TotalDiscount"], created["IsDiscounted"]) == (60, 20, True)

    rejected = xero.put("CreditNotes", credit_note(LineItems=[line("80.00", DiscountRate=25)]))
    assert rejected.messages == ["Discounts are only supported on ACCREC invoices"]


# -- validation -------------------------------------------------------------------------------------------------

INVALID_FIELDS = [
    ({"LineItems": [line(AccountCode="999")]}, ["Account code '999' is not a valid code for this document."]),
    ({"LineItems": [line(AccountCode="610")]}, ["Account code '610' is not a valid code for this document."]),
    ({"LineItems": [line(AccountCode="CLR-GBP")]}, ["Account code 'CLR-GBP' is not a valid code for this document."]),
    (
        {"LineItems": [line(AccountCode="206")]},
        [
            "Account code '206' has been archived, or has been deleted. "
            "Each line item must reference a valid account."
        ],
    ),
    ({"LineItems": [line(AccountCode=None)]}, ["Account code or ID must be specified"]),
    ({"LineItems": [line(Description="")]}, ["Description cannot be empty."]),
    ({"LineItems": []}, ["One or more line items must be specified"]),
    (
        {"LineItems": [line(TaxType="INPUT2")]},
        ["The TaxType code 'INPUT2' cannot be used with account code '200'."],
    ),
    (
        {"LineItems": [line(TaxType="20% VAT")]},
        [
            "The TaxType code 20% VAT does not exist or cannot be used for this type of transaction.",
            "The TaxType code '20% VAT' cannot be used with account code '200'.",
        ],
    ),
    (
        {"LineItems": [line(TaxType="TAX006")]},
        ["The TaxType code TAX006 does not exist or cannot be used for this type of transaction."],
    ),
    ({"CurrencyCode": "CHF"}, ["Organisation is not subscribed to currency CHF"]),
    (
        {"Date": "2026-09-30"},
        ["The document date cannot be before the period lock date, currently set at 30 Sep 2026"],
    ),
    ({"Contact": {}}, ["The Contact must contain at least 1 of the following elements to identify the contact: "
                       "Name, ContactID, ContactNumber"]),
    ({"LineItems": [line("-1.00")]}, ["The invoice total must not be negative."]),
    ({"Type": None}, ["The Type field is mandatory"]),
    ({"Status": "VOIDED"}, [NOT_MODIFIABLE]),
    ({"Status": "PAID"}, [NOT_MODIFIABLE]),
    ({"LineItems": [line(ItemCode="SKU-1")]}, ["Item code 'SKU-1' is not valid"]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "messages"), INVALID_FIELDS)
def test_invalid_invoice_is_rejected_and_changes_nothing(
    xero: XeroClient, fields: dict[str, Any], messages: list[str]
) -> None:
    xero.control(
        "POST",
        "organisation",
        {
            "Organisation": {"PeriodLockDate": "2026-09-30"},
            "Accounts": [{"Code": "206", "Status": "ARCHIVED"}],
        },
    )
    rejected = xero.put("Invoices", invoice(**fields))

    assert (rejected.status, rejected.messages) == (400, messages)
    assert (rejected.body["ErrorNumber"], rejected.body["Type"]) == (10, "ValidationException")
    books = xero.books()
    assert (books["Invoices"], books["Contacts"]) == ([], [])
    assert xero.create_invoice()["Status"] == "AUTHORISED", "the invoice is accepted without the invalid field"


def test_end_of_year_lock_date_applies_to_approved_invoices_only(xero: XeroClient) -> None:
    xero.control("POST", "organisation", {"Organisation": {"EndOfYearLockDate": "/Date(1774915200000+0000)/"}})
    locked = xero.put("Invoices", invoice(Date="2026-03-31"))
    assert locked.messages == [
        "The document date cannot be before the end of year lock date, currently set at 31 Mar 2026"
    ]
    assert xero.put("Invoices", invoice(Date="2026-03-31", Status="DRAFT")).status == 200
    assert xero.put("Invoices", invoice("B", Date="2026-04-01")).status == 200


def test_foreign_currency_invoice_uses_the_rate_sent_or_the_days_rate(xero: XeroClient) -> None:
    assert xero.create_invoice("A", CurrencyCode="USD")["CurrencyRate"] == Decimal("1.31")
    assert xero.create_invoice("B", CurrencyCode="USD", CurrencyRate=Decimal("1.25"))["CurrencyRate"] == Decimal("1.25")
    assert xero.create_invoice("C")["CurrencyRate"] == 1


@pytest.mark.parametrize(
    ("body", "number", "kind"),
    [
        (b"{not json", 14, "PostDataInvalidException"),
        (b"7", 14, "PostDataInvalidException"),
        (b'{"Invoices": 5}', 14, "PostDataInvalidException"),
        (b'{"Invoices": [7]}', 14, "PostDataInvalidException"),
        (b'{"Invoices": []}', 17, "NoDataProcessedException"),
        (b'{"Type": "ACCREC", "LineAmountTypes": "NO_TAX"}', 14, "PostDataInvalidException"),
        (b'{"Type": "SALE"}', 14, "PostDataInvalidException"),
        (b'{"Type": "ACCREC", "Status": "OPEN"}', 14, "PostDataInvalidException"),
        (b'{"Type": "ACCREC", "Date": "20.11.2026"}', 14, "PostDataInvalidException"),
        (b'{"Type": "ACCREC", "Contact": {"Name": "A"}, "LineItems": [{"Quantity": "two"}]}', 14, None),
        (b'{"Type": "ACCREC", "Contact": {"Name": "A"}, "LineItems": [{"Quantity": 1e300}]}', 14, None),
        (b'{"Type": "ACCREC", "Contact": {"Name": "A"}, "LineItems": [{"Quantity": NaN}]}', 14, None),
        (b'{"Type": "ACCREC", "Contact": "Amazon"}', 14, "PostDataInvalidException"),
    ],
)
def test_unreadable_body_fails_the_whole_call(xero: XeroClient, body: bytes, number: int, kind: str | None) -> None:
    rejected = xero.put("Invoices", body, summarizeErrors="false")
    assert (rejected.status, rejected.body["ErrorNumber"]) == (400, number)
    assert kind in (None, rejected.body["Type"])
    assert xero.books()["Contacts"] == []


# -- statuses ----------------------------------------------------------------------------------------------------

# status before, status sent -> status after, or the message
STATUS_CHANGES = [
    ("DRAFT", "DRAFT", "DRAFT"),
    ("DRAFT", "SUBMITTED", "SUBMITTED"),
    ("DRAFT", "AUTHORISED", "AUTHORISED"),
    ("DRAFT", "DELETED", "DELETED"),
    ("DRAFT", "VOIDED", NOT_MODIFIABLE),
    ("DRAFT", "PAID", NOT_MODIFIABLE),
    ("SUBMITTED", "AUTHORISED", "AUTHORISED"),
    ("SUBMITTED", "DELETED", "DELETED"),
    ("SUBMITTED", "VOIDED", NOT_MODIFIABLE),
    ("AUTHORISED", "AUTHORISED", "AUTHORISED"),
    ("AUTHORISED", "VOIDED", "VOIDED"),
    ("AUTHORISED", "DELETED", NOT_MODIFIABLE),
    ("AUTHORISED", "DRAFT", NOT_MODIFIABLE),
    ("AUTHORISED", "PAID", NOT_MODIFIABLE),
    ("VOIDED", "AUTHORISED", NOT_MODIFIABLE),
    ("VOIDED", "VOIDED", NOT_MODIFIABLE),
    ("DELETED", "DRAFT", NOT_MODIFIABLE),
    ("DELETED", "DELETED", NOT_MODIFIABLE),
]


def create_in_status(client: XeroClient, status: str) -> dict[str, Any]:
    created = client.create_invoice(Status={"VOIDED": "AUTHORISED", "DELETED": "DRAFT"}.get(status, status))
    if status in {"VOIDED", "DELETED"}:
        client.post("Invoices", {"InvoiceID": created["InvoiceID"], "Status": status}).record()
    return created


@pytest.mark.parametrize(("before", "sent", "after"), STATUS_CHANGES)
def test_only_xeros_status_changes_are_accepted(xero: XeroClient, before: str, sent: str, after: str) -> None:
    created = create_in_status(xero, before)
    response = xero.post("Invoices", {"InvoiceID": created["InvoiceID"], "Status": sent})

    if after == NOT_MODIFIABLE:
        assert (response.status, response.messages) == (400, [NOT_MODIFIABLE])
        assert response.body["Elements"][0]["InvoiceID"] == created["InvoiceID"]
        after = before
    else:
        assert response.status == 200
    assert xero.get(f"Invoices/{created['InvoiceID']}").record()["Status"] == after


def test_voided_invoice_keeps_its_amount_due(xero: XeroClient) -> None:
    created = xero.create_invoice("A", "24.15")
    voided = xero.post(
        "Invoices",
        {"InvoiceID": created["InvoiceID"], "Type": "ACCREC", "Contact": {"Name": "Amazon UK"}, "Status": "VOIDED"},
    ).record()
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", Decimal("24.15"))


def test_lines_of_an_approved_unpaid_invoice_are_replaced(xero: XeroClient) -> None:
    created = xero.put("Invoices", invoice(LineItems=[line("10.00"), line("20.00")])).record()
    kept_id = created["LineItems"][1]["LineItemID"]

    changed = xero.post(
        "Invoices",
        {"InvoiceID": created["InvoiceID"], "LineItems": [line("25.00", LineItemID=kept_id), line("1.00")]},
    ).record()

    assert (changed["Total"], changed["Status"]) == (26, "AUTHORISED")
    assert changed["LineItems"][0]["LineItemID"] == kept_id
    assert created["LineItems"][0]["LineItemID"] not in {one["LineItemID"] for one in changed["LineItems"]}


def test_changing_the_line_amount_types_recalculates_the_lines(xero: XeroClient) -> None:
    created = xero.put("Invoices", invoice(LineItems=[line("120.00", TaxType="OUTPUT2")])).record()
    assert created["Total"] == 144
    changed = xero.post(f"Invoices/{created['InvoiceID']}", {"LineAmountTypes": "Inclusive"}).record()
    assert (changed["SubTotal"], changed["TotalTax"], changed["Total"]) == (100, 20, 120)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"LineItems": [line("1.00")]}, HAS_PAYMENT),
        ({"Reference": "new"}, HAS_PAYMENT),
        ({"Status": "AUTHORISED"}, HAS_PAYMENT),
        (
            {"Status": "VOIDED"},
            "The status VOIDED cannot be applied to the invoice "
            "because it has payments or credit notes allocated to it.",
        ),
    ],
)
@pytest.mark.parametrize("amount", ["30.00", "100.00"])
def test_document_with_a_payment_rejects_changes(
    xero: XeroClient, change: dict[str, Any], message: str, amount: str
) -> None:
    created = xero.create_invoice()
    xero.pay(created, amount).record()
    before = xero.get("Invoices/AMZ-1").record()

    assert xero.post("Invoices", {"InvoiceID": created["InvoiceID"], **change}).messages == [message]
    assert xero.get("Invoices/AMZ-1").record() == before


def test_zero_invoice_is_paid_when_approved(xero: XeroClient) -> None:
    created = xero.create_invoice("A", "0.00")
    assert (created["Status"], created["AmountDue"]) == ("PAID", 0)
    voided = xero.post("Invoices", {"InvoiceID": created["InvoiceID"], "Status": "VOIDED"}).record()
    assert voided["Status"] == "VOIDED"


def test_unknown_ids_and_paths_are_rejected(xero: XeroClient) -> None:
    unknown = xero.post("Invoices", {"InvoiceID": "deadbeef-0000-4000-8000-000000000000", "Status": "VOIDED"})
    assert unknown.messages == ["An existing Invoice with the specified InvoiceID could not be found"]
    for response in (
        xero.get("Invoices/nope"),
        xero.post("Invoices/nope", {"Status": "VOIDED"}),
        xero.get("Journals"),
        xero.call("DELETE", "Invoices"),
        xero.get("Invoices/AMZ-1/Attachments"),
    ):
        assert (response.status, response.body) == (404, b"")
        assert response.headers["content-type"].startswith("text/html")


# -- batches -----------------------------------------------------------------------------------------------------


def test_one_invalid_element_rejects_the_whole_call_by_default(xero: XeroClient) -> None:
    batch = {"Invoices": [invoice("A"), invoice("B", CurrencyCode="CHF"), invoice("A")]}
    rejected = xero.put("Invoices", batch)

    assert rejected.status == 400
    assert rejected.messages == ["Organisation is not subscribed to currency CHF", "Invoice # must be unique."]
    assert rejected.body["Elements"][0]["InvoiceNumber"] == "B"
    assert rejected.body["Elements"][0]["InvoiceID"] == NO_ID
    assert rejected.body["Elements"][0]["Date"] == "/Date(1795132800000+0000)/"
    books = xero.books()
    assert (books["Invoices"], books["Contacts"]) == ([], [])


@pytest.mark.parametrize("spelling", ["false", "False"])
def test_elements_are_processed_individually_without_summarizing(xero: XeroClient, spelling: str) -> None:
    batch = {"Invoices": [invoice("A"), invoice("B", CurrencyCode="CHF"), invoice("A"), invoice("C")]}
    response = xero.put("Invoices", batch, summarizeErrors=spelling)

    assert (response.status, response.body["Status"]) == (200, "OK")
    outcomes = [(one["StatusAttributeString"], one["HasErrors"]) for one in response.body["Invoices"]]
    assert outcomes == [("OK", False), ("ERROR", True), ("ERROR", True), ("OK", False)]
    assert [one["InvoiceNumber"] for one in xero.books()["Invoices"]] == ["A", "C"]


def test_rejected_element_does_not_create_its_contact(xero: XeroClient) -> None:
    batch = [invoice("A"), invoice("B", CurrencyCode="CHF", Contact={"Name": "Only in the rejected one"})]
    xero.put("Invoices", batch, summarizeErrors="false")
    assert [one["Name"] for one in xero.books()["Contacts"]] == ["Amazon UK"]


def test_success_has_a_status_attribute_only_without_summarizing(xero: XeroClient) -> None:
    assert "StatusAttributeString" not in xero.create_invoice("A")
    apart = xero.put("Invoices", invoice("B"), summarizeErrors="false").record()
    assert apart["StatusAttributeString"] == "OK"


# -- history -----------------------------------------------------------------------------------------------------


def test_history_notes_are_stored_with_the_invoice(xero: XeroClient) -> None:
    created = xero.create_invoice()
    path = f"Invoices/{created['InvoiceID']}/History"

    assert xero.put(path, {"HistoryRecords": [{"Details": "Amazon order 302-1"}]}).status == 200
    assert xero.put(path, {"HistoryRecords": [{"Details": "x" * 2501}]}).status == 400
    assert xero.get(path).record()["Details"] == "Amazon order 302-1"
    assert xero.put("Invoices/nope/History", {"HistoryRecords": [{"Details": "x"}]}).status == 404


def test_line_is_reported_under_the_tracking_options_that_the_organisation_has(xero: XeroClient) -> None:
    xero.control("POST", "organisation", {"TrackingCategories": [{"Name": "Team", "Options": [{"Name": "North"}]}]})
    sent = [
        {"Name": "channel", "Option": "fba"},
        {"Name": "Team", "Option": "North"},
    ]

    (written,) = xero.create_invoice("A", LineItems=[line(Tracking=sent)])["LineItems"]
    (unknown,) = xero.create_invoice("B", LineItems=[line(Tracking=[{"Name": "Team", "Option": "South"}])])["LineItems"]

    named = [(each["Name"], each["Option"]) for each in written["Tracking"]]
    assert named == [("Channel", "FBA"), ("Team", "North")]
    assert all(each["TrackingCategoryID"] and each["TrackingOptionID"] for each in written["Tracking"])
    assert unknown["Tracking"] == []


def test_line_has_at_most_two_tracking_categories(xero: XeroClient) -> None:
    response = xero.put("Invoices", invoice("A", LineItems=[line(Tracking=[{"Name": "Channel", "Option": "FBA"}] * 3)]))

    assert "A line item can have at most 2 tracking categories." in str(response.body)
