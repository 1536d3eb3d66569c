"""Whether a document that stands in Xero is the one we want, is ours at all, or is somebody else's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from amazon_to_xero.domain.books.document import Desired
from amazon_to_xero.domain.books.document_types import Kind
from amazon_to_xero.domain.money import cents

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REFERENCE_MARK = " · "  # what stands behind it in a Reference may change: tracking numbers
GONE = frozenset({"DELETED", "VOIDED"})
# A document that is paid is still the approved document we asked for.
_AS_GOOD_AS: Mapping[str, frozenset[str]] = {
    "DRAFT": frozenset({"DRAFT", "SUBMITTED"}),
    "AUTHORISED": frozenset({"AUTHORISED", "PAID"}),
}


def identity(reference: str) -> str:
    """The part of a Reference that says whose document it is: marketplace and order."""
    return reference.partition(REFERENCE_MARK)[0]


class Match(Enum):
    SAME = auto()
    OURS_BUT_DIFFERENT = auto()
    FOREIGN = auto()
    GONE = auto()  # voided or deleted; its number stays taken


def match(desired: Desired, element: Mapping[str, Any]) -> Match:
    """`element` is Xero's own object, numbers as Decimal."""
    if desired.kind is Kind.CONTACT:
        number = element.get("ContactNumber") or ""
        if number not in ("", desired.body["ContactNumber"]):
            return Match.FOREIGN  # found by its name; the number says that it belongs to other software
        if desired.buyer:
            return Match.OURS_BUT_DIFFERENT  # what it should hold is not stored, so it cannot be compared
        same = bool(number) and element.get("Name") == desired.body["Name"]
        return Match.SAME if same else Match.OURS_BUT_DIFFERENT
    if element.get("Status") in GONE:
        return Match.GONE
    theirs, ours = element.get("Reference") or "", desired.body.get("Reference") or ""
    if identity(theirs) != identity(ours) or element.get("Type") != desired.body.get("Type"):
        return Match.FOREIGN
    return Match.SAME if _same_document(desired, element) else Match.OURS_BUT_DIFFERENT


def payment_inside(desired: Desired, paid: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Our payment among those on the document it pays: same amount, same day."""
    for payment in paid.get("Payments") or ():
        same_amount = payment.get("Amount") == desired.body["Amount"]
        if same_amount and _day(payment) == desired.body["Date"] and payment.get("Status") not in GONE:
            return dict(payment)
    return None


def _day(element: Mapping[str, Any]) -> str:
    """The calendar day of a Xero date: `DateString` where Xero gives one, else /Date(ms+0000)/ at UTC midnight."""
    text = str(element.get("DateString") or "")[:10]
    if text:
        return text
    digits = re.search(r"-?\d+", str(element.get("Date") or ""))
    return (_EPOCH + timedelta(milliseconds=int(digits[0]))).date().isoformat() if digits else ""


def _same_document(desired: Desired, element: Mapping[str, Any]) -> bool:
    body = desired.body
    return (
        element.get("Status") in _AS_GOOD_AS[body["Status"]]
        and element.get("CurrencyCode") == body["CurrencyCode"]
        and element.get("LineAmountTypes") == body["LineAmountTypes"]
        and _day(element) == body["Date"]
        and element.get("Total") == desired.total
        and element.get("Reference") == body.get("Reference")
        and [_line(line) for line in element.get("LineItems") or ()] == [_line(line) for line in body["LineItems"]]
    )


def _line(line: Mapping[str, Any]) -> tuple[str, str, Decimal]:
    amount = cents(Decimal(line["Quantity"]) * Decimal(line["UnitAmount"]))
    return line.get("AccountCode") or "", line.get("TaxType") or "", amount
