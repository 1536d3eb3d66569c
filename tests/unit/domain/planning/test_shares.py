"""An order's amounts shared among its shipments to the currency's smallest unit, and their tracking numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order import Charge, Fulfilment, Order, OrderItem, parse_order
from amazon_to_xero.domain.amazon.shipment import Shipment, shipments_of
from amazon_to_xero.domain.money import smallest_unit, total
from amazon_to_xero.domain.planning.sale import Sale, sales
from amazon_to_xero.domain.planning.shares import share_of, tracking_of
from fakes.books import ORGANISATION, POLICY
from fakes.orders import breakdown, item, order
from unit.domain.parsed_orders import on_day, package, parsed_order, sold

D = Decimal
CURRENCIES = {"JPY": 0, "GBP": 2, "KWD": 3}
TIP = {"breakdowns": [{"type": "DELIVERY_TIP", "subtotal": {"amount": "2.00", "currencyCode": "GBP"}}]}


def one_a_day(shipments: int, item_id: str = "a") -> list[Shipment]:
    """So many shipments of one piece each."""
    return [Shipment(str(day), on_day(day), {item_id: 1}) for day in range(1, shipments + 1)]


@st.composite
def split_orders(draw: st.DrawFn) -> tuple[Order, list[Shipment]]:
    """Draw an order of any amounts in a currency of 0, 2 or 3 decimals, shipped in full in any number of parts."""
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    unit = smallest_unit(currency)
    amount = st.integers(0, 99_999).map(lambda units: units * unit)
    is_tax_exclusive = draw(st.booleans())
    items = []
    for number in range(draw(st.integers(1, 3))):
        charges = draw(st.dictionaries(st.sampled_from([Charge.ITEM, Charge.SHIPPING, Charge.GIFT_WRAP]), amount))
        discounts = {c: -v for c, v in draw(st.dictionaries(st.sampled_from([Charge.ITEM]), amount)).items()}
        taxes = draw(st.dictionaries(st.sampled_from(["ITEM", "SHIPPING"]), amount))
        stated = (
            total(charges.values()) + total(discounts.values()) + (total(taxes.values()) if is_tax_exclusive else 0)
        )
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
                tax_exclusive=is_tax_exclusive,
            )
        )
    tip = draw(amount)
    unshipped = {each.item_id: each.quantity for each in items}
    shipments = []
    for place in range(draw(st.integers(0, 3))):
        shipped = {item_id: draw(st.integers(0, quantity)) for item_id, quantity in unshipped.items()}
        unshipped = {item_id: quantity - shipped[item_id] for item_id, quantity in unshipped.items()}
        shipments.append(Shipment(f"P{place}", on_day(2), shipped))
    shipments.append(Shipment("last", on_day(3), unshipped))
    whole = Order(
        order_id="A",
        created=on_day(1),
        updated=on_day(4),
        status=Fulfilment.SHIPPED,
        sold_on_amazon=True,
        marketplace_id="",
        replaces=None,
        currency=currency,
        grand_total=total(each.total for each in items) + tip,
        tip=tip,
        ship_to_country="",
        ship_to_region="",
        packages=(),
        items=tuple(items),
    )
    return whole, shipments


# --- amounts ----------------------------------------------------------------------------------------------------------


@given(split_orders())
def test_shares_of_all_shipments_add_up_to_the_order_in_each_amount(split: tuple[Order, list[Shipment]]) -> None:
    whole, shipments = split
    shares = [share_of(whole, shipments, number) for number in range(len(shipments))]

    assert total(part.grand_total or D(0) for part in shares) == whole.grand_total or not any(
        part.items for part in shares
    )
    for sold_item in whole.items:
        parts = [each for part in shares for each in part.items if each.item_id == sold_item.item_id]
        assert sum(part.quantity for part in parts) == sold_item.quantity
        amounts: list[Callable[[OrderItem], Any]] = [lambda i: i.charges, lambda i: i.discounts, lambda i: i.taxes]
        for amounts_of in amounts:
            for name, value in amounts_of(sold_item).items():
                assert total(amounts_of(part)[name] for part in parts) == value
        assert total(part.tax for part in parts) == sold_item.tax
        assert total(part.total for part in parts) == sold_item.total


@given(split_orders())
def test_each_share_balances_in_amounts_of_the_currency(split: tuple[Order, list[Shipment]]) -> None:
    whole, shipments = split
    assert whole.currency is not None
    unit = smallest_unit(whole.currency)

    for number in range(len(shipments)):
        part = share_of(whole, shipments, number)
        assert part.grand_total == total(each.total for each in part.items) + part.tip
        for each in part.items:
            tax = each.tax if each.tax_exclusive else D(0)
            assert each.total == total(each.charges.values()) + total(each.discounts.values()) + tax
            assert all(value % unit == 0 for value in (*each.charges.values(), *each.taxes.values(), each.total))
            (sold_item,) = [one for one in whole.items if one.item_id == each.item_id]
            is_sold_below_zero = total(sold_item.charges.values()) + total(sold_item.discounts.values()) < 0
            assert each.total >= 0 or is_sold_below_zero  # Xero accepts no invoice below zero


@given(split_orders())
def test_later_shipment_does_not_change_earlier_shares(split: tuple[Order, list[Shipment]]) -> None:
    whole, shipments = split
    known = next((n for n, each in enumerate(shipments) if any(each.quantities.values())), len(shipments))

    for until in range(known + 1, len(shipments)):
        earlier = [share_of(whole, shipments[:until], number) for number in range(until)]
        assert earlier == [share_of(whole, shipments, number) for number in range(until)]


def test_shares_are_rounded_over_all_shipments_so_far() -> None:
    whole = parsed_order(sold("a", 3))
    shares = [share_of(whole, one_a_day(3), number).grand_total for number in range(3)]

    assert shares == [D("3.33"), D("3.33"), D("3.34")]


def test_no_share_of_a_few_pence_is_negative() -> None:
    pence = item("0.01", breakdown("ITEM", "0.02"), breakdown("DISCOUNT", "-0.01"), quantity=3, item_id="a")
    whole = parsed_order(pence)
    shares = [share_of(whole, one_a_day(3), number).grand_total for number in range(3)]

    assert shares == [D("0.00"), D("0.00"), D("0.01")]


def test_tip_and_cancelled_but_charged_items_go_with_the_first_shipment() -> None:
    cancelled = item("3.00", quantity=0, item_id="cancelled")
    whole = parse_order(order(sold("a", 2), cancelled, grand_total="15.00", proceeds=TIP))

    first, second = (share_of(whole, one_a_day(2), number) for number in (0, 1))

    assert (first.grand_total, first.tip) == (D("10.00"), D("2.00"))
    assert [each.item_id for each in first.items] == ["a", "cancelled"]
    assert (second.grand_total, second.tip) == (D("5.00"), D(0))
    assert [each.item_id for each in second.items] == ["a"]


def test_neither_tip_nor_cancelled_items_are_shared_while_the_shipped_items_are_unknown() -> None:
    cancelled = item("0.00", quantity=0, item_id="cancelled")
    raw = order(sold("a", 2, shipped=0), cancelled, grand_total="12.00", status="PARTIALLY_SHIPPED", proceeds=TIP)
    whole = parse_order(raw)

    part = share_of(whole, shipments_of(whole, ()), 0)

    assert part.items == ()
    assert (part.tip, part.grand_total) == (D(0), D(0))


# --- tracking numbers -------------------------------------------------------------------------------------------------


def only_sale(order: Order) -> Sale:
    outcome = sales(order, shipments_of(order, ()), POLICY, ORGANISATION)
    assert isinstance(outcome, list)
    (sale,) = outcome
    return sale


def test_reference_has_the_tracking_numbers_of_all_packages_once_each() -> None:
    packages = [package("P1", 2, "T1", a=1), package("P2", 3, "T2", a=1), package("P3", 3, "T2", a=1), package("P4")]
    shipped = parsed_order(sold("a", 3), packages=packages)

    assert tracking_of(shipped) == "Royal Mail T1, Royal Mail T2"
    assert only_sale(shipped).reference == "Amazon.co.uk 026-0000001-0000001 · Royal Mail T1, Royal Mail T2"


def test_reference_of_a_shipment_invoice_has_only_its_own_tracking_number() -> None:
    shipped = parsed_order(sold("a", 2), packages=[package("P1", 2, "T1", a=1), package("P2", 3, "T2", a=1)])
    first, second = shipments_of(shipped, ())

    assert (tracking_of(shipped, first), tracking_of(shipped, second)) == ("Royal Mail T1", "Royal Mail T2")
    assert tracking_of(shipped, Shipment("", on_day(2), {"a": 2})) == ""


def test_reference_is_cut_to_xeros_limit() -> None:
    packages = [package(f"P{number}", 2, f"T{number:030}", a=1) for number in range(20)]

    # The 255th character is a space, which Xero would take away.
    assert len(only_sale(parsed_order(sold("a", 20), packages=packages)).reference) == 254
