"""Compares the units that a seller has of an item with those in Xero, by what moved since the last comparison.

Xero's tracked item counts all units that the seller owns: those at Amazon, and those that the seller keeps and ships.
The latter are known where Amazon has stated the quantity of a merchant's offer, and where the settings count them.

The gap is these units less Xero's. Sales are entered in Xero without item codes, so nothing states which of the
units sold and refunded since the last comparison Xero holds already. What Xero's own quantity changed by in the same
time, as far as it goes the same way, counts as held. The rest is pending, and explains as much of the gap. What it does
not explain is the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.amazon.stock import StockQuantities
from amazon_to_xero.domain.stock.items import MAX_CODE, XeroItem
from amazon_to_xero.domain.stock.reconciliation_policy import ReconciliationPolicy


class StockFinding(StrEnum):
    """What a comparison found; those that need a person first."""

    FEWER_AT_AMAZON = "FEWER_AT_AMAZON"
    RETURN_AWAITED = "RETURN_AWAITED"
    MORE_AT_AMAZON = "MORE_AT_AMAZON"
    INBOUND_NOT_IN_XERO = "INBOUND_NOT_IN_XERO"
    UNSELLABLE_NOT_IN_XERO = "UNSELLABLE_NOT_IN_XERO"
    OWN_STOCK_NOT_IN_XERO = "OWN_STOCK_NOT_IN_XERO"
    CODE_TOO_LONG = "CODE_TOO_LONG"
    UNKNOWN_TO_XERO = "UNKNOWN_TO_XERO"
    NOT_TRACKED_IN_XERO = "NOT_TRACKED_IN_XERO"
    UNKNOWN_TO_AMAZON = "UNKNOWN_TO_AMAZON"
    NOT_STATED_BY_AMAZON = "NOT_STATED_BY_AMAZON"
    WITHIN_TOLERANCE = "WITHIN_TOLERANCE"
    EXPLAINED = "EXPLAINED"
    AGREES = "AGREES"


#: Findings that are no difference, and those that leave open whether there is one.
FINE = frozenset({StockFinding.WITHIN_TOLERANCE, StockFinding.EXPLAINED, StockFinding.AGREES})
NOT_COMPARED = frozenset({StockFinding.NOT_STATED_BY_AMAZON})
#: Findings about the item, which are the same however many units there are.
ONE_SIDED = frozenset(
    {
        StockFinding.CODE_TOO_LONG,
        StockFinding.UNKNOWN_TO_XERO,
        StockFinding.NOT_TRACKED_IN_XERO,
        StockFinding.UNKNOWN_TO_AMAZON,
    }
)


@dataclass(frozen=True)
class AmazonUnits:
    """Units of an item in Amazon's hands, by kind. All of them are the seller's until they leave for a buyer.

    fulfillable: can be sold. reserved: sold and not sent yet, between fulfilment centres, or processed there.
    inbound: announced, on the way, or being received. researching: Amazon looks for them.
    unsellable: damaged or expired; customer_damaged: those of them that came back from buyers damaged.
    """

    fulfillable: int = 0
    reserved: int = 0
    inbound: int = 0
    researching: int = 0
    unsellable: int = 0
    customer_damaged: int = 0

    @property
    def total(self) -> int:
        return self.fulfillable + self.reserved + self.inbound + self.researching + self.unsellable

    def plus(self, other: AmazonUnits, times: int = 1) -> AmazonUnits:
        return AmazonUnits(
            self.fulfillable + other.fulfillable * times,
            self.reserved + other.reserved * times,
            self.inbound + other.inbound * times,
            self.researching + other.researching * times,
            self.unsellable + other.unsellable * times,
            self.customer_damaged + other.customer_damaged * times,
        )


@dataclass(frozen=True)
class AmazonItem:
    """What Amazon states about an item: of all SKUs that it is part of, in all pools.

    code: of the item, as the settings or the SKU name it.
    pools: units by pool.
    unstated: SKUs of which Amazon does not state every kind of unit. Then the units are not known.
    sold, refunded: units since the last comparison.
    own: SKU -> units of the item in the seller's own stock; without SKUs of which Amazon has stated none: they are
        unknown. None where own stock is not counted.
    read_at: when the first of its SKUs was read (UTC). What becomes known later is counted in the next comparison.
    """

    code: str
    name: str = ""
    skus: tuple[str, ...] = ()
    pools: Mapping[str, AmazonUnits] = field(default_factory=dict)
    unstated: tuple[str, ...] = ()
    sold: int = 0
    refunded: int = 0
    own: Mapping[str, int] | None = None
    read_at: datetime = field(kw_only=True)

    @property
    def own_units(self) -> int | None:
        """Units in the seller's own stock; None where they are not known or not counted."""
        return sum(self.own.values()) if self.own else None

    @property
    def total(self) -> int:
        """All known units of the seller."""
        return self.units.total + (self.own_units or 0)

    @property
    def units(self) -> AmazonUnits:
        total = AmazonUnits()
        for each in self.pools.values():
            total = total.plus(each)
        return total


@dataclass(frozen=True)
class Baseline:
    """What the last comparison of an item left.

    at: when Amazon's units were read (UTC).
    xero: units in Xero then.
    pending: units sold (negative) and refunded that Xero did not hold yet.
    """

    at: datetime
    xero: Decimal
    pending: Decimal = Decimal(0)


@dataclass(frozen=True)
class Comparison:
    """One item compared.

    amazon: None where Amazon states nothing of the item. xero: None where Xero has no such item.
    gap: Amazon's units, and own ones, less Xero's; None where they cannot be compared.
    pending: of the gap, units that were sold or refunded and that Xero does not hold yet.
    difference: of the gap, what that does not explain; of an item that one side does not know, the other side's units.
    """

    code: str
    finding: StockFinding
    amazon: AmazonItem | None = None
    xero: XeroItem | None = None
    gap: Decimal | None = None
    pending: Decimal = Decimal(0)
    difference: Decimal = Decimal(0)

    @property
    def skus(self) -> tuple[str, ...]:
        return self.amazon.skus if self.amazon else ()

    @property
    def name(self) -> str:
        return (self.amazon.name if self.amazon else "") or (self.xero.name if self.xero else "")

    @property
    def is_open(self) -> bool:
        """Whether a person has to do something. Of an item that only one side knows, only where that has units."""
        if self.finding in FINE or self.finding in NOT_COMPARED:
            return False
        return self.finding not in ONE_SIDED or self.difference != 0


def units_of(quantities: StockQuantities) -> AmazonUnits | None:
    """Return Amazon's units; None where it does not state every kind: what is not stated is unknown, and never 0.

    It is 0 only where the other kinds are Amazon's own total (Amazon: totalQuantity, inbound units included).
    """
    stated = quantities
    kinds = (stated.fulfillable, stated.reserved, stated.inbound, stated.researching, stated.unfulfillable)
    known = [each for each in kinds if each is not None]
    if len(known) < len(kinds) and (stated.fulfillable is None or sum(known) != stated.total):
        return None
    fulfillable, reserved, inbound, researching, unsellable = (each or 0 for each in kinds)
    customer_damaged = stated.unfulfillable_kinds.get("customerDamaged", 0)
    return AmazonUnits(fulfillable, reserved, inbound, researching, unsellable, customer_damaged)


def compare(
    amazon: AmazonItem | None, xero: XeroItem | None, baseline: Baseline | None, policy: ReconciliationPolicy
) -> Comparison:
    """Compare what both sides state about an item; one of them may not know it."""
    if amazon is None:
        if xero is None:
            raise ValueError("neither Amazon nor Xero knows the item")
        return Comparison(xero.code, StockFinding.UNKNOWN_TO_AMAZON, None, xero, difference=-xero.quantity)
    if amazon.unstated:  # first of all: what is not known changes no entry, whatever Xero states
        return Comparison(xero.code if xero else amazon.code, StockFinding.NOT_STATED_BY_AMAZON, amazon, xero)
    total = Decimal(amazon.total)
    if xero is None:
        finding = StockFinding.CODE_TOO_LONG if len(amazon.code) > MAX_CODE else StockFinding.UNKNOWN_TO_XERO
        return Comparison(amazon.code, finding, amazon, difference=total)
    if not xero.is_tracked:
        return Comparison(xero.code, StockFinding.NOT_TRACKED_IN_XERO, amazon, xero, difference=total)
    gap = total - xero.quantity
    pending = pending_units(gap, Decimal(amazon.refunded - amazon.sold), xero.quantity, baseline)
    difference = gap - pending
    finding = _finding(amazon, xero, gap, difference, policy)
    return Comparison(xero.code, finding, amazon, xero, gap, pending, difference)


def pending_units(gap: Decimal, moved: Decimal, xero_units: Decimal, baseline: Baseline | None) -> Decimal:
    """Return the units that moved and that Xero does not hold yet: negative where more were sold than refunded.

    Xero's change since the last comparison is taken for the entry of these units as far as it goes the same way; more
    of it, or one that goes the other way, is something else, such as a purchase. Where that reading leaves more
    unexplained than that Xero holds all of them, Xero holds all of them.
    """
    if gap == 0:
        return Decimal(0)
    moved += baseline.pending if baseline else 0
    entered = xero_units - baseline.xero if baseline else Decimal(0)
    pending = moved - min(max(entered, min(moved, Decimal(0))), max(moved, Decimal(0)))
    return pending if abs(gap - pending) <= abs(gap) else Decimal(0)


def _finding(
    amazon: AmazonItem, xero: XeroItem, gap: Decimal, difference: Decimal, policy: ReconciliationPolicy
) -> StockFinding:
    if difference == 0:
        return StockFinding.EXPLAINED if gap else StockFinding.AGREES
    if policy.tolerates(difference, xero.quantity):
        return StockFinding.WITHIN_TOLERANCE
    units = amazon.units
    if difference < 0:
        return StockFinding.RETURN_AWAITED if -difference <= amazon.refunded else StockFinding.FEWER_AT_AMAZON
    if difference <= units.inbound:
        return StockFinding.INBOUND_NOT_IN_XERO
    if difference <= units.unsellable + units.researching:
        return StockFinding.UNSELLABLE_NOT_IN_XERO
    if difference <= (amazon.own_units or 0):
        return StockFinding.OWN_STOCK_NOT_IN_XERO
    return StockFinding.MORE_AT_AMAZON
