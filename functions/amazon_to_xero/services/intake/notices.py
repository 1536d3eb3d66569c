"""Change notices become durable: once they are recorded, the orders will be processed, whatever crashes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.state_updates import update_records


class NoticeRecorder:
    """Writes change notices into order records. At least once; the same notice twice changes nothing."""

    def __init__(
        self, store: StateStore, clock: Clock, decisions: DecisionLog, expire_organisation: Callable[[], None]
    ) -> None:
        """`expire_organisation` has Xero's settings read again: before a failed order is reprocessed, a person may have
        corrected them.
        """
        self._store = store
        self._clock = clock
        self._decisions = decisions
        self._expire_organisation = expire_organisation

    def record(self, notices: Sequence[ChangeNotice]) -> list[str]:
        """Return the ids of the orders that are to be read now. A notice without a time is of now. Raises Conflict."""
        reprocessed = {notice.key for notice in notices if notice.reprocess}
        newest: dict[str, datetime] = {}
        for notice in notices:
            at = notice.at or self._clock.now()
            newest[notice.key] = max(at, newest.get(notice.key, at))
        due: dict[str, None] = {}

        def noticed(stored: Mapping[str, OrderRecord | None]) -> Iterable[OrderRecord]:
            now = self._clock.now()
            self._expire_for(stored, reprocessed)
            for order_id, known in stored.items():
                record = known or OrderRecord(order_id)
                after = record.noticed(newest[order_id], now)
                if order_id in reprocessed:
                    # A person has taken the dead letter out of its queue: why the order failed counts as new again,
                    # also where another worker has read the order since this one received the message.
                    yield replace(after or record.read_again_at(now), reason="", remedy="")
                elif after is not None:
                    yield after
                elif record.next_attempt_at is not None:
                    due[order_id] = None
                else:
                    self._decisions.record("NOTICE_ALREADY_ANSWERED", order_id=order_id)

        saved = update_records(self._store, OrderRecord, newest, noticed)
        return [*due, *saved]

    def record_shipments(self, notices: Sequence[ChangeNotice]) -> list[str]:
        """Return the ids of the orders that are to be planned now; with `reprocess` in any case.

        An event says nothing new: the record is due for planning since before the event was sent. For an order that is
        not known or was never read, and for one without content that a person reprocesses, it is a notice like any
        other. Raises Conflict.
        """
        reprocessed = {notice.key for notice in notices if notice.reprocess}
        order_ids = list(dict.fromkeys(notice.key for notice in notices))
        due: dict[str, None] = {}

        def to_be_planned(stored: Mapping[str, OrderRecord | None]) -> Iterable[OrderRecord]:
            self._expire_for(stored, reprocessed)
            unread = [key for key, record in stored.items() if _is_to_be_read(record, key in reprocessed)]
            if unread:
                self.record([ChangeNotice(order_id, reprocess=order_id in reprocessed) for order_id in unread])
            for order_id, record in stored.items():
                if record is None or order_id in unread:
                    continue
                if record.next_attempt_at is None and order_id in reprocessed:
                    yield record.to_be_planned(SHIPMENTS, self._clock.now())
                elif order_id in reprocessed and (record.awaits_charge or record.next_step is NextStep.PLAN):
                    # Written also where it is due: a worker that has just sent this letter has not saved the failure
                    # yet. Its save is refused then, and what it decides next is reported again.
                    yield record.plan_at(self._clock.now(), record.reason)
                elif record.next_attempt_at is None:
                    self._decisions.record("NOTICE_ALREADY_ANSWERED", order_id=order_id)
                elif record.next_step is NextStep.PLAN:
                    due[order_id] = None

        saved = update_records(self._store, OrderRecord, order_ids, to_be_planned)
        return [*due, *saved]

    def _expire_for(self, stored: Mapping[str, OrderRecord | None], reprocessed: Collection[str]) -> None:
        """Have Xero's settings read again where a person reprocesses an order that failed."""
        if any(each is not None and each.state is OrderState.FAILED for each in map(stored.get, reprocessed)):
            self._expire_organisation()


def _is_to_be_read(record: OrderRecord | None, is_reprocessed: bool) -> bool:
    """Whether what is stored of an order is nothing, or older than what Amazon has announced of it.

    An order without content that failed waits for a person: the event was published before it failed, and each read
    of such an order publishes another one.
    """
    if record is None:
        return True
    is_unread = record.content is None or record.is_unreadable
    return is_unread and (is_reprocessed or record.state is not OrderState.FAILED)
