"""The tax of a refund that Amazon states once for several charges of an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.money import total
from amazon_to_xero.domain.planning.refund import RefundPart
from amazon_to_xero.domain.tax.rounding import line_tax


def with_tax_of_each(parts: Sequence[RefundPart], rates: Sequence[Decimal | None], unit: Decimal) -> list[RefundPart]:
    """Return the parts of one item, each with its own tax, where Amazon states that of several with one of them.

    An order that states one tax for an item has it refunded as tax on the item, also that on its shipping. The parts
    are returned as they are where no rounding explains their taxes together at these rates.

    rates: the percentage of each part; None for what is no part of the sale: its tax stays as it is.
    unit: the currency's smallest amount.
    """
    rated = [place for place, rate in enumerate(rates) if rate is not None and parts[place].net]
    if not any(parts[place].tax for place in rated):
        return list(parts)  # none is stated at all: a price and its discount may net to nothing with any tax
    computed = {
        place: line_tax(parts[place].net, rates[place] or Decimal(0), LineAmountTypes.EXCLUSIVE) for place in rated
    }
    difference = total(parts[place].tax for place in rated) - total(computed.values())
    is_stated_with_another = any(not parts[place].tax and abs(tax) > unit for place, tax in computed.items())
    if not is_stated_with_another or abs(difference) > unit * len(rated):
        return list(parts)
    largest = max(rated, key=lambda place: abs(computed[place]))
    computed[largest] += difference
    return [replace(part, tax=computed.get(place, part.tax)) for place, part in enumerate(parts)]


def tax_given_back(origin: str) -> str:
    """Return the origin of what a refund takes back of a line because of its tax alone: what was taxed no longer is."""
    return f"{origin}:TAXED"
