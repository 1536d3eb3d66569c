"""The services of backfills of one connection, wired."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.domain.backfill.backfill import Backfill
from amazon_to_xero.domain.backfill.forecast import Documents
from amazon_to_xero.domain.books.contact import ContactScope
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.planning.policy import Payments, PostingPolicy
from amazon_to_xero.ports.amazon import SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.backfill.backfilling import Backfilling
from amazon_to_xero.services.backfill.charges import BackfilledCharges
from amazon_to_xero.services.backfill.forecast import Forecaster
from amazon_to_xero.services.backfill.orders import BackfilledOrders
from amazon_to_xero.services.backfill.pace import BackfillPace
from amazon_to_xero.services.backfill.requests import BackfillRequests
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import AmazonQuota
from amazon_to_xero.services.intake.recorder import OrderRecorder
from amazon_to_xero.services.intake.search_scope import SearchScope
from amazon_to_xero.services.intake.transaction_pages import TransactionPages
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache


@dataclass(frozen=True)
class AmazonReading:
    """What reads Amazon for the sweeps of a connection, too."""

    amazon: SellerApi
    transaction_pages: TransactionPages
    recorder: OrderRecorder
    scope: SearchScope
    quota: AmazonQuota
    faults: AmazonFaults


@dataclass(frozen=True)
class BackfillServices:
    """Advances backfills, and answers persons."""

    backfilling: Backfilling
    requests: BackfillRequests


def backfill_services(
    reading: AmazonReading,
    store: StateStore,
    organisation: OrganisationCache,
    policy: PostingPolicy,
    limits: Limits,
    clock: Clock,
    decisions: DecisionLog,
) -> BackfillServices:
    """Return the services of one connection."""
    documents = documents_of(policy)
    pace = BackfillPace(store, limits, documents, clock)

    def charges_of(backfill: Backfill) -> BackfilledCharges:
        return BackfilledCharges(reading.transaction_pages, store, pace, clock, decisions, backfill)

    amazon, scope, quota = reading.amazon, reading.scope, reading.quota
    orders = BackfilledOrders(amazon, store, reading.recorder, scope, quota, reading.faults, pace, clock, decisions)
    forecaster = Forecaster(amazon, store, scope, quota, organisation, policy, pace, documents, clock)
    return BackfillServices(
        Backfilling(store, orders, charges_of, pace, clock, decisions),
        BackfillRequests(store, forecaster, organisation, policy, clock, decisions),
    )


def documents_of(policy: PostingPolicy) -> Documents:
    """Return how many kinds of documents an order has: an invoice, and what the settings add to it."""
    is_paid = any(policy.for_marketplace(each).payments is not Payments.NONE for each in policy.marketplaces)
    has_contact = policy.contacts.scope is not ContactScope.MARKETPLACE
    return Documents(1 + is_paid + has_contact)
