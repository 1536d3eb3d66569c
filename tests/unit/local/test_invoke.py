"""`make invoke`: events of the project are addressed to the connected seller, and to a chosen order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.runtime.capabilities import CAPABILITIES
from local.invoke import EVENTS, EventUnusable, addressed, read_event
from local.running import find_running

ORDER = "204-0000001-0000001"
OF_ORDERS = sorted({*EVENTS.glob("*_sqs_*.json")} - {*EVENTS.glob("inventory_alerts_*.json")})


def bodies(event: dict[str, Any]) -> list[str]:
    return [record["body"] for record in event["Records"]]


def test_order_change_is_addressed_to_the_connected_seller() -> None:
    event = read_event(EVENTS / "orders_sqs_order_change.json")

    notices = [CAPABILITIES["orders"].parse(body) for body in bodies(addressed(event, "A2SELLER"))]

    assert {notice.seller_id for notice in notices} == {"A2SELLER"}
    assert [notice.key for notice in notices] == ["026-0000001-0000001", "026-0000002-0000002"]


@pytest.mark.parametrize("file", OF_ORDERS, ids=lambda file: file.stem)
def test_every_queue_event_can_name_another_order(file: Path) -> None:
    capability = CAPABILITIES[file.name.partition("_sqs_")[0]]

    event = addressed(read_event(file), "A2SELLER", ORDER)

    of_transaction = {"2c6f8a521aa343439d558ba32178670587150699"} if file.stem == "refunds_sqs_reprocess" else None
    assert {capability.parse(body).key for body in bodies(event)} == (of_transaction or {ORDER})


@pytest.mark.parametrize("file", sorted(EVENTS.glob("inventory_alerts_sqs_*.json")), ids=lambda file: file.stem)
def test_notification_of_stock_is_addressed_to_the_connected_seller_and_names_no_order(file: Path) -> None:
    event = addressed(read_event(file), "A2SELLER", ORDER)

    notices = [CAPABILITIES["inventory_alerts"].parse(body) for body in bodies(event)]
    assert {(notice.seller_id, notice.key) for notice in notices} == {("A2SELLER", "MUG-RED")}


def test_addressing_leaves_the_given_event_unchanged() -> None:
    event = read_event(EVENTS / "orders_sqs_order_change.json")
    before = json.dumps(event)

    addressed(event, "A2SELLER", ORDER)

    assert json.dumps(event) == before


@pytest.mark.parametrize("event", [{"sweep": "orders"}, {"Records": [{"body": "not JSON"}]}])
def test_event_without_a_notification_stays_as_it_is(event: dict[str, Any]) -> None:
    assert addressed(event, "A2SELLER", ORDER) == event


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_unusable_event_is_reported_with_the_events_that_exist(tmp_path: Path, text: str) -> None:
    file = tmp_path / "event.json"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(EventUnusable, match=r"orders_sqs_order_change\.json"):
        read_event(file)


@pytest.mark.parametrize(
    "state",
    ["", "{}", json.dumps({"endpoint": "http://127.0.0.1:9", "outputs": {}, "seller_id": "A2SELLER"})],
)
def test_local_cloud_that_has_ended_is_not_found(tmp_path: Path, state: str) -> None:
    file = tmp_path / "running.json"
    assert find_running(file) is None

    file.write_text(state, encoding="utf-8")

    assert find_running(file) is None
