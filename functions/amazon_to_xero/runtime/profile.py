"""What one connection is made of: its settings as the services use them, and what stands behind its ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.ports.amazon import FinancesApi, InventoryApi, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterQueue, DecisionLog, EventBus, MessageTopic, ReportStore
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.settings import ConnectionSettings
from amazon_to_xero.runtime.settings.tax import NO_FILE


@dataclass(frozen=True)
class Ports:
    """What stands behind the ports of one connection.

    dead_letter_queues: by capability.
    owner: names the execution environment of the function: who holds a lease or a slot.
    inventory_topic: who receives alerts of stock, and what reconciling it found.
    reports: where reports of stock are kept; None in functions that make none.
    """

    amazon: SellerApi
    finances: FinancesApi
    xero: XeroApi
    store: StateStore
    dead_letter_queues: Mapping[str, DeadLetterQueue]
    events: EventBus
    clock: Clock
    decisions: DecisionLog
    owner: str
    inventory: InventoryApi
    inventory_topic: MessageTopic
    reports: ReportStore | None = None


@dataclass(frozen=True)
class ConnectionProfile:
    """What distinguishes one connection from another: the settings as the services use them.

    limits: Xero's limits that apply to it.
    buyer_salt: makes the hashes that stand for buyers; see privacy.
    tenant_id: Xero's id of the organisation.
    stock_policy: None where nobody is to hear of stock.
    reconciliation_policy: None where stock is not reconciled.
    """

    name: str
    seller_id: str
    policy: PostingPolicy
    buyer_salt: str
    limits: Limits = field(default_factory=Limits)
    tenant_id: str = ""
    stock_policy: StockPolicy | None = None
    reconciliation_policy: ReconciliationPolicy | None = None


def profile_of(
    name: str, settings: ConnectionSettings, buyer_salt: str, categories_in_file: Mapping[str, str] = NO_FILE
) -> ConnectionProfile:
    """Return the profile that a connection's settings describe; SKU -> category in the file that they name."""
    policy = settings.policy(categories_in_file)
    limits = Limits(per_day=settings.xero.calls_per_day)
    seller_id, tenant_id = settings.amazon.seller_id, settings.xero.tenant_id
    return ConnectionProfile(
        name,
        seller_id,
        policy,
        buyer_salt,
        limits,
        tenant_id,
        settings.stock_policy(),
        settings.reconciliation_policy(),
    )
