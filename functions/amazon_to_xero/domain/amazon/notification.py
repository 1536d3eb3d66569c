"""Messages that say what may have changed: Amazon's notifications, our own events, and dead letters that are redriven.

A message is a notice, never a fact: nothing but what it is about is taken from it, since it may be late or old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from amazon_to_xero.domain.amazon.change_decision_message import ChangeDecision, connection_in, decision_in
from amazon_to_xero.domain.amazon.correction_message import correction_in, source_of
from amazon_to_xero.domain.amazon.message import (
    is_short,
    malformed,
    optional_part,
    read_document,
    required_part,
    short_text,
    time_of,
    unexpected,
)
from amazon_to_xero.domain.corrections import Correction
from amazon_to_xero.domain.source import SourceKind, identity_of

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
    kind: the kind of source that is to be reprocessed or corrected; None for any other notice.
    correction: what a person states about the source; None for any other notice.
    decision: what a person decides about a change in Xero of the document `key`; None for any other notice.
    """

    key: str
    at: datetime | None = None
    connection: str = ""
    seller_id: str = ""
    reprocess: bool = False
    kind: SourceKind | None = None
    correction: Correction | None = None
    decision: ChangeDecision | None = None


class NotifiedConnection(Protocol):
    """What tells whose a notice is."""

    @property
    def name(self) -> str: ...

    @property
    def seller_id(self) -> str: ...


def connection_of[C: NotifiedConnection](notice: ChangeNotice, connections: Iterable[C]) -> C | None:
    """Return the connection that a notice names, or whose seller it names; None where there is none."""
    for connection in connections:
        is_named = notice.connection == connection.name
        if is_named or (notice.seller_id and notice.seller_id == connection.seller_id):
            return connection
    return None


def parse_order_change(body: str) -> ChangeNotice:
    """Return the notice in a message of the orders queue: ORDER_CHANGE, or a redriven dead letter.

    Raises Failure (MALFORMED_MESSAGE, UNEXPECTED_NOTIFICATION) for anything else. Amazon changes the case of names
    between notification types, so names are compared without it (Amazon: Notifications API, ORDER_CHANGE).
    """
    document = read_document(body)
    if (notice := _reprocess_notice(document, SourceKind.ORDER)) is not None:
        return notice
    kind = short_text(document, "NotificationType")
    if kind != "ORDER_CHANGE":
        raise unexpected("ORDER_CHANGE", kind, "subscribe that type to its own queue")
    change = required_part(required_part(document, "Payload"), "OrderChangeNotification")
    at = time_of(document, "EventTime")
    return ChangeNotice(short_text(change, "AmazonOrderId"), at, seller_id=short_text(change, "SellerId"))


def parse_shipment_event(body: str) -> ChangeNotice:
    """Return the notice in a message of the shipments queue: an event of the own bus, a correction or decision by a
    person, or a redriven dead letter.

    Raises Failure as parse_order_change does, and with CORRECTION_REFUSED.
    """
    document = read_document(body)
    if (correction := correction_in(document)) is not None:
        return _correction_notice(document, correction, SourceKind.ORDER)
    if (decision := decision_in(document)) is not None:
        return ChangeNotice(decision.document, connection=connection_in(document), decision=decision)
    if (notice := _reprocess_notice(document, SourceKind.ORDER, SourceKind.DAY)) is not None:
        return notice
    kind = short_text(document, "detail-type")
    if kind not in SHIPMENT_EVENTS:
        raise unexpected(" and ".join(SHIPMENT_EVENTS), kind, "correct the rule that sends it here")
    detail = required_part(document, "detail")
    return ChangeNotice(short_text(detail, "order_id"), connection=short_text(detail, "connection"))


def parse_transaction_update(body: str) -> ChangeNotice:
    """Return the notice in a message of the refunds queue: TRANSACTION_UPDATE, a correction by a person, or a redriven
    dead letter.

    Amazon names no transaction in it, and not reliably its type, so that every one is a notice. Raises Failure as
    parse_shipment_event does.
    """
    document = read_document(body)
    if (correction := correction_in(document)) is not None:
        return _correction_notice(document, correction, SourceKind.TRANSACTION)
    # An order in this queue stands for all of its transactions.
    kinds = (SourceKind.TRANSACTION, SourceKind.CONFIRMATION, SourceKind.ORDER)
    if (notice := _reprocess_notice(document, *kinds)) is not None:
        return notice
    kind = short_text(document, "NotificationType")
    if kind != "TRANSACTION_UPDATE":
        raise unexpected("TRANSACTION_UPDATE", kind, "subscribe that type to its own queue")
    update = required_part(required_part(document, "Payload"), "TransactionUpdateNotification")
    seller_id = short_text(required_part(update, "SellingPartnerMetadata"), "SellingPartnerId")
    at = time_of(update, "PostedDate")
    return ChangeNotice(_order_id(optional_part(update, "RelatedIdentifiers")), at, seller_id=seller_id)


def _order_id(related_identifiers: Any) -> str:
    """Return the order that a transaction belongs to; empty where Amazon names none, or not as documented."""
    for related in related_identifiers if isinstance(related_identifiers, list) else ():
        name = optional_part(related, "RelatedIdentifierName")
        value = optional_part(related, "RelatedIdentifierValue")
        if isinstance(name, str) and name.lower() == "orderid" and isinstance(value, str) and is_short(value):
            return value.strip()
    return ""


def _correction_notice(document: Mapping[str, Any], correction: Correction, kind: SourceKind) -> ChangeNotice:
    connection, source = source_of(document)
    key = identity_of(source, kind)
    if key is None:
        raise malformed(f"correct.source names no {kind}; it should be {kind}#<Amazon {kind} id>")
    return ChangeNotice(key, connection=connection, kind=kind, correction=correction)


def _reprocess_notice(document: Mapping[str, Any], *kinds: SourceKind) -> ChangeNotice | None:
    """The body of our own dead letters, which a redrive brings back; `kinds` are those that the queue takes."""
    pointer = document.get("reprocess")
    if pointer is None:
        return None
    source = short_text(pointer, "source", limit=_MAX_SOURCE_LENGTH)
    for kind in kinds:
        key = identity_of(source, kind)
        if key is not None:
            return ChangeNotice(key, connection=short_text(pointer, "connection"), reprocess=True, kind=kind)
    kind = kinds[0]
    raise malformed(f"reprocess.source names no {kind}; it should be {kind}#<Amazon {kind} id>")
