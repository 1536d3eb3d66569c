"""A connection with its real services and adapters over both sandboxes: in this process, and in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from sp_api.auth.access_token_client import cache as seller_tokens

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.adapters.amazon.inventory import AmazonInventoryApi
from amazon_to_xero.adapters.amazon.orders import AmazonSellerApi
from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import RowStateStore, timestamp
from amazon_to_xero.adapters.xero.accounting import NO_LISTS, XeroAccounting
from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterQueue, OrderEvent, OutboundEvent
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.connection import connect
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.runtime.profile import Ports, profile_of
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from amazon_to_xero.services.posting.tokens import XeroTokens
from bench.counted_table import CountedTable
from local.settings import CONNECTION_JSON
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.wire import Request, Response, SandboxClock, SandboxService
from sandbox.xero import Limits as SandboxLimits
from sandbox.xero import XeroSandbox, organisation_for

START = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
CALL_TAKES = 0.4  # seconds of virtual time
RUN_FOR = timedelta(seconds=60)  # a function's time-out less its reserve
_MINUTES = 30  # for all work of a burst to be finished


class VirtualClock:
    """ports.Clock."""

    def __init__(self, at: datetime = START) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class NoOutput:
    """ports.DecisionLog that discards; ports.DeadLetterQueue and ports.MessageTopic that must not be used."""

    def record(self, decision: str, **fields: object) -> None: ...

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        raise AssertionError(f"{order_id} failed: {reason} {remedy}")

    def publish(self, subject: str, text: str) -> None:
        raise AssertionError(f"a message was sent: {subject} {text}")


class InProcessConnection:
    """One connection, with the settings of `make run`, that Amazon notifies as its subscriptions would.

    Its worker runs when something is notified, and then as the resume function has it run, once a minute.
    """

    def __init__(
        self,
        start: datetime = START - timedelta(days=30),
        inventory: Mapping[str, Any] | None = None,
        *,
        seller: Seller | None = None,
        at: datetime = START,
        dead_letters: DeadLetterQueue | None = None,
    ) -> None:
        """`start` is the setting of that name: what is older is not read; `inventory` replaces that part.

        seller: whose history can be played; by default one without a history.
        at: when the virtual time begins (UTC).
        dead_letters: takes what fails; by default nothing may fail.
        """
        self.clock = VirtualClock(at)
        self.table = CountedTable()
        sandbox_clock = SandboxClock(self.clock.now)
        self.amazon = AmazonSandbox(sandbox_clock, seller or Seller(), lambda *_: None)
        self.xero = XeroSandbox(sandbox_clock, organisation_for("GB"), SandboxLimits(concurrent=5))
        self._store = RowStateStore("main", self.table, CODECS)
        self._events = _Events()
        self._start = start
        self._inventory = inventory
        self._dead_letters = dead_letters or NoOutput()
        self.reports = _Reports()
        self._connection = self._connected()

    def notify_orders(self, orders: Sequence[dict[str, Any]]) -> None:
        """Amazon states these versions of orders and notifies of them; all their documents are posted."""
        now = self.clock.now()
        for order in orders:
            self.amazon.put_order(order)
        known = self.amazon.orders.read_order_ids
        notices = [
            ChangeNotice(each["orderId"], now if each["orderId"] in known else _time(each["lastUpdatedTime"]))
            for each in orders
        ]
        self._run(self._connection.services.notices.record(notices), ORDERS)
        self.finish()

    def notify_transactions(self, transactions: Sequence[dict[str, Any]]) -> None:
        """Amazon posts these transactions and notifies of them; all their documents are posted."""
        self.post_transactions(transactions)
        notices = [ChangeNotice("", _time(each["postedDate"])) for each in transactions]
        self._run(self._connection.services.transaction_notices.record(notices), REFUNDS)
        self.finish()

    def post_transactions(self, transactions: Sequence[dict[str, Any]]) -> None:
        """Amazon posts these transactions, and notifies of none."""
        for transaction in transactions:
            self.amazon.put_transaction(transaction)

    def notice_transaction(self, posted_at: datetime) -> None:
        """Amazon notifies of one transaction that it posted then; everything from there on is read."""
        self._run(self._connection.services.transaction_notices.record([ChangeNotice("", posted_at)]), REFUNDS)
        self.finish()

    def sweep_orders(self, orders: Sequence[dict[str, Any]]) -> None:
        """Amazon states these versions of orders and notifies of none; the sweep of the orders function finds them."""
        for order in orders:
            self.amazon.put_order(order)
        self._connection.worker.sweep(ORDERS, "sweep", self.clock.now() + RUN_FOR)
        self.finish()

    def sweep_transactions(self) -> None:
        """Run the hourly sweep of the refunds function. Raises AssertionError if it stops before its last page."""
        self._connection.worker.sweep(REFUNDS, "sweep", self.clock.now() + RUN_FOR)
        self.finish()
        place = self._store.cursor("sweep#transactions").data
        if "page_token" in place or "watermark" not in place:
            raise AssertionError("the sweep of transactions stopped before its last page")

    def renew_amazon_token(self) -> None:
        """Have the next call fetch a token. The library counts its age in real time, the sandbox in virtual time."""
        seller_tokens.clear()

    def finish(self) -> None:
        """Run the worker once a minute until nothing is due within half an hour.

        A sale whose charge is awaited is due days later. Raises AssertionError if it takes half an hour.
        """
        for _ in range(_MINUTES):
            self._events.deliver(self._plan_shipped)
            if not self._is_work_left():
                return
            self.clock.sleep(-(self.clock.now() - START).total_seconds() % 60 or 60)
            self._connection.worker.run("resume", self.clock.now() + RUN_FOR, wait_for_lease=True)
        raise AssertionError(f"work is due at {self.table.waiting()} after {_MINUTES} minutes")

    def reconcile_stock(self, run_for: timedelta) -> None:
        """Run the inventory_reconciliation function. Raises AssertionError if it does not come to its end."""
        report = self._connection.reconciliation.reconciler.reconcile(
            "bench", self.clock.now() + run_for, is_asked=True
        )
        if report.stopped:
            raise AssertionError(f"stock was not reconciled: {report.stopped}")

    def _is_work_left(self) -> bool:
        noticed = self._store.cursor("noticed#transactions").data
        soon = timestamp(self.clock.now() + timedelta(minutes=_MINUTES))
        return "" < self.table.waiting() <= soon or "next_attempt_at" in noticed or "reading" in noticed

    def _plan_shipped(self, order_ids: Sequence[str]) -> None:
        notices = [ChangeNotice(each) for each in order_ids]
        self._run(self._connection.services.notices.record_shipments(notices), SHIPMENTS)

    def _run(self, named: Sequence[str], capability: str) -> None:
        self._connection.worker.run(
            capability,
            self.clock.now() + RUN_FOR,
            named,
            capabilities=[capability],
            wait_for_lease=CAPABILITIES[capability].waits_for_lease,
        )

    def _connected(self) -> Any:
        document = json.loads(CONNECTION_JSON.read_text(encoding="utf-8"))
        document["xero"]["tenant_id"] = self.xero.tenant_id
        document["start"] = self._start.isoformat()
        if self._inventory is not None:
            document["inventory"] = self._inventory
        settings = parse(ConnectionSettings, json.dumps(document), "infra/local/connection.json")
        no_output = NoOutput()
        ports = Ports(
            amazon_api(AmazonSellerApi, self.amazon, self.clock),
            amazon_api(AmazonFinancesApi, self.amazon, self.clock),
            xero_accounting(self.xero, self.clock),
            self._store,
            dict.fromkeys(CAPABILITIES, self._dead_letters),
            self._events,
            self.clock,
            no_output,
            "bench",
            amazon_api(AmazonInventoryApi, self.amazon, self.clock),
            self.reports,
            self.reports,
        )
        tokens = XeroTokens(None, self._store, self.clock, no_output, "bench", seed=None)  # type: ignore[arg-type]
        return connect(profile_of("main", settings, "0123456789abcdef0123456789abcdef"), ports, tokens)


def amazon_api(kind: Callable[..., Any], sandbox: AmazonSandbox, clock: Clock) -> Any:
    """Return an adapter of Amazon, of that class, over the sandbox in this process; each call takes virtual time."""
    own = Credentials()
    credentials = AmazonCredentials(own.client_id, own.client_secret, own.refresh_token)
    # The library keeps tokens per process by this URL.
    api = kind(credentials, "eu", api_url="https://amazon", lwa_url=f"https://amazon-{id(sandbox)}/auth/o2/token")
    api._client._transport = api._client._auth._transport = _AmazonTransport(sandbox, clock)
    return api


def xero_accounting(sandbox: XeroSandbox, clock: Clock, lists: ListsToRead = NO_LISTS) -> XeroAccounting:
    """Return the Xero adapter over the sandbox in this process; each call takes virtual time."""
    accounting = XeroAccounting(_Token(sandbox), sandbox.tenant_id, clock, redact, lists=lists)
    accounting._connection.transport.pool_manager = _XeroPool(sandbox, clock)
    return accounting


class _Token:
    """ports.AccessTokens."""

    def __init__(self, sandbox: XeroSandbox) -> None:
        self._sandbox = sandbox

    def current(self) -> str:
        return self._sandbox.identity.issue_access_token()

    def renewed(self, stale: str) -> str:
        return self.current()


class _Reports:
    """ports.ReportStore and ports.MessageTopic. stored: the content of each report by its name."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    def put(self, name: str, content: bytes, content_type: str) -> None:
        self.stored[name.rpartition("/")[2]] = content

    def publish(self, subject: str, text: str) -> None: ...


class _Events:
    """ports.EventBus: orders that shipped or were cancelled, until their function takes them."""

    def __init__(self) -> None:
        self._order_ids: dict[str, None] = {}

    def publish(self, connection: str, events: Sequence[OutboundEvent]) -> int:
        self._order_ids |= dict.fromkeys(event.order_id for event in events if isinstance(event, OrderEvent))
        return 0

    def deliver(self, receive: Callable[[Sequence[str]], None]) -> None:
        if self._order_ids:
            order_ids, self._order_ids = list(self._order_ids), {}
            receive(order_ids)


class _XeroPool:
    """Replaces urllib3's pool manager in the adapter's transport."""

    def __init__(self, sandbox: XeroSandbox, clock: Clock) -> None:
        self._sandbox = sandbox
        self._clock = clock

    def clear(self) -> None:
        """Do nothing: there are no connections to close."""

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> Any:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        raw = body.encode() if isinstance(body, str) else body or b""
        answer = _answered(self._sandbox, Request.to(method, target, headers=headers, body=raw), self._clock)
        return urllib3.HTTPResponse(answer.body, answer.headers, answer.status, preload_content=True)


class _AmazonTransport:
    """Replaces the HTTP transport of Amazon's library."""

    def __init__(self, sandbox: AmazonSandbox, clock: Clock) -> None:
        self._sandbox = sandbox
        self._clock = clock

    def request(
        self, *, method: str, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any
    ) -> Any:
        body = urlencode(data) if isinstance(data, Mapping) else data or ""
        query = urlencode(params or {}, doseq=True)
        target = f"{urlsplit(url).path}?{query}"
        request = Request.to(method, target, headers=headers, body=body.encode())
        return _HttpxAnswer(_answered(self._sandbox, request, self._clock))


class _HttpxAnswer:
    def __init__(self, answer: Response) -> None:
        self.status_code = answer.status
        self.content = answer.body
        self.headers = answer.headers
        self.is_success = 200 <= answer.status < 300


def _answered(sandbox: SandboxService, request: Request, clock: Clock) -> Response:
    answer = sandbox.handle(request)
    clock.sleep(CALL_TAKES)
    return answer


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
