"""The services of one connection that stock needs."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.ports.amazon import InventoryApi
from amazon_to_xero.ports.outbound import EventBus, MessageTopic
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.services.inventory.alerts import StockAlerts
from amazon_to_xero.services.inventory.reader import StockReader
from amazon_to_xero.services.inventory.recorder import StockRecorder
from amazon_to_xero.services.inventory.sales import SalesRates
from amazon_to_xero.services.inventory.sweep import StockSweep


@dataclass(frozen=True)
class StockServices:
    """What records stock and sends alerts; `sales` is given the orders that are recorded."""

    sales: SalesRates
    recorder: StockRecorder
    reader: StockReader
    sweep: StockSweep
    alerts: StockAlerts


def stock_services(
    shared: SharedServices, policy: StockPolicy | None, amazon: InventoryApi, topic: MessageTopic, events: EventBus
) -> StockServices:
    """Return the services; `policy` is None where nobody is to hear of stock."""
    store, clock, decisions = shared.store, shared.clock, shared.decisions
    quota, faults = shared.quota, shared.faults
    sales = SalesRates(store, policy, clock)
    recorder = StockRecorder(store, policy, sales, clock, decisions)
    return StockServices(
        sales,
        recorder,
        StockReader(amazon, store, policy, recorder, quota, faults, clock, decisions),
        StockSweep(amazon, store, policy, recorder, quota, faults, clock, decisions),
        StockAlerts(shared.connection, store, policy, sales, topic, events, clock, decisions),
    )
