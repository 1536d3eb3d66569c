"""Lines of an invoice or a credit note, as Xero computes them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.money import cents, one_spelling

DESCRIPTION_LIMIT = 4000  # Xero: LineItem.Description


class LineAmountTypes(StrEnum):
    """Xero's LineAmountTypes: what the line amounts of a document include."""

    INCLUSIVE = "Inclusive"
    EXCLUSIVE = "Exclusive"
    NO_TAX = "NoTax"


@dataclass(frozen=True)
class Line:
    """`quantity` x `unit` before Xero's rounding, in the document's currency. `source`: what of the order it books."""

    description: str
    quantity: int
    unit: Decimal
    account: str
    tax_type: str
    source: str = ""

    @property
    def amount(self) -> Decimal:
        return cents(self.quantity * self.unit)

    def in_xero(self) -> dict[str, Any]:
        return {
            "Description": self.description,
            "Quantity": self.quantity,
            "UnitAmount": self.unit,
            "AccountCode": self.account,
            "TaxType": self.tax_type,
        }


def single_line(description: str, value: Decimal, account: str, tax_type: str) -> Line:
    """One line for the whole value, rounded to the two decimals that Xero keeps: 1.005 of a dinar becomes 1.01.

    What the rounding adds or takes, the document's rounding line gives back.
    """
    return Line(description[:DESCRIPTION_LIMIT], 1, one_spelling(cents(value)), account, tax_type)


def goods_line(name: str, quantity: int, value: Decimal, account: str, tax_type: str) -> Line:
    """Quantity and unit price where the unit price is exact at Xero's four decimals, else one line for the whole."""
    if quantity > 0 and cents(value) == value:
        unit = (value / quantity).quantize(Decimal("0.0001"))
        if unit * quantity == value:
            return Line(name[:DESCRIPTION_LIMIT], quantity, one_spelling(unit), account, tax_type)
    return single_line(f"{quantity} × {name}", value, account, tax_type)
