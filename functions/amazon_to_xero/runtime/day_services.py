"""The services of one connection that close days."""

from __future__ import annotations

from amazon_to_xero.domain.planning.policy import InvoicePer, PostingPolicy
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.closed_days import ClosedDays
from amazon_to_xero.services.failed_sources import FailedSources
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.day_closings import DayClosings, DayPlans
from amazon_to_xero.services.planning.planner import MAX_DUE, SourcePlanner
from amazon_to_xero.services.posting.day_lists import DayLists
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

_MAX_DUE_BY_DAY = 10_000


def day_services(
    policy: PostingPolicy,
    xero: XeroApi,
    store: StateStore,
    organisation: OrganisationCache,
    failed_sources: FailedSources,
    pauses: Pauses,
    clock: Clock,
) -> ClosedDays:
    """Return what closes days, also those of entries from before the settings were changed."""
    return ClosedDays(
        store,
        DayClosings(policy, store, failed_sources, clock),
        SourcePlanner(DayPlans(policy, organisation, clock), store, organisation, failed_sources, clock),
        DayLists(xero, store, organisation.current, failed_sources, pauses, clock),
        organisation.unavailable_reason,
        clock,
        _MAX_DUE_BY_DAY if policy.invoice_per is InvoicePer.DAY else MAX_DUE,
    )
