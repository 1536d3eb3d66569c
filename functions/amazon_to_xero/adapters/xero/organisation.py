"""The organisation, its accounts and tax rates from Xero's answers, and Xero's names of time zones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tzlocal.windows_tz import win_tz

from amazon_to_xero.domain.books.organisation import Account, TaxRate
from amazon_to_xero.domain.money import InvalidAmount, amount
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import (
    XeroRefused,
    XeroUnavailable,
)

_XERO_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")


class Fields:
    """The fields of one object of an answer; an odd one raises XeroUnavailable naming it."""

    def __init__(self, operation: str, collection: str, element: Json) -> None:
        self._operation = operation
        self._collection = collection
        self._element = element

    def text(self, name: str) -> str:
        value = self._element.get(name)
        if not isinstance(value, str) or not value:
            raise self._odd(name, "text")
        return value

    def amount(self, name: str) -> Decimal:
        try:
            return amount(self._element.get(name), name)
        except InvalidAmount:
            raise self._odd(name, "a number") from None

    def date(self, name: str) -> date | None:
        """The calendar date in Xero's /Date(milliseconds+0000)/, which is midnight UTC of it in every time zone."""
        value = self._element.get(name)
        if value is None:
            return None
        found = _XERO_DATE.fullmatch(value) if isinstance(value, str) else None
        if not found:
            raise self._odd(name, "a date such as /Date(1222732800000+0000)/")
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))).date()

    def _odd(self, name: str, wanted: str) -> XeroUnavailable:
        kind = type(self._element.get(name)).__name__
        return XeroUnavailable(self._operation, 200, f"{self._collection}.{name} should be {wanted} and is {kind}")


def account_from(element: Json) -> Account:
    fields = Fields("read Accounts", "Accounts", element)
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


def tax_rate_from(element: Json) -> TaxRate | None:
    """None for a rate that is out of use and has no EffectiveRate any more."""
    fields = Fields("read TaxRates", "TaxRates", element)
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


def iana_time_zone(xero_name: str) -> str:
    """The IANA zone of Organisation.Timezone, which is Windows' name in capitals without spaces, dots and hyphens.

    Raises XeroRefused for a name that neither CLDR nor the two additions to it know.
    """
    zone = _ZONES.get(xero_name)
    if zone is None:
        raise XeroRefused(
            "read Organisation",
            200,
            f"Organisation.Timezone {xero_name[:40]!r} is not known; choose another time zone in Xero's financial "
            "settings, and report this",
        )
    return zone


# Windows dropped these two years ago, CLDR with it; Xero still offers them.
_ZONES: Mapping[str, str] = {
    "KAMCHATKASTANDARDTIME": "Asia/Kamchatka",
    "MIDATLANTICSTANDARDTIME": "Etc/GMT+2",  # two hours behind UTC: IANA writes that with a plus
    **{re.sub(r"[ .\-]", "", windows).upper(): iana for windows, iana in win_tz.items()},
}
