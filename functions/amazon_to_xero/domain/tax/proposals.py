"""Tax rules proposed for an organisation: a start for the person who writes the settings, used by nothing silently.

Not tax advice. Assumed is what most sellers do: goods leave from the organisation's own country or, within the EU, are
reported under the one-stop shop; sales on marketplaces abroad are from stock there. The Orders API does not say where
goods leave from. Rates are the standard ones of 2026; reduced ones need categories of SKUs and rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation, TaxRate
from amazon_to_xero.domain.failures import Failure, FailureCode, Finding
from amazon_to_xero.domain.tax.countries import COUNTRIES, EU, country_name
from amazon_to_xero.domain.tax.liability import AmazonTax, Party
from amazon_to_xero.domain.tax.rules import TaxRule, rates_for, usable_rate

# fmt: off
_STANDARD: Mapping[str, str] = {
    "AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25", "EE": "24", "ES": "21",
    "FI": "25.5", "FR": "20", "GR": "24", "HR": "25", "HU": "27", "IE": "23", "IT": "22", "LT": "21", "LU": "17",
    "LV": "21", "MT": "18", "NL": "21", "PL": "23", "PT": "23", "RO": "21", "SE": "25", "SI": "22", "SK": "23",
    "GB": "20", "AU": "10", "NZ": "15",
}
# What the seller collects in Canada; PST and QST, where Amazon collects them, are Amazon's.
_PROVINCES: tuple[tuple[str, str, str], ...] = (
    ("AB", "Alberta", "5"), ("BC", "British Columbia", "5"), ("MB", "Manitoba", "5"), ("NB", "New Brunswick", "15"),
    ("NL", "Newfoundland and Labrador", "15"), ("NS", "Nova Scotia", "14"), ("NT", "Northwest Territories", "5"),
    ("NU", "Nunavut", "5"), ("ON", "Ontario", "13"), ("PE", "Prince Edward Island", "15"), ("QC", "Quebec", "5"),
    ("SK", "Saskatchewan", "5"), ("YT", "Yukon", "5"),
)
# fmt: on


@dataclass(frozen=True)
class _Edition:
    """Xero's own tax types of an edition: sales at home, exports, sales of which the marketplace owes the tax."""

    home: str
    export: str
    deemed: str


_EDITIONS: Mapping[str, _Edition] = {
    "GB": _Edition("OUTPUT2", "ZERORATEDOUTPUT", "ZERORATEDOUTPUT"),
    "AU": _Edition("OUTPUT", "EXEMPTEXPORT", "EXEMPTOUTPUT"),
    "NZ": _Edition("OUTPUT2", "ZERORATED", "ZERORATED"),
}


@dataclass(frozen=True)
class Proposal:
    """`findings` say what is missing for the rules that are not there, and what to make in Xero's own settings."""

    rules: tuple[TaxRule, ...]
    findings: tuple[Finding, ...]


def propose_tax_rules(organisation: Organisation, marketplaces: Iterable[str]) -> Proposal:
    """Rules for the marketplace ids, every one usable in the organisation as it is now."""
    table = _Table(organisation)
    home = organisation.country
    by_country: dict[str, set[str]] = {}
    for marketplace_id in marketplaces:
        by_country.setdefault(MARKETPLACES[marketplace_id].country, set()).add(marketplace_id)
    if home not in EU | {"GB", "US", "CA", "AU", "NZ"}:
        return Proposal(
            (), (Finding(FailureCode.NO_PROPOSAL, f"there are no rules to propose for organisations in {home}"),)
        )
    _north_america(table, by_country.pop("US", set()), by_country.pop("CA", set()))
    with_vat = {country: ids for country, ids in by_country.items() if country in _STANDARD}
    _inclusive(table, home, with_vat)
    for country in sorted(set(by_country) - set(with_vat)):
        table.report(
            FailureCode.NO_PROPOSAL, f"there are no rules to propose for the marketplace of {country_name(country)}"
        )
    return Proposal(tuple(table.rules), tuple(dict.fromkeys(table.findings)))


def _north_america(table: _Table, us: set[str], canada: set[str]) -> None:
    """Prices without tax; where it is the marketplace's, or there is none, nothing of it is booked."""
    both = TaxRule("NONE", LineAmountTypes.NO_TAX, frozenset(us | canada))
    if us | canada:
        table.add(replace(both, responsible=Party.MARKETPLACE))
        table.add(replace(both, amazon_tax=AmazonTax.ZERO))
    if us:
        table.report(
            FailureCode.NO_RATE,
            "where the seller itself collects sales tax in the US: make a rate for each such state in Xero's own "
            "settings and a rule with ship_to, regions and amounts: exclusive",
        )
    if canada:
        for code, name, percent in _PROVINCES:
            table.add(
                TaxRule(
                    table.province(name, percent),
                    LineAmountTypes.EXCLUSIVE,
                    frozenset(canada),
                    frozenset({"CA"}),
                    frozenset({code, name}),
                    amazon_tax=AmazonTax.CHARGED,
                )
            )


def _inclusive(table: _Table, home: str, markets: Mapping[str, set[str]]) -> None:
    """Prices that include the tax: the UK, the EU, Australia."""
    if not markets:
        return
    everywhere = frozenset().union(*markets.values())
    in_the_eu = frozenset().union(*(ids for country, ids in markets.items() if country in EU))
    edition = _EDITIONS.get(home)
    deemed = TaxRule(edition.deemed, LineAmountTypes.INCLUSIVE) if edition else TaxRule("NONE", LineAmountTypes.NO_TAX)
    table.add(replace(deemed, marketplaces=everywhere, responsible=Party.MARKETPLACE))
    if home in EU:
        # A business with a VAT number is not under the one-stop shop; one without is, like anybody.
        abroad = sorted(EU - {home})
        local = {country: table.local(country) for country in abroad}
        for country in abroad:
            rule = TaxRule(local[country], LineAmountTypes.INCLUSIVE, everywhere, frozenset({country}))
            table.add(replace(rule, scheme="UOSS"))
        table.add(
            TaxRule(table.zero("intra", "EC"), LineAmountTypes.INCLUSIVE, everywhere, frozenset(abroad), business=True)
        )
        for country in abroad:
            # Not for businesses, whether or not there was a rate for them: no rule is better than the wrong one.
            rule = TaxRule(local[country], LineAmountTypes.INCLUSIVE, everywhere, frozenset({country}), business=False)
            table.add(rule)
        own, exported_from, exports = everywhere, everywhere, COUNTRIES - EU
    elif edition:
        zone = {"GB": {"GB"}, "AU": {"AU"}, "NZ": {"AU"}}[home]
        exported_from = frozenset().union(*(markets.get(country, set()) for country in zone))
        own, exports = everywhere, COUNTRIES - {home}
    else:
        own, exported_from, exports = frozenset(), frozenset(), frozenset()
    if own:
        home_type = edition.home if edition else table.local(home)
        table.add(TaxRule(home_type, LineAmountTypes.INCLUSIVE, own, frozenset({home})))
    if exported_from:
        export_type = edition.export if edition else table.zero("export")
        table.add(TaxRule(export_type, LineAmountTypes.INCLUSIVE, exported_from, frozenset(exports)))
    if home not in EU:
        for country in sorted(EU) if in_the_eu else ():
            table.add(TaxRule(table.local(country), LineAmountTypes.INCLUSIVE, in_the_eu, frozenset({country})))
        for country in sorted(set(markets) - EU):
            if not exported_from & markets[country]:
                ids = frozenset(markets[country])
                table.add(TaxRule(table.local(country), LineAmountTypes.INCLUSIVE, ids, frozenset({country})))


class _Table:
    """Rules and problems as they are found. A tax type "" is one that was not found, its problem already told."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self.rules: list[TaxRule] = []
        self.findings: list[Finding] = []

    def report(self, code: FailureCode, remedy: str) -> None:
        self.findings.append(Finding(code, remedy))

    def add(self, rule: TaxRule) -> None:
        if not rule.tax_type:
            return
        try:
            usable_rate(rule, self._organisation)
        except Failure as failure:
            self.report(failure.code, failure.remedy)
        else:
            self.rules.append(rule)

    def local(self, country: str) -> str:
        """The organisation's own rate for sales taxed in a country."""
        percent = Decimal(_STANDARD[country])
        fitting = [rate for rate in rates_for(country, self._organisation) if rate.rate == percent]
        return self._only(fitting, f"{country_name(country)} {percent} %")

    def province(self, name: str, percent: str) -> str:
        """The organisation's own rate for a Canadian province: the one named so, else the one of its percentage."""
        usable = [rate for rate in self._organisation.tax_rates.values() if rate.active and rate.on_revenue]
        fitting = [rate for rate in usable if rate.rate == Decimal(percent)]
        named = [rate for rate in fitting if name.casefold() in rate.name.casefold()]
        in_canada = [rate for rate in rates_for("CA", self._organisation) if rate in fitting]
        tax = "GST" if percent == "5" else "HST"
        return self._only(named or in_canada, f"{tax} {percent} % (Canada{'' if tax == 'GST' else f', {name}'})")

    def zero(self, *words: str) -> str:
        """The organisation's own rate of 0 % whose name has one of the words."""
        found = [
            rate
            for rate in self._organisation.tax_rates.values()
            if rate.active
            and rate.on_revenue
            and not rate.rate
            and any(word in (rate.name.split() if word.isupper() else rate.name.casefold()) for word in words)
        ]
        return self._only(found, f"0 % with {' or '.join(words)} in its name")

    def _only(self, fitting: list[TaxRate], wanted: str) -> str:
        if len(fitting) == 1:
            return fitting[0].tax_type
        if fitting:
            which = ", ".join(sorted(rate.tax_type for rate in fitting))
            self.report(
                FailureCode.SEVERAL_RATES, f"{which} could all be the rate {wanted}: write the rule for the right one"
            )
        else:
            self.report(
                FailureCode.NO_RATE, f"make a rate {wanted} for sales in Xero's own settings, then ask for rules again"
            )
        return ""
