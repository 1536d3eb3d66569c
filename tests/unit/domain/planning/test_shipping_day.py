"""When the day of a shipment is certain, and which day its charge gives it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.domain.planning.shipping_day import (
    dated_by_charges,
    decided,
    is_day_certain,
    shipment_of_uncertain_day,
)
from fakes.books import ORGANISATION, POLICY

LONDON = replace(ORGANISATION, time_zone="Europe/London")
AUCKLAND = replace(ORGANISATION, time_zone="Pacific/Auckland")
PER_SHIPMENT = replace(POLICY, invoice_per=InvoicePer.SHIPMENT)


def on(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def between(begin: datetime, end: datetime) -> Shipment:
    return Shipment("", end, {"a": 1}, begin)


def charged(*posted: datetime) -> tuple[ShipmentCharge, ...]:
    return tuple(ShipmentCharge(f"C{place}", at, "GBP") for place, at in enumerate(posted))


CERTAIN = Shipment("P1", on(11, 2), {"a": 1})
LATE = between(on(10, 20), on(11, 18))


@pytest.mark.parametrize(
    ("shipment", "is_certain"),
    [
        pytest.param(CERTAIN, True, id="a package states it"),
        pytest.param(between(on(11, 3, 9), on(11, 3, 15)), True, id="six hours"),
        pytest.param(between(on(10, 31, 20), on(11, 1, 2)), True, id="six hours over the end of a month"),
        pytest.param(between(on(10, 31, 20), on(11, 1, 3)), False, id="more over the end of a month"),
        pytest.param(between(on(11, 3), on(11, 5)), True, id="two days of one month"),
        pytest.param(between(on(11, 3), on(11, 5, 13)), False, id="more than two days"),
        pytest.param(LATE, False, id="weeks"),
    ],
)
def test_day_is_certain_where_little_is_unknown_and_the_month_is_right(shipment: Shipment, is_certain: bool) -> None:
    assert is_day_certain(shipment, LONDON) is is_certain


def test_months_are_those_of_the_organisations_time_zone() -> None:
    over_the_end_in_auckland = between(on(10, 30, 20), on(10, 31, 20))  # 31 October and 1 November there

    assert is_day_certain(over_the_end_in_auckland, LONDON)
    assert not is_day_certain(over_the_end_in_auckland, AUCKLAND)


def test_one_invoice_for_an_order_needs_the_day_of_its_first_shipment_only() -> None:
    assert shipment_of_uncertain_day([CERTAIN, LATE], POLICY, LONDON) is None
    assert shipment_of_uncertain_day([CERTAIN, LATE], PER_SHIPMENT, LONDON) == LATE


def test_shipment_is_dated_by_the_earliest_charge_of_its_order() -> None:
    (dated,) = dated_by_charges([LATE], charged(on(10, 24), on(10, 22)), LONDON)

    assert (dated.shipped_at, dated.not_before) == (on(10, 22), None)


def test_later_shipment_is_dated_by_the_first_charge_after_it_was_known_not_to_have_shipped() -> None:
    shipments = [replace(CERTAIN, shipped_at=on(10, 21)), LATE]

    dated = dated_by_charges(shipments, charged(on(10, 19), on(10, 25)), LONDON)

    assert [each.shipped_at for each in dated] == [on(10, 21), on(10, 25)]


@pytest.mark.parametrize(("posted", "day"), [(on(10, 1), on(10, 20)), (on(11, 25), on(11, 18))])
def test_charge_moves_no_shipment_out_of_the_time_in_which_it_happened(posted: datetime, day: datetime) -> None:
    (dated,) = dated_by_charges([LATE], charged(posted), LONDON)

    assert dated.shipped_at == day


def test_day_that_is_certain_is_not_moved_by_a_charge() -> None:
    near = between(on(11, 3), on(11, 3) + timedelta(hours=5))

    assert dated_by_charges([near, CERTAIN], charged(on(10, 1)), LONDON) == (near, CERTAIN)


def test_day_that_was_decided_stays_decided_in_another_time_zone() -> None:
    near = between(on(10, 30, 20), on(10, 31, 20))

    assert [is_day_certain(each, AUCKLAND) for each in decided([near, LATE], LONDON)] == [True, False]
