"""Login, usage plans, searchOrders and getOrder behave as Amazon's model and usage-plan pages describe."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.amazon import OWN_SELLER, Seller
from sandbox.amazon.usage_plan import USAGE_PLANS
from sandbox.testing.amazon import UK, US, AmazonClient, ParsedResponse, an_order

EARLY = "2026-11-01T00:00:00Z"


def ids(response: ParsedResponse) -> list[str]:
    assert response.status == 200, response.body
    return [order["orderId"] for order in response.body["orders"]]


def numbers(response: ParsedResponse) -> list[int]:
    return [int(order_id[-7:]) for order_id in ids(response)]


# ---- login


def test_seller_token_grants_access_to_orders_for_one_hour() -> None:
    amazon = AmazonClient()
    login = amazon.login()
    assert (login.body["token_type"], login.body["expires_in"]) == ("bearer", 3600)
    assert login.body["refresh_token"] == "Atzr|sandbox"
    amazon.clock.advance(3599)
    assert amazon.search(createdAfter=EARLY, token=login.body["access_token"]).status == 200
    amazon.clock.advance(1)
    rejected = amazon.search(createdAfter=EARLY, token=login.body["access_token"])
    assert (rejected.status, rejected.error) == (403, "Unauthorized")
    assert "x-amzn-RateLimit-Limit" not in rejected.headers


@pytest.mark.parametrize("token", ["", "Atza|invalid"])
def test_unknown_token_is_rejected(token: str) -> None:
    assert AmazonClient().search(createdAfter=EARLY, token=token).status == 403


def test_grantless_and_seller_tokens_are_not_interchangeable() -> None:
    amazon = AmazonClient()
    assert amazon.call("GET", "/notifications/v1/destinations", grant="seller").status == 403
    assert amazon.call("GET", "/notifications/v1/destinations", grant="grantless").status == 200
    assert amazon.search(createdAfter=EARLY, grant="grantless").status == 403


@pytest.mark.parametrize(
    ("grant", "changes", "status", "error"),
    [
        ("seller", {"client_secret": "wrong"}, 401, "invalid_client"),
        ("seller", {"refresh_token": "Atzr|other"}, 400, "invalid_grant"),
        ("seller", {"refresh_token": ""}, 400, "invalid_request"),
        ("seller", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("grantless", {"scope": "sellingpartnerapi::migration"}, 400, "invalid_scope"),
    ],
)
def test_login_errors_have_the_oauth_format(grant: str, changes: dict[str, str], status: int, error: str) -> None:
    response = AmazonClient().login(grant, **changes)
    assert (response.status, response.body["error"]) == (status, error)
    assert response.body["error_description"]


def test_revoked_tokens_are_rejected_and_a_revoked_authorisation_issues_none() -> None:
    amazon = AmazonClient()
    old = amazon.token()
    amazon.control("POST", "revoke")
    assert amazon.search(createdAfter=EARLY, token=old).status == 403
    assert amazon.search(createdAfter=EARLY, token=amazon.login().body["access_token"]).status == 200
    amazon.control("POST", "revoke", {"authorisation": True})
    assert amazon.login().body["error"] == "invalid_grant"
    amazon.control("POST", "authorise")
    assert amazon.login().status == 200


# ---- usage plans


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/orders/2026-01-01/orders?createdAfter=" + EARLY, "searchOrders"),
        ("/orders/2026-01-01/orders/none", "getOrder"),
    ],
)
def test_operation_returns_429_after_its_burst_and_succeeds_after_one_refill(path: str, operation: str) -> None:
    amazon = AmazonClient(usage_plans=USAGE_PLANS)
    plan = USAGE_PLANS[operation]
    token = amazon.token()
    for _ in range(plan.burst):
        response = amazon.call("GET", path, token=token)
        assert response.status != 429
        assert response.headers["x-amzn-RateLimit-Limit"] == str(plan.rate)
    rejected = amazon.call("GET", path, token=token)
    assert (rejected.status, rejected.error) == (429, "QuotaExceeded")
    assert not {"Retry-After", "retry-after", "x-amzn-RateLimit-Limit"} & set(rejected.headers)
    assert rejected.headers["x-amzn-RequestId"]
    amazon.clock.advance(1 / plan.rate - 0.1)
    assert amazon.call("GET", path, token=token).status == 429
    amazon.clock.advance(0.2)
    assert amazon.call("GET", path, token=token).status != 429
    assert amazon.call("GET", path, token=token).status == 429


def test_idle_time_does_not_accumulate_more_than_the_burst() -> None:
    amazon = AmazonClient(usage_plans=USAGE_PLANS)
    amazon.order("none")
    amazon.clock.advance(24 * 3600)
    token = amazon.login().body["access_token"]
    assert [amazon.order("none", token=token).status for _ in range(31)] == [404] * 30 + [429]


def test_each_operation_has_its_own_bucket() -> None:
    amazon = AmazonClient(usage_plans=USAGE_PLANS)
    for _ in range(21):
        last = amazon.search(createdAfter=EARLY)
    assert last.status == 429
    assert amazon.order("none").status == 404


# ---- searchOrders: parameters


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": EARLY, "lastUpdatedAfter": EARLY},
        {"createdAfter": EARLY, "lastUpdatedBefore": EARLY},
        {"lastUpdatedAfter": EARLY, "createdBefore": EARLY},
        {"lastUpdatedAfter": EARLY, "lastUpdatedBefore": "2026-11-23T11:58:01Z"},  # less than two minutes ago
        {"lastUpdatedAfter": EARLY, "lastUpdatedBefore": "2026-10-31T00:00:00Z"},
        {"lastUpdatedAfter": "2026-11-23T11:59:00Z"},
        {"lastUpdatedAfter": "yesterday"},
        {"lastUpdatedAfter": "2026-11-01T00:00:00"},
        {"createdAfter": EARLY, "fulfillmentStatuses": "Shipped"},
        {"createdAfter": EARLY, "fulfilledBy": "ROBOTS"},
        {"createdAfter": EARLY, "includedData": "EVERYTHING"},
        {"createdAfter": EARLY, "maxResultsPerPage": 101},
        {"createdAfter": EARLY, "maxResultsPerPage": 0},
        {"createdAfter": EARLY, "maxResultsPerPage": "many"},
        {"createdAfter": EARLY, "paginationToken": "invalid"},
        {"createdAfter": EARLY, "paginationToken": "WyJ4Il0="},
        {"createdAfter": EARLY, "marketplaceIds": ",".join(f"M{n}" for n in range(51))},
    ],
)
def test_invalid_parameters_are_rejected(query: dict[str, Any]) -> None:
    response = AmazonClient().search(**query)
    assert (response.status, response.error) == (400, "InvalidInput")
    assert response.body["errors"][0]["message"]


def test_end_of_the_period_is_returned_and_defaults_to_two_minutes_ago() -> None:
    amazon = AmazonClient()
    by_update = amazon.search(lastUpdatedAfter=EARLY).body
    assert by_update == {"orders": [], "lastUpdatedBefore": "2026-11-23T11:58:00Z"}
    assert amazon.search(createdAfter=EARLY).body["createdBefore"] == "2026-11-23T11:58:00Z"
    explicit = amazon.search(lastUpdatedAfter=EARLY, lastUpdatedBefore="2026-11-10T00:00:00Z").body
    assert explicit["lastUpdatedBefore"] == "2026-11-10T00:00:00Z"


def test_period_includes_both_ends_but_not_the_last_two_minutes() -> None:
    amazon = AmazonClient()
    for number, updated in enumerate(("09:59:59", "10:00:00", "11:00:00", "11:58:00", "11:58:01"), start=1):
        amazon.sandbox.put_order(an_order(number, updated=f"2026-11-23T{updated}Z"))
    assert numbers(amazon.search(lastUpdatedAfter="2026-11-23T10:00:00Z")) == [2, 3, 4]
    until = amazon.search(lastUpdatedAfter="2026-11-23T10:00:00Z", lastUpdatedBefore="2026-11-23T11:00:00Z")
    assert numbers(until) == [2, 3]
    amazon.clock.advance(1)
    assert numbers(amazon.search(lastUpdatedAfter="2026-11-23T10:00:00Z")) == [2, 3, 4, 5]


def test_orders_are_found_by_creation_time_or_by_update_time() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_order(an_order(1, created="2026-11-02T00:00:00Z", updated="2026-11-20T00:00:00Z"))
    amazon.sandbox.put_order(an_order(2, created="2026-11-10T00:00:00Z", updated="2026-11-11T00:00:00Z"))
    assert numbers(amazon.search(createdAfter="2026-11-05T00:00:00Z")) == [2]
    assert numbers(amazon.search(lastUpdatedAfter="2026-11-15T00:00:00Z")) == [1]


def test_filters_by_marketplace_status_and_fulfiller_combine() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_order(an_order(1))
    amazon.sandbox.put_order(an_order(2, marketplace=US))
    amazon.sandbox.put_order(an_order(3, status="SHIPPED"))
    amazon.sandbox.put_order(an_order(4, by="MERCHANT"))
    assert numbers(amazon.search(createdAfter=EARLY)) == [1, 2, 3, 4]
    assert numbers(amazon.search(createdAfter=EARLY, marketplaceIds=UK)) == [1, 3, 4]
    assert numbers(amazon.search(createdAfter=EARLY, fulfillmentStatuses="SHIPPED,PENDING")) == [3]
    assert numbers(amazon.search(createdAfter=EARLY, fulfilledBy=["AMAZON"], marketplaceIds=[UK, US])) == [1, 2, 3]
    assert numbers(amazon.search(createdAfter=EARLY, fulfilledBy="MERCHANT", fulfillmentStatuses="SHIPPED")) == []


def test_changed_order_is_found_by_its_current_values_only() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_order(an_order(1, updated="2026-11-20T10:00:00Z"))
    amazon.sandbox.put_order(an_order(1, updated="2026-11-21T10:00:00Z", status="SHIPPED"))
    assert numbers(amazon.search(lastUpdatedAfter=EARLY)) == [1]
    assert numbers(amazon.search(lastUpdatedAfter=EARLY, lastUpdatedBefore="2026-11-20T23:00:00Z")) == []
    assert numbers(amazon.search(lastUpdatedAfter=EARLY, fulfillmentStatuses="UNSHIPPED")) == []
    assert numbers(amazon.search(createdAfter=EARLY, fulfillmentStatuses="SHIPPED")) == [1]


def test_orders_older_than_two_years_are_hidden_where_amazon_hides_them() -> None:
    old = {"created": "2024-11-01T00:00:00Z", "updated": "2026-11-20T10:00:00Z"}
    amazon = AmazonClient(two_year_limit=True)
    for number, marketplace in enumerate((UK, "A1VC38T7YXB528"), start=1):
        amazon.sandbox.put_order(an_order(number, marketplace=marketplace, **old))
    assert numbers(amazon.search(lastUpdatedAfter=EARLY)) == [2]
    assert amazon.order(an_order(1)["orderId"]).status == 404
    unlimited = AmazonClient()
    unlimited.sandbox.put_order(an_order(1, **old))
    assert numbers(unlimited.search(lastUpdatedAfter=EARLY)) == [1]


# ---- searchOrders: pages


def test_pages_contain_every_order_once_by_update_time() -> None:
    amazon = AmazonClient()
    for number in range(1, 8):
        marketplace = UK if number % 2 else US
        amazon.sandbox.put_order(an_order(number, marketplace=marketplace, updated=f"2026-11-20T10:00:0{number // 2}Z"))
    query: dict[str, Any] = {"lastUpdatedAfter": EARLY, "maxResultsPerPage": 3}
    pages = [amazon.search(**query)]
    while token := pages[-1].body.get("pagination", {}).get("nextToken"):
        pages.append(amazon.search(**query, paginationToken=token))
    assert [numbers(page) for page in pages] == [[1, 2, 3], [4, 5, 6], [7]]
    assert "pagination" not in pages[-1].body


def test_default_page_size_is_one_hundred_orders() -> None:
    amazon = AmazonClient()
    for number in range(101):
        amazon.sandbox.put_order(an_order(number))
    first = amazon.search(lastUpdatedAfter=EARLY)
    assert len(ids(first)) == 100
    token = first.body["pagination"]["nextToken"]
    assert numbers(amazon.search(lastUpdatedAfter=EARLY, paginationToken=token)) == [100]


def test_page_token_keeps_the_period_of_the_first_page() -> None:
    amazon = AmazonClient()
    for number in (1, 2):
        amazon.sandbox.put_order(an_order(number))
    token = amazon.search(lastUpdatedAfter=EARLY, maxResultsPerPage=1).body["pagination"]["nextToken"]
    # An order changes after the first page was read, and the second page is read much later.
    amazon.sandbox.put_order(an_order(3, updated="2026-11-23T11:59:00Z"))
    amazon.clock.advance(3600)
    second = amazon.search(lastUpdatedAfter=EARLY, paginationToken=token, token=amazon.login().body["access_token"])
    assert numbers(second) == [2]
    assert second.body["lastUpdatedBefore"] == "2026-11-23T11:58:00Z"


def test_page_token_is_rejected_after_a_day_or_with_different_parameters() -> None:
    amazon = AmazonClient()
    for number in (1, 2, 3):
        amazon.sandbox.put_order(an_order(number))
    query = {"lastUpdatedAfter": EARLY, "marketplaceIds": UK}
    token = amazon.search(**query, maxResultsPerPage=1).body["pagination"]["nextToken"]
    allowed = amazon.search(**query, maxResultsPerPage=2, includedData="PROCEEDS", paginationToken=token)
    assert numbers(allowed) == [2, 3]
    assert amazon.search(lastUpdatedAfter=EARLY, paginationToken=token).status == 400
    other_period = amazon.search(lastUpdatedAfter="2026-11-02T00:00:00Z", marketplaceIds=UK, paginationToken=token)
    assert other_period.status == 400
    amazon.clock.advance(24 * 3600 + 1)
    fresh = amazon.login().body["access_token"]
    assert amazon.search(**query, paginationToken=token, token=fresh).error == "InvalidInput"


# ---- getOrder: data sets


def test_order_contains_only_base_data_by_default() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER), present=True)
    base = amazon.order("204-0000003-0000003").body["order"]
    assert set(base) == {"orderId", "createdTime", "lastUpdatedTime", "salesChannel", "orderItems"}
    assert {name for item in base["orderItems"] for name in item} == {"orderItemId", "quantityOrdered", "product"}


@pytest.mark.parametrize(
    ("order", "data", "in_order", "in_items"),
    [
        ("204-0000010-0000010", "BUYER", {"buyer"}, set()),
        ("204-0000010-0000010", "RECIPIENT", {"recipient"}, set()),
        ("204-0000010-0000010", "PROCEEDS", {"proceeds"}, {"proceeds"}),
        ("204-0000010-0000010", "PROMOTION", set(), {"promotion"}),
        ("204-0000010-0000010", "FULFILLMENT", {"fulfillment"}, {"fulfillment"}),
        ("204-0000003-0000003", "PACKAGES", {"packages"}, set()),
        ("204-0000018-0000018", "CANCELLATION", set(), {"cancellation"}),
        ("204-0000026-0000026", "TAX", {"tax"}, set()),
        ("111-0000008-0000008", "TAX", set(), {"tax"}),
        ("249-0000013-0000013", "PAYMENT", {"payment"}, set()),
        ("204-0000010-0000010", "EXPENSE,FULFILLMENT_ORDERS", set(), set()),
    ],
)
def test_each_data_set_adds_its_blocks_to_search_and_get(
    order: str, data: str, in_order: set[str], in_items: set[str]
) -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER), present=True)
    base, extended = amazon.order(order).body["order"], amazon.order(order, includedData=data).body["order"]
    assert set(extended) - set(base) == in_order
    assert {name for item in extended["orderItems"] for name in item} - {
        name for item in base["orderItems"] for name in item
    } == in_items
    searched = amazon.search(createdAfter="2026-10-01T00:00:00Z", includedData=data).body["orders"]
    assert [each for each in searched if each["orderId"] == order] == [extended]


def test_all_data_sets_together_return_the_complete_order() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_order(an_order(1))
    everything = (
        "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS"
    )
    assert amazon.order(an_order(1)["orderId"], includedData=everything).body == {"order": an_order(1)}


def test_unknown_order_is_not_found() -> None:
    response = AmazonClient().order("204-9999999-9999999")
    assert (response.status, response.error) == (404, "NotFound")
    assert "x-amzn-RateLimit-Limit" not in response.headers  # no usage plan in this sandbox


def test_stored_order_cannot_be_mutated_or_replaced_by_an_older_version() -> None:
    amazon = AmazonClient()
    order = an_order(1)
    amazon.sandbox.put_order(order)
    order["orderItems"][0]["quantityOrdered"] = 99
    assert amazon.order(order["orderId"]).body["order"]["orderItems"][0]["quantityOrdered"] == 1
    with pytest.raises(ValueError, match="lastUpdatedTime 2026-11-19T00:00:00Z is earlier"):
        amazon.sandbox.put_order(an_order(1, updated="2026-11-19T00:00:00Z"))


def test_marketplace_participations_are_those_with_orders() -> None:
    amazon = AmazonClient(Seller.load(OWN_SELLER))
    payload = amazon.call("GET", "/sellers/v1/marketplaceParticipations").body["payload"]
    assert {each["marketplace"]["countryCode"] for each in payload} == {"GB", "US", "DE", "CA", "JP", "AU"}


def test_unsupported_operation_is_not_found_and_logged() -> None:
    amazon = AmazonClient()
    assert amazon.call("POST", "/reports/2021-06-30/reports", {}).status == 404
    amazon.order("204-0000001-0000001")
    assert [call.operation for call in amazon.sandbox.calls] == ["lwaToken", "unknown", "getOrder"]


def test_same_run_returns_the_same_responses() -> None:
    def run() -> list[Any]:
        amazon = AmazonClient(Seller.load(OWN_SELLER))
        amazon.subscribe("ORDER_CHANGE")
        amazon.sandbox.play()
        first = amazon.search(lastUpdatedAfter="2026-10-01T00:00:00Z", maxResultsPerPage=5)
        return [first.body, first.headers, amazon.queue]

    assert run() == run()


def test_order_goes_back_to_an_older_version_on_request() -> None:
    amazon = AmazonClient()
    amazon.sandbox.put_order(an_order(1, updated="2026-11-21T10:00:00Z"))
    older = an_order(1, updated="2026-11-20T10:00:00Z")

    assert amazon.control("POST", "orders", {"elements": [older]})[0] == 400
    assert amazon.control("POST", "orders", {"elements": [older], "go_back": True}) == (200, {"put": 1})

    assert amazon.order("204-0000001-0000001").body["order"]["lastUpdatedTime"] == "2026-11-20T10:00:00Z"
    assert numbers(amazon.search(lastUpdatedAfter=EARLY)) == [1]
    assert numbers(amazon.search(lastUpdatedAfter="2026-11-20T11:00:00Z")) == []
