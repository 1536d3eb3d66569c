"""listTransactions and getInventorySummaries behave as Amazon's models say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from amazon_driver import OWN_SELLER, UK, US, AmazonDriver, Answer, a_stock_level, a_transaction

from sandbox.amazon import Seller

EARLY = "2026-11-01T00:00:00Z"


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [each["transactionId"] for each in answer.body["payload"]["transactions"]]


def skus(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [each["sellerSku"] for each in answer.body["payload"]["inventorySummaries"]]


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
        {"postedAfter": EARLY, "nextToken": "made-up"},
        {"relatedIdentifierName": "ORDER_ID"},
        {"relatedIdentifierName": "SHIPMENT_ID", "relatedIdentifierValue": "1"},
    ],
)
def test_bad_parameters_are_refused_as_invalid_input(query: dict[str, Any]) -> None:
    answer = AmazonDriver().transactions(**query)
    assert (answer.status, answer.error) == (400, "InvalidInput")


def test_the_period_starts_at_posted_after_and_ends_before_posted_before() -> None:
    amazon = AmazonDriver()
    for number, day in enumerate(("01", "02", "03"), start=1):
        amazon.sandbox.put_transaction(a_transaction(number, postedDate=f"2026-11-{day}T00:00:00Z"))
    found = amazon.transactions(postedAfter="2026-11-01T00:00:00Z", postedBefore="2026-11-03T00:00:00Z")
    assert ids(found) == ["transaction-1", "transaction-2"]
    assert found.body["payload"]["nextToken"] is None


def test_the_last_two_minutes_are_not_listed_yet() -> None:
    amazon = AmazonDriver()
    amazon.sandbox.put_transaction(a_transaction(1, postedDate="2026-11-23T11:58:00Z"))
    assert ids(amazon.transactions(postedAfter=EARLY)) == []
    amazon.clock.advance(1)
    assert ids(amazon.transactions(postedAfter=EARLY)) == ["transaction-1"]


def test_a_period_longer_than_180_days_is_empty() -> None:
    amazon = AmazonDriver()
    amazon.sandbox.put_transaction(a_transaction(1))
    assert ids(amazon.transactions(postedAfter="2026-05-01T00:00:00Z")) == []
    assert ids(amazon.transactions(postedAfter="2026-06-01T00:00:00Z")) == ["transaction-1"]


def test_an_orders_transactions_are_found_without_a_period() -> None:
    amazon = AmazonDriver(Seller.load(OWN_SELLER), present=True)
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


def test_amounts_leave_as_numbers_with_exactly_their_digits() -> None:
    amazon = AmazonDriver()
    exact = Decimal("12345678901234567.10")
    amazon.sandbox.put_transaction(a_transaction(1, totalAmount={"currencyAmount": exact, "currencyCode": "GBP"}))
    (found,) = amazon.transactions(postedAfter=EARLY).body["payload"]["transactions"]
    assert str(found["totalAmount"]["currencyAmount"]) == "12345678901234567.10"


def test_filters_by_status_and_marketplace() -> None:
    amazon = AmazonDriver()
    amazon.sandbox.put_transaction(a_transaction(1))
    amazon.sandbox.put_transaction(a_transaction(2, transactionStatus="DEFERRED"))
    amazon.sandbox.put_transaction(a_transaction(3, marketplace=US))
    assert ids(amazon.transactions(postedAfter=EARLY, transactionStatus="DEFERRED")) == ["transaction-2"]
    assert ids(amazon.transactions(postedAfter=EARLY, marketplaceId=US)) == ["transaction-3"]


def test_what_the_seller_ships_in_the_united_states_is_only_found_without_a_marketplace() -> None:
    amazon = AmazonDriver()
    shipped_by_seller = [{"contexts": [{"contextType": "ProductContext", "fulfillmentNetwork": "MFN"}]}]
    amazon.sandbox.put_transaction(a_transaction(1, marketplace=US, items=shipped_by_seller))
    amazon.sandbox.put_transaction(a_transaction(2, marketplace=UK, items=shipped_by_seller))
    assert ids(amazon.transactions(postedAfter=EARLY, marketplaceId=US)) == []
    assert ids(amazon.transactions(postedAfter=EARLY, marketplaceId=UK)) == ["transaction-2"]
    assert ids(amazon.transactions(postedAfter=EARLY)) == ["transaction-1", "transaction-2"]


def test_pages_hold_every_transaction_once_and_may_be_empty() -> None:
    amazon = AmazonDriver(transactions_per_page=2)
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


def test_a_deferred_sale_is_released_on_its_maturity_date_under_the_same_id_and_as_a_second_transaction() -> None:
    amazon = AmazonDriver(Seller.load(OWN_SELLER))
    order = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "204-0000026-0000026"}

    def statuses() -> list[str]:
        return [each["transactionStatus"] for each in amazon.transactions(**order).body["payload"]["transactions"]]

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
        {"nextToken": "made-up"},
    ],
)
def test_bad_inventory_parameters_are_refused_as_invalid_input(query: dict[str, Any]) -> None:
    answer = AmazonDriver().inventory(**query)
    assert (answer.status, answer.error) == (400, "InvalidInput")


def test_stock_is_shown_per_marketplace_with_details_on_request() -> None:
    amazon = AmazonDriver(Seller.load(OWN_SELLER), present=True)
    plain = amazon.inventory(US).body["payload"]
    assert plain["granularity"] == {"granularityType": "Marketplace", "granularityId": US}
    (kettle,) = plain["inventorySummaries"]
    assert (kettle["sellerSku"], kettle["totalQuantity"]) == ("KETTLE-BLUE", 9)
    assert not {"inventoryDetails", "marketplaceId"} & set(kettle)
    (detailed,) = amazon.inventory(UK, details="true", sellerSku="BOOK-TEA").body["payload"]["inventorySummaries"]
    assert detailed["inventoryDetails"]["fulfillableQuantity"] == 2


def test_stock_is_found_by_sku_and_by_change() -> None:
    amazon = AmazonDriver()
    for sku, day in (("A", "18"), ("B", "19"), ("C", "20")):
        amazon.sandbox.put_inventory(a_stock_level(sku, lastUpdatedTime=f"2026-11-{day}T00:00:00Z"))
    assert skus(amazon.inventory()) == ["A", "B", "C"]
    assert skus(amazon.inventory(sellerSkus="C,A,unknown")) == ["A", "C"]
    assert skus(amazon.inventory(startDateTime="2026-11-19T00:00:00Z")) == ["B", "C"]
    assert skus(amazon.inventory(startDateTime="2026-11-19T00:00:00Z", sellerSkus="A,B")) == ["B"]


def test_fifty_skus_are_a_page_and_its_token_lives_thirty_seconds() -> None:
    amazon = AmazonDriver()
    for number in range(51):
        amazon.sandbox.put_inventory(a_stock_level(f"SKU-{number:02d}"))
    first = amazon.inventory()
    assert len(skus(first)) == 50
    token = first.body["pagination"]["nextToken"]
    amazon.clock.advance(30)
    assert skus(amazon.inventory(nextToken=token)) == ["SKU-50"]
    amazon.clock.advance(1)
    assert amazon.inventory(nextToken=token).error == "InvalidInput"


def test_a_stock_line_without_a_marketplace_belongs_to_the_home_marketplace() -> None:
    level = a_stock_level()
    del level["marketplaceId"]
    seller = Seller(home_marketplace=UK, inventory=[level])
    assert skus(AmazonDriver(seller, present=True).inventory(UK)) == ["KETTLE-BLUE"]
