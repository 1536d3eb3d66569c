"""Stock as Amazon states it, made up: statements, summaries of the FBA Inventory API v1, and notifications."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities, StockStatement
from fakes.state import NOON

UK, DE, FR, US = "A1F83G8C2ARO7P", "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "ATVPDKIKX0DER"
SELLER = "A1SELLERMADEUP"


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def stated(
    fulfillable: int | None,
    at: datetime = NOON,
    *,
    sku: str = "MUG-RED",
    place: str = UK,
    channel: Channel = Channel.FBA,
    read_at: datetime | None = None,
    **units: Any,
) -> StockStatement:
    """Return a statement with these units; kinds that are not named are not stated."""
    return StockStatement(
        channel, place, sku, StockQuantities(fulfillable, **units), at, read_at or at, "B0", "Red mug"
    )


def summary(
    sku: str = "MUG-RED", fulfillable: int | None = 30, at: str | None = "2026-11-23T10:00:00Z", **details: Any
) -> dict[str, Any]:
    """Return an InventorySummary with all details at zero but these."""
    return {
        "asin": "B0SBX00002",
        "fnSku": "X0SBX00002",
        "sellerSku": sku,
        "condition": "NewItem",
        "productName": "Red mug",
        "totalQuantity": fulfillable,
        "lastUpdatedTime": at,
        "inventoryDetails": {
            "fulfillableQuantity": fulfillable,
            "inboundWorkingQuantity": 0,
            "inboundShippedQuantity": 0,
            "inboundReceivingQuantity": 0,
            "reservedQuantity": {
                "totalReservedQuantity": 0,
                "pendingCustomerOrderQuantity": 0,
                "pendingTransshipmentQuantity": 0,
                "fcProcessingQuantity": 0,
            },
            "researchingQuantity": {"totalResearchingQuantity": 0, "researchingQuantityBreakdown": []},
            "unfulfillableQuantity": {"totalUnfulfillableQuantity": 0, "customerDamagedQuantity": 0},
            **details,
        },
        "stores": [],
    }


def availability_change(
    levels: Mapping[str, int], at: datetime = NOON, *, sku: str = "MUG-RED", seller_id: str = SELLER
) -> dict[str, Any]:
    """Return FBA_INVENTORY_AVAILABILITY_CHANGES: the fulfillable units of each marketplace."""
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "FBA_INVENTORY_AVAILABILITY_CHANGES",
        "PayloadVersion": "1.0",
        "EventTime": _text(at),
        "Payload": {
            "SellerId": seller_id,
            "FNSKU": "X0SBX00002",
            "ASIN": "B0SBX00002",
            "SKU": sku,
            "FulfillmentInventoryByMarketplace": [
                {
                    "MarketplaceId": marketplace,
                    "ItemName": "Red mug",
                    "FulfillmentInventory": {
                        "InboundQuantityBreakdown": {"Working": 0, "Shipped": 40, "Receiving": 2},
                        "Fulfillable": fulfillable,
                        "Unfulfillable": 1,
                        "Researching": 0,
                        "ReservedQuantityBreakdown": {
                            "WarehouseProcessing": 0,
                            "WarehouseTransfer": 3,
                            "PendingCustomerOrder": 4,
                        },
                        "FutureSupplyBuyable": 0,
                        "PendingCustomerOrderInTransit": 0,
                    },
                    "Stores": [],
                }
                for marketplace, fulfillable in levels.items()
            ],
        },
    }


def merchant_change(
    units: int, at: datetime = NOON, *, sku: str = "MUG-RED", seller_id: str = SELLER
) -> dict[str, Any]:
    """Return LISTINGS_ITEM_MFN_QUANTITY_CHANGE."""
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "LISTINGS_ITEM_MFN_QUANTITY_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": _text(at),
        "Payload": {"SellerId": seller_id, "FulfillmentChannelCode": "DEFAULT", "Sku": sku, "Quantity": units},
    }


def body(notification: Mapping[str, Any]) -> str:
    return json.dumps(notification)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
