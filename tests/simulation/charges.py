"""What Amazon charges for the shipments of a world's orders, and what is wrong with it in some worlds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sandbox.amazon.charges import charges_of, released
from sandbox.amazon.times import parse_time
from simulation.history import OrderHistory
from simulation.refunds import NOBODYS_ORDER

_MARKETPLACE_TAX = "MarketplaceWithheldTax"


class ChargeFault(StrEnum):
    """How the charges of an order differ for good from what its order states."""

    MORE = "Amazon charges 1.00 more"
    LESS = "Amazon charges 1.00 less"
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

    may_be_unknown: whether one may name an order that Amazon does not return.
    """
    charges = [charge for history in histories for charge in _charges_of(rng, began, history, seller_id, length)]
    if charges and rng.random() < 0.35:
        faults = [each for each in ChargeFault if each is not ChargeFault.NO_SALE or may_be_unknown]
        charges = _with_fault(charges, rng.choice(charges), rng.choice(faults))
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


def _with_fault(charges: Sequence[DrawnCharge], of: DrawnCharge, fault: ChargeFault) -> list[DrawnCharge]:
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


def _by(charge: DrawnCharge, amount: Decimal) -> DrawnCharge:
    """Return the charge of that much more: a fee that belongs to no item, and that no order of a world has."""
    versions = tuple((at, _added(transaction, amount)) for at, transaction in charge.versions)
    return DrawnCharge(charge.order_id, versions, charge.paid + amount, charge.withheld)


def _added(transaction: dict[str, Any], amount: Decimal) -> dict[str, Any]:
    stated = transaction["totalAmount"]
    money = stated | {"currencyAmount": amount}
    fee: Any = None
    for name in ("CashOnDeliveryPrincipal", "CashOnDelivery", "Sales"):
        fee = [{"breakdownType": name, "breakdownAmount": money, "breakdowns": fee}]
    total = stated | {"currencyAmount": stated["currencyAmount"] + amount}
    return transaction | {"totalAmount": total, "breakdowns": [*(transaction["breakdowns"] or ()), *fee]}


def _of_nobody(charge: DrawnCharge) -> DrawnCharge:
    def renamed(transaction: dict[str, Any]) -> dict[str, Any]:
        related = [
            each | {"relatedIdentifierValue": NOBODYS_ORDER} if each["relatedIdentifierName"] == "ORDER_ID" else each
            for each in transaction["relatedIdentifiers"]
        ]
        return transaction | {"relatedIdentifiers": related}

    versions = tuple((at, renamed(transaction)) for at, transaction in charge.versions)
    return DrawnCharge(NOBODYS_ORDER, versions, charge.paid, charge.withheld)
