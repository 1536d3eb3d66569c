"""One world: a seller's history, the whole system, the weather, and what must hold at the end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "simulation")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "simulation")

import orders.handler
import resume.handler
import shipments.handler
from amazon_to_xero.adapters.amazon import client as amazon_adapter
from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.orders import BUYER, INCLUDED_DATA, AmazonSellerApi
from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.ports.outbound import OrderEvent
from amazon_to_xero.ports.state import Conflict, StateStore
from amazon_to_xero.runtime import handlers, observability
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.composition import Application
from amazon_to_xero.runtime.connection import Connection, Ports, connect, profile_of
from amazon_to_xero.runtime.handlers import WorkFailed
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, parse
from amazon_to_xero.services.intake import reader
from amazon_to_xero.services.posting import batches
from amazon_to_xero.services.posting.tokens import XeroTokens
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.wire import Request, SandboxClock
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN, XeroSandbox
from simulation import history as made
from simulation.functions_service import Functions, Poller, Sandbox, Schedule
from simulation.queues import Message, Queue
from simulation.scheduler import START, Scheduler
from simulation.table import MemoryTable, TableBusy, TableClient
from simulation.weather import Weather
from simulation.wires import AmazonHttp, AmazonTransport, AmazonWire, XeroPool, XeroWire

CONNECTION = "main"
ARN = "arn:aws:sqs:eu-west-1:123456789012:orders"
# Parts of every made-up buyer; none may be met in rows, in our own messages or in the log.
CANARIES = ("canary", "cn1 1nc", "0000 000000")
AT_REST_WITHIN = 12 * 3600.0  # seconds after the last fault; longer where a day's calls are used up


class QueueBusy(Exception):
    """What the AWS SDK raises when SQS could not be reached."""


class Stuck(Exception):
    """The world did not come to rest."""


@dataclass
class Layers:
    """Seams at which the tests of the net itself take a layer of safety away. Production code has no such switch."""

    store: Callable[[RowStateStore], StateStore] = lambda store: store
    table: type[MemoryTable] = MemoryTable
    xero_drops_keys: bool = False
    xero_numbers_unique: bool = True
    latest: float | None = None  # how late Xero may execute a request, in seconds after the sender gave up
    weather: Mapping[str, float] = field(default_factory=dict)  # faults that are more frequent than drawn
    orders: int | None = None  # so many, where the damage needs many
    constants: Mapping[tuple[Any, str], Any] = field(default_factory=dict)  # sizes that stay with the layer in place
    without: Mapping[tuple[Any, str], Any] = field(default_factory=dict)  # (class or module, name) -> what stands in


@dataclass
class Result:
    seed: str
    violations: list[str]
    trace: list[str]
    stats: dict[str, int]

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


class World:
    """Everything outside of the handlers, under one seed."""

    def __init__(self, seed: str, layers: Layers | None = None, everything_real: bool = False) -> None:
        self.seed = seed
        self.layers = layers or Layers()
        self.everything_real = everything_real
        self.violations: list[str] = []
        self.trace: list[str] = []
        rng = self._stream("world")
        self.rng = rng
        self.scheduler = Scheduler(self._stream("scheduler"))
        self.weather = replace(Weather.drawn(self._stream("weather")), **self.layers.weather)
        self.length = rng.choice((60.0, 600.0, 1800.0, 5400.0))
        self.table = self.layers.table(self._stream("table"), self.scheduler, self._written)
        self._queues_and_services(rng)
        self.per_shipment = rng.random() < 0.4
        self.histories = made.histories(
            self._stream("history"),
            START,
            self.layers.orders or rng.choice((1, 1, 2, 3, 5, 8, 12, 20)),
            self.length,
            self.per_shipment,
        )
        self.stale: set[str] = set()  # orders of which Amazon once showed an older version
        self.shown: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        self.sent: list[tuple[str, str]] = []  # every notification and every event
        self._notifications = self._stream("notifications")
        self._events = self._stream("events")
        self.disconnected = False  # somebody withdrew the authorisation in Xero, and it has not been given again
        self.german_settings = False
        self.xero_is_short_of_currency = rng.random() < 0.1
        self.closed_account = rng.random() < 0.1
        self.settings = json.loads(json.dumps(made.SETTINGS))
        self.settings["xero"]["tenant_id"] = self.xero.tenant_id
        self.settings["invoices"] = {"per": "shipment" if self.per_shipment else "order"}
        self.contacts = self._stream("contacts").choice(("marketplace", "marketplace", "buyers", "business_buyers"))
        self.settings["contacts"] = {"policy": self.contacts}
        self.clearing: dict[str, str] = rng.choice((made.CLEARING,) * 6 + ({}, {}, {}, {"GBP": "CLR-GBP"}))
        self.settings["accounts"]["clearing"] = dict(self.clearing)
        if self.day_limit:
            self.settings["xero"]["calls_per_day"] = self.day_limit
        self.custom_connection = rng.random() < 0.2
        self.secrets: dict[str, Any] = {
            "amazon": {
                "client_id": Credentials().client_id,
                "client_secret": Credentials().client_secret,
                "refresh_token": Credentials().refresh_token,
            },
            "xero": {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET},
            "buyer_salt": "a salt of this world, long enough",
        }
        if not self.custom_connection:
            self.secrets["xero"]["refresh_token"] = DEFAULT_REFRESH_TOKEN
        self._constants = {
            **self.layers.without,
            (batches, "BATCH_SIZE"): rng.choice((50, 50, 5, 2, 1)),
            (reader, "PAGES_FROM"): rng.choice((20, 20, 6, 3)),
            **self.layers.constants,
        }

    def _queues_and_services(self, rng: random.Random) -> None:
        scheduler = self.scheduler
        visibility = rng.choice((740.0, 740.0, 150.0))
        self.dead_letters = {work: Queue(f"{work} dlq", scheduler, self._stream(f"{work} dlq")) for work in CAPABILITIES}
        self.queues = {
            work: Queue(
                work, scheduler, self._stream(f"{work} queue"), visibility, dead_letters=self.dead_letters[work]
            )
            for work in CAPABILITIES
        }
        self.amazon = AmazonSandbox(SandboxClock(scheduler.now), Seller(seller_id="A1SELLER"), self._published)
        self.xero = XeroSandbox(SandboxClock(scheduler.now))
        self.day_limit = 60 if rng.random() < 0.02 else 0
        if self.day_limit:
            self.xero.limits.change({"day": self.day_limit})
        if not self.layers.xero_numbers_unique:
            _allow_any_number(self.xero)
        wire = (scheduler, self._stream("xero"), lambda: self.weather, self.log)
        latest = {} if self.layers.latest is None else {"latest": self.layers.latest}
        self.xero_wire = XeroWire("xero", self.xero, *wire, drops_keys=self.layers.xero_drops_keys, **latest)
        self.amazon_wire = AmazonWire(
            "amazon",
            self.amazon,
            scheduler,
            self._stream("amazon"),
            lambda: self.weather,
            self.log,
            page_size=rng.choice((None, None, 2, 3)),
            before=self._version_before,
        )
        self.functions = Functions(
            scheduler,
            self._stream("lambda"),
            lambda: self.weather,
            lambda sandbox: SimulatedApplication(self, sandbox),
            self.log,
            self._unexpected,
            outlive_timeout=rng.random() < 0.2,
        )
        self.pollers = [
            Poller(
                self.queues[work],
                self.functions,
                work,
                handler,
                scheduler,
                self._stream(f"{work} poller"),
                lambda: self.weather,
                lambda message, work=work: self._acknowledged(work, message),
                batch=rng.choice((1000, 1000, 3)),
            )
            for work, handler in ((ORDERS, orders.handler.handler), (SHIPMENTS, shipments.handler.handler))
        ]
        schedule = (scheduler, self._stream("schedules"), lambda: self.weather)
        self.schedules = [
            Schedule(
                self.functions, "resume", resume.handler.handler, {"resume": "due"}, 60, *schedule, self._anything_due
            ),
            Schedule(self.functions, "sweep", orders.handler.handler, {"sweep": "orders"}, 900, *schedule),
        ]

    # --- running ----------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        with _constants(self._constants), _current(self):
            try:
                self._live()
            except Stuck as problem:
                self.violations.append(f"not at rest: {problem}")
            finally:
                self.scheduler.close()
        stats = {
            "orders": len(self.histories),
            "invocations": self.functions.started,
            "xero calls": len(self.xero_wire.seen),
            "xero writes": sum(seen.writes for seen in self.xero_wire.seen),
            "xero own 429": len(self.xero_wire.own_refusals),
            "amazon own 429": len(self.amazon_wire.own_refusals),
            "simulated seconds": round(self.scheduler.seconds),
        }
        return Result(self.seed, self.violations, self.trace, stats)

    def _live(self) -> None:
        self._subscribe()
        self._plan()
        for poller in self.pollers:
            poller.start()
        for schedule in self.schedules:
            schedule.start()
        last = max(version.at for one in self.histories for version in one.versions)
        storm = max(last, self.length) + self.rng.random() * 600
        self.scheduler.run(lambda: False, storm)
        self.log("world", "the weather is calm, the operator mends what is broken")
        self.weather = self.weather.calm()
        self._mend()
        self.scheduler.run(lambda: False, 400)
        self._rest()
        self._redrive()
        self._rest()
        from simulation.invariants import Invariants

        invariants = Invariants(self)
        invariants.at_rest()
        before = [seen for seen in self.xero_wire.seen if seen.writes]
        self.log("world", "everything is said once more")
        for work, body in tuple(self.sent):
            self.queues[work].send(body)
        self._rest(sweep_again=True)
        invariants.replayed(before)

    def _rest(self, sweep_again: bool = False) -> None:
        """Until nothing moves any more, and a sweep has seen Amazon's last change."""
        seen_until = self.scheduler.now() if sweep_again else self.last_change + timedelta(seconds=1)
        limit = AT_REST_WITHIN if not self.day_limit else 5 * 86400.0
        if not self.scheduler.run(lambda: self._at_rest(seen_until), limit):
            waiting = ", ".join(
                f"{row.sk} {row.state} {row.reason} due {row.next_attempt_at}" for row in self.table.waiting()
            )
            raise Stuck(
                f"waiting [{waiting}], running {sorted(self.functions.running)}, "
                f"queues {[len(queue.messages) for queue in self.queues.values()]}, "
                f"swept until {self._swept_until()}"
            )

    def _at_rest(self, seen_until: datetime) -> bool:
        if self.functions.running or self.table.waits or any(queue.messages for queue in self.queues.values()):
            return False
        if any(poller.under_way for poller in self.pollers):
            return False
        if self.xero_wire.in_flight or self.amazon_wire.in_flight:
            return False
        swept = self._swept_until()
        return swept is not None and swept >= seen_until

    def _swept_until(self) -> datetime | None:
        row = self.table.rows.get("CURSOR#sweep#orders")
        watermark = json.loads(row.data).get("watermark") if row else None
        return datetime.fromisoformat(watermark) if watermark else None

    def _anything_due(self) -> bool:
        now = self.scheduler.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if self.table.waits and any(row.next_attempt_at <= now for row in self.table.waiting()):
            return True
        tokens = self.table.rows.get("CURSOR#xero-token")
        return tokens is not None and "begun_at" in tokens.data

    # --- what happens in it -----------------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        def ask(method: str, path: str, body: dict[str, Any] | bytes, **headers: str) -> dict[str, Any]:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            answer = self.amazon.handle(Request.to(method, path, headers=headers, body=raw))
            assert answer.status < 300, answer
            result: dict[str, Any] = json.loads(answer.body)
            return result

        form = (
            f"grant_type=client_credentials&scope=sellingpartnerapi::notifications"
            f"&client_id={Credentials().client_id}&client_secret={Credentials().client_secret}"
        )
        token = {"x-amz-access-token": ask("POST", "/auth/o2/token", form.encode())["access_token"]}
        destination = ask(
            "POST",
            "/notifications/v1/destinations",
            {"name": "orders", "resourceSpecification": {"sqs": {"arn": ARN}}},
            **token,
        )["payload"]["destinationId"]
        seller = {"x-amz-access-token": self.amazon.login._issue("seller", self.scheduler.now(), {}).body.decode()}
        seller["x-amz-access-token"] = json.loads(seller["x-amz-access-token"])["access_token"]
        ask(
            "POST",
            "/notifications/v1/subscriptions/ORDER_CHANGE",
            {"payloadVersion": "1.0", "destinationId": destination},
            **seller,
        )

    def _plan(self) -> None:
        self.last_change = START
        for one in self.histories:
            for version in one.versions:
                self.scheduler.after(version.at, lambda version=version: self._happens(version))
                self.last_change = max(self.last_change, START + timedelta(seconds=version.at))
        if self.xero_is_short_of_currency:
            del self.xero.books.currencies["CAD"]
        if self.closed_account:
            self._account("206", "ARCHIVED")
        rng = self.rng
        if rng.random() < 0.2:
            queue = self.queues[rng.choice(tuple(CAPABILITIES))]
            self.scheduler.after(rng.random() * self.length, lambda: queue.send("not JSON"))
        if rng.random() < 0.15:
            self.scheduler.after(rng.random() * self.length, self._xero_forgets_access_tokens)
        if rng.random() < 0.1 and not self.custom_connection:
            gone = rng.random() * self.length
            self.scheduler.after(gone, self._xero_is_disconnected)
            self.scheduler.after(gone + 300 + rng.random() * 1800, self._xero_is_connected_again)
        if rng.random() < 0.15:
            self.scheduler.after(rng.random() * self.length, self.amazon.login.revoke_access_tokens)
        if rng.random() < 0.3:
            self.scheduler.after(rng.random() * self.length, self._mend)
        for _ in range(rng.choice((0, 0, 1, 2))):
            self.scheduler.after(rng.random() * self.length, self._redrive)

    def _redrive(self) -> None:
        """Each dead-letter queue back to its own queue."""
        counts = {work: letters.redrive(self.queues[work]) for work, letters in self.dead_letters.items()}
        self.log("world", f"redriven {', '.join(f'{count} {work}' for work, count in counts.items())}")

    def _happens(self, version: made.Version) -> None:
        order = version.order
        order_id = order["orderId"]
        self.log("amazon", f"{order_id} is {order['fulfillment']['fulfillmentStatus']} of {order['lastUpdatedTime']}")
        self.shown.setdefault(order_id, []).append((self.scheduler.seconds, order))
        self.amazon.put_order(order, notify=True)

    def _published(self, _arn: str, body: str) -> None:
        self.sent.append((ORDERS, body))
        rng, weather = self._notifications, self.weather
        if rng.random() >= weather.notification_lost:
            self._delivered(ORDERS, body, rng, weather.notification_late)

    def on_the_bus(self, connection: str, event: OrderEvent) -> bool:
        """The own bus, and the rule that sends its events to the shipments queue; False when it takes the event not."""
        detail = {
            "connection": connection,
            "order_id": event.order_id,
            "updated": event.version.isoformat(),
            "marketplace_id": event.marketplace_id,
        }
        body = json.dumps({"source": "amazon-to-xero", "detail-type": event.kind, "detail": detail})
        self.spotted("an event", body)
        rng, weather = self._events, self.weather
        if rng.random() < weather.event_lost:
            vanished = rng.random() < 0.5
            self.log("bus", f"{event.kind} {event.order_id} {'vanishes' if vanished else 'is refused'}")
            return vanished
        self.sent.append((SHIPMENTS, body))
        self._delivered(SHIPMENTS, body, rng, weather.event_late)
        return True

    def _delivered(self, work: str, body: str, rng: random.Random, late: float) -> None:
        """At least once, in any order."""
        delay = rng.random() * 5
        if rng.random() < late:
            delay += rng.random() * 1800
        self.queues[work].send(body, delay=delay)
        if rng.random() < self.weather.duplicate:
            self.queues[work].send(body, delay=delay + rng.random() * 300)

    def _version_before(self, order_id: str) -> dict[str, Any] | None:
        """What Amazon may still show of an order that has just changed."""
        shown = self.shown.get(order_id, [])
        if len(shown) < 2 or self.scheduler.seconds - shown[-1][0] > 60:
            return None
        self.stale.add(order_id)
        return shown[-2][1]

    def _mend(self) -> None:
        self.log("world", "the operator mends settings and Xero")
        if not self.german_settings:
            self.german_settings = True
            self.settings["amazon"]["marketplaces"].append(made.DE)
            self.settings["tax"]["rules"].append(made.GERMAN_RULE)
        if self.xero_is_short_of_currency:
            self.xero.books.configure({"Currencies": [{"Code": "CAD"}]})
        if self.closed_account:
            self._account("206", "ACTIVE")

    def _account(self, code: str, status: str) -> None:
        self.xero.books.configure({"Accounts": [{"Code": code, "Status": status}]})

    def _xero_forgets_access_tokens(self) -> None:
        self.log("xero", "access tokens are revoked")
        self.xero.identity.access_tokens.clear()

    def _xero_is_disconnected(self) -> None:
        self.log("xero", "the authorisation is withdrawn")
        self.disconnected = True
        self.xero.identity.access_tokens.clear()
        self.xero.identity.refresh_tokens.clear()

    def _xero_is_connected_again(self) -> None:
        self.log("xero", "the operator connects again")
        self.xero.identity.seed_refresh_token("another-refresh-token")
        self.secrets["xero"]["refresh_token"] = "another-refresh-token"
        self.disconnected = False

    # --- what is noticed --------------------------------------------------------------------------------------------

    def log(self, who: str, what: str) -> None:
        self.trace.append(f"{self.scheduler.seconds:10.3f} {who}: {what}")

    def violated(self, what: str) -> None:
        if len(self.violations) < 20:
            self.violations.append(what)
        self.log("VIOLATION", what)

    def spotted(self, where: str, text: str) -> None:
        lowered = text.lower()
        if any(canary in lowered for canary in CANARIES):
            self.violated(f"buyer data in {where}")

    def _written(self, held: Row | None, row: Row) -> None:
        """A remedy is never forgotten: an order stops being due only once Amazon has been read after it.

        Nor is one that was read and not booked: it is due until it is.
        """
        if not row.sk.startswith("ORDER#"):
            return
        if row.state in (OrderState.NOTICED, OrderState.RECORDED) and not row.next_attempt_at:
            self.violated(f"{row.sk} is {row.state} and not due")
        if held is None:
            return
        before, after = json.loads(held.data), json.loads(row.data)
        if (after["noticed_at"] or "") < (before["noticed_at"] or ""):
            self.violated(f"{row.sk}: the remedy of {before['noticed_at']} was overwritten")
        if not row.next_attempt_at and after["noticed_at"] and (after["read_at"] or "") < after["noticed_at"]:
            self.violated(f"{row.sk}: not due any more, read {after['read_at']}, noticed {after['noticed_at']}")

    def _acknowledged(self, work: str, message: Message) -> None:
        """A message that SQS may forget has left its remedy behind."""
        try:
            document = json.loads(message.body)
        except ValueError:
            if not any(each.body == message.body for each in self.dead_letters[work].ever):
                self.violated(f"a message nobody can use was acknowledged without a dead letter: {message.message_id}")
            return
        if "reprocess" in document:
            order_id, at = document["reprocess"]["source"].removeprefix("order#"), None
        elif work is SHIPMENTS:
            order_id, at = document["detail"]["order_id"], datetime.fromisoformat(document["detail"]["updated"])
        else:
            order_id = document["Payload"]["OrderChangeNotification"]["AmazonOrderId"]
            at = datetime.fromisoformat(document["EventTime"])
        row = self.table.rows.get(f"ORDER#{order_id}")
        if row is None:
            self.violated(f"order {order_id}: its message was acknowledged, and nothing is stored of it")
        elif not row.next_attempt_at and at is not None and order_id not in self.stale:
            held = json.loads(row.data)["version"]
            if not held or datetime.fromisoformat(held) < at:
                self.violated(f"order {order_id}: its message was acknowledged, and it is not going to be read")

    def _unexpected(self, who: str, problem: Exception) -> None:
        if isinstance(problem, WorkFailed):
            kinds = {failure.split()[1] for failure in str(problem).split("; ")}
            expected = kinds <= {"TableBusy", "QueueBusy", "Conflict"}
        else:
            expected = isinstance(problem, TableBusy | QueueBusy | Conflict)
        if not expected:
            import traceback

            where = "".join(traceback.format_exception(problem)[-3:])
            self.violated(f"{who} ended with {type(problem).__name__}: {problem}\n{where}")

    def _stream(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}/{name}")  # noqa: S311 - repeatable on purpose


# --- inside a sandbox -------------------------------------------------------------------------------------------------


class SimulatedClock:
    """ports.Clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.scheduler.now()

    def sleep(self, seconds: float) -> None:
        self._world.functions.step("clock.sleep")
        self._world.scheduler.sleep(seconds)


class SimulatedDecisionLog:
    """ports.DecisionLog into the world's trace, watched for buyer data."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._real = observability.PowertoolsDecisionLog(CONNECTION) if world.everything_real else None

    def record(
        self,
        decision: str,
        *,
        order_id: str | None = None,
        document: str | None = None,
        reason: str | None = None,
        remedy: str | None = None,
        **numbers: object,
    ) -> None:
        line = f"{order_id or ''} {document or ''} {reason or ''} {remedy or ''}"
        task = self._world.scheduler.current
        self._world.log(task.name if task else "?", f"logs {decision} {line}")
        self._world.spotted("a log line", f"{line} {numbers}")
        if self._real is not None:
            self._real.record(decision, order_id=order_id, document=document, reason=reason, remedy=remedy, **numbers)


class SimulatedDeadLetters:
    """ports.DeadLetterQueue."""

    def __init__(self, world: World, work: str) -> None:
        self._world = world
        self._queue = world.dead_letters[work]
        self._rng = world._stream(f"{work} dead letters")

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        world = self._world
        world.functions.step("sqs.send")
        throttled = world.weather.throttled
        if throttled and self._rng.random() < throttled:
            raise QueueBusy
        self._queue.send(body, {"reason": reason, "remedy": remedy, **({"order_id": order_id} if order_id else {})})
        world.log(self._queue.name, f"{order_id or ''} {reason}")
        if order_id:
            world.spotted("a dead letter", body + remedy)
        world.functions.step("sqs.sent")


class SimulatedEvents:
    """ports.EventBus."""

    def __init__(self, world: World) -> None:
        self._world = world

    def publish(self, connection: str, events: Sequence[OrderEvent]) -> int:
        self._world.functions.step("events.put")
        taken = [self._world.on_the_bus(connection, event) for event in events]
        self._world.functions.step("events.put")
        return taken.count(False)


class _StoredDocuments:
    """Parameter Store and Secrets Manager."""

    def __init__(self, world: World) -> None:
        self._world = world

    def settings(self) -> dict[str, str]:
        self._world.functions.step("ssm")
        return {CONNECTION: json.dumps(self._world.settings)}

    def secret(self, _connection: str) -> str:
        self._world.functions.step("secrets")
        return json.dumps(self._world.secrets)


class SimulatedApplication(Application):
    """What one sandbox keeps warm: the real application and the real adapters over the world's fakes."""

    def __init__(self, world: World, sandbox: Sandbox) -> None:
        self.clock = SimulatedClock(world)
        self._world = world
        self._sandbox = sandbox
        self.dead_letter_queues = {work: SimulatedDeadLetters(world, work) for work in CAPABILITIES}
        self._events = SimulatedEvents(world)
        self._stored = _StoredDocuments(world)  # type: ignore[assignment]
        self._connections: Mapping[str, Connection] = {}
        self._documents: Mapping[str, tuple[str, str]] = {}
        self.unusable: frozenset[str] = frozenset()

    def _connect(self, name: str, settings_text: str, secrets_text: str) -> Connection:
        world, step = self._world, self._world.functions.step
        settings = parse(ConnectionSettings, settings_text, "the settings")
        secrets = parse(ConnectionSecrets, secrets_text, "the secret")
        client = TableClient(
            world.table, world._stream(f"table of {self._sandbox.name}"), lambda: world.weather, step, world.log
        )
        store = world.layers.store(RowStateStore(name, client, CODECS))
        decisions = SimulatedDecisionLog(world)
        endpoint = XeroTokenEndpoint(
            secrets.xero.client_id, secrets.xero.client_secret, self.clock, token_url="https://identity/connect/token"
        )
        endpoint._connection.transport.pool_manager = XeroPool(world.xero_wire, step)
        tokens = XeroTokens(endpoint, store, self.clock, decisions, self._sandbox.name, seed=secrets.xero.refresh_token)
        xero = XeroAccounting(tokens, settings.xero.tenant_id, self.clock, redact, api_url="https://xero")
        xero._connection.transport.pool_manager = XeroPool(world.xero_wire, step)
        ports = Ports(
            _amazon(world, secrets, self._sandbox),
            xero,
            store,
            self.dead_letter_queues,
            self._events,
            self.clock,
            decisions,
            self._sandbox.name,
        )
        return connect(profile_of(name, settings, secrets.buyer_salt), ports, tokens)


def _amazon(world: World, secrets: ConnectionSecrets, sandbox: Sandbox) -> AmazonSellerApi:
    api = AmazonSellerApi(
        AmazonCredentials(secrets.amazon.client_id, secrets.amazon.client_secret, secrets.amazon.refresh_token),
        "eu",
        api_url="https://amazon",
        # The library keeps tokens per process by this URL; each sandbox is a process of its own.
        lwa_url=f"https://{sandbox.name.replace('@', '-')}/auth/o2/token",
        included_data=INCLUDED_DATA if world.contacts == "marketplace" else (*INCLUDED_DATA, BUYER),
    )
    transport: Any = AmazonTransport(world.amazon_wire, world.functions.step)
    if world.everything_real:
        import httpx
        from sp_api.base._transport_httpx import HttpxTransport

        transport = HttpxTransport(client=httpx.Client(transport=AmazonHttp(world.amazon_wire, world.functions.step)))
    api._client._transport = transport
    api._client._auth._transport = transport
    # One invocation at a time uses a sandbox: nothing to lock, and the class's lock would span sandboxes here.
    api._client._auth._lock = contextlib.nullcontext()
    return api


def _allow_any_number(xero: XeroSandbox) -> None:
    """A Xero that does not mind two documents with one number, or two contacts with one name."""
    for documents in (xero.invoices, xero.credit_notes):
        checked = documents._number

        def unchecked(
            kind: str, element: dict[str, Any], existing: Any, problems: list[str], checked: Any = checked
        ) -> str:
            number: str = checked(kind, element, existing, [])
            return number

        documents._number = unchecked  # type: ignore[method-assign]


@contextlib.contextmanager
def _constants(wanted: Mapping[tuple[Any, str], Any]) -> Iterator[None]:
    """Sizes of batches and bursts, made small in some worlds so that few orders fill them."""
    held = {(module, name): getattr(module, name) for module, name in wanted}
    for (module, name), value in wanted.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name), value in held.items():
            setattr(module, name, value)


class _LogStream:
    """Where the functions' own logger writes while a world runs."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write(self, text: str) -> int:
        self._world.spotted("a log line", text)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept."""


@contextlib.contextmanager
def _current(world: World) -> Iterator[None]:
    """The handlers' application, logger and metrics are this world's."""
    log, metrics = observability.logger.registered_handler, observability.metrics.provider
    held = handlers.application, log.stream, metrics.flush_metrics

    def application() -> Any:
        return world.functions.sandbox().application

    handlers.application = application  # type: ignore[assignment]
    log.stream = _LogStream(world)
    metrics.flush_metrics = lambda *_, **__: observability.metrics.clear_metrics()
    amazon_adapter.seller_tokens.clear()
    try:
        yield
    finally:
        handlers.application, log.stream, metrics.flush_metrics = held
        amazon_adapter.seller_tokens.clear()
