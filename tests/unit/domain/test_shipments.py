"""What has left for the buyer, and how an order's amounts are shared among its shipments: to the smallest unit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order import Charge, Fulfilment, Order, OrderItem, parse_order
from amazon_to_xero.domain.amazon.shipment import Shipment, shipments_of
from amazon_to_xero.domain.money import smallest_unit, total
from amazon_to_xero.domain.planning.sale import sales
from amazon_to_xero.domain.planning.shares import share_of, tracking_of
from fakes.books import ORGANISATION, POLICY
from fakes.orders import breakdown, item, order

D = Decimal


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def package(reference: str, day: int = 2, tracking: str = "", status: str = "SHIPPED", **items: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "packageReferenceId": reference,
        "packageStatus": {"status": status},
        "shipTime": at(day).isoformat().replace("+00:00", "Z"),
        "packageItems": [{"orderItemId": name, "quantity": quantity} for name, quantity in items.items()],
    }
    return made | ({"carrier": "Royal Mail", "trackingNumber": tracking} if tracking else {})


def sold(name: str = "a", quantity: int = 1, fulfilled: int | None = None, price: str = "10.00") -> dict[str, Any]:
    made = item(price, quantity=quantity, item_id=name)
    if fulfilled is not None:
        made["fulfillment"] = {"quantityFulfilled": fulfilled, "quantityUnfulfilled": quantity - fulfilled}
    return made


def an_order(*items: dict[str, Any], status: str = "SHIPPED", updated: int = 5, **more: Any) -> Order:
    grand_total = sum((D(each["proceeds"]["proceedsTotal"]["amount"]) for each in items), D(0))
    stamp = at(updated).isoformat().replace("+00:00", "Z")
    return parse_order(order(*items, grand_total=str(grand_total), status=status, updated=stamp, **more))


def seen(order: Order, *recorded: Shipment) -> list[tuple[str, datetime, dict[str, int]]]:
    return [(s.reference, s.shipped_at, dict(s.quantities)) for s in shipments_of(order, recorded)]


# --- what has left ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["PENDING", "UNSHIPPED", "CANCELLED", "UNFULFILLABLE"])
def test_an_order_that_has_not_left_has_no_shipments_and_keeps_those_it_had(status: str) -> None:
    made = an_order(sold(), status=status, packages=[package("P1", a=1)])

    assert seen(made) == []
    assert seen(made, Shipment("P1", at(2), {"a": 1})) == [("P1", at(2), {"a": 1})]


def test_an_order_that_amazon_delivers_is_one_shipment_at_the_time_amazon_says_so() -> None:
    assert seen(an_order(sold("a", 2), sold("b"))) == [("", at(5), {"a": 2, "b": 1})]


def test_each_package_is_a_shipment_in_the_order_in_which_they_left() -> None:
    made = an_order(sold("a", 2), sold("b"), packages=[package("P2", 3, a=1, b=1), package("P1", 2, a=1)])

    assert seen(made) == [("P1", at(2), {"a": 1}), ("P2", at(3), {"a": 1, "b": 1})]


def test_a_package_that_has_not_left_or_was_cancelled_is_no_shipment() -> None:
    waiting = package("P2", a=1)
    del waiting["shipTime"]
    made = an_order(
        sold("a", 3, fulfilled=1),
        status="PARTIALLY_SHIPPED",
        packages=[package("P1", a=1), waiting, package("P3", status="CANCELLED", a=1)],
    )

    assert seen(made) == [("P1", at(2), {"a": 1})]


def test_of_a_partial_shipment_without_packages_only_what_is_new_counts() -> None:
    first = shipments_of(an_order(sold("a", 3, fulfilled=1), sold("b", fulfilled=0), status="PARTIALLY_SHIPPED"), ())
    assert first == (Shipment("", at(5), {"a": 1}),)

    same = an_order(sold("a", 3, fulfilled=1), sold("b", fulfilled=0), status="PARTIALLY_SHIPPED", updated=6)
    assert shipments_of(same, first) == first

    second = an_order(sold("a", 3, fulfilled=2), sold("b", fulfilled=1), status="PARTIALLY_SHIPPED", updated=7)
    assert seen(second, *first) == [("", at(5), {"a": 1}), ("", at(7), {"a": 1, "b": 1})]


def test_an_order_that_is_shipped_has_left_in_full_whatever_its_quantities_say() -> None:
    first = Shipment("", at(2), {"a": 1})

    assert seen(an_order(sold("a", 3, fulfilled=1)), first) == [("", at(2), {"a": 1}), ("", at(5), {"a": 2})]


def test_a_package_that_amazon_names_after_its_quantity_was_counted_adds_nothing() -> None:
    counted = Shipment("", at(2), {"a": 1})
    named = an_order(sold("a", 3, fulfilled=1), status="PARTIALLY_SHIPPED", packages=[package("P1", 2, a=1)])
    assert seen(named, counted) == [("", at(2), {"a": 1})]

    # When more has left than was counted, a package that was not known is what left
    more = an_order(sold("a", 3, fulfilled=2), status="PARTIALLY_SHIPPED", packages=[package("P2", 4, a=1)])
    assert seen(more, counted) == [("", at(2), {"a": 1}), ("P2", at(4), {"a": 1})]


def test_a_package_may_be_told_before_its_quantity() -> None:
    told = an_order(sold("a", 3, fulfilled=0), status="PARTIALLY_SHIPPED", packages=[package("P1", 2, a=1)])

    assert seen(told) == [("P1", at(2), {"a": 1})]


def test_a_package_counted_in_part_adds_only_the_rest() -> None:
    counted = Shipment("", at(2), {"a": 2})
    late = an_order(sold("a", 3), sold("b"), packages=[package("P1", 4, a=3, b=1)])

    assert seen(late, counted) == [("", at(2), {"a": 2}), ("P1", at(4), {"a": 1, "b": 1})]


def test_a_recorded_shipment_keeps_its_date_and_its_quantity_whatever_amazon_says_later() -> None:
    recorded = Shipment("P1", at(2), {"a": 1})
    made = an_order(sold("a", 1), packages=[package("P1", 9, a=1)])

    assert seen(made, recorded) == [("P1", at(2), {"a": 1})]


def test_what_left_in_packages_that_do_not_say_what_is_in_them_left_with_the_first() -> None:
    made = an_order(sold("a", 2), packages=[package("P1", 3), package("P2", 2)])

    assert seen(made) == [("", at(2), {"a": 2})]


def test_more_than_was_ordered_never_leaves() -> None:
    made = an_order(sold("a", 2, fulfilled=9), status="PARTIALLY_SHIPPED", packages=[package("P1", 2, a=7, unknown=1)])

    assert seen(made) == [("P1", at(2), {"a": 2})]


def test_packages_that_together_hold_more_than_was_ordered_are_cut_to_it() -> None:
    made = an_order(sold("a", 3), packages=[package("P1", 2, a=2), package("P2", 3, a=2)])

    assert seen(made) == [("P1", at(2), {"a": 2}), ("P2", at(3), {"a": 1})]


def test_a_shipped_order_of_nothing_is_dated_all_the_same() -> None:
    assert seen(an_order(sold("a", 0))) == [("", at(5), {})]


# --- shares -----------------------------------------------------------------------------------------------------------

CURRENCIES = {"JPY": 0, "GBP": 2, "KWD": 3}


@st.composite
def split_orders(draw: st.DrawFn) -> tuple[Order, list[Shipment]]:
    """An order of any amounts in a currency of 0, 2 or 3 decimals, shipped in full in any number of parts."""
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    unit = smallest_unit(currency)
    amount = st.integers(0, 99_999).map(lambda units: units * unit)
    on_top = draw(st.booleans())
    items = []
    for number in range(draw(st.integers(1, 3))):
        charges = draw(st.dictionaries(st.sampled_from([Charge.ITEM, Charge.SHIPPING, Charge.GIFT_WRAP]), amount))
        discounts = {c: -v for c, v in draw(st.dictionaries(st.sampled_from([Charge.ITEM]), amount)).items()}
        taxes = draw(st.dictionaries(st.sampled_from(["ITEM", "SHIPPING"]), amount))
        stated = total(charges.values()) + total(discounts.values()) + (total(taxes.values()) if on_top else 0)
        items.append(
            OrderItem(
                item_id=str(number),
                sku="",
                title="",
                quantity=draw(st.integers(0, 7)),
                total=stated,
                charges=charges,
                discounts=discounts,
                taxes=taxes,
                tax=total(taxes.values()),
                tax_exclusive=on_top,
                collected_by_marketplace=False,
            )
        )
    tip = draw(amount)
    left = {each.item_id: each.quantity for each in items}
    parts = []
    for place in range(draw(st.integers(0, 3))):
        taken = {name: draw(st.integers(0, quantity)) for name, quantity in left.items()}
        left = {name: quantity - taken[name] for name, quantity in left.items()}
        parts.append(Shipment(f"P{place}", at(2), taken))
    parts.append(Shipment("last", at(3), left))
    grand_total = total(each.total for each in items) + tip
    made = Order(
        *("A", at(1), at(4), Fulfilment.SHIPPED, True, "", None, currency, grand_total, tip, "", "", (), tuple(items))
    )
    return made, parts


@given(split_orders())
def test_the_shares_of_all_shipments_add_up_to_the_order_in_each_amount(split: tuple[Order, list[Shipment]]) -> None:
    whole, shipments = split
    shares = [share_of(whole, shipments, number) for number in range(len(shipments))]

    assert total(part.grand_total or D(0) for part in shares) == whole.grand_total or not any(
        part.items for part in shares
    )
    for sold_item in whole.items:
        parts = [each for part in shares for each in part.items if each.item_id == sold_item.item_id]
        assert sum(part.quantity for part in parts) == sold_item.quantity
        amounts: list[Callable[[OrderItem], Any]] = [lambda i: i.charges, lambda i: i.discounts, lambda i: i.taxes]
        for of in amounts:
            for name, value in of(sold_item).items():
                assert total(of(part)[name] for part in parts) == value
        assert total(part.tax for part in parts) == sold_item.tax
        assert total(part.total for part in parts) == sold_item.total


@given(split_orders())
def test_each_share_is_an_order_that_balances_in_amounts_of_its_currency(split: tuple[Order, list[Shipment]]) -> None:
    whole, shipments = split
    unit = smallest_unit(whole.currency)

    for number in range(len(shipments)):
        part = share_of(whole, shipments, number)
        assert part.grand_total == total(each.total for each in part.items) + part.tip
        for each in part.items:
            on_top = each.tax if each.tax_exclusive else D(0)
            assert each.total == total(each.charges.values()) + total(each.discounts.values()) + on_top
            assert all(value % unit == 0 for value in (*each.charges.values(), *each.taxes.values(), each.total))
            (sold_item,) = [one for one in whole.items if one.item_id == each.item_id]
            below = total(sold_item.charges.values()) + total(sold_item.discounts.values()) < 0
            assert each.total >= 0 or below  # Xero takes no invoice below nothing


@given(split_orders())
def test_a_later_shipment_changes_nothing_of_the_earlier_shares(split: tuple[Order, list[Shipment]]) -> None:
    whole, shipments = split
    known = next((n for n, each in enumerate(shipments) if any(each.quantities.values())), len(shipments))

    for until in range(known + 1, len(shipments)):
        earlier = [share_of(whole, shipments[:until], number) for number in range(until)]
        assert earlier == [share_of(whole, shipments, number) for number in range(until)]


def test_a_third_of_ten_pounds_is_shared_by_rounding_what_left_so_far() -> None:
    whole = an_order(sold("a", 3))
    shipments = [Shipment(str(number), at(number), {"a": 1}) for number in (1, 2, 3)]

    assert [share_of(whole, shipments, number).grand_total for number in range(3)] == [D("3.33"), D("3.34"), D("3.33")]


def test_no_share_of_a_few_pence_comes_out_below_nothing() -> None:
    pence = item("0.01", breakdown("ITEM", "0.02"), breakdown("DISCOUNT", "-0.01"), quantity=3, item_id="a")
    whole = an_order(pence)
    shipments = [Shipment(str(number), at(number), {"a": 1}) for number in (1, 2, 3)]

    shares = [share_of(whole, shipments, number).grand_total for number in range(3)]

    assert shares == [D("0.00"), D("0.01"), D("0.00")]


def test_a_tip_and_what_was_cancelled_but_charged_go_with_the_first_shipment() -> None:
    raw = order(
        sold("a", 2),
        item("3.00", quantity=0, item_id="gone"),
        grand_total="15.00",
        proceeds={
            "breakdowns": [{"type": "DELIVERY_TIP", "subtotal": {"amount": "2.00", "currencyCode": "GBP"}}],
        },
    )
    whole = parse_order(raw)
    shipments = [Shipment("1", at(1), {"a": 1}), Shipment("2", at(2), {"a": 1})]

    first, second = (share_of(whole, shipments, number) for number in (0, 1))

    assert (first.grand_total, first.tip, [i.item_id for i in first.items]) == (D("10.00"), D("2.00"), ["a", "gone"])
    assert (second.grand_total, second.tip, [i.item_id for i in second.items]) == (D("5.00"), D(0), ["a"])


# --- tracking ---------------------------------------------------------------------------------------------------------


def test_while_nobody_says_what_left_neither_a_tip_nor_what_was_cancelled_is_sold() -> None:
    raw = order(
        sold("a", 2, fulfilled=0),
        item("0.00", quantity=0, item_id="gone"),
        grand_total="12.00",
        status="PARTIALLY_SHIPPED",
        proceeds={"breakdowns": [{"type": "DELIVERY_TIP", "subtotal": {"amount": "2.00", "currencyCode": "GBP"}}]},
    )
    whole = parse_order(raw)

    part = share_of(whole, shipments_of(whole, ()), 0)

    assert (part.items, part.tip, part.grand_total) == ((), 0, 0)


def test_the_invoice_refers_to_the_tracking_numbers_of_all_packages_once_each() -> None:
    parcels = [package("P1", 2, "T1", a=1), package("P2", 3, "T2", a=1), package("P3", 3, "T2", a=1), package("P4")]
    made = an_order(sold("a", 3), packages=parcels)

    assert tracking_of(made) == "Royal Mail T1, Royal Mail T2"
    (sale,) = sales(made, shipments_of(made, ()), POLICY, ORGANISATION)  # type: ignore[misc]
    assert sale.reference == "Amazon.co.uk 026-0000001-0000001 · Royal Mail T1, Royal Mail T2"


def test_a_shipment_s_own_invoice_refers_to_its_own_package() -> None:
    made = an_order(sold("a", 2), packages=[package("P1", 2, "T1", a=1), package("P2", 3, "T2", a=1)])
    first, second = shipments_of(made, ())

    assert (tracking_of(made, first), tracking_of(made, second)) == ("Royal Mail T1", "Royal Mail T2")
    assert tracking_of(made, Shipment("", at(2), {"a": 2})) == ""


def test_a_reference_is_never_longer_than_xero_takes() -> None:
    parcels = [package(f"P{n}", 2, f"T{n:030}", a=1) for n in range(20)]
    made = an_order(sold("a", 20), packages=parcels)

    (sale,) = sales(made, shipments_of(made, ()), POLICY, ORGANISATION)  # type: ignore[misc]
    assert len(sale.reference) == 255
