"""What the deployed resume function states about a connection, and what stays findable of what failed.

The tests of this file build on each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from amazon_to_xero.ports.state import FAILED_SOURCES
from fakes.orders import item, order
from local.stack import Stack

pytestmark = pytest.mark.integration

GOOD = [order(item("5.00"), grand_total="5.00", order_id=f"906-000000{n}-0000000") for n in (1, 2)]
BROKEN = [order(item("5.00"), grand_total="9.00", order_id=f"907-000000{n}-0000000") for n in (1, 2, 3)]


def eventually(condition: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(1)
    raise AssertionError(f"not within {seconds} s")


def stated(stack: Stack, metric: str, value: float) -> dict[str, Any] | None:
    """Return the newest status of the connection if it states that value."""
    records = stack.cloud.log_records(stack.outputs["ResumeFunctionName"])
    statuses = [record for record in records if record.get("connection") == "main" and "_aws" in record]
    return statuses[-1] if statuses and statuses[-1].get(metric) == [value] else None


def test_idle_connection_states_its_status_every_minute_without_a_warning(stack: Stack) -> None:
    status = eventually(lambda: stated(stack, "ConnectionRefused", 0), 130)

    assert status["stack"] == "amazon-to-xero"
    assert (status["OldestDueSeconds"], status["FailedSources"], status["Paused"]) == ([0], [0], [0])
    lines = stack.cloud.log_lines(stack.outputs["ResumeFunctionName"])
    assert not [line for line in lines if "No application metrics" in line]


def test_orders_that_failed_are_in_the_index_page_by_page_and_in_the_status(stack: Stack) -> None:
    stack.amazon.control("POST", "orders", {"elements": [GOOD[0], *BROKEN], "notify": True})
    assert stack.wait_until_idle(90) == ""

    first = stack.store.watched(FAILED_SOURCES, 2)
    rest = stack.store.watched(FAILED_SOURCES, 2, after=first[-1])
    assert sorted(each.key for each in [*first, *rest]) == [f"ORDER#{broken['orderId']}" for broken in BROKEN]
    assert {each.reason for each in [*first, *rest]} == {"ORDER_TOTAL_DIFFERS"}
    eventually(lambda: stated(stack, "FailedSources", 3), 130)


def test_disconnected_organisation_raises_its_metric_within_five_minutes(stack: Stack) -> None:
    stack.xero.control("POST", "connection", {"connected": False})
    begin = time.monotonic()
    stack.amazon.control("POST", "orders", {"elements": [GOOD[1]], "notify": True})

    status = eventually(lambda: stated(stack, "ConnectionRefused", 1), 300)

    assert time.monotonic() - begin < 300
    assert status["refused"] == {"xero": "XERO_NOT_AUTHORISED"}
    assert (status["Paused"], status["XeroPaused"], status["AmazonPaused"]) == ([1], [1], [0])
