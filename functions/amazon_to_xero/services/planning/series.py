"""Series of records: each is planned in view of what those before it ask for, although nothing of that is stored yet.

A record whose plan depends on no other's is a series of its own. The refunds of one order are a series: what one of
them takes of the sale's lines, and of an open invoice, is not there for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest

from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.planning.posting_plan import HeldDocuments
from amazon_to_xero.domain.source import SourceRecord
from amazon_to_xero.services.planning.document_requests import belongs_to_another_source, row_for


@dataclass(frozen=True)
class Place:
    """The place of a record among those that are planned.

    series: the records that are planned one after the other.
    rank: they are planned by it, the lowest first.
    """

    series: str
    rank: str = ""


type PlaceOf[R: SourceRecord] = Callable[[R], Place]


def by_itself(record: SourceRecord) -> Place:
    """Return the place of a record whose plan depends on no other record's."""
    return Place(record.source)


@dataclass
class RecordSeries[R: SourceRecord]:
    """The records of a series in one run, and the documents that they see together.

    waiting: those that are not planned yet, in their order.
    planned_before: the sources of those that were, in this run.
    looked_up: the keys of documents that were looked up for any of them.
    stored: the documents that were found.
    asked_for: what those that are planned ask for, as it will be stored.
    """

    waiting: list[R] = field(default_factory=list)
    planned_before: set[str] = field(default_factory=set)
    looked_up: set[str] = field(default_factory=set)
    stored: dict[str, Document] = field(default_factory=dict)
    asked_for: dict[str, Document] = field(default_factory=dict)

    def add(self, keys: Iterable[str], found: Mapping[str, Document]) -> None:
        """Add the documents of these keys that were found."""
        for key in keys:
            self.looked_up.add(key)
            if key in found:
                self.stored[key] = found[key]

    def visible_to(self, record: R) -> HeldDocuments:
        """Return the documents that the plan of a record of the series may see."""
        documents = {**self.stored, **self.asked_for}
        return HeldDocuments(
            record.source, documents, frozenset(self.looked_up), planned_before=frozenset(self.planned_before)
        )

    def conclude(self, record: R, steps: Iterable[Sequence[DesiredDocument]], now: datetime) -> None:
        """The first of those waiting is planned: `record` is it after planning, and asks for these documents."""
        self.waiting.pop(0)
        for desired in (desired for step in steps for desired in step):
            current = self.asked_for.get(desired.key) or self.stored.get(desired.key)
            if not belongs_to_another_source(desired, current) and (row := row_for(desired, current, now)):
                self.looked_up.add(desired.key)
                self.asked_for[desired.key] = row
        if record.next_attempt_at is None:
            self.planned_before.add(record.source)


def in_series[R: SourceRecord](records: Iterable[R], place_of: PlaceOf[R]) -> dict[str, list[R]]:
    """Return the records of each series in their order; the series in the order of their first records."""
    series: dict[str, list[R]] = {}
    for record in records:
        series.setdefault(place_of(record).series, []).append(record)
    return {name: sorted(of_series, key=lambda each: place_of(each).rank) for name, of_series in series.items()}


def in_turns[T](series: Iterable[Sequence[T]]) -> list[list[T]]:
    """Return the first of each series, then the second of each, and so on."""
    return [[each for each in turn if each is not None] for turn in zip_longest(*series)]
