"""Records what Amazon charged for shipments, by order: a page of transactions is one batch of few rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge, shipment_charge
from amazon_to_xero.domain.amazon.transaction import parse_transaction
from amazon_to_xero.domain.amazon.transaction_header import (
    TransactionHeader,
    is_charge,
    key_of_unreadable,
    transaction_header,
)
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord, TransactionState
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import Failure, FailureCode, NotBookedReason
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.unforeseen import UNFORESEEN


@dataclass(frozen=True)
class _Unreadable:
    """A charge that cannot be recorded, with its header where that can be read, and why."""

    problem: Exception
    header: TransactionHeader | None = None


class ChargeRecorder:
    """Turns Amazon's Shipment transactions into rows, for one connection. It decides nothing but what is equal."""

    def __init__(self, store: StateStore, failed_sources: FailedSources, start: datetime, clock: Clock) -> None:
        """Charges before `start` (UTC) belong to orders that are not entered here, and are left out."""
        self._store = store
        self._failed_sources = failed_sources
        self._start = start
        self._clock = clock

    def record(self, transactions: Sequence[Json]) -> None:
        """Record the charges among transactions; none can stop the others. Raises Conflict.

        A known charge never changes, and costs no write. A copy of a deferred one, which Amazon adds when it is
        released, is ignored.
        """
        charges: dict[str, dict[str, ShipmentCharge]] = {}
        unreadable: dict[str, _Unreadable] = {}
        for raw in transactions:
            kind = raw.get("transactionType")
            if isinstance(kind, str) and is_charge(kind):
                self._sort(raw, charges, unreadable)
        self._fail(unreadable)
        self._record(charges)

    def _sort(
        self, raw: Json, charges: dict[str, dict[str, ShipmentCharge]], unreadable: dict[str, _Unreadable]
    ) -> None:
        """Add a charge to those of its order, or to the unreadable ones."""
        header: TransactionHeader | None = None
        try:
            header = transaction_header(raw)
            if header.is_copy or header.posted_at < self._start:
                return
            if not header.order_id:
                problem = f"Charge {header.transaction_id} names no order"
                remedy = f"{problem}. Check it in Seller Central (Payments > Transaction View)."
                raise Failure(FailureCode.TRANSACTION_MALFORMED, remedy)
            charge = shipment_charge(parse_transaction(raw))
            charges.setdefault(header.order_id, {})[charge.transaction_id] = charge
        except (Failure, *UNFORESEEN) as problem:
            unreadable[header.transaction_id if header else key_of_unreadable(raw)] = _Unreadable(problem, header)

    def _record(self, charges: Mapping[str, Mapping[str, ShipmentCharge]]) -> None:
        new: set[str] = set()

        def recorded(stored: Mapping[str, SaleConfirmation | None]) -> Iterable[SaleConfirmation]:
            rows = []
            for order_id, known in stored.items():
                confirmation = known or SaleConfirmation(order_id)
                row = confirmation.with_charges(charges[order_id].values(), self._clock.now())
                if row is not None:
                    new.update(row.charges.keys() - confirmation.charges.keys())
                    rows.append(row)
            self._settle_failed(new)
            return rows

        for row in update_records(self._store, SaleConfirmation, charges, recorded).values():
            self._failed_sources.log(row)

    # --- charges that could not be read -----------------------------------------------------------------------------

    def _fail(self, unreadable: Mapping[str, _Unreadable]) -> None:
        """Fail each once; again where a person asked to read it again."""

        def failed(stored: Mapping[str, TransactionRecord | None]) -> Iterable[TransactionRecord]:
            for key, known in stored.items():
                if known is None or known.awaits_content:
                    row = self._failed(
                        known or TransactionRecord(key, first_read_at=self._clock.now()), unreadable[key]
                    )
                    if row is not None:
                        yield row

        for row in update_records(self._store, TransactionRecord, unreadable, failed).values():
            self._failed_sources.log(row)

    def _failed(self, record: TransactionRecord, charge: _Unreadable) -> TransactionRecord | None:
        """Return the failed row; None where its dead letter could not be sent: the next sweep finds it again."""
        if charge.header is not None:
            header = charge.header
            record = replace(record, order_id=header.order_id, posted_at=header.posted_at, status=header.status)
        if isinstance(charge.problem, Failure):
            return self._failed_sources.fail(record, charge.problem.code, charge.problem.remedy, REFUNDS)
        return self._failed_sources.unreadable(record, charge.problem, REFUNDS)

    def _settle_failed(self, transaction_ids: Iterable[str]) -> None:
        """Take charges that can be read by now off the list of failures, before they count as known."""

        def settled(stored: Mapping[str, TransactionRecord | None]) -> Iterable[TransactionRecord]:
            for known in stored.values():
                if known is not None and known.state is TransactionState.FAILED and known.content is None:
                    yield known.settled(TransactionState.NOT_BOOKED, NotBookedReason.CONFIRMS_A_SALE)

        update_records(self._store, TransactionRecord, transaction_ids, settled)
