"""The composition root: puts adapters behind ports. Built once per execution environment of a function."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

import boto3
from botocore.config import Config

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.adapters.amazon.inventory import AmazonInventoryApi
from amazon_to_xero.adapters.amazon.orders import (
    BUYER,
    INCLUDED_DATA,
    INCLUDED_DATA_WITHOUT_DESTINATION,
    AmazonSellerApi,
)
from amazon_to_xero.adapters.aws.dead_letters import SqsDeadLetterQueue
from amazon_to_xero.adapters.aws.encryption import KmsEncryption
from amazon_to_xero.adapters.aws.event_bus import EventBridgeBus
from amazon_to_xero.adapters.aws.parameters import (
    MAX_AGE_SECONDS,
    ConnectionDocuments,
    SecretUnavailable,
    SecretUnreadable,
    SettingsUnavailable,
)
from amazon_to_xero.adapters.aws.report_bucket import ReportBucket
from amazon_to_xero.adapters.aws.sns_topic import SnsTopic
from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.domain.amazon.business_buyer import BuyerReference
from amazon_to_xero.domain.books.contact import ContactScope
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterQueue, EventBus
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.connection import Connection, connect
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog, SystemClock
from amazon_to_xero.runtime.privacy import redact, silence_libraries
from amazon_to_xero.runtime.profile import Ports, profile_of
from amazon_to_xero.runtime.settings import (
    ConnectionSecrets,
    ConnectionSettings,
    SettingsError,
    StackSettings,
    parse,
    stack_settings,
)
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.posting.tokens import XeroTokens
from amazon_to_xero.services.reminder import Reminder
from amazon_to_xero.services.stored_categories import CategoriesMissing, stored_categories

AWS_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})

silence_libraries()  # after the imports above: one of the libraries raises its logger's level when it is imported


class Application:
    """All connections of the stack. A connection whose settings cannot be used is reported and left out."""

    def __init__(self, stack: StackSettings, clock: Clock) -> None:
        self.clock = clock
        self.stack_name = stack.stack
        self._stack = stack
        sqs = boto3.client("sqs", config=AWS_CONFIG)
        self.dead_letter_queues: Mapping[str, DeadLetterQueue] = {
            capability.name: SqsDeadLetterQueue(sqs, stack.dead_letter_queues[capability.dead_letter_queue])
            for capability in CAPABILITIES.values()
        }
        self._events: EventBus = EventBridgeBus(boto3.client("events", config=AWS_CONFIG), stack.event_bus)
        sns = boto3.client("sns", config=AWS_CONFIG)
        self._inventory_topic = SnsTopic(sns, stack.inventory_topic)
        # Only one function has it, and making a client takes a tenth of a second.
        self._reports = (
            ReportBucket(boto3.client("s3", config=AWS_CONFIG), stack.report_bucket) if stack.report_bucket else None
        )
        topic = SnsTopic(sns, stack.alarm_topic) if stack.alarm_topic else None
        self.reminder = Reminder(topic, clock)
        self._kms = boto3.client("kms", config=AWS_CONFIG)
        self._stored = ConnectionDocuments(
            boto3.client("ssm", config=AWS_CONFIG),
            boto3.client("secretsmanager", config=AWS_CONFIG),
            stack.connections_path,
            stack.secrets_prefix,
            clock,
            PowertoolsDecisionLog,
        )
        self._connections: Mapping[str, Connection] = {}
        self._stores: dict[str, StateStore] = {}
        self._documents: dict[str, tuple[str, str]] = {}  # settings and secret that each connection was made from
        self._unusable_until: dict[str, datetime] = {}
        self._unusable_codes: dict[str, FailureCode] = {}  # why; none while AWS does not answer
        self.unusable: frozenset[str] = frozenset()  # connections left out

    def connections(self) -> Mapping[str, Connection]:
        """Return the connections by name. One whose settings and secret did not change is kept as it is.

        One that cannot be used is reported, and tried again after five minutes; one whose secret is unavailable, in the
        next run. Raises SettingsUnavailable where AWS lets no connection be made.
        """
        stored = self._stored.settings()
        connections: dict[str, Connection] = {}
        unavailable: list[str] = []
        for name, settings in stored.items():
            retry_at = self._unusable_until.get(name)
            if retry_at is not None and self.clock.now() < retry_at:
                continue
            try:
                connection = self._connection(name, settings)
            except SecretUnavailable as problem:
                PowertoolsDecisionLog(name).record(WaitReason.SETTINGS_UNAVAILABLE, problem=str(problem))
                unavailable.append(name)
                continue
            if connection is None:
                self._unusable_until[name] = self.clock.now() + timedelta(seconds=MAX_AGE_SECONDS)
            else:
                self._unusable_until.pop(name, None)
                connections[name] = connection
        self._connections = connections
        self._unusable_codes = {name: code for name, code in self._unusable_codes.items() if name not in connections}
        self.unusable = frozenset(stored) - frozenset(connections)
        if unavailable and not connections:
            raise SettingsUnavailable(f"Secrets Manager does not answer for {', '.join(unavailable)}")
        return connections

    def statuses(self) -> list[StatusReader]:
        """Return what reads the status of each stored connection, also of those that were left out."""
        unusable = [
            StatusReader(name, self._store(name), self.clock, CAPABILITIES, None, self._unusable_codes.get(name, ""))
            for name in sorted(self.unusable)
        ]
        return [*(connection.status for connection in self._connections.values()), *unusable]

    def _store(self, name: str) -> StateStore:
        """Return the rows of a connection, which need no settings of it."""
        if name not in self._stores:
            stack = self._stack
            self._stores[name] = DynamoStateStore(stack.table, name, stack.region, stack.aws_endpoint)
        return self._stores[name]

    def _connection(self, name: str, settings: str) -> Connection | None:
        """Return the connection that its documents describe; None where they cannot be used.

        Raises SecretUnavailable.
        """
        try:
            documents = settings, self._stored.secret(name)
            if self._documents.get(name) != documents or name not in self._connections:
                connection = self._connect(name, *documents)
            else:
                connection = self._connections[name]
        except SettingsError as problem:
            self._report(name, FailureCode.SETTINGS_UNUSABLE, str(problem))
            return None
        except SecretUnreadable as problem:
            remedy = f"The connection's secret cannot be read ({problem}). Run connect xero, then connect amazon."
            self._report(name, FailureCode.SECRET_UNREADABLE, remedy)
            return None
        self._documents[name] = documents
        return connection

    def _report(self, connection: str, code: FailureCode, remedy: str) -> None:
        self._unusable_codes[connection] = code
        PowertoolsDecisionLog(connection).record(FailureCode.SETTINGS_UNUSABLE, reason=code, remedy=remedy)

    def _connect(self, name: str, settings_text: str, secrets_text: str) -> Connection:
        stack, clock = self._stack, self.clock
        settings = parse(ConnectionSettings, settings_text, f"the settings of connection {name}")
        secrets = parse(ConnectionSecrets, secrets_text, f"the secret of connection {name}")
        store = self._store(name)
        categories = categories_in_file(name, settings, store)
        decisions = PowertoolsDecisionLog(name)
        owner = f"{os.environ.get('AWS_LAMBDA_LOG_STREAM_NAME', '')}#{os.getpid()}"
        identity = XeroTokenEndpoint(
            secrets.xero.client_id, secrets.xero.client_secret, clock, token_url=stack.xero_token_url
        )
        encryption = KmsEncryption(self._kms, stack.token_key, name)
        tokens = XeroTokens(
            identity, store, clock, decisions, owner, secrets.xero.refresh_token, secrets.connected_at, encryption
        )
        seller = AmazonCredentials(secrets.amazon.client_id, secrets.amazon.client_secret, secrets.amazon.refresh_token)
        region, api_url, lwa_url = settings.amazon.region, stack.amazon_api_url or None, stack.lwa_url or None
        parts = included_data(settings)
        amazon = AmazonSellerApi(seller, region, api_url=api_url, lwa_url=lwa_url, included_data=parts)
        finances = AmazonFinancesApi(seller, region, api_url=api_url, lwa_url=lwa_url)
        lists = settings.policy().lists_to_read
        xero = XeroAccounting(tokens, settings.xero.tenant_id, clock, redact, api_url=stack.xero_api_url, lists=lists)
        ports = Ports(
            amazon,
            finances,
            xero,
            store,
            self.dead_letter_queues,
            self._events,
            clock,
            decisions,
            owner,
            AmazonInventoryApi(seller, region, api_url=api_url, lwa_url=lwa_url),
            self._inventory_topic,
            self._reports,
        )
        return connect(profile_of(name, settings, secrets.buyer_salt, categories), ports, tokens)


def categories_in_file(name: str, settings: ConnectionSettings, store: StateStore) -> Mapping[str, str]:
    """Return SKU -> category in the file that the settings name. Raises SettingsError where the table has none."""
    file = settings.tax.category_file
    try:
        return stored_categories(store, file.digest) if file else {}
    except CategoriesMissing as problem:
        raise SettingsError(
            f"the settings of connection {name} cannot be used. tax.category_file: {problem}. "
            "Run make connect again with CATEGORIES."
        ) from None


def included_data(settings: ConnectionSettings) -> tuple[str, ...]:
    """Return the parts of an order to request from Amazon: what is not requested cannot leak."""
    parts = INCLUDED_DATA if settings.amazon.read_destination else INCLUDED_DATA_WITHOUT_DESTINATION
    names_buyers = settings.contacts.policy is not ContactScope.MARKETPLACE
    has_purchase_orders = BuyerReference.PURCHASE_ORDER in settings.invoices.buyer_references
    return (*parts, BUYER) if names_buyers or has_purchase_orders else parts


@cache
def application() -> Application:
    """Return the application of this execution environment. Raises SettingsError for an incomplete environment."""
    queues = [capability.dead_letter_queue for capability in CAPABILITIES.values()]
    return Application(stack_settings(os.environ, queues), SystemClock())
