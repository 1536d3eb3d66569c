"""Where the settings and the organisation do not fit each other, found before an order fails because of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.organisation import LockDates, Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode, Finding
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.tax.rounding import check_rounding
from amazon_to_xero.domain.tax.rules import usable_rate


def preflight(policy: PostingPolicy, organisation: Organisation, start: datetime) -> tuple[Finding, ...]:
    """Return every finding once. Orders placed from `start` (UTC) on are to be booked."""
    findings = (
        *_check_accounts(policy, organisation),
        *_check_lines(policy, organisation),
        *_check_style(policy, organisation),
        *_check_currencies(policy, organisation),
        *_check_taxes(policy, organisation),
        *_check_lock_dates(policy, organisation, start),
    )
    return tuple(dict.fromkeys(findings))


def _check_accounts(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    accounts = policy.accounts
    refunds = {accounts.refunds, accounts.goodwill, accounts.restocking, accounts.suspense} - {""}
    codes = {*accounts.charges.values(), accounts.discounts, *refunds, *policy.account_rules.accounts}
    for code in sorted(codes):
        account = organisation.accounts.get(code)
        if account is None:
            yield Finding(
                FailureCode.ACCOUNT_UNKNOWN,
                f"The organisation has no account {code}. Add the account in Xero or correct accounts in the "
                "connection's settings.",
            )
        elif not account.active:
            yield Finding(
                FailureCode.ACCOUNT_ARCHIVED,
                f"Account {code} is archived. Restore the account in Xero or correct accounts in the connection's "
                "settings.",
            )
    if organisation.rounding_account() is None:
        yield Finding(
            FailureCode.NO_ROUNDING_ACCOUNT,
            "The organisation has no active rounding account, so orders whose tax Amazon rounds otherwise than Xero "
            "fail. Restore Xero's system account ROUNDING.",
        )


def _check_lines(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    for category, option in sorted(set(policy.account_rules.trackings())):
        yield from _findings(organisation.require_tracking, category, option)
    for code in sorted(policy.account_rules.item_codes):
        yield from _findings(organisation.require_item, code)


def _check_style(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    if policy.style.branding_theme:
        yield from _findings(organisation.branding_theme_id, policy.style.branding_theme)


def _check_currencies(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    accounts = policy.accounts
    places = [MARKETPLACES[each] for each in policy.marketplaces if each in MARKETPLACES]
    without_clearing = {
        each.currency for each in places if not accounts.clearing_account(each.marketplace_id, each.currency)
    }
    for currency in sorted({each.currency for each in places}):
        yield from _findings(organisation.require_currency, currency)
        if currency in without_clearing:
            yield Finding(
                FailureCode.NO_CLEARING,
                f"No clearing account is set for {currency}, so invoices in {currency} stay unpaid. "
                f"Set accounts.clearing for {currency} in the connection's settings.",
            )
    of_marketplaces = (item for own in accounts.marketplace_clearing.values() for item in own.items())
    for currency, code in sorted({*accounts.clearing.items(), *of_marketplaces}):
        yield from _findings(organisation.require_clearing, code, currency)


def _check_taxes(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    for rule in policy.tax.rules:
        yield from _findings(usable_rate, rule, organisation)
    yield from _findings(check_rounding, policy.tax, organisation)


def _check_lock_dates(policy: PostingPolicy, organisation: Organisation, start: datetime) -> Iterator[Finding]:
    locked = organisation.locked_until
    first_day = organisation.local_date(start)
    if locked and first_day <= locked and policy.lock_dates is LockDates.HOLD:
        yield Finding(
            FailureCode.LOCKED_BEFORE_START,
            f"Orders are booked from {first_day} on and Xero is locked until {locked}, so documents dated up to "
            f"{locked} fail. Set invoices.lock_dates to next_open_day, or start to a later day.",
        )


def _findings[**Arguments](
    check: Callable[Arguments, object], *arguments: Arguments.args, **keywords: Arguments.kwargs
) -> Iterator[Finding]:
    """Return the failure that an order would meet, if any, by running the check that the order would meet."""
    try:
        check(*arguments, **keywords)
    except Failure as failure:
        yield Finding(failure.code, failure.remedy)
