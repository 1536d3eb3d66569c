"""Previews a replay: plans sources in memory, by the planners that plan them for real, and compares with Xero.

Amazon is not called: an order or refund is planned as it was last read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.planning.closed_day import ClosedDay
from amazon_to_xero.domain.source import SourceKind, SourceRecord, identity_of
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import XeroApi, XeroError
from amazon_to_xero.services.planning.planner import SourcePlanner
from amazon_to_xero.services.replay.document_previews import NOTHING, DocumentPreview, document_previews
from amazon_to_xero.services.replay.preview_store import PreviewStore
from amazon_to_xero.services.replay.source_states import load_states

_TO_BE_READ = "It is read from Amazon first, and planned as Amazon states it then."
_COMPARED = "Its charges are compared with its documents again; nothing is written to Xero."
_DAY = "Its documents are planned again from the same entries; what Xero holds of them stays as it is."
_NOT_PREVIEWED = "It was not previewed: the step had no time left. Preview fewer failures at once."
_OUT_OF_TIME = "Not all documents were looked up in Xero: the step had no time left. Preview fewer failures at once."
_AS_LAST_READ = "Planned as it was last read. What goes to the orders queue is read from Amazon again first."


@dataclass(frozen=True)
class Planners:
    """The planners of a connection over rows in memory.

    unavailable: why nothing can be planned at the moment; empty where it can.
    """

    orders: SourcePlanner[OrderRecord]
    transactions: SourcePlanner[TransactionRecord]
    unavailable: str = ""

    def plan(self, records: Iterable[SourceRecord | None]) -> None:
        """Plan the orders and refunds among the records whose content is stored."""
        known = list(records)
        self.orders.plan_records([each for each in known if isinstance(each, OrderRecord) and each.content])
        self.transactions.plan_records([each for each in known if isinstance(each, TransactionRecord) and each.content])


@dataclass(frozen=True)
class SourcePreview:
    """What a replay of one source would come to.

    state, reason, remedy: of its record after planning; with FAILED it would fail again.
    documents: those that would be written, or looked up. What Xero holds as requested is left out.
    note: what the preview does not show.
    """

    state: str = ""
    reason: str = ""
    remedy: str = ""
    documents: tuple[DocumentPreview, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ReplayPreview:
    """Previews sources of one connection. `planners` makes planners over the rows that it is given."""

    store: StateStore
    xero: XeroApi
    planners: Callable[[PreviewStore], Planners]
    clock: Clock

    def of(self, sources: Sequence[str], deadline: datetime) -> Mapping[str, SourcePreview]:
        """Return the preview of each source. Where Xero does not answer, or not in time, the note says so."""
        if self.clock.now() >= deadline:
            return {source: SourcePreview(note=_NOT_PREVIEWED) for source in sources}
        rows = PreviewStore(self.store)
        planners = self.planners(rows)
        if planners.unavailable:
            note = f"It cannot be planned now: {planners.unavailable}."
            return {source: SourcePreview(note=note) for source in sources}
        planners.plan(state.record for state in load_states(self.store, sources).values())
        written = [each for each in rows.saved(Document) if each.next_attempt_at is not None]
        written = [each for each in written if not each.desired.is_entry]
        try:
            documents = document_previews(written, rows, self.xero, lambda: self.clock.now() >= deadline)
            problem = "" if len(documents) == len(written) else _OUT_OF_TIME
        except XeroError as error:
            documents, problem = {}, f"Xero was not read: {error.operation}, status {error.status}."
        states = load_states(rows, sources)
        return {
            source: _preview(source, states[source].record, _of_source(source, written, documents), problem)
            for source in dict.fromkeys(sources)
        }


def _of_source(
    source: str, written: Sequence[Document], previews: Mapping[str, DocumentPreview]
) -> tuple[DocumentPreview, ...]:
    """Return the previews of a source's documents, without those that Xero holds as requested."""
    shown = (
        previews.get(document.key, DocumentPreview(document.key, "not known"))
        for document in written
        if document.desired.source == source
    )
    return tuple(preview for preview in shown if preview.action != NOTHING)


def _preview(
    source: str, record: SourceRecord | None, documents: tuple[DocumentPreview, ...], problem: str
) -> SourcePreview:
    if identity_of(source, SourceKind.CONFIRMATION):
        return SourcePreview(note=_COMPARED)
    if isinstance(record, ClosedDay):
        return SourcePreview(record.state, record.reason, record.remedy, note=_DAY)
    if record is None or (isinstance(record, OrderRecord | TransactionRecord) and not record.content):
        return SourcePreview(note=_TO_BE_READ)
    preview = SourcePreview(record.state, record.reason, record.remedy, documents, problem)
    return preview if problem or not isinstance(record, OrderRecord) else replace(preview, note=_AS_LAST_READ)
