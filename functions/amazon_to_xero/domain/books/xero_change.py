"""A change that somebody made to a document of ours in Xero: the stored finding, open until a person decides about it.

OPEN -> ACCEPTED    a person: what Xero holds is right
OPEN -> RESTORED    a person: write it back as it was
OPEN -> UNDONE      somebody has changed it back in Xero
ACCEPTED | RESTORED | UNDONE -> OPEN    it was changed again, otherwise than before
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.books.differences import FieldDifference
from amazon_to_xero.domain.books.document import Document, DocumentState
from amazon_to_xero.domain.books.xero_comparison import ChangeKind
from amazon_to_xero.domain.failures import FAILURES, Failure, FailureCode

_MOST_NAMED = 4  # differences that a remedy names; `drift list` has all of them


class ChangeState(StrEnum):
    """Whether a person still has to decide; see the diagram above."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    RESTORED = "RESTORED"
    UNDONE = "UNDONE"


@dataclass(frozen=True)
class XeroChange:
    """The stored row of the last change of a document.

    document: key of the document, e.g. invoice#204-0000100-0000100.
    source, order_id: of the document; order_id is empty where there is none.
    kind, state: see ChangeKind and ChangeState.
    differences: field by field, what Xero holds and what was requested; no buyer data.
    held: what an acceptance takes over of Xero's own object; see `held_in_xero`.
    found_at: when it was found (UTC).
    decided_at, author, reason: when a person decided, who, and why, in their words.
    """

    document: str
    kind: ChangeKind
    source: str
    order_id: str
    differences: tuple[FieldDifference, ...]
    held: Mapping[str, Any] = field(default_factory=dict)
    state: ChangeState = ChangeState.OPEN
    generation: int = 0
    found_at: datetime | None = None
    decided_at: datetime | None = None
    author: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        return self.document

    @property
    def is_open(self) -> bool:
        return self.state is ChangeState.OPEN

    @property
    def text(self) -> str:
        """Return what was changed, for a person: `EDITED, LineItems[0].AccountCode is 201 instead of 200`."""
        return f"{self.kind}, {texts(self.differences)}"

    def is_known_as(self, kind: ChangeKind, differences: tuple[FieldDifference, ...]) -> bool:
        """Whether this very change was found before, and is open or was accepted."""
        is_same = (self.kind, self.differences) == (kind, differences)
        return is_same and self.state in (ChangeState.OPEN, ChangeState.ACCEPTED)

    def undone(self, at: datetime) -> XeroChange:
        """Return the change after somebody took it back in Xero."""
        return replace(self, state=ChangeState.UNDONE, decided_at=at)

    def decided(self, state: ChangeState, author: str, reason: str, at: datetime) -> XeroChange:
        """Return the change with a person's decision."""
        return replace(self, state=state, author=author, reason=reason, decided_at=at)


def found_change(
    document: Document,
    kind: ChangeKind,
    differences: tuple[FieldDifference, ...],
    held: Mapping[str, Any],
    before: XeroChange | None,
    at: datetime,
) -> XeroChange:
    """Return the change to store; `before` is what is stored of an earlier one."""
    desired = document.desired
    generation = before.generation if before else 0
    since = before.found_at if before is not None and before.is_open else at
    return XeroChange(
        document.key,
        kind,
        desired.source,
        desired.order_id,
        differences,
        held,
        generation=generation,
        found_at=since,
    )


def texts(differences: Iterable[FieldDifference]) -> str:
    """Return differences in one line of text: `Date is 2026-11-04 instead of 2026-11-03`."""
    return "; ".join(f"{each.field} is {each.in_xero or 'empty'} instead of {each.to_write}" for each in differences)


# --- the document that was changed ------------------------------------------------------------------------------------


def is_undecided(document: Document) -> bool:
    """Whether somebody has changed the document in Xero and nobody has decided about it."""
    return document.state is DocumentState.APPLIED and document.reason == FailureCode.CHANGED_IN_XERO


def with_change(document: Document, change: XeroChange) -> Document:
    """Return the document, marked so that its source asks for nothing else before a person has decided."""
    more = len(change.differences) - _MOST_NAMED
    named = texts(change.differences[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
    remedy = f"{document.key} was changed in Xero: {change.kind}, {named}."
    return replace(document, reason=FailureCode.CHANGED_IN_XERO, remedy=remedy)


def without_change(document: Document) -> Document:
    """Return the document without the mark."""
    return replace(document, reason="", remedy="") if is_undecided(document) else document


def undecided(document: Document) -> Failure:
    """Return the failure of a source that asks for something else while nobody has decided about a change."""
    code = FailureCode.CHANGED_IN_XERO
    return Failure(code, f"{document.remedy} {FAILURES[code].remedy}")
