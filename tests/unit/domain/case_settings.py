"""The settings and the Xero organisation of a case of accounting_cases, from their short form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.organisation import Account, Organisation, TaxRate
from amazon_to_xero.domain.books.organisation_lists import Item, ListsToRead
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from fakes.books import ORGANISATION
from fakes.editions import tax_rates_of_edition
from fakes.settings import settings
from unit.domain.case_statements import Case

MARKETPLACE_BY_NAME = {each.name: each for each in MARKETPLACES.values()}
_CURRENCIES = frozenset({"GBP", "EUR", "USD", "CAD", "AUD", "NZD", "JPY", "INR", "SEK", "PLN", "MXN", "SGD"})
_COUNTRIES = {  # Xero's edition -> base currency and time zone of the organisation, unless a case says otherwise
    "GB": ("GBP", "Europe/London"),
    "DE": ("EUR", "Europe/Berlin"),
    "AU": ("AUD", "Australia/Sydney"),
    "NZ": ("NZD", "Pacific/Auckland"),
    "US": ("USD", "America/New_York"),
    "CA": ("CAD", "America/Toronto"),
}


def _income(code: str) -> Account:
    return Account(f"a-{code}", code, "Income", "REVENUE", None, active=True, takes_payments=False)


def _clearing(code: str, currency: str) -> Account:
    return Account(f"c-{code}", code, "Amazon clearing", "BANK", currency, active=True, takes_payments=True)


_ACCOUNTS = {
    **{code: _income(code) for code in ("201", "202", "203", "204", "209", "211", "212", "213", "214")},
    **{f"CLR-{currency}": _clearing(f"CLR-{currency}", currency) for currency in _CURRENCIES},
    "CLR-UK": _clearing("CLR-UK", "GBP"),
}


def policy_of(case: Case, of_books: Mapping[str, Any]) -> PostingPolicy:
    raw = json.dumps(settings_of(case, of_books))
    return parse(ConnectionSettings, raw, "the settings of the case").policy()


def settings_of(case: Case, of_books: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a case as an operator writes them; marketplaces are named in the table."""
    raw = settings()
    raw["amazon"]["marketplaces"] = list(MARKETPLACES)
    raw["accounts"] |= {"cod_fee": "207", "delivery_tip": "208", "other": "209"}
    raw["accounts"]["clearing"] = {currency: f"CLR-{currency}" for currency in sorted(_CURRENCIES)}
    raw["tax"] = {"rules": []}
    for name, value in {**of_books.get("settings", {}), **case.get("settings", {})}.items():
        *path, last = name.split(".")
        inner = raw
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
        if value == "":
            del inner[last]
    translated = _with_ids(raw)
    assert isinstance(translated, dict)
    return translated


def _with_ids(value: Any) -> Any:
    """Return the settings with Amazon's ids instead of the names of marketplaces."""
    if isinstance(value, dict):
        return {_with_ids(name): _with_ids(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_ids(each) for each in value]
    is_marketplace = isinstance(value, str) and value in MARKETPLACE_BY_NAME
    return MARKETPLACE_BY_NAME[value].marketplace_id if is_marketplace else value


def organisation_of(case: Case, of_books: Mapping[str, Any]) -> Organisation:
    """Return a new organisation of Xero's edition for the books' country, with what cases name, and its changes."""
    country = of_books["country"]
    base_currency, time_zone = _COUNTRIES[country]
    made = replace(
        ORGANISATION,
        country=country,
        base_currency=base_currency,
        time_zone=time_zone,
        accounts={**ORGANISATION.accounts, **_ACCOUNTS},
        tax_rates=tax_rates_of_edition(country),
        currencies=_CURRENCIES,
        tracking={"Channel": frozenset({"FBA", "FBM"}), "Region": frozenset({"UK", "EU"})},
        items={"KETTLE-X": Item("KETTLE-X", stock_is_tracked=False)},
        branding_themes={"Amazon": "theme-of-amazon"},
        lists=ListsToRead(tracking=True, item_codes=frozenset({"KETTLE-X", "KETTLE-Y"}), branding_themes=True),
    )
    of_its_books = changed_organisation(made, of_books.get("organisation", {}))
    return changed_organisation(of_its_books, case.get("organisation", {}))


def changed_organisation(organisation: Organisation, changes: Mapping[str, Any]) -> Organisation:
    """Return the organisation with a case's `time_zone`, `locked_until`, `currencies`, and further tax `rates`."""
    given = dict(changes)
    rates = dict(organisation.tax_rates)
    for tax_type, text in given.pop("rates", {}).items():
        percent, _, name = text.partition(" % ")
        rates[tax_type] = TaxRate(tax_type, name, Decimal(percent), active=True, on_revenue=True)
    if "locked_until" in given:
        given["period_lock"] = date.fromisoformat(given.pop("locked_until"))
    if "currencies" in given:
        given["currencies"] = frozenset(given["currencies"])
    return replace(organisation, tax_rates=rates, **given)
