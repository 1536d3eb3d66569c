"""Items with Amazon's tax included in their price or in addition to it, and an organisation with rates of its own."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.books.organisation import Organisation, TaxRate
from fakes.books import ORGANISATION
from fakes.orders import breakdown, item


def tax_inclusive_item(gross: str, tax: str, **tax_parts: str) -> dict[str, Any]:
    return item(gross, breakdown("ITEM", gross), breakdown("TAX", tax, **tax_parts))


def tax_exclusive_item(net: str, tax: str, **more: Any) -> dict[str, Any]:
    return item(str(Decimal(net) + Decimal(tax)), breakdown("ITEM", net), breakdown("TAX", tax), **more)


def item_with_shipping(tax: str, tax_parts: dict[str, str]) -> dict[str, Any]:
    """Return an item of 5.00 with shipping of 5.00 and tax in addition, in so many parts."""
    total = str(Decimal("10.00") + Decimal(tax))
    return item(total, breakdown("ITEM", "5.00"), breakdown("SHIPPING", "5.00"), breakdown("TAX", tax, **tax_parts))


def organisation_with_rates(*rates: tuple[str, str, str], country: str = "GB") -> Organisation:
    """Return an organisation whose rates, by (tax type, name, percent), are active and usable on revenue."""
    by_type = {tax_type: TaxRate(tax_type, name, Decimal(percent), True, True) for tax_type, name, percent in rates}
    return replace(ORGANISATION, country=country, tax_rates=by_type)


EUROPEAN = organisation_with_rates(
    ("OUTPUT2", "20% (VAT on Income)", "20"),
    ("RROUTPUT", "5% (VAT on Income)", "5"),
    ("ZERORATEDOUTPUT", "Zero Rated Income", "0"),
    ("TAX001", "France 20%", "20"),
    ("TAX002", "DE VAT 19%", "19"),
    ("TAX003", "German VAT reduced 7%", "7"),
    ("TAX004", "Irish VAT 23%", "23"),
    ("TAX005", "VAT Northern Ireland 23%", "23"),
    ("TAX006", "Spain 21% peninsula", "21"),
    ("TAX007", "Spain 21% islands", "21"),
)
