"""Plans with the organisation in Xero as it is known; before a failure is final, with what it is now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, WaitReason
from amazon_to_xero.domain.source import SourceRecord
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.xero import XeroError
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

_RECENT = timedelta(minutes=5)


def plan_with_organisation[R: SourceRecord](
    record: R, organisation: OrganisationCache, clock: Clock, plan: Callable[[Organisation], PlannedRecord[R]]
) -> PlannedRecord[R]:
    """Return what `plan` returns for the record. Raises the Failure that it raises with Xero's settings of now."""
    known = organisation.current()
    try:
        return plan(known)
    except Failure as failure:
        # Perhaps somebody has just corrected Xero's settings: judge by what they are now.
        try:
            fresh = organisation.current(max_age=_RECENT)
        except XeroError:
            # They cannot be read: too early to fail for what may have been corrected.
            return PlannedRecord(record.plan_at(clock.now() + _RECENT, WaitReason.XERO_UNAVAILABLE))
        if fresh is known:
            raise failure from None
    return plan(fresh)
