"""What Amazon states in a case of accounting_cases, from its short form to the shapes of Amazon's APIs.

The short form is explained in the first lines of accounting_cases/settings.toml. Nothing of the product is used here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fakes.orders import breakdown, item, money, order
from fakes.refunds import item_refund, refund

type Case = Mapping[str, Any]

ORDER_ID = "A"
PLACED, SHIPPED = "2026-11-03 10:00", "2026-11-04 10:00"
SKU_OF_ALL = "*"  # an amount of a transaction that names no item
_ITEM = re.compile(
    r"(?P<sku>\S+) (?P<quantity>\d+)(?: \((?P<fulfilled>\d+) fulfilled, (?P<open>\d+) open\))?"
    r"(?: (?P<parts>.+) = (?P<total>\S+))?(?: \[(?P<said>.*)\])?"
)
_PACKAGE = re.compile(r"(?P<reference>\S+) (?P<shipped>\S+ \S+): (?P<content>.+)")
_LEAVES = {
    "ITEM": "OurPrice",
    "SHIPPING": "Shipping",
    "GIFT_WRAP": "GiftWrap",
    "COD_FEE": "CodFee",
    "TIP": "Tip",
    "GOODWILL": "Goodwill",
    "RESTOCKING": "RestockingDeduction",
    "RETURN_SHIPPING": "ReturnShippingDeduction",
}
_SUPPORTED = frozenset(
    (
        *("tip", "business", "channel", "replaces", "exchanges", "fulfilled_by", "purchase_order", "vat_number"),
        *("points", "grand_total", "total_currency"),
    )
)


@dataclass(frozen=True)
class Place:
    """Where an order is sold: id and currency of the marketplace, and the destination's country and region."""

    marketplace_id: str
    currency: str
    country: str
    region: str = ""


def moment(text: str) -> datetime:
    """Return the time in "2026-11-04 10:00", which is in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def order_version(case: Case, statement: Mapping[str, Any], place: Place, at: datetime) -> dict[str, Any]:
    """Return the order as Amazon states it at that time.

    statement: `items`, `status`, `order` and `packages`; what it lacks is as the case states it.
    """
    stated = {**case, **statement}
    more = stated.get("order", {})
    unknown = more.keys() - _SUPPORTED
    assert not unknown, f"{case['name']}: order has {sorted(unknown)}"
    items = [item_of(text, str(number), place.currency) for number, text in enumerate(stated["items"], 1)]
    tip = Decimal(more.get("tip", "0"))
    totals = [Decimal(each["proceeds"].get("proceedsTotal", {}).get("amount", 0)) for each in items]
    raw = order(
        *items,
        grand_total=more.get("grand_total", str(sum(totals, tip))),
        order_id=ORDER_ID,
        status=stated.get("status", "SHIPPED"),
        marketplace=place.marketplace_id,
        currency=more.get("total_currency", place.currency),
        ship_to=place.country,
        created=_text(moment(case.get("placed", PLACED))),
        updated=_text(at),
    )
    if tip:
        raw["proceeds"]["breakdowns"] = [{"type": "DELIVERY_TIP", "subtotal": money(str(tip), place.currency)}]
    if more.get("grand_total") == "" or not any(each["proceeds"] for each in items):
        raw.pop("proceeds")
    raw["recipient"]["deliveryAddress"]["stateOrRegion"] = place.region
    raw["packages"] = [_package(text) for text in stated.get("packages", ())]
    _add_details(raw, more)
    return raw


def item_of(text: str, item_id: str, currency: str) -> dict[str, Any]:
    """Return Amazon's item in "TEA 2 ITEM 24.00, TAX 4.00 (ITEM 4.00) = 24.00 [model M, party P, scheme S]"."""
    found = _ITEM.fullmatch(text)
    assert found is not None, text
    breakdowns = [_breakdown(part, currency) for part in (found["parts"] or "").split(", ") if part]
    made = item(found["total"] or "0", *breakdowns, currency=currency, item_id=item_id)
    made |= {"quantityOrdered": int(found["quantity"]), "product": {"sellerSku": found["sku"], "title": found["sku"]}}
    if not found["parts"]:
        made["proceeds"] = {}
    if found["open"]:
        made["fulfillment"] = {"quantityFulfilled": int(found["fulfilled"]), "quantityUnfulfilled": int(found["open"])}
    tax = _taxation(found["said"] or "")
    return made | ({"tax": tax} if tax else {})


def transaction(kind: str, number: int, text: str, currency: str, at: datetime) -> dict[str, Any]:
    """Return the transaction of "TEA: ITEM 25.00, ITEM tax 5.00; MUG: SHIPPING 2.00", of a type such as Shipment.

    Amounts are what the buyer pays in a Shipment, and what the buyer gets in anything else.
    """
    sign = 1 if kind == "Shipment" else -1
    items = []
    for part in text.split("; "):
        sku, _, amounts = part.rpartition(": ")
        leaves = dict(_leaves(amounts, sign))
        items.append(item_refund("" if sku in ("", SKU_OF_ALL) else sku, currency, **leaves))
    transaction_id = f"{'C' if kind == 'Shipment' else ''}{number}"
    return refund(transaction_id, *items, order_id=ORDER_ID, posted=at, kind=kind, currency=currency)


def _leaves(text: str, sign: int) -> Iterator[tuple[str, str]]:
    """Yield Amazon's breakdown types with the amounts of "ITEM 25.00, ITEM tax 5.00, ITEM_DISCOUNT -2.50"."""
    for part in text.split(", "):
        name, amount = part.rsplit(" ", 1)
        if name == "withheld":
            yield "MarketplaceFacilitatorVAT__Principal", str(-sign * Decimal(amount))
            continue
        subject, is_tax = name.removesuffix(" tax"), name.endswith(" tax")
        if subject.removesuffix("_DISCOUNT") not in _LEAVES:
            yield subject, str(sign * Decimal(amount))
        elif subject.endswith("_DISCOUNT"):
            yield f"{_LEAVES[subject.removesuffix('_DISCOUNT')]}{'Tax' * is_tax}Discount", str(sign * Decimal(amount))
        else:
            yield f"{_LEAVES[subject]}{'Tax' if is_tax else 'Principal'}", str(sign * Decimal(amount))


def _breakdown(text: str, currency: str) -> dict[str, Any]:
    head, _, detail = text.partition(" (")
    kind, amount = head.split()
    words = detail.rstrip(")").split()
    return breakdown(kind, amount, currency, **dict(zip(words[::2], words[1::2], strict=True)))


def _taxation(text: str) -> dict[str, Any]:
    """Return an item's tax object in "model M, party P, scheme S"; each model begins another collection."""
    tax: dict[str, Any] = {}
    for said in text.split(", "):
        word, _, value = said.partition(" ")
        collections = tax.setdefault("taxCollections", []) if word in ("model", "party") else []
        if word == "model" or (word == "party" and not collections):
            collections.append({})
        if word in ("model", "party") and value:
            collections[-1]["model" if word == "model" else "responsibleParty"] = value
        if word == "scheme":
            tax.setdefault("taxCalculationBreakdowns", []).append({"reportingScheme": value})
    return tax


def _package(text: str) -> dict[str, Any]:
    """Return the package in "P1 2026-11-04 10:00: 2 of 1, 1 of 2": quantities of the first and the second item."""
    found = _PACKAGE.fullmatch(text)
    assert found is not None, text
    content = [each.split(" of ") for each in found["content"].split(", ")]
    return {
        "packageReferenceId": found["reference"],
        "packageStatus": {"status": "SHIPPED"},
        "shipTime": _text(moment(found["shipped"])),
        "packageItems": [{"orderItemId": number, "quantity": int(quantity)} for quantity, number in content],
    }


def _add_details(raw: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add what a case states about the order itself; see settings.toml."""
    if more.get("business"):
        raw["programs"] = ["AMAZON_BUSINESS"]
        raw["buyer"] |= {"buyerCompanyName": "Example Trading"}
    if "purchase_order" in more:
        raw["buyer"]["buyerPurchaseOrderNumber"] = more["purchase_order"]
    if "vat_number" in more:
        raw["tax"] = {"taxRegistrations": [{"entityType": "BUYER", "taxRegistrationNumber": more["vat_number"]}]}
    if "channel" in more:
        raw["salesChannel"]["channelName"] = more["channel"]
    if "fulfilled_by" in more:
        raw["fulfillment"]["fulfilledBy"] = more["fulfilled_by"]
    kinds = {"replaces": "REPLACEMENT_ORIGINAL_ID", "exchanges": "EXCHANGE_ORIGINAL_ID"}
    raw["associatedOrders"] = [
        {"orderId": more[name], "associationType": kind} for name, kind in kinds.items() if name in more
    ]
    if "points" in more:
        points = {"pointsNumber": int(more["points"]), "pointsMonetaryValue": money(more["points"], "JPY")}
        raw["orderItems"][0]["expense"] = {"pointsCost": {"pointsGranted": points}}


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
