"""Compares due charges with the sales of their orders. It calls neither Amazon nor Xero, and has no documents.

Most sales are confirmed where their charge is recorded: what the documents state is kept in the same row. What is due
here needs a decision: a difference, a limit that has passed, or a charge whose order has no sale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from amazon_to_xero.domain.amazon.order_record import OrderRecord, OrderState
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge, charged_text
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.domain.failures import Failure, FailureCode, NotInvoicedReason, WaitReason
from amazon_to_xero.domain.money import total
from amazon_to_xero.domain.planning.confirmation import Comparison, Verdict, compare
from amazon_to_xero.domain.planning.cut_over import is_left_out
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.domain.planning.stated_sale import StatedSale, stated_sale
from amazon_to_xero.domain.source import NextStep
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.dead_letters import RETRY_SEND
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.planning.charged_orders import SoldSinceStart
from amazon_to_xero.services.planning.decided_refunds import DecidedRefundsStore
from amazon_to_xero.services.planning.planner import MAX_DUE, RECORDS_PER_ROUND, PlannedRecord
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.unforeseen import UNFORESEEN
from amazon_to_xero.services.work_report import StepReport

SALE_LIMIT = timedelta(days=3)  # a charge waits so long for the sale of its order before it fails
_FIRST_WAIT = timedelta(hours=1)
_CHARGE_AWAITED_WAIT = timedelta(days=1)  # between two comparisons while the order itself awaits a charge, at most
#: An order that the sweep of orders has not read after so long is read because of its charge.
_SWEEP_LIMIT = timedelta(hours=6)
_BACKFILL_WAIT = timedelta(hours=6)  # between two comparisons while a backfill may read the order
#: By these rules a sale is not entered here, whatever Amazon charges for it.
_SOLD_ELSEWHERE = frozenset(
    {
        NotInvoicedReason.BEFORE_START,
        NotInvoicedReason.MULTI_CHANNEL,
        NotInvoicedReason.IGNORED_MARKETPLACE,
        NotInvoicedReason.SKIPPED,
    }
)
#: Orders that failed so may be entered once their charges are known.
_ANSWERED_BY_CHARGES = frozenset({FailureCode.SHIPPING_DAY_UNKNOWN, FailureCode.TAX_LIABILITY_UNCLEAR})
_COMPARE = "Compare the order's charges in Seller Central (Payments > Transaction View) with its documents in Xero"


@dataclass(frozen=True)
class Swept:
    """How far the connection has read Amazon.

    orders, transactions: until when (UTC) the sweeps have read everything; None before the first one is complete.
    backfilled: orders that were first charged between these times (UTC) may still be read by a backfill.
    """

    orders: datetime | None = None
    transactions: datetime | None = None
    backfilled: tuple[datetime, datetime] | None = None


class SaleConfirmations:
    """The confirmations of one connection.

    Any number of workers may compare the same row: the generations of the rows decide whose comparison is stored.
    """

    def __init__(
        self,
        store: StateStore,
        failed_sources: FailedSources,
        clock: Clock,
        read_orders: Callable[[Sequence[str]], object],
        plan_orders: Callable[[Sequence[str]], object],
        swept: Callable[[], Swept],
        liabilities: Mapping[str, Party],
        book_charged: Callable[[str, Sequence[ShipmentCharge]], SoldSinceStart],
    ) -> None:
        """`read_orders` and `plan_orders` make orders due for reading or planning, by their ids.

        book_charged: has an order booked that shipped when it was charged: see ChargedOrders.
        liabilities: as for `responsible_party`.
        """
        self._store = store
        self._failed_sources = failed_sources
        self._clock = clock
        self._read_orders = read_orders
        self._plan_orders = plan_orders
        self._swept = swept
        self._liabilities = liabilities
        self._book_charged = book_charged
        self._refunds = DecidedRefundsStore(store)

    # --- what planning reports --------------------------------------------------------------------------------------

    def orders_planned(self, plans: Sequence[PlannedRecord[OrderRecord]]) -> None:
        """Store what the documents of planned orders state, before the orders stop being due. Raises Conflict."""
        planned = {plan.record.order_id: plan for plan in plans if _states_a_sale(plan.record)}

        before: dict[str, tuple[str, str, str]] = {}

        def stated(stored: Mapping[str, SaleConfirmation | None]) -> Iterable[SaleConfirmation]:
            for order_id, known in stored.items():
                row = self._with_sale(planned[order_id], known)
                if row is not None:
                    before[order_id] = _decision(known or SaleConfirmation(order_id))
                    yield row

        if planned:
            saved = update_records(self._store, SaleConfirmation, planned, stated)
            self._log(row for row in saved.values() if _decision(row) != before[row.key])

    def _with_sale(self, plan: PlannedRecord[OrderRecord], known: SaleConfirmation | None) -> SaleConfirmation | None:
        """Return the row with what the order's documents state; None where that changes nothing."""
        row, record = known or SaleConfirmation(plan.record.order_id), plan.record
        version = record.source_version
        if version is None or row.has_newer_plan_than(version):
            return None
        # What a person enters otherwise states no sale here: its documents take back what they stated.
        is_skipped = record.reason == NotInvoicedReason.SKIPPED
        documents = [] if is_skipped else [each for step in plan.steps for each in step]
        try:
            charges = tuple(row.charges.values())
            sale = stated_sale(record, documents, self._liabilities, charges, plan.order)
        except (Failure, *UNFORESEEN) as problem:
            # Its plan stands, and so do the others. A charge of it fails for want of a sale.
            self._failed_sources.unreadable(SaleConfirmation(row.order_id), problem, REFUNDS)
            return None
        if known is None and sale is None:
            return _without_charge_or_sale(row, record, version)
        if sale is None and row.awaits_sale and record.state is OrderState.PLANNED:
            return None  # compared now, it would only have the order planned again, without an end
        now = self._clock.now()
        if sale is None and row.is_explained_by_another_rule(record.reason):
            return row.compare_at(now, now)
        return row.with_sale(sale, version, now)

    def refunds_planned(self, plans: Sequence[PlannedRecord[TransactionRecord]]) -> None:
        """Compare again the orders of planned refunds: one may have given back what an adjustment had credited."""

        def compared_again(stored: Mapping[str, SaleConfirmation | None]) -> Iterable[SaleConfirmation]:
            now = self._clock.now()
            for row in stored.values():
                is_open = row is not None and row.sale is not None and row.state is not ConfirmationState.CONFIRMED
                if row is not None and is_open and row.charges:
                    yield row.compare_at(now, now)

        order_ids = [plan.record.order_id for plan in plans if plan.record.next_attempt_at is None]
        update_records(self._store, SaleConfirmation, filter(None, order_ids), compared_again)

    def reprocess(self, order_ids: Sequence[str]) -> None:
        """Compare orders again because a person asks. Raises Conflict."""

        def again(stored: Mapping[str, SaleConfirmation | None]) -> Iterable[SaleConfirmation]:
            return [row.reprocessed(self._clock.now()) for row in stored.values() if row is not None]

        update_records(self._store, SaleConfirmation, order_ids, again)

    # --- comparing --------------------------------------------------------------------------------------------------

    def confirm_due(self, deadline: datetime) -> StepReport:
        """Compare what is due. A failure ends in its row and in the dead-letter queue, never in an exception."""
        now = self._clock.now()
        rows = self._store.load(SaleConfirmation, self._store.due(REFUNDS, now, MAX_DUE))
        due = [row for row in rows.values() if row.is_due(NextStep.PLAN, now)]
        report = StepReport()
        for chunk in batched(due, RECORDS_PER_ROUND, strict=False):
            if self._clock.now() >= deadline:
                return report.plus(StepReport(stopped=WaitReason.OUT_OF_TIME))
            without_sale = [row.order_id for row in chunk if row.sale is None]
            orders = self._store.load(OrderRecord, without_sale) if without_sale else {}
            swept = self._swept()
            decided = [self._decided(row, orders.get(row.order_id), swept) for row in chunk]
            before = {row.key: _decision(row) for row in chunk}
            self._log(row for row in self._store.save(decided).values() if _decision(row) != before[row.key])
            report = report.plus(StepReport(len(chunk)))
        return report

    def _log(self, rows: Iterable[SaleConfirmation]) -> None:
        for row in rows:
            self._failed_sources.log(row)

    def _decided(self, row: SaleConfirmation, order: OrderRecord | None, swept: Swept) -> SaleConfirmation:
        failed: SaleConfirmation | None
        try:
            return self._without_sale(row, order, swept) if row.sale is None else self._compared(row, row.sale, swept)
        except Failure as failure:
            failed = row.failed(failure.code, failure.remedy)
            if _decision(failed) != _decision(row):  # otherwise its dead letter was sent
                failed = self._failed_sources.fail(row, failure.code, failure.remedy, REFUNDS)
            if failed is not None and failure.code is FailureCode.CHARGE_WITHOUT_SALE:
                # Settings may explain its order by now, and nothing else would compare it again.
                failed = failed.compare_at(self._later(row), self._clock.now())
        except UNFORESEEN as problem:
            failed = self._failed_sources.unreadable(row, problem, REFUNDS)
        return failed or row.plan_at(self._clock.now() + RETRY_SEND, WaitReason.DEAD_LETTER_NOT_SENT)

    def _compared(self, row: SaleConfirmation, sale: StatedSale, swept: Swept) -> SaleConfirmation:
        """Return the row of an order with a sale. Raises Failure."""
        decided = self._refunds.load(row.order_id)
        # What an open invoice was reduced by has no credit note, and comes back as a refund all the same.
        reductions = sale.reductions + total(each.reduced for each in decided.reduced.values())
        charges = tuple(row.charges.values())
        compared = compare(replace(sale, reductions=reductions), charges, decided.given_back_of_reductions)
        if compared.verdict is Verdict.CONFIRMED:
            return row.settled(ConfirmationState.CONFIRMED)
        now, limit = self._clock.now(), compared.awaited_until
        # What Amazon posted up to the limit has to be read, too: while it is not, nothing is missing.
        if limit is None or (limit <= now and swept.transactions is not None and swept.transactions >= limit):
            raise _differs(row, compared)
        return row.awaiting(compared, limit if limit > now else self._later(row), now)

    def _later(self, row: SaleConfirmation) -> datetime:
        """Return when to compare again what has waited: ever more rarely, so that it costs little however long."""
        now = self._clock.now()
        return now + max(_FIRST_WAIT, (now - (row.awaited_since or now)) / 2)

    # --- charges without a sale -------------------------------------------------------------------------------------

    def _without_sale(self, row: SaleConfirmation, order: OrderRecord | None, swept: Swept) -> SaleConfirmation:
        """Return the row of an order that has no approved invoice as far as it is known. Raises Failure."""
        if _is_backfilled(row, order, swept):
            return self._awaiting_backfill(row)
        is_pending = order is not None and order.reason == NotInvoicedReason.ORDER_PENDING
        if order is not None and order.state is OrderState.NOT_INVOICED and not is_pending:
            sold = self._book_charged(row.order_id, tuple(row.charges.values()))
            if sold is SoldSinceStart.NO:
                return _explained(row, order)
            if sold is SoldSinceStart.IN_PART:
                return self._charged_in_part(row)
        problem = _problem_of(order)
        self._ask_for_sale(row, order, swept)
        now = self._clock.now()
        if order is not None and order.awaits_charge_since is not None:
            # Its own wait has an end, with a failure that says what is missing.
            return row.awaiting_sale(problem, min(self._later(row), now + _CHARGE_AWAITED_WAIT), now)
        remedy = "Correct that, then reprocess the order; or enter the sale in Xero manually."
        return self._awaiting_sale(row, problem, remedy)

    def _awaiting_backfill(self, row: SaleConfirmation) -> SaleConfirmation:
        """Return the row of an order that is read with many others; its wait begins anew when that is done."""
        now = self._clock.now()
        waiting = replace(row, awaited_since=now)
        return waiting.awaiting_sale("may be read by the backfill that is not done", now + _BACKFILL_WAIT, now)

    def _charged_in_part(self, row: SaleConfirmation) -> SaleConfirmation:
        """Return the row of an order from before the start that is not charged in full since. Raises Failure."""
        problem = "was placed before the connection's start, and is not charged in full since"
        remedy = (
            "Enter what these books should have of it in Xero manually, then take it off the list with correct --skip."
        )
        return self._awaiting_sale(row, problem, remedy)

    def _awaiting_sale(self, row: SaleConfirmation, problem: str, remedy: str) -> SaleConfirmation:
        """Return the row to be compared again. Raises Failure once it has waited too long."""
        now = self._clock.now()
        limit = (row.awaited_since or now) + SALE_LIMIT
        if now >= limit:
            charged = charged_text(tuple(row.charges.values())) or "nothing"
            raise Failure(
                FailureCode.CHARGE_WITHOUT_SALE,
                f"Amazon charged {charged} for order {row.order_id}, which {problem}. {remedy}",
            )
        return row.awaiting_sale(problem, min(self._later(row), limit), now)

    def _ask_for_sale(self, row: SaleConfirmation, order: OrderRecord | None, swept: Swept) -> None:
        """Have an order read or planned that nothing else will."""
        if order is not None and _needs_plan(row, order):
            self._plan_orders([row.order_id])
        elif (order is None or order.state in (OrderState.PLANNED, OrderState.NOT_INVOICED)) and self._is_swept(
            row, swept
        ):
            self._read_orders([row.order_id])

    def _is_swept(self, row: SaleConfirmation, swept: Swept) -> bool:
        """Whether the sweep of orders has passed the charge: until then it will read the order, with many others."""
        posted_at = max((charge.posted_at for charge in row.charges.values()), default=self._clock.now())
        has_waited = row.awaited_since is not None and self._clock.now() - row.awaited_since >= _SWEEP_LIMIT
        return has_waited or (swept.orders is not None and swept.orders >= posted_at)


def _without_charge_or_sale(row: SaleConfirmation, order: OrderRecord, version: datetime) -> SaleConfirmation | None:
    """Return the first row of an order without either; None where it needs none.

    A worker that was frozen may still store the sale of an order that had shipped and is cancelled by now, and must
    find this row.
    """
    if order.reason != NotInvoicedReason.ORDER_CANCELLED or not order.shipments:
        return None
    return replace(row, planned_version=version).settled(ConfirmationState.NOT_INVOICED, order.reason)


def _is_backfilled(row: SaleConfirmation, order: OrderRecord | None, swept: Swept) -> bool:
    """Whether a backfill may read an order of which nothing is known but its charges, or that it is not of these books.

    Else each would be read by itself, at once, and not at the pace of the backfill.
    """
    if swept.backfilled is None or not row.charges or (order is not None and not is_left_out(order)):
        return False
    after, before = swept.backfilled
    return after <= min(charge.posted_at for charge in row.charges.values()) <= before


def _states_a_sale(order: OrderRecord) -> bool:
    """Whether the documents of a planned order are what is to be confirmed: drafts are not charged yet."""
    has_left = bool(order.shipments) or order.state is OrderState.NOT_INVOICED
    return has_left and order.state in (OrderState.PLANNED, OrderState.NOT_INVOICED)


def _needs_plan(row: SaleConfirmation, order: OrderRecord) -> bool:
    """Whether to plan an order that has been charged: it may have been waiting for that, or failed for want of it."""
    was_planned_before = order.state is OrderState.PLANNED and bool(order.shipments)  # charges were recorded
    has_failed_without = order.state is OrderState.FAILED and order.reason in _ANSWERED_BY_CHARGES
    return was_planned_before or order.awaits_charge or (has_failed_without and not row.is_found_without_sale)


def _decision(row: SaleConfirmation) -> tuple[str, str, str]:
    """Return what is logged of a row: once, however often it is compared."""
    return row.state, row.reason, row.remedy


def _explained(row: SaleConfirmation, order: OrderRecord) -> SaleConfirmation:
    """Return the row of an order that has no documents by rule. Raises Failure where Amazon charged for it."""
    charges = tuple(row.charges.values())
    if order.reason not in _SOLD_ELSEWHERE and total(each.total for each in charges):
        raise Failure(
            FailureCode.CHARGE_DIFFERS,
            f"{_COMPARE}: Amazon charged {charged_text(charges)} for order {order.order_id}, the documents state 0: "
            f"it is not invoiced ({order.reason}). If Amazon has not given it back, enter the sale "
            "in Xero manually. Then take the confirmation off the list with replay close.",
        )
    return replace(row, planned_version=order.source_version).settled(ConfirmationState.NOT_INVOICED, order.reason)


def _problem_of(order: OrderRecord | None) -> str:
    if order is None:
        return "has not been read from Amazon"
    if order.awaits_charge_since is not None:
        return "waits until Amazon has charged all that it leaves open"
    if order.state is OrderState.FAILED:
        return f"failed with {order.reason}: {order.remedy}".rstrip(" .:")
    if order.state is OrderState.NOT_INVOICED:
        return "is pending as Amazon stated it last"
    if order.state is OrderState.PLANNED and order.shipments:
        return "has no invoice that is approved in Xero"
    if order.state is OrderState.PLANNED:
        return "has not shipped as Amazon stated it last"
    return "is not read and planned yet"


def _differs(row: SaleConfirmation, compared: Comparison) -> Failure:
    if not row.charges:
        return Failure(
            FailureCode.CHARGE_MISSING,
            f"Check in Seller Central whether the buyer of order {row.order_id} was charged: {compared.difference}. It "
            "is confirmed by itself if the charge comes later; if none comes, take it off the list with replay close.",
        )
    return Failure(
        FailureCode.CHARGE_DIFFERS,
        f"{_COMPARE}, order {row.order_id}: {compared.difference}. Correct what is wrong, then reprocess the "
        "confirmation, or take it off the list with replay close.",
    )
