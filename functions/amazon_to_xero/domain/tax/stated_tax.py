"""Amazon's tax on an item and the tax that Xero computes: whether only rounding tells them apart, and if so, Amazon's.

Amazon rounds the tax of each unit, of each charge, or of the whole item, and does not say which. Xero rounds each line
(Xero: rounding guide), unless the line states its tax.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from amazon_to_xero.domain.amazon.order import Charge, Order, OrderItem
from amazon_to_xero.domain.books.line import DESCRIPTION_LIMIT, Line, LineAmountTypes, as_one_piece
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.texts import xero_text
from amazon_to_xero.domain.money import CENT, cents, smallest_unit, total, without_trailing_zeros
from amazon_to_xero.domain.tax.rate_matching import ROUNDING_BY_UNIT
from amazon_to_xero.domain.tax.rounding import line_tax, percentage
from amazon_to_xero.domain.tax.rules import TaxTreatment

_DISCOUNT = "DISCOUNT"  # Amazon's name of the tax on all discounts of an item


@dataclass(frozen=True)
class TaxedPrice:
    """One price of an item that Xero taxes as a line: a charge, or a discount with a negative amount.

    units: in how many units Amazon may tax it: the quantity for the item itself and its discount, else 1.
    """

    amount: Decimal
    rate: Decimal
    units: int = 1


def taxed_prices(item: OrderItem, taxes: TaxTreatment, organisation: Organisation) -> list[TaxedPrice]:
    """Return the item's charges and discounts, other than those of zero, with the percentages that they take."""
    prices = [*item.charges.items(), *item.discounts.items()]
    return [
        TaxedPrice(
            price,
            percentage(taxes.tax_type(item, charge), organisation),
            max(item.quantity, 1) if charge is Charge.ITEM else 1,
        )
        for charge, price in prices
        if price
    ]


def tax_in_xero(prices: Iterable[TaxedPrice], amounts: LineAmountTypes) -> Decimal:
    """Return the tax that Xero computes for lines of these prices."""
    return total(line_tax(cents(price.amount), price.rate, amounts) for price in prices)


def is_rounding(
    tax: Decimal, prices: Sequence[TaxedPrice], amounts: LineAmountTypes, currency: str, is_share: bool
) -> bool:
    """Whether a tax follows from the prices and their rates, however Amazon rounded it.

    currency: ISO code of the amounts; empty where it is not known.
    is_share: the amounts are a shipment's share, which was rounded once more.
    """
    if not any(price.rate for price in prices):
        return not tax  # no rounding makes a tax of no rate
    unit = max(smallest_unit(currency), CENT)
    tolerance = unit * len(prices) * (2 if is_share else 1)
    for basis in (prices, _less_discounts(prices)):
        possible = [_roundings(price, amounts, unit) for price in basis]
        if total(map(min, possible)) - tolerance <= tax <= total(map(max, possible)) + tolerance:
            return True
    return False


def _less_discounts(prices: Iterable[TaxedPrice]) -> list[TaxedPrice]:
    """Return the prices that are taxed alike as one: Amazon may tax what is left after discounts."""
    amounts: dict[tuple[Decimal, int], Decimal] = {}
    for price in prices:
        key = price.rate, price.units
        amounts[key] = amounts.get(key, Decimal(0)) + price.amount
    return [TaxedPrice(amount, *key) for key, amount in amounts.items()]


def _roundings(price: TaxedPrice, amounts: LineAmountTypes, unit: Decimal) -> list[Decimal]:
    """Return the taxes at which rounding by line, and by unit in each of the usual ways, arrives."""
    by_line = tax_in_xero([price], amounts)
    if amounts is LineAmountTypes.NO_TAX:
        return [by_line]
    base = 100 + (price.rate if amounts is LineAmountTypes.INCLUSIVE else 0)
    of_unit = price.amount / price.units * price.rate / base
    return [by_line, *(price.units * of_unit.quantize(unit, rounding=rounding) for rounding in ROUNDING_BY_UNIT)]


# --- Amazon's tax on the lines ----------------------------------------------------------------------------------------


def state_taxes(
    lines: Sequence[Line], item: OrderItem, amounts: LineAmountTypes, organisation: Organisation, order: Order
) -> list[Line]:
    """Return the item's lines, each with Amazon's tax where Xero would round it otherwise.

    Where Amazon states a tax for each charge, each line takes its own; else the largest line takes the difference.
    """
    unit = max(smallest_unit(order.currency or ""), CENT)
    by_line = [line_tax(line.amount, percentage(line.tax_type, organisation), amounts) for line in lines]
    taxable = [place for place, line in enumerate(lines) if percentage(line.tax_type, organisation)]
    if amounts is LineAmountTypes.NO_TAX or not taxable:
        return list(lines)
    wanted = _by_charge(lines, by_line, item.taxes)
    # A unit's tax may be off by less than the smallest unit, and so may the tax that Xero rounds.
    is_explained = (
        item.tax_detailed
        and total(wanted) == cents(item.tax)
        and all(
            abs(tax - computed) <= (unit * (item.quantity + 1) if place in taxable else 0)
            for place, (tax, computed) in enumerate(zip(wanted, by_line, strict=True))
        )
    )
    if not is_explained:
        largest = max(taxable, key=lambda place: abs(lines[place].amount))
        wanted = list(by_line)
        wanted[largest] += cents(item.tax) - total(by_line)
    stated = zip(lines, wanted, by_line, strict=True)
    return [line if tax == computed else with_tax(line, tax) for line, tax, computed in stated]


def _by_charge(lines: Sequence[Line], by_line: Sequence[Decimal], taxes: Mapping[str, Decimal]) -> list[Decimal]:
    """Return the tax that Amazon states for each line; that on discounts falls on the last of them."""
    wanted = list(by_line)
    discounts = []
    for place, line in enumerate(lines):
        charge = line.origin.partition(":")[2]
        if charge.startswith(_DISCOUNT):
            discounts.append(place)
        else:
            wanted[place] = cents(taxes.get(charge, Decimal(0)))
    if discounts:
        wanted[discounts[-1]] += cents(taxes.get(_DISCOUNT, Decimal(0))) - total(by_line[place] for place in discounts)
    return wanted


def with_tax(line: Line, tax: Decimal) -> Line:
    """Return the line with its tax stated: as one piece where a unit costs less than the tax, which Xero refuses."""
    if abs(tax) > abs(line.unit):
        description = xero_text(f"{line.quantity} × {line.description}", DESCRIPTION_LIMIT)
        line = replace(as_one_piece(line, line.amount), description=description)
    return replace(line, tax=without_trailing_zeros(tax))
