"""Units of SKUs that were sold and refunded of Amazon's stock and of own stock, as orders and transactions state.

Nothing is added up when it is recorded: each movement is stored under what caused it, so that what is recorded again
counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from amazon_to_xero.domain.amazon.order import Fulfilment
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.amazon.transaction_header import is_refund, transaction_header
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.timestamps import parse_timestamp

_SHIPPED_BY = {"AMAZON": Channel.FBA, "MERCHANT": Channel.MERCHANT}  # Amazon: fulfillment.fulfilledBy
_NETWORKS = {"AFN": Channel.FBA, "MFN": Channel.MERCHANT}  # Amazon: ProductContext.fulfillmentNetwork
_MAX_MOVEMENTS = 300  # in a row: DynamoDB charges a write by the size of the row, and takes 400 KB

LATE_BY = timedelta(days=3)  # a movement that becomes known later than that is not counted


@dataclass(frozen=True)
class Movement:
    """Units of one SKU that moved at once.

    cause: what it is recorded under, e.g. an order id and the number of its shipment; never counted twice.
    day: when it happened (UTC).
    units: negative for what was sold, positive for what was refunded.
    channel: whose stock it was.
    """

    sku: str
    day: date
    cause: str
    units: int
    channel: Channel = Channel.FBA


@dataclass(frozen=True)
class SkuPeriod:
    """The movements of one SKU's stock in one channel that became known after `since` and not after `until` (UTC)."""

    sku: str
    since: datetime
    until: datetime
    channel: Channel = Channel.FBA


@dataclass(frozen=True)
class DayMovements:
    """A stored row of the movements of one SKU on one day. A day with many movements has several: parts.

    part: which of them it is, from 0 on.
    parts: of part 0, how many there are. Movements are added to the last one, so a busy SKU writes small rows.
    movements: cause -> units, when that became known (UTC), and whose stock it was.
    """

    sku: str
    day: date
    part: int = 0
    parts: int = 1
    generation: int = 0
    movements: Mapping[str, tuple[int, datetime, Channel]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return movements_key(self.sku, self.day, self.part)

    @property
    def is_full(self) -> bool:
        """Whether the next movements belong into another part."""
        return len(self.movements) >= _MAX_MOVEMENTS

    def with_movements(self, new: Iterable[Movement], known_at: datetime) -> DayMovements | None:
        """Return the row with further movements; None where it has them all."""
        added = {each.cause: (each.units, known_at, each.channel) for each in new if each.cause not in self.movements}
        return replace(self, movements={**self.movements, **added}) if added else None

    def totals(self, period: SkuPeriod) -> tuple[int, int]:
        """Return the units sold and refunded that became known in that period, both as positive numbers."""
        known = [
            units
            for units, known_at, channel in self.movements.values()
            if period.since < known_at <= period.until and channel is period.channel
        ]
        return -sum(units for units in known if units < 0), sum(units for units in known if units > 0)


def movements_key(sku: str, day: date, part: int = 0) -> str:
    """Return the key of a row: `2026-11-23#MUG-RED`, its second part `2026-11-23/1#MUG-RED`.

    A SKU may contain any character.
    """
    return f"{day.isoformat()}{f'/{part}' if part else ''}#{sku}"


def sold_by(record: OrderRecord) -> Iterator[Movement]:
    """Yield what a recorded order has taken out of stock so far."""
    match _SHIPPED_BY.get(str(_part(record.content or {}, "fulfillment").get("fulfilledBy"))):
        case Channel.FBA:
            yield from _shipped_by_amazon(record)
        case Channel.MERCHANT:
            yield from _ordered_of_own_stock(record)


def _shipped_by_amazon(record: OrderRecord) -> Iterator[Movement]:
    """Yield what has left Amazon's fulfilment centres: until then Amazon states the units as reserved.

    A recorded shipment never changes, so its number in the order names it for good.
    """
    content = record.content or {}
    skus = {str(item.get("orderItemId")): _part(item, "product").get("sellerSku") for item in _items(content)}
    for number, shipment in enumerate(record.shipments):
        units = Counter[str]()
        for item_id, quantity in shipment.quantities.items():
            sku = skus.get(item_id)
            if isinstance(sku, str) and sku:
                units[sku] += quantity
        for sku, quantity in units.items():
            yield Movement(sku, shipment.shipped_at.date(), f"{record.order_id}/{number}", -quantity)


def _ordered_of_own_stock(record: OrderRecord) -> Iterator[Movement]:
    """Yield what was ordered of the seller's own stock: Amazon takes it off the quantity at once, and reserves nothing.

    It counts once, as first recorded. The quantity after a cancellation is the one that the seller enters.
    """
    content = record.content or {}
    if record.status in (Fulfilment.CANCELLED, Fulfilment.UNFULFILLABLE):
        return
    try:
        day = parse_timestamp(content.get("createdTime"), "createdTime").date()
    except ValueError:
        return
    units = Counter[str]()
    for item in _items(content):
        sku, quantity = _part(item, "product").get("sellerSku"), item.get("quantityOrdered")
        if isinstance(sku, str) and sku and _is_units(quantity):
            units[sku] += int(quantity or 0)
    for sku, number in units.items():
        yield Movement(sku, day, f"{record.order_id}/ordered", -number, Channel.MERCHANT)


def refunded_by(transaction: Mapping[str, Any]) -> Iterator[Movement]:
    """Yield the units of a refund; nothing for any other transaction, and for what Amazon does not state as documented.

    Whether the buyer sends them back is not known from it.
    """
    try:
        header = transaction_header(transaction)
    except Failure:
        return  # it fails, and a person hears of it, where transactions are recorded
    if not is_refund(header.type) or header.is_copy:
        return
    units = Counter[tuple[str, Channel]]()
    for item in _items(transaction, "items"):
        for context in _items(item, "contexts"):
            sku, quantity = context.get("sku"), context.get("quantityShipped")
            channel = _NETWORKS.get(str(context.get("fulfillmentNetwork")))
            if isinstance(sku, str) and sku and _is_units(quantity) and channel:
                units[sku, channel] += int(quantity or 0)
    for (sku, channel), quantity in units.items():
        # A movement's cause is unique in a row, which has both channels of its SKU.
        cause = header.transaction_id if channel is Channel.FBA else f"{header.transaction_id}/own"
        yield Movement(sku, header.posted_at.date(), cause, quantity, channel)


def _items(value: Mapping[str, Any], name: str = "orderItems") -> Iterator[Mapping[str, Any]]:
    found = value.get(name)
    yield from (each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()


def _is_units(quantity: Any) -> bool:
    return isinstance(quantity, int) and not isinstance(quantity, bool) and quantity > 0


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}
