"""The state of a connection's books for the person who keeps them: what is entered, what failed, what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.failures import FAILURES, NOT_INVOICED, WAITS
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState
from amazon_to_xero.domain.stock.record import StockState, level_of
from amazon_to_xero.ports.state import StateStore
from operations.links import seller_central_link, xero_link
from operations.open_work import OpenWork
from operations.order_books import OrderBooks, load_order_books
from operations.stated_rows import StatedRow
from operations.watched_rows import FailedRow, failed_rows

MAX_LISTED = 500  # rows of each list; how many more there are is stated

_STATES: Mapping[str, str] = {
    OrderState.NOTICED: "Something changed at Amazon. The order is read within minutes.",
    OrderState.RECORDED: "The order was read. Its documents follow within minutes.",
    OrderState.PLANNED: "Its documents are entered in Xero, or on their way. Those that failed are listed below.",
    OrderState.NOT_INVOICED: "It has no documents, by rule.",
    OrderState.FAILED: "It needs a person, and is listed below.",
}
_MEANINGS: Mapping[str, str] = {
    **{str(reason): text for reason, text in NOT_INVOICED.items()},
    **{str(reason): text for reason, text in WAITS.items()},
    **{str(code): info.meaning for code, info in FAILURES.items()},
}
_TO_DO = (StockState.STRANDED, StockState.OUT, StockState.LOW)  # most urgent first
_LABELS = {DocumentKind.INVOICE: "Invoice", DocumentKind.CREDIT_NOTE: "Credit note"}


@dataclass(frozen=True)
class Link:
    """A page for a person: its address, and what to call it."""

    label: str
    address: str


@dataclass(frozen=True)
class CountedState:
    """How many orders are in a state for one reason, and what that means."""

    state: str
    reason: str
    count: int
    meaning: str


@dataclass(frozen=True)
class OpenItem:
    """One order or document that is open.

    what: the order id, or the key of a row that belongs to no order.
    state, reason, text: why it is open, and what to do or what it waits for.
    """

    what: str
    state: str
    reason: str
    text: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class StockItem:
    """A stock level that can no longer be sold from, or hardly."""

    state: str
    sku: str
    pool: str
    channel: str


@dataclass(frozen=True)
class BooksState:
    """The state of the books of a connection at one time (UTC). The lists are complete; the page shows MAX_LISTED."""

    connection: str
    at: datetime
    orders: Sequence[CountedState]
    failures: Sequence[OpenItem]
    unconfirmed: Sequence[OpenItem]
    stock: Sequence[StockItem]
    open_work: OpenWork = field(default_factory=OpenWork)


def books_state(
    connection: str,
    at: datetime,
    store: StateStore,
    orders: Iterable[StatedRow],
    confirmations: Iterable[StatedRow],
    levels: Iterable[StatedRow],
    open_work: OpenWork,
) -> BooksState:
    """Return the state of the books. The rows are those of the types ORDER, CONFIRMATION and STOCK."""
    failed = failed_rows(store)
    unconfirmed = [row for row in failed if row.source.partition("#")[0] == "confirmation"]
    awaited = [row for row in confirmations if row.state == ConfirmationState.AWAITED]
    listed = [row.order_id for row in failed[:MAX_LISTED]] + [row.key for row in awaited[:MAX_LISTED]]
    books = load_order_books(store, [order_id for order_id in dict.fromkeys(listed) if order_id])
    return BooksState(
        connection,
        at,
        _counted(orders),
        [_failure(row, books.get(row.order_id)) for row in failed if row not in unconfirmed],
        [
            *(_failure(row, books.get(row.order_id)) for row in unconfirmed),
            *(OpenItem(row.key, row.state, row.reason, _text(row), _links(books.get(row.key))) for row in awaited),
        ],
        _stock(levels),
        open_work,
    )


def _counted(orders: Iterable[StatedRow]) -> list[CountedState]:
    counts = Counter((row.state, row.reason) for row in orders)
    order = list(OrderState)
    return [
        CountedState(state, reason, count, _MEANINGS.get(reason) or _STATES.get(state, ""))
        for (state, reason), count in sorted(
            counts.items(), key=lambda each: (order.index(OrderState(each[0][0])), each)
        )
    ]


def _failure(row: FailedRow, books: OrderBooks | None) -> OpenItem:
    what = row.order_id or row.key
    return OpenItem(what, "FAILED", row.reason, row.remedy or _MEANINGS.get(row.reason, ""), _links(books))


def _text(row: StatedRow) -> str:
    return row.remedy or _MEANINGS.get(row.reason, "")


def _links(books: OrderBooks | None) -> tuple[Link, ...]:
    """Return the pages of an order: in Seller Central, then its invoices and credit notes in Xero."""
    if books is None:
        return ()
    seller_central = seller_central_link(books.order_id, books.marketplace_id)
    in_xero = [
        Link(_LABELS[each.kind], xero_link(each))
        for each in books.documents.values()
        if each.kind in _LABELS and each.xero_id
    ]
    return (*((Link("Seller Central", seller_central),) if seller_central else ()), *in_xero)


def _stock(levels: Iterable[StatedRow]) -> list[StockItem]:
    found = []
    for row in levels:
        if row.state in _TO_DO:
            channel, pool, sku = level_of(row.key)
            found.append(StockItem(row.state, sku, pool, channel))
    return sorted(found, key=lambda each: (_TO_DO.index(StockState(each.state)), each.sku, each.pool))
