"""The Xero organisation as the mapping needs it: its accounts, tax rates, currencies, time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo


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

    def rounding_account(self) -> Account | None:
        return next((a for a in self.accounts.values() if a.system == "ROUNDING" and a.active), None)
