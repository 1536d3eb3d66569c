"""What of the organisation does not fit the settings, seen before an order is refused for it."""

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
    """Every problem once. `start`: orders placed from then on are to be booked."""
    return tuple(
        dict.fromkeys(
            (
                *_accounts(policy, organisation),
                *_currencies(policy, organisation),
                *_taxes(policy, organisation),
                *_lock_dates(policy, organisation, start),
            )
        )
    )


def _accounts(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    income = {*policy.accounts.charges.values(), policy.accounts.discounts}
    for code in sorted(income):
        account = organisation.accounts.get(code)
        if account is None:
            yield Finding(
                FailureCode.ACCOUNT_UNKNOWN, f"the organisation has no account {code}; add it or correct accounts.*"
            )
        elif not account.active:
            yield Finding(
                FailureCode.ACCOUNT_ARCHIVED, f"account {code} is archived; restore it in Xero or correct accounts.*"
            )
    if organisation.rounding_account() is None:
        yield Finding(
            FailureCode.NO_ROUNDING_ACCOUNT,
            "the organisation has no active account with Xero's system account ROUNDING; orders whose tax Amazon "
            "rounds otherwise than Xero will be refused",
        )


def _currencies(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    clearing = policy.accounts.clearing
    needed = {MARKETPLACES[m].currency for m in policy.marketplaces if m in MARKETPLACES}
    for currency in sorted(needed):
        yield from _refusals(organisation.require_currency, currency)
        if currency not in clearing:
            yield Finding(
                FailureCode.NO_CLEARING,
                f"accounts.clearing names no account for {currency}: invoices in {currency} will stay unpaid",
            )
    for currency, code in sorted(clearing.items()):
        yield from _refusals(organisation.require_clearing, code, currency)


def _taxes(policy: PostingPolicy, organisation: Organisation) -> Iterator[Finding]:
    for rule in policy.tax.rules:
        yield from _refusals(usable_rate, rule, organisation)
    yield from _refusals(check_rounding, policy.tax, organisation)


def _lock_dates(policy: PostingPolicy, organisation: Organisation, start: datetime) -> Iterator[Finding]:
    locked = organisation.locked_until
    first = organisation.local_date(start)
    if locked and first <= locked and policy.lock_dates is LockDates.HOLD:
        yield Finding(
            FailureCode.LOCKED_BEFORE_START,
            f"orders are booked from {first} on and Xero is locked until {locked}: what belongs into the days between "
            "will be refused; set invoices.lock_dates to next_open_day, or start to a later day",
        )


def _refusals[**Arguments](
    check: Callable[Arguments, object], *of: Arguments.args, **by_name: Arguments.kwargs
) -> Iterator[Finding]:
    """The refusal that an order would meet, if any: what is checked here is what is checked there."""
    try:
        check(*of, **by_name)
    except Failure as failure:
        yield Finding(failure.code, failure.remedy)
