"""The registry of capabilities: one entry says everything that is special about one.

A new capability is an entry here, a handler file, and its resources in template.yaml: an SQS queue named after it, that
queue's dead-letter queue, and the function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from amazon_to_xero.domain.amazon.notification import (
    ChangeNotice,
    parse_order_change,
    parse_shipment_event,
    parse_transaction_update,
)
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.stock_statements import parse_stock_notification
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS, ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.planning.shipping_day import CLOSELY
from amazon_to_xero.domain.source import SourceKind
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.change_services import ChangeServices
from amazon_to_xero.runtime.stock_services import StockServices
from amazon_to_xero.services.backfill.backfilling import Backfilling
from amazon_to_xero.services.closed_days import ClosedDays, is_of_days
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.intake.corrections import CorrectionRecorder
from amazon_to_xero.services.intake.notices import NoticeRecorder
from amazon_to_xero.services.intake.order_transactions import OrderTransactions
from amazon_to_xero.services.intake.reader import OrderReader
from amazon_to_xero.services.intake.sweep import OrderSweep
from amazon_to_xero.services.intake.transaction_notices import TransactionNotices, TransactionReader
from amazon_to_xero.services.intake.transaction_sweep import TransactionSweep
from amazon_to_xero.services.planning.confirmations import SaleConfirmations
from amazon_to_xero.services.planning.failed_refunds import FailedRefunds
from amazon_to_xero.services.planning.planner import MAX_DUE, SourcePlanner
from amazon_to_xero.services.posting.approvals import Approvals
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.work_report import StepReport
from amazon_to_xero.services.worker import CapabilityWork


@dataclass(frozen=True)
class Services:
    """The services of one connection that capabilities are made of.

    store, organisation, failed_sources, clock: what a planner of any kind of source is made from.
    """

    store: StateStore
    organisation: OrganisationCache
    failed_sources: FailedSources
    clock: Clock
    notices: NoticeRecorder
    corrections: CorrectionRecorder
    order_reader: OrderReader
    order_sweep: OrderSweep
    order_planner: SourcePlanner[OrderRecord]
    transaction_notices: TransactionNotices
    transaction_reader: TransactionReader
    order_transactions: OrderTransactions
    transaction_sweep: TransactionSweep
    refund_planner: SourcePlanner[TransactionRecord]
    failed_refunds: FailedRefunds
    confirmations: SaleConfirmations
    approvals: Approvals
    changes: ChangeServices
    stock: StockServices
    backfilling: Backfilling
    days: ClosedDays


@dataclass(frozen=True)
class Capability:
    """One capability.

    name: also the name of its queue, of its function, and of the due queue that its records wait in.
    parse: message body -> notice. Raises Failure for a message that the queue does not take.
    record: makes notices durable; returns the keys of the records that are due now.
    dead_letter_queue: environment variable that holds the URL of its dead-letter queue.
    work: what the worker does for it.
    waits_for_lease: whether its function waits for the worker before it.
    posts: whether its work leads to documents in Xero. A capability that posts nothing has a worker of its own.
    """

    name: str
    parse: Callable[[str], ChangeNotice]
    record: Callable[[Services, Sequence[ChangeNotice]], list[str]]
    dead_letter_queue: str
    work: Callable[[Services], CapabilityWork]
    waits_for_lease: bool = False
    posts: bool = True


def _record_transaction_notices(services: Services, notices: Sequence[ChangeNotice]) -> list[str]:
    """Record notices of the refunds queue: of transactions, of all those of an order, of confirmations, corrections.

    All but the first are of a person, who has them read, compared or planned again.
    """
    corrected = services.corrections.record_of_refunds([each for each in notices if each.correction is not None])
    notices = [each for each in notices if each.correction is None]
    services.confirmations.reprocess([each.key for each in notices if each.kind is SourceKind.CONFIRMATION])
    services.order_transactions.ask([each.key for each in notices if each.kind is SourceKind.ORDER])
    of_transactions = [each for each in notices if each.kind in (None, SourceKind.TRANSACTION)]
    return [*corrected, *services.transaction_notices.record(of_transactions)]


def _record_shipment_notices(services: Services, notices: Sequence[ChangeNotice]) -> list[str]:
    """Record notices of the shipments queue: of orders and closed days, a person's corrections, and decisions about
    changes in Xero.
    """
    services.changes.decisions.carry_out([notice.decision for notice in notices if notice.decision is not None])
    corrected = services.corrections.record_of_orders([notice for notice in notices if notice.correction is not None])
    services.days.reprocess([notice.key for notice in notices if notice.kind is SourceKind.DAY])
    others = [notice for notice in notices if notice.correction is None and notice.decision is None]
    of_orders = [notice for notice in others if notice.kind is not SourceKind.DAY]
    return [*corrected, *services.notices.record_shipments(of_orders)]


def _read_transactions(services: Services, named: Sequence[str], deadline: datetime) -> StepReport:
    """Read what notices reported, and what a person asks for."""
    read = services.transaction_reader.read_due(named, deadline)
    return read if read.stopped else read.plus(services.order_transactions.read_due(named, deadline))


def _read_xero_and_plan_shipments(services: Services, named: Sequence[str], deadline: datetime) -> StepReport:
    """Read what people have approved and changed in Xero, then plan shipments and days in view of it."""
    services.approvals.find_due(deadline)
    services.changes.check.find_due(deadline)
    due = services.store.due(SHIPMENTS, services.clock.now(), services.days.max_due)
    orders = [key for key in due if not is_of_days(key)][:MAX_DUE]
    planned = services.order_planner.plan_due(SHIPMENTS, named, deadline, orders)
    return planned if planned.stopped else planned.plus(services.days.work_due(due, deadline))


def _plan_refunds_and_confirm_sales(services: Services, named: Sequence[str], deadline: datetime) -> StepReport:
    planned = services.refund_planner.plan_due(REFUNDS, named, deadline)
    return planned.plus(services.confirmations.confirm_due(deadline))


def _sweep_orders(services: Services, deadline: datetime) -> StepReport:
    """Sweep the orders; after a long silence, and at first, the transactions before them.

    Orders that are read so late are dated by what Amazon charged for them. Whatever stops the sweep of transactions
    stops no order: each waits for its charge. A sweep of transactions that is under way elsewhere takes over.
    A backfill goes on once everything that has changed is read.
    """
    if services.order_sweep.is_behind(CLOSELY) and services.transaction_sweep.is_behind(CLOSELY):
        services.transaction_sweep.sweep(deadline)
    swept = services.order_sweep.sweep(deadline)
    # What is changed now comes before what is old.
    return swept if swept.stopped else swept.plus(services.backfilling.advance(deadline))


def _sweep_transactions(services: Services, deadline: datetime) -> StepReport:
    """Plan the refunds again whose sale has come since they failed for want of it, then sweep the transactions.

    In this order, because a sweep of a long history uses the whole time.
    """
    planned_again = services.failed_refunds.plan_again(deadline)
    return planned_again.plus(services.transaction_sweep.sweep(deadline))


CAPABILITIES: Mapping[str, Capability] = {
    capability.name: capability
    for capability in (
        Capability(
            ORDERS,
            parse=parse_order_change,
            record=lambda services, notices: services.notices.record(notices),
            dead_letter_queue="ORDERS_DLQ_URL",
            work=lambda services: CapabilityWork(
                read=services.order_reader.read_due,
                plan=partial(services.order_planner.plan_due, ORDERS),
                sweep=partial(_sweep_orders, services),
            ),
        ),
        Capability(
            SHIPMENTS,
            parse=parse_shipment_event,
            record=_record_shipment_notices,
            dead_letter_queue="SHIPMENTS_DLQ_URL",
            work=lambda services: CapabilityWork(plan=partial(_read_xero_and_plan_shipments, services)),
            # The orders function may still be recording the rest of a burst, and full batches cost least.
            waits_for_lease=True,
        ),
        Capability(
            REFUNDS,
            parse=parse_transaction_update,
            record=_record_transaction_notices,
            dead_letter_queue="REFUNDS_DLQ_URL",
            work=lambda services: CapabilityWork(
                read=partial(_read_transactions, services),
                plan=partial(_plan_refunds_and_confirm_sales, services),
                sweep=partial(_sweep_transactions, services),
            ),
        ),
        Capability(
            INVENTORY_ALERTS,
            parse=parse_stock_notification,
            record=lambda services, notices: services.stock.recorder.record_notices(notices),
            dead_letter_queue="INVENTORY_ALERTS_DLQ_URL",
            work=lambda services: CapabilityWork(
                read=services.stock.reader.read_due,
                plan=services.stock.alerts.send_due,
                sweep=services.stock.sweep.sweep,
            ),
            posts=False,
        ),
    )
}
