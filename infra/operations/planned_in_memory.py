"""What an order would become with more corrections: planned in memory, by the plan that plans it for real.

Nothing is stored, and neither Amazon nor Xero is called: the organisation is the one that a worker has read last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn, cast

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroUnavailable
from amazon_to_xero.services.intake.sweep_cursor import watermark
from amazon_to_xero.services.intake.transaction_sweep import CURSOR as TRANSACTION_SWEEP
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.charge_answers import ChargeAnswers
from amazon_to_xero.services.planning.orders import OrderPlans
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache
from amazon_to_xero.services.replay.preview_store import PreviewStore

_ANY_AGE = timedelta(days=3650)


@dataclass(frozen=True)
class PlannedOrder:
    """What planning an order comes to.

    problem: why it fails, or cannot be planned here; empty where it is planned.
    documents: those that would change, as they would be requested; tombstones are of documents that Xero holds.
    """

    problem: str = ""
    documents: tuple[DesiredDocument, ...] = ()


def plan_with(
    store: StateStore, policy: PostingPolicy, clock: Clock, record: OrderRecord, corrections: Corrections
) -> PlannedOrder:
    """Return what the order would become with exactly these corrections."""
    rows = PreviewStore(store)
    rows.save([corrections])
    log = cast(DecisionLog, _NoLog())
    cache = OrganisationCache(cast(XeroApi, _NoXero()), rows, Pauses(rows, clock, log), clock, policy, log, _ANY_AGE)
    corrected = record.corrected(len(corrections.entries), SHIPMENTS, clock.now())
    try:
        charges = ChargeAnswers(rows, policy, clock, lambda: watermark(rows.cursor(TRANSACTION_SWEEP)))
        planned, held = _planned(OrderPlans(policy, cache, clock, rows, charges), rows, corrected)
    except Failure as failure:
        return PlannedOrder(f"{failure.code}: {failure.remedy}")
    except XeroUnavailable:
        return PlannedOrder("Xero's accounts and tax rates have not been read yet.")
    if planned.record.next_attempt_at is not None and not planned.steps:
        return PlannedOrder(f"It waits: {planned.record.reason}.")
    desired = {each.key: each for step in planned.steps for each in step}
    return PlannedOrder(documents=tuple(each for each in desired.values() if _changes(each, held.get(each.key))))


def _planned(
    plans: OrderPlans, rows: StateStore, record: OrderRecord
) -> tuple[PlannedRecord[OrderRecord], dict[str, Document]]:
    """Plan again with what the plan missed, until it misses nothing, as the planner does. Raises Failure."""
    looked_up = plans.document_keys(record)
    while True:
        documents = rows.load(Document, looked_up)
        held = HeldDocuments(record.source, documents, frozenset(looked_up))
        try:
            planned = plans.plan(record, held)
        except Failure:
            if not held.missing:
                raise
        else:
            if not held.missing:
                return planned, documents
        looked_up = looked_up | held.missing


def _changes(desired: DesiredDocument, held: Document | None) -> bool:
    """Whether Xero would hold something else than it holds or is asked for by now."""
    if desired.kind is DocumentKind.CONTACT:
        return False
    if held is None:
        return not desired.tombstone
    if desired.tombstone and held.desired.tombstone:
        return False
    return held.desired.digest != desired.digest or held.state is DocumentState.FAILED


class _NoXero:
    """Xero is not asked."""

    def organisation(self) -> NoReturn:
        raise XeroUnavailable("organisation", None, "a preview does not call Xero")


@dataclass
class _NoLog:
    """A preview logs nothing."""

    lines: list[str] = field(default_factory=list)

    def record(self, decision: str, **fields: object) -> None:
        self.lines.append(decision)
