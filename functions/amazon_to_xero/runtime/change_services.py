"""The services of one connection that find changes in Xero, and carry out what people decide about them."""

from __future__ import annotations

from dataclasses import dataclass

from amazon_to_xero.ports.outbound import DeadLetterQueue
from amazon_to_xero.runtime.shared_services import SharedServices
from amazon_to_xero.services.changes_in_xero.daily_check import XeroChanges
from amazon_to_xero.services.changes_in_xero.decisions import ChangeDecisions, EnterCorrection
from amazon_to_xero.services.posting.requests import SourceRequest


@dataclass(frozen=True)
class ChangeServices:
    """`check` finds changes once a day, `decisions` carries out what people decide about them."""

    check: XeroChanges
    decisions: ChangeDecisions


def change_services(
    shared: SharedServices, enter: EnterCorrection, plan_again: SourceRequest, letters: DeadLetterQueue
) -> ChangeServices:
    """Return the services; see ChangeDecisions for `enter`, `plan_again` and `letters`."""
    store, clock, decisions = shared.store, shared.clock, shared.decisions
    return ChangeServices(
        XeroChanges(shared.xero, store, shared.pauses, plan_again, clock, decisions),
        ChangeDecisions(shared.connection, store, enter, plan_again, letters, clock, decisions),
    )
