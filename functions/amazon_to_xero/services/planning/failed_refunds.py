"""Refunds that failed for want of their sale: planned again by themselves, once the sale is in the books.

Their order had failed, had not shipped for days, or Xero had refused its documents. Whoever corrects that thinks of the
order, and a late shipment is nobody's act: so neither has to remember the refund.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from amazon_to_xero.domain.amazon.order import Fulfilment
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.failures import FailureCode, NotInvoicedReason
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.planning.refunded_sale import refunded_sale
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import FAILED_SOURCES, StateStore
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.unforeseen import UNFORESEEN
from amazon_to_xero.services.work_report import StepReport

_AT_ONCE = 100
#: By these rules an order has no invoice, and its refund is for a person, or waits.
_NOT_EXPLAINED = frozenset({NotInvoicedReason.SKIPPED, NotInvoicedReason.ORDER_PENDING})


class FailedRefunds:
    """The failed refunds of one connection whose reason is REFUND_WITHOUT_SALE."""

    def __init__(self, store: StateStore, failed_sources: FailedSources, clock: Clock) -> None:
        self._store = store
        self._failed_sources = failed_sources
        self._clock = clock

    def plan_again(self, deadline: datetime) -> StepReport:
        """Make those due whose sale is in the books by now. Raises Conflict.

        The others cost reads only: nothing is written, logged or dead-lettered again. The dead letter of one that is
        due stays: a replay finds that the refund needs nothing any more.
        """
        report, after = StepReport(), None
        while self._clock.now() < deadline:
            rows = self._store.watched(FAILED_SOURCES, _AT_ONCE, after, FailureCode.REFUND_WITHOUT_SALE)
            if not rows:
                break
            report = report.plus(self._plan_again([each.key.partition("#")[2] for each in rows]))
            after = rows[-1]
        return report

    def _plan_again(self, transaction_ids: Sequence[str]) -> StepReport:
        refunds = self._store.load(TransactionRecord, transaction_ids)
        entered = self._entered({each.order_id for each in refunds.values() if each.order_id})

        def again(stored: Mapping[str, TransactionRecord | None]) -> Iterable[TransactionRecord]:
            now = self._clock.now()
            return [each.planned_anew(now) for each in stored.values() if each is not None and _has_failed_so(each)]

        wanted = [key for key, each in refunds.items() if each.order_id in entered]
        due = update_records(self._store, TransactionRecord, wanted, again)
        for record in due.values():
            self._failed_sources.log(record)
        return StepReport(len(due), tuple(due))

    def _entered(self, order_ids: Iterable[str]) -> set[str]:
        """Return those orders whose sale is in the books, or that have none by rule."""
        orders = self._store.load(OrderRecord, sorted(order_ids))
        keys = dict.fromkeys(key for order in orders.values() for key in order.documents)
        documents = self._store.load(Document, keys) if keys else {}
        return {order_id for order_id, order in orders.items() if _is_entered(order, documents)}


def _has_failed_so(record: TransactionRecord) -> bool:
    """Whether it is still failed: the index may lag, and a person may have had it planned meanwhile."""
    return record.state is TransactionState.FAILED and record.reason == FailureCode.REFUND_WITHOUT_SALE


def _is_entered(order: OrderRecord, documents: Mapping[str, Document]) -> bool:
    """Whether a refund of the order has nothing left to wait for, as RefundPlans decides it.

    What is refunded of an order that has shipped in part may not have shipped yet: such an order counts once it is
    complete, else its refund would fail again every three days.
    """
    if order.next_attempt_at is not None:
        return False
    if order.state is OrderState.NOT_INVOICED:
        return order.reason not in _NOT_EXPLAINED
    if order.state is not OrderState.PLANNED or order.status == Fulfilment.PARTIALLY_SHIPPED:
        return False
    try:
        sale = refunded_sale(order.documents, (), {}, HeldDocuments(order.source, documents, frozenset(documents)))
    except UNFORESEEN:
        return True  # its plan fails with what is wrong, in front of a person
    return sale is not None and sale.not_in_books is None
