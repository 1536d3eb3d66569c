"""What an SQS message says: look at this order. Amazon's ORDER_CHANGE, our own events, our own pointer from a DLQ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.failures import Refused
from amazon_to_xero.domain.timestamps import moment

ORDER_SHIPPED = "Order Shipped"
ORDER_CANCELLED = "Order Cancelled"
SHIPMENT_EVENTS = (ORDER_SHIPPED, ORDER_CANCELLED)


@dataclass(frozen=True)
class OrderPointer:
    """`connection` or `seller_id` says whose order; `at` when Amazon spoke (UTC), None where it was not Amazon.

    `again`: a person asks to look in any case, whatever is known already.
    """

    order_id: str
    at: datetime | None = None
    connection: str = ""
    seller_id: str = ""
    again: bool = False


def order_pointer(body: str) -> OrderPointer:
    """The order a message of the orders queue points at: ORDER_CHANGE, or our own pointer.

    Raises Refused (MALFORMED_MESSAGE, UNEXPECTED_NOTIFICATION) for anything else. Amazon changes the case of names
    between notification types, so names are compared without it (Amazon: Notifications API, ORDER_CHANGE). No other
    content of a notification is used: it may be late or old.
    """
    document = _document(body)
    if (pointed := _look_at(document)) is not None:
        return pointed
    kind = _text(document, "NotificationType")
    if kind != "ORDER_CHANGE":
        raise _unexpected("ORDER_CHANGE", kind, "subscribe that type to its own queue")
    change = _part(_part(document, "Payload"), "OrderChangeNotification")
    try:
        at = moment(_part(document, "EventTime"), "EventTime")
    except ValueError as problem:
        raise _malformed(str(problem)) from None
    return OrderPointer(_text(change, "AmazonOrderId"), at, seller_id=_text(change, "SellerId"))


def shipment_pointer(body: str) -> OrderPointer:
    """The order a message of the shipments queue points at: an event of the own bus, or our own pointer.

    Raises Refused like order_pointer. What happened to the order is not taken from the event either.
    """
    document = _document(body)
    if (pointed := _look_at(document)) is not None:
        return pointed
    kind = _text(document, "detail-type")
    if kind not in SHIPMENT_EVENTS:
        raise _unexpected(" and ".join(SHIPMENT_EVENTS), kind, "correct the rule that sends it here")
    detail = _part(document, "detail")
    return OrderPointer(_text(detail, "order_id"), connection=_text(detail, "connection"))


def _document(body: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _malformed("the body is not JSON") from None
    if not isinstance(document, Mapping):
        raise _malformed(f"the body is a JSON {type(document).__name__}, not an object")
    return document


def _look_at(document: Mapping[str, Any]) -> OrderPointer | None:
    """The pointer that we put into dead-letter queues ourselves, and that a redrive brings back."""
    pointer = document.get("look_at")
    if pointer is None:
        return None
    return OrderPointer(_text(pointer, "order_id"), connection=_text(pointer, "connection"), again=True)


def _part(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        for key, part in value.items():
            if isinstance(key, str) and key.lower() == name.lower():
                return part
    raise _malformed(f"{name} is missing")


def _text(value: Any, name: str) -> str:
    text = _part(value, name)
    # Amazon's ids are ASCII; half a surrogate pair could not even be stored, and would keep its whole batch from it.
    if not isinstance(text, str) or not text.strip() or len(text) > 64 or not text.isascii():
        raise _malformed(f"{name} should be a short ASCII text and is {type(text).__name__}")
    return text.strip()


def _malformed(problem: str) -> Refused:
    return Refused("MALFORMED_MESSAGE", f"{problem}; correct the body and send it to the queue again, or delete it")


def _unexpected(taken: str, kind: str, cure: str) -> Refused:
    return Refused("UNEXPECTED_NOTIFICATION", f"this queue takes {taken}, the message is {kind!r}; {cure}")
