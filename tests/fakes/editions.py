"""The tax rates that Xero's editions come with, as the sandbox Xero has them."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.books.organisation import TaxRate
from sandbox.xero import organisation_for


def tax_rates_of_edition(country: str) -> dict[str, TaxRate]:
    """Return the tax rates of a new organisation in that country, by TaxType."""
    return {
        rate["TaxType"]: TaxRate(
            rate["TaxType"],
            rate["Name"],
            Decimal(rate["EffectiveRate"]),
            rate["Status"] == "ACTIVE",
            rate["CanApplyToRevenue"],
        )
        for rate in organisation_for(country)["TaxRates"]
    }
