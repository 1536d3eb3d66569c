"""Stock as Amazon states it, made up: statements, summaries of the FBA Inventory API v1, and notifications."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities, StockStatement
from amazon_to_xero.ports.amazon import AmazonError, AmazonUnavailable, SummaryPage
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


class ScriptedInventory:
    """ports.InventoryApi over `stock`: pages by marketplace, each a list of summaries.

    A marketplace without an entry is answered as Amazon does where the seller has no goods. `faults` are raised one per
    call; None lets one call through. `constant_token`: every page has the same token and the same content.
    """

    def __init__(self) -> None:
        self.stock: dict[str, list[list[dict[str, Any]]]] = {}
        self.calls: list[tuple[str, str | None]] = []  # marketplace, page token
        self.skus: list[str] = []  # that were asked for
        self.faults: list[AmazonError | None] = []
        self.constant_token = ""

    def inventory_summaries(
        self, marketplace: str, *, page_token: str | None = None, sku: str | None = None
    ) -> SummaryPage:
        self.calls.append((marketplace, page_token))
        self.skus += [] if sku is None else [sku]
        if self.faults and (fault := self.faults.pop(0)):
            raise fault
        if marketplace not in self.stock:
            raise AmazonUnavailable("getInventorySummaries", 400, "InvalidInput")
        pages, number = self.stock[marketplace], int(page_token or 0) if not self.constant_token else 0
        further = str(number + 1) if number + 1 < len(pages) else None
        return SummaryPage(pages[number], self.constant_token or further)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
