"""What an invoice states that a person has approved in Xero before a correction of it arrived there.

Everything else that a person changes in an invoice is theirs, and our request stands for it. A correction is not: it is
adjusted after the approval, and for that the request has to say what Xero holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from amazon_to_xero.domain.books.document import AWAITING_APPROVAL, DesiredDocument, Document
from amazon_to_xero.domain.books.matching import day_of, reference_identity


def is_change_under_way(document: Document) -> bool:
    """Whether an invoice that awaits approval in Xero is to be changed, and may not have been yet."""
    return document.xero_status == AWAITING_APPROVAL and document.applied_digest != document.desired.digest


def with_terms_in_xero(desired: DesiredDocument, element: Mapping[str, Any]) -> DesiredDocument | None:
    """Return the request with the day and, line by line, the account and tax type of Xero's own object.

    Return None where Xero holds another number of lines.
    """
    ours, theirs = desired.body["LineItems"], element.get("LineItems") or ()
    if len(ours) != len(theirs):
        return None
    reference = str(element.get("Reference") or "")
    is_our_reference = reference_identity(reference) == reference_identity(desired.body["Reference"])
    body = {
        **desired.body,
        "Date": day_of(element),
        "Reference": reference if is_our_reference else desired.body["Reference"],
        "LineItems": _lines(ours, theirs),
    }
    return replace(desired, body=body)


def _lines(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        {**line, **{field: held[field] for field in ("AccountCode", "TaxType", "TaxAmount") if _has(field, line, held)}}
        for line, held in zip(ours, theirs, strict=True)
    ]


def _has(field: str, line: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    return field in line and held.get(field) is not None
