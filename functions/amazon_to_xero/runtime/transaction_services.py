"""The services of one connection that read, record and plan transactions: refunds, and charges that confirm sales."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.ports.amazon import FinancesApi, Json
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.runtime.swept import swept
from amazon_to_xero.services.intake.asked_orders import AskedOrders
from amazon_to_xero.services.intake.charges import ChargeRecorder
from amazon_to_xero.services.intake.order_transactions import OrderTransactions
from amazon_to_xero.services.intake.source_requests import SourceRequests
from amazon_to_xero.services.intake.transaction_notices import TransactionNotices, TransactionReader
from amazon_to_xero.services.intake.transaction_pages import TransactionPages
from amazon_to_xero.services.intake.transaction_sweep import TransactionSweep
from amazon_to_xero.services.intake.transactions import TransactionRecorder
from amazon_to_xero.services.planning.charged_orders import ChargedOrders
from amazon_to_xero.services.planning.confirmations import SaleConfirmations
from amazon_to_xero.services.planning.planner import SourcePlanner
from amazon_to_xero.services.planning.refunds import RefundPlans, refund_place


@dataclass(frozen=True)
class TransactionServices:
    """What reads and records transactions; `of_orders` reads all those of an order."""

    pages: TransactionPages
    notices: TransactionNotices
    reader: TransactionReader
    of_orders: OrderTransactions
    sweep: TransactionSweep


def transaction_services(
    shared: SharedServices,
    finances: FinancesApi,
    record_refunded: Callable[[Sequence[Json]], object],
) -> TransactionServices:
    """Return the services; see TransactionRecorder for `record_refunded`."""
    store, clock, decisions = shared.store, shared.clock, shared.decisions
    failed_sources, start = shared.failed_sources, shared.policy.start
    charges = ChargeRecorder(store, failed_sources, start, clock)
    recorder = TransactionRecorder(store, failed_sources, charges, clock, record_refunded)
    pages = TransactionPages(finances, recorder, shared.quota, shared.faults)
    notices = TransactionNotices(store, clock, shared.organisation.expire)
    asked = AskedOrders(store, clock)
    return TransactionServices(
        pages,
        notices,
        TransactionReader(pages, store, clock, decisions),
        OrderTransactions(pages, notices, asked, shared.dead_letters, clock, decisions),
        TransactionSweep(pages, store, start, clock, decisions),
    )


def sale_confirmations(shared: SharedServices, requests: SourceRequests) -> SaleConfirmations:
    """Return what compares sales with Amazon's charges, and has orders read or planned again where these answer."""
    store, policy, clock = shared.store, shared.policy, shared.clock
    return SaleConfirmations(
        store,
        shared.failed_sources,
        clock,
        requests.read,
        requests.plan_orders,
        partial(swept, store),
        policy.tax.liabilities,
        ChargedOrders(store, policy, clock).book,
    )


def refund_planner(
    shared: SharedServices, requests: SourceRequests, confirmations: SaleConfirmations
) -> SourcePlanner[TransactionRecord]:
    """Return what plans refunds, several of one order in one go."""
    store, clock, organisation = shared.store, shared.clock, shared.organisation
    return SourcePlanner(
        RefundPlans(shared.policy, organisation, store, clock, requests.read),
        store,
        organisation,
        shared.failed_sources,
        clock,
        confirmations.refunds_planned,
        refund_place,
    )
