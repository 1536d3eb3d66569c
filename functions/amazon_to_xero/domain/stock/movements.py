"""Units of SKUs in Amazon's fulfilment centres that were sold and refunded, as recorded orders and transactions state.

Nothing is added up when it is recorded: each movement is stored under what caused it, so that what is recorded again
counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.transaction_header import is_refund, transaction_header
from amazon_to_xero.domain.failures import Failure

_AMAZON = "AMAZON"  # Amazon: fulfillment.fulfilledBy
_AFN = "AFN"  # Amazon: ProductContext.fulfillmentNetwork
_MAX_MOVEMENTS = 300  # in a row: DynamoDB charges a write by the size of the row, and takes 400 KB

LATE_BY = timedelta(days=3)  # a movement that becomes known later than that is not counted


@dataclass(frozen=True)
class Movement:
    """Units of one SKU that moved at once.

    cause: what it is recorded under, e.g. an order id and the number of its shipment; never counted twice.
    day: when it happened (UTC).
    units: negative for what was sold, positive for what was refunded.
    """

    sku: str
    day: date
    cause: str
    units: int


@dataclass(frozen=True)
class SkuPeriod:
    """The movements of one SKU that became known after `since` and not after `until` (UTC)."""

    sku: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class DayMovements:
    """A stored row of the movements of one SKU on one day. A day with many movements has several: parts.

    part: which of them it is, from 0 on.
    parts: of part 0, how many there are. Movements are added to the last one, so a busy SKU writes small rows.
    movements: cause -> units, and when that became known (UTC).
    """

    sku: str
    day: date
    part: int = 0
    parts: int = 1
    generation: int = 0
    movements: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return movements_key(self.sku, self.day, self.part)

    @property
    def is_full(self) -> bool:
        """Whether the next movements belong into another part."""
        return len(self.movements) >= _MAX_MOVEMENTS

    def with_movements(self, new: Iterable[Movement], known_at: datetime) -> DayMovements | None:
        """Return the row with further movements; None where it has them all."""
        added = {each.cause: (each.units, known_at) for each in new if each.cause not in self.movements}
        return replace(self, movements={**self.movements, **added}) if added else None

    def totals(self, after: datetime, until: datetime) -> tuple[int, int]:
        """Return the units sold and refunded that became known in that time, both as positive numbers."""
        known = [units for units, known_at in self.movements.values() if after < known_at <= until]
        return -sum(units for units in known if units < 0), sum(units for units in known if units > 0)


def movements_key(sku: str, day: date, part: int = 0) -> str:
    """Return the key of a row: `2026-11-23#MUG-RED`, its second part `2026-11-23/1#MUG-RED`.

    A SKU may contain any character.
    """
    return f"{day.isoformat()}{f'/{part}' if part else ''}#{sku}"


def sold_by(record: OrderRecord) -> Iterator[Movement]:
    """Yield what a recorded order has shipped out of Amazon's fulfilment centres so far.

    A recorded shipment never changes, so its number in the order names it for good.
    """
    content = record.content or {}
    if _part(content, "fulfillment").get("fulfilledBy") != _AMAZON:
        return
    skus = {str(item.get("orderItemId")): _part(item, "product").get("sellerSku") for item in _items(content)}
    for number, shipment in enumerate(record.shipments):
        units = Counter[str]()
        for item_id, quantity in shipment.quantities.items():
            sku = skus.get(item_id)
            if isinstance(sku, str) and sku:
                units[sku] += quantity
        for sku, quantity in units.items():
            yield Movement(sku, shipment.shipped_at.date(), f"{record.order_id}/{number}", -quantity)


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
    units = Counter[str]()
    for item in _items(transaction, "items"):
        for context in _items(item, "contexts"):
            sku, quantity = context.get("sku"), context.get("quantityShipped")
            is_unit = isinstance(quantity, int) and not isinstance(quantity, bool) and quantity > 0
            if isinstance(sku, str) and sku and is_unit and context.get("fulfillmentNetwork") == _AFN:
                units[sku] += int(quantity or 0)
    for sku, quantity in units.items():
        yield Movement(sku, header.posted_at.date(), header.transaction_id, quantity)


def _items(value: Mapping[str, Any], name: str = "orderItems") -> Iterator[Mapping[str, Any]]:
    found = value.get(name)
    yield from (each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}
