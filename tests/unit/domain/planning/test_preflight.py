"""Where settings and organisation do not fit each other, found before an order fails because of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Account, LockDates, Organisation
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules
from amazon_to_xero.domain.planning.document_style import DocumentStyle
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.preflight import preflight
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rules import TaxRule
from fakes.books import ORGANISATION, POLICY
from fakes.orders import CA, UK

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
    lists=ListsToRead(tracking=True, item_codes=frozenset({"MUGS", "GONE", "STOCKED"})),
    tracking={"Channel": frozenset({"FBA", "FBM"})},
    items={"MUGS": Item("MUGS", stock_is_tracked=False), "STOCKED": Item("STOCKED", stock_is_tracked=True)},
)


def with_account(code: str, **changed: Any) -> Organisation:
    return replace(READY, accounts={**READY.accounts, code: replace(READY.accounts[code], **changed)})


def without_account(code: str) -> Organisation:
    return replace(READY, accounts={c: a for c, a in READY.accounts.items() if c != code})


def with_rate(tax_type: str, **changed: Any) -> Organisation:
    return replace(READY, tax_rates={**READY.tax_rates, tax_type: replace(READY.tax_rates[tax_type], **changed)})


def with_rules(*rules: TaxRule, **changed: Any) -> PostingPolicy:
    return replace(FITTING, tax=replace(FITTING.tax, rules=rules or FITTING.tax.rules, **changed))


def with_account_rule(**decided: Any) -> PostingPolicy:
    return replace(FITTING, account_rules=AccountRules((AccountRule(**decided),)))


def with_marketplace_clearing(marketplace: str, **codes: str) -> PostingPolicy:
    return replace(FITTING, accounts=replace(FITTING.accounts, marketplace_clearing={marketplace: codes}))


def codes(policy: PostingPolicy, organisation: Organisation) -> list[str]:
    return [finding.code for finding in preflight(policy, organisation, START)]


def test_settings_that_fit_the_organisation_have_no_findings() -> None:
    assert preflight(FITTING, READY, START) == ()
    assert codes(with_account_rule(account="210", tracking=(("Channel", "FBA"),), item_code="MUGS"), READY) == []


@pytest.mark.parametrize(
    ("policy", "organisation", "code", "named"),
    [
        (FITTING, without_account("205"), "ACCOUNT_UNKNOWN", "205"),
        (FITTING, with_account("210", active=False), "ACCOUNT_ARCHIVED", "210"),
        (replace(FITTING, accounts=replace(FITTING.accounts, suspense="850")), READY, "ACCOUNT_UNKNOWN", "850"),
        (with_account_rule(account="201"), READY, "ACCOUNT_UNKNOWN", "201"),
        (with_account_rule(tracking=(("Channel", "FBN"),)), READY, "TRACKING_UNKNOWN", "option FBN"),
        (with_account_rule(tracking=(("Chanel", "FBA"),)), READY, "TRACKING_UNKNOWN", "category Chanel"),
        (with_account_rule(item_code="GONE"), READY, "ITEM_UNUSABLE", "GONE"),
        (with_account_rule(item_code="STOCKED"), READY, "ITEM_UNUSABLE", "STOCKED"),
        (replace(FITTING, accounts=replace(FITTING.accounts, refunds="215")), READY, "ACCOUNT_UNKNOWN", "215"),
        (with_marketplace_clearing(UK, GBP="CLR-UK"), READY, "CLEARING_UNUSABLE", "CLR-UK"),
        (with_marketplace_clearing(CA, CAD="CLR-GBP"), READY, "CLEARING_UNUSABLE", "active bank account in CAD"),
        (FITTING, with_account("CLR-CAD", type="CURRENT", currency=None), "CLEARING_UNUSABLE", "bank account in CAD."),
        (replace(FITTING, style=DocumentStyle(branding_theme="Shop")), READY, "BRANDING_THEME_UNKNOWN", "Shop"),
        (FITTING, without_account("498"), "NO_ROUNDING_ACCOUNT", "ROUNDING"),
        (FITTING, with_account("498", active=False), "NO_ROUNDING_ACCOUNT", "ROUNDING"),
        (FITTING, without_account("CLR-GBP"), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, with_account("CLR-GBP", active=False), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, with_account("CLR-GBP", takes_payments=False), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, with_account("CLR-GBP", currency="USD"), "CLEARING_UNUSABLE", "CLR-GBP"),
        (FITTING, replace(READY, currencies=READY.currencies - {"CAD"}), "CURRENCY_NOT_SUBSCRIBED", "CAD"),
        (FITTING, with_rate("OUTPUT2", active=False), "TAX_RATE_UNUSABLE", "OUTPUT2"),
        (FITTING, with_rate("OUTPUT2", on_revenue=False), "TAX_RATE_UNUSABLE", "OUTPUT2"),
        (with_rules(TaxRule("NO_SUCH", LineAmountTypes.INCLUSIVE)), READY, "TAX_RATE_UNUSABLE", "NO_SUCH"),
        (with_rules(TaxRule("OUTPUT2", LineAmountTypes.NO_TAX)), READY, "TAX_MODE_CONFLICT", "OUTPUT2"),
        (
            with_rules(TaxRule("OUTPUT2", LineAmountTypes.INCLUSIVE, responsible=Party.MARKETPLACE)),
            READY,
            "TAX_OWED_BY_MARKETPLACE",
            "OUTPUT2",
        ),
        (with_rules(rounding_tax_type="OUTPUT2"), READY, "ROUNDING_TAXED", "OUTPUT2"),
        (FITTING, replace(READY, period_lock=date(2026, 1, 1)), "LOCKED_BEFORE_START", "2026-01-01"),
        (FITTING, replace(READY, year_lock=date(2026, 3, 31)), "LOCKED_BEFORE_START", "2026-03-31"),
    ],
)
def test_misfit_is_found_with_its_name(
    policy: PostingPolicy, organisation: Organisation, code: str, named: str
) -> None:
    (finding,) = preflight(policy, organisation, START)

    assert finding.code == code
    assert named in finding.remedy


def test_currency_without_a_clearing_account_is_found() -> None:
    pounds_and_canadian_dollars = replace(
        FITTING, accounts=replace(FITTING.accounts, clearing={"GBP": "CLR-GBP", "CAD": "CLR-CAD"})
    )
    yen, dollars = preflight(pounds_and_canadian_dollars, READY, START)

    assert (yen.code, dollars.code) == (FailureCode.NO_CLEARING, FailureCode.NO_CLEARING)
    assert "JPY" in yen.remedy
    assert "USD" in dollars.remedy


def test_account_with_payments_enabled_clears_the_base_currency() -> None:
    assert codes(FITTING, with_account("CLR-GBP", type="CURRENT", currency=None)) == []


def test_marketplace_with_a_clearing_account_of_its_own_needs_no_other() -> None:
    alone = replace(
        FITTING.accounts,
        clearing={currency: code for currency, code in CLEARING.items() if currency != "GBP"},
        marketplace_clearing={UK: {"GBP": "CLR-GBP"}},
    )

    assert codes(replace(FITTING, accounts=alone), READY) == []


def test_period_locked_before_the_start_is_no_finding() -> None:
    assert codes(FITTING, replace(READY, period_lock=date(2025, 12, 31))) == []
    moving = replace(FITTING, lock_dates=LockDates.NEXT_OPEN_DAY)
    assert codes(moving, replace(READY, period_lock=date(2026, 1, 31))) == []


def test_all_findings_are_reported_together_and_each_once() -> None:
    twice = with_rules(TaxRule("OLD", LineAmountTypes.INCLUSIVE), TaxRule("OLD", LineAmountTypes.EXCLUSIVE))

    assert codes(twice, without_account("205")) == ["ACCOUNT_UNKNOWN", "TAX_RATE_UNUSABLE"]
