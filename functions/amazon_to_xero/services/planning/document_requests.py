"""Requests for documents: stores what a source asks for in the documents' rows, where the poster finds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.state_updates import update_records


def request_documents(store: StateStore, clock: Clock, desired: Sequence[DesiredDocument]) -> list[str]:
    """Store the requests; return the keys of the documents that changed. Raises Conflict.

    An older version of a source never replaces a newer one, whatever the order of the calls.
    """
    wanted = {each.key: each for each in desired}

    def requested(stored: Mapping[str, Document | None]) -> Iterable[Document]:
        rows = (row_for(wanted[key], document, clock.now()) for key, document in stored.items())
        return [row for row in rows if row is not None]

    return list(update_records(store, Document, wanted, requested)) if wanted else []


def row_for(desired: DesiredDocument, held: Document | None, now: datetime) -> Document | None:
    """Return the row to store for a request; None when the stored one stays as it is."""
    if held is not None:
        return held.with_desired(desired, now)
    new = Document(desired, next_attempt_at=desired.due_from(now))
    return new.awaiting_lookup(now) if desired.is_chosen_contact else new


def belongs_to_another_source(desired: DesiredDocument, held: Document | None) -> bool:
    """Whether another source's document has the key. Contacts are shared: each order of a customer may request one."""
    if held is None or desired.kind is DocumentKind.CONTACT:
        return False
    return held.desired.source != desired.source
