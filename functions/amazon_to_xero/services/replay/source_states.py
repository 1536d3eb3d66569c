"""The situation of sources as their rows are now: whether a failure lasts, is done, or is being processed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_record import TransactionRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.planning.closed_day import ClosedDay
from amazon_to_xero.domain.planning.sale_confirmation import SaleConfirmation
from amazon_to_xero.domain.replay.decision import Situation
from amazon_to_xero.domain.replay.situation import reason_of, situation_of
from amazon_to_xero.domain.source import SourceKind, SourceRecord, identity_of
from amazon_to_xero.ports.state import RecordStore

#: The record of each kind of source that has a row of its own.
RECORD_TYPES: Mapping[SourceKind, type[SourceRecord]] = {
    SourceKind.ORDER: OrderRecord,
    SourceKind.TRANSACTION: TransactionRecord,
    SourceKind.CONFIRMATION: SaleConfirmation,
    SourceKind.DAY: ClosedDay,
}


@dataclass(frozen=True)
class SourceState:
    """What is stored of a source.

    record: None where nothing is.
    documents: those that its last plan asked for, as far as they are stored.
    """

    record: SourceRecord | None = None
    documents: tuple[Document, ...] = ()

    @property
    def situation(self) -> Situation:
        return situation_of(self.record, self.documents)

    @property
    def failure(self) -> tuple[str, str]:
        """The code and the remedy of its failure, as its rows state them now; empty where it has none."""
        return reason_of(self.record, self.documents)


def load_states(store: RecordStore, sources: Iterable[str]) -> dict[str, SourceState]:
    """Return the states of sources by their keys, in two reads for each kind however many there are."""
    wanted = list(dict.fromkeys(sources))
    records: dict[str, SourceRecord] = {}
    for kind, record_type in RECORD_TYPES.items():
        identities = {source: identity for source in wanted if (identity := identity_of(source, kind))}
        found = store.load(record_type, identities.values()) if identities else {}
        records |= {source: found[identity] for source, identity in identities.items() if identity in found}
    keys = dict.fromkeys(key for record in records.values() for key in record.documents)
    documents = store.load(Document, keys) if keys else {}
    return {
        source: SourceState(
            record, tuple(documents[key] for key in record.documents if key in documents) if record else ()
        )
        for source, record in ((source, records.get(source)) for source in wanted)
    }
