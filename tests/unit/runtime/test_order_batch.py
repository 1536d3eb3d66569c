"""An SQS batch: what is stored, what comes again, what goes to the dead letters, and who is disturbed by whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import orders.handler
import resume.handler
from amazon_to_xero.domain.documents import State
from amazon_to_xero.ports import TokenSet
from amazon_to_xero.runtime.composition import Connection, connect
from amazon_to_xero.runtime.invocation import WorkFailed
from amazon_to_xero.runtime.order_batch import take
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from amazon_to_xero.services.xero_tokens import XeroTokens
from made_up.orders import item, order
from made_up.settings import settings
from made_up.state import ManualClock, MemoryStateStore, RecordingDeadLetters, RecordingJournal
from made_up.vendors import ScriptedAmazon, ScriptedXero

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")  # the journal here is in memory

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
    """One connection with its own Amazon, Xero and table, wired as in the cloud."""

    def __init__(self, clock: ManualClock, dead_letters: RecordingDeadLetters, name: str, seller_id: str) -> None:
        document = settings()
        document["amazon"]["seller_id"] = seller_id
        self.store = MemoryStateStore(clock, connection=name)
        self.amazon = ScriptedAmazon(clock, *(order(item("5.00"), grand_total="5.00", order_id=i) for i in ORDERS))
        self.xero = ScriptedXero(clock=clock)
        self.journal = RecordingJournal()
        self.connection = connect(
            name,
            parse(ConnectionSettings, json.dumps(document), name),
            self.amazon,
            self.xero,
            self.store,
            dead_letters,
            clock,
            self.journal,
            "sandbox-1",
            XeroTokens(NoIdentity(), self.store, clock, self.journal, "sandbox-1", None),
        )

    def broken_database(self) -> None:
        def unreachable(*_: Any) -> Any:
            raise ConnectionError("the table cannot be reached")

        self.store.table.get = unreachable  # type: ignore[method-assign]
        self.store.table.put = unreachable  # type: ignore[method-assign]

    def booked(self) -> list[str]:
        return sorted(invoice["InvoiceNumber"] for invoice in self.xero.books["Invoices"].values())


@dataclass
class App:
    """runtime.composition.Application over worlds in memory."""

    clock: ManualClock = field(default_factory=ManualClock)
    orders_dead_letters: RecordingDeadLetters = field(default_factory=RecordingDeadLetters)
    unusable: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.main = World(self.clock, self.orders_dead_letters, "main", "A1SELLERMADEUP")
        self.second = World(self.clock, self.orders_dead_letters, "second", "A2OTHERSELLER")

    def connections(self) -> Mapping[str, Connection]:
        return {world.connection.name: world.connection for world in (self.main, self.second)}


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
    return made


def message(number: int, body: str) -> dict[str, str]:
    return {"messageId": f"m{number}", "body": body}


def about(order_id: str, seller: str = "A1SELLERMADEUP") -> str:
    body = json.loads(event("orders_sqs_order_change.json")["Records"][0]["body"])
    body["Payload"]["OrderChangeNotification"] |= {"AmazonOrderId": order_id, "SellerId": seller}
    return json.dumps(body)


def taken(app: App, *bodies: str) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    done = take([message(n, body) for n, body in enumerate(bodies)], app, RecordingJournal())  # type: ignore[arg-type]
    return done.failed, {name: sorted(due) for name, due in done.due.items()}


# --- taking a batch ---------------------------------------------------------------------------------------------------


def test_each_hint_becomes_durable_at_the_connection_of_its_seller(app: App) -> None:
    pointer = json.dumps({"look_at": {"connection": "second", "order_id": ORDERS[2]}})

    failed, due = taken(app, about(ORDERS[0]), about(ORDERS[1], "A2OTHERSELLER"), pointer, about(ORDERS[0]))

    assert (failed, due) == ((), {"main": [ORDERS[0]], "second": [ORDERS[1], ORDERS[2]]})
    assert set(app.main.store.orders(ORDERS)) == {ORDERS[0]}
    assert set(app.second.store.orders(ORDERS)) == {ORDERS[1], ORDERS[2]}


def test_a_message_nobody_can_read_is_set_aside_with_its_reason_and_done_with(app: App) -> None:
    failed, due = taken(app, "not JSON", about(ORDERS[0]))

    assert (failed, due) == ((), {"main": [ORDERS[0]]})
    (letter,) = app.orders_dead_letters.letters
    assert (letter.body, letter.reason) == ("not JSON", "MALFORMED_MESSAGE")
    assert "correct the body" in letter.hint


def test_a_message_of_a_seller_nobody_connected_is_set_aside_to_be_sent_again_once_connected(app: App) -> None:
    body = about(ORDERS[0], "A9UNKNOWN")

    assert taken(app, body) == ((), {})
    (letter,) = app.orders_dead_letters.letters
    assert (letter.body, letter.reason) == (body, "UNKNOWN_SELLER")
    assert "A9UNKNOWN" in letter.hint


def test_while_a_connection_is_unusable_a_message_that_may_be_its_comes_again(app: App) -> None:
    app.unusable = frozenset({"third"})

    assert taken(app, about(ORDERS[0], "A9UNKNOWN"), about(ORDERS[1])) == (("m0",), {"main": [ORDERS[1]]})
    assert app.orders_dead_letters.letters == []


def test_a_message_that_cannot_even_be_set_aside_comes_again_alone(app: App) -> None:
    app.orders_dead_letters.broken = True

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
    assert (app.second.booked(), app.orders_dead_letters.letters) == ([], [])


def test_a_pointer_from_a_dead_letter_queue_has_its_order_looked_at(app: App) -> None:
    answer = orders.handler.handler(event("orders_sqs_look_at.json"), Context())

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
    take([message(1, about(ORDERS[0])), message(2, about(ORDERS[1], "A2OTHERSELLER"))], app, RecordingJournal())  # type: ignore[arg-type]

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
    assert all(fact.due_at for fact in app.main.store.orders(ORDERS[:2]).values())


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
    assert app.main.store.due_orders(app.clock.now(), 9) == ORDERS[:2]
    resume.handler.handler(event("resume_tick.json"), Context())
    assert app.main.booked() == ORDERS[:2]


def test_a_refused_document_leaves_a_dead_letter_that_can_be_sent_to_the_queue_as_it_is(app: App) -> None:
    app.main.xero.refusals[ORDERS[0]] = ("The document date cannot be before the period lock date",)
    orders.handler.handler(event("orders_sqs_order_change.json"), Context())
    (letter,) = app.orders_dead_letters.letters
    assert app.main.booked() == [ORDERS[1]]

    app.main.xero.refusals.clear()
    app.clock.advance(60)
    orders.handler.handler({"Records": [message(1, letter.body)]}, Context())

    assert app.main.booked() == ORDERS[:2]
    assert app.main.store.documents([f"invoice#{ORDERS[0]}"])[f"invoice#{ORDERS[0]}"].state is State.APPLIED
