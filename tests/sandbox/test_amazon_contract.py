"""Responses and notifications of the sandbox match Amazon's own models and schemas (not part of this repository)."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker  # type: ignore[import-untyped]  # ships no type information

from sandbox.amazon import OWN_SELLER, Seller
from sandbox.amazon.usage_plan import USAGE_PLANS
from sandbox.testing.amazon import QUEUE, AmazonClient, ParsedResponse

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "amazon"
pytestmark = pytest.mark.skipif(
    not CONTRACTS.is_dir(), reason="Amazon's models are not beside the repository (../shared/contracts/amazon)"
)
FORMATS = FormatChecker(formats=())
ALL_DATA = "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS"


@FORMATS.checks("date-time", raises=ValueError)  # type: ignore[untyped-decorator]  # jsonschema has no types
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
        # Reject fields that the model does not have: they would be misspellings. A definition that is combined with
        # others must accept their fields.
        if definition.get("type") == "object" and "properties" in definition and defined not in combined:
            definition["additionalProperties"] = False
    return content


def without_nulls(content: Any) -> Any:
    """Remove nulls: Amazon returns null for an absent value, which its models cannot express."""
    if isinstance(content, dict):
        return {name: without_nulls(value) for name, value in content.items() if value is not None}
    return [without_nulls(each) for each in content] if isinstance(content, list) else content


def check(content: Any, name: str, definition: str) -> None:
    schema = {"definitions": model(name)["definitions"], "allOf": [{"$ref": f"#/definitions/{definition}"}]}
    # JSON Schema does not accept Decimals as numbers.
    plain = json.loads(json.dumps(without_nulls(content), default=float))
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft7Validator(schema, format_checker=FORMATS).iter_errors(plain)
    ]
    assert not errors


def check_response(response: ParsedResponse, name: str, path: str, method: str, status: int) -> None:
    """Check body and headers against the response that the model declares for that status."""
    assert response.status == status
    declared = model(name)["paths"][path][method]["responses"][str(status)]
    check(response.body, name, declared["schema"]["$ref"].removeprefix("#/definitions/"))
    assert {header for header in response.headers if header.startswith("x-amzn-")} == set(declared["headers"])


def own_seller(**options: Any) -> AmazonClient:
    return AmazonClient(Seller.load(OWN_SELLER), usage_plans=USAGE_PLANS, **options)


@pytest.mark.parametrize(
    ("file", "name", "definition"),
    [
        ("orders.jsonl", "orders_2026-01-01", "Order"),
        ("transactions.jsonl", "finances_2024-06-19", "Transaction"),
        ("inventory.jsonl", "fbaInventory", "InventorySummary"),
    ],
)
def test_own_seller_folder_matches_amazons_models(file: str, name: str, definition: str) -> None:
    for line in (OWN_SELLER / file).read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        if file == "inventory.jsonl":
            del content["marketplaceId"]  # an addition of the folder, never part of a response
        check(content, name, definition)


def test_real_sellers_folder_can_be_played() -> None:
    folder = CONTRACTS.parents[1] / "data" / "seller-ca"
    if not folder.is_dir():
        pytest.skip("the real seller's data is not beside the repository (../shared/data/seller-ca)")
    amazon = AmazonClient(Seller.load(folder))
    amazon.subscribe("ORDER_CHANGE")
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    assert amazon.sandbox.play() == len([line for line in lines if line.strip()])
    orders = amazon.search(createdAfter="2025-08-01T00:00:00Z", includedData=ALL_DATA)
    assert len(orders.body["orders"]) == len(amazon.queue) == 36
    check(orders.body, "orders_2026-01-01", "SearchOrdersResponse")


ORDERS = "/orders/2026-01-01/orders"
ORDER = "/orders/2026-01-01/orders/{orderId}"


def test_orders_responses_match_the_model() -> None:
    amazon = own_seller(present=True)
    name = "orders_2026-01-01"
    for included in ({}, {"includedData": ALL_DATA}):
        page = amazon.search(lastUpdatedAfter="2026-10-01T00:00:00Z", maxResultsPerPage=20, **included)
        check_response(page, name, ORDERS, "get", 200)
        assert page.body["pagination"]["nextToken"]
        check_response(amazon.order("204-0000003-0000003", **included), name, ORDER, "get", 200)
    check_response(amazon.search(), name, ORDERS, "get", 400)
    check_response(amazon.search(createdAfter="2026-10-01T00:00:00Z", token="none"), name, ORDERS, "get", 403)
    check_response(amazon.order("none"), name, ORDER, "get", 404)
    while (throttled := amazon.search(createdAfter="2026-10-01T00:00:00Z")).status == 200:
        pass
    check_response(throttled, name, ORDERS, "get", 429)


def test_finances_responses_match_the_model() -> None:
    amazon = own_seller(present=True, transactions_per_page=5)
    name, path = "finances_2024-06-19", "/finances/2024-06-19/transactions"
    check_response(amazon.transactions(postedAfter="2026-10-01T00:00:00Z"), name, path, "get", 200)
    check_response(amazon.transactions(), name, path, "get", 400)
    check_response(amazon.transactions(token="none"), name, path, "get", 403)


def test_charges_that_are_derived_from_orders_match_the_model(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes((OWN_SELLER / "orders.jsonl").read_bytes())
    amazon = AmazonClient(Seller.load(tmp_path), present=True, usage_plans=USAGE_PLANS)
    listed = amazon.transactions(postedAfter="2026-10-01T00:00:00Z")
    assert len(listed.body["payload"]["transactions"]) == 28
    check_response(listed, "finances_2024-06-19", "/finances/2024-06-19/transactions", "get", 200)


def test_inventory_responses_match_the_model() -> None:
    amazon = own_seller(present=True)
    name, path = "fbaInventory", "/fba/inventory/v1/summaries"
    check_response(amazon.inventory(details="true"), name, path, "get", 200)
    check_response(amazon.inventory(granularityId="none"), name, path, "get", 400)
    check_response(amazon.inventory(), name, path, "get", 429)


def test_sellers_responses_match_the_model() -> None:
    response = own_seller().call("GET", "/sellers/v1/marketplaceParticipations")
    check_response(response, "sellers", "/sellers/v1/marketplaceParticipations", "get", 200)


def test_notifications_api_responses_match_the_model() -> None:
    amazon = own_seller()
    name = "notifications"
    collection, one = "/notifications/v1/destinations", "/notifications/v1/destinations/{destinationId}"
    destination_body = {"name": "orders", "resourceSpecification": {"sqs": {"arn": QUEUE}}}
    created = amazon.call("POST", collection, destination_body, grant="grantless")
    check_response(created, name, collection, "post", 200)
    check_response(amazon.call("POST", collection, destination_body, grant="grantless"), name, collection, "post", 409)
    check_response(amazon.call("POST", collection, {}, grant="grantless"), name, collection, "post", 400)
    check_response(amazon.call("GET", collection, grant="grantless"), name, collection, "get", 200)
    check_response(amazon.call("GET", collection, grant="seller"), name, collection, "get", 403)
    destination = f"{collection}/{created.body['payload']['destinationId']}"
    check_response(amazon.call("GET", destination, grant="grantless"), name, one, "get", 200)

    listed, by_type = "/notifications/v1/subscriptions", "/notifications/v1/subscriptions/{notificationType}"
    by_id = f"{by_type}/{{subscriptionId}}"
    directive = {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["OrderStatusChange"]}}
    subscribed = amazon.subscribe("ORDER_CHANGE", directive=directive)
    check_response(subscribed, name, by_type, "post", 200)
    check_response(amazon.subscribe("ORDER_CHANGE"), name, by_type, "post", 409)
    check_response(amazon.call("GET", f"{listed}/ORDER_CHANGE"), name, by_type, "get", 200)
    check_response(amazon.call("GET", f"{listed}/TRANSACTION_UPDATE"), name, by_type, "get", 404)
    check_response(amazon.call("GET", listed, notificationTypes="ORDER_CHANGE"), name, listed, "get", 200)
    path = f"{listed}/ORDER_CHANGE/{subscribed.body['payload']['subscriptionId']}"
    check_response(amazon.call("GET", path, grant="grantless"), name, by_id, "get", 200)
    check_response(amazon.call("DELETE", path, grant="grantless"), name, by_id, "delete", 200)
    check_response(amazon.call("DELETE", path, grant="grantless"), name, by_id, "delete", 404)
    amazon.clock.advance(60)
    check_response(amazon.call("DELETE", destination, grant="grantless"), name, one, "delete", 200)


@pytest.mark.parametrize(
    ("notification_type", "schema", "expected_count"),
    [
        ("ORDER_CHANGE", "OrderChangeNotification", 53),
        ("TRANSACTION_UPDATE", "TransactionUpdateNotification", 38),
        ("FBA_INVENTORY_AVAILABILITY_CHANGES", "FBAInventoryAvailabilityChangeNotification", 10),
    ],
)
def test_notifications_match_amazons_schemas(notification_type: str, schema: str, expected_count: int) -> None:
    amazon = own_seller()
    amazon.subscribe(notification_type)
    amazon.sandbox.play()
    content = json.loads((CONTRACTS / "notifications" / f"{schema}.json").read_text(encoding="utf-8"))
    validator = Draft7Validator(content, format_checker=FORMATS)
    bodies = [json.loads(body) for _, body in amazon.queue]
    assert len(bodies) == expected_count
    assert [error.message for body in bodies for error in validator.iter_errors(body)] == []


def test_order_change_has_the_fields_of_amazons_example() -> None:
    example = json.loads((CONTRACTS / "notifications" / "examples" / "OrderChangeNotification.0.json").read_text())
    amazon = own_seller()
    amazon.subscribe("ORDER_CHANGE")
    amazon.sandbox.play()
    for _, text in amazon.queue:
        body = json.loads(text)
        assert set(body) == set(example)
        assert set(body["NotificationMetadata"]) == set(example["NotificationMetadata"])
        change, documented = body["Payload"]["OrderChangeNotification"], example["Payload"]["OrderChangeNotification"]
        assert set(change) == set(documented)
        assert set(change["Summary"]) <= set(documented["Summary"])
        assert set(change["Summary"]["OrderItems"][0]) <= set(documented["Summary"]["OrderItems"][0])


def test_usage_plans_match_the_models() -> None:
    documented = {}
    for name in ("orders_2026-01-01", "finances_2024-06-19", "fbaInventory", "notifications", "sellers"):
        for methods in model(name)["paths"].values():
            for operation in methods.values():
                if isinstance(operation, dict) and operation.get("operationId") in USAGE_PLANS:
                    rows = [line for line in operation["description"].splitlines() if line.startswith("|")]
                    if rows:
                        rate, burst = (cell.strip() for cell in rows[2].strip("| ").split("|"))
                        documented[operation["operationId"]] = (float(rate), int(burst))
    assert len(documented) > 8
    assert documented == {name: (USAGE_PLANS[name].rate, USAGE_PLANS[name].burst) for name in documented}
