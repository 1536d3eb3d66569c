"""Whether a document that stands in Xero is the one we want, is ours at all, or is somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from amazon_to_xero.domain.documents import Desired, Kind
from amazon_to_xero.domain.money import cents

GONE = frozenset({"DELETED", "VOIDED"})
# A document that is paid is still the approved document we asked for.
_AS_GOOD_AS: Mapping[str, frozenset[str]] = {
    "DRAFT": frozenset({"DRAFT", "SUBMITTED"}),
    "AUTHORISED": frozenset({"AUTHORISED", "PAID"}),
}


class Match(Enum):
    SAME = auto()
    OURS_BUT_DIFFERENT = auto()
    FOREIGN = auto()
    GONE = auto()  # voided or deleted; its number stays taken


def match(desired: Desired, element: Mapping[str, Any]) -> Match:
    """`element` is Xero's own object, numbers as Decimal."""
    if desired.kind is Kind.CONTACT:
        same = element.get("Name") == desired.body["Name"]
        same = same and element.get("ContactNumber") == desired.body["ContactNumber"]
        return Match.SAME if same else Match.OURS_BUT_DIFFERENT
    if element.get("Status") in GONE:
        return Match.GONE
    if element.get("Reference") != desired.body.get("Reference") or element.get("Type") != desired.body.get("Type"):
        return Match.FOREIGN
    return Match.SAME if _same_document(desired, element) else Match.OURS_BUT_DIFFERENT


def _same_document(desired: Desired, element: Mapping[str, Any]) -> bool:
    body = desired.body
    return (
        element.get("Status") in _AS_GOOD_AS[body["Status"]]
        and element.get("CurrencyCode") == body["CurrencyCode"]
        and element.get("LineAmountTypes") == body["LineAmountTypes"]
        and str(element.get("DateString") or "")[:10] == body["Date"]
        and element.get("Total") == desired.total
        and [_line(line) for line in element.get("LineItems") or ()] == [_line(line) for line in body["LineItems"]]
    )


def _line(line: Mapping[str, Any]) -> tuple[str, str, Decimal]:
    amount = cents(Decimal(line["Quantity"]) * Decimal(line["UnitAmount"]))
    return line.get("AccountCode") or "", line.get("TaxType") or "", amount
