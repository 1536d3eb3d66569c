"""Stock on the deployed stack: an event on its bus has it reconciled, and own stock arrives by a partner's bus.

The tests of this file build on each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amazon_to_xero.domain.amazon.stock_statements import MERCHANT_QUANTITY_CHANGE
from amazon_to_xero.ports.state import OWN_STOCK
from local.stack import Stack, deployed

pytestmark = pytest.mark.integration

REQUESTED = "Inventory Reconciliation Requested"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, seller: Path) -> Iterator[Stack]:
    """Amazon has the seller's whole history; nothing was reconciled yet."""
    parts = {"inventory": {"merchant_quantities": True}}
    with deployed(tmp_path_factory.mktemp("stack"), seller, parts, present=True) as running:
        yield running


def eventually[T](read: Callable[[], T | None], seconds: float = 90) -> T:
    end = time.monotonic() + seconds
    while (found := read()) is None:
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)
    return found


def reports(stack: Stack) -> list[str]:
    """Return the keys of all reports for programs, oldest first."""
    objects = stack.cloud.client("s3").list_objects_v2(Bucket=stack.outputs["ReportBucketName"])
    return sorted(each["Key"] for each in objects.get("Contents", []) if each["Key"].endswith("stock.json"))


def put_event(stack: Stack, detail: dict[str, Any]) -> None:
    entry = {
        "EventBusName": stack.outputs["EventBusName"],
        "Source": "warehouse",
        "DetailType": REQUESTED,
        "Detail": json.dumps(detail),
    }
    assert stack.cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def reconciled(stack: Stack) -> dict[str, Any]:
    """Ask for a reconciliation by an event; return its report by item."""
    before = len(reports(stack))
    put_event(stack, {"connection": "main"})
    key = eventually(lambda: next(iter(reports(stack)[before:]), None))
    body = stack.cloud.client("s3").get_object(Bucket=stack.outputs["ReportBucketName"], Key=key)["Body"].read()
    return {line["item"]: line for line in json.loads(body)["lines"]}


def test_event_on_the_bus_has_stock_reconciled(stack: Stack) -> None:
    assert reports(stack) == []

    lines = reconciled(stack)

    assert (lines["LAMP-DESK"]["amazon"], lines["LAMP-DESK"]["own"]) == ("21", "")
    page = reports(stack)[0].replace(".json", ".html")
    stored = stack.cloud.client("s3").get_object(Bucket=stack.outputs["ReportBucketName"], Key=page)
    assert stored["ContentType"] == "text/html; charset=utf-8"


def test_event_for_a_connection_that_does_not_exist_is_refused_and_nothing_is_reconciled(stack: Stack) -> None:
    before, function = reports(stack), stack.outputs["InventoryReconciliationFunctionName"]
    put_event(stack, {"connection": "other"})

    line = eventually(
        lambda: next((each for each in stack.cloud.log_lines(function) if "MESSAGE_REJECTED" in each), None)
    )

    assert "There is no connection 'other' that works" in line
    assert reports(stack) == before


def test_local_run_subscribes_to_own_stock_where_the_settings_watch_it(stack: Stack) -> None:
    notifications = [each["notificationType"] for each in stack.amazon.control("GET", "state")["subscriptions"]]

    assert MERCHANT_QUANTITY_CHANGE in notifications


def test_own_stock_that_a_partner_event_states_is_in_the_next_report(stack: Stack) -> None:
    sent = stack.amazon.control("POST", "own-stock", {"sku": "LAMP-DESK", "quantity": 9})
    assert sent == {"sent": 1}
    eventually(lambda: stack.store.watched(OWN_STOCK, 10) or None)

    lamp = reconciled(stack)["LAMP-DESK"]
    assert (lamp["amazon"], lamp["own"]) == ("21", "9")
