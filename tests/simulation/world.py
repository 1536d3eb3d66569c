"""One world: a seller's history, the whole system, the weather, and what must hold at the end."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "simulation")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "simulation")

import orders.handler
import refunds.handler
import resume.handler
import shipments.handler
from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore, timestamp
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.planning import confirmation
from amazon_to_xero.ports.outbound import OrderEvent
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.handlers import queue_handler
from amazon_to_xero.services.intake import reader
from amazon_to_xero.services.planning import confirmations
from amazon_to_xero.services.planning import refunds as refund_plans
from amazon_to_xero.services.posting import batches
from fakes.statements import STATEMENTS, statement_message, with_statements
from sandbox.amazon import AmazonSandbox, Credentials, Seller
from sandbox.amazon.refusals import Refusals
from sandbox.wire import Request, SandboxClock
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REFRESH_TOKEN, XeroSandbox
from simulation import history as made
from simulation.application import SimulatedApplication, current_world
from simulation.corrections import DrawnCorrections
from simulation.culprits import Culprit, Culprits
from simulation.days import DrawnDays
from simulation.functions_service import Functions, Handler, Poller, Schedule
from simulation.grants import is_refused
from simulation.lock_dates import DrawnLockDates
from simulation.other_organisation import OtherOrganisation
from simulation.queues import Queue
from simulation.scheduler import START, Scheduler
from simulation.statements import StatementVendor
from simulation.table import MemoryTable
from simulation.transactions import AmazonTransactions
from simulation.watch import Watch
from simulation.weather import Weather
from simulation.wires import AmazonWire, XeroWire

ARN = "arn:aws:sqs:eu-west-1:123456789012:"  # and the name of the queue
_SUBSCRIPTIONS = {ORDERS: "ORDER_CHANGE", REFUNDS: "TRANSACTION_UPDATE"}  # of each queue
_LISTED_AFTER = timedelta(seconds=130)  # Amazon lists no transaction sooner; the sweep's watermark counts from there
# An order that Amazon refuses fails within a day; found by a search, it waits nearly as long before that for its buyer.
_REFUSED_FOR = 48 * 3600.0
AT_REST_WITHIN = 12 * 3600.0  # seconds after the last fault; longer where a day's calls are used up


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
    refunds: bool | None = None  # whether there are any, instead of a draw
    tidies: bool | None = None  # whether a bookkeeper archives or merges a contact, instead of a draw
    other_organisation: bool | None = None  # whether the settings name another one for a while, instead of a draw
    days: bool | None = None  # whether there is one invoice per day, instead of a draw
    moves_dates: bool | None = None  # there are lock dates, and the settings say so of documents, instead of a draw
    culprits: tuple[Culprit, ...] = ()  # faults that last, of the first orders, instead of those that are drawn
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
        self.watch = Watch(self)
        self.trace: list[str] = []
        rng = self._stream("world")
        self.rng = rng
        self.scheduler = Scheduler(self._stream("scheduler"))
        self.weather = replace(Weather.drawn(self._stream("weather")), **self.layers.weather)
        self.length = rng.choice((60.0, 600.0, 1800.0, 5400.0))
        self.table = self.layers.table(self._stream("table"), self.scheduler, self.watch.row_written)
        self.decoded: dict[int, tuple[Row, Any]] = {}
        self._cursors: dict[str, tuple[Row, dict[str, str]]] = {}  # each cursor's newest row, with its data
        self.statements = StatementVendor(self.scheduler.now, START)
        self.capabilities = with_statements(self.statements.current)
        self.days = DrawnDays(self, self.layers.days)
        self.per_shipment = rng.random() < 0.4 or self.days.are_used
        self.histories = made.histories(
            self._stream("history"),
            START,
            self.layers.orders or rng.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 6, 8, 20)),
            self.length,
            self.per_shipment,
        )
        order_ids = [one.order_id for one in self.histories]
        self.statements.draw(self._stream("statements"), order_ids, self.length)
        self.culprits = Culprits(self._stream("culprits"), order_ids, self.statements.histories, self.layers.culprits)
        self.transactions = AmazonTransactions(
            self._stream("transactions"),
            START,
            self.histories,
            self.length,
            not self.culprits.has_amazons,
            self.layers.refunds,
        )
        if self.culprits.refused_marketplace:
            self.weather = replace(self.weather, notification_lost=0.0)  # no sweep would ever find its order
        self.redrives = 0
        self.redriven: Counter[str] = Counter()  # dead letters, by the order they are about
        self._sweep_until = START
        self._queues_and_services(rng)
        self.stale: set[str] = set()  # orders of which Amazon once showed an older version
        self.shown: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        self.sent: list[tuple[str, str]] = []  # every notification and every event
        self._notifications = self._stream("notifications")
        self._transaction_notices = self._stream("transaction notices")
        self._events = self._stream("events")
        self.disconnected = False  # somebody withdrew the authorisation in Xero, and it has not been given again
        self.contacts_were_tidied = False
        self.last_correction = 0.0  # seconds since the world began
        self.own_contacts: set[str] = set()  # ids of the contacts that corrections state
        self.merged_contacts: set[str] = set()  # numbers of contacts that were merged into others
        self.german_settings = False
        self.xero_is_short_of_currency = rng.random() < 0.1
        self.closed_account = rng.random() < 0.1
        self._settings_and_secrets(rng)
        self.lock_dates = DrawnLockDates(self, self.layers.moves_dates)
        if self.lock_dates.moves_dates:
            self.settings["invoices"]["lock_dates"] = "next_open_day"
            self.store_documents()
        self.other_organisation = OtherOrganisation(self, self.layers.other_organisation)
        self._constants = {
            **self.layers.without,
            (batches, "BATCH_SIZE"): rng.choice((50, 50, 5, 2, 1)),
            (reader, "PAGES_FROM"): rng.choice((20, 20, 6, 3)),
            (refund_plans, "SALE_LIMIT"): self.sale_limit,
            (confirmations, "SALE_LIMIT"): self.sale_limit,
            (confirmation, "CHARGE_LIMIT"): self.transactions.charge_limit,
            **self.days.constants,
            **self.layers.constants,
        }

    def _settings_and_secrets(self, rng: random.Random) -> None:
        self.settings = json.loads(json.dumps(made.SETTINGS))
        self.settings["xero"]["tenant_id"] = self.xero.tenant_id
        self.settings["invoices"] = {"per": "shipment" if self.per_shipment else "order"}
        self.contacts = self._stream("contacts").choice(("marketplace", "marketplace", "buyers", "business_buyers"))
        if self.days.are_used:
            self.contacts = "marketplace"  # buyers have no part in the invoice of a day
            self.settings["invoices"]["per"] = "day"
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
            "connected_at": "2026-01-01T00:00:00Z",
        }
        if not self.custom_connection:
            self.secrets["xero"]["refresh_token"] = DEFAULT_REFRESH_TOKEN
        self.store_documents()

    def store_documents(self) -> None:
        """Write settings and secret as they are now to where the functions read them."""
        self.settings_text, self.secrets_text = json.dumps(self.settings), json.dumps(self.secrets)

    @property
    def sale_limit(self) -> timedelta:
        """How long a refund waits for its sale. Where a day's calls are used up, an invoice may wait for days."""
        return timedelta(days=10) if self.day_limit else self.transactions.sale_limit

    def _queues_and_services(self, rng: random.Random) -> None:
        scheduler = self.scheduler
        visibility = rng.choice((740.0, 740.0, 150.0))
        self.dead_letters = {
            work: Queue(f"{work} dlq", scheduler, self._stream(f"{work} dlq")) for work in self.capabilities
        }
        self.queues = {
            work: Queue(
                work, scheduler, self._stream(f"{work} queue"), visibility, dead_letters=self.dead_letters[work]
            )
            for work in self.capabilities
        }
        self.amazon = AmazonSandbox(
            SandboxClock(scheduler.now),
            Seller(seller_id="A1SELLER"),
            self._published,
            transactions_per_page=self.transactions.page_size,
        )
        self.amazon.transaction_faults.delay_hours = self.transactions.delay / timedelta(hours=1)  # type: ignore[assignment]
        self.xero = XeroSandbox(SandboxClock(scheduler.now))
        self.day_limit = 60 if rng.random() < 0.02 else 0
        if self.day_limit:
            self.xero.limits.change({"day": self.day_limit})
        if not self.layers.xero_numbers_unique:
            _allow_any_number(self.xero)
        wire = (scheduler, self._stream("xero"), lambda: self.weather, self.log)
        latest = {} if self.layers.latest is None else {"latest": self.layers.latest}
        self.xero_wire = XeroWire(
            "xero", self.xero, *wire, culprits=self.culprits, drops_keys=self.layers.xero_drops_keys, **latest
        )
        self.amazon_wire = AmazonWire(
            "amazon",
            self.amazon,
            scheduler,
            self._stream("amazon"),
            lambda: self.weather,
            self.log,
            culprits=self.culprits,
            page_size=rng.choice((None, None, 2, 3)),
            before=self._version_before,
            visible=self.transactions.visible,
        )
        self.functions = Functions(
            scheduler,
            self._stream("lambda"),
            lambda: self.weather,
            lambda sandbox: SimulatedApplication(self, sandbox),
            self.log,
            self.watch.invocation_raised,
            outlive_timeout=rng.random() < 0.2,
        )
        self.pollers = [
            Poller(
                self.queues[work],
                self.functions,
                work,
                self._handler(handler),
                scheduler,
                self._stream(f"{work} poller"),
                lambda: self.weather,
                partial(self.watch.message_acknowledged, work),
                batch=rng.choice((1000, 1000, 3)),
            )
            for work, handler in (
                (ORDERS, orders.handler.handler),
                (SHIPMENTS, shipments.handler.handler),
                (REFUNDS, refunds.handler.handler),
                (STATEMENTS, queue_handler(self.capabilities[STATEMENTS])),
            )
        ]
        schedule = (scheduler, self._stream("schedules"), lambda: self.weather)
        self.schedules = [
            Schedule(
                self.functions,
                "resume",
                self._handler(resume.handler.handler),
                {"resume": "due"},
                60,
                *schedule,
                self._anything_due,
            ),
            Schedule(
                self.functions,
                "sweep",
                self._handler(orders.handler.handler),
                {"sweep": "orders"},
                900,
                *schedule,
                self._unswept,
            ),
        ]
        if self.transactions.is_used:
            every = (scheduler, self._stream("refunds schedule"), lambda: self.weather)
            handler, event = self._handler(refunds.handler.handler), {"sweep": "refunds"}
            self.schedules.append(
                Schedule(self.functions, "refunds", handler, event, 3600, *every, self._are_transactions_unread)
            )

    def _handler(self, deployed: Handler) -> Handler:
        """Return a handler, without Powertools' log and metrics around it unless everything is real."""
        unwrapped: Handler = inspect.unwrap(deployed)
        return deployed if self.everything_real else unwrapped

    # --- running ----------------------------------------------------------------------------------------------------

    def run(self) -> Result:
        with _constants(self._constants), current_world(self):
            try:
                self._live()
            except Stuck as problem:
                self.watch.violations.append(f"not at rest: {problem}")
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
        return Result(self.seed, self.watch.violations, self.trace, stats)

    def _live(self) -> None:
        self._subscribe()
        self._plan()
        for poller in self.pollers:
            poller.start()
        for schedule in self.schedules:
            schedule.start()
        last = max(version.at for one in self.histories for version in one.versions)
        # What changes hours later does so in calm weather: after a storm of hours, giving up would be right.
        storm = max(min(last, self.length + 600.0), self.length, self.last_correction) + self.rng.random() * 600
        self.scheduler.run(lambda: False, storm)
        self.log("world", "the weather is calm, the operator mends what is broken")
        self.weather = self.weather.calm()
        self.scheduler.run(lambda: False, max(0.0, max(last, self.other_organisation.until) - self.scheduler.seconds))
        self._list_transactions_again()
        self._mend()
        self.scheduler.run(lambda: False, 200)  # what was sent in the storm may be refused after it
        if is_refused(self.trace) and not self.disconnected:
            self._xero_is_connected_again()
        self.scheduler.run(lambda: False, 200)
        self._rest()
        self._redrive()
        self._rest()
        from simulation.invariants import Invariants

        invariants = Invariants(self)
        invariants.at_rest()
        before = [seen for seen in self.xero_wire.seen if seen.writes]
        contacts = [row for sk, row in self.table.rows.items() if sk.startswith("DOCUMENT#contact#")]
        failed_contacts = sum(row.state == "FAILED" for row in contacts)
        failed_orders = {sk for sk, row in self.table.rows.items() if sk.startswith("ORDER#") and row.state == "FAILED"}
        self.log("world", "every notification is delivered once more")
        for work, body in tuple(self.sent):
            self.queues[work].send(body)
        self._rest(sweep_again=True)
        invariants.replayed(before, failed_contacts, failed_orders)

    def _rest(self, sweep_again: bool = False) -> None:
        """Until nothing moves any more, and a sweep has seen Amazon's last change."""
        seen_until = self.scheduler.now() if sweep_again else self.last_change + timedelta(seconds=1)
        self._sweep_until = seen_until
        limit = _REFUSED_FOR if self.culprits.has_amazons else AT_REST_WITHIN
        limit += self.transactions.shown_at + self.sale_limit.total_seconds()
        limit += self.transactions.charge_limit.total_seconds()
        limit = limit + 5 * 86400.0 if self.day_limit else limit
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
        if self._are_transactions_unread() or self._notices_of_transactions():
            return False
        swept = self._swept_until()
        return swept is not None and swept >= seen_until

    def _are_transactions_unread(self) -> bool:
        """Whether Amazon has listed no page to the sweep of transactions since it shows all of them."""
        if not self.transactions.is_used:
            return False
        if self.table.awaits_a_charge:
            return True  # a charge is missing only where the sweep has passed its limit
        swept = self._swept_until("transactions")
        shown_at = max(START + timedelta(seconds=self.transactions.shown_at), self._sweep_until)
        if self.table.has_refunds_without_sale:
            shown_at = max(shown_at, self.table.changed_at)
        return swept is None or swept + _LISTED_AFTER < shown_at

    def _notices_of_transactions(self) -> Mapping[str, str]:
        """What the notices of transactions make due: empty once Amazon was read because of each."""
        return self._cursor("noticed#transactions")

    def _unswept(self) -> bool:
        """Whether a sweep would find more than the last one, or the world waits for one."""
        swept = self._swept_until()
        return swept is None or swept < max(self._sweep_until, self.last_change + timedelta(seconds=1))

    def _swept_until(self, what: str = ORDERS) -> datetime | None:
        watermark = self._cursor(f"sweep#{what}").get("watermark")
        return datetime.fromisoformat(watermark) if watermark else None

    def _cursor(self, name: str) -> Mapping[str, str]:
        """Return what a cursor holds; each of its rows is decoded once, however often the world asks."""
        row = self.table.rows.get(f"CURSOR#{name}")
        if row is None:
            return {}
        known = self._cursors.get(name)
        if known is None or known[0] is not row:
            known = self._cursors[name] = row, json.loads(row.data)
        return known[1]

    def _anything_due(self) -> bool:
        if self.table.waits and self.table.first_waiting() <= timestamp(self.scheduler.now()):
            return True
        notices = self._notices_of_transactions()
        if "reading" in notices or notices.get("next_attempt_at", "9") <= self.scheduler.now().isoformat():
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
        seller = {"x-amz-access-token": self.amazon.login._issue("seller", self.scheduler.now(), {}).body.decode()}
        seller["x-amz-access-token"] = json.loads(seller["x-amz-access-token"])["access_token"]
        for queue, kind in _SUBSCRIPTIONS.items():
            destination = ask(
                "POST",
                "/notifications/v1/destinations",
                {"name": queue, "resourceSpecification": {"sqs": {"arn": f"{ARN}{queue}"}}},
                **token,
            )["payload"]["destinationId"]
            ask(
                "POST",
                f"/notifications/v1/subscriptions/{kind}",
                {"payloadVersion": "1.0", "destinationId": destination},
                **seller,
            )

    def _plan(self) -> None:
        self.last_change = START
        for one in self.histories:
            for version in one.versions:
                self.scheduler.after(version.at, partial(self._happens, version))
                self.last_change = max(self.last_change, START + timedelta(seconds=version.at))
        for statement_id, history in self.statements.histories.items():
            for at, _ in history.versions:
                self.scheduler.after(at, partial(self._statement_changes, statement_id))
        self._plan_transactions()
        self._plan_corrections()
        if self.xero_is_short_of_currency:
            del self.xero.books.currencies["CAD"]
        if self.closed_account:
            self._account("206", "ARCHIVED")
        self._plan_incidents()
        self.other_organisation.plan()
        self.lock_dates.plan()
        bookkeeper = self._stream("bookkeeper")
        tidies = bookkeeper.random() < 0.15
        if tidies if self.layers.tidies is None else self.layers.tidies:
            self.scheduler.after(bookkeeper.random() * self.length, partial(self._tidy_contacts, bookkeeper))

    def _plan_corrections(self) -> None:
        """Have the accountant send what is drawn for orders without refunds and without faults that last."""
        orders = [
            one
            for one in self.histories
            if one.order_id not in self.transactions.of_order and self.culprits.of(one.order_id) is None
        ]
        rng = self._stream("corrections")
        self.xero.books.configure({"TrackingCategories": [{"Name": "Region", "Options": [{"Name": "North"}]}]})
        for at, body in DrawnCorrections(rng, orders, self.length, self.per_shipment, self._own_contact).sent:
            self.last_correction = max(self.last_correction, at)
            self.scheduler.after(at, partial(self._correction_is_sent, body, rng))

    def _own_contact(self) -> str:
        """Return the id of a contact that the accountant keeps in Xero."""
        if not self.own_contacts:
            self.own_contacts.add(self.xero.contacts.create({"Name": "An own customer"}).id)
        return next(iter(self.own_contacts))

    def _correction_is_sent(self, body: str, rng: random.Random) -> None:
        self.log("accountant", body)
        self.sent.append((SHIPMENTS, body))
        self._delivered(SHIPMENTS, body, rng, self.weather.event_late)

    def _plan_transactions(self) -> None:
        transactions = self.transactions
        self.table.awaits_charges = transactions.is_used
        for at, transaction in transactions.posted:
            self.scheduler.after(at, partial(self._transaction_is_posted, transaction))
        for at, count in transactions.empty_pages:
            self.scheduler.after(at, partial(setattr, self.amazon.transactions, "empty_pages", count))
        if transactions.refused is not None:
            begins, ends = transactions.refused
            self.scheduler.after(begins, self._refuse_to_list_transactions)
            self.scheduler.after(ends, self._list_transactions_again)

    def _transaction_is_posted(self, transaction: dict[str, Any]) -> None:
        self.log("amazon", f"transaction {transaction['transactionId']} is {transaction['transactionStatus']}")
        self.amazon.put_transaction(transaction, notify=True)

    def _refuse_to_list_transactions(self) -> None:
        self.log("amazon", "refuses listTransactions")
        self.amazon.refusals = Refusals(operations=["listTransactions"])

    def _list_transactions_again(self) -> None:
        self.amazon.refusals = Refusals()

    def _plan_incidents(self) -> None:
        """Decide what else happens: revoked tokens, unusable messages, what the operator does."""
        rng = self.rng
        if rng.random() < 0.2:
            queue = self.queues[rng.choice((ORDERS, SHIPMENTS))]
            self.scheduler.after(rng.random() * self.length, partial(self._send_unusable_message, queue))
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

    def _tidy_contacts(self, rng: random.Random) -> None:
        """A bookkeeper archives one of our contacts in Xero, or merges it into another one."""
        contacts = self.xero.holdings()["Contacts"]
        numbers = [
            each["ContactNumber"]
            for each in contacts
            if each["ContactStatus"] == "ACTIVE" and each.get("ContactNumber", "").startswith("AMAZON-")
        ]
        if not numbers:
            return
        self.contacts_were_tidied = True
        number, *others = rng.sample(numbers, k=min(2, len(numbers)))
        if others and rng.random() < 0.5:
            self.log("bookkeeper", f"merges the contact {number} into {others[0]}")
            self.merged_contacts.add(number)
            self.xero.contacts.merge(number, others[0])
        else:
            self.log("bookkeeper", f"archives the contact {number}")
            self.xero.contacts.archive(number)

    def _redrive(self) -> None:
        """Each dead-letter queue back to its own queue."""
        self.redrives += 1
        waiting = (letter for queue in self.dead_letters.values() for letter in queue.messages.values())
        self.redriven.update(str(letter.attributes.get("order_id")) for letter in waiting)
        counts = {work: letters.redrive(self.queues[work]) for work, letters in self.dead_letters.items()}
        self.log("world", f"redriven {', '.join(f'{count} {work}' for work, count in counts.items())}")

    def _happens(self, version: made.Version) -> None:
        order = version.order
        order_id = order["orderId"]
        self.log("amazon", f"{order_id} is {order['fulfillment']['fulfillmentStatus']} of {order['lastUpdatedTime']}")
        self.shown.setdefault(order_id, []).append((self.scheduler.seconds, order))
        self.amazon.put_order(order, notify=True)

    def _send_unusable_message(self, queue: Queue) -> None:
        queue.send("not JSON")

    def _statement_changes(self, statement_id: str) -> None:
        """The vendor's message; it always arrives, late, more than once, or in any order."""
        body = statement_message(statement_id)
        self.sent.append((STATEMENTS, body))
        self._delivered(STATEMENTS, body, self._notifications, self.weather.notification_late)

    def _published(self, arn: str, body: str) -> None:
        queue = arn.removeprefix(ARN)
        self.sent.append((queue, body))
        rng, weather = self._notifications if queue == ORDERS else self._transaction_notices, self.weather
        if rng.random() >= weather.notification_lost:
            self._delivered(queue, body, rng, weather.notification_late)

    def on_the_bus(self, connection: str, event: OrderEvent) -> bool:
        """The own bus, and the rule that sends its events to the shipments queue; False when it takes the event not."""
        detail = {
            "connection": connection,
            "order_id": event.order_id,
            "updated": event.version.isoformat(),
            "marketplace_id": event.marketplace_id,
        }
        body = json.dumps({"source": "amazon-to-xero", "detail-type": event.kind, "detail": detail})
        self.watch.check_for_buyer_data("an event", body)
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
        """What Amazon may still show of an order that has just changed.

        Not where it refuses the search, before the first sweep has found that out: nothing would read the order again.
        """
        is_unknown = "CURSOR#search-scope" not in self.table.rows
        shown = self.shown.get(order_id, [])
        if len(shown) < 2 or self.scheduler.seconds - shown[-1][0] > 60:
            return None
        if is_unknown and shown[-1][1]["salesChannel"]["marketplaceId"] == self.culprits.refused_marketplace:
            return None
        self.stale.add(order_id)
        return shown[-2][1]

    def _mend(self) -> None:
        self.log("world", "the operator mends settings and Xero")
        if not self.german_settings:
            self.german_settings = True
            self.settings["amazon"]["marketplaces"].append(made.DE)
            self.settings["tax"]["rules"].append(made.GERMAN_RULE)
            self.store_documents()
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
        self.secrets["connected_at"] = "2026-01-02T00:00:00Z"
        self.store_documents()
        self.disconnected = False

    # --- what is noticed --------------------------------------------------------------------------------------------

    def log(self, who: str, what: str) -> None:
        self.trace.append(f"{self.scheduler.seconds:10.3f} {who}: {what}")

    def _stream(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}/{name}")  # noqa: S311 - repeatable on purpose


def _allow_any_number(xero: XeroSandbox) -> None:
    """Make the sandbox Xero accept two documents with one number."""
    for documents in (xero.invoices, xero.credit_notes):
        checked: Any = documents._number

        def unchecked(
            document_type: str,
            element: dict[str, Any],
            existing: Any,
            problems: list[str],  # what the sandbox would reject
            checked: Any = checked,
        ) -> str:
            number: str = checked(document_type, element, existing, [])
            return number

        replaced: Any = documents
        replaced._number = unchecked


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
