"""Records refunds, and what may concern them, among Amazon's transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from amazon_to_xero.domain.amazon.transaction_header import TransactionHeader, key_of_unreadable, transaction_header
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.amazon.transaction_types import belongs_to_settlements
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.intake.charges import ChargeRecorder
from amazon_to_xero.services.intake.recorder import MAX_CONTENT_BYTES
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.unforeseen import UNFORESEEN
from amazon_to_xero.services.work_report import StepReport


@dataclass(frozen=True)
class _Refund:
    """A transaction to record: with its header, or with why that cannot be read."""

    raw: Json
    header: TransactionHeader | None = None
    failure: Failure | None = None


class TransactionRecorder:
    """Turns Amazon's refunds into records, for one connection, and hands its charges on. It plans nothing."""

    def __init__(
        self,
        store: StateStore,
        failed_sources: FailedSources,
        charges: ChargeRecorder,
        clock: Clock,
        record_refunded: Callable[[Sequence[Json]], object] | None = None,
    ) -> None:
        """`record_refunded` is given transactions that are not known yet, before they are saved, and maybe again."""
        self._store = store
        self._failed_sources = failed_sources
        self._charges = charges
        self._clock = clock
        self._record_refunded = record_refunded

    def record(self, transactions: Sequence[Json]) -> StepReport:
        """Record the refunds and charges among transactions; none can stop the others. Raises Conflict.

        A new one is to be planned. A known one never changes but for its status, which changes nothing else. A copy of
        a deferred one, which Amazon adds when it is released, is ignored.
        """
        self._charges.record(transactions)
        refunds = dict(filter(None, map(_refund, transactions)))
        new: set[str] = set()

        def recorded(stored: Mapping[str, TransactionRecord | None]) -> Iterable[TransactionRecord]:
            if self._record_refunded is not None:
                self._record_refunded([refunds[key].raw for key, known in stored.items() if known is None])
            for key, known in stored.items():
                if known is None or known.awaits_content:
                    row = self._new(refunds[key], known or TransactionRecord(key, first_read_at=self._clock.now()))
                    new.add(key)
                else:
                    row = _with_status(known, refunds[key].header)
                if row is not None:
                    yield row

        saved = update_records(self._store, TransactionRecord, refunds, recorded)
        for key, row in saved.items():
            if key in new:
                self._failed_sources.log(row)
        due = tuple(key for key in saved if key in new and saved[key].next_attempt_at is not None)
        return StepReport(len(transactions), due)

    def known(self, transactions: Sequence[Json]) -> list[str]:
        """Return the ids of those transactions that are recorded already."""
        keys = dict(filter(None, map(_refund, transactions)))
        return list(self._store.load(TransactionRecord, keys)) if keys else []

    def _new(self, refund: _Refund, record: TransactionRecord) -> TransactionRecord | None:
        """Return the row of a refund that is not known yet.

        None where it failed and its dead letter could not be sent: nothing is stored, so that the next sweep finds it
        again.
        """
        try:
            if refund.failure is not None or refund.header is None:
                raise refund.failure or Failure(FailureCode.TRANSACTION_MALFORMED, "")
            header = refund.header
            record = replace(record, order_id=header.order_id, posted_at=header.posted_at, status=header.status)
            if len(canonical_json(refund.raw).encode()) > MAX_CONTENT_BYTES:
                remedy = "The refund has more items than a row can hold. Enter it in Xero manually."
                raise Failure(FailureCode.TRANSACTION_TOO_LARGE, remedy)
            return replace(record, content=refund.raw).plan_at(self._clock.now())
        except Failure as failure:
            return self._failed_sources.fail(record, failure.code, failure.remedy, REFUNDS)
        except UNFORESEEN as problem:
            return self._failed_sources.unreadable(record, problem, REFUNDS)


def _refund(raw: Json) -> tuple[str, _Refund] | None:
    """Return the key of the record of a refund, and the refund; None for what is known to be none, or a copy."""
    if belongs_to_settlements(raw):
        return None
    try:
        header = transaction_header(raw)
    except Failure as failure:
        return key_of_unreadable(raw), _Refund(raw, failure=failure)
    if header.is_copy:
        return None
    if not header.type:
        problem = f"transaction {header.transaction_id} states no transactionType"
        remedy = f"{problem}. If it is a refund, enter it in Xero manually."
        return header.transaction_id, _Refund(raw, failure=Failure(FailureCode.TRANSACTION_MALFORMED, remedy))
    return header.transaction_id, _Refund(raw, header)


def _with_status(known: TransactionRecord, header: TransactionHeader | None) -> TransactionRecord | None:
    """Return a known record with Amazon's status; None where there is nothing to write."""
    is_changed = header is not None and known.content is not None and header.status != known.status
    return replace(known, status=header.status) if header is not None and is_changed else None
