"""Refunds of orders as Amazon posts them, and what each gives back to the buyer: worked out here on its own."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

from sandbox.amazon.charges import Leaves, refund_of, released, sale_of
from simulation.history import OrderHistory, Region, Version

KINDS = ("full", "part", "shipping", "goodwill", "restocking", "tax", "reduction")
_CENT = Decimal("0.01")
_GOODWILL = ("Sales", "ProductCharges", "GoodwillPrincipal")
_RESTOCKING = ("Sales", "ProductCharges", "RestockingDeductionPrincipal")
_ITEM = ("Sales", "ProductCharges", "OurPricePrincipal")
_ITEM_TAX = ("Sales", "Tax", "OurPriceTax")
_NOT_THE_BUYERS = ("AmazonFees", "MarketplaceWithheldTax")
# The account of what a leaf names: SETTINGS of the history; goodwill and restocking have none of their own.
_ACCOUNTS = {"Shipping": "205", "Giftwrap": "206", "PromotionalRebates": "210"}
WITHHELD_TOO_MUCH = Decimal("0.50")
NOBODYS_ORDER = "999-9999999-9999999"


class Flaw(StrEnum):
    """What is wrong with a refund for good."""

    MALFORMED = "its breakdowns are no list"
    WITHOUT_TYPE = "it states no transactionType"
    DIFFERS = "its amounts do not add up"
    UNKNOWN_LEAF = "an amount of a type that nobody knows"
    REVERSED = "it takes money from the buyer"
    UNKNOWN_SKU = "the order has no such item"
    NO_SALE = "Amazon returns no order of that id"
    WITHHELD_TAX = "the marketplace gives back 0.50 more tax than the buyer got"


FAILS_WITH: Mapping[Flaw, frozenset[str]] = {
    Flaw.MALFORMED: frozenset({"TRANSACTION_MALFORMED"}),
    Flaw.WITHOUT_TYPE: frozenset({"TRANSACTION_MALFORMED"}),
    Flaw.DIFFERS: frozenset({"TRANSACTION_TOTAL_DIFFERS"}),
    Flaw.UNKNOWN_LEAF: frozenset({"CHARGE_TYPE_UNKNOWN"}),
    Flaw.REVERSED: frozenset({"REFUND_REVERSED"}),
    Flaw.UNKNOWN_SKU: frozenset({"REFUND_ITEM_UNKNOWN"}),
    Flaw.NO_SALE: frozenset({"REFUND_WITHOUT_SALE"}),
    # The second where the tax that the buyer got is 0.50 by chance.
    Flaw.WITHHELD_TAX: frozenset({"MARKETPLACE_TAX_DIFFERS", "REFUND_LIABILITY_DIFFERS"}),
}


@dataclass(frozen=True)
class DrawnRefund:
    """One refund of an order.

    versions: seconds since the world began, and the transaction from then on. A deferred one has a later version of
        another status, and then a copy under another id.
    paid_back: what the buyer got back, in the order's currency, without tax that Amazon collected itself.
    accounts: the same by account of the books, without tax that is charged on top.
    flaw: what is wrong with it for good.
    """

    order_id: str
    kind: str
    versions: tuple[tuple[float, dict[str, Any]], ...]
    paid_back: Decimal
    accounts: Mapping[str, Decimal] = field(default_factory=dict)
    flaw: Flaw | None = None

    @property
    def transaction_id(self) -> str:
        return str(self.versions[0][1]["transactionId"])

    @property
    def posted_at(self) -> float:
        return self.versions[0][0]


def refunds_of(
    rng: random.Random, began: datetime, history: OrderHistory, length: float, kinds: Sequence[str] = KINDS
) -> list[DrawnRefund]:
    """Return up to three refunds of an order, at any time: before Amazon shows its sale, too."""
    sold = _sold(history)
    if not sold and rng.random() > 0.3:
        return []
    chosen = [rng.choice(kinds) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    first = _first_moment(history.versions)
    moments = rng.sample(range(first, first + max(int(length), len(chosen))), len(chosen))
    draw = _Draw(rng, began, history, length)
    return [draw.refund(kind, moment) for kind, moment in zip(chosen, moments, strict=True)]


def _sold(history: OrderHistory) -> list[Version]:
    return [each for each in history.versions if each.expected.status == "AUTHORISED"]


def _first_moment(versions: Sequence[Version]) -> int:
    """Return from when on refunds are posted: not before an order is sold after all, of which nothing was sold once."""
    first, is_nothing = 0, False
    for version in versions:
        if is_nothing and version.expected.status == "AUTHORISED":
            first, is_nothing = int(version.at), False
        is_pending = version.order["fulfillment"]["fulfillmentStatus"] == "PENDING"
        is_nothing = is_nothing or (version.expected.status is None and not is_pending)
    return first


class _Draw:
    """The refunds of one order."""

    def __init__(self, rng: random.Random, began: datetime, history: OrderHistory, length: float) -> None:
        self._rng = rng
        self._began = began
        self._history = history
        self._length = length
        sold = _sold(history)
        priced = [each for each in history.versions if each.order.get("proceeds")]
        self._order = (sold or priced or history.versions)[-1].order
        if not self._order.get("proceeds"):
            currency = {"grandTotal": {"amount": "0", "currencyCode": history.region.currency}}
            self._order = self._order | {"proceeds": currency}

    def refund(self, kind: str, moment: int) -> DrawnRefund:
        order, region = self._order, self._history.region
        parts = self._parts(kind)
        transaction = refund_of(order, parts, self._began + timedelta(seconds=moment))
        if self._rng.random() < 0.2:
            transaction = _without_skus(transaction)
        leaves = [(path, amount) for *_, of_item in parts for path, amount in of_item.items()]
        accounts = _by_account(leaves, region)
        return DrawnRefund(
            order["orderId"], kind, self._versions(transaction, moment), _paid_back(leaves, region), accounts
        )

    def _parts(self, kind: str) -> list[tuple[Mapping[str, Any], int, Leaves]]:
        order, rng = self._order, self._rng
        items = [item for item in order["orderItems"] if item.get("proceeds")]
        if not items:
            return [(order["orderItems"][0], 1, {_GOODWILL: Decimal("-1.25")})]
        if kind not in ("full", "restocking"):
            items = [rng.choice(items)]
        share = Decimal(rng.choice((1, 2, 5))) / 10 if kind == "part" else Decimal(1)
        if kind == "reduction":
            return [(items[0], 1, self._reduction())]
        if kind == "tax":
            return [(items[0], 1, self._tax_only(items[0]))]
        if kind == "shipping":
            return [(items[0], 1, self._shipping(items[0]))]
        parts = [(item, 1, _taken_back(kind, sale_of(order, item), share)) for item in items]
        leaves = [(path, amount) for *_, of_item in parts for path, amount in of_item.items()]
        if kind == "restocking" and _paid_back(leaves, self._history.region) > 1:
            parts[0][2][_RESTOCKING] = Decimal("0.50")
        elif _paid_back(leaves, self._history.region) <= 0:
            parts[0][2][_GOODWILL] = Decimal("-1.25")  # of what was free
        return parts

    def _shipping(self, item: Mapping[str, Any]) -> Leaves:
        """Return the shipping of an item with its tax; goodwill where it had none."""
        sale = sale_of(self._order, item)
        shipping = {path: -amount for path, amount in sale.items() if path[1] == "Shipping"}
        if self._history.region.tax == "on_top" and shipping:
            shipping["Sales", "Tax", "ShippingTax"] = _cents(sum(shipping.values(), Decimal(0)) * 5 / 100)
        return shipping or {_GOODWILL: Decimal("-1.25")}

    def _reduction(self) -> Leaves:
        """Return what Amazon takes off the order at some time, because of this refund."""
        falls = []
        for before, after in pairwise(self._history.versions):
            if before.expected.status == "AUTHORISED" and after.expected.total < before.expected.total:
                net = _net(before) - _net(after)
                falls.append((net, before.expected.total - after.expected.total - net))
        falls = [(net, tax) for net, tax in falls if net > 0]
        if not falls:
            return {_GOODWILL: Decimal("-2.00")}
        net, tax = self._rng.choice(falls)
        return {path: -amount for path, amount in ((_ITEM, net), (_ITEM_TAX, tax)) if amount}

    def _tax_only(self, item: Mapping[str, Any]) -> Leaves:
        sale = sale_of(self._order, item)
        taxes = {path: -amount for path, amount in sale.items() if path[1] in ("Tax", "MarketplaceWithheldTax")}
        return taxes or {_ITEM_TAX: -max(_CENT, _cents(sale.get(_ITEM, Decimal(6)) / 6))}

    def _versions(self, transaction: dict[str, Any], moment: int) -> tuple[tuple[float, dict[str, Any]], ...]:
        rng = self._rng
        if rng.random() < 0.6:
            return ((moment, self._with_nulls(transaction)),)
        deferred = transaction | {"transactionStatus": "DEFERRED"}
        until = moment + 1 + rng.random() * self._length
        original, copy = released(deferred, self._began + timedelta(seconds=int(until)))
        return ((moment, deferred), (until, original), (until, copy))

    def _with_nulls(self, transaction: Mapping[str, Any]) -> dict[str, Any]:
        """Return the transaction as it may come, too: no status, or the amounts of its items only in its own."""
        shown = dict(transaction)
        if self._rng.random() < 0.2:
            shown["transactionStatus"] = self._rng.choice((None, "Released"))
        if len(shown["items"]) == 1 and self._rng.random() < 0.2:
            shown["items"] = [item | {"breakdowns": None} for item in shown["items"]]
        return shown


def _net(version: Version) -> Decimal:
    return sum((amount for _, _, amount in version.expected.lines), Decimal(0))


def _taken_back(kind: str, sale: Leaves, share: Decimal) -> Leaves:
    """Return what a refund of this kind takes back of the sale of one item.

    The tax that Amazon withheld comes back in equal parts with the tax itself.
    """
    taken = {path: -_cents(amount * share) for path, amount in sale.items()}
    if kind == "goodwill":
        taken[_GOODWILL] = Decimal("-1.25")
    return {path: amount for path, amount in taken.items() if amount}


def _paid_back(leaves: Sequence[tuple[tuple[str, ...], Decimal]], region: Region) -> Decimal:
    """Add up what the buyer got; tax that Amazon withholds itself is not the seller's to give back."""
    return -sum((amount for path, amount in leaves if _is_the_sellers(path, region)), Decimal(0))


def _by_account(leaves: Sequence[tuple[tuple[str, ...], Decimal]], region: Region) -> Mapping[str, Decimal]:
    accounts: dict[str, Decimal] = defaultdict(Decimal)
    for path, amount in leaves:
        if _is_the_sellers(path, region) and not (path[1] == "Tax" and region.tax == "on_top"):
            accounts[_ACCOUNTS.get(path[1], "200")] -= amount
    return accounts


def _is_the_sellers(path: tuple[str, ...], region: Region) -> bool:
    return path[1] not in _NOT_THE_BUYERS and not (path[1] == "Tax" and region.tax == "withheld")


def _without_skus(transaction: Mapping[str, Any]) -> dict[str, Any]:
    items = [
        item | {"contexts": [context | {"sku": None} for context in item["contexts"]]} for item in transaction["items"]
    ]
    return {**transaction, "items": items}


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


# --- what is wrong with some for good ---------------------------------------------------------------------------------


def flawed(refund: DrawnRefund, flaw: Flaw) -> DrawnRefund:
    """Return the refund with something wrong in it, in each of its versions."""
    change = _FLAWS[flaw]
    versions = tuple((at, change(transaction)) for at, transaction in refund.versions)
    order_id = NOBODYS_ORDER if flaw is Flaw.NO_SALE else refund.order_id
    return DrawnRefund(order_id, refund.kind, versions, refund.paid_back, {}, flaw)


def _add(amount: Decimal, path: tuple[str, ...]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what adds an amount to the transaction and to no item."""

    def added(transaction: dict[str, Any]) -> dict[str, Any]:
        stated = transaction["totalAmount"]
        money = stated | {"currencyAmount": amount}
        part: Any = None
        for name in reversed(path):
            part = [{"breakdownType": name, "breakdownAmount": money, "breakdowns": part}]
        total = stated | {"currencyAmount": stated["currencyAmount"] + amount}
        return transaction | {"totalAmount": total, "breakdowns": [*(transaction["breakdowns"] or ()), *part]}

    return added


def _with_withheld_tax(transaction: dict[str, Any]) -> dict[str, Any]:
    """Return the transaction with more withheld tax, also in the first of its items."""
    path = ("Refunded Expenses", "MarketplaceWithheldTax", "MarketplaceFacilitatorTax-Principal")
    add = _add(WITHHELD_TOO_MUCH, path)
    first, *others = transaction["items"]
    return add(transaction) | {"items": [add(first) if first["breakdowns"] else first, *others]}


def _malformed(transaction: dict[str, Any]) -> dict[str, Any]:
    items = [item | {"breakdowns": None} for item in transaction["items"]]
    return transaction | {"breakdowns": {"breakdownType": "Sales"}, "items": items}


def _differing(transaction: dict[str, Any]) -> dict[str, Any]:
    stated = transaction["totalAmount"]
    return transaction | {"totalAmount": stated | {"currencyAmount": stated["currencyAmount"] + 1}}


def _of_another_item(transaction: dict[str, Any]) -> dict[str, Any]:
    items = [
        item | {"contexts": [context | {"sku": "NOBODYS"} for context in item["contexts"]]}
        for item in transaction["items"]
    ]
    whole = {"breakdowns": transaction["breakdowns"], "totalAmount": transaction["totalAmount"]}
    return transaction | {"items": [items[0] | whole]}


def _of_another_order(transaction: dict[str, Any]) -> dict[str, Any]:
    related = [
        each | {"relatedIdentifierValue": NOBODYS_ORDER} if each["relatedIdentifierName"] == "ORDER_ID" else each
        for each in transaction["relatedIdentifiers"]
    ]
    return transaction | {"relatedIdentifiers": related}


_FLAWS: Mapping[Flaw, Callable[[dict[str, Any]], dict[str, Any]]] = {
    Flaw.MALFORMED: _malformed,
    Flaw.WITHOUT_TYPE: lambda transaction: transaction,  # the wire takes the type away: the sandbox refuses it
    Flaw.DIFFERS: _differing,
    Flaw.UNKNOWN_LEAF: _add(Decimal("-0.50"), ("Refunded Sales", "ProductCharges", "MysteryCharge")),
    Flaw.REVERSED: _add(Decimal(10000), ("Refunded Sales", "ProductCharges", "ReturnShippingDeductionPrincipal")),
    Flaw.UNKNOWN_SKU: _of_another_item,
    Flaw.NO_SALE: _of_another_order,
    Flaw.WITHHELD_TAX: _with_withheld_tax,
}
