"""Tax rules proposed for an organisation: a start for the person who writes the settings. No order is booked by them.

They are not tax advice. They assume what most sellers do: goods leave from the organisation's own country or, within
the EU, are reported under the one-stop shop; sales on marketplaces abroad are from stock there. The Orders API does not
state where goods leave from. The rates are the standard ones of 2026; reduced rates need categories of SKUs and rules
of their own.
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
from amazon_to_xero.domain.tax.liability import AmazonTax
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rate_matching import rates_for
from amazon_to_xero.domain.tax.rules import TaxRule, usable_rate

# fmt: off
# Standard rates in percent where prices include the tax.
_STANDARD_RATES: Mapping[str, str] = {
    "AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25", "EE": "24", "ES": "21",
    "FI": "25.5", "FR": "20", "GR": "24", "HR": "25", "HU": "27", "IE": "23", "IT": "22", "LT": "21", "LU": "17",
    "LV": "21", "MT": "18", "NL": "21", "PL": "23", "PT": "23", "RO": "21", "SE": "25", "SI": "22", "SK": "23",
    "GB": "20", "AU": "10", "NZ": "15",
}
# Code, name and percentage of what the seller collects: GST or HST. Where Amazon collects PST or QST, it owes them.
_PROVINCES: tuple[tuple[str, str, str], ...] = (
    ("AB", "Alberta", "5"), ("BC", "British Columbia", "5"), ("MB", "Manitoba", "5"), ("NB", "New Brunswick", "15"),
    ("NL", "Newfoundland and Labrador", "15"), ("NS", "Nova Scotia", "14"), ("NT", "Northwest Territories", "5"),
    ("NU", "Nunavut", "5"), ("ON", "Ontario", "13"), ("PE", "Prince Edward Island", "15"), ("QC", "Quebec", "5"),
    ("SK", "Saskatchewan", "5"), ("YT", "Yukon", "5"),
)
# fmt: on
# Countries that count as another one in VAT, and what lies outside of every country's VAT that is proposed here:
# Switzerland, Norway, Liechtenstein, Iceland, Jersey, Guernsey, Gibraltar, Andorra, San Marino, the Canary Islands.
_VAT_AREAS: Mapping[str, tuple[str, ...]] = {"GB": ("IM",), "FR": ("MC",)}
_OUTSIDE = frozenset({"CH", "NO", "LI", "IS", "JE", "GG", "GI", "AD", "SM", "IC"})
# Parts of Spain that are outside the EU's VAT, as addresses name them.
_NOT_IN_SPANISH_VAT = frozenset(
    (
        *("Canarias", "Islas Canarias", "Canary Islands", "Las Palmas", "Santa Cruz de Tenerife", "Tenerife", "Ceuta"),
        *("Gran Canaria", "Lanzarote", "Fuerteventura", "La Palma", "La Gomera", "El Hierro", "Melilla"),
    )
)
# In the VAT on goods, Northern Ireland is a part of the EU.
_NORTHERN_IRELAND = frozenset({"Northern Ireland", "NIR", "GB-NIR", "NI"})
_HOME_COUNTRIES = EU | {"GB", "US", "CA", "AU", "NZ"}


@dataclass(frozen=True)
class Proposal:
    """Proposed tax rules.

    rules: in the order in which they are tried; the organisation can use each of them as it is now.
    findings: what has to be added to Xero, or decided by a person, for the rules that are not proposed.
    """

    rules: tuple[TaxRule, ...]
    findings: tuple[Finding, ...]


def propose_tax_rules(organisation: Organisation, marketplaces: Iterable[str]) -> Proposal:
    """Return rules for sales on the marketplaces with these ids."""
    home = organisation.country
    by_country: dict[str, set[str]] = {}
    for marketplace_id in marketplaces:
        by_country.setdefault(MARKETPLACES[marketplace_id].country, set()).add(marketplace_id)
    if home not in _HOME_COUNTRIES:
        remedy = f"There are no rules to propose for organisations in {home}. Write tax.rules with your accountant."
        return Proposal((), (Finding(FailureCode.NO_PROPOSAL, remedy),))
    table = _RuleTable(organisation)
    _propose_north_america(table, by_country.pop("US", set()), by_country.pop("CA", set()))
    tax_inclusive = {country: ids for country, ids in by_country.items() if country in _STANDARD_RATES}
    if tax_inclusive:
        _propose_tax_inclusive(table, home, tax_inclusive)
    for country in sorted(set(by_country) - set(tax_inclusive)):
        table.report(
            FailureCode.NO_PROPOSAL,
            f"There are no rules to propose for the marketplace of {country_name(country)}. "
            "Write its rules with your accountant.",
        )
    return Proposal(tuple(table.rules), tuple(dict.fromkeys(table.findings)))


def _propose_north_america(table: _RuleTable, us: set[str], canada: set[str]) -> None:
    """Add rules for prices that exclude tax. Tax that the marketplace owes is not booked."""
    both = TaxRule("NONE", LineAmountTypes.NO_TAX, frozenset(us | canada))
    if us | canada:
        table.add(replace(both, responsible=Party.MARKETPLACE))
        table.add(replace(both, amazon_tax=AmazonTax.ZERO))
    if us:
        table.report(
            FailureCode.NO_RATE,
            "Add a tax rate in Xero for each US state in which the seller itself collects sales tax, and a rule with "
            "ship_to, regions and amounts: exclusive.",
        )
    if canada:
        for code, name, percent in _PROVINCES:
            table.add(
                TaxRule(
                    table.province_rate(name, percent),
                    LineAmountTypes.EXCLUSIVE,
                    frozenset(canada),
                    frozenset({"CA"}),
                    frozenset({code, name}),
                    amazon_tax=AmazonTax.CHARGED,
                )
            )


@dataclass(frozen=True)
class _Edition:
    """What Xero's edition for a country outside the EU knows by itself.

    home: TaxType of sales at home.
    export: TaxType of exports.
    deemed: TaxType of sales on which the marketplace owes the tax.
    exports_from: country of the marketplaces on which goods from the home country are sold abroad.
    """

    home: str
    export: str
    deemed: str
    exports_from: str


_EDITIONS: Mapping[str, _Edition] = {
    "GB": _Edition("OUTPUT2", "ZERORATEDOUTPUT", "ZERORATEDOUTPUT", "GB"),
    "AU": _Edition("OUTPUT", "EXEMPTEXPORT", "BASEXCLUDED", "AU"),
    "NZ": _Edition("OUTPUT2", "ZERORATED", "ZERORATED", "AU"),
}


def _propose_tax_inclusive(table: _RuleTable, home: str, markets: Mapping[str, set[str]]) -> None:
    """Add rules for prices that include the tax: the UK, the EU, Australia. `markets`: country -> marketplace ids."""
    everywhere = frozenset().union(*markets.values())
    edition = _EDITIONS.get(home)
    deemed = TaxRule(edition.deemed, LineAmountTypes.INCLUSIVE) if edition else TaxRule("NONE", LineAmountTypes.NO_TAX)
    table.add(replace(deemed, marketplaces=everywhere, responsible=Party.MARKETPLACE))
    export = edition.export if edition else table.zero_rate("export") if home in EU else ""
    table.add(replace(_inclusive(export, everywhere, {"ES"}), regions=_NOT_IN_SPANISH_VAT))
    if home in EU:
        _propose_one_stop_shop(table, home, everywhere)
        table.add(_inclusive(table.standard_rate(home), everywhere, {home}))
        table.add(replace(_inclusive(table.northern_irish_rate(), everywhere, {"GB"}), regions=_NORTHERN_IRELAND))
        table.add(_inclusive(export, everywhere, COUNTRIES - EU | _OUTSIDE))
        return
    exported_from: frozenset[str] = frozenset()
    if edition:
        table.add(_inclusive(edition.home, everywhere, {home}))
        exported_from = frozenset(markets.get(edition.exports_from, set()))
        if exported_from:
            table.add(_inclusive(edition.export, exported_from, COUNTRIES - {home} | _OUTSIDE))
    _propose_stock_abroad(table, markets, exported_from)


def _propose_one_stop_shop(table: _RuleTable, home: str, marketplaces: frozenset[str]) -> None:
    """Add rules for sales of an EU seller to the other EU countries."""
    abroad = sorted(EU - {home})
    local = {country: table.standard_rate(country) for country in abroad}
    for country in abroad:
        table.add(replace(_inclusive(local[country], marketplaces, {country}), scheme="UOSS"))
        # Where Amazon charged VAT, the business has no VAT number, or buys from stock in its own country.
        charged = _inclusive(local[country], marketplaces, {country})
        table.add(replace(charged, business=True, amazon_tax=AmazonTax.CHARGED))
    # A business with a VAT number buys outside the one-stop shop; one without a number buys like a private person.
    table.add(replace(_inclusive(table.zero_rate("intra", "EC"), marketplaces, abroad), business=True))
    for country in abroad:
        # Never for businesses, even where no rate for them was found: no rule is better than the wrong one.
        table.add(replace(_inclusive(local[country], marketplaces, {country}), business=False))


def _propose_stock_abroad(table: _RuleTable, markets: Mapping[str, set[str]], exported_from: frozenset[str]) -> None:
    """Add rules for sales from stock abroad of a seller outside the EU: they take the rate of the destination."""
    in_eu = frozenset().union(*(ids for country, ids in markets.items() if country in EU))
    if in_eu:
        for country in sorted(EU):
            table.add(_inclusive(table.standard_rate(country), in_eu, {country}))
    for country in sorted(set(markets) - EU):
        if not exported_from & markets[country]:
            table.add(_inclusive(table.standard_rate(country), markets[country], {country}))


def _inclusive(tax_type: str, marketplaces: Iterable[str], ship_to: Iterable[str]) -> TaxRule:
    destinations = {code for country in ship_to for code in (country, *_VAT_AREAS.get(country, ()))}
    return TaxRule(tax_type, LineAmountTypes.INCLUSIVE, frozenset(marketplaces), frozenset(destinations))


class _RuleTable:
    """Collects rules and findings. A tax type "" is one that was not found; the finding for it is already reported."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self.rules: list[TaxRule] = []
        self.findings: list[Finding] = []

    def report(self, code: FailureCode, remedy: str) -> None:
        self.findings.append(Finding(code, remedy))

    def add(self, rule: TaxRule) -> None:
        """Add the rule if the organisation can use it; report why where it cannot."""
        if not rule.tax_type:
            return
        try:
            usable_rate(rule, self._organisation)
        except Failure as failure:
            self.report(failure.code, failure.remedy)
        else:
            self.rules.append(rule)

    def standard_rate(self, country: str) -> str:
        """Return the tax type of the organisation's rate for sales that are taxed in a country."""
        percent = Decimal(_STANDARD_RATES[country])
        fitting = [rate for rate in rates_for(country, self._organisation) if rate.rate == percent]
        return self._only(fitting, f"{country_name(country)} {percent} %")

    def northern_irish_rate(self) -> str:
        """Return the tax type of the organisation's rate for sales from the EU to Northern Ireland."""
        named = [rate for rate in self._usable_rates() if "northern ireland" in rate.name.casefold()]
        return self._only([rate for rate in named if rate.rate], "Northern Ireland 20 %")

    def province_rate(self, name: str, percent: str) -> str:
        """Return the tax type of the organisation's rate for a Canadian province: by its name, else by percentage."""
        fitting = [rate for rate in self._usable_rates() if rate.rate == Decimal(percent)]
        named = [rate for rate in fitting if name.casefold() in rate.name.casefold()]
        in_canada = [rate for rate in rates_for("CA", self._organisation) if rate in fitting]
        tax = "GST" if percent == "5" else "HST"
        return self._only(named or in_canada, f"{tax} {percent} % (Canada{'' if tax == 'GST' else f', {name}'})")

    def zero_rate(self, *words: str) -> str:
        """Return the tax type of the organisation's rate of 0 % whose name has one of the words."""
        fitting = [rate for rate in self._usable_rates() if not rate.rate and _has_word(rate.name, words)]
        return self._only(fitting, f"0 % with {' or '.join(words)} in its name")

    def _usable_rates(self) -> list[TaxRate]:
        return [rate for rate in self._organisation.tax_rates.values() if rate.active and rate.on_revenue]

    def _only(self, fitting: list[TaxRate], description: str) -> str:
        """Return the tax type of the one rate that fits; report and return "" where none or several do."""
        if len(fitting) == 1:
            return fitting[0].tax_type
        if fitting:
            tax_types = ", ".join(sorted(rate.tax_type for rate in fitting))
            remedy = f"{tax_types} could all be the rate {description}. Write the rule with the right one."
            self.report(FailureCode.SEVERAL_RATES, remedy)
        else:
            remedy = f"Add a tax rate {description} for sales in Xero, then run make preflight again."
            self.report(FailureCode.NO_RATE, remedy)
        return ""


def _has_word(name: str, words: Iterable[str]) -> bool:
    """Whether a name has one of the words: a word in capitals as it is, any other in any case or as a part."""
    return any(word in (name.split() if word.isupper() else name.casefold()) for word in words)
