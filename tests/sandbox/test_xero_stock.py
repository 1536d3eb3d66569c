"""Tracked items of the sandbox Xero, as Xero states them: quantities that no request of the API changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.testing.xero import XeroClient

TRACKED = {
    "Code": "MUG-RED",
    "Name": "Red mug",
    "InventoryAssetAccountCode": "630",
    "PurchaseDetails": {"COGSAccountCode": "310"},
}


def test_item_with_both_accounts_of_stock_is_tracked_and_empty(xero: XeroClient) -> None:
    xero.put("Items", TRACKED).record()

    item = xero.get("Items").record()

    assert (item["IsTrackedAsInventory"], item["QuantityOnHand"], item["TotalCostPool"]) == (True, 0, 0)
    assert item["InventoryAssetAccountCode"] == "630"


def test_item_without_them_is_not_tracked_and_states_no_quantity(xero: XeroClient) -> None:
    xero.put("Items", {"Code": "POSTAGE"}).record()

    item = xero.get("Items").record()

    assert item["IsTrackedAsInventory"] is False
    assert "QuantityOnHand" not in item


def test_stock_account_must_be_one(xero: XeroClient) -> None:
    refused = xero.put("Items", {**TRACKED, "InventoryAssetAccountCode": "200"})

    assert refused.messages == ["Account code '200' is not a valid code for this document."]


def test_quantity_of_a_request_is_ignored_and_that_of_a_person_counts(xero: XeroClient) -> None:
    xero.put("Items", {**TRACKED, "QuantityOnHand": 7}).record()
    assert xero.get("Items").record()["QuantityOnHand"] == 0

    counted = {**TRACKED, "QuantityOnHand": 40, "TotalCostPool": 160.5}
    assert xero.control("POST", "stock", {"Items": [counted]}).status == 200

    item = xero.get("Items").record()
    assert (item["QuantityOnHand"], item["TotalCostPool"]) == (40, Decimal("160.5"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"InventoryAssetAccountCode": None}, "InventoryAssetAccountCode"),
        ({"TotalCostPool": None}, "TotalCostPool"),
        ({"Code": "X" * 31}, "30 characters"),
    ],
)
def test_stock_that_xero_could_not_hold_is_refused_and_stores_nothing(
    xero: XeroClient, change: dict[str, Any], problem: str
) -> None:
    counted = {**TRACKED, "QuantityOnHand": 40, "TotalCostPool": 160, **change}

    refused = xero.control("POST", "stock", {"Items": [counted]})

    assert refused.status == 400
    assert problem in refused.body["error"]
    assert xero.books()["Items"] == []
