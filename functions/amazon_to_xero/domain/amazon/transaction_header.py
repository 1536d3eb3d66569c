"""What identifies a transaction of Amazon's Finances API, and whether it is a refund or a charge; not its amounts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.timestamps import parse_timestamp

# Amazon documents no list of types. A chargeback or a claim is at times stated as a plain Refund, at times as its own.
_REFUND_TYPES = frozenset({"refund", "chargeback", "chargebackrefund", "atozguaranteerefund"})
_CHARGE_TYPE = "shipment"
_MAX_ID_LENGTH = 200  # the longest that was seen has 40 characters; a sort key has room for 1024 bytes


@dataclass(frozen=True)
class TransactionHeader:
    """What is known of a transaction without its amounts.

    transaction_id: Amazon's.
    type: Amazon's transactionType; empty where Amazon states none.
    status: Amazon's, in capital letters: DEFERRED, RELEASED, DEFERRED_RELEASED; empty where Amazon states none.
    posted_at: Amazon's postedDate (UTC).
    order_id: the order that it belongs to; empty where Amazon names none.
    is_copy: it repeats the amounts of a deferred transaction, which was shown before under its own id.
    """

    transaction_id: str
    type: str
    status: str
    posted_at: datetime
    order_id: str
    is_copy: bool


def transaction_header(raw: Mapping[str, Any]) -> TransactionHeader:
    """Return the header of Amazon's transaction. Raises Failure where its id or its date cannot be used."""
    transaction_id = raw.get("transactionId")
    if not isinstance(transaction_id, str) or not _is_short_text(transaction_id):
        posted = _text(raw.get("postedDate"))[:40]
        raise _malformed(raw, f"transactionId of a transaction posted at {posted!r} is not a short ASCII text")
    try:
        posted_at = parse_timestamp(raw.get("postedDate"), "postedDate")
    except ValueError as problem:
        raise _malformed(raw, f"transaction {transaction_id}: {problem}") from None
    status = _text(raw.get("transactionStatus")).upper()
    related = list(_related_identifiers(raw))
    return TransactionHeader(
        transaction_id,
        _text(raw.get("transactionType")),
        status if _is_short_text(status) else "",
        posted_at,
        next((value for name, value in related if name == "orderid" and _is_short_text(value)), ""),
        any(name == "deferredtransactionid" for name, _ in related),
    )


def is_refund(transaction_type: str) -> bool:
    """Return whether a transaction of Amazon's type gives money back to a buyer."""
    return _letters(transaction_type) in _REFUND_TYPES


def is_charge(transaction_type: str) -> bool:
    """Return whether a transaction of Amazon's type charges a buyer for a shipment."""
    return _letters(transaction_type) == _CHARGE_TYPE


def manual_remedy(transaction_type: str) -> str:
    """Return what a person does with a transaction that cannot be processed, as the end of a sentence."""
    if is_charge(transaction_type):
        return "compare the charge with the order's documents in Xero"
    return "enter the refund in Xero manually"


def key_of_unreadable(raw: Mapping[str, Any]) -> str:
    """Return what names a transaction without a usable header: the same for each sweep that reads it again."""
    text = json.dumps(raw, sort_keys=True, default=str)
    return f"unreadable-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _related_identifiers(raw: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the letters of each related identifier's name, and its value; what has another shape is left out."""
    related = raw.get("relatedIdentifiers")
    for each in related if isinstance(related, list) else ():
        if isinstance(each, Mapping):
            value = _text(each.get("relatedIdentifierValue"))
            if value:
                yield _letters(_text(each.get("relatedIdentifierName"))), value


def _letters(text: str) -> str:
    """Return the letters and digits of a text in lower case: Amazon writes ORDER_ID, OrderId and A-to-z."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _is_short_text(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _MAX_ID_LENGTH and text.isascii()


def _malformed(raw: Mapping[str, Any], problem: str) -> Failure:
    remedy = manual_remedy(_text(raw.get("transactionType")))
    return Failure(
        FailureCode.TRANSACTION_MALFORMED,
        f"{problem}. Check Payments > Transaction View in Seller Central and {remedy}.",
    )
