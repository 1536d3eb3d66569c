"""The planners of a connection over rows in memory, for previews. Nothing leaves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

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
from amazon_to_xero.services.planning.rebookings import Rebookings
from amazon_to_xero.services.planning.refunds import RefundPlans, refund_place
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
    planners = partial(planners_in_memory, name, policy, xero, clock, transactions_read_until)
    return ReplayPreview(store, xero, planners, clock)


def rebookings_in_memory(
    policy: PostingPolicy, clock: Clock, transactions_read_until: Callable[[], datetime | None], rows: PreviewStore
) -> Rebookings:
    """Return what compares orders with the rules of now. Xero is not called; see planners_in_memory."""
    organisation = OrganisationCache(None, rows, Pauses(rows, clock, _NoLog()), clock, policy, _NoLog())
    charges = ChargeAnswers(rows, policy, clock, transactions_read_until)
    return Rebookings(policy, organisation, rows, charges)


def planners_in_memory(
    name: str,
    policy: PostingPolicy,
    xero: XeroApi | None,
    clock: Clock,
    transactions_read_until: Callable[[], datetime | None],
    rows: PreviewStore,
) -> Planners:
    """Return the planners of a connection over rows in memory.

    xero: None where Xero is not called; then the organisation is the one that was read last, however long ago.
    transactions_read_until: see ChargeAnswers.
    """
    log = _NoLog()
    failed_sources = FailedSources(DeadLetters(name, dict.fromkeys(CAPABILITIES, _NoLetters()), log), log)
    organisation = OrganisationCache(xero, rows, Pauses(rows, clock, log), clock, policy, log)
    charges = ChargeAnswers(rows, policy, clock, transactions_read_until)
    orders = OrderPlans(policy, organisation, clock, rows, charges)
    refunds = RefundPlans(policy, organisation, rows, clock, lambda order_ids: None)
    return Planners(
        SourcePlanner(orders, rows, organisation, failed_sources, clock),
        SourcePlanner(refunds, rows, organisation, failed_sources, clock, place_of=refund_place),
        organisation.unavailable_reason(),
    )
