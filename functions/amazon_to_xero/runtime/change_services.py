"""The services of one connection that find changes in Xero, and carry out what people decide about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetterQueue, DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.services.changes_in_xero.daily_check import XeroChanges
from amazon_to_xero.services.changes_in_xero.decisions import ChangeDecisions, EnterCorrection
from amazon_to_xero.services.pauses import Pauses


@dataclass(frozen=True)
class ChangeServices:
    """`check` finds changes once a day, `decisions` carries out what people decide about them."""

    check: XeroChanges
    decisions: ChangeDecisions


def change_services(
    connection: str,
    xero: XeroApi,
    store: StateStore,
    pauses: Pauses,
    enter: EnterCorrection,
    plan_again: Callable[[Sequence[str]], None],
    dead_letters: Mapping[str, DeadLetterQueue],
    clock: Clock,
    decisions: DecisionLog,
) -> ChangeServices:
    """Return the services; see ChangeDecisions for `enter` and `plan_again`.

    dead_letters: by capability.
    """
    return ChangeServices(
        XeroChanges(xero, store, pauses, plan_again, clock, decisions),
        ChangeDecisions(connection, store, enter, plan_again, dead_letters[SHIPMENTS], clock, decisions),
    )
