"""The services of one connection that reconciling stock needs."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.ports.amazon import InventoryApi
from amazon_to_xero.ports.outbound import EventBus, MessageTopic, ReportStore
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.services.reconciliation.amazon_stock import AmazonStock
from amazon_to_xero.services.reconciliation.movements import StockMovements
from amazon_to_xero.services.reconciliation.reconciler import StockReconciler
from amazon_to_xero.services.reconciliation.worklist import StockWorklist


@dataclass(frozen=True)
class ReconciliationServices:
    """What reconciles stock; `movements` is given the orders and transactions that are recorded."""

    movements: StockMovements
    worklist: StockWorklist
    reconciler: StockReconciler


def reconciliation_services(
    shared: SharedServices,
    policy: ReconciliationPolicy | None,
    amazon: InventoryApi,
    reports: ReportStore | None,
    topic: MessageTopic,
    events: EventBus,
) -> ReconciliationServices:
    """Return the services; `policy` is None where stock is not reconciled."""
    store, clock, decisions = shared.store, shared.clock, shared.decisions
    movements = StockMovements(store, _channels(policy), clock, decisions)
    worklist = StockWorklist(store, clock, decisions)
    stock = AmazonStock(amazon, shared.quota, shared.faults, clock, decisions)
    reconciler = StockReconciler(
        shared.connection,
        policy,
        stock,
        shared.xero,
        shared.organisation,
        movements,
        worklist,
        reports,
        topic,
        events,
        store,
        clock,
        decisions,
    )
    return ReconciliationServices(movements, worklist, reconciler)


def _channels(policy: ReconciliationPolicy | None) -> frozenset[Channel]:
    """Return whose stock is reconciled."""
    if policy is None:
        return frozenset()
    return frozenset(Channel) if policy.counts_own_stock else frozenset({Channel.FBA})
