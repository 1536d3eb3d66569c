"""GST of the seller and PST of the marketplace in one amount: the books hold the GST, to the cent, and no PST.

What Amazon states and charges, and what the seller owes of it, is calculated here, independently of the code under
test.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.order import Order, parse_order
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.planning.charged_tax import is_charged_in_full
from amazon_to_xero.domain.planning.split_tax import with_split_tax
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule
from fakes.books import ORGANISATION
from fakes.orders import breakdown, item, order
from fakes.state import NOON

D = Decimal
CENT = D("0.01")
CANADA = {"marketplace": "A2EUQ1WTGCTBG2", "currency": "CAD", "ship_to": "CA"}
BOTH = {
    "taxCollections": [
        {"model": "Standard", "responsibleParty": "Seller"},
        {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon"},
    ]
}
GST = TaxPolicy((TaxRule("TAX001", LineAmountTypes.EXCLUSIVE),))  # 5 %, see fakes.books


@dataclass
class Sold:
    """An order as Amazon states it, what Amazon charged for it, and the seller's part of the tax by item."""

    order: Order
    charge: ShipmentCharge
    net: Decimal
    gst: dict[str, Decimal]
    pst: Decimal


@st.composite
def sold_orders(draw: st.DrawFn) -> Sold:
    pst_rate, rounding = D(draw(st.sampled_from(("6", "7", "8")))), draw(st.sampled_from((ROUND_HALF_UP, ROUND_DOWN)))
    items: list[dict[str, Any]] = []
    gst: dict[str, Decimal] = {}
    net, pst, nets = D(0), D(0), list[Decimal]()
    for number in range(draw(st.integers(1, 3))):
        quantity = draw(st.integers(1, 5))
        prices = {"ITEM": draw(st.integers(100, 9000)) * CENT * quantity}
        if draw(st.booleans()):
            prices["SHIPPING"] = draw(st.integers(100, 2000)) * CENT
        if draw(st.booleans()):
            prices["DISCOUNT"] = -draw(st.integers(1, 99)) * CENT * quantity
        both = {
            name: [(price * rate / 100).quantize(CENT, rounding=rounding) for rate in (D(5), pst_rate)]
            for name, price in prices.items()
        }
        taxes = {name: sum(each) for name, each in both.items()}
        tax, price = sum(taxes.values()), sum(prices.values(), D(0))
        details = {name: str(each) for name, each in taxes.items()} if draw(st.booleans()) else {}
        parts = [breakdown(name, str(each), "CAD") for name, each in prices.items()]
        parts.append(breakdown("TAX", str(tax), "CAD", **details))
        made = item(str(price + tax), *parts, quantity=quantity, currency="CAD", item_id=str(number))
        items.append(made | {"tax": BOTH})
        gst[str(number)] = sum((each[0] for each in both.values()), D(0))
        nets.append(price)
        net, pst = net + price, pst + sum((each[1] for each in both.values()), D(0))
    total_gst = sum(gst.values(), D(0))
    # Otherwise one party owes all of it, or a discount leaves so little that rounding alone decides whose the cent is.
    assume(total_gst > 0 and pst > 0 and min(nets) >= 1)
    raw = order(*items, grand_total=str(net + total_gst + pst), **CANADA)
    amounts = {
        AmountType(AmountKind.ITEM): net,
        AmountType(AmountKind.ITEM, is_tax=True): total_gst + pst,
        AmountType(AmountKind.MARKETPLACE_TAX, is_tax=True): -pst,
    }
    return Sold(parse_order(raw), ShipmentCharge("C1", NOON, "CAD", amounts), net, gst, pst)


def withholding(charge: ShipmentCharge, withheld: Decimal) -> ShipmentCharge:
    amounts = {**charge.amounts, AmountType(AmountKind.MARKETPLACE_TAX, is_tax=True): -withheld}
    return ShipmentCharge(charge.transaction_id, charge.posted_at, charge.currency, amounts)


def test_half_a_cent_of_gst_on_a_discount_that_amazon_rounds_to_nothing_is_no_difference() -> None:
    """A discount of 0.10 has 0.005 GST and 0.006 PST: Amazon states 0.00 for both."""
    parts = [breakdown("ITEM", "2.00", "CAD"), breakdown("DISCOUNT", "-0.10", "CAD")]
    parts.append(breakdown("TAX", "0.22", "CAD", ITEM="0.22", DISCOUNT="0.00"))
    sold = item("2.12", *parts, quantity=2, currency="CAD", item_id="1") | {"tax": BOTH}
    amounts = {AmountType(AmountKind.ITEM): D("1.90"), AmountType(AmountKind.ITEM, is_tax=True): D("0.22")}
    charge = withholding(ShipmentCharge("C1", NOON, "CAD", amounts), D("0.12"))

    split = with_split_tax(parse_order(order(sold, grand_total="2.12", **CANADA)), [charge], GST, ORGANISATION)

    assert split is not None
    assert (split.items[0].tax, split.grand_total) == (D("0.10"), D("2.00"))


@settings(max_examples=300, deadline=None)
@given(sold_orders())
def test_order_keeps_the_gst_and_loses_the_pst_that_the_charge_withholds(sold: Sold) -> None:
    assert is_charged_in_full(sold.order, [sold.charge])

    split = with_split_tax(sold.order, [sold.charge], GST, ORGANISATION)

    assert split is not None
    event(f"{len(split.items)} items")
    assert split.grand_total == sold.net + sum(sold.gst.values())
    assert sum(each.tax for each in split.items) == sum(sold.gst.values())
    assert sum(each.withheld for each in split.items) == sold.pst
    for each in split.items:
        # Which cent is whose of several items, Amazon does not say.
        assert abs(each.tax - sold.gst[each.item_id]) <= CENT * 3 * len(split.items)
        assert sum(each.taxes.values()) == each.tax
        assert each.total == sum(each.charges.values()) + sum(each.discounts.values()) + each.tax


@settings(max_examples=200, deadline=None)
@given(sold_orders(), st.booleans())
def test_rest_that_is_no_gst_is_left_to_a_person(sold: Sold, is_more: bool) -> None:
    """Two points of the price more or less are withheld: 3 % or 7 % are left, and the seller's rate is 5 %."""
    difference = (sold.net / 50).quantize(CENT)
    assume(difference > CENT * 5 * 3 * len(sold.order.items))  # more than any rounding by unit
    withheld = sold.pst + (difference if is_more else -difference)

    assert with_split_tax(sold.order, [withholding(sold.charge, withheld)], GST, ORGANISATION) is None


@given(sold_orders())
def test_tax_that_one_party_owes_is_not_split(sold: Sold) -> None:
    for withheld in (D(0), sold.pst + sum(sold.gst.values())):
        assert with_split_tax(sold.order, [withholding(sold.charge, withheld)], GST, ORGANISATION) is None
