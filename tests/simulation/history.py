"""A seller's history, and what the books should hold of it: worked out here on its own, not by the code under test."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from fakes.orders import CA, UK, US, breakdown, item, money, order

DE = "A1PA6795UKMFR9"

SETTINGS: dict[str, Any] = {
    "amazon": {"seller_id": "A1SELLER", "region": "eu", "marketplaces": [UK, US, CA]},
    "xero": {"tenant_id": ""},
    "accounts": {
        "item": "200",
        "shipping": "205",
        "gift_wrap": "206",
        "discounts": "210",
        "delivery_tip": "205",
        "clearing": {},
    },
    "tax": {
        "rules": [
            {"marketplaces": [UK], "ship_to": ["FR"], "amounts": "inclusive", "tax_type": "ZERORATEDOUTPUT"},
            {"marketplaces": [UK], "amounts": "inclusive", "tax_type": "OUTPUT2"},
            {"marketplaces": [US], "responsible": "marketplace", "amounts": "none", "tax_type": "NONE"},
            {"marketplaces": [CA], "amazon_tax": "zero", "amounts": "none", "tax_type": "NONE"},
            {"marketplaces": [CA], "amounts": "exclusive", "tax_type": "TAX001"},
        ]
    },
    "start": "2026-10-01T00:00:00Z",
}
# What the operator adds once orders of a marketplace nobody had configured have failed.
CLEARING = {"GBP": "CLR-GBP", "USD": "CLR-USD", "CAD": "CLR-CAD", "EUR": "CLR-EUR"}
GERMAN_RULE = {"marketplaces": [DE], "ship_to": ["DE"], "amounts": "inclusive", "tax_type": "TAX003"}


@dataclass(frozen=True)
class Region:
    marketplace: str
    named: str  # the marketplace in the references of Xero's documents
    ship_to: str
    currency: str
    tax_type: str
    tax: str  # what Amazon does with tax: none, withheld (its own), on_top (the seller's)


REGIONS = {
    "UK": Region(UK, "Amazon.co.uk", "GB", "GBP", "OUTPUT2", "none"),
    "FR": Region(UK, "Amazon.co.uk", "FR", "GBP", "ZERORATEDOUTPUT", "none"),
    "US": Region(US, "Amazon.com", "US", "USD", "NONE", "withheld"),
    "CA": Region(CA, "Amazon.ca", "CA", "CAD", "TAX001", "on_top"),
    "CA0": Region(CA, "Amazon.ca", "CA", "CAD", "NONE", "none"),
    "DE": Region(DE, "Amazon.de", "DE", "EUR", "TAX003", "none"),
}


@dataclass(frozen=True)
class Item:
    """LineAmountTypes in the order's currency for the whole quantity; `discount` is positive. `quantity` 0: cancelled.

    `tax_off_by` is what Amazon's tax differs from Xero's sum of taxes rounded by line; `discount_sign` is Amazon's.
    """

    item_id: str
    goods: Decimal
    quantity: int
    shipping: Decimal
    gift_wrap: Decimal
    discount: Decimal
    tax_off_by: Decimal = Decimal(0)
    discount_sign: int = -1

    def lines(self, tax_type: str) -> list[tuple[str, str, Decimal]]:
        parts = (("200", self.goods), ("205", self.shipping), ("206", self.gift_wrap), ("210", -self.discount))
        return [(account, tax_type, amount) for account, amount in parts if amount]

    def tax(self, region: Region) -> Decimal:
        if region.tax == "withheld":
            return (self.goods * Decimal("0.08")).quantize(_CENT)
        if region.tax == "on_top" and self.quantity:
            return sum((_cents(amount * 5 / 100) for _, _, amount in self.lines("")), self.tax_off_by)
        return Decimal(0)

    def shipped(self, quantity: int) -> Item:
        """What belongs to so many of it."""
        part = self._with(lambda amount: _share(amount, quantity, self.quantity))
        if not self.discount:
            return part
        charged, whole = (each.goods + each.shipping + each.gift_wrap for each in (part, self))
        # What is left to pay is shared, too: the discount takes the odd penny, and no part costs less than nothing.
        return replace(part, discount=charged - _share(whole - self.discount, quantity, self.quantity))

    def cancelled(self) -> Item:
        return replace(self._with(lambda _: Decimal(0)), quantity=0)

    def free(self) -> Item:
        return replace(self, discount=self.goods + self.shipping + self.gift_wrap)

    def _with(self, change: Callable[[Decimal], Decimal]) -> Item:
        return replace(
            self,
            goods=change(self.goods),
            shipping=change(self.shipping),
            gift_wrap=change(self.gift_wrap),
            discount=change(self.discount),
        )


@dataclass(frozen=True)
class Expected:
    """What one version of an order asks of the books. `status` None: nothing may be booked of it in sum.

    `lines` are (account, tax type, amount) without the rounding line; `refusals` the reasons for which a person is
    needed as long as this version is the newest, empty when it can be booked.
    """

    status: str | None
    currency: str = ""
    total: Decimal = Decimal(0)
    lines: tuple[tuple[str, str, Decimal], ...] = ()
    date: str | None = None
    refusals: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Version:
    at: float  # seconds since the world began
    order: dict[str, Any]
    expected: Expected


@dataclass
class OrderHistory:
    order_id: str
    region: Region
    versions: list[Version] = field(default_factory=list)

    @property
    def reference(self) -> str:
        return f"{self.region.named} {self.order_id}"


def buyer_email(order_id: str) -> str:
    """The buyer of an order: what tells namesakes apart."""
    return f"canary{int(order_id.split('-')[1]) % 3}@marketplace.example"


def withheld_tax(order: Mapping[str, Any]) -> Decimal:
    """Return the tax that an order states as the marketplace's."""
    taxes = [
        Decimal(breakdown["subtotal"]["amount"])
        for item in order["orderItems"]
        if (item.get("tax") or {}).get("taxCollections")
        for breakdown in (item.get("proceeds") or {}).get("breakdowns") or ()
        if breakdown["type"] == "TAX"
    ]
    return sum(taxes, Decimal(0))


def histories(rng: random.Random, began: datetime, count: int, length: float, per_shipment: bool) -> list[OrderHistory]:
    return [_Order(rng, began, number, length, per_shipment).history() for number in range(1, count + 1)]


class _Order:
    """One order as the seller and Amazon make it."""

    def __init__(self, rng: random.Random, began: datetime, number: int, length: float, per_shipment: bool) -> None:
        self._rng = rng
        self._began = began
        self._length = length
        self._per_shipment = per_shipment
        order_id = f"{rng.choice(('026', '204', '701'))}-{number:07}-{rng.randrange(10**7):07}"
        self._region = REGIONS[rng.choice(("UK",) * 5 + ("US", "US", "FR", "CA", "CA", "CA0", "DE"))]
        self._made = OrderHistory(order_id, self._region)
        self._at = rng.random() * length * 0.7
        self._created = began + timedelta(seconds=int(self._at)) - timedelta(days=rng.choice((0, 0, 1, 6)))
        self._items = [_item(rng, place) for place in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8)))]
        self._before = self._items  # as they were before the last change
        self._tip = Decimal(0)
        self._tip_pending = False
        self._shipped: dict[str, int] = {}
        # Who ships by itself tells Amazon when and how, most also what; FBA orders name no packages.
        self._merchant = rng.random() < 0.5
        self._names_items = rng.random() < 0.8
        if not self._merchant:  # ships within a day, so that its day is certain however late it is read
            self._created = max(self._created, began + timedelta(seconds=int(self._at)) - timedelta(days=1))
        self._packages: list[dict[str, Any]] = []

    def history(self) -> OrderHistory:
        rng = self._rng
        gaps = (1.0, 5.0, 20.0, 40.0, 130.0, 400.0, *([1500.0] * (self._length > 1000)))
        for status, what in _path(rng):
            if what == "late rise" or (what in _CONTENT and self._shipped and rng.random() < 0.1):
                self._at += _CHARGED_AFTER
            self._at = float(
                int(self._at + rng.choice(gaps) * (0.5 + rng.random()))
            )  # Amazon's times are whole seconds
            self._changes(status, what)
            self._made.versions.append(self._version(status, what))
            self._at += 1
        return self._made

    @property
    def _updated(self) -> datetime:
        return self._began + timedelta(seconds=self._at)

    # --- what happens to it -----------------------------------------------------------------------------------------

    def _changes(self, status: str, what: str) -> None:
        if what in _CONTENT:
            items = self._changed(what)
            if all(self._shipped.get(one.item_id, 0) <= one.quantity or not one.quantity for one in items):
                self._before, self._items = self._items, items
        if what == "tip" and self._region.tax != "on_top":
            self._tip, self._tip_pending = Decimal("2.50"), self._rng.random() < 0.3
        elif self._tip_pending:
            self._tip_pending = False
        if what == "tracking":
            for package in self._packages:
                package.setdefault("trackingNumber", "JD0000001")
        if status == "PARTIALLY_SHIPPED" and what == "leaves":
            least = self._rng.choice((0, 1, 1))
            self._leaves(
                {one.item_id: self._rng.randint(min(least, one.quantity), one.quantity) for one in self._items}
            )
        elif status == "SHIPPED":
            self._leaves({one.item_id: one.quantity for one in self._items})

    def _changed(self, what: str) -> list[Item]:
        rng, items = self._rng, list(self._items)
        place = rng.randrange(len(items))
        one = items[place]
        match what:
            case "content":
                return [_item(rng, number) for number in range(len(items))]
            case "reverted":
                return self._before
            # Not shared among shipments: a share of what costs nothing may come out a cent below nothing.
            case "free" if self._region.tax == "none" and not self._per_shipment:
                return [each.free() for each in items]
            case "item cancelled" if sum(each.quantity > 0 for each in items) > 1 and not self._has_left_in_part(one):
                items[place] = one.cancelled()
            case "price up" | "late rise" if one.quantity:
                items[place] = replace(one, goods=one.goods + Decimal(rng.randrange(1, 900)) / 100)
            case "price down" if one.goods * Decimal("0.6") > one.discount:
                items[place] = replace(one, discount=one.discount + (one.goods / 3).quantize(_CENT))
            case "moved" if one.quantity:
                moved = (one.goods / 4).quantize(_CENT)
                items[place] = replace(one, goods=one.goods - moved, shipping=one.shipping + moved)
        return items

    def _has_left_in_part(self, one: Item) -> bool:
        """Whether some of an item has left while the order goes on: that is not cancelled any more."""
        is_complete = all(self._shipped.get(each.item_id, 0) >= each.quantity for each in self._items)
        return bool(self._shipped.get(one.item_id)) and not is_complete

    def _leaves(self, until: Mapping[str, int]) -> None:
        """So many of each item have left by now; what is new does so in a package of its own."""
        new = {item_id: count - self._shipped.get(item_id, 0) for item_id, count in until.items()}
        new = {item_id: count for item_id, count in new.items() if count > 0}
        if not new and self._shipped:
            return
        for item_id, count in new.items():
            self._shipped[item_id] = self._shipped.get(item_id, 0) + count
        if not self._merchant:
            return
        left = self._updated - self._rng.choice((timedelta(minutes=30), timedelta(hours=26)))
        if self._packages:  # Amazon names them as they leave
            left = max(left, datetime.fromisoformat(self._packages[-1]["shipTime"]) + timedelta(seconds=1))
        package: dict[str, Any] = {
            "packageReferenceId": str(len(self._packages) + 1),
            "shipTime": _iso(max(left, self._created)),
            "carrier": "Royal Mail",
        }
        if self._names_items:
            package["packageItems"] = [{"orderItemId": each, "quantity": count} for each, count in new.items()]
        if self._rng.random() < 0.7:
            package["trackingNumber"] = f"RM{len(self._packages) + 1:07}"
        self._packages.append(package)

    # --- how Amazon shows it ----------------------------------------------------------------------------------------

    def _version(self, status: str, what: str) -> Version:
        region = self._region
        priced = status not in ("PENDING", "CANCELLED") and what != "unpriced"
        grand = Decimal(1 if what == "wrong total" else 0)
        raw_items = []
        for one in self._items:
            raw, total = _raw_item(one, region)
            raw["product"]["sellerSku"] = self._sku(one)
            raw["fulfillment"] = {"quantityFulfilled": self._shipped.get(one.item_id, 0) if one.quantity else 0}
            if not priced:
                raw.pop("proceeds", None)
            raw_items.append(raw)
            grand += total
        raw_order = order(
            *raw_items,
            grand_total=str(grand + (0 if self._tip_pending else self._tip)) if priced else None,
            status=status,
            order_id=self._made.order_id,
            marketplace=region.marketplace,
            currency=region.currency,
            created=_iso(self._created),
            updated=_iso(self._updated),
            ship_to=region.ship_to,
            **self._buyer(),
            **({"packages": [dict(package) for package in self._packages]} if self._packages else {}),
        )
        if priced and self._tip:
            tip = breakdown("DELIVERY_TIP", str(self._tip), region.currency)
            tip["status"] = "PENDING" if self._tip_pending else "CHARGED"
            raw_order["proceeds"]["breakdowns"].append(tip)
        return Version(self._at, raw_order, self._expected(status, priced, what))

    def _sku(self, one: Item) -> str:
        """Each item has a SKU of its own; in some orders all have the same one."""
        return "TEA-50" if self._made.order_id[-1] in "012" else f"TEA-{int(one.item_id)}"

    def _buyer(self) -> dict[str, Any]:
        """One of three namesakes, the first of them a business; all of them move house now and then."""
        who = int(self._made.order_id.split("-")[1]) % 3
        street = f"{1 + len(self._made.versions) // 3} Canary Street"
        address = {"name": "Canary Buyer", "addressLine1": street, "postalCode": "CN1 1NC", "phone": "0000 000000"}
        place = {"countryCode": self._region.ship_to, "stateOrRegion": "Region"}
        return {
            "buyer": {"buyerName": "Canary Buyer", "buyerEmail": buyer_email(self._made.order_id)},
            "recipient": {"deliveryAddress": address | place},
            "programs": ["AMAZON_BUSINESS"] if who == 0 else [],
        }

    def _expected(self, status: str, priced: bool, what: str) -> Expected:
        refusals = frozenset({"ORDER_TOTAL_DIFFERS"} if what == "wrong total" else ())
        shipped = status in ("SHIPPED", "PARTIALLY_SHIPPED")
        if not priced:
            return Expected(None, refusals=refusals)
        region = self._region
        parts, total = [], Decimal(0)
        charged = Decimal(0) if self._tip_pending else self._tip
        if not charged + sum((_raw_item(one, region)[1] for one in self._items), Decimal(0)):
            return Expected(None, refusals=refusals)
        if self._per_shipment and status == "PARTIALLY_SHIPPED" and not self._shipped:
            charged = Decimal(0)  # a tip goes with the first shipment
        for one in self._items:
            part, tax = one, one.tax(region)
            if self._per_shipment and status == "PARTIALLY_SHIPPED":
                left = self._shipped.get(one.item_id, 0)
                part, tax = one.shipped(left), _share(tax, left, one.quantity, ROUND_HALF_UP)
            parts += part.lines(region.tax_type)
            total += sum((amount for _, _, amount in part.lines("")), Decimal(0))
            total += tax if region.tax == "on_top" else 0
        if charged:
            parts.append(("205", region.tax_type, charged))
            total += charged
        if not parts:
            return Expected(None, refusals=refusals)
        # A package is only known by what is left of it when it is first read; one without anything in it says nothing.
        all_left = all(one.quantity for one in (*self._items, *self._before)) and all(
            package.get("packageItems") for package in self._packages
        )
        first = self._packages[0]["shipTime"] if self._packages and all_left else None
        return Expected(
            "AUTHORISED" if shipped else "DRAFT",
            region.currency,
            total,
            tuple(parts),
            # All of it happens in a British winter, where local time is UTC.
            (first[:10] if first else None) if shipped else self._created.date().isoformat(),
            refusals,
        )


_CHARGED_AFTER = 5400.0  # seconds: its charge is posted, and read by the next hourly sweep
_CONTENT = frozenset({"content", "reverted", "free", "item cancelled", "price up", "price down", "moved", "late rise"})


def _path(rng: random.Random) -> list[tuple[str, str]]:
    """States of an order in time, each with what happens to its content with it."""
    path: list[tuple[str, str]] = []
    if rng.random() < 0.7:
        path.append(("PENDING", ""))
        if rng.random() < 0.06:
            return [*path, ("CANCELLED", "")]
    odd = rng.random()
    if odd < 0.06:
        path.append(("UNSHIPPED", "unpriced"))
    elif odd < 0.16:
        path.append(("UNSHIPPED", "wrong total"))
        if rng.random() < 0.4:
            return path  # nobody ever corrects it
    if rng.random() < 0.85:
        path.append(("UNSHIPPED", ""))
    path += [("UNSHIPPED", _change(rng)) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    end = rng.choice(("SHIPPED",) * 6 + ("PARTIALLY_SHIPPED",) * 2 + ("CANCELLED",) * 2 + ("UNSHIPPED",))
    if end == "UNSHIPPED":
        return path if path and path[-1][1] != "unpriced" else [*path, (end, "")]
    if end == "CANCELLED":
        path.append((end, ""))
        if rng.random() < 0.6:
            return path
        path.append(("UNSHIPPED", ""))  # reinstated
        end = "SHIPPED"
    if end == "PARTIALLY_SHIPPED":
        path += [(end, "leaves")] * rng.choice((1, 1, 2))
        path += _afterwards(rng, end)
        if path[-1][0] == "CANCELLED" or rng.random() < 0.3:
            return path
    return [*path, ("SHIPPED", "leaves"), *_afterwards(rng, "SHIPPED")]


def _afterwards(rng: random.Random, status: str) -> list[tuple[str, str]]:
    """What still happens to an order that has left, or a part of it."""
    path: list[tuple[str, str]] = []
    if rng.random() < 0.15:
        path.append((status, rng.choice(("touched", "tracking"))))
    if rng.random() < 0.35:
        path += [(status, _change(rng)) for _ in range(rng.choice((1, 1, 2, 3)))]
    if rng.random() < 0.12:
        path.append((status, "tip"))
    if rng.random() < 0.1:
        path.append((status, "late rise"))
    if rng.random() < 0.12:
        path.append(("CANCELLED", ""))
        if rng.random() < 0.4:
            path.append((status, ""))  # reinstated
    return path


def _change(rng: random.Random) -> str:
    usual = ("content", "price up", "price up", "price down", "price down", "item cancelled", "item cancelled")
    return rng.choice((*usual, "moved", "reverted", "reverted", "free", "touched"))


def _item(rng: random.Random, place: int) -> Item:
    quantity = rng.choice((1, 1, 1, 2, 3, 7))
    goods = Decimal(rng.randrange(300, 20000)) / 100
    return Item(
        f"{place + 1:014}",
        goods,
        quantity,
        Decimal(rng.randrange(100, 900)) / 100 if rng.random() < 0.4 else Decimal(0),
        Decimal("2.99") if rng.random() < 0.15 else Decimal(0),
        (goods * rng.randrange(1, 40) / 100).quantize(_CENT) if rng.random() < 0.3 else Decimal(0),
        Decimal("0.01") if rng.random() < 0.1 else Decimal(0),
        rng.choice((1, -1)),
    )


def _raw_item(one: Item, region: Region) -> tuple[dict[str, Any], Decimal]:
    """Amazon's object, and the total it states."""
    tax = one.tax(region)
    total = one.goods + one.shipping + one.gift_wrap - one.discount + tax
    named = (("ITEM", one.goods), ("SHIPPING", one.shipping), ("GIFT_WRAP", one.gift_wrap), ("TAX", tax))
    breakdowns = [breakdown(kind, str(amount), region.currency) for kind, amount in named if amount]
    if one.discount:
        breakdowns.append(breakdown("DISCOUNT", str(one.discount * one.discount_sign), region.currency))
    raw = item(
        str(total),
        *breakdowns,
        quantity=one.quantity,
        currency=region.currency,
        facilitator=region.tax == "withheld",
        item_id=one.item_id,
    )
    raw["product"]["price"] = {"unitPrice": money(str(one.goods), region.currency)}
    if not one.quantity:
        del raw["proceeds"]
        raw["cancellation"] = {"cancellationExecution": {"quantityCancelled": 1}}
    return raw, total


_CENT = Decimal("0.01")


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _share(amount: Decimal, quantity: int, of: int, rounding: str = ROUND_DOWN) -> Decimal:
    return (amount * quantity / of).quantize(_CENT, rounding) if of else amount


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
