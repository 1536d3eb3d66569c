"""Whether a document found in Xero is the desired one, ours with other content, or somebody else's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.texts import cleaned, folded
from amazon_to_xero.domain.money import cents

REFERENCE_MARK = " · "  # separates what identifies a document from what may change, such as tracking numbers
REFERENCE_LIMIT = 255  # Xero: Invoice.Reference
GONE = frozenset({"DELETED", "VOIDED"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Requested status -> the statuses in Xero that fulfil the request: a paid document is still the approved one.
FULFILLING_STATUSES: Mapping[str, frozenset[str]] = {
    "DRAFT": frozenset({"DRAFT", "SUBMITTED"}),
    "SUBMITTED": frozenset({"SUBMITTED"}),
    "AUTHORISED": frozenset({"AUTHORISED", "PAID"}),
}


class Match(Enum):
    """How a document in Xero relates to the desired one."""

    SAME = auto()
    OURS_BUT_DIFFERENT = auto()
    CHANGED_BY_PERSON = auto()  # ours, with a line that nobody but a person enters: it is not overwritten
    FOREIGN = auto()  # it belongs to somebody else
    GONE = auto()  # it is voided or deleted; its number stays taken


def match(desired: DesiredDocument, element: Mapping[str, Any]) -> Match:
    """Compare the desired document with Xero's own object, whose numbers are Decimal."""
    if desired.is_chosen_contact:
        return Match.SAME  # found by its id: it is as the person who keeps it has it
    if desired.kind is DocumentKind.CONTACT:
        number = folded(element.get("ContactNumber") or "")
        if number not in ("", folded(desired.body["ContactNumber"])):
            return Match.FOREIGN  # found by its name; its number belongs to other software
        if desired.buyer_digest:
            return Match.OURS_BUT_DIFFERENT  # the buyer's details are not stored, so they cannot be compared
        is_same = bool(number) and folded(element.get("Name")) == folded(desired.body["Name"])
        return Match.SAME if is_same else Match.OURS_BUT_DIFFERENT
    if element.get("Status") in GONE:
        return Match.GONE
    theirs, ours = cleaned(element.get("Reference")), cleaned(desired.body.get("Reference"))
    is_ours = reference_identity(theirs) == reference_identity(ours)
    if not is_ours or element.get("Type") != desired.body.get("Type"):
        return Match.FOREIGN
    if any(line_amount(line) is None for line in element.get("LineItems") or ()):
        return Match.CHANGED_BY_PERSON
    return Match.SAME if _is_same_document(desired, element) else Match.OURS_BUT_DIFFERENT


def settlement_in(
    desired: DesiredDocument, owner: Mapping[str, Any], others: Sequence[Mapping[str, Any]] = ()
) -> Mapping[str, Any] | None:
    """Return the desired payment, refund or allocation among those in Xero's object of the document that owns it.

    others: Xero's objects of the other documents that it settles: an allocation's invoice.
    """
    if desired.kind is DocumentKind.ALLOCATION:
        return _allocation_in(desired, owner, *others)
    return _payment_in(desired, owner)


def _payment_in(desired: DesiredDocument, owner: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the payment of the same amount and day."""
    for payment in owner.get("Payments") or ():
        is_same_amount = payment.get("Amount") == desired.body["Amount"]
        if is_same_amount and day_of(payment) == desired.body["Date"] and payment.get("Status") not in GONE:
            return dict(payment)
    return None


def _allocation_in(
    desired: DesiredDocument, credit_note: Mapping[str, Any], invoice: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return the allocation of the same amount to the same invoice. Xero sets its day itself."""
    for allocation in credit_note.get("Allocations") or ():
        is_same_invoice = folded((allocation.get("Invoice") or {}).get("InvoiceID")) == folded(invoice["InvoiceID"])
        if is_same_invoice and allocation.get("Amount") == desired.body["Amount"] and not allocation.get("IsDeleted"):
            return dict(allocation)
    return None


def reference_identity(reference: str) -> str:
    """Return the part of a Reference that identifies the document: marketplace and order."""
    return reference.partition(REFERENCE_MARK)[0]


def _is_same_document(desired: DesiredDocument, element: Mapping[str, Any]) -> bool:
    body = desired.body
    return (
        element.get("Status") in FULFILLING_STATUSES[body["Status"]]
        and element.get("CurrencyCode") == body["CurrencyCode"]
        and element.get("LineAmountTypes") == body["LineAmountTypes"]
        and day_of(element) == body["Date"]
        and element.get("Total") == desired.total
        and cleaned(element.get("Reference")) == cleaned(body.get("Reference"))
        and folded(body.get("BrandingThemeID", "")) in ("", folded(element.get("BrandingThemeID")))
        and _are_same_lines(body["LineItems"], element.get("LineItems") or ())
    )


def _are_same_lines(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the lines agree; in their tax where ours state it, else Xero has computed it."""
    return len(ours) == len(theirs) and all(
        _line(our) == _line(their)
        and our.get("TaxAmount") in (None, their.get("TaxAmount"))
        and their.get("Description") in (None, our.get("Description"))
        for our, their in zip(ours, theirs, strict=True)
    )


def day_of(element: Mapping[str, Any]) -> str:
    """Return the calendar day of a Xero date: `DateString` where there is one, else /Date(ms+0000)/ at UTC midnight."""
    text = str(element.get("DateString") or "")[:10]
    if text:
        return text
    digits = re.search(r"-?\d+", str(element.get("Date") or ""))
    return (_EPOCH + timedelta(milliseconds=int(digits[0]))).date().isoformat() if digits else ""


def _line(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what has to agree between two lines: account, tax type, amount, tracking and item code."""
    texts = [line.get(name) or "" for name in ("AccountCode", "TaxType", "ItemCode")]
    tracking = {(each.get("Name"), each.get("Option")) for each in line.get("Tracking") or ()}
    return *texts, line_amount(line), tracking


def line_amount(line: Mapping[str, Any]) -> Decimal | None:
    """Return the amount of a line; None for one that has only a description (Xero: a remark)."""
    quantity, unit = line.get("Quantity"), line.get("UnitAmount")
    return None if quantity is None or unit is None else cents(Decimal(quantity) * Decimal(unit))
