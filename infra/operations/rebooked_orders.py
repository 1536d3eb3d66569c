"""What becomes of an order that a person has booked again by the rules of now: its correction and its documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.correction_checks import checked
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, Corrections
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.rebooking import Rebooking
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from operations.planned_in_memory import PlannedDocuments, plan_with

_NOT_COMPARED = "It has nothing in Xero, or has failed, or is being planned or written. See show ORDER."
_AS_THE_RULES_SAY = "It is booked as the rules say."


@dataclass(frozen=True)
class RebookedOrder:
    """An order that a person names.

    rebooking: how it is booked otherwise.
    entry: the correction that books it again; None where it is left as it is.
    planned: the documents that would change.
    why_left: why it is left; empty for none.
    needs_person: whether a person has to do something about it first.
    """

    order_id: str
    rebooking: Rebooking = field(default_factory=Rebooking)
    entry: Correction | None = None
    planned: PlannedDocuments = field(default_factory=PlannedDocuments)
    why_left: str = ""
    needs_person: bool = False


def rebooked(
    store: StateStore,
    policy: PostingPolicy,
    clock: Clock,
    record: OrderRecord,
    found: Rebooking | None,
    reason: str,
    author: str,
) -> RebookedOrder:
    """Return what becomes of the order. One that would fail, e.g. because its period is locked, is left as it is.

    found: how it is booked otherwise; None where there is nothing to compare.

    Raises Failure with CORRECTION_REFUSED for a reason that cannot be.
    """
    if found is None:
        return RebookedOrder(record.order_id, why_left=_NOT_COMPARED)
    if found.problem or not found.lines:
        why_left = found.problem or _AS_THE_RULES_SAY
        return RebookedOrder(record.order_id, found, why_left=why_left, needs_person=bool(found.problem))
    made = Correction(str(uuid4()), CorrectionKind.REBOOK, "", author, reason, clock.now(), terms=found.terms)
    stored = store.load(Corrections, [record.source]).get(record.source, Corrections(record.source))
    row = stored.with_entry(checked(made)) or stored
    planned = plan_with(store, policy, clock, record, row)
    if planned.problem:
        return RebookedOrder(record.order_id, found, why_left=planned.problem, needs_person=True)
    return RebookedOrder(record.order_id, found, made, planned)
