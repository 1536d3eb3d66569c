"""A seller's history, and what the books should hold of it: worked out here on its own, not by the code under test."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from made_up.orders import CA, UK, US, breakdown, item, money, order

DE = "A1PA6795UKMFR9"

SETTINGS: dict[str, Any] = {
    "amazon": {"seller_id": "A1SELLER", "region": "eu", "marketplaces": [UK, US, CA]},
    "xero": {"tenant_id": ""},
    "accounts": {"item": "200", "shipping": "205", "gift_wrap": "206", "discounts": "210", "clearing": {}},
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
    ship_to: str
    currency: str
    tax_type: str
    tax: str  # what Amazon does with tax: none, withheld (its own), on_top (the seller's)


REGIONS = {
    "UK": Region(UK, "GB", "GBP", "OUTPUT2", "none"),
    "FR": Region(UK, "FR", "GBP", "ZERORATEDOUTPUT", "none"),
    "US": Region(US, "US", "USD", "NONE", "withheld"),
    "CA": Region(CA, "CA", "CAD", "TAX001", "on_top"),
    "CA0": Region(CA, "CA", "CAD", "NONE", "none"),
    "DE": Region(DE, "DE", "EUR", "TAX003", "none"),
}


@dataclass(frozen=True)
class Item:
    """Amounts in the order's currency for the whole quantity; `discount` is positive.

    `tax_off_by` is what Amazon's tax differs from Xero's sum of taxes rounded by line; `discount_sign` is Amazon's.
    """

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


@dataclass(frozen=True)
class Expected:
    """What one version of an order asks of the books. `status` None: no invoice may stand.

    `lines` are (account, tax type, amount) without the rounding line; `refusals` the reasons for which a person is
    needed as long as this version is the newest, empty when it can be booked. `too_late_if_paid`: it changes what has
    been shipped before, which Xero refuses once the invoice is paid.
    """

    status: str | None
    currency: str = ""
    total: Decimal = Decimal(0)
    lines: tuple[tuple[str, str, Decimal], ...] = ()
    date: str | None = None
    refusals: frozenset[str] = frozenset()
    too_late_if_paid: bool = False


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


def histories(rng: random.Random, began: datetime, count: int, length: float) -> list[OrderHistory]:
    return [_history(rng, began, number, length) for number in range(1, count + 1)]


def _history(rng: random.Random, began: datetime, number: int, length: float) -> OrderHistory:
    order_id = f"{rng.choice(('026', '204', '701'))}-{number:07}-{rng.randrange(10**7):07}"
    region = REGIONS[rng.choice(("UK",) * 5 + ("US", "US", "FR", "CA", "CA", "CA0", "DE"))]
    made = OrderHistory(order_id, region)
    at = rng.random() * length * 0.7
    gaps = (1.0, 5.0, 20.0, 40.0, 130.0, 400.0, *([1500.0] * (length > 1000)))
    created = began + timedelta(seconds=int(at))
    items = [_item(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8)))]
    merchant = rng.random() < 0.5  # ships by itself and tells Amazon when; FBA orders name no packages
    shipped: datetime | None = None
    for status, odd in _path(rng):
        at = float(int(at + rng.choice(gaps) * (0.5 + rng.random())))  # Amazon's times are whole seconds
        updated = began + timedelta(seconds=at)
        changes_shipped = odd == "content" and shipped is not None
        if odd == "content":
            items = [_item(rng) for _ in items]
        if status in ("SHIPPED", "PARTIALLY_SHIPPED") and shipped is None:
            shipped = updated - timedelta(minutes=30)
        raw, expected = _version(order_id, region, created, updated, status, items, odd, shipped if merchant else None)
        made.versions.append(Version(at, raw, replace(expected, too_late_if_paid=changes_shipped)))
        at += 1
    return made


def _path(rng: random.Random) -> list[tuple[str, str]]:
    """States of an order in time, each with what is odd about that version."""
    path: list[tuple[str, str]] = []
    if rng.random() < 0.7:
        path.append(("PENDING", ""))
    end = rng.choice(("SHIPPED",) * 6 + ("CANCELLED",) * 2 + ("PARTIALLY_SHIPPED", "UNSHIPPED"))
    if path and end == "CANCELLED" and rng.random() < 0.3:
        return [*path, ("CANCELLED", "")]
    odd = rng.random()
    if odd < 0.06:
        path.append(("UNSHIPPED", "unpriced"))
    elif odd < 0.16:
        path.append(("UNSHIPPED", "wrong_total"))
        if rng.random() < 0.4:
            return path  # nobody ever corrects it
    if rng.random() < 0.85:
        path.append(("UNSHIPPED", ""))
    path += [("UNSHIPPED", "content")] * rng.choice((0, 0, 0, 1, 2))
    if end == "PARTIALLY_SHIPPED":
        path += [(end, ""), ("SHIPPED", "")][: rng.choice((1, 2))]
    else:
        path.append((end, ""))
    if end == "SHIPPED":
        path += [("SHIPPED", "touched")] * (rng.random() < 0.15)
        path += [("SHIPPED", "content")] * (rng.random() < 0.03)
    return path


def _item(rng: random.Random) -> Item:
    quantity = rng.choice((1, 1, 1, 2, 3, 7))
    goods = Decimal(rng.randrange(300, 20000)) / 100
    return Item(
        goods,
        quantity,
        Decimal(rng.randrange(100, 900)) / 100 if rng.random() < 0.4 else Decimal(0),
        Decimal("2.99") if rng.random() < 0.15 else Decimal(0),
        (goods * rng.randrange(1, 40) / 100).quantize(Decimal("0.01")) if rng.random() < 0.3 else Decimal(0),
        Decimal("0.01") if rng.random() < 0.1 else Decimal(0),
        rng.choice((1, -1)),
    )


def _version(
    order_id: str,
    region: Region,
    created: datetime,
    updated: datetime,
    status: str,
    items: list[Item],
    odd: str,
    ship_time: datetime | None,
) -> tuple[dict[str, Any], Expected]:
    lines = tuple(line for one in items for line in one.lines(region.tax_type))
    net = sum((amount for _, _, amount in lines), Decimal(0))
    raw_items, tax = [], Decimal(0)
    for position, one in enumerate(items):
        raw, item_tax = _raw_item(one, region, position)
        raw_items.append(raw)
        tax += item_tax
    priced = status not in ("PENDING", "CANCELLED") and odd != "unpriced"
    if not priced:
        for raw in raw_items:
            raw.pop("proceeds", None)
    grand = net + tax + (1 if odd == "wrong_total" else 0)
    shipped = status in ("SHIPPED", "PARTIALLY_SHIPPED")
    packages = [{"packageReferenceId": "1", "shipTime": _iso(ship_time)}] if shipped and ship_time else None
    raw_order = order(
        *raw_items,
        grand_total=str(grand) if priced else None,
        status=status,
        order_id=order_id,
        marketplace=region.marketplace,
        currency=region.currency,
        created=_iso(created),
        updated=_iso(updated),
        ship_to=region.ship_to,
        **({"packages": packages} if packages else {}),
    )
    booked = {"UNSHIPPED": "DRAFT", "SHIPPED": "AUTHORISED", "PARTIALLY_SHIPPED": "AUTHORISED"}.get(status)
    expected = Expected(None)
    if booked and priced:
        expected = Expected(
            booked,
            region.currency,
            net + (tax if region.tax == "on_top" else 0),
            lines,
            # All of it happens in a British winter, where local time is UTC.
            (ship_time.date().isoformat() if ship_time else None) if shipped else created.date().isoformat(),
        )
    if odd == "wrong_total":
        expected = replace(expected, refusals=frozenset({"ORDER_TOTAL_DIFFERS"}))
    return raw_order, expected


def _raw_item(one: Item, region: Region, position: int) -> tuple[dict[str, Any], Decimal]:
    tax = Decimal(0)
    if region.tax == "withheld":
        tax = (one.goods * Decimal("0.08")).quantize(Decimal("0.01"))
    elif region.tax == "on_top":
        tax = sum((_cents(amount * 5 / 100) for _, _, amount in one.lines("")), one.tax_off_by)
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
        item_id=f"{position + 1:014}",
    )
    raw["product"]["price"] = {"unitPrice": money(str(one.goods), region.currency)}
    return raw, tax


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
