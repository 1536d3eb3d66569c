"""The services of one connection that reconciling stock needs."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.ports.amazon import InventoryApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog, EventBus, MessageTopic, ReportStore
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import AmazonQuota
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
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
    connection: str,
    policy: ReconciliationPolicy | None,
    amazon: InventoryApi,
    xero: XeroApi,
    organisation: OrganisationCache,
    reports: ReportStore | None,
    topic: MessageTopic,
    events: EventBus,
    store: StateStore,
    quota: AmazonQuota,
    faults: AmazonFaults,
    clock: Clock,
    decisions: DecisionLog,
) -> ReconciliationServices:
    """Return the services; `policy` is None where stock is not reconciled."""
    movements = StockMovements(store, _channels(policy), clock, decisions)
    worklist = StockWorklist(store, clock, decisions)
    stock = AmazonStock(amazon, quota, faults, clock, decisions)
    reconciler = StockReconciler(
        connection,
        policy,
        stock,
        xero,
        organisation,
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
