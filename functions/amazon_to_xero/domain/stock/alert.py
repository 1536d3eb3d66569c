"""An alert of stock: what changed of one level, with everything that its message says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities


class AlertKind(StrEnum):
    """What changed, the most urgent first."""

    OUT = "OUT"  # nothing is left to sell
    STRANDED = "STRANDED"  # Amazon holds units, and none of them can be sold or will be
    SUDDEN_DROP = "SUDDEN_DROP"  # many units fewer within a day, and still more than low
    LOW = "LOW"  # at or below the threshold
    MORE_UNFULFILLABLE = "MORE_UNFULFILLABLE"  # more units cannot be sold
    BACK = "BACK"  # in stock again


@dataclass(frozen=True)
class StockAlert:
    """One alert.

    key: of the stock level.
    at: since when the change holds (UTC), as Amazon states it.
    quantities: Amazon's, after the change.
    fulfillable_before, before_at: units before the change, and since when; None where they are not known.
    since: since when the level was in the state that ended, e.g. out of stock; None where that is not known.
    low_units: the threshold, in units.
    sold_a_day: units that are sold a day; None where that is not known.
    """

    kind: AlertKind
    key: str
    channel: Channel
    pool: str
    sku: str
    at: datetime
    quantities: StockQuantities
    fulfillable_before: int | None = None
    before_at: datetime | None = None
    since: datetime | None = None
    low_units: int = 0
    sold_a_day: Decimal | None = None
    asin: str = ""
    product_name: str = ""

    @property
    def alert_id(self) -> str:
        """What names it: the same for a message that is sent twice."""
        return f"{self.key}#{self.kind}#{self.at.isoformat()}"
