"""What an order would become with more corrections: planned in memory, by the plan that plans it for real.

Nothing is stored, and neither Amazon nor Xero is called: the organisation is the one that a worker has read last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn, cast

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
from amazon_to_xero.ports.state import Cursor, Record, StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroUnavailable
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.orders import OrderPlans
from amazon_to_xero.services.planning.planner import PlannedRecord
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache

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
    rows = cast(StateStore, _RowsInMemory(store, corrections))
    log = cast(DecisionLog, _NoLog())
    cache = OrganisationCache(cast(XeroApi, _NoXero()), rows, Pauses(rows, clock, log), clock, policy, log, _ANY_AGE)
    corrected = record.corrected(len(corrections.entries), SHIPMENTS, clock.now())
    try:
        planned, held = _planned(OrderPlans(policy, cache, clock, rows), rows, corrected)
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


class _RowsInMemory:
    """The rows of the store, with the corrections in question; what is saved is kept here and not stored."""

    def __init__(self, store: StateStore, corrections: Corrections) -> None:
        self._store = store
        self._kept: dict[tuple[type[Any], str], Any] = {(Corrections, corrections.key): corrections}

    def load[R: Record](self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        wanted = list(keys)
        others = [key for key in wanted if (kind, key) not in self._kept]
        stored = self._store.load(kind, others) if others else {}
        return {**stored, **{key: self._kept[kind, key] for key in wanted if (kind, key) in self._kept}}

    def save[R: Record](self, records: Sequence[R]) -> dict[str, R]:
        self._kept |= {(type(record), record.key): record for record in records}
        return {record.key: record for record in records}

    def cursor(self, name: str) -> Cursor:
        return self.load(Cursor, [name]).get(name, Cursor(name))


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
