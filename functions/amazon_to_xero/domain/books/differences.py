"""The difference between what Xero holds of a document and what would be written, field by field, for a person to read.

No buyer data is in it: of a contact only the names of fields are. Of a reference only what identifies the document is
repeated, because a buyer's purchase order or VAT number may follow, and nothing of one that somebody has changed.
Descriptions are not compared, because nothing depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.books.matching import FULFILLING_STATUSES, day_of, line_amount, reference_identity
from amazon_to_xero.domain.books.texts import cleaned, folded

DIFFERS = "differs"
_CONTACT_FIELDS = ("Name", "ContactNumber")
_PLAIN_FIELDS = ("CurrencyCode", "LineAmountTypes")
_LINE_FIELDS = ("AccountCode", "TaxType", "TaxAmount", "ItemCode")


@dataclass(frozen=True)
class FieldDifference:
    """One field that differs.

    field: Xero's name of it; of a line with its number, e.g. LineItems[1].TaxType.
    in_xero, to_write: the two values as texts, amounts with their digits; empty where there is none. Both are `differs`
        where they may hold buyer data.
    """

    field: str
    in_xero: str
    to_write: str


def differences(desired: DesiredDocument, element: Mapping[str, Any] | None) -> tuple[FieldDifference, ...]:
    """Return what differs between a document to be written and Xero's own object of it; None where it has none."""
    held = element or {}
    if desired.is_chosen_contact:
        return ()
    if desired.kind is DocumentKind.CONTACT:
        return tuple(_of_contact(desired, held))
    if desired.tombstone:
        return tuple(_different("Status", held.get("Status"), "VOIDED or DELETED"))
    return tuple(_of_document(desired, held))


def settlement_fields(desired: DesiredDocument) -> tuple[FieldDifference, ...]:
    """Return the fields of a payment, refund or allocation that Xero does not hold."""
    values = ((name, desired.body.get(name)) for name in ("Amount", "Date"))
    return tuple(FieldDifference(name, "", str(value)) for name, value in values if value is not None)


def _of_contact(desired: DesiredDocument, held: Mapping[str, Any]) -> Iterator[FieldDifference]:
    if desired.buyer_digest:
        yield FieldDifference(
            "Details", DIFFERS, DIFFERS
        )  # they are not stored, and read from Amazon when they are sent
        return
    for name in _CONTACT_FIELDS:
        if folded(held.get(name) or "") != folded(desired.body.get(name) or ""):
            yield FieldDifference(name, DIFFERS, DIFFERS)


def contact_difference(element: Mapping[str, Any] | None, *contact_ids: str) -> tuple[FieldDifference, ...]:
    """Return whether a document in Xero has another contact than it should have, by their ids; no names.

    element: None, or without a contact, where nothing is compared.
    contact_ids: those that it may have, the one that it should have first; empty where that is not known.
    """
    held = folded(((element or {}).get("Contact") or {}).get("ContactID") or "")
    allowed = [folded(each) for each in contact_ids if each]
    return (FieldDifference("Contact", held, allowed[0]),) if held and allowed and held not in allowed else ()


def _of_document(desired: DesiredDocument, held: Mapping[str, Any]) -> Iterator[FieldDifference]:
    body = desired.body
    if held.get("Status") not in FULFILLING_STATUSES.get(body.get("Status", ""), ()):
        yield from _different("Status", held.get("Status"), body.get("Status"))
    yield from _different("Date", day_of(held), body.get("Date"))
    for name in _PLAIN_FIELDS:
        yield from _different(name, held.get(name), body.get(name))
    yield from _of_reference(cleaned(held.get("Reference")), cleaned(body.get("Reference")))
    yield from _different("Total", held.get("Total"), desired.total)
    if body.get("BrandingThemeID"):
        yield from _different("BrandingThemeID", held.get("BrandingThemeID"), body["BrandingThemeID"])
    yield from _of_lines(held.get("LineItems") or (), body.get("LineItems") or ())


def _of_reference(theirs: str, ours: str) -> Iterator[FieldDifference]:
    if theirs == ours:
        return
    identity = reference_identity(ours)
    if theirs and reference_identity(theirs) == identity:
        yield FieldDifference("Reference", DIFFERS, DIFFERS)
    else:
        yield FieldDifference("Reference", DIFFERS if theirs else "", identity)


def _of_lines(theirs: Sequence[Mapping[str, Any]], ours: Sequence[Mapping[str, Any]]) -> Iterator[FieldDifference]:
    for number in range(max(len(theirs), len(ours))):
        their = theirs[number] if number < len(theirs) else {}
        our = ours[number] if number < len(ours) else {}
        place = f"LineItems[{number}]"
        yield from _different(f"{place}.Amount", line_amount(their), line_amount(our))
        yield from _different(f"{place}.Tracking", _tracking(their), _tracking(our))
        for name in _LINE_FIELDS:
            # Where ours states no tax, Xero computes it.
            if our.get(name) is not None or (not our and their.get(name) is not None):
                yield from _different(f"{place}.{name}", their.get(name), our.get(name))


def _tracking(line: Mapping[str, Any]) -> str:
    return ", ".join(sorted(f"{each.get('Name')}: {each.get('Option')}" for each in line.get("Tracking") or ()))


def _different(field: str, in_xero: Any, to_write: Any) -> Iterator[FieldDifference]:
    if (in_xero or "") != (to_write or ""):
        yield FieldDifference(field, _text(in_xero), _text(to_write))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
