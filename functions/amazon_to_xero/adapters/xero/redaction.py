"""Xero's Accounting API through xero-python, with everything in it replaced that would hide what happened to a write.

The SDK builds URLs and headers and names the operations. Bodies go out as text written here, with exact decimals, and
come back as plain objects: the SDK's models would turn money into float and fail on an unknown currency after Xero has
committed. What is sent, how often and for how long is decided in `xero_transport`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Where a document carries who the buyer is; Xero's messages may repeat these values.
_BUYER_FIELDS = frozenset(
    (
        *("Name", "FirstName", "LastName", "AttentionTo", "EmailAddress", "PhoneNumber", "TaxNumber", "CompanyNumber"),
        *("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "Region", "PostalCode"),
    )
)


_CONTACT_NAME = re.compile(r"(?<=contact name ).+(?= is already assigned)", re.DOTALL | re.IGNORECASE)


_EMAIL = re.compile(r"[^\s@<>'\"]+@[^\s@<>'\"]+")


def _without_buyer(message: str, documents: Iterable[Any]) -> str:
    """Xero's message with what identifies the buyer replaced by an ellipsis."""
    message = _EMAIL.sub("…", _CONTACT_NAME.sub("…", message))
    known = {value for document in documents for value in _buyer_values(document) if _may_identify(value)}
    for value in sorted(known, key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", message)
    return message


def _may_identify(value: str) -> bool:
    """Two letters of English are a word of Xero's message as often as a name; two Chinese ones are a whole name."""
    return len(value) > 2 or (value != "" and not value.isascii())


def _buyer_values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in _BUYER_FIELDS and isinstance(each, str):
                yield each.strip()
            else:
                yield from _buyer_values(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _buyer_values(each)
