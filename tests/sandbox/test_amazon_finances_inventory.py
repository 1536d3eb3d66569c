"""listTransactions and getInventorySummaries behave as Amazon's models describe."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.amazon import OWN_SELLER, Seller
from sandbox.testing.amazon import UK, US, AmazonClient, ParsedResponse, a_stock_level, a_transaction

EARLY = "2026-11-01T00:00:00Z"


def ids(response: ParsedResponse) -> list[str]:
    assert response.status == 200, response.body
    return [each["transactionId"] for each in response.body["payload"]["transactions"]]


def skus(response: ParsedResponse) -> list[str]:
    assert response.status == 200, response.body
    return [each["sellerSku"] for each in response.body["payload"]["inventorySummaries"]]


# ---- listTransactions


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"postedBefore": EARLY},
        {"postedAfter": "2026-11-23T11:58:30Z"},
        {"postedAfter": EARLY, "postedBefore": "2026-11-23T11:59:00Z"},
        {"postedAfter": EARLY, "postedBefore": EARLY},
        {"postedAfter": "1 November"},
        {"postedAfter": EARLY, "transactionStatus": "Released"},
        {"postedAfter": EARLY, "nextToken": "invalid"},
        {"relatedIdentifierName": "ORDER_ID"},
        {"relatedIdentifierName": "SHIPMENT_ID", "relatedIdentifierValue": "1"},
    ],
)
def test_invalid_parameters_are_rejected(query: dict[str, Any]) -> None:
    response = AmazonClient().transactions(**query)
    assert (response.status, response.error) == (400, "InvalidInput")


def test_period_includes_posted_after_and_excludes_posted_before() -> None:
    amazon = AmazonClient()
    for number, day in enumerate(("01", "02", "03"), start=1):
        amazon.sandbox.put_transaction(a_transaction(number, postedDate=f"2026-11-{day}T00:00:00Z"))
    found = amazon.transactions(postedAfter="2026-11-01T00:00:00Z", postedBefore="2026-11-03T00:00:00Z")
    assert ids(found) == ["transaction-1", "transaction-2"]
    assert found.body["payload"]["nextToken"] is None


def test_transactions_of_the_last_two_minutes_are_not_listed() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_transaction(a_transaction(1, postedDate="2026-11-23T11:58:00Z"))
    assert ids(amazon.transactions(postedAfter=EARLY)) == []
    amazon.clock.advance(1)
    assert ids(amazon.transactions(postedAfter=EARLY)) == ["transaction-1"]


def test_period_longer_than_180_days_returns_nothing() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_transaction(a_transaction(1))
    assert ids(amazon.transactions(postedAfter="2026-05-01T00:00:00Z")) == []
    assert ids(amazon.transactions(postedAfter="2026-06-01T00:00:00Z")) == ["transaction-1"]


def test_transactions_of_an_order_are_found_without_a_period() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER), present=True)
    order = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "204-0000003-0000003"}
    found = amazon.transactions(**order).body["payload"]["transactions"]
    assert [(each["transactionType"], each["totalAmount"]["currencyAmount"]) for each in found] == [
        ("Shipment", Decimal("49.29")),
        ("Refund", Decimal("-13.20")),
    ]
    settlement = {"relatedIdentifierName": "FINANCIAL_EVENT_GROUP_ID", "relatedIdentifierValue": "26100000001"}
    settled = amazon.transactions(**settlement).body["payload"]["transactions"]
    assert sum(each["totalAmount"]["currencyAmount"] for each in settled) == Decimal("46.72")
    assert ids(amazon.transactions(relatedIdentifierName="ORDER_ID", relatedIdentifierValue="none")) == []


def test_amounts_are_returned_with_their_exact_digits() -> None:
    amazon = AmazonClient()
    exact = Decimal("12345678901234567.10")
    amazon.sandbox.put_transaction(a_transaction(1, totalAmount={"currencyAmount": exact, "currencyCode": "GBP"}))
    (found,) = amazon.transactions(postedAfter=EARLY).body["payload"]["transactions"]
    assert str(found["totalAmount"]["currencyAmount"]) == "12345678901234567.10"


def test_filters_by_status_and_marketplace() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_transaction(a_transaction(1))
    amazon.sandbox.put_transaction(a_transaction(2, transactionStatus="DEFERRED"))
    amazon.sandbox.put_transaction(a_transaction(3, marketplace=US))
    assert ids(amazon.transactions(postedAfter=EARLY, transactionStatus="DEFERRED")) == ["transaction-2"]
    assert ids(amazon.transactions(postedAfter=EARLY, marketplaceId=US)) == ["transaction-3"]


def test_merchant_fulfilled_us_orders_are_found_only_without_a_marketplace() -> None:
    amazon = AmazonClient()
    shipped_by_seller = [{"contexts": [{"contextType": "ProductContext", "fulfillmentNetwork": "MFN"}]}]
    amazon.sandbox.put_transaction(a_transaction(1, marketplace=US, items=shipped_by_seller))
    amazon.sandbox.put_transaction(a_transaction(2, marketplace=UK, items=shipped_by_seller))
    assert ids(amazon.transactions(postedAfter=EARLY, marketplaceId=US)) == []
    assert ids(amazon.transactions(postedAfter=EARLY, marketplaceId=UK)) == ["transaction-2"]
    assert ids(amazon.transactions(postedAfter=EARLY)) == ["transaction-1", "transaction-2"]


def test_pages_contain_every_transaction_once_and_may_be_empty() -> None:
    amazon = AmazonClient(transactions_per_page=2)
    for number in range(1, 6):
        amazon.sandbox.put_transaction(a_transaction(number))
    amazon.control("POST", "empty-pages", {"times": 2})
    query = {"postedAfter": EARLY}
    pages = [amazon.transactions(**query)]
    while token := pages[-1].body["payload"]["nextToken"]:
        pages.append(amazon.transactions(**query, nextToken=token))
    assert [len(ids(page)) for page in pages] == [0, 0, 2, 2, 1]
    assert [each for page in pages for each in ids(page)] == [f"transaction-{number}" for number in range(1, 6)]
    token = amazon.transactions(**query).body["payload"]["nextToken"]
    assert amazon.transactions(postedAfter="2026-11-02T00:00:00Z", nextToken=token).status == 400


def test_deferred_sale_is_released_on_its_maturity_date_under_its_id_and_as_a_second_transaction() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    order = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "204-0000026-0000026"}

    def statuses() -> list[str]:
        listed = amazon.transactions(**order).body["payload"]["transactions"]
        return [each["transactionStatus"] for each in listed if each["transactionType"] == "Shipment"]

    amazon.control("POST", "play", {"until": "2026-11-17T05:59:59Z"})
    assert statuses() == ["DEFERRED"]
    amazon.control("POST", "play", {"until": "2026-11-17T06:00:00Z"})
    assert statuses() == ["DEFERRED_RELEASED", "RELEASED"]


# ---- getInventorySummaries


@pytest.mark.parametrize(
    "query",
    [
        {"granularityType": "Country"},
        {"granularityId": US},
        {"marketplaceIds": f"{UK},{US}"},
        {"details": "yes"},
        {"startDateTime": "2025-01-01T00:00:00Z"},  # more than 18 months ago
        {"sellerSkus": ",".join(f"SKU{n}" for n in range(51))},
        {"nextToken": "invalid"},
    ],
)
def test_invalid_inventory_parameters_are_rejected(query: dict[str, Any]) -> None:
    response = AmazonClient().inventory(**query)
    assert (response.status, response.error) == (400, "InvalidInput")


def test_stock_is_returned_per_marketplace_with_details_on_request() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER), present=True)
    plain = amazon.inventory(US).body["payload"]
    assert plain["granularity"] == {"granularityType": "Marketplace", "granularityId": US}
    (kettle,) = plain["inventorySummaries"]
    assert (kettle["sellerSku"], kettle["totalQuantity"]) == ("KETTLE-BLUE", 9)
    assert not {"inventoryDetails", "marketplaceId"} & set(kettle)
    (detailed,) = amazon.inventory(UK, details="true", sellerSku="BOOK-TEA").body["payload"]["inventorySummaries"]
    assert detailed["inventoryDetails"]["fulfillableQuantity"] == 2


def test_stock_is_found_by_sku_and_by_update_time() -> None:
    amazon = AmazonClient()
    for sku, day in (("A", "18"), ("B", "19"), ("C", "20")):
        amazon.sandbox.put_inventory(a_stock_level(sku, lastUpdatedTime=f"2026-11-{day}T00:00:00Z"))
    assert skus(amazon.inventory()) == ["A", "B", "C"]
    assert skus(amazon.inventory(sellerSkus="C,A,unknown")) == ["A", "C"]
    assert skus(amazon.inventory(startDateTime="2026-11-19T00:00:00Z")) == ["B", "C"]
    assert skus(amazon.inventory(startDateTime="2026-11-19T00:00:00Z", sellerSkus="A,B")) == ["B"]


def test_inventory_page_has_fifty_skus_and_its_token_expires_after_thirty_seconds() -> None:
    amazon = AmazonClient()
    for number in range(51):
        amazon.sandbox.put_inventory(a_stock_level(f"SKU-{number:02d}"))
    first = amazon.inventory()
    assert len(skus(first)) == 50
    token = first.body["pagination"]["nextToken"]
    amazon.clock.advance(30)
    assert skus(amazon.inventory(nextToken=token)) == ["SKU-50"]
    amazon.clock.advance(1)
    assert amazon.inventory(nextToken=token).error == "InvalidInput"


def test_stock_level_without_a_marketplace_belongs_to_the_home_marketplace() -> None:
    level = a_stock_level()
    del level["marketplaceId"]
    seller = Seller(home_marketplace=UK, inventory=[level])
    assert skus(AmazonClient(seller, present=True).inventory(UK)) == ["KETTLE-BLUE"]


def test_stock_deviates_as_public_reports_describe_it_until_it_is_told_otherwise() -> None:
    amazon = AmazonClient()
    for number in range(60):
        amazon.sandbox.put_inventory(a_stock_level(f"SKU-{number:02d}"))

    amazon.control("POST", "stock-faults", {"constant_token": True, "left_out": ["SKU-01"]})
    first = amazon.inventory()
    token = first.body["pagination"]["nextToken"]
    assert len(skus(first)) == 49
    assert amazon.inventory(nextToken=token).body == first.body
    amazon.control("POST", "stock-faults", {"without_goods": [UK]})
    assert amazon.inventory().error == "InvalidInput"
    amazon.control("POST", "stock-faults")

    assert len(skus(amazon.inventory())) == 50
    assert amazon.control("POST", "stock-faults", {"unknown": 1})[0] == 400
