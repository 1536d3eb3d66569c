"""Records orders as Amazon states them and marks what each needs next. It plans nothing.

Any number of workers may record the same order: the newest version is kept, and a row that another worker wrote
meanwhile is derived again from what is stored then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from amazon_to_xero.domain.amazon.notification import ORDER_CANCELLED, ORDER_SHIPPED
from amazon_to_xero.domain.amazon.order import Fulfilment, last_updated, parse_order
from amazon_to_xero.domain.amazon.order_record import OLDER_READ_WAITS, OrderRecord, OrderState
from amazon_to_xero.domain.books.contact import Customer
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.canonical import canonical_json, content_hash
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.failures import FAILURES, Failure, FailureCode, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.planning.corrected_sale import is_skipped
from amazon_to_xero.domain.planning.cut_over import is_left_out, is_taken_in, shipments_of_known_day
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.sale import check_marketplace, nothing_to_invoice
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.domain.timestamps import parse_timestamp
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog, EventBus, OrderEvent
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.dead_letters import RETRY_SEND
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.intake.buyer_contacts import BuyerContacts
from amazon_to_xero.services.intake.readable_orders import ReadableOrders
from amazon_to_xero.services.intake.search_scope import CURSOR as SEARCH_SCOPE
from amazon_to_xero.services.intake.search_scope import marketplaces_left_out
from amazon_to_xero.services.intake.unshipped_until import UnshippedUntil
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.unforeseen import UNFORESEEN
from amazon_to_xero.services.work_report import StepReport

NOTICE_MARGIN = timedelta(seconds=15)  # an order's lastUpdatedTime may be a little before the notification's time
MAX_DOUBTED_READS = 3  # of an answer that is older than its notice: in seven minutes
MAX_CONTENT_BYTES = 300_000  # DynamoDB: 400 KB an item


class OrderRecorder:
    """Turns Amazon's orders into records, for one connection."""

    def __init__(
        self,
        connection: str,
        store: StateStore,
        policy: PostingPolicy,
        contacts: BuyerContacts,
        storable: Callable[[Json], Json],
        failed_sources: FailedSources,
        readable: ReadableOrders,
        events: EventBus,
        clock: Clock,
        decisions: DecisionLog,
        count_sales: Callable[[Sequence[Mapping[str, Any]]], object] | None = None,
        record_shipped: Callable[[Sequence[OrderRecord]], object] | None = None,
    ) -> None:
        """Connect the recorder.

        storable: returns an order without buyer data: what of it may be stored.
        count_sales: is given what is stored of orders that were not known before.
        record_shipped: is given the rows of orders with a new shipment or status before they are saved, maybe again.
        """
        self._connection = connection
        self._store = store
        self._policy = policy
        self._contacts = contacts
        self._storable = storable
        self._failed_sources = failed_sources
        self._readable = readable
        self._events = events
        self._clock = clock
        self._decisions = decisions
        self._count_sales = count_sales
        self._record_shipped = record_shipped
        self._unshipped_until = UnshippedUntil(store, clock)

    def record(self, orders: Sequence[Json], as_of: datetime, *, is_page: bool = True) -> StepReport:
        """Record orders as Amazon knew them at `as_of`; none can stop the others. Raises Conflict.

        is_page: whether they are a page of searchOrders, which may show an order in an older version than getOrder.

        What needs planning is marked, and what has shipped or was cancelled is announced on the event bus once it is
        stored. Contacts are stored before the orders' rows stop being due.
        """
        # A page may hold an order in two versions, the older one last.
        by_id = {str(order["orderId"]): order for order in sorted(orders, key=_time_of_update)}
        documents: list[str] = []
        unknown: set[str] = set()

        def recorded(stored: Mapping[str, OrderRecord | None]) -> Iterable[OrderRecord]:
            rows: list[OrderRecord] = []
            contacts: list[DesiredDocument] = []
            for order_id, known in stored.items():
                if known is None or known.version is None:
                    unknown.add(order_id)
                row, contact = self._derive(by_id[order_id], known or OrderRecord(order_id), as_of, is_page)
                rows += [row] if row is not None else []
                contacts += contact
            if self._record_shipped is not None:
                self._record_shipped([row for row in rows if _has_moved_stock(row, stored[row.order_id])])
            documents.extend(self._contacts.request(contacts))
            return rows

        saved = update_records(self._store, OrderRecord, by_id, recorded)
        for row in saved.values():
            self._failed_sources.log(row)
        self._readable.remember(by_id, is_page=is_page)
        to_plan = [row for row in saved.values() if row.next_step is NextStep.PLAN]
        self._announce(to_plan)
        if self._count_sales is not None:
            self._count_sales([row.content for key, row in saved.items() if key in unknown and row.content])
        return StepReport(len(orders), tuple(row.order_id for row in to_plan), tuple(documents))

    def _derive(
        self, raw: Json, record: OrderRecord, as_of: datetime, is_page: bool
    ) -> tuple[OrderRecord | None, list[DesiredDocument]]:
        """Return the order's row after this reading, None when there is nothing to write, and its contact."""
        try:
            customer = self._contacts.customer(raw)
            after = self._row(raw, record, as_of, customer, is_page)
            if after is None or customer is None:
                return after, []
            return after, self._contacts.contacts_for(record, after, customer)
        except UNFORESEEN as problem:
            read = replace(record, read_at=as_of, next_attempt_at=None)
            return self._failed_sources.unreadable(read, problem, ORDERS) or self._fails_later(record), []

    def _row(
        self, raw: Json, record: OrderRecord, as_of: datetime, customer: Customer | None, is_page: bool
    ) -> OrderRecord | None:
        content = _with_destination(self._storable(raw), record)
        # Another name or address makes another version of the order, although its row holds nothing of them.
        digest = content_hash({"content": content, "buyer": customer.digest if customer else ""})
        # A page shows what Amazon's search knew minutes ago: a notice of a later time stays open.
        is_notice_open = record.noticed_at is not None and record.noticed_at > as_of
        open_notice = record.reading_at if is_notice_open else None
        is_taken_in = self._is_taken_in(raw, record)
        if digest == record.digest and record.reading_at == open_notice and not is_taken_in:
            return None
        read = replace(
            record,
            read_at=max(as_of, record.read_at or as_of),
            next_attempt_at=open_notice,
            next_step=NextStep.READ,
            capability=ORDERS,
            attempts=0,
            digest=digest,
            content=content,
            reason="",
            remedy="",
        )
        try:
            version = last_updated(raw)
            if digest != record.digest and record.is_newer_than(version):
                if is_page or not record.has_gone_back(self._clock.now()):
                    return self._read_again(record, is_page)
                self._log_version_gone_back(record, version)
            if not is_page and self._is_doubted(raw, version, record):
                return record.after_older_answer(self._clock.now())
            read = read.with_version(version)
            if digest == record.digest and not is_taken_in and self._needs_nothing(record):
                return replace(read, reason=record.reason if record.state is OrderState.NOT_INVOICED else "")
            if len(canonical_json(content).encode()) > MAX_CONTENT_BYTES:
                read = replace(read, content=None)
                remedy = "The order has more items than a row can hold. Enter it in Xero manually."
                raise Failure(FailureCode.ORDER_TOO_LARGE, remedy)
            return self._marked(content, read, customer, record)
        except Failure as failure:
            if self._is_skipped(record):
                # A person enters it otherwise, so it needs nothing else.
                return read.to_be_planned(ORDERS, self._clock.now())
            if failure.code is FailureCode.UNKNOWN_MARKETPLACE and _is_reported(record):
                # Amazon notifies of every version of unwanted orders, too: one dead letter for each order is enough.
                return read.failed(failure.code, failure.remedy)
            return self._failed_sources.fail(read, failure.code, failure.remedy, ORDERS) or self._fails_later(record)

    def _read_again(self, record: OrderRecord, is_page: bool) -> OrderRecord | None:
        """Return the row of an order that Amazon has just shown in an older version; None where it waits already.

        Amazon's servers show an older version for seconds, at times for minutes. That never replaces a newer one: the
        order is read again. If getOrder states older versions for an hour, at least six times in a row, the newer one
        is no longer what Amazon states, and the older one is recorded and logged (VERSION_WENT_BACK). The order does
        not fail: its documents are to agree with what Amazon states and pays by, and most of these versions differ in
        nothing that is booked. Which older version it is does not matter: a newer one is recorded whenever it is read.
        """
        if not is_page:
            return record.after_older_answer(self._clock.now())
        if record.next_attempt_at is not None:
            return None
        return record.read_again_at(self._clock.now() + OLDER_READ_WAITS[0], reason=WaitReason.OLDER_VERSION)

    def _is_doubted(self, raw: Json, version: datetime, record: OrderRecord) -> bool:
        """Whether getOrder's answer may be from before the change that Amazon has announced, and no sweep would notice.

        Where Amazon answers searches, the next sweep reads what an older answer left out. After a few reads the answer
        counts: the notice may have been given long after the change, or by a person.
        """
        if record.noticed_at is None or version >= record.noticed_at - NOTICE_MARGIN:
            return False
        if record.older_reads >= MAX_DOUBTED_READS:
            return False
        marketplace_id = (raw.get("salesChannel") or {}).get("marketplaceId")
        return marketplace_id in marketplaces_left_out(self._store.cursor(SEARCH_SCOPE))

    def _log_version_gone_back(self, record: OrderRecord, version: datetime) -> None:
        code = FailureCode.VERSION_WENT_BACK
        self._decisions.record(
            code,
            order_id=record.order_id,
            reason=code,
            remedy=FAILURES[code].remedy,
            version=version.isoformat(),
            replaced_version=record.version.isoformat() if record.version else None,
        )

    def _fails_later(self, record: OrderRecord) -> OrderRecord:
        """Read an order again whose dead letter was not sent. What was read is not kept: it would look unchanged."""
        later = self._clock.now() + RETRY_SEND
        return record.read_again_at(later, reason=WaitReason.DEAD_LETTER_NOT_SENT)

    def _needs_nothing(self, record: OrderRecord) -> bool:
        """Whether nothing of an unchanged order waits for a person: otherwise a notice means that somebody fixed it.

        A row that has another reason than a rule's, because a read was retried, is derived again to get its own back.
        """
        if record.state is OrderState.NOT_INVOICED and record.reason not in NotInvoicedReason:
            return False
        if record.state not in (OrderState.PLANNED, OrderState.NOT_INVOICED):
            return False
        documents = self._store.load(Document, record.documents) if record.documents else {}
        return all(document.state is not DocumentState.FAILED for document in documents.values())

    def _is_taken_in(self, raw: Json, record: OrderRecord) -> bool:
        """Whether an order that was placed before `start` was placed after it by now: nothing of it has changed."""
        created = parse_timestamp(raw.get("createdTime"), "createdTime") if is_left_out(record) else None
        return created is not None and is_taken_in(record, created, self._policy)

    def _is_skipped(self, record: OrderRecord) -> bool:
        """Whether a person has said that the order is not entered here."""
        rows = self._store.load(Corrections, [record.source]) if record.corrections else {}
        return any(is_skipped(row) for row in rows.values())

    def _marked(
        self, content: Json, record: OrderRecord, customer: Customer | None, before: OrderRecord
    ) -> OrderRecord:
        """Return the record with what the order's new version needs: nothing, or a plan by one of two capabilities.

        before: the record before this reading. Raises Failure.
        """
        order = parse_order(content)
        not_before = self._unshipped_until.time_of(order, before)
        shipments = shipments_of_known_day(order, before, self._policy, not_before)
        if shipments != record.shipments:
            record = replace(record, awaits_charge_since=None)  # what it waits for may come from now on
        record = replace(record, status=order.status.value, shipments=shipments)
        nothing = nothing_to_invoice(order, self._policy, shipments)
        if nothing is not None and nothing.reason != NotInvoicedReason.ORDER_CANCELLED:
            return record.settled(OrderState.NOT_INVOICED, nothing.reason)
        if nothing is None:
            check_marketplace(order, self._policy)
        if customer is not None:
            record = replace(record, contact_number=self._contacts.number_to_keep(record, customer))
        has_left = bool(record.shipments) or record.status == Fulfilment.CANCELLED
        return record.to_be_planned(SHIPMENTS if has_left else ORDERS, self._clock.now())

    def _announce(self, records: Sequence[OrderRecord]) -> None:
        """Publish an event for each order that the shipments capability plans."""
        events = [
            OrderEvent(
                ORDER_CANCELLED if record.status == Fulfilment.CANCELLED else ORDER_SHIPPED,
                record.order_id,
                record.version,
                (record.content or {})["salesChannel"].get("marketplaceId") or "",
            )
            for record in records
            if record.capability == SHIPMENTS and record.version is not None
        ]
        lost = self._events.publish(self._connection, events) if events else 0
        if lost:
            reason = WaitReason.EVENTS_NOT_PUBLISHED
            remedy = "No action is needed. The resume function plans these orders within a minute."
            self._decisions.record(reason, reason=reason, remedy=remedy, events=lost)


def _has_moved_stock(row: OrderRecord, before: OrderRecord | None) -> bool:
    """Return whether the order may have taken units out of stock: Amazon's with a shipment, own ones when ordered."""
    known = before or OrderRecord(row.order_id)
    return row.shipments != known.shipments or row.status != known.status


def _time_of_update(order: Json) -> str:
    """Return what sorts the versions of an order; they are checked where each is recorded."""
    return str(order.get("lastUpdatedTime") or "")


def _is_reported(record: OrderRecord) -> bool:
    """Whether the order's dead letter for its unknown marketplace was sent, and nobody has reprocessed it since."""
    return record.state is OrderState.FAILED and record.reason == FailureCode.UNKNOWN_MARKETPLACE


def _with_destination(content: Json, record: OrderRecord) -> Json:
    """Return the content with the destination of an earlier version: Amazon removes addresses from old orders."""
    held = (record.content or {}).get("recipient")
    if not held or (content.get("recipient") or {}).get("deliveryAddress"):
        return content
    return content | {"recipient": held}
