"""Countries in the names of tax rates."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.tax.countries import COUNTRIES, EU, countries_named_in


@pytest.mark.parametrize(
    ("name", "countries"),
    [
        ("20% (VAT on Income)", set()),
        ("Zero rated income, it may be at or in use", set()),
        ("DE VAT 19%", {"DE"}),
        ("germany 19%", {"DE"}),
        ("German VAT (OSS) 19%", {"DE"}),
        ("VAT IE 23%", {"IE"}),
        ("Northern Ireland", set()),
        ("New Mexico 5%", set()),
        ("GST New Zealand", {"NZ"}),
        ("UK to Germany", {"GB", "DE"}),
        ("EL 24%", {"GR"}),
        ("Indiana, Romania", {"RO"}),
        ("Japanese 10%", {"JP"}),
    ],
)
def test_rate_names_a_country_by_code_or_in_english(name: str, countries: set[str]) -> None:
    assert countries_named_in(name) == countries


def test_country_of_every_marketplace_and_every_member_of_the_eu_is_known() -> None:
    assert {marketplace.country for marketplace in MARKETPLACES.values()} | EU <= COUNTRIES
    assert len(EU) == 27
