"""The taxes of lines that are added up by origin, so that what corrects a line states the tax that is missing of it."""

from __future__ import annotations

from decimal import Decimal

from amazon_to_xero.domain.books.line import Line, LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.money import ZERO
from amazon_to_xero.domain.tax.rounding import tax_of
from amazon_to_xero.domain.tax.stated_tax import with_tax


class TaxesByOrigin:
    """The taxes on lines by origin: all corrections of a line are rounded together.

    Three cents less, twice, have 0.01 of tax in 0.06, and not 0.01 in each 0.03.

    states_all: also where no line of the origin states its tax.
    """

    def __init__(self, amounts: LineAmountTypes, organisation: Organisation, *, states_all: bool) -> None:
        self._amounts = amounts
        self._organisation = organisation
        self._states_all = states_all
        self._taxes: dict[str, Decimal] = {}
        self._stated: set[str] = set()
        self._tax_types: dict[str, set[str]] = {}

    def add(self, line: Line, sign: int) -> None:
        tax = tax_of(line, self._amounts, self._organisation)
        self._taxes[line.origin] = self._taxes.get(line.origin, ZERO) + sign * tax
        self._tax_types.setdefault(line.origin, set()).add(line.tax_type)
        if line.tax is not None:
            self._stated.add(line.origin)

    def on(self, line: Line) -> Line:
        """Return the line of what is missing or too much of its origin, with the tax that is."""
        computed = tax_of(line, self._amounts, self._organisation)
        tax = self._taxes.get(line.origin, ZERO)
        is_comparable = self._tax_types.get(line.origin) == {line.tax_type}
        is_stated = self._states_all or line.origin in self._stated
        return with_tax(line, tax) if is_stated and is_comparable and tax != computed else line
