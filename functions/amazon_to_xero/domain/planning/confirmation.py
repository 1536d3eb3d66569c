"""Compares what Amazon charged for an order with what its documents state: two witnesses of one sale.

The Orders API says what was sold, the Finances API what was charged. Nothing is corrected by itself: a difference is
for a person. Refunds are no part of it, but for what they gave back of what an adjustment had credited: that was
charged, and the documents state it no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge, charged_text
from amazon_to_xero.domain.money import ZERO, exact_text, money_text, total
from amazon_to_xero.domain.planning.stated_sale import TAX, StatedSale

CHARGE_LIMIT = timedelta(days=3)  # Amazon shows a charge at most 48 hours after it posted it
PART_LIMIT = timedelta(days=30)  # while a part of the order has not shipped


class Verdict(StrEnum):
    """What a comparison came to."""

    CONFIRMED = "CONFIRMED"  # the charges are what the documents state
    AWAITED = "AWAITED"  # a charge, or the refund of what an adjustment credited, may still come
    DIFFERS = "DIFFERS"  # needs a person


@dataclass(frozen=True)
class Comparison:
    """The outcome of a comparison.

    difference: both numbers, as a sentence without its full stop; empty where they are equal.
    awaited_until: until when waiting is normal (UTC); None unless something is awaited.
    """

    verdict: Verdict
    difference: str = ""
    awaited_until: datetime | None = None


def compare(sale: StatedSale, charges: Sequence[ShipmentCharge], given_back: Decimal = ZERO) -> Comparison:
    """Return whether the charges of an order are what its documents state.

    given_back: what refunds of the order gave back of what adjustments had credited.
    """
    difference = difference_between(sale, charges, given_back)
    if any(charge.currency != sale.currency or charge.unknown for charge in charges):
        return Comparison(Verdict.DIFFERS, difference)
    charged, withheld = total(each.total for each in charges), total(each.withheld for each in charges)
    stated = sale.total + given_back
    if sale.is_reduced:
        return _compare_reduced(sale, charged - stated, withheld, given_back, difference)
    if (charged, withheld) == (stated, sale.withheld):
        return Comparison(Verdict.CONFIRMED)
    # Tax that is withheld although the order does not say so leaves what the buyer paid as it is.
    paid = charged + withheld
    if sale.is_partly_shipped and paid <= max(stated, sale.order_total) + sale.withheld:
        limit = PART_LIMIT if charges else CHARGE_LIMIT
        return Comparison(Verdict.AWAITED, difference, sale.shipped_at + limit)
    if paid < stated + sale.withheld:
        return Comparison(Verdict.AWAITED, difference, sale.shipped_at + CHARGE_LIMIT)
    return Comparison(Verdict.DIFFERS, difference)


def _compare_reduced(
    sale: StatedSale, excess: Decimal, withheld: Decimal, given_back: Decimal, difference: str
) -> Comparison:
    """Something was taken off the order since: Amazon charged all of it, or only the rest; and withheld accordingly."""
    if not excess and withheld >= sale.withheld:
        return Comparison(Verdict.CONFIRMED)
    if excess < 0:
        return Comparison(Verdict.AWAITED, difference, sale.shipped_at + CHARGE_LIMIT)
    if ZERO < excess <= sale.reductions - given_back:
        return Comparison(Verdict.AWAITED, difference, sale.version + CHARGE_LIMIT)
    return Comparison(Verdict.DIFFERS, difference)


def difference_between(sale: StatedSale, charges: Sequence[ShipmentCharge], given_back: Decimal = ZERO) -> str:
    """Return both numbers, in all and by type, as a sentence without its full stop."""
    withheld, currency = total(charge.withheld for charge in charges), sale.currency
    text = f"Amazon charged {charged_text(charges) or money_text(ZERO, currency)}"
    text += f"; the documents state {money_text(sale.total, currency)}"
    if withheld or sale.withheld:
        of_order = exact_text(sale.withheld, currency)
        text += f"; withheld tax is {exact_text(withheld, currency)} as charged and {of_order} as ordered"
    if given_back:
        text += f"; refunds gave back {exact_text(given_back, currency)} that adjustments credited"
    by_type = _by_type(sale.amounts, _charged_by_type(charges), currency)
    return f"{text} (by type, charged and ordered: {by_type})" if charges and by_type else text


def _charged_by_type(charges: Sequence[ShipmentCharge]) -> Mapping[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for charge in charges:
        named = [
            (TAX if type_.is_tax else type_.kind.value, amount)
            for type_, amount in charge.amounts.items()
            if type_.kind is not AmountKind.MARKETPLACE_TAX
        ]
        for name, amount in [*named, *((f"{leaf} (unknown type)", amount) for leaf, amount in charge.unknown.items())]:
            amounts[name] = amounts.get(name, ZERO) + amount
    return amounts


def _by_type(ordered: Mapping[str, Decimal], charged: Mapping[str, Decimal], currency: str) -> str:
    names = [name for name in dict.fromkeys([*ordered, *charged]) if ordered.get(name, ZERO) != charged.get(name, ZERO)]
    both = (
        (name, exact_text(charged.get(name, ZERO), currency), exact_text(ordered.get(name, ZERO), currency))
        for name in names
    )
    return ", ".join(f"{name} {as_charged} and {as_ordered}" for name, as_charged, as_ordered in both)
