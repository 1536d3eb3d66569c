"""Buyer data reaches contacts in Xero and no other sink. Each sink is named here; a new one belongs into SINKS."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.ports.xero import XeroRefused
from amazon_to_xero.runtime import handlers, observability
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.handlers import WorkFailed, queue_handler, resume_handler
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.reminder import Reminder
from fakes.books import POLICY
from fakes.connection import FakeConnection
from fakes.orders import item, order
from fakes.reconciliation import RECONCILED, tracked
from fakes.state import ManualClock
from fakes.stock import UK, summary

ORDER = "026-0000001-0000001"
CANARIES = ("canary", "cn1 1nc", "1 canary street", "0000 000000")
SINKS = (
    "rows of the table",
    "log lines",
    "metrics",
    "dead letters",
    "events on the bus",
    "answers of handlers",
    "exceptions of handlers",
    "reports of stock",
    "messages to people",
)


@dataclass
class Context:
    """Lambda's context, as far as the handlers and Powertools read it."""

    aws_request_id: str = "request-1"
    function_name: str = "orders"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:000000000000:function:orders"

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class App:
    """runtime.composition.Application with one connection."""

    def __init__(self, connection: FakeConnection) -> None:
        self.clock: ManualClock = connection.clock
        self.dead_letter_queues = connection.dead_letters
        self.unusable: frozenset[str] = frozenset()
        self.stack_name = "tests"
        self.reminder = Reminder(None, self.clock)
        self._connection = connection

    def statuses(self) -> list[StatusReader]:
        return [self._connection.connection.status]

    def connections(self) -> Mapping[str, Connection]:
        return {self._connection.name: self._connection.connection}


def _order_of_a_buyer(status: str) -> dict[str, Any]:
    raw = order(item("10.00"), grand_total="10.00", order_id=ORDER, status=status, updated="2026-11-23T11:00:00Z")
    raw["fulfillment"]["fulfilledBy"], raw["packages"] = "AMAZON", []  # its units leave Amazon's stock
    address = {
        "name": "Canary Buyer",
        "addressLine1": "1 Canary Street",
        "city": "Canaryville",
        "postalCode": "CN1 1NC",
        "phone": "+44 0000 000000",
        "countryCode": "GB",
    }
    return raw | {
        "buyer": {"buyerName": "Canary Buyer", "buyerEmail": "canary@marketplace.example"},
        "recipient": {"deliveryAddress": address},
    }


def _message(order_id: str) -> dict[str, Any]:
    body = {
        "NotificationType": "ORDER_CHANGE",
        "EventTime": "2026-11-23T12:00:00Z",
        "Payload": {
            "OrderChangeNotification": {
                "SellerId": "A1SELLERMADEUP",
                "AmazonOrderId": order_id,
                "Summary": {"DestinationPostalCode": "CN1 1NC"},
            }
        },
    }
    return {"Records": [{"messageId": "m1", "body": json.dumps(body)}]}


@dataclass
class Outside:
    """What left the functions, by sink, and what Xero holds."""

    sinks: dict[str, str]
    xero_contacts: str


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Outside]:
    """Run the handlers with an order of a buyer; `fault` is none, refused (by Xero) or unforeseen (an exception)."""

    def run(fault: str) -> Outside:
        contacts = ContactPolicy(ContactScope.BUYERS)
        connection = FakeConnection(
            _order_of_a_buyer("SHIPPED"),
            policy=replace(POLICY, contacts=contacts),
            log=PowertoolsDecisionLog("main"),
            reconciliation_policy=RECONCILED,
        )
        connection.inventory.stock = {UK: [[summary("TEA-50", 5)]]}
        connection.xero.price_list = [tracked("TEA-50", 6)]
        if fault == "refused":
            sentence = "The contact name Canary Buyer is already assigned to another contact."
            connection.xero.before = [None, XeroRefused("create", 400, redact(sentence, ()))]
        if fault == "unforeseen":

            def fails(*_: object) -> None:
                raise ValueError("the buyer Canary Buyer of 1 Canary Street")

            monkeypatch.setattr(connection.connection.poster, "post_due", fails)
        monkeypatch.setattr(handlers, "application", lambda: App(connection))
        lines = io.StringIO()
        # The logger's own stream was taken when it was made, before this test captured standard output.
        monkeypatch.setattr(observability.logger.registered_handler, "stream", lines)
        answers, raised = [], []
        context: Any = Context()
        for handler, event in (
            (queue_handler(CAPABILITIES["orders"]), _message(ORDER)),
            (resume_handler(), {}),
            (resume_handler(), {}),
        ):
            try:
                answers.append(handler(event, context))
            except WorkFailed as problem:
                raised.append(f"{problem!r} {problem.__cause__!r} {problem.__context__!r}")
            connection.clock.advance(61)
        connection.reconcile_stock()
        letters = [letter for queue in connection.dead_letters.values() for letter in queue.letters]
        sinks = {
            "rows of the table": repr(connection.store.table.written),
            "log lines": lines.getvalue(),
            "metrics": capsys.readouterr().out,
            "dead letters": repr(letters),
            "events on the bus": repr(connection.events.published),
            "answers of handlers": repr(answers),
            "exceptions of handlers": repr(raised),
            "reports of stock": repr(connection.reports.stored),
            "messages to people": repr(connection.inventory_topic.messages),
        }
        return Outside(sinks, repr(connection.xero.books["Contacts"]))

    return run


def test_buyer_data_reaches_contacts_in_xero(outside: Callable[[str], Outside]) -> None:
    held = outside("none").xero_contacts.lower()

    assert all(canary in held for canary in CANARIES)


@pytest.mark.parametrize("fault", ["none", "refused", "unforeseen"])
@pytest.mark.parametrize("sink", SINKS)
def test_buyer_data_reaches_no_other_sink(outside: Callable[[str], Outside], fault: str, sink: str) -> None:
    sinks = outside(fault).sinks

    assert set(sinks) == set(SINKS)
    text = sinks[sink].lower()
    assert not [canary for canary in CANARIES if canary in text]


def test_every_sink_is_written_in_these_runs(outside: Callable[[str], Outside]) -> None:
    """An empty sink would pass without saying anything."""
    written = outside("none").sinks
    assert '"message":"APPLIED"' in written["log lines"]
    assert "_aws" in written["metrics"]
    assert ORDER in written["rows of the table"]
    assert (
        f'MOVEMENTS#2026-11-23#TEA-50\', generation=1, data=\'{{"movements":{{"{ORDER}/0'
        in written["rows of the table"]
    )
    assert ORDER in written["events on the bus"]
    assert "TEA-50" in written["reports of stock"]
    assert "TEA-50" in written["messages to people"]
    assert "WorkFailed" in outside("unforeseen").sinks["exceptions of handlers"]
