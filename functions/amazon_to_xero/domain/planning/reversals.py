"""Who owns a reversal: what an order's adjustments and its refunds may take back together, so that nothing is credited
twice.

An order's plan credits what Amazon took off the order; a refund credits what Amazon gave back. Both may state the same
money, in either order. Whoever comes later credits only what exceeds the other: together they credit the larger of the
two sums (docs/decisions/11). An unpaid invoice that was changed to state less counts like an adjustment, and what came
back on the order since counts no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.line import ROUNDING, Line, line_from_xero
from amazon_to_xero.domain.money import ZERO, total

_MAX_BEFORE = 10  # Xero answers a change, or refuses it, before its order changes that often


@dataclass(frozen=True)
class DecidedRefund:
    """What was decided about one refund of an order. It is never decided again.

    refunded: what the buyer got back.
    credited: what its credit note states; less than `refunded` where adjustments had credited the rest.
    number: of the credit note; empty where nothing is credited.
    """

    refunded: Decimal
    credited: Decimal
    number: str = ""


@dataclass(frozen=True)
class NettedReductions:
    """What was taken off an order and is not credited by adjustments, because refunds had credited it.

    amount: in all; it counts as booked.
    lines: the same by line origin.
    """

    amount: Decimal = ZERO
    lines: Mapping[str, Decimal] = field(default_factory=dict)

    def plus(self, amount: Decimal, lines: Mapping[str, Decimal]) -> NettedReductions:
        origins = dict.fromkeys([*self.lines, *lines])
        added = {origin: self.lines.get(origin, ZERO) + lines.get(origin, ZERO) for origin in origins}
        return NettedReductions(self.amount + amount, added)


@dataclass(frozen=True)
class ReducedInvoice:
    """An approved, unpaid invoice that was changed to state less, because Amazon took something off the order.

    stated: what it was last changed to state.
    reduced: what was taken off it and has not come back.
    before: the last of what it stated before, each with what was taken off it then; oldest first.
    """

    stated: Decimal
    reduced: Decimal
    before: tuple[tuple[Decimal, Decimal], ...] = ()

    def changed(self, stated: Decimal, reduced: Decimal) -> ReducedInvoice:
        """Return it after a change is asked for; `reduced`: what is taken off it then."""
        if stated == self.stated:
            return replace(self, reduced=reduced)
        return ReducedInvoice(stated, reduced, (*self.before, (self.stated, self.reduced))[-_MAX_BEFORE:])

    def as_it_stated(self, stated: Decimal) -> ReducedInvoice:
        """Return it as it was when it last stated that; with nothing else taken off where that is not known."""
        for place in reversed(range(len(self.before))):
            if self.before[place][0] == stated:
                return ReducedInvoice(stated, self.before[place][1], self.before[:place])
        return ReducedInvoice(stated, max(ZERO, self.reduced - max(ZERO, stated - self.stated)))


@dataclass(frozen=True)
class InvoiceTotal:
    """What an unpaid invoice has stated, 0 where it is new, and what it is to state; 0 where it is voided."""

    before: Decimal
    now: Decimal


@dataclass(frozen=True)
class DecidedRefunds:
    """What was decided about the refunds of one order, and what else its refunds have to count.

    by_transaction: the refunds that were decided, by transaction id.
    netted: what of their credits the order's adjustments have counted.
    reduced: the unpaid invoices that were reduced, by number.
    reinstated: what came back of earlier reductions, by number of the supplementary invoice.
    unshipped: what of an order with an invoice for each shipment had not shipped when it was last planned.
    voided_at: the version of the order (UTC) whose plan last voided an approved invoice. A refund that was planned in
        view of that invoice is planned again, because what it decided from differs.
    skipped: ids of the refunds that a person enters otherwise: one that was planned before that is planned again.
    """

    by_transaction: Mapping[str, DecidedRefund] = field(default_factory=dict)
    netted: NettedReductions = field(default_factory=NettedReductions)
    reduced: Mapping[str, ReducedInvoice] = field(default_factory=dict)
    reinstated: Mapping[str, Decimal] = field(default_factory=dict)
    unshipped: Decimal = ZERO
    voided_at: datetime | None = None
    skipped: frozenset[str] = frozenset()

    @property
    def credited(self) -> Decimal:
        """What their credit notes state together."""
        return total(refund.credited for refund in self.by_transaction.values())

    @property
    def refunded(self) -> Decimal:
        return total(refund.refunded for refund in self.by_transaction.values())

    @property
    def numbers(self) -> list[str]:
        """Return the numbers of all their credit notes."""
        return [refund.number for refund in self.by_transaction.values() if refund.number]

    @property
    def given_back_of_reductions(self) -> Decimal:
        """What refunds gave back and did not credit, because it was taken off the order before."""
        return self.refunded - self.credited

    def with_decision(self, transaction_id: str, decision: DecidedRefund) -> DecidedRefunds:
        """Return it after a refund was decided, which is not skipped then."""
        by_transaction = {**self.by_transaction, transaction_id: decision}
        return replace(self, by_transaction=by_transaction, skipped=self.skipped - {transaction_id})

    def with_skipped(self, transaction_id: str) -> DecidedRefunds:
        """Return it after a person has said that they enter a refund that is not decided."""
        return replace(self, skipped=self.skipped | {transaction_id})

    def numbers_besides(self, transaction_id: str) -> list[str]:
        """Return the credit notes of all others."""
        others = (refund for key, refund in self.by_transaction.items() if key != transaction_id)
        return [refund.number for refund in others if refund.number]

    def refund_to_credit(self, value: Decimal, adjusted: Decimal) -> Decimal:
        """Return what one more refund of that value credits: what exceeds reductions that no refund has stated yet.

        adjusted: what the order's adjustments credit.
        """
        return max(ZERO, value - self._reductions_without_refund(adjusted))

    def reduction_to_net(self, reduction: Decimal) -> Decimal:
        """Return how much of a new reduction of the order refunds have credited already; adjustments credit the rest.

        reduction: what was taken off the order, less what adjustments have credited and less what was netted before.
        """
        return min(reduction, max(ZERO, self.credited - self.netted.amount))

    def with_invoices_changed(
        self, totals: Mapping[str, InvoiceTotal], unshipped: Decimal, adjusted: Decimal
    ) -> DecidedRefunds:
        """Return it after the unpaid invoices of an order are changed; the same if that was counted.

        Only the order's sum counts: what one invoice loses while others gain it has moved, and was not taken off. A new
        invoice of what was sold before and has shipped since is no gain. What all of them state is kept, so that a plan
        that is made again counts nothing again.

        totals: by number, of all unpaid invoices.
        unshipped: see the attribute; as it is now.
        """
        known = {
            number: self.reduced.get(number) or ReducedInvoice(each.before, ZERO) for number, each in totals.items()
        }
        changes = {number: each.now - known[number].stated for number, each in totals.items()}
        fallen = -total(change for change in changes.values() if change < 0)
        risen = total(change for change in changes.values() if change > 0) + unshipped - self.unshipped
        is_of_known = any(change and number in self.reduced for number, change in changes.items())
        if not fallen and not is_of_known and unshipped == self.unshipped:
            return self
        moved_from = moved_to = min(fallen, max(ZERO, risen))
        to_come_back = self._reductions_without_refund(adjusted)
        reduced: dict[str, ReducedInvoice] = {}
        for number, each in sorted(known.items(), key=lambda item: item[1].reduced):
            fall, rise = max(ZERO, -changes[number]), max(ZERO, changes[number])
            taken_off, added = max(ZERO, fall - moved_from), max(ZERO, rise - moved_to)
            moved_from, moved_to = moved_from - (fall - taken_off), moved_to - (rise - added)
            comes_back = min(added, each.reduced, to_come_back)
            to_come_back -= comes_back
            reduced[number] = each.changed(totals[number].now, each.reduced + taken_off - comes_back)
        return replace(self, reduced={**self.reduced, **reduced}, unshipped=unshipped)

    def with_change_refused(self, number: str, stated: Decimal) -> DecidedRefunds | None:
        """Return it after Xero refused a change of an unpaid invoice, which states what it stated before.

        None where a refund was decided in view of the change: what it did not credit would be credited by nobody.
        """
        known = self.reduced.get(number)
        if known is None or known.stated == stated:
            return self
        restored = known.as_it_stated(stated)
        if known.reduced - restored.reduced > self._reductions_without_refund(ZERO):
            return None
        return replace(self, reduced={**self.reduced, number: restored})

    def without_invoice(self, number: str, version: datetime) -> DecidedRefunds:
        """Return it after this version of the order has an unpaid invoice voided: a refund of it has no sale."""
        reduced = {key: each for key, each in self.reduced.items() if key != number}
        return replace(self, reduced=reduced, voided_at=max(version, self.voided_at or version))

    def is_voided_since(self, invoices: Iterable[DesiredDocument]) -> bool:
        """Whether the plan that voids an invoice asked for these after they were read, or is about to ask."""
        voided_at = self.voided_at
        versions = (each.source_version for each in invoices)
        return voided_at is not None and any(each is not None and each < voided_at for each in versions)

    def with_reinstated(self, number: str, amount: Decimal, adjusted: Decimal) -> DecidedRefunds:
        """Return it with what a supplementary invoice brings back of reductions that no refund has stated.

        amount: what of the invoice books again what was taken off; 0 also where there is no such invoice.
        """
        others = replace(self, reinstated={key: each for key, each in self.reinstated.items() if key != number})
        comes_back = min(amount, others._reductions_without_refund(adjusted))
        return replace(others, reinstated={**others.reinstated, number: comes_back}) if comes_back else others

    def _reductions_without_refund(self, adjusted: Decimal) -> Decimal:
        """What was taken off the order, is not back, and no refund has stated yet: the next refund may be of it."""
        taken_off = adjusted + total(each.reduced for each in self.reduced.values()) - total(self.reinstated.values())
        return max(ZERO, taken_off - (self.refunded - self.credited))


def credited_by_adjustments(invoices: Iterable[DesiredDocument], notes: Iterable[DesiredDocument]) -> Decimal:
    """Return what adjustments have credited; what one only moves between lines, under one number, is nothing."""
    by_number = {invoice.number: invoice for invoice in invoices}
    return total(_taken_back(note, by_number.get(note.number)) for note in notes)


def _taken_back(note: DesiredDocument, invoice: DesiredDocument | None) -> Decimal:
    """Return what a credit note takes back, beyond what the invoice of the same number enters again.

    Lines that are entered again at another rate are no part of it: Amazon has changed who owes their tax.
    """
    credited = note.total or ZERO
    if invoice is None:
        return max(ZERO, credited)
    rates = {line.origin: line.tax_type for line in _lines(invoice)}
    old = [line for line in _lines(note) if rates.get(line.origin, line.tax_type) != line.tax_type]
    if old and len(old) == len(_lines(note)):
        return ZERO
    new = [line for line in _lines(invoice) if line.origin in {each.origin for each in old}]
    entered_again = (invoice.total or ZERO) - total(line.amount for line in new)
    return max(ZERO, credited - total(line.amount for line in old) - entered_again)


def _lines(document: DesiredDocument) -> list[Line]:
    """Return the document's lines without its rounding line."""
    lines = zip(document.body.get("LineItems") or (), document.line_origins, strict=True)
    return [line_from_xero(item, origin) for item, origin in lines if origin != ROUNDING]


class OrderReversals:
    """What was decided about an order's refunds, as its plan reads and changes it: loaded once, and only if needed."""

    def __init__(self, load: Callable[[], DecidedRefunds]) -> None:
        self._load = load
        self._loaded: DecidedRefunds | None = None
        self._current: DecidedRefunds | None = None

    @property
    def decided(self) -> DecidedRefunds:
        if self._current is None:
            self._current = self._loaded = self._load()
        return self._current

    @property
    def changed(self) -> DecidedRefunds | None:
        """What is to be stored; None where nothing has changed."""
        return None if self._current == self._loaded else self._current

    def change(self, decided: DecidedRefunds) -> None:
        self._current = decided
