"""What a plan consists of, and the stored documents that it is made from. The same for every kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from amazon_to_xero.domain.books.document import DesiredDocument, Document
from amazon_to_xero.domain.books.document_types import DocumentKind, document_key
from amazon_to_xero.domain.books.numbering import reissued_number
from amazon_to_xero.domain.books.xero_change import is_undecided, undecided
from amazon_to_xero.domain.planning.reversals import DecidedRefunds


@dataclass
class HeldDocuments:
    """The stored documents that a source's plan may see.

    source: the source that is planned. Documents of other sources are visible as numbers that are taken, and where the
        plan refers to them.
    documents: the stored ones among the keys that were looked up.
    looked_up: the keys that were looked up.
    missing: keys that the plan asked for and that were not looked up; plan again with them.
    planned_before: sources that were planned in the same run. What they ask for is among the documents, stored or not.
    """

    source: str
    documents: Mapping[str, Document]
    looked_up: frozenset[str]
    missing: set[str] = field(default_factory=set)
    planned_before: frozenset[str] = frozenset()

    def own(self, kind: DocumentKind, number: str) -> Document | None:
        """Return this source's document of that number, None where there is none."""
        document = self._look_up(kind, number)
        return document if document is not None and document.desired.source == self.source else None

    def own_documents(self) -> Iterable[Document]:
        """Return this source's documents among those that were looked up, without contacts, which are shared."""
        return [
            document
            for document in self.documents.values()
            if document.desired.source == self.source and document.kind is not DocumentKind.CONTACT
        ]

    def referred(self, key: str) -> Document | None:
        """Return the document of that key, of whichever source: a plan may refer to it and never change it."""
        kind, _, number = key.partition("#")
        return self._look_up(DocumentKind(kind), number)

    def is_taken(self, number: str, kinds: Iterable[DocumentKind]) -> bool:
        """Whether a document of another source has the number, in any of the kinds."""
        documents = [self._look_up(kind, number) for kind in kinds]
        return any(document is not None and document.desired.source != self.source for document in documents)

    def free_number(self, kind: DocumentKind, number: str) -> str:
        """Return the number, or the first reissue of it, at which no other source has a document of that kind."""
        times = 0
        while self.is_taken(reissued_number(number, times), (kind,)):
            times += 1
        return reissued_number(number, times)

    def _look_up(self, kind: DocumentKind, number: str) -> Document | None:
        key = document_key(kind, number)
        if key not in self.looked_up:
            self.missing.add(key)
        return self.documents.get(key)


@dataclass(frozen=True)
class PostingPlan:
    """The documents that a source asks for.

    steps: stored one after the other. Between two steps nobody can pay an invoice that is about to change.
    documents: keys of all documents of the steps but contacts, which are shared: those that the source answers for.
    awaits_outcome: nothing is asked for yet; a payment is under way and its outcome decides what comes next.
    refunds: what the order's refunds have to count from now on, to be stored before the steps; None where that did not
        change.
    changes_earlier_month: an approved invoice of an earlier month is changed, which Xero may have locked since.
    """

    steps: tuple[tuple[DesiredDocument, ...], ...] = ()
    documents: tuple[str, ...] = ()
    awaits_outcome: bool = False
    refunds: DecidedRefunds | None = None
    changes_earlier_month: bool = False


def check_nothing_undecided(asked_for: Iterable[DesiredDocument], held: HeldDocuments) -> None:
    """Raise Failure with CHANGED_IN_XERO where a plan asks for anything new while a change in Xero is undecided.

    A later version would overwrite the change, or correct the document by what Xero no longer holds.
    """
    changed = [each for each in held.own_documents() if is_undecided(each)]
    if changed and any(_is_new(desired, held) for desired in asked_for):
        raise undecided(changed[0])


def _is_new(desired: DesiredDocument, held: HeldDocuments) -> bool:
    is_shared = desired.kind is DocumentKind.CONTACT
    known = held.referred(desired.key) if is_shared else held.own(desired.kind, desired.number)
    if known is None:
        return not desired.tombstone
    return known.desired.digest != desired.digest


@dataclass
class PlanSteps:
    """The steps of a plan in the making.

    first: payments that must not be posted while their invoice changes, and contacts.
    second: invoices, and adjustments that exist.
    third: payments, and new adjustments.
    """

    first: list[DesiredDocument] = field(default_factory=list)
    second: list[DesiredDocument] = field(default_factory=list)
    third: list[DesiredDocument] = field(default_factory=list)
    awaits_outcome: bool = False
    changes_earlier_month: bool = False

    def plan(self, held: HeldDocuments, refunds: DecidedRefunds | None = None) -> PostingPlan:
        if self.awaits_outcome:
            return PostingPlan(awaits_outcome=True)
        steps = tuple(tuple(step) for step in (self.first, self.second, self.third) if step)
        documents = {desired.key: desired for step in steps for desired in step}
        for desired in documents.values():
            # An older plan may have asked for it before: its row has to be seen in order to be replaced.
            held.own(desired.kind, desired.number)
        check_nothing_undecided(documents.values(), held)
        changes = self.changes_earlier_month
        own = tuple(key for key, desired in documents.items() if desired.kind is not DocumentKind.CONTACT)
        return PostingPlan(steps, own, refunds=refunds, changes_earlier_month=changes)
