"""The preview of a connection's replay: the planners of the connection over rows in memory. Nothing leaves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.charge_answers import ChargeAnswers
from amazon_to_xero.services.planning.orders import OrderPlans
from amazon_to_xero.services.planning.planner import SourcePlanner
from amazon_to_xero.services.planning.refunds import RefundPlans
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.replay.preview import Planners, ReplayPreview
from amazon_to_xero.services.replay.preview_store import PreviewStore


class _NoLog:
    """ports.DecisionLog: what is planned in memory is no decision."""

    def record(self, decision: str, **fields: object) -> None:
        return None


class _NoLetters:
    """ports.DeadLetterQueue: what would fail sends no letter."""

    def send(self, body: str, *, reason: str, remedy: str, order_id: str | None = None) -> None:
        return None


def replay_preview(
    name: str,
    policy: PostingPolicy,
    xero: XeroApi,
    store: StateStore,
    clock: Clock,
    transactions_read_until: Callable[[], datetime | None],
) -> ReplayPreview:
    """Return the preview of a connection.

    xero: counts its calls in the connection's own budget.
    transactions_read_until: see ChargeAnswers.
    """
    log = _NoLog()
    failed_sources = FailedSources(DeadLetters(name, dict.fromkeys(CAPABILITIES, _NoLetters()), log), log)

    def planners(rows: PreviewStore) -> Planners:
        organisation = OrganisationCache(xero, rows, Pauses(rows, clock, log), clock, policy, log)
        charges = ChargeAnswers(rows, policy, clock, transactions_read_until)
        orders = OrderPlans(policy, organisation, clock, rows, charges)
        refunds = RefundPlans(policy, organisation, rows, clock, lambda order_ids: None)
        return Planners(
            SourcePlanner(orders, rows, organisation, failed_sources, clock),
            SourcePlanner(refunds, rows, organisation, failed_sources, clock),
            organisation.unavailable_reason(),
        )

    return ReplayPreview(store, xero, planners)
