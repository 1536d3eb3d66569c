"""The Xero organisation: its accounts, tax rates, currencies, lock dates and time zone, and whether they are usable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.failures import Failure, FailureCode


class LockDates(StrEnum):
    """What happens to a document whose date lies in a period that is locked in Xero."""

    HOLD = "hold"  # it fails and waits for a person
    NEXT_OPEN_DAY = "next_open_day"  # it is dated on the first open day


@dataclass(frozen=True)
class Account:
    """An account of the organisation's chart of accounts.

    account_id: Xero's AccountID.
    code: what the settings and document lines name it by.
    name: Xero's name of it.
    type: Xero's account type, e.g. REVENUE or BANK.
    currency: ISO code of a bank account; None for any other account.
    active: False for an archived account.
    takes_payments: it is a bank account, or payments to it are enabled in Xero.
    system: Xero's SystemAccount, e.g. ROUNDING or DEBTORS; empty for an ordinary account.
    """

    account_id: str
    code: str
    name: str
    type: str
    currency: str | None
    active: bool
    takes_payments: bool
    system: str = ""


@dataclass(frozen=True)
class TaxRate:
    """A tax rate of the organisation.

    tax_type: Xero's TaxType, which document lines name it by.
    name: Xero's name of it, e.g. 20% (VAT on Income).
    rate: EffectiveRate in percent: Decimal("20") for 20 %.
    active: False for an archived or deleted rate.
    on_revenue: it can be used on sales.
    """

    tax_type: str
    name: str
    rate: Decimal
    active: bool
    on_revenue: bool


@dataclass(frozen=True)
class Organisation:
    """A Xero organisation as it was read at one time.

    organisation_id, name: Xero's OrganisationID and its display name.
    base_currency, country: ISO codes.
    time_zone: IANA name; documents are dated in it.
    read_at: when it was read (UTC).
    accounts: account code -> account.
    tax_rates: TaxType -> tax rate.
    currencies: ISO codes of the currencies that it is subscribed to.
    plan: Xero's Class of the organisation, e.g. STARTER; empty where Xero states none.
    period_lock, year_lock: Xero's lock dates, for the period and for the end of the year; None where none is set.
    lists: which of the lists below were read; the others are empty.
    tracking: name of a tracking category -> the names of its options, both without archived ones.
    items: code -> item, of those that were asked for.
    branding_themes: name -> Xero's BrandingThemeID.
    """

    organisation_id: str
    name: str
    base_currency: str
    country: str
    time_zone: str
    read_at: datetime
    accounts: Mapping[str, Account]
    tax_rates: Mapping[str, TaxRate]
    currencies: frozenset[str]
    period_lock: date | None = None
    year_lock: date | None = None
    plan: str = ""
    lists: ListsToRead = field(default_factory=ListsToRead)
    tracking: Mapping[str, frozenset[str]] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    branding_themes: Mapping[str, str] = field(default_factory=dict)

    def local_date(self, moment: datetime) -> date:
        """Return the calendar date of a UTC time in the organisation's time zone."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def open_date(self, day: date, lock_dates: LockDates) -> date:
        """Return the date of a document that belongs on that day. Raises Failure with PERIOD_LOCKED."""
        locked = self.locked_until
        if locked is None or day > locked:
            return day
        if lock_dates is LockDates.NEXT_OPEN_DAY:
            return locked + timedelta(days=1)
        raise Failure(
            FailureCode.PERIOD_LOCKED,
            f"{day} lies in a period that is locked in Xero until {locked}. Move the lock date in Xero, or set "
            "invoices.lock_dates to next_open_day in the connection's settings, then reprocess the order.",
        )

    @property
    def locked_until(self) -> date | None:
        """The last locked day, by the later of Xero's two lock dates; None where neither is set."""
        return max((day for day in (self.period_lock, self.year_lock) if day), default=None)

    def usable_rate(self, tax_type: str) -> Decimal:
        """Return the percentage of a tax type. Raises Failure with TAX_RATE_UNUSABLE."""
        rate = self.tax_rates.get(tax_type)
        if rate is None or not rate.active or not rate.on_revenue:
            raise Failure(
                FailureCode.TAX_RATE_UNUSABLE,
                f"The organisation has no active tax rate {tax_type} that can be used on sales. "
                "Correct tax in the connection's settings or the rate in Xero, then reprocess the order.",
            )
        return rate.rate

    def require_currency(self, currency: str) -> None:
        """Raise Failure with CURRENCY_NOT_SUBSCRIBED where the organisation does not use the currency."""
        if currency not in self.currencies:
            raise Failure(
                FailureCode.CURRENCY_NOT_SUBSCRIBED,
                f"The organisation does not use {currency}. Add the currency in Xero, then reprocess the order.",
            )

    def require_clearing(self, code: str, currency: str) -> None:
        """Raise Failure with CLEARING_UNUSABLE where the account cannot take payments in the currency.

        Only a bank account has a currency of its own in Xero: any other account is in the base currency.
        """
        account = self.accounts.get(code)
        is_usable = account is not None and account.active and account.takes_payments
        if is_usable and account is not None and (account.currency or self.base_currency) == currency:
            return
        others = " or have payments enabled" if currency == self.base_currency else ""
        raise Failure(
            FailureCode.CLEARING_UNUSABLE,
            f"Account {code} cannot take payments in {currency}: it should be an active bank account in {currency}"
            f"{others}. Correct the account in Xero, or accounts.clearing or accounts.marketplace_clearing in the "
            "connection's settings, then reprocess the order.",
        )

    def require_tracking(self, category: str, option: str) -> None:
        """Raise Failure with TRACKING_UNKNOWN where the tracking category has no such option, as far as they were read.

        Xero may leave out tracking that it does not know, and the line would be reported under nothing.
        """
        if self.lists.tracking and option not in self.tracking.get(category, frozenset()):
            raise Failure(
                FailureCode.TRACKING_UNKNOWN,
                f"The organisation has no active tracking category {category} with an active option {option}. Add or "
                "restore it in Xero, or correct accounts.rules in the connection's settings, then reprocess the order.",
            )

    def require_item(self, code: str) -> None:
        """Raise Failure with ITEM_UNUSABLE where no such item exists, or Xero keeps its stock, as far as it was read.

        A line with an item whose stock Xero keeps moves the stock, which Xero refuses below 0.
        """
        if code not in self.lists.item_codes:
            return
        item = self.items.get(code)
        if item is None or item.stock_is_tracked:
            problem = "has no item" if item is None else "tracks the stock of item"
            action = "Add the item in Xero" if item is None else "Use an item whose stock is not tracked"
            raise Failure(
                FailureCode.ITEM_UNUSABLE,
                f"The organisation {problem} {code}. {action}, or correct accounts.rules in the connection's settings, "
                "then reprocess the order.",
            )

    def branding_theme_id(self, name: str) -> str:
        """Return Xero's id of a branding theme. Raises Failure with BRANDING_THEME_UNKNOWN."""
        if name not in self.branding_themes:
            raise Failure(
                FailureCode.BRANDING_THEME_UNKNOWN,
                f"The organisation has no branding theme {name}. Add it in Xero, or correct invoices.branding_theme in "
                "the connection's settings, then reprocess the order.",
            )
        return self.branding_themes[name]

    def rounding_account(self) -> Account | None:
        """Return Xero's system account for rounding; None where it is archived or missing."""
        rounding = (account for account in self.accounts.values() if account.system == "ROUNDING" and account.active)
        return next(rounding, None)
