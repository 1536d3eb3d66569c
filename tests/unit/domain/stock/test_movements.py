"""Which orders and transactions move units of Amazon's stock, and that each of them counts once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.stock.movements import DayMovements, Movement, refunded_by, sold_by
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


def test_goods_that_the_seller_ships_are_no_stock_of_amazons() -> None:
    content = {**(ORDER.content or {}), "fulfillment": {"fulfilledBy": "MERCHANT"}}

    assert list(sold_by(replace(ORDER, content=content))) == []


def test_refunded_units_of_amazons_stock_are_counted() -> None:
    assert list(refunded_by(refund())) == [Movement("MUG-RED", TODAY, "R1", 2)]


def test_other_transactions_merchants_goods_and_unreadable_ones_move_nothing() -> None:
    others = [
        refund("Shipment"),
        refund(fulfillmentNetwork="MFN"),
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
    assert row.totals(minute(0), minute(1)) == (3, 0)
    assert row.totals(minute(1), minute(9)) == (0, 0)
