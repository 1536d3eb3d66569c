"""A stack in this process and in virtual time: both sandboxes, the functions and queues, an operator's commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent
from sp_api.auth.access_token_client import cache as seller_tokens

from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.adapters.amazon.orders import AmazonSellerApi
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS
from amazon_to_xero.runtime import replay_handler
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.connection import Connection
from amazon_to_xero.runtime.notice_batch import record_batch
from amazon_to_xero.runtime.replay_queues import ReplayQueues
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from bench.in_process import amazon_api, xero_accounting
from deployable.names import logical_name
from fakes.charges import charge
from fakes.connection import FakeConnection
from fakes.operator import OperatorSession, operate
from fakes.replay import MemoryDeadLetterQueue, MemoryQueue
from fakes.state import NOON, ManualClock
from local.settings import CONNECTION_JSON, merged
from replay.handler import handler as replay_function
from sandbox.amazon import AmazonSandbox, Seller
from sandbox.wire import Request, SandboxClock, dumps
from sandbox.xero import Limits, XeroSandbox, organisation_for
from unit.runtime.lambda_context import FakeLambdaContext
from unit.runtime.two_connections import order_change, sqs_event, transaction_update

ADA = "arn:aws:iam::123456789012:user/ada"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = NOON - 60 * DAY
_RUN = timedelta(seconds=60)
_WITHOUT_LIMITS = Limits(minute=10**9, day=10**9, app_minute=10**9)


class OperatedStack:
    """The stack with one connection, `main`, whose settings are those of `make run`. Stock is neither read nor stated.

    It is the application of its functions, too (runtime.composition.Application), as far as they use it.
    """

    unusable: frozenset[str] = frozenset()

    def __init__(self, patch: pytest.MonkeyPatch, parts: Mapping[str, Any] | None = None) -> None:
        """`parts` replace those of the settings; see local.settings.merged."""
        self._patch = patch
        self.clock = ManualClock()
        sandbox_clock = SandboxClock(self.clock.now)
        self.amazon = AmazonSandbox(sandbox_clock, Seller(), lambda *_: None, usage_plans={})
        self.xero = XeroSandbox(sandbox_clock, organisation_for("GB"), _WITHOUT_LIMITS)
        document = json.loads(CONNECTION_JSON.read_text(encoding="utf-8"))
        own = {"start": START.isoformat(), "xero": {"tenant_id": self.xero.tenant_id}, "inventory": {}}
        self.settings = merged({**document, "inventory": {}}, own)
        self.dead_letter_queues = {
            name: MemoryDeadLetterQueue(capability=name, clock=self.clock) for name in CAPABILITIES
        }
        self.queues = {name: MemoryQueue() for name in CAPABILITIES}
        self.log = LoggedLines(self.clock)
        self.main = SandboxedConnection(self)
        self.operator = OperatorSession(
            self.main, **dict.fromkeys(("lambda", "sts", "logs"), self), sqs=OperatorQueues(self)
        )
        self.operator.stated_outputs["OrdersFunctionName"] = "orders"
        self.correct_settings(parts or {})
        stopped = MemoryDeadLetterQueue(clock=self.clock)
        queues = ReplayQueues(self.dead_letter_queues, self.queues, NoStoppedLetters(), stopped, {})
        patch.setattr(replay_handler, "application", lambda: self)
        patch.setattr(replay_handler, "queues", lambda: queues)

    # --- what Amazon and people do ------------------------------------------------------------------------------------

    def notify_orders(self, *orders: Mapping[str, Any], minutes: int = 4) -> None:
        """Amazon states these versions of orders and notifies of them; all due work is done."""
        for each in orders:
            self.amazon.put_order(each)
            self.queues[ORDERS].send(order_change(each["orderId"], self.seller_id, self.clock.now()))
        self.work(minutes)

    def notify_transactions(self, *transactions: Mapping[str, Any]) -> None:
        """Amazon posts these transactions and notifies of them; all due work is done."""
        for each in transactions:
            self.amazon.put_transaction(each)
            posted = datetime.fromisoformat(each["postedDate"])
            self.queues[REFUNDS].send(transaction_update(self.seller_id, posted))
        self.work(minutes=6)

    def charge(self, order_id: str, amount: str, **more: Any) -> None:
        """Amazon charges the buyer now, and the sweep finds it later."""
        self.amazon.put_transaction(
            charge(f"C-{order_id}", order_id, self.clock.now(), OurPricePrincipal=amount, **more)
        )

    def in_xero(self, method: str, target: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do in Xero what a person does there: a call without an Idempotency-Key. Return Xero's object."""
        token = self.xero.identity.issue_access_token()
        headers = {"Authorization": f"Bearer {token}", "xero-tenant-id": self.xero.tenant_id}
        request = Request.to(method, f"/api.xro/2.0/{target}", headers=headers, body=dumps(body).encode())
        answer = self.xero.handle(request)
        assert answer.status == 200, answer.body
        found = json.loads(answer.body)
        (element,) = found[target.partition("/")[0]]
        assert not element.get("ValidationErrors"), element["ValidationErrors"]
        return dict(element)

    def set_organisation(self, **settings: Any) -> None:
        """Change the organisation's own settings, such as Accounts, in Xero."""
        self.xero.books.configure(settings)

    def correct_settings(self, parts: Mapping[str, Any]) -> None:
        """Store the settings with parts replaced, as `make connect` does; the functions use them from then on."""
        self.settings = merged(self.settings, parts)
        text = json.dumps(self.settings)
        self.operator.stored["main"] = text
        self.main.take_settings(parse(ConnectionSettings, text, "the settings"))

    # --- the functions ------------------------------------------------------------------------------------------------

    def work(self, minutes: int = 4) -> None:
        """Run the functions of all queues, and the minutely one, for so many minutes."""
        seller_tokens.clear()  # the library counts a token's age in real time, the sandbox in virtual time
        for _ in range(minutes):
            for name, queue in self.queues.items():
                records = SQSEvent(sqs_event(*queue.bodies)).records
                queue.bodies.clear()
                record_batch(records, self, self.connections(), self.log, CAPABILITIES[name])  # type: ignore[arg-type]
            self.main.connection.worker.run("resume", self.clock.now() + _RUN)
            self.clock.advance(60)

    def pass_time(self, time: timedelta, every: timedelta = HOUR, *, sweeping: bool = True) -> None:
        """Let time pass; both sweeps and the minutely function run every so often."""
        end = self.clock.now() + time
        while self.clock.now() < end:
            self.clock.advance(min(every, end - self.clock.now()).total_seconds())
            if sweeping:
                self.sweep()
            self.work(minutes=2)

    def sweep(self) -> None:
        """Run the scheduled sweeps, and what follows from them."""
        seller_tokens.clear()
        for capability in (REFUNDS, ORDERS):
            self.main.connection.worker.sweep(capability, "sweep", self.clock.now() + _RUN)

    def connections(self) -> Mapping[str, Connection]:
        return {"main": self.main.connection}

    @property
    def now(self) -> str:
        """The time as Amazon writes it."""
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def seller_id(self) -> str:
        return str(self.settings["amazon"]["seller_id"])

    # --- what an operator types ---------------------------------------------------------------------------------------

    def operate(self, *arguments: str) -> Answer:
        """Run a command with `--json`; return what it printed, and the exit code."""
        done = operate(self._patch, self.operator, *arguments, "--json")
        assert done.exit_code in (0, 1), done.output
        return Answer(json.loads(done.stdout), done.exit_code)

    def shown(self, *arguments: str) -> str:
        """Run a command; return what a person reads, as one line."""
        return " ".join(operate(self._patch, self.operator, *arguments).stdout.split())

    # --- what is in Xero ----------------------------------------------------------------------------------------------

    def writes(self) -> int:
        """Return how many writing calls the functions have made to Xero."""
        return sum(call.method in ("POST", "PUT") and call.idempotency_key is not None for call in self.xero.calls)

    def in_books(self, order_id: str) -> list[tuple[str, str, str]]:
        """Return number, total and status of each invoice and credit note of an order that counts, oldest first."""
        return [
            (each.number, str(each.total), each.status)
            for documents in (self.xero.books.invoices, self.xero.books.credit_notes)
            for each in documents.values()
            if order_id in each.number and each.status not in ("VOIDED", "DELETED") and each.reference
        ]

    # --- boto3's clients ----------------------------------------------------------------------------------------------

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": ADA}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # boto3's names, here and below
        assert FunctionName == "ReplayFunctionName"
        seller_tokens.clear()
        with redirect_stdout(StringIO()):  # the function's metrics are not the command's output
            answer = replay_function(json.loads(Payload), FakeLambdaContext())
        return {"Payload": BytesIO(json.dumps(answer).encode())}

    def get_paginator(self, operation: str) -> OperatedStack:
        assert operation == "filter_log_events"
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"events": self.log.events}


class Answer(dict[str, Any]):
    """The JSON of a command, with its exit code."""

    def __init__(self, data: Mapping[str, Any], exit_code: int) -> None:
        super().__init__(data)
        self.exit_code = exit_code


class SandboxedConnection(FakeConnection):
    """The connection of a stack, over both sandboxes with the real adapters; its rows are in memory."""

    def __init__(self, stack: OperatedStack) -> None:
        letters: dict[str, Any] = dict(stack.dead_letter_queues)
        super().__init__(seller_id=stack.seller_id, clock=stack.clock, dead_letters=letters, log=stack.log)
        self.amazon = amazon_api(AmazonSellerApi, stack.amazon, stack.clock)  # in place of the scripted ones
        self.finances = amazon_api(AmazonFinancesApi, stack.amazon, stack.clock)
        self._stack = stack

    def take_settings(self, settings: ConnectionSettings) -> None:
        """Work by these settings from now on, with nothing left in memory."""
        self.policy = settings.policy()
        self.seller_id, self.tenant_id = settings.amazon.seller_id, settings.xero.tenant_id
        lists = self.policy.lists_to_read
        self.xero = xero_accounting(self._stack.xero, self.clock, lists)  # type: ignore[assignment]
        self.restart()


class LoggedLines:
    """ports.DecisionLog whose lines CloudWatch returns."""

    def __init__(self, clock: ManualClock) -> None:
        self.events: list[dict[str, Any]] = []
        self._clock = clock

    def record(self, decision: str, **fields: object) -> None:
        line = {"message": decision, "connection": "main", **fields}
        at = int(self._clock.now().timestamp() * 1000)
        self.events.append({"timestamp": at, "message": json.dumps(line, default=str)})


class OperatorQueues:
    """boto3's `sqs` client over the queues of a stack, the URL and ARN of each being the output's name."""

    def __init__(self, stack: OperatedStack) -> None:
        self._stack = stack
        self._work = {f"{logical_name(name)}Queue": queue for name, queue in stack.queues.items()}
        self._dead = {f"{logical_name(name)}Dlq": queue for name, queue in stack.dead_letter_queues.items()}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        self._work[QueueUrl.removesuffix("Url")].send(MessageBody)

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, Any]:
        name = QueueUrl.removesuffix("Url")
        waiting = len(self._dead[name].visible) if name in self._dead else 0
        counts = {"ApproximateNumberOfMessages": str(waiting), "ApproximateNumberOfMessagesNotVisible": "0"}
        return {"Attributes": counts}

    def start_message_move_task(self, *, SourceArn: str, DestinationArn: str, **_: Any) -> None:
        """Move the letters as SQS does: the bodies as they are."""
        source, target = self._dead[SourceArn.removesuffix("Arn")], self._work[DestinationArn.removesuffix("Arn")]
        for letter in source.visible:
            target.send(letter.body)
            source.delete(letter)

    def list_message_move_tasks(self, **_: Any) -> dict[str, Any]:
        return {"Results": [{"Status": "COMPLETED"}]}


class NoStoppedLetters:
    """ports.StoppedLetters that must not be used: only the automatic replay stops letters."""

    def keep(self, letter: Any, why: str) -> None:
        raise AssertionError("nothing is stopped here")
