"""The organisation in Xero's answers, and the time zones in Xero's names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tzlocal.windows_tz import win_tz

from amazon_to_xero.domain.books.organisation import Account, Organisation, TaxRate
from amazon_to_xero.domain.money import InvalidAmount, amount
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import XeroRefused, XeroUnavailable

_XERO_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
# Xero's name -> IANA name. Windows removed the first two years ago and CLDR with it; Xero still offers them.
_TIME_ZONES: Mapping[str, str] = {
    "KAMCHATKASTANDARDTIME": "Asia/Kamchatka",
    "MIDATLANTICSTANDARDTIME": "Etc/GMT+2",  # two hours behind UTC, which IANA writes with a plus
    **{re.sub(r"[ .\-]", "", windows).upper(): iana for windows, iana in win_tz.items()},
}


def organisation_from(
    organisations: Sequence[Json],
    accounts: Sequence[Json],
    tax_rates: Sequence[Json],
    currencies: Sequence[Json],
    read_at: datetime,
) -> Organisation:
    """Return the organisation in the elements of four answers. Raises XeroUnavailable for undocumented elements."""
    if len(organisations) != 1:
        raise XeroUnavailable("read Organisation", 200, f"answer has {len(organisations)} organisations, not one")
    fields = _Fields("read Organisation", "Organisations", organisations[0])
    return Organisation(
        organisation_id=fields.text("OrganisationID"),
        name=fields.text("Name"),
        base_currency=fields.text("BaseCurrency"),
        country=fields.text("CountryCode"),
        time_zone=iana_time_zone(fields.text("Timezone")),
        read_at=read_at,
        # An account without a code can be named neither in the settings nor on a line.
        accounts={account.code: account for account in map(_account_from, accounts) if account.code},
        tax_rates={rate.tax_type: rate for rate in map(_tax_rate_from, tax_rates) if rate},
        currencies=frozenset(_Fields("read Currencies", "Currencies", each).text("Code") for each in currencies),
        period_lock=fields.date("PeriodLockDate"),
        year_lock=fields.date("EndOfYearLockDate"),
        plan=str(organisations[0].get("Class") or ""),
    )


def iana_time_zone(xero_name: str) -> str:
    """Return the IANA zone of Organisation.Timezone: Windows' name in capitals without spaces, dots and hyphens.

    Raises XeroRefused for a name that is unknown.
    """
    zone = _TIME_ZONES.get(xero_name)
    if zone is None:
        raise XeroRefused(
            "read Organisation",
            200,
            f"Organisation.Timezone {xero_name[:40]!r} is not known; choose another time zone in Xero's financial "
            "settings, and report this as a defect",
        )
    return zone


def tracking_from(categories: Sequence[Json]) -> Mapping[str, frozenset[str]]:
    """Return the options of each tracking category, by their names; archived ones are left out."""
    return {
        _Fields("read TrackingCategories", "TrackingCategories", each).text("Name"): frozenset(
            _Fields("read TrackingCategories", "TrackingCategories.Options", option).text("Name")
            for option in each.get("Options") or ()
            if option.get("Status") == "ACTIVE"
        )
        for each in categories
        if each.get("Status") == "ACTIVE"
    }


def branding_themes_from(elements: Sequence[Json]) -> Mapping[str, str]:
    """Return the ids of the branding themes, by name."""
    themes = [_Fields("read BrandingThemes", "BrandingThemes", each) for each in elements]
    return {theme.text("Name"): theme.text("BrandingThemeID") for theme in themes}


def _account_from(element: Json) -> Account:
    fields = _Fields("read Accounts", "Accounts", element)
    kind = fields.text("Type")
    return Account(
        account_id=fields.text("AccountID"),
        code=element.get("Code") or "",
        name=fields.text("Name"),
        type=kind,
        currency=element.get("CurrencyCode") or None,
        active=element.get("Status") == "ACTIVE",
        takes_payments=kind == "BANK" or element.get("EnablePaymentsToAccount") is True,
        system=element.get("SystemAccount") or "",
    )


def _tax_rate_from(element: Json) -> TaxRate | None:
    """Return the tax rate; None for one that is archived and no longer has an EffectiveRate."""
    fields = _Fields("read TaxRates", "TaxRates", element)
    active = element.get("Status") == "ACTIVE"
    if not active and element.get("EffectiveRate") is None:
        return None
    return TaxRate(
        tax_type=fields.text("TaxType"),
        name=fields.text("Name"),
        rate=fields.amount("EffectiveRate"),
        active=active,
        on_revenue=element.get("CanApplyToRevenue") is True,
    )


class _Fields:
    """The fields of one element of an answer. A field of another type raises XeroUnavailable that names it."""

    def __init__(self, operation: str, collection: str, element: Json) -> None:
        self._operation = operation
        self._collection = collection
        self._element = element

    def text(self, name: str) -> str:
        value = self._element.get(name)
        if not isinstance(value, str) or not value:
            raise self._wrong_type(name, "text")
        return value

    def amount(self, name: str) -> Decimal:
        try:
            return amount(self._element.get(name), name)
        except InvalidAmount:
            raise self._wrong_type(name, "a number") from None

    def date(self, name: str) -> date | None:
        """Return the calendar date in Xero's /Date(milliseconds+0000)/: midnight UTC of it, in every time zone."""
        value = self._element.get(name)
        if value is None:
            return None
        found = _XERO_DATE.fullmatch(value) if isinstance(value, str) else None
        if not found:
            raise self._wrong_type(name, "a date such as /Date(1222732800000+0000)/")
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))).date()

    def _wrong_type(self, name: str, expected: str) -> XeroUnavailable:
        kind = type(self._element.get(name)).__name__
        return XeroUnavailable(self._operation, 200, f"{self._collection}.{name} should be {expected} and is {kind}")
