"""What does not fit is said before an order is refused for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Account, LockDates, Organisation
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.preflight import preflight
from amazon_to_xero.domain.tax.liability import Party
from amazon_to_xero.domain.tax.rules import TaxRule
from fakes.books import ORGANISATION, POLICY

START = datetime(2026, 1, 1, tzinfo=UTC)
CLEARING = {currency: f"CLR-{currency}" for currency in ("GBP", "USD", "CAD", "JPY")}
FITTING = replace(POLICY, accounts=replace(POLICY.accounts, clearing=CLEARING))
READY = replace(
    ORGANISATION,
    accounts={
        **ORGANISATION.accounts,
        **{
            code: Account(f"a-{code}", code, f"Clearing {currency}", "BANK", currency, True, True)
            for currency, code in CLEARING.items()
        },
    },
)


def account(code: str, **changed: Any) -> Organisation:
    return replace(READY, accounts={**READY.accounts, code: replace(READY.accounts[code], **changed)})


def without(code: str) -> Organisation:
    return replace(READY, accounts={c: a for c, a in READY.accounts.items() if c != code})


def rate(tax_type: str, **changed: Any) -> Organisation:
    return replace(READY, tax_rates={**READY.tax_rates, tax_type: replace(READY.tax_rates[tax_type], **changed)})


def taxed(*rules: TaxRule, **changed: Any) -> PostingPolicy:
    return replace(FITTING, tax=replace(FITTING.tax, rules=rules or FITTING.tax.rules, **changed))


def reasons(policy: PostingPolicy, organisation: Organisation) -> list[str]:
    return [problem.reason for problem in preflight(policy, organisation, START)]


def test_where_everything_fits_there_is_nothing_to_say() -> None:
    assert preflight(FITTING, READY, START) == ()


@pytest.mark.parametrize(
    ("policy", "organisation", "reason", "names"),
    [
        (FITTING, without("205"), "ACCOUNT_UNKNOWN", "205"),
        (FITTING, account("210", active=False), "ACCOUNT_ARCHIVED", "210"),
        (FITTING, without("498"), "NO_ROUNDING_ACCOUNT", "ROUNDING"),
        (FITTING, account("498", active=False), "NO_ROUNDING_ACCOUNT", "ROUNDING"),
        (FITTING, without("CLR-GBP"), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, account("CLR-GBP", active=False), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, account("CLR-GBP", takes_payments=False), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, account("CLR-GBP", currency="USD"), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, replace(READY, currencies=READY.currencies - {"CAD"}), "CURRENCY_NOT_SUBSCRIBED", "CAD"),
        (FITTING, rate("OUTPUT2", active=False), "TAX_RATE_UNUSABLE", "OUTPUT2"),
        (FITTING, rate("OUTPUT2", on_revenue=False), "TAX_RATE_UNUSABLE", "OUTPUT2"),
        (taxed(TaxRule("NO_SUCH", LineAmountTypes.INCLUSIVE)), READY, "TAX_RATE_UNUSABLE", "NO_SUCH"),
        (taxed(TaxRule("OUTPUT2", LineAmountTypes.NO_TAX)), READY, "TAX_MODE_CONFLICT", "OUTPUT2"),
        (
            taxed(TaxRule("OUTPUT2", LineAmountTypes.INCLUSIVE, responsible=Party.MARKETPLACE)),
            READY,
            "TAX_OWED_BY_MARKETPLACE",
            "OUTPUT2",
        ),
        (taxed(rounding_tax_type="OUTPUT2"), READY, "ROUNDING_TAXED", "OUTPUT2"),
        (FITTING, replace(READY, period_lock=date(2026, 1, 1)), "LOCKED_BEFORE_START", "2026-01-01"),
        (FITTING, replace(READY, year_lock=date(2026, 3, 31)), "LOCKED_BEFORE_START", "2026-03-31"),
    ],
)
def test_each_thing_that_does_not_fit_is_said_with_its_name(
    policy: PostingPolicy, organisation: Organisation, reason: str, names: str
) -> None:
    (problem,) = preflight(policy, organisation, START)

    assert problem.reason == reason
    assert names in problem.remedy


def test_a_marketplace_without_a_clearing_account_has_its_invoices_stay_unpaid() -> None:
    no_dollars = replace(FITTING, accounts=replace(FITTING.accounts, clearing={"GBP": "CLR-GBP", "CAD": "CLR-CAD"}))
    problems = preflight(no_dollars, READY, START)

    assert [problem.reason for problem in problems] == ["NO_CLEARING", "NO_CLEARING"]
    assert ["USD" in problems[1].remedy, "JPY" in problems[0].remedy] == [True, True]


def test_books_that_are_locked_until_the_day_before_the_start_are_as_they_should_be() -> None:
    assert reasons(FITTING, replace(READY, period_lock=date(2025, 12, 31))) == []
    moving = replace(FITTING, lock_dates=LockDates.NEXT_OPEN_DAY)
    assert reasons(moving, replace(READY, period_lock=date(2026, 1, 31))) == []


def test_all_that_does_not_fit_is_said_at_once_and_each_once() -> None:
    twice = taxed(TaxRule("OLD", LineAmountTypes.INCLUSIVE), TaxRule("OLD", LineAmountTypes.EXCLUSIVE))

    assert reasons(twice, without("205")) == ["ACCOUNT_UNKNOWN", "TAX_RATE_UNUSABLE"]
