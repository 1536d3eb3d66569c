"""The Xero organisation as the mapping needs it: its accounts, tax rates, currencies, time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from amazon_to_xero.domain.failures import Failure, FailureCode


class LockDates(StrEnum):
    """What becomes of a document whose day lies in a period that is locked in Xero."""

    HOLD = "hold"  # it waits for a person
    NEXT_OPEN_DAY = "next_open_day"  # it is booked on the first day that is open


@dataclass(frozen=True)
class Account:
    """`system` is Xero's SystemAccount (ROUNDING, DEBTORS …) or empty."""

    account_id: str
    code: str
    name: str
    type: str
    currency: str | None  # bank accounts only
    active: bool
    takes_payments: bool  # a bank account, or EnablePaymentsToAccount
    system: str = ""


@dataclass(frozen=True)
class TaxRate:
    """`rate` is EffectiveRate in percent: Decimal("20") for 20 %."""

    tax_type: str
    name: str
    rate: Decimal
    active: bool
    on_revenue: bool


@dataclass(frozen=True)
class Organisation:
    """What `GET /Organisation`, `/Accounts`, `/TaxRates` and `/Currencies` said at `read_at` (UTC)."""

    organisation_id: str
    name: str
    base_currency: str
    country: str
    time_zone: str  # IANA
    read_at: datetime
    accounts: Mapping[str, Account]  # by code
    tax_rates: Mapping[str, TaxRate]  # by TaxType
    currencies: frozenset[str]
    period_lock: date | None = None
    year_lock: date | None = None

    def local_date(self, moment: datetime) -> date:
        """The organisation's calendar date at a UTC moment: the date a document is booked on."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def open_date(self, day: date, lock_dates: LockDates) -> date:
        """The day a document of that day is booked on. Raises Failure with PERIOD_LOCKED."""
        locked = self.locked_until
        if locked is None or day > locked:
            return day
        if lock_dates is LockDates.NEXT_OPEN_DAY:
            return locked + timedelta(days=1)
        raise Failure(
            FailureCode.PERIOD_LOCKED,
            f"{day} lies in a period that is locked in Xero until {locked}; move the lock date or set "
            "invoices.lock_dates to next_open_day in the connection's settings, then redrive",
        )

    @property
    def locked_until(self) -> date | None:
        """The last day that nothing can be booked on; Xero has a lock date for periods and one for the year."""
        return max((day for day in (self.period_lock, self.year_lock) if day), default=None)

    def usable_rate(self, tax_type: str) -> Decimal:
        """The percentage of a tax type. Raises Failure with TAX_RATE_UNUSABLE."""
        rate = self.tax_rates.get(tax_type)
        if rate is None or not rate.active or not rate.on_revenue:
            raise Failure(
                FailureCode.TAX_RATE_UNUSABLE,
                f"the organisation has no active tax rate {tax_type} usable on revenue; "
                "correct the tax settings of the connection or the rate in Xero, then redrive",
            )
        return rate.rate

    def require_currency(self, currency: str) -> None:
        """Raises Failure with CURRENCY_NOT_SUBSCRIBED."""
        if currency not in self.currencies:
            raise Failure(
                FailureCode.CURRENCY_NOT_SUBSCRIBED,
                f"the organisation does not use {currency}; add the currency in Xero, then redrive",
            )

    def require_clearing(self, code: str, currency: str) -> None:
        """Raises Failure with CLEARING_UNUSABLE where the account cannot take payments in the currency."""
        account = self.accounts.get(code)
        usable = account is not None and account.active and account.takes_payments
        if account is None or not usable or account.currency not in (None, "", currency):
            raise Failure(
                FailureCode.CLEARING_UNUSABLE,
                f"account {code} cannot take payments in {currency}; it should be an active bank account in {currency} "
                "or have payments enabled: correct it in Xero or accounts.clearing in the settings, then redrive",
            )

    def rounding_account(self) -> Account | None:
        return next((a for a in self.accounts.values() if a.system == "ROUNDING" and a.active), None)
