"""What DynamoDB is asked for by the table's adapter."""

from __future__ import annotations

from typing import Any

import pytest
from pynamodb.connection import Connection

from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.state import FAILED_SOURCES, Watched


class RecordingDynamoDB:
    """DynamoDB that records its calls and answers a query with one failed order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, operation: str, request: dict[str, Any], *_: Any) -> dict[str, Any]:
        self.calls.append((operation, request))
        keys = {"watched": "main#failed-sources", "reason": "TAX_UNMAPPED", "pk": "CONNECTION#main", "sk": "ORDER#A"}
        item = {name: {"S": text} for name, text in keys.items()}
        return {"Items": [item], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": item}

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [request for name, request in self.calls if name == operation]


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> RecordingDynamoDB:
    recording = RecordingDynamoDB()
    monkeypatch.setattr(Connection, "_make_api_call", recording)
    return recording


def test_page_of_failed_records_is_one_query_of_the_index_and_no_scan(dynamodb: RecordingDynamoDB) -> None:
    store = DynamoStateStore("table", "main", "eu-west-1")

    assert store.watched(FAILED_SOURCES, 1) == [Watched("ORDER#A", "TAX_UNMAPPED")]

    ((operation, request),) = dynamodb.calls
    assert (operation, request["IndexName"], request["Limit"]) == ("Query", "watched", 1)
    assert list(request["ExpressionAttributeValues"].values()) == [{"S": "main#failed-sources"}]
    assert "ExclusiveStartKey" not in request


def test_next_page_begins_after_the_last_record_of_the_one_before(dynamodb: RecordingDynamoDB) -> None:
    store = DynamoStateStore("table", "main", "eu-west-1")

    store.watched(FAILED_SOURCES, 1, after=Watched("ORDER#Z", "ACCOUNT_UNMAPPED"))

    (request,) = dynamodb.requests("Query")
    assert request["ExclusiveStartKey"] == {
        "watched": {"S": "main#failed-sources"},
        "reason": {"S": "ACCOUNT_UNMAPPED"},
        "pk": {"S": "CONNECTION#main"},
        "sk": {"S": "ORDER#Z"},
    }


def test_failed_records_of_one_reason_are_a_query_of_that_reason(dynamodb: RecordingDynamoDB) -> None:
    store = DynamoStateStore("table", "main", "eu-west-1")

    store.watched(FAILED_SOURCES, 1, reason="TAX_UNMAPPED")

    (request,) = dynamodb.requests("Query")
    values = request["ExpressionAttributeValues"].values()
    assert sorted(each["S"] for each in values) == ["TAX_UNMAPPED", "main#failed-sources"]
    assert "reason" in request["ExpressionAttributeNames"].values()
    assert "AND" in request["KeyConditionExpression"]


def test_only_a_failed_order_has_the_attribute_of_the_index(dynamodb: RecordingDynamoDB) -> None:
    store = DynamoStateStore("table", "main", "eu-west-1")

    store.save([OrderRecord("A").failed(FailureCode.TAX_UNMAPPED, "Add a rule.")])
    store.save([OrderRecord("B")])

    failed, noticed = (request["Item"] for request in dynamodb.requests("PutItem"))
    assert (failed["watched"], failed["reason"]) == ({"S": "main#failed-sources"}, {"S": "TAX_UNMAPPED"})
    assert not {"watched", "reason"} & noticed.keys()
