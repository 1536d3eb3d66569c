"""Corrections become durable: entered in the row of their source, then its record is due to be planned with them.

A correction arrives by the queue of the capability that plans its source, at least once, like a change notice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from amazon_to_xero.domain.amazon.correction_message import correction_message
from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.capabilities import REFUNDS, SHIPMENTS
from amazon_to_xero.domain.corrections import OF_ORDERS, Correction, CorrectionKind, Corrections, refused
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.source import SourceKind, identity_of, source_key
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterQueue, DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.state_updates import update_records

type _Check = Callable[[Correction], None]  # raises Failure for a correction that its source does not take


class CorrectionRecorder:
    """Enters the corrections of orders and refunds. The same correction twice changes nothing."""

    def __init__(
        self,
        connection: str,
        store: StateStore,
        dead_letters: Mapping[str, DeadLetterQueue],
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`dead_letters` are the queues of the connection's capabilities, by name."""
        self._connection = connection
        self._store = store
        self._dead_letters = dead_letters
        self._clock = clock
        self._decisions = decisions

    def record_of_orders(self, notices: Sequence[ChangeNotice]) -> list[str]:
        """Enter the corrections; return the ids of the orders that are to be planned or read now.

        One that cannot be entered goes to the dead-letter queue. Raises Conflict, and DeadLetterNotSent.
        """
        rows = self._entered(_by_source(SourceKind.ORDER, notices), SHIPMENTS, {})

        def due(stored: Mapping[str, OrderRecord | None]) -> Iterable[OrderRecord]:
            for order_id, known in stored.items():
                record = known or OrderRecord(order_id)
                row = rows.get(record.source)
                if row is not None and record.corrections < len(row.entries):
                    yield record.corrected(len(row.entries), SHIPMENTS, self._clock.now())

        return list(update_records(self._store, OrderRecord, [notice.key for notice in notices], due))

    def record_of_refunds(self, notices: Sequence[ChangeNotice]) -> list[str]:
        """Enter the corrections; return the ids of the transactions that are to be planned now.

        A refund is corrected before its credit note is requested: that is never changed. Otherwise as for orders.
        """
        keys = [notice.key for notice in notices]
        known = self._store.load(TransactionRecord, keys) if keys else {}
        checks = {source_key(SourceKind.TRANSACTION, key): partial(check_of_refund, known.get(key)) for key in keys}
        rows = self._entered(_by_source(SourceKind.TRANSACTION, notices), REFUNDS, checks)

        def due(stored: Mapping[str, TransactionRecord | None]) -> Iterable[TransactionRecord]:
            for record in filter(None, stored.values()):
                row = rows.get(record.source)
                if row is not None and record.corrections < len(row.entries):
                    yield record.corrected(len(row.entries), self._clock.now())

        return list(update_records(self._store, TransactionRecord, keys, due))

    def enter(self, source: str, correction: Correction) -> None:
        """Enter one correction of the order or refund of that key."""
        order_id, transaction_id = identity_of(source, SourceKind.ORDER), identity_of(source, SourceKind.TRANSACTION)
        if order_id:
            self.record_of_orders([ChangeNotice(order_id, correction=correction)])
        elif transaction_id:
            self.record_of_refunds([ChangeNotice(transaction_id, correction=correction)])

    def _entered(
        self, entries: Mapping[str, Sequence[Correction]], capability: str, checks: Mapping[str, _Check]
    ) -> Mapping[str, Corrections]:
        """Store the entries; return the rows of their sources, also of those that had all of them."""
        failures: dict[str, tuple[str, Correction, Failure]] = {}
        held: dict[str, int] = {}  # entries that a source had before

        def with_entries(stored: Mapping[str, Corrections | None]) -> Iterable[Corrections]:
            for source, known in stored.items():
                row = known or Corrections(source)
                held[source] = len(row.entries)
                for entry in entries[source]:
                    try:
                        row = _with_entry(row, entry, checks.get(source))
                    except Failure as failure:
                        failures[entry.correction_id] = source, entry, failure
                if row != (known or Corrections(source)):
                    yield row

        for row in update_records(self._store, Corrections, entries, with_entries).values():
            self._log(row.source, row.entries[held[row.source] :])
        for source, entry, failure in failures.values():
            self._refuse(source, entry, failure, capability)
        return self._store.load(Corrections, entries) if entries else {}

    def _log(self, source: str, recorded: Iterable[Correction]) -> None:
        for entry in recorded:
            self._decisions.record("CORRECTION_RECORDED", source=source, correction=entry.text, author=entry.author)

    def _refuse(self, source: str, entry: Correction, failure: Failure, capability: str) -> None:
        body = correction_message(self._connection, source, entry)
        self._dead_letters[capability].send(body, reason=failure.code, remedy=failure.remedy)
        self._decisions.record(failure.code, source=source, reason=failure.code, remedy=failure.remedy)


def _by_source(kind: SourceKind, notices: Iterable[ChangeNotice]) -> Mapping[str, Sequence[Correction]]:
    entries: dict[str, list[Correction]] = defaultdict(list)
    for notice in notices:
        if notice.correction is not None:
            entries[source_key(kind, notice.key)].append(notice.correction)
    return entries


def _with_entry(row: Corrections, entry: Correction, check: _Check | None) -> Corrections:
    """Return the row with the entry. Raises Failure with CORRECTION_REFUSED."""
    after = row.with_entry(entry)
    if after is not None and check is not None:
        check(entry)
    return after or row


def check_of_refund(record: TransactionRecord | None, entry: Correction) -> None:
    """Raise Failure with CORRECTION_REFUSED for a correction that the refund does not take, or not any more."""
    if record is None:
        raise refused("Amazon has not stated such a transaction")
    if entry.kind in OF_ORDERS:
        raise refused(f"{entry.kind} is for orders only")
    if entry.kind is CorrectionKind.DATE and entry.line:
        raise refused(f"a refund has one day, and line should be empty and is {entry.line!r}")
    if record.documents and entry.kind is not CorrectionKind.AS_IN_XERO:
        raise refused(
            f"credit note {record.credit_note_number} of {record.source} is requested already, and is never changed",
            "To have it booked otherwise, remove its cash refund or allocation in Xero, change it there, and settle it "
            "again as it was; then accept the changes with drift accept.",
        )
