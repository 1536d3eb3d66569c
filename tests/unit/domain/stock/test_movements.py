"""Which orders and transactions move units of Amazon's stock, and that each of them counts once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.amazon.stock import Channel
from amazon_to_xero.domain.stock.movements import DayMovements, Movement, SkuPeriod, refunded_by, sold_by
from fakes.stock import minute

TODAY = date(2026, 11, 23)
ORDER = OrderRecord(
    "204-1",
    content={
        "fulfillment": {"fulfilledBy": "AMAZON"},
        "orderItems": [
            {"orderItemId": "1", "product": {"sellerSku": "MUG-RED"}},
            {"orderItemId": "2", "product": {"sellerSku": "MUG-RED"}},
            {"orderItemId": "3", "product": {"sellerSku": "LAMP"}},
        ],
    },
    shipments=(Shipment("", minute(0), {"1": 2, "2": 1}), Shipment("", minute(9), {"3": 1})),
)


def refund(kind: str = "Refund", **context: Any) -> dict[str, Any]:
    product = {"contextType": "ProductContext", "sku": "MUG-RED", "quantityShipped": 2, "fulfillmentNetwork": "AFN"}
    return {
        "transactionId": "R1",
        "transactionType": kind,
        "postedDate": "2026-11-23T08:00:00Z",
        "items": [{"contexts": [{**product, **context}]}],
    }


def test_shipped_units_leave_amazon_once_for_each_shipment() -> None:
    assert list(sold_by(ORDER)) == [
        Movement("MUG-RED", TODAY, "204-1/0", -3),
        Movement("LAMP", TODAY, "204-1/1", -1),
    ]


def of_own_stock(status: str = "UNSHIPPED", **changes: Any) -> OrderRecord:
    content = {
        "createdTime": "2026-11-23T08:00:00Z",
        "fulfillment": {"fulfilledBy": "MERCHANT"},
        "orderItems": [
            {"orderItemId": "1", "product": {"sellerSku": "MUG-RED"}, "quantityOrdered": 2},
            {"orderItemId": "2", "product": {"sellerSku": "LAMP"}, "quantityOrdered": 1},
        ],
    }
    return OrderRecord("204-2", status=status, content={**content, **changes})


def test_units_of_own_stock_leave_it_when_they_are_ordered_and_not_again_when_shipped() -> None:
    ordered = [
        Movement("MUG-RED", TODAY, "204-2/ordered", -2, Channel.MERCHANT),
        Movement("LAMP", TODAY, "204-2/ordered", -1, Channel.MERCHANT),
    ]

    assert list(sold_by(of_own_stock())) == ordered
    shipped = replace(of_own_stock("SHIPPED"), shipments=(Shipment("", minute(0), {"1": 2, "2": 1}),))
    assert list(sold_by(shipped)) == ordered


def test_cancelled_and_unreadable_orders_of_own_stock_move_nothing() -> None:
    others = [of_own_stock("CANCELLED"), of_own_stock(createdTime="today"), of_own_stock(orderItems=None)]

    assert [list(sold_by(each)) for each in others] == [[]] * 3
    assert list(sold_by(of_own_stock(orderItems=[{"product": {"sellerSku": "LAMP"}, "quantityOrdered": 0}]))) == []


def test_refunded_units_are_counted_in_the_stock_that_they_were_sold_of() -> None:
    assert list(refunded_by(refund())) == [Movement("MUG-RED", TODAY, "R1", 2)]
    own = refund(fulfillmentNetwork="MFN")
    assert list(refunded_by(own)) == [Movement("MUG-RED", TODAY, "R1/own", 2, Channel.MERCHANT)]


def test_other_transactions_merchants_goods_and_unreadable_ones_move_nothing() -> None:
    others = [
        refund("Shipment"),
        refund(fulfillmentNetwork="NEITHER"),
        refund(quantityShipped=None),
        refund(quantityShipped=True),
        {**refund(), "items": None},
        {**refund(), "postedDate": "yesterday"},
        {
            **refund(),
            "relatedIdentifiers": [
                {"relatedIdentifierName": "DEFERRED_TRANSACTION_ID", "relatedIdentifierValue": "R0"}
            ],
        },
    ]

    assert [list(refunded_by(each)) for each in others] == [[]] * len(others)


def test_movement_that_is_recorded_again_counts_once_and_when_it_was_first_known() -> None:
    sold = [Movement("MUG-RED", TODAY, "204-1/0", -3)]
    row = DayMovements("MUG-RED", TODAY).with_movements(sold, minute(1))
    assert row is not None

    assert row.with_movements(sold, minute(5)) is None
    assert row.totals(SkuPeriod("MUG-RED", minute(0), minute(1))) == (3, 0)
    assert row.totals(SkuPeriod("MUG-RED", minute(1), minute(9))) == (0, 0)


def test_movements_of_the_two_stocks_of_a_sku_are_counted_apart() -> None:
    sold = [
        Movement("MUG-RED", TODAY, "204-1/0", -3),
        Movement("MUG-RED", TODAY, "204-2/ordered", -2, Channel.MERCHANT),
        Movement("MUG-RED", TODAY, "R1/own", 1, Channel.MERCHANT),
    ]
    row = DayMovements("MUG-RED", TODAY).with_movements(sold, minute(1))
    assert row is not None

    assert row.totals(SkuPeriod("MUG-RED", minute(0), minute(1))) == (3, 0)
    assert row.totals(SkuPeriod("MUG-RED", minute(0), minute(1), Channel.MERCHANT)) == (2, 1)
