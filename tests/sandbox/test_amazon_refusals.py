"""The sandbox Amazon refuses operations, marketplaces, orders and page tokens, and leaves optional fields out."""

from __future__ import annotations

from typing import Any

from sandbox.testing.amazon import UK, US, AmazonClient, an_order

EARLY = "2026-11-01T00:00:00Z"


def amazon_with_orders() -> AmazonClient:
    amazon = AmazonClient()
    for order in (an_order(1), an_order(2, marketplace=US), an_order(3)):
        amazon.sandbox.put_order(order)
    return amazon


def refuse(amazon: AmazonClient, **refusals: Any) -> None:
    assert amazon.control("POST", "refusals", refusals) == (204, None)


def test_refused_operation_is_answered_with_403_and_the_others_work() -> None:
    amazon = amazon_with_orders()
    refuse(amazon, operations=["searchOrders"])

    refused = amazon.search(lastUpdatedAfter=EARLY)
    assert (refused.status, refused.error) == (403, "Unauthorized")
    assert amazon.order("204-0000001-0000001").status == 200
    refuse(amazon)
    assert amazon.search(lastUpdatedAfter=EARLY).status == 200


def test_search_that_covers_a_refused_marketplace_is_answered_with_403() -> None:
    amazon = amazon_with_orders()
    refuse(amazon, marketplaces=[US])

    assert amazon.search(lastUpdatedAfter=EARLY).status == 403
    assert amazon.search(lastUpdatedAfter=EARLY, marketplaceIds=f"{UK},{US}").status == 403
    assert len(amazon.search(lastUpdatedAfter=EARLY, marketplaceIds=UK).body["orders"]) == 2
    assert amazon.order("204-0000002-0000002").status == 200


def test_refused_order_is_answered_with_403_and_still_found_by_a_search() -> None:
    amazon = amazon_with_orders()
    refuse(amazon, orders=["204-0000001-0000001"])

    assert amazon.order("204-0000001-0000001").status == 403
    assert amazon.order("204-0000003-0000003").status == 200
    assert len(amazon.search(lastUpdatedAfter=EARLY).body["orders"]) == 3


def test_refused_page_token_is_answered_with_400() -> None:
    amazon = amazon_with_orders()
    token = amazon.search(lastUpdatedAfter=EARLY, maxResultsPerPage=2).body["pagination"]["nextToken"]
    refuse(amazon, page_tokens=True)

    refused = amazon.search(lastUpdatedAfter=EARLY, paginationToken=token)
    assert (refused.status, refused.error) == (400, "InvalidInput")
    assert amazon.search(lastUpdatedAfter=EARLY, maxResultsPerPage=2).status == 200


def test_optional_fields_are_left_out_of_pages_orders_and_items() -> None:
    amazon = amazon_with_orders()
    included = "BUYER,RECIPIENT,PROCEEDS,FULFILLMENT"
    assert "buyer" in amazon.order("204-0000001-0000001", includedData=included).body["order"]
    refuse(amazon, left_out=["lastUpdatedBefore", "buyer", "fulfillment"])

    page = amazon.search(lastUpdatedAfter=EARLY, includedData=included).body
    single = amazon.order("204-0000001-0000001", includedData=included).body["order"]
    assert set(page) == {"orders"}
    for order in (*page["orders"], single):
        assert {"buyer", "fulfillment"} & set(order) == set()
        assert "proceeds" in order
        assert all("fulfillment" not in item for item in order["orderItems"])
