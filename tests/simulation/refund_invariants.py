"""What must hold of refunds in every world: each is credited once, and no more than was charged and given back.

What the books should hold of an order is worked out from its versions, from what its refunds gave back, and from the
invoices that Xero holds: a fall of an order's amounts that nobody saw before its invoice was paid is not in them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from simulation.culprits import Culprit
from simulation.history import Expected, OrderHistory
from simulation.refunds import FAILS_WITH, WITHHELD_TOO_MUCH, DrawnRefund, Flaw

if TYPE_CHECKING:
    from simulation.world import World

_ZERO = Decimal(0)
_MAX_LETTERS = 3  # each time a refund is asked for
_NO_SALE = "REFUND_WITHOUT_SALE"


class InXero(Protocol):
    """An invoice or a credit note as Xero holds it; the total of a credit note is negative."""

    @property
    def number(self) -> str: ...
    @property
    def sign(self) -> int: ...
    @property
    def total(self) -> Decimal: ...
    @property
    def document(self) -> Mapping[str, Any]: ...
    @property
    def lines(self) -> list[tuple[str, str, Decimal]]: ...


class RefundInvariants:
    def __init__(self, world: World, violated: Callable[[str], None]) -> None:
        self._world = world
        self._violated = violated
        self._of_order = world.transactions.of_order

    def concern(self, one: OrderHistory) -> bool:
        return one.order_id in self._of_order

    def _stay_open(self, one: OrderHistory) -> bool:
        """Whether its invoices are not paid from clearing, nor stated with others of their day."""
        return one.region.currency not in self._world.clearing and not self._world.days.are_used

    def count(self, one: OrderHistory) -> int:
        return len(self._of_order.get(one.order_id, ()))

    def fails_with(self, one: OrderHistory) -> frozenset[str]:
        """Return how an order may fail because of its refunds.

        Xero locks an open invoice that they are allocated to, and allocates nothing to the invoice of another contact.
        """
        if not self._stay_open(one) or not self.concern(one):
            return frozenset()
        reasons = {"HAS_PAYMENTS", "REFERENCE_FAILED"}
        if self._world.culprits.of(one.order_id) is Culprit.XERO_ANSWERS_LOST:
            reasons.add("XERO_ERROR")  # Xero's refusal is lost like every other answer
        if self._world.contacts_were_tidied:
            reasons.add("XERO_REFUSED")
        return frozenset(reasons)

    def order(self, one: OrderHistory, expected: Expected, live: Sequence[InXero]) -> None:
        """Check what Xero holds of an order that needs no person."""
        refunds = self._of_order[one.order_id]
        notes = [each for each in live if is_refund_note(each.number)]
        for refund in refunds:
            self._refund(one, expected, refund, live)
        known = {refund.transaction_id[:8] for refund in refunds if refund.flaw is None}
        for note in notes:
            if _letters(note.number) not in known:
                self._violated(f"{note.number} is of no refund")
            if strange := {tax_type for _, tax_type, _ in note.lines} - {one.region.tax_type, "NONE"}:
                self._violated(f"{note.number} has the tax types {strange}, the sale has {one.region.tax_type}")
        self._sum(one, expected, refunds, live)
        self._allocated(one, live, notes)

    def outcomes(self, explained: Iterable[str]) -> None:
        """Check that each refund rests, whatever became of its order."""
        for order_id in explained:
            for refund in self._of_order.get(order_id, ()):
                self._rests(refund, lambda _: True)
        for refund in self._of_order.get("", ()):
            self._rests(refund, lambda _: True)
        for refund in self._world.transactions.refunds:
            if refund.flaw is Flaw.NO_SALE:
                self._rests(refund, lambda reason: reason in FAILS_WITH[Flaw.NO_SALE])

    # --- the money of an order ----------------------------------------------------------------------------------------

    def _sum(
        self, one: OrderHistory, expected: Expected, refunds: Sequence[DrawnRefund], live: Sequence[InXero]
    ) -> None:
        sold, found = expected.total, sum((each.total for each in live), _ZERO)
        invoiced = sum((each.total for each in live if each.sign > 0), _ZERO) - _moved(live)
        refunded = self._refunded(refunds)
        is_open = self._stay_open(one)
        if not invoiced or expected.status == "DRAFT":
            # An open invoice follows its order, and is voided with it although a refund of it was credited.
            if not (sold - refunded if is_open else sold) <= found <= sold:
                self._violated(f"order {one.order_id}: total should be {sold} and is {found}")
            return
        charged = _charged(one)
        if self._world.per_shipment:
            charged += Decimal("0.10")  # cents that rounding moves between the shares of shipments
        most = min(sold, max(invoiced, charged) - refunded)
        is_netted_apart = _rises_after_a_fall(one) or (is_open and _charged(one) != sold)
        least = sold - refunded if is_netted_apart else min(sold, invoiced - refunded)
        if not least <= found <= most or not sold <= invoiced:
            self._violated(
                f"order {one.order_id}: {sold} sold, {invoiced} invoiced, {refunded} refunded: total should be from "
                f"{least} to {most} and is {found}"
            )
        if _charged(one) == sold == invoiced:
            entered = [refund.accounts for refund in refunds if self._state(refund) != "FAILED"]
            wanted = _by_account(expected.lines, entered)
            held = _by_account((line for each in live for line in each.lines), ())
            if wanted != held:
                self._violated(f"order {one.order_id}: accounts should be {wanted} and are {held}")

    def _refunded(self, refunds: Sequence[DrawnRefund]) -> Decimal:
        """Add up what was given back, without what a person has to enter."""
        return sum((refund.paid_back for refund in refunds if self._state(refund) != "FAILED"), _ZERO)

    def _allocated(self, one: OrderHistory, live: Sequence[InXero], notes: Sequence[InXero]) -> None:
        """Nothing is allocated twice; an open invoice takes all that it has room for."""
        ids = {each.document["InvoiceID"]: each for each in live if each.sign > 0}
        taken: dict[str, Decimal] = defaultdict(Decimal)
        left = _ZERO
        for note in notes:
            allocations = note.document.get("Allocations") or []
            if len(allocations) > 1:
                self._violated(f"{note.number} was allocated {len(allocations)} times")
            for each in allocations:
                taken[each["Invoice"]["InvoiceID"]] += each["Amount"]
            left += note.document["RemainingCredit"]
        for invoice_id, amount in taken.items():
            if invoice_id not in ids or amount > ids[invoice_id].total:
                self._violated(
                    f"order {one.order_id}: {amount} is allocated to {invoice_id}, more than it has room for"
                )
        is_open = any(each.document["AmountDue"] for each in ids.values())
        if left and len(ids) == 1 and is_open:
            self._violated(f"order {one.order_id}: {left} of its refunds is not allocated although its invoice is open")

    # --- each refund --------------------------------------------------------------------------------------------------

    def _refund(self, one: OrderHistory, expected: Expected, refund: DrawnRefund, live: Sequence[InXero]) -> None:
        notes = [each for each in live if _letters(each.number) == refund.transaction_id[:8]]
        is_invoiced = any(each.sign > 0 for each in live) and expected.status != "DRAFT"

        def may_fail(reason: str) -> bool:
            if refund.flaw is not None and reason in FAILS_WITH[refund.flaw]:
                return True
            if reason == "REFUND_ITEM_UNKNOWN":  # what is refunded was never invoiced, or its open invoice is voided
                return expected.status is None
            if reason in self._world.lock_dates.fails_with(one):
                return True
            return reason == _NO_SALE and (not is_invoiced or self._ships_in_parts(one))

        state, reason = self._rests(refund, may_fail)
        wanted = 1 if state == "PLANNED" else 0
        if len(notes) != wanted:
            self._violated(f"refund {refund.transaction_id} rests as {state} and has {len(notes)} credit notes")
        for note in notes:
            if -note.total > refund.paid_back:
                self._violated(f"{note.number} credits {-note.total}, the buyer got {refund.paid_back}")
        if reason == "MARKETPLACE_TAX_DIFFERS":
            self._both_taxes(one, refund)
        if refund.flaw is not None:
            # Of a tax that is withheld in part, only a sale says whether the rest is the seller's.
            by_rule = refund.flaw is Flaw.WITHHELD_TAX and one.region.tax == "on_top" and reason == "SALE_NOT_INVOICED"
            is_unbooked = refund.flaw is Flaw.UNKNOWN_SKU or by_rule
            is_right = state == "FAILED" or (is_unbooked and state == "NOT_BOOKED")
        elif state == "NOT_BOOKED":
            is_right = reason == "NOTHING_REFUNDED" if not refund.paid_back else _is_rule(reason, one, is_invoiced)
        else:
            is_right = state == "FAILED" or bool(refund.paid_back)
        if not is_right:
            self._violated(f"refund {refund.transaction_id} ({refund.kind}, {refund.flaw}) rests as {state} {reason}")

    def _both_taxes(self, one: OrderHistory, refund: DrawnRefund) -> None:
        """Both taxes are named: of what the buyer got back, and what the marketplace gave back of it and 0.50 more."""
        remedy = self._world.table.rows[f"TRANSACTION#{refund.transaction_id}"].remedy
        stated = re.search(r"the buyer got (\S+) [A-Z]{3} tax back, the marketplace withholds (\S+) [A-Z]{3}\.", remedy)
        of_tax = Decimal(stated[1]) if stated and one.region.tax == "withheld" else _ZERO
        if not stated or Decimal(stated[2]) - of_tax != WITHHELD_TOO_MUCH:
            self._violated(f"refund {refund.transaction_id} should state both taxes and says: {remedy}")

    def _ships_in_parts(self, one: OrderHistory) -> bool:
        """Whether what is refunded may never be shipped, and therefore not invoiced."""
        status = one.versions[-1].order["fulfillment"]["fulfillmentStatus"]
        return self._world.per_shipment and status == "PARTIALLY_SHIPPED"

    def _state(self, refund: DrawnRefund) -> str:
        row = self._world.table.rows.get(f"TRANSACTION#{refund.transaction_id}")
        return row.state if row else ""

    def _rests(self, refund: DrawnRefund, may_fail: Callable[[str], bool]) -> tuple[str, str]:
        """Return the state of a refund and its reason; a failure is on the list of failures, and has a dead letter."""
        transaction_id = refund.transaction_id
        row = self._world.table.rows.get(f"TRANSACTION#{transaction_id}")
        if row is None:
            self._violated(f"refund {transaction_id} was never recorded")
            return "", ""
        letters = [each for each in self._world.dead_letters["refunds"].ever if transaction_id in each.body]
        if row.state == "RECORDED":
            self._violated(f"refund {transaction_id} rests as {row.state} {row.reason}")
        if row.state == "FAILED":
            if not may_fail(row.reason):
                self._violated(f"refund {transaction_id} ({refund.kind}) failed for no good reason: {row.reason}")
            waiting = self._world.dead_letters["refunds"].messages.values()
            if not any(transaction_id in each.body and each.attributes["reason"] == row.reason for each in waiting):
                self._violated(f"refund {transaction_id} failed with {row.reason} and no dead letter reports it")
            if not row.watched:
                self._violated(f"refund {transaction_id} failed and is not on the list of failures")
        if len(letters) > _MAX_LETTERS * (self._world.redrives + 2):
            self._violated(f"refund {transaction_id} was reported {len(letters)} times")
        return row.state, row.reason


def is_refund_note(number: str) -> bool:
    return "-RF" in number


def _letters(number: str) -> str:
    """Return what the number of a refund's credit note takes of the transaction's id."""
    return number.partition("-RF")[2][:8]


def _is_rule(reason: str, one: OrderHistory, is_invoiced: bool) -> bool:
    """Whether a refund may rest without a credit note; decided before its sale was taken back, it stays as decided."""
    if is_invoiced:
        return reason == "ALREADY_CREDITED"
    was_invoiced = any(version.expected.status == "AUTHORISED" for version in one.versions)
    return reason == "SALE_NOT_INVOICED" or (reason == "ALREADY_CREDITED" and was_invoiced)


def _moved(live: Sequence[InXero]) -> Decimal:
    """Return what an invoice and a credit note of one number only move between lines."""
    by_number: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for each in live:
        by_number[each.number][each.sign] = abs(each.total)
    return sum((min(pair.values()) for pair in by_number.values() if len(pair) > 1), _ZERO)


def _charged(one: OrderHistory) -> Decimal:
    """Return what the order was charged in all its versions, whatever was taken off it in between."""
    totals = [_ZERO, *(version.expected.total for version in one.versions)]
    return sum((max(_ZERO, after - before) for before, after in pairwise(totals)), _ZERO)


def _rises_after_a_fall(one: OrderHistory) -> bool:
    totals = [version.expected.total for version in one.versions]
    falls = [place for place in range(1, len(totals)) if totals[place] < totals[place - 1]]
    return bool(falls) and any(totals[place] > totals[place - 1] for place in range(falls[0] + 1, len(totals)))


def _by_account(
    lines: Iterable[tuple[str, str, Decimal]], refunds: Iterable[Mapping[str, Decimal]]
) -> Mapping[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for account, _, amount in lines:
        sums[account] += amount
    for refund in refunds:
        for account, amount in refund.items():
            sums[account] -= amount
    return {account: amount for account, amount in sums.items() if amount}
