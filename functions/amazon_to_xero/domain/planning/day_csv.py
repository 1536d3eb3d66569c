"""The list of orders behind the documents of a closed day, as a CSV file: one row for each line of each entry.

Its amounts and taxes add up to the lines of the documents, by account and tax type. It holds no buyer data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.line import Line, LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.csv_file import csv_file, without_formula
from amazon_to_xero.domain.planning.day_plan import entry_lines
from amazon_to_xero.domain.planning.order_documents import sale_day
from amazon_to_xero.domain.tax.rounding import tax_of

COLUMNS = (
    "order_id",
    "day",
    "entry",
    "stated_in",
    "description",
    "account",
    "tax_type",
    "tracking",
    "item_code",
    "quantity",
    "amount",
    "tax",
    "amounts",
    "currency",
)
_NOT_IN_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")  # Xero refuses < > : " / \ | ? * +


def day_csv(entries: Iterable[DesiredDocument], organisation: Organisation) -> bytes:
    """Return the file. `stated_in` says whether a line is in the invoice or in the credit note of the day.

    amount: of the line as Xero holds it, with or without tax as `amounts` says (Inclusive, Exclusive, NoTax).
    """
    rows = [
        _row(entry, line, organisation)
        for entry in sorted(entries, key=lambda each: (each.kind is not DocumentKind.INVOICE, each.number))
        for line in entry_lines(entry)
    ]
    return csv_file(COLUMNS, rows)


def csv_name(number: str) -> str:
    """Return the name of the file at the document of that number."""
    return f"{_NOT_IN_FILE_NAME.sub('-', number)}.csv"


def _row(entry: DesiredDocument, line: Line, organisation: Organisation) -> Sequence[object]:
    amounts = LineAmountTypes(entry.body["LineAmountTypes"])
    return (
        without_formula(entry.order_id),
        sale_day(entry).isoformat(),
        without_formula(entry.number),
        "invoice" if entry.kind is DocumentKind.INVOICE else "credit note",
        without_formula(line.description),
        line.account,
        line.tax_type,
        without_formula("; ".join(f"{category}: {option}" for category, option in line.tracking)),
        without_formula(line.item_code),
        line.quantity,
        f"{line.amount:.2f}",
        f"{tax_of(line, amounts, organisation):.2f}",
        amounts.value,
        entry.body["CurrencyCode"],
    )
