"""Measure what it takes to reconcile the stock of a large seller: calls, time, memory, and units of DynamoDB.

The real services and adapters work over both sandboxes in this process, with 10,000 SKUs in two pools, each of which is
an item in Xero. Amazon's time is virtual: two pages of 50 SKUs a second. The time of this process is real, and its
memory is the most that it has used, with both sandboxes in it. The second run of two is measured: it knows the
worklist, and a unit of a thousand SKUs was sold since the first. The exit status is 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bench import seller
from bench.in_process import InProcessConnection
from sandbox.wire import Request

POOLS = {"uk": ["A1F83G8C2ARO7P"], "eu": ["A1PA6795UKMFR9", "A13V1IB3VIYZZH"]}
RUN_FOR = timedelta(minutes=14)  # the function's time-out less its reserve
MEMORY = 1024  # MB of the function
MOST_AMAZON, MOST_XERO = 201, 101  # calls
WITHOUT_STOCK = 4  # marketplaces of the settings of make run that have no stock, each of which is asked once
_WEEK = 7 * 24 * 3600.0


def level(marketplace: str, sku: str, units: int) -> dict[str, Any]:
    kinds = {"inboundWorkingQuantity": 0, "inboundShippedQuantity": 0, "inboundReceivingQuantity": 0}
    reserved = {"pendingCustomerOrderQuantity": 1, "pendingTransshipmentQuantity": 0, "fcProcessingQuantity": 0}
    return {
        **{"asin": "B000000001", "fnSku": "X000000001", "sellerSku": sku, "productName": f"Product {sku}"},
        **{"marketplaceId": marketplace, "totalQuantity": units, "lastUpdatedTime": "2026-11-01T00:00:00Z"},
        "inventoryDetails": {
            "fulfillableQuantity": units - 3,
            **kinds,
            "reservedQuantity": reserved,
            "researchingQuantity": {"totalResearchingQuantity": 1},
            "unfulfillableQuantity": {"totalUnfulfillableQuantity": 1, "customerDamagedQuantity": 1},
        },
    }


def stocked(connection: InProcessConnection, skus: int) -> None:
    """Have Amazon and Xero state as many SKUs, half of them in each pool; every tenth differs by two units."""
    items = []
    for number in range(skus):
        sku, units = f"SKU-{number:05}", 50 + number % 100
        for marketplace in list(POOLS.values())[number % 2]:
            connection.amazon.put_inventory(level(marketplace, sku, units))
        items.append(
            {
                "Code": sku,
                "Name": f"Product {sku}",
                "InventoryAssetAccountCode": "630",
                "PurchaseDetails": {"COGSAccountCode": "310"},
                "QuantityOnHand": units + (2 if number % 10 == 0 else 0),
                "TotalCostPool": units * 5,
            }
        )
    body = json.dumps({"Items": items}).encode()
    answer = connection.xero.control(Request.to("POST", "/_sandbox/stock", headers={}, body=body))
    if answer.status != 200:
        raise AssertionError(f"the sandbox Xero refused the items: {answer.body[:200]!r}")


def sold(connection: InProcessConnection, orders: int) -> None:
    """Ship an order of one unit of each of so many SKUs."""
    made = [seller.order(number, connection.clock.now()) for number in range(orders)]
    for number, order in enumerate(made):
        order["orderItems"][0]["product"]["sellerSku"] = f"SKU-{number:05}"
    connection.notify_orders(made)


def measure(skus: int, orders: int) -> int:
    connection = InProcessConnection(inventory={"reconcile": True, "pools": POOLS})
    stocked(connection, skus)
    connection.reconcile_stock(RUN_FOR)
    sold(connection, orders)
    connection.clock.sleep(_WEEK)
    connection.renew_amazon_token()
    before, units = (len(connection.amazon.calls), len(connection.xero.calls)), connection.table.units
    virtual, real = connection.clock.now(), time.monotonic()
    connection.reconcile_stock(RUN_FOR)
    took, seconds = connection.clock.now() - virtual, time.monotonic() - real
    pages = sum(call.operation == "getInventorySummaries" for call in connection.amazon.calls[before[0] :])
    xero = len(connection.xero.calls) - before[1]
    cost = connection.table.units.minus(units)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = json.loads(connection.reports.stored["stock.json"])
    moved = sum(int(line["sold"]) for line in report["lines"])
    print(f"{skus} SKUs in {len(POOLS)} pools reconciled: {report['counts']}, {moved} units sold since the last time")
    print(
        f"  {pages - WITHOUT_STOCK} calls of getInventorySummaries for pools with stock (at most {MOST_AMAZON}) and "
        f"{WITHOUT_STOCK} for marketplaces without, {xero} to Xero (at most {MOST_XERO})"
    )
    print(f"  {took.total_seconds():.0f} s at Amazon's and Xero's pace, of {RUN_FOR.total_seconds():.0f}; ", end="")
    print(f"{seconds:.1f} s of this processor")
    print(f"  {memory:.0f} MB at most, with both sandboxes, of {MEMORY}")
    print(f"  DynamoDB: {cost.read:.0f} read units, {cost.written:.0f} write units, {cost.requests} requests")
    sizes = ", ".join(f"{name} {len(content) / 1e6:.1f} MB" for name, content in connection.reports.stored.items())
    print(f"  {sizes}")
    is_complete = len(report["lines"]) == skus and moved == orders
    return 0 if is_complete and pages - WITHOUT_STOCK <= MOST_AMAZON and xero <= MOST_XERO and memory <= MEMORY else 1


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="reconciliation", description="Measure a reconciliation of stock.")
    parser.add_argument("--skus", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=1_000, help="between the two reconciliations, of a unit each")
    given = parser.parse_args(arguments)
    return measure(given.skus, given.orders)


if __name__ == "__main__":
    sys.exit(main())
