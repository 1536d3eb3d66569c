"""What a closed day states: tables that an accountant reads, and a property over drawn entries.

The day is 23 November 2026 at Amazon.co.uk; OUTPUT2 is 20 %, ZERORATEDOUTPUT 0 %, TAX001 5 %.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Line, LineAmountTypes
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, total
from amazon_to_xero.domain.planning.closed_day import ClosedDay, DayTerms
from amazon_to_xero.domain.planning.day_csv import csv_name, day_csv
from amazon_to_xero.domain.planning.day_plan import entry_lines, plan_day
from amazon_to_xero.domain.planning.policy import InvoicePer, Payments, PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments, PostingPlan
from amazon_to_xero.domain.tax.rounding import tax_of, xero_total
from fakes.order_life import ORGANISATION_WITH_CLEARING, PAYING
from fakes.orders import UK

BY_DAY = replace(PAYING, invoice_per=InvoicePer.DAY)
UNPAID = replace(BY_DAY, payments=Payments.NONE)
INVOICE, CREDIT_NOTE = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
NUMBER = "GB-20261123-1"
CLOSED_AT = datetime(2026, 11, 24, 6, tzinfo=UTC)


def day(amounts: LineAmountTypes = LineAmountTypes.INCLUSIVE) -> ClosedDay:
    terms = DayTerms(UK, "contact#AMAZON-UK", date(2026, 11, 23), "GBP", amounts)
    return ClosedDay(NUMBER, terms, CLOSED_AT)


def line(amount: str, account: str = "200", tax_type: str = "OUTPUT2", tax: str = "", **more: object) -> Line:
    """Return a line of goods; `more`: other attributes of Line, and `origin` for what else it is."""
    stated = D(tax) if tax else None
    made = Line("Tea", 1, D(amount), account, tax_type, origin="1:ITEM", tax=stated)
    return replace(made, **more)  # type: ignore[arg-type]


def entry(
    order_id: str,
    *lines: Line,
    kind: DocumentKind = INVOICE,
    amounts: LineAmountTypes = LineAmountTypes.INCLUSIVE,
    on: str = "2026-11-23",
) -> DesiredDocument:
    body = {
        "Date": on,
        "CurrencyCode": "GBP",
        "LineAmountTypes": amounts.value,
        "Reference": f"Amazon.co.uk {order_id}",
        "LineItems": [each.in_xero() for each in lines],
    }
    whole = xero_total(lines, amounts, ORGANISATION_WITH_CLEARING)
    origins = tuple(each.origin for each in lines)
    return DesiredDocument(
        kind, order_id, body, f"order#{order_id}", total=whole, order_id=order_id, line_origins=origins
    )


def planned(
    *entries: DesiredDocument,
    policy: PostingPolicy = BY_DAY,
    amounts: LineAmountTypes = LineAmountTypes.INCLUSIVE,
    documents: dict[str, Document] | None = None,
    locked: date | None = None,
) -> PostingPlan:
    organisation = replace(ORGANISATION_WITH_CLEARING, period_lock=locked)
    looked_up: frozenset[str] = frozenset()
    while True:
        held = HeldDocuments(day().source, documents or {}, looked_up)
        plan = plan_day(day(amounts), entries, held, policy, organisation)
        if not held.missing:
            return plan
        looked_up |= held.missing


def documents_of(plan: PostingPlan) -> dict[str, DesiredDocument]:
    return {each.key: each for step in plan.steps for each in step}


def stated(desired: DesiredDocument) -> list[tuple[str, str, str, str, str]]:
    """Return description, account, tax type, amount and tax of each line; a tax that Xero computes in brackets."""
    amounts = LineAmountTypes(desired.body["LineAmountTypes"])
    rows = []
    for each in entry_lines(desired):
        tax = tax_of(each, amounts, ORGANISATION_WITH_CLEARING)
        rows.append(
            (
                each.description,
                each.account,
                each.tax_type,
                f"{each.amount:.2f}",
                f"{tax:.2f}" if each.tax is not None else f"({tax:.2f})",
            )
        )
    return rows


def shipping(amount: str) -> Line:
    return line(amount, account="205", origin="1:SHIPPING")


def discount(amount: str) -> Line:
    return line(amount, account="210", origin="1:DISCOUNT:ITEM")


INVOICES: Sequence[tuple[str, list[DesiredDocument], list[tuple[str, str, str, str, str]]]] = [
    (
        "two orders are one line",
        [entry("A", line("12.00")), entry("B", line("6.00"))],
        [("Goods: 2 orders", "200", "OUTPUT2", "18.00", "(3.00)")],
    ),
    (
        "shipping and discounts have accounts of their own",
        [entry("A", line("12.00"), shipping("3.60"), discount("-1.20")), entry("B", line("6.00"))],
        [
            ("Goods: 2 orders", "200", "OUTPUT2", "18.00", "(3.00)"),
            ("Shipping: 1 order", "205", "OUTPUT2", "3.60", "(0.60)"),
            ("Discounts: 1 order", "210", "OUTPUT2", "-1.20", "(-0.20)"),
        ],
    ),
    (
        "shipping on the account of goods is stated with them",
        [entry("A", line("12.00"), replace(shipping("3.60"), account="200"))],
        [("Goods, Shipping: 1 order", "200", "OUTPUT2", "15.60", "(2.60)")],
    ),
    (
        "discounts on the account of goods are stated apart from them, so that no sum is zero by chance",
        [entry("A", line("12.00")), entry("B", line("15.00"), replace(discount("-12.00"), account="200"))],
        [
            ("Goods: 2 orders", "200", "OUTPUT2", "27.00", "(4.50)"),
            ("Discounts: 1 order", "200", "OUTPUT2", "-12.00", "(-2.00)"),
        ],
    ),
    (
        "each tax type is stated apart",
        [entry("A", line("12.00")), entry("B", line("12.00", tax_type="ZERORATEDOUTPUT"))],
        [
            ("Goods: 1 order", "200", "OUTPUT2", "12.00", "(2.00)"),
            ("Goods: 1 order", "200", "ZERORATEDOUTPUT", "12.00", "(0.00)"),
        ],
    ),
    (
        "the tax is the sum of what Xero would compute order by order: 3 × 0.33 and not 20 % in 5.97",
        [entry("A", line("1.99")), entry("B", line("1.99")), entry("C", line("1.99"))],
        [("Goods: 3 orders", "200", "OUTPUT2", "5.97", "0.99")],
    ),
    (
        "the tax that Amazon stated is kept to the cent",
        [entry("A", line("12.00", tax="1.98")), entry("B", line("6.00", tax="1.01"))],
        [("Goods: 2 orders", "200", "OUTPUT2", "18.00", "2.99")],
    ),
    (
        "rounding lines are added up",
        [
            entry("A", line("9.99"), line("0.01", "498", "NONE", origin="ROUNDING")),
            entry("B", line("5.00"), line("0.01", "498", "NONE", origin="ROUNDING")),
        ],
        [
            ("Goods: 2 orders", "200", "OUTPUT2", "14.99", "(2.50)"),
            ("Rounding: 2 orders", "498", "NONE", "0.02", "(0.00)"),
        ],
    ),
]


@pytest.mark.parametrize(("entries", "expected"), [pytest.param(given_, e, id=name) for name, given_, e in INVOICES])
def test_invoice_of_a_day(entries: list[DesiredDocument], expected: list[tuple[str, str, str, str, str]]) -> None:
    invoice = documents_of(planned(*entries))[f"invoice#{NUMBER}"]

    assert stated(invoice) == expected
    assert invoice.total == total(each.total or ZERO for each in entries)
    assert (invoice.body["Date"], invoice.body["Status"]) == ("2026-11-23", "AUTHORISED")


def test_tracking_and_item_codes_are_stated_apart_and_items_keep_their_quantity() -> None:
    fba = (("Channel", "FBA"),)
    entries = [
        entry("A", replace(line("6.00"), quantity=2, item_code="TEA"), line("5.00", tracking=fba)),
        entry("B", replace(line("6.00"), quantity=3, item_code="TEA"), line("7.00")),
    ]
    invoice = documents_of(planned(*entries))[f"invoice#{NUMBER}"]

    lines = [(each.item_code, each.tracking, each.quantity, each.amount) for each in entry_lines(invoice)]
    assert lines == [("", (), 1, D("7.00")), ("TEA", (), 5, D("30.00")), ("", fba, 1, D("5.00"))]


def test_what_went_back_is_one_credit_note_refunded_from_clearing() -> None:
    entries = [
        entry("A", line("12.00")),
        entry("B", line("2.00"), kind=CREDIT_NOTE),
        entry("C", line("30.00"), kind=CREDIT_NOTE),
    ]
    documents = documents_of(planned(*entries))

    assert {key: each.total or each.body["Amount"] for key, each in documents.items()} == {
        f"invoice#{NUMBER}": D("12.00"),
        f"credit_note#{NUMBER}": D("32.00"),
        f"payment#{NUMBER}": D("12"),
        f"credit_note_refund#{NUMBER}": D("32"),
    }


def test_exclusive_amounts_add_their_taxes() -> None:
    amounts = LineAmountTypes.EXCLUSIVE
    entries = [entry("A", line("8.33", tax_type="TAX001"), amounts=amounts) for _ in range(3)]
    invoice = documents_of(planned(*entries, amounts=amounts))[f"invoice#{NUMBER}"]

    assert stated(invoice) == [("Goods: 1 order", "200", "TAX001", "24.99", "1.26")]
    assert invoice.total == D("26.25")


def test_nothing_is_paid_where_the_settings_pay_nothing() -> None:
    plan = planned(entry("A", line("12.00")), policy=UNPAID)

    assert list(documents_of(plan)) == [f"invoice#{NUMBER}"]


def test_invoice_that_xero_holds_stays_as_it_is() -> None:
    first = documents_of(planned(entry("A", line("12.00"))))[f"invoice#{NUMBER}"]
    held = {first.key: Document(first).applied("id-1", "AUTHORISED", first.digest, CLOSED_AT)}

    again = planned(entry("A", line("12.00")), documents=held, locked=date(2026, 11, 30))

    assert documents_of(again)[first.key] == first


def test_locked_day_fails_or_is_dated_on_the_first_open_day() -> None:
    sold = entry("A", line("12.00"))
    with pytest.raises(Failure) as failed:
        planned(sold, locked=date(2026, 11, 23))
    assert failed.value.code is FailureCode.PERIOD_LOCKED

    policy = replace(BY_DAY, lock_dates=LockDates.NEXT_OPEN_DAY)
    invoice = documents_of(planned(sold, policy=policy, locked=date(2026, 11, 30)))[f"invoice#{NUMBER}"]
    assert invoice.body["Date"] == "2026-12-01"
    assert invoice.body["Reference"].endswith(" · of 2026-11-23")


def test_days_of_different_orders_have_different_references() -> None:
    one, other = (documents_of(planned(entry(order_id, line("12.00")))) for order_id in ("A", "B"))

    references = {each[f"invoice#{NUMBER}"].body["Reference"] for each in (one, other)}
    assert len(references) == 2
    assert all(each.startswith("Amazon.co.uk 2026-11-23 (") for each in references)


AMOUNT = st.integers(1, 99_999).map(lambda cents: D(cents) / 100)
LINES = st.lists(
    st.builds(
        lambda amount, negative, account, tax_type, off: line(
            str(-amount if negative else amount), account, tax_type, tax="" if off is None else str(off)
        ),
        AMOUNT,
        st.booleans(),
        st.sampled_from(["200", "205", "210"]),
        st.sampled_from(["OUTPUT2", "ZERORATEDOUTPUT", "TAX001"]),
        st.none(),
    ),
    min_size=1,
    max_size=4,
)


@given(
    st.lists(st.tuples(LINES, st.sampled_from([INVOICE, CREDIT_NOTE])), min_size=1, max_size=12),
    st.sampled_from([LineAmountTypes.INCLUSIVE, LineAmountTypes.EXCLUSIVE]),
)
def test_day_states_to_the_cent_what_its_orders_would_state_one_by_one(
    drawn: list[tuple[list[Line], DocumentKind]], amounts: LineAmountTypes
) -> None:
    entries = [entry(f"{place}", *lines, kind=kind, amounts=amounts) for place, (lines, kind) in enumerate(drawn)]
    documents = documents_of(planned(*entries, amounts=amounts))

    for kind in (INVOICE, CREDIT_NOTE):
        of_kind = [each for each in entries if each.kind is kind]
        expected = _sums(of_kind, amounts)
        got = _sums([documents[f"{kind}#{NUMBER}"]] if of_kind else [], amounts)
        assert got == expected


def _sums(
    documents: Sequence[DesiredDocument], amounts: LineAmountTypes
) -> tuple[D, dict[tuple[str, str], tuple[D, D]]]:
    """Return the total, and amount and tax by account and tax type, without an account that comes to nothing."""
    sums: dict[tuple[str, str], tuple[D, D]] = {}
    for each in documents:
        for part in entry_lines(each):
            amount, tax = sums.get((part.account, part.tax_type), (ZERO, ZERO))
            more = tax_of(part, amounts, ORGANISATION_WITH_CLEARING)
            sums[part.account, part.tax_type] = amount + part.amount, tax + more
    return total(each.total or ZERO for each in documents), {key: both for key, both in sums.items() if any(both)}


# --- the list of orders -----------------------------------------------------------------------------------------------


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_list_has_a_row_for_each_line_and_adds_up_to_the_documents() -> None:
    entries = [
        entry("B", line("1.99"), shipping("3.60")),
        entry("A", line("1.99")),
        entry("C", line("1.00"), kind=CREDIT_NOTE),
    ]
    rows = rows_of(day_csv(entries, ORGANISATION_WITH_CLEARING))

    read = [(row["order_id"], row["stated_in"], row["account"], row["amount"], row["tax"]) for row in rows]
    assert read == [
        ("A", "invoice", "200", "1.99", "0.33"),
        ("B", "invoice", "200", "1.99", "0.33"),
        ("B", "invoice", "205", "3.60", "0.60"),
        ("C", "credit note", "200", "1.00", "0.17"),
    ]


def test_no_cell_of_the_list_is_a_formula() -> None:
    sold = entry("A", replace(line("1.00"), description="=HYPERLINK(1)", item_code="@TEA"))
    (row,) = rows_of(day_csv([sold], ORGANISATION_WITH_CLEARING))

    assert (row["description"], row["item_code"]) == ("'=HYPERLINK(1)", "'@TEA")


def test_list_states_the_day_of_an_entry_that_was_dated_on_an_open_day() -> None:
    sold = entry("A", line("1.00"))
    moved = replace(sold, body={**sold.body, "Reference": "Amazon.co.uk A · of 2026-10-31"})
    (row,) = rows_of(day_csv([moved], ORGANISATION_WITH_CLEARING))

    assert row["day"] == "2026-10-31"


@pytest.mark.parametrize(("number", "name"), [("GB-20261123-1", "GB-20261123-1.csv"), ("A/B #1 ", "A-B--1-.csv")])
def test_name_of_the_file_is_one_that_xero_takes(number: str, name: str) -> None:
    assert csv_name(number) == name


def test_day_asks_again_for_a_customer_that_has_failed() -> None:
    request = DesiredDocument(
        DocumentKind.CONTACT, "AMAZON-UK", {"Name": "Amazon.co.uk customers"}, "settings#AMAZON-UK"
    )
    held = Document(request, DocumentState.APPLIED, xero_id="id-1")
    failed = Document(request).failed(FailureCode.OUTCOME_UNRESOLVED, "Search for its number in Xero.")

    for customer, steps in ((held, [INVOICE]), (failed, [DocumentKind.CONTACT, INVOICE])):
        plan = planned(entry("A", line("12.00")), policy=UNPAID, documents={request.key: customer})
        assert [each.kind for step in plan.steps for each in step] == steps
        assert plan.documents == (f"invoice#{NUMBER}",)
