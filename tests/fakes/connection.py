"""One connection over fakes, wired by the composition root as in the cloud: the harness of the services' tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from amazon_to_xero.domain.amazon.correction_message import correction_message
from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.stock_statements import parse_stock_notification
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, LineTerms
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.source import SourceKind, identity_of
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.domain.stock.record import StockRecord
from amazon_to_xero.ports.amazon import FinancesApi, Json
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.xero import TokenSet
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.connection import Connection, connect
from amazon_to_xero.runtime.profile import ConnectionProfile, Ports
from amazon_to_xero.services.planning.document_requests import request_documents
from amazon_to_xero.services.posting.tokens import XeroTokens
from amazon_to_xero.services.work_report import PostReport, StepReport
from fakes.books import POLICY
from fakes.state import (
    ManualClock,
    MemoryStateStore,
    RecordingDeadLetters,
    RecordingDecisionLog,
    RecordingEvents,
    RecordingReports,
    RecordingTopic,
)
from fakes.stock import ScriptedInventory
from fakes.vendors import ScriptedAmazon, ScriptedXero

MINUTE = timedelta(minutes=1)
SALT = "0123456789abcdef0123456789abcdef"


class NoIdentity:
    """ports.XeroIdentity that must not be asked: the fake Xero takes no tokens."""

    def client_credentials(self) -> TokenSet:
        raise AssertionError("no token is needed here")

    def refresh(self, refresh_token: str) -> TokenSet:
        raise AssertionError("no token is needed here")


class FakeConnection:
    """A connection over ScriptedAmazon, ScriptedXero and rows in memory.

    dead_letters: by capability.
    finances: Amazon's transactions; those of `amazon`, where nothing else is given.
    tenant_id: what the settings name, from the next restart on.
    lag: how late the due index shows a row.
    log: where decisions go; to `decisions`, where nothing else is given.
    """

    def __init__(
        self,
        *orders: Json,
        policy: PostingPolicy = POLICY,
        name: str = "main",
        seller_id: str = "A1SELLERMADEUP",
        clock: ManualClock | None = None,
        lag: timedelta = timedelta(),
        dead_letters: dict[str, RecordingDeadLetters] | None = None,
        log: DecisionLog | None = None,
        stock_policy: StockPolicy | None = None,
        reconciliation_policy: ReconciliationPolicy | None = None,
    ) -> None:
        self.name = name
        self.seller_id = seller_id
        self.policy = policy
        self.tenant_id = "tenant-1"
        self.clock = clock or ManualClock()
        self.store = MemoryStateStore(self.clock, lag, name)
        self.amazon = ScriptedAmazon(self.clock, *orders)
        self.finances: FinancesApi | None = None
        self.xero = ScriptedXero(clock=self.clock)
        self.decisions = RecordingDecisionLog()
        self.log = log or self.decisions
        self.dead_letters = dead_letters or {capability: RecordingDeadLetters() for capability in CAPABILITIES}
        self.events = RecordingEvents()
        self.stock_policy = stock_policy
        self.reconciliation_policy = reconciliation_policy
        self.reports = RecordingReports()
        self.inventory = ScriptedInventory()
        self.inventory_topic = RecordingTopic()
        self._corrections = 0
        self.connection = self.restart()

    def restart(self) -> Connection:
        """Start another sandbox of the function: nothing is left in memory."""
        tokens = XeroTokens(NoIdentity(), self.store, self.clock, self.log, "sandbox", seed=None)
        ports = Ports(
            self.amazon,
            self.finances or self.amazon,
            self.xero,
            self.store,
            self.dead_letters,
            self.events,
            self.clock,
            self.log,
            "sandbox",
            self.inventory,
            self.inventory_topic,
            self.reports,
        )
        profile = ConnectionProfile(
            self.name,
            self.seller_id,
            self.policy,
            SALT,
            tenant_id=self.tenant_id,
            stock_policy=self.stock_policy,
            reconciliation_policy=self.reconciliation_policy,
        )
        self.connection = connect(profile, ports, tokens)
        return self.connection

    # --- the steps --------------------------------------------------------------------------------------------------

    def notice(self, order_ids: Iterable[str], at: datetime | None = None) -> list[str]:
        """Record a change notice for each order; return the ids of those that are to be read now."""
        notices = [ChangeNotice(order_id, at or self.clock.now()) for order_id in order_ids]
        return self.connection.services.notices.record(notices)

    def correct(
        self,
        kind: CorrectionKind,
        value: str = "",
        source: str = "order#A",
        line: str = "",
        correction_id: str = "",
        terms: tuple[LineTerms, ...] = (),
    ) -> list[str]:
        """Record a person's correction of an order or refund as its message arrives; return what is due."""
        self._corrections += 1
        by, why = "accountant", "it is a book"
        named = correction_id or f"c{self._corrections}"
        made = Correction(named, kind, value, by, why, self.clock.now(), line, terms=terms)
        capability = CAPABILITIES[SHIPMENTS if identity_of(source, SourceKind.ORDER) else REFUNDS]
        notice = capability.parse(correction_message(self.name, source, made))
        return capability.record(self.connection.services, [notice])

    def read(self, named: Sequence[str] = (), deadline: datetime | None = None) -> StepReport:
        return self.connection.services.order_reader.read_due(list(named), self._deadline(deadline))

    def sweep(self, deadline: datetime | None = None) -> StepReport:
        return self.connection.services.order_sweep.sweep(self._deadline(deadline))

    def notice_transactions(self, *posted_at: datetime) -> list[str]:
        """Record a notice of a transaction posted at each time."""
        notices = [ChangeNotice("", at) for at in posted_at]
        return self.connection.services.transaction_notices.record(notices)

    def read_transactions(self, deadline: datetime | None = None) -> StepReport:
        return self.connection.services.transaction_reader.read_due((), self._deadline(deadline))

    def sweep_transactions(self, deadline: datetime | None = None) -> StepReport:
        return self.connection.services.transaction_sweep.sweep(self._deadline(deadline))

    def plan_refunds(self, *named: str, deadline: datetime | None = None) -> StepReport:
        return self.connection.services.refund_planner.plan_due(REFUNDS, named, self._deadline(deadline))

    def plan_drafts(self, *named: str, deadline: datetime | None = None) -> StepReport:
        """Plan what the orders function plans."""
        return self.connection.services.order_planner.plan_due(ORDERS, named, self._deadline(deadline))

    def plan_shipments(self, *named: str, deadline: datetime | None = None) -> StepReport:
        """Plan what the shipments function plans."""
        return self.connection.services.order_planner.plan_due(SHIPMENTS, named, self._deadline(deadline))

    def notice_stock(self, *notifications: Mapping[str, Any]) -> list[str]:
        """Record notifications of stock, as they are read from messages."""
        notices = [parse_stock_notification(json.dumps(each)) for each in notifications]
        return self.connection.services.stock.recorder.record_notices(notices)

    def sweep_stock(self, deadline: datetime | None = None) -> StepReport:
        return self.connection.services.stock.sweep.sweep(self._deadline(deadline))

    def send_alerts(self, deadline: datetime | None = None) -> StepReport:
        return self.connection.services.stock.alerts.send_due((), self._deadline(deadline))

    def reconcile_stock(self, deadline: datetime | None = None, *, is_asked: bool = True) -> StepReport:
        until = deadline or self.clock.now() + 14 * MINUTE
        return self.connection.reconciliation.reconciler.reconcile("worker", until, is_asked=is_asked)

    def post(self, *named: str, deadline: datetime | None = None) -> PostReport:
        return self.connection.poster.post_due(named, self._deadline(deadline))

    def request(self, *desired: DesiredDocument) -> None:
        """Request documents as a plan does."""
        request_documents(self.store, self.clock, desired)

    # --- what is stored ---------------------------------------------------------------------------------------------

    def record(self, order_id: str = "A") -> OrderRecord:
        return self.store.load(OrderRecord, [order_id])[order_id]

    def transaction(self, transaction_id: str = "R1") -> TransactionRecord:
        return self.store.load(TransactionRecord, [transaction_id])[transaction_id]

    def stock(self, key: str) -> StockRecord:
        return self.store.load(StockRecord, [key])[key]

    def document(self, number: str = "A", kind: DocumentKind = DocumentKind.INVOICE) -> Document:
        key = document_key(kind, number)
        return self.store.load(Document, [key])[key]

    def _deadline(self, deadline: datetime | None) -> datetime:
        return deadline or self.clock.now() + MINUTE
