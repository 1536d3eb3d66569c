"""The services of backfills of one connection, wired."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.domain.backfill.backfill import Backfill
from amazon_to_xero.domain.backfill.forecast import Documents
from amazon_to_xero.domain.books.contact import ContactScope
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.planning.policy import Payments, PostingPolicy
from amazon_to_xero.ports.amazon import SellerApi
from amazon_to_xero.runtime.order_services import OrderServices
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.runtime.transaction_services import TransactionServices
from amazon_to_xero.services.backfill.backfilling import Backfilling
from amazon_to_xero.services.backfill.charges import BackfilledCharges
from amazon_to_xero.services.backfill.forecast import Forecaster
from amazon_to_xero.services.backfill.orders import BackfilledOrders
from amazon_to_xero.services.backfill.pace import BackfillPace
from amazon_to_xero.services.backfill.requests import BackfillRequests


@dataclass(frozen=True)
class BackfillServices:
    """Advances backfills, and answers persons."""

    backfilling: Backfilling
    requests: BackfillRequests


def backfill_services(
    shared: SharedServices,
    amazon: SellerApi,
    orders: OrderServices,
    transactions: TransactionServices,
    limits: Limits,
) -> BackfillServices:
    """Return the services; what they read of Amazon, they read as the sweeps of `orders` and `transactions` do."""
    policy, organisation, quota = shared.policy, shared.organisation, shared.quota
    store, clock, decisions = shared.store, shared.clock, shared.decisions
    documents = documents_of(policy)
    pace = BackfillPace(store, limits, documents, clock)

    def charges_of(backfill: Backfill) -> BackfilledCharges:
        return BackfilledCharges(transactions.pages, store, pace, clock, decisions, backfill)

    scope = orders.scope
    backfilled = BackfilledOrders(amazon, store, orders.recorder, scope, quota, shared.faults, pace, clock, decisions)
    forecaster = Forecaster(amazon, store, scope, quota, organisation, policy, pace, documents, clock)
    return BackfillServices(
        Backfilling(store, backfilled, charges_of, pace, clock, decisions),
        BackfillRequests(store, forecaster, organisation, policy, clock, decisions),
    )


def documents_of(policy: PostingPolicy) -> Documents:
    """Return how many kinds of documents an order has: an invoice, and what the settings add to it."""
    is_paid = any(policy.for_marketplace(each).payments is not Payments.NONE for each in policy.marketplaces)
    has_contact = policy.contacts.scope is not ContactScope.MARKETPLACE
    return Documents(1 + is_paid + has_contact)
