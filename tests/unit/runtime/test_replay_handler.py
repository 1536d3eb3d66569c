"""The replay function: what an operator's event does, and what the dead-letter queues are answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS
from amazon_to_xero.runtime import replay_handler
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.replay_queues import ReplayQueues, replay_queues
from amazon_to_xero.runtime.settings import SettingsError
from fakes.replay import MemoryDeadLetterQueue, MemoryQueue
from replay.handler import handler
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import IDS, TwoConnections, dead_letters, lambda_event, reprocess
from unit.services.replay.test_automatic import MemoryStoppedLetters

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")

ADA = "arn:aws:iam::123456789012:user/ada"
QUEUE = "amazon-to-xero-orders-dlq"


class Stack:
    """The replay function over two connections, one order of which has failed in each."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.app = TwoConnections()
        self.dead_letters = {
            name: MemoryDeadLetterQueue(capability=name, clock=self.app.clock) for name in CAPABILITIES
        }
        self.work = {name: MemoryQueue() for name in CAPABILITIES}
        self.stopped = MemoryStoppedLetters()
        queues = ReplayQueues(
            self.dead_letters,
            self.work,
            self.stopped,
            MemoryDeadLetterQueue(clock=self.app.clock),
            {QUEUE: ORDERS},
        )
        patch.setattr(replay_handler, "application", lambda: self.app)
        patch.setattr(replay_handler, "queues", lambda: queues)

    def fail_an_order(self, name: str = "main") -> None:
        """Dead-letter an order whose record failed."""
        connection = getattr(self.app, name)
        connection.notice([IDS[0]])
        failed = connection.record(IDS[0]).failed("ACCOUNT_UNMAPPED", "Set the account in accounts.")
        connection.store.save([_without_notice(failed)])
        self.dead_letters[ORDERS].move(reprocess(IDS[0], name), "ACCOUNT_UNMAPPED", "Set the account.", IDS[0])


def _without_notice(record: OrderRecord) -> OrderRecord:
    return replace(record, next_attempt_at=None, state=OrderState.FAILED)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(monkeypatch)


def invoke(event: dict[str, Any], remaining: int = 60_000) -> dict[str, Any]:
    return handler(event, FakeLambdaContext(remaining=remaining))


def test_preview_is_what_an_operator_gets_unless_they_ask_for_more(stack: Stack) -> None:
    stack.fail_an_order()
    stack.app.clock.advance(600)

    answer = invoke({"replay": {"by": ADA}})

    shown = answer["failures"][0].pop("preview")
    assert shown["note"].startswith("It is read from Amazon first")
    assert answer == {
        "failures": [
            {
                "connection": "main",
                "function": "orders",
                "source": f"order#{IDS[0]}",
                "order": IDS[0],
                "reason": "ACCOUNT_UNMAPPED",
                "remedy": "Set the account in accounts.",
                "age_minutes": 10,
                "has_letter": True,
                "sent_before": 0,
                "action": "SEND",
                "why": "",
            }
        ],
        "cursor": "",
        "without_age": 0,
        "is_complete": True,
    }
    assert stack.work[ORDERS].bodies == []


def test_event_of_an_operator_replays_what_it_selects(stack: Stack) -> None:
    stack.fail_an_order("main")
    stack.fail_an_order("second")

    answer = invoke(lambda_event("replay_run.json"))

    assert [(each["connection"], each["action"]) for each in answer["failures"]] == [("second", "SEND")]
    assert stack.work[ORDERS].bodies == [reprocess(IDS[0], "second")]


def test_history_of_a_source_says_who_replayed_it(stack: Stack) -> None:
    stack.fail_an_order()
    invoke({"replay": {"by": ADA, "preview": False}})

    answer = invoke({"history": {"by": ADA, "connection": "main", "source": f"order#{IDS[0]}"}})

    (attempt,) = answer["attempts"]
    assert attempt == {
        "at": "2026-11-23T12:00:00Z",
        "by": ADA,
        "action": "SEND",
        "function": "orders",
        "reason": "ACCOUNT_UNMAPPED",
        "outcome": "",
        "outcome_at": None,
        "why": "",
    }


def test_named_orders_are_sent_to_be_read_with_their_transactions(stack: Stack) -> None:
    answer = invoke({"resync": {"by": ADA, "connection": "main", "orders": IDS[:2]}})

    assert answer == {"sent": IDS[:2], "waiting": 0}
    assert stack.work[ORDERS].bodies == [reprocess(order_id) for order_id in IDS[:2]]
    assert stack.work[REFUNDS].bodies == stack.work[ORDERS].bodies


def test_step_ends_before_the_functions_time_does(stack: Stack) -> None:
    stack.fail_an_order()

    answer = invoke({"replay": {"by": ADA, "preview": False}}, remaining=20_000)

    assert (answer["failures"], bool(answer["cursor"])) == ([], True)


SHOWN = {"connection": "main", "source": "order#A", "code": "TAX_UNMAPPED"}


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({}, "one field, of replay, history, resync"),
        ({"replay": {"by": ADA}, "history": {}}, "one field, of replay, history, resync"),
        ({"replay": {}}, "replay.by: Field required"),
        ({"replay": {"by": ""}}, "replay.by"),
        ({"replay": {"by": ADA, "limit": 1000}}, "replay.limit: Input should be less than or equal to 100"),
        ({"replay": {"by": ADA, "functions": ["order"]}}, "there is no function order; it should be of orders,"),
        ({"replay": {"by": ADA, "reason": "TAX"}}, "TAX is no failure code"),
        ({"replay": {"by": ADA, "orders": "A"}}, "replay.orders: Extra inputs are not permitted"),
        ({"replay": {"by": ADA, "cursor": "x"}}, "cursor: it should be the one that the last step returned"),
        ({"replay": {"by": ADA, "closed_because": "a", "discarded_because": "b"}}, "are two requests"),
        ({"replay": {"by": ADA, "shown": [SHOWN]}}, "shown needs closed_because"),
        (
            {"resync": {"by": ADA, "connection": "main", "orders": ["12"]}},
            "resync.orders.0: String should",
        ),
        ({"resync": {"by": ADA, "connection": "main", "orders": []}}, "resync.orders"),
        ({"resync": {"by": ADA, "connection": "third", "orders": IDS}}, "there is no connection third"),
        ({"history": {"by": ADA, "connection": "third", "source": "order#A"}}, "there is no connection third"),
    ],
)
def test_event_that_cannot_be_used_is_refused_with_the_field_and_what_it_should_be(
    stack: Stack, event: dict[str, Any], problem: str
) -> None:
    assert problem in invoke(event)["refused"]


PERIOD = {"from": "2026-10-25", "to": "2026-11-20"}
ASKED = {"by": ADA, "connection": "main"}


def test_backfill_is_forecast_begun_paused_resumed_and_cancelled(stack: Stack) -> None:
    forecast = invoke({"backfill": {**ASKED, "action": "forecast", **PERIOD}})
    begun = invoke({"backfill": {**ASKED, "action": "start", **PERIOD, "percent": 20, "reason": "we moved over"}})

    assert (forecast["orders"], forecast["locked_until"]) == ([0, 0], "")  # placed later
    assert (begun["number"], begun["state"], begun["percent"], begun["author"], begun["reason"]) == (
        1,
        "RUNNING",
        20,
        ADA,
        "we moved over",
    )
    changes = [invoke({"backfill": {**ASKED, "action": each}})["state"] for each in ("pause", "resume", "cancel")]
    assert changes == ["PAUSED", "RUNNING", "CANCELLED"]
    assert "is CANCELLED already" in invoke({"backfill": {**ASKED, "action": "resume"}})["refused"]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({**ASKED, "action": "start", "reason": "x"}, "from and to name the first and the last day"),
        ({**ASKED, "action": "start", **PERIOD}, "reason says why"),
        ({**ASKED, "action": "start", "from": "May", "to": "2026-11-20", "reason": "x"}, "backfill.from"),
        ({**ASKED, "action": "start", **PERIOD, "percent": 100, "reason": "x"}, "backfill.percent"),
        ({**ASKED, "action": "begin"}, "backfill.action"),
        ({**ASKED, "action": "pause"}, "There is no backfill"),
        ({**ASKED, "action": "pause", "connection": "third"}, "there is no connection third"),
        (
            {**ASKED, "action": "forecast", "from": "2026-01-01", "to": "2026-11-20"},
            "set start to 2026-01-01T00:00:00Z",
        ),
    ],
)
def test_backfill_that_cannot_be_done_is_refused_with_what_to_do(
    stack: Stack, event: dict[str, Any], problem: str
) -> None:
    assert problem in invoke({"backfill": event})["refused"]


def test_dead_letters_that_lambda_delivers_are_sent_and_the_others_stay(stack: Stack) -> None:
    stack.fail_an_order()
    now = stack.app.clock.now()

    old = invoke(dead_letters(QUEUE, reprocess(IDS[0]), sent_at=now - timedelta(hours=1)))
    new = invoke(dead_letters(QUEUE, reprocess(IDS[1]), sent_at=now))

    assert old == {"batchItemFailures": []}
    assert new == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert stack.work[ORDERS].bodies == [reprocess(IDS[0])]


def test_recorded_event_of_a_dead_letter_queue_is_replayed_once_it_has_waited(stack: Stack) -> None:
    event = lambda_event("replay_dead_letter.json")
    (record,) = event["Records"]

    early = invoke(event)
    stack.app.clock.advance(3600)

    assert early == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert invoke(event) == {"batchItemFailures": []}
    assert stack.work[ORDERS].bodies == [record["body"]]


def test_environment_without_a_queue_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(SettingsError, match="ORDERS_QUEUE_URL"):
        replay_queues(None, {"ORDERS_DLQ_URL": "https://sqs.example/orders-dlq"})  # type: ignore[arg-type]
