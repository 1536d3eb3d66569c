"""The JSON of a rejected element: the fields Xero understood, echoed with the validation messages."""

from __future__ import annotations

from typing import Any

from .errors import UnreadableValue, ValidationError
from .values import NO_ID, date_string, read_date, read_number, read_text, wire_date


def rejected_element(element: dict[str, Any], id_field: str, error: ValidationError) -> dict[str, Any]:
    """Return a rejected element as Xero sends it back."""
    flag = "HasErrors" if id_field in {"InvoiceID", "CreditNoteID"} else "HasValidationErrors"
    return {
        **_echo(element),
        id_field: error.record_id or NO_ID,
        flag: True,
        "ValidationErrors": [{"Message": message} for message in error.messages],
    }


_ECHOED_NUMBERS = ("Quantity", "UnitAmount", "LineAmount", "TaxAmount", "DiscountRate", "Amount", "CurrencyRate")
_ECHOED_TEXTS = (
    "Type",
    "Status",
    "InvoiceNumber",
    "CreditNoteNumber",
    "ContactNumber",
    "Reference",
    "Name",
    "EmailAddress",
    "Description",
    "AccountCode",
    "TaxType",
    "ItemCode",
    "Code",
    "ContactID",
    "InvoiceID",
    "CreditNoteID",
    "AccountID",
)
_ECHOED_DATES = ("Date", "DueDate")  # in Xero's own format, whatever was sent
_ECHOED_OBJECTS = ("Contact", "Invoice", "CreditNote", "Account")


def _echo(element: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the element that Xero understands."""
    shape: dict[str, Any] = {}
    for key, value in element.items():
        if key in _ECHOED_TEXTS and (text := read_text(value)) is not None:
            shape[key] = text
        elif key in _ECHOED_NUMBERS:
            try:
                shape[key] = read_number(value, key)
            except UnreadableValue:
                continue
        elif key in _ECHOED_DATES:
            try:
                day = read_date(value, key)
            except UnreadableValue:
                continue
            shape |= {key: wire_date(day), f"{key}String": date_string(day)} if day else {}
        elif key in _ECHOED_OBJECTS and isinstance(value, dict):
            shape[key] = _echo(value)
        elif key == "LineItems" and isinstance(value, list):
            shape[key] = [{**_echo(line), "ValidationErrors": []} for line in value if isinstance(line, dict)]
    return shape
