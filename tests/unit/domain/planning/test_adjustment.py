"""Adjustments: what is paid stays as it is, and the difference becomes a supplementary invoice or a credit note."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Account
from amazon_to_xero.domain.planning.reversals import DecidedRefund, DecidedRefunds
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule, WhenDifferent
from fakes.books import POLICY
from fakes.order_life import (
    CANADIAN,
    ORGANISATION_WITH_CLEARING,
    PAID_INVOICE,
    PAYING,
    SHIPPED,
    canadian_item,
    order_life,
    tea,
    version,
    with_clearing,
)
from fakes.orders import breakdown, item

D = Decimal
FORTY = canadian_item("33.20", "1.60") | {"quantityOrdered": 40}
TWO_ITEMS = [tea("6.00", item_id="1"), tea("4.00", item_id="2")]
MOVED_BETWEEN_ITEMS = [tea("7.00", item_id="1"), tea("3.00", item_id="2")]  # the same total

# --- what an adjustment states ----------------------------------------------------------------------------------------


def test_adjustment_is_dated_on_the_day_of_the_change_with_reference_and_contact_of_the_invoice() -> None:
    life = order_life(PAYING, SHIPPED, version(4, tea("7.50")))
    names = ("invoice A", "credit_note A-A1", "credit_note_refund A-A1")
    invoice, note, refund = (life.in_xero[name] for name in names)

    assert note.body["Date"] == refund.body["Date"] == "2026-11-05"
    assert "DueDate" not in note.body
    assert (note.body["Type"], note.body["CreditNoteNumber"]) == ("ACCRECCREDIT", "A-A1")
    assert (note.body["Reference"], note.references) == (invoice.body["Reference"], invoice.references)
    assert refund.references == {"CreditNote.CreditNoteID": note.key}
    assert (refund.body["Account"], refund.body["Amount"]) == ({"Code": "CLR-GBP"}, D("2.5"))


def test_adjustment_uses_account_and_tax_type_of_the_invoiced_line_after_the_settings_changed() -> None:
    life = order_life(PAYING, SHIPPED)
    moved = replace(PAYING.accounts, charges={**PAYING.accounts.charges, Charge.ITEM: "4000"})
    life.policy = replace(
        PAYING, accounts=moved, tax=TaxPolicy((TaxRule("ZERORATEDOUTPUT", LineAmountTypes.INCLUSIVE),))
    )

    life.update(version(2, tea("8.00"), tip="1.00"))

    lines = life.in_xero["credit_note A-A1"].body["LineItems"]
    (credited,) = [line for line in lines if line["UnitAmount"] > 0]
    assert (credited["AccountCode"], credited["TaxType"]) == ("200", "OUTPUT2")
    # A charge that was not invoiced before takes the account and the tax type of the settings as they are now
    (tip,) = [line for line in lines if line["UnitAmount"] < 0]
    assert (tip["AccountCode"], tip["TaxType"]) == ("208", "ZERORATEDOUTPUT")


def test_amount_moved_between_items_is_invoiced_for_one_and_credited_for_the_other() -> None:
    life = order_life(PAYING, version(1, *TWO_ITEMS), version(2, *MOVED_BETWEEN_ITEMS))

    assert life.summary == {
        **PAID_INVOICE,
        "invoice A-A1": "AUTHORISED 1.00",
        "payment A-A1": "1",
        "credit_note A-A1": "AUTHORISED 1.00",
        "credit_note_refund A-A1": "1",
    }
    assert life.invoiced_by_origin == {"1:ITEM": D("7.00"), "2:ITEM": D("3.00")}
    assert life.pending_changes() == []


# --- tax in addition to the price -------------------------------------------------------------------------------------


def test_adjustment_of_a_tax_exclusive_invoice_is_exclusive_and_has_its_own_rounding_line() -> None:
    computed = replace(PAYING.tax, when_different=WhenDifferent.BOOK, state_amounts=False)
    life = order_life(
        replace(PAYING, tax=computed),
        version(1, canadian_item("20.05", "1.02"), **CANADIAN),  # Xero computes 1.00 of tax
        version(2, canadian_item("10.05", "0.49"), **CANADIAN),
    )
    note = life.in_xero["credit_note A-A1"]

    assert note.body["LineAmountTypes"] == "Exclusive"
    assert note.total == D("10.53")  # 21.07 less 10.54
    assert [(str(line["UnitAmount"]), line["AccountCode"]) for line in note.body["LineItems"]] == [
        ("10", "200"),
        ("0.03", "498"),
    ]
    assert note.line_origins == ("1:ITEM", "ROUNDING")
    assert life.pending_changes() == []


def test_adjustment_of_a_line_that_states_amazons_tax_states_the_tax_that_is_left() -> None:
    # Given 5 % of tax on 40 units of 0.83, rounded to 0.04 a unit by Amazon; Xero would compute 1.66
    life = order_life(PAYING, version(1, FORTY, **CANADIAN))
    life.update(version(2, canadian_item("33.20", "1.60"), status="CANCELLED", **CANADIAN))

    assert life.summary["credit_note A-A1"] == "AUTHORISED 34.80"
    (line,) = life.in_xero["credit_note A-A1"].body["LineItems"]
    assert (line["UnitAmount"], line["TaxAmount"]) == (D("33.2"), D("1.6"))
    assert life.pending_changes() == []


def test_paid_invoice_without_stated_taxes_is_left_as_it_is() -> None:
    # Given an invoice of before: 10.10 at 5 % is 0.51 in Xero and 0.50 at Amazon, so it has a rounding line
    before = replace(PAYING, tax=replace(PAYING.tax, state_amounts=False))
    life = order_life(before, version(1, canadian_item("10.10", "0.50"), **CANADIAN))
    assert len(life.in_xero["invoice A"].body["LineItems"]) == 2

    life.policy = PAYING

    assert life.pending_changes() == []


def test_amount_moved_between_tax_exclusive_items_changes_the_total_by_no_cent() -> None:
    # Given 5 % of tax: on one line of 0.10 a cent, on two lines of 0.05 none
    before = [
        canadian_item("1.00", "0.05", "1"),
        canadian_item("1.05", "0.05", "2"),
        canadian_item("1.05", "0.05", "3"),
    ]
    after = [canadian_item("1.10", "0.05", "1"), canadian_item("1.00", "0.05", "2"), canadian_item("1.00", "0.05", "3")]
    life = order_life(PAYING, version(1, *before, **CANADIAN), version(2, *after, **CANADIAN))

    assert life.invoiced_total == life.settled_total == D("3.25")
    assert life.pending_changes() == []


def test_cents_moved_between_price_and_tax_need_no_adjustment() -> None:
    versions = [canadian_item("1.00", "0.06"), canadian_item("1.01", "0.05")]
    life = order_life(PAYING, *(version(day, each, **CANADIAN) for day, each in enumerate(versions, start=1)))

    assert life.summary == {"invoice A": "AUTHORISED 1.06", "payment A": "1.06"}
    assert life.pending_changes() == []


# --- adjustments that are not posted yet ------------------------------------------------------------------------------


def test_adjustment_with_an_unknown_outcome_is_not_requested_a_second_time() -> None:
    life = order_life(PAYING, SHIPPED)
    life.request(version(2, tea("12.00")))
    life.post(loses_answer=lambda document: document.kind is DocumentKind.INVOICE)

    assert life.request(version(3, tea("13.00"))).awaits_outcome

    life.post()
    life.update(version(3, tea("13.00")))
    assert life.invoiced_total == D("13.00")


def test_unposted_adjustment_follows_the_order() -> None:
    life = order_life(PAYING, SHIPPED)
    life.request(version(2, tea("12.00")))
    life.update(version(3, tea("8.00")))

    assert life.summary == {**PAID_INVOICE, "credit_note A-A1": "AUTHORISED 2.00", "credit_note_refund A-A1": "2"}


def test_half_posted_move_between_items_is_completed_and_not_repeated() -> None:
    # Given an invoice and a credit note that belong together, of which Xero holds only the invoice
    life = order_life(PAYING, version(1, *TWO_ITEMS))
    life.request(version(2, *MOVED_BETWEEN_ITEMS))
    life.post(at_most=1)
    assert "credit_note A-A1" not in life.summary

    life.update(version(3, *MOVED_BETWEEN_ITEMS))

    assert life.invoiced_total == life.settled_total == D("10.00")
    assert life.invoiced_by_origin == {"1:ITEM": D("7.00"), "2:ITEM": D("3.00")}


# --- settlement -------------------------------------------------------------------------------------------------------


def test_settled_adjustment_stays_settled_from_its_account_after_the_clearing_account_changed() -> None:
    life = order_life(PAYING, SHIPPED, version(2, tea("8.00")))
    other = Account("a-2", "CLR-2", "Another clearing", "BANK", "GBP", active=True, takes_payments=True)
    life.organisation = replace(
        ORGANISATION_WITH_CLEARING, accounts={**ORGANISATION_WITH_CLEARING.accounts, "CLR-2": other}
    )
    life.policy = with_clearing(POLICY, GBP="CLR-2")

    life.update(version(3, tea("9.00")))

    accounts = {name: each.body["Account"]["Code"] for name, each in life.in_xero.items() if "Account" in each.body}
    assert accounts == {"payment A": "CLR-GBP", "credit_note_refund A-A1": "CLR-GBP", "payment A-A2": "CLR-2"}


def test_unposted_refund_is_withdrawn_when_there_is_no_clearing_account_any_more() -> None:
    life = order_life(PAYING, SHIPPED)
    life.request(version(2, tea("8.00")))
    life.policy = POLICY

    life.update(version(3, tea("8.00")))

    assert life.summary == {**PAID_INVOICE, "credit_note A-A1": "AUTHORISED 2.00"}


def test_price_change_after_the_tax_has_become_the_marketplaces_takes_the_new_rate() -> None:
    def deemed(gross: str, tax: str) -> dict[str, Any]:
        return item(gross, breakdown("ITEM", gross), breakdown("TAX", tax), facilitator=True)

    sellers = item("60.00", breakdown("ITEM", "60.00"), breakdown("TAX", "10.00"))
    life = order_life(
        PAYING, version(1, sellers), version(2, deemed("60.00", "10.00")), version(3, deemed("48.00", "8.00"))
    )

    (line,) = life.in_xero["credit_note A-A2"].body["LineItems"]
    assert (line["UnitAmount"], line["TaxType"]) == (D("10"), "ZERORATEDOUTPUT")
    assert life.invoiced_total == D("40.00")
    assert life.pending_changes() == []


def test_new_discount_of_which_a_refund_credited_a_part_is_credited_alike_by_each_plan() -> None:
    # Given a paid invoice, a refund of 10.50 CAD, and a discount of 40.00 CAD and its tax that is not in the invoice
    life = order_life(PAYING, version(1, canadian_item("100.00", "5.00"), **CANADIAN))
    life.refunds = DecidedRefunds({"T1": DecidedRefund(D("10.50"), D("10.50"))})
    parts = [breakdown(kind, net, "CAD") for kind, net in (("ITEM", "100.00"), ("DISCOUNT", "40.00"), ("TAX", "3.00"))]
    life.request(version(2, item("63.00", *parts, currency="CAD", item_id="1"), **CANADIAN))
    credited = life.documents["credit_note#A-A1"].desired
    assert (credited.total, credited.body["LineItems"][0]["UnitAmount"]) == (D("31.50"), D("30.00"))

    assert life.pending_changes() == []
