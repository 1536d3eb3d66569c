"""Each layer of safety taken away on its own, at seams of the test world: what the simulation must then find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore
from amazon_to_xero.domain.amazon.charge_types import AmountKind
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.amazon.transaction import ItemAmount
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.organisation import LockDates, Organisation
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.planning import confirmation, refund, sale_confirmation
from amazon_to_xero.domain.planning.confirmation import Comparison, Verdict
from amazon_to_xero.domain.planning.refund_plan import _RefundPlan
from amazon_to_xero.domain.planning.refunded_sale import RefundedSale
from amazon_to_xero.domain.planning.reversals import DecidedRefunds
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.domain.planning.stated_sale import StatedSale
from amazon_to_xero.ports.amazon import AmazonError
from amazon_to_xero.ports.state import Record, StateStore
from amazon_to_xero.ports.xero import XeroRefused
from amazon_to_xero.runtime import transaction_services
from amazon_to_xero.services.intake import reader, refused_orders
from amazon_to_xero.services.intake.refused_orders import RefusedOrders
from amazon_to_xero.services.planning import confirmations
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.planning.refunds import RefundPlans
from amazon_to_xero.services.planning.series import by_itself
from amazon_to_xero.services.posting import batches, contacts, writer
from amazon_to_xero.services.posting.batches import PostingRequest
from amazon_to_xero.services.posting.budget import BudgetedXero
from amazon_to_xero.services.posting.outcome_resolution import OutcomeResolution
from amazon_to_xero.services.posting.tenant import TenantBoundXero
from amazon_to_xero.services.posting.tokens import XeroTokens
from amazon_to_xero.services.posting.transitions import Transition
from amazon_to_xero.services.posting.writer import BatchWriter
from amazon_to_xero.services.work_report import PostReport, StepReport
from simulation.culprits import Culprit
from simulation.table import MemoryTable
from simulation.world import Layers


class _ForgetsIntent(RowStateStore):
    """Documents are claimed in the worker's memory only: no other worker knows that a call is under way."""

    def __init__(self, store: RowStateStore) -> None:
        super().__init__(store._connection, store._table, store._codecs)

    def save[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        claims = {
            record.key: record
            for record in records
            if isinstance(record, Document) and record.state is DocumentState.IN_FLIGHT
        }
        return super().save([record for record in records if record.key not in claims]) | claims


class _Unfenced(MemoryTable):
    """Whoever writes last wins."""

    def put(self, row: Row, lag: float) -> bool:
        held = self.rows.get(row.sk)
        return super().put(replace(row, generation=(held.generation if held else 0) + 1), lag)


def _without_intent(store: RowStateStore) -> StateStore:
    return _ForgetsIntent(store)


_with_desired = Document.with_desired


def _whatever_comes_last(self: Document, desired: DesiredDocument, now: datetime) -> Document | None:
    return _with_desired(replace(self, desired=replace(self.desired, source_version=None)), desired, now)


def _never(*_: Any) -> bool:
    return False


def _without_budget(_self: BudgetedXero, _operation: str, call: Any, *_: Any, **__: Any) -> Any:
    return call()


def _nothing(*_: Any) -> None:
    return None


def _always_in_full_batches(requests: Sequence[PostingRequest]) -> Iterator[list[PostingRequest]]:
    yield from batches._batches(requests, batches.BATCH_SIZE)


def _fail_the_batch(
    self: BatchWriter, _kind: Any, _write: Any, claimed: Sequence[PostingRequest], problem: XeroRefused, *_: Any
) -> PostReport:
    failed = partial(Document.failed, code=FailureCode.XERO_REFUSED, remedy=problem.message)
    return self._transitions.apply([(request.document, failed) for request in claimed])


def _fail_the_lookup(
    self: OutcomeResolution, _kind: Any, documents: Sequence[Document], alone: Transition
) -> PostReport:
    return self._transitions.apply([(document, alone) for document in documents])


def _blame_the_operation(self: RefusedOrders, _refused: set[str], problem: AmazonError) -> StepReport:
    return self._faults.pause_refused(problem)


def _look_up_for_ever(self: Document, now: datetime, message: str) -> Document:
    return replace(self.unknown(now + timedelta(minutes=5)), remedy=message)


def _no_contacts(*_: Any) -> dict[str, Any]:
    return {}


def _as_ever(_self: Organisation, day: date, _lock_dates: LockDates) -> date:
    return day


def _none_again(*_: Any) -> set[str]:
    return set()


def _always(*_: Any) -> bool:
    return True


def _whole_invoice(_self: Any, invoice: Document, _earlier_notes: Sequence[str]) -> Decimal:
    return invoice.desired.total or Decimal(0)


def _all_of_it(_self: DecidedRefunds, value: Decimal, _adjusted: Decimal) -> Decimal:
    return value


def _always_confirmed(*_: Any) -> Comparison:
    return Comparison(Verdict.CONFIRMED)


_with_sale = SaleConfirmation.with_sale
_with_charges = SaleConfirmation.with_charges


def _with_the_first_sale(
    self: SaleConfirmation, sale: StatedSale | None, version: datetime, now: datetime
) -> SaleConfirmation | None:
    is_compared = self.sale is not None and bool(self.charges)
    return replace(self, sale=sale) if is_compared and sale is not None else _with_sale(self, sale, version, now)


def _with_the_first_charges(
    self: SaleConfirmation, charges: Iterable[ShipmentCharge], now: datetime
) -> SaleConfirmation | None:
    recorded = _with_charges(self, charges, now)
    is_compared = self.sale is not None and bool(self.charges)
    return replace(self, charges=recorded.charges) if is_compared and recorded is not None else recorded


_compare = confirmation.compare


def _compare_what_was_paid(sale: StatedSale, charges: Sequence[ShipmentCharge], *more: Decimal) -> Comparison:
    return _compare(replace(sale, withheld=sum((each.withheld for each in charges), Decimal(0))), charges, *more)


def _taxes(_transaction: Any, _sku: str, amounts: Sequence[ItemAmount]) -> Any:
    taxes = [each for each in amounts if each.type.is_tax and each.type.kind is not AmountKind.MARKETPLACE_TAX]
    withheld = (each.amount for each in amounts if each.type.kind is AmountKind.MARKETPLACE_TAX)
    return refund._Taxes(-sum((each.amount for each in taxes), Decimal(0)), sum(withheld, Decimal(0)))


def _is_in_xero_itself(self: Document) -> bool:
    return bool(self.xero_id)


_STORMS_AROUND_CALLS = {"freeze_around_calls": 0.3, "freeze_for": 110.0}
# The weather is aimed at what the layer is for; with the layer in place it must do no harm.
WITHOUT: Mapping[str, Layers] = {
    "durable intent": Layers(store=_without_intent, weather={"crash_around_writes": 0.5}),
    # Numbers and what is due keep a creation from happening twice; an update that arrives late meets only its key.
    "idempotency key": Layers(xero_drops_keys=True, orders=20, weather={"xero_late": 0.4, "xero_dropped": 0.2}),
    "look before create": Layers(without={(Document, "outcome_unknown"): property(_never)}),
    # A request that Xero executes a quarter of an hour late meets nothing but the number.
    "unique numbers": Layers(xero_numbers_unique=False, latest=900),
    "fence by generation": Layers(table=_Unfenced, weather=_STORMS_AROUND_CALLS),
    "newest version wins": Layers(
        weather=_STORMS_AROUND_CALLS,
        without={
            (Document, "with_desired"): _whatever_comes_last,
            (Document, "has_newer_version_than"): _never,
            (OrderRecord, "is_newer_than"): _never,
        },
    ),
    "call budget": Layers(
        orders=40, constants={(batches, "BATCH_SIZE"): 1}, without={(BudgetedXero, "_within"): _without_budget}
    ),
    # A fault that lasts must end with its own document, after a bounded number of calls.
    "smaller batches": Layers(
        orders=6, culprits=(Culprit.XERO_UNANSWERED,), without={(batches, "batches"): _always_in_full_batches}
    ),
    "blame for silence": Layers(
        orders=6,
        culprits=(Culprit.XERO_UNANSWERED,),
        without={(BatchWriter, "_is_to_blame_for_silence"): _never},
    ),
    "halving of refused batches": Layers(
        orders=6, culprits=(Culprit.XERO_CALL_REFUSED,), without={(BatchWriter, "_bisect"): _fail_the_batch}
    ),
    "halving of look-ups": Layers(
        orders=6,
        culprits=(Culprit.XERO_LOOKUP_REFUSED,),
        without={(OutcomeResolution, "_isolate"): _fail_the_lookup},
    ),
    "probe of look-ups": Layers(
        orders=6,
        culprits=(Culprit.XERO_LOOKUP_UNANSWERED,),
        without={(OutcomeResolution, "_answers_another_lookup"): _never},
    ),
    "end of unanswered look-ups": Layers(
        orders=6,
        culprits=(Culprit.XERO_LOOKUP_UNANSWERED,),
        without={(Document, "lookup_unanswered"): _look_up_for_ever},
    ),
    "end of refusals": Layers(
        orders=6, culprits=(Culprit.AMAZON_HIDES,), without={(refused_orders, "MAX_REFUSALS"): 10**6}
    ),
    "test of getOrder": Layers(
        orders=6, culprits=(Culprit.AMAZON_HIDES,), without={(RefusedOrders, "test_operation"): _blame_the_operation}
    ),
    "end of unanswered reads": Layers(
        orders=6, culprits=(Culprit.AMAZON_FAILS,), without={(reader, "_is_never_answered"): _never}
    ),
    # What a bookkeeper archives or merges in Xero keeps no document from being posted, and is not created again.
    "look-up of refused contacts": Layers(
        orders=8, tidies=True, without={(writer, "check_contacts_of_refused"): _nothing}
    ),
    "merged contacts": Layers(orders=8, tidies=True, without={(contacts, "follow_merges"): _no_contacts}),
    # What belongs in a period that Xero has locked is dated on the first open day, or fails.
    "first open day": Layers(orders=6, moves_dates=True, without={(Organisation, "open_date"): _as_ever}),
    "dates planned again": Layers(orders=6, moves_dates=True, without={(writer, "plan_locked_again"): _none_again}),
    # Settings that name another organisation under the same authorisation hold the connection.
    "bound tenant": Layers(orders=8, other_organisation=True, without={(TenantBoundXero, "_check"): _nothing}),
    # Refunds are credited once, and never beyond what is left.
    "order of the refunds": Layers(
        refunds=True,
        orders=4,
        without={(transaction_services, "refund_place"): by_itself, (RefundPlans, "_is_another_under_way"): _never},
    ),
    "kept decisions": Layers(refunds=True, orders=4, without={(DecidedRefundsStore, "replace"): _always}),
    "room of an open invoice": Layers(refunds=True, orders=4, without={(_RefundPlan, "_room"): _whole_invoice}),
    "netting": Layers(refunds=True, orders=4, without={(DecidedRefunds, "refund_to_credit"): _all_of_it}),
    "sale before refund": Layers(refunds=True, orders=4, without={(RefundedSale, "not_in_books"): property(_nothing)}),
    "comparison of charges": Layers(
        refunds=True,
        without={(sale_confirmation, "compare"): _always_confirmed, (confirmations, "compare"): _always_confirmed},
    ),
    "comparison of withheld tax": Layers(
        refunds=True,
        orders=8,
        without={
            (sale_confirmation, "compare"): _compare_what_was_paid,
            (confirmations, "compare"): _compare_what_was_paid,
        },
    ),
    "refunded tax that nets": Layers(refunds=True, orders=4, without={(refund, "_taxes"): _taxes}),
    # What was compared once is compared again when its order is planned anew, and when Amazon charges more for it.
    "comparison of a changed sale": Layers(
        refunds=True, orders=12, without={(SaleConfirmation, "with_sale"): _with_the_first_sale}
    ),
    "comparison of a further charge": Layers(
        refunds=True, orders=12, without={(SaleConfirmation, "with_charges"): _with_the_first_charges}
    ),
    # What a day has stated is never edited: it is adjusted by further entries.
    "closed entries": Layers(days=True, orders=8, without={(Document, "exists_in_xero"): property(_is_in_xero_itself)}),
    "repeated token refresh": Layers(
        weather={"xero_token_dropped": 0.7}, without={(XeroTokens, "finish_renewal"): _nothing}
    ),
}
