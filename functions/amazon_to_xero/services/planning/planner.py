"""Works out which documents should stand in Xero for orders as they were read, and asks for them.

Reading an order and booking it are two steps that share only the order's row: whoever books needs nothing of Amazon.
Booking may be repeated at any time. What it asks for is stored before the order's row stops being due, and an order
whose documents were changed by somebody else meanwhile is worked out again from what stands there now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from amazon_to_xero.domain.amazon.order import Order, read_order
from amazon_to_xero.domain.amazon.order_record import OrderFact, Standing, Wants
from amazon_to_xero.domain.books.document import Desired, Document, State, Work
from amazon_to_xero.domain.books.document_types import Kind, document_key
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Refused
from amazon_to_xero.domain.planning.order_plan import Booked, Held, invoice_number, plan
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotYet, Sale, sales
from amazon_to_xero.domain.tax.variance import Drift
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetters, Journal
from amazon_to_xero.ports.state import Conflict, StateStore
from amazon_to_xero.ports.xero import XeroError
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.organisation_cache import KnownOrganisation

DUE_AT_ONCE = 2000
ORDERS_AT_ONCE = 100
WITHOUT_PROCEEDS_FOR = timedelta(days=1)  # so long an unpriced order is read again before a person is asked
# One order of a kind nobody foresaw must not stop the others; what goes wrong in the table or a queue is of other
# kinds and says nothing of the order.
UNFORESEEN = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
_TRIES = 5
_LATER = timedelta(minutes=1)


@dataclass(frozen=True)
class BookReport:
    """`documents` are the keys that changed; `stopped` says why not everything due was booked, empty when it was."""

    orders: int = 0
    documents: tuple[str, ...] = ()
    stopped: str = ""

    def plus(self, other: BookReport) -> BookReport:
        return BookReport(self.orders + other.orders, self.documents + other.documents, other.stopped or self.stopped)


@dataclass(frozen=True)
class _Wish:
    """What an order asks for: its row afterwards, and how its documents come about."""

    after: OrderFact
    waves: tuple[tuple[Desired, ...], ...] = ()
    drifts: tuple[Drift, ...] = ()


class OrderBooking:
    """The one way from an order's row to the documents of a connection."""

    def __init__(
        self,
        connection: str,
        store: StateStore,
        policy: PostingPolicy,
        organisation: KnownOrganisation,
        pauses: Pauses,
        dead_letters: Mapping[Work, DeadLetters],
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._connection = connection
        self._store = store
        self._policy = policy
        self._organisation = organisation
        self._pauses = pauses
        self._dead_letters = dead_letters
        self._clock = clock
        self._journal = journal

    def not_now(self) -> str:
        """Why nothing can be booked at the moment, without the organisation's accounts and rates; empty when it can."""
        if self._organisation.known() is None:
            if self._pauses.until("xero"):
                return "XERO_PAUSED"
            try:
                self._organisation.current()
            except XeroError as problem:
                return self._pauses.pause_xero(problem)[1]
        return ""

    def book_due(self, named: Sequence[str], deadline: datetime) -> BookReport:
        """Books the orders that are due, and of `named` those that are due although the index may not show it yet."""
        now = self._clock.now()
        ids = dict.fromkeys([*named, *self._store.due_shipments(now, DUE_AT_ONCE)])
        facts = [
            fact
            for fact in self._store.orders(ids).values()
            if fact.wants is Wants.BOOKING and fact.due_at is not None and fact.due_at <= now
        ]
        report = BookReport()
        for chunk in batched(facts, ORDERS_AT_ONCE, strict=False):
            stopped = "OUT_OF_TIME" if self._clock.now() >= deadline else self.not_now()
            if stopped:
                return report.plus(BookReport(stopped=stopped))
            rows, changed = self.book(chunk, Work.SHIPMENTS)
            # A row that somebody else wrote meanwhile was read anew, and is due or booked by now.
            saved = self._store.save_orders(list(rows.values()))
            for fact in saved.values():
                self.note(fact)
            report = report.plus(BookReport(len(chunk), tuple(changed)))
        return report

    def book(self, facts: Sequence[OrderFact], work: Work) -> tuple[dict[str, OrderFact], list[str]]:
        """Asks for the documents of orders; returns the orders' rows afterwards, not saved yet, and the changed keys.

        Failures end in the rows and, as dead letters, in the queue of `work`.
        """
        waiting = {fact.order_id: fact for fact in facts}
        rows: dict[str, OrderFact] = {}
        changed: list[str] = []
        for _ in range(_TRIES):
            wishes, held = self._wishes(waiting, work)
            overtaken = self._ask({order_id: wish.waves for order_id, wish in wishes.items()}, held, changed)
            for order_id, wish in wishes.items():
                if order_id not in overtaken:
                    rows[order_id] = wish.after
                    self._report(order_id, wish.drifts)
            waiting = {order_id: fact for order_id, fact in waiting.items() if order_id in overtaken}
            if not waiting:
                return rows, changed
        later = self._clock.now() + _LATER
        return rows | {order_id: fact.to_be_booked(later) for order_id, fact in waiting.items()}, changed

    def failed(self, fact: OrderFact, reason: str, hint: str, work: Work) -> OrderFact:
        """The failed row; the dead letter goes out first: a crash between the two repeats it, never loses it."""
        body = json.dumps({"look_at": {"connection": self._connection, "order_id": fact.order_id}})
        self._dead_letters[work].send(body, reason=reason, hint=hint, order_id=fact.order_id)
        return fact.settled(Standing.FAILED, reason, hint)

    def unreadable(self, fact: OrderFact, problem: Exception, work: Work) -> OrderFact:
        """The row of an order that code of ours could not deal with. Its content may be what cannot be kept."""
        hint = (
            f"the order could not be read ({type(problem).__name__}); look at it in Seller Central "
            "and report this as a defect"
        )
        return self.failed(replace(fact, digest="", content=None), "ORDER_UNREADABLE", hint, work)

    def _report(self, order_id: str, drifts: Iterable[Drift]) -> None:
        for drift in drifts:
            hint = (
                f"item {drift.item_id}: Amazon charged {drift.tax_at_amazon} tax ({drift.effective_rate} %), "
                f"Xero computes {drift.tax_in_xero} with {drift.tax_type} ({drift.rate} %); check tax.rules"
            )
            self._journal.note("TAX_DRIFT", order_id=order_id, reason="TAX_DRIFT", hint=hint)

    def note(self, fact: OrderFact) -> None:
        self._journal.note(
            fact.standing,
            order_id=fact.order_id,
            reason=fact.reason or None,
            hint=fact.hint or None,
            status=fact.status,
        )

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def _wishes(
        self, facts: Mapping[str, OrderFact], work: Work
    ) -> tuple[dict[str, _Wish], dict[str, dict[str, Document]]]:
        """Each order's wish, seen against its documents as they are now: read in few calls for all orders together."""
        looked_up: dict[str, set[str]] = {order_id: set() for order_id in facts}
        held: dict[str, dict[str, Document]] = {order_id: {} for order_id in facts}
        missing = {order_id: self._usual_keys(fact) for order_id, fact in facts.items()}
        wishes: dict[str, _Wish] = {}
        while missing:
            found = self._store.documents(dict.fromkeys(key for keys in missing.values() for key in sorted(keys)))
            for order_id, keys in missing.items():
                looked_up[order_id] |= keys
                held[order_id] |= {key: found[key] for key in keys if key in found}
            unanswered: dict[str, set[str]] = {}
            for order_id in missing:
                seen = Held(held[order_id], frozenset(looked_up[order_id]))
                wish = self._wish(facts[order_id], seen, work)
                if wish is None:
                    unanswered[order_id] = seen.missing
                else:
                    wishes[order_id] = wish
            missing = unanswered
        return wishes, held

    def _usual_keys(self, fact: OrderFact) -> set[str]:
        number = self._number(fact)
        usual = {document_key(Kind.INVOICE, number), document_key(Kind.PAYMENT, number)}
        # A cancelled order may never have had a customer.
        customer = {document_key(Kind.CONTACT, fact.customer)} if fact.customer else set()
        return {*usual, *customer, *fact.documents}

    def _number(self, fact: OrderFact) -> str:
        return fact.number or invoice_number(fact.order_id, self._policy)

    def _wish(self, fact: OrderFact, held: Held, work: Work) -> _Wish | None:
        """None while documents are missing: what is refused without having seen them may not be refused with them."""
        try:
            wish = self._worked_out(fact, held)
        except Refused as refused:
            return None if held.missing else _Wish(self.failed(fact, refused.reason, refused.hint, work))
        except UNFORESEEN as problem:
            return None if held.missing else _Wish(self.unreadable(fact, problem, work))
        return None if held.missing else wish

    def _worked_out(self, fact: OrderFact, held: Held) -> _Wish:
        order = read_order(fact.content or {})
        organisation = self._organisation.current()
        try:
            return self._by(organisation, order, fact, held)
        except Refused as refused:
            # Perhaps somebody has just mended Xero's settings: judge by what stands there now.
            try:
                fresh = self._organisation.current(max_age=timedelta(minutes=5))
            except XeroError:
                # What stands there now cannot be seen: too early to ask a person for what may have been mended.
                later = self._clock.now() + timedelta(minutes=5)
                return _Wish(replace(fact.to_be_booked(later), reason="XERO_UNAVAILABLE"))
            if fresh is organisation:
                raise refused from None
        return self._by(fresh, order, fact, held)

    def _by(self, organisation: Organisation, order: Order, fact: OrderFact, held: Held) -> _Wish:
        now = self._clock.now()
        outcome = sales(order, fact.shipments, self._policy, organisation)
        if isinstance(outcome, NotYet):
            if order.updated < now - WITHOUT_PROCEEDS_FOR:
                raise Refused(outcome.reason, "Amazon gives no amounts for this order; look at it in Seller Central")
            again = fact.due_at if fact.wants is Wants.READING and fact.due_at else now + timedelta(minutes=15)
            return _Wish(
                replace(fact, standing=Standing.HINTED, reason=outcome.reason, wants=Wants.READING, due_at=again)
            )
        if any(d.kind is not Kind.CONTACT and d.is_newer_than(order.updated) for d in held.documents.values()):
            # Another worker has booked a newer version of the order; this row is not what stands in the table.
            return _Wish(fact.to_be_booked(now + _LATER))
        wanted_sales = [] if isinstance(outcome, NotInvoiced) else outcome
        number = self._number(fact)
        wanted = plan(
            Booked(order.order_id, order.updated, fact.customer),
            number,
            wanted_sales,
            len(fact.shipments),
            held,
            self._policy,
            organisation,
        )
        if wanted.waits:
            return _Wish(replace(fact.to_be_booked(now + _LATER), reason="WAITING_FOR_OUTCOME"))
        done = (
            fact.settled(Standing.NOT_INVOICED, outcome.reason)
            if isinstance(outcome, NotInvoiced)
            else fact.settled(Standing.BOOKED)
        )
        return _Wish(replace(done, number=number, documents=wanted.documents), wanted.waves, _drifts(wanted_sales))

    # --- asking for it ----------------------------------------------------------------------------------------------

    def _ask(
        self,
        waves: Mapping[str, Sequence[Sequence[Desired]]],
        held: Mapping[str, Mapping[str, Document]],
        changed: list[str],
    ) -> set[str]:
        """Stores the wishes wave by wave; returns the orders of which another writer changed a document meanwhile."""
        rows = {key: document for documents in held.values() for key, document in documents.items()}
        overtaken: set[str] = set()
        for wave in range(max(map(len, waves.values()), default=0)):
            now = self._clock.now()
            asked: dict[str, str] = {}
            wanted: list[Document] = []
            for order_id, each in waves.items():
                for desired in each[wave] if wave < len(each) and order_id not in overtaken else ():
                    row = _row(desired, rows.get(desired.key), now)
                    if row is not None:
                        asked[row.key] = order_id
                        wanted.append(row)
            saved = self._store.save_documents(wanted)
            rows |= saved
            changed.extend(saved)
            overtaken |= {order_id for key, order_id in asked.items() if key not in saved}
        self._try_customers_again(held.values())
        return overtaken

    def _try_customers_again(self, held: Iterable[Mapping[str, Document]]) -> None:
        """A customer that failed is tried again with each order that needs it: somebody may have mended it."""
        failed = {
            key: document
            for documents in held
            for key, document in documents.items()
            if document.kind is Kind.CONTACT and document.state is State.FAILED
        }
        if failed:
            want(self._store, self._clock, [document.desired for document in failed.values()])


def _drifts(sales: Iterable[Sale]) -> tuple[Drift, ...]:
    return tuple(drift for sale in sales for drift in sale.drifts)


def want(store: StateStore, clock: Clock, desired: Sequence[Desired]) -> list[str]:
    """Makes these the desired documents; returns the keys that changed. Older facts never win over newer ones."""
    waiting = {d.key: d for d in desired}
    changed: list[str] = []
    for _ in range(_TRIES):
        held = store.documents(waiting)
        rows = {key: _row(wanted, held.get(key), clock.now()) for key, wanted in waiting.items()}
        changing = [row for row in rows.values() if row is not None]
        saved = store.save_documents(changing)
        changed.extend(saved)
        waiting = {row.key: waiting[row.key] for row in changing if row.key not in saved}
        if not waiting:
            return changed
    raise Conflict(f"{len(waiting)} document rows kept changing while an order was recorded")


def _row(desired: Desired, held: Document | None, now: datetime) -> Document | None:
    return Document(desired, due_at=now) if held is None else held.wanting(desired, now)
