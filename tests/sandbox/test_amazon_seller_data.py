"""A seller's data is checked when it is loaded: an error names file, line and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.amazon import Seller, SellerDataError
from sandbox.testing.amazon import a_stock_level, a_transaction, an_order


def changed(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *parents, last = path.split(".")
    target: Any = content
    for name in parents:
        target = target[int(name)] if name.isdigit() else target[name]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("orderId", None, "orderId is missing; expected a string"),
        ("orderId", "", "orderId is empty; expected a string"),
        ("lastUpdatedTime", "yesterday", "lastUpdatedTime is not a time; expected ISO 8601"),
        ("createdTime", "2026-11-01T00:00:00", "createdTime is not a time"),
        ("salesChannel", "AMAZON", "salesChannel is a string; expected an object"),
        ("salesChannel.marketplaceId", "MARS", "salesChannel.marketplaceId is not one of Amazon's"),
        ("fulfillment.fulfillmentStatus", None, "fulfillment.fulfillmentStatus is missing"),
        ("orderItems", {}, "orderItems is an object; expected a list of objects"),
        ("orderItems.0.quantityOrdered", "1", "orderItems[0].quantityOrdered is a string; expected a whole number"),
        ("orderItems.0.product", None, "orderItems[0].product is missing; expected an object"),
        ("proceeds.grandTotal.amount", 24, "proceeds.grandTotal.amount is a number; expected a decimal in a string"),
        (
            "orderItems.0.proceeds.breakdowns.0.subtotal.amount",
            "24,00",
            "orderItems[0].proceeds.breakdowns[0].subtotal.amount is not a decimal; expected a decimal in a string",
        ),
    ],
)
def test_error_in_an_order_names_the_field(path: str, value: Any, message: str) -> None:
    with pytest.raises(SellerDataError) as caught:
        Seller(orders=[changed(an_order(), path, value)])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (a_transaction(postedDate="soon"), "postedDate is not a time"),
        (a_transaction(totalAmount={"currencyCode": "GBP"}), "totalAmount.currencyAmount is missing"),
        (a_transaction(totalAmount={"currencyAmount": "18.10"}), "totalAmount.currencyAmount is a string"),
        (a_transaction(totalAmount={"currencyAmount": 18.1}), "totalAmount.currencyAmount is a float"),
    ],
)
def test_error_in_a_transaction_names_the_field(content: dict[str, Any], message: str) -> None:
    with pytest.raises(SellerDataError, match=message):
        Seller(transactions=[content])


def test_error_in_a_stock_level_names_the_field() -> None:
    with pytest.raises(SellerDataError, match=r"inventoryDetails\.fulfillableQuantity is missing"):
        Seller(inventory=[a_stock_level(inventoryDetails={})])


def test_error_in_a_folder_names_file_and_line(tmp_path: Path) -> None:
    invalid = changed(an_order(2), "orderItems.0.orderItemId", None)
    (tmp_path / "orders.jsonl").write_text(f"{json.dumps(an_order(1))}\n\n{json.dumps(invalid)}\n")
    with pytest.raises(SellerDataError) as caught:
        Seller.load(tmp_path)
    assert (
        str(caught.value) == f"{tmp_path}/orders.jsonl line 3: orderItems[0].orderItemId is missing; expected a string"
    )


@pytest.mark.parametrize(("line", "message"), [("{", "line 1: not JSON"), ("[]", "line 1: the line holds a list")])
def test_error_in_a_line_that_is_not_an_object_names_the_line(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "transactions.jsonl").write_text(line)
    with pytest.raises(SellerDataError, match=message):
        Seller.load(tmp_path)


def test_missing_file_is_empty_and_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert Seller.load(tmp_path).history() == []
    with pytest.raises(FileNotFoundError, match=r"expected a folder with orders\.jsonl"):
        Seller.load(tmp_path / "nowhere")


def test_errors_contain_no_buyer_data(tmp_path: Path) -> None:
    order = changed(an_order(), "fulfillment.fulfillmentStatus", None)
    (tmp_path / "orders.jsonl").write_text(json.dumps(order))
    with pytest.raises(SellerDataError) as caught:
        Seller.load(tmp_path)
    assert "Ada" not in str(caught.value)


def test_history_is_ordered_by_time_with_orders_before_transactions() -> None:
    at = "2026-11-20T10:00:00Z"
    seller = Seller(inventory=[a_stock_level(lastUpdatedTime="2026-11-19T00:00:00Z")])
    seller.put_transaction(a_transaction(1, postedDate=at))
    seller.put_order(an_order(2, updated="2026-11-21T00:00:00Z"))
    seller.put_order(an_order(1, updated=at))
    assert [version.kind for version in seller.history()] == ["inventory", "order", "transaction", "order"]


def test_times_in_another_zone_are_converted_to_utc() -> None:
    (version,) = Seller(orders=[an_order(updated="2026-11-20T12:00:00+02:00")]).history()
    assert version.at.isoformat() == "2026-11-20T10:00:00+00:00"
