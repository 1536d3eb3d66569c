"""Orders that a person books again after a rule was corrected, and those that nobody chose."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Tracking
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.rebooking import Rebooking, rebooking
from fakes.books import POLICY
from fakes.order_life import (
    ORGANISATION_WITH_CLEARING,
    PAYING,
    PER_SHIPMENT,
    SHIPPED,
    OrderLife,
    cancelled,
    order_life,
    tea,
    version,
)
from fakes.orders import breakdown, item
from unit.domain.planning.test_corrected_orders import CHANGE, CORRECTION, WITHDRAWAL, drawn_order

D = Decimal
K = CorrectionKind
TEA = "10000000000001:ITEM"
NORTH, SOUTH = AccountRule(tracking=(("Region", "North"),)), AccountRule(tracking=(("Region", "South"),))
type Booked = tuple[str, str, str, Tracking]  # origin, account, tax type, tracking


def zero_rated(policy: PostingPolicy) -> PostingPolicy:
    """Return the policy whose tax rules book everything at the zero rate."""
    rules = tuple(replace(rule, tax_type="ZERORATEDOUTPUT") for rule in policy.tax.rules)
    return replace(policy, tax=replace(policy.tax, rules=rules))


def by_rules(*rules: AccountRule, policy: PostingPolicy = PAYING) -> PostingPolicy:
    return replace(policy, account_rules=AccountRules(rules))


def found(life: OrderLife) -> Rebooking:
    """Return how the order is booked otherwise than the life's policy says."""
    corrections = life.corrections
    life.corrections = corrections.without_rebooking
    try:
        life.plan()
        sales = life.sales
    finally:
        life.corrections = corrections
    invoices = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
    held = [each for each in life.in_xero.values() if each.kind in invoices]
    own = [each for each in held if each.source == "order#A"]
    notes = [each for each in held if each.source != "order#A"]
    return rebooking(own, notes, sales, life.corrections, life.organisation)


def rebook(life: OrderLife) -> None:
    life.enter(K.REBOOK, terms=found(life).terms)
    life.update({})


def booked(life: OrderLife) -> dict[Booked, Decimal]:
    """Return what the documents in Xero state by line and terms."""
    return life.amounts_by(lambda _, line: (line.origin, line.account, line.tax_type, line.tracking))


def in_regions(life: OrderLife) -> OrderLife:
    life.organisation = replace(
        ORGANISATION_WITH_CLEARING,
        lists=ListsToRead(tracking=True, item_codes=frozenset({"TEA"})),
        tracking={"Region": frozenset({"North", "South"})},
        items={"TEA": Item("TEA", stock_is_tracked=False)},
    )
    return life


# --- what is found ----------------------------------------------------------------------------------------------------


def test_order_that_is_booked_by_the_rules_of_now_differs_in_nothing() -> None:
    assert found(order_life(PAYING, SHIPPED)) == Rebooking(date(2026, 11, 2))


def test_each_field_that_a_corrected_rule_changes_is_named() -> None:
    life = in_regions(order_life(PAYING, SHIPPED))
    life.policy = zero_rated(by_rules(replace(NORTH, account="206", item_code="TEA")))

    (line,) = found(life).lines

    assert (line.line, line.amount) == (TEA, D("10.00"))
    assert [(each.field, each.booked, each.by_rules) for each in line.changes] == [
        ("account", "200", "206"),
        ("tax_type", "OUTPUT2", "ZERORATEDOUTPUT"),
        ("tax", "1.67", "0.00"),
        ("tracking", "", "Region: North"),
        ("item_code", "", "TEA"),
    ]


def test_what_a_person_has_stated_of_a_line_is_no_difference() -> None:
    life = order_life(PAYING, SHIPPED)
    life.correct(K.ACCOUNT, "206")

    life.policy = by_rules(AccountRule("208"))

    assert found(life).lines == ()


def test_what_a_person_has_accepted_in_xero_is_left_to_a_person() -> None:
    life = order_life(PAYING, SHIPPED)
    life.correct(K.AS_IN_XERO, "invoice#A")

    life.policy = by_rules(AccountRule("208"))

    assert (found(life).lines, found(life).terms) == ((), ())
    assert "invoice#A stays as a person has accepted it in Xero" in found(life).problem


# --- what booking it again does ---------------------------------------------------------------------------------------


def test_paid_order_is_credited_at_the_old_terms_and_invoiced_at_the_new_ones() -> None:
    life = order_life(PAYING, SHIPPED)
    life.policy = zero_rated(PAYING)

    rebook(life)

    assert life.summary == {
        "invoice A": "AUTHORISED 10.00",
        "payment A": "10",
        "invoice A-A1": "AUTHORISED 10.00",
        "payment A-A1": "10",
        "credit_note A-A1": "AUTHORISED 10.00",
        "credit_note_refund A-A1": "10",
    }
    assert booked(life) == {(TEA, "200", "ZERORATEDOUTPUT", ()): D("10.00")}
    assert life.in_xero["credit_note A-A1"].body["Date"] == "2026-11-10"  # the day on which it was chosen
    assert (life.pending_changes(), found(life).lines) == ([], ())


def test_paid_order_moves_to_other_tracking_although_account_and_tax_stay() -> None:
    life = in_regions(order_life(PAYING))
    life.policy = by_rules(NORTH)
    life.update(SHIPPED)
    life.policy = by_rules(SOUTH)

    rebook(life)
    life.update(version(2, tea("12.00")))

    assert booked(life) == {(TEA, "200", "OUTPUT2", SOUTH.tracking): D("12.00")}


def test_unpaid_invoice_is_updated() -> None:
    life = order_life(POLICY, SHIPPED)
    life.policy = zero_rated(POLICY)

    rebook(life)

    assert life.summary == {"invoice A": "AUTHORISED 10.00"}
    assert booked(life) == {(TEA, "200", "ZERORATEDOUTPUT", ()): D("10.00")}


def test_each_shipment_is_booked_again_in_one_pair_of_documents() -> None:
    life = order_life(PER_SHIPMENT, version(1, tea(), item("5.00", breakdown("ITEM", "5.00"), item_id="2")))
    life.policy = by_rules(AccountRule("208"), policy=PER_SHIPMENT)

    rebook(life)

    assert {account for _, account, _, _ in booked(life)} == {"208"}
    assert life.invoiced_total == life.settled_total == D("15.00")


def test_discount_moves_with_its_charge() -> None:
    discounted = item("8.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-2.00"), item_id="1")
    life = order_life(PAYING, version(1, discounted))
    life.policy = zero_rated(PAYING)

    rebook(life)

    assert {tax_type for _, _, tax_type, _ in booked(life)} == {"ZERORATEDOUTPUT"}
    assert life.invoiced_total == D("8.00")


# --- what follows -----------------------------------------------------------------------------------------------------


def test_paid_order_that_nobody_chose_stays_as_it_was_booked_when_amazon_changes_it() -> None:
    life = order_life(PAYING, SHIPPED)
    life.policy = zero_rated(PAYING)

    life.update(version(2, tea("12.00")))

    assert booked(life) == {(TEA, "200", "OUTPUT2", ()): D("12.00")}


def test_open_invoice_follows_the_rules_of_now_with_the_next_version() -> None:
    life = order_life(POLICY, SHIPPED)
    life.policy = zero_rated(POLICY)

    life.update(version(2, tea("12.00")))

    assert booked(life) == {(TEA, "200", "ZERORATEDOUTPUT", ()): D("12.00")}
    assert life.summary.keys() == {"invoice A"}


def test_open_invoice_of_a_locked_period_stays_until_it_is_chosen() -> None:
    life = order_life(POLICY, SHIPPED)
    life.organisation = replace(life.organisation, period_lock=date(2026, 11, 5))
    life.policy = zero_rated(POLICY)

    life.update(version(9, tea("12.00")))
    unchosen = booked(life)
    rebook(life)

    assert unchosen == {(TEA, "200", "OUTPUT2", ()): D("12.00")}
    assert booked(life) == {(TEA, "200", "ZERORATEDOUTPUT", ()): D("12.00")}


def test_rules_that_change_once_more_change_nothing_of_what_was_chosen() -> None:
    life = order_life(PAYING, SHIPPED)
    life.policy = by_rules(AccountRule("206"))
    rebook(life)

    life.policy = zero_rated(by_rules(AccountRule("208")))
    life.update(version(2, tea("12.00")))

    assert booked(life) == {(TEA, "206", "OUTPUT2", ()): D("12.00")}


def test_order_can_be_booked_again_and_again() -> None:
    life = order_life(PAYING, SHIPPED)
    for account in ("206", "208", "206"):
        life.policy = by_rules(AccountRule(account))
        rebook(life)

    assert booked(life) == {(TEA, "206", "OUTPUT2", ()): D("10.00")}
    assert life.invoiced_total == life.settled_total == D("10.00")


@pytest.mark.parametrize("rule", [AccountRule("206"), SOUTH])
def test_cancelled_order_is_credited_where_it_was_booked_again(rule: AccountRule) -> None:
    life = in_regions(order_life(PAYING))
    life.policy = by_rules(NORTH)
    life.update(SHIPPED)
    life.policy = by_rules(rule)
    rebook(life)

    life.update(cancelled(2))

    assert booked(life) == {}


def test_withdrawn_rebooking_follows_the_rules_as_they_are_then() -> None:
    life = order_life(PAYING, SHIPPED)
    life.policy = by_rules(AccountRule("206"))
    rebook(life)

    life.policy = PAYING
    life.correct(K.WITHDRAW, "1")

    assert booked(life) == {(TEA, "200", "OUTPUT2", ()): D("10.00")}


def test_later_correction_of_a_line_comes_before_what_it_was_booked_again_at() -> None:
    life = order_life(PAYING, SHIPPED)
    life.policy = by_rules(AccountRule("206"))
    rebook(life)

    life.correct(K.ACCOUNT, "207")

    assert booked(life) == {(TEA, "207", "OUTPUT2", ()): D("10.00")}


# --- locked periods ---------------------------------------------------------------------------------------------------


def test_order_of_a_locked_period_is_booked_again_on_the_day_on_which_it_is_chosen() -> None:
    life = order_life(PAYING, SHIPPED)
    life.organisation = replace(life.organisation, period_lock=date(2026, 11, 5))
    life.policy = zero_rated(PAYING)

    rebook(life)

    assert life.in_xero["invoice A-A1"].body["Date"] == "2026-11-10"


@pytest.mark.parametrize("lock_dates", LockDates)
def test_locked_day_is_named_or_replaced_by_the_first_open_one(lock_dates: LockDates) -> None:
    life = order_life(PAYING, SHIPPED)
    life.organisation = replace(life.organisation, period_lock=date(2026, 11, 15))
    life.policy = zero_rated(replace(PAYING, lock_dates=lock_dates))

    if lock_dates is LockDates.HOLD:
        with pytest.raises(Failure) as held:
            rebook(life)
        assert held.value.code is FailureCode.PERIOD_LOCKED
        return
    rebook(life)
    assert life.in_xero["invoice A-A1"].body["Date"] == "2026-11-16"


# --- properties -------------------------------------------------------------------------------------------------------

RULES = st.sampled_from([(), (AccountRule("206"),), (NORTH,), (replace(SOUTH, account="207"),)])
STEP = st.one_of(
    st.tuples(st.just("rules"), RULES, st.booleans()),
    st.tuples(st.just("rebook"), st.none(), st.none()),
    CHANGE,
    CORRECTION,
    WITHDRAWAL,
)


@given(st.lists(STEP, min_size=1, max_size=8), st.sampled_from([PAYING, POLICY]))
def test_chosen_order_is_booked_by_the_rules_and_nothing_is_lost_on_the_way(
    steps: list[Any], policy: PostingPolicy
) -> None:
    life = in_regions(order_life(policy, drawn_order(1, [(1000, 499, 0)], "SHIPPED")))
    for day, (action, first, second) in enumerate(steps, 2):
        if action == "rules":
            life.policy = by_rules(*first, policy=zero_rated(policy) if second else policy)
        elif action == "rebook":
            rebook_if_different(life)
        elif action == "change":
            life.update(drawn_order(day, first, second))
        elif action == "withdraw" and life.corrections.in_force:
            applying = life.corrections.in_force
            life.correct(K.WITHDRAW, str(applying[first % len(applying)].number))
        elif action in ("correct", "enter"):
            getattr(life, action)(*first)
    life.update({})
    rebook_if_different(life)

    assert life.invoiced_total == life.sales_total
    assert life.pending_changes() == []
    assert not life.sales or found(life).lines == ()


def rebook_if_different(life: OrderLife) -> None:
    if life.sales and found(life).lines:
        rebook(life)
