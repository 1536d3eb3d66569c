"""Lines of an invoice or a credit note, as Xero computes them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.money import cents, one_spelling
from amazon_to_xero.domain.reasons import Refused

DESCRIPTION_LIMIT = 4000  # Xero: LineItem.Description


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
    return Line(description[:DESCRIPTION_LIMIT], 1, _exact(value, value), account, tax_type)


def goods_line(name: str, quantity: int, value: Decimal, account: str, tax_type: str) -> Line:
    """Quantity and unit price where the unit price is exact at Xero's four decimals, else one line for the whole."""
    if quantity > 0:
        unit = (value / quantity).quantize(Decimal("0.0001"))
        if unit * quantity == value:
            return Line(name[:DESCRIPTION_LIMIT], quantity, _exact(unit, value), account, tax_type)
    return single_line(f"{quantity} × {name}", value, account, tax_type)


def _exact(unit: Decimal, line_amount: Decimal) -> Decimal:
    if cents(line_amount) != line_amount:
        raise Refused(
            "TOO_MANY_DECIMALS",
            f"the amount {line_amount} has more than the two decimals that Xero keeps; book the order by hand",
        )
    return one_spelling(unit)
