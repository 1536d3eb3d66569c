"""Corrections: what a person states about one order or refund, against what Amazon or the settings say.

A correction is an entry of a list that only grows: a later one of the same kind and line takes the place of an earlier
one, and a withdrawal is an entry, too. What an entry does to documents is decided in `domain.planning`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from amazon_to_xero.domain.failures import Failure, FailureCode

MAX_ENTRIES = 50  # of one source: its row stays small
MAX_TERMS = 500  # lines of all REBOOK entries of one source: its row stays below 100 KB


class CorrectionKind(StrEnum):
    """What a correction states."""

    TAX_TYPE = "tax_type"  # Xero's TaxType of a line, or of all lines
    ACCOUNT = "account"  # account code of a line, or of all lines
    DATE = "date"  # the day of the sale, of one of its shipments or of the refund, in the organisation's time zone
    SKIP = "skip"  # it has no documents; e.g. because a person has entered it in Xero
    BOOK_AS_IT_IS = "book_as_it_is"  # Amazon's amounts are booked although its tax is unclear or varies
    AS_IN_XERO = "as_in_xero"  # a document stays as somebody changed it in Xero; the value is its key
    REBOOK = "rebook"  # lines are booked as the rules of that time say, although they were booked otherwise
    TRACKING = "tracking"  # tracking of a line, or of all lines, as `stated_tracking` reads it
    ITEM_CODE = "item_code"  # code of the organisation's item for a line, or for all lines; `none` for no item
    DESCRIPTION = "description"  # text of a line, or of all lines
    CONTACT = "contact"  # whom an order is invoiced to: Xero's ContactID of a contact that is there
    WITHDRAW = "withdraw"  # an earlier correction no longer applies


#: Kinds that may concern one line.
OF_LINES = frozenset(
    {
        CorrectionKind.TAX_TYPE,
        CorrectionKind.ACCOUNT,
        CorrectionKind.TRACKING,
        CorrectionKind.ITEM_CODE,
        CorrectionKind.DESCRIPTION,
    }
)
#: Of these, those by which a paid line is booked anew, and those by which it is reported under something else.
_OF_BOOKING = frozenset({CorrectionKind.TAX_TYPE, CorrectionKind.ACCOUNT})
_OF_REPORTS = frozenset({CorrectionKind.TRACKING, CorrectionKind.ITEM_CODE})
#: Kinds that only an order takes.
OF_ORDERS = frozenset({CorrectionKind.BOOK_AS_IT_IS, CorrectionKind.REBOOK, CorrectionKind.CONTACT})


@dataclass(frozen=True)
class LineTerms:
    """How one line is booked.

    line: origin of the line: an item id and a charge, e.g. `123:SHIPPING`.
    account: account code; empty where another correction states it.
    tax_type: Xero's TaxType; empty where another correction states it.
    tracking: category and option, by their names in Xero; at most two.
    item_code: code of the organisation's item; empty for none.
    """

    line: str
    account: str = ""
    tax_type: str = ""
    tracking: tuple[tuple[str, str], ...] = ()
    item_code: str = ""


@dataclass(frozen=True)
class Correction:
    """One entry, as a person made it.

    correction_id: names the entry before it has a number; the same entry is recorded once, however often it arrives.
    kind: what it states.
    value: what is stated: a tax type, account code, tracking, item code, text, day (ISO), Xero's ContactID, or the
        number of the withdrawn entry; empty for other kinds. Never a name: data of buyers is stored nowhere.
    line: an order item id, or an item id and a charge (`<item id>:SHIPPING`); of a DATE the shipment (`shipment 2`)
        where each has an invoice; empty for all lines.
    author: who made it, e.g. the ARN of the caller.
    reason: why, in the author's words.
    made_at: when it was made (UTC).
    number: its place in the list of its source, from 1 on; 0 until it is recorded.
    terms: of a REBOOK: what its author was shown, line by line. Rules that change later change none of them.
    """

    correction_id: str
    kind: CorrectionKind
    value: str
    author: str
    reason: str
    made_at: datetime
    line: str = ""
    number: int = 0
    terms: tuple[LineTerms, ...] = ()

    @property
    def text(self) -> str:
        """Return what it states, for messages and logs: `1: tax_type ZERORATEDOUTPUT for line 123:ITEM`.

        The words of a description are left out: a person may have named the buyer in them.
        """
        lines = f"{len(self.terms)} lines" if self.terms else ""
        value = "" if self.kind is CorrectionKind.DESCRIPTION else self.value
        stated = " ".join(filter(None, (f"{self.number}:", self.kind.value, value, lines)))
        if not self.line:
            return stated
        return f"{stated} for {self.line if self.kind is CorrectionKind.DATE else f'line {self.line}'}"


@dataclass(frozen=True)
class Corrections:
    """The stored row of the corrections of one source.

    source: key of what is corrected, e.g. order#026-….
    generation: how often the row was stored; two writers never both succeed.
    entries: in the order in which they were recorded. None is ever changed or removed.
    """

    source: str
    generation: int = 0
    entries: tuple[Correction, ...] = ()

    @property
    def key(self) -> str:
        return self.source

    @property
    def in_force(self) -> tuple[Correction, ...]:
        """Return the corrections that are not withdrawn, oldest first."""
        withdrawn = {entry.value for entry in self.entries if entry.kind is CorrectionKind.WITHDRAW}
        return tuple(
            entry
            for entry in self.entries
            if entry.kind is not CorrectionKind.WITHDRAW and str(entry.number) not in withdrawn
        )

    @property
    def newest_at(self) -> datetime | None:
        """Return when the newest entry was made (UTC), None where there is none."""
        return max((entry.made_at for entry in self.entries), default=None)

    @property
    def without_rebooking(self) -> Corrections:
        """Return the row as if no line had been booked again: its lines then follow the rules of now."""
        return replace(self, entries=tuple(replace(entry, terms=()) for entry in self.entries))

    def first(self, count: int) -> Corrections:
        """Return the row with no more than its first entries."""
        return replace(self, entries=self.entries[:count])

    def latest(self, kind: CorrectionKind) -> Correction | None:
        """Return the correction of that kind that applies, None where there is none."""
        return next((entry for entry in reversed(self.in_force) if entry.kind is kind), None)

    def by_line(self, kind: CorrectionKind) -> dict[str, str]:
        """Return line -> value of the corrections of that kind that apply."""
        return {entry.line: entry.value for entry in self.in_force if entry.kind is kind}

    @property
    def rebooked(self) -> dict[str, LineTerms]:
        """Return line -> its terms, of the lines that are booked again by rules that were corrected."""
        return {terms.line: terms for entry in self.in_force for terms in entry.terms}

    def has_ever_rebooked(self, origin: str) -> bool:
        """Whether the line of that origin was booked again by corrected rules, withdrawn or not."""
        return any(terms.line == origin for entry in self.entries for terms in entry.terms)

    def has_ever_reported(self, origin: str) -> bool:
        """Whether the line of that origin follows its tracking and item code: they were stated, withdrawn or not."""
        return self._has_ever_named(_names_of(origin), _OF_REPORTS) or self.has_ever_rebooked(origin)

    def has_ever_described(self, origin: str) -> bool:
        """Whether there was a correction of the text of the line of that origin, withdrawn or not."""
        return self._has_ever_named(_names_of(origin), {CorrectionKind.DESCRIPTION})

    def has_ever(self, *kinds: CorrectionKind) -> bool:
        """Whether there was a correction of one of these kinds, withdrawn or not."""
        return any(entry.kind in kinds for entry in self.entries)

    def has_ever_concerned(self, origin: str) -> bool:
        """Whether there was a correction of how the line of that origin is booked, withdrawn or not."""
        own = _names_of(origin)
        is_named = self._has_ever_named({*own, *_names_of(taxed_as(origin))}, _OF_BOOKING)
        return is_named or self._has_ever_named(own, _OF_REPORTS) or self.has_ever_rebooked(origin)

    def _has_ever_named(self, lines: Collection[str], kinds: Collection[CorrectionKind]) -> bool:
        return any(entry.line in lines for entry in self.entries if entry.kind in kinds)

    def with_entry(self, correction: Correction) -> Corrections | None:
        """Return the row with one more entry, None where it has it already. Raises Failure for one that cannot be.

        An entry that arrives after a later one is refused: whoever made it had not seen what it would apply to.
        """
        if any(entry.correction_id == correction.correction_id for entry in self.entries):
            return None
        if len(self.entries) >= MAX_ENTRIES:
            raise refused(f"{self.source} has {MAX_ENTRIES} corrections, which is the most that are kept")
        if sum(len(entry.terms) for entry in (*self.entries, correction)) > MAX_TERMS:
            raise refused(f"{self.source} would be booked again on more than {MAX_TERMS} lines, the most that are kept")
        if correction.kind is CorrectionKind.WITHDRAW:
            self._check_withdrawal(correction)
        else:
            self._check_is_latest(correction)
        numbered = replace(correction, number=len(self.entries) + 1)
        return replace(self, entries=(*self.entries, numbered))

    def _check_withdrawal(self, withdrawal: Correction) -> None:
        withdrawn = next((entry for entry in self.in_force if str(entry.number) == withdrawal.value), None)
        if withdrawn is None:
            applying = ", ".join(str(entry.number) for entry in self.in_force) or "none"
            problem = f"has no correction {withdrawal.value} that applies; those that apply: {applying}"
            raise refused(f"{self.source} {problem}")
        if withdrawn.kind is CorrectionKind.AS_IN_XERO:
            raise refused(
                f"{withdrawn.value} stays as it is in Xero. Change it there, or state what is right by another"
            )
        if withdrawal.made_at < withdrawn.made_at:
            raise refused(f"it was made before the correction that it withdraws, {withdrawn.text}")

    def _check_is_latest(self, correction: Correction) -> None:
        stated = (correction.kind, correction.line)
        of_the_same = {
            str(entry.number): entry
            for entry in self.entries
            if (entry.kind, entry.line) == stated and entry.kind is not CorrectionKind.AS_IN_XERO
        }
        for entry in filter(lambda later: correction.made_at < later.made_at, self.entries):
            if entry.kind is CorrectionKind.WITHDRAW and entry.value in of_the_same:
                withdrawn = of_the_same[entry.value].text
                raise refused(f"it was made before another of its kind and line was withdrawn, {withdrawn}")
            if str(entry.number) in of_the_same and entry in self.in_force:
                raise refused(f"it was made before the correction that it would replace, {entry.text}")


def shipment_line(number: int) -> str:
    """Return what a correction calls a shipment of an order; 1 is the first that became known."""
    return f"shipment {number}"


def value_for(origin: str, by_line: Mapping[str, str]) -> str:
    """Return the value for the line of that origin, from the most specific correction; empty where there is none."""
    return next((by_line[line] for line in _names_of(origin) if line in by_line), "")


def tax_type_for(origin: str, by_line: Mapping[str, str]) -> str:
    """Return the tax type for the line of that origin, as `value_for` does."""
    return value_for(taxed_as(origin), by_line)


def taxed_as(origin: str) -> str:
    """Return the origin of the line whose tax type a line has: a discount has that of the charge that it discounts."""
    return origin.replace(":DISCOUNT:", ":")


def _names_of(origin: str) -> tuple[str, ...]:
    """Return what a correction may call a line, the most specific first: item and charge, item, all lines."""
    return origin, origin.partition(":")[0], ""


def refused(problem: str, remedy: str = "Enter it anew.") -> Failure:
    """Return the failure of a correction that is not recorded."""
    return Failure(FailureCode.CORRECTION_REFUSED, f"The correction was not recorded: {problem}. {remedy}")


def unusable(correction: Correction, problem: str) -> Failure:
    """Return the failure of a source that cannot be planned with a correction."""
    return Failure(
        FailureCode.CORRECTION_UNUSABLE,
        f"Correction {correction.text} cannot be applied: {problem}. Withdraw it, or enter another one.",
    )
