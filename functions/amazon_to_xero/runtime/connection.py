"""One connection, wired: an Amazon account tied to a Xero organisation, over whatever stands behind the ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.runtime.backfill_services import backfill_services
from amazon_to_xero.runtime.capabilities import CAPABILITIES, Capability, Services
from amazon_to_xero.runtime.change_services import change_services
from amazon_to_xero.runtime.day_services import day_services
from amazon_to_xero.runtime.order_services import order_planner, order_services
from amazon_to_xero.runtime.posting_services import approvals, document_poster
from amazon_to_xero.runtime.profile import ConnectionProfile, Ports
from amazon_to_xero.runtime.reconciliation_services import ReconciliationServices, reconciliation_services
from amazon_to_xero.runtime.replay_planners import replay_preview
from amazon_to_xero.runtime.shared_services import shared_services
from amazon_to_xero.runtime.stock_services import stock_services
from amazon_to_xero.runtime.transaction_services import refund_planner, sale_confirmations, transaction_services
from amazon_to_xero.services.backfill.requests import BackfillRequests
from amazon_to_xero.services.connection_status import StatusReader
from amazon_to_xero.services.intake.corrections import CorrectionRecorder
from amazon_to_xero.services.intake.notices import NoticeRecorder
from amazon_to_xero.services.intake.source_requests import SourceRequests
from amazon_to_xero.services.intake.transaction_sweep import read_until
from amazon_to_xero.services.inventory.worker import AlertWorker
from amazon_to_xero.services.planning.failed_refunds import FailedRefunds
from amazon_to_xero.services.posting.poster import DocumentPoster
from amazon_to_xero.services.posting.tokens import XeroTokens
from amazon_to_xero.services.posting.xero_check import XeroCheck
from amazon_to_xero.services.replay.preview import ReplayPreview
from amazon_to_xero.services.worker import SyncWorker


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


def connect(
    profile: ConnectionProfile,
    ports: Ports,
    tokens: XeroTokens,
    capabilities: Mapping[str, Capability] = CAPABILITIES,
) -> Connection:
    """Return the services of one connection: AWS behind the ports in the cloud, fakes in tests and the simulation."""
    shared = shared_services(profile, ports)
    store, clock, decisions = shared.store, shared.clock, shared.decisions
    inventory, topic, events = ports.inventory, ports.inventory_topic, ports.events
    stock = stock_services(shared, profile.stock_policy, inventory, topic, events)
    reconciliation = reconciliation_services(
        shared, profile.reconciliation_policy, inventory, ports.reports, topic, events
    )
    movements = reconciliation.movements
    orders = order_services(
        shared, ports.amazon, events, profile.buyer_salt, stock.sales.count, movements.record_shipped
    )
    transactions = transaction_services(shared, ports.finances, movements.record_refunded)
    days = day_services(shared)
    notices = NoticeRecorder(store, clock, decisions, shared.organisation.expire)
    requests = SourceRequests(store, notices, transactions.notices, shared.organisation, days.reprocess)
    confirmations = sale_confirmations(shared, requests)
    corrections = CorrectionRecorder(profile.name, store, ports.dead_letter_queues, clock, decisions)
    letters = ports.dead_letter_queues[SHIPMENTS]
    backfill = backfill_services(shared, ports.amazon, orders, transactions, profile.limits)
    services = Services(
        store,
        shared.organisation,
        shared.failed_sources,
        clock,
        notices,
        corrections,
        orders.reader,
        orders.sweep,
        order_planner(shared, confirmations),
        transactions.notices,
        transactions.reader,
        transactions.of_orders,
        transactions.sweep,
        refund_planner(shared, requests, confirmations),
        FailedRefunds(store, shared.failed_sources, clock),
        confirmations,
        approvals(shared, requests.plan_again),
        change_services(shared, corrections.enter, requests.plan_again, letters),
        stock,
        backfill.backfilling,
        days,
    )
    poster = document_poster(
        profile.name,
        shared.xero,
        store,
        shared.pauses,
        shared.dead_letters,
        orders.buyer_details,
        requests.read_again,
        requests.plan_again,
        clock,
        decisions,
        requests.plan_for_other_dates,
        profile.policy.lock_dates,
        services.changes.check.record_edits,
    )
    posting = {name: each.work(services) for name, each in capabilities.items() if each.posts}
    alerting = {name: each.work(services) for name, each in capabilities.items() if not each.posts}
    return Connection(
        profile.name,
        profile.seller_id,
        services,
        poster,
        SyncWorker(posting, poster, store, shared.pauses, clock, decisions),
        tokens,
        StatusReader(profile.name, store, clock, capabilities, profile.limits),
        XeroCheck(shared.xero, shared.pauses),
        {name: AlertWorker(name, work, store, clock, decisions) for name, work in alerting.items()},
        reconciliation,
        replay_preview(profile.name, profile.policy, shared.xero, store, clock, partial(read_until, store)),
        backfill.requests,
    )
