"""Plans with the organisation in Xero as it is known; with what it is now before a failure is final, and where a plan
depends on lock dates that a person may have set since.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.source import SourceRecord
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

_RECENT = timedelta(minutes=5)


def plan_with_organisation[R: SourceRecord](
    record: R, organisation: OrganisationCache, clock: Clock, plan: Callable[[Organisation], PlannedRecord[R]]
) -> PlannedRecord[R]:
    """Return what `plan` returns for the record, or that it waits where Xero's settings cannot be read now.

    Raises the Failure that `plan` raises with Xero's settings of now.
    """
    known = organisation.available()
    if isinstance(known, str):
        # Another worker has had them expire since this run began.
        return _waiting(record, clock, known)
    problem: Failure | None = None
    try:
        planned = plan(known)
    except Failure as failure:
        # Perhaps somebody has just corrected Xero's settings: judge by what they are now.
        problem = failure
    else:
        if not planned.needs_recent_organisation:
            return planned
    fresh = organisation.available(max_age=_RECENT)
    if isinstance(fresh, str):
        # Too early to fail for what may have been corrected.
        return _waiting(record, clock, fresh)
    if fresh is known and problem is not None:
        raise problem
    return plan(fresh)


def _waiting[R: SourceRecord](record: R, clock: Clock, reason: str) -> PlannedRecord[R]:
    return PlannedRecord(record.plan_at(clock.now() + _RECENT, reason))
