"""An open failure as the replay sees it: a dead letter, or a failed row whose dead letter has expired."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from amazon_to_xero.domain.canonical import content_hash
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.source import SourceKind, identity_of

#: The capability whose queue takes a source of each kind, where no dead letter names one.
CAPABILITY_OF: dict[SourceKind, str] = {
    SourceKind.ORDER: ORDERS,
    SourceKind.TRANSACTION: REFUNDS,
    SourceKind.CONFIRMATION: REFUNDS,
    SourceKind.DAY: SHIPMENTS,
}
_NOTICE = "notice"  # the first part of the key of a message that names no source of ours


@dataclass(frozen=True)
class OpenFailure:
    """A failure that nobody has dealt with.

    capability: the name of the capability whose queue takes the message.
    body: the message that has it processed again.
    connection: whose failure it is; empty where the message names no connection of the stack.
    source: key of the source, e.g. order#204-…; for a message that names none, a key made of its text.
    order_id: the Amazon order that it concerns; empty where none is named.
    reason, remedy: of the failure, as the dead letter or the row states them; empty in a letter that SQS has moved.
    failed_at: when the dead letter was sent (UTC); None where there is none.
    """

    capability: str
    body: str
    connection: str = ""
    source: str = ""
    order_id: str = ""
    reason: str = ""
    remedy: str = ""
    failed_at: datetime | None = None


def reprocess_body(connection: str, source: str) -> str:
    """Return the message that has a source processed again; dead letters have the same one."""
    return json.dumps({"reprocess": {"connection": connection, "source": source}})


def is_for_transactions(capability: str, source: str) -> bool:
    """Whether a message has the transactions of an order read: it names the order, and is in the refunds queue.

    The rows of the order do not say what came of that.
    """
    return capability == REFUNDS and identity_of(source, SourceKind.ORDER) is not None


def notice_key(body: str) -> str:
    """Return the key that a message without a source of ours is recorded under: the same text has the same key."""
    return f"{_NOTICE}#{content_hash({'body': body})}"
