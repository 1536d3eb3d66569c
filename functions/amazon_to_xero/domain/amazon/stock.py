"""A stock level as Amazon states it: whose units, where, how many of which kind, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """Who sends the goods to buyers. One SKU may have an offer in each, which are two stock levels."""

    FBA = "fba"  # Amazon, from its fulfilment centres
    MERCHANT = "merchant"  # the seller


@dataclass(frozen=True)
class StockQuantities:
    """Units of a stock level, by Amazon's kinds. None: Amazon does not state it. That is unknown, and never zero.

    fulfillable: can be sold and sent now.
    inbound_working, inbound_shipped, inbound_receiving: announced to Amazon, on the way, and being received.
    reserved_for_orders, reserved_for_transfer, reserved_for_processing: sold, between fulfilment centres, and measured
        or otherwise processed there.
    unfulfillable: cannot be sold; `unfulfillable_kinds` has Amazon's kinds of damage with units.
    researching: Amazon looks for them.
    total: as Amazon adds them up.
    """

    fulfillable: int | None = None
    inbound_working: int | None = None
    inbound_shipped: int | None = None
    inbound_receiving: int | None = None
    reserved_for_orders: int | None = None
    reserved_for_transfer: int | None = None
    reserved_for_processing: int | None = None
    unfulfillable: int | None = None
    unfulfillable_kinds: Mapping[str, int] = field(default_factory=dict, hash=False)
    researching: int | None = None
    total: int | None = None

    @property
    def inbound(self) -> int | None:
        """Units on their way to Amazon, whatever how far; None where Amazon states none of the kinds."""
        return _sum(self.inbound_working, self.inbound_shipped, self.inbound_receiving)

    @property
    def reserved(self) -> int | None:
        return _sum(self.reserved_for_orders, self.reserved_for_transfer, self.reserved_for_processing)

    @property
    def is_stranded(self) -> bool:
        """Whether Amazon holds units although none can be sold or will be: they are unfulfillable or missing.

        Only where Amazon states every kind.
        """
        expected = (self.fulfillable, self.inbound, self.reserved)
        lost = _sum(self.unfulfillable, self.researching)
        return expected == (0, 0, 0) and bool(lost)


@dataclass(frozen=True)
class StockStatement:
    """What Amazon states about one stock level at one time.

    place: Amazon's marketplace id (FBA), or its code of the merchant's channel, e.g. DEFAULT.
    observed_at: since when the quantities hold (UTC), as Amazon states it; else when they were read.
    read_at: when they were read, or the notification was given (UTC).
    """

    channel: Channel
    place: str
    sku: str
    quantities: StockQuantities
    observed_at: datetime
    read_at: datetime
    asin: str = ""
    product_name: str = ""

    @property
    def time(self) -> tuple[datetime, datetime]:
        """Which of two statements is the later one. Neither depends on when a message was delivered."""
        return self.observed_at, self.read_at

    @property
    def order(self) -> tuple[datetime, datetime, int, str]:
        """Total order of statements. Of two with one time, the one with more fulfillable units is the later."""
        fulfillable = -1 if self.quantities.fulfillable is None else self.quantities.fulfillable
        in_order = dict(sorted(self.quantities.unfulfillable_kinds.items()))
        return *self.time, fulfillable, repr(replace(self.quantities, unfulfillable_kinds=in_order))

    def not_later_than(self, latest: datetime) -> StockStatement:
        """Return it with times up to `latest`: a time to come would make every later statement an older one."""
        return replace(self, observed_at=min(self.observed_at, latest), read_at=min(self.read_at, latest))


def _sum(*units: int | None) -> int | None:
    known = [each for each in units if each is not None]
    return sum(known) if known else None
