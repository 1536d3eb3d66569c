"""Whether a document in Xero is the one we want, is ours but different, or is somebody else's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.money import cents

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REFERENCE_MARK = " · "  # what follows it in a Reference may change: tracking numbers
GONE = frozenset({"DELETED", "VOIDED"})
# A document that is paid is still the approved document that we asked for.
_ACCEPTED_STATUS: Mapping[str, frozenset[str]] = {
    "DRAFT": frozenset({"DRAFT", "SUBMITTED"}),
    "AUTHORISED": frozenset({"AUTHORISED", "PAID"}),
}


def reference_identity(reference: str) -> str:
    """Return the part of a Reference that identifies the document: marketplace and order."""
    return reference.partition(REFERENCE_MARK)[0]


class Match(Enum):
    """How a document in Xero relates to the one we want."""

    SAME = auto()
    OURS_BUT_DIFFERENT = auto()
    FOREIGN = auto()  # it belongs to somebody else
    GONE = auto()  # voided or deleted; its number stays taken


def match(desired: DesiredDocument, element: Mapping[str, Any]) -> Match:
    """Compare the document we want with Xero's own object, numbers as Decimal."""
    if desired.kind is DocumentKind.CONTACT:
        number = element.get("ContactNumber") or ""
        if number not in ("", desired.body["ContactNumber"]):
            return Match.FOREIGN  # found by its name; its number belongs to other software
        if desired.buyer_digest:
            return Match.OURS_BUT_DIFFERENT  # the details are not stored, so they cannot be compared
        is_same = bool(number) and element.get("Name") == desired.body["Name"]
        return Match.SAME if is_same else Match.OURS_BUT_DIFFERENT
    if element.get("Status") in GONE:
        return Match.GONE
    theirs, ours = element.get("Reference") or "", desired.body.get("Reference") or ""
    is_ours = reference_identity(theirs) == reference_identity(ours)
    if not is_ours or element.get("Type") != desired.body.get("Type"):
        return Match.FOREIGN
    return Match.SAME if _same_document(desired, element) else Match.OURS_BUT_DIFFERENT


def payment_in(desired: DesiredDocument, owner: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return our payment among those of the document that it pays: same amount, same day."""
    for payment in owner.get("Payments") or ():
        is_same_amount = payment.get("Amount") == desired.body["Amount"]
        if is_same_amount and _day(payment) == desired.body["Date"] and payment.get("Status") not in GONE:
            return dict(payment)
    return None


def _day(element: Mapping[str, Any]) -> str:
    """Return the calendar day of a Xero date: `DateString` where Xero gives one, else /Date(ms+0000)/ at UTC midnight."""
    text = str(element.get("DateString") or "")[:10]
    if text:
        return text
    digits = re.search(r"-?\d+", str(element.get("Date") or ""))
    return (_EPOCH + timedelta(milliseconds=int(digits[0]))).date().isoformat() if digits else ""


def _same_document(desired: DesiredDocument, element: Mapping[str, Any]) -> bool:
    body = desired.body
    return (
        element.get("Status") in _ACCEPTED_STATUS[body["Status"]]
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
