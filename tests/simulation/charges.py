"""What Amazon charges for the shipments of a world's orders, and what is wrong with it in some worlds."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sandbox.amazon.charges import Leaves, breakdowns_of, charges_of, released
from sandbox.amazon.times import format_time, parse_time
from simulation.history import OrderHistory, withheld_tax
from simulation.refunds import NOBODYS_ORDER

_MARKETPLACE_TAX = "MarketplaceWithheldTax"
_GOODS = ("Sales", "ProductCharges", "OurPricePrincipal")
_TAX = ("Sales", "Tax", "OurPriceTax")
_TAX_WITHHELD = ("Expenses", _MARKETPLACE_TAX, "MarketplaceFacilitatorTax-Principal")
_FEE = ("Sales", "CashOnDelivery", "CashOnDeliveryPrincipal")
_TAX_OFF = Decimal("0.50")
_ZERO = Decimal(0)
_COMPARED_AFTER = 4500.0  # seconds: an hour between two sweeps, and the time that they take


class ChargeFault(StrEnum):
    """How the charges of an order differ for good from what its order states."""

    MORE = "Amazon charges 1.00 more"
    LESS = "Amazon charges 1.00 less"
    MORE_TAX = "Amazon charges 0.50 tax that the order does not state, and withholds it"
    TAX_WITHHELD = "Amazon withholds 0.50 tax that it has not charged"
    TAX_KEPT = "Amazon withholds 0.50 less than the tax that it has charged"
    MISSING = "Amazon never charges one shipment"
    NO_SALE = "Amazon returns no order of that id"


@dataclass(frozen=True)
class DrawnCharge:
    """One charge of an order.

    versions: seconds since the world began, and the transaction from then on. A deferred one has a later version of
        another status, and then a copy under another id.
    paid: what the buyer paid the seller, without the tax that Amazon withholds.
    withheld: that tax, as a positive amount.
    """

    order_id: str
    versions: tuple[tuple[float, dict[str, Any]], ...]
    paid: Decimal
    withheld: Decimal


def draw_charges(
    rng: random.Random,
    began: datetime,
    histories: Sequence[OrderHistory],
    seller_id: str,
    length: float,
    may_be_unknown: bool,
) -> list[DrawnCharge]:
    """Return the charges of all orders that ship; in a third of the worlds those of one order differ.

    In a sixth of the worlds one of them is followed by another one, of 1.00 that no version of its order states.

    may_be_unknown: whether one may name an order that Amazon does not return.
    """
    charges = []
    for history in histories:
        of_order = list(_charges_of(rng, began, history, seller_id, length))
        charges += [*of_order, *_charge_of_rise(rng, began, history, of_order, length)]
    if charges and rng.random() < 0.35:
        faults = [each for each in ChargeFault if each is not ChargeFault.NO_SALE or may_be_unknown]
        charges = _with_fault(rng, charges, rng.choice(faults))
    if charges and rng.random() < 0.16:
        at = _last(charges) + _later(rng, length)
        charges.append(_further(rng.choice(charges), began, at, Decimal(1), _ZERO))
    return charges


def _charges_of(
    rng: random.Random, began: datetime, history: OrderHistory, seller_id: str, length: float
) -> Iterator[DrawnCharge]:
    orders = [version.order for version in history.versions if version.order.get("proceeds")]
    for raw in charges_of(orders, seller_id):
        if raw["transactionStatus"] == "RELEASED" and not _is_copy(raw):
            yield _drawn(rng, began, raw, length, is_deferred=rng.random() < 0.25)
        elif raw["transactionStatus"] == "DEFERRED":  # its release is weeks later, unless it is drawn here
            yield _drawn(rng, began, raw, length, is_deferred=True)


def _drawn(
    rng: random.Random, began: datetime, raw: dict[str, Any], length: float, *, is_deferred: bool
) -> DrawnCharge:
    at = (parse_time(raw["postedDate"]) - began).total_seconds()
    versions: tuple[tuple[float, dict[str, Any]], ...] = ((at, raw),)
    if is_deferred:
        deferred = raw | {"transactionStatus": "DEFERRED"}
        until = at + 1 + rng.random() * length
        original, copy = released(deferred, began + timedelta(seconds=int(until)))
        versions = ((at, deferred), (until, original), (until, copy))
    leaves = list(_leaves(raw["breakdowns"]))
    withheld = -sum((amount for path, amount in leaves if _MARKETPLACE_TAX in path), Decimal(0))
    paid = sum((amount for path, amount in leaves if "AmazonFees" not in path), Decimal(0))
    order_id = next(
        each["relatedIdentifierValue"]
        for each in raw["relatedIdentifiers"]
        if each["relatedIdentifierName"] == "ORDER_ID"
    )
    return DrawnCharge(order_id, versions, paid, withheld)


def _charge_of_rise(
    rng: random.Random, began: datetime, history: OrderHistory, charges: Sequence[DrawnCharge], length: float
) -> Iterator[DrawnCharge]:
    """Yield what Amazon charges in half of the orders that cost more once all of them was shipped and charged."""
    newest = history.versions[-1]
    totals = [version.expected.total for version in history.versions]
    if not charges or totals != sorted(totals) or newest.order["fulfillment"]["fulfillmentStatus"] != "SHIPPED":
        return
    rise = totals[-1] - sum((charge.paid for charge in charges), _ZERO)
    if rise > 0 and rng.random() < 0.5:
        tax = withheld_tax(newest.order) - sum((charge.withheld for charge in charges), _ZERO)
        at = max(newest.at, _last(charges)) + _later(rng, length)
        yield _further(charges[-1], began, at, rise, tax)


def _later(rng: random.Random, length: float) -> float:
    """Return after how many seconds something more is charged: at times once what came before has been compared."""
    return 1 + rng.random() * rng.choice((length, _COMPARED_AFTER)) + rng.choice((0, _COMPARED_AFTER))


def _last(charges: Sequence[DrawnCharge]) -> float:
    """Return when the last of the charges is posted, or changes (seconds since the world began)."""
    return max(at for charge in charges for at, _ in charge.versions)


def _further(charge: DrawnCharge, began: datetime, at: float, amount: Decimal, withheld: Decimal) -> DrawnCharge:
    """Return a further charge of the same order, of that amount and with that tax beside it, which Amazon withholds."""
    raw = charge.versions[0][1]
    currency = raw["totalAmount"]["currencyCode"]
    named: Leaves = {_GOODS: amount, _TAX: withheld, _TAX_WITHHELD: -withheld}
    named_after = f"{int(at)} after {raw['transactionId']}"
    further = raw | {
        "transactionId": hashlib.sha1(named_after.encode(), usedforsecurity=False).hexdigest(),
        "transactionStatus": "RELEASED",
        "postedDate": format_time(began + timedelta(seconds=int(at))),
        "totalAmount": {"currencyAmount": amount, "currencyCode": currency},
        "items": [],
        "contexts": None,
        "breakdowns": breakdowns_of({path: each for path, each in named.items() if each}, currency),
    }
    return DrawnCharge(charge.order_id, ((float(int(at)), further),), amount, withheld)


def _is_copy(raw: dict[str, Any]) -> bool:
    return any(each["relatedIdentifierName"] == "DEFERRED_TRANSACTION_ID" for each in raw["relatedIdentifiers"])


def _leaves(
    breakdowns: Sequence[dict[str, Any]] | None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Decimal]]:
    for each in breakdowns or ():
        below = (*path, each["breakdownType"])
        if each["breakdowns"]:
            yield from _leaves(each["breakdowns"], below)
        else:
            yield below, Decimal(each["breakdownAmount"]["currencyAmount"])


# --- what differs -----------------------------------------------------------------------------------------------------


def _with_fault(rng: random.Random, charges: Sequence[DrawnCharge], fault: ChargeFault) -> list[DrawnCharge]:
    of = rng.choice([charge for charge in charges if charge.paid > 0] or charges)
    others = [each for each in charges if each is not of]
    match fault:
        case ChargeFault.MISSING:
            return others
        case ChargeFault.NO_SALE:
            return [*others, _of_nobody(of)]
        case ChargeFault.MORE:
            return [*others, _by(of, Decimal(1))]
        case ChargeFault.LESS:
            return [*others, _by(of, Decimal(-1))]
        case ChargeFault.MORE_TAX:
            return [*others, _with_tax(of, _TAX_OFF, _TAX_OFF)]
        case ChargeFault.TAX_WITHHELD:
            return [*others, _with_tax(of, _ZERO, _TAX_OFF)]
        case ChargeFault.TAX_KEPT:
            return [*others, _with_tax(of, _ZERO, -_TAX_OFF)]


def _by(charge: DrawnCharge, amount: Decimal) -> DrawnCharge:
    """Return the charge of that much more: a fee that belongs to no item, and that no order of a world has."""
    versions = tuple((at, _added(transaction, amount, _FEE)) for at, transaction in charge.versions)
    return DrawnCharge(charge.order_id, versions, charge.paid + amount, charge.withheld)


def _with_tax(charge: DrawnCharge, tax: Decimal, withheld: Decimal) -> DrawnCharge:
    """Return the charge with that much more tax, and with that much more of it withheld."""

    def with_more(part: dict[str, Any]) -> dict[str, Any]:
        return _added(_added(part, tax, _TAX), -withheld, _TAX_WITHHELD)

    def taxed(transaction: dict[str, Any]) -> dict[str, Any]:
        items = transaction["items"]
        return with_more(transaction) | {"items": [*map(with_more, items[:1]), *items[1:]]}

    versions = tuple((at, taxed(transaction)) for at, transaction in charge.versions)
    return DrawnCharge(charge.order_id, versions, charge.paid + tax - withheld, charge.withheld + withheld)


def _added(transaction: dict[str, Any], amount: Decimal, path: tuple[str, ...]) -> dict[str, Any]:
    """Return a transaction, or one of its items, with a further amount."""
    if not amount:
        return transaction
    stated = transaction["totalAmount"]
    added = breakdowns_of({path: amount}, stated["currencyCode"]) or []
    total = stated | {"currencyAmount": stated["currencyAmount"] + amount}
    return transaction | {"totalAmount": total, "breakdowns": [*(transaction["breakdowns"] or ()), *added]}


def _of_nobody(charge: DrawnCharge) -> DrawnCharge:
    def renamed(transaction: dict[str, Any]) -> dict[str, Any]:
        related = [
            each | {"relatedIdentifierValue": NOBODYS_ORDER} if each["relatedIdentifierName"] == "ORDER_ID" else each
            for each in transaction["relatedIdentifiers"]
        ]
        return transaction | {"relatedIdentifiers": related}

    versions = tuple((at, renamed(transaction)) for at, transaction in charge.versions)
    return DrawnCharge(NOBODYS_ORDER, versions, charge.paid, charge.withheld)
