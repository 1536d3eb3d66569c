"""What of an order has shipped, as Amazon's packages and quantities state it."""

from __future__ import annotations

from datetime import datetime

import pytest

from amazon_to_xero.domain.amazon.order import Order
from amazon_to_xero.domain.amazon.shipment import Shipment, shipments_of
from unit.domain.parsed_orders import on_day, package, parsed_order, sold


def shipments(order: Order, *recorded: Shipment) -> list[tuple[str, datetime, dict[str, int]]]:
    """(reference, time, quantities) of each shipment after this version of the order."""
    return [(each.reference, each.shipped_at, dict(each.quantities)) for each in shipments_of(order, recorded)]


@pytest.mark.parametrize("status", ["PENDING", "UNSHIPPED", "CANCELLED", "UNFULFILLABLE"])
def test_order_that_has_not_shipped_has_only_the_shipments_that_are_recorded(status: str) -> None:
    order = parsed_order(sold(), status=status, packages=[package("P1", a=1)])

    assert shipments(order) == []
    assert shipments(order, Shipment("P1", on_day(2), {"a": 1})) == [("P1", on_day(2), {"a": 1})]


def test_order_shipped_by_amazon_is_one_shipment_dated_by_its_version() -> None:
    assert shipments(parsed_order(sold("a", 2), sold("b"))) == [("", on_day(5), {"a": 2, "b": 1})]


def test_each_package_is_a_shipment_in_the_order_of_their_ship_times() -> None:
    order = parsed_order(sold("a", 2), sold("b"), packages=[package("P2", 3, a=1, b=1), package("P1", 2, a=1)])

    assert shipments(order) == [("P1", on_day(2), {"a": 1}), ("P2", on_day(3), {"a": 1, "b": 1})]


def test_package_without_ship_time_or_cancelled_is_no_shipment() -> None:
    waiting = package("P2", a=1)
    del waiting["shipTime"]
    order = parsed_order(
        sold("a", 3, shipped=1),
        status="PARTIALLY_SHIPPED",
        packages=[package("P1", a=1), waiting, package("P3", status="CANCELLED", a=1)],
    )

    assert shipments(order) == [("P1", on_day(2), {"a": 1})]


def test_partial_shipment_without_packages_records_only_the_new_quantity() -> None:
    status = "PARTIALLY_SHIPPED"
    first = shipments_of(parsed_order(sold("a", 3, shipped=1), sold("b", shipped=0), status=status), ())
    assert first == (Shipment("", on_day(5), {"a": 1}),)

    same = parsed_order(sold("a", 3, shipped=1), sold("b", shipped=0), status=status, updated=6)
    assert shipments_of(same, first) == first

    second = parsed_order(sold("a", 3, shipped=2), sold("b", shipped=1), status=status, updated=7)
    assert shipments(second, *first) == [("", on_day(5), {"a": 1}), ("", on_day(7), {"a": 1, "b": 1})]


def test_shipped_order_is_shipped_in_full_whatever_its_quantities_state() -> None:
    first = Shipment("", on_day(2), {"a": 1})
    order = parsed_order(sold("a", 3, shipped=1))

    assert shipments(order, first) == [("", on_day(2), {"a": 1}), ("", on_day(5), {"a": 2})]


def test_package_named_after_its_quantity_was_recorded_adds_nothing() -> None:
    recorded = Shipment("", on_day(2), {"a": 1})
    named = parsed_order(sold("a", 3, shipped=1), status="PARTIALLY_SHIPPED", packages=[package("P1", 2, a=1)])
    assert shipments(named, recorded) == [("", on_day(2), {"a": 1})]

    # When more has shipped than was recorded, the package that was not named before is what has shipped
    more = parsed_order(sold("a", 3, shipped=2), status="PARTIALLY_SHIPPED", packages=[package("P2", 4, a=1)])
    assert shipments(more, recorded) == [("", on_day(2), {"a": 1}), ("P2", on_day(4), {"a": 1})]


def test_package_named_later_states_the_time_of_a_shipment_of_which_two_times_are_known() -> None:
    between = Shipment("", on_day(5), {"a": 1}, not_before=on_day(2))
    order = parsed_order(sold("a", 1), packages=[package("P1", 1, a=1), package("P2", 4, a=1), package("P3", 7, a=1)])

    assert shipments_of(order, [between]) == (Shipment("", on_day(4), {"a": 1}),)


def test_package_is_recorded_before_amazon_updates_the_quantity() -> None:
    order = parsed_order(sold("a", 3, shipped=0), status="PARTIALLY_SHIPPED", packages=[package("P1", 2, a=1)])

    assert shipments(order) == [("P1", on_day(2), {"a": 1})]


def test_package_recorded_in_part_adds_only_the_rest() -> None:
    recorded = Shipment("", on_day(2), {"a": 2})
    late = parsed_order(sold("a", 3), sold("b"), packages=[package("P1", 4, a=3, b=1)])

    assert shipments(late, recorded) == [("", on_day(2), {"a": 2}), ("P1", on_day(4), {"a": 1, "b": 1})]


def test_recorded_shipment_keeps_its_date_and_quantity() -> None:
    recorded = Shipment("P1", on_day(2), {"a": 1})
    order = parsed_order(sold("a", 1), packages=[package("P1", 9, a=1)])

    assert shipments(order, recorded) == [("P1", on_day(2), {"a": 1})]


def test_packages_without_content_are_one_shipment_dated_by_the_first() -> None:
    order = parsed_order(sold("a", 2), packages=[package("P1", 3), package("P2", 2)])

    assert shipments(order) == [("", on_day(2), {"a": 2})]


def test_shipments_never_hold_more_than_was_ordered() -> None:
    packages = [package("P1", 2, a=7, unknown=1)]
    order = parsed_order(sold("a", 2, shipped=9), status="PARTIALLY_SHIPPED", packages=packages)

    assert shipments(order) == [("P1", on_day(2), {"a": 2})]


def test_packages_that_together_exceed_the_order_are_cut() -> None:
    order = parsed_order(sold("a", 3), packages=[package("P1", 2, a=2), package("P2", 3, a=2)])

    assert shipments(order) == [("P1", on_day(2), {"a": 2}), ("P2", on_day(3), {"a": 1})]


def test_package_that_names_an_item_twice_holds_both_quantities() -> None:
    twice = package("P1", 2, a=2)
    twice["packageItems"] += package("P1", 2, a=1)["packageItems"]

    assert shipments(parsed_order(sold("a", 3), packages=[twice])) == [("P1", on_day(2), {"a": 3})]


def test_quantity_that_was_cancelled_in_part_is_not_shipped() -> None:
    part = sold("a", 3)
    part["fulfillment"] = {"quantityFulfilled": 2, "quantityUnfulfilled": 0}

    assert shipments(parsed_order(part)) == [("", on_day(5), {"a": 2})]


def test_shipped_order_without_quantity_still_has_a_dated_shipment() -> None:
    assert shipments(parsed_order(sold("a", 0))) == [("", on_day(5), {})]
