"""The services of one connection that read, record and plan orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.ports.amazon import SellerApi
from amazon_to_xero.ports.outbound import EventBus
from amazon_to_xero.runtime.privacy import BuyerPseudonyms, storable_order
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.services.intake.buyer_contacts import BuyerContacts
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.intake.readable_orders import ReadableOrders
from amazon_to_xero.services.intake.reader import OrderReader
from amazon_to_xero.services.intake.recorder import OrderRecorder
from amazon_to_xero.services.intake.refused_orders import RefusedOrders
from amazon_to_xero.services.intake.search_scope import SearchScope
from amazon_to_xero.services.intake.sweep import OrderSweep
from amazon_to_xero.services.intake.transaction_sweep import read_until
from amazon_to_xero.services.planning.charge_answers import ChargeAnswers
from amazon_to_xero.services.planning.confirmations import SaleConfirmations
from amazon_to_xero.services.planning.orders import OrderPlans
from amazon_to_xero.services.planning.planner import SourcePlanner


@dataclass(frozen=True)
class OrderServices:
    """What reads and records orders.

    buyer_details: the buyers of orders that were just read, in memory until their contacts are written.
    scope: the marketplaces that a search covers.
    """

    buyer_details: BuyerDetails
    recorder: OrderRecorder
    scope: SearchScope
    reader: OrderReader
    sweep: OrderSweep


def order_services(
    shared: SharedServices,
    amazon: SellerApi,
    events: EventBus,
    buyer_salt: str,
    count_sales: Callable[[Sequence[Mapping[str, Any]]], object],
    record_shipped: Callable[[Sequence[OrderRecord]], object],
) -> OrderServices:
    """Return the services; see OrderRecorder for `count_sales` and `record_shipped`."""
    policy, store, clock, decisions = shared.policy, shared.store, shared.clock, shared.decisions
    quota, faults, failed_sources = shared.quota, shared.faults, shared.failed_sources
    buyer_details = BuyerDetails()
    pseudonym = BuyerPseudonyms(buyer_salt).pseudonym
    readable = ReadableOrders(store, clock)
    recorder = OrderRecorder(
        shared.connection,
        store,
        policy,
        BuyerContacts(store, policy, buyer_details, pseudonym, clock, decisions),
        partial(storable_order, references=policy.style.buyer_references),
        failed_sources,
        readable,
        events,
        clock,
        decisions,
        count_sales,
        record_shipped,
    )
    scope = SearchScope(amazon, store, policy.marketplaces, quota, faults, clock)
    refused = RefusedOrders(amazon, store, quota, faults, readable, failed_sources, clock)
    return OrderServices(
        buyer_details,
        recorder,
        scope,
        OrderReader(amazon, store, recorder, scope, quota, faults, refused, clock),
        OrderSweep(amazon, store, recorder, scope, quota, faults, policy.start, clock, decisions),
    )


def order_planner(shared: SharedServices, confirmations: SaleConfirmations) -> SourcePlanner[OrderRecord]:
    """Return what plans orders; `confirmations` compares with Amazon's charges what it has planned."""
    store, clock, organisation = shared.store, shared.clock, shared.organisation
    charges = ChargeAnswers(store, shared.policy, clock, partial(read_until, store))
    plans = OrderPlans(shared.policy, organisation, clock, store, charges)
    return SourcePlanner(plans, store, organisation, shared.failed_sources, clock, confirmations.orders_planned)
