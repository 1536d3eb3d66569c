"""Who owns a reversal: what an order's adjustments and its refunds may take back together, so that nothing is credited
twice.

An order's plan credits what Amazon took off the order; a refund credits what Amazon gave back. Both may state the same
money, in either order. Whoever comes later credits only what exceeds the other: together they credit the larger of the
two sums (docs/decisions/11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from amazon_to_xero.domain.money import ZERO, total


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
class DecidedRefunds:
    """What was decided about the refunds of one order.

    by_transaction: the refunds that were decided, by transaction id.
    netted: what of their credits the order's adjustments have counted.
    """

    by_transaction: Mapping[str, DecidedRefund] = field(default_factory=dict)
    netted: NettedReductions = field(default_factory=NettedReductions)

    @property
    def credited(self) -> Decimal:
        """What their credit notes state together."""
        return total(refund.credited for refund in self.by_transaction.values())

    @property
    def refunded(self) -> Decimal:
        return total(refund.refunded for refund in self.by_transaction.values())

    def numbers_besides(self, transaction_id: str) -> list[str]:
        """Return the credit notes of all others."""
        others = (refund for key, refund in self.by_transaction.items() if key != transaction_id)
        return [refund.number for refund in others if refund.number]

    def refund_to_credit(self, value: Decimal, adjusted: Decimal) -> Decimal:
        """Return what one more refund of that value credits.

        All refunds so far, less what adjustments have credited and less what earlier refunds have; never more than
        the buyer got back this time.

        adjusted: what the order's adjustments credit.
        """
        owed = self.refunded + value - adjusted - self.credited
        return min(value, max(ZERO, owed))

    def reduction_to_net(self, reduction: Decimal) -> Decimal:
        """Return how much of a new reduction of the order refunds have credited already; adjustments credit the rest.

        reduction: what was taken off the order, less what adjustments have credited and less what was netted before.
        """
        return min(reduction, max(ZERO, self.credited - self.netted.amount))
