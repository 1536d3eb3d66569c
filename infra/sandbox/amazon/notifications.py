"""Notification bodies exactly as Amazon sends them to a queue: raw JSON, no SNS wrapper, no message attributes.

EventTime, PublishTime and TimeOfOrderChange are the version's own time (lastUpdatedTime, postedDate), not the time at
which the sandbox plays the version. One exception: if a client read an order before its next version was played, the
notification's EventTime and PublishTime are the time of playing. The client did not see that change, so a notification
must not date it before the read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.amazon.finances import related_identifiers
from sandbox.amazon.subscriptions import Subscription, metadata
from sandbox.amazon.versions import Kind, Version
from sandbox.wire import dumps

NOTIFICATION_TYPES: dict[Kind, str] = {
    "order": "ORDER_CHANGE",
    "transaction": "TRANSACTION_UPDATE",
    "inventory": "FBA_INVENTORY_AVAILABILITY_CHANGES",
}
_ORDER_PROGRAMS = {"AMAZON_BUSINESS": "Business", "PRIME": "Prime", "PREMIUM": "Premium", "INVOICE_BY_AMAZON": "IBA"}
_CHANGE_REASONS = {
    "OrderStatusChange": "Order Status Change",
    "BuyerRequestedChange": "Buyer Requested Cancel",
    "DeliveryTipChange": "Delivery Tip Change",
}


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification to one subscription. Its body is built on demand and is always the same.

    change_type: the OrderChangeType of an ORDER_CHANGE; empty for other types.
    published_at: None for the version's own time.
    """

    number: int
    version: Version
    subscription: Subscription
    seller_id: str
    change_type: str = ""
    published_at: datetime | None = None

    @property
    def notification_id(self) -> str:
        return f"5a4d0003-0000-4000-8000-{self.number:012d}"

    def body(self, content: Mapping[str, Any] | None = None) -> str:
        """Return the body. content: of the version, if the caller has parsed it."""
        content = content or self.version.read()
        match self.version.kind:
            case "order":
                payload = _order_change(content, self.change_type, self.seller_id)
            case "transaction":
                payload = _transaction_update(content, self.seller_id)
            case "inventory":
                payload = _inventory_availability(content, self.seller_id)
        at = (self.published_at or self.version.at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return dumps(
            {
                "NotificationVersion": "1.0",
                "NotificationType": self.subscription.notification_type,
                "PayloadVersion": self.subscription.payload_version,
                "EventTime": at,
                "Payload": payload,
                "NotificationMetadata": metadata(self.subscription, at, self.notification_id),
            }
        )


def order_change_type(previous: Mapping[str, Any] | None, order: Mapping[str, Any]) -> str:
    """Return the OrderChangeType between two versions of an order."""
    if previous is not None:
        if _status(previous) == _status(order) and _tips(previous) != _tips(order):
            return "DeliveryTipChange"
        if _status(previous) == _status(order) and _cancel_requests(previous) != _cancel_requests(order):
            return "BuyerRequestedChange"
    return "OrderStatusChange"


def order_id_of(transaction: Mapping[str, Any]) -> str | None:
    """Return the id of the order that a transaction belongs to, if any."""
    return next((value for name, value in related_identifiers(transaction) if name == "ORDER_ID"), None)


def _status(order: Mapping[str, Any]) -> str:
    status: str = order["fulfillment"]["fulfillmentStatus"]
    return status


def _tips(order: Mapping[str, Any]) -> list[Any]:
    breakdowns = (order.get("proceeds") or {}).get("breakdowns") or []
    return [breakdown for breakdown in breakdowns if breakdown.get("type") == "DELIVERY_TIP"]


def _cancel_requests(order: Mapping[str, Any]) -> list[bool]:
    return [_cancel_requested(item) for item in order["orderItems"]]


def _cancel_requested(item: Mapping[str, Any]) -> bool:
    request = (item.get("cancellation") or {}).get("cancellationRequest") or {}
    return bool(request.get("requester") == "BUYER")


def _v0_status(status: str) -> str:
    """Return a status as the Orders API v0 spells it, which notifications still do: PartiallyShipped."""
    return "Canceled" if status == "CANCELLED" else "".join(word.capitalize() for word in status.split("_"))


def _order_change(order: Mapping[str, Any], change_type: str, seller_id: str) -> dict[str, Any]:
    fulfillment = order["fulfillment"]
    address = (order.get("recipient") or {}).get("deliveryAddress") or {}
    items = [_order_item(item, change_type) for item in order["orderItems"]]
    shipped = sum(item["QuantityShipped"] for item in items)
    ordered = sum(item["Quantity"] for item in items)
    summary: dict[str, Any] = {
        "MarketplaceId": order["salesChannel"].get("marketplaceId") or "",
        "OrderStatus": _v0_status(_status(order)),
        "PurchaseDate": order["createdTime"],
        "DestinationPostalCode": address.get("postalCode"),
        "FulfillmentType": "AFN" if fulfillment.get("fulfilledBy") == "AMAZON" else "MFN",
        "OrderType": "Preorder" if "PREORDER" in (order.get("programs") or []) else "StandardOrder",
        "NumberOfItemsShipped": shipped,
        "NumberOfItemsUnshipped": 0 if _status(order) == "CANCELLED" else ordered - shipped,
        **_window(fulfillment.get("shipByWindow"), "EarliestShipDate", "LatestShipDate"),
        **_window(fulfillment.get("deliverByWindow"), "EarliestDeliveryDate", "LatestDeliveryDate"),
    }
    programs = [_ORDER_PROGRAMS[program] for program in order.get("programs") or [] if program in _ORDER_PROGRAMS]
    if any(
        related.get("associationType") == "REPLACEMENT_ORIGINAL_ID" for related in order.get("associatedOrders") or []
    ):
        programs.append("Replacement")
    if programs:
        summary["OrderPrograms"] = programs
    summary["OrderItems"] = items
    return {
        "OrderChangeNotification": {
            "NotificationLevel": "OrderLevel",
            "SellerId": seller_id,
            "AmazonOrderId": order["orderId"],
            "OrderChangeType": change_type,
            "OrderChangeTrigger": {
                "TimeOfOrderChange": order["lastUpdatedTime"],
                "ChangeReason": _CHANGE_REASONS[change_type],
            },
            "Summary": summary,
        }
    }


def _order_item(item: Mapping[str, Any], change_type: str) -> dict[str, Any]:
    shipped = (item.get("fulfillment") or {}).get("quantityFulfilled") or 0
    content = {
        "OrderItemId": item["orderItemId"],
        "SellerSKU": item["product"].get("sellerSku") or "",
        "SupplySourceId": None,
        "Quantity": item["quantityOrdered"],
        "QuantityShipped": shipped,
    }
    if change_type == "BuyerRequestedChange":
        content["IsBuyerRequestedCancel"] = _cancel_requested(item)
    return content


def _window(window: dict[str, Any] | None, earliest: str, latest: str) -> dict[str, str]:
    ends = ((earliest, "earliestDateTime"), (latest, "latestDateTime"))
    return {name: window[end] for name, end in ends if window.get(end)} if window else {}


def _transaction_update(transaction: Mapping[str, Any], seller_id: str) -> dict[str, Any]:
    seller = transaction.get("sellingPartnerMetadata") or {}
    marketplace = seller.get("marketplaceId") or (transaction.get("marketplaceDetails") or {}).get("marketplaceId")
    total = transaction["totalAmount"]
    return {
        "TransactionUpdateNotification": {
            "SellingPartnerMetadata": {
                "SellingPartnerId": seller.get("sellingPartnerId") or seller_id,
                "MarketplaceId": marketplace or "",
                "AccountType": seller.get("accountType") or "",
            },
            # Notifications use OrderId for the API's ORDER_ID.
            "RelatedIdentifiers": [
                {
                    "RelatedIdentifierName": "".join(word.capitalize() for word in name.split("_")),
                    "RelatedIdentifierValue": value,
                }
                for name, value in related_identifiers(transaction)
            ],
            "TransactionType": transaction["transactionType"],
            "PostedDate": transaction["postedDate"],
            "TotalAmount": {
                "CurrencyAmount": Decimal(total["currencyAmount"]),
                "CurrencyCode": total.get("currencyCode") or "",
            },
        }
    }


def _inventory_availability(summary: Mapping[str, Any], seller_id: str) -> dict[str, Any]:
    details = summary["inventoryDetails"]
    reserved = details.get("reservedQuantity") or {}
    quantities = {
        "InboundQuantityBreakdown": {
            "Working": details.get("inboundWorkingQuantity") or 0,
            "Shipped": details.get("inboundShippedQuantity") or 0,
            "Receiving": details.get("inboundReceivingQuantity") or 0,
        },
        "Fulfillable": details["fulfillableQuantity"],
        "Unfulfillable": (details.get("unfulfillableQuantity") or {}).get("totalUnfulfillableQuantity") or 0,
        "Researching": (details.get("researchingQuantity") or {}).get("totalResearchingQuantity") or 0,
        "ReservedQuantityBreakdown": {
            "WarehouseProcessing": reserved.get("fcProcessingQuantity") or 0,
            "WarehouseTransfer": reserved.get("pendingTransshipmentQuantity") or 0,
            "PendingCustomerOrder": reserved.get("pendingCustomerOrderQuantity") or 0,
        },
        "FutureSupplyBuyable": 0,
        "PendingCustomerOrderInTransit": 0,
    }
    return {
        "SellerId": seller_id,
        "FNSKU": summary.get("fnSku") or "",
        "ASIN": summary.get("asin") or "",
        "SKU": summary["sellerSku"],
        "FulfillmentInventoryByMarketplace": [
            {
                "MarketplaceId": summary["marketplaceId"],
                "ItemName": summary.get("productName") or "",
                "FulfillmentInventory": quantities,
                "Stores": summary.get("stores") or [],
            }
        ],
    }
