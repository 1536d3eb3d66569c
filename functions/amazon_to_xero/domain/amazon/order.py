"""An Amazon order as a bookkeeper reads it (Amazon: Orders API v2026-01-01, Order)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.money import ZERO, InvalidAmount, amount, total
from amazon_to_xero.domain.timestamps import parse_timestamp


class Charge(StrEnum):
    """What the buyer was charged for. The first five are Amazon's proceeds types; a tip is charged per order."""

    ITEM = "ITEM"
    SHIPPING = "SHIPPING"
    GIFT_WRAP = "GIFT_WRAP"
    COD_FEE = "COD_FEE"
    OTHER = "OTHER"
    DELIVERY_TIP = "DELIVERY_TIP"


class Fulfilment(StrEnum):
    """Amazon's fulfillmentStatus, as far as it decides what to book."""

    PENDING_AVAILABILITY = "PENDING_AVAILABILITY"
    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    INVOICE_UNCONFIRMED = "INVOICE_UNCONFIRMED"  # shipped, the buyer's own invoice still missing
    CANCELLED = "CANCELLED"
    UNFULFILLABLE = "UNFULFILLABLE"


NOT_YET_PRICED = frozenset({Fulfilment.PENDING, Fulfilment.PENDING_AVAILABILITY})
SHIPPED_AT_LEAST_IN_PART = frozenset({Fulfilment.PARTIALLY_SHIPPED, Fulfilment.SHIPPED, Fulfilment.INVOICE_UNCONFIRMED})


NOT_BOOKABLE = NOT_YET_PRICED | {Fulfilment.CANCELLED, Fulfilment.UNFULFILLABLE}


@dataclass(frozen=True)
class OrderItem:
    """One item. All amounts in the order's currency, for the whole quantity.

    `discounts` and `taxes` are by what they belong to; discounts negative, whichever sign Amazon used.
    `tax_exclusive` says that the charges exclude the tax and the total includes it. `schemes` are the EU schemes that the
    item is reported under, UOSS or IOSS.
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
    collected_by_marketplace: bool
    schemes: frozenset[str] = frozenset()  # UOSS, IOSS: how the tax is reported
    shipped: int = 0  # how many of `quantity` have left, as far as Amazon tells


@dataclass(frozen=True)
class Package:
    """What a merchant sent. `shipped_at` is None while it has not left; `quantities` are by order item id."""

    reference: str
    shipped_at: datetime | None
    quantities: Mapping[str, int]
    carrier: str = ""
    tracking: str = ""


@dataclass(frozen=True)
class Order:
    """`items` is empty and `grand_total` None where nothing can be booked: not priced yet, cancelled, not sold here."""

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
    packages: tuple[Package, ...]  # none where Amazon delivers (FBA)
    items: tuple[OrderItem, ...]
    programs: frozenset[str] = frozenset()  # AMAZON_BUSINESS, PRIME, …

    @property
    def business(self) -> bool:
        return "AMAZON_BUSINESS" in self.programs


def last_updated(raw: Mapping[str, Any]) -> datetime:
    """The version of an order. Raises Failure when Amazon's object has none."""
    try:
        return parse_timestamp(raw.get("lastUpdatedTime"), "lastUpdatedTime")
    except ValueError as problem:
        raise _malformed(str(problem)) from None


def parse_order(raw: Mapping[str, Any]) -> Order:
    """Amazon's Order object (amounts as decimal strings) as an Order.

    Raises Failure with ORDER_MALFORMED (field, kind and cure), MIXED_CURRENCIES, UNKNOWN_STATUS, or one of the
    TOTAL_DIFFERS family when an item's parts do not add up to what Amazon calls its total.
    """
    try:
        return _read_order(raw)
    except (InvalidAmount, ValueError) as problem:
        raise _malformed(str(problem)) from None
    except (KeyError, TypeError, AttributeError) as problem:
        what = str(problem) if isinstance(problem, KeyError) else "a part of another shape than documented"
        raise _malformed(f"{what} is missing or of another kind than documented") from None


def _malformed(problem: str) -> Failure:
    return Failure(
        FailureCode.ORDER_MALFORMED,
        f"Amazon's order is not as documented: {problem}. Compare getOrder with the API model.",
    )


def _read_order(raw: Mapping[str, Any]) -> Order:
    sold_on_amazon = raw["salesChannel"]["channelName"] == "AMAZON"
    currencies = sorted(_currencies(raw.get("proceeds")) | _currencies(raw["orderItems"]))
    if len(currencies) > 1:
        raise Failure(
            FailureCode.MIXED_CURRENCIES, f"the order's amounts are in {' and '.join(currencies)}; book it by hand"
        )
    try:
        status = Fulfilment(raw["fulfillment"]["fulfillmentStatus"])
    except ValueError:
        raise Failure(
            FailureCode.UNKNOWN_STATUS,
            f"fulfillmentStatus {raw['fulfillment']['fulfillmentStatus']!r} is new; book the order by hand",
        ) from None
    address = (raw.get("recipient") or {}).get("deliveryAddress") or {}
    items: tuple[OrderItem, ...] = ()
    grand_total, tip = None, ZERO
    if sold_on_amazon and status not in NOT_BOOKABLE:
        # Amounts of other orders are incomplete or missing, and nothing is booked of them: they are not even read.
        items = tuple(_read_item(item) for item in raw["orderItems"])
        grand_total, tip = _order_totals(raw.get("proceeds") or {}, items)
    replaced = [
        other.get("orderId")
        for other in raw.get("associatedOrders") or ()
        if other.get("associationType") == "REPLACEMENT_ORIGINAL_ID"
    ]
    return Order(
        order_id=raw["orderId"],
        created=parse_timestamp(raw["createdTime"], "createdTime"),
        updated=last_updated(raw),
        status=status,
        sold_on_amazon=sold_on_amazon,
        marketplace_id=raw["salesChannel"].get("marketplaceId") or "",
        replaces=replaced[0] if replaced else None,
        currency=currencies[0] if currencies else None,
        grand_total=grand_total,
        tip=tip,
        ship_to_country=address.get("countryCode") or "",
        ship_to_region=address.get("stateOrRegion") or "",
        packages=tuple(_read_package(package) for package in raw.get("packages") or ()),
        items=items,
        programs=frozenset(raw.get("programs") or ()),
    )


def _read_package(raw: Mapping[str, Any]) -> Package:
    cancelled = (raw.get("packageStatus") or {}).get("status") == "CANCELLED"
    return Package(
        reference=raw.get("packageReferenceId") or "",
        shipped_at=parse_timestamp(raw["shipTime"], "packages.shipTime")
        if raw.get("shipTime") and not cancelled
        else None,
        quantities={part["orderItemId"]: int(part["quantity"]) for part in raw.get("packageItems") or ()},
        carrier=raw.get("carrier") or "",
        tracking=raw.get("trackingNumber") or "",
    )


def _currencies(value: Any) -> set[str]:
    """Every currencyCode beneath proceeds; unit prices and points are shown to buyers, not charged."""
    if isinstance(value, list):
        return set().union(*(_currencies(element) for element in value))
    if not isinstance(value, Mapping):
        return set()
    own = {value["currencyCode"]} if isinstance(value.get("currencyCode"), str) else set()
    inner = (part for name, part in value.items() if name not in ("product", "expense"))
    return own.union(*(_currencies(part) for part in inner))


def _order_totals(proceeds: Mapping[str, Any], items: tuple[OrderItem, ...]) -> tuple[Decimal | None, Decimal]:
    """(grand total, tip charged in it). A tip that is still pending is not yet part of the grand total."""
    tips = [b for b in proceeds.get("breakdowns") or () if b["type"] == Charge.DELIVERY_TIP]
    tip = total(amount(b["subtotal"]["amount"], "proceeds.DELIVERY_TIP") for b in tips)
    of_items = total(item.total for item in items)
    if not proceeds.get("grandTotal"):
        return None, ZERO
    grand = amount(proceeds["grandTotal"]["amount"], "proceeds.grandTotal")
    if grand == of_items + tip:
        return grand, tip
    if grand == of_items and any(b.get("status") == "PENDING" for b in tips):
        return grand, ZERO
    raise Failure(
        FailureCode.ORDER_TOTAL_DIFFERS,
        f"the items add up to {of_items}{f' and a tip of {tip}' if tip else ''}, Amazon's grand total is {grand}; "
        "compare the order in Seller Central, then redrive or book it by hand",
    )


def _read_item(raw: Mapping[str, Any]) -> OrderItem:
    item_id = raw["orderItemId"]
    proceeds = raw.get("proceeds") or {}
    charges: dict[Charge, Decimal] = {}
    discounts: dict[Charge, Decimal] = {}
    taxes: dict[str, Decimal] = {}
    tax = ZERO
    for breakdown in proceeds.get("breakdowns") or ():
        kind, subtotal = breakdown["type"], amount(breakdown["subtotal"]["amount"], f"proceeds.{breakdown['type']}")
        details = {
            part["subtype"]: amount(part["value"]["amount"], f"proceeds.{kind}.{part['subtype']}")
            for part in breakdown.get("detailedBreakdowns") or ()
        }
        if kind == "TAX" and details and total(details.values()) != subtotal and "DISCOUNT" in details:
            # The tax on a discount reduces the tax; like the discount itself it comes with either sign.
            details["DISCOUNT"] = -details["DISCOUNT"]
        if details and total(details.values()) != subtotal:
            raise Failure(
                FailureCode.DETAIL_DIFFERS,
                f"item {item_id}: the parts of {kind} add up to {total(details.values())}, Amazon says {subtotal}; "
                "compare the order in Seller Central, then redrive or book it by hand",
            )
        if kind == "TAX":
            tax += subtotal
            for part, value in (details or {Charge.ITEM.value: subtotal}).items():
                taxes[part] = taxes.get(part, ZERO) + value
        elif kind == "DISCOUNT":
            for part, value in (details or {Charge.ITEM.value: subtotal}).items():
                of = Charge(part) if part in Charge else Charge.OTHER
                discounts[of] = discounts.get(of, ZERO) + value
        else:
            charge = Charge(kind) if kind in Charge else Charge.OTHER
            charges[charge] = charges.get(charge, ZERO) + subtotal
    stated = proceeds.get("proceedsTotal")
    item_total = amount(stated["amount"], "proceeds.proceedsTotal") if stated else ZERO
    signed, on_top = _balance(item_id, total(charges.values()), discounts, tax, item_total)
    product, taxation = raw.get("product") or {}, raw.get("tax") or {}
    return OrderItem(
        item_id=item_id,
        sku=product.get("sellerSku") or "",
        title=product.get("title") or "",
        quantity=int(raw["quantityOrdered"]),
        total=item_total,
        charges=charges,
        discounts=signed,
        taxes=taxes,
        tax=tax,
        tax_exclusive=on_top,
        collected_by_marketplace=any(
            c.get("model") == "MARKETPLACE_FACILITATOR" for c in taxation.get("taxCollections") or ()
        ),
        schemes=frozenset(
            part["reportingScheme"]
            for part in taxation.get("taxCalculationBreakdowns") or ()
            if part.get("reportingScheme")
        ),
        shipped=int((raw.get("fulfillment") or {}).get("quantityFulfilled") or 0),
    )


def _balance(
    item_id: str, charged: Decimal, discounts: Mapping[Charge, Decimal], tax: Decimal, stated: Decimal
) -> tuple[dict[Charge, Decimal], bool]:
    """The discounts as negatives, and whether the tax comes on top of the charges.

    Amazon documents neither the sign of DISCOUNT nor where TAX belongs; what adds up to the stated total is right,
    and what does not add up is never guessed.
    """
    given = total(discounts.values())
    reducing = -1 if given > 0 else 1
    for sign in (reducing, -reducing):
        for on_top in (True, False):
            if charged + sign * given + (tax if on_top else ZERO) == stated:
                return {part: sign * value for part, value in discounts.items()}, on_top and tax != ZERO
    raise Failure(
        FailureCode.ITEM_TOTAL_DIFFERS,
        f"item {item_id}: charges {charged}, discounts {given} and tax {tax} do not add up to Amazon's total {stated}; "
        "compare the order in Seller Central, then redrive or book it by hand",
    )
