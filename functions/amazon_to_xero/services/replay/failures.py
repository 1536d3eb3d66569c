"""Finds the open failures of the stack: dead letters, and failed rows whose dead letters have expired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from amazon_to_xero.domain.amazon.notification import ChangeNotice, connection_of
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.replay.decision import Situation
from amazon_to_xero.domain.replay.failure import (
    CAPABILITY_OF,
    OpenFailure,
    is_for_transactions,
    notice_key,
    reprocess_body,
)
from amazon_to_xero.domain.source import SourceKind, source_key
from amazon_to_xero.ports.replay import DeadLetter
from amazon_to_xero.ports.state import FAILED_DOCUMENTS, FAILED_SOURCES, StateStore, Watched
from amazon_to_xero.services.replay.source_states import RECORD_TYPES

_GROUPS = (FAILED_SOURCES, FAILED_DOCUMENTS)
_ROWS_AT_ONCE = 100
_LETTERS, _ROWS = "0", "1"  # first part of a place: letters come before rows
_DOCUMENT = "DOCUMENT"  # first part of the key of a watched document

type Parse = Callable[[str], ChangeNotice]  # raises Failure


@dataclass(frozen=True)
class ReplayedConnection:
    """One connection of the stack, as a replay needs it."""

    name: str
    seller_id: str
    store: StateStore


@dataclass(frozen=True)
class FoundFailure:
    """An open failure, and where it was found.

    failure: the failure.
    place: its place in the order in which failures are replayed.
    letter: the dead letter; None for a failed row.
    known: its situation where that is known without the rows of its source; None otherwise.
    """

    failure: OpenFailure
    place: tuple[str, ...]
    letter: DeadLetter | None = None
    known: Situation | None = None

    @property
    def source_key(self) -> tuple[str, str]:
        """The connection and the source, which together are unique in the stack."""
        return self.failure.connection, self.failure.source

    @property
    def message_key(self) -> tuple[str, str, str]:
        """The connection, the source and whose queue takes it: failures with the same key need one message."""
        return (*self.source_key, self.failure.capability)

    @property
    def row_key(self) -> str:
        """Type and key of the failed row that it was found by, e.g. DOCUMENT#invoice#204-…; empty for a letter."""
        return self.place[-1] if self.place[0] == _ROWS else ""

    @property
    def is_for_transactions(self) -> bool:
        """Whether it is about the transactions of an order, and not about the order."""
        return is_for_transactions(self.failure.capability, self.failure.source)


class LetterReader:
    """Reads dead letters: whose each is, and about what."""

    def __init__(self, parsers: Mapping[str, Parse], connections: Mapping[str, ReplayedConnection]) -> None:
        """`parsers` are those of the capabilities' queues, by capability."""
        self._parsers = parsers
        self._connections = connections

    def read(self, letter: DeadLetter) -> FoundFailure:
        place = (_LETTERS, letter.capability, letter.sent_at.isoformat(), letter.message_id)
        failure = OpenFailure(
            letter.capability,
            letter.body,
            source=notice_key(letter.body),
            order_id=letter.order_id,
            reason=letter.reason,
            remedy=letter.remedy,
            failed_at=letter.sent_at,
        )
        try:
            notice = self._parsers.get(letter.capability, _of_no_queue)(letter.body)
        except Failure as problem:
            unreadable = replace(failure, reason=failure.reason or problem.code, remedy=problem.remedy)
            return FoundFailure(unreadable, place, letter, Situation.UNREADABLE)
        failure = _about(failure, notice)
        connection = connection_of(notice, self._connections.values())
        if connection is None:
            return FoundFailure(failure, place, letter, Situation.UNCONNECTED)
        failure = replace(failure, connection=connection.name)
        if letter.reason == FailureCode.CORRECTION_REFUSED:
            return FoundFailure(failure, place, letter, Situation.REFUSED)
        return FoundFailure(failure, place, letter, _known_situation(letter.capability, notice, connection.store))


def _of_no_queue(body: str) -> ChangeNotice:
    """Refuse a letter whose attribute names no capability: somebody has put it into the queue of stopped letters."""
    remedy = "The letter's attribute capability names no function. Send its body to the right queue, then delete it."
    raise Failure(FailureCode.MALFORMED_MESSAGE, remedy)


def _about(failure: OpenFailure, notice: ChangeNotice) -> OpenFailure:
    """Return the failure with what its message names: its source where the message is one of our dead letters."""
    is_order = notice.kind in (SourceKind.ORDER, SourceKind.CONFIRMATION) or failure.capability in (ORDERS, SHIPMENTS)
    is_order = is_order and notice.kind is not SourceKind.DAY
    order_id = failure.order_id or (notice.key if is_order else "")
    source = source_key(notice.kind, notice.key) if notice.reprocess and notice.kind else failure.source
    return replace(failure, order_id=order_id, source=source)


def _known_situation(capability: str, notice: ChangeNotice, store: StateStore) -> Situation | None:
    """Return the situation of a message that is no dead letter of ours; None for one that is: its rows say it.

    Amazon's notice of an order that was read since is answered. Any other is sent again: it is harmless twice. So is an
    order in the refunds queue, which stands for its transactions: the order's own rows do not say if they were read.
    """
    if notice.reprocess and notice.kind and not is_for_transactions(capability, source_key(notice.kind, notice.key)):
        return None
    if capability == ORDERS and notice.at is not None:
        record = store.load(OrderRecord, [notice.key]).get(notice.key)
        if record is not None and record.read_at is not None and record.read_at >= notice.at:
            return Situation.DONE
    return Situation.NOT_STORED


class FailedRows:
    """The failed rows of one connection, in the order of the index: sources, then documents, each by reason."""

    def __init__(self, connection: ReplayedConnection, *, with_contacts: bool = False) -> None:
        """Contacts are left out otherwise: what needs a contact fails with it, and is replayed."""
        self._name = connection.name
        self._store = connection.store
        self._with_contacts = with_contacts

    def after(self, place: tuple[str, ...]) -> Iterator[FoundFailure]:
        """Yield the failures of rows after a place; an empty one is before all."""
        for group in _GROUPS:
            start = _group_place(self._name, group)
            if start > place:
                position = None
            elif place[: len(start)] == start:
                position = Watched(place[-1], place[-2])
            else:
                continue  # the place is in a later group
            yield from self._group(group, position)

    def _group(self, group: str, position: Watched | None) -> Iterator[FoundFailure]:
        while rows := self._store.watched(group, _ROWS_AT_ONCE, position):
            failures = self._failures(rows)
            for row in rows:
                if row.key in failures:
                    place = (*_group_place(self._name, group), row.reason, row.key)
                    yield FoundFailure(failures[row.key], place)
            position = rows[-1]

    def _failures(self, rows: list[Watched]) -> dict[str, OpenFailure]:
        """Return the failures of watched rows by their keys."""
        keys: dict[str, list[str]] = {}
        for row in rows:
            prefix, _, key = row.key.partition("#")
            keys.setdefault(prefix, []).append(key)
        found: dict[str, OpenFailure] = {}
        for kind, record_type in RECORD_TYPES.items():
            records = self._store.load(record_type, keys.get(kind.name, ()))
            for key, record in records.items():
                order_id = record.log_fields().get("order_id", "")
                found[f"{kind.name}#{key}"] = self._failure(
                    CAPABILITY_OF[kind], record.source, order_id, record.reason, record.remedy
                )
        for key, document in self._store.load(Document, keys.get(_DOCUMENT, ())).items():
            desired = document.desired
            if desired.capability or self._with_contacts:
                found[f"{_DOCUMENT}#{key}"] = self._failure(
                    desired.capability, desired.source, desired.order_id, document.reason, document.remedy
                )
        return found

    def _failure(self, capability: str, source: str, order_id: str, reason: str, remedy: str) -> OpenFailure:
        body = reprocess_body(self._name, source)
        return OpenFailure(capability, body, self._name, source, order_id, reason, remedy)


def _group_place(connection: str, group: str) -> tuple[str, ...]:
    """Return the place before the first row of a group of a connection: after all letters, which begin with 0."""
    return _ROWS, connection, str(_GROUPS.index(group))
