"""The organisation with its accounts, tax rates, currencies and time zone."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.organisation import iana_time_zone
from amazon_to_xero.ports.xero import (
    XeroRefused,
    XeroUnavailable,
)
from amazon_to_xero.runtime.privacy import redact
from fakes.state import ManualClock
from unit.adapters.fault_server import FaultServer, Reply
from unit.adapters.xero_replies import (
    API,
    Tokens,
    answer,
    guid,
)

CONTRACT = Path(__file__).parents[4] / "shared/contracts/xero/xero_accounting.json"


def an_organisation(**changes: Any) -> dict[str, Any]:
    return {
        "OrganisationID": guid(9),
        "Name": "Larkfield Trading Ltd",
        "BaseCurrency": "GBP",
        "CountryCode": "GB",
        "Timezone": "GMTSTANDARDTIME",
        "PeriodLockDate": "/Date(1222732800000+0000)/",
        **changes,
    }


def script_organisation(server: FaultServer, **changes: Any) -> None:
    server.on(f"{API}/Organisation", answer(an_organisation(**changes), collection="Organisations"))
    server.on(
        f"{API}/Accounts",
        answer(
            {"AccountID": guid(1), "Code": "200", "Name": "Sales", "Type": "REVENUE", "Status": "ACTIVE"},
            {
                **{"AccountID": guid(2), "Code": "610", "Name": "Amazon clearing", "Type": "CURRENT"},
                **{"Status": "ACTIVE", "EnablePaymentsToAccount": True},
            },
            {
                **{"AccountID": guid(3), "Code": "090", "Name": "Bank", "Type": "BANK"},
                **{"Status": "ARCHIVED", "CurrencyCode": "EUR"},
            },
            {
                **{"AccountID": guid(4), "Code": "860", "Name": "Rounding", "Type": "EXPENSE"},
                **{"Status": "ACTIVE", "SystemAccount": "ROUNDING"},
            },
            {"AccountID": guid(5), "Name": "A bank account without a code", "Type": "BANK", "Status": "ACTIVE"},
            collection="Accounts",
        ),
    )
    rates = (
        '{"TaxRates": [{"Name": "20% (VAT on Income)", "TaxType": "OUTPUT2", "Status": "ACTIVE",'
        ' "EffectiveRate": 20.0000, "CanApplyToRevenue": true},'
        ' {"Name": "17.5%", "TaxType": "OUTPUT", "Status": "DELETED", "EffectiveRate": 17.5,'
        ' "CanApplyToRevenue": true},'
        ' {"Name": "On purchases", "TaxType": "INPUT2", "Status": "ACTIVE", "EffectiveRate": 20,'
        ' "CanApplyToRevenue": false}, {"Name": "Gone", "TaxType": "OLD", "Status": "DELETED"}]}'
    )
    server.on(f"{API}/TaxRates", Reply(200, rates))
    server.on(f"{API}/Currencies", answer({"Code": "GBP"}, {"Code": "XCG"}, collection="Currencies"))


def test_organisation_has_accounts_rates_currencies_and_lock_dates(
    accounting: XeroAccounting, server: FaultServer, clock: ManualClock
) -> None:
    script_organisation(server)
    own = accounting.organisation()
    assert (own.organisation_id, own.base_currency, own.country) == (guid(9), "GBP", "GB")
    assert (own.time_zone, own.read_at) == ("Europe/London", clock.now())
    assert (own.period_lock, own.year_lock) == (date(2008, 9, 30), None)
    assert own.currencies == {"GBP", "XCG"}
    assert set(own.accounts) == {"200", "610", "090", "860"}
    assert [own.accounts[code].takes_payments for code in ("200", "610", "090")] == [False, True, True]
    assert [own.accounts[code].active for code in ("200", "090")] == [True, False]
    assert (own.accounts["090"].currency, own.accounts["200"].currency) == ("EUR", None)
    assert own.rounding_account() == own.accounts["860"]
    assert own.tax_rates["OUTPUT2"].rate == Decimal(20)
    assert [(name, own.tax_rates[name].active, own.tax_rates[name].on_revenue) for name in own.tax_rates] == [
        ("OUTPUT2", True, True),
        ("OUTPUT", False, True),
        ("INPUT2", True, False),
    ]
    assert len(server.received) == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"BaseCurrency": None}, "Organisations.BaseCurrency should be text and is NoneType"),
        ({"PeriodLockDate": "30 September"}, "Organisations.PeriodLockDate should be a date"),
        ({"Timezone": ""}, "Organisations.Timezone"),
    ],
)
def test_unexpected_value_is_named_by_its_field(
    accounting: XeroAccounting, server: FaultServer, changes: dict[str, Any], named: str
) -> None:
    script_organisation(server, **changes)
    with pytest.raises(XeroUnavailable, match=re.escape(named)):
        accounting.organisation()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/Date(1222732800000+0000)/", date(2008, 9, 30)),
        ("/Date(1222732800000)/", date(2008, 9, 30)),
        ("/Date(1222732800000+1300)/", date(2008, 9, 30)),  # the milliseconds are UTC whatever follows
        ("/Date(-86400000+0000)/", date(1969, 12, 31)),
    ],
)
def test_lock_date_is_a_calendar_date_in_every_time_zone(
    accounting: XeroAccounting, server: FaultServer, text: str, expected: date
) -> None:
    script_organisation(server, EndOfYearLockDate=text, Timezone="NEWZEALANDSTANDARDTIME")
    assert accounting.organisation().year_lock == expected


def test_unknown_time_zone_is_refused_with_a_remedy(accounting: XeroAccounting, server: FaultServer) -> None:
    script_organisation(server, Timezone="MARSSTANDARDTIME")
    with pytest.raises(XeroRefused, match=r"Organisation\.Timezone 'MARSSTANDARDTIME' is not known; choose another"):
        accounting.organisation()


@pytest.mark.parametrize(
    ("xeros", "iana"),
    [
        ("NEWZEALANDSTANDARDTIME", "Pacific/Auckland"),
        ("AUSEASTERNSTANDARDTIME", "Australia/Sydney"),
        ("EASTERNSTANDARDTIME(MEXICO)", "America/Cancun"),
        ("UTC", "Etc/UTC"),
        ("UTC02", "Etc/GMT+2"),  # UTC-02: two hours behind, where Windows' hyphen is dropped
        ("UTC+12", "Etc/GMT-12"),
        ("MIDATLANTICSTANDARDTIME", "Etc/GMT+2"),
    ],
)
def test_xeros_time_zone_names_are_translated(xeros: str, iana: str) -> None:
    assert iana_time_zone(xeros) == iana


@pytest.mark.skipif(not CONTRACT.exists(), reason="Xero's OpenAPI description is not here")
def test_every_time_zone_of_xeros_api_description_is_known() -> None:
    zones = json.loads(CONTRACT.read_text())["components"]["schemas"]["TimeZone"]["enum"]
    assert len(zones) > 100
    for zone in zones:
        ZoneInfo(iana_time_zone(zone))


# --- settings of the adapter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "tenant"), [("api.xero.com", "tenant-1"), ("https://api.xero.com", "")])
def test_unusable_setting_is_named(tokens: Tokens, clock: ManualClock, url: str, tenant: str) -> None:
    with pytest.raises(ValueError, match=r"api_url|tenant_id"):
        XeroAccounting(tokens, tenant, clock, redact, api_url=url)
