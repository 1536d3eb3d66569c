"""Refunds of an order as Amazon posts them, and what the buyer got back in all: worked out here on its own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.amazon.charges import Leaves, refund_of, released, sale_of
from simulation.history import OrderHistory

KINDS = ("full", "part", "shipping", "goodwill", "restocking")
_CENT = Decimal("0.01")
_GOODWILL = ("Sales", "ProductCharges", "GoodwillPrincipal")
_RESTOCKING = ("Sales", "ProductCharges", "RestockingDeductionPrincipal")


@dataclass(frozen=True)
class DrawnRefund:
    """One refund of an order.

    versions: seconds since the world began, and the transaction from then on. A deferred one has a later version of
        another status, and then a copy under another id.
    paid_back: what the buyer got back, in the order's currency, without tax that Amazon collected itself.
    """

    kind: str
    versions: tuple[tuple[float, dict[str, Any]], ...]
    paid_back: Decimal


def refunds_of(rng: random.Random, began: datetime, history: OrderHistory, length: float) -> list[DrawnRefund]:
    """Return up to three refunds of a shipped order, at any time: before Amazon returns the order, too."""
    shipped = [each.order for each in history.versions if each.expected.status == "AUTHORISED"]
    if not shipped:
        return []
    kinds = [rng.choice(KINDS) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    moments = rng.sample(range(int(length)), len(kinds))
    return [_refund(rng, kind, shipped[-1], began, moment, length) for kind, moment in zip(kinds, moments, strict=True)]


def _refund(
    rng: random.Random, kind: str, order: dict[str, Any], began: datetime, moment: int, length: float
) -> DrawnRefund:
    items = [item for item in order["orderItems"] if item.get("proceeds")]
    if kind not in ("full", "restocking"):
        items = [rng.choice(items)]
    share = Decimal(rng.choice((1, 2, 5))) / 10 if kind == "part" else Decimal(1)
    parts = [(item, 1, _taken_back(kind, sale_of(order, item), share)) for item in items]
    if kind == "restocking":
        parts[0][2][_RESTOCKING] = Decimal("0.50")
    transaction = refund_of(order, parts, began + timedelta(seconds=moment))
    paid_back = -sum(
        (amount for *_, leaves in parts for path, amount in leaves.items() if path[1] != "AmazonFees"), Decimal(0)
    )
    return DrawnRefund(kind, _versions(rng, transaction, began, moment, length), paid_back)


def _taken_back(kind: str, sale: Leaves, share: Decimal) -> Leaves:
    """Return what a refund of this kind takes back of the sale of one item; goodwill where it would be nothing.

    The tax that Amazon withheld comes back in equal parts with the tax itself.
    """
    taken = {path: -(amount * share).quantize(_CENT, ROUND_HALF_UP) for path, amount in sale.items()}
    if kind == "shipping":
        taken = {path: amount for path, amount in taken.items() if path[1] == "Shipping"}
    if kind == "goodwill" or not taken:
        taken[_GOODWILL] = Decimal("-1.25")
    return {path: amount for path, amount in taken.items() if amount}


def _versions(
    rng: random.Random, transaction: dict[str, Any], began: datetime, moment: int, length: float
) -> tuple[tuple[float, dict[str, Any]], ...]:
    if rng.random() < 0.6:
        return ((moment, _with_nulls(rng, transaction)),)
    deferred = transaction | {"transactionStatus": "DEFERRED"}
    until = moment + 1 + rng.random() * length
    original, copy = released(deferred, began + timedelta(seconds=int(until)))
    return ((moment, deferred), (until, original), (until, copy))


def _with_nulls(rng: random.Random, transaction: Mapping[str, Any]) -> dict[str, Any]:
    """Return the transaction as it may come, too: no status, or the amounts of its items only in its own."""
    shown = dict(transaction)
    if rng.random() < 0.2:
        shown["transactionStatus"] = None
    if len(shown["items"]) == 1 and rng.random() < 0.2:
        shown["items"] = [item | {"breakdowns": None} for item in shown["items"]]
    return shown
