"""The composition root: which adapter stands behind which port. Built once per sandbox of a function, kept warm."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.orders import (
    BUYER,
    INCLUDED_DATA,
    INCLUDED_DATA_WITHOUT_DESTINATION,
    AmazonSellerApi,
)
from amazon_to_xero.adapters.aws.connection_documents import ParameterStore, Secrets
from amazon_to_xero.adapters.aws.dead_letters import SqsDeadLetters
from amazon_to_xero.adapters.aws.event_bus import EventBridgeEvents
from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.domain.books.document import Work
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.planning.policy import ContactPolicy
from amazon_to_xero.ports.amazon import SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetters, Events, Journal
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.observability import LogJournal, SystemClock
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, StackSettings, parse
from amazon_to_xero.services.intake.buyer_details import Buyers
from amazon_to_xero.services.intake.notices import Hint, OrderIntake
from amazon_to_xero.services.intake.reader import OrderReading
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.planner import OrderBooking
from amazon_to_xero.services.posting.budget import BudgetedXero
from amazon_to_xero.services.posting.organisation_cache import KnownOrganisation
from amazon_to_xero.services.posting.poster import Ledger
from amazon_to_xero.services.posting.tokens import XeroTokens
from amazon_to_xero.services.worker import Reconciliation

_KEPT_FOR = timedelta(minutes=5)  # settings changed by an operator are seen this soon
_AWS = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})


@dataclass(frozen=True)
class Connection:
    """One Amazon account tied to one Xero organisation, ready to work."""

    name: str
    seller_id: str
    intake: OrderIntake
    reconciliation: Reconciliation
    tokens: XeroTokens


class Application:
    """All connections of the stack. A connection whose settings cannot be used is reported and left out."""

    def __init__(self, stack: StackSettings, clock: Clock) -> None:
        self.clock = clock
        self._stack = stack
        sqs = boto3.client("sqs", config=_AWS)
        self.dead_letters: Mapping[Work, DeadLetters] = {
            Work.ORDERS: SqsDeadLetters(sqs, stack.orders_dlq_url),
            Work.SHIPMENTS: SqsDeadLetters(sqs, stack.shipments_dlq_url),
        }
        self._events: Events = EventBridgeEvents(boto3.client("events", config=_AWS), stack.event_bus)
        self._parameters = ParameterStore(boto3.client("ssm", config=_AWS), stack.connections_path)
        self._secrets = Secrets(boto3.client("secretsmanager", config=_AWS), stack.secrets_prefix)
        self._connections: Mapping[str, Connection] = {}
        self._documents: Mapping[str, tuple[str, str]] = {}
        self._read_at: datetime | None = None
        self.unusable: frozenset[str] = frozenset()  # connections left out

    def connections(self) -> Mapping[str, Connection]:
        """By name. Settings and secrets are read again after five minutes; what did not change is kept as it is."""
        now = self.clock.now()
        if self._read_at is None or now - self._read_at > _KEPT_FOR:
            named = self._parameters.documents()
            documents: dict[str, tuple[str, str]] = {}
            connections: dict[str, Connection] = {}
            for name, settings in named.items():
                try:
                    documents[name] = (settings, self._secrets.document(name))
                    held = self._documents.get(name) == documents[name] and name in self._connections
                    connections[name] = self._connections[name] if held else self._connect(name, *documents[name])
                except SettingsError as problem:
                    LogJournal(name).note("SETTINGS_UNUSABLE", reason="SETTINGS_UNUSABLE", hint=str(problem))
                except ClientError as problem:
                    code = problem.response.get("Error", {}).get("Code", "")
                    hint = f"the connection's secret cannot be read ({code}); run connect again"
                    LogJournal(name).note("SETTINGS_UNUSABLE", reason="SECRET_UNREADABLE", hint=hint)
            self._connections, self._documents, self._read_at = connections, documents, now
            self.unusable = frozenset(named) - frozenset(connections)
        return self._connections

    def _connect(self, name: str, settings_text: str, secrets_text: str) -> Connection:
        stack, clock = self._stack, self.clock
        settings = parse(ConnectionSettings, settings_text, f"the settings of connection {name}")
        secrets = parse(ConnectionSecrets, secrets_text, f"the secret of connection {name}")
        store = DynamoStateStore(stack.table, name, stack.region, stack.aws_endpoint)
        journal = LogJournal(name)
        owner = f"{os.environ.get('AWS_LAMBDA_LOG_STREAM_NAME', '')}#{os.getpid()}"
        tokens = XeroTokens(
            XeroTokenEndpoint(
                secrets.xero.client_id, secrets.xero.client_secret, clock, token_url=stack.xero_token_url
            ),
            store,
            clock,
            journal,
            owner,
            seed=secrets.xero.refresh_token,
        )
        amazon = AmazonSellerApi(
            AmazonCredentials(secrets.amazon.client_id, secrets.amazon.client_secret, secrets.amazon.refresh_token),
            settings.amazon.region,
            api_url=stack.amazon_api_url or None,
            lwa_url=stack.lwa_url or None,
            included_data=_included_data(settings),
        )
        xero = XeroAccounting(tokens, settings.xero.tenant_id, clock, api_url=stack.xero_api_url)
        return connect(
            name, settings, amazon, xero, store, self.dead_letters, self._events, clock, journal, owner, tokens
        )


def _included_data(settings: ConnectionSettings) -> tuple[str, ...]:
    """The parts of an order to ask Amazon for: what is not asked for cannot be lost."""
    parts = INCLUDED_DATA if settings.amazon.read_destination else INCLUDED_DATA_WITHOUT_DESTINATION
    return parts if settings.contacts.policy is ContactPolicy.MARKETPLACE else (*parts, BUYER)


def connect(
    name: str,
    settings: ConnectionSettings,
    amazon: SellerApi,
    xero: XeroApi,
    store: StateStore,
    dead_letters: Mapping[Work, DeadLetters],
    events: Events,
    clock: Clock,
    journal: Journal,
    owner: str,
    tokens: XeroTokens,
) -> Connection:
    """The services of one connection over whatever stands behind the ports: AWS here, fakes in the simulation.

    `owner` names the sandbox of the function: who holds a lease or a slot.
    """
    xero = BudgetedXero(xero, store, clock, Limits(per_day=settings.xero.calls_per_day), owner)
    pauses = Pauses(store, clock, journal)
    policy = settings.policy()
    organisation = KnownOrganisation(xero, store, clock, policy, journal)
    buyers = Buyers()
    intake = OrderIntake(store, clock, journal)
    booking = OrderBooking(name, store, policy, organisation, pauses, dead_letters, clock, journal)
    reading = OrderReading(name, amazon, store, policy, booking, buyers, events, pauses, clock, journal)
    ledger = Ledger(
        name,
        xero,
        store,
        pauses,
        dead_letters,
        buyers,
        lambda order_ids: intake.note([Hint(order_id, clock.now()) for order_id in order_ids]),
        clock,
        journal,
    )
    return Connection(
        name,
        settings.amazon.seller_id,
        intake,
        Reconciliation(reading, booking, ledger, store, pauses, clock, journal, settings.start),
        tokens,
    )


@cache
def application() -> Application:
    """The application of this sandbox. Raises SettingsError when the function's environment is incomplete."""
    return Application(parse(StackSettings, dict(os.environ), "the function's environment"), SystemClock())
