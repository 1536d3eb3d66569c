"""Workers killed with SIGKILL under load, and answers lost after Xero processed the request: the books are right."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bench.seller import order
from local.stack import Stack

pytestmark = pytest.mark.integration

ORDERS = 300
KILLS = 6


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seller")
    (folder / "orders.jsonl").write_text("", encoding="utf-8")
    return folder


def kill_workers(stack: Stack) -> int:
    """Kill every process that runs a function at the moment; return how many there were."""
    server = stack.cloud.server_pid
    killed = 0
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == server:
            continue
        try:
            is_worker = os.getpgid(int(process.name)) == server
        except ProcessLookupError:
            continue
        if is_worker:
            os.kill(int(process.name), signal.SIGKILL)
            killed += 1
    return killed


def test_every_order_has_exactly_one_invoice_paid_once_although_workers_are_killed(stack: Stack) -> None:
    # A message of a killed invocation returns after the visibility timeout: seconds here, minutes in production.
    for queue in ("OrdersQueueUrl", "ShipmentsQueueUrl", "RefundsQueueUrl"):
        stack.cloud.set_visibility_timeout(stack.outputs[queue], 20)
    stack.xero.control(
        "POST",
        "faults",
        [
            {"kind": "drop", "method": "PUT", "path": f"/api.xro/2.0/{collection}", "skip": skip}
            for collection, skip in (("Invoices", 0), ("Invoices", 1), ("Payments", 1))
        ],
    )
    begin = datetime.now(UTC) - timedelta(hours=2)
    orders = [order(number, begin + timedelta(seconds=number)) for number in range(1, ORDERS + 1)]
    killed = 0
    for part in range(KILLS):
        some = orders[part * ORDERS // KILLS : (part + 1) * ORDERS // KILLS]
        stack.amazon.control("POST", "orders", {"elements": some, "notify": True})
        # At an arbitrary moment: during reading, recording, claiming or posting.
        time.sleep(1.5 + 0.7 * part)
        killed += kill_workers(stack)

    assert killed >= KILLS / 2
    assert stack.wait_until_idle(400) == ""

    invoices = stack.xero.control("GET", "books")["Invoices"]
    totals = Counter[str]()
    for invoice in invoices:
        totals[invoice["Reference"].rpartition(" ")[2]] += invoice["Total"]
    assert len(invoices) == ORDERS
    assert {(invoice["Status"], len(invoice["Payments"])) for invoice in invoices} == {("PAID", 1)}
    assert totals == {o["orderId"]: Decimal(o["proceeds"]["grandTotal"]["amount"]) for o in orders}
    dropped = [call for call in stack.xero.control("GET", "calls") if call["fault"] == "drop"]
    assert len(dropped) == 3
