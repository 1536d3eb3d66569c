"""Amazon's statements of stock levels: from notifications, and from pages of getInventorySummaries.

Unlike an order's, a notification of stock is not read again: it states the quantities, and their time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amazon_to_xero.domain.amazon.message import (
    malformed,
    optional_part,
    read_document,
    required_part,
    short_text,
    time_of,
    unexpected,
)
from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities, StockStatement
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.timestamps import parse_timestamp

AVAILABILITY_CHANGES = "FBA_INVENTORY_AVAILABILITY_CHANGES"
MERCHANT_QUANTITY_CHANGE = "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"
_MAX_SKU = 200  # Amazon: 40 characters; what is stored has a limit of its own
_MAX_KEY = 300  # of a stock level
_MAX_UNITS = 10**9
_MAX_NAME = 500  # of a product, in messages

# Field of StockQuantities -> Amazon's names in inventoryDetails, and in a notification's FulfillmentInventory.
_IN_SUMMARY = {
    "fulfillable": ("fulfillableQuantity",),
    "inbound_working": ("inboundWorkingQuantity",),
    "inbound_shipped": ("inboundShippedQuantity",),
    "inbound_receiving": ("inboundReceivingQuantity",),
    "reserved_for_orders": ("reservedQuantity", "pendingCustomerOrderQuantity"),
    "reserved_for_transfer": ("reservedQuantity", "pendingTransshipmentQuantity"),
    "reserved_for_processing": ("reservedQuantity", "fcProcessingQuantity"),
    "unfulfillable": ("unfulfillableQuantity", "totalUnfulfillableQuantity"),
    "researching": ("researchingQuantity", "totalResearchingQuantity"),
}
_IN_NOTIFICATION = {
    "fulfillable": ("Fulfillable",),
    "inbound_working": ("InboundQuantityBreakdown", "Working"),
    "inbound_shipped": ("InboundQuantityBreakdown", "Shipped"),
    "inbound_receiving": ("InboundQuantityBreakdown", "Receiving"),
    "reserved_for_orders": ("ReservedQuantityBreakdown", "PendingCustomerOrder"),
    "reserved_for_transfer": ("ReservedQuantityBreakdown", "WarehouseTransfer"),
    "reserved_for_processing": ("ReservedQuantityBreakdown", "WarehouseProcessing"),
    "unfulfillable": ("Unfulfillable",),
    "researching": ("Researching",),
}
_DAMAGE = ("customerDamaged", "warehouseDamaged", "distributorDamaged", "carrierDamaged", "defective", "expired")


@dataclass(frozen=True)
class StockNotice(ChangeNotice):
    """A notification of stock levels.

    statements: what it states, one for each marketplace.
    """

    statements: tuple[StockStatement, ...] = ()


def parse_stock_notification(body: str) -> StockNotice:
    """Return what a message of the inventory alerts' queue states, or which level a person asks to read.

    It takes both types of notification, also as EventBridge delivers them. Raises Failure as parse_order_change does.
    """
    document = read_document(body)
    if (pointer := document.get("reprocess")) is not None:
        return StockNotice(_asked_level(pointer), connection=short_text(pointer, "connection"), reprocess=True)
    notification = optional_part(document, "detail") or document
    kind = short_text(notification, "NotificationType")
    if kind not in (AVAILABILITY_CHANGES, MERCHANT_QUANTITY_CHANGE):
        raise unexpected(
            f"{AVAILABILITY_CHANGES} and {MERCHANT_QUANTITY_CHANGE}", kind, "subscribe that type to its own queue"
        )
    at, payload = time_of(notification, "EventTime"), required_part(notification, "Payload")
    seller_id, sku = short_text(payload, "SellerId"), _sku(payload, "SKU")
    read = _merchant_statement if kind == MERCHANT_QUANTITY_CHANGE else _availability_statements
    return StockNotice(sku, at, seller_id=seller_id, statements=read(payload, sku, at))


def summary_statement(summary: Any, marketplace_id: str, read_at: datetime) -> StockStatement:
    """Return what an InventorySummary states. Raises Failure (STOCK_MALFORMED) that names the field."""
    try:
        sku = _sku(summary, "sellerSku")
        details = optional_part(summary, "inventoryDetails")
        stated_at = optional_part(summary, "lastUpdatedTime")
        observed_at = parse_timestamp(stated_at, f"lastUpdatedTime of {sku}") if stated_at else read_at
        damaged = optional_part(details, "unfulfillableQuantity")
        kinds = {
            kind: _units(optional_part(damaged, f"{kind}Quantity"), f"{kind}Quantity of {sku}") for kind in _DAMAGE
        }
        quantities = StockQuantities(
            **_quantities(details, _IN_SUMMARY, sku),
            unfulfillable_kinds={kind: units for kind, units in kinds.items() if units},
            total=_units(optional_part(summary, "totalQuantity"), f"totalQuantity of {sku}"),
        )
    except (Failure, ValueError) as problem:
        reason = problem.remedy.partition(";")[0] if isinstance(problem, Failure) else str(problem)
        remedy = f"{reason}. Check the SKU in Seller Central; its stock level stays as it was last known."
        raise Failure(FailureCode.STOCK_MALFORMED, remedy) from None
    name, asin = _name(optional_part(summary, "productName")), _name(optional_part(summary, "asin"))
    return StockStatement(Channel.FBA, marketplace_id, sku, quantities, observed_at, read_at, asin, name)


def _availability_statements(payload: Any, sku: str, at: datetime) -> tuple[StockStatement, ...]:
    levels = required_part(payload, "FulfillmentInventoryByMarketplace")
    if not isinstance(levels, list):
        raise malformed("FulfillmentInventoryByMarketplace should be a list")
    asin = _name(optional_part(payload, "ASIN"))
    return tuple(
        StockStatement(
            Channel.FBA,
            short_text(level, "MarketplaceId"),
            sku,
            StockQuantities(**_quantities(required_part(level, "FulfillmentInventory"), _IN_NOTIFICATION, sku)),
            at,
            at,
            asin,
            _name(optional_part(level, "ItemName")),
        )
        for level in levels
    )


def _merchant_statement(payload: Any, sku: str, at: datetime) -> tuple[StockStatement, ...]:
    """Amazon names no marketplace: a merchant's quantity is the same for all."""
    units = _units(required_part(payload, "Quantity"), f"Quantity of {sku}")
    place = short_text(payload, "FulfillmentChannelCode")
    return (StockStatement(Channel.MERCHANT, place, sku, StockQuantities(units), at, at),)


def _asked_level(pointer: Any) -> str:
    """Return the key of a level: the source without its kind."""
    source = required_part(pointer, "source")
    is_text = isinstance(source, str) and source.isprintable() and len(source) <= _MAX_KEY
    kind, _, key = source.partition("#") if is_text else ("", "", "")
    if kind != "stock" or key.count("#") < 2 or key.partition("#")[0] not in tuple(Channel):
        raise malformed("reprocess.source names no stock level; it should be stock#fba#<marketplace or pool>#<SKU>")
    return str(key)


def _quantities(details: Any, names: Mapping[str, tuple[str, ...]], sku: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, path in names.items():
        value = details
        for name in path:
            value = optional_part(value, name)
        found[field] = _units(value, f"{'.'.join(path)} of {sku}")
    return found


def _units(value: Any, name: str) -> int | None:
    """Return a number of units; None where Amazon states none."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_UNITS:
        raise malformed(f"{name} should be a whole number of units and is {type(value).__name__} {str(value)[:20]}")
    return value


def _sku(value: Any, name: str) -> str:
    sku = required_part(value, name)
    if not isinstance(sku, str) or not sku.strip() or len(sku) > _MAX_SKU or not sku.isprintable():
        raise malformed(f"{name} should be a text of at most {_MAX_SKU} printable characters")
    return sku


def _name(value: Any) -> str:
    """Return a text for people; without what could not be stored or would break a line."""
    return "".join(each for each in value if each.isprintable())[:_MAX_NAME].strip() if isinstance(value, str) else ""
