"""An SQS batch of change notices: they become durable, then every message but a failed one may be forgotten by SQS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from amazon_to_xero.domain.amazon.notification import ChangeNotice, connection_of
from amazon_to_xero.domain.failures import Failure, FailureCode, WaitReason
from amazon_to_xero.ports.outbound import DeadLetterNotSent, DecisionLog
from amazon_to_xero.runtime.capabilities import Capability
from amazon_to_xero.runtime.composition import Application
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.observability import logger


@dataclass(frozen=True)
class RecordedBatch:
    """What became of a batch.

    failed: ids of messages that SQS has to deliver again.
    due: keys of the records to work on, by connection.
    """

    failed: tuple[str, ...]
    due: Mapping[str, Sequence[str]]


def record_batch(
    records: Iterable[SQSRecord],
    application: Application,
    connections: Mapping[str, Connection],
    decisions: DecisionLog,
    capability: Capability,
) -> RecordedBatch:
    """Make the notices in a batch of a capability's queue durable, for the connections of this invocation.

    A message that the queue does not take goes to the dead-letter queue with its reason, and is done. A message whose
    notice could not be stored fails alone and is delivered again.
    """
    failed: list[str] = []
    notices: dict[str, list[tuple[str, ChangeNotice]]] = defaultdict(list)
    for record in records:
        message_id, body = record.message_id, record.body
        try:
            notice = capability.parse(body)
            connection = _usable_connection_of(notice, connections, application.unusable)
            notices[connection.name].append((message_id, notice))
        except Failure as failure:
            try:
                application.dead_letter_queues[capability.name].send(body, reason=failure.code, remedy=failure.remedy)
            except DeadLetterNotSent as problem:
                decisions.record(WaitReason.DEAD_LETTER_NOT_SENT, message_id=message_id, problem=str(problem))
                failed.append(message_id)
                continue
            decisions.record("MESSAGE_REJECTED", reason=failure.code, remedy=failure.remedy, message_id=message_id)
        except _ConnectionUnusable:
            failed.append(message_id)
    due: dict[str, Sequence[str]] = {}
    for name, of_connection in notices.items():
        try:
            due[name] = capability.record(connections[name].services, [notice for _, notice in of_connection])
        except Exception as problem:
            messages = len(of_connection)
            logger.warning("NOTICES_NOT_STORED", connection=name, messages=messages, problem=type(problem).__name__)
            failed.extend(message_id for message_id, _ in of_connection)
    return RecordedBatch(tuple(failed), due)


class _ConnectionUnusable(Exception):
    """The message may belong to a connection whose settings cannot be used at the moment."""


def _usable_connection_of(
    notice: ChangeNotice, connections: Mapping[str, Connection], unusable: frozenset[str]
) -> Connection:
    """Return the connection of a notice. Raises Failure where there is none, and _ConnectionUnusable."""
    connection = connection_of(notice, connections.values())
    if connection is not None:
        return connection
    if unusable:
        raise _ConnectionUnusable
    raise Failure(
        FailureCode.UNKNOWN_SELLER,
        f"no connection has the seller {notice.seller_id or notice.connection}; connect it, then redrive the message",
    )
