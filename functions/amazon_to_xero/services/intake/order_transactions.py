"""Reads the transactions of single orders because a person asks: by order, however old they are.

Notices and sweeps read by time. Which orders are asked for is stored, so that a read which Amazon's quota interrupts
continues in the next minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Cursor, StateStore
from amazon_to_xero.services.intake.transaction_notices import TransactionNotices
from amazon_to_xero.services.intake.transaction_pages import TransactionPages
from amazon_to_xero.services.state_updates import update_cursor
from amazon_to_xero.services.work_report import StepReport

ASKED = "asked#order-transactions"  # cursor: id of an order whose transactions are to be read -> since when (UTC)
MAX_ASKED = 2000  # orders; one row holds them all
_MAX_PAGES = 20  # of one order, each of up to 500 transactions


class TooManyOrders(Exception):
    """So many orders wait already that no more can be asked for. The message is delivered again later."""


class OrderTransactions:
    """Reads what is asked for, for one connection."""

    def __init__(self, pages: TransactionPages, notices: TransactionNotices, store: StateStore, clock: Clock) -> None:
        self._pages = pages
        self._notices = notices
        self._store = store
        self._clock = clock

    def ask(self, order_ids: Sequence[str]) -> None:
        """Ask for the transactions of orders. Raises TooManyOrders and Conflict."""
        if not order_ids:
            return
        at = self._clock.now().isoformat()

        def asked(cursor: Cursor) -> Mapping[str, str]:
            data = {**dict.fromkeys(order_ids, at), **cursor.data}
            if len(data) > MAX_ASKED:
                raise TooManyOrders(f"{len(cursor.data)} orders wait for their transactions to be read")
            return data

        update_cursor(self._store, ASKED, asked)

    def read_due(self, named: Sequence[str], deadline: datetime) -> StepReport:
        """Read the transactions of the orders that are asked for, and have those that are known planned again.

        What Amazon does not answer stays asked for.
        """
        report = StepReport()
        for order_id in list(self._store.cursor(ASKED).data):
            if self._clock.now() >= deadline:
                return report.plus(StepReport(stopped=WaitReason.OUT_OF_TIME))
            if self._pages.is_refused:
                return report
            report = report.plus(self._read(order_id))
            if report.stopped:
                return report
            self._done(order_id)
        return report

    def _read(self, order_id: str) -> StepReport:
        report, token = StepReport(), None
        for _ in range(_MAX_PAGES):
            if stopped := self._pages.stop_reason():
                return report.plus(StepReport(stopped=stopped))
            try:
                page, known, token = self._pages.read_order(order_id, token)
            except AmazonError as problem:
                return report.plus(self._pages.failed(problem))
            again = self._notices.record([ChangeNotice(each, reprocess=True) for each in known])
            report = report.plus(page).plus(StepReport(due=tuple(again)))
            if token is None:
                break
        return report

    def _done(self, order_id: str) -> None:
        def without(cursor: Cursor) -> Mapping[str, str]:
            return {name: at for name, at in cursor.data.items() if name != order_id}

        update_cursor(self._store, ASKED, without)
