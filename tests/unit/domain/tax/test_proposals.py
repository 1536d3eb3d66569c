"""Tax rules proposed for an organisation, checked by the sales that they tax, for each of Xero's editions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order import parse_order
from amazon_to_xero.domain.books.organisation import Organisation, TaxRate
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.tax.proposals import Proposal, propose_tax_rules
from amazon_to_xero.domain.tax.rules import TaxPolicy, tax_treatment, usable_rate
from fakes.books import ORGANISATION
from fakes.editions import tax_rates_of_edition
from fakes.orders import CA, JP, UK, US, breakdown, item, order

DE, FR, AU = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "A39IBJ37TRP1C6"


def company(country: str, **by_users: tuple[str, str]) -> Organisation:
    """Return an organisation with Xero's own rates of its edition and rates that its users made: name and percent."""
    edition = tax_rates_of_edition(country)
    rates = {tax_type: rate for tax_type, rate in edition.items() if not tax_type.startswith("TAX0")}
    rates |= {t: TaxRate(t, name, Decimal(percent), True, True) for t, (name, percent) in by_users.items()}
    return replace(ORGANISATION, country=country, tax_rates=rates)


def taxed_by(proposal: Proposal, organisation: Organisation, marketplace: str, ship_to: str, **more: Any) -> str:
    """Return the amounts and the tax type that an order there takes by the proposed rules."""
    facilitator, tax = more.pop("facilitator", False), more.pop("tax", "")
    parts = [breakdown("ITEM", "10.00")] + ([breakdown("TAX", tax)] if tax else [])
    added = Decimal(0) if more.pop("inside", False) else Decimal(tax or 0)
    sold = item(str(10 + added), *parts, facilitator=facilitator)
    if scheme := more.pop("scheme", ""):
        sold["tax"] = sold.get("tax", {}) | {"taxCalculationBreakdowns": [{"reportingScheme": scheme}]}
    region = more.pop("region", "")
    raw = order(sold, grand_total=str(10 + added), marketplace=marketplace, ship_to=ship_to, **more)
    raw["recipient"]["deliveryAddress"]["stateOrRegion"] = region
    found = tax_treatment(parse_order(raw), TaxPolicy(proposal.rules), organisation)
    return f"{found.amounts.value} {' '.join(found.tax_types.values())}"


BUSINESS = {"programs": ["AMAZON_BUSINESS"]}
BRITISH = company("GB", DE19=("German VAT 19%", "19"), FR20=("France 20%", "20"))
GERMAN = company(
    "DE",
    FR20=("France OSS 20%", "20"),
    EXPORT=("Export outside the EU", "0"),
    INTRA=("Intra-community supply", "0"),
    UST7=("Reduced", "7"),
    XI20=("Northern Ireland 20%", "20"),
)
IRISH = replace(company("DE", EXPORT=("Zero rated export", "0"), INTRA=("EC goods", "0")), country="IE")
IRISH = replace(IRISH, tax_rates={**IRISH.tax_rates, "OUTPUT": replace(IRISH.tax_rates["OUTPUT"], rate=Decimal(23))})
CANADIAN = company(
    "CA",
    GST=("GST 5%", "5"),
    HSTON=("HST Ontario", "13"),
    HSTNB=("HST New Brunswick", "15"),
    HSTPE=("HST Prince Edward Island", "15"),
)


@pytest.mark.parametrize(
    ("organisation", "marketplace", "ship_to", "more", "expected"),
    [
        (BRITISH, UK, "GB", {}, "Inclusive OUTPUT2"),
        (BRITISH, UK, "FR", {}, "Inclusive ZERORATEDOUTPUT"),
        (BRITISH, UK, "GB", {"facilitator": True, "tax": "2.00"}, "Inclusive ZERORATEDOUTPUT"),
        (BRITISH, DE, "DE", {}, "Inclusive DE19"),
        (BRITISH, DE, "FR", {}, "Inclusive FR20"),
        (BRITISH, US, "US", {"facilitator": True, "tax": "1.00"}, "NoTax NONE"),
        (BRITISH, US, "US", {}, "NoTax NONE"),
        (GERMAN, DE, "DE", {}, "Inclusive OUTPUT"),
        (GERMAN, DE, "DE", BUSINESS, "Inclusive OUTPUT"),
        (GERMAN, DE, "FR", {"scheme": "UOSS"}, "Inclusive FR20"),
        (GERMAN, DE, "FR", BUSINESS, "Inclusive INTRA"),
        (GERMAN, DE, "FR", {"scheme": "UOSS", **BUSINESS}, "Inclusive FR20"),
        (GERMAN, FR, "FR", {}, "Inclusive FR20"),
        (GERMAN, DE, "GB", {}, "Inclusive EXPORT"),
        (GERMAN, DE, "FR", {"scheme": "IOSS", "facilitator": True, "tax": "2.00"}, "NoTax NONE"),
        (BRITISH, UK, "IM", {}, "Inclusive OUTPUT2"),
        (BRITISH, UK, "GB", {"region": "Northern Ireland"}, "Inclusive OUTPUT2"),
        (BRITISH, UK, "JE", {}, "Inclusive ZERORATEDOUTPUT"),
        (BRITISH, UK, "GG", {}, "Inclusive ZERORATEDOUTPUT"),
        (BRITISH, UK, "CH", {}, "Inclusive ZERORATEDOUTPUT"),
        (BRITISH, UK, "NO", {}, "Inclusive ZERORATEDOUTPUT"),
        (BRITISH, FR, "MC", {}, "Inclusive FR20"),
        (GERMAN, DE, "MC", {}, "Inclusive FR20"),
        (GERMAN, DE, "CH", {}, "Inclusive EXPORT"),
        (GERMAN, DE, "NO", {}, "Inclusive EXPORT"),
        (GERMAN, DE, "IC", {}, "Inclusive EXPORT"),
        (GERMAN, DE, "ES", {"region": "Las Palmas"}, "Inclusive EXPORT"),
        (GERMAN, DE, "ES", {"region": "SANTA CRUZ DE TENERIFE", **BUSINESS}, "Inclusive EXPORT"),
        (GERMAN, DE, "IM", {}, "Inclusive EXPORT"),
        (GERMAN, DE, "GB", {"region": "northern ireland"}, "Inclusive XI20"),
        (GERMAN, DE, "FR", {"tax": "1.67", "inside": True, **BUSINESS}, "Inclusive FR20"),
        (IRISH, DE, "IE", {}, "Inclusive OUTPUT"),
        (IRISH, UK, "GB", {}, "Inclusive EXPORT"),
        (IRISH, DE, "DE", BUSINESS, "Inclusive INTRA"),
        (company("US"), US, "US", {"facilitator": True, "tax": "1.00"}, "NoTax NONE"),
        (company("US"), US, "US", {}, "NoTax NONE"),
        (CANADIAN, CA, "CA", {"tax": "1.30", "region": "ON"}, "Exclusive HSTON"),
        (CANADIAN, CA, "CA", {"tax": "1.30", "region": "Ontario"}, "Exclusive HSTON"),
        (CANADIAN, CA, "CA", {"tax": "0.50", "region": "AB"}, "Exclusive GST"),
        (CANADIAN, CA, "CA", {"tax": "1.50", "region": "PE"}, "Exclusive HSTPE"),
        (CANADIAN, CA, "CA", {"facilitator": True, "tax": "1.20", "region": "BC"}, "NoTax NONE"),
        (CANADIAN, CA, "CA", {}, "NoTax NONE"),
        (company("AU"), AU, "AU", {}, "Inclusive OUTPUT"),
        (company("AU"), AU, "NZ", {}, "Inclusive EXEMPTEXPORT"),
        (company("AU"), AU, "AU", {"facilitator": True, "tax": "1.00"}, "Inclusive BASEXCLUDED"),
        (company("NZ"), AU, "NZ", {}, "Inclusive OUTPUT2"),
        (company("NZ"), AU, "AU", {}, "Inclusive ZERORATED"),
        (company("NZ"), AU, "AU", {"facilitator": True, "tax": "1.00"}, "Inclusive ZERORATED"),
    ],
)
def test_order_is_taxed_by_the_proposed_rules(
    organisation: Organisation, marketplace: str, ship_to: str, more: dict[str, Any], expected: str
) -> None:
    proposal = propose_tax_rules(organisation, [UK, DE, FR, US, CA, AU])

    assert taxed_by(proposal, organisation, marketplace, ship_to, **more) == expected


@pytest.mark.parametrize(
    "organisation", [BRITISH, GERMAN, IRISH, CANADIAN, company("US"), company("AU"), company("NZ")]
)
def test_organisation_can_use_every_proposed_rule(organisation: Organisation) -> None:
    for rule in propose_tax_rules(organisation, [UK, DE, FR, US, CA, AU]).rules:
        usable_rate(rule, organisation)


def findings(organisation: Organisation, *marketplaces: str) -> list[str]:
    return [f"{each.code}: {each.remedy}" for each in propose_tax_rules(organisation, marketplaces).findings]


def test_british_seller_at_home_needs_no_further_rates() -> None:
    assert findings(company("GB"), UK) == []


def test_missing_rate_is_reported_to_be_added_and_never_guessed() -> None:
    found = findings(company("CA", GST=("GST 5%", "5")), CA)

    assert len(found) == 5  # each province with HST
    assert (
        "NO_RATE: Add a tax rate HST 13 % (Canada, Ontario) for sales in Xero, then run make preflight again." in found
    )
    assert any("Germany 19 %" in finding for finding in findings(company("GB"), DE))
    assert any("export" in finding for finding in findings(company("DE"), DE))


def test_several_rates_that_fit_are_named() -> None:
    two = company("DE", SECOND=("VAT 19%", "19"))

    several = "SEVERAL_RATES: OUTPUT, SECOND could all be the rate Germany 19 %"
    assert any(several in finding for finding in findings(two, DE))


def test_archived_rate_of_the_edition_is_not_proposed() -> None:
    british = company("GB")
    rates = {**british.tax_rates, "OUTPUT2": replace(british.tax_rates["OUTPUT2"], active=False)}
    archived = replace(british, tax_rates=rates)

    assert "OUTPUT2" not in {rule.tax_type for rule in propose_tax_rules(archived, [UK]).rules}
    assert [finding.split(":")[0] for finding in findings(archived, UK)] == ["TAX_RATE_UNUSABLE"]


def test_country_without_a_proposal_is_reported() -> None:
    (finding,) = findings(company("GB"), JP)
    assert finding.startswith("NO_PROPOSAL: There are no rules to propose for the marketplace of Japan.")
    assert propose_tax_rules(replace(ORGANISATION, country="ZA"), [UK]).rules == ()


def test_no_later_rule_takes_the_sales_of_a_missing_rate() -> None:
    no_intra = replace(GERMAN, tax_rates={t: r for t, r in GERMAN.tax_rates.items() if t != "INTRA"})

    with pytest.raises(Failure, match="TAX_UNMAPPED"):
        taxed_by(propose_tax_rules(no_intra, [DE]), no_intra, DE, "FR", **BUSINESS)
