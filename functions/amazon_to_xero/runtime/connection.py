"""One connection, wired: an Amazon account tied to a Xero organisation, over whatever stands behind the ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy
from amazon_to_xero.ports.amazon import FinancesApi, InventoryApi, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterQueue, DecisionLog, EventBus, MessageTopic, ReportStore
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.backfill_services import AmazonReading, backfill_services
from amazon_to_xero.runtime.capabilities import CAPABILITIES, Capability, Services
from amazon_to_xero.runtime.change_services import change_services
from amazon_to_xero.runtime.day_services import day_services
from amazon_to_xero.runtime.privacy import BuyerPseudonyms, storable_order
from amazon_to_xero.runtime.reconciliation_services import ReconciliationServices, reconciliation_services
from amazon_to_xero.runtime.replay_planners import replay_preview
from amazon_to_xero.runtime.settings import ConnectionSettings
from amazon_to_xero.runtime.settings.tax import NO_FILE
from amazon_to_xero.runtime.stock_services import stock_services
from amazon_to_xero.runtime.swept import swept
from amazon_to_xero.services.backfill.requests import BackfillRequests
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.asked_orders import AskedOrders
from amazon_to_xero.services.intake.buyer_contacts import BuyerContacts
from amazon_to_xero.services.intake.buyer_details import BuyerDetails
from amazon_to_xero.services.intake.charges import ChargeRecorder
from amazon_to_xero.services.intake.corrections import CorrectionRecorder
from amazon_to_xero.services.intake.notices import NoticeRecorder
from amazon_to_xero.services.intake.order_transactions import OrderTransactions
from amazon_to_xero.services.intake.quota import AmazonQuota
from amazon_to_xero.services.intake.readable_orders import ReadableOrders
from amazon_to_xero.services.intake.reader import OrderReader
from amazon_to_xero.services.intake.recorder import OrderRecorder
from amazon_to_xero.services.intake.refused_orders import RefusedOrders
from amazon_to_xero.services.intake.search_scope import SearchScope
from amazon_to_xero.services.intake.source_requests import SourceRequests
from amazon_to_xero.services.intake.sweep import OrderSweep
from amazon_to_xero.services.intake.sweep_cursor import watermark
from amazon_to_xero.services.intake.transaction_notices import TransactionNotices, TransactionReader
from amazon_to_xero.services.intake.transaction_pages import TransactionPages
from amazon_to_xero.services.intake.transaction_sweep import CURSOR as TRANSACTION_SWEEP
from amazon_to_xero.services.intake.transaction_sweep import TransactionSweep
from amazon_to_xero.services.intake.transactions import TransactionRecorder
from amazon_to_xero.services.inventory.worker import AlertWorker
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.charge_answers import ChargeAnswers
from amazon_to_xero.services.planning.charged_orders import ChargedOrders
from amazon_to_xero.services.planning.confirmations import SaleConfirmations
from amazon_to_xero.services.planning.failed_refunds import FailedRefunds
from amazon_to_xero.services.planning.orders import OrderPlans
from amazon_to_xero.services.planning.planner import SourcePlanner
from amazon_to_xero.services.planning.refunds import RefundPlans, refund_place
from amazon_to_xero.services.posting.approvals import Approvals
from amazon_to_xero.services.posting.budget import BudgetedXero
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.posting.outcome_resolution import OutcomeResolution
from amazon_to_xero.services.posting.poster import DocumentPoster
from amazon_to_xero.services.posting.requests import ReadRequest, RequestBuilder, SourceRequest
from amazon_to_xero.services.posting.tenant import TenantBoundXero
from amazon_to_xero.services.posting.tokens import XeroTokens
from amazon_to_xero.services.posting.transitions import DocumentTransitions
from amazon_to_xero.services.posting.writer import BatchWriter
from amazon_to_xero.services.posting.xero_check import XeroCheck
from amazon_to_xero.services.replay.preview import ReplayPreview
from amazon_to_xero.services.worker import SyncWorker


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
class Connection:
    """One connection, ready to work.

    alert_workers: the workers of the capabilities that post nothing, by capability.
    preview: of its replays.
    backfills: what a person asks of backfills.
    """

    name: str
    seller_id: str
    services: Services
    poster: DocumentPoster
    worker: SyncWorker
    tokens: XeroTokens
    status: StatusReader
    xero_check: XeroCheck
    alert_workers: Mapping[str, AlertWorker]
    reconciliation: ReconciliationServices
    preview: ReplayPreview
    backfills: BackfillRequests


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


def connect(
    profile: ConnectionProfile,
    ports: Ports,
    tokens: XeroTokens,
    capabilities: Mapping[str, Capability] = CAPABILITIES,
) -> Connection:
    """Return the services of one connection: AWS behind the ports in the cloud, fakes in tests and the simulation."""
    name, policy = profile.name, profile.policy
    store, clock, decisions = ports.store, ports.clock, ports.decisions
    budgeted = BudgetedXero(ports.xero, store, clock, profile.limits, ports.owner)
    xero = TenantBoundXero(budgeted, store, profile.tenant_id)
    pauses = Pauses(store, clock, decisions)
    organisation = OrganisationCache(xero, store, pauses, clock, policy, decisions)
    dead_letters = DeadLetters(name, ports.dead_letter_queues, decisions)
    failed_sources = FailedSources(dead_letters, decisions)
    buyer_details = BuyerDetails()
    notices = NoticeRecorder(store, clock, decisions)

    pseudonym = BuyerPseudonyms(profile.buyer_salt).pseudonym
    contacts = BuyerContacts(store, policy, buyer_details, pseudonym, clock, decisions)
    readable = ReadableOrders(store, clock)
    quota = AmazonQuota(store, clock, decisions)
    faults = AmazonFaults(pauses, quota, organisation, clock, decisions)
    stock = stock_services(
        name,
        profile.stock_policy,
        ports.inventory,
        ports.inventory_topic,
        ports.events,
        store,
        quota,
        faults,
        clock,
        decisions,
    )
    reconciliation = reconciliation_services(
        name,
        profile.reconciliation_policy,
        ports.inventory,
        xero,
        organisation,
        ports.reports,
        ports.inventory_topic,
        ports.events,
        store,
        quota,
        faults,
        clock,
        decisions,
    )
    recorder = OrderRecorder(
        name,
        store,
        policy,
        contacts,
        partial(storable_order, references=policy.style.buyer_references),
        failed_sources,
        readable,
        ports.events,
        clock,
        decisions,
        stock.sales.count,
        reconciliation.movements.record_shipped,
    )
    scope = SearchScope(ports.amazon, store, policy.marketplaces, quota, faults, clock)
    refused_orders = RefusedOrders(ports.amazon, store, quota, faults, readable, failed_sources, clock)
    charges = ChargeRecorder(store, failed_sources, policy.start, clock)
    transactions = TransactionRecorder(store, failed_sources, charges, clock, reconciliation.movements.record_refunded)
    transaction_pages = TransactionPages(ports.finances, transactions, quota, faults)
    transaction_notices = TransactionNotices(store, clock)
    days = day_services(policy, xero, store, organisation, failed_sources, pauses, clock)
    requests = SourceRequests(store, notices, transaction_notices, organisation, days.reprocess)
    confirmations = SaleConfirmations(
        store,
        failed_sources,
        clock,
        requests.read,
        requests.plan_orders,
        lambda: swept(store),
        policy.tax.liabilities,
        ChargedOrders(store, policy, clock).book,
    )
    approvals = Approvals(
        xero,
        store,
        DocumentTransitions(store, dead_letters, clock, decisions),
        pauses,
        requests.plan_again,
        clock,
        is_needed=policy.has_review,
    )
    reading = AmazonReading(ports.amazon, transaction_pages, recorder, scope, quota, faults)
    backfill = backfill_services(reading, store, organisation, policy, profile.limits, clock, decisions)
    corrections = CorrectionRecorder(name, store, ports.dead_letter_queues, clock, decisions)
    services = Services(
        store,
        organisation,
        failed_sources,
        clock,
        notices,
        corrections,
        OrderReader(ports.amazon, store, recorder, scope, quota, faults, refused_orders, clock),
        OrderSweep(ports.amazon, store, recorder, scope, quota, faults, policy.start, clock, decisions),
        SourcePlanner(
            OrderPlans(
                policy,
                organisation,
                clock,
                store,
                ChargeAnswers(store, policy, clock, lambda: watermark(store.cursor(TRANSACTION_SWEEP))),
            ),
            store,
            organisation,
            failed_sources,
            clock,
            confirmations.orders_planned,
        ),
        transaction_notices,
        TransactionReader(transaction_pages, store, clock, decisions),
        OrderTransactions(
            transaction_pages, transaction_notices, AskedOrders(store, clock), dead_letters, clock, decisions
        ),
        TransactionSweep(transaction_pages, store, policy.start, clock, decisions),
        SourcePlanner(
            RefundPlans(policy, organisation, store, clock, requests.read),
            store,
            organisation,
            failed_sources,
            clock,
            confirmations.refunds_planned,
            refund_place,
        ),
        FailedRefunds(store, failed_sources, clock),
        confirmations,
        approvals,
        change_services(
            name,
            xero,
            store,
            pauses,
            corrections.enter,
            requests.plan_again,
            ports.dead_letter_queues,
            clock,
            decisions,
        ),
        stock,
        backfill.backfilling,
        days,
    )
    poster = document_poster(
        name,
        xero,
        store,
        pauses,
        dead_letters,
        buyer_details,
        requests.read_again,
        requests.plan_again,
        clock,
        decisions,
        requests.plan_for_other_dates,
        policy.lock_dates,
    )
    work = {name: each.work(services) for name, each in capabilities.items() if each.posts}
    alert_workers = {
        name: AlertWorker(name, each.work(services), store, clock, decisions)
        for name, each in capabilities.items()
        if not each.posts
    }
    worker = SyncWorker(work, poster, store, pauses, clock, decisions)
    status = StatusReader(name, store, clock, capabilities, profile.limits)
    check = XeroCheck(xero, pauses)
    preview = replay_preview(name, policy, xero, store, clock, lambda: watermark(store.cursor(TRANSACTION_SWEEP)))
    return Connection(
        name,
        profile.seller_id,
        services,
        poster,
        worker,
        tokens,
        status,
        check,
        alert_workers,
        reconciliation,
        preview,
        backfill.requests,
    )


def document_poster(
    connection: str,
    xero: XeroApi,
    store: StateStore,
    pauses: Pauses,
    dead_letters: DeadLetters,
    buyer_details: BuyerDetails,
    read_again: ReadRequest,
    plan_again: SourceRequest,
    clock: Clock,
    decisions: DecisionLog,
    plan_for_other_dates: SourceRequest | None = None,
    lock_dates: LockDates = LockDates.HOLD,
) -> DocumentPoster:
    """Return the poster of a connection. It needs nothing of Amazon, and knows no source."""
    transitions = DocumentTransitions(store, dead_letters, clock, decisions)
    return DocumentPoster(
        xero,
        store,
        pauses,
        RequestBuilder(store, transitions, buyer_details.details, read_again, plan_again, clock),
        BatchWriter(connection, xero, store, transitions, pauses, clock, plan_for_other_dates, lock_dates),
        OutcomeResolution(xero, store, transitions, pauses, clock, plan_again),
        transitions,
        clock,
    )
