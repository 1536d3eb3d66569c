"""The charges that Amazon posts for the shipments of an order: Shipment transactions, derived from the order itself.

Only for a seller folder without transactions. Fees are a commission of 15 %, so that a transaction's total is never the
amount that the buyer paid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.amazon.marketplaces import MARKETPLACES
from sandbox.amazon.times import format_time, parse_time

POSTED_AFTER_SHIPMENT = timedelta(minutes=10)
SELLER_ID = "A1SELLER"
DEFERRED_FOR = timedelta(days=14)  # for a business buyer on invoice

Json = dict[str, Any]
Path = tuple[str, ...]  # breakdown types, from the outermost to the leaf
Leaves = dict[Path, Decimal]

_COMMISSION = Decimal("0.15")
# Type of a breakdown of an order's item -> parent of the leaves, and how their names begin. COD is named by analogy.
_CHARGES = {
    "ITEM": ("ProductCharges", "OurPrice"),
    "SHIPPING": ("Shipping", "Shipping"),
    "GIFT_WRAP": ("Giftwrap", "Giftwrap"),
    "COD_FEE": ("CashOnDelivery", "CashOnDelivery"),
}
_WITHHELD = {
    **dict.fromkeys(("US", "CA", "MX"), "MarketplaceFacilitatorTax"),
    **dict.fromkeys(("AU", "NZ"), "LowValueGoodsTax"),
}
_WITHHELD_NAMES = {"OurPriceTax": "Principal", "ShippingTax": "Shipping", "GiftwrapTax": "Giftwrap"}


def charges_of(versions: Sequence[Mapping[str, Any]], seller_id: str) -> Iterator[Json]:
    """Return the charges of one order, given its versions, oldest first.

    Each version in which more is shipped is charged some minutes later with its share; so is a tip. The charge of a
    business buyer's order is deferred, and is followed by its release and the copy that Amazon posts then.
    """
    shipped: dict[str, int] = {}
    charged: dict[str, Leaves] = {}
    tipped = Decimal(0)
    for order in versions:
        items = list(_charged_items(order, shipped, charged))
        if any(shipped.values()):
            tip = _tip(order)
            # A tip belongs to no item, so the first one has it. Its name is one by analogy.
            items += [(order["orderItems"][0], 0, {("Sales", "Tip", "TipPrincipal"): tip - tipped})] * (tip > tipped)
            tipped = max(tip, tipped)
        if not items:
            continue
        posted = parse_time(order["lastUpdatedTime"]) + POSTED_AFTER_SHIPMENT
        charge = _transaction(order, items, posted, seller_id)
        if "AMAZON_BUSINESS" in (order.get("programs") or ()):
            deferred = charge | {"transactionStatus": "DEFERRED", "contexts": [_deferral(posted + DEFERRED_FOR)]}
            yield deferred
            yield from released(deferred, posted + DEFERRED_FOR)
        else:
            yield charge


def released(deferred: Mapping[str, Any], at: datetime) -> tuple[Json, Json]:
    """Return what the release of a deferred transaction makes of it, and the copy that is posted then."""
    copy_id = _digest(f"release of {deferred['transactionId']}")
    related = list(deferred.get("relatedIdentifiers") or ())
    original = {
        **deferred,
        "transactionStatus": "DEFERRED_RELEASED",
        "relatedIdentifiers": [*related, _related("RELEASE_TRANSACTION_ID", copy_id)],
        "contexts": [_deferral(at)],
    }
    copy = {
        **deferred,
        "transactionId": copy_id,
        "transactionStatus": "RELEASED",
        "postedDate": format_time(at),
        "relatedIdentifiers": [*related, _related("DEFERRED_TRANSACTION_ID", deferred["transactionId"])],
        "contexts": None,
    }
    return original, copy


def refund_of(
    order: Mapping[str, Any],
    items: Sequence[tuple[Mapping[str, Any], int, Leaves]],
    posted: datetime,
    seller_id: str = SELLER_ID,
) -> Json:
    """Return the refund of an order, given its items, how many of each, and what is taken back of the sale.

    The amounts of a refund are negative; what the seller gets back, such as fees, is positive.
    """
    renamed = [
        (item, quantity, {(f"Refunded {path[0]}", *path[1:]): amount for path, amount in leaves.items()})
        for item, quantity, leaves in items
    ]
    refund = _transaction(order, renamed, posted, seller_id)
    refund_id = _digest(f"refund of {refund['transactionId']}")
    return refund | {"transactionId": refund_id, "transactionType": "Refund", "description": "Refund Order"}


def breakdowns_of(leaves: Mapping[Path, Decimal], currency: str) -> list[Json] | None:
    """Return the breakdowns with these leaves, each parent with the sum of its own; None below a leaf."""
    by_parent: dict[str, Leaves] = {}
    for path, amount in leaves.items():
        if path:
            by_parent.setdefault(path[0], {})[path[1:]] = amount
    return [
        {
            "breakdownType": name,
            "breakdownAmount": _money(sum(own.values(), Decimal(0)), currency),
            "breakdowns": breakdowns_of(own, currency),
        }
        for name, own in by_parent.items()
    ] or None


def _charged_items(
    order: Mapping[str, Any], shipped: dict[str, int], charged: dict[str, Leaves]
) -> Iterator[tuple[Mapping[str, Any], int, Leaves]]:
    """Return each item of which more is shipped than before, how many, and its share; remember what is charged."""
    for item in order["orderItems"]:
        item_id, ordered = item["orderItemId"], item["quantityOrdered"]
        quantity = (item.get("fulfillment") or {}).get("quantityFulfilled") or 0
        more = quantity - shipped.get(item_id, 0)
        if more <= 0:
            continue
        before = charged.get(item_id, {})
        due = {path: _rounded(amount * quantity / ordered, amount) for path, amount in sale_of(order, item).items()}
        share = {path: amount - before.get(path, 0) for path, amount in due.items() if amount != before.get(path, 0)}
        shipped[item_id], charged[item_id] = quantity, due
        if share:
            yield item, more, share


def _tip(order: Mapping[str, Any]) -> Decimal:
    breakdowns = (order.get("proceeds") or {}).get("breakdowns") or ()
    tips = (each["subtotal"]["amount"] for each in breakdowns if each["type"] == "DELIVERY_TIP")
    return sum((Decimal(tip) for tip in tips), Decimal(0))


def sale_of(order: Mapping[str, Any], item: Mapping[str, Any]) -> Leaves:
    """Return what the payment of a whole item consists of: what the buyer paid, Amazon's fees, and tax it withholds."""
    leaves: Leaves = {}
    proceeds = item.get("proceeds") or {}
    for breakdown in proceeds.get("breakdowns") or ():
        amount = Decimal(breakdown["subtotal"]["amount"])
        parts = [
            (each["subtype"], Decimal(each["value"]["amount"])) for each in breakdown.get("detailedBreakdowns", ())
        ]
        match breakdown["type"]:
            case "TAX":
                for part, tax in parts or [("ITEM", amount)]:
                    leaves["Sales", "Tax", f"{_CHARGES[part][1]}Tax"] = tax
            case "DISCOUNT":
                for part, discount in parts or [("ITEM", amount)]:
                    leaves["Sales", "PromotionalRebates", f"{_CHARGES[part][1]}Discount"] = -abs(discount)
            case charge if charge in _CHARGES:
                parent, name = _CHARGES[charge]
                leaves["Sales", parent, f"{name}Principal"] = amount
    sale = sum((amount for path, amount in leaves.items() if path[1] != "Tax"), Decimal(0))
    if sale and sale == Decimal((proceeds.get("proceedsTotal") or {}).get("amount") or 0):
        leaves = _without_included_tax(leaves)
    if (item.get("tax") or {}).get("taxCollections"):
        leaves |= _withheld(order, leaves)
    if sale:
        leaves["Expenses", "AmazonFees", "Commission"] = -_rounded(sale * _COMMISSION, sale)
    return {path: amount for path, amount in leaves.items() if amount}


def _without_included_tax(leaves: Leaves) -> Leaves:
    """Return the leaves of prices that include their tax: a payment states price and tax apart."""
    tax = {path[2].removesuffix("Tax"): amount for path, amount in leaves.items() if path[1] == "Tax"}
    return {
        path: amount - (tax.get(path[2].removesuffix("Principal"), 0) if path[2].endswith("Principal") else 0)
        for path, amount in leaves.items()
    }


def _withheld(order: Mapping[str, Any], leaves: Leaves) -> Leaves:
    """Return the legs by which Amazon keeps the tax that it remits itself."""
    country = MARKETPLACES[order["salesChannel"]["marketplaceId"]][1]
    name = _WITHHELD.get(country, "MarketplaceFacilitatorVAT")
    return {
        ("Expenses", "MarketplaceWithheldTax", f"{name}-{_WITHHELD_NAMES[path[2]]}"): -amount
        for path, amount in leaves.items()
        if path[2] in _WITHHELD_NAMES
    }


def _transaction(
    order: Mapping[str, Any], items: Sequence[tuple[Mapping[str, Any], int, Leaves]], posted: datetime, seller_id: str
) -> Json:
    marketplace = order["salesChannel"]["marketplaceId"]
    currency = order["proceeds"]["grandTotal"]["currencyCode"]
    network = "AFN" if order["fulfillment"].get("fulfilledBy") == "AMAZON" else "MFN"
    all_leaves: Leaves = {}
    for _, _, leaves in items:
        for path, amount in leaves.items():
            all_leaves[path] = all_leaves.get(path, Decimal(0)) + amount
    return {
        "sellingPartnerMetadata": {
            "sellingPartnerId": seller_id,
            "accountType": "Standard Orders",
            "marketplaceId": marketplace,
        },
        "transactionId": _digest(f"{order['orderId']} {format_time(posted)}"),
        "transactionType": "Shipment",
        "transactionStatus": "RELEASED",
        "description": "Order Payment",
        "postedDate": format_time(posted),
        "totalAmount": _money(_sum(all_leaves), currency),
        "marketplaceDetails": {"marketplaceId": marketplace, "marketplaceName": MARKETPLACES[marketplace][0]},
        "relatedIdentifiers": [_related("ORDER_ID", order["orderId"])],
        "items": [_item(order, item, quantity, leaves, currency, network) for item, quantity, leaves in items],
        "contexts": None,
        "breakdowns": breakdowns_of(all_leaves, currency),
    }


def _item(
    order: Mapping[str, Any], item: Mapping[str, Any], quantity: int, leaves: Leaves, currency: str, network: str
) -> Json:
    product = item["product"]
    # Amazon's id of an item in a payment is not the one in the order (selling-partner-api-models #5372).
    payment_item_id = str(int(_digest(f"{order['orderId']} {item['orderItemId']}")[:12], 16))
    return {
        "description": product.get("title"),
        "totalAmount": _money(_sum(leaves), currency),
        "relatedIdentifiers": [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": payment_item_id,
            }
        ],
        "breakdowns": breakdowns_of(leaves, currency),
        "contexts": [
            {
                "contextType": "ProductContext",
                "asin": product.get("asin"),
                "sku": product.get("sellerSku"),
                "quantityShipped": quantity,
                "fulfillmentNetwork": network,
            }
        ],
    }


def _deferral(until: datetime) -> Json:
    return {"contextType": "DeferredContext", "deferralReason": "B2B", "maturityDate": format_time(until)}


def _related(name: str, value: str) -> Json:
    return {"relatedIdentifierName": name, "relatedIdentifierValue": value}


def _money(amount: Decimal, currency: str) -> Json:
    return {"currencyAmount": amount, "currencyCode": currency}


def _sum(leaves: Mapping[Path, Decimal]) -> Decimal:
    return sum(leaves.values(), Decimal(0))


def _rounded(amount: Decimal, like: Decimal) -> Decimal:
    """Round to as many decimals as another amount of the same currency has."""
    return amount.quantize(Decimal(1).scaleb(min(0, int(like.as_tuple().exponent))), ROUND_HALF_UP)


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def orders_by_id(orders: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the versions of each order, oldest first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for order in sorted(orders, key=lambda order: parse_time(order["lastUpdatedTime"])):
        found.setdefault(order["orderId"], []).append(order)
    return found
