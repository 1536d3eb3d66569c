"""The worklist: one row an item, with what the last comparison found and whether a person has to act on it.

An entry stays open until the difference is gone or a person closes it with a word. Then the same difference does not
open it again; another one does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.stock.comparison import NOT_COMPARED, ONE_SIDED, Baseline, Comparison
from amazon_to_xero.domain.stock.correction import Correction, plain
from amazon_to_xero.domain.stock.items import item_key

MAX_WORD = 300  # characters


class EntryState(StrEnum):
    """Whether an item needs a person."""

    AGREED = "AGREED"  # there is nothing to do
    OPEN = "OPEN"  # a person has to act
    CLOSED = "CLOSED"  # a person has closed it: its difference may stay


@dataclass(frozen=True)
class WorklistEntry:
    """The stored row of an item.

    code: of the item in Xero; a SKU where Xero has no such item.
    generation: how often the row was stored; two writers never both succeed.
    baseline: what the next comparison counts movements from; None until both sides knew the item.
    state, finding: see EntryState and StockFinding; the finding is empty until the first comparison.
    skus: that the item is part of.
    amazon, xero, sold, refunded, gap, difference: as last compared; None where a side does not know the item.
    own: units in the seller's own stock then; None where they were not known or not counted.
    correction: what the last comparison suggests.
    compared_at, opened_at: when Amazon's units were last read, and since when the entry is open (UTC).
    closed_at, word: when a person closed it, and why. The word is what the person wrote.
    """

    code: str
    generation: int = 0
    baseline: Baseline | None = None
    state: EntryState = EntryState.AGREED
    finding: str = ""
    skus: tuple[str, ...] = ()
    amazon: int | None = None
    own: int | None = None
    xero: Decimal | None = None
    sold: int = 0
    refunded: int = 0
    gap: Decimal | None = None
    difference: Decimal = Decimal(0)
    correction: str = ""
    compared_at: datetime | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    word: str = ""

    @property
    def key(self) -> str:
        return item_key(self.code)

    @property
    def entry_id(self) -> str:
        """What names an open difference: the same while it stays the same."""
        opened = self.opened_at.isoformat() if self.opened_at else ""
        return f"{self.key}#{self.sameness}#{opened}"

    @property
    def sameness(self) -> str:
        """What makes two differences the same one: the units; of an item that one side does not know, that alone."""
        return self.finding if self.finding in ONE_SIDED else plain(self.difference)

    def compared(self, comparison: Comparison, correction: Correction, at: datetime) -> WorklistEntry:
        """Return the entry after a comparison; `at` is when the last of Amazon's units were read.

        Where Amazon does not state the units, nothing is known, and the entry stays as it was.
        """
        if comparison.finding in NOT_COMPARED:
            return self
        amazon, xero = comparison.amazon, comparison.xero
        baseline = self.baseline
        if comparison.gap is not None and amazon is not None and xero is not None:
            baseline = Baseline(amazon.read_at, xero.quantity, comparison.pending)
        after = replace(
            self,
            code=comparison.code,
            baseline=baseline,
            finding=comparison.finding,
            skus=comparison.skus,
            amazon=amazon.units.total if amazon else None,
            own=amazon.own_units if amazon else None,
            xero=xero.quantity if xero else None,
            sold=amazon.sold if amazon else 0,
            refunded=amazon.refunded if amazon else 0,
            gap=comparison.gap,
            difference=comparison.difference,
            correction=correction.text,
            compared_at=at,
        )
        return after._with_state(self, comparison.is_open, at)

    def _with_state(self, before: WorklistEntry, is_open: bool, at: datetime) -> WorklistEntry:
        if not is_open:
            return replace(self, state=EntryState.AGREED, opened_at=None, closed_at=None, word="")
        if self.sameness == before.sameness and before.state is not EntryState.AGREED:
            return self
        opened_at = before.opened_at if before.state is EntryState.OPEN else at
        return replace(self, state=EntryState.OPEN, opened_at=opened_at, closed_at=None, word="")

    def gone(self, at: datetime) -> WorklistEntry:
        """Return the entry of an item that neither side knows any more, e.g. as the settings now name another one."""
        return replace(
            self, state=EntryState.AGREED, baseline=None, difference=Decimal(0), compared_at=at, opened_at=None
        )

    def is_news_after(self, before: WorklistEntry) -> bool:
        """Whether others should hear of it: it was opened, or its difference is another one."""
        is_same = before.state is EntryState.OPEN and before.sameness == self.sameness
        return self.state is EntryState.OPEN and not is_same

    def closed(self, word: str, at: datetime) -> WorklistEntry:
        """Return the entry closed with a person's word. Raises Failure where it is not open, or the word is none."""
        text = " ".join(word.split())
        if not text or len(text) > MAX_WORD or not text.isprintable():
            remedy = f"The word is empty or longer than {MAX_WORD} characters. Write in a sentence why it is closed."
            raise Failure(FailureCode.WORKLIST_NOT_CHANGED, remedy)
        if self.state is not EntryState.OPEN:
            remedy = f"{self.code} is {self.state} and not OPEN. List the open entries with `stock worklist`."
            raise Failure(FailureCode.WORKLIST_NOT_CHANGED, remedy)
        return replace(self, state=EntryState.CLOSED, closed_at=at, word=text)
