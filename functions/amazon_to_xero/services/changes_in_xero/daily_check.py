"""Finds what people have changed in Xero of the documents that this system wrote: once a day, and before a change.

Xero is asked for what changed since the last complete check: one call for each kind and thousand, three where nothing
changed. After very many changes a check takes several runs, each from where the last one ended. Our own writes are
among it, and agree with their rows. What seems to differ is read once more by its id, so that a write of another worker
between the two reads is no change. Posting looks an approved invoice up before it changes it, and has recorded here
what it finds edited. What is found is stored as XeroChange, and the document is marked: its source asks
for nothing else until a person has decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES, DocumentKind
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.books.xero_change import (
    XeroChange,
    found_change,
    is_undecided,
    texts,
    with_change,
    without_change,
)
from amazon_to_xero.domain.books.xero_comparison import held_in_xero, is_comparable, kind_of_change
from amazon_to_xero.domain.failures import FAILURES, FailureCode
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import MAX_PAGE, XeroApi, XeroError
from amazon_to_xero.services.changes_in_xero.compared_documents import Compared, ComparedDocuments
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.requests import SourceRequest
from amazon_to_xero.services.state_updates import ATTEMPTS, update_cursor, update_records
from amazon_to_xero.services.unforeseen import UNFORESEEN, place_of

CURSOR = "changes-in-xero"
EVERY = timedelta(days=1)
_OVERLAP = timedelta(minutes=5)  # Xero's clock is not ours
_KINDS = (DocumentKind.CONTACT, DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)  # a merge explains other contacts


@dataclass(frozen=True)
class _Place:
    """How far a check is.

    since: when the last complete one began (UTC).
    began: when this one began (UTC).
    kind, page: what is to be read next.
    """

    since: datetime
    began: datetime
    kind: DocumentKind = _KINDS[0]
    page: int = 1

    @classmethod
    def of(cls, data: Mapping[str, str], now: datetime) -> _Place:
        """Return the place that the cursor holds, which of a check that has not begun is the first page."""
        began = datetime.fromisoformat(data["began"]) if "began" in data else now
        kind = DocumentKind(data.get("kind", _KINDS[0]))
        return cls(datetime.fromisoformat(data["since"]), began, kind, int(data.get("page", 1)))

    @property
    def data(self) -> Mapping[str, str]:
        times = {"since": self.since.isoformat(), "began": self.began.isoformat()}
        return {**times, "kind": self.kind.value, "page": str(self.page)}


class XeroChanges:
    """The changes of one connection's documents."""

    def __init__(
        self,
        xero: XeroApi,
        store: StateStore,
        pauses: Pauses,
        plan_again: SourceRequest,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`plan_again` makes sources due for planning: those that have waited for a change to be taken back."""
        self._xero = xero
        self._store = store
        self._pauses = pauses
        self._plan_again = plan_again
        self._clock = clock
        self._decisions = decisions
        self._documents = ComparedDocuments(store, xero)
        self._not_before: datetime | None = None  # as last read: a row that is read each minute costs, too

    def find_due(self, deadline: datetime) -> None:
        """Find and record changes, if the last complete check began a day ago. The first run only notes the time.

        Half of the time is left to what is to be planned. What was not read then, or because of a fault of Xero, which
        pauses it, is read by the next runs.
        """
        now = self._clock.now()
        if now >= deadline or (self._not_before is not None and now < self._not_before):
            return
        cursor = self._store.cursor(CURSOR)
        if not cursor.data:
            self._checked(now)
            return
        place = _Place.of(cursor.data, now)
        self._not_before = place.since + EVERY
        services = ("xero", *(f"xero#{kind}" for kind in _KINDS))
        if now >= self._not_before and not any(self._pauses.until(service) for service in services):
            self._read(place, now + (deadline - now) / 2, deadline)

    def record_edits(self, documents: Sequence[Document]) -> None:
        """Record what posting has found edited and marked; what is as it was by now loses its mark.

        documents: invoices, as they were applied.

        A fault of Xero pauses it: the marks stay, and the next daily check records what it finds, or takes them off.
        """
        kind = DocumentKind.INVOICE
        by_id = {folded(each.xero_id): each for each in documents if is_comparable(each)}
        try:
            elements = self._found(kind, [each.xero_id for each in by_id.values()])
            rows = [(by_id[folded(each[DOCUMENT_TYPES[kind].id_field])], each) for each in elements]
            compared = self._documents.compare_rows(rows)
        except XeroError as problem:
            self._pauses.pause_xero(problem, kind)
            return
        if edited := [each for each in compared if each.differences]:
            self._save(edited)
        self._unmark([each.document.key for each in compared if not each.differences])

    def _read(self, place: _Place, until: datetime, deadline: datetime) -> None:
        for kind in _KINDS[_KINDS.index(place.kind) :]:
            if kind is not place.kind:
                place = self._stored(replace(place, kind=kind, page=1))
            try:
                is_complete = self._read_pages(place, until, deadline)
            except XeroError as problem:
                self._pauses.pause_xero(problem, kind)
                return
            if not is_complete:
                return
        self._checked(place.began)

    def _checked(self, began: datetime) -> None:
        update_cursor(self._store, CURSOR, lambda _: {"since": began.isoformat()})
        self._not_before = began + EVERY

    def _stored(self, place: _Place) -> _Place:
        update_cursor(self._store, CURSOR, lambda _: place.data)
        return place

    def _read_pages(self, place: _Place, until: datetime, deadline: datetime) -> bool:
        """Read and compare the pages of a kind; return whether all of them were read, at least one more than before.

        What changes between two runs moves to the last page, and what follows it to earlier ones: so the page before is
        read once more.
        """
        page = max(1, place.page - 1)
        while (now := self._clock.now()) < deadline and (now < until or page <= place.page):
            elements = self._xero.changed_since(DOCUMENT_TYPES[place.kind].collection, place.since - _OVERLAP, page)
            self._record(place.kind, self._compared(place.kind, elements))
            if len(elements) < MAX_PAGE:
                return True
            page += 1
            if page > place.page:
                self._stored(replace(place, page=page))
        return False

    def _compared(self, kind: DocumentKind, elements: Sequence[Json]) -> list[Compared]:
        """Compare Xero's objects; one that the code cannot read is logged and left out, and the others are compared."""
        try:
            return self._documents.compare(kind, elements)
        except UNFORESEEN as problem:
            if len(elements) > 1:
                half = len(elements) // 2
                return [*self._compared(kind, elements[:half]), *self._compared(kind, elements[half:])]
            code, id_field = FailureCode.UNFORESEEN, DOCUMENT_TYPES[kind].id_field
            remedy = f"Report this as a defect: {place_of(problem)}."
            xero_id = str(elements[0].get(id_field))
            self._decisions.record("CHANGE_IN_XERO_NOT_READ", reason=code, remedy=remedy, xero_id=xero_id)
            return []

    def _record(self, kind: DocumentKind, compared: Sequence[Compared]) -> None:
        known = self._store.load(XeroChange, [each.document.key for each in compared]) if compared else {}
        self._undo([each.document for each in compared if not each.differences and _is_to_be_undone(known, each)])
        news = [each for each in compared if each.differences and not _is_known(known, each)]
        if news:
            self._save([each for each in self._read_again(kind, news) if not _is_known(known, each)])

    def _read_again(self, kind: DocumentKind, news: Sequence[Compared]) -> list[Compared]:
        """Return what still differs after both sides were read once more, while no other worker stored its row."""
        stable: list[Compared] = []
        for _ in range(ATTEMPTS):
            before = {each.document.key: each.document.generation for each in news}
            again = self._compared(kind, self._by_id(kind, news))
            news = [each for each in again if each.differences]
            stable = [each for each in news if before.get(each.document.key) == each.document.generation]
            if len(stable) == len(news):
                break
        return stable

    def _by_id(self, kind: DocumentKind, compared: Sequence[Compared]) -> list[Json]:
        """Return what Xero holds now of what was compared."""
        id_field = DOCUMENT_TYPES[kind].id_field
        return self._found(kind, list(dict.fromkeys(str(each.element[id_field]) for each in compared)))

    def _found(self, kind: DocumentKind, ids: Sequence[str]) -> list[Json]:
        spec = DOCUMENT_TYPES[kind]
        groups = self._xero.lookup_groups(spec.collection, spec.id_field, ids)
        return [element for group in groups for element in self._xero.find(spec.collection, spec.id_field, group)]

    def _save(self, found: Sequence[Compared]) -> None:
        """Store the changes, then mark the documents: after a crash in between both are done by the next run."""
        by_key = {each.document.key: each for each in found}
        now = self._clock.now()

        def changes(stored: Mapping[str, XeroChange | None]) -> Iterable[XeroChange]:
            for key, before in stored.items():
                document, element, differences = by_key[key].document, by_key[key].element, by_key[key].differences
                kind = kind_of_change(document, differences)
                yield found_change(document, kind, differences, held_in_xero(element), before, now)

        saved = update_records(self._store, XeroChange, by_key, changes)
        self._mark(saved)
        for change in saved.values():
            self._log(change)

    def _mark(self, changes: Mapping[str, XeroChange]) -> None:
        """Mark the documents that still are what was compared. Contacts are followed by posting, and not marked."""

        def marked(stored: Mapping[str, Document | None]) -> Iterable[Document]:
            for key, document in stored.items():
                if document is not None and is_comparable(document):
                    yield with_change(document, changes[key])

        keys = [key for key in changes if not key.startswith(f"{DocumentKind.CONTACT}#")]
        update_records(self._store, Document, keys, marked)

    def _unmark(self, keys: Sequence[str]) -> None:
        def unmarked(stored: Mapping[str, Document | None]) -> Iterable[Document]:
            return [without_change(each) for each in stored.values() if each is not None and is_undecided(each)]

        if keys:
            update_records(self._store, Document, keys, unmarked)

    def _undo(self, documents: Sequence[Document]) -> None:
        """Close the changes that somebody has taken back in Xero, and have their sources go on."""
        undone = [each.key for each in documents]

        def closed(stored: Mapping[str, XeroChange | None]) -> Iterable[XeroChange]:
            return [each.undone(self._clock.now()) for each in stored.values() if each is not None and each.is_open]

        if undone:
            self._unmark(undone)
            # Before the changes are closed: after a crash in between they are found as open once more.
            self._plan_again(list(dict.fromkeys(each.desired.source for each in documents)))
            for change in update_records(self._store, XeroChange, undone, closed).values():
                self._decisions.record(
                    "CHANGE_IN_XERO_UNDONE", document=change.document, order_id=change.order_id or None
                )

    def _log(self, change: XeroChange) -> None:
        self._decisions.record(
            FailureCode.CHANGED_IN_XERO,
            document=change.document,
            order_id=change.order_id or None,
            source=change.source,
            change=change.kind,
            differences=texts(change.differences),
            reason=FailureCode.CHANGED_IN_XERO,
            remedy=FAILURES[FailureCode.CHANGED_IN_XERO].remedy,
        )


def _is_to_be_undone(known: Mapping[str, XeroChange], compared: Compared) -> bool:
    """Whether a change is open, or the document marked: posting marks it before its change is recorded."""
    change = known.get(compared.document.key)
    return (change is not None and change.is_open) or is_undecided(compared.document)


def _is_known(known: Mapping[str, XeroChange], compared: Compared) -> bool:
    """Whether this very change was accepted, or is stored and, as documents but contacts are, marked."""
    document, differences = compared.document, compared.differences
    change = known.get(document.key)
    if change is None or not change.is_known_as(kind_of_change(document, differences), differences):
        return False
    return not change.is_open or is_undecided(document) or document.kind is DocumentKind.CONTACT
