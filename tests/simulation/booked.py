"""An invoice or credit note of an order, as it stands in the books of a world."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

GONE = ("DELETED", "VOIDED")
ROUNDING = "498"


@dataclass(frozen=True)
class Booked:
    """An invoice or credit note as it stands in Xero, or in the invoice or credit note of its day.

    Amounts count as they do in the books.
    """

    number: str
    sign: int  # -1: a credit note
    document: Mapping[str, Any]
    payments: Sequence[Mapping[str, Any]]

    @property
    def status(self) -> str:
        return str(self.document["Status"])

    @property
    def total(self) -> Decimal:
        return Decimal(self.sign * self.document["Total"])

    @property
    def lines(self) -> list[tuple[str, str, Decimal]]:
        return [
            (line["AccountCode"], line["TaxType"], self.sign * line["LineAmount"])
            for line in self.document["LineItems"]
            if line["AccountCode"] != ROUNDING
        ]


def by_account(lines: Iterable[tuple[str, str, Decimal]]) -> dict[tuple[str, str], Decimal]:
    """Return account and tax type -> amount, of all that is not zero."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for account, tax_type, amount in lines:
        sums[account, tax_type] += amount
    return {key: amount for key, amount in sums.items() if amount}
