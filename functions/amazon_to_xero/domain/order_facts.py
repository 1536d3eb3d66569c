"""What is known of an Amazon order: the newest version read, without buyer data, and what was decided about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

# The parts of Amazon's Order that bookkeeping needs. A list of what is kept, not of what is dropped: a field that
# Amazon adds tomorrow is not stored until somebody has looked whether it says who the buyer is.
_KEPT: Mapping[str, Any] = {
    "orderId": True,
    "createdTime": True,
    "lastUpdatedTime": True,
    "programs": True,
    "associatedOrders": True,
    "salesChannel": True,
    "proceeds": True,
    "recipient": {"deliveryAddress": {"countryCode": True, "stateOrRegion": True}},
    "fulfillment": {"fulfillmentStatus": True, "fulfilledBy": True},
    "packages": {
        "packageReferenceId": True,
        "packageStatus": True,
        "carrier": True,
        "trackingNumber": True,
        "shipTime": True,
        "packageItems": {"orderItemId": True, "quantity": True},
    },
    "orderItems": {
        "orderItemId": True,
        "quantityOrdered": True,
        "product": {"asin": True, "sellerSku": True, "title": True, "price": True},
        "proceeds": True,
        "cancellation": {"cancellationExecution": True},
        "fulfillment": {"quantityFulfilled": True, "quantityUnfulfilled": True},
        "tax": {
            "taxCollections": {"model": True, "responsibleParty": True},
            "taxCalculationBreakdowns": {"reportingScheme": True},
        },
    },
}


def without_buyer_data(order: Mapping[str, Any]) -> dict[str, Any]:
    """The order as it may be stored: ids, amounts, states, destination country and region; nothing of the buyer."""
    kept: dict[str, Any] = _keep(order, _KEPT)
    return kept


def _keep(value: Any, wanted: Any) -> Any:
    if wanted is True:
        return value
    if isinstance(value, list):
        return [_keep(element, wanted) for element in value]
    if isinstance(value, Mapping):
        return {name: _keep(value[name], inner) for name, inner in wanted.items() if name in value}
    return None


def canonical_json(value: Any) -> str:
    """One text for one content: sorted names, no spaces, Decimals as strings. For hashing and storing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_as_text)


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} cannot be stored")


def content_hash(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:32]


def moment(text: Any, field: str) -> datetime:
    """An Amazon timestamp as an aware UTC datetime. Raises ValueError that names the field."""
    try:
        parsed = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError(f"{field} should be an ISO 8601 timestamp and is not") from None
    if parsed.tzinfo is None:
        raise ValueError(f"{field} has no time zone; Amazon's timestamps end in Z")
    if not 2000 <= parsed.year < 2100:
        raise ValueError(f"{field} lies outside the years 2000 to 2099")  # no arithmetic with it may overflow
    return parsed.astimezone(UTC)


@dataclass(frozen=True)
class Shipment:
    """What left at once: a package (`reference`: Amazon's packageReferenceId), or what was new since the last reading.

    `quantities` are by order item id. A shipment that was recorded is never taken back: its invoice keeps its date.
    """

    reference: str
    shipped_at: datetime
    quantities: Mapping[str, int] = field(default_factory=dict)


class Wants(StrEnum):
    """What a due order wants next: to be read from Amazon, or to be booked as it was read."""

    READING = "READING"
    BOOKING = "BOOKING"


class Standing(StrEnum):
    """Where an order stands in the books."""

    HINTED = "HINTED"  # somebody said: look at it
    RECORDED = "RECORDED"  # read; its documents are still to be worked out
    BOOKED = "BOOKED"  # its documents are desired; each has its own state
    NOT_INVOICED = "NOT_INVOICED"  # nothing to book, by rule; the reason says which
    FAILED = "FAILED"  # needs a person; reason and hint say what


@dataclass(frozen=True)
class OrderFact:
    """One row. `updated` is Amazon's lastUpdatedTime of the version held; None until the order was read once.

    `due_at` is set while the order wants something; a failed read keeps it set. `hinted_at` is the newest hint's time.
    `customer` is the ContactNumber of its customer in Xero, `number` its first invoice's: it keeps that number when the
    settings' prefix changes. `documents` are the keys of what was asked for in Xero.
    """

    order_id: str
    generation: int = 0
    hinted_at: datetime | None = None
    due_at: datetime | None = None
    wants: Wants = Wants.READING
    attempts: int = 0
    read_at: datetime | None = None
    updated: datetime | None = None
    digest: str = ""
    status: str = ""
    content: Mapping[str, Any] | None = None
    shipments: tuple[Shipment, ...] = ()
    customer: str = ""
    number: str = ""
    standing: Standing = Standing.HINTED
    reason: str = ""
    hint: str = ""
    documents: tuple[str, ...] = ()

    def hinted(self, at: datetime, now: datetime) -> OrderFact | None:
        """The row after a hint of that time, or None when what is known already answers it.

        A fact read after Amazon spoke holds what Amazon spoke of.
        """
        if self.read_at is not None and self.read_at >= at:
            return None
        reading_at = self.due_at if self.wants is Wants.READING else None
        if reading_at is not None and reading_at <= now and self.hinted_at is not None and self.hinted_at >= at:
            return None
        latest = at if self.hinted_at is None else max(at, self.hinted_at)
        due = now if reading_at is None else min(reading_at, now)
        return replace(self, hinted_at=latest, due_at=due, wants=Wants.READING)

    def to_be_booked(self, now: datetime) -> OrderFact:
        """The row of an order whose documents are to be worked out, by the shipments function.

        A hint that is still open comes first: the reading that it asks for leads here again.
        """
        if self.wants is Wants.READING and self.due_at is not None:
            return replace(self, standing=Standing.RECORDED, reason="", hint="")
        return replace(self, standing=Standing.RECORDED, wants=Wants.BOOKING, due_at=now, reason="", hint="")

    def settled(self, standing: Standing, reason: str = "", hint: str = "") -> OrderFact:
        """The row of an order that wants nothing more, but for a hint that is still open."""
        due = self.due_at if self.wants is Wants.READING else None
        return replace(self, standing=standing, reason=reason, hint=hint, due_at=due, wants=Wants.READING)

    def supersedes(self, updated: datetime) -> bool:
        """Whether the version held is newer than one last updated then."""
        return self.updated is not None and self.updated > updated
