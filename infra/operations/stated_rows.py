"""State, reason and remedy of every row of one type, as the rows show them to people. It queries, and never scans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StatedRow:
    """One row without its data.

    key: the record's key within its type, e.g. 204-0000100-0000100.
    state, reason, remedy: as they are stored; empty where the row has none.
    """

    key: str
    state: str
    reason: str
    remedy: str


def stated_rows(dynamodb: Any, table: str, connection: str, prefix: str, containing: str = "") -> Iterator[StatedRow]:
    """Yield the rows of a connection whose sort key begins with a type of record, e.g. ORDER.

    containing: only rows whose data has this text.
    dynamodb: a boto3 client. DynamoDB charges half a read unit for each 4 KB of the rows, whatever is returned of them.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": {"S": f"CONNECTION#{connection}"}, ":prefix": {"S": f"{prefix}#"}},
        "ProjectionExpression": "sk, #state, reason, remedy",
        "ExpressionAttributeNames": {"#state": "state"},  # a reserved word
    }
    if containing:
        request["FilterExpression"] = "contains(#data, :containing)"
        request["ExpressionAttributeNames"]["#data"] = "data"  # a reserved word, too
        request["ExpressionAttributeValues"][":containing"] = {"S": containing}
    pages = dynamodb.get_paginator("query").paginate(**request)
    for page in pages:
        for item in page["Items"]:
            texts = {name: str(value["S"]) for name, value in item.items()}
            key = texts["sk"].removeprefix(f"{prefix}#")
            yield StatedRow(key, *(texts.get(name, "") for name in ("state", "reason", "remedy")))
