"""What the sandbox answers and sends is valid by Amazon's own models and schemas (not part of this repository)."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

import pytest
from amazon_driver import CONTRACTS, OWN_SELLER, QUEUE, AmazonDriver, Answer
from jsonschema import Draft7Validator, FormatChecker

from sandbox.amazon import Seller
from sandbox.amazon.usage_plan import USAGE_PLANS

pytestmark = pytest.mark.skipif(
    not CONTRACTS.is_dir(), reason="Amazon's models are not beside the repository (../shared/contracts/amazon)"
)
FORMATS = FormatChecker(formats=())
ALL_DATA = "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS"


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@lru_cache
def model(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8"))
    definitions = content["definitions"]
    combined = {
        part["$ref"].removeprefix("#/definitions/")
        for definition in definitions.values()
        for part in definition.get("allOf", ())
        if "$ref" in part
    }
    for defined, definition in definitions.items():
        # A field the model does not have would be a spelling mistake of ours. Definitions that are combined with
        # others have to let the others' fields pass.
        if definition.get("type") == "object" and "properties" in definition and defined not in combined:
            definition["additionalProperties"] = False
    return content


def without_nulls(content: Any) -> Any:
    """Amazon answers null where its models, which cannot say so, mean absent."""
    if isinstance(content, dict):
        return {name: without_nulls(value) for name, value in content.items() if value is not None}
    return [without_nulls(each) for each in content] if isinstance(content, list) else content


def check(content: Any, name: str, definition: str) -> None:
    schema = {"definitions": model(name)["definitions"], "allOf": [{"$ref": f"#/definitions/{definition}"}]}
    # Decimals are numbers to JSON Schema only once they are written out.
    plain = json.loads(json.dumps(without_nulls(content), default=float))
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft7Validator(schema, format_checker=FORMATS).iter_errors(plain)
    ]
    assert not errors


def check_answer(answer: Answer, name: str, path: str, method: str, status: int) -> None:
    """The body and the headers of an answer against the response its model declares for that status."""
    assert answer.status == status
    declared = model(name)["paths"][path][method]["responses"][str(status)]
    check(answer.body, name, declared["schema"]["$ref"].removeprefix("#/definitions/"))
    assert {header for header in answer.headers if header.startswith("x-amzn-")} == set(declared["headers"])


def own_seller(**options: Any) -> AmazonDriver:
    return AmazonDriver(Seller.load(OWN_SELLER), usage_plans=USAGE_PLANS, **options)


@pytest.mark.parametrize(
    ("file", "name", "definition"),
    [
        ("orders.jsonl", "orders_2026-01-01", "Order"),
        ("transactions.jsonl", "finances_2024-06-19", "Transaction"),
        ("inventory.jsonl", "fbaInventory", "InventorySummary"),
    ],
)
def test_the_own_seller_folder_is_in_amazons_words(file: str, name: str, definition: str) -> None:
    for line in (OWN_SELLER / file).read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        if file == "inventory.jsonl":
            del content["marketplaceId"]  # whose stock it is; never part of an answer
        check(content, name, definition)


def test_the_real_sellers_folder_can_be_played_too() -> None:
    folder = CONTRACTS.parents[1] / "data" / "seller-ca"
    if not folder.is_dir():
        pytest.skip("the real seller's data is not beside the repository (../shared/data/seller-ca)")
    amazon = AmazonDriver(Seller.load(folder))
    amazon.subscribe("ORDER_CHANGE")
    assert amazon.sandbox.play() == 107
    orders = amazon.search(createdAfter="2025-08-01T00:00:00Z", includedData=ALL_DATA)
    assert len(orders.body["orders"]) == len(amazon.queue) == 36
    check(orders.body, "orders_2026-01-01", "SearchOrdersResponse")


ORDERS = "/orders/2026-01-01/orders"
ORDER = "/orders/2026-01-01/orders/{orderId}"


def test_order_answers_are_valid() -> None:
    amazon = own_seller(present=True)
    name = "orders_2026-01-01"
    for included in ({}, {"includedData": ALL_DATA}):
        page = amazon.search(lastUpdatedAfter="2026-10-01T00:00:00Z", maxResultsPerPage=20, **included)
        check_answer(page, name, ORDERS, "get", 200)
        assert page.body["pagination"]["nextToken"]
        check_answer(amazon.order("204-0000003-0000003", **included), name, ORDER, "get", 200)
    check_answer(amazon.search(), name, ORDERS, "get", 400)
    check_answer(amazon.search(createdAfter="2026-10-01T00:00:00Z", token="none"), name, ORDERS, "get", 403)
    check_answer(amazon.order("none"), name, ORDER, "get", 404)
    while (throttled := amazon.search(createdAfter="2026-10-01T00:00:00Z")).status == 200:
        pass
    check_answer(throttled, name, ORDERS, "get", 429)


def test_finance_answers_are_valid() -> None:
    amazon = own_seller(present=True, transactions_per_page=5)
    name, path = "finances_2024-06-19", "/finances/2024-06-19/transactions"
    check_answer(amazon.transactions(postedAfter="2026-10-01T00:00:00Z"), name, path, "get", 200)
    check_answer(amazon.transactions(), name, path, "get", 400)
    check_answer(amazon.transactions(token="none"), name, path, "get", 403)


def test_inventory_answers_are_valid() -> None:
    amazon = own_seller(present=True)
    name, path = "fbaInventory", "/fba/inventory/v1/summaries"
    check_answer(amazon.inventory(details="true"), name, path, "get", 200)
    check_answer(amazon.inventory(granularityId="none"), name, path, "get", 400)
    check_answer(amazon.inventory(), name, path, "get", 429)


def test_seller_answers_are_valid() -> None:
    answer = own_seller().call("GET", "/sellers/v1/marketplaceParticipations")
    check_answer(answer, "sellers", "/sellers/v1/marketplaceParticipations", "get", 200)


def test_notification_api_answers_are_valid() -> None:
    amazon = own_seller()
    name = "notifications"
    all_of_them, one = "/notifications/v1/destinations", "/notifications/v1/destinations/{destinationId}"
    wanted = {"name": "orders", "resourceSpecification": {"sqs": {"arn": QUEUE}}}
    made = amazon.call("POST", all_of_them, wanted, grant="grantless")
    check_answer(made, name, all_of_them, "post", 200)
    check_answer(amazon.call("POST", all_of_them, wanted, grant="grantless"), name, all_of_them, "post", 409)
    check_answer(amazon.call("POST", all_of_them, {}, grant="grantless"), name, all_of_them, "post", 400)
    check_answer(amazon.call("GET", all_of_them, grant="grantless"), name, all_of_them, "get", 200)
    check_answer(amazon.call("GET", all_of_them, grant="seller"), name, all_of_them, "get", 403)
    destination = f"{all_of_them}/{made.body['payload']['destinationId']}"
    check_answer(amazon.call("GET", destination, grant="grantless"), name, one, "get", 200)

    listed, by_type = "/notifications/v1/subscriptions", "/notifications/v1/subscriptions/{notificationType}"
    by_id = f"{by_type}/{{subscriptionId}}"
    directive = {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["OrderStatusChange"]}}
    subscribed = amazon.subscribe("ORDER_CHANGE", directive=directive)
    check_answer(subscribed, name, by_type, "post", 200)
    check_answer(amazon.subscribe("ORDER_CHANGE"), name, by_type, "post", 409)
    check_answer(amazon.call("GET", f"{listed}/ORDER_CHANGE"), name, by_type, "get", 200)
    check_answer(amazon.call("GET", f"{listed}/TRANSACTION_UPDATE"), name, by_type, "get", 404)
    check_answer(amazon.call("GET", listed, notificationTypes="ORDER_CHANGE"), name, listed, "get", 200)
    path = f"{listed}/ORDER_CHANGE/{subscribed.body['payload']['subscriptionId']}"
    check_answer(amazon.call("GET", path, grant="grantless"), name, by_id, "get", 200)
    check_answer(amazon.call("DELETE", path, grant="grantless"), name, by_id, "delete", 200)
    check_answer(amazon.call("DELETE", path, grant="grantless"), name, by_id, "delete", 404)
    amazon.clock.advance(60)
    check_answer(amazon.call("DELETE", destination, grant="grantless"), name, one, "delete", 200)


@pytest.mark.parametrize(
    ("notification_type", "schema", "sent"),
    [
        ("ORDER_CHANGE", "OrderChangeNotification", 52),
        ("TRANSACTION_UPDATE", "TransactionUpdateNotification", 10),
        ("FBA_INVENTORY_AVAILABILITY_CHANGES", "FBAInventoryAvailabilityChangeNotification", 10),
    ],
)
def test_every_notification_is_valid(notification_type: str, schema: str, sent: int) -> None:
    amazon = own_seller()
    amazon.subscribe(notification_type)
    amazon.sandbox.play()
    content = json.loads((CONTRACTS / "notifications" / f"{schema}.json").read_text(encoding="utf-8"))
    validator = Draft7Validator(content, format_checker=FORMATS)
    bodies = [json.loads(body) for _, body in amazon.queue]
    assert len(bodies) == sent
    assert [error.message for body in bodies for error in validator.iter_errors(body)] == []


def test_an_order_change_has_exactly_the_envelope_of_amazons_example() -> None:
    example = json.loads((CONTRACTS / "notifications" / "examples" / "OrderChangeNotification.0.json").read_text())
    amazon = own_seller()
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.play()
    for _, text in amazon.queue:
        body = json.loads(text)
        assert set(body) == set(example)
        assert set(body["NotificationMetadata"]) == set(example["NotificationMetadata"])
        change, told = body["Payload"]["OrderChangeNotification"], example["Payload"]["OrderChangeNotification"]
        assert set(change) == set(told)
        assert set(change["Summary"]) <= set(told["Summary"])
        assert set(change["Summary"]["OrderItems"][0]) <= set(told["Summary"]["OrderItems"][0])


def test_the_usage_plans_are_those_of_the_models() -> None:
    told = {}
    for name in ("orders_2026-01-01", "finances_2024-06-19", "fbaInventory", "notifications", "sellers"):
        for methods in model(name)["paths"].values():
            for operation in methods.values():
                if isinstance(operation, dict) and operation.get("operationId") in USAGE_PLANS:
                    rows = [line for line in operation["description"].splitlines() if line.startswith("|")]
                    if rows:
                        rate, burst = (cell.strip() for cell in rows[2].strip("| ").split("|"))
                        told[operation["operationId"]] = (float(rate), int(burst))
    assert len(told) > 8
    assert told == {name: (USAGE_PLANS[name].rate, USAGE_PLANS[name].burst) for name in told}
