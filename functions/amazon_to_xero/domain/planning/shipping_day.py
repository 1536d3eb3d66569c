"""The day on which something shipped, where no package states it: certain by two times of the order, or by its charge.

Amazon states no day of shipment for what it ships itself (FBA): it shipped after the order was last known not to have
shipped, and before the version that first shows it shipped. Read late, that version may be weeks younger than the
shipment. Amazon charges the buyer when it ships (Finances API v2024-06-19, a Shipment transaction's postedDate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.planning.policy import PostingPolicy

#: An order is followed closely while what is unknown of it is no longer than this: orders are swept every 15 minutes.
CLOSELY = timedelta(hours=6)
#: Between two times of one month that are no further apart, the later one is taken: the month is right.
NEARLY = timedelta(days=2)


def is_day_certain(shipment: Shipment, organisation: Organisation) -> bool:
    """Return whether a document may be dated on the day of `shipped_at`."""
    if shipment.not_before is None:
        return True
    open_for = shipment.shipped_at - shipment.not_before
    first, last = (organisation.local_date(at) for at in (shipment.not_before, shipment.shipped_at))
    is_one_month = (first.year, first.month) == (last.year, last.month)
    return open_for <= CLOSELY or (open_for <= NEARLY and is_one_month)


def shipment_of_uncertain_day(
    shipments: Sequence[Shipment], policy: PostingPolicy, organisation: Organisation
) -> Shipment | None:
    """Return the first shipment that dates an invoice and whose day is not certain; None where there is none."""
    dating = shipments if policy.invoice_per.is_by_shipment else shipments[:1]
    return next((each for each in dating if not is_day_certain(each, organisation)), None)


def dated_by_charges(
    shipments: Sequence[Shipment], charges: Sequence[ShipmentCharge], organisation: Organisation
) -> tuple[Shipment, ...]:
    """Return the shipments; those whose day is not certain on the day of their charge, where that is known.

    The charge of the first shipment is the earliest one. That of a later shipment was posted after the ones before it
    were known. No charge moves a shipment out of the two times between which it happened.
    """
    return tuple(
        each if is_day_certain(each, organisation) else _dated_by_charges(each, charges, is_first=place == 0)
        for place, each in enumerate(shipments)
    )


def decided(shipments: Sequence[Shipment], organisation: Organisation) -> tuple[Shipment, ...]:
    """Return the shipments with every certain day decided: a document that is dated by it opens it no more."""
    return tuple(replace(each, not_before=None) if is_day_certain(each, organisation) else each for each in shipments)


def _dated_by_charges(shipment: Shipment, charges: Sequence[ShipmentCharge], *, is_first: bool) -> Shipment:
    begin = shipment.not_before or shipment.shipped_at
    posted = [each.posted_at for each in charges if is_first or each.posted_at > begin]
    if not posted:
        return shipment
    return replace(shipment, shipped_at=min(max(min(posted), begin), shipment.shipped_at), not_before=None)
