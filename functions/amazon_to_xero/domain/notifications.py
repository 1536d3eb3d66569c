"""What an SQS message says: look at this order. Amazon's ORDER_CHANGE, or our own pointer from a dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.order_facts import moment
from amazon_to_xero.domain.reasons import Refused


@dataclass(frozen=True)
class OrderPointer:
    """`connection` or `seller_id` says whose order; `at` when Amazon spoke (UTC), None for "look in any case"."""

    order_id: str
    at: datetime | None = None
    connection: str = ""
    seller_id: str = ""


def order_pointer(body: str) -> OrderPointer:
    """The order a message points at. Raises Refused (MALFORMED_MESSAGE, UNEXPECTED_NOTIFICATION) for anything else.

    Amazon changes the case of names between notification types, so names are compared without it
    (Amazon: Notifications API, ORDER_CHANGE). No other content of a notification is used: it may be late or old.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _malformed("the body is not JSON") from None
    if not isinstance(document, Mapping):
        raise _malformed(f"the body is a JSON {type(document).__name__}, not an object")
    pointer = document.get("look_at")
    if pointer is not None:
        return OrderPointer(_text(pointer, "order_id"), connection=_text(pointer, "connection"))
    kind = _text(document, "NotificationType")
    if kind != "ORDER_CHANGE":
        raise Refused(
            "UNEXPECTED_NOTIFICATION",
            f"this queue takes ORDER_CHANGE, the message is {kind!r}; subscribe that type to its own queue",
        )
    change = _part(_part(document, "Payload"), "OrderChangeNotification")
    try:
        at = moment(_part(document, "EventTime"), "EventTime")
    except ValueError as problem:
        raise _malformed(str(problem)) from None
    return OrderPointer(_text(change, "AmazonOrderId"), at, seller_id=_text(change, "SellerId"))


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
