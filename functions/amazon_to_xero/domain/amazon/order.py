"""An order as Amazon states it, with amounts that are checked to add up (Amazon: Orders API v2026-01-01, Order).

What an amount is booked as is not decided here; see `domain.planning.sale`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.amazon.business_buyer import STORED_AS, BuyerReference
from amazon_to_xero.domain.amazon.package import Package, read_package
from amazon_to_xero.domain.amazon.proceeds import money_in, read_proceeds, stated, totals_differ
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, InvalidAmount, total
from amazon_to_xero.domain.timestamps import parse_timestamp


class Charge(StrEnum):
    """What the buyer was charged for: Amazon's types of proceeds of an item, and the tip, which belongs to an order."""

    ITEM = "ITEM"
    SHIPPING = "SHIPPING"
    GIFT_WRAP = "GIFT_WRAP"
    COD_FEE = "COD_FEE"
    OTHER = "OTHER"  # also every type that is not in this list
    DELIVERY_TIP = "DELIVERY_TIP"


class Fulfilment(StrEnum):
    """Amazon's fulfillmentStatus."""

    PENDING_AVAILABILITY = "PENDING_AVAILABILITY"
    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    INVOICE_UNCONFIRMED = "INVOICE_UNCONFIRMED"  # shipped; the seller has not yet uploaded the buyer's invoice
    CANCELLED = "CANCELLED"
    UNFULFILLABLE = "UNFULFILLABLE"


NOT_YET_PRICED = frozenset({Fulfilment.PENDING, Fulfilment.PENDING_AVAILABILITY})
SHIPPED_AT_LEAST_IN_PART = frozenset({Fulfilment.PARTIALLY_SHIPPED, Fulfilment.SHIPPED, Fulfilment.INVOICE_UNCONFIRMED})
# Amazon states the amounts of these orders incompletely or not at all.
# How Amazon names the order that this one replaces, or that its items are exchanged for.
_REPLACES = ("REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID")
_WITHOUT_AMOUNTS = NOT_YET_PRICED | {Fulfilment.CANCELLED, Fulfilment.UNFULFILLABLE}


@dataclass(frozen=True)
class TaxCollection:
    """How Amazon says that the tax on an item is collected, in Amazon's words; empty where it gives none.

    model: e.g. MARKETPLACE_FACILITATOR.
    responsible_party: who remits the tax, e.g. Amazon Services, Inc.
    """

    model: str = ""
    responsible_party: str = ""


@dataclass(frozen=True)
class OrderItem:
    """One item of an order. Amounts are in the order's currency and for the whole quantity.

    item_id: Amazon's orderItemId.
    sku, title: the seller's SKU and the product's title; empty where Amazon gives none.
    quantity: how many are sold: those that are fulfilled or open; those ordered where Amazon does not state that.
    total: Amazon's proceedsTotal: the charges less the discounts, plus the tax if it is exclusive.
    charges: charge -> amount.
    discounts: the charge that is discounted -> amount, negative whichever sign Amazon used.
    taxes: Amazon's name of what the tax is for (ITEM, SHIPPING, DISCOUNT …) -> tax.
    tax: the sum of the taxes.
    tax_exclusive: the charges exclude the tax; False also where there is no tax.
    tax_stated: Amazon states a tax, be it 0.00.
    tax_detailed: Amazon states what each part of the tax is for.
    collections: how the tax is collected, one for each kind of tax; who owes it is decided in `domain.tax.liability`.
    schemes: schemes under which the tax is reported, in Amazon's words: UOSS, IOSS, GB_VOEC …
    shipped: how many of the quantity have shipped, as far as Amazon states it.
    withheld: tax that the marketplace withholds beside the seller's, where the order states both in one amount and its
        charges show it; no part of taxes, tax and total; see `domain.planning.split_tax`. Amazon never states it.
    charged_collection: the collection model by which the tax was charged, where the order leaves it unclear and the
        order's charges show it; see `domain.planning.charged_tax`. Amazon's order never states it.
    """

    item_id: str
    sku: str
    title: str
    quantity: int
    total: Decimal
    charges: Mapping[Charge, Decimal]
    discounts: Mapping[Charge, Decimal]
    taxes: Mapping[str, Decimal]
    tax: Decimal
    tax_exclusive: bool
    tax_stated: bool = False
    tax_detailed: bool = False
    collections: tuple[TaxCollection, ...] = ()
    schemes: frozenset[str] = frozenset()
    shipped: int = 0
    charged_collection: str = ""
    withheld: Decimal = ZERO

    @property
    def has_amounts(self) -> bool:
        """Whether anything of it is booked: a cancelled item may have no amounts, or only amounts of 0."""
        return any((*self.charges.values(), *self.discounts.values(), self.tax))

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing in all, e.g. because its discounts are as much as its price."""
        return not total((*self.charges.values(), *self.discounts.values())) and not self.tax


@dataclass(frozen=True)
class Order:
    """An Amazon order.

    order_id: e.g. 026-1234567-1234567.
    created, updated: when the buyer placed it, and Amazon's lastUpdatedTime, its version (both UTC).
    status: Amazon's fulfillmentStatus.
    sold_on_amazon: False for multi-channel fulfilment: Amazon only delivers what was sold elsewhere.
    marketplace_id: Amazon's id of the marketplace; empty where Amazon gives none.
    replaces: id of the order that this one is a replacement for, or an exchange.
    currency: ISO code of all its amounts; None where there are none.
    grand_total: what the buyer pays in all; 0 where Amazon states 0 for every item and no total (Vine); None where it
        states no amounts, and for an order that is not sold on Amazon, pending, cancelled or unfulfillable.
    tip: the delivery tip in the grand total; 0 while the tip is pending.
    ship_to_country, ship_to_region: ISO country code and state or province of the destination, in Amazon's spelling;
        empty where Amazon gives none.
    packages: the packages that the seller ships; empty where Amazon ships (FBA).
    items: empty wherever grand_total is None by status or sales channel.
    programs: Amazon's programs that the order takes part in: AMAZON_BUSINESS, PRIME …
    fulfilled_by: who ships it, in Amazon's words: AMAZON or MERCHANT; empty where Amazon gives nobody.
    buyer_references: what a business buyer gave it for its own books, as far as it may be stored.
    """

    order_id: str
    created: datetime
    updated: datetime
    status: Fulfilment
    sold_on_amazon: bool
    marketplace_id: str
    replaces: str | None
    currency: str | None
    grand_total: Decimal | None
    tip: Decimal
    ship_to_country: str
    ship_to_region: str
    packages: tuple[Package, ...]
    items: tuple[OrderItem, ...]
    programs: frozenset[str] = frozenset()
    fulfilled_by: str = ""
    buyer_references: Mapping[BuyerReference, str] = field(default_factory=dict)

    @property
    def business(self) -> bool:
        """Whether a business bought it (Amazon Business)."""
        return "AMAZON_BUSINESS" in self.programs


def last_updated(raw: Mapping[str, Any]) -> datetime:
    """Return the version of an order, its lastUpdatedTime (UTC). Raises Failure with ORDER_MALFORMED."""
    try:
        return parse_timestamp(raw.get("lastUpdatedTime"), "lastUpdatedTime")
    except ValueError as problem:
        raise _malformed(str(problem)) from None


def parse_order(raw: Mapping[str, Any]) -> Order:
    """Return the order in Amazon's Order object, whose amounts are decimal strings.

    Raises Failure with ORDER_MALFORMED, MIXED_CURRENCIES or UNKNOWN_STATUS, or with DETAIL_DIFFERS, ITEM_TOTAL_DIFFERS
    or ORDER_TOTAL_DIFFERS where parts do not add up to the total that Amazon states.
    """
    try:
        return _read_order(raw)
    except (InvalidAmount, ValueError) as problem:
        raise _malformed(str(problem)) from None
    except KeyError as problem:
        raise _malformed(f"{problem} is missing") from None
    except (TypeError, AttributeError):
        raise _malformed("a field has another type than documented") from None


def _malformed(problem: str) -> Failure:
    return Failure(
        FailureCode.ORDER_MALFORMED,
        f"Amazon's order does not have the documented shape: {problem}. "
        "Check the order in Seller Central and enter it in Xero manually.",
    )


def _read_order(raw: Mapping[str, Any]) -> Order:
    channel = stated(raw, "salesChannel")
    sold_on_amazon = _is_sold_on_amazon(channel["channelName"])
    currencies = sorted(_currencies([raw.get("proceeds"), raw.get("orderItems")]))
    if len(currencies) > 1:
        raise Failure(
            FailureCode.MIXED_CURRENCIES,
            f"The order's amounts are in {' and '.join(currencies)}. Enter the order in Xero manually.",
        )
    currency = currencies[0] if currencies else None
    status = _read_status(stated(raw, "fulfillment")["fulfillmentStatus"])
    address = (raw.get("recipient") or {}).get("deliveryAddress") or {}
    items: tuple[OrderItem, ...] = ()
    grand_total, tip = None, ZERO
    if sold_on_amazon and status not in _WITHOUT_AMOUNTS:
        items = tuple(_read_item(item, currency or "") for item in stated(raw, "orderItems"))
        grand_total, tip = _read_totals(raw.get("proceeds") or {}, items, currency or "")
        if grand_total is None and _is_stated_free(raw["orderItems"], items):
            grand_total = ZERO
    replaced = [
        other.get("orderId") for other in raw.get("associatedOrders") or () if other.get("associationType") in _REPLACES
    ]
    return Order(
        order_id=raw["orderId"],
        created=parse_timestamp(raw["createdTime"], "createdTime"),
        updated=last_updated(raw),
        status=status,
        sold_on_amazon=sold_on_amazon,
        marketplace_id=channel.get("marketplaceId") or "",
        replaces=replaced[0] if replaced else None,
        currency=currency,
        grand_total=grand_total,
        tip=tip,
        ship_to_country=address.get("countryCode") or "",
        ship_to_region=address.get("stateOrRegion") or "",
        packages=tuple(read_package(package) for package in raw.get("packages") or ()),
        items=items,
        programs=frozenset(raw.get("programs") or ()),
        fulfilled_by=_text(raw["fulfillment"], "fulfilledBy"),
        buyer_references={BuyerReference(name): text for name, text in (raw.get(STORED_AS) or {}).items()},
    )


def _is_sold_on_amazon(channel: Any) -> bool:
    """Whether it is Amazon's sale; False for multi-channel fulfilment. Raises ValueError for another channel."""
    known = {"AMAZON": True, "NON_AMAZON": False}
    name = str(channel).strip().upper().replace("-", "_").replace(" ", "_")
    if name not in known:
        raise ValueError(f"salesChannel.channelName {channel!r} is not documented")
    return known[name]


def _currencies(value: Any) -> set[str]:
    """Return every currencyCode in proceeds. Unit prices and points are only shown to buyers, not charged."""
    found: set[str] = set()
    unread = [value]
    while unread:
        part = unread.pop()
        if isinstance(part, list):
            unread += part
        elif isinstance(part, dict):
            if isinstance(part.get("currencyCode"), str):
                found.add(part["currencyCode"])
            unread += [inner for name, inner in part.items() if name not in ("product", "expense")]
    return found


def _read_status(text: Any) -> Fulfilment:
    try:
        return Fulfilment(text)
    except ValueError:
        raise Failure(
            FailureCode.UNKNOWN_STATUS,
            f"Amazon reports the fulfillmentStatus {text!r}, which is not documented. "
            "Check the order in Seller Central and enter it in Xero manually.",
        ) from None


def _quantity(raw: Mapping[str, Any]) -> int:
    """Return how many of an item are sold: what was fulfilled and what is still open. The rest was cancelled."""
    ordered, fulfilment = int(raw["quantityOrdered"]), raw.get("fulfillment") or {}
    fulfilled, still_open = fulfilment.get("quantityFulfilled"), fulfilment.get("quantityUnfulfilled")
    if fulfilled is None or still_open is None:
        return ordered
    return min(ordered, int(fulfilled) + int(still_open))


def _read_totals(
    proceeds: Mapping[str, Any], items: tuple[OrderItem, ...], currency: str
) -> tuple[Decimal | None, Decimal]:
    """Return the grand total and the tip in it. A tip that is pending is not yet part of the grand total."""
    tips = [breakdown for breakdown in proceeds.get("breakdowns") or () if breakdown["type"] == Charge.DELIVERY_TIP]
    tip = total(money_in(breakdown, "subtotal", "proceeds.DELIVERY_TIP") for breakdown in tips)
    items_total = total(item.total for item in items)
    if not proceeds.get("grandTotal"):
        return None, ZERO
    grand_total = money_in(proceeds, "grandTotal", "proceeds.grandTotal")
    if grand_total and not items:
        raise ValueError(f"orderItems is empty although Amazon's grand total is {grand_total} {currency}")
    if grand_total == items_total + tip:
        return grand_total, tip
    if grand_total == items_total and any(breakdown.get("status") == "PENDING" for breakdown in tips):
        return grand_total, ZERO
    raise totals_differ(
        FailureCode.ORDER_TOTAL_DIFFERS,
        f"The items add up to {items_total} {currency}{f' and a tip of {tip} {currency}' if tip else ''}, "
        f"Amazon's grand total is {grand_total} {currency}.",
    )


def _is_stated_free(raw_items: Sequence[Mapping[str, Any]], items: Sequence[OrderItem]) -> bool:
    """Whether Amazon states a total of 0 for every item: an amount that it does not state yet is no 0."""
    is_stated = all((item.get("proceeds") or {}).get("proceedsTotal") for item in raw_items)
    return bool(items) and is_stated and all(item.total == ZERO for item in items)


def _read_item(raw: Mapping[str, Any], currency: str) -> OrderItem:
    item_id = raw["orderItemId"]
    proceeds = read_proceeds(item_id, raw.get("proceeds") or {}, currency)
    product, taxation = raw.get("product") or {}, raw.get("tax") or {}
    return OrderItem(
        item_id=item_id,
        sku=product.get("sellerSku") or "",
        title=product.get("title") or "",
        quantity=_quantity(raw),
        total=proceeds.total,
        charges=_by_charge(proceeds.charges),
        discounts=_by_charge(proceeds.discounts),
        taxes=proceeds.taxes,
        tax=proceeds.tax,
        tax_exclusive=proceeds.tax_exclusive,
        tax_stated=proceeds.tax_stated,
        tax_detailed=proceeds.tax_detailed,
        collections=tuple(
            TaxCollection(_text(each, "model"), _text(each, "responsibleParty"))
            for each in taxation.get("taxCollections") or ()
        ),
        schemes=frozenset(
            scheme
            for part in taxation.get("taxCalculationBreakdowns") or ()
            if (scheme := _text(part, "reportingScheme"))
        ),
        shipped=int((raw.get("fulfillment") or {}).get("quantityFulfilled") or 0),
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    """Return a field's text, empty where it is missing or null. Raises ValueError for anything else."""
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} should be a text and is {type(value).__name__}")
    return (value or "").strip()


def _by_charge(amounts: Mapping[str, Decimal]) -> Mapping[Charge, Decimal]:
    by_charge: dict[Charge, Decimal] = {}
    for name, value in amounts.items():
        charge = Charge(name) if name in Charge else Charge.OTHER
        by_charge[charge] = by_charge.get(charge, ZERO) + value
    return by_charge
