"""Orders that a person has corrected: before they are paid, after it, and once the correction is withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.planning.order_documents import sale_day
from amazon_to_xero.domain.tax.rules import TaxPolicy
from fakes.books import POLICY
from fakes.order_life import (
    DRAFT,
    ORGANISATION_WITH_CLEARING,
    PAID_INVOICE,
    PAYING,
    SHIPPED,
    OrderLife,
    cancelled,
    order_life,
    tea,
    version,
)
from fakes.orders import breakdown, item

D = Decimal
K = CorrectionKind
type Terms = tuple[str, str, str]  # origin, account, tax type


def by_terms(life: OrderLife) -> dict[Terms, Decimal]:
    """Return what the documents in Xero state by line, account and tax type."""
    return life.amounts_by(lambda _, line: (line.origin, line.account, line.tax_type))


def days(life: OrderLife, *names: str) -> list[str]:
    return [str(life.in_xero[name].body["Date"]) for name in names]


# --- before payment ---------------------------------------------------------------------------------------------------


def test_unpaid_order_follows_a_correction_of_its_tax_type() -> None:
    life = order_life(PAYING, DRAFT)

    life.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")

    (line,) = life.in_xero["invoice A"].body["LineItems"]
    assert (line["TaxType"], line["UnitAmount"]) == ("ZERORATEDOUTPUT", D("10.00"))
    assert life.summary == {"invoice A": "DRAFT 10.00"}


def test_correction_applies_when_the_order_ships_and_changes() -> None:
    life = order_life(PAYING, DRAFT)
    life.correct(K.ACCOUNT, "205")

    life.update(SHIPPED)
    life.update(version(2, tea("12.00")))

    assert by_terms(life) == {("10000000000001:ITEM", "205", "OUTPUT2"): D("12.00")}
    assert "credit_note A-A1" not in life.in_xero


def test_open_invoice_moves_to_the_corrected_day_and_back() -> None:
    life = order_life(POLICY, SHIPPED)
    assert days(life, "invoice A") == ["2026-11-02"]

    life.correct(K.DATE, "2026-10-31")
    corrected = days(life, "invoice A")
    life.correct(K.WITHDRAW, "1")

    assert (corrected, days(life, "invoice A")) == (["2026-10-31"], ["2026-11-02"])
    assert life.summary.keys() == {"invoice A"}


def test_only_the_named_line_is_corrected() -> None:
    shipped = version(1, item("14.99", breakdown("ITEM", "10.00"), breakdown("SHIPPING", "4.99"), item_id="1"))
    life = order_life(POLICY, shipped)

    life.correct(K.TAX_TYPE, "ZERORATEDOUTPUT", "1:SHIPPING")
    life.correct(K.ACCOUNT, "207", "1:ITEM")

    assert by_terms(life) == {
        ("1:ITEM", "207", "OUTPUT2"): D("10.00"),
        ("1:SHIPPING", "205", "ZERORATEDOUTPUT"): D("4.99"),
    }


def test_order_without_a_matching_rule_is_booked_at_the_corrected_tax_type() -> None:
    life = order_life(replace(PAYING, tax=TaxPolicy(())))
    with pytest.raises(Failure, match="TAX_UNMAPPED"):
        life.update(SHIPPED)

    life.correct(K.TAX_TYPE, "OUTPUT2")

    assert life.summary == PAID_INVOICE


def test_order_whose_tax_varies_is_booked_as_it_is() -> None:
    varies = version(1, item("10.00", breakdown("ITEM", "10.00"), breakdown("TAX", "0.50", ITEM="0.50")))
    life = order_life(PAYING)
    with pytest.raises(Failure, match="TAX_VARIANCE"):
        life.update(varies)

    life.correct(K.BOOK_AS_IT_IS)

    assert life.summary == PAID_INVOICE


def test_unclear_tax_is_the_sellers_once_a_person_accepts_it() -> None:
    unclear = tea() | {"tax": {"taxCollections": [{"model": "SOMETHING_NEW", "responsibleParty": ""}]}}
    life = order_life(PAYING)
    with pytest.raises(Failure, match="TAX_LIABILITY_UNCLEAR"):
        life.update(version(1, unclear))

    life.correct(K.BOOK_AS_IT_IS)

    assert by_terms(life) == {("10000000000001:ITEM", "200", "OUTPUT2"): D("10.00")}


# --- after payment ----------------------------------------------------------------------------------------------------


def test_paid_line_is_credited_at_the_old_tax_type_and_invoiced_at_the_corrected_one() -> None:
    life = order_life(PAYING, SHIPPED)

    life.correct(K.TAX_TYPE, "ZERORATEDOUTPUT")

    assert life.summary == {
        **PAID_INVOICE,
        "invoice A-A1": "AUTHORISED 10.00",
        "payment A-A1": "10",
        "credit_note A-A1": "AUTHORISED 10.00",
        "credit_note_refund A-A1": "10",
    }
    assert by_terms(life) == {("10000000000001:ITEM", "200", "ZERORATEDOUTPUT"): D("10.00")}
    # A person corrects it on 10 November: the tax return of the sale's day stays as it is
    assert days(life, "invoice A-A1", "credit_note A-A1") == ["2026-11-10", "2026-11-10"]
    assert life.pending_changes() == []


def test_withdrawn_correction_of_a_paid_line_is_taken_back_the_same_way() -> None:
    life = order_life(PAYING, SHIPPED)
    life.correct(K.ACCOUNT, "205")
    assert by_terms(life) == {("10000000000001:ITEM", "205", "OUTPUT2"): D("10.00")}

    life.correct(K.WITHDRAW, "1")

    assert by_terms(life) == {("10000000000001:ITEM", "200", "OUTPUT2"): D("10.00")}
    assert "invoice A-A2" in life.in_xero
    assert life.pending_changes() == []


def test_paid_sale_moves_to_the_corrected_day() -> None:
    life = order_life(PAYING, SHIPPED)

    life.correct(K.DATE, "2026-10-31")

    assert days(life, "credit_note A-A1", "credit_note_refund A-A1") == ["2026-11-02", "2026-11-02"]
    assert days(life, "invoice A-A1", "payment A-A1") == ["2026-10-31", "2026-10-31"]
    assert life.pending_changes() == []

    life.correct(K.WITHDRAW, "1")

    assert days(life, "credit_note A-A2", "invoice A-A2") == ["2026-10-31", "2026-11-02"]
    assert life.pending_changes() == []


def test_sale_moved_into_a_locked_period_is_dated_on_the_first_open_day_and_stays_there() -> None:
    life = order_life(replace(PAYING, lock_dates=LockDates.NEXT_OPEN_DAY), SHIPPED)
    life.organisation = replace(ORGANISATION_WITH_CLEARING, period_lock=date(2026, 10, 31))

    life.correct(K.DATE, "2026-10-15")

    moved = life.in_xero["invoice A-A1"]
    assert (moved.body["Date"], sale_day(moved)) == ("2026-11-01", date(2026, 10, 15))
    assert moved.body["Reference"].endswith(" · of 2026-10-15")
    life.organisation = replace(ORGANISATION_WITH_CLEARING, period_lock=date(2026, 11, 30))
    assert life.pending_changes() == []  # the next month is locked, and nothing moves again


def test_correction_into_a_locked_period_fails_where_the_settings_say_hold() -> None:
    life = order_life(PAYING, SHIPPED)
    life.organisation = replace(ORGANISATION_WITH_CLEARING, period_lock=date(2026, 10, 31))

    with pytest.raises(Failure, match="PERIOD_LOCKED"):
        life.correct(K.DATE, "2026-10-15")


def test_tax_type_and_day_are_corrected_with_one_pair_of_documents() -> None:
    life = order_life(PAYING, SHIPPED)
    life.enter(K.TAX_TYPE, "ZERORATEDOUTPUT")

    life.correct(K.DATE, "2026-11-03")

    assert set(life.in_xero) - set(PAID_INVOICE) == {
        "invoice A-A1",
        "payment A-A1",
        "credit_note A-A1",
        "credit_note_refund A-A1",
    }
    assert days(life, "invoice A-A1") == ["2026-11-03"]
    assert by_terms(life) == {("10000000000001:ITEM", "200", "ZERORATEDOUTPUT"): D("10.00")}


def test_discount_alone_is_moved_with_documents_of_positive_totals() -> None:
    shipped = version(1, item("7.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-3.00"), item_id="1"))
    life = order_life(PAYING, shipped)

    life.correct(K.ACCOUNT, "205", "1:DISCOUNT:ITEM")

    assert by_terms(life) == {
        ("1:ITEM", "200", "OUTPUT2"): D("10.00"),
        ("1:DISCOUNT:ITEM", "205", "OUTPUT2"): D("-3.00"),
    }
    assert (life.summary["invoice A-A1"], life.summary["credit_note A-A1"]) == ("AUTHORISED 3.00", "AUTHORISED 3.00")


def test_later_change_of_price_is_adjusted_at_the_corrected_terms() -> None:
    life = order_life(PAYING, SHIPPED)
    life.correct(K.ACCOUNT, "205")

    life.update(version(12, tea("8.00")))

    assert by_terms(life) == {("10000000000001:ITEM", "205", "OUTPUT2"): D("8.00")}
    assert life.summary["credit_note A-A2"] == "AUTHORISED 2.00"


def test_line_that_was_never_corrected_stays_where_it_was_booked_after_the_settings_changed() -> None:
    life = order_life(PAYING, version(1, tea("6.00", item_id="1"), tea("4.00", item_id="2")))
    life.policy = replace(
        PAYING, accounts=replace(PAYING.accounts, charges=dict.fromkeys(PAYING.accounts.charges, "206"))
    )

    life.correct(K.TAX_TYPE, "ZERORATEDOUTPUT", "1")

    assert by_terms(life)["2:ITEM", "200", "OUTPUT2"] == D("4.00")


# --- not entered at all -----------------------------------------------------------------------------------------------


def test_skipped_draft_is_deleted_and_entered_again_once_the_correction_is_withdrawn() -> None:
    life = order_life(PAYING, DRAFT)

    life.correct(K.SKIP)
    skipped = life.summary
    life.correct(K.WITHDRAW, "1")

    assert (skipped, life.summary) == ({}, {"invoice A-R1": "DRAFT 10.00"})


def test_order_that_is_entered_again_is_at_the_terms_and_on_the_day_corrected_meanwhile() -> None:
    life = order_life(PAYING, SHIPPED)
    life.correct(K.SKIP)
    life.correct(K.ACCOUNT, "205")
    life.correct(K.DATE, "2026-11-03")

    life.correct(K.WITHDRAW, "1")

    assert by_terms(life) == {("10000000000001:ITEM", "205", "OUTPUT2"): D("10.00")}
    assert days(life, "invoice A-A2", "payment A-A2") == ["2026-11-03", "2026-11-03"]
    assert life.pending_changes() == []


def test_skipped_paid_order_is_credited_and_stays_so_whatever_amazon_changes() -> None:
    life = order_life(PAYING, SHIPPED)

    life.correct(K.SKIP)
    life.update(version(3, tea("12.00")))

    assert life.invoiced_total == life.settled_total == 0
    assert life.pending_changes() == []


# --- what cannot be applied -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "line", "problem"),
    [
        (K.TAX_TYPE, "OUTPUT2", "99", "the order has no such line; its lines are 10000000000001, 10000000000001:ITEM"),
        (K.TAX_TYPE, "OUTPUT9", "", "the organisation has no active tax rate OUTPUT9 for sales"),
        (K.TAX_TYPE, "INPUT2", "", "the organisation has no active tax rate INPUT2 for sales"),
        (K.ACCOUNT, "999", "", "the organisation has no active account 999"),
    ],
)
def test_correction_that_fits_nothing_fails_with_what_it_lacks(
    kind: CorrectionKind, value: str, line: str, problem: str
) -> None:
    life = order_life(PAYING, SHIPPED)

    with pytest.raises(Failure, match=problem) as caught:
        life.correct(kind, value, line)

    assert caught.value.code is FailureCode.CORRECTION_UNUSABLE
    assert caught.value.remedy.startswith("Correction 1: ")


def test_taxed_type_for_what_the_marketplace_owes_fails_as_the_correction() -> None:
    taxed = item("10.00", breakdown("ITEM", "10.00"), breakdown("TAX", "1.67", ITEM="1.67"), facilitator=True)
    life = order_life(PAYING, version(1, taxed))

    with pytest.raises(Failure, match="CORRECTION_UNUSABLE"):
        life.correct(K.TAX_TYPE, "OUTPUT2")


# --- properties -------------------------------------------------------------------------------------------------------

PENCE = st.integers(10, 4000)
ITEM = st.tuples(PENCE, PENCE, st.integers(0, 9))  # price, shipping, discount
CHANGE = st.tuples(st.just("change"), st.lists(ITEM, min_size=1, max_size=2), st.sampled_from(["SHIPPED", "CANCELLED"]))
CORRECTION = st.tuples(
    st.sampled_from(["correct", "enter"]),
    st.sampled_from(
        [
            (K.TAX_TYPE, "ZERORATEDOUTPUT", ""),
            (K.TAX_TYPE, "OUTPUT2", "0:SHIPPING"),
            (K.ACCOUNT, "206", ""),
            (K.ACCOUNT, "207", "0"),
            (K.DATE, "2026-10-31", ""),
            (K.DATE, "2026-11-05", ""),
            (K.SKIP, "", ""),
        ]
    ),
    st.none(),
)
WITHDRAWAL = st.tuples(st.just("withdraw"), st.integers(0, 5), st.none())


def pounds(pence: int) -> str:
    return str(D(pence) / 100)


def drawn_order(day: int, items: list[tuple[int, int, int]], status: str) -> dict[str, Any]:
    made = [
        item(
            pounds(price + shipping - discount),
            breakdown("ITEM", pounds(price)),
            breakdown("SHIPPING", pounds(shipping)),
            breakdown("DISCOUNT", pounds(-discount)),
            item_id=str(number),
        )
        for number, (price, shipping, discount) in enumerate(items)
    ]
    return cancelled(day) if status == "CANCELLED" else version(day, *made)


@given(
    st.lists(st.one_of(CHANGE, CORRECTION, CORRECTION, WITHDRAWAL), min_size=1, max_size=8),
    st.sampled_from([PAYING, POLICY]),
)
def test_documents_obey_the_last_correction_whatever_amazon_changes(steps: list[Any], policy: Any) -> None:
    life = order_life(policy, drawn_order(1, [(1000, 499, 0)], "SHIPPED"))
    for day, (action, first, second) in enumerate(steps, 2):
        if action == "change":
            life.update(drawn_order(day, first, second))
        elif action == "withdraw":
            applying = life.corrections.in_force
            if applying:
                life.correct(K.WITHDRAW, str(applying[first % len(applying)].number))
        else:
            getattr(life, action)(*first)
    if steps[-1][0] == "enter":
        life.update({})

    assert life.invoiced_total == life.sales_total
    assert life.pending_changes() == []
    wanted: dict[Terms, Decimal] = {}
    for line in (line for sale in life.sales for line in sale.lines):
        terms = line.origin, line.account, line.tax_type
        wanted[terms] = wanted.get(terms, D(0)) + line.amount
    assert by_terms(life) == {each: amount for each, amount in wanted.items() if amount}
    applies = life.corrections.latest(K.DATE)
    if applies is not None and life.sales:
        assert applies.value in {str(desired.body["Date"]) for desired in life.in_xero.values()}
