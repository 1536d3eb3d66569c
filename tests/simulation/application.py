"""What runs inside a simulated sandbox: the real application and adapters over the world's fakes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from amazon_to_xero.adapters.amazon import client as amazon_client
from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.adapters.amazon.orders import BUYER, INCLUDED_DATA, AmazonSellerApi
from amazon_to_xero.adapters.dynamodb.rows import Row, RowCodec, RowStateStore
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterNotSent, OrderEvent, OutboundEvent
from amazon_to_xero.ports.state import Record
from amazon_to_xero.runtime import handlers, observability
from amazon_to_xero.runtime.composition import Application
from amazon_to_xero.runtime.connection import Connection, connect
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.runtime.profile import ConnectionProfile, Ports, profile_of
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, parse
from amazon_to_xero.services.posting.tokens import XeroTokens
from amazon_to_xero.services.reminder import Reminder
from fakes.state import RecordingTopic
from fakes.statements import CODECS_WITH_STATEMENTS
from fakes.stock import ScriptedInventory
from simulation.functions_service import Sandbox
from simulation.table import TableClient
from simulation.wires import AmazonHttp, AmazonTransport, XeroPool

if TYPE_CHECKING:
    from simulation.world import World

CONNECTION = "main"


class QueueBusy(DeadLetterNotSent):
    """What the AWS SDK raises when SQS could not be reached."""


class BuiltWithFirstCall:
    """A real adapter, which is built when it is first called: most sandboxes call only some of theirs."""

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build

    def __getattr__(self, name: str) -> Any:
        """Return what the adapter has under this name, and keep it: it is asked for once."""
        if name == "_adapter":
            self._adapter = self._build()
            return self._adapter
        found = getattr(self._adapter, name)
        setattr(self, name, found)
        return found


class SimulatedClock:
    """ports.Clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.now: Callable[[], datetime] = world.scheduler.now

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
        self._world.watch.check_for_buyer_data("a log line", f"{line} {numbers}")
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
            world.watch.check_for_buyer_data("a dead letter", body + remedy)
        world.functions.step("sqs.sent")


class SimulatedEvents:
    """ports.EventBus."""

    def __init__(self, world: World) -> None:
        self._world = world

    def publish(self, connection: str, events: Sequence[OutboundEvent]) -> int:
        self._world.functions.step("events.put")
        orders = [event for event in events if isinstance(event, OrderEvent)]
        taken = [self._world.on_the_bus(connection, event) for event in orders]
        self._world.functions.step("events.put")
        return taken.count(False)


class _RememberingStore(RowStateStore):
    """Decodes each row once in a world, however often it is loaded: rows and records are immutable."""

    def __init__(self, decoded: dict[int, tuple[Row, Any]], *given: Any) -> None:
        """`decoded` is by the identity of the row, which it keeps alive."""
        super().__init__(*given)
        self._known = decoded

    def _decoded[R: Record](self, codec: RowCodec[R], row: Row) -> R:
        known = self._known.get(id(row))
        if known is None:
            known = self._known[id(row)] = (row, super()._decoded(codec, row))
        record: R = known[1]
        return record


_parsed = lru_cache(maxsize=64)(partial(parse, name="the connection"))


@lru_cache(maxsize=64)
def _profile(settings_text: str, buyer_salt: str) -> ConnectionProfile:
    return profile_of(CONNECTION, _parsed(ConnectionSettings, settings_text), buyer_salt)


class _StoredDocuments:
    """Parameter Store and Secrets Manager."""

    def __init__(self, world: World) -> None:
        self._world = world

    def settings(self) -> dict[str, str]:
        self._world.functions.step("ssm")
        return {CONNECTION: self._world.settings_text}

    def secret(self, _connection: str) -> str:
        self._world.functions.step("secrets")
        return self._world.secrets_text


class SimulatedApplication(Application):
    """What one sandbox keeps warm: the real application and the real adapters over the world's fakes."""

    def __init__(self, world: World, sandbox: Sandbox) -> None:
        self.clock = SimulatedClock(world)
        self._world = world
        self._sandbox = sandbox
        self.dead_letter_queues = {work: SimulatedDeadLetters(world, work) for work in world.capabilities}
        self._events = SimulatedEvents(world)
        self._stored = _StoredDocuments(world)  # type: ignore[assignment]
        self._connections: Mapping[str, Connection] = {}
        self._documents: dict[str, tuple[str, str]] = {}
        self._unusable_until: dict[str, datetime] = {}
        self._unusable_codes = {}
        self.stack_name = "simulation"
        self.reminder = Reminder(None, self.clock)
        self.unusable: frozenset[str] = frozenset()

    def _connect(self, name: str, settings_text: str, secrets_text: str) -> Connection:
        world, step = self._world, self._world.functions.step
        settings = _parsed(ConnectionSettings, settings_text)
        secrets = _parsed(ConnectionSecrets, secrets_text)
        client = TableClient(
            world.table, world._stream(f"table of {self._sandbox.name}"), lambda: world.weather, step, world.log
        )
        store = world.layers.store(_RememberingStore(world.decoded, name, client, CODECS_WITH_STATEMENTS))
        decisions = SimulatedDecisionLog(world)
        endpoint: Any = BuiltWithFirstCall(partial(_token_endpoint, world, secrets, self.clock))
        tokens = XeroTokens(
            endpoint, store, self.clock, decisions, self._sandbox.name, secrets.xero.refresh_token, secrets.connected_at
        )
        xero: Any = BuiltWithFirstCall(partial(_xero, world, tokens, settings.xero.tenant_id, self.clock))
        amazon: Any = BuiltWithFirstCall(partial(_amazon, world, secrets, self._sandbox))
        finances: Any = BuiltWithFirstCall(partial(_finances, world, secrets, self._sandbox))
        ports = Ports(
            amazon,
            finances,
            xero,
            store,
            self.dead_letter_queues,
            self._events,
            self.clock,
            decisions,
            self._sandbox.name,
            ScriptedInventory(),  # no seller of a world has alerts of stock: neither of the two is called
            RecordingTopic(),
        )
        return connect(_profile(settings_text, secrets.buyer_salt), ports, tokens, world.capabilities)


def _token_endpoint(world: World, secrets: ConnectionSecrets, clock: Clock) -> XeroTokenEndpoint:
    url = "https://identity/connect/token"
    endpoint = XeroTokenEndpoint(secrets.xero.client_id, secrets.xero.client_secret, clock, token_url=url)
    endpoint._connection.transport.pool_manager = XeroPool(world.xero_wire, world.functions.step)
    return endpoint


def _xero(world: World, tokens: XeroTokens, tenant_id: str, clock: Clock) -> XeroAccounting:
    xero = XeroAccounting(tokens, tenant_id, clock, redact, api_url="https://xero")
    xero._connection.transport.pool_manager = XeroPool(world.xero_wire, world.functions.step)
    return xero


def _credentials(secrets: ConnectionSecrets) -> AmazonCredentials:
    amazon = secrets.amazon
    return AmazonCredentials(amazon.client_id, amazon.client_secret, amazon.refresh_token)


def _amazon(world: World, secrets: ConnectionSecrets, sandbox: Sandbox) -> AmazonSellerApi:
    included = INCLUDED_DATA if world.contacts == "marketplace" else (*INCLUDED_DATA, BUYER)
    api = AmazonSellerApi(_credentials(secrets), "eu", included_data=included, **_urls(sandbox))
    _wire(world, api._client)
    return api


def _finances(world: World, secrets: ConnectionSecrets, sandbox: Sandbox) -> AmazonFinancesApi:
    api = AmazonFinancesApi(_credentials(secrets), "eu", **_urls(sandbox))
    _wire(world, api._client)
    return api


def _urls(sandbox: Sandbox) -> dict[str, str]:
    """Return where Amazon is. The library keeps tokens per process by the second; a sandbox is a process of its own."""
    return {"api_url": "https://amazon", "lwa_url": f"https://{sandbox.name.replace('@', '-')}/auth/o2/token"}


def _wire(world: World, client: Any) -> None:
    transport: Any = AmazonTransport(world.amazon_wire, world.functions.step)
    if world.everything_real:
        import httpx
        from sp_api.base._transport_httpx import HttpxTransport

        transport = HttpxTransport(client=httpx.Client(transport=AmazonHttp(world.amazon_wire, world.functions.step)))
    client._transport = transport
    client._auth._transport = transport
    # One invocation at a time uses a sandbox: nothing to lock, and the class's lock would span sandboxes here.
    client._auth._lock = contextlib.nullcontext()


class _LogStream:
    """Where the functions' own logger writes while a world runs."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write(self, text: str) -> int:
        self._world.watch.check_for_buyer_data("a log line", text)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept."""


@contextlib.contextmanager
def current_world(world: World) -> Iterator[None]:
    """While a world runs, the handlers' application, logger and metrics are this world's."""
    log: Any = observability.logger.registered_handler
    metrics: Any = observability.metrics.provider
    # As Any: the names are imported by these modules, not exported.
    of_handlers: Any = handlers
    tokens: Any = amazon_client
    held = (
        of_handlers.application,
        log.stream,
        metrics.flush_metrics,
        metrics.add_metric,
        of_handlers.record_status,
    )

    def application() -> Any:
        return world.functions.sandbox().application

    of_handlers.application = application
    of_handlers.record_status = lambda *_: None
    log.stream = _LogStream(world)
    metrics.flush_metrics = lambda *_, **__: observability.metrics.clear_metrics()
    if not world.everything_real:
        metrics.add_metric = lambda *_, **__: None
    tokens.seller_tokens.clear()
    try:
        yield
    finally:
        of_handlers.application, log.stream, metrics.flush_metrics, metrics.add_metric, of_handlers.record_status = held
        tokens.seller_tokens.clear()
