"""An SQS batch of messages about orders: hints become durable, then the work is done for each connection once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_to_xero.domain.amazon.notification import OrderPointer, order_pointer, shipment_pointer
from amazon_to_xero.domain.books.document import Work
from amazon_to_xero.domain.failures import Refused
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import Journal
from amazon_to_xero.runtime.composition import Application, Connection
from amazon_to_xero.runtime.observability import logger
from amazon_to_xero.services.intake.notices import Hint, OrderIntake

_READ_AS: Mapping[Work, Callable[[str], OrderPointer]] = {
    Work.ORDERS: order_pointer,
    Work.SHIPMENTS: shipment_pointer,
}


@dataclass(frozen=True)
class Taken:
    """`failed` are the ids of messages that SQS has to bring again; `due` the orders to work on, by connection."""

    failed: tuple[str, ...]
    due: Mapping[str, Sequence[str]]


def take(records: Sequence[Mapping[str, Any]], application: Application, journal: Journal, work: Work) -> Taken:
    """Makes the hints in a batch of the queue of `work` durable.

    A message nobody can use goes to the dead-letter queue with its reason and is done with; one whose hint could not be
    stored fails alone and comes again. Afterwards every other message may be forgotten by SQS.
    """
    connections = application.connections()
    failed: list[str] = []
    pointers: dict[str, list[tuple[str, OrderPointer]]] = defaultdict(list)
    for record in records:
        message_id, body = str(record["messageId"]), str(record["body"])
        try:
            pointer = _READ_AS[work](body)
            pointers[_connection_of(pointer, connections, application).name].append((message_id, pointer))
        except Refused as refused:
            try:
                application.dead_letters[work].send(body, reason=refused.reason, hint=refused.hint)
            except Exception as problem:
                logger.warning("DEAD_LETTER_NOT_SENT", message_id=message_id, problem=type(problem).__name__)
                failed.append(message_id)
                continue
            journal.note("MESSAGE_REFUSED", reason=refused.reason, hint=refused.hint, message_id=message_id)
        except _NotYetUsable:
            failed.append(message_id)
    due: dict[str, Sequence[str]] = {}
    for name, named in pointers.items():
        try:
            due[name] = _noted([pointer for _, pointer in named], connections[name].intake, work, application.clock)
        except Exception as problem:
            logger.warning("HINTS_NOT_STORED", connection=name, messages=len(named), problem=type(problem).__name__)
            failed.extend(message_id for message_id, _ in named)
    return Taken(tuple(failed), due)


def _noted(pointers: Sequence[OrderPointer], intake: OrderIntake, work: Work, clock: Clock) -> Sequence[str]:
    if work is Work.SHIPMENTS:
        again = {pointer.order_id for pointer in pointers if pointer.again}
        return intake.note_shipments([pointer.order_id for pointer in pointers], again)
    return intake.note([Hint(pointer.order_id, pointer.at or clock.now()) for pointer in pointers])


class _NotYetUsable(Exception):
    """The message may belong to a connection whose settings cannot be used at the moment."""


def _connection_of(
    pointer: OrderPointer, connections: Mapping[str, Connection], application: Application
) -> Connection:
    for connection in connections.values():
        if pointer.connection == connection.name or (pointer.seller_id and pointer.seller_id == connection.seller_id):
            return connection
    if application.unusable:
        raise _NotYetUsable
    raise Refused(
        "UNKNOWN_SELLER",
        f"no connection has the seller {pointer.seller_id or pointer.connection}; connect it, then redrive",
    )
