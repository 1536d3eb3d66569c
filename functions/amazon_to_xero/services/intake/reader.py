"""Reads orders that want reading, records them, and says which documents should stand in Xero.

Pages cost less than single orders: one searchOrders call brings 100 orders, one getOrder call one. Few orders are read
singly and at once; many are read in pages from the earliest hint on, which shows orders two minutes after their change.
Reading and deriving may be repeated at any time: documents are written before the order's row stops being due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.amazon.order import Fulfilment, last_updated, read_order
from amazon_to_xero.domain.amazon.order_record import OrderFact, Standing, Wants
from amazon_to_xero.domain.amazon.shipment import shipments_of
from amazon_to_xero.domain.books.contact import BUYER_UNKNOWN, Customer, customer_of
from amazon_to_xero.domain.books.document import Desired, State, Work
from amazon_to_xero.domain.books.document_types import Kind, document_key
from amazon_to_xero.domain.canonical import canonical_json, content_hash
from amazon_to_xero.domain.failures import Refused
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import check_marketplace, is_booked, nothing_to_invoice
from amazon_to_xero.domain.timestamps import moment
from amazon_to_xero.domain.token_bucket import TokenBucket
from amazon_to_xero.ports.amazon import (
    AmazonError,
    AmazonNotAuthorised,
    AmazonNotFound,
    AmazonThrottled,
    Json,
    OrderPage,
    SellerApi,
)
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import Events, Journal, OrderEvent
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.runtime.privacy import without_buyer_data
from amazon_to_xero.services.intake.buyer_details import Buyers
from amazon_to_xero.services.pauses import NOT_AUTHORISED_FOR, Pauses
from amazon_to_xero.services.planning.planner import UNFORESEEN, OrderBooking, want

# Amazon: usage plans of the Orders API v2026-01-01.
SEARCH_ORDERS = ("searchOrders", Decimal("0.0056"), 20)
GET_ORDER = ("getOrder", Decimal("0.5"), 30)

PAGES_FROM = 20  # fewer orders are read singly: at once, and leaving the scarce pages to bursts and sweeps
PAGES_FOR_SWEEPS = 3  # pages that bursts leave to the sweeps; the other software of the seller has its one, too
STRAGGLER = timedelta(hours=1)  # a few hints so long before the rest of a burst are read singly
ARRIVING = 3  # so many at once may be the beginning of a burst
DUE_AT_ONCE = 2000
GATHER = timedelta(seconds=3)
GATHER_TIMES = 4
SHOWN_AFTER = timedelta(seconds=130)  # searchOrders shows changes two minutes late; ten seconds for clocks that differ
PAGES_REMEMBERED = timedelta(hours=20)  # Amazon: a page token lives 24 hours
OVERLAP = timedelta(minutes=10)  # a sweep starts this much before its watermark
BEFORE_HINT = timedelta(seconds=15)  # an order's lastUpdatedTime may be a little before the notification's time
KNOWN_AFTER = timedelta(minutes=15)  # an order notified so recently may not be found yet
LARGEST = 300_000  # bytes of an order's content; DynamoDB: 400 KB an item
UNDOES_A_SALE = frozenset({"ORDER_CANCELLED"})
_BUYER_UNKNOWN_HINT = (
    "Amazon does not say who the buyer is (the application has no role for it, or the order is old); "
    "the order is invoiced to the marketplace's customer"
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TRIES = 5


@dataclass(frozen=True)
class ReadReport:
    """`documents` are the keys that changed; `stopped` says why not everything due was read, empty when it was."""

    orders: int = 0
    documents: tuple[str, ...] = ()
    stopped: str = ""

    def plus(self, other: ReadReport) -> ReadReport:
        return ReadReport(self.orders + other.orders, self.documents + other.documents, other.stopped or self.stopped)


class OrderReading:
    """The one reading path for orders of a connection."""

    def __init__(
        self,
        connection: str,
        amazon: SellerApi,
        store: StateStore,
        policy: PostingPolicy,
        booking: OrderBooking,
        buyers: Buyers,
        events: Events,
        pauses: Pauses,
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._connection = connection
        self._amazon = amazon
        self._store = store
        self._policy = policy
        self._booking = booking
        self._buyers = buyers
        self._events = events
        self._pauses = pauses
        self._clock = clock
        self._journal = journal

    # --- what wants reading ----------------------------------------------------------------------------------------

    def read_due(self, named: Sequence[str], deadline: datetime) -> ReadReport:
        """Reads what is due, and of `named` what is due although the index may not show it yet.

        Amazon's faults end in the report and in the orders' rows, never in an exception.
        """
        stopped = self._not_now()
        if stopped:
            return ReadReport(stopped=stopped)
        wanted = self._gathered(named)
        report = self._read_pages_for(wanted, deadline)
        if report.stopped == "AMAZON_NOT_AUTHORISED":
            return report
        # Whatever else stopped the pages (their quota, an outage of the search alone): single orders may still be had.
        return report.plus(self._read_singly(wanted, deadline))

    def _gathered(self, named: Sequence[str]) -> dict[str, OrderFact]:
        """The orders that want reading. While a burst is still arriving, a few seconds more fill the pages."""
        wanted = self._due(named)
        for _ in range(GATHER_TIMES):
            arrived = max((fact.due_at for fact in wanted.values() if fact.due_at), default=None)
            if len(wanted) < ARRIVING or arrived is None or arrived <= self._clock.now() - GATHER:
                break
            self._clock.sleep(GATHER.total_seconds())
            wanted = self._due(list(wanted))
        return wanted

    def _due(self, named: Sequence[str]) -> dict[str, OrderFact]:
        now = self._clock.now()
        ids = dict.fromkeys([*named, *self._store.due_orders(now, DUE_AT_ONCE)])
        facts = self._store.orders(ids)
        return {
            order_id: fact
            for order_id, fact in facts.items()
            if fact.wants is Wants.READING and fact.due_at is not None and fact.due_at <= now
        }

    def _not_now(self) -> str:
        """Why reading makes no sense at the moment; empty when it does."""
        # What cannot be booked is not read either: it would have to be read again.
        return "AMAZON_PAUSED" if self._pauses.until("amazon") else self._booking.not_now()

    def _read_pages_for(self, wanted: dict[str, OrderFact], deadline: datetime) -> ReadReport:
        """Pages from the earliest hint of a burst on, taking from `wanted` what they bring.

        Stops when single reads would cost less. What was tried before, or lies far before the rest, is left to those.
        """
        begin = self._burst_begins(wanted)
        if begin is None:
            return ReadReport()
        left = {i for i, f in wanted.items() if f.hinted_at and begin <= f.hinted_at <= self._clock.now() - SHOWN_AFTER}
        report = ReadReport()
        page_token: str | None = None
        for _ in range(len(left) // PAGES_FROM + 2):
            if self._clock.now() >= deadline or not self._take(SEARCH_ORDERS, reserve=PAGES_FOR_SWEEPS):
                break
            try:
                page = self._amazon.search_orders(updated_after=begin - BEFORE_HINT, page_token=page_token)
            except AmazonError as problem:
                return report.plus(self._stopped_by(problem))
            report = report.plus(self._record(page.orders, page.updated_before))
            for order in page.orders:
                order_id = str(order.get("orderId"))
                hinted_at = wanted[order_id].hinted_at if order_id in wanted else None
                if hinted_at is None or hinted_at <= page.updated_before:
                    wanted.pop(order_id, None)
                    left.discard(order_id)
            page_token = page.next_token
            if page_token is None or not left:
                break
        return report

    def _burst_begins(self, wanted: Mapping[str, OrderFact]) -> datetime | None:
        """The earliest hint that pages should reach back to; None when so few are better read singly."""
        shown_until = self._clock.now() - SHOWN_AFTER
        hints = sorted(
            f.hinted_at for f in wanted.values() if f.hinted_at and f.hinted_at <= shown_until and not f.attempts
        )
        if len(hints) < PAGES_FROM:
            return None
        early = 0
        while early < len(hints) // PAGES_FROM and hints[early + 1] - hints[early] > STRAGGLER:
            early += 1
        return hints[early]

    def _read_singly(self, wanted: Mapping[str, OrderFact], deadline: datetime) -> ReadReport:
        report = ReadReport()
        now = self._clock.now()
        fresh = {i for i, f in wanted.items() if f.hinted_at and f.hinted_at > now - SHOWN_AFTER}
        if len(fresh) >= PAGES_FROM:
            # A burst too new for the pages waits two minutes for them instead of costing a call each.
            report = ReadReport(stopped="WAITING_FOR_PAGES")
            wanted = {order_id: fact for order_id, fact in wanted.items() if order_id not in fresh}
        for order_id, fact in sorted(wanted.items(), key=lambda entry: entry[1].due_at or now):
            if self._clock.now() >= deadline:
                return report.plus(ReadReport(stopped="OUT_OF_TIME"))
            if not self._take(GET_ORDER):
                return report.plus(ReadReport(stopped="AMAZON_QUOTA"))
            asked_at = self._clock.now()
            try:
                order = self._amazon.get_order(order_id)
            except AmazonNotFound as problem:
                if fact.hinted_at and fact.hinted_at > asked_at - KNOWN_AFTER:
                    # Notified a moment ago: Amazon's reading side may not know it yet.
                    self._wait(fact, problem.code)
                    continue
                hint = "Amazon does not know this order for this seller; check the id and the connection's region"
                self._fail(fact, "ORDER_NOT_FOUND", hint)
                continue
            except AmazonError as problem:
                failure = self._stopped_by(problem, order_id)
                if failure.stopped != "AMAZON_UNAVAILABLE":
                    return report.plus(failure)
                # Perhaps only this order cannot be had: let it wait, longer each time, and go on with the others.
                self._wait(fact, problem.code)
                report = report.plus(failure)
                continue
            # Every hint that stood in the row before Amazon was asked is answered, whatever Amazon's clock said.
            report = report.plus(self._record([order], max(asked_at, fact.hinted_at or asked_at)))
        return report

    def sweep(self, deadline: datetime, since: datetime) -> ReadReport:
        """Everything Amazon changed since the last sweep; `since` is where the very first one starts.

        The watermark moves only after the last page was recorded, to the limit Amazon echoed with the first one. A
        sweep cut short goes on where it stopped. One that takes longer than Amazon remembers its pages (a long history
        at 20 pages an hour) is done again in halves, so that the watermark gets on.
        """
        report = ReadReport()
        cursor = self._store.cursor("sweep#orders")
        while True:
            sweep = _Sweep.of(cursor.data, since, self._clock.now())
            stopped = "OUT_OF_TIME" if self._clock.now() >= deadline else self._not_now()
            if stopped:
                return report.plus(ReadReport(stopped=stopped))
            if not self._take(SEARCH_ORDERS):
                return report.plus(ReadReport(stopped="AMAZON_QUOTA"))
            try:
                page = self._amazon.search_orders(
                    updated_after=sweep.after, updated_before=sweep.before, page_token=sweep.page_token
                )
            except AmazonError as problem:
                return report.plus(self._stopped_by(problem))
            report = report.plus(self._record(page.orders, page.updated_before))
            try:
                cursor = self._store.save_cursor(replace(cursor, data=sweep.turned(page)))
            except Conflict:
                return report.plus(ReadReport(stopped="SWEPT_BY_ANOTHER"))
            if page.next_token is None and sweep.before is None:
                self._journal.note("SWEPT", orders=report.orders, watermark=cursor.data["watermark"])
                return report

    # --- recording -------------------------------------------------------------------------------------------------

    def _record(self, orders: Sequence[Json], as_of: datetime) -> ReadReport:
        """Records orders as Amazon knew them at `as_of`; none can stop the others.

        What has not been shipped is booked at once, as a draft. What has, or was cancelled, is left to the shipments
        function, and said on the bus once it is in the table. Whoever wrote a row meanwhile may have booked an older
        version and read nothing, so what could not be stored is worked out again. Raises Conflict when others won five
        times in a row.
        """
        waiting, documents = orders, list[str]()
        for _ in range(_TRIES):
            waiting, changed = self._record_once(waiting, as_of)
            documents.extend(changed)
            if not waiting:
                return ReadReport(len(orders), tuple(documents))
        raise Conflict(f"{len(waiting)} order rows kept changing while they were recorded")

    def _record_once(self, orders: Sequence[Json], as_of: datetime) -> tuple[Sequence[Json], Sequence[str]]:
        """The orders that another writer kept from being stored, and the keys of documents that changed."""
        ids = [str(order["orderId"]) for order in orders]
        facts = self._store.orders(ids)
        rows: dict[str, OrderFact] = {}
        contacts: list[Desired] = []
        for order_id, raw in zip(ids, orders, strict=True):
            fact = facts.get(order_id) or OrderFact(order_id)
            try:
                customer = self._customer(raw)
                after = self._derive(raw, fact, as_of, customer)
                if after is not None and customer is not None:
                    contacts += self._contacts(fact, after, customer)
            except UNFORESEEN as problem:
                after = self._booking.unreadable(replace(fact, read_at=as_of, due_at=None), problem, Work.ORDERS)
            if after is not None:
                rows[order_id] = after
        # The newest version of a buyer who has several of these orders comes last, and wins.
        contacts.sort(key=lambda contact: contact.version or _LONG_AGO)
        changed = want(self._store, self._clock, contacts)
        drafts = [row for row in rows.values() if row.standing is Standing.RECORDED and not _for_shipments(row)]
        booked, documents = self._booking.book(drafts, Work.ORDERS)
        saved = self._store.save_orders(list((rows | booked).values()))
        for fact in saved.values():
            self._booking.note(fact)
        self._announce([fact for fact in saved.values() if fact.wants is Wants.BOOKING and _for_shipments(fact)])
        lost = [raw for order_id, raw in zip(ids, orders, strict=True) if order_id in rows and order_id not in saved]
        return lost, (*changed, *documents)

    def _customer(self, raw: Json) -> Customer | None:
        """Who an order that is booked here is invoiced to; a buyer's details are kept in memory, never in its row."""
        channel = raw.get("salesChannel")
        if not isinstance(channel, Mapping) or channel.get("channelName") != "AMAZON":
            return None
        marketplace_id = channel.get("marketplaceId")
        if not isinstance(marketplace_id, str) or not is_booked(marketplace_id, self._policy):
            return None
        customer = customer_of(raw, marketplace_id, self._policy, salt=self._connection)
        self._buyers.remember(customer)
        return customer

    def _derive(self, raw: Json, fact: OrderFact, as_of: datetime, customer: Customer | None) -> OrderFact | None:
        """The order's row after this reading; None when there is nothing to write."""
        content = _with_destination(without_buyer_data(raw), fact)
        # Another name or address is another version of the order, although nothing of them is in its row.
        digest = content_hash({"content": content, "buyer": customer.digest if customer else ""})
        # A page shows what Amazon's search knew minutes ago: a hint of a later time stays open.
        reading_at = fact.due_at if fact.wants is Wants.READING else None
        open_hint = reading_at if fact.hinted_at is not None and fact.hinted_at > as_of else None
        if digest == fact.digest and reading_at == open_hint:
            return None
        read = replace(
            fact,
            read_at=max(as_of, fact.read_at or as_of),
            due_at=open_hint,
            wants=Wants.READING,
            attempts=0,
            digest=digest,
            content=content,
            reason="",
            hint="",
        )
        try:
            updated = last_updated(raw)
            if fact.supersedes(updated):
                # Amazon answered with an older version than it gave before; it will show the newer one again.
                later = self._clock.now() + timedelta(minutes=1)
                return replace(fact, due_at=later, wants=Wants.READING, attempts=fact.attempts + 1)
            read = replace(read, updated=updated)
            if digest == fact.digest and self._stands(fact):
                return replace(read, reason=fact.reason)
            if len(canonical_json(content).encode()) > LARGEST:
                read = replace(read, content=None)
                raise Refused("ORDER_TOO_LARGE", "the order has more items than a row can hold; book it by hand")
            return self._recorded(content, read, open_hint, customer)
        except Refused as refused:
            return self._booking.failed(read, refused.reason, refused.hint, Work.ORDERS)

    def _stands(self, fact: OrderFact) -> bool:
        """Whether nothing about an unchanged order waits for a person: else a hint means that somebody mended it."""
        if fact.standing not in (Standing.BOOKED, Standing.NOT_INVOICED):
            return False
        documents = self._store.documents(fact.documents) if fact.documents else {}
        return all(document.state is not State.FAILED for document in documents.values())

    def _recorded(
        self, content: Json, fact: OrderFact, open_hint: datetime | None, customer: Customer | None
    ) -> OrderFact:
        """What the order's new version asks for: nothing, a draft, or the attention of the shipments function."""
        order = read_order(content)
        fact = replace(fact, status=order.status.value, shipments=shipments_of(order, fact.shipments))
        nothing = nothing_to_invoice(order, self._policy)
        if nothing is not None and nothing.reason not in UNDOES_A_SALE:
            return fact.settled(Standing.NOT_INVOICED, nothing.reason)
        fact = replace(fact, standing=Standing.RECORDED)
        if nothing is None:
            check_marketplace(order, self._policy)
        if customer is not None:
            fact = replace(fact, customer=self._customer_kept(fact, customer))
        if open_hint is not None or not _for_shipments(fact):
            return fact
        return fact.to_be_booked(self._clock.now())

    def _customer_kept(self, fact: OrderFact, customer: Customer) -> str:
        """The customer's number: that of the buyer, also once Amazon does not say any more who the buyer is."""
        if customer.reason == BUYER_UNKNOWN and fact.customer not in ("", customer.number):
            key = document_key(Kind.CONTACT, fact.customer)
            held = self._store.documents([key]).get(key)
            if held is not None and held.exists_in_xero:
                return fact.customer
        return customer.number

    def _contacts(self, before: OrderFact, after: OrderFact, customer: Customer) -> list[Desired]:
        """The contact that an order asks for: its customer's, and none where an earlier one is kept."""
        if after.updated is None or after.customer != customer.number:
            return []
        if after.status == Fulfilment.CANCELLED or after.standing not in (Standing.RECORDED, Standing.BOOKED):
            # It needs none itself. Another order of the buyer may, and wait for this one to say who he is.
            keys = [document_key(Kind.CONTACT, customer.number)] if customer.details is not None else []
            if not any(held.waits_for_buyer for held in self._store.documents(keys).values()):
                return []
        if customer.reason:
            self._journal.note(
                customer.reason, order_id=after.order_id, reason=customer.reason, hint=_BUYER_UNKNOWN_HINT
            )
            self._give_up_contact(before)
        return [customer.desired(after.updated, after.order_id)]

    def _give_up_contact(self, fact: OrderFact) -> None:
        """A contact that waits for this order to say who its buyer is waits in vain; another order of his may tell."""
        key = document_key(Kind.CONTACT, fact.customer)
        for held in self._store.documents([key]).values() if fact.customer else ():
            if held.waits_for_buyer and held.desired.order_id == fact.order_id:
                self._store.save_documents([held.failed(BUYER_UNKNOWN, _BUYER_UNKNOWN_HINT)])

    def _announce(self, facts: Sequence[OrderFact]) -> None:
        events = [
            OrderEvent(
                "Order Cancelled" if fact.status == Fulfilment.CANCELLED else "Order Shipped",
                fact.order_id,
                fact.updated,
                (fact.content or {})["salesChannel"].get("marketplaceId") or "",
            )
            for fact in facts
            if fact.updated is not None
        ]
        lost = self._events.publish(self._connection, events) if events else 0
        if lost:
            hint = "nothing to do: the resume function books these orders within a minute"
            self._journal.note("EVENTS_NOT_PUBLISHED", reason="EVENTS_NOT_PUBLISHED", hint=hint, events=lost)

    # --- what goes wrong -------------------------------------------------------------------------------------------

    def _fail(self, fact: OrderFact, reason: str, hint: str) -> None:
        failed = self._booking.failed(replace(fact, due_at=None), reason, hint, Work.ORDERS)
        self._save_fact(failed)
        self._booking.note(failed)

    def _save_fact(self, fact: OrderFact) -> None:
        # Losing to another writer is no loss: the row is still due, or was read by the other one.
        self._store.save_orders([fact])

    def _wait(self, fact: OrderFact, reason: str) -> None:
        self._save_fact(replace(fact, attempts=fact.attempts + 1, due_at=self._later(fact), reason=reason))

    def _later(self, fact: OrderFact) -> datetime:
        """One minute, then twice as long each time, at most a quarter of an hour."""
        return self._clock.now() + min(timedelta(minutes=15), timedelta(minutes=2 ** min(fact.attempts, 4)))

    def _stopped_by(self, problem: AmazonError, order_id: str | None = None) -> ReadReport:
        now = self._clock.now()
        if isinstance(problem, AmazonThrottled):
            operation = SEARCH_ORDERS if problem.operation == SEARCH_ORDERS[0] else GET_ORDER
            self._change_bucket(operation, lambda bucket: bucket.emptied(now))
            self._journal.note("AMAZON_THROTTLED", reason="AMAZON_QUOTA", operation=problem.operation)
            return ReadReport(stopped="AMAZON_QUOTA")
        if isinstance(problem, AmazonNotAuthorised):
            hint = "Amazon refuses the connection's authorisation; authorise again in Seller Central and run connect"
            self._pauses.pause("amazon", now + NOT_AUTHORISED_FOR, "AMAZON_NOT_AUTHORISED", hint)
            return ReadReport(stopped="AMAZON_NOT_AUTHORISED")
        self._journal.note(
            "AMAZON_UNAVAILABLE",
            order_id=order_id,
            reason="AMAZON_UNAVAILABLE",
            hint="read again by itself; nothing to do unless it lasts for hours",
            operation=problem.operation,
            status=problem.status,
            code=problem.code,
        )
        return ReadReport(stopped="AMAZON_UNAVAILABLE")

    def _take(self, operation: tuple[str, Decimal, int], reserve: int = 1) -> bool:
        """One call's worth of Amazon's quota that leaves `reserve` to others, or False."""
        now = self._clock.now()
        taken = self._change_bucket(
            operation, lambda bucket: bucket.spent(now) if bucket.allows(now, reserve) else None
        )
        if not taken:
            self._journal.note("WAITING", reason="AMAZON_QUOTA", operation=operation[0])
        return taken

    def _change_bucket(
        self, operation: tuple[str, Decimal, int], change: Callable[[TokenBucket], TokenBucket | None]
    ) -> bool:
        name, rate, burst = operation
        for _ in range(_TRIES):
            cursor = self._store.cursor(f"quota#{name}")
            data: Mapping[str, Any] = cursor.data
            bucket = (
                TokenBucket(rate, burst, Decimal(data["tokens"]), moment(data["at"], "quota.at"))
                if data
                else TokenBucket.full(rate, burst, self._clock.now())
            )
            after = change(bucket)
            if after is None:
                return False
            try:
                self._store.save_cursor(
                    Cursor(cursor.name, {"tokens": str(after.tokens), "at": after.at.isoformat()}, cursor.generation)
                )
            except Conflict:
                continue
            return True
        return False


@dataclass(frozen=True)
class _Sweep:
    """Where a sweep stands. `before` ends a part of it; None: up to what Amazon shows."""

    after: datetime
    before: datetime | None
    page_token: str | None
    data: Mapping[str, str]

    @classmethod
    def of(cls, data: Mapping[str, str], since: datetime, now: datetime) -> _Sweep:
        """The next page's place by what is stored: a sweep under way, else the beginning of a new one or new part."""
        if "page_token" in data and datetime.fromisoformat(data["started"]) > now - PAGES_REMEMBERED:
            before = datetime.fromisoformat(data["before"]) if "before" in data else None
            return cls(datetime.fromisoformat(data["after"]), before, data["page_token"], data)
        after = datetime.fromisoformat(data["watermark"]) - OVERLAP if "watermark" in data else since
        span = timedelta(seconds=int(data["span"])) if "span" in data else None
        if "page_token" in data:
            span = (span or now - after) / 2
        before = after + span if span and after + span < now - OVERLAP else None
        begun = {"started": now.isoformat(), "after": after.isoformat()}
        begun |= {name: data[name] for name in ("watermark",) if name in data}
        begun |= {"before": before.isoformat(), "span": str(int(span.total_seconds()))} if before and span else {}
        return cls(after, before, None, begun)

    def turned(self, page: OrderPage) -> dict[str, str]:
        """What to store after a page: the place of the next one, or the new watermark."""
        data = dict(self.data)
        data.setdefault("limit", page.updated_before.isoformat())
        if page.next_token:
            return data | {"page_token": page.next_token}
        return {"watermark": data["limit"]} | ({"span": data["span"]} if "span" in data else {})


def _with_destination(content: Json, fact: OrderFact) -> Json:
    """The content with the destination that an earlier version named: Amazon drops addresses when an order gets old."""
    held = (fact.content or {}).get("recipient")
    return (
        content | {"recipient": held}
        if held and not (content.get("recipient") or {}).get("deliveryAddress")
        else content
    )


def _for_shipments(fact: OrderFact) -> bool:
    """Whether it is the shipments function that books the order: it has left, in whole or part, or was cancelled."""
    return bool(fact.shipments) or fact.status == Fulfilment.CANCELLED
