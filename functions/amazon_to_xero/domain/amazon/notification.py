"""Messages that say what may have changed: Amazon's notifications, our own events, and dead letters that are redriven.

A message is a notice, never a fact: nothing but what it is about is taken from it, since it may be late or old.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.source import SourceKind, identity_of
from amazon_to_xero.domain.timestamps import parse_timestamp

ORDER_SHIPPED = "Order Shipped"
ORDER_CANCELLED = "Order Cancelled"
SHIPMENT_EVENTS = (ORDER_SHIPPED, ORDER_CANCELLED)
_MAX_SOURCE_LENGTH = 220  # the longest id of a transaction that is taken, and its kind


@dataclass(frozen=True)
class ChangeNotice:
    """Something about a source may have changed.

    key: the record it is about, e.g. the Amazon order id. A notice of a transaction names its order, or nothing.
    at: when Amazon gave the notice, or posted the transaction (UTC); None where it was not Amazon.
    connection, seller_id: whose record; one of them is given.
    reprocess: a person asks to process the source again, whatever is known already.
    kind: the kind of source that is to be reprocessed; None for any other notice.
    """

    key: str
    at: datetime | None = None
    connection: str = ""
    seller_id: str = ""
    reprocess: bool = False
    kind: SourceKind | None = None


def parse_order_change(body: str) -> ChangeNotice:
    """Return the notice in a message of the orders queue: ORDER_CHANGE, or a redriven dead letter.

    Raises Failure (MALFORMED_MESSAGE, UNEXPECTED_NOTIFICATION) for anything else. Amazon changes the case of names
    between notification types, so names are compared without it (Amazon: Notifications API, ORDER_CHANGE).
    """
    document = _document(body)
    if (notice := _reprocess_notice(document, SourceKind.ORDER)) is not None:
        return notice
    kind = _text(document, "NotificationType")
    if kind != "ORDER_CHANGE":
        raise _unexpected("ORDER_CHANGE", kind, "subscribe that type to its own queue")
    change = _part(_part(document, "Payload"), "OrderChangeNotification")
    try:
        at = parse_timestamp(_part(document, "EventTime"), "EventTime")
    except ValueError as problem:
        raise _malformed(str(problem)) from None
    return ChangeNotice(_text(change, "AmazonOrderId"), at, seller_id=_text(change, "SellerId"))


def parse_shipment_event(body: str) -> ChangeNotice:
    """Return the notice in a message of the shipments queue: an event of the own bus, or a redriven dead letter.

    Raises Failure as parse_order_change does.
    """
    document = _document(body)
    if (notice := _reprocess_notice(document, SourceKind.ORDER)) is not None:
        return notice
    kind = _text(document, "detail-type")
    if kind not in SHIPMENT_EVENTS:
        raise _unexpected(" and ".join(SHIPMENT_EVENTS), kind, "correct the rule that sends it here")
    detail = _part(document, "detail")
    return ChangeNotice(_text(detail, "order_id"), connection=_text(detail, "connection"))


def parse_transaction_update(body: str) -> ChangeNotice:
    """Return the notice in a message of the refunds queue: TRANSACTION_UPDATE, or a redriven dead letter.

    Amazon names no transaction in it, and not reliably its type, so that every one is a notice. Raises Failure as
    parse_order_change does.
    """
    document = _document(body)
    if (notice := _reprocess_notice(document, SourceKind.TRANSACTION, SourceKind.CONFIRMATION)) is not None:
        return notice
    kind = _text(document, "NotificationType")
    if kind != "TRANSACTION_UPDATE":
        raise _unexpected("TRANSACTION_UPDATE", kind, "subscribe that type to its own queue")
    update = _part(_part(document, "Payload"), "TransactionUpdateNotification")
    seller_id = _text(_part(update, "SellingPartnerMetadata"), "SellingPartnerId")
    try:
        at = parse_timestamp(_part(update, "PostedDate"), "PostedDate")
    except ValueError as problem:
        raise _malformed(str(problem)) from None
    return ChangeNotice(_order_id(_optional_part(update, "RelatedIdentifiers")), at, seller_id=seller_id)


def _order_id(related_identifiers: Any) -> str:
    """Return the order that a transaction belongs to; empty where Amazon names none, or not as documented."""
    for related in related_identifiers if isinstance(related_identifiers, list) else ():
        name = _optional_part(related, "RelatedIdentifierName")
        value = _optional_part(related, "RelatedIdentifierValue")
        if isinstance(name, str) and name.lower() == "orderid" and isinstance(value, str) and _is_short(value):
            return value.strip()
    return ""


def _document(body: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _malformed("the body is not JSON") from None
    if not isinstance(document, Mapping):
        raise _malformed(f"the body is a JSON {type(document).__name__}, not an object")
    return document


def _reprocess_notice(document: Mapping[str, Any], *kinds: SourceKind) -> ChangeNotice | None:
    """The body of our own dead letters, which a redrive brings back; `kinds` are those that the queue takes."""
    pointer = document.get("reprocess")
    if pointer is None:
        return None
    source = _text(pointer, "source", limit=_MAX_SOURCE_LENGTH)
    for kind in kinds:
        key = identity_of(source, kind)
        if key is not None:
            return ChangeNotice(key, connection=_text(pointer, "connection"), reprocess=True, kind=kind)
    kind = kinds[0]
    raise _malformed(f"reprocess.source names no {kind}; it should be {kind}#<Amazon {kind} id>")


def _part(value: Any, name: str) -> Any:
    part = _optional_part(value, name)
    if part is None:
        raise _malformed(f"{name} is missing")
    return part


def _optional_part(value: Any, name: str) -> Any:
    """Return the part of that name, whatever its case; None where there is none."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if isinstance(key, str) and key.lower() == name.lower():
                return part
    return None


def _text(value: Any, name: str, limit: int = 64) -> str:
    text = _part(value, name)
    if not isinstance(text, str) or not _is_short(text, limit):
        raise _malformed(f"{name} should be a short ASCII text and is {type(text).__name__}")
    return text.strip()


def _is_short(text: str, limit: int = 64) -> bool:
    # Amazon's ids are ASCII; half a surrogate pair could not even be stored, and would keep its whole batch from it.
    return bool(text.strip()) and len(text) <= limit and text.isascii()


def _malformed(problem: str) -> Failure:
    return Failure(
        FailureCode.MALFORMED_MESSAGE, f"{problem}; correct the body and send it to the queue again, or delete it"
    )


def _unexpected(taken: str, kind: str, remedy: str) -> Failure:
    return Failure(FailureCode.UNEXPECTED_NOTIFICATION, f"this queue takes {taken}, the message is {kind!r}; {remedy}")
