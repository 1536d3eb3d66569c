"""The services of one connection that close days."""

from __future__ import annotations

from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.services.closed_days import ClosedDays
from amazon_to_xero.services.planning.day_closings import DayClosings, DayPlans
from amazon_to_xero.services.planning.planner import MAX_DUE, SourcePlanner
from amazon_to_xero.services.posting.day_lists import DayLists

_MAX_DUE_BY_DAY = 10_000


def day_services(shared: SharedServices) -> ClosedDays:
    """Return what closes days, also those of entries from before the settings were changed."""
    policy, store, clock = shared.policy, shared.store, shared.clock
    organisation, failed_sources = shared.organisation, shared.failed_sources
    return ClosedDays(
        store,
        DayClosings(policy, store, failed_sources, clock),
        SourcePlanner(DayPlans(policy, organisation, clock), store, organisation, failed_sources, clock),
        DayLists(shared.xero, store, organisation.current, failed_sources, shared.pauses, clock),
        organisation.unavailable_reason,
        clock,
        _MAX_DUE_BY_DAY if policy.invoice_per is InvoicePer.DAY else MAX_DUE,
    )
