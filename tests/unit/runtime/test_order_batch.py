"""An SQS batch: what is stored, what comes again, what goes to the dead letters, and who is disturbed by whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import orders.handler
import resume.handler
import shipments.handler
from amazon_to_xero.domain.amazon.order_record import NextStep, OrderState
from amazon_to_xero.domain.books.document import DocumentState, Work
from amazon_to_xero.ports.xero import TokenSet
from amazon_to_xero.runtime.composition import Connection, connect
from amazon_to_xero.runtime.invocation import WorkFailed
from amazon_to_xero.runtime.notice_batch import take
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from amazon_to_xero.services.posting.tokens import XeroTokens
from fakes.orders import item, order
from fakes.settings import settings
from fakes.state import (
    DeadLetter,
    ManualClock,
    MemoryStateStore,
    RecordingDeadLetters,
    RecordingDecisionLog,
    RecordingEvents,
)
from fakes.vendors import ScriptedAmazon, ScriptedXero

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the decisions here is in memory

EVENTS = Path(__file__).parents[2] / "events"
ORDERS = [f"026-000000{n}-000000{n}" for n in (1, 2, 3)]


def event(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    return made


class NoIdentity:
    def client_credentials(self) -> TokenSet:
        raise AssertionError("nobody needs a token here")

    def refresh(self, refresh_token: str) -> TokenSet:
        raise AssertionError("nobody needs a token here")


class World:
    """One connection with its own Amazon, Xero and table, wired as in the cloud. Its orders are not shipped yet."""

    def __init__(
        self, clock: ManualClock, dead_letters: Mapping[Work, RecordingDeadLetters], name: str, seller_id: str
    ) -> None:
        document = settings()
        document["amazon"]["seller_id"] = seller_id
        self.store = MemoryStateStore(clock, connection=name)
        self.amazon = ScriptedAmazon(clock)
        self.become("UNSHIPPED", *ORDERS, updated="2026-11-02T10:00:00Z")
        self.xero = ScriptedXero(clock=clock)
        self.decisions = RecordingDecisionLog()
        self.events = RecordingEvents()
        self.connection = connect(
            name,
            parse(ConnectionSettings, json.dumps(document), name),
            self.amazon,
            self.xero,
            self.store,
            dead_letters,
            self.events,
            clock,
            self.decisions,
            "sandbox-1",
            XeroTokens(NoIdentity(), self.store, clock, self.decisions, "sandbox-1", None),
        )

    def become(self, status: str, *order_ids: str, updated: str = "2026-11-23T11:59:00Z") -> None:
        self.amazon.hold(
            *(
                order(item("5.00"), grand_total="5.00", order_id=each, status=status, updated=updated)
                for each in order_ids
            )
        )

    def broken_database(self) -> None:
        def unreachable(*_: Any) -> Any:
            raise ConnectionError("the table cannot be reached")

        self.store.table.get = unreachable  # type: ignore[method-assign]
        self.store.table.put = unreachable  # type: ignore[method-assign]

    def booked(self) -> list[str]:
        return sorted(invoice["InvoiceNumber"] for invoice in self.xero.books["Invoices"].values())

    def status(self, order_id: str) -> str:
        return str(self.xero.invoice(order_id)["Status"])


@dataclass
class App:
    """runtime.composition.Application over worlds in memory."""

    clock: ManualClock = field(default_factory=ManualClock)
    dead_letters: Mapping[Work, RecordingDeadLetters] = field(
        default_factory=lambda: {work: RecordingDeadLetters() for work in Work}
    )
    unusable: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.main = World(self.clock, self.dead_letters, "main", "A1SELLERMADEUP")
        self.second = World(self.clock, self.dead_letters, "second", "A2OTHERSELLER")

    def connections(self) -> Mapping[str, Connection]:
        return {world.connection.name: world.connection for world in (self.main, self.second)}

    @property
    def letters(self) -> list[DeadLetter]:
        """Those in the queue of the orders function."""
        return self.dead_letters[ORDERS].letters


@dataclass
class Context:
    aws_request_id: str = "request-1"
    left: int = 120_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    made = App()
    monkeypatch.setattr(orders.handler, "application", lambda: made)
    monkeypatch.setattr(resume.handler, "application", lambda: made)
    monkeypatch.setattr(shipments.handler, "application", lambda: made)
    return made


def message(number: int, body: str) -> dict[str, str]:
    return {"messageId": f"m{number}", "body": body}


def about(order_id: str, seller: str = "A1SELLERMADEUP", at: datetime | None = None) -> str:
    body = json.loads(event("orders_sqs_order_change.json")["Records"][0]["body"])
    body["Payload"]["OrderChangeNotification"] |= {"AmazonOrderId": order_id, "SellerId": seller}
    if at is not None:
        body["EventTime"] = at.isoformat()
    return json.dumps(body)


def said(order_id: str, connection: str = "main", kind: str = "Order Shipped") -> str:
    body = json.loads(event("shipments_sqs_order_shipped.json")["Records"][0]["body"])
    body["detail"] |= {"order_id": order_id, "connection": connection}
    return json.dumps(body | {"detail-type": kind})


def taken(app: App, *bodies: str, work: Work = ORDERS) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    records = [message(n, body) for n, body in enumerate(bodies)]
    done = take(records, app, RecordingDecisionLog(), work)  # type: ignore[arg-type]
    return done.failed, {name: sorted(due) for name, due in done.due.items()}


# --- taking a batch ---------------------------------------------------------------------------------------------------


def test_each_hint_becomes_durable_at_the_connection_of_its_seller(app: App) -> None:
    pointer = json.dumps({"reprocess": {"connection": "second", "order_id": ORDERS[2]}})

    failed, due = taken(app, about(ORDERS[0]), about(ORDERS[1], "A2OTHERSELLER"), pointer, about(ORDERS[0]))

    assert (failed, due) == ((), {"main": [ORDERS[0]], "second": [ORDERS[1], ORDERS[2]]})
    assert set(app.main.store.load(OrderRecord, ORDERS)) == {ORDERS[0]}
    assert set(app.second.store.load(OrderRecord, ORDERS)) == {ORDERS[1], ORDERS[2]}


def test_a_message_nobody_can_read_is_set_aside_with_its_reason_and_done_with(app: App) -> None:
    failed, due = taken(app, "not JSON", about(ORDERS[0]))

    assert (failed, due) == ((), {"main": [ORDERS[0]]})
    (letter,) = app.letters
    assert (letter.body, letter.reason) == ("not JSON", "MALFORMED_MESSAGE")
    assert "correct the body" in letter.remedy


def test_a_message_of_a_seller_nobody_connected_is_set_aside_to_be_sent_again_once_connected(app: App) -> None:
    body = about(ORDERS[0], "A9UNKNOWN")

    assert taken(app, body) == ((), {})
    (letter,) = app.letters
    assert (letter.body, letter.reason) == (body, "UNKNOWN_SELLER")
    assert "A9UNKNOWN" in letter.remedy


def test_while_a_connection_is_unusable_a_message_that_may_be_its_comes_again(app: App) -> None:
    app.unusable = frozenset({"third"})

    assert taken(app, about(ORDERS[0], "A9UNKNOWN"), about(ORDERS[1])) == (("m0",), {"main": [ORDERS[1]]})
    assert app.letters == []


def test_a_message_that_cannot_even_be_set_aside_comes_again_alone(app: App) -> None:
    app.dead_letters[ORDERS].broken = True

    assert taken(app, "not JSON", about(ORDERS[0])) == (("m0",), {"main": [ORDERS[0]]})


def test_only_the_messages_whose_hint_could_not_be_stored_come_again(app: App) -> None:
    app.main.broken_database()

    failed, due = taken(app, about(ORDERS[0]), about(ORDERS[1], "A2OTHERSELLER"), about(ORDERS[2]))

    assert (failed, due) == (("m0", "m2"), {"second": [ORDERS[1]]})


# --- the handlers -----------------------------------------------------------------------------------------------------


def test_amazon_s_notifications_become_invoices(app: App) -> None:
    answer = orders.handler.handler(event("orders_sqs_order_change.json"), Context())

    assert answer == {"batchItemFailures": []}
    assert app.main.booked() == ORDERS[:2]
    assert (app.second.booked(), app.letters) == ([], [])


def test_a_pointer_from_a_dead_letter_queue_has_its_order_looked_at(app: App) -> None:
    answer = orders.handler.handler(event("orders_sqs_reprocess.json"), Context())

    assert answer == {"batchItemFailures": []}
    assert app.main.booked() == [ORDERS[2]]


def test_the_same_event_again_writes_nothing(app: App) -> None:
    orders.handler.handler(event("orders_sqs_order_change.json"), Context())
    writes = len(app.main.xero.writes())

    orders.handler.handler(event("orders_sqs_order_change.json"), Context())

    assert len(app.main.xero.writes()) == writes


def test_the_sweep_finds_what_no_notification_told_for_every_connection(app: App) -> None:
    assert orders.handler.handler(event("orders_sweep.json"), Context()) == {}

    assert app.main.booked() == app.second.booked() == ORDERS


def test_the_tick_goes_on_with_what_is_due_for_every_connection(app: App) -> None:
    taken(app, about(ORDERS[0]), about(ORDERS[1], "A2OTHERSELLER"))

    assert resume.handler.handler(event("resume_tick.json"), Context()) == {}

    assert (app.main.booked(), app.second.booked()) == ([ORDERS[0]], [ORDERS[1]])


def test_partial_failures_are_answered_in_sqs_s_own_form(app: App) -> None:
    app.main.broken_database()
    records = event("orders_sqs_order_change.json")

    answer = orders.handler.handler(records, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records["Records"]]}


def test_work_that_fails_after_the_hints_are_stored_brings_no_message_again(app: App) -> None:
    app.main.amazon.refused = {order_id: RuntimeError("a defect") for order_id in ORDERS}  # type: ignore[dict-item]

    answer = orders.handler.handler(event("orders_sqs_order_change.json"), Context())

    assert answer == {"batchItemFailures": []}
    assert all(fact.next_attempt_at for fact in app.main.store.load(OrderRecord, ORDERS[:2]).values())


@pytest.mark.parametrize(
    ("handler", "name"), [(orders.handler, "orders_sweep.json"), (resume.handler, "resume_tick.json")]
)
def test_one_connection_that_fails_does_not_stop_the_others_and_the_run_is_seen_to_have_failed(
    app: App, handler: Any, name: str
) -> None:
    taken(app, about(ORDERS[0]), about(ORDERS[1], "A2OTHERSELLER"))
    app.main.broken_database()

    with pytest.raises(WorkFailed) as caught:
        handler.handler(event(name), Context())

    assert ORDERS[1] in app.second.booked()
    assert "ConnectionError" in str(caught.value)
    assert "the table cannot be reached" not in str(caught.value)


def test_no_work_is_begun_when_the_function_has_no_time_for_it(app: App) -> None:
    answer = orders.handler.handler(event("orders_sqs_order_change.json"), Context(left=59_000))

    assert answer == {"batchItemFailures": []}
    assert app.main.amazon.calls == []
    assert app.main.store.due(ORDERS, app.clock.now(), 9) == ORDERS[:2]
    resume.handler.handler(event("resume_tick.json"), Context())
    assert app.main.booked() == ORDERS[:2]


def test_a_refused_document_leaves_a_dead_letter_that_can_be_sent_to_the_queue_as_it_is(app: App) -> None:
    app.main.xero.refusals[ORDERS[0]] = ("The document date cannot be before the period lock date",)
    orders.handler.handler(event("orders_sqs_order_change.json"), Context())
    (letter,) = app.letters
    assert app.main.booked() == [ORDERS[1]]

    app.main.xero.refusals.clear()
    app.clock.advance(60)
    orders.handler.handler({"Records": [message(1, letter.body)]}, Context())

    assert app.main.booked() == ORDERS[:2]
    assert app.main.store.load(Document, [f"invoice#{ORDERS[0]}"])[f"invoice#{ORDERS[0]}"].state is DocumentState.APPLIED


# --- what was shipped or cancelled ------------------------------------------------------------------------------------


def read_as(app: App, status: str, *order_ids: str) -> None:
    """The orders function has read these orders."""
    app.main.become(status, *order_ids)
    records = [message(n, about(order_id, at=app.clock.now())) for n, order_id in enumerate(order_ids)]
    assert orders.handler.handler({"Records": records}, Context()) == {"batchItemFailures": []}


def test_an_order_that_was_shipped_is_left_to_the_shipments_function_and_told_on_the_bus(app: App) -> None:
    read_as(app, "SHIPPED", ORDERS[0])

    assert (app.main.booked(), app.main.events.said) == ([], [("Order Shipped", ORDERS[0])])
    assert app.main.store.due(SHIPMENTS, app.clock.now(), 9) == [ORDERS[0]]


def test_the_bus_s_events_approve_what_was_shipped(app: App) -> None:
    read_as(app, "UNSHIPPED", *ORDERS)
    app.clock.advance(60)
    read_as(app, "SHIPPED", *ORDERS[:2])
    assert {app.main.status(order_id) for order_id in ORDERS} == {"DRAFT"}

    answer = shipments.handler.handler(event("shipments_sqs_order_shipped.json"), Context())

    assert answer == {"batchItemFailures": []}
    assert [app.main.status(order_id) for order_id in ORDERS] == ["AUTHORISED", "AUTHORISED", "DRAFT"]
    assert app.main.store.due(SHIPMENTS, app.clock.now(), 9) == []


def test_the_bus_s_event_of_a_cancelled_order_takes_its_draft_back(app: App) -> None:
    (cancelled,) = (
        json.loads(record["body"])["detail"]["order_id"]
        for record in event("shipments_sqs_order_cancelled.json")["Records"]
    )
    read_as(app, "UNSHIPPED", cancelled)
    app.clock.advance(60)
    read_as(app, "CANCELLED", cancelled)
    assert app.main.events.said == [("Order Cancelled", cancelled)]

    shipments.handler.handler(event("shipments_sqs_order_cancelled.json"), Context())

    assert app.main.status(cancelled) == "DELETED"
    assert app.main.store.load(OrderRecord, [cancelled])[cancelled].standing is OrderState.NOT_INVOICED


def test_the_same_events_again_write_nothing(app: App) -> None:
    read_as(app, "SHIPPED", *ORDERS[:2])
    shipments.handler.handler(event("shipments_sqs_order_shipped.json"), Context())
    rows, calls = app.main.store.writes("ORDER#") + app.main.store.writes("DOCUMENT#"), len(app.main.xero.calls)

    assert shipments.handler.handler(event("shipments_sqs_order_shipped.json"), Context()) == {"batchItemFailures": []}

    assert app.main.store.writes("ORDER#") + app.main.store.writes("DOCUMENT#") == rows
    assert len(app.main.xero.calls) == calls


def test_the_tick_books_what_was_shipped_when_its_event_was_lost(app: App) -> None:
    app.main.events.broken = True
    read_as(app, "SHIPPED", ORDERS[0])
    assert app.main.decisions.of("EVENTS_NOT_PUBLISHED")[0]["events"] == 1

    resume.handler.handler(event("resume_tick.json"), Context())

    assert app.main.status(ORDERS[0]) == "AUTHORISED"


def test_an_event_that_overtakes_the_reading_of_its_order_has_it_read(app: App) -> None:
    assert taken(app, said(ORDERS[0]), work=SHIPMENTS) == ((), {"main": []})

    assert app.main.store.due(ORDERS, app.clock.now(), 9) == [ORDERS[0]]


def test_each_event_is_for_the_connection_it_names_and_events_of_an_order_are_one(app: App) -> None:
    for world in (app.main, app.second):
        world.become("SHIPPED", *ORDERS)
    taken(app, about(ORDERS[0]), about(ORDERS[1], "A2OTHERSELLER"))
    for world in (app.main, app.second):
        world.connection.worker.run("w", app.clock.now() + timedelta(minutes=1), work={ORDERS})

    failed, due = taken(
        app, said(ORDERS[0]), said(ORDERS[0]), said(ORDERS[1], "second"), said(ORDERS[1]), work=SHIPMENTS
    )

    assert (failed, due) == ((), {"main": [ORDERS[0]], "second": [ORDERS[1]]})


def test_a_message_nobody_can_use_goes_to_the_dead_letters_of_the_queue_it_came_from(app: App) -> None:
    bodies = ("not JSON", about(ORDERS[0]), said(ORDERS[0], "nobody"), said(ORDERS[0], kind="Order Eaten"))

    assert taken(app, *bodies, work=SHIPMENTS) == ((), {})

    letters = app.dead_letters[SHIPMENTS].letters
    assert [letter.body for letter in letters] == list(bodies)
    reasons = ["MALFORMED_MESSAGE", "MALFORMED_MESSAGE", "UNKNOWN_SELLER", "UNEXPECTED_NOTIFICATION"]
    assert [letter.reason for letter in letters] == reasons
    assert app.letters == []


def test_only_the_events_whose_rows_cannot_be_read_come_again(app: App) -> None:
    app.main.broken_database()

    failed, due = taken(app, said(ORDERS[0]), said(ORDERS[1], "second"), work=SHIPMENTS)

    assert (failed, due) == (("m0",), {"second": []})


def test_an_approval_that_xero_refuses_is_mended_by_sending_its_dead_letter_to_the_shipments_queue(app: App) -> None:
    read_as(app, "SHIPPED", ORDERS[0])
    app.main.xero.refusals[ORDERS[0]] = ("The document date cannot be before the period lock date",)
    shipments.handler.handler({"Records": [message(1, said(ORDERS[0]))]}, Context())
    (letter,) = app.dead_letters[SHIPMENTS].letters
    assert (letter.reason, app.letters, app.main.booked()) == ("PERIOD_LOCKED", [], [])

    app.main.xero.refusals.clear()
    app.clock.advance(60)
    assert json.loads(letter.body) == {"reprocess": {"connection": "main", "order_id": ORDERS[0]}}
    shipments.handler.handler({"Records": [message(1, letter.body)]}, Context())

    assert app.main.status(ORDERS[0]) == "AUTHORISED"


def test_a_pointer_from_the_dead_letters_has_an_order_booked_that_wants_nothing(app: App) -> None:
    (pointer,) = event("shipments_sqs_reprocess.json")["Records"]
    read_as(app, "SHIPPED", ORDERS[0])
    shipments.handler.handler({"Records": [message(1, said(ORDERS[0]))]}, Context())
    assert app.main.store.load(OrderRecord, [ORDERS[0]])[ORDERS[0]].next_attempt_at is None

    assert taken(app, pointer["body"], work=SHIPMENTS) == ((), {"main": [ORDERS[0]]})
    assert app.main.store.load(OrderRecord, [ORDERS[0]])[ORDERS[0]].next_step is NextStep.PLAN


def test_the_shipments_function_reads_no_orders(app: App) -> None:
    taken(app, about(ORDERS[1]))
    read_as(app, "SHIPPED", ORDERS[0])
    calls = len(app.main.amazon.calls)
    app.main.become("SHIPPED", ORDERS[2])
    taken(app, about(ORDERS[2]))

    shipments.handler.handler({"Records": [message(1, said(ORDERS[0]))]}, Context())

    assert app.main.status(ORDERS[0]) == "AUTHORISED"
    assert len(app.main.amazon.calls) == calls


def test_the_shipments_function_waits_for_the_worker_before_it(app: App) -> None:
    read_as(app, "SHIPPED", ORDERS[0])
    now = app.clock.now()
    assert app.main.store.acquire("worker", "other", now, now + timedelta(seconds=20))

    shipments.handler.handler({"Records": [message(1, said(ORDERS[0]))]}, Context())

    assert app.main.status(ORDERS[0]) == "AUTHORISED"
    assert sum(app.clock.slept) >= 20


def test_booking_that_fails_unforeseen_brings_no_event_again_and_leaves_its_order_due(app: App) -> None:
    read_as(app, "SHIPPED", ORDERS[0])

    def defect(*_: Any) -> Any:
        raise RuntimeError("a defect")

    app.main.store.documents = defect  # type: ignore[method-assign]

    assert shipments.handler.handler({"Records": [message(1, said(ORDERS[0]))]}, Context()) == {"batchItemFailures": []}
    assert app.main.store.due(SHIPMENTS, app.clock.now(), 9) == [ORDERS[0]]
