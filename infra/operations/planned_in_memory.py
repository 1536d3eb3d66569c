"""What an order or refund would become with more corrections: planned in memory, by the planners that plan it for real.

Nothing is stored, and neither Amazon nor Xero is called: the organisation is the one that a worker has read last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import DesiredDocument, Document, DocumentState
from amazon_to_xero.domain.books.document_types import CONTACT_REFERENCE, DocumentKind, document_key
from amazon_to_xero.domain.capabilities import SHIPMENTS
from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.planning.corrected_sale import stated_contact
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.source import SourceRecord
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.replay_planners import planners_in_memory
from amazon_to_xero.services.intake.transaction_sweep import read_until
from amazon_to_xero.services.replay.preview_store import PreviewStore

_FAILED = "FAILED"  # the state of a record of either type that needs a person


@dataclass(frozen=True)
class PlannedDocuments:
    """What planning an order or refund comes to.

    problem: why it fails, or cannot be planned here; empty where it is planned.
    documents: those that would change, as they would be requested; tombstones are of documents that Xero holds.
    other_contact: keys of the invoices and credit notes that stay with another contact than the one that is stated.
    """

    problem: str = ""
    documents: tuple[DesiredDocument, ...] = ()
    other_contact: tuple[str, ...] = ()


def plan_with(
    store: StateStore,
    policy: PostingPolicy,
    clock: Clock,
    record: OrderRecord | TransactionRecord,
    corrections: Corrections,
) -> PlannedDocuments:
    """Return what the order or refund would become with exactly these corrections."""
    if record.content is None:
        return PlannedDocuments("Its content is not stored; it is read from Amazon first.")
    rows = PreviewStore(store)
    rows.save([corrections])
    corrected = _corrected(record, len(corrections.entries), clock)
    planners = planners_in_memory("", policy, None, clock, partial(read_until, rows), rows)
    if planners.unavailable:
        return PlannedDocuments("Xero's accounts and tax rates have not been read yet.")
    planners.plan([corrected])
    planned: SourceRecord = rows.load(type(record), [record.key])[record.key]
    changed = tuple(_changed(store, rows.saved(Document)))
    if planned.state == _FAILED:
        return PlannedDocuments(f"{planned.reason}: {planned.remedy}")
    if planned.next_attempt_at is not None and not changed:
        return PlannedDocuments(f"It waits: {planned.reason}.")
    stated = stated_contact(corrections)
    return PlannedDocuments(
        documents=changed, other_contact=tuple(_with_another(stated, planned, rows)) if stated else ()
    )


def _with_another(contact_id: str, planned: SourceRecord, rows: PreviewStore) -> Iterator[str]:
    """Yield the invoices and credit notes of a planned order that do not go to the contact that a person has stated."""
    keys = planned.documents if isinstance(planned, OrderRecord) else ()
    key = document_key(DocumentKind.CONTACT, contact_id)
    for document in rows.load(Document, keys).values() if keys else ():
        if not document.desired.tombstone and document.desired.references.get(CONTACT_REFERENCE, key) != key:
            yield document.key


def _corrected(record: OrderRecord | TransactionRecord, entries: int, clock: Clock) -> OrderRecord | TransactionRecord:
    """Return the record as the intake stores it with so many corrections."""
    if isinstance(record, OrderRecord):
        return record.corrected(entries, SHIPMENTS, clock.now())
    return record.corrected(entries, clock.now())


def _changed(store: StateStore, planned: Iterable[Document]) -> Iterator[DesiredDocument]:
    """Yield the documents of which Xero would hold something else than it holds or is asked for by now."""
    by_key = {each.key: each.desired for each in planned if each.kind is not DocumentKind.CONTACT}
    held = store.load(Document, by_key) if by_key else {}
    for key, desired in by_key.items():
        before = held.get(key)
        if before is None and desired.tombstone:
            continue
        if before is None or before.desired.digest != desired.digest or before.state is DocumentState.FAILED:
            yield desired
