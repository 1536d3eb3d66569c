"""Which of the organisation's tax rates explain the tax that Amazon charged on an item."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from amazon_to_xero.domain.amazon.order import Order, OrderItem
from amazon_to_xero.domain.books.organisation import Organisation, TaxRate
from amazon_to_xero.domain.money import cents, smallest_unit, total
from amazon_to_xero.domain.tax.countries import countries_named_in

ROUNDING_BY_UNIT = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)  # how Amazon may round the tax of one unit


def matching_rates(order: Order, item: OrderItem, organisation: Organisation) -> list[TaxRate]:
    """Return the organisation's rates for the destination that give the tax which Amazon charged on the item."""
    currency = order.currency or ""
    return [rate for rate in rates_for(order.ship_to_country, organisation) if _explains(rate.rate, item, currency)]


def rates_for(country: str, organisation: Organisation) -> list[TaxRate]:
    """Return the organisation's rates for sales to a country, judged by their names.

    They name the country; the rates for its own country need not, but name no other one.
    """
    usable = [rate for rate in organisation.tax_rates.values() if rate.active and rate.on_revenue]
    if country == organisation.country:
        return [rate for rate in usable if countries_named_in(rate.name) <= {country}]
    return [rate for rate in usable if country in countries_named_in(rate.name)]


def effective_rate(item: OrderItem) -> Decimal | None:
    """Return Amazon's tax on the item in percent of its net price, to two decimals; None where that price is zero."""
    net = _net_price(item)
    return cents(item.tax * 100 / net) if net else None


def _explains(rate: Decimal, item: OrderItem, currency: str) -> bool:
    """Whether a rate gives Amazon's tax: rounded in each of its parts, by up to half the smallest unit, or by unit."""
    if not rate:
        return False
    net = _net_price(item)
    exact = net * rate / 100 if item.tax_exclusive else (net + item.tax) * rate / (100 + rate)
    unit, quantity = smallest_unit(currency), max(item.quantity, 1)
    by_unit = (quantity * (exact / quantity).quantize(unit, rounding=rounding) for rounding in ROUNDING_BY_UNIT)
    return any(abs(item.tax - tax) <= unit / 2 * max(len(item.taxes), 1) for tax in (exact, *by_unit))


def _net_price(item: OrderItem) -> Decimal:
    prices = total(item.charges.values()) + total(item.discounts.values())
    return prices if item.tax_exclusive else prices - item.tax
