"""What the services of one connection share: its rows, its log, and its ways to Xero and Amazon with their limits."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.profile import ConnectionProfile, Ports
from amazon_to_xero.services.dead_letters import DeadLetters
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import AmazonQuota
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.budget import BudgetedXero
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.posting.tenant import TenantBoundXero


@dataclass(frozen=True)
class SharedServices:
    """What the services of one connection share.

    connection: its name.
    xero: refuses calls beyond the connection's budget, and of another organisation than the settings name.
    """

    connection: str
    policy: PostingPolicy
    store: StateStore
    clock: Clock
    decisions: DecisionLog
    xero: XeroApi
    pauses: Pauses
    organisation: OrganisationCache
    dead_letters: DeadLetters
    failed_sources: FailedSources
    quota: AmazonQuota
    faults: AmazonFaults


def shared_services(profile: ConnectionProfile, ports: Ports) -> SharedServices:
    """Return what the other services of the connection are made from."""
    store, clock, decisions = ports.store, ports.clock, ports.decisions
    budgeted = BudgetedXero(ports.xero, store, clock, profile.limits, ports.owner)
    xero = TenantBoundXero(budgeted, store, profile.tenant_id)
    pauses = Pauses(store, clock, decisions)
    organisation = OrganisationCache(xero, store, pauses, clock, profile.policy, decisions)
    dead_letters = DeadLetters(profile.name, ports.dead_letter_queues, decisions)
    quota = AmazonQuota(store, clock, decisions)
    return SharedServices(
        profile.name,
        profile.policy,
        store,
        clock,
        decisions,
        xero,
        pauses,
        organisation,
        dead_letters,
        FailedSources(dead_letters, decisions),
        quota,
        AmazonFaults(pauses, quota, organisation, clock, decisions),
    )
