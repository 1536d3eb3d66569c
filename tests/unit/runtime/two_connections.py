"""An application of two connections over fakes, and the messages of its queues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from amazon_to_xero.ports.outbound import DeadLetterQueue
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.reminder import Reminder
from fakes import books
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.state import NOON, ManualClock, RecordingDeadLetters, RecordingTopic

EVENTS = Path(__file__).parents[2] / "events"
IDS = [f"026-000000{n}-000000{n}" for n in (1, 2, 3)]
MAIN_SELLER, SECOND_SELLER = "A1SELLERMADEUP", "A2OTHERSELLER"
# A first sweep of transactions is one page: it would wait seconds for each 170 days of a longer history.
POLICY = replace(books.POLICY, start=NOON - timedelta(days=30))


class TwoConnections:
    """runtime.composition.Application of the connections main and second, whose sellers have the same three orders.

    The orders have not shipped. Both share one clock and one dead-letter queue a capability, as in one stack.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.dead_letters = {capability: RecordingDeadLetters() for capability in CAPABILITIES}
        self.unusable: frozenset[str] = frozenset()
        self.stack_name = "amazon-to-xero"
        self.topic = RecordingTopic()
        self.reminder = Reminder(self.topic, self.clock)
        self.main = self._connection("main", MAIN_SELLER)
        self.second = self._connection("second", SECOND_SELLER)

    @property
    def dead_letter_queues(self) -> Mapping[str, DeadLetterQueue]:
        return self.dead_letters

    def connections(self) -> Mapping[str, Connection]:
        return {each.name: each.connection for each in (self.main, self.second)}

    def statuses(self) -> list[StatusReader]:
        return [each.status for each in self.connections().values()]

    def _connection(self, name: str, seller_id: str) -> FakeConnection:
        connection = FakeConnection(
            policy=POLICY, name=name, seller_id=seller_id, clock=self.clock, dead_letters=self.dead_letters
        )
        set_status(connection, "UNSHIPPED", *IDS, updated="2026-11-02T10:00:00Z")
        return connection


def set_status(connection: FakeConnection, status: str, *order_ids: str, updated: str = "2026-11-23T11:59:00Z") -> None:
    """Have Amazon state a new version of the orders, with that status."""
    connection.amazon.hold(
        *(
            order(
                item("5.00"),
                grand_total="5.00",
                order_id=order_id,
                status=status,
                created="2026-11-22T10:00:00Z",
                updated=updated,
            )
            for order_id in order_ids
        )
    )


def break_table(connection: FakeConnection) -> None:
    """Make the connection's table unreachable."""

    def unreachable(*_: Any) -> Any:
        raise ConnectionError("the table cannot be reached")

    for operation in ("get", "put"):
        setattr(connection.store.table, operation, unreachable)


def invoice_numbers(connection: FakeConnection) -> list[str]:
    return sorted(invoice["InvoiceNumber"] for invoice in connection.xero.books["Invoices"].values())


# --- events and messages ----------------------------------------------------------------------------------------------


def lambda_event(name: str) -> dict[str, Any]:
    """Return an event of a function, as AWS invokes it."""
    event: dict[str, Any] = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    return event


def sqs_event(*bodies: str) -> dict[str, Any]:
    """Return an SQS event of messages m0, m1, … with these bodies."""
    return {"Records": [{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}


def dead_letters(queue: str, *bodies: str, sent_at: datetime = NOON - timedelta(hours=1)) -> dict[str, Any]:
    """Return the event of a dead-letter queue that delivers messages m0, m1, … with these bodies."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": body,
                "attributes": {"SentTimestamp": str(int(sent_at.timestamp() * 1000))},
                "messageAttributes": {
                    "reason": {"dataType": "String", "stringValue": "ACCOUNT_UNMAPPED"},
                },
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}",
            }
            for number, body in enumerate(bodies)
        ]
    }


def order_change(order_id: str, seller: str = MAIN_SELLER, at: datetime | None = None) -> str:
    """Return the body of Amazon's notification that an order changed."""
    body = json.loads(lambda_event("orders_sqs_order_change.json")["Records"][0]["body"])
    body["Payload"]["OrderChangeNotification"] |= {"AmazonOrderId": order_id, "SellerId": seller}
    if at is not None:
        body["EventTime"] = at.isoformat()
    return json.dumps(body)


def transaction_update(seller: str = MAIN_SELLER, at: datetime | None = None) -> str:
    """Return the body of Amazon's notification that a transaction was posted."""
    body = json.loads(lambda_event("refunds_sqs_transaction_update.json")["Records"][0]["body"])
    update = body["Payload"]["TransactionUpdateNotification"]
    update["SellingPartnerMetadata"]["SellingPartnerId"] = seller
    if at is not None:
        update["PostedDate"] = at.isoformat()
    return json.dumps(body)


def order_event(order_id: str, connection: str = "main", kind: str = "Order Shipped") -> str:
    """Return the body of an event of the own bus."""
    body = json.loads(lambda_event("shipments_sqs_order_shipped.json")["Records"][0]["body"])
    body["detail"] |= {"order_id": order_id, "connection": connection}
    return json.dumps(body | {"detail-type": kind})


def reprocess(order_id: str, connection: str = "main") -> str:
    """Return the body of a dead letter of an order."""
    return json.dumps({"reprocess": {"connection": connection, "source": f"order#{order_id}"}})
