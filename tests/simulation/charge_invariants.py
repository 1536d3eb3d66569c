"""What must hold of charges in every world: each sale is confirmed, or a person hears of it, once its limit has passed.

Worked out from what the world charged and from what Xero holds, not from what the rows say of either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from simulation.charges import DrawnCharge
from simulation.history import OrderHistory, withheld_tax
from simulation.refund_invariants import InXero, is_refund_note

if TYPE_CHECKING:
    from simulation.world import World

_ZERO = Decimal(0)
_CODES = frozenset({"CHARGE_DIFFERS", "CHARGE_MISSING", "CHARGE_WITHOUT_SALE"})


class Confirmation(Protocol):
    """The row of an order's charges."""

    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def watched(self) -> str: ...


class ChargeInvariants:
    def __init__(self, world: World, violated: Callable[[str], None]) -> None:
        self._world = world
        self._violated = violated
        self._of_order: dict[str, list[DrawnCharge]] = {}
        for charge in world.transactions.charges:
            self._of_order.setdefault(charge.order_id, []).append(charge)

    def at_rest(self, held: Mapping[str, Sequence[InXero]], explained: set[str]) -> None:
        """Check all orders and charges.

        held: by order id, what Xero holds and has not voided.
        explained: the orders that need a person: their books are not what their newest version states.
        """
        if not self._world.transactions.is_used:
            return  # this Amazon states no transactions, and nothing is missing while it does not
        histories = {one.order_id: one for one in self._world.histories}
        for order_id in dict.fromkeys([*histories, *self._of_order]):
            row = self._world.table.rows.get(f"CONFIRMATION#{order_id}")
            one, charges = histories.get(order_id), self._of_order.get(order_id, [])
            live = [each for each in held.get(order_id, ()) if not is_refund_note(each.number)]
            if row is None:
                # What a worker requested before it died stands, and its order may have failed since.
                is_due = order_id not in explained and any(_is_approved(each) for each in live)
                if charges or is_due:
                    self._violated(f"order {order_id}: its charges are compared with nothing")
                continue
            self._rests(order_id, row, one, is_explained=order_id in explained)
            if len(json.loads(row.data)["charges"]) != len(charges):
                self._violated(f"order {order_id}: {len(charges)} charges were posted, recorded are others")
            elif one is not None and order_id not in explained:
                self._outcome(one, row, charges, live)

    def _rests(self, order_id: str, row: Confirmation, one: OrderHistory | None, *, is_explained: bool) -> None:
        """A sale waits only while a part of it has not shipped; a failure is on the list, and has a dead letter.

        Of an order that needs a person it is the version that was planned last.
        """
        is_partial = one is not None and _status(one) == "PARTIALLY_SHIPPED"
        if is_explained and not is_partial:
            is_partial = bool((json.loads(row.data)["sale"] or {}).get("is_partly_shipped"))
        if row.state == "AWAITED" and not is_partial:
            self._violated(f"order {order_id}: neither confirmed nor reported, it waits: {row.reason}")
        if row.state != "FAILED":
            return
        letters = self._world.dead_letters["refunds"].messages.values()
        reported = {each.attributes.get("reason") for each in letters if f"confirmation#{order_id}" in each.body}
        if row.reason not in _CODES or row.reason not in reported or not row.watched:
            self._violated(f"order {order_id}: its confirmation failed with {row.reason}, reported are {reported}")

    def _outcome(
        self, one: OrderHistory, row: Confirmation, charges: Sequence[DrawnCharge], live: Sequence[InXero]
    ) -> None:
        approved = [each for each in live if _is_approved(each)]
        paid, stated = _sum(charge.paid for charge in charges), _sum(each.total for each in approved)
        outcome = f"{row.state} {row.reason}".rstrip()
        order = self._world.table.rows.get(f"ORDER#{one.order_id}")
        if order is not None and order.reason == "SKIPPED":
            # The accountant enters it otherwise. Without a charge it stays as it was explained before.
            is_right = outcome == "NOT_INVOICED SKIPPED" or (not charges and row.state == "NOT_INVOICED")
        elif not approved:
            failed = {"FAILED CHARGE_DIFFERS", "FAILED CHARGE_WITHOUT_SALE"}
            is_right = outcome in failed if paid else row.state == "NOT_INVOICED"
        elif _is_changed(one, approved):
            # What was taken off may have been charged, and may have been given back since.
            most = stated + _sum(max(_ZERO, before - after) for before, after in pairwise(_totals(one)))
            is_right = row.state != "CONFIRMED" or stated <= paid <= most
        else:
            is_equal = (paid, _sum(charge.withheld for charge in charges)) == (stated, _ordered_as_withheld(one))
            wanted = {"CONFIRMED"} if is_equal else {"FAILED CHARGE_DIFFERS" if charges else "FAILED CHARGE_MISSING"}
            if not is_equal and _status(one) == "PARTIALLY_SHIPPED":
                wanted.add("AWAITED WAITING_FOR_CHARGE")
            is_right = outcome in wanted
        if not is_right:
            self._violated(f"order {one.order_id}: {paid} charged, {stated} in Xero, and it rests as {outcome}")
        if approved and row.state == "FAILED":
            self._both_numbers(one, row, charges, paid, stated)

    def _both_numbers(
        self, one: OrderHistory, row: Confirmation, charges: Sequence[DrawnCharge], paid: Decimal, stated: Decimal
    ) -> None:
        """What differs is reported with what was charged and what Xero holds by now, and with the withheld tax."""
        currency = one.region.currency
        wanted = [f"charged {paid:.2f} {currency}", f"documents state {stated:.2f} {currency}"]
        withheld, ordered = _sum(charge.withheld for charge in charges), _ordered_as_withheld(one)
        if withheld or ordered:
            wanted.append(f"withheld tax is {withheld:.2f} as charged and {ordered:.2f} as ordered")
        for words in wanted:
            if words not in row.remedy:
                self._violated(f"order {one.order_id}: its remedy should say {words!r} and is {row.remedy!r}")


def _is_approved(each: InXero) -> bool:
    return each.document["Status"] not in ("DRAFT", "SUBMITTED")


def _status(one: OrderHistory) -> str:
    return str(one.versions[-1].order["fulfillment"]["fulfillmentStatus"])


def _totals(one: OrderHistory) -> list[Decimal]:
    return [version.expected.total for version in one.versions]


def _is_changed(one: OrderHistory, approved: Sequence[InXero]) -> bool:
    """Whether something was taken off the order, in the books or by a version that they never stated."""
    has_fallen = any(after < before for before, after in pairwise(_totals(one)))
    return has_fallen or any(each.sign < 0 for each in approved)


def _ordered_as_withheld(one: OrderHistory) -> Decimal:
    return withheld_tax(one.versions[-1].order)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _ZERO)
