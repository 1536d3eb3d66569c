"""Lines of an invoice or a credit note, as Xero computes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.books.texts import xero_text
from amazon_to_xero.domain.money import cents, without_trailing_zeros

DESCRIPTION_LIMIT = 4000  # Xero: LineItem.Description, in UTF-16 units
ROUNDING = "ROUNDING"  # origin of a rounding line, which belongs to no item

# Tracking categories of Xero, each with the one of its options that a line is reported under; at most two.
type Tracking = tuple[tuple[str, str], ...]
type Terms = tuple[str, str, Tracking, str]  # account, tax type, tracking and item code of a line


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
    tracking: category and option, by their names in Xero.
    item_code: code of the organisation's item; empty for none.
    """

    description: str
    quantity: int
    unit: Decimal
    account: str
    tax_type: str
    origin: str = ""
    tax: Decimal | None = None
    tracking: Tracking = ()
    item_code: str = ""

    @property
    def amount(self) -> Decimal:
        return cents(self.quantity * self.unit)

    @property
    def is_rounding(self) -> bool:
        """Whether it books nothing of its source; its origin is empty until it is part of a document."""
        return self.origin in ("", ROUNDING)

    def in_xero(self) -> dict[str, Any]:
        """Return the line in Xero's field names."""
        line: dict[str, Any] = {
            "Description": self.description,
            "Quantity": self.quantity,
            "UnitAmount": self.unit,
            "AccountCode": self.account,
            "TaxType": self.tax_type,
        }
        if self.tax is not None:
            line["TaxAmount"] = self.tax
        if self.tracking:
            line["Tracking"] = [{"Name": category, "Option": option} for category, option in self.tracking]
        return line | ({"ItemCode": self.item_code} if self.item_code else {})


def line_from_xero(item: Mapping[str, Any], origin: str) -> Line:
    """Return the line that `in_xero` was made from."""
    return Line(
        item["Description"],
        item["Quantity"],
        item["UnitAmount"],
        item["AccountCode"],
        item["TaxType"],
        origin,
        item.get("TaxAmount"),
        tuple((each["Name"], each["Option"]) for each in item.get("Tracking") or ()),
        item.get("ItemCode") or "",
    )


def all_terms(line: Line) -> Terms:
    """Return how a line is booked: by account, tax type, tracking and item code."""
    return line.account, line.tax_type, line.tracking, line.item_code


def tracking_text(tracking: Tracking) -> str:
    """Return tracking for a person to read: `Region: North, Channel: FBA`."""
    return ", ".join(f"{category}: {option}" for category, option in tracking)


def as_one_piece(line: Line, amount: Decimal) -> Line:
    """Return the line with another amount and quantity 1; Xero computes its tax. All else stays as it is booked."""
    return replace(line, quantity=1, unit=without_trailing_zeros(cents(amount)), tax=None)


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
