"""What happened to an order, as its rows keep it: one entry per moment, oldest first.

Rows keep the newest state of each thing. Every decision on the way is in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment_charge import charged_text
from operations.order_books import OrderBooks


@dataclass(frozen=True)
class Moment:
    """Something that happened at a time (UTC)."""

    at: datetime
    what: str


def timeline(books: OrderBooks) -> list[Moment]:
    """Return what happened to an order, oldest first."""
    moments = [*_of_order(books.record)] if books.record else []
    for refund in books.refunds:
        if refund.posted_at:
            moments.append(Moment(refund.posted_at, f"Amazon posted the refund {refund.transaction_id}"))
    for charge in books.confirmation.charges.values() if books.confirmation else ():
        moments.append(Moment(charge.posted_at, f"Amazon charged {charged_text([charge])} ({charge.transaction_id})"))
    return sorted(moments, key=lambda each: each.at)


def _of_order(record: OrderRecord) -> Iterator[Moment]:
    created = (record.content or {}).get("createdTime")
    if created:
        yield Moment(datetime.fromisoformat(str(created)).astimezone(UTC), "the buyer ordered")
    if record.version:
        status = f" ({record.status})" if record.status else ""  # none of an order that could not be read
        yield Moment(record.version, f"Amazon last changed the order{status}")
    if record.noticed_at:
        yield Moment(record.noticed_at, "Amazon's newest notice of a change")
    if record.read_at:
        yield Moment(record.read_at, "last read from Amazon")
    for number, shipment in enumerate(record.shipments, start=1):
        units = sum(shipment.quantities.values())
        handed_over = "was handed over" if shipment.not_before is None else "was handed over, at the latest"
        yield Moment(shipment.shipped_at, f"shipment {number} {handed_over}: {units} units")
    if record.awaits_charge_since:
        yield Moment(record.awaits_charge_since, "its plan began to wait for what Amazon charged")
    if record.next_attempt_at:
        yield Moment(record.next_attempt_at, f"next step: {record.next_step} by {record.capability}")
