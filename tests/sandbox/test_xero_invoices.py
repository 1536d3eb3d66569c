"""Invoices: numbers, arithmetic, checks against the books, statuses and batches."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xero_driver import XeroClient, credit_note, invoice, line

from sandbox.xero import organisation_for

NO_ID = "00000000-0000-0000-0000-000000000000"
NOT_MODIFIABLE = "Invoice not of valid status for modification"
HAS_PAYMENT = "This document cannot be edited as it has a payment or credit note allocated to it."


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


# -- creating ----------------------------------------------------------------------------------------------------


def test_an_approved_invoice_comes_back_complete(xero_client: XeroClient) -> None:
    made = xero_client.put("Invoices", invoice("AMZ-302-1", "36.00", Reference="order 302-1")).accepted()

    assert made["InvoiceNumber"] == "AMZ-302-1"
    assert (made["Status"], made["Total"], made["AmountDue"], made["AmountPaid"]) == ("AUTHORISED", 36, 36, 0)
    assert (made["Date"], made["DateString"]) == ("/Date(1795132800000+0000)/", "2026-11-20T00:00:00")
    assert made["UpdatedDateUTCString"] == "2026-11-23 10:00:00+00:00"
    assert made["Contact"]["Name"] == "Amazon UK"
    assert made["Contact"]["IsCustomer"] is True
    assert made["LineItems"][0]["AccountCode"] == "200"
    assert made == {**xero_client.get(f"Invoices/{made['InvoiceID']}").accepted()}
    assert made == {**xero_client.get("Invoices/amz-302-1").accepted()}, "the number finds it as well, in any case"


def test_a_draft_is_the_default_and_needs_no_account(xero_client: XeroClient) -> None:
    made = xero_client.put(
        "Invoices", {"Type": "ACCREC", "Contact": {"Name": "A"}, "LineItems": [{"Description": "later"}]}
    ).accepted()

    assert (made["Status"], made["Total"], made["LineAmountTypes"]) == ("DRAFT", 0, "Exclusive")
    assert made["InvoiceNumber"] == "INV-0001"


@pytest.mark.parametrize(
    ("country", "now", "day"),
    [
        ("GB", "2026-11-23T23:30:00+00:00", "2026-11-23"),
        ("AU", "2026-11-23T23:30:00+00:00", "2026-11-24"),
        ("US", "2026-11-23T03:30:00+00:00", "2026-11-22"),
    ],
)
def test_without_a_date_the_organisations_own_day_is_taken(country: str, now: str, day: str) -> None:
    from datetime import datetime

    from sandbox.wire import SandboxClock
    from sandbox.xero import XeroSandbox

    client = XeroClient()
    client.sandbox = XeroSandbox(SandboxClock(lambda: datetime.fromisoformat(now)), organisation_for(country))
    client.headers = {
        "Authorization": f"Bearer {client.sandbox.identity.issue_access_token()}",
        "xero-tenant-id": client.sandbox.tenant_id,
    }
    body = {"Type": "ACCREC", "Contact": {"Name": "A"}}
    assert client.put("Invoices", body).accepted()["DateString"] == f"{day}T00:00:00"


@pytest.mark.parametrize(
    "sent", ["2026-11-20", "2026-11-20T00:00:00", "/Date(1795132800000+0000)/", "/Date(1795132800000)/"]
)
def test_every_date_format_means_the_same_day(xero_client: XeroClient, sent: str) -> None:
    assert xero_client.invoiced(Date=sent)["DateString"] == "2026-11-20T00:00:00"


def test_an_approved_invoice_without_a_due_date_is_due_at_once(xero_client: XeroClient) -> None:
    assert xero_client.invoiced("A", DueDate=None)["DueDateString"] == "2026-11-20T00:00:00"
    assert "DueDate" not in xero_client.invoiced("B", DueDate=None, Status="DRAFT")


def test_a_body_may_be_wrapped_a_list_or_one_object(xero_client: XeroClient) -> None:
    for number, body in (("A", {"Invoices": [invoice("A")]}), ("B", [invoice("B")]), ("C", invoice("C"))):
        assert xero_client.put("Invoices", body).accepted()["InvoiceNumber"] == number


# -- numbers -----------------------------------------------------------------------------------------------------


def test_a_number_is_unique_even_after_void_and_delete(xero_client: XeroClient) -> None:
    for number, first, end in (("A", "AUTHORISED", "VOIDED"), ("B", "DRAFT", "DELETED"), ("C", "AUTHORISED", None)):
        made = xero_client.invoiced(number, Status=first)
        if end:
            xero_client.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": end}).accepted()
        again = xero_client.put("Invoices", invoice(number.lower()))
        assert (again.status, again.messages) == (400, ["Invoice # must be unique."])
    assert len(xero_client.books()["Invoices"]) == 3


def test_put_refuses_an_existing_number_where_post_updates_it(xero_client: XeroClient) -> None:
    made = xero_client.invoiced("A", "100.00")

    assert xero_client.put("Invoices", invoice("A", "90.00")).messages == ["Invoice # must be unique."]
    updated = xero_client.post("Invoices", invoice("A", "90.00")).accepted()

    assert (updated["InvoiceID"], updated["Total"]) == (made["InvoiceID"], 90)


def test_purchase_numbers_are_the_suppliers_and_repeat(xero_client: XeroClient) -> None:
    bill = invoice("S-1", Type="ACCPAY", LineItems=[line(AccountCode="412")])
    assert xero_client.put("Invoices", bill).status == xero_client.put("Invoices", bill).status == 200


def test_a_renamed_invoice_frees_its_number(xero_client: XeroClient) -> None:
    made = xero_client.invoiced("A")
    xero_client.post(f"Invoices/{made['InvoiceID']}", {"InvoiceNumber": "A-void"}).accepted()

    assert xero_client.invoiced("A")["InvoiceID"] != made["InvoiceID"]
    taken = xero_client.post(f"Invoices/{made['InvoiceID']}", {"InvoiceNumber": "A"})
    assert taken.messages == ["Invoice # must be unique."]


# -- arithmetic --------------------------------------------------------------------------------------------------

# quantity, unit amount, line amount sent, decimals of unit amounts -> quantity, unit amount, line amount kept
LINES = [
    ("3", "12.345", None, 2, "3", "12.35", "37.05"),  # the unit amount is rounded before it is multiplied
    ("3", "12.3450", None, 4, "3", "12.3450", "37.04"),  # 37.035 goes up
    ("3", "3.3333", None, 4, "3", "3.3333", "10.00"),
    ("1.23456", "10.00", None, 2, "1.2346", "10.00", "12.35"),
    (None, "5.00", None, 2, "1", "5.00", "5.00"),
    (None, None, "19.99", 2, "1", "19.99", "19.99"),
    ("4", None, "10.00", 2, "4", "2.50", "10.00"),
    ("3", None, "10.00", 2, "3", "3.33", "10.00"),
    (None, "2.50", "10.00", 2, "4", "2.50", "10.00"),
    ("1", "-2.165", None, 4, "1", "-2.1650", "-2.17"),  # halves go away from zero
    ("2", "5.00", "10.00", 2, "2", "5.00", "10.00"),
]


@pytest.mark.parametrize(("quantity", "unit", "amount", "decimals", "kept_quantity", "kept_unit", "kept_amount"), LINES)
def test_a_line_is_completed_and_rounded(
    xero_client: XeroClient,
    quantity: str | None,
    unit: str | None,
    amount: str | None,
    decimals: int,
    kept_quantity: str,
    kept_unit: str,
    kept_amount: str,
) -> None:
    sent: dict[str, Any] = {"Description": "x", "AccountCode": "200", "TaxType": "NONE"}
    numbers = {"Quantity": quantity, "UnitAmount": unit, "LineAmount": amount}
    sent |= {key: Decimal(value) for key, value in numbers.items() if value is not None}
    options = {"unitdp": 4} if decimals == 4 else {}

    made = xero_client.put("Invoices", invoice(Status="DRAFT", LineItems=[sent]), **options).accepted()["LineItems"][0]

    kept = (made["Quantity"], made["UnitAmount"], made["LineAmount"])
    assert kept == (Decimal(kept_quantity), Decimal(kept_unit), Decimal(kept_amount))


def test_a_line_total_that_does_not_add_up_is_refused(xero_client: XeroClient) -> None:
    wrong = xero_client.put("Invoices", invoice(LineItems=[line("3.3333", Quantity=3, LineAmount=Decimal("10.00"))]))
    assert wrong.messages == ["The line total 10.00 does not match the expected line total 9.99"]


# line amount types, tax type, unit amount -> tax, subtotal, total
TAXES = [
    ("Exclusive", "OUTPUT2", "100.00", "20.00", "100.00", "120.00"),
    ("Inclusive", "OUTPUT2", "120.00", "20.00", "100.00", "120.00"),
    ("NoTax", "OUTPUT2", "100.00", "0.00", "100.00", "100.00"),
    ("Inclusive", "TAX002", "113.00", "13.00", "100.00", "113.00"),
    ("Exclusive", "RROUTPUT", "0.10", "0.01", "0.10", "0.11"),  # 0.005 goes up
    ("Inclusive", "ZERORATEDOUTPUT", "50.00", "0.00", "50.00", "50.00"),
    ("Exclusive", None, "100.00", "20.00", "100.00", "120.00"),  # the account's own tax type
]


@pytest.mark.parametrize(("types", "tax_type", "unit", "tax", "sub_total", "total"), TAXES)
def test_tax_follows_the_rate_and_the_line_amount_types(
    xero_client: XeroClient, types: str, tax_type: str | None, unit: str, tax: str, sub_total: str, total: str
) -> None:
    sent = line(unit, TaxType=tax_type)
    made = xero_client.put("Invoices", invoice(LineAmountTypes=types, LineItems=[sent])).accepted()

    amounts = (made["TotalTax"], made["SubTotal"], made["Total"], made["LineItems"][0]["TaxAmount"])
    assert amounts == (Decimal(tax), Decimal(sub_total), Decimal(total), Decimal(tax))


def test_published_inclusive_examples_at_fifteen_percent() -> None:
    client = XeroClient(organisation_for("NZ"))
    lines = [line("541.25", TaxType="OUTPUT2"), line("500.00", TaxType="OUTPUT2")]
    made = client.put("Invoices", invoice(LineAmountTypes="Inclusive", LineItems=lines)).accepted()

    assert [one["TaxAmount"] for one in made["LineItems"]] == [Decimal("70.60"), Decimal("65.22")]
    assert made["TotalTax"] == Decimal("135.82")


def test_a_tax_amount_that_is_sent_overrides_the_rate(xero_client: XeroClient) -> None:
    sent = line("100.00", TaxType="OUTPUT2", TaxAmount=Decimal("19.99"))
    made = xero_client.put("Invoices", invoice(LineItems=[sent])).accepted()
    assert (made["TotalTax"], made["Total"]) == (Decimal("19.99"), Decimal("119.99"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.integers(-50_000, 500_000), st.sampled_from(["OUTPUT2", "RROUTPUT", "NONE"])),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["Exclusive", "Inclusive"]),
)
def test_totals_are_sums_of_lines_rounded_one_by_one(lines: list[tuple[int, int, str]], types: str) -> None:
    rates = {"OUTPUT2": 20, "RROUTPUT": 5, "NONE": 0}
    sent = [line(str(Decimal(unit).scaleb(-2)), Quantity=quantity, TaxType=tax) for quantity, unit, tax in lines]
    made = XeroClient().put("Invoices", invoice(Status="DRAFT", LineAmountTypes=types, LineItems=sent)).accepted()

    amounts = [quantity * Decimal(unit).scaleb(-2) for quantity, unit, _ in lines]
    by_rate = list(zip(amounts, (rates[tax] for *_, tax in lines), strict=True))
    if types == "Inclusive":
        tax = sum(cents(amount * rate / (100 + rate)) for amount, rate in by_rate)
        expected = (sum(amounts) - tax, tax, sum(amounts))
    else:
        tax = sum(cents(amount * rate / 100) for amount, rate in by_rate)
        expected = (sum(amounts), tax, sum(amounts) + tax)
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == expected


def test_a_discount_reduces_the_line_of_an_invoice_only(xero_client: XeroClient) -> None:
    made = xero_client.put("Invoices", invoice(LineItems=[line("80.00", DiscountRate=25)])).accepted()
    assert (made["Total"], made["TotalDiscount"], made["IsDiscounted"]) == (60, 20, True)

    refused = xero_client.put("CreditNotes", credit_note(LineItems=[line("80.00", DiscountRate=25)]))
    assert refused.messages == ["Discounts are only supported on ACCREC invoices"]


# -- checks against the books ------------------------------------------------------------------------------------

WRONG = [
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


@pytest.mark.parametrize(("change", "messages"), WRONG)
def test_what_the_books_do_not_allow_is_refused_and_leaves_no_trace(
    xero_client: XeroClient, change: dict[str, Any], messages: list[str]
) -> None:
    xero_client.control(
        "POST",
        "organisation",
        {
            "Organisation": {"PeriodLockDate": "2026-09-30"},
            "Accounts": [{"Code": "206", "Status": "ARCHIVED"}],
        },
    )
    refused = xero_client.put("Invoices", invoice(**change))

    assert (refused.status, refused.messages) == (400, messages)
    assert (refused.body["ErrorNumber"], refused.body["Type"]) == (10, "ValidationException")
    books = xero_client.books()
    assert (books["Invoices"], books["Contacts"]) == ([], [])
    assert xero_client.invoiced()["Status"] == "AUTHORISED", "the same invoice without the fault is accepted"


def test_the_later_lock_date_counts_too_and_drafts_are_not_posted(xero_client: XeroClient) -> None:
    xero_client.control("POST", "organisation", {"Organisation": {"EndOfYearLockDate": "/Date(1774915200000+0000)/"}})
    locked = xero_client.put("Invoices", invoice(Date="2026-03-31"))
    assert locked.messages == [
        "The document date cannot be before the end of year lock date, currently set at 31 Mar 2026"
    ]
    assert xero_client.put("Invoices", invoice(Date="2026-03-31", Status="DRAFT")).status == 200
    assert xero_client.put("Invoices", invoice("B", Date="2026-04-01")).status == 200


def test_a_foreign_invoice_gets_the_days_rate_or_the_one_sent(xero_client: XeroClient) -> None:
    assert xero_client.invoiced("A", CurrencyCode="USD")["CurrencyRate"] == Decimal("1.31")
    assert xero_client.invoiced("B", CurrencyCode="USD", CurrencyRate=Decimal("1.25"))["CurrencyRate"] == Decimal(
        "1.25"
    )
    assert xero_client.invoiced("C")["CurrencyRate"] == 1


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
def test_a_body_that_cannot_be_read_fails_the_whole_call(
    xero_client: XeroClient, body: bytes, number: int, kind: str | None
) -> None:
    refused = xero_client.put("Invoices", body, summarizeErrors="false")
    assert (refused.status, refused.body["ErrorNumber"]) == (400, number)
    assert kind in (None, refused.body["Type"])
    assert xero_client.books()["Contacts"] == []


# -- statuses ----------------------------------------------------------------------------------------------------

# status before, status sent -> status after, or the message
MOVES = [
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


def in_status(client: XeroClient, status: str) -> dict[str, Any]:
    made = client.invoiced(Status={"VOIDED": "AUTHORISED", "DELETED": "DRAFT"}.get(status, status))
    if status in {"VOIDED", "DELETED"}:
        client.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": status}).accepted()
    return made


@pytest.mark.parametrize(("before", "sent", "after"), MOVES)
def test_status_moves(xero_client: XeroClient, before: str, sent: str, after: str) -> None:
    made = in_status(xero_client, before)
    answer = xero_client.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": sent})

    if after == NOT_MODIFIABLE:
        assert (answer.status, answer.messages) == (400, [NOT_MODIFIABLE])
        assert answer.body["Elements"][0]["InvoiceID"] == made["InvoiceID"]
        after = before
    else:
        assert answer.status == 200
    assert xero_client.get(f"Invoices/{made['InvoiceID']}").accepted()["Status"] == after


def test_a_voided_invoice_keeps_its_amount_due(xero_client: XeroClient) -> None:
    made = xero_client.invoiced("A", "24.15")
    voided = xero_client.post(
        "Invoices",
        {"InvoiceID": made["InvoiceID"], "Type": "ACCREC", "Contact": {"Name": "Amazon UK"}, "Status": "VOIDED"},
    ).accepted()
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", Decimal("24.15"))


def test_an_approved_unpaid_invoice_is_replaced_line_by_line(xero_client: XeroClient) -> None:
    made = xero_client.put("Invoices", invoice(LineItems=[line("10.00"), line("20.00")])).accepted()
    kept_id = made["LineItems"][1]["LineItemID"]

    changed = xero_client.post(
        "Invoices",
        {"InvoiceID": made["InvoiceID"], "LineItems": [line("25.00", LineItemID=kept_id), line("1.00")]},
    ).accepted()

    assert (changed["Total"], changed["Status"]) == (26, "AUTHORISED")
    assert changed["LineItems"][0]["LineItemID"] == kept_id
    assert made["LineItems"][0]["LineItemID"] not in {one["LineItemID"] for one in changed["LineItems"]}


def test_changing_only_the_line_amount_types_recalculates_the_lines(xero_client: XeroClient) -> None:
    made = xero_client.put("Invoices", invoice(LineItems=[line("120.00", TaxType="OUTPUT2")])).accepted()
    assert made["Total"] == 144
    changed = xero_client.post(f"Invoices/{made['InvoiceID']}", {"LineAmountTypes": "Inclusive"}).accepted()
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
def test_a_document_with_a_payment_is_closed_for_changes(
    xero_client: XeroClient, change: dict[str, Any], message: str, amount: str
) -> None:
    made = xero_client.invoiced()
    xero_client.paid(made, amount).accepted()
    before = xero_client.get("Invoices/AMZ-1").accepted()

    assert xero_client.post("Invoices", {"InvoiceID": made["InvoiceID"], **change}).messages == [message]
    assert xero_client.get("Invoices/AMZ-1").accepted() == before


def test_an_invoice_of_zero_is_paid_when_it_is_approved(xero_client: XeroClient) -> None:
    made = xero_client.invoiced("A", "0.00")
    assert (made["Status"], made["AmountDue"]) == ("PAID", 0)
    voided = xero_client.post("Invoices", {"InvoiceID": made["InvoiceID"], "Status": "VOIDED"}).accepted()
    assert voided["Status"] == "VOIDED"


def test_unknown_ids_and_paths(xero_client: XeroClient) -> None:
    unknown = xero_client.post("Invoices", {"InvoiceID": "deadbeef-0000-4000-8000-000000000000", "Status": "VOIDED"})
    assert unknown.messages == ["An existing Invoice with the specified InvoiceID could not be found"]
    for answer in (
        xero_client.get("Invoices/nope"),
        xero_client.post("Invoices/nope", {"Status": "VOIDED"}),
        xero_client.get("Journals"),
        xero_client.call("DELETE", "Invoices"),
        xero_client.get("Invoices/AMZ-1/Attachments"),
    ):
        assert (answer.status, answer.body) == (404, b"")
        assert answer.headers["content-type"].startswith("text/html")


# -- batches -----------------------------------------------------------------------------------------------------


def test_by_default_one_bad_element_refuses_the_whole_call(xero_client: XeroClient) -> None:
    batch = {"Invoices": [invoice("A"), invoice("B", CurrencyCode="CHF"), invoice("A")]}
    refused = xero_client.put("Invoices", batch)

    assert refused.status == 400
    assert refused.messages == ["Organisation is not subscribed to currency CHF", "Invoice # must be unique."]
    assert refused.body["Elements"][0]["InvoiceNumber"] == "B"
    assert refused.body["Elements"][0]["InvoiceID"] == NO_ID
    books = xero_client.books()
    assert (books["Invoices"], books["Contacts"]) == ([], [])


@pytest.mark.parametrize("spelling", ["false", "False"])
def test_without_summarising_each_element_stands_for_itself(xero_client: XeroClient, spelling: str) -> None:
    batch = {"Invoices": [invoice("A"), invoice("B", CurrencyCode="CHF"), invoice("A"), invoice("C")]}
    answer = xero_client.put("Invoices", batch, summarizeErrors=spelling)

    assert (answer.status, answer.body["Status"]) == (200, "OK")
    outcomes = [(one["StatusAttributeString"], one["HasErrors"]) for one in answer.body["Invoices"]]
    assert outcomes == [("OK", False), ("ERROR", True), ("ERROR", True), ("OK", False)]
    assert [one["InvoiceNumber"] for one in xero_client.books()["Invoices"]] == ["A", "C"]


def test_a_refused_element_does_not_create_its_contact(xero_client: XeroClient) -> None:
    batch = [invoice("A"), invoice("B", CurrencyCode="CHF", Contact={"Name": "Only in the refused one"})]
    xero_client.put("Invoices", batch, summarizeErrors="false")
    assert [one["Name"] for one in xero_client.books()["Contacts"]] == ["Amazon UK"]


def test_success_says_ok_only_when_elements_are_reported_one_by_one(xero_client: XeroClient) -> None:
    assert "StatusAttributeString" not in xero_client.invoiced("A")
    apart = xero_client.put("Invoices", invoice("B"), summarizeErrors="false").accepted()
    assert apart["StatusAttributeString"] == "OK"


# -- history -----------------------------------------------------------------------------------------------------


def test_notes_are_kept_with_the_invoice(xero_client: XeroClient) -> None:
    made = xero_client.invoiced()
    path = f"Invoices/{made['InvoiceID']}/History"

    assert xero_client.put(path, {"HistoryRecords": [{"Details": "Amazon order 302-1"}]}).status == 200
    assert xero_client.put(path, {"HistoryRecords": [{"Details": "x" * 2501}]}).status == 400
    assert xero_client.get(path).accepted()["Details"] == "Amazon order 302-1"
    assert xero_client.put("Invoices/nope/History", {"HistoryRecords": [{"Details": "x"}]}).status == 404
