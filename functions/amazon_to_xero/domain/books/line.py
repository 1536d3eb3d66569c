"""Lines of an invoice or a credit note, as Xero computes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.books.texts import xero_text
from amazon_to_xero.domain.money import cents, without_trailing_zeros

DESCRIPTION_LIMIT = 4000  # Xero: LineItem.Description, in UTF-16 units
ROUNDING = "ROUNDING"  # origin of a rounding line, which belongs to no item


class LineAmountTypes(StrEnum):
    """Xero's LineAmountTypes: whether the line amounts of a document include tax."""

    INCLUSIVE = "Inclusive"
    EXCLUSIVE = "Exclusive"
    NO_TAX = "NoTax"


@dataclass(frozen=True)
class Line:
    """One line of a document.

    quantity, unit: their product is the amount before Xero's rounding, in the document's currency.
    account, tax_type: the organisation's account code and Xero's TaxType.
    origin: what of the source the line books (item and charge); a later change is compared by it.
    tax: the tax on it, in the document's currency; None where Xero computes it from the tax type.
    """

    description: str
    quantity: int
    unit: Decimal
    account: str
    tax_type: str
    origin: str = ""
    tax: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        return cents(self.quantity * self.unit)

    def in_xero(self) -> dict[str, Any]:
        """Return the line in Xero's field names."""
        line = {
            "Description": self.description,
            "Quantity": self.quantity,
            "UnitAmount": self.unit,
            "AccountCode": self.account,
            "TaxType": self.tax_type,
        }
        return line if self.tax is None else line | {"TaxAmount": self.tax}


def line_from_xero(item: Mapping[str, Any], origin: str) -> Line:
    """Return the line that `in_xero` was made from."""
    account, tax_type = item["AccountCode"], item["TaxType"]
    unit, tax = item["UnitAmount"], item.get("TaxAmount")
    return Line(item["Description"], item["Quantity"], unit, account, tax_type, origin, tax)


def single_line(description: str, value: Decimal, account: str, tax_type: str) -> Line:
    """Return one line for the whole value, rounded to the two decimals that Xero keeps: 1.005 becomes 1.01.

    The document's rounding line compensates what the rounding adds or takes.
    """
    return Line(xero_text(description, DESCRIPTION_LIMIT), 1, without_trailing_zeros(cents(value)), account, tax_type)


def goods_line(name: str, quantity: int, value: Decimal, account: str, tax_type: str) -> Line:
    """Return a line with quantity and unit price where that is exact at four decimals, else one line for the whole."""
    if quantity > 0 and cents(value) == value:
        unit = (value / quantity).quantize(Decimal("0.0001"))
        if unit * quantity == value:
            description = xero_text(name, DESCRIPTION_LIMIT)
            return Line(description, quantity, without_trailing_zeros(unit), account, tax_type)
    return single_line(f"{quantity} × {name}", value, account, tax_type)
